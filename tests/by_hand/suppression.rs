//! Masked counts: small tables on paper, and that nothing masked can be worked out, by listing every table that fits.

use lottning::report::suppression::{Counts, Masks, Place, Shown};

/// Shown marks of a total and its parts.
fn row(parts: &[u32]) -> Vec<Shown> {
    let mut counts = Counts::new(5);
    let places: Vec<Place> = parts.iter().map(|part| counts.count(*part)).collect();
    let total = counts.total(parts.iter().sum(), &places);
    let masks = counts.suppress().unwrap();
    let all = places.iter().chain(std::iter::once(&total));
    all.map(|place| masks.at(*place)).collect()
}

/// 3 alone is 22 − 7 − 12, so the least of the others goes with it. Of 4 + 4 = 8 no other numbers from 1 to 4 make 8, so the
/// total goes too; of 3 + 4 = 7 neither (4 + 3 does, and 7 may stand). 0 stands.
#[test]
fn a_mask_is_not_solved_from_its_total() {
    use Shown::{Count, Masked, Small};
    assert_eq!(row(&[3, 7, 12]), [Small, Masked, Count(12), Count(22)]);
    assert_eq!(row(&[4, 4]), [Small, Small, Masked]);
    assert_eq!(row(&[3, 4]), [Small, Small, Count(7)]);
    assert_eq!(row(&[0, 3]), [Count(0), Small, Small]);
    assert_eq!(row(&[0, 9, 12]), [Count(0), Count(9), Count(12), Count(21)]);
}

/// 40 of 42 had it: 2 had not, which nobody prints and everybody can work out; 40 goes.
#[test]
fn a_complement_is_protected_though_it_is_not_shown() {
    let mut counts = Counts::new(5);
    let had = counts.count(40);
    let all = counts.total(42, &[had]);
    let masks = counts.suppress().unwrap();
    assert_eq!(
        [masks.at(had), masks.at(all)],
        [Shown::Masked, Shown::Count(42)]
    );
}

/// A bound of its own: below 3, the 3 is shown.
#[test]
fn the_bound_is_what_was_asked_for() {
    let mut counts = Counts::new(3);
    let three = counts.count(3);
    assert!(counts.is_small(2) && !counts.is_small(3) && !counts.is_small(0));
    assert_eq!(counts.suppress().unwrap().at(three), Shown::Count(3));
}

/// The values that a reader must allow for a count.
fn allowed(shown: Shown, most: u32) -> std::ops::RangeInclusive<u32> {
    match shown {
        Shown::Count(value) => value..=value,
        Shown::Small => 1..=4,
        Shown::Masked => 5..=most,
    }
}

/// Every 2 × 3 table with margins that fits what is shown: which values each count takes in them.
fn fitting(masks: &Masks, cells: &[Place; 6], margins: &[Place; 6]) -> Vec<Vec<u32>> {
    let mut found = vec![Vec::new(); 12];
    let mut table = [0_u32; 6];
    fill(masks, cells, margins, 0, &mut table, &mut found);
    found
}

fn fill(
    masks: &Masks,
    cells: &[Place; 6],
    margins: &[Place; 6],
    at: usize,
    table: &mut [u32; 6],
    found: &mut [Vec<u32>],
) {
    if at < 6 {
        for value in allowed(masks.at(cells[at]), 11) {
            table[at] = value;
            fill(masks, cells, margins, at + 1, table, found);
        }
        return;
    }
    let sums = sums(table);
    let fits = margins
        .iter()
        .zip(sums)
        .all(|(place, sum)| allowed(masks.at(*place), 99).contains(&sum));
    if fits {
        for (own, value) in found.iter_mut().zip(table.iter().copied().chain(sums)) {
            if !own.contains(&value) {
                own.push(value);
            }
        }
    }
}

