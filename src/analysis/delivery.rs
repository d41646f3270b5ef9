//! Families of the treated arm by who delivered its service, as clusters of a variance.
//!
//! Clustering is partially nested: the treated arm has those who deliver, the control arm families alone (Bauer, Sterba &
//! Hallfors 2008, doi 10.1080/00273170802034810). So has a treated family to which nobody is named.

use super::workspace::Workspace;
use crate::allocation::Arm;
use crate::estimation::{Factor, Warning};
use crate::protocol::Protocol;
use crate::protocol::model::Clusters;
use crate::study::delivery::delivery;
use crate::study::kernel::{DelivererIx, State};
use crate::words;
use std::collections::BTreeMap;

/// Deliverers below which the variance rests on few; its degrees of freedom say how few.
const FEW: usize = 10;

impl Workspace {
    /// The clusters of rows of the lock, and what a reader must know of them.
    pub(super) fn clusters(
        &self,
        protocol: &Protocol,
        state: &State,
        (treated, rows): (Arm, &[usize]),
        how: Clusters,
    ) -> (Factor, Vec<Warning>) {
        let Clusters::DeliveredBy = how;
        let mut together: BTreeMap<DelivererIx, u32> = BTreeMap::new();
        let (mut alone, mut several) = (0_u32, 0_u32);
        let mut levels = Vec::new();
        let mut codes = Vec::with_capacity(rows.len());
        let mut number = |name: String| {
            levels.push(name);
            Some(levels.len() as u32 - 1)
        };
        let mut places: BTreeMap<DelivererIx, Option<u32>> = BTreeMap::new();
        for row in rows {
            let unit = &self.units[*row];
            let family = row + 1;
            if unit.arm != treated {
                codes.push(number(format!("family {family}")));
                continue;
            }
            let own = delivery(state, self.cut, unit.family, treated);
            several += u32::from(own.several);
            let Some(by) = own.first else {
                alone += 1;
                codes.push(number(format!("family {family}")));
                continue;
            };
            *together.entry(by).or_default() += 1;
            let name = || number(format!("deliverer {}", by.0 + 1));
            codes.push(*places.entry(by).or_insert_with(name));
        }
        let factor = Factor {
            name: how.text().to_owned(),
            levels,
            codes,
        };
        let arm = protocol.arms[treated.index()].id.as_str();
        (factor, told(arm, &together, alone, several))
    }
}

fn told(
    arm: &str,
    together: &BTreeMap<DelivererIx, u32>,
    alone: u32,
    several: u32,
) -> Vec<Warning> {
    let (deliverers, families) = (together.len(), together.values().sum::<u32>());
    let most = together.values().max().copied().unwrap_or(0);
    if deliverers == 0 {
        return vec![Warning::new(
            "delivered-by",
            words!(
                "in {arm} nobody is named who delivered the service, so all {alone} families stand for themselves, as every control family does",
                "i {arm} är ingen angiven som gav insatsen, så alla {alone} familjer står för sig, som varje kontrollfamilj"
            ),
        )];
    }
    let mut list = vec![Warning::new(
        "delivered-by",
        words!(
            "in {arm} {families} families are clustered by the {deliverers} who delivered the service to them (at most {most} each); {alone} to whom nobody is named stand for themselves, as every control family does; {several} had more than one and go with the first",
            "i {arm} klustras {families} familjer efter de {deliverers} som gav dem insatsen (högst {most} vardera); {alone} där ingen är angiven står för sig, som varje kontrollfamilj; {several} hade fler än en och räknas till den första"
        ),
    )];
    if deliverers < FEW {
        list.push(Warning::new(
            "few-deliverers",
            words!(
                "{deliverers} delivered the service in {arm}: below {FEW} the standard error is rough, and its degrees of freedom say how rough",
                "{deliverers} gav insatsen i {arm}: under {FEW} är medelfelet grovt, och frihetsgraderna visar hur grovt"
            ),
        ));
    }
    list
}
