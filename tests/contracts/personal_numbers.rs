//! How many plausible keys are taken for a personal number although they hold none.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};
use lottning::study::identifiers::holds_personal_number;
use sha2::{Digest, Sha256};

/// Name, keys taken for a number, keys: computed with `tests/contracts/personal_numbers.py`, an own reading of the rule.
const COUNTED: [(&str, usize, usize); 29] = [
    ("iso-1-2025", 0, 3_285),
    ("iso-1-2026", 0, 3_285),
    ("iso-2-2025", 0, 36_135),
    ("iso-2-2026", 0, 36_135),
    ("iso-3-2025", 0, 36_135),
    ("iso-3-2026", 0, 36_135),
    ("iso-4-to-9-2025", 0, 3_285),
    ("iso-4-to-9-2026", 0, 3_285),
    // Nine of 99 a day: the counters 10 to 99 of four digits, one in ten of which is the check digit.
    ("iso-4-2025", 3_285, 36_135),
    ("iso-4-2026", 3_285, 36_135),
    ("iso-5-2025", 0, 36_135),
    ("iso-5-2026", 0, 36_135),
    ("iso-6-2025", 0, 36_135),
    ("iso-6-2026", 0, 36_135),
    ("plain-4-2025", 3_285, 36_135),
    ("plain-4-2026", 3_285, 36_135),
    ("plain-6-2025", 0, 36_135),
    ("plain-6-2026", 0, 36_135),
    ("letter-4-2025", 0, 36_135),
    ("letter-4-2026", 0, 36_135),
    ("site-day-1-2025", 0, 3_285),
    ("site-day-1-2026", 329, 3_285),
    ("site-day-2-2025", 0, 36_135),
    ("site-day-2-2026", 0, 36_135),
    ("minute-2025", 11_290, 75_085),
    ("year-number", 0, 19_999),
    ("number", 0, 19_999),
    ("uuid", 14, 20_000),
    ("ten-digits", 160, 20_000),
];

fn days(year: i16) -> Vec<Date> {
    date(year, 1, 1)
        .series(1.day())
        .take_while(|day| day.year() == year)
        .collect()
}

fn digests() -> impl Iterator<Item = [u8; 32]> {
    (0..20_000).map(|n: u32| Sha256::digest(n.to_string()).into())
}

/// A random UUID (version 4) of the first 16 bytes.
fn uuid(digest: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = lottning::study::journal::hex(&bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

fn keys(name: &str) -> Vec<String> {
    let of_days = |counters: std::ops::Range<u32>, form: &dyn Fn(Date, u32) -> String| {
        let year = name.rsplit('-').next().unwrap().parse().unwrap();
        days(year)
            .into_iter()
            .flat_map(|day| counters.clone().map(move |n| (day, n)))
            .map(|(day, n)| form(day, n))
            .collect::<Vec<_>>()
    };
    let plain = |day: Date| day.strftime("%Y%m%d").to_string();
    match name.trim_end_matches("-2025").trim_end_matches("-2026") {
        "iso-1" => of_days(1..10, &|day, n| format!("{day}-{n}")),
        "iso-2" => of_days(1..100, &|day, n| format!("{day}-{n:02}")),
        "iso-3" => of_days(1..100, &|day, n| format!("{day}-{n:03}")),
        "iso-4-to-9" => of_days(1..10, &|day, n| format!("{day}-{n:04}")),
        "iso-4" => of_days(1..100, &|day, n| format!("{day}-{n:04}")),
        "iso-5" => of_days(1..100, &|day, n| format!("{day}-{n:05}")),
        "iso-6" => of_days(1..100, &|day, n| format!("{day}-{n:06}")),
        "plain-4" => of_days(1..100, &|day, n| format!("{}{n:04}", plain(day))),
        "plain-6" => of_days(1..100, &|day, n| format!("{}{n:06}", plain(day))),
        "letter-4" => of_days(1..100, &|day, n| format!("{day}-a{n:04}")),
        "site-day-1" => of_days(1..10, &|day, n| format!("3-{day}-{n}")),
        "site-day-2" => of_days(1..100, &|day, n| format!("3-{day}-{n:02}")),
        "minute" => {
            let first: DateTime = date(2025, 1, 1).at(0, 0, 0, 0);
            let minutes = first.series(7.minutes()).take(525_600 / 7);
            minutes
                .map(|minute| minute.strftime("%Y%m%d%H%M%S").to_string())
                .collect()
        }
        "year-number" => (1..20_000).map(|n| format!("R-2025-{n:06}")).collect(),
        "number" => (1..20_000).map(|n| n.to_string()).collect(),
        "uuid" => digests().map(|digest| uuid(&digest)).collect(),
        _ => digests()
            .map(|digest| u64::from_be_bytes(digest[..8].try_into().unwrap()))
            .map(|number| format!("{:010}", number % 10_000_000_000))
            .collect(),
    }
}

#[test]
fn few_keys_without_a_personal_number_are_taken_for_one() {
    let mut counted = Vec::new();
    for (name, _, _) in COUNTED {
        let keys = keys(name);
        let own = keys.iter().filter(|key| holds_personal_number(key)).count();
        counted.push((name, own, keys.len()));
    }
    assert_eq!(counted, COUNTED);
}
