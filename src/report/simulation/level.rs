//! The level of the intervals that a planning report is about.

use crate::diagnostic::{Lang, Words};
use crate::planning::simulate::CellPerformance;

/// The level, where all intervals that are compared with a true effect have the same.
pub(super) fn shared(cells: &[CellPerformance]) -> Option<f64> {
    let all = cells.iter().flat_map(|cell| &cell.analyses);
    let mut held = all.filter(|(_, own)| own.coverage.value.is_some());
    let (_, first) = held.next()?;
    let level = first.level;
    held.all(|(_, own)| (own.level - level).abs() < 1e-12)
        .then_some(level)
}

/// A level in per cent, with the digits that it has: 95, 98.75.
pub(super) fn per_cent(level: f64, lang: Lang) -> String {
    let rounded = (1e6 * level).round() / 1e4;
    Words::number(rounded).get(lang).to_owned()
}

#[cfg(test)]
mod tests {
    use super::per_cent;
    use crate::diagnostic::Lang;

    /// By hand: 1 − .05, 1 − .0125, 1 − .05/3.
    #[test]
    fn a_level_has_the_digits_that_it_needs() {
        let text = |alpha: f64| per_cent(1.0 - alpha, Lang::En);
        assert_eq!(
            [0.05, 0.0125, 0.05 / 3.0].map(text),
            ["95", "98.75", "98.3333"]
        );
        assert_eq!(per_cent(1.0 - 0.0125, Lang::Sv), "98,75");
    }
}
