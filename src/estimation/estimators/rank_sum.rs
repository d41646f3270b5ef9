//! `rank-sum`: the probability index and the Hodges–Lehmann shift, with the Wilcoxon–Mann–Whitney test.

use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::prepared::Analysed;
use crate::estimation::probability_index::ProbabilityIndex;
use crate::estimation::ranks::{RankTest, Samples, Tails};
use crate::estimation::settings::{Interval, Measure, Settings};
use crate::estimation::shift::{Accepted, invert};
use crate::words;
use serde_json::{Map, json};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "rank-sum",
    about: "probability index and Hodges–Lehmann shift with the Wilcoxon–Mann–Whitney test",
    about_sv: "sannolikhetsindex och Hodges–Lehmanns förskjutning med Wilcoxon–Mann–Whitneys test",
    required: &[Role::Outcome],
    optional: &[],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: None,
    in_plan: true,
    options: OptionDomain {
        intervals: &[Interval::Logit, Interval::Newcombe],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Complements,
        ..Symmetries::ROW_ORDER
    },
    run,
};

/// First row: `P(X > Y) + ½P(X = Y)`; second row: the median of all differences. Both carry the p of the rank-sum
/// test of equal distributions, two-sided `min(1, 2·smaller tail)`: exact given the ranks and their ties (Streitberg
/// and Röhmel 1986) up to about 100 rows, else normal with the variance of the ties; no continuity correction. The
/// shift's interval is that test inverted (Hodges and Lehmann 1963, doi 10.1214/aoms/1177704172; Bauer 1972, doi
/// 10.1080/01621459.1972.10481279). `coin::wilcox_test`, `wilcox.test(correct = FALSE)`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let analysed = Analysed::new(columns, 1)?;
    let of = |arm: Arm| {
        let rows = analysed.arm.iter().zip(&analysed.outcome);
        rows.filter(|(own, _)| **own == arm)
            .map(|(_, y)| *y)
            .collect()
    };
    let samples = Samples::new(of(Arm::Treated), of(Arm::Control));
    let mut test = RankTest::new(&samples);
    let tails = test.tails(&samples.groups(0.0));
    let mut warnings = analysed.warnings;
    let index = ProbabilityIndex::new(&samples);
    let shift = samples.hodges_lehmann();
    let accepted = invert(&samples, &mut test, 1.0 - settings.level, shift);
    note_shift(&accepted, &mut warnings);
    let row = Row {
        columns,
        settings,
        tails,
        exact: test.exact,
        n: analysed.n,
    };
    let results = vec![
        row.index(&index, &mut warnings)?,
        row.shift(shift, &accepted),
    ];
    Ok(Answer { results, warnings })
}

fn note_shift(accepted: &Accepted, warnings: &mut Vec<Warning>) {
    if accepted.low.is_none() || accepted.high.is_none() {
        warnings.push(Warning::new(
            "interval-unbounded",
            words!(
                "so few rows that the test never rejects at this level: the interval has no end on every side, and that limit is left empty",
                "så få rader att testet aldrig förkastar på den här nivån: intervallet saknar ände åt minst ett håll, och den gränsen är tom"
            ),
        ));
    }
    if accepted.gap {
        warnings.push(Warning::new(
            "interval-not-monotone",
            words!(
                "the test rejects some values between the limits too; the limits are the outermost values that it does not reject",
                "testet förkastar även några värden mellan gränserna; gränserna är de yttersta värden som det inte förkastar"
            ),
        ));
    }
}

/// What both rows share.
struct Row<'a> {
    columns: &'a Columns,
    settings: &'a Settings,
    tails: Tails,
    exact: bool,
    n: [usize; 2],
}

impl Row<'_> {
    fn blank(&self, measure: Measure) -> Estimate {
        let mut extra = Map::new();
        extra.insert("exact".into(), json!(self.exact));
        extra.insert("p_lower".into(), json!(self.tails.lower));
        extra.insert("p_upper".into(), json!(self.tails.upper));
        Estimate {
            estimator: ENTRY.id.to_owned(),
            term: self.columns.labels.effect(),
            measure: measure.text().to_owned(),
            estimate: None,
            std_error: None,
            std_error_scale: "identity".to_owned(),
            statistic: self.tails.z,
            df: None,
            p_value: Some(self.tails.two_sided()),
            conf_low: None,
            conf_high: None,
            level: self.settings.level,
            n_treated: self.n[1],
            n_control: self.n[0],
            variance: String::new(),
            interval: String::new(),
            extra,
        }
    }

    fn index(
        &self,
        index: &ProbabilityIndex,
        warnings: &mut Vec<Warning>,
    ) -> Result<Estimate, EstimationError> {
        let level = self.settings.level;
        let asked = self.settings.interval.unwrap_or(Interval::Logit);
        let logit = if asked == Interval::Logit {
            index.logit(level)?
        } else {
            None
        };
        if asked == Interval::Logit && logit.is_none() {
            warnings.push(Warning::new(
                "interval-replaced",
                words!(
                    "the probability index has no standard error above 0 (an arm has one row, or the arms do not overlap), so its interval is Newcombe's",
                    "sannolikhetsindexet saknar medelfel större än 0 (en arm har en rad, eller så överlappar armarna inte), så intervallet är Newcombes"
                ),
            ));
        }
        let ((low, high), kind) = match logit {
            Some(limits) => (limits, Interval::Logit),
            None => (index.newcombe(level)?, Interval::Newcombe),
        };
        let mut row = self.blank(Measure::ProbabilityIndex);
        row.estimate = Some(index.estimate);
        row.std_error = index.std_error.filter(|s| *s > 0.0);
        row.conf_low = Some(low);
        row.conf_high = Some(high);
        "brunner-munzel".clone_into(&mut row.variance);
        kind.text().clone_into(&mut row.interval);
        row.extra.insert("mann_whitney".into(), json!(index.count));
        row.extra.insert("interval_df".into(), json!(index.df));
        let p = index.brunner_munzel()?;
        row.extra.insert("p_brunner_munzel".into(), json!(p));
        Ok(row)
    }

    fn shift(&self, shift: f64, accepted: &Accepted) -> Estimate {
        let mut row = self.blank(Measure::Shift);
        row.estimate = Some(shift);
        row.conf_low = accepted.low.map(|(limit, _)| limit);
        row.conf_high = accepted.high.map(|(limit, _)| limit);
        "permutation".clone_into(&mut row.variance);
        let kind = if self.exact { "exact" } else { "asymptotic" };
        kind.clone_into(&mut row.interval);
        let included = |limit: Option<(f64, bool)>| json!(limit.map(|(_, included)| included));
        row.extra
            .insert("conf_low_included".into(), included(accepted.low));
        row.extra
            .insert("conf_high_included".into(), included(accepted.high));
        row
    }
}
