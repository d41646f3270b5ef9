//! Times that are typed: what has passed may be entered late; what is to come is refused, but for a study that plays at typed times.

use super::place::{IUH, Place};
use jiff::{SignedDuration, Timestamp};

/// A study that the clock opened: a time to come is refused for everything that is recorded, also a lock.
#[test]
fn a_time_to_come_is_refused_in_a_study_that_follows_the_clock() {
    let place = Place::with(IUH);
    let confirm = place.confirm().to_owned();
    let open =
        format!("open p.toml --study study --seed-file keys/seed --confirm {confirm} --actor lead");
    let opened = place.run(&open);
    assert_eq!(opened.code, 0, "{}", opened.err);
    assert!(!opened.err.contains("typed-time"), "{}", opened.err);
    let at = |minutes: i64| {
        Timestamp::now()
            .checked_add(SignedDuration::from_mins(minutes))
            .unwrap()
    };
    let change = |key: &str, minutes: i64| {
        let at = at(minutes);
        place.run(&format!(
            "record capacity-changed --site skarpnack --on 2025-03-03 --event-key {key} --set therapists=3 --study study --actor lead --at {at}"
        ))
    };
    for minutes in [6, 60 * 24 * 365] {
        place
            .unchanged(|| change("c1", minutes))
            .refused(4, "time-ahead");
    }
    let lock = format!(
        "lock final --cut 2030-01-01 --confirm {confirm} --study study --actor lead --at 9000-01-01T00:00:00Z"
    );
    place
        .unchanged(|| place.run(&lock))
        .refused(4, "time-ahead");
    // Clocks differ by minutes.
    change("c1", 2).json(0);
    // What was recorded is answered again whatever its time.
    assert_eq!(change("c1", 600).json(0)["replayed"], true);
    assert_eq!(
        place.run("status --study study").json(0)["typed_time"],
        false
    );
    assert_eq!(place.verify()["typed_time"], false);
}

/// A study that was opened at a typed time says so for good.
#[test]
fn a_study_that_follows_typed_times_says_so() {
    let place = Place::with(IUH);
    let opened = place.run(&place.open_words());
    assert!(
        opened.err.contains("[opened-at-a-typed-time]"),
        "{}",
        opened.err
    );
    assert_eq!(
        place.run("status --study study").json(0)["typed_time"],
        true
    );
    assert_eq!(place.verify()["typed_time"], true);
}
