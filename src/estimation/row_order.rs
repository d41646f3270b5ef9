//! Rows in the order of stratum and time.

use crate::numerics::linear_algebra::range;

/// Rows by stratum, then by a time that is not negative, then those that are not `later`, then by their own order.
pub(super) fn ordered(
    times: &[f64],
    strata: Option<&[u32]>,
    later: impl Fn(usize) -> bool,
) -> Vec<u32> {
    if let Some(order) = counted(times, strata, &later) {
        return order;
    }
    binned(times, strata, later)
}

/// Rows of a bin from which it is divided once more before its rows are compared.
const CROWD: usize = 16;

/// Each row goes to one of about as many bins as rows, of equal width in time within its stratum, and the few of a bin
/// are compared; a bin with many, such as that of the last days of a study, is divided into bins of its own.
fn binned(times: &[f64], strata: Option<&[u32]>, later: impl Fn(usize) -> bool) -> Vec<u32> {
    let n = times.len();
    let (first, last) = range(times);
    let count = strata.map_or(1, |codes| codes.iter().max().map_or(1, |c| *c as usize + 1));
    let bins = n.div_ceil(count);
    // A later time is never in an earlier bin: subtraction, multiplication and truncation keep the order.
    let scale = (bins as f64 - 0.5) / (last - first);
    let bin = |row: usize, time: f64| {
        let stratum = strata.map_or(0, |codes| codes[row] as usize);
        stratum * bins + (((time - first) * scale) as usize).min(bins - 1)
    };
    let rows = (0u32..)
        .zip(times)
        .map(|(row, time)| (row, bin(row as usize, *time)));
    let mut order = vec![0; n];
    let mut ends = Vec::new();
    place(rows, bins * count, &mut order, &mut ends);
    // The bits of numbers that are not negative are ordered as the numbers.
    let compare = |rows: &mut [u32]| {
        rows.sort_unstable_by_key(|row| {
            let at = *row as usize;
            (times[at].to_bits(), later(at), *row)
        });
    };
    let mut crowd: Vec<(u32, f64)> = Vec::new();
    let mut inner_ends = Vec::new();
    for rows in between(&mut order, &ends) {
        if rows.len() < CROWD {
            compare(rows);
            continue;
        }
        crowd.clear();
        crowd.extend(rows.iter().map(|row| (*row, times[*row as usize])));
        let own = crowd.iter().map(|(_, time)| *time);
        let (first, last) = own.fold((f64::INFINITY, 0.0f64), |(first, last), time| {
            (first.min(time), last.max(time))
        });
        let scale = (rows.len() as f64 - 0.5) / (last - first);
        let most = rows.len() - 1;
        let bin = |time: f64| (((time - first) * scale) as usize).min(most);
        let inner = crowd.iter().map(|(row, time)| (*row, bin(*time)));
        place(inner, rows.len(), rows, &mut inner_ends);
        between(rows, &inner_ends).for_each(compare);
    }
    order
}

/// Puts rows into the order of their bins, within one in the order in which they come; where each bin ends, into `ends`.
fn place(
    rows: impl Iterator<Item = (u32, usize)> + Clone,
    bins: usize,
    order: &mut [u32],
    ends: &mut Vec<u32>,
) {
    ends.clear();
    ends.resize(bins + 1, 0);
    for (_, bin) in rows.clone() {
        ends[bin + 1] += 1;
    }
    add_up(ends);
    for (row, bin) in rows {
        let next = &mut ends[bin];
        order[*next as usize] = row;
        *next += 1;
    }
    // Each start is now the end of its bin, and the last one was it from the beginning.
    ends.pop();
}

/// The bins with more than one row.
fn between<'o>(order: &'o mut [u32], ends: &'o [u32]) -> impl Iterator<Item = &'o mut [u32]> {
    let (mut rest, mut begin) = (order, 0);
    ends.iter().filter_map(move |end| {
        let (own, later) = std::mem::take(&mut rest).split_at_mut((*end - begin) as usize);
        (rest, begin) = (later, *end);
        (own.len() > 1).then_some(own)
    })
}

