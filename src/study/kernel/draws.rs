//! Where the next arm comes from: method state rebuilt from the allocations that happened, one draw on top.
//!
//! The fold of the ledger needs no seed, so the state of a randomization method is not part of [`State`]: a
//! [`Drawer`] holds it, catches up with the allocations before every draw, and never moves ahead of them. A decision
//! that is not appended therefore leaves no trace, and a retry draws the same arm.

use super::state::State;
use crate::allocation::{
    Address, Arm, Levels, Mode, Randomness, Redraw, Seed, Sequence, StratumKeys, Unit, draw_arm,
};
use crate::protocol::Protocol;

/// Draws the next arm of a stratum.
pub trait Draws {
    /// The arm of the next unit in `stratum` of the current epoch. Calling it again gives the same arm.
    fn arm(&mut self, protocol: &Protocol, state: &State, stratum: u32, unit: &Unit<'_>) -> Arm;
}

/// A source of random integers for every stratum of every epoch.
pub trait StratumSource {
    /// The source of one stratum.
    fn stratum(&mut self, protocol: &Protocol, epoch: u32, stratum: u32) -> &mut dyn Randomness;
}

/// Method state per stratum, following the allocations of a state. `Debug` hides it, for it is what the next arm depends on.
pub struct Drawer<S> {
    source: S,
    sequences: Vec<Option<Box<dyn Sequence>>>,
    begun: Vec<bool>,
    /// Levels of the cells of the epoch, once they are asked for.
    levels: Vec<Option<Levels>>,
    followed: usize,
    epoch: u32,
}

/// Cells whose levels are kept; those of others are found anew.
const KEPT: usize = 1 << 12;

impl<S> std::fmt::Debug for Drawer<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Drawer(hidden)")
    }
}

impl<S: StratumSource> Drawer<S> {
    /// A drawer before the first allocation.
    pub fn new(source: S) -> Self {
        Self {
            source,
            sequences: Vec::new(),
            begun: Vec::new(),
            levels: Vec::new(),
            followed: 0,
            epoch: 0,
        }
    }

    /// Back to before the first allocation with another source, keeping the sequences' memory.
    pub fn restart(&mut self, source: S) {
        self.source = source;
        self.followed = 0;
        self.enter(0);
    }

    /// Begins an epoch: every stratum anew. Sequences of another epoch belong to another design and are dropped.
    fn enter(&mut self, epoch: u32) {
        if self.epoch != epoch {
            self.sequences.fill_with(|| None);
            self.levels.clear();
        }
        self.begun.fill(false);
        self.epoch = epoch;
    }

    /// Begins a stratum if it has not begun.
    fn begin(&mut self, protocol: &Protocol, stratum: u32) {
        let place = stratum as usize;
        if place >= self.sequences.len() {
            self.sequences.resize_with(place + 1, || None);
            self.begun.resize(place + 1, false);
        }
        if self.begun[place] {
            return;
        }
        self.begun[place] = true;
        let design = &*protocol.in_epoch(self.epoch).allocation.design;
        let randomness = self.source.stratum(protocol, self.epoch, stratum);
        match &mut self.sequences[place] {
            Some(sequence) => design.restart(&mut **sequence, randomness),
            none => *none = Some(design.begin(randomness)),
        }
    }

    /// The levels of a cell of the epoch, whose protocol is given.
    fn levels_of(&mut self, protocol: &Protocol, cell: u32) -> Levels {
        let place = cell as usize;
        if place >= KEPT {
            return protocol.cell_levels(cell);
        }
        if place >= self.levels.len() {
            self.levels.resize(place + 1, None);
        }
        *self.levels[place].get_or_insert_with(|| protocol.cell_levels(cell))
    }

