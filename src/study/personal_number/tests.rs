//! Every spelling of the official numbers, and what is none.

use super::{CanonicalNumber, NotCanonical, found_in, looks_like_one};
use jiff::civil::{Date, date};

/// The numbers of `tests/official_numbers.txt`.
fn official() -> impl Iterator<Item = &'static str> {
    let list = include_str!("../../../tests/official_numbers.txt");
    list.lines().filter(|line| !line.starts_with('#'))
}

fn is_found(text: &str) -> bool {
    !found_in(text).is_empty()
}

fn today() -> Date {
    date(2026, 11, 25)
}

fn read(text: &str) -> Result<String, NotCanonical> {
    CanonicalNumber::read(text, today()).map(|number| number.digits().to_string())
}

#[test]
fn every_form_of_an_official_number_has_one_canonical_form() {
    for number in official() {
        let (day, last) = number.split_at(8);
        // In 2026 whoever was born in 1926 or before has `+` in the short form.
        let old = number[..4].parse::<u32>().unwrap() <= 1926;
        let sign = if old { '+' } else { '-' };
        let short = &day[2..];
        let mut forms = vec![
            number.to_owned(),
            format!("{day}-{last}"),
            format!(" {day}-{last}\r"),
            format!("{day} {last}"),
            format!("{day}\u{2013}{last}"),
            format!("{}-{}-{}-{last}", &day[..4], &day[4..6], &day[6..]),
            format!("{short}{sign}{last}"),
            format!("{short} {sign} {last}"),
        ];
        if old {
            forms.push(format!("{day}+{last}"));
        } else {
            forms.push(format!("{short}{last}"));
            forms.push(format!("{short}\u{2212}{last}"));
        }
        for form in forms {
            assert_eq!(read(&form).as_deref(), Ok(number), "{number}");
        }
    }
}

/// The century of a short form by the day on which it is read: worked out by hand from the rule.
#[test]
fn a_short_form_is_the_latest_date_that_has_come_or_a_hundred_years_before() {
    let on = |text: &str, day: Date| {
        CanonicalNumber::read(text, day).map(|number| number.digits()[..4].to_owned())
    };
    // 1 January 00: in 2026 it is 2000, or 1900 with a plus.
    assert_eq!(on("000101-2384", today()).as_deref(), Ok("2000"));
    assert_eq!(on("000101+2384", today()).as_deref(), Ok("1900"));
    // The day before that birthday the latest one that had come was in 1900; on the day it is 2000.
    assert_eq!(on("000101-2384", date(1999, 12, 31)).as_deref(), Ok("1900"));
    assert_eq!(on("000101-2384", date(2000, 1, 1)).as_deref(), Ok("2000"));
    // 28 December 99: whoever was born in 1899 has a plus from 1999 on.
    assert_eq!(on("991228-2382", today()).as_deref(), Ok("1999"));
    assert_eq!(on("991228+2382", today()).as_deref(), Ok("1899"));
    // 29 February 00 exists in 2000, and not in 1900: with a plus there is no such date.
    assert_eq!(on("000229-2399", today()).as_deref(), Ok("2000"));
    assert_eq!(on("000229+2399", today()), Err(NotCanonical::Date));
    // A date that is still to come this year belongs to the century before: with a plus, or with no sign. With a minus it
    // is of nobody, for whoever was born in 1912 has a plus from 1 January 2012 on.
    assert_eq!(on("1212121212", date(2012, 12, 11)).as_deref(), Ok("1912"));
    assert_eq!(on("121212 1212", date(2012, 12, 11)).as_deref(), Ok("1912"));
    for short in ["121212-1212", "121212\u{2013}1212", "121212 \u{2212} 1212"] {
        assert_eq!(
            on(short, date(2012, 1, 1)),
            Err(NotCanonical::Minus),
            "{short}"
        );
        assert_eq!(
            on(short, date(2012, 12, 11)),
            Err(NotCanonical::Minus),
            "{short}"
        );
        assert_eq!(
            on(short, date(2011, 12, 31)).as_deref(),
            Ok("1912"),
            "{short}"
        );
    }
    assert_eq!(
        on("19121212-1212", date(2012, 12, 11)).as_deref(),
        Ok("1912")
    );
    assert_eq!(on("121212+1212", date(2012, 12, 11)).as_deref(), Ok("1912"));
    assert_eq!(on("121212-1212", date(2012, 12, 12)).as_deref(), Ok("2012"));
}