/// Each count becomes the sum of those up to it.
fn add_up(counts: &mut [u32]) {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
}

/// The same order where all times are whole numbers and not many more than rows, such as days: the rows of each stratum and
/// time are counted, and each row goes to its place.
fn counted(
    times: &[f64],
    strata: Option<&[u32]>,
    later: impl Fn(usize) -> bool,
) -> Option<Vec<u32>> {
    let is_whole = |time: &f64| f64::from(*time as u32).to_bits() == time.to_bits();
    // Times that were computed are soon known.
    if !times.iter().take(8).all(is_whole) {
        return None;
    }
    let (mut whole, mut last) = (true, 0);
    for time in times {
        let day = *time as u32;
        whole &= is_whole(time);
        last = last.max(day);
    }
    let days = last as usize + 1;
    let count = strata.map_or(1, |codes| codes.iter().max().map_or(1, |c| *c as usize + 1));
    let places = days.checked_mul(2 * count)?;
    if !whole || places > 4 * times.len() + 1024 {
        return None;
    }
    let place = |row: usize, time: f64| {
        let stratum = strata.map_or(0, |codes| codes[row] as usize);
        2 * (stratum * days + time as u32 as usize) + usize::from(later(row))
    };
    let mut starts = vec![0u32; places + 1];
    for (row, time) in times.iter().enumerate() {
        starts[place(row, *time) + 1] += 1;
    }
    add_up(&mut starts);
    let mut order = vec![0; times.len()];
    for ((row, time), number) in times.iter().enumerate().zip(0u32..) {
        let start = &mut starts[place(row, *time)];
        order[*start as usize] = number;
        *start += 1;
    }
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::{counted, ordered};

    /// By hand: whole days, which are counted, and the same days with halves, which are sorted, in two strata.
    #[test]
    fn whole_days_are_ordered_as_others() {
        let days = [3.0, 0.0, 3.0, 1.0, 3.0, 1.0, 0.0];
        let later = |row: usize| [true, false, false, true, false, false, true][row];
        let halves = days.map(|day| day + 0.5);
        for times in [days, halves] {
            assert_eq!(ordered(&times, None, later), [1, 6, 5, 3, 2, 4, 0]);
            let strata = [1, 0, 0, 1, 1, 0, 1];
            assert_eq!(ordered(&times, Some(&strata), later), [1, 5, 2, 6, 3, 4, 0]);
        }
        assert!(counted(&days, None, later).is_some());
        assert!(counted(&halves, None, later).is_none());
        assert!(counted(&[1e9], None, |_| false).is_none());
    }

    /// Beside a sort: one time far from the others, which crowd into one bin, most of them near each other and some tied, in
    /// one stratum and in three.
    #[test]
    fn a_crowded_bin_is_in_order() {
        let mut times: Vec<f64> = (0..300_u32)
            .map(|row| match row % 4 {
                0 => 365.0,
                1 => 365.0 + f64::from(row * 7919 % 50) / 64.0,
                2 => 364.0 + f64::from(row * 7919 % 300) / 300.0,
                _ => f64::from(row) + 0.25,
            })
            .collect();
        times.push(1e6);
        times.push(0.125);
        let later = |row: usize| row % 3 == 1;
        let strata: Vec<u32> = (0..times.len() as u32).map(|row| row % 3).collect();
        for strata in [None, Some(&strata[..])] {
            let mut expected: Vec<u32> = (0..times.len() as u32).collect();
            expected.sort_by(|one, other| {
                let key = |row: u32| {
                    let at = row as usize;
                    (strata.map_or(0, |codes| codes[at]), times[at])
                };
                let ((a, s), (b, t)) = (key(*one), key(*other));
                let last = |row: u32| (later(row as usize), row);
                a.cmp(&b)
                    .then(s.total_cmp(&t))
                    .then(last(*one).cmp(&last(*other)))
            });
            assert_eq!(ordered(&times, strata, later), expected);
        }
        // All alike but one.
        let times = [[2.5; 40].as_slice(), &[1e9]].concat();
        let expected: Vec<u32> = (0..41).collect();
        assert_eq!(ordered(&times, None, |_| false), expected);
    }
}
