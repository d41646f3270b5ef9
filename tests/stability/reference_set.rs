//! The redraws of the randomization test are those of the frozen vectors.

use crate::allocation::options;
use lottning::allocation::{Arm, Redraw, Seed, choose, read_ratio};
use lottning::analysis::reference_set::{History, Redrawer};
use std::sync::Arc;

#[test]
fn a_history_is_redrawn_as_the_vectors_say() {
    let mut seen = 0;
    let vectors = include_str!("redraws.txt").lines();
    for line in vectors.filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(' ').collect();
        let &[key, replicate, method, ratio, option, order, arms] = fields.as_slice() else {
            panic!("{line}");
        };
        let design = choose(method, &read_ratio(ratio).unwrap(), &options(option), None);
        let design: Arc<_> = design.unwrap().into();
        let lists: Vec<u32> = order.bytes().map(|digit| u32::from(digit - b'0')).collect();
        let history = History::new(lists, vec![design; 10]).unwrap();
        let key = *Seed::from_hex(key).unwrap().bytes();
        let replicate: u64 = replicate.parse().unwrap();
        let mut redrawer = Redrawer::default();
        let mut drawn = Vec::new();
        // A redrawer that has drawn before draws the same.
        history.redraw(
            &mut redrawer,
            &mut Redraw::new(&key, replicate + 1),
            &mut drawn,
        );
        history.redraw(&mut redrawer, &mut Redraw::new(&key, replicate), &mut drawn);
        let text: String = drawn.iter().map(|arm| char::from(b'a' + arm.0)).collect();
        assert_eq!(text, arms, "{line}");
        // What was drawn was possible.
        let possible: &[Arm] = &drawn;
        assert_eq!(history.impossible(possible), None, "{line}");
        seen += 1;
    }
    assert!(seen >= 96);
}
