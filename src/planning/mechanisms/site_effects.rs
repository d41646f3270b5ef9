//! `site-effects`: sites differ in the risk of a new report, by stated amounts, by chance, or both.
//!
//! By chance, a site's control risk is drawn anew for each study from the beta law whose mean is the stated risk and
//! whose intraclass correlation is `icc`: shapes `p(1 − icc)/icc` and `(1 − p)(1 − icc)/icc`, variance `icc·p(1 − p)`
//! (Donner and Klar 2000, ISBN 0-340-69153-0, section 1.3 of its notation).

use super::{Arms, Mechanism, MechanismEntry, or_default};
use crate::numerics::beta::Beta;
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "site-effects",
    about: "sites differ in the risk of a new report",
    about_sv: "enheterna skiljer sig åt i risken för en ny anmälan",
    keys: &["icc", "added_risk"],
    build: Some(build),
};

#[derive(Debug)]
struct SiteEffects {
    icc: f64,
    /// Stated amounts, in the order of the sites.
    added: Vec<f64>,
}

fn build(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    Arms { protocol, .. }: Arms<'_>,
) -> Option<Box<dyn Mechanism>> {
    let icc = or_default(out, section, "icc", 0.0, |out, value| {
        value.number(
            out,
            |icc| (0.0..0.9).contains(&icc),
            words!(
                "an intraclass correlation from 0 and below 0.9",
                "en intraklasskorrelation från 0 och mindre än 0,9"
            ),
        )
    });
    let names: Vec<&str> = protocol.sites.iter().map(|site| site.id.as_str()).collect();
    let none = vec![0.0; names.len()];
    let added = or_default(out, section, "added_risk", none, |out, value| {
        let table = value.section(out, &names)?;
        let read = names.iter().map(|name| {
            or_default(out, &table, name, 0.0, |out, value| {
                value.number(
                    out,
                    |added| (-1.0..=1.0).contains(&added),
                    words!(
                        "a change of probability, from −1 to 1",
                        "en ändring av sannolikheten, från −1 till 1"
                    ),
                )
            })
        });
        read.collect::<Vec<_>>().into_iter().collect()
    });
    Some(Box::new(SiteEffects {
        icc: icc?,
        added: added?,
    }))
}

impl Mechanism for SiteEffects {
    fn moves_reports_alone(&self) -> Option<&'static str> {
        Some(ENTRY.id)
    }

    fn differs_by_site(&self) -> bool {
        true
    }

    fn stated_site_risk(&self, site: usize) -> f64 {
        self.added.get(site).copied().unwrap_or(0.0)
    }

    fn site_risk(&self, site: usize, control: f64, u: f64) -> f64 {
        let stated = self.stated_site_risk(site);
        if self.icc <= 0.0 {
            return stated;
        }
        let sum = (1.0 - self.icc) / self.icc;
        let law = Beta::new(control * sum, (1.0 - control) * sum);
        let drawn = law.and_then(|law| law.quantile(u)).unwrap_or(control);
        stated + drawn - control
    }
}

#[cfg(test)]
mod tests {
    use super::SiteEffects;
    use crate::planning::mechanisms::Mechanism;

    /// By law: mean 0 and variance icc·p(1 − p) = .01·.4·.6 = .0024 over deviates (a fine grid; its error is below 1e-5).
    #[test]
    fn sites_vary_as_their_correlation_says() {
        let effects = SiteEffects {
            icc: 0.01,
            added: vec![0.0, 0.05],
        };
        let n = 20_000;
        let (mut sum, mut square) = (0.0, 0.0);
        for k in 0..n {
            let effect = effects.site_risk(0, 0.4, (f64::from(k) + 0.5) / f64::from(n));
            sum += effect;
            square += effect * effect;
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 1e-5, "{}", sum / n);
        assert!((square / n - 0.0024).abs() < 1e-5, "{}", square / n);
        let apart = effects.site_risk(1, 0.4, 0.3) - effects.site_risk(0, 0.4, 0.3);
        assert!((apart - 0.05).abs() < 1e-12);
    }
}
