//! No personal number enters a study, and none is repeated, wherever it stands.

use super::place::{IUH, Place};
use super::process::Folder;

/// The numbers of `tests/official_numbers.txt`.
pub(crate) fn official() -> Vec<&'static str> {
    let list = include_str!("../official_numbers.txt");
    let numbers: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(numbers.len(), 15);
    numbers
}

/// How a key can spell a number: with the signs that keys have, and a plus.
fn forms(number: &str) -> [String; 13] {
    let (date, last) = number.split_at(8);
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    [
        format!("{}-{month}-{day}-{last}", &year[2..]),
        format!("{}.{}.{month}.{day}.{last}", &year[..2], &year[2..]),
        format!("{year}-{month}{day}-{last}"),
        format!("R17{number}"),
        format!("{date}T{}", &last[1..]),
        format!("{}_{last}", &date[2..]),
        format!("{date}.{last}"),
        format!("{year}-{month}-{day}-{last}"),
        number.to_owned(),
        number[2..].to_owned(),
        format!("{date}-{last}"),
        format!("{}-{last}", &date[2..]),
        format!("{}+{last}", &date[2..]),
    ]
}

fn silent(place: &Place, words: &str, number: &str, exit: &[i32]) {
    let ran = place.unchanged(|| place.run(words));
    assert!(
        exit.contains(&ran.code),
        "exit {}: {words}\n{}",
        ran.code,
        ran.err
    );
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    for text in [&ran.out, &ran.err] {
        assert!(!text.contains(number), "{words}\n{text}");
        assert!(!digits(text).contains(&digits(number)), "{words}\n{text}");
    }
    assert!(!ran.err.is_empty(), "it says why");
}

#[test]
fn every_form_of_every_official_number_is_refused_as_a_report_key() {
    let place = Place::open(IUH);
    let at = place.tick();
    for number in official() {
        // A plus sign is no part of a key, and is refused as well.
        for form in forms(number) {
            let words = Place::enrol_words("skarpnack", "KATL", &form);
            silent(
                &place,
                &format!("{words} --study study --actor a --at {at}"),
                &form,
                &[4],
            );
        }
    }
}

#[test]
fn a_number_in_the_name_of_a_file_or_in_a_line_that_is_shown_is_crossed_out() {
    let place = Place::open(IUH);
    let number = "19121212-1212";
    place.write("19121212-1212.csv", "family,on,event_key\nKATL,1,2,3\n");
    place.write("f.csv", "family,on,event_key\nKATL,2025-03-01,k\n");
    place.write("m.toml", format!("[columns]\n\"{number}\" 3\n"));
    for format in ["", " --json", " --lang sv"] {
        for (words, exit) in [
            (format!("status --study {number}"), 7),
            (format!("verify --study study --seed-file {number}"), 9),
            (
                format!("import report {number}.csv --study study --actor a"),
                4,
            ),
            (
                "import report f.csv --map m.toml --study study --actor a".to_owned(),
                4,
            ),
            (
                format!("open {number} --study other --seed-file k --confirm 0 --actor a"),
                2,
            ),
            (
                format!("open {number}.csv --study other --seed-file k --confirm 0 --actor a"),
                3,
            ),
            (format!("explain {number}"), 2),
            (
                format!(
                    "record offered --site {number} --on 2025-03-01 --event-key k --actor a --study study"
                ),
                4,
            ),
        ] {
            silent(&place, &format!("{words}{format}"), number, &[exit]);
        }
    }
}

#[test]
fn a_number_is_refused_in_every_option_and_never_repeated() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let at = place.tick();
    let tail = format!("--study study --actor a --at {at}");
    let enrol = format!(
        "{} --child KATL-AA --request-id q1 {tail}",
        Place::enrol_words("skarpnack", "MORU", "R1")
    );
    let record = format!(
        "record report --family KATL --on 2025-03-03 --event-key R2 --child KATL-AA --set reporter=school {tail}"
    );
    let site = format!(
        "record capacity-changed --site skarpnack --on 2025-03-03 --event-key c1 --set therapists=2 {tail}"
    );
    let lock = format!(
        "lock final --cut 2025-03-03 --confirm {} {tail}",
        place.confirm()
    );
    let mut tried = 0;
    for (place_in_list, number) in official().into_iter().enumerate() {
        let form = &forms(number)[place_in_list % 13];
        for (words, parts) in [
            (
                &enrol,
                vec![
                    "=skarpnack",
                    "=MORU",
                    "=R1",
                    "=2025-03-01",
                    "=KATL-AA",
                    "=q1",
                    "police-led=no",
                    "police-led",
                    "category=violence",
                    "=yes",
                    "=4",
                    "category",
                    " a ",
                ],
            ),
            (
                &record,
                vec![
                    "=KATL",
                    "=2025-03-03",
                    "=R2",
                    "=KATL-AA",
                    "=school",
                    "reporter",
                    " a ",
                ],
            ),
            (
                &site,
                vec!["=skarpnack", "=c1", "therapists=2", "=2025-03-03"],
            ),
        ] {
            for part in parts {
                // `=X` replaces the value X wherever it stands alone; other parts are replaced as written.
                let (from, to) = match part.strip_prefix('=') {
                    Some(value) if words.contains(&format!(" {value} ")) => {
                        (format!(" {value} "), format!(" {form} "))
                    }
                    Some(value) => (format!("={value}"), format!("={form}")),
                    None => match part.split_once('=') {
                        Some((key, _)) => (part.to_owned(), format!("{key}={form}")),
                        None => (part.to_owned(), format!(" {form} ").replace("  ", " ")),
                    },
                };
                let to = if ["police-led", "category", "reporter"].contains(&part) {
                    form.clone()
                } else {
                    to
                };
                let changed = words.replacen(&from, &to, 1);
                if changed != *words {
                    tried += 1;
                    silent(&place, &changed, form, &[2, 4]);
                }
            }
        }
        for words in [
            lock.replace("final", form),
            lock.replace("2025-03-03 --confirm", &format!("{form} --confirm")),
            lock.replace(place.confirm(), form),
            record.replace("record report", &format!("record {form}")),
            format!("{record} {form}"),
            format!("{record} --exception={form}"),
            enrol.replace(&at.to_string(), form),
            format!("{form} --study study"),
        ] {
            silent(&place, &words, form, &[2, 4]);
        }
    }
    assert_eq!(tried, 15 * 24, "each part of each command was replaced");
}

