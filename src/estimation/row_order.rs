//! Rows in the order of stratum and time.

/// Rows by stratum, then by a time that is not negative, then those that are not `later`, then by their own order.
pub(super) fn ordered(
    times: &[f64],
    strata: Option<&[u32]>,
    later: impl Fn(usize) -> bool,
) -> Vec<u32> {
    if let Some(order) = counted(times, strata, &later) {
        return order;
    }
    // The bits of numbers that are not negative are ordered as the numbers; one integer a row sorts fastest. A row's
    // number takes 31 bits.
    let mut keys: Vec<u128> = times
        .iter()
        .enumerate()
        .map(|(row, time)| {
            let stratum = strata.map_or(0, |codes| codes[row]);
            let row = u128::from(later(row)) << 31 | row as u128;
            u128::from(stratum) << 96 | u128::from(time.to_bits()) << 32 | row
        })
        .collect();
    keys.sort_unstable();
    let row = |key: u128| key as u32 & (u32::MAX >> 1);
    keys.into_iter().map(row).collect()
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
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
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
