//! Defects that other allocators have, or had, besides minimization (`peers_minimization.rs`): one test a row, which names
//! whose it was. What needs the command or a ledger stands in `tests/cli/peers.rs`, races in `tests/cli/races.rs`.

use lottning::allocation::{
    Address, Arm, METHODS, Mode, Options, Purpose, Randomness, Ratio, Seed, StratumKeys, Unit,
    allocate, choose, list, read_ratio, stream_key,
};

/// Pearson's statistic of equally likely answers.
fn statistic(counts: &[u64]) -> f64 {
    let expected = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
    counts
        .iter()
        .map(|count| (*count as f64 - expected).powi(2) / expected)
        .sum()
}

fn keys(levels: &[&str]) -> StratumKeys {
    let address = Address {
        mode: Mode::Rehearsal,
        study: "peers",
        epoch: 0,
        levels,
    };
    StratumKeys::derive(&Seed::from_bytes([5; 32]), &address)
}

/// Quantiles of chi-square at 1 − 10⁻⁶ (R, `qchisq`) by degrees of freedom.
const LIMITS: [(u64, f64); 4] = [(2, 23.928), (3, 27.631), (7, 38.258), (10, 44.811)];

/// `lsgs/redcap-extended-randomisation2`, `AbstractRandomiser::getRandomNumber`: a uniform floored over [min, max − 1],
/// so the last option is never picked; elsewhere the index may equal the length. Every end of every range is reached,
/// none is passed, and all are alike; the defect itself is rejected.
#[test]
fn redcap_module_every_end_of_a_range_is_reached() {
    for (n, limit) in LIMITS {
        let mut counts = vec![0; n as usize];
        let mut own = keys(&["range"]);
        for index in 0..20_000 {
            counts[own.below(Purpose::Arm, index, n) as usize] += 1;
        }
        assert!(counts[0] > 0 && counts[n as usize - 1] > 0, "{counts:?}");
        assert!(statistic(&counts) < limit, "below {n}: {counts:?}");
        let mut floored = vec![0; n as usize];
        for index in 0..20_000 {
            floored[own.below(Purpose::Arm, index, n - 1) as usize] += 1;
        }
        assert!(
            statistic(&floored) > limit,
            "the test would not see the defect"
        );
    }
}

/// The same in the methods: every arm that is tied, or has a place, is drawn at the first place in equal parts.
#[test]
fn redcap_module_a_tie_reaches_every_arm_in_every_method() {
    for entry in METHODS.iter().filter(|entry| !entry.balances_factors()) {
        for arms in [2, 3] {
            let ratio = Ratio::new(&vec![1; arms]).unwrap();
            let options = match entry.id {
                "permuted-block" => Options::of(&[("block_len", "6")]),
                _ if entry.needs_n => Options::of(&[("list_len", "6")]),
                _ => Options::default(),
            };
            let design = choose(entry.id, &ratio, &options, None).unwrap();
            let mut counts = vec![0; arms];
            for number in 0..6_000 {
                let level = format!("{number}");
                let mut own = keys(&[&level]);
                let mut sequence = design.begin(&mut own);
                let arm = allocate(&*design, &mut *sequence, &Unit::default(), 0, &mut own);
                counts[arm.index()] += 1;
            }
            let limit = LIMITS[arms - 2].1;
            assert!(
                statistic(&counts) < limit,
                "{} {arms}: {counts:?}",
                entry.id
            );
        }
    }
}

/// `ttscience/unbiased` #48 wants blocks just in time, as lists run out. Here a block's length is drawn when it opens and
/// not before, and no list ends: ten times as many units as a list has places.
#[test]
fn unbiased_48_blocks_are_made_just_in_time() {
    struct Counting(Vec<u64>);
    impl Randomness for Counting {
        fn below(&mut self, purpose: Purpose, index: u64, _n: u64) -> u64 {
            assert_eq!(purpose, Purpose::Block);
            self.0.push(index);
            0
        }
        fn below_wide(&mut self, _: Purpose, _: u64, _: &[u64]) -> Vec<u64> {
            unreachable!("no arm is drawn here")
        }
    }
    let ratio = read_ratio("1:1").unwrap();
    let options = Options::of(&[("block_lens", "2,4")]);
    let design = choose("permuted-block", &ratio, &options, None).unwrap();
    let mut asked = Counting(Vec::new());
    let mut sequence = design.begin(&mut asked);
    for unit in 0..20u8 {
        // Blocks of two: the number of blocks opened is the number of those that are full, and one.
        assert_eq!(asked.0, (0..=u64::from(unit / 2)).collect::<Vec<u64>>());
        design.step(&mut *sequence, &Unit::default(), Arm(unit % 2), &mut asked);
    }
    let options = Options::of(&[("list_len", "10")]);
    let design = choose("random-allocation", &ratio, &options, None).unwrap();
    let rows = list(
        &*design,
        &Seed::from_bytes([5; 32]),
        std::iter::repeat_n([""; 0], 100),
    );
    assert_eq!(rows.iter().filter(|row| row.arm == Arm(0)).count(), 50);
}

