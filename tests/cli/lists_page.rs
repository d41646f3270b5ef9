//! The commands that `docs/lists.md` shows, run as they stand there, one after another in one folder.

use super::process::Folder;

const PAGE: &str = include_str!("../../docs/lists.md");
const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The indented commands of the page, each in one line, without the name of the program.
fn commands() -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in PAGE.lines() {
        let Some(code) = line.strip_prefix("    ") else {
            continue;
        };
        let text = code.trim_end_matches('\\').trim();
        match commands.last_mut().filter(|_| goes_on) {
            Some(last) => *last = format!("{last} {text}"),
            None => commands.push(text.strip_prefix("lottning ").unwrap().to_owned()),
        }
        goes_on = code.ends_with('\\');
    }
    commands
}

/// Three sites and two sexes make six strata of 200 rows; the other centre's file is two blocks of six in each of two centres.
#[test]
fn every_command_of_the_page_runs_and_keeps_the_strata() {
    let folder = Folder::new();
    folder.file(
        "strata.csv",
        "site,sex\n1,1\n1,2\n2,1\n2,2\n3,1\n3,2\n1,1\n",
    );
    let units = "young,2,north\nold,0,south\nold,2,south\nyoung,0,north\n".repeat(3);
    folder.file("arrivals.csv", format!("age,reports,site\n{units}"));
    let blocks: String = ["abaaba", "baabaa", "aaabba", "abbaaa"]
        .iter()
        .zip(["north", "south", "north", "south"])
        .flat_map(|(block, centre)| block.chars().map(move |arm| format!("{centre},{arm}\n")))
        .collect();
    folder.file("other.csv", format!("centre,group\n{blocks}"));
    let mut answers = Vec::new();
    for command in commands() {
        let (words, to) = match command.split_once(" > ") {
            Some((words, file)) => (words.to_owned(), Some(file.to_owned())),
            None => (command.clone(), None),
        };
        let ran = folder.run(&words.replace("HEX", SEED));
        assert_eq!(ran.exit, 0, "{command}: {}", ran.err);
        match to {
            Some(file) => {
                folder.file(&file, ran.out);
            }
            None => answers.push(ran.out),
        }
    }
    assert_eq!(
        answers.len(),
        6,
        "the page describes three designs and looks at three lists"
    );
    // Each of the described lists: big stick of 100, of six strata, and minimization of six units at each of two sites.
    let described: serde_json::Value = serde_json::from_str(&answers[1]).unwrap();
    assert_eq!(described["n"], 7);
    assert!(
        answers[2].contains("north") && answers[2].contains("south"),
        "{}",
        answers[2]
    );
    answers.drain(..3);
    let own: serde_json::Value = serde_json::from_str(&answers[0]).unwrap();
    assert_eq!(
        (&own["total"]["n"], &own["strata"][0]["stratum"]),
        (&120.into(), &"".into())
    );
    let table: serde_json::Value = serde_json::from_str(&answers[1]).unwrap();
    let strata: Vec<&str> = table["strata"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["stratum"].as_str().unwrap())
        .collect();
    assert_eq!(strata, ["1/1", "1/2", "2/1", "2/2", "3/1", "3/2"]);
    for part in table["strata"].as_array().unwrap() {
        assert_eq!(part["n"], 200);
        // big-stick with bound 3.
        assert!(part["largest_imbalance"].as_f64().unwrap() <= 3.0, "{part}");
    }
    assert!(
        answers[2].contains("north") && answers[2].contains("south"),
        "{}",
        answers[2]
    );
}

/// REDCap's table with the field's own name: without `--by` its strata are not lost in silence, and its arms are not guessed.
#[test]
fn strata_are_not_lost_in_silence() {
    let folder = Folder::new();
    folder.file("t.csv", "rand_group,site\n1,1\n2,1\n1,2\n2,2\n");
    let ran = folder.run("draw --list t.csv");
    assert_eq!(ran.exit, 2);
    assert!(ran.err.contains("`--arm` is missing"), "{}", ran.err);
    let ran = folder.run("draw --list t.csv --arm rand_group");
    assert_eq!((ran.exit, ran.out.as_str()), (2, ""));
    assert!(
        ran.err.contains("`--by site`") && ran.err.contains("`--by ''`"),
        "{}",
        ran.err
    );
    for (by, strata) in [("--by site", 2), ("--by=", 1)] {
        let ran = folder.run(&format!("draw --list t.csv --arm rand_group {by} --json"));
        let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(found["strata"].as_array().unwrap().len(), strata, "{by}");
    }
    // Numbers, dates and what is the same in every row are no strata.
    folder.file(
        "own.csv",
        "nr,day,who,arm\n1,2025-01-01,x,a\n2,2025-01-02,x,b\n3,2025-01-03,x,a\n",
    );
    assert_eq!(folder.run("draw --list own.csv").exit, 0);
    folder.file("wide.csv", "arm,centre\na,x\nb,x\na,y\n");
    assert_eq!(folder.run("draw --list wide.csv").exit, 2);
}
