//! `permuted-block`: every block holds each arm in exactly the ratio, in random order; blocks of one known length, or
//! of lengths drawn uniformly from a list (Matts & Lachin 1988, doi 10.1016/0197-2456(88)90047-5).

use crate::allocation::Choice;
use crate::allocation::method::{Method, Unit, renamed};
use crate::allocation::options::{MethodEntry, OptionSpec, Options, Refusal, Setting, whole};
use crate::allocation::streams::{Purpose, Randomness};
use crate::allocation::weights::{Arm, MAX_ARMS, Ratio, Weights};
use crate::words;

/// Longest block; a longer one is a slip of the pen.
const LONGEST: u64 = 1_000_000;
/// Most lengths in a list.
const MOST_LENGTHS: usize = 64;

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "permuted-block",
    about: "blocks that hold each arm in the ratio, in random order",
    about_sv: "block där varje arm har sin del av förhållandet, i slumpmässig ordning",
    options: &[
        OptionSpec {
            name: "block_len",
            flag: "block-len",
            default: Some("4"),
            about: "units per block; the sum of the ratio must divide it",
            about_sv: "enheter per block; ska vara delbart med förhållandets summa",
        },
        OptionSpec {
            name: "block_lens",
            flag: "block-lens",
            default: None,
            about: "lengths from which each block's is drawn with equal chance, instead of one length",
            about_sv: "längder som varje blocks längd dras bland med lika chans, i stället för en enda längd",
        },
    ],
    needs_n: false,
    accepts: &[
        Setting::new(&[1, 1], &[]),
        Setting::new(&[1, 1], &[("block_len", "2")]),
        Setting::new(&[1, 1], &[("block_lens", "2,4,6")]),
        Setting::new(&[2, 1], &[("block_len", "6")]),
        Setting::new(&[2, 1], &[("block_lens", "3,6")]),
        Setting::new(&[1, 1, 1], &[("block_len", "6")]),
        Setting::new(&[3, 1, 1], &[("block_lens", "10,5")]),
    ],
    declines: &[
        (Setting::new(&[2, 1], &[]), "block-not-divided"),
        (
            Setting::new(&[1, 1], &[("block_len", "5")]),
            "block-not-divided",
        ),
        (
            Setting::new(&[1, 1, 1], &[("block_lens", "3,4")]),
            "block-not-divided",
        ),
        (
            Setting::new(&[1, 1], &[("block_len", "0")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("block_len", "four")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("block_len", "-4")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("block_lens", "")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("block_lens", "2,,4")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("block_lens", "2,4,2")]),
            "duplicate-block-length",
        ),
        (
            Setting::new(&[1, 1], &[("block_len", "4"), ("block_lens", "2,4")]),
            "conflicting-options",
        ),
        (
            Setting::new(&[1, 1], &[("block_len", "4"), ("block_len", "4")]),
            "duplicate-option",
        ),
        (
            Setting::new(&[1, 1], &[("max_imbalance", "3")]),
            "unknown-option",
        ),
    ],
    build,
};

/// Weights are the places left in the block.
#[derive(Debug, Clone)]
pub(super) struct PermutedBlock {
    ratio: Ratio,
    /// In the order written: a drawn number is an index into it.
    lengths: Vec<u64>,
}

/// The block that is being filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    /// Number of the block within stratum and epoch, from 0.
    number: u64,
    left: [u64; MAX_ARMS],
}

