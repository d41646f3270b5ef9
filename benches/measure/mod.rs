//! What a benchmark reads of the system: time on processors, and memory.

#![allow(dead_code, reason = "each benchmark reads its own part")]

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds that this thread has spent on a processor (Linux), or the clock: other programs on the machine do not count.
pub(crate) fn seconds() -> f64 {
    let on_cpu = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    match on_cpu {
        Some(nanoseconds) => nanoseconds * 1e-9,
        None => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64()),
    }
}

/// Processor seconds of this process so far, where the system tells.
pub(crate) fn processor() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the name in parentheses; user and system time are fields 14 and 15, in hundredths of a second.
    let (_, fields) = text.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).take(2);
    let (user, system): (f64, f64) = (ticks.next()?.parse().ok()?, ticks.next()?.parse().ok()?);
    Some((user + system) / 100.0)
}

/// The largest memory of this process so far, in megabytes, where the system tells.
pub(crate) fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}
