//! The functions of the script: which part holds that of an estimator, and which packages it needs.

/// A part of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Weights,
    Linear,
    Instrument,
    Proportions,
    Ratios,
    Ranks,
    Survival,
    Competing,
    Events,
    Bounds,
    Subgroups,
    Imputation,
    Skewed,
    Pairs,
    Redraws,
    Audits,
    Looks,
    Adjusting,
}

impl Part {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Weights => include_str!("weights.R"),
            Self::Linear => include_str!("linear.R"),
            Self::Instrument => include_str!("instrument.R"),
            Self::Proportions => include_str!("proportions.R"),
            Self::Ratios => include_str!("ratios.R"),
            Self::Ranks => include_str!("ranks.R"),
            Self::Survival => include_str!("survival.R"),
            Self::Competing => include_str!("competing.R"),
            Self::Events => include_str!("events.R"),
            Self::Bounds => include_str!("bounds.R"),
            Self::Subgroups => include_str!("subgroups.R"),
            Self::Imputation => include_str!("imputation.R"),
            Self::Skewed => include_str!("skewed.R"),
            Self::Pairs => include_str!("pairs.R"),
            Self::Redraws => include_str!("redraws.R"),
            Self::Audits => include_str!("audits.R"),
            Self::Looks => include_str!("looks.R"),
            Self::Adjusting => include_str!("adjusting.R"),
        }
    }

    /// The parts whose functions it calls.
    pub(super) fn needs(self) -> &'static [Self] {
        match self {
            Self::Instrument | Self::Subgroups | Self::Redraws => &[Self::Linear],
            Self::Ratios => &[Self::Linear, Self::Proportions],
            Self::Competing => &[Self::Survival],
            _ => &[],
        }
    }
}

/// The function of an estimator.
#[derive(Debug)]
pub(super) struct Function {
    id: &'static str,
    pub(super) name: &'static str,
    pub(super) part: Part,
    /// Packages beside base R.
    pub(super) packages: &'static [&'static str],
}

const fn own(
    id: &'static str,
    name: &'static str,
    part: Part,
    packages: &'static [&'static str],
) -> Function {
    Function {
        id,
        name,
        part,
        packages,
    }
}

const SURVIVAL: &[&str] = &["survival"];
const COMPETING: &[&str] = &["cmprsk", "survival"];

/// A function for every estimator that an analysis can name.
const FUNCTIONS: [Function; 25] = [
    own("lin", "lin", Part::Linear, &[]),
    own("linear", "linear", Part::Linear, &[]),
    own(
        "difference-in-means",
        "difference_in_means",
        Part::Linear,
        &[],
    ),
    own(
        "stratified-difference-in-means",
        "stratified_difference_in_means",
        Part::Linear,
        &[],
    ),
    own(
        "instrumental-variables",
        "instrumental_variables",
        Part::Instrument,
        &[],
    ),
    own("risk-difference", "risk_difference", Part::Proportions, &[]),
    own("risk-ratio", "risk_ratio", Part::Proportions, &[]),
    own("odds-ratio", "odds_ratio", Part::Proportions, &[]),
    own("fisher-exact", "fisher_exact", Part::Proportions, &[]),
    own("mantel-haenszel", "mantel_haenszel", Part::Proportions, &[]),
    own("logistic", "logistic", Part::Ratios, &[]),
    own("g-computation", "g_computation", Part::Ratios, &[]),
    own("poisson", "poisson_model", Part::Ratios, &[]),
    own(
        "negative-binomial",
        "negative_binomial",
        Part::Ratios,
        &["MASS"],
    ),
    own("rank-sum", "rank_sum", Part::Ranks, &[]),
    own("kaplan-meier", "kaplan_meier", Part::Survival, SURVIVAL),
    own("rmst", "rmst", Part::Survival, SURVIVAL),
    own("log-rank", "log_rank", Part::Survival, SURVIVAL),
    own("cox", "cox", Part::Survival, SURVIVAL),
    own(
        "recurrent-rate-ratio",
        "recurrent_rate_ratio",
        Part::Survival,
        SURVIVAL,
    ),
    own(
        "cumulative-incidence",
        "cumulative_incidence",
        Part::Competing,
        COMPETING,
    ),
    own("fine-gray", "fine_gray", Part::Competing, &["cmprsk"]),
    own(
        "mean-cumulative-count",
        "mean_cumulative_count",
        Part::Events,
        &[],
    ),
    own("manski-bounds", "manski_bounds", Part::Bounds, &[]),
    own("lee-bounds", "lee_bounds", Part::Bounds, &[]),
];

/// The function of an estimator.
pub(super) fn function(id: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|own| own.id == id)
}

#[cfg(test)]
mod tests {
    use super::function;
    use crate::estimation::ESTIMATORS;

    #[test]
    fn every_estimator_of_a_plan_has_a_function_in_its_part() {
        for entry in ESTIMATORS.iter().filter(|entry| entry.in_plan) {
            let own = function(entry.id);
            let defined = own.map(|own| own.part.text().contains(&format!("{} <- ", own.name)));
            assert_eq!(defined, Some(true), "{}", entry.id);
        }
    }
}
