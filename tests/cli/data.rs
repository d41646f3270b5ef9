//! `export --data`: what the folder holds, who may have it, and that its rows give the reported numbers.

use super::place::{Place, family, in_r, two_arms};
use serde_json::Value;

/// The rehearsed demo, locked.
fn demo() -> Place {
    let place = Place::with(&two_arms());
    assert_eq!(place.run("demo d").code, 0);
    place
}

const AT: &str = "--lock final --study d/study --actor analyst --at 2027-03-06T08:00:00Z";

fn text(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).unwrap()
}

/// The rows of a file by column.
fn rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv_lines(text);
    let head = reader.next().unwrap();
    reader
        .map(|row| head.iter().cloned().zip(row).collect())
        .collect()
}

/// The cells of each line; data files quote nothing.
fn csv_lines(text: &str) -> impl Iterator<Item = Vec<String>> + '_ {
    text.lines().map(|line| {
        assert!(!line.contains('"'), "{line}");
        line.split(',').map(str::to_owned).collect()
    })
}

#[test]
fn the_rows_give_the_reported_numbers_without_a_name_or_a_date() {
    let place = demo();
    let receipt = place.run(&format!("export --data out {AT}")).json(0);
    assert_eq!(receipt["event"], "exported");
    let files: Vec<&str> = receipt["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        files[..4],
        [
            "out/README.txt",
            "out/codebook.csv",
            "out/families.csv",
            "out/events.csv"
        ]
    );
    let families = rows(&text(&place, "out/families.csv"));
    let events = rows(&text(&place, "out/events.csv"));

    // The same families under the same numbers as in a folder for replication, in the same arms and sites.
    place.run(&format!("export --replicate again {AT}")).json(0);
    let again = rows(&text(&place, "again/data/families.csv"));
    assert_eq!(families.len(), again.len());
    for (own, other) in families.iter().zip(&again) {
        for column in ["family", "site", "arm"] {
            assert_eq!(own[column], other[column]);
        }
    }
    // The registered analysis counts families with a report: the rows give its numbers arm by arm.
    let results: Value = serde_json::from_str(&text(&place, "again/results.json")).unwrap();
    let arms = results["analyses"][0]["arms"].as_array().unwrap();
    for arm in arms {
        let of: Vec<_> = families
            .iter()
            .filter(|own| own["arm"] == arm["arm"].as_str().unwrap())
            .collect();
        let known: Vec<_> = of
            .iter()
            .filter(|own| own["outcome.rereport.status"] == "known")
            .collect();
        let with = known
            .iter()
            .filter(|own| own["outcome.rereport.value"] != "0")
            .count();
        assert_eq!(arm["randomized"], of.len());
        assert_eq!(arm["analysed"], known.len());
        assert_eq!(arm["events"], with);
    }
    // Each counted event is a row: as many as the outcome's value says.
    for own in families
        .iter()
        .filter(|own| own["outcome.rereport.status"] == "known")
    {
        let counted = events.iter().filter(|event| {
            event["family"] == own["family"]
                && event["counts_for"].split(' ').any(|id| id == "rereport")
        });
        assert_eq!(
            counted.count().to_string(),
            own["outcome.rereport.value"],
            "{own:?}"
        );
    }
    // No pseudonym, key of a report or date in any of them, and every column explained.
    let register = text(&place, "d/register.csv");
    let head: Vec<&str> = register.lines().next().unwrap().split(',').collect();
    let secrets = register.lines().skip(1).flat_map(|line| {
        let own = line
            .split(',')
            .zip(&head)
            .filter(|(_, column)| ["family", "event_key"].contains(column));
        own.map(|(cell, _)| cell.to_owned()).collect::<Vec<_>>()
    });
    let secrets: Vec<String> = secrets.filter(|own| own.len() > 3).collect();
    assert!(secrets.len() > 50);
    let codebook = text(&place, "out/codebook.csv");
    for file in files {
        let text = text(&place, file);
        let found = secrets.iter().find(|own| text.contains(own.as_str()));
        assert_eq!(found, None, "{file}");
        let dated = text.match_indices('-').any(|(at, _)| {
            let around = text.get(at.saturating_sub(4)..at + 6).unwrap_or_default();
            let shape: String = around
                .chars()
                .map(|c| if c.is_ascii_digit() { '9' } else { c })
                .collect();
            shape == "9999-99-99"
        });
        assert!(!dated, "{file}");
        let name = file.trim_start_matches("out/");
        if std::path::Path::new(&name)
            .extension()
            .is_some_and(|own| own == "csv")
            && name != "codebook.csv"
        {
            for column in text.lines().next().unwrap().split(',') {
                assert!(
                    codebook.contains(&format!("\n{name},{column},")),
                    "{name}: {column}"
                );
            }
        }
    }
    assert_eq!(
        place.run("verify --study d/study --json").json(0)["ok"],
        true
    );
    place
        .run(&format!("export --data out {AT}"))
        .refused(7, "exists");
    r_reads(&place);
}

