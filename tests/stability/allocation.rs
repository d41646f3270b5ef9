//! Keys, lists and redraws as written by `reference.py` from `docs/allocation-spec.md`.

use lottning::allocation::{
    Address, METHODS, Mode, Options, Purpose, Redraw, Seed, StratumKeys, Unit, allocate, choose,
    list, read_ratio, redraw_key, replicates_key, stream_key,
};
use sha2::{Digest, Sha256};
use std::process::Command;

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').collect())
}

fn hex(bytes: &[u8; 32]) -> String {
    Seed::from_bytes(*bytes).to_hex()
}

fn bytes(text: &str) -> [u8; 32] {
    *Seed::from_hex(text).unwrap().bytes()
}

fn mode(text: &str) -> Mode {
    *[Mode::Live, Mode::Rehearsal, Mode::Draw]
        .iter()
        .find(|mode| mode.text() == text)
        .unwrap()
}

/// The number of lines of all batches; a new batch comes after them.
const ALLOCATIONS: usize = 992;
const REDRAWS: usize = 186;

/// Levels are joined by bars, with percent signs, bars and blanks escaped; `-` is no stratification.
fn levels(text: &str) -> Vec<String> {
    let plain = |level: &str| {
        level
            .replace("%7C", "|")
            .replace("%20", " ")
            .replace("%25", "%")
    };
    match text {
        "-" => Vec::new(),
        several => several.split('|').map(plain).collect(),
    }
}

/// `name=value` joined by semicolons; `-` is none.
pub(crate) fn options(text: &str) -> Options {
    let pairs: Vec<(&str, &str)> = text
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    Options::of(&pairs)
}

#[test]
fn keys_are_frozen() {
    let mut seen = 0;
    for fields in lines(include_str!("keys.txt")) {
        let (found, expected) = match fields.as_slice() {
            ["commit", seed, hash, expected] => (
                Seed::from_hex(seed).unwrap().commitment(&bytes(hash)),
                expected,
            ),
            ["beacon", seed, value, expected] => {
                let effective = Seed::from_hex(seed).unwrap().with_beacon(value);
                assert_eq!(
                    effective,
                    Seed::from_hex(seed)
                        .unwrap()
                        .with_beacon(&value.to_uppercase())
                );
                (*effective.bytes(), expected)
            }
            [
                "key",
                seed,
                mode_text,
                study,
                epoch,
                purpose,
                levels_text,
                expected,
            ] => {
                let levels = levels(levels_text);
                let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
                let address = Address {
                    mode: mode(mode_text),
                    study,
                    epoch: epoch.parse().unwrap(),
                    levels: &levels,
                };
                let purposes = [Purpose::Arm, Purpose::Block, Purpose::Duplicate];
                let purpose = *purposes
                    .iter()
                    .find(|known| known.text() == *purpose)
                    .unwrap();
                (
                    stream_key(&Seed::from_hex(seed).unwrap(), &address, purpose),
                    expected,
                )
            }
            ["redraw", hash, analysis, lock, expected] => {
                (redraw_key(&bytes(hash), analysis, lock), expected)
            }
            ["replicates", purpose, seed, expected] => (replicates_key(purpose, seed), expected),
            other => panic!("{other:?}"),
        };
        assert_eq!(hex(&found), **expected, "{fields:?}");
        seen += 1;
    }
    assert!(seen >= 188, "the vectors are append-only");
}

#[test]
fn allocations_are_frozen() {
    let (mut seen, mut methods) = (0, Vec::new());
    for fields in lines(include_str!("allocations.txt")) {
        let &[
            seed,
            mode_text,
            study,
            epoch,
            levels_text,
            method,
            ratio,
            option,
            arms,
        ] = fields.as_slice()
        else {
            panic!("{fields:?}");
        };
        let design = choose(method, &read_ratio(ratio).unwrap(), &options(option), None).unwrap();
        let levels = levels(levels_text);
        let texts: Vec<&str> = levels.iter().map(String::as_str).collect();
        let seed = Seed::from_hex(seed).unwrap();
        let address = Address {
            mode: mode(mode_text),
            study,
            epoch: epoch.parse().unwrap(),
            levels: &texts,
        };
        let mut keys = StratumKeys::derive(&seed, &address);
        let mut sequence = design.begin(&mut keys);
        for (index, letter) in arms.bytes().enumerate() {
            let arm = allocate(
                &*design,
                &mut *sequence,
                &Unit::default(),
                index as u64,
                &mut keys,
            );
            assert_eq!(b'a' + arm.0, letter, "{fields:?} at {index}");
        }
        if address.mode == Mode::Draw {
            let rows = list(&*design, &seed, std::iter::repeat_n(&levels, arms.len()));
            let drawn: Vec<u8> = rows.iter().map(|row| b'a' + row.arm.0).collect();
            assert_eq!(drawn, arms.as_bytes());
        }
        methods.push(method);
        seen += 1;
    }
    assert!(seen >= ALLOCATIONS, "the vectors are append-only");
    // Minimization needs factors, so its lists are in a file of their own.
    assert!(crate::minimization::VECTORS.lines().count() > 100);
    methods.push("minimization");
    for entry in METHODS {
        assert!(
            methods.contains(&entry.id),
            "{} has no frozen list",
            entry.id
        );
    }
}

