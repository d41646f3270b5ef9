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

/// Each row goes to one of about as many bins as rows, of equal width in time within its stratum, and the few of a bin
/// are compared.
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
    let mut starts = vec![0u32; bins * count + 1];
    for (row, time) in times.iter().enumerate() {
        starts[bin(row, *time) + 1] += 1;
    }
    add_up(&mut starts);
    let mut order = vec![0; n];
    for ((row, time), number) in times.iter().enumerate().zip(0u32..) {
        let start = &mut starts[bin(row, *time)];
        order[*start as usize] = number;
        *start += 1;
    }
    // Each start is now the end of its bin. The bits of numbers that are not negative are ordered as the numbers.
    let mut begin = 0;
    for end in starts {
        let end = end as usize;
        if end - begin > 1 {
            order[begin..end].sort_unstable_by_key(|row| {
                let at = *row as usize;
                (times[at].to_bits(), later(at), *row)
            });
        }
        begin = end;
    }
    order
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
    let (mut whole, mut last) = (true, 0);
    for time in times {
        let day = *time as u32;
        whole &= f64::from(day).to_bits() == time.to_bits();
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
}