    /// Steps over the allocations that the sequences have not seen.
    fn follow(&mut self, protocol: &Protocol, state: &State) {
        if self.epoch != state.epoch {
            self.enter(state.epoch);
        }
        let own = protocol.in_epoch(self.epoch);
        let design = &*own.allocation.design;
        while let Some(allocated) = state.allocations.get(self.followed) {
            self.followed += 1;
            if allocated.epoch != self.epoch {
                continue;
            }
            self.begin(protocol, allocated.stratum);
            let levels = self.levels_of(own, allocated.cell);
            let randomness = self.source.stratum(protocol, self.epoch, allocated.stratum);
            if let Some(sequence) = &mut self.sequences[allocated.stratum as usize] {
                design.step(&mut **sequence, &levels.unit(), allocated.arm, randomness);
            }
        }
    }
}

impl<S: StratumSource> Draws for Drawer<S> {
    fn arm(&mut self, protocol: &Protocol, state: &State, stratum: u32, unit: &Unit<'_>) -> Arm {
        self.follow(protocol, state);
        self.begin(protocol, stratum);
        let index = u64::from(state.draws.get(stratum as usize).copied().unwrap_or(0));
        let randomness = self.source.stratum(protocol, self.epoch, stratum);
        match &self.sequences[stratum as usize] {
            Some(sequence) => draw_arm(
                &*protocol.in_epoch(self.epoch).allocation.design,
                &**sequence,
                unit,
                index,
                randomness,
            ),
            None => Arm(0),
        }
    }
}

/// The recorded source: keys derived from the effective seed of each epoch, cached per stratum.
#[derive(Debug)]
pub struct RecordedSource {
    mode: Mode,
    first: Seed,
    later: Vec<Seed>,
    /// Keys of each stratum of each epoch, once they are asked for.
    keys: Vec<Vec<Option<StratumKeys>>>,
}

impl RecordedSource {
    /// The source of a study in a mode: the effective seed of epoch 0, then those of later epochs in order (see
    /// [`Seed::with_beacon`]). The caller has checked each against its commitment and has one for every epoch; an epoch
    /// without a seed would repeat the last one, which `verify` finds.
    pub fn new(mode: Mode, first: Seed, later: Vec<Seed>) -> Self {
        Self {
            mode,
            first,
            later,
            keys: Vec::new(),
        }
    }
}

impl StratumSource for RecordedSource {
    fn stratum(&mut self, protocol: &Protocol, epoch: u32, stratum: u32) -> &mut dyn Randomness {
        let Self {
            mode,
            first,
            later,
            keys,
        } = self;
        let (era, place) = (epoch as usize, stratum as usize);
        if keys.len() <= era {
            keys.resize_with(era + 1, Vec::new);
        }
        let keys = &mut keys[era];
        if keys.len() <= place {
            keys.resize_with(place + 1, || None);
        }
        keys[place].get_or_insert_with(|| {
            let levels = protocol.in_epoch(epoch).stratum_levels(stratum as usize);
            let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
            let address = Address {
                mode: *mode,
                study: &protocol.study.id,
                epoch,
                levels: &levels,
            };
            let seed = match epoch {
                0 => &*first,
                _ => later
                    .get(epoch as usize - 1)
                    .or(later.last())
                    .unwrap_or(first),
            };
            StratumKeys::derive(seed, &address)
        })
    }
}

/// One sequential stream for all strata: a simulated study or a redraw.
#[derive(Debug)]
pub struct RedrawSource(pub Redraw);

impl StratumSource for RedrawSource {
    fn stratum(&mut self, _: &Protocol, _epoch: u32, _stratum: u32) -> &mut dyn Randomness {
        &mut self.0
    }
}

/// Where the arms of a simulated study come from: one stream of the replicate, or recorded keys as in a live study.
#[derive(Debug)]
pub enum ArmSource {
    /// One stream.
    Replicate(Box<RedrawSource>),
    /// Keys of a seed, so that a live study that is told the same draws the same.
    Recorded(Box<RecordedSource>),
}

impl StratumSource for ArmSource {
    fn stratum(&mut self, protocol: &Protocol, epoch: u32, stratum: u32) -> &mut dyn Randomness {
        match self {
            Self::Replicate(source) => source.stratum(protocol, epoch, stratum),
            Self::Recorded(source) => source.stratum(protocol, epoch, stratum),
        }
    }
}
