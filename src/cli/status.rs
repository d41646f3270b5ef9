//! `lottning status`.

use clap::Args;
use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::caps::words_of;
use crate::app::status::{Status as Counted, conduct, names, received_own, slots, status, today};
use crate::app::study::Study;
use crate::diagnostic::{Lang, Words};
use crate::protocol::model::Named;
use crate::report::alert;
use crate::study::conduct::{Conduct, Direction};
use crate::study::slots::FreedByIntake;
use crate::words;

use super::acting::{At, head};
use super::output::{Cell, Document, Grid};
use super::session::Session;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    at: At,

    /// Add whether switches of service lean one way, and more of how the study was run: for the study lead, not for intake
    #[arg(long)]
    conduct: bool,
}

impl Status {
    /// Says how the study goes.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let mut study = Study::load(&session.outside, &self.at.study)?;
        let own = status(&study, today(&session.outside, &study));
        let sites: Vec<Value> = own
            .sites
            .iter()
            .map(|site| {
                json!({
                    "site": site.site, "enrols": site.enrols, "gate": site.gate,
                    "screened": site.screened, "randomized": site.randomized,
                    "turned_away": site.turned_away, "days_closed": site.days_closed,
                })
            })
            .collect();
        let locks: Vec<Value> = own
            .locks
            .iter()
            .map(|(lock, cut, sequence)| json!({ "lock": lock, "cut": cut, "sequence": sequence }))
            .collect();
        let violations: serde_json::Map<String, Value> = own
            .violations
            .iter()
            .map(|(reason, families)| (reason.clone(), json!(families)))
            .collect();
        let alerts: Vec<Value> = own
            .alerts
            .iter()
            .map(|passed| alert(study.protocol(), passed))
            .collect();
        let mut body = json!({
            "study": own.study, "protocol_hash": own.protocol_hash, "mode": own.mode,
            "cut_off": own.cut_off, "enrolment": own.enrolment, "last_day": own.last_day, "as_of": own.as_of,
            "days_closed_until": own.closed_until, "epoch": own.epoch,
            "epochs": (0..).zip(&own.epochs).map(|(epoch, randomized): (u32, _)| json!({ "epoch": epoch, "randomized": randomized })).collect::<Vec<_>>(),
            "commitments": own.commitments,
            "typed_time": own.typed_time, "awaits_beacon": own.awaits_beacon, "events": own.events, "last_event": own.last_event,
            "screened": own.screened, "randomized": own.randomized, "target": own.target,
            "not_eligible": own.not_eligible, "turned_away": own.turned_away,
            "exceptions": own.exceptions, "violations": violations, "alerts": alerts,
            "changed_answers": own.changed_answers.len(), "changed_families": own.changed_answers,
            "changed_between_reports": own.changed_between,
            "screened_under_two_names": own.two_names.iter().map(|(later, before)| json!({ "family": later, "before": before })).collect::<Vec<_>>(),
            "linked": own.linked, "erased": own.erased,
            "custody": study.protocol().study.custody.text(), "locks": locks, "revealed": own.revealed, "sites": sites, "head": own.head,
        });
        let mut grid = Grid::new()
            .column("site", Words::new("site", "enhet"))
            .column("gate", Words::new("gate", "spärr"))
            .column("screened", Words::new("screened", "screenade"))
            .column("randomized", Words::new("randomized", "lottade"))
            .column("turned_away", Words::new("turned away", "avvisade"))
            .column(
                "days_closed",
                Words::new("whole days closed", "hela dagar med intagsstopp"),
            );
        for site in &own.sites {
            let gate = match (site.enrols, site.gate) {
                (false, _) => Words::new("does not enrol", "tar inte in familjer"),
                (true, "open") => Words::new("open", "öppen"),
                (true, _) => Words::new("closed", "intagsstopp"),
            };
            grid.row([
                Cell::text(site.site.clone()),
                Cell::Words(gate),
                Cell::count(site.screened),
                Cell::count(site.randomized),
                Cell::count(site.turned_away),
                Cell::count(usize::try_from(site.days_closed).unwrap_or(0)),
            ]);
        }
        let run = self.conduct.then(|| conduct(&study));
        let direction = run.as_ref().and_then(|own| own.direction);
        if let Some(run) = &run {
            for (key, families) in [
                ("exceptions_withdrawn", &run.exception_withdrawn),
                ("exceptions_after_draw", &run.exception_after_draw),
                ("answers_changed_after_draw", &run.answers_after_draw),
            ] {
                body[key] = json!(names(&study.journal, families));
            }
            let pairs = drawn_before(&study, run);
            let pairs = pairs
                .iter()
                .map(|(later, before)| json!({ "family": later, "before": before }));
            body["perhaps_drawn_before"] = pairs.collect();
            body["switches"] = direction.map_or(Value::Null, |own| {
                let arm = study.protocol().arms.get(own.toward.index());
                json!({
                    "toward": arm.map(|arm| &arm.id), "to": own.to, "of": own.of,
                    "expected_share": own.expected, "p_value": own.p_value,
                })
            });
        }
        let own_service = if self.conduct {
            let families = received_own(&study);
            body["wrong_service_of_own_arm"] = json!(families);
            families
        } else {
            Vec::new()
        };
        let slots = if self.conduct {
            let slots = slots(&mut study)?;
            body["slots_freed_by_intake"] = json!({
                "freed": slots.freed, "retracted": slots.retracted, "drawn": slots.drawn,
            });
            Some(slots)
        } else {
            None
        };
        let mut notes = counts(&own, &study.protocol().violations.reasons);
        if study.protocol().gate.is_some() {
            notes.push(closed_until(&own));
        }
        notes.extend(
            own.alerts
                .iter()
                .map(|passed| words_of(study.protocol(), passed))
                .map(|Words { en, sv }| words!("Cap passed: {en}.", "Tak passerat: {sv}.")),
        );
        if !own.changed_answers.is_empty() {
            let list = own.changed_answers.join(", ");
            notes.push(words!(
                "Answers changed between screenings of the same report: {list}.",
                "Svaren ändrades mellan screeningar av samma anmälan: {list}."
            ));
        }
        if !own.changed_between.is_empty() {
            let list = own.changed_between.join(", ");
            notes.push(words!(
                "Answers differ between reports, before the draw: {list}.",
                "Svaren skiljer sig mellan anmälningar, före lottningen: {list}."
            ));
        }
        if !own.two_names.is_empty() {
            let pairs = own.two_names.iter();
            let list: Vec<String> = pairs
                .map(|(later, before)| format!("{later} ({before})"))
                .collect();
            let list = list.join(", ");
            notes.push(words!(
                "Screened under another name before, without being randomized: {list}.",
                "Screenade under ett annat namn tidigare, utan att lottas: {list}."
            ));
        }
        if !own_service.is_empty() {
            let list = own_service.join(", ");
            notes.push(words!(
                "Recorded as given the wrong service, though it is that of their own arm: {list}. Correct it.",
                "Registrerade som felaktig insats fast det är den egna armens: {list}. Rätta det."
            ));
        }
        if let Some(run) = &run {
            notes.extend(left_aside(&study, run));
            notes.push(leaning(&study, direction));
        }
        notes.extend(slots.filter(|own| own.freed > 0).map(freed));
        if own.epochs.len() > 1 {
            notes.push(epochs(&own.epochs));
        }
        notes.extend(commitments(&own.commitments));
        if own.typed_time && own.mode == "live" {
            notes.push(typed_time());
        }
        let (id, randomized, target) = (&own.study, own.randomized, own.target);
        let (screened, events) = (own.screened, own.events);
        let mut document = Document::new("status/1", &body)?
            .text(words!(
                "{id}: {randomized} of {target} planned families are randomized, {screened} were screened; {events} events.",
                "{id}: {randomized} av {target} planerade familjer är lottade, {screened} har screenats; {events} händelser."
            ))
            .grid(grid);
        for note in notes {
            document = document.text(note);
        }
        let custody = study.protocol().study.custody;
        Ok(document
            .text(custody.meaning(study.protocol().roles.is_some()))
            .text(head(&own.head))
            .text(Words::new(
                "Keep this head outside the study: rows that are missing at the end of the ledger are found with it alone (`lottning verify --expect-head <head>`).",
                "Spara huvudet utanför studien: rader som saknas i slutet av liggaren upptäcks bara med det (`lottning verify --expect-head <huvud>`).",
            ))
            .receipt())
    }
}

