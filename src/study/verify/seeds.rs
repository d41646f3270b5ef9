//! Which seed is of which epoch: a seed that is given finds its epoch by the commitment, in whatever order; those that the
//! ledger publishes stand for epochs of which none was given.

use super::DrawCheck;
use super::published::Published;
use crate::allocation::Seed;
use crate::protocol::Protocol;
use crate::study::journal::hex;
use crate::study::kernel::{Drawer, RecordedSource};

/// How the seeds that were given fit the epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedFit {
    /// None was given, or each is of an epoch and no epoch lacks one, given or published.
    Fitting,
    /// Each is of an epoch, and an epoch has none.
    Lacking,
    /// One is of no epoch.
    Strange,
}

/// Seeds by epoch.
pub(super) struct Seeds {
    own: Vec<Option<Seed>>,
    pub(super) fit: SeedFit,
}

impl Seeds {
    /// Those given, and those published that are of their epoch.
    pub(super) fn of(
        protocol: &Protocol,
        published: &Published,
        given: &[Seed],
        revealed: Vec<Option<Seed>>,
    ) -> Self {
        let mut own: Vec<Option<Seed>> = vec![None; published.commitments.len()];
        let mut strange = false;
        for seed in given {
            let mut found = false;
            for (epoch, place) in own.iter_mut().enumerate() {
                if is_of(protocol, published, epoch, seed) {
                    *place = Some(seed.clone());
                    found = true;
                }
            }
            strange |= !found;
        }
        for (place, seed) in own.iter_mut().zip(revealed) {
            *place = place.take().or(seed);
        }
        let lacking = own.is_empty() || own.iter().any(Option::is_none);
        let fit = match (strange, lacking && !given.is_empty()) {
            (true, _) => SeedFit::Strange,
            (false, true) => SeedFit::Lacking,
            (false, false) => SeedFit::Fitting,
        };
        Self { own, fit }
    }

    /// Whether the draws of each epoch are derived again.
    pub(super) fn checks(&self) -> Vec<DrawCheck> {
        let check = |seed: &Option<Seed>| match seed {
            Some(_) => DrawCheck::Verified,
            None => DrawCheck::NotChecked,
        };
        self.own.iter().map(check).collect()
    }

    /// What derives them; an epoch without a seed must not be asked for. `None` if no epoch has one.
    pub(super) fn drawer(
        &self,
        protocol: &Protocol,
        published: &Published,
    ) -> Option<Drawer<RecordedSource>> {
        // Never drawn with: it stands where no seed is known.
        let any = self.own.iter().flatten().next()?;
        let mut effective = self.own.iter().enumerate().map(|(epoch, seed)| {
            let awaits = protocol.in_epoch(epoch as u32).study.beacon.is_some();
            let beacon = published.beacons.get(epoch).and_then(Option::as_deref);
            let beacon = beacon.filter(|_| awaits);
            let seed = seed.as_ref().unwrap_or(any);
            beacon.map_or_else(|| seed.clone(), |value| seed.with_beacon(value))
        });
        let first = effective.next()?;
        Some(Drawer::new(RecordedSource::new(
            published.mode,
            first,
            effective.collect(),
        )))
    }
}

/// Whether a seed is the one that an epoch committed to.
pub(super) fn is_of(protocol: &Protocol, published: &Published, epoch: usize, seed: &Seed) -> bool {
    let hash = protocol.in_epoch(epoch as u32).hash.0;
    let committed = published.commitments.get(epoch).and_then(Option::as_ref);
    committed == Some(&hex(&seed.commitment(&hash)))
}
