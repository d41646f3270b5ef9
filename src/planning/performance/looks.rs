//! How the looks at a monitored analysis went, over many studies.

use super::{Figure, Moments, share};
use crate::planning::record::{AnalysisRecord, TESTED_ALONE};
use serde::Serialize;

/// What is known of the looks at an analysis before it is run.
#[derive(Debug, Clone, PartialEq)]
pub struct AboutLooks {
    /// Place of the analysis among the scenario's.
    pub place: usize,
    /// Ids of the locks of its looks, its own last.
    pub locks: Vec<String>,
    /// Whether the true effect of a study is known on the scale of its estimate.
    pub has_truth: bool,
}

/// Sums over the studies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LookSums {
    about: AboutLooks,
    studies: u64,
    /// Studies by lock: with an effect there, and stopped there.
    held: Vec<u64>,
    stopped: Vec<u64>,
    information: Vec<Moments>,
    months: Moments,
    families: Vec<Moments>,
    ended: u64,
    covered: u64,
    above: u64,
    error: Moments,
    squared_error: Moments,
}

/// Whether what stands in place of the information of a look is that of an effect without any.
fn is_alone(information: f64) -> bool {
    information.total_cmp(&TESTED_ALONE).is_eq()
}

impl LookSums {
    pub(super) fn new(about: &AboutLooks) -> Self {
        let (looks, none) = (about.locks.len(), Moments::default());
        Self {
            about: about.clone(),
            studies: 0,
            held: vec![0; looks],
            stopped: vec![0; looks],
            information: vec![none; looks],
            months: none,
            families: vec![none; looks],
            ended: 0,
            covered: 0,
            above: 0,
            error: none,
            squared_error: none,
        }
    }

    /// Adds the next study: its analyses, and the families that it randomized.
    pub(super) fn add(&mut self, analyses: &[AnalysisRecord], families: u32) {
        self.studies += 1;
        let Some(record) = analyses.get(self.about.place) else {
            return;
        };
        let Some(looked) = &record.looked else { return };
        let all = looked.information.iter().zip(&mut self.held);
        for ((information, held), moments) in all.zip(&mut self.information) {
            *held += u64::from(*information > 0.0 || is_alone(*information));
            if *information > 0.0 {
                moments.add(*information);
            }
        }
        let stage = usize::from(looked.stage);
        if let (true, Some(stopped)) = (looked.rejects, self.stopped.get_mut(stage)) {
            *stopped += 1;
        }
        if let Some(moments) = self.families.get_mut(stage) {
            moments.add(f64::from(families));
        }
        self.months.add(f64::from(looked.days) / 30.4375);
        let Some(last) = looked.stage_wise.filter(|_| self.about.has_truth) else {
            return;
        };
        let error = last.estimate - record.truth;
        self.ended += 1;
        self.covered += u64::from((last.conf_low..=last.conf_high).contains(&record.truth));
        self.above += u64::from(error > 0.0);
        self.error.add(error);
        self.squared_error.add(error * error);
    }

    pub(super) fn performance(&self) -> LooksPerformance {
        let of = |count: u64, all: u64| match all {
            0 => Figure::default(),
            _ => share(count, all),
        };
        let looks = self.about.locks.iter().enumerate();
        let looks = looks.map(|(stage, lock)| LookPerformance {
            lock: lock.clone(),
            held: of(self.held[stage], self.studies),
            stopped: of(self.stopped[stage], self.studies),
            rejected_by_then: of(self.stopped[..=stage].iter().sum(), self.studies),
            information: self.information[stage].mean(),
            families: self.families[stage].mean(),
        });
        let stage_wise = StageWisePerformance {
            studies: self.ended,
            bias: self.error.mean(),
            mean_squared_error: self.squared_error.mean(),
            above: of(self.above, self.ended),
            coverage: of(self.covered, self.ended),
        };
        LooksPerformance {
            looks: looks.collect(),
            months: self.months.mean(),
            stage_wise: (self.ended > 0).then_some(stage_wise),
        }
    }
}

