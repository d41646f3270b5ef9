//! Minimization as written by `minimization.py` from `docs/allocation-spec.md`: lists, redraws and the reference set.

use lottning::allocation::{
    Address, Arm, Levels, Mode, Options, Redraw, Seed, StratumKeys, allocate, balanced_list,
    choose, read_ratio,
};
use lottning::analysis::reference_set::{History, Redrawer};
use sha2::{Digest, Sha256};
use std::process::Command;
use std::sync::Arc;

pub(super) const VECTORS: &str = include_str!("minimization.txt");

fn lines(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    VECTORS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(move |fields| fields[0] == kind)
}

fn options(text: &str) -> Options {
    let pairs: Vec<(&str, &str)> = text.split(';').filter_map(|p| p.split_once('=')).collect();
    Options::of(&pairs)
}

/// `01,20`: a digit per factor.
fn units(text: &str) -> Vec<Levels> {
    text.split(',')
        .map(|digits| {
            let mut levels = Levels::default();
            for digit in digits.bytes() {
                assert!(levels.push(u16::from(digit - b'0')));
            }
            levels
        })
        .collect()
}

fn letters(arms: &[Arm]) -> String {
    arms.iter().map(|arm| char::from(b'a' + arm.0)).collect()
}

#[test]
fn lists_of_minimization_are_frozen() {
    let mut seen = 0;
    for fields in lines("list") {
        let &[
            _,
            seed,
            mode,
            study,
            epoch,
            strata,
            ratio,
            option,
            families,
            arms,
        ] = fields.as_slice()
        else {
            panic!("{fields:?}");
        };
        let design = choose(
            "minimization",
            &read_ratio(ratio).unwrap(),
            &options(option),
            None,
        )
        .unwrap();
        let strata: Vec<&str> = strata.split('|').filter(|own| *own != "-").collect();
        let seed = Seed::from_hex(seed).unwrap();
        let mode = *[Mode::Live, Mode::Rehearsal, Mode::Draw]
            .iter()
            .find(|own| own.text() == mode)
            .unwrap();
        let address = Address {
            mode,
            study,
            epoch: epoch.parse().unwrap(),
            levels: &strata,
        };
        let mut keys = StratumKeys::derive(&seed, &address);
        let mut sequence = design.begin(&mut keys);
        let units = units(families);
        let drawn: Vec<Arm> = (0..)
            .zip(&units)
            .map(|(index, own)| allocate(&*design, &mut *sequence, &own.unit(), index, &mut keys))
            .collect();
        assert_eq!(letters(&drawn), arms, "{fields:?}");
        if mode == Mode::Draw {
            let rows = balanced_list(&*design, &seed, units.iter().map(|own| (&strata, *own)));
            let drawn: Vec<Arm> = rows.iter().map(|row| row.arm).collect();
            assert_eq!(letters(&drawn), arms);
        }
        seen += 1;
    }
    assert!(seen >= 128, "the vectors are append-only");
}

#[test]
fn redraws_of_minimization_are_frozen() {
    let mut seen = 0;
    for fields in lines("redraw") {
        let &[_, key, replicate, ratio, option, order, families, arms] = fields.as_slice() else {
            panic!("{fields:?}");
        };
        let design: Arc<_> = choose(
            "minimization",
            &read_ratio(ratio).unwrap(),
            &options(option),
            None,
        )
        .unwrap()
        .into();
        let lists: Vec<u32> = order.bytes().map(|digit| u32::from(digit - b'0')).collect();
        let history = History::new(lists, vec![design; 3])
            .unwrap()
            .with_levels(&units(families));
        let key = *Seed::from_hex(key).unwrap().bytes();
        let replicate: u64 = replicate.parse().unwrap();
        let mut redrawer = Redrawer::default();
        let mut drawn = Vec::new();
        // A redrawer that has drawn before draws the same.
        let mut other = Redraw::new(&key, replicate + 1);
        history.redraw(&mut redrawer, &mut other, &mut drawn);
        history.redraw(&mut redrawer, &mut Redraw::new(&key, replicate), &mut drawn);
        assert_eq!(letters(&drawn), arms, "{fields:?}");
        assert_eq!(history.impossible(&drawn), None, "{fields:?}");
        seen += 1;
    }
    assert!(seen >= 32, "the vectors are append-only");
}

/// The file is what the independent program writes today, and its first lines stand for ever.
#[test]
fn the_vectors_of_minimization_are_those_of_the_independent_program() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stability");
    let output = Command::new("python3")
        .args(["-B", &format!("{folder}/minimization.py")])
        .output()
        .expect("Python 3");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert!(
        output.stdout == VECTORS.as_bytes(),
        "minimization.txt differs"
    );
    let first: String = VECTORS.split_inclusive('\n').take(162).collect();
    let digest = Seed::from_bytes(Sha256::digest(first.as_bytes()).into()).to_hex();
    assert_eq!(
        digest,
        "c58dba9190c205c1480c156f02717b154273a70f06a9096bb66acc95b8f624f1"
    );
}
