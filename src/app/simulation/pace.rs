//! How a simulation goes, for who waits: studies per second, and what is left.

use crate::app::outside::Outside;
use crate::diagnostic::{Lang, Words};
use crate::report::number;
use crate::words;
use jiff::Timestamp;
use std::sync::Mutex;

/// Tells studies per second. Studies that were found in a folder took no time and are not counted in the rate.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    outside: &'a Outside,
    start: Timestamp,
    ran: Mutex<u64>,
}

impl<'a> Pace<'a> {
    pub(crate) fn new(outside: &'a Outside) -> Self {
        Self {
            outside,
            start: outside.clock.now(),
            ran: Mutex::new(0),
        }
    }

    /// `studies` more were run; `done` of `total` are done in all.
    pub(crate) fn ran(&self, studies: u64, done: u64, total: u64) {
        let ran = match self.ran.lock() {
            Ok(mut ran) => {
                *ran += studies;
                *ran
            }
            Err(_) => return,
        };
        let now = self.outside.clock.now();
        let seconds = now.duration_since(self.start).as_secs_f64();
        let what = said(ran, seconds, (done, total));
        self.outside.progress.advance(&what, done, total);
    }

    /// Everything is done.
    pub(crate) fn ended(&self, total: u64) {
        let what = Words::new("studies", "studier");
        self.outside.progress.advance(&what, total, total);
    }
}

/// How far a simulation is, how fast it goes, and how long it takes to the end, which comes sooner where a power is known sooner; `ran`
/// studies took so many seconds.
fn said(ran: u64, seconds: f64, (done, total): (u64, u64)) -> Words {
    let count = |n: u64| Words::new(number::count(n, Lang::En), number::count(n, Lang::Sv));
    let (here, all) = (count(done), count(total));
    let far = Words::new(
        format!("{} of {} studies", here.en, all.en),
        format!("{} av {} studier", here.sv, all.sv),
    );
    let rate = if seconds > 0.0 {
        ran as f64 / seconds
    } else {
        0.0
    };
    if rate <= 0.0 {
        return far;
    }
    let per_second = count(rate.round() as u64);
    let left = left(total.saturating_sub(done) as f64 / rate);
    Words::new(
        format!("{}, {} per second, {} left", far.en, per_second.en, left.en),
        format!("{}, {} per sekund, {} kvar", far.sv, per_second.sv, left.sv),
    )
}

/// A time in seconds up to two minutes, in minutes up to two hours, then in hours; never less than it takes.
fn left(seconds: f64) -> Words {
    if seconds <= 120.0 {
        Words::same(format!("{:.0} s", seconds.ceil()))
    } else if seconds <= 7200.0 {
        Words::same(format!("{:.0} min", (seconds / 60.0).ceil()))
    } else {
        let hours = (seconds / 3600.0).ceil();
        words!("{hours:.0} h", "{hours:.0} tim")
    }
}

#[cfg(test)]
mod tests {
    use super::{left, said};

    /// By hand: 1,265 studies in a second, 3,000 to go: 2.4 seconds. Before the first study nothing is known of the time.
    #[test]
    fn the_line_says_what_is_left() {
        let line = said(1265, 1.0, (1500, 4500));
        assert_eq!(
            line.en,
            "1,500 of 4,500 studies, 1,265 per second, 3 s left"
        );
        assert_eq!(line.sv, "1500 av 4500 studier, 1265 per sekund, 3 s kvar");
        assert_eq!(said(0, 2.0, (0, 50)).en, "0 of 50 studies");
        for (seconds, en, sv) in [
            (119.2, "120 s", "120 s"),
            (121.0, "3 min", "3 min"),
            (9000.0, "3 h", "3 tim"),
        ] {
            let own = left(seconds);
            assert_eq!((own.en.as_str(), own.sv.as_str()), (en, sv));
        }
    }
}