/// How the looks at a monitored analysis went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LooksPerformance {
    /// By lock, the analysis' own last.
    pub looks: Vec<LookPerformance>,
    /// Months of 30.4375 days from the first opening to the lock at which a study was decided.
    pub months: Figure,
    /// What stopped studies say by the stage-wise ordering; `None` where the true effect is not known on the scale of the
    /// estimate.
    pub stage_wise: Option<StageWisePerformance>,
}

/// One look, over all studies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LookPerformance {
    /// Id of the lock.
    pub lock: String,
    /// Share of studies that came to it with an effect to look at.
    pub held: Figure,
    /// Share of all studies that crossed the boundary there for the first time, and stopped.
    pub stopped: Figure,
    /// Share of all studies that crossed a boundary there or at an earlier look: of the last, the power.
    pub rejected_by_then: Figure,
    /// Mean information, 1/variance on the scale of looks, of the studies that came to it with any.
    pub information: Figure,
    /// Mean number of families of the studies that were decided there, stopped or not.
    pub families: Figure,
}

/// The stage-wise estimate and interval, over the studies in which they exist.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StageWisePerformance {
    /// Studies.
    pub studies: u64,
    /// Mean of median-unbiased estimate − true effect of its study.
    pub bias: Figure,
    /// Mean of its square.
    pub mean_squared_error: Figure,
    /// Share of median-unbiased estimates above the true effect: one half by construction, were information fixed.
    pub above: Figure,
    /// Share of stage-wise intervals that hold the true effect.
    pub coverage: Figure,
}

#[cfg(test)]
mod tests {
    use super::{AboutLooks, LookSums};
    use crate::planning::record::{AnalysisRecord, Looked, StageWise};

    /// By hand: of four studies one stops at the look (100 families, 304.375 days), one is decided by it at the end without
    /// rejecting, one rejects at the end, one had no effect at the look. Stage-wise errors −.1, .3, .1, .1.
    #[test]
    fn looks_by_hand() {
        let about = AboutLooks {
            place: 0,
            locks: vec!["look".into(), "final".into()],
            has_truth: true,
        };
        let mut sums = LookSums::new(&about);
        let study = |stage, rejects, days, information: [f64; 2], estimate: f64| AnalysisRecord {
            truth: 0.2,
            found: Err("no-rows"),
            joint: None,
            under_null: None,
            looked: Some(Looked {
                stage,
                rejects,
                days,
                information: information.to_vec(),
                stage_wise: Some(StageWise {
                    estimate,
                    conf_low: estimate - 0.2,
                    conf_high: estimate + 0.2,
                    p_value: 0.5,
                }),
            }),
        };
        sums.add(&[study(0, true, 304, [4.0, 0.0], 0.1)], 100);
        sums.add(&[study(1, false, 609, [6.0, 9.0], 0.5)], 200);
        sums.add(&[study(1, true, 609, [5.0, 11.0], 0.3)], 220);
        sums.add(&[study(1, false, 609, [0.0, 10.0], 0.3)], 240);
        let found = sums.performance();
        let value = |figure: super::Figure| figure.value.unwrap();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        near(value(found.looks[0].held), 0.75);
        near(value(found.looks[0].stopped), 0.25);
        near(value(found.looks[0].information), 5.0);
        near(value(found.looks[0].families), 100.0);
        near(value(found.looks[1].held), 0.75);
        near(value(found.looks[1].stopped), 0.25);
        near(value(found.looks[0].rejected_by_then), 0.25);
        near(value(found.looks[1].rejected_by_then), 0.5);
        near(value(found.looks[1].information), 10.0);
        near(value(found.looks[1].families), 220.0);
        near(value(found.months), (304.0 + 3.0 * 609.0) / 4.0 / 30.4375);
        // √(.25·.75/4)
        near(
            found.looks[0].stopped.mcse.unwrap(),
            (0.1875_f64 / 4.0).sqrt(),
        );
        let last = found.stage_wise.unwrap();
        near(value(last.bias), 0.1);
        near(value(last.mean_squared_error), 0.12 / 4.0);
        near(value(last.above), 0.75);
        near(value(last.coverage), 0.75);
    }
}
