//! The pre-analysis plan as Markdown, written from the protocol alone, in Swedish or English.
//!
//! Who, where and how families are drawn is here; what is followed and computed is in `follow_up`. Every sentence is an answer of the protocol in words; nothing is promised here that the file does not say. Numbers
//! that `check` computes (power, capacity) are not part of the plan.

mod follow_up;

use crate::diagnostic::{Lang, Words};
use crate::protocol::Protocol;
use crate::protocol::model::{
    Check, Factor, Field, FieldKind, Joins, MAX_COUNT, Named, Returns, Service, decimal,
};
use crate::words;

/// The plan in one language, ending with a newline.
pub fn markdown(protocol: &Protocol, lang: Lang) -> String {
    let mut plan = Plan {
        lang,
        text: String::new(),
    };
    study(&mut plan, protocol);
    participants(&mut plan, protocol);
    eligibility(&mut plan, protocol);
    allocation(&mut plan, protocol);
    gate(&mut plan, protocol);
    roles(&mut plan, protocol);
    follow_up::outcomes(&mut plan, protocol);
    follow_up::locks(&mut plan, protocol);
    follow_up::analyses(&mut plan, protocol);
    plan.text
}

struct Plan {
    lang: Lang,
    text: String,
}

impl Plan {
    fn heading(&mut self, words: &Words) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str("## ");
        self.text.push_str(words.get(self.lang));
        self.text.push_str("\n\n");
    }

    fn item(&mut self, words: &Words) {
        self.text.push_str("- ");
        self.text.push_str(words.get(self.lang));
        self.text.push('\n');
    }

    fn line(&mut self, words: &Words) {
        self.text.push_str(words.get(self.lang));
        self.text.push('\n');
    }
}

fn study(plan: &mut Plan, protocol: &Protocol) {
    let study = &protocol.study;
    let Words { en, sv } = &study.title;
    plan.line(&words!("# {en}\n", "# {sv}\n"));
    let (id, hash) = (&study.id, protocol.hash.to_hex());
    plan.line(&words!(
        "Pre-analysis plan of the study `{id}`, written from the protocol with the hash `{hash}`.\nThe protocol decides where the two differ.\n",
        "Analysplan för studien `{id}`, skriven ur protokollet med hashen `{hash}`.\nProtokollet gäller om de skiljer sig åt.\n"
    ));
    let Words { en, sv } = &study.registration;
    plan.item(&words!("Registration: {en}.", "Registrering: {sv}."));
    let Words { en, sv } = &study.controller;
    plan.item(&words!(
        "Data controller: {en}.",
        "Personuppgiftsansvarig: {sv}."
    ));
    match &study.ethics {
        Some(ethics) => {
            let (decision, date) = (&ethics.decision, ethics.date);
            plan.item(&words!(
                "Ethics decision: {decision}, {date}.",
                "Etikbeslut: {decision}, {date}."
            ));
        }
        None => plan.item(&words!(
            "Ethics decision: not yet given.",
            "Etikbeslut: ännu inte fattat."
        )),
    }
    match study.dpia {
        Some(date) => plan.item(&words!(
            "Data-protection impact assessment: {date}.",
            "Konsekvensbedömning avseende dataskydd: {date}."
        )),
        None => plan.item(&words!(
            "Data-protection impact assessment: not yet made.",
            "Konsekvensbedömning avseende dataskydd: ännu inte gjord."
        )),
    }
    let assumed = protocol.sample_size.assumed;
    let target = protocol.sample_size.target;
    let percent = |value: f64| tidy(100.0 * value).replace('-', "−");
    let (control, effect, power) = (
        percent(assumed.control),
        percent(assumed.effect),
        percent(assumed.power),
    );
    let alpha = tidy(assumed.alpha);
    let (sides_en, sides_sv) = if assumed.sides == 1 {
        ("one-sided", "ensidigt")
    } else {
        ("two-sided", "tvåsidigt")
    };
    plan.item(&with_commas(words!(
        "Planned size: {target} families, for {power} % power at a control proportion of {control} % and a difference of {effect} percentage points (alpha {alpha}, {sides_en}).",
        "Planerad storlek: {target} familjer, för {power} % styrka vid {control} % i jämförelsearmen och en skillnad på {effect} procentenheter (alfa {alpha}, {sides_sv})."
    )));
    let families = protocol.sample_size.stop_families;
    let date = protocol.sample_size.stop_date;
    plan.item(&match (families, date) {
        (Some(families), Some(date)) => words!(
            "Enrolment stops at {families} families or after {date}, whichever comes first.",
            "Lottningen slutar vid {families} familjer eller efter {date}, det som kommer först."
        ),
        (Some(families), None) => words!(
            "Enrolment stops at {families} families.",
            "Lottningen slutar vid {families} familjer."
        ),
        (None, Some(date)) => words!(
            "Enrolment stops after {date}.",
            "Lottningen slutar efter {date}."
        ),
        (None, None) => words!(
            "Enrolment stops at the final lock.",
            "Lottningen slutar vid den slutliga låsningen."
        ),
    });
}