#[test]
fn redraws_are_frozen() {
    let mut seen = 0;
    for fields in lines(include_str!("redraws.txt")) {
        let &[key, replicate, method, ratio, option, order, arms] = fields.as_slice() else {
            panic!("{fields:?}");
        };
        let design = choose(method, &read_ratio(ratio).unwrap(), &options(option), None).unwrap();
        let mut numbers = Redraw::new(&bytes(key), replicate.parse().unwrap());
        let mut strata: Vec<_> = (0..10).map(|_| None).collect();
        let mut drawn = String::new();
        for digit in order.bytes() {
            let stratum = &mut strata[usize::from(digit - b'0')];
            let (sequence, count) = stratum.get_or_insert_with(|| (design.begin(&mut numbers), 0));
            let arm = allocate(
                &*design,
                &mut **sequence,
                &Unit::default(),
                *count,
                &mut numbers,
            );
            *count += 1;
            drawn.push(char::from(b'a' + arm.0));
        }
        assert_eq!(drawn, arms, "{fields:?}");
        seen += 1;
    }
    assert!(seen >= REDRAWS, "the vectors are append-only");
}

/// The files are what the independent program writes today, so neither side can drift alone.
#[test]
fn the_vectors_are_those_of_the_independent_program() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stability");
    for (name, committed) in [
        ("keys", include_str!("keys.txt")),
        ("below", include_str!("below.txt")),
        ("allocations", include_str!("allocations.txt")),
        ("redraws", include_str!("redraws.txt")),
    ] {
        let output = Command::new("python3")
            .args(["-B", &format!("{folder}/reference.py"), name])
            .output()
            .expect("Python 3");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.stdout == committed.as_bytes(), "{name}.txt differs");
    }
}

/// Append-only: the lines of version 1 stand for ever. A new vector goes below them and changes nothing here.
#[test]
fn the_first_lines_stand() {
    for (text, lines, expected) in [
        (
            include_str!("keys.txt"),
            191,
            "68a4a21a70449bf7a31a4d34b35a3c79b8dbf2dab5eacc6b10463c936fa7f556",
        ),
        (
            include_str!("below.txt"),
            73,
            "8841a5786329c5fafd810481f928b145ae53eb3823673b2bd12f95ee76f25cb8",
        ),
        (
            include_str!("allocations.txt"),
            209,
            "a04b0173d2d8cbdf5a64c5945995d859cd0d3b0f44327ce7c3fbb79f6d055fcb",
        ),
        (
            include_str!("redraws.txt"),
            40,
            "ef4dd112f7a873ce44310e2ca9b5326151a842e4bb571b9d62a58f5223d9adde",
        ),
        // With the second batch of methods.
        (
            include_str!("allocations.txt"),
            513,
            "7a63619562d81b5ac99665ec333a933e55da8880d8592ccb4db89cc87f5c2181",
        ),
        (
            include_str!("redraws.txt"),
            97,
            "8ce6dc72930c787fed2ea84f8d0da03e4aee4bc78ea829a555ea7232f3e6f8ff",
        ),
        // With `maximal` of more than two arms.
        (
            include_str!("allocations.txt"),
            577,
            "ad091653c415f65c2c02bb4109eced807a4488f4bc90ee3d3599289e45226964",
        ),
        (
            include_str!("redraws.txt"),
            109,
            "480069824d9f37029f242483690a69e91dc3c3dc17faf490b56e90453028917b",
        ),
        // With methods for equal arms at unequal ratios.
        (
            include_str!("allocations.txt"),
            801,
            "76f6de5acd3ae8200aeec71bf9ba6a22dd37811704ed888d82ed03546fd9c758",
        ),
        (
            include_str!("redraws.txt"),
            151,
            "7b568c8ee67edc8c2e3777b239afc004b15299391c7ccfa57430eb4d333d0f26",
        ),
        // With parts that sum to more than eight.
        (
            include_str!("allocations.txt"),
            993,
            "56ebafab479c85ea1abb5498672f4fa486669afeac6b80445ad607bc7731fe4b",
        ),
        (
            include_str!("redraws.txt"),
            187,
            "58e8bcfef5c503124fe87ea8712cc8003a0165ab3bf301238974b5600778819b",
        ),
    ] {
        let first: String = text.split_inclusive('\n').take(lines).collect();
        assert_eq!(hex(&Sha256::digest(first.as_bytes()).into()), expected);
    }
}
