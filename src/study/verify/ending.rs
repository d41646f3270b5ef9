//! The end of a study: its locks come in order, and nobody is drawn after it or at a site that is closed.
//!
//! Who enrols is refused there (`enrolment-closed`, `site-closed`), so a row that says otherwise was forged: with a
//! published seed anyone could add one whose arm is the one that the seed gives.

use super::Checker;
use crate::protocol::Protocol;
use crate::study::kernel::{State, What};
use crate::words;

impl Checker {
    /// One row against the locks, the published seeds and the sites of the state before it.
    pub(super) fn ending(
        &mut self,
        protocol: &Protocol,
        state: &State,
        what: &What,
        sequence: u64,
    ) {
        let at = Some(sequence);
        match what {
            What::Allocated { site, .. } => {
                let own = state.sites.get(usize::from(site.0));
                if state.closed || state.revealed || own.is_some_and(|site| site.closed) {
                    self.push(
                        "drawn-after-the-end",
                        at,
                        words!(
                            "event {sequence} draws after the final lock, after the seeds were published, or at a closed site",
                            "händelse {sequence} lottar efter den slutliga låsningen, efter att fröna publicerats, eller på en stängd enhet"
                        ),
                    );
                }
            }
            What::Revealed if !state.closed && protocol.final_lock().is_some() => self.push(
                "locked-out-of-order",
                at,
                words!(
                    "event {sequence} publishes the seeds before the final lock",
                    "händelse {sequence} publicerar fröna före den slutliga låsningen"
                ),
            ),
            What::Revealed if state.revealed => self.push(
                "locked-out-of-order",
                at,
                words!(
                    "event {sequence} publishes the seeds again",
                    "händelse {sequence} publicerar fröna igen"
                ),
            ),
            What::Locked { lock, .. } if state.lock(*lock).is_some() => self.push(
                "locked-out-of-order",
                at,
                words!(
                    "event {sequence} makes a lock that was made before",
                    "händelse {sequence} gör en låsning som redan är gjord"
                ),
            ),
            What::Analysed { lock } if state.lock(*lock).is_none() => self.push(
                "locked-out-of-order",
                at,
                words!(
                    "event {sequence} analyses a lock that was never made",
                    "händelse {sequence} analyserar en låsning som aldrig gjorts"
                ),
            ),
            _ => {}
        }
    }
}
