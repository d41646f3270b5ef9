//! Masked counts: small tables on paper, and that nothing small can be worked out by who knows the rule, by listing every table
//! that would be shown in the same way.

use lottning::report::suppression::{Bound, Shown};
use std::collections::HashMap;
use std::hash::Hash;

fn shown(cells: &[[Option<u32>; 2]], totals: [Option<u32>; 2]) -> Shown {
    Shown {
        cells: cells.iter().map(|row| row.to_vec()).collect(),
        totals: totals.to_vec(),
    }
}

/// Two arms of 20: 5 and 6 left, and all is shown; 4 and 7, and 11 in all is shown; 1 and 2, 3 in all, and nothing is.
#[test]
fn a_table_stands_whole_or_by_its_totals_or_not_at_all() {
    let of = |left: [u32; 2]| Bound(5).table(&left.map(|own| vec![own, 20 - own]));
    assert_eq!(
        of([5, 6]),
        shown(
            &[[Some(5), Some(15)], [Some(6), Some(14)]],
            [Some(11), Some(29)]
        )
    );
    assert_eq!(
        of([4, 7]),
        shown(&[[None, None], [None, None]], [Some(11), Some(29)])
    );
    assert_eq!(
        of([1, 2]),
        shown(&[[None, None], [None, None]], [None, None])
    );
    // None at all is no small number.
    assert_eq!(
        of([0, 0]),
        shown(
            &[[Some(0), Some(20)], [Some(0), Some(20)]],
            [Some(0), Some(40)]
        )
    );
}

/// A bound of its own: below 3, the 3 is shown.
#[test]
fn the_bound_is_what_was_asked_for() {
    assert_eq!(Bound(3).parts(&[3, 7]), (vec![Some(3), Some(7)], Some(10)));
    assert_eq!(Bound(4).parts(&[3, 7]), (vec![None, None], Some(10)));
    assert_eq!(Bound(4).parts(&[3, 0]), (vec![None, None], None));
}

/// Tables by what is shown of each; of each small number of those whose cells, first of the counts, are not at the edge of the
/// list, whether another table that is shown in the same way has another one in its place.
fn none_is_alone<P: Hash + Eq>(
    tables: &[(P, Vec<u32>)],
    bound: u32,
    (cells, edge): (usize, u32),
) -> usize {
    let mut alike: HashMap<&P, Vec<&Vec<u32>>> = HashMap::new();
    for (page, counts) in tables {
        alike.entry(page).or_default().push(counts);
    }
    let mut small = 0;
    for (page, counts) in tables {
        if counts[..cells].iter().any(|own| *own >= edge) {
            continue;
        }
        for (place, own) in counts.iter().enumerate() {
            if !Bound(bound).is_small(*own) {
                continue;
            }
            small += 1;
            let mut others = alike[page].iter();
            assert!(
                others.any(|other| other[place] != *own),
                "{counts:?} below {bound}: {own} at {place} is the only number that is shown so"
            );
        }
    }
    small
}

/// Every list of so many counts, each below a number.
fn lists(length: u32, below: u32) -> impl Iterator<Item = Vec<u32>> {
    (0..below.pow(length)).map(move |number| {
        (0..length)
            .map(|place| number / below.pow(place) % below)
            .collect()
    })
}

/// All tables of two arms and two or three classes, of three arms and two, with counts below 11, 6 and 6, whose arms are no small
/// numbers: a reader who knows the arms, the rule and what is shown cannot tell any small cell or total.
#[test]
fn no_small_count_of_a_table_can_be_told_by_who_knows_the_rule() {
    for (arms, classes, below, bounds) in [(2, 2, 11, 3..=5), (2, 3, 6, 3..=4), (3, 2, 6, 3..=4)] {
        for bound in bounds {
            let mut tables = Vec::new();
            for cells in lists(arms * classes, below) {
                let rows: Vec<Vec<u32>> = cells
                    .chunks(classes as usize)
                    .map(<[u32]>::to_vec)
                    .collect();
                let sizes: Vec<u32> = rows.iter().map(|row| row.iter().sum()).collect();
                if Bound(bound).any_small(&sizes) {
                    continue;
                }
                let shown = Bound(bound).table(&rows);
                let own = shown.cells.iter().flatten().chain(&shown.totals);
                assert!(own.flatten().all(|own| !Bound(bound).is_small(*own)));
                let totals = (0..classes as usize).map(|at| rows.iter().map(|row| row[at]).sum());
                let counts = cells.iter().copied().chain(totals).collect();
                tables.push(((sizes, shown), counts));
            }
            let cells = (arms * classes) as usize;
            assert!(none_is_alone(&tables, bound, (cells, below - 1)) > 500);
        }
    }
}

/// The same of parts and their total, four of them below 8.
#[test]
fn no_small_part_can_be_told_by_who_knows_the_rule() {
    for bound in 3..=5 {
        let tables: Vec<_> = lists(4, 8)
            .map(|parts| {
                let total = parts.iter().sum();
                let page = Bound(bound).parts(&parts);
                (page, parts.iter().copied().chain([total]).collect())
            })
            .collect();
        assert!(none_is_alone(&tables, bound, (4, 7)) > 500);
    }
}

/// The same of the levels of a characteristic in an arm whose families are known to be so many: all levels or none.
#[test]
fn no_small_level_can_be_told_by_who_knows_the_rule() {
    for bound in 3..=5 {
        let tables: Vec<_> = lists(3, 12)
            .filter(|levels| !Bound(bound).is_small(levels.iter().sum()))
            .map(|levels| {
                let size: u32 = levels.iter().sum();
                let whole = !Bound(bound).any_small(&levels);
                ((size, whole.then(|| levels.clone())), levels)
            })
            .collect();
        assert!(none_is_alone(&tables, bound, (3, 11)) > 500);
    }
}

/// What is told of an analysis that is not shown is its difference of proportions in whole percentage points. In arms of 105 and
/// of 110 families, of whom 1 to 4 of one arm had the outcome (or all but as many), every difference leaves another number of
/// that arm, with which the analysis is not shown either; and where 1 to 4 families are unknown, another number of those.
#[test]
fn a_rough_effect_leaves_small_numbers_open() {
    let points = |events: u32, of: u32, others: u32, of_others: u32| {
        let share = |events: u32, of: u32| f64::from(events) / f64::from(of);
        libm::round(100.0 * (share(events, of) - share(others, of_others))) as i32
    };
    let is_few = |events: u32, of: u32| (1..5).contains(&events) || (1..5).contains(&(of - events));
    for (families, others) in [(105, 110), (110, 105), (105, 105)] {
        for control in 0..=others {
            for few in (1..5).chain(families - 4..families) {
                let told = points(few, families, control, others);
                let mut another = (0..=families).filter(|own| *own != few);
                assert!(
                    another.any(|own| (0..=others).any(|control| {
                        (is_few(own, families) || is_few(control, others))
                            && points(own, families, control, others) == told
                    })),
                    "{few} of {families} and {control} of {others}"
                );
            }
        }
        // Of 105 and 4 more families.
        for unknown in 1..5 {
            for events in 0..=families {
                let told = points(events, families, 40, others);
                let all = families + unknown;
                let mut another = (1..5).filter(|own| *own != unknown);
                assert!(another.any(|own| {
                    (0..=all - own).any(|events| points(events, all - own, 40, others) == told)
                }));
            }
        }
    }
}