/// What the table has no column for: why families were not randomized, what happened against the protocol, what was linked,
/// erased or locked, and what enrolment waits for.
fn counts(own: &Counted, reasons: &[Named]) -> Vec<Words> {
    let mut notes = vec![match own.enrolment {
        _ if own.cut_off => Words::new(
            "The draw or exception of the last screening is missing: rows were cut off, and nothing more is recorded. Keep the file as it is, put back the last copy that holds (`lottning verify`) and tell the study lead [screening-without-outcome].",
            "Lottningen eller undantaget efter den sista screeningen saknas: rader har klippts bort, och inget mer registreras. Behåll filen som den är, lägg tillbaka den senaste kopian som håller (`lottning verify`) och meddela studieledaren [screening-without-outcome].",
        ),
        "closed" => Words::new(
            "Enrolment is closed by the final lock.",
            "Inskrivningen är avslutad genom den slutliga låsningen.",
        ),
        "target-reached" => Words::new(
            "Enrolment has ended: the registered number of families is randomized.",
            "Inskrivningen är avslutad: det registrerade antalet familjer har lottats.",
        ),
        "past-last-day" => {
            let last = own.last_day.as_deref().unwrap_or_default();
            words!(
                "Enrolment ended on {last}, the registered last day.",
                "Inskrivningen avslutades {last}, den registrerade sista dagen."
            )
        }
        _ if own.awaits_beacon => Words::new(
            "Nobody is randomized until the value of the public round is recorded (`lottning beacon`).",
            "Ingen lottas förrän den offentliga omgångens värde är registrerat (`lottning beacon`).",
        ),
        _ => Words::new("Enrolment is open.", "Inskrivningen pågår."),
    }];
    let (missed, turned, excepted) = (own.not_eligible, own.turned_away, own.exceptions);
    notes.push(words!(
        "Screened and not randomized: {missed} not eligible, {turned} turned away by a closed gate, {excepted} taken out by an exception.",
        "Screenade men inte lottade: {missed} uppfyllde inte kriterierna, {turned} avvisades vid intagsstopp, {excepted} undantogs."
    ));
    let violations = own.violations.iter().filter(|(_, families)| *families > 0);
    let named = |id: &String, lang: Lang| {
        let reason = reasons.iter().find(|reason| reason.id == *id);
        reason.map_or(id.clone(), |reason| reason.label.get(lang).to_owned())
    };
    let list = |lang: Lang| {
        let each = violations.clone();
        let each = each.map(|(id, families)| format!("{}: {families}", named(id, lang)));
        each.collect::<Vec<_>>().join("; ")
    };
    let (list_en, list_sv) = (list(Lang::En), list(Lang::Sv));
    notes.push(if list_en.is_empty() {
        Words::new("No violation is recorded.", "Inget avsteg är registrerat.")
    } else {
        words!(
            "Families with a violation, all arms together: {list_en}.",
            "Familjer med avsteg, alla armar tillsammans: {list_sv}."
        )
    });
    if own.linked + own.erased > 0 {
        let (linked, erased) = (own.linked, own.erased);
        notes.push(words!(
            "Later draws of families found to be one: {linked}; families erased: {erased}.",
            "Senare lottningar av familjer som visade sig vara samma familj: {linked}; raderade familjer: {erased}."
        ));
    }
    for (lock, cut, sequence) in &own.locks {
        notes.push(words!(
            "Locked: {lock}, with the cut {cut} (event {sequence}).",
            "Låst: {lock}, med brytdatum {cut} (händelse {sequence})."
        ));
    }
    if own.revealed {
        notes.push(Words::new(
            "The seeds are published.",
            "Fröna är publicerade.",
        ));
    }
    notes
}

