//! Eligibility rules that the machine checks: comparisons of fields, joined by `and`, `or`, `not`.
//!
//! A rule such as `earlier_reports >= 2 and category != "police"` is compiled when the protocol is read, so that the
//! state machine evaluates integers only. Choices are compared by level, yes/no fields by 1 and 0.

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=` or `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Whether `a ⋄ b` holds.
    pub fn holds(self, a: i64, b: i64) -> bool {
        match self {
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Greater => a > b,
            Self::AtLeast => a >= b,
        }
    }
}

/// A compiled rule over the values of fields, in the protocol's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Field `field` compared with a constant (a count, a scaled decimal, a level's index, 1 for yes).
    Compare {
        /// Index of the field.
        field: usize,
        /// The comparison.
        comparison: Comparison,
        /// The constant.
        value: i64,
    },
    /// All of them.
    And(Vec<Rule>),
    /// At least one of them.
    Or(Vec<Rule>),
    /// Not.
    Not(Box<Rule>),
}

impl Rule {
    /// Whether the rule holds for the given values. A field beyond the slice makes its comparison false.
    pub fn holds(&self, values: &[i64]) -> bool {
        match self {
            Self::Compare {
                field,
                comparison,
                value,
            } => values
                .get(*field)
                .is_some_and(|own| comparison.holds(*own, *value)),
            Self::And(rules) => rules.iter().all(|rule| rule.holds(values)),
            Self::Or(rules) => rules.iter().any(|rule| rule.holds(values)),
            Self::Not(rule) => !rule.holds(values),
        }
    }
}
