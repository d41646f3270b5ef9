//! Laws of every registered randomization method.

use lottning::allocation::{
    Address, Arm, Choice, Levels, MAX_ARMS, METHODS, MethodEntry, Mode, Options, Purpose,
    Randomness, Ratio, Redraw, Seed, Sequence, Setting, StratumKeys, Unit, allocate, balanced_list,
    choose, list, read_ratio, redraw_key,
};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use std::collections::BTreeMap;

fn ratio(setting: &Setting) -> Ratio {
    Ratio::new(setting.ratio).unwrap()
}

/// Every registered method with everything that it says it accepts.
fn accepted() -> Vec<(&'static MethodEntry, &'static Setting, Choice)> {
    let mut all = Vec::new();
    for entry in METHODS {
        assert!(!entry.accepts.is_empty(), "{} accepts nothing", entry.id);
        for setting in entry.accepts {
            let design = choose(
                entry.id,
                &ratio(setting),
                &Options::of(setting.options),
                Some(200),
            )
            .unwrap_or_else(|refusals| panic!("{} {setting:?}: {refusals:?}", entry.id));
            all.push((entry, setting, design));
        }
    }
    all
}

fn seed(number: u8) -> Seed {
    Seed::from_bytes([number; 32])
}

fn address<'a>(levels: &'a [&'a str]) -> Address<'a> {
    Address {
        mode: Mode::Rehearsal,
        study: "laws",
        epoch: 0,
        levels,
    }
}

#[test]
fn ids_are_unique_kebab_case_and_described() {
    for (i, entry) in METHODS.iter().enumerate() {
        assert!(METHODS[..i].iter().all(|other| other.id != entry.id));
        assert!(
            entry
                .id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'-')
        );
        assert!(!entry.about.is_empty() && entry.options.iter().all(|o| !o.about.is_empty()));
        assert!(
            entry
                .options
                .iter()
                .all(|o| o.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        );
        assert!(
            entry
                .options
                .iter()
                .all(|o| o.flag == o.name.replace('_', "-"))
        );
    }
}

#[test]
fn declared_refusals_are_refused_with_their_code_and_advice_to_read() {
    for entry in METHODS {
        assert!(!entry.declines.is_empty(), "{} declines nothing", entry.id);
        for (setting, code) in entry.declines {
            let refusals = choose(
                entry.id,
                &ratio(setting),
                &Options::of(setting.options),
                Some(200),
            )
            .err()
            .unwrap_or_else(|| panic!("{} accepts {setting:?}", entry.id));
            let codes: Vec<&str> = refusals.iter().map(|refusal| refusal.code).collect();
            assert!(codes.contains(code), "{} {setting:?}: {codes:?}", entry.id);
            for refusal in refusals {
                assert!(!refusal.message.en.is_empty() && !refusal.message.sv.is_empty());
                assert_ne!(refusal.message.en, refusal.message.sv);
                let help = refusal.help.unwrap_or_else(|| {
                    panic!(
                        "{} {setting:?}: no advice with {}",
                        entry.id, refusal.message.en
                    )
                });
                assert!(!help.en.is_empty() && !help.sv.is_empty());
            }
        }
    }
}

#[test]
fn every_method_refuses_an_empty_list_and_every_fault_of_the_options_at_once() {
    for entry in METHODS {
        let setting = &entry.accepts[0];
        let refusals = choose(
            entry.id,
            &ratio(setting),
            &Options::of(setting.options),
            Some(0),
        );
        assert_eq!(refusals.err().map(|all| all[0].code), Some("zero-n"));
        let strange = Options::of(&[("colour", "red"), ("colour", "blue"), ("taste", "sweet")]);
        let codes: Vec<&str> = choose(entry.id, &ratio(setting), &strange, Some(9))
            .err()
            .unwrap()
            .iter()
            .map(|refusal| refusal.code)
            .collect();
        assert_eq!(
            codes,
            ["unknown-option", "duplicate-option", "unknown-option"]
        );
    }
}

#[test]
fn weights_have_one_entry_per_arm_and_a_positive_sum() {
    for (entry, setting, design) in accepted() {
        let mut keys = StratumKeys::derive(&seed(1), &address(&[]));
        let mut sequence = design.begin(&mut keys);
        for index in 0..500 {
            let weights = design.weights(&*sequence, &Unit::default());
            assert_eq!(
                weights.as_slice().len(),
                setting.ratio.len(),
                "{}",
                entry.id
            );
            assert!(weights.sum() > 0, "{} {setting:?} at {index}", entry.id);
            let arm = allocate(&*design, &mut *sequence, &Unit::default(), index, &mut keys);
            assert!(
                weights.as_slice()[arm.index()] > 0,
                "an arm without weight was drawn"
            );
        }
    }
}

#[test]
fn a_short_list_is_the_beginning_of_a_long_one() {
    for (entry, setting, _) in accepted() {
        if entry.needs_n && !has_list_len(setting) {
            continue; // it depends on n by what it is
        }
        let draw = |n: usize| {
            let options = Options::of(setting.options);
            let design = choose(entry.id, &ratio(setting), &options, Some(n as u64)).unwrap();
            list(&*design, &seed(2), std::iter::repeat_n([""; 0], n))
        };
        assert_eq!(draw(50)[..], draw(200)[..50], "{} {setting:?}", entry.id);
    }
}

fn has_list_len(setting: &Setting) -> bool {
    setting.options.iter().any(|(name, _)| *name == "list_len")
}

/// A method that must know how long a list is goes on live with `list_len`: lists that end in the ratio follow one
/// another, and each begins as the first one did.
#[test]
fn a_method_of_lists_goes_on_with_the_next_list() {
    let mut seen = 0;
    for entry in METHODS.iter().filter(|entry| entry.needs_n) {
        for setting in entry.accepts {
            let options = Options::of(setting.options);
            let built = choose(entry.id, &ratio(setting), &options, None);
            let length = setting
                .options
                .iter()
                .find_map(|(name, text)| (*name == "list_len").then(|| text.parse::<u64>()));
            let Some(length) = length else {
                let refusals = built.err().unwrap();
                assert_eq!(refusals[0].code, "n-needed", "{}", entry.id);
                assert!(refusals[0].help.as_ref().unwrap().en.contains("list_len"));
                continue;
            };
            let (design, length) = (built.unwrap(), length.unwrap());
            let mut keys = StratumKeys::derive(&seed(7), &address(&[]));
            let beginning = design.begin(&mut keys);
            let mut sequence = beginning.copy();
            let mut counts = vec![0; setting.ratio.len()];
            for index in 0..5 * length {
                let arm = allocate(&*design, &mut *sequence, &Unit::default(), index, &mut keys);
                counts[arm.index()] += 1;
                if (index + 1) % length > 0 {
                    continue;
                }
                let (unit, sum) = (Unit::default(), setting.ratio.iter().sum::<u64>());
                assert_eq!(
                    design.weights(&*sequence, &unit),
                    design.weights(&*beginning, &unit)
                );
                for (count, part) in counts.iter().zip(setting.ratio) {
                    assert_eq!(*count, (index + 1) * part / sum, "{} {setting:?}", entry.id);
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 3, "every method of lists is tried live");
}

/// Every sequence of answers to the questions of one start or step, one after the other.
#[derive(Default)]
struct Answers {
    given: Vec<(u64, u64)>,
    asked: usize,
}

impl Answers {
    fn chance(&self) -> f64 {
        self.given.iter().map(|(_, n)| 1.0 / *n as f64).product()
    }

    /// Goes to the next sequence of answers; false after the last.
    fn next(&mut self) -> bool {
        self.asked = 0;
        while self
            .given
            .last()
            .is_some_and(|(answer, n)| answer + 1 == *n)
        {
            self.given.pop();
        }
        match self.given.last_mut() {
            Some((answer, _)) => *answer += 1,
            None => return false,
        }
        true
    }
}

impl Randomness for Answers {
    fn below(&mut self, _purpose: Purpose, _index: u64, n: u64) -> u64 {
        if self.asked == self.given.len() {
            self.given.push((0, n));
        }
        self.asked += 1;
        self.given[self.asked - 1].0
    }

    fn below_wide(&mut self, _purpose: Purpose, _index: u64, _n: &[u64]) -> Vec<u64> {
        unreachable!("the laws draw their arms themselves")
    }
}

/// Law: before anything is known of a list, its k-th unit gets each arm with the probability of the ratio, for every k.
/// A method that kept the ratio on the whole only would bias randomization tests (Kuznetsova & Tymofyeyev 2012,
/// doi 10.1002/sim.4447). Computed from every state with its probability, not drawn; `exact.rs` takes no part. Thirty units are
/// followed, of more duplicates than there can be arms so many that there are at most three thousand states before the last: at least three.
#[test]
fn the_ratio_holds_at_every_step() {
    let unit = Unit::default();
    for (entry, setting, design) in accepted() {
        let sum: u64 = setting.ratio.iter().sum();
        let mut now: BTreeMap<String, (Box<dyn Sequence>, f64)> = BTreeMap::new();
        let add = |all: &mut BTreeMap<String, (Box<dyn Sequence>, f64)>,
                   sequence: Box<dyn Sequence>,
                   p| {
            all.entry(format!("{sequence:?}"))
                .or_insert((sequence, 0.0))
                .1 += p;
        };
        let mut answers = Answers::default();
        loop {
            let sequence = design.begin(&mut answers);
            add(&mut now, sequence, answers.chance());
            if !answers.next() {
                break;
            }
        }
        let mut worst: f64 = 0.0;
        for place in 0..30 {
            if sum > MAX_ARMS as u64 && now.len() > 3_000 {
                assert!(place >= 3, "{} {setting:?}", entry.id);
                break;
            }
            let mut shares = vec![0.0; setting.ratio.len()];
            let mut next = BTreeMap::new();
            for (sequence, probability) in now.values() {
                let weights = design.weights(&**sequence, &unit);
                for (arm, weight) in weights.as_slice().iter().enumerate() {
                    if *weight == 0 {
                        continue;
                    }
                    let reached = probability * *weight as f64 / weights.sum() as f64;
                    shares[arm] += reached;
                    let mut answers = Answers::default();
                    loop {
                        let mut later = sequence.copy();
                        design.step(&mut *later, &unit, Arm(arm as u8), &mut answers);
                        add(&mut next, later, reached * answers.chance());
                        if !answers.next() {
                            break;
                        }
                    }
                }
            }
            for (arm, part) in setting.ratio.iter().enumerate() {
                let expected = *part as f64 / sum as f64;
                worst = worst.max((shares[arm] - expected).abs());
            }
            now = next;
        }
        // A design that says that it does not keep the ratio does not, so no protocol is refused without need.
        let (kept, by) = (worst < 1e-12, entry.id);
        assert_eq!(kept, design.keeps_ratio(), "{by} {setting:?}: {worst} off");
    }
}

#[test]
fn relabelling_the_arms_relabels_the_weights() {
    for (entry, setting, design) in accepted() {
        let arms = setting.ratio.len();
        // Rotate the arms by one: arm i becomes arm i+1.
        let turn = |arm: Arm| Arm(((arm.index() + 1) % arms) as u8);
        let mut turned = vec![0; arms];
        for (arm, part) in setting.ratio.iter().enumerate() {
            turned[turn(Arm(arm as u8)).index()] = *part;
        }
        let options = Options::of(setting.options);
        let other = choose(entry.id, &Ratio::new(&turned).unwrap(), &options, Some(200)).unwrap();
        let key = redraw_key(&[3; 32], entry.id, "law");
        // The same questions (block lengths) are answered alike on both sides.
        let (mut ours, mut theirs) = (Lengths, Lengths);
        let mut arms_drawn = Redraw::new(&key, 0);
        let mut sequence = design.begin(&mut ours);
        let mut mirror = other.begin(&mut theirs);
        for index in 0..300 {
            let weights = design.weights(&*sequence, &Unit::default());
            let mirrored = other.weights(&*mirror, &Unit::default());
            for (arm, weight) in weights.as_slice().iter().enumerate() {
                let image = mirrored.as_slice()[turn(Arm(arm as u8)).index()];
                assert_eq!(image, *weight, "{} {setting:?}", entry.id);
            }
            let reduced = weights.reduced();
            let arm = reduced.arm_at(arms_drawn.below(Purpose::Arm, index, reduced.sum()));
            design.step(&mut *sequence, &Unit::default(), arm, &mut ours);
            other.step(&mut *mirror, &Unit::default(), turn(arm), &mut theirs);
        }
    }
}

/// Answers that depend on purpose and number alone.
#[derive(Default)]
struct Lengths;

impl Randomness for Lengths {
    fn below(&mut self, _purpose: Purpose, index: u64, n: u64) -> u64 {
        (index * 7 + 3) % n
    }

    fn below_wide(&mut self, _purpose: Purpose, _index: u64, _n: &[u64]) -> Vec<u64> {
        unreachable!("the laws draw their arms themselves")
    }
}

/// Law: every registered method gives each arm its part in the long run. With independent units the standard error of
/// a share is √(p(1−p)/n); a method that restricts is closer than that.
#[test]
fn the_ratio_holds_in_the_long_run() {
    let n = 20_000;
    for (entry, setting, design) in accepted() {
        let rows = list(&*design, &seed(4), std::iter::repeat_n([""; 0], n));
        let sum: u64 = setting.ratio.iter().sum();
        for (arm, part) in setting.ratio.iter().enumerate() {
            let share = rows.iter().filter(|row| row.arm.index() == arm).count() as f64 / n as f64;
            let p = *part as f64 / sum as f64;
            let error = (p * (1.0 - p) / n as f64).sqrt();
            assert!(
                (share - p).abs() < 4.0 * error,
                "{} {setting:?} arm {arm}: {share}",
                entry.id
            );
        }
    }
}

/// Law: minimization of an unequal ratio without duplicates keeps the ratio in the long run at every p, for the best arm
/// never has less than its part. Where a lagging arm has only its part, the imbalance is a walk that the other side turns
/// back, so the bound is that of independent units.
#[test]
fn minimization_keeps_an_unequal_ratio_in_the_long_run() {
    let n = 20_000;
    for ratio in [[9, 1, 0], [4, 1, 0], [2, 1, 0], [1, 3, 0], [5, 1, 1]] {
        let parts: Vec<u64> = ratio.into_iter().filter(|part| *part > 0).collect();
        let sum: u64 = parts.iter().sum();
        let text = parts.iter().map(u64::to_string).collect::<Vec<_>>();
        let ratio = read_ratio(&text.join(":")).unwrap();
        for probability in ["4/5", "1/2", "1"] {
            for imbalance in ["range", "variance", "sum"] {
                let options = [
                    ("factors", "a,b"),
                    ("probability", probability),
                    ("imbalance", imbalance),
                ];
                let design = choose("minimization", &ratio, &Options::of(&options), None).unwrap();
                let units = (0..n).map(|place: u16| {
                    let mut levels = Levels::default();
                    assert!(levels.push(place % 2) && levels.push(place / 2 % 3));
                    ([""; 0], levels)
                });
                let rows = balanced_list(&*design, &seed(8), units);
                for (arm, part) in parts.iter().enumerate() {
                    let of_arm = rows.iter().filter(|row| row.arm.index() == arm);
                    let share = of_arm.count() as f64 / f64::from(n);
                    let p = *part as f64 / sum as f64;
                    let error = (p * (1.0 - p) / f64::from(n)).sqrt();
                    assert!(
                        (share - p).abs() < 4.0 * error,
                        "{ratio} {options:?} arm {arm}: {share}"
                    );
                }
            }
        }
    }
}

/// Law: with duplicates p = 1/duplicates is simple randomization, arm by arm from the same numbers.
#[test]
fn duplicates_at_pure_chance_are_simple_randomization() {
    for (text, probability) in [("2:1", "1/3"), ("1:1", "1/2"), ("3:2:1", "1/6")] {
        let ratio = read_ratio(text).unwrap();
        let simple = choose("simple", &ratio, &Options::default(), None).unwrap();
        let options = Options::of(&[
            ("factors", "a"),
            ("probability", probability),
            ("ratio_preserving", "true"),
        ]);
        let minimized = choose("minimization", &ratio, &options, None).unwrap();
        let expected = list(&*simple, &seed(9), std::iter::repeat_n([""; 0], 300));
        let units = (0..300_u16).map(|place| {
            let mut levels = Levels::default();
            assert!(levels.push(place % 3));
            ([""; 0], levels)
        });
        let found = balanced_list(&*minimized, &seed(9), units);
        let arms =
            |rows: &[lottning::allocation::Row]| rows.iter().map(|row| row.arm).collect::<Vec<_>>();
        assert_eq!(arms(&found), arms(&expected), "{text}");
    }
}

#[test]
fn a_copy_goes_on_alike_and_a_restart_is_a_beginning() {
    for (entry, setting, design) in accepted() {
        let mut keys = StratumKeys::derive(&seed(5), &address(&["north", "yes"]));
        let beginning = design.begin(&mut keys);
        let mut sequence = beginning.copy();
        let unit = Unit::default();
        for index in 0..37 {
            allocate(&*design, &mut *sequence, &unit, index, &mut keys);
        }
        let mut copy = sequence.copy();
        assert!(copy.same(&*sequence));
        for index in 37..80 {
            let arm = allocate(&*design, &mut *sequence, &unit, index, &mut keys);
            assert_eq!(arm, allocate(&*design, &mut *copy, &unit, index, &mut keys));
            assert!(copy.same(&*sequence), "{} {setting:?}", entry.id);
        }
        design.restart(&mut *sequence, &mut keys);
        assert!(sequence.same(&*beginning), "{} {setting:?}", entry.id);
    }
}

/// A retry addresses the same number: the same state and number of the allocation give the same arm.
#[test]
fn a_repeated_draw_gives_the_same_arm() {
    for (entry, _, design) in accepted() {
        let mut keys = StratumKeys::derive(&seed(6), &address(&[]));
        let mut sequence = design.begin(&mut keys);
        for index in 0..60 {
            let mut again = sequence.copy();
            let first = allocate(&*design, &mut *sequence, &Unit::default(), index, &mut keys);
            let second = allocate(&*design, &mut *again, &Unit::default(), index, &mut keys);
            assert_eq!(first, second, "{}", entry.id);
        }
    }
}

#[test]
#[should_panic(expected = "handed to another design")]
fn a_sequence_of_another_design_stops_the_program() {
    let ratio = Ratio::new(&[1, 1]).unwrap();
    let one = choose("big-stick", &ratio, &Options::default(), None).unwrap();
    let other = choose("permuted-block", &ratio, &Options::default(), None).unwrap();
    let sequence = one.begin(&mut Lengths);
    other.weights(&*sequence, &Unit::default());
}

fn arrivals() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0u8..3, 1..80)
}

proptest! {
    /// However arrivals of other strata fall between, a stratum's arms are those of its own list.
    #[test]
    fn other_strata_do_not_change_a_list(order in arrivals(), number in any::<u8>()) {
        let names = ["north", "south", "west"];
        for (_, _, design) in accepted() {
            let mixed = list(&*design, &seed(number), order.iter().map(|s| [names[usize::from(*s)]]));
            for name in names {
                let own: Vec<Arm> = mixed.iter().filter(|r| r.stratum == name).map(|r| r.arm).collect();
                let alone = list(&*design, &seed(number), std::iter::repeat_n([name], own.len()));
                prop_assert_eq!(own, alone.iter().map(|r| r.arm).collect::<Vec<_>>());
            }
        }
    }
}

proptest! {
    /// A ledger that was tampered with can hold any arms: no method panics or runs out of weights on them.
    #[test]
    fn any_arms_can_be_followed(arms in proptest::collection::vec(any::<u8>(), 1..60)) {
        for (_, _, design) in accepted() {
            let mut sequence = design.begin(&mut Lengths);
            for arm in &arms {
                design.step(&mut *sequence, &Unit::default(), Arm(*arm), &mut Lengths);
                prop_assert!(design.weights(&*sequence, &Unit::default()).sum() > 0);
            }
        }
    }
}

/// Counts the numbers that are asked for, by purpose, and the least bound among those for arms.
struct Counting {
    keys: StratumKeys,
    arms: u32,
    others: u32,
}

impl Randomness for Counting {
    fn below(&mut self, purpose: Purpose, index: u64, n: u64) -> u64 {
        self.note(purpose);
        self.keys.below(purpose, index, n)
    }

    fn below_wide(&mut self, purpose: Purpose, index: u64, n: &[u64]) -> Vec<u64> {
        self.note(purpose);
        self.keys.below_wide(purpose, index, n)
    }
}

impl Counting {
    fn note(&mut self, purpose: Purpose) {
        match purpose {
            Purpose::Arm => self.arms += 1,
            Purpose::Block | Purpose::Duplicate => self.others += 1,
        }
    }
}

/// A forced arm takes the path of a free one: one bounded number for the arm, and no other, so that neither the time that a
/// draw takes nor what it consumes tells that the next arm was certain.
#[test]
fn a_forced_draw_takes_as_many_numbers_as_a_free_one() {
    let mut forced = BTreeMap::new();
    for (entry, setting, design) in accepted() {
        let keys = StratumKeys::derive(&seed(7), &address(&[]));
        let mut counting = Counting {
            keys,
            arms: 0,
            others: 0,
        };
        let mut sequence = design.begin(&mut counting);
        for index in 0..200 {
            let weights = design.weights(&*sequence, &Unit::default());
            let certain = weights
                .as_slice()
                .iter()
                .filter(|weight| **weight > 0)
                .count()
                == 1;
            *forced.entry(entry.id).or_insert(0) += u32::from(certain);
            (counting.arms, counting.others) = (0, 0);
            let unit = Unit::default();
            let arm =
                lottning::allocation::draw_arm(&*design, &*sequence, &unit, index, &mut counting);
            assert_eq!(
                (counting.arms, counting.others),
                (1, 0),
                "{} {setting:?} at {index}, certain: {certain}",
                entry.id
            );
            design.step(&mut *sequence, &unit, arm, &mut counting);
        }
    }
    // The law says something only where arms are forced: blocks and bounds force some.
    for id in ["permuted-block", "big-stick"] {
        assert!(forced[id] > 0, "{id} never forced an arm");
    }
}