/// Until when whole days with a closed gate are counted: the last day of enrolment that has ended.
fn closed_until(own: &Counted) -> Words {
    let until = &own.closed_until;
    if own.typed_time && own.enrolment == "open" && own.closed_until_yesterday {
        words!(
            "Whole days closed are counted until {until}, the day before the last event.",
            "Hela dagar med intagsstopp räknas till och med {until}, dagen före den senaste händelsen."
        )
    } else {
        words!(
            "Whole days closed are counted until {until}.",
            "Hela dagar med intagsstopp räknas till och med {until}."
        )
    }
}

/// Exceptions that went or came too late, and answers that changed after the draw, if there are any.
fn left_aside(study: &Study, run: &Conduct) -> Vec<Words> {
    let list = |families| names(&study.journal, families).join(", ");
    let mut notes = Vec::new();
    if !run.of_a_drawn.is_empty() {
        let pairs = drawn_before(study, run);
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(later, before)| format!("{later} ({before})"))
            .collect();
        let list = pairs.join(", ");
        notes.push(words!(
            "May have been drawn before under another name, by a report or a child: {list}. Link those that are one family.",
            "Kan ha lottats förut under ett annat namn, enligt en anmälan eller ett barn: {list}. Koppla ihop dem som är en familj."
        ));
    }
    if !run.exception_withdrawn.is_empty() {
        let list = list(&run.exception_withdrawn);
        notes.push(words!(
            "Taken out by an exception, then screened without it for the same report: {list}.",
            "Undantagna, sedan screenade utan undantag för samma anmälan: {list}."
        ));
    }
    if !run.exception_after_draw.is_empty() {
        let list = list(&run.exception_after_draw);
        notes.push(words!(
            "An exception was declared after the draw: {list}.",
            "Undantag angavs efter lottningen: {list}."
        ));
    }
    if !run.answers_after_draw.is_empty() {
        let list = list(&run.answers_after_draw);
        notes.push(words!(
            "Answers to a screened report changed after the draw: {list}.",
            "Svaren för en screenad anmälan ändrades efter lottningen: {list}."
        ));
    }
    notes
}