fn build(ratio: &Ratio, options: &Options, _n: Option<u64>) -> Result<Choice, Refusal> {
    let lengths = match (options.get("block_len"), options.get("block_lens")) {
        (Some(_), Some(_)) => {
            return Err(Refusal::new(
                "conflicting-options",
                Some("block_lens"),
                words!(
                    "`block_len` and `block_lens` are both given",
                    "både `block_len` och `block_lens` anges"
                ),
            )
            .help(words!(
                "keep `block_len` for one length, or `block_lens` for lengths drawn by chance",
                "behåll `block_len` för en längd eller `block_lens` för längder som lottas"
            )));
        }
        (None, Some(list)) => list
            .split(',')
            .map(|text| {
                length(ratio, "block_lens", text.trim()).map_err(|refusal| match refusal.code {
                    "invalid-value" => not_lengths(list),
                    _ => refusal,
                })
            })
            .collect::<Result<Vec<u64>, Refusal>>()?,
        (one, None) => vec![length(ratio, "block_len", one.unwrap_or("4"))?],
    };
    if lengths.len() > MOST_LENGTHS {
        return Err(Refusal::new(
            "invalid-value",
            Some("block_lens"),
            words!(
                "`block_lens` has more than {MOST_LENGTHS} lengths",
                "`block_lens` har fler än {MOST_LENGTHS} längder"
            ),
        )
        .help(words!(
            "two or three lengths are hard enough to guess",
            "två eller tre längder är svåra nog att gissa"
        )));
    }
    for (i, twice) in lengths.iter().enumerate() {
        if lengths[..i].contains(twice) {
            return Err(Refusal::new(
                "duplicate-block-length",
                Some("block_lens"),
                words!(
                    "the length {twice} is given twice in `block_lens`",
                    "längden {twice} anges två gånger i `block_lens`"
                ),
            )
            .help(words!(
                "each length has the same chance; give each once",
                "alla längder har samma chans; ange var och en en gång"
            )));
        }
    }
    Ok(Box::new(PermutedBlock {
        ratio: *ratio,
        lengths,
    }))
}

/// The refusal of a list that holds something else than lengths, as it was typed.
fn not_lengths(list: &str) -> Refusal {
    Refusal::new(
        "invalid-value",
        Some("block_lens"),
        words!(
            "`block_lens` is `{list}`, not whole numbers from 1 to {LONGEST} between commas",
            "`block_lens` är `{list}`, inte heltal från 1 till {LONGEST} mellan kommatecken"
        ),
    )
    .help(words!("for example 4,6", "till exempel 4,6"))
}

fn length(ratio: &Ratio, name: &'static str, text: &str) -> Result<u64, Refusal> {
    let length = whole(name, text, &(1..=LONGEST))?;
    let sum = ratio.sum();
    if length % sum == 0 {
        return Ok(length);
    }
    let (below, above) = (length / sum * sum, (length / sum + 1) * sum);
    let refusal = Refusal::new(
        "block-not-divided",
        Some(name),
        words!(
            "a block of {length} cannot hold the ratio {ratio}: {sum} does not divide {length}",
            "ett block om {length} rymmer inte förhållandet {ratio}: {length} är inte delbart med {sum}"
        ),
    );
    Err(refusal.help(if below == 0 {
        words!(
            "the shortest block is {above}",
            "det kortaste blocket är {above}"
        )
    } else {
        words!("use {below} or {above}", "använd {below} eller {above}")
    }))
}

impl PermutedBlock {
    /// Blocks of one length, which the sum of the ratio divides.
    pub(super) fn of_length(ratio: &Ratio, length: u64) -> Self {
        Self {
            ratio: *ratio,
            lengths: vec![length],
        }
    }

    fn open(&self, number: u64, randomness: &mut dyn Randomness) -> Block {
        let length = match self.lengths.as_slice() {
            [one] => *one,
            several => {
                let drawn = randomness.below(Purpose::Block, number, several.len() as u64);
                several[drawn as usize]
            }
        };
        let mut left = [0; MAX_ARMS];
        for (places, part) in left.iter_mut().zip(self.ratio.parts()) {
            *places = length / self.ratio.sum() * part;
        }
        Block { number, left }
    }
}

impl Method for PermutedBlock {
    type State = Block;

    fn start(&self, randomness: &mut dyn Randomness) -> Block {
        self.open(0, randomness)
    }

    fn weights(&self, block: &Block, _unit: &Unit<'_>) -> Weights {
        Weights::new(&block.left[..self.ratio.arms()])
    }

    fn step(&self, block: &mut Block, _unit: &Unit<'_>, arm: Arm, randomness: &mut dyn Randomness) {
        if let Some(places) = block.left.get_mut(arm.index()) {
            *places = places.saturating_sub(1);
        }
        if block.left.iter().all(|places| *places == 0) {
            *block = self.open(block.number + 1, randomness);
        }
    }

    fn shows_places(&self) -> bool {
        self.lengths.len() == 1
    }

    fn balanced_every(&self) -> Option<u64> {
        match self.lengths.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    fn forget_address(&self, block: &mut Block) {
        block.number = 0;
    }

    fn rename(&self, block: &mut Block, order: &[usize]) -> bool {
        renamed(&mut block.left, order);
        true
    }
}
