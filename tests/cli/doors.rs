//! What people bring to the doors of a study: a head that is none, a cell `NA` where a name belongs, a lock without data, an
//! answer as CSV, a file of one column.

use super::place::{IUH, Place, family};

/// What is no head says nothing of the ledger, and must not look like a forged one.
#[test]
fn a_head_that_is_none_is_wrong_usage_and_no_finding() {
    let place = Place::open(IUH);
    let head = place.run("status --study study").json(0)["head"]
        .as_str()
        .unwrap()
        .to_owned();
    for typed in ["zz", &head[..63], &format!("{head}0"), &"zz".repeat(32)] {
        let ran = place.run(&format!("verify --study study --expect-head {typed}"));
        ran.refused(2, "invalid-head");
        let characters = format!("`{typed}` ({} characters)", typed.len());
        assert!(ran.err.contains(&characters), "{}", ran.err);
        assert!(
            ran.err.contains("64 hexadecimal digits are expected"),
            "{}",
            ran.err
        );
    }
    let swedish = place.run("verify --study study --expect-head zz --lang sv");
    assert!(
        swedish.err.contains("64 hexadecimala siffror väntas"),
        "{}",
        swedish.err
    );
    // In capitals it is one, and another one is a finding.
    let upper = head.to_uppercase();
    place
        .run(&format!("verify --study study --expect-head {upper}"))
        .json(0);
    place
        .run(&format!(
            "verify --study study --expect-head {}",
            "0".repeat(64)
        ))
        .json(8);
}

/// R writes `NA` where a family or a child is not known: nobody of that name may come of it, whom strangers then share.
#[test]
fn a_cell_na_names_no_family_and_no_child() {
    let place = Place::open(IUH);
    let header = "site,family,child,report_key,received,answer.investigation-opened,answer.immediate-placement,\
                  answer.police-led,field.earlier_reports,field.youngest_age,field.category";
    let row = |site: &str, name: &str, child: &str, key: &str| {
        format!("{site},{name},{child},{key},2025-03-01,yes,no,no,3,4,violence")
    };
    let rows = [
        header.to_owned(),
        row("skarpnack", "FA-AA", "NA", "R1"),
        row("skarpnack", "FA-AB", "", "R2"),
        row("skarpnack", "NA", "NA", "R3"),
        row("skarpnack", "NA", "", "R4"),
        row("skarholmen", "FA-AC", "KI-DA NA", "R5"),
    ];
    place.write("all.csv", rows.join("\n") + "\n");
    let ran = place.act("enrol --from all.csv --seed-file keys/seed");
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert_eq!(
        ran.err.matches("[invalid-pseudonym]").count(),
        2,
        "{}",
        ran.err
    );
    assert_eq!(ran.err.matches("empty or NA").count(), 2, "{}", ran.err);
    assert!(ran.err.contains("`--family NA`"), "{}", ran.err);
    let screened: Vec<(String, serde_json::Value)> = place
        .entries()
        .iter()
        .filter(|own| own.kind == "screened")
        .map(|own| {
            let text = own.payload.as_ref().unwrap();
            let payload: serde_json::Value = serde_json::from_str(text).unwrap();
            let family = payload["family"].as_str().unwrap().to_owned();
            (family, payload["children"].clone())
        })
        .collect();
    let wanted = [
        ("FA-AA", vec![]),
        ("FA-AB", vec![]),
        ("FA-AC", vec!["KI-DA"]),
    ];
    let wanted = wanted.map(|(name, children)| (name.to_owned(), serde_json::json!(children)));
    assert_eq!(screened, wanted);
    // In an import the same: a report without a child, no family, and no other name of a link.
    place.write(
        "report.csv",
        "family,child,report_key,received\nFA-AA,NA,R9,2025-03-02\n",
    );
    place.act("import report report.csv").json(0);
    let last = place.entries().pop().unwrap().payload.unwrap();
    assert!(!last.contains("NA\""), "{last}");
    let before = place.entries().len();
    place.write(
        "death.csv",
        "family,on,event_key,child\nNA,2025-03-03,d1,\n",
    );
    assert_eq!(place.act("import death death.csv").code, 4);
    place.write(
        "link.csv",
        "family,on,event_key,other\nFA-AA,2025-03-03,l1,NA\nFA-AB,2025-03-03,l2,NA\n",
    );
    assert_eq!(place.act("import linked link.csv").code, 4);
    assert_eq!(place.entries().len(), before);
}