/// Families that may have been drawn before, each with the one that was.
fn drawn_before(study: &Study, run: &Conduct) -> Vec<(String, String)> {
    let (names, state) = (&study.journal.names, &study.journal.state);
    let pairs = run.of_a_drawn.iter().filter_map(|later| {
        let before = state.unit(state.family(*later)?.came_from?);
        Some((
            names.family_name(*later).to_owned(),
            names.family_name(before).to_owned(),
        ))
    });
    pairs.collect()
}

/// How many families were drawn in each epoch.
fn epochs(randomized: &[usize]) -> Words {
    let list: Vec<String> = randomized.iter().map(ToString::to_string).collect();
    let (number, list) = (randomized.len(), list.join(", "));
    words!(
        "{number} epochs; families randomized in each, from epoch 0: {list}.",
        "{number} epoker; lottade familjer i var och en, från epok 0: {list}."
    )
}

/// The public commitments, for whoever opened the study and lost the receipt, and for whoever holds a published seed
/// against them.
fn commitments(each: &[String]) -> Vec<Words> {
    let each = each.iter().enumerate();
    each.map(|(epoch, commitment)| {
        words!(
            "Commitment to the seed of epoch {epoch}, public: {commitment}",
            "Utfästelse om fröet för epok {epoch}, offentlig: {commitment}"
        )
    })
    .collect()
}

/// Slots that were freed by people who screen.
fn freed(own: FreedByIntake) -> Words {
    let (freed, retracted, drawn) = (own.freed, own.retracted, own.drawn);
    words!(
        "For the study lead: slots freed by somebody who screens families: {freed}; by an event that was retracted later: {retracted}; families drawn who needed such a slot: {drawn}.",
        "Till studieledaren: platser som frigjorts av någon som screenar familjer: {freed}; av en händelse som senare återtogs: {retracted}; familjer som lottats och behövde en sådan plats: {drawn}."
    )
}

/// That a study follows typed times.
pub(super) fn typed_time() -> Words {
    Words::new(
        "The study was opened at a typed time: it follows typed times, and none is refused for being ahead of the clock.",
        "Studien öppnades vid en angiven tidpunkt: den följer angivna tider, och ingen tid avvisas för att den ligger framför klockan.",
    )
}

/// Whether switches lean, in a sentence that says who should read it.
fn leaning(study: &Study, direction: Option<Direction>) -> Words {
    let Some(direction) = direction else {
        return Words::new(
            "For the study lead: the protocol has no one arm that switches could lean towards.",
            "Till studieledaren: protokollet har ingen enskild arm som byten skulle kunna dra åt.",
        );
    };
    if direction.of == 0 {
        return Words::new(
            "For the study lead: no family was moved to another arm's service.",
            "Till studieledaren: ingen familj har flyttats till en annan arms insats.",
        );
    }
    let arm = study.protocol().arms.get(direction.toward.index());
    let (arm_en, arm_sv) = arm.map_or_else(Default::default, |arm| {
        let (Words { en, sv }, id) = (&arm.label, &arm.id);
        (format!("{en} (`{id}`)"), format!("{sv} (`{id}`)"))
    });
    let (to, of) = (direction.to, direction.of);
    let share = format!("{:.2}", direction.expected);
    let p = format!("{:.4}", direction.p_value);
    let (share_sv, p_sv) = (share.replace('.', ","), p.replace('.', ","));
    words!(
        "For the study lead, not for intake: {to} of {of} families that switched went to {arm_en}; a share of {share} is expected when switches do not lean (one-sided exact p = {p}).",
        "Till studieledaren, inte till mottagningen: av {of} familjer som bytte insats gick {to} till {arm_sv}; om byten inte drar åt något håll väntas andelen {share_sv} (ensidigt exakt p = {p_sv})."
    )
}