#[test]
fn what_has_no_canonical_form_is_refused_for_its_reason() {
    for (text, why) in [
        ("200001012383", NotCanonical::CheckDigit),
        // Impossible dates fail on the date first, whatever their check digit.
        ("200002302397", NotCanonical::Date),
        ("200013012384", NotCanonical::Date),
        ("230229-2399", NotCanonical::Date),
        // Reserve numbers are of no century.
        ("990001012384", NotCanonical::Date),
        ("20000101T238", NotCanonical::Interim),
        ("000101-p238", NotCanonical::Interim),
        ("20000101A238", NotCanonical::Form),
        ("20000101238", NotCanonical::Form),
        ("2000010123840", NotCanonical::Form),
        ("2.00001012384E11", NotCanonical::Form),
        ("200001012384 x", NotCanonical::Form),
        ("200001012384 191212121212", NotCanonical::Form),
        ("", NotCanonical::Form),
        // The sign of those of 100 years does not fit a child.
        ("20000101+2384", NotCanonical::Plus),
        // 000 is no number after a date; 8 is its check digit, by hand (1 + 1 + 8 = 10).
        ("20000101-0008", NotCanonical::Serial),
    ] {
        assert_eq!(read(text), Err(why), "{text}");
    }
    let before = CanonicalNumber::read("200001012384", date(1999, 12, 31));
    assert_eq!(before, Err(NotCanonical::Future));
    let hidden = format!("{:?}", CanonicalNumber::read("200001012384", today()));
    assert_eq!(hidden, "Ok(CanonicalNumber(hidden))");
}

#[test]
fn a_study_number_must_not_look_like_a_personal_number_even_a_mistyped_one() {
    for text in [
        "200001012383",
        "000101-2383",
        "x 20000230 2397",
        "20000101T238",
        "19 12 12 12 12 13",
        "1-912121-212",
    ] {
        assert!(looks_like_one(text), "{text}");
    }
    for text in ["M-17", "2025-03-01", "protected.3"] {
        assert!(!looks_like_one(text), "{text}");
    }
}

/// Every way to part the digits into groups by one sign, with the century and without.
#[test]
fn every_grouping_of_every_official_number_is_found() {
    let mut tried = 0;
    for number in official() {
        for digits in [number, &number[2..]] {
            for parted in 0..1_u32 << (digits.len() - 1) {
                let sign = [
                    "-",
                    " ",
                    ".",
                    "/",
                    "_",
                    "+",
                    "\u{2011}",
                    " \u{2013} ",
                    "\u{200b}",
                ][parted as usize % 9];
                let mut text = String::new();
                for (at, digit) in digits.char_indices() {
                    text.push(digit);
                    if at + 1 < digits.len() && parted >> at & 1 == 1 {
                        text.push_str(sign);
                    }
                }
                for text in [text.clone(), format!("R{text}."), format!("7-{text}-3")] {
                    assert!(is_found(&text), "{text}");
                }
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 15 * (2_048 + 512));
}

#[test]
fn an_official_number_is_found_among_digits_that_are_glued_to_it() {
    for number in official() {
        let (date, last) = number.split_at(8);
        for (before, after) in [
            ("7", ""),
            ("", "7"),
            ("77", "77"),
            ("8001", "000"),
            ("0", "0"),
        ] {
            for text in [
                format!("{before}{number}{after}"),
                format!("{before}{date}-{last}{after}"),
                format!("{before}{} \u{2013} {last}{after}", &date[2..]),
                format!("SN{before}{number}{after}/25"),
            ] {
                assert!(is_found(&text), "{text}");
            }
        }
    }
}

/// Interim numbers have a letter for the first of the last four; the others are examples of their formats in Inera's lists
/// (Stockholm, Västra Götaland, Inera, Värmland), and one made up in the form of the national one.
#[test]
fn interim_and_reserve_numbers_are_found() {
    for letter in "TRSUWXJKLMNPtrsuwxjklmnp".chars() {
        for text in [
            format!("19121212{letter}123"),
            format!("121212-{letter}123"),
            format!("nr 19121212 - {letter}123!"),
            format!("1719121212{letter}123"),
        ] {
            assert!(is_found(&text), "{text}");
        }
    }
    for text in [
        "991981000010",
        "991945000023",
        "99199300-0032",
        "19810829M071",
        "19450829K088",
        "19930829X802",
        "198108320014",
        "19810829SU3A",
        "19450829SF2B",
        "22810829AB12",
    ] {
        assert!(is_found(text), "{text}");
    }
    // A letter that no interim number has, a date that does not exist, a day with signs, more digits, wrong check digits.
    for text in [
        "19121212A123",
        "19121312T123",
        "2025-03-14-R001",
        "20250314T0915",
        "20250314T091500Z",
        "991981000011",
        "198108320015",
        "20250314AB12",
        "24850412AB12",
        "22810899AB12",
        "22810829AO12",
        "20250314-SU3A",
    ] {
        assert!(!is_found(text), "{text}");
    }
}

#[test]
fn what_only_looks_like_one_is_not_found() {
    for text in [
        "200001012383", // wrong check digit, by construction
        "200002302397", // 30 February
        "20000101238",  // eleven digits, none of whose tens is a date
        "2025-03-01",   // a date
        "KATL-MORU",
        "R-2025-000017",
        "191212,121212",    // what parts the values of a list joins nothing
        "19121212----1212", // nor do four signs
        "191212\n1212",     // nor the end of a line
        "20000101-0008",    // 000 is no number after a date
        "1-2026-03-14-01",  // whole groups that make neither ten nor twelve digits
        // A hash with an official number among its digits is a hash.
        "a19121212121200000000000000000000000000000000000000000000000000f",
    ] {
        assert!(!is_found(text), "{text}");
    }
}