/// A report on a child whom the study does not know counts in no outcome while the family's children are named: the receipt says
/// so, and so does the analysis, whether or not anybody was erased.
#[test]
fn reports_on_children_whom_the_study_does_not_know_are_told() {
    let place = Place::open(&IUH.replace("therapists = 2", "therapists = 30"));
    for number in 0..40 {
        let child = format!("--child {}", family(number + 100));
        place.enrol(&family(number), "R1", &child).json(0);
    }
    let codes = |told: &serde_json::Value| -> Vec<String> {
        let warnings = told["warnings"].as_array().cloned().unwrap_or_default();
        let codes = warnings.iter().filter_map(|own| own["code"].as_str());
        // Whether the file carries what the protocol asks for is another matter.
        let codes = codes.filter(|code| *code != "not-carried");
        codes.map(str::to_owned).collect()
    };
    let report = |name: &str, child: &str, key: &str| {
        let words = format!(
            "record report --family {name} --child {child} --on 2025-03-03 --event-key {key}"
        );
        codes(&place.act(&words).json(0))
    };
    let (none, told): ([&str; 0], _) = ([], ["report-on-unknown-child"]);
    assert_eq!(report(&family(0), &family(100), "K1"), none);
    assert_eq!(report(&family(0), &family(200), "K2"), told);
    let rows: Vec<String> = (0..20)
        .map(|number| format!("{},{},2025-03-03,S{number}\n", family(number), family(200)))
        .collect();
    place.write(
        "reports.csv",
        "family,child,received,report_key\n".to_owned() + &rows.concat(),
    );
    let imported = place.act("import report reports.csv").json(0);
    assert_eq!(codes(&imported), told, "each thing once");
    place.days(900);
    let confirm = place.confirm().to_owned();
    place
        .act(&format!("lock final --cut 2027-08-01 --confirm {confirm}"))
        .json(0);
    let analysed = place.act("analyse --lock final --format json").json(0);
    let warnings = analysed["analyses"][0]["warnings"].as_array().unwrap();
    let own = warnings.iter().find(|own| own["code"] == told[0]).unwrap();
    let message = own["message"].as_str().unwrap();
    // By hand: the one of the log and the twenty of the register.
    assert!(message.starts_with("21 reports name a child"), "{message}");
}

/// A person whose pseudonym is NA is named by hand.
#[test]
fn a_family_called_na_is_named_by_hand() {
    let place = Place::open(IUH);
    let answer = place.act(
        "enrol --seed-file keys/seed --site skarpnack --family NA --child NAA --report-key R1 --received 2025-03-01 \
         --answer investigation-opened=yes --answer immediate-placement=no --answer police-led=no \
         --field earlier_reports=3 --field youngest_age=4 --field category=violence",
    );
    assert_eq!(answer.json(0)["family"], "NA");
}

/// A lock is made once: one without data would end enrolment, or use up a look, for nothing.
#[test]
fn a_lock_without_a_family_is_refused_with_what_next() {
    let place = Place::open(IUH);
    let confirm = place.confirm().to_owned();
    let lock = |id: &str, cut: &str| {
        place.days(3000);
        place.unchanged(|| {
            place.act_as(
                "lead",
                &format!("lock {id} --cut {cut} --confirm {confirm}"),
            )
        })
    };
    for (id, cut) in [
        ("final", "2020-01-01"),
        ("final", "2027-05-01"),
        ("evaluation-2025", "2025-11-30"),
    ] {
        let refused = lock(id, cut);
        refused.refused(7, "nobody-randomized");
        assert!(
            refused.err.contains("enrol families first"),
            "{}",
            refused.err
        );
    }
    // Nothing is closed by it. With a family drawn after the registered cut that look is still empty.
    let late = Place::open(IUH);
    late.days(300);
    late.enrol(&family(0), "R1", "").json(0);
    let confirm = late.confirm().to_owned();
    let words = format!("lock evaluation-2025 --cut 2025-11-30 --confirm {confirm}");
    let refused = late.unchanged(|| late.act_as("lead", &words));
    refused.refused(7, "nobody-randomized");
    assert!(
        refused.err.contains("the first one was on 2025-12-28"),
        "{}",
        refused.err
    );
    let early = late.unchanged(|| {
        late.act_as(
            "lead",
            &format!("lock final --cut 2025-01-01 --confirm {confirm}"),
        )
    });
    early.refused(7, "windows-not-ended");
}

/// The CSV of an answer says as much as its JSON.
#[test]
fn an_enrolment_as_csv_has_reasons_and_warnings() {
    let place = Place::open(IUH);
    let refused =
        Place::enrol_words("skarpnack", "FA-AA", "R1").replace("police-led=no", "police-led=yes");
    let csv = place.act(&format!("{refused} --format csv"));
    assert_eq!(csv.code, 20, "{}", csv.err);
    let mut lines = csv.out.lines();
    let header =
        "schema,outcome,family,arm,allocation,replayed,head,reasons,warnings,warning_messages";
    assert_eq!(lines.next(), Some(header));
    let line = lines.next().unwrap();
    assert!(
        line.starts_with("lottning.enrolment/1,not-eligible,FA-AA,,,false,"),
        "{line}"
    );
    assert!(line.ends_with(",police-led,,"), "{line}");
    // Other answers to the same report are warned of, in the CSV too.
    let changed = place.act(&format!(
        "{} --format csv",
        Place::enrol_words("skarpnack", "FA-AA", "R1")
    ));
    assert_eq!(changed.code, 0, "{}", changed.err);
    assert!(
        changed.out.contains(",,answers-changed,"),
        "{}",
        changed.out
    );
    let said = changed
        .out
        .lines()
        .nth(1)
        .unwrap()
        .split(",answers-changed,")
        .nth(1)
        .unwrap();
    assert!(!said.trim_matches('"').is_empty(), "{said}");
    let same = place.act(&format!(
        "{} --format csv",
        Place::enrol_words("skarpnack", "FA-AA", "R1")
    ));
    assert!(same.out.contains(",true,"), "{}", same.out);
}

