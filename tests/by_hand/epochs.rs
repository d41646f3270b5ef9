//! Epochs in the analysis, on paper: redraws by each epoch's own rule, and an effect that a trend cannot imitate.

use std::sync::Arc;

use lottning::allocation::Arm;
use lottning::analysis::deviations::Amended;
use lottning::analysis::reference_set::History;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::protocol::model::{Day, MAX_FIELDS};
use lottning::protocol::{Protocol, carry_on, parse};
use lottning::study::flow::sites;
use lottning::study::kernel::{
    Event, FamilyIx, ReportIx, Roster, Screening, SiteIx, State, Verdict, What, apply,
};

use crate::made_up::IUH;

/// The IUH protocol without strata, in blocks of two at 1:1, and its amendment in blocks of three at 2:1.
fn protocols() -> Arc<Protocol> {
    let blocks = |text: &str, length: u32| {
        text.replace(
            "method = \"big-stick\"",
            &format!("method = \"permuted-block\"\nblock_len = {length}"),
        )
        .replace("max_imbalance = 4", "")
        .replace("strata = [\"site\"]", "strata = []")
        .replace("therapists = 2", "therapists = 1000")
    };
    let first = blocks(IUH, 2);
    let next = blocks(IUH, 3).replacen("ratio = 1", "ratio = 2", 1);
    let before = Arc::new(parse(first.as_bytes()).protocol.unwrap());
    let after = parse(next.as_bytes()).protocol.unwrap();
    Arc::new(carry_on(&before, &first, after, &next).unwrap())
}

/// Families randomized on the days given to the arms given, the epoch opened before the family with number `at`.
fn study(protocol: &Protocol, arms: &[u8], at: usize) -> State {
    let mut state = State::new(protocol);
    let first = protocol.first_opening();
    let mut draw = 0;
    for (number, arm) in arms.iter().enumerate() {
        let day = first.plus(number as i32);
        let mut event = |what: What| apply(protocol, &mut state, &Event { day, what: &what });
        if number == at {
            event(What::EpochOpened { epoch: 1 });
            draw = 0;
        }
        let family = FamilyIx(number as u32);
        event(What::Screened(Screening {
            family,
            site: SiteIx(0),
            report: ReportIx(number as u32),
            received: day,
            children: Roster::EMPTY,
            answers: 1,
            values: [3; MAX_FIELDS],
            verdict: Verdict::Drawn,
            changed: false,
        }));
        event(What::Allocated {
            family,
            site: SiteIx(0),
            epoch: u32::from(number >= at),
            stratum: 0,
            cell: 0,
            draw,
            arm: Arm(*arm),
            allocation: number as u32 + 1,
        });
        draw += 1;
    }
    state
}

/// Two families in a block of two at 1:1 (2 sequences), then three in a block of three at 2:1 (3 sequences): six
/// sequences, each with probability 1/2 · 1/3 = 1/6, and none that mixes the epochs' rules.
#[test]
fn each_epoch_is_redrawn_by_its_own_rule() {
    let protocol = protocols();
    let state = study(&protocol, &[0, 1, 0, 1, 0], 2);
    let history = History::of(&protocol, &state);
    let all = history.enumerate(100).unwrap();
    assert_eq!(all.total(), 6);
    let mut arms = Vec::new();
    let mut seen: Vec<Vec<u8>> = (0..6)
        .map(|number| {
            let probability = all.sequence(number, &mut arms);
            assert!((probability - 1.0 / 6.0).abs() < 1e-15);
            arms.iter().map(|arm| arm.0).collect()
        })
        .collect();
    seen.sort();
    let expected: [[u8; 5]; 6] = [
        [0, 1, 0, 0, 1],
        [0, 1, 0, 1, 0],
        [0, 1, 1, 0, 0],
        [1, 0, 0, 0, 1],
        [1, 0, 0, 1, 0],
        [1, 0, 1, 0, 0],
    ];
    assert_eq!(seen, expected);
    assert_eq!(history.impossible(&[0, 1, 0, 1, 0].map(Arm)), None);
    // Two of the second arm in the block of three at 2:1 cannot have been.
    assert_eq!(history.impossible(&[0, 1, 0, 1, 1].map(Arm)), Some(4));
}

