//! One use case per verb: what the command line and the web share.
//!
//! A use case takes typed arguments and an [`Outside`] (clock, entropy, files, progress), and returns a typed answer
//! or a [`Failure`]. It knows no terminal text and no HTML: `cli` and `web` render what it returns.
//!
//! To add a verb: one file here, one file in `cli/`, one line in `cli::VERBS`. To add a code: one page in `pages/`
//! and one line in a slice of [`explain`].

pub mod amend;
pub mod analyse;
mod arrivals;
pub mod assess;
pub mod beacon;
pub mod boundaries;
pub mod caps;
pub mod check;
pub mod checkpoint;
mod codes;
mod codes_of_studies;
mod deviations;
pub mod draw;
pub mod enrol;
pub mod erase;
pub mod estimate;
pub mod exit;
pub mod explain;
pub mod export;
mod failure;
mod guessable;
mod harder;
pub mod import;
mod links;
pub mod lock;
pub mod new;
pub mod open;
mod outside;
pub mod permission;
pub mod power;
mod projection;
pub mod pseudonym;
pub mod record;
pub mod redcap;
mod refusal;
pub mod rehearse;
pub mod report;
mod returning;
pub mod reveal;
pub mod sealed;
mod seed_file;
mod several;
pub mod simulate;
pub mod simulation;
pub mod status;
pub mod study;
mod tables;
pub mod typed_time;
pub mod verify;
mod writing;

pub use failure::{Failure, Source, shown, suggestion};
pub use outside::{
    Clock, Entropy, FixedClock, Outside, Progress, Silent, SystemClock, SystemEntropy,
};
pub use tables::{DialectText, TableFile};