/// One column has nothing that separates it from another.
#[test]
fn a_file_of_one_column_is_announced_without_a_separator() {
    let place = Place::with(IUH);
    let seed = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";
    let draw = |file: &str| {
        place.run(&format!(
            "draw --method simple --strata {file} --by site --seed {seed}"
        ))
    };
    place.write("one.csv", "site\nnorth\nsouth\n");
    place.write("two.csv", "site;sex\nnorth;1\nsouth;2\n");
    let one = draw("one.csv");
    assert_eq!(one.code, 0, "{}", one.err);
    assert!(
        one.err
            .contains("one.csv: 2 rows, 1 column; decimal point, UTF-8"),
        "{}",
        one.err
    );
    assert!(
        draw("two.csv")
            .err
            .contains("2 columns; separated by semicolons")
    );
}

/// Swedish files have a decimal comma: numbers that enter a study are read by the sign of the columns that hold them, or by
/// `--decimal`, and what can be read in two ways is refused as elsewhere; nothing is a thousand times too large.
#[test]
fn numbers_of_a_file_enter_with_the_sign_that_they_have() {
    let outcome = "[[outcome]]\nid = \"sdq\"\nlabel = \"SDQ\"\nkind = \"observed\"\nwindow_days = [0, 365]\n\n[[lock]]\nid = \"final\"";
    let event = "[[event]]\nid = \"observed\"\ncarries = [\"outcome\", \"value\"]\n\n[[event]]\nid = \"report\"";
    let field = "[[field]]\nid = \"income\"\nlabel = \"Income\"\nkind = \"number\"\nrange = [-10, 99]\nplaces = 3\n\n[allocation]";
    let text = IUH
        .replace("[[lock]]\nid = \"final\"", outcome)
        .replace("[[event]]\nid = \"report\"", event)
        .replace("[allocation]", field);
    let place = Place::open(&text);
    let header = "site;family;report_key;received;answer.investigation-opened;answer.immediate-placement;\
                  answer.police-led;field.earlier_reports;field.youngest_age;field.category;field.income";
    let row = |number: usize, income: &str| {
        let name = family(number);
        format!("skarpnack;{name};R{number};2025-03-01;yes;no;no;3;4;violence;{income}")
    };
    let values = |kind: &str, key: &str| -> Vec<String> {
        let own = place.entries().into_iter().filter(|own| own.kind == kind);
        let texts = own.filter_map(|own| own.payload);
        let payloads = texts.map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap());
        let of = |payload: serde_json::Value| {
            let place = if key == "value" {
                payload[key].clone()
            } else {
                payload["fields"][key].clone()
            };
            place
                .as_str()
                .map_or_else(|| place.to_string(), str::to_owned)
        };
        payloads.map(of).collect()
    };
    let enrol = |more: &str, rows: &[String]| {
        place.write("in.csv", format!("{header}\n{}\n", rows.join("\n")));
        place.act(&format!("enrol --from in.csv --seed-file keys/seed {more}"))
    };
    let ran = enrol("", &[row(0, "12,5"), row(1, "-0,25"), row(2, "7")]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("decimal comma"), "{}", ran.err);
    let ran = enrol("--decimal comma", &[row(3, "1,234")]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let incomes = ["12.5", "-0.25", "7", "1.234"].map(str::to_owned);
    assert_eq!(values("screened", "income"), incomes);
    for (rows, more, code) in [
        (
            &[row(4, "1.234")][..],
            "--decimal comma",
            "thousands-separator",
        ),
        (&[row(4, "1,234")], "", "decimal-ambiguous"),
        (&[row(4, "1,5"), row(5, "1.5")], "", "decimal-ambiguous"),
    ] {
        place.unchanged(|| enrol(more, rows).refused(4, code));
    }
    let import = |more: &str, values: &[&str]| {
        let row = |(at, value): (usize, &&str)| {
            format!(
                "{};2025-03-03;O{at}{};sdq;{value}\n",
                family(at),
                values.len()
            )
        };
        let rows: String = values.iter().enumerate().map(row).collect();
        place.write(
            "o.csv",
            format!("family;on;event_key;outcome;value\n{rows}"),
        );
        place.act(&format!("import observed o.csv {more}"))
    };
    import("", &["12,5", "13,25", "7"]).json(0);
    import("--decimal comma", &["1,234"]).json(0);
    place.unchanged(|| import("--decimal comma", &["1.234"]).refused(4, "thousands-separator"));
    let scores = ["12.5", "13.25", "7", "1.234"].map(str::to_owned);
    assert_eq!(values("observed", "value"), scores);
}
