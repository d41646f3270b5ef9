//! How a simulation goes, for who waits: studies per second, and what is left.

use crate::app::outside::Outside;
use crate::diagnostic::Words;
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
        let rate = if seconds > 0.0 {
            ran as f64 / seconds
        } else {
            0.0
        };
        let what = words!(
            "studies ({rate:.0} per second)",
            "studier ({rate:.0} per sekund)"
        );
        self.outside.progress.advance(&what, done, total);
    }

    /// Everything is done.
    pub(crate) fn ended(&self, total: u64) {
        let what = Words::new("studies", "studier");
        self.outside.progress.advance(&what, total, total);
    }
}