#[test]
fn a_number_in_a_file_is_refused_by_row_and_never_repeated() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let at = place.tick();
    let tail = format!("--study study --actor a --at {at}");
    let header = "site,family,child,report_key,received,exception,answer.investigation-opened,\
                  answer.immediate-placement,answer.police-led,field.earlier_reports,field.youngest_age,field.category";
    let row = "skarpnack,MORU,MORU-AA,R1,2025-03-01,court-order,yes,no,no,3,4,violence";
    let number = official()[3];
    for cell in 0..row.split(',').count() {
        let mut cells: Vec<&str> = row.split(',').collect();
        cells[cell] = number;
        place.write("f.csv", format!("{header}\n{}\n", cells.join(",")));
        silent(
            &place,
            &format!("enrol --from f.csv --seed-file keys/seed {tail}"),
            number,
            &[4],
        );
        let mut names: Vec<String> = header.split(',').map(str::to_owned).collect();
        names[cell] = if names[cell].contains('.') {
            format!("answer.{number}")
        } else {
            number.to_owned()
        };
        place.write("f.csv", format!("{}\n{row}\n", names.join(",")));
        silent(
            &place,
            &format!("enrol --from f.csv --seed-file keys/seed {tail}"),
            number,
            &[4],
        );
    }
    let header = "family,on,event_key,child,reporter";
    let row = "KATL,2025-03-03,R2,KATL-AA,school";
    for cell in 0..5 {
        let mut cells: Vec<&str> = row.split(',').collect();
        cells[cell] = number;
        place.write("f.csv", format!("{header}\n{}\n", cells.join(",")));
        silent(&place, &format!("import report f.csv {tail}"), number, &[4]);
        let mut names: Vec<&str> = header.split(',').collect();
        names[cell] = number;
        place.write("f.csv", format!("{}\n{row}\n", names.join(",")));
        silent(&place, &format!("import report f.csv {tail}"), number, &[4]);
    }
    // Faults of the table itself repeat nothing either.
    place.write("f.csv", format!("{number},{number}\n{number}\n"));
    silent(&place, &format!("import report f.csv {tail}"), number, &[4]);
}

/// Whatever is wrong with a command line, the message repeats no number, however it is spelled.
#[test]
fn no_message_about_a_command_line_repeats_a_number() {
    let folder = Folder::new();
    for (place_in_list, number) in official().into_iter().enumerate() {
        // Each form of some number, and two forms of each number.
        for form in [place_in_list, place_in_list + 7].map(|at| forms(number)[at % 13].clone()) {
            for words in [
                format!("--format {form} check x.toml"),
                format!("--lang {form} check x.toml"),
                format!("--lang sv --format={form} check x.toml"),
                form.clone(),
                format!("check x.toml {form}"),
                format!("check x.toml --{form}"),
                format!("check x.toml --{form}=3"),
                format!("check {form}"),
                format!("draw --n {form}"),
                format!("draw --seed {form} --n 3"),
                format!("draw --method {form} --n 3"),
                format!("status --study {form}"),
                format!("explain {form}"),
                format!("new {form}/there/study.toml --from {form}"),
                format!("pseudonym --key {form} --study-id iuh-2025 --manual M-1"),
                format!("pseudonym --key k --study-id {form} --manual M-1"),
                format!("estimate {form}.csv"),
                format!("estimate f.csv --estimator {form}"),
            ] {
                for more in ["", " --json"] {
                    let ran = folder.run(&format!("{words}{more}"));
                    assert_ne!(ran.exit, 0, "{words}");
                    let digits = |text: &str| -> String {
                        text.chars().filter(char::is_ascii_digit).collect()
                    };
                    for text in [&ran.out, &ran.err] {
                        assert!(!text.contains(&form), "{words}\n{text}");
                        let (text, form) = (digits(text), digits(&form));
                        assert!(!text.contains(&form), "{words}\n{text}");
                    }
                }
            }
        }
    }
}