/// 24 families at 1:1, none with the outcome; then 24 at 2:1, all with it; no effect within either epoch. Without the
/// epochs the arms' shares are 16/28 and 8/20: a difference of 16/28 − 8/20 = 6/35 = 0.171 that is only the trend. With
/// the indicator the estimate is the average of the two epochs' differences, which are 0.
#[test]
fn a_trend_over_epochs_with_other_ratios_is_no_effect() {
    let protocol = protocols();
    let arms: Vec<u8> = [0, 1]
        .repeat(12)
        .into_iter()
        .chain([0, 0, 1].repeat(8))
        .collect();
    let mut state = study(&protocol, &arms, 24);
    let first = protocol.first_opening();
    // The second outcome of the protocol: an accepted and started service in the window.
    for number in 24..48 {
        let day = first.plus(100);
        for service in [
            lottning::protocol::model::Service::Accepted,
            lottning::protocol::model::Service::Started,
        ] {
            let what = What::Serviced {
                family: FamilyIx(number),
                service,
                on: day,
                arm: None,
                by: None,
            };
            apply(&protocol, &mut state, &Event { day, what: &what });
        }
    }
    let cut = Day::of(jiff::civil::date(2027, 6, 1));
    let lock = protocol.lock("final").unwrap();
    let mut plain = (*protocol).clone();
    for analysis in &mut plain.analyses {
        analysis.covariates.clear();
        analysis.test = None;
    }
    let run = |protocol: &Protocol| {
        let plan = Plan::registered(protocol, lock);
        let all = run(protocol, &state, &plan, cut, &RunSettings::default());
        let own = all.analyses.into_iter().find(|own| own.id == "acceptance");
        own.unwrap()
    };
    let adjusted = run(&plain);
    assert!(adjusted.results[0].estimate.unwrap().abs() < 1e-12);
    assert_eq!(adjusted.covariates, ["epoch"]);
    assert_eq!(adjusted.deviations[0].code, "epoch-covariate");

    // An estimator without covariates shows the trend as an effect, and says so.
    for analysis in &mut plain.analyses {
        analysis.estimator = "difference-in-means".into();
    }
    let naive = run(&plain);
    assert!((naive.results[0].estimate.unwrap() - 6.0 / 35.0).abs() < 1e-12);
    assert!(
        naive
            .warnings
            .iter()
            .any(|warning| warning.code == "epochs-not-adjusted")
    );
}

/// What the ledger of deviations says of an amendment of the shipped protocol, in both languages.
fn said(changes: &[(&str, &str)]) -> (String, String) {
    let next = changes.iter().fold(IUH.to_owned(), |text, (was, is)| {
        assert!(text.contains(was), "{was}");
        text.replacen(was, is, 1)
    });
    let before = Arc::new(parse(IUH.as_bytes()).protocol.unwrap());
    let after = parse(next.as_bytes()).protocol.unwrap();
    listed(&carry_on(&before, IUH, after, &next).unwrap())
}

/// What the ledger of deviations says of the amendment that opened the epoch of a protocol, in both languages.
fn listed(protocol: &Protocol) -> (String, String) {
    let settings = RunSettings {
        amendments: vec![Amended {
            epoch: 1,
            day: "2025-06-01".to_owned(),
            actor: "lead-1".to_owned(),
        }],
        ..RunSettings::default()
    };
    let plan = Plan::registered(protocol, 0);
    let state = State::new(protocol);
    let cut = protocol.first_opening();
    let what = run(protocol, &state, &plan, cut, &settings).ledger[0]
        .what
        .clone();
    let own = |text: &str, opening: &str| {
        let text = text
            .strip_prefix(opening)
            .unwrap_or_else(|| panic!("{text}"));
        text.strip_suffix('.').unwrap().to_owned()
    };
    (
        own(&what.en, "Amendment that opened epoch 1: "),
        own(&what.sv, "Ändring som öppnade epok 1: "),
    )
}

