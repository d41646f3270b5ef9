//! How balanced and how predictable a list of arms is, wherever it was made, and whether a method could have made it.
//!
//! Pure functions of the arms of one stratum in order. The guesser is that of this room (see [`Guesser`]); a list made
//! elsewhere is looked at as this program looks at its own.

use super::exact::every_choice;
use super::guess::{Guesser, WHOLE};
use super::method::{Design, Sequence, Unit};
use super::options::{Options, Refusal, choose};
use super::streams::{Purpose, Randomness};
use super::weights::{Arm, MAX_ARMS, Ratio, Weights};
use std::collections::BTreeSet;

/// What a list of one stratum shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessed {
    /// Units.
    pub n: u64,
    /// Units of each arm.
    pub counts: Vec<u64>,
    /// Imbalance in the end, without its sign: the difference of two equal arms, otherwise largest − smallest
    /// count / ratio.
    pub final_imbalance: f64,
    /// Largest imbalance on the way.
    pub largest_imbalance: f64,
    /// Right guesses of somebody who keeps count (the convergence strategy); a tie of k arms counts 1/k.
    pub correct_guesses: f64,
    /// Right guesses of somebody who always names the arm with the largest part, on average: what the ratio alone gives.
    pub guesses_by_chance: f64,
    /// Most units in a row with the same arm.
    pub longest_run: u64,
    /// Whether the named method could have drawn the list.
    pub possible: Option<Possible>,
}

/// Whether a method could have drawn a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Possible {
    /// It could have drawn every arm.
    Yes,
    /// It could not have drawn the arm of this unit, from 0, after the arms before it.
    NotAt(usize),
    /// More states, or steps between them, can be hidden behind the arms than are followed; the arms up to there were possible.
    Unknown,
}

/// Most hidden states of a list that are followed.
const FOLLOWED: usize = 4096;
/// Most steps from state to state over all units of a list, of a method that costs 1 ([`Design::cost`]).
const STEPS: u64 = 4_000_000;

/// Describes the arms of one stratum in their order, under a ratio and, if it is known, the method.
///
/// Without a method the guesser names the arm with the smallest count / ratio; a method in blocks of one length lets the
/// guesser count the places left where [`Guesser`] says so. Arms must be below the ratio's number of arms; others are
/// not counted. Refused when the parts of the ratio have no common multiple up to 2^32.
///
/// ```
/// use lottning::allocation::{Arm, assess, read_ratio};
///
/// // a, b, b, a: the guesser tosses a coin at first and third place and is right at second and fourth.
/// let list = [Arm(0), Arm(1), Arm(1), Arm(0)];
/// let found = assess(&list, &read_ratio("1:1")?, None)?;
/// assert_eq!((found.correct_guesses, found.longest_run), (3.0, 2));
/// assert_eq!((found.final_imbalance, found.largest_imbalance), (0.0, 1.0));
/// # Ok::<(), lottning::allocation::Refusal>(())
/// ```
pub fn assess(
    arms: &[Arm],
    ratio: &Ratio,
    design: Option<&dyn Design>,
) -> Result<Assessed, Refusal> {
    let free = choose("simple", ratio, &Options::default(), None)
        .map_err(|mut refusals| refusals.remove(0))?;
    let guesser = Guesser::new(design.unwrap_or(&*free), ratio)?;
    let mut places = design
        .filter(|design| design.shows_places())
        .map(|design| (design, design.begin(&mut Nothing)));
    let mut counts = [0; MAX_ARMS];
    let (mut correct, mut largest, mut longest, mut run) = (0, 0, 0, 0);
    let mut before = None;
    let arms_of_ratio = ratio.arms();
    for arm in arms
        .iter()
        .copied()
        .filter(|arm| arm.index() < arms_of_ratio)
    {
        let weights = match &mut places {
            Some((design, sequence)) => {
                let weights = design.weights(&**sequence, &Unit::default());
                design.step(&mut **sequence, &Unit::default(), arm, &mut Nothing);
                weights
            }
            None => Weights::forced(Arm(0), arms_of_ratio),
        };
        correct += guesser.correct(arm, &counts, &weights);
        counts[arm.index()] += 1;
        largest = largest.max(guesser.imbalance(&counts).unsigned_abs());
        run = if before == Some(arm) { run + 1 } else { 1 };
        before = Some(arm);
        longest = longest.max(run);
    }
    let n = counts.iter().sum::<u64>();
    let part = ratio.parts().iter().copied().max().unwrap_or(1);
    let unit = guesser.unit();
    Ok(Assessed {
        n,
        counts: counts[..arms_of_ratio].to_vec(),
        final_imbalance: guesser.imbalance(&counts).unsigned_abs() as f64 / unit,
        largest_imbalance: largest as f64 / unit,
        correct_guesses: correct as f64 / WHOLE as f64,
        guesses_by_chance: n as f64 * part as f64 / ratio.sum() as f64,
        longest_run: longest,
        possible: design.map(|design| possible(design, arms)),
    })
}