/// `sample()` of R 3.6.0 and `shuffle` of the crate rand (nearcore #7717, #7921) changed what a seed gives. The sampler is our
/// own and versioned: the numbers of `docs/allocation-spec.md`, section 5, and no other sampling in the sources.
#[test]
fn r_and_nearcore_the_sampler_is_our_own() {
    use lottning::numerics::stream::{below, recorded};
    let seed: [u8; 32] = std::array::from_fn(|byte| byte as u8);
    let mut numbers = recorded(&seed, 0);
    for expected in [
        0x350c_e2ec_be95_fe9c,
        0x24a5_6e5c_3b81_dec6,
        0x6635_6f5e_37ec_1ac5,
    ] {
        assert_eq!(below(&mut numbers, (1 << 63) + 1), expected);
    }
    let mut folders = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src"
    ))];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|own| own == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for call in [
                    ".random_range(",
                    ".gen_range(",
                    ".shuffle(",
                    "IndexedRandom",
                    "SliceRandom",
                ] {
                    assert!(!text.contains(call), "{}: {call}", path.display());
                }
                read += 1;
            }
        }
    }
    assert!(read > 100, "the sources were not read");
}

/// `rust-random/rand` #1399, #805: ranges of `usize` differ between 32 and 64 bits. Every number that decides a draw is 64
/// bits by its type, and ranges beyond 32 bits are drawn whole.
#[test]
fn rand_1399_805_numbers_have_64_bits_everywhere() {
    let below: fn(&mut dyn Randomness, Purpose, u64, u64) -> u64 =
        |numbers, purpose, index, n| numbers.below(purpose, index, n);
    let weights: fn(&lottning::allocation::Weights) -> &[u64] = |weights| weights.as_slice();
    assert_eq!(
        weights(&lottning::allocation::Weights::new(&[1 << 40, 1])),
        [1 << 40, 1]
    );
    let mut own = keys(&["wide"]);
    let n = 1 << 40;
    let beyond =
        (0..200).filter(|index| below(&mut own, Purpose::Arm, *index, n) > u64::from(u32::MAX));
    // Below 2^40 only one in 256 is within 32 bits: that 20 of 200 are has a chance below 1e-20.
    assert!(beyond.count() > 180);
    // The number of an allocation is 64 bits too: these two differ in the upper half only.
    let far = below(&mut own, Purpose::Arm, (1 << 32) + 7, u64::MAX);
    assert_ne!(far, below(&mut own, Purpose::Arm, 7, u64::MAX));
}

/// `simple-server` PR #2427: a hash of the patient alone puts the same person into the same group of every experiment. Here
/// the study is in the key: places of two studies agree as often as chance has it, and so do epochs, strata and purposes.
#[test]
fn simple_server_2427_the_study_is_in_the_key() {
    let seed = Seed::from_bytes([9; 32]);
    let address = |study: &'static str, epoch, levels| Address {
        mode: Mode::Live,
        study,
        epoch,
        levels,
    };
    let ratio = read_ratio("1:1").unwrap();
    let design = choose("simple", &ratio, &Options::default(), None).unwrap();
    let arms = |address: &Address<'_>| -> Vec<Arm> {
        let mut own = StratumKeys::derive(&seed, address);
        let mut sequence = design.begin(&mut own);
        (0..4_000)
            .map(|index| allocate(&*design, &mut *sequence, &Unit::default(), index, &mut own))
            .collect()
    };
    let one = address("one", 0, &["north"][..]);
    let first = arms(&one);
    for other in [
        address("two", 0, &["north"][..]),
        address("one", 1, &["north"][..]),
        address("one", 0, &["south"][..]),
        address("one", 0, &[][..]),
    ] {
        let second = arms(&other);
        let same = first.iter().zip(&second).filter(|(a, b)| a == b).count() as f64;
        // Binomial, standard deviation √1000; five of them.
        assert!(
            (same - 2_000.0).abs() < 5.0 * 1_000f64.sqrt(),
            "{other:?}: {same}"
        );
        assert_ne!(
            stream_key(&seed, &one, Purpose::Arm),
            stream_key(&seed, &other, Purpose::Arm)
        );
    }
    assert_eq!(first, arms(&one), "and nothing else enters");
}