/// Every key that an amendment may change is named, and only where nothing but the seed, words and persons is otherwise is that
/// said. What each sentence should hold was written from the table of docs/protocol.md.
#[test]
fn an_amendment_is_named_by_all_that_it_changed() {
    for same in [
        &[][..],
        &[(
            "controller    = { sv = \"stadens",
            "controller    = { sv = \"den stora stadens",
        )],
    ] {
        let (en, sv) = said(same);
        assert_eq!(en, "a new seed, or words and persons alone");
        assert_eq!(sv, "ett nytt frö, eller enbart ord och personer");
    }
    let (en, sv) = said(&[
        (
            "control = 0.40, effect = -0.10",
            "control = 0.35, effect = -0.12",
        ),
        ("sides = 2, power = 0.80", "sides = 1, power = 0.9"),
        ("target  = 712", "target  = 600"),
        (
            "families = 712, or_date = 2027-01-31",
            "or_date = 2027-06-30",
        ),
    ]);
    assert_eq!(
        en,
        "target 712 to 600 families, number of families that ends enrolment 712 to none, \
         last day of enrolment 2027-01-31 to 2027-06-30, \
         proportion in the control arm assumed for the size 0.4 to 0.35, \
         effect assumed for the size -0.1 to -0.12, number of sides assumed for the size 2 to 1, \
         power assumed for the size 0.8 to 0.9"
    );
    assert_eq!(
        sv,
        "mål 712 till 600 familjer, antal familjer som avslutar inskrivningen 712 till inget, \
         sista dag för inskrivning 2027-01-31 till 2027-06-30, \
         andel i kontrollarmen som antas för storleken 0,4 till 0,35, \
         effekt som antas för storleken -0,1 till -0,12, antal sidor som antas för storleken 2 till 1, \
         styrka som antas för storleken 0,8 till 0,9"
    );
    for (was, is, named) in [
        (
            "range = [0, 17]",
            "range = [0, 20]",
            "range of youngest_age",
        ),
        (
            "range = [0, 17]",
            "range = [0, 17]\ncuts = [7]",
            "cuts of youngest_age",
        ),
        (
            "[capacity] ",
            "[violations]\nreasons = [\"other-unit\"]\n\n[capacity] ",
            "reasons of violations or deviations",
        ),
        (
            "[capacity] ",
            "[deviations]\nreasons = [\"other-plan\"]\n\n[capacity] ",
            "reasons of violations or deviations",
        ),
        (
            "[capacity] ",
            "[violations]\ncap = { study_share = 0.1 }\n\n[capacity] ",
            "cap on violations",
        ),
        (
            "[capacity] ",
            "[roles]\nstudy-lead = [\"lead\"]\n\n[capacity] ",
            "whether roles are kept apart",
        ),
        (
            "utilization      = 0.85",
            "utilization      = 0.9",
            "capacity assumed for the plan",
        ),
        (
            "\"incident_date\", ",
            "\"incident_date\", \"place\", ",
            "what events carry",
        ),
        (
            "dpia          = 2025-01-20",
            "dpia          = 2025-01-21",
            "decision on ethics or impact assessment",
        ),
        (
            "decide_within_days = 14",
            "decide_within_days = 21",
            "time limits of the law, or since when reports are complete",
        ),
        (
            "complete_from = 2025-07-01",
            "complete_from = 2025-08-01",
            "time limits of the law, or since when reports are complete",
        ),
        (
            "time_zone ",
            "beacon = { source = \"a lottery\", round = \"3\", time = 2099-03-03T09:00:00+01:00 }\ntime_zone ",
            "public round",
        ),
        (
            "strata = [\"site\"]",
            "strata = []",
            "strata or balanced factors",
        ),
        (
            "max_imbalance = 4",
            "max_imbalance = 5",
            "options of the method",
        ),
        ("ratio = 1", "ratio = 2", "ratio of the arms"),
    ] {
        let (en, sv) = said(&[(was, is)]);
        assert_eq!(en, named);
        assert!(!sv.is_empty() && sv != en, "{sv}");
    }
}