/// Whether a method could have drawn the arms of one stratum in their order, whatever block lengths and duplicates of arms it drew.
///
/// Where more than 4096 states can be hidden behind the arms before the last one (duplicates of an unequal ratio, each with a count
/// of its own), or the steps between them are more than four millions in all, the answer is [`Possible::Unknown`].
pub fn possible(design: &dyn Design, arms: &[Arm]) -> Possible {
    let unit = Unit::default();
    let mut states: BTreeSet<Box<dyn Sequence>> = BTreeSet::new();
    every_choice(|choices, _| add(&mut states, design, design.begin(choices)));
    if design.ways().is_some()
        && let Some(state) = states.first()
    {
        // No arm is ever ruled out but one that there is not.
        let number = design.weights(&**state, &unit).as_slice().len();
        let stranger = arms.iter().position(|arm| arm.index() >= number);
        return stranger.map_or(Possible::Yes, Possible::NotAt);
    }
    let most = STEPS / design.cost().max(1);
    let mut steps = 0;
    for (place, arm) in arms.iter().enumerate() {
        if states.len() > FOLLOWED || steps > most {
            return Possible::Unknown;
        }
        let mut next = BTreeSet::new();
        for state in &states {
            let weights = design.weights(&**state, &unit);
            if weights
                .as_slice()
                .get(arm.index())
                .is_none_or(|own| *own == 0)
            {
                continue;
            }
            every_choice(|choices, _| {
                steps += 1;
                let mut later = state.copy();
                design.step(&mut *later, &unit, *arm, choices);
                add(&mut next, design, later);
            });
        }
        if next.is_empty() {
            return Possible::NotAt(place);
        }
        states = next;
    }
    Possible::Yes
}

/// Keeps a state if none with the same future is kept.
fn add(
    states: &mut BTreeSet<Box<dyn Sequence>>,
    design: &dyn Design,
    mut state: Box<dyn Sequence>,
) {
    design.forget_address(&mut *state);
    design.merge(&mut *state);
    states.insert(state);
}

/// A design that shows its places has one block length and asks for no random number that matters.
struct Nothing;

impl Randomness for Nothing {
    fn below(&mut self, _: Purpose, _: u64, _: u64) -> u64 {
        0
    }

