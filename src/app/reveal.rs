//! `reveal`: publish the seeds after the final lock, so that anyone can derive every draw again.

use super::failure::Failure;
use super::outside::Outside;
use super::permission::Deed;
use super::record::NoDraw;
use super::refusal::refusal;
use super::study::{Act, Study, Work};
use crate::study::journal::{Content, Recording, hex};
use crate::study::kernel::{Command, decide};
use std::path::PathBuf;

/// The published seeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revealed {
    /// Epoch, seed and commitment.
    pub seeds: Vec<(u32, String, String)>,
    /// Head of the ledger.
    pub head: String,
}

/// Publishes the seeds.
///
/// # Errors
/// Before the final lock or a second time (exit 7); a seed that is missing or not the committed one (9).
pub fn reveal(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    seed_files: &[PathBuf],
) -> Result<Revealed, Failure> {
    let seeds = study.seeds(outside, seed_files)?;
    let texts: Vec<String> = seeds.iter().map(crate::allocation::Seed::to_hex).collect();
    study.write(outside, act, Deed::Reveal, |journal, time| {
        let day = journal.day(time);
        let decision = decide(
            &journal.protocol,
            &journal.state,
            &Command::Reveal,
            day,
            &mut NoDraw,
        )
        .map_err(|refused| refusal(&journal.protocol, refused))?;
        let recordings = decision
            .events
            .into_iter()
            .flatten()
            .map(|what| Recording::public(what, Content::new().with("seeds", texts.clone())))
            .collect();
        Ok(Work {
            recordings,
            answer: (),
        })
    })?;
    let protocol = &study.journal.protocol;
    Ok(Revealed {
        seeds: seeds
            .iter()
            .enumerate()
            .map(|(epoch, seed)| {
                let hash = &protocol.in_epoch(epoch as u32).hash.0;
                (epoch as u32, seed.to_hex(), hex(&seed.commitment(hash)))
            })
            .collect(),
        head: study.journal.head.to_hex(),
    })
}
