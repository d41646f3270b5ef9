//! Names, times, actors and bytes around the state machine: the ledger as text, and its fold.
//!
//! A [`Journal`] is the fold of a ledger: state, names, request ids and keys. Every entry, whether just appended or
//! read back, enters it through the same decoding, so that living through a study and replaying it are the same
//! thing. Where the bytes live is `store`'s business; what a command means is the kernel's.

mod canonical;
mod decode;
mod encode;
mod entry;
mod fold;
mod foresight;
mod ledger;
mod linking;
mod names;
mod observations;
mod projection;
mod record;
mod texts;
mod unreadable;

pub use super::pages::Bytes;
pub(crate) use canonical::{Object, Value, is_same};
pub(crate) use decode::Decoded;
pub use encode::Encoded;
pub(crate) use entry::Parts;
pub use entry::{Entry, GENESIS, Hash, Head, hex};
pub use fold::{
    Corrupt, ENROLMENT_KEYS, Journal, KeyUse, Opening, RequestUse, derived_request_id,
    enrolment_hash, time_text,
};
pub(crate) use foresight::{Foresight, erased_sequences, retracted_sequence};
pub use ledger::{Ledger, LedgerError, Misfit, Rows, Transaction};
pub use linking::recorded_hash;
pub(in crate::study) use linking::report_key;
pub use names::Names;
pub use projection::Stored;
pub use record::{Canonical, Content, Recording};