/// Programs before this one let an amendment move what a registered analysis leaves to other sections: its alpha to the assumptions, its
/// strata to the draw, its levels to the cuts. `amend` refuses that now, and a ledger that has it is told of, by every analysis that
/// moved: `primary` and `by-reports` say their own alpha, and `stratified` alone has strata.
#[test]
fn an_analysis_that_an_earlier_program_let_an_amendment_move_is_named() {
    let analysis = |id: &str, estimator: &str, own: &str| {
        format!(
            "\n[[analysis]]\nid = \"{id}\"\nlock = \"final\"\noutcome = \"accepted\"\n\
             estimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"risk-difference\" }}\n\
             estimator = \"{estimator}\"\nmissing = {{ primary = \"not-accepted\" }}\nrole = \"exploratory\"\n{own}\n"
        )
    };
    let label = "label = { sv = \"Tidigare orosanmälningar\"";
    let cut = IUH.replacen(label, &format!("cuts = [3]\n{label}"), 1);
    let stratified = analysis("stratified", "mantel-haenszel", "");
    let subgroups = "subgroups = [\"earlier_reports\"]\nalpha = 0.1";
    let first = cut + &stratified + &analysis("by-reports", "lin", subgroups);
    let before = Arc::new(parse(first.as_bytes()).protocol.unwrap());
    let moved = |changes: &[(&str, &str)]| {
        let next = changes.iter().fold(first.clone(), |text, (was, is)| {
            assert!(text.contains(was), "{was}");
            text.replacen(was, is, 1)
        });
        let after = || parse(next.as_bytes()).protocol.unwrap();
        assert!(carry_on(&before, &first, after(), &next).is_err());
        listed(&after().after(&before))
    };
    let (en, sv) = moved(&[("alpha = 0.05, sides", "alpha = 0.20, sides")]);
    let (of, i) = (
        ["acceptance", "reports-per-family", "stratified"]
            .map(|id| format!("alpha of the analysis `{id}` 0.05 to 0.2")),
        ["acceptance", "reports-per-family", "stratified"]
            .map(|id| format!("alfa i analysen `{id}` 0,05 till 0,2")),
    );
    let (of, i) = (of.join(", "), i.join(", "));
    assert_eq!(en, format!("alpha assumed for the size 0.05 to 0.2, {of}"));
    assert_eq!(
        sv,
        format!("alfa som antas för storleken 0,05 till 0,2, {i}")
    );
    let sites = "strata = [\"site\"]";
    let (en, sv) = moved(&[(sites, "strata = [\"site\", \"earlier_reports\"]")]);
    assert_eq!(
        en,
        "strata or balanced factors, strata of the analysis `stratified` site to site × earlier_reports"
    );
    assert_eq!(
        sv,
        "strata eller balanserade faktorer, strata i analysen `stratified` site till site × earlier_reports"
    );
    let (en, sv) = moved(&[("cuts = [3]", "cuts = [4]")]);
    assert_eq!(
        en,
        "cuts of earlier_reports, levels of earlier_reports that the analysis `by-reports` goes by"
    );
    assert_eq!(
        sv,
        "gränser för earlier_reports, nivåer i earlier_reports som analysen `by-reports` går efter"
    );
}

/// Families to whom nobody is named who delivered the service stand for themselves in a row with clusters, so that an event that is to
/// say it goes on to; what else it carries is free, and so is this where no analysis goes by it.
#[test]
fn an_amendment_keeps_what_clusters_go_by() {
    let event =
        |carries: &str| format!("[[event]]\nid = \"started\"\ncarries = [{carries}]\n\n[exits]");
    let carried = |from: &str, was: &str, is: &str| {
        let first = from.replacen("[exits]", &event(was), 1);
        let next = from.replacen("[exits]", &event(is), 1);
        let read = |text: &str| parse(text.as_bytes()).protocol.unwrap();
        carry_on(&Arc::new(read(&first)), &first, read(&next), &next)
    };
    let refused = carried(IUH, "\"delivered_by\", \"room\"", "\"room\"").unwrap_err();
    assert_eq!((refused.len(), refused[0].code), (1, "not-amendable"));
    assert_eq!(
        refused[0].message.en,
        "the analysis `primary` goes by who delivered the service, so `started` goes on to carry `delivered_by`"
    );
    assert!(carried(IUH, "\"delivered_by\", \"room\"", "\"delivered_by\"").is_ok());
    let plain = IUH.replace("sensitivity_clusters = \"delivered-by\"\n", "");
    assert!(carried(&plain, "\"delivered_by\", \"room\"", "\"room\"").is_ok());
}