    fn below_wide(&mut self, _: Purpose, _: u64, n: &[u64]) -> Vec<u64> {
        vec![0; n.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::{Possible, assess, possible};
    use crate::allocation::{Arm, Assessed, Choice, Options, choose, read_ratio};

    fn list(text: &str) -> Vec<Arm> {
        text.bytes().map(|letter| Arm(letter - b'a')).collect()
    }

    fn method(id: &str, ratio: &str, options: &[(&str, &str)]) -> Choice {
        let ratio = read_ratio(ratio).unwrap();
        choose(id, &ratio, &Options::of(options), None).unwrap()
    }

    fn found(arms: &str, ratio: &str, design: Option<&Choice>) -> Assessed {
        let design = design.map(|design| &**design);
        assess(&list(arms), &read_ratio(ratio).unwrap(), design).unwrap()
    }

    /// aaabbb: coin ½; then b is guessed twice and wrong, and from D = 3 on b is right three times: 3½ of 6.
    #[test]
    fn two_equal_arms_by_hand() {
        let seen = found("aaabbb", "1:1", None);
        assert_eq!(seen.counts, [3, 3]);
        assert_eq!((seen.final_imbalance, seen.largest_imbalance), (0.0, 3.0));
        assert_eq!((seen.correct_guesses, seen.guesses_by_chance), (3.5, 3.0));
        assert_eq!((seen.longest_run, seen.possible), (3, None));
    }

    /// 2:1, aab: without a method the guesser compares count / ratio: a tie at first (½), after a: 1/2 against 0, b is named
    /// and wrong; after aa: 1 against 0, b is named and right: 1½. In blocks of three, places left: a (2 of 3) right, then
    /// 1, 1: ½, then b is certain: 2½.
    #[test]
    fn a_known_block_lets_the_guesser_count_places() {
        assert!((found("aab", "2:1", None).correct_guesses - 1.5).abs() < 1e-12);
        let blocks = method("permuted-block", "2:1", &[("block_len", "3")]);
        let seen = found("aab", "2:1", Some(&blocks));
        assert!((seen.correct_guesses - 2.5).abs() < 1e-12);
        assert!((seen.guesses_by_chance - 2.0).abs() < 1e-12);
        // Largest on the way: after aa the quotients are 1 and 0.
        assert!((seen.largest_imbalance - 1.0).abs() < 1e-12);
    }

    #[test]
    fn impossible_places_are_found() {
        let blocks = method("permuted-block", "1:1", &[]);
        assert_eq!(possible(&*blocks, &list("aabbabab")), Possible::Yes);
        assert_eq!(possible(&*blocks, &list("aabbaaab")), Possible::NotAt(6));
        assert_eq!(possible(&*blocks, &list("aaab")), Possible::NotAt(2));
        // Lengths 2 or 6: aab can only be a block of six; aabbab ends it, then aaaa would be four of three places.
        let lengths = method("permuted-block", "1:1", &[("block_lens", "2,6")]);
        assert_eq!(possible(&*lengths, &list("aabbabaaab")), Possible::Yes);
        assert_eq!(possible(&*lengths, &list("aabbabaaaa")), Possible::NotAt(9));
        let stick = method("big-stick", "1:1", &[("max_imbalance", "2")]);
        assert_eq!(possible(&*stick, &list("aabaaa")), Possible::NotAt(4));
        assert_eq!(
            possible(&*method("simple", "1:1", &[]), &list("aaaaaaaaaa")),
            Possible::Yes
        );
        // A third arm where there are two.
        assert_eq!(
            possible(&*method("simple", "1:1", &[]), &list("abc")),
            Possible::NotAt(2)
        );
    }

    /// A thousand units in blocks of hidden lengths: few states have the same future, so it is quick.
    #[test]
    fn long_lists_are_followed() {
        let lengths = method("permuted-block", "1:1", &[("block_lens", "2,4,6")]);
        let long = "abbaab".repeat(170);
        assert_eq!(possible(&*lengths, &list(&long)), Possible::Yes);
        assert_eq!(
            possible(&*lengths, &list(&(long + "aaaa"))),
            Possible::NotAt(1023)
        );
    }

    /// Duplicates, each with a count of its own, are too many to follow at 5:3, 400 places long: it is said, and nothing is claimed.
    /// At 2:1 their counts are few. A coin rules no arm out, however long the list.
    #[test]
    fn a_list_with_too_many_hidden_states_is_given_up() {
        let truncated = |ratio, n| {
            let ratio = read_ratio(ratio).unwrap();
            choose("truncated-binomial", &ratio, &Options::default(), Some(n)).unwrap()
        };
        let long = list(&"aabaabab".repeat(50));
        assert_eq!(possible(&*truncated("5:3", 400), &long), Possible::Unknown);
        // What is ruled out before there are too many is found all the same: 25 places are the five of a.
        let few = list(&"a".repeat(26));
        assert_eq!(possible(&*truncated("5:3", 40), &few), Possible::NotAt(25));
        let thrice = list(&"aab".repeat(40));
        assert_eq!(possible(&*truncated("2:1", 120), &thrice), Possible::Yes);
        let coin = method("biased-coin", "3:2", &[("bias", "3/4")]);
        assert_eq!(possible(&*coin, &long), Possible::Yes);
        assert_eq!(possible(&*coin, &list("abc")), Possible::NotAt(2));
    }
}
