//! `engine`: which of the two tiers runs the studies of a cell.

use super::Scenario;
use crate::diagnostic::Words;
use crate::planning::kernel_tier::misfits;
use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;
use crate::words;
use std::ops::Range;

/// What runs the studies of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The whole state machine.
    Study,
    /// Counts, where an answer follows from them: the same records, bit for bit.
    Kernel,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 2] = [Self::Study, Self::Kernel];

    /// The word in the file.
    pub fn text(self) -> &'static str {
        match self {
            Self::Study => "study",
            Self::Kernel => "kernel",
        }
    }
}

/// The engine that a file asks for and where it says so; the whole state machine without a word.
pub(super) fn engine(out: &mut Findings<'_>, root: &Section<'_>) -> Option<(Engine, Range<usize>)> {
    let Some(value) = root.get("engine") else {
        return Some((Engine::Study, 0..0));
    };
    let known = Engine::ALL.map(|own| (own.text(), own));
    let engine = value.one_of(out, &known)?;
    Some((engine, value.span))
}

/// Refuses a scenario that the engine is not valid for, with everything that does not fit.
pub(super) fn fits(
    out: &mut Findings<'_>,
    span: &Range<usize>,
    protocol: &Protocol,
    scenario: &Scenario,
) {
    if scenario.engine == Engine::Study {
        return;
    }
    let found = misfits(protocol, scenario);
    if found.is_empty() {
        return;
    }
    let list = |own: fn(&Words) -> &str| {
        let all: Vec<&str> = found.iter().map(own).collect();
        all.join("; ")
    };
    let (en, sv) = (list(|own| &own.en), list(|own| &own.sv));
    out.error(
        "outside-kernel",
        span,
        words!(
            "the engine `kernel` is not valid here: {en}",
            "motorn `kernel` gäller inte här: {sv}"
        ),
        words!(
            "write `engine = \"study\"`, which runs every scenario",
            "ange `engine = \"study\"`, som kör alla scenarier"
        ),
    );
}
