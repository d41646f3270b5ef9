//! `[truth]`: what would happen to a family under the one service and under the other.
//!
//! New reports are counts with overdispersion: the probability of at least one in the outcome's window is stated, and
//! so is its ratio between the services. One deviate per family serves both services, so that a family at higher risk
//! under the one is at higher risk under the other. Acceptance of an intervention is a share per service.

use super::quantiles::{CountLaw, KeptLaws};
use super::{Arms, MechanismEntry, not_negative, or_default, positive, probability};
use crate::diagnostic::Words;
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "truth",
    about: "new reports and accepted interventions of a family under both services",
    about_sv: "nya orosanmälningar och insatser som familjen tackar ja till, med båda handläggningarna",
    keys: &[
        "rereport_control",
        "rereport_ratio",
        "window_days",
        "reports_dispersion",
        "acceptance_control",
        "acceptance_difference",
        "started_after_days",
    ],
    build: None,
};

/// Most reports of one family in a window.
pub const MOST_REPORTS: u32 = 10_000;

/// Potential outcomes by service received.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// Probability of at least one new report in the window under the control service.
    pub rereport_control: f64,
    /// Ratio of that probability under the treated service.
    pub rereport_ratio: f64,
    /// First and last day of the window of that probability, where the outcomes that are analysed have several; reports
    /// come at the same rate in and out of it.
    pub window_days: Option<(i32, i32)>,
    /// Dispersion `k` of the count: variance `μ + k·μ²`; 0 is Poisson.
    pub reports_dispersion: f64,
    /// Probability that an intervention is accepted under the control service.
    pub acceptance_control: f64,
    /// Difference of that probability under the treated service.
    pub acceptance_difference: f64,
    /// Days from acceptance to the intervention's start.
    pub started_after_days: i32,
}

impl Truth {
    /// Reads the section.
    pub(crate) fn read(
        out: &mut Findings<'_>,
        section: &Section<'_>,
        arms: Arms<'_>,
    ) -> Option<Self> {
        let control = section.need(out, "rereport_control");
        let control = control.and_then(|value| probability(out, &value));
        let ratio = arms.need(out, section, "rereport_ratio", |out, value| {
            positive(out, value, 1000.0)
        });
        let window = or_default(out, section, "window_days", None, |out, value| {
            let items = value.items(out)?;
            let days: Option<Vec<i32>> =
                items.iter().map(|item| item.days(out, 0, 10_957)).collect();
            match *days?.as_slice() {
                [from, to] if from <= to => Some(Some((from, to))),
                _ => {
                    value.wrong_type(
                        out,
                        words!(
                            "the first and the last day, such as [1, 365]",
                            "den första och den sista dagen, till exempel [1, 365]"
                        ),
                    );
                    None
                }
            }
        });
        let dispersion = or_default(out, section, "reports_dispersion", 0.0, |out, value| {
            not_negative(out, value, 100.0)
        });
        let accept = section.need(out, "acceptance_control");
        let accept = accept.and_then(|value| probability(out, &value));
        let difference = arms.need(out, section, "acceptance_difference", |out, value| {
            value.number(
                out,
                |d| (-1.0..=1.0).contains(&d),
                words!("a number from −1 to 1", "ett tal från −1 till 1"),
            )
        });
        let started = or_default(out, section, "started_after_days", 14, |out, value| {
            value.days(out, 0, 3650)
        });
        let truth = Self {
            rereport_control: control?,
            rereport_ratio: ratio?,
            window_days: window?,
            reports_dispersion: dispersion?,
            acceptance_control: accept?,
            acceptance_difference: difference?,
            started_after_days: started?,
        };
        let treated = truth.rereport_control * truth.rereport_ratio;
        let sum = truth.acceptance_control + truth.acceptance_difference;
        let mut fits = true;
        for (key, value) in [("rereport_ratio", treated), ("acceptance_difference", sum)] {
            if !(value > 0.0 && value < 1.0) {
                fits = false;
                let Words { en, sv } = Words::number(value);
                out.error(
                    "impossible-risk",
                    &section.key_span(key),
                    words!(
                        "with `{key}` the treated service's probability would be {en}",
                        "med `{key}` skulle sannolikheten med den prövade handläggningen bli {sv}"
                    ),
                    words!(
                        "a probability lies between 0 and 1",
                        "en sannolikhet ligger mellan 0 och 1"
                    ),
                );
            }
        }
        fits.then_some(truth)
    }

    /// The probability of at least one report under a service, given that under control.
    pub fn risk(&self, control_risk: f64, treated: bool) -> f64 {
        let risk = if treated {
            control_risk * self.rereport_ratio
        } else {
            control_risk
        };
        risk.clamp(1e-12, 1.0 - 1e-12)
    }

    /// Number of reports in the window for a deviate, given the risk and the factor on the expected number.
    pub fn reports(&self, u: f64, risk: f64, rate_ratio: f64) -> u32 {
        #[expect(
            clippy::float_cmp,
            reason = "exactly one means that nothing changes it"
        )]
        if rate_ratio == 1.0 && u < 1.0 - risk {
            return 0; // most families, without a logarithm
        }
        self.law(risk, rate_ratio).at(u, MOST_REPORTS)
    }

    /// As [`Truth::reports`], with a law that is kept where it was met before.
    pub(in crate::planning) fn reports_kept(
        &self,
        u: f64,
        risk: f64,
        rate_ratio: f64,
        kept: &mut KeptLaws,
    ) -> u32 {
        #[expect(
            clippy::float_cmp,
            reason = "exactly one means that nothing changes it"
        )]
        if rate_ratio == 1.0 && u < 1.0 - risk {
            return 0;
        }
        let law = kept.law([risk, rate_ratio], || self.law(risk, rate_ratio));
        law.at(u, MOST_REPORTS)
    }

    /// The law of the number of reports in the window.
    fn law(&self, risk: f64, rate_ratio: f64) -> CountLaw {
        let k = self.reports_dispersion;
        #[expect(
            clippy::float_cmp,
            reason = "exactly one means that nothing changes it"
        )]
        if rate_ratio == 1.0 {
            return CountLaw::of_risk(risk, k);
        }
        CountLaw::of_mean(CountLaw::mean_of_risk(risk, k) * rate_ratio, k)
    }

    /// Whether there is any report: [`Truth::reports`] above 0, and cheaper.
    pub fn reported(&self, u: f64, risk: f64, rate_ratio: f64) -> bool {
        #[expect(
            clippy::float_cmp,
            reason = "exactly one means that nothing changes it"
        )]
        if rate_ratio == 1.0 {
            return u >= 1.0 - risk;
        }
        self.reports(u, risk, rate_ratio) > 0
    }

    /// Whether an intervention is accepted, for a deviate.
    pub fn accepts(&self, u: f64, treated: bool) -> bool {
        let added = if treated {
            self.acceptance_difference
        } else {
            0.0
        };
        u < self.acceptance_control + added
    }
}