/// Two rows, three columns, all.
fn sums(table: &[u32; 6]) -> [u32; 6] {
    let [a, b, c, d, e, f] = *table;
    [
        a + b + c,
        d + e + f,
        a + d,
        b + e,
        c + f,
        a + b + c + d + e + f,
    ]
}

/// Sixty tables of counts from 0 to 10: every count that is masked takes more than one value in the tables that fit, and every
/// count that is not is none from 1 to 4.
#[test]
fn no_masked_count_of_a_table_with_margins_can_be_worked_out() {
    let (mut state, mut masked) = (7_u64, 0);
    let mut next = || {
        // Numerical Recipes' generator; only its spread matters.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    for _ in 0..60 {
        let table: [u32; 6] = std::array::from_fn(|_| next() % 11);
        let mut counts = Counts::new(5);
        let cells = table.map(|value| counts.count(value));
        let [a, b, c, d, e, f] = cells;
        let of = sums(&table);
        let rows = [
            counts.total(of[0], &[a, b, c]),
            counts.total(of[1], &[d, e, f]),
        ];
        let columns = [
            counts.total(of[2], &[a, d]),
            counts.total(of[3], &[b, e]),
            counts.total(of[4], &[c, f]),
        ];
        let all = counts.total(of[5], &rows);
        counts.sum(all, &columns);
        let margins = [rows[0], rows[1], columns[0], columns[1], columns[2], all];
        let masks = counts.suppress().unwrap();
        let found = fitting(&masks, &cells, &margins);
        for (place, (values, own)) in cells
            .iter()
            .chain(&margins)
            .zip(found.iter().zip(table.iter().copied().chain(of)))
        {
            assert!(values.contains(&own), "{table:?}");
            match masks.at(*place) {
                Shown::Count(value) => assert!(!(1..5).contains(&value) && value == own),
                Shown::Small | Shown::Masked => {
                    masked += 1;
                    assert!(
                        values.len() > 1,
                        "{table:?}: {own} is the only number that fits"
                    );
                }
            }
        }
    }
    assert!(masked > 200, "{masked}");
}

/// Two arms of 164 and 165 families: 4 and 6 left, 160 and 159 were followed; the unknown outcomes are theirs. To tell 4 from 3
/// takes another 7 for 6, 161 for 160 and 158 for 159, in the flow and among the analysed: those eight are masked, and no
/// other count, the totals and the families of three sites among them.
#[test]
fn masks_go_as_far_as_they_must_and_no_further() {
    use Shown::{Count, Masked, Small};
    let mut counts = Counts::new(5);
    let (mut arms, mut all) = (Vec::new(), Vec::new());
    for (left, followed, sites) in [(4, 160, [50, 54, 60]), (6, 159, [51, 54, 60])] {
        let parts = [counts.count(left), counts.count(followed)];
        let total = counts.total(left + followed, &parts);
        let own = [counts.count(left), counts.count(followed)];
        counts.sum(total, &[own[1], own[0]]);
        let none = counts.count(0);
        counts.sum(own[0], &[parts[0], none]);
        let sites = sites.map(|families| counts.count(families));
        counts.sum(total, &sites);
        all.extend([total, sites[0], sites[1], sites[2]]);
        arms.push((parts, own, total));
    }
    let totals = [
        counts.total(10, &[arms[0].0[0], arms[1].0[0]]),
        counts.total(319, &[arms[0].0[1], arms[1].0[1]]),
    ];
    let randomized = counts.total(329, &[arms[0].2, arms[1].2]);
    counts.sum(randomized, &totals);
    all.extend(totals);
    all.push(randomized);
    let masks = counts.suppress().unwrap();
    for (at, expected) in [(0, [Small, Masked]), (1, [Masked, Masked])] {
        let (parts, own, _) = arms[at];
        assert_eq!(parts.map(|place| masks.at(place)), expected);
        assert_eq!(own.map(|place| masks.at(place)), expected);
    }
    for place in all {
        assert!(matches!(masks.at(place), Count(_)), "{:?}", masks.at(place));
    }
}