#[test]
fn no_data_leave_before_the_lock() {
    let place = Place::open(&two_arms());
    place.unchanged(|| {
        place
            .act("export --data out --lock final")
            .refused(7, "not-locked");
        assert_eq!(place.act("export --data out").code, 2);
        assert_eq!(place.act("export --proof out --lock final").code, 2);
    });
    assert!(!place.path("out").exists());
}

/// An interim lock while families are still drawn: the rows tell arms in the order of the draw, and the receipt says so.
#[test]
fn rows_of_an_interim_lock_are_warned_of() {
    let lock = "[[lock]]\nid = \"half\"\nkind = \"interim\"\ncut = 2026-06-30\n\n";
    let place = Place::open(&two_arms().replace("[[lock]]\n", &format!("{lock}[[lock]]\n")));
    let name = family(1);
    place
        .act(&format!(
            "enrol --site north --family {name} --report-key R1 --received 2025-03-03 --answer consent=yes \
             --field earlier_reports=2 --seed-file keys/seed"
        ))
        .json(0);
    place.days(500);
    let confirm = place.confirm().to_owned();
    place
        .act(&format!("lock half --cut 2026-06-30 --confirm {confirm}"))
        .json(0);
    for what in ["data", "replicate"] {
        let receipt = place
            .act(&format!("export --{what} {what} --lock half"))
            .json(0);
        assert_eq!(
            receipt["warnings"][0]["code"], "data-before-the-end",
            "{what}"
        );
    }
    assert_eq!(rows(&text(&place, "data/families.csv")).len(), 1);
    is_private(&place);
    // Both exports are in the ledger by their kinds.
    let kinds: Vec<String> = place
        .entries()
        .iter()
        .filter(|entry| entry.kind == "exported")
        .map(|entry| entry.public.clone())
        .collect();
    assert!(kinds[0].contains("\"what\":\"data\""), "{kinds:?}");
    assert!(kinds[1].contains("\"what\":\"replicate\""), "{kinds:?}");
    let ok = place.verify();
    assert_eq!(ok["ok"], true);
}

/// R reads the files as they are: `read.csv`, missing values as `NA`, numbers as numbers.
fn r_reads(place: &Place) {
    place.write(
        "out/read.R",
        "args <- commandArgs(FALSE); own <- dirname(sub('--file=', '', args[grep('--file=', args)]))\n\
         f <- read.csv(file.path(own, 'families.csv')); e <- read.csv(file.path(own, 'events.csv'))\n\
         b <- read.csv(file.path(own, 'codebook.csv'))\n\
         stopifnot(is.numeric(f$study_day), is.numeric(f$outcome.rereport.value), is.numeric(e$day))\n\
         stopifnot(names(f) %in% b$column[b$file == 'families.csv'], names(e) == b$column[b$file == 'events.csv'])\n\
         known <- f[f$outcome.rereport.status == 'known', ]\n\
         stopifnot(!anyNA(known$outcome.rereport.value), sum(is.na(e$value)) == nrow(e))\n\
         cat(nrow(f), sum(known$outcome.rereport.value), '\\n')\n",
    );
    let Some(output) = in_r(&place.path("out/read.R")) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let families = rows(&text(place, "out/families.csv"));
    let known = families
        .iter()
        .filter(|own| own["outcome.rereport.status"] == "known");
    let reports: u32 = known
        .map(|own| own["outcome.rereport.value"].parse::<u32>().unwrap())
        .sum();
    assert_eq!(said.trim(), format!("{} {reports}", families.len()));
}

/// The folder and its files are for their owner alone, where the system has modes.
fn is_private(place: &Place) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name: &str| {
            let about = std::fs::metadata(place.path(name)).unwrap();
            about.permissions().mode() & 0o777
        };
        assert_eq!(mode("data"), 0o700);
        for file in ["README.txt", "codebook.csv", "families.csv", "events.csv"] {
            assert_eq!(mode(&format!("data/{file}")), 0o600, "{file}");
        }
    }
    #[cfg(not(unix))]
    assert!(place.path("data").is_dir());
}