/// The days with a closed gate at the first site, until 31 March 2025, of a study whose capacity there is nothing from 10 February on
/// (so whole days with a closed gate from the 11th), with two families on 15 February, amended on 20 March; the value of a public
/// round that the amendment waits for is recorded on 25 March.
fn closed(first: &[(&str, &str)], later: &[(&str, &str)]) -> Vec<(String, String)> {
    let changed = |changes: &[(&str, &str)]| {
        changes.iter().fold(IUH.to_owned(), |text, (was, is)| {
            assert!(text.contains(was), "{was}");
            text.replacen(was, is, 1)
        })
    };
    let (first, next) = (changed(first), changed(later));
    let before = Arc::new(parse(first.as_bytes()).protocol.unwrap());
    let after = parse(next.as_bytes()).protocol.unwrap();
    let awaits = after.study.beacon.is_some();
    let protocol = carry_on(&before, &first, after, &next).unwrap();
    let mut state = State::new(&protocol);
    let on = |month: i8, day: i8| Day::of(jiff::civil::date(2025, month, day));
    let mut event =
        |day: Day, what: What| apply(&protocol, &mut state, &Event { day, what: &what });
    event(on(2, 3), What::Opened);
    event(
        on(2, 10),
        What::CapacityChanged {
            site: SiteIx(0),
            on: on(2, 10),
            therapists: 0,
        },
    );
    for number in 0..2 {
        let family = FamilyIx(number);
        event(
            on(2, 15),
            What::Screened(Screening {
                family,
                site: SiteIx(1),
                report: ReportIx(number),
                received: on(2, 15),
                children: Roster::EMPTY,
                answers: 1,
                values: [3; MAX_FIELDS],
                verdict: Verdict::Drawn,
                changed: false,
            }),
        );
        event(
            on(2, 15),
            What::Allocated {
                family,
                site: SiteIx(1),
                epoch: 0,
                stratum: 1,
                cell: 0,
                draw: number,
                arm: Arm(1),
                allocation: number + 1,
            },
        );
    }
    event(on(3, 20), What::EpochOpened { epoch: 1 });
    if awaits {
        event(on(3, 25), What::Beacon { epoch: 1 });
    }
    let flow = sites(&protocol, &state, on(3, 31));
    assert!(flow[1..].iter().all(|own| own.gate_closed.is_empty()));
    let text = |day: Day| day.date().unwrap().to_string();
    let ranges = flow[0].gate_closed.iter();
    ranges.map(|(from, to)| (text(*from), text(*to))).collect()
}

/// A day counts as one with a closed gate only if the study enrolled on it, by the protocol that was in force: an amendment moves no
/// day that has been. The ranges are read off the calendar.
#[test]
fn days_on_which_enrolment_had_ended_are_none_with_a_closed_gate() {
    let last = |is: &'static str| ("or_date = 2027-01-31", is);
    let long = last("or_date = 2025-12-31");
    let short = last("or_date = 2025-02-28");
    let two = ("families = 712,", "families = 2,");
    let round = (
        "time_zone ",
        "beacon = { source = \"a lottery\", round = \"3\", time = 2025-03-24T09:00:00+01:00 }\ntime_zone ",
    );
    let range = |from: &str, to: &str| (format!("2025-{from}"), format!("2025-{to}"));
    for (first, later, expected) in [
        // Nothing ends: an amendment in between is no gap.
        (&[][..], &[long][..], vec![range("02-11", "03-31")]),
        // The last day had passed when it was amended.
        (
            &[short],
            &[long],
            vec![range("02-11", "02-28"), range("03-20", "03-31")],
        ),
        // The registered number had been reached.
        (
            &[two],
            &[],
            vec![range("02-11", "02-15"), range("03-20", "03-31")],
        ),
        // An earlier last day takes nothing back of what was before the amendment.
        (&[], &[short], vec![range("02-11", "03-19")]),
        // The draws of the epoch wait for a public round.
        (
            &[],
            &[round],
            vec![range("02-11", "03-19"), range("03-25", "03-31")],
        ),
    ] {
        assert_eq!(closed(first, later), expected, "{first:?} {later:?}");
    }
}