/// A number without trailing zeros, at most four decimals.
fn tidy(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Decimal commas between digits in the Swedish text.
fn with_commas(words: Words) -> Words {
    let letters: Vec<char> = words.sv.chars().collect();
    let sv = letters
        .iter()
        .enumerate()
        .map(|(at, letter)| {
            let digit = |at: Option<usize>| {
                at.and_then(|at| letters.get(at))
                    .is_some_and(char::is_ascii_digit)
            };
            if *letter == '.' && digit(at.checked_sub(1)) && digit(Some(at + 1)) {
                ','
            } else {
                *letter
            }
        })
        .collect();
    Words { sv, ..words }
}

fn participants(plan: &mut Plan, protocol: &Protocol) {
    plan.heading(&words!("Sites and arms", "Enheter och armar"));
    for site in &protocol.sites {
        let (name, opens, therapists) = (&site.name, site.opens, site.therapists);
        plan.item(&words!(
            "{name}: opens {opens}, therapists: {therapists}.",
            "{name}: öppnar {opens}, behandlare: {therapists}."
        ));
    }
    plan.line(&words!("\nArms:\n", "\nArmar:\n"));
    for (index, arm) in protocol.arms.iter().enumerate() {
        let Words { en, sv } = &arm.label;
        let id = &arm.id;
        plan.item(&if index == protocol.control.index() {
            words!("`{id}`: {en} (control).", "`{id}`: {sv} (jämförelsearm).")
        } else {
            words!("`{id}`: {en}.", "`{id}`: {sv}.")
        });
    }
    plan.line(&Words::default());
    plan.line(&words!(
        "The unit is the family. Its members are those of the roster at randomization. If two families prove to be one, the first lot counts.",
        "Enheten är familjen. Dess medlemmar är de som står i förteckningen vid lottningen. Om två familjer visar sig vara en gäller den första lotten."
    ));
    match protocol.unit.returns {
        Returns::KeepUntilStudyEnd => plan.line(&words!(
            "A family that is reported again keeps its arm until the end of the study.",
            "En familj som anmäls igen behåller sin arm till studiens slut."
        )),
    }
    match protocol.unit.joins {
        Joins::KeepArm => plan.line(&words!(
            "A sibling who is reported later gets the family's arm and is reported apart.",
            "Ett syskon som anmäls senare får familjens arm och redovisas för sig."
        )),
    }
}

fn eligibility(plan: &mut Plan, protocol: &Protocol) {
    plan.heading(&words!("Eligibility", "Villkor för att delta"));
    for criterion in &protocol.criteria {
        let id = &criterion.id;
        plan.item(&match &criterion.check {
            Check::Ask {
                question,
                include_if,
            } => {
                let Words { en, sv } = question;
                let (answer_en, answer_sv) = if *include_if {
                    ("yes", "ja")
                } else {
                    ("no", "nej")
                };
                words!(
                    "`{id}`: “{en}” must be answered {answer_en}.",
                    "`{id}`: ”{sv}” ska besvaras med {answer_sv}."
                )
            }
            Check::Rule { text, .. } => words!(
                "`{id}`: computed, `{text}` must hold.",
                "`{id}`: beräknas, `{text}` ska gälla."
            ),
        });
    }
    if protocol.criteria.is_empty() {
        plan.line(&words!("No criteria.", "Inga villkor."));
    }
    if !protocol.fields.is_empty() {
        plan.line(&words!(
            "\nRecorded before the gate and the draw, and frozen there:\n",
            "\nRegistreras före spärren och lottningen, och fryses där:\n"
        ));
    }
    for field in &protocol.fields {
        let Words { en, sv } = &field.label;
        let (id, shape) = (&field.id, shape(field));
        let Words {
            en: shape_en,
            sv: shape_sv,
        } = &shape;
        plan.item(&words!(
            "{en} (`{id}`): {shape_en}.",
            "{sv} (`{id}`): {shape_sv}."
        ));
    }
    let exceptions = &protocol.exceptions;
    if !exceptions.reasons.is_empty() {
        let Words { en, sv } = named(&exceptions.reasons);
        plan.line(&words!(
            "\nA family is not randomized by a declared exception only, before the draw: {en}.",
            "\nEn familj undantas från lottning endast av ett deklarerat skäl, före lottningen: {sv}."
        ));
    }
    let Words { en, sv } = named(&protocol.violations.reasons);
    plan.line(&words!(
        "\nA violation after the draw is documented and never corrected in the draw (Yelland et al. 2018, doi 10.1177/1740774518761627): {en}. Randomized families stay in the randomized set, in their arm.",
        "\nEtt avsteg efter lottningen dokumenteras och rättas aldrig i lottningen (Yelland m.fl. 2018, doi 10.1177/1740774518761627): {sv}. Lottade familjer är kvar bland de lottade, i sin grupp."
    ));
}

fn shape(field: &Field) -> Words {
    let with_unit = |range: Words, unit: &Option<Words>| match unit {
        None => range,
        Some(unit) => Words::new(
            format!("{} {}", range.en, unit.en),
            format!("{} {}", range.sv, unit.sv),
        ),
    };
    match &field.kind {
        FieldKind::Count { range, unit } => {
            let (least, most) = range;
            let range = if *most == MAX_COUNT {
                words!("a whole number from {least}", "ett heltal från {least}")
            } else {
                words!(
                    "a whole number from {least} to {most}",
                    "ett heltal från {least} till {most}"
                )
            };
            with_unit(range, unit)
        }
        FieldKind::Number {
            range,
            places,
            unit,
        } => {
            let (least, most) = (decimal(range.0, *places), decimal(range.1, *places));
            let range = words!(
                "a number from {least} to {most}",
                "ett tal från {least} till {most}"
            );
            with_unit(with_commas(range), unit)
        }
        FieldKind::Choice { levels } => {
            let Words { en, sv } = named(levels);
            words!("one of {en}", "en av {sv}")
        }
        FieldKind::YesNo => words!("yes or no", "ja eller nej"),
    }
}

/// Names for people, each with its identifier, joined by commas.
fn named(list: &[Named]) -> Words {
    let text = |lang: Lang| {
        let texts: Vec<String> = list
            .iter()
            .map(|named| format!("{} (`{}`)", named.label.get(lang), named.id))
            .collect();
        texts.join(", ")
    };
    Words::new(text(Lang::En), text(Lang::Sv))
}

fn factor(protocol: &Protocol, factor: Factor) -> Words {
    match factor {
        Factor::Site => words!("site", "enhet"),
        Factor::Field(index) => protocol.fields[index].label.clone(),
    }
}

fn joined(words: &[Words]) -> Words {
    Words::new(
        words
            .iter()
            .map(|w| w.en.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        words
            .iter()
            .map(|w| w.sv.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    )
}

fn allocation(plan: &mut Plan, protocol: &Protocol) {
    plan.heading(&words!("Allocation", "Lottning"));
    let allocation = &protocol.allocation;
    let (method, ratio) = (&allocation.method, allocation.ratio);
    let options = allocation
        .options
        .0
        .iter()
        .map(|(name, text)| format!("`{name}` = {text}"))
        .collect::<Vec<_>>()
        .join(", ");
    let options = if options.is_empty() {
        options
    } else {
        format!(" ({options})")
    };
    plan.item(&words!(
        "Method `{method}`{options}, ratio {ratio} in the order of the arms above.",
        "Metod `{method}`{options}, förhållande {ratio} i armarnas ordning ovan."
    ));
    let factors: Vec<Words> = allocation
        .strata
        .iter()
        .map(|own| factor(protocol, *own))
        .collect();
    if factors.is_empty() {
        plan.item(&words!("Not stratified.", "Utan stratifiering."));
    } else {
        let Words { en, sv } = joined(&factors);
        plan.item(&words!("Stratified by {en}.", "Stratifierad efter {sv}."));
    }
    plan.item(&words!(
        "The seed is committed to before the first draw and published after the final lock; every draw can then be derived again (docs/allocation-spec.md).",
        "Studien binds till lottfröet före den första lottningen, och fröet publiceras efter den slutliga låsningen; varje lottning kan då härledas på nytt (docs/allocation-spec.md)."
    ));
    plan.item(&words!(
        "Custody of the seed: single user. Whoever runs `enrol` could read it; concealment rests on trust in that account.",
        "Förvaring av lottfröet: en användare. Den som kör `enrol` skulle kunna läsa det; att lotterna är dolda vilar på förtroende för den som har kontot."
    ));
}

fn services(list: &[Service]) -> String {
    list.iter()
        .map(|service| format!("`{}`", service.text()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn roles(plan: &mut Plan, protocol: &Protocol) {
    let Some(roles) = &protocol.roles else { return };
    plan.heading(&words!("Roles", "Roller"));
    for (role, actors) in &roles.actors {
        let (role, actors) = (role.text(), actors.join(", "));
        plan.item(&words!("{role}: {actors}.", "{role}: {actors}."));
    }
}

fn gate(plan: &mut Plan, protocol: &Protocol) {
    let Some(gate) = &protocol.gate else { return };
    plan.heading(&words!("Capacity", "Kapacitet"));
    let arm = &protocol.arms[gate.arm.index()].id;
    let (per, released) = (gate.families_per_therapist, services(&gate.released_by));
    plan.line(&words!(
        "A site randomizes only while a slot of `{arm}` is free: therapists × {per} families. A slot is held from allocation until {released} or a switch away. The gate is decided before the draw and never tilts it.",
        "En enhet lottar bara när en plats i `{arm}` är ledig: behandlare × {per} familjer. En plats hålls från lottningen till {released} eller byte till en annan arm. Spärren avgörs före lottningen och påverkar aldrig den."
    ));
    plan.line(&if gate.turned_away_may_return {
        words!(
            "A family that is turned away is counted and may be screened again.",
            "En familj som nekas räknas och får prövas igen."
        )
    } else {
        words!(
            "A family that is turned away is counted and not screened again.",
            "En familj som nekas räknas och prövas inte igen."
        )
    });
    plan.line(&words!(
        "Nobody both screens families and changes capacity, opens or closes a site. Families that are turned away and never randomized are followed from that day, and compared with nobody.",
        "Ingen både prövar familjer och ändrar kapacitet, öppnar eller stänger en enhet. Familjer som nekas och aldrig lottas följs från den dagen, och jämförs inte med någon."
    ));
}
