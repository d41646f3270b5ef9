//! `[study]`: identity, permissions, time zone, custody, time limits of the law.

use super::beacon;
use crate::diagnostic::Words;
use crate::protocol::findings::Findings;
use crate::protocol::model::{Ascertainment, Custody, Ethics, Law, Study};
use crate::protocol::tree::{Section, Value};
use crate::words;
use jiff::civil::Date;
use jiff::tz::TimeZoneDatabase;

/// Keys of `[study]`.
pub(in crate::protocol) const KEYS: &[&str] = &[
    "id",
    "title",
    "registration",
    "controller",
    "ethics",
    "dpia",
    "time_zone",
    "custody",
    "law",
    "ascertainment",
    "beacon",
];
/// Keys of `ethics`.
pub(in crate::protocol) const ETHICS: &[&str] = &["decision", "date"];
/// Keys of `law`.
pub(in crate::protocol) const LAW: &[&str] = &["decide_within_days", "investigate_within_months"];
/// Keys of `ascertainment`.
pub(in crate::protocol) const ASCERTAINMENT: &[&str] = &["complete_from", "before"];

/// Reads the section.
pub(in crate::protocol) fn read(out: &mut Findings<'_>, root: &Section<'_>) -> Option<Study> {
    let section = root.need_section(out, "study", KEYS)?;
    let id = section.need(out, "id").and_then(|value| value.kebab(out));
    let title = section.need(out, "title").and_then(|v| v.words(out));
    let registration = section.need(out, "registration").and_then(|v| v.words(out));
    let controller = section.need(out, "controller").and_then(|v| v.words(out));
    let ethics = ethics(out, &section);
    let dpia = section.get("dpia").and_then(|value| value.date(out));
    if section.get("dpia").is_none() {
        permission_missing(out, &section, "dpia");
    }
    let time_zone = section
        .need(out, "time_zone")
        .and_then(|value| time_zone(out, &value));
    let custody = section
        .need(out, "custody")
        .and_then(|value| custody(out, &value));
    let law = law(out, &section);
    let ascertainment = ascertainment(out, &section);
    let beacon = beacon::read(out, &section);
    if beacon.is_none() && section.get("beacon").is_some() {
        return None;
    }
    Some(Study {
        id: id?,
        title: title?,
        registration: registration?,
        controller: controller?,
        ethics,
        dpia,
        time_zone: time_zone?,
        custody: custody?,
        law: law?,
        ascertainment,
        beacon,
    })
}

fn permission_missing(out: &mut Findings<'_>, section: &Section<'_>, key: &str) {
    out.warning(
        "permission-missing",
        &section.span,
        words!(
            "`{key}` is not given: the study can be planned and rehearsed, but not opened",
            "`{key}` är inte angiven: studien kan planeras och övas, men inte öppnas"
        ),
        words!(
            "add `{key}` when the decision is there, before `lottning open`",
            "lägg till `{key}` när beslutet finns, före `lottning open`"
        ),
    );
}

fn ethics(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Ethics> {
    if section.get("ethics").is_none() {
        permission_missing(out, section, "ethics");
    }
    let table = section.section(out, "ethics", ETHICS)?;
    let decision = table.need(out, "decision").and_then(|v| v.text(out));
    let date = table.need(out, "date").and_then(|v| v.date(out));
    Some(Ethics {
        decision: decision?.to_string(),
        date: date?,
    })
}

fn time_zone(out: &mut Findings<'_>, value: &Value<'_>) -> Option<String> {
    let text = value.text(out)?;
    // The bundled database, so that a protocol means the same on every machine.
    let zones = TimeZoneDatabase::bundled();
    let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
    if names.iter().any(|name| name == text) {
        return Some(text.to_string());
    }
    let near = crate::diagnostic::nearest(text, names.iter().map(String::as_str))
        .unwrap_or("Europe/Stockholm");
    out.error(
        "unknown-time-zone",
        &value.span,
        words!(
            "there is no time zone `{text}`",
            "tidszonen `{text}` finns inte"
        ),
        words!(
            "write an IANA name with its capitals, such as `{near}`",
            "ange ett IANA-namn med sina versaler, till exempel `{near}`"
        ),
    );
    None
}

fn custody(out: &mut Findings<'_>, value: &Value<'_>) -> Option<Custody> {
    let custody = value.one_of(
        out,
        &[
            (Custody::SingleUser.text(), Custody::SingleUser),
            (Custody::Service.text(), Custody::Service),
        ],
    )?;
    if custody == Custody::Service {
        out.not_built_yet(
            &value.span,
            words!("custody by a service", "förvaring hos en tjänst"),
            &["single-user"],
        );
        return None;
    }
    Some(custody)
}

fn law(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Law> {
    let table = section.need_section(out, "law", LAW)?;
    let days = table
        .need(out, "decide_within_days")
        .and_then(|value| value.count(out, 1, 365));
    let months = table
        .need(out, "investigate_within_months")
        .and_then(|value| value.count(out, 1, 60));
    Some(Law {
        decide_within_days: days?,
        investigate_within_months: months?,
    })
}

fn ascertainment(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Ascertainment> {
    let table = section.section(out, "ascertainment", ASCERTAINMENT)?;
    let complete_from = table.need(out, "complete_from").and_then(|v| v.date(out));
    let before = table.need(out, "before").and_then(|value| {
        let words = ["prospective-log", "manual-search", "not-collected"];
        value.one_of(out, &words.map(|word| (word, word)))
    });
    Some(Ascertainment {
        complete_from: complete_from?,
        before: before?.to_string(),
    })
}

/// What only the dates of the sites can tell: permissions must precede the first family, and reports must be found.
pub(in crate::protocol) fn against_opening(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    study: &Study,
    opening: Date,
) {
    let Some(section) = root.get("study").and_then(|value| value.open_section(out)) else {
        return;
    };
    let dates = [
        ("ethics", study.ethics.as_ref().map(|ethics| ethics.date)),
        ("dpia", study.dpia),
    ];
    for (key, date) in dates {
        if let Some(date) = date
            && date > opening
        {
            out.error(
                "date-order",
                &section.key_span(key),
                words!(
                    "`{key}` is dated {date}, after the first site opens on {opening}",
                    "`{key}` är daterad {date}, efter att den första enheten öppnar {opening}"
                ),
                words!(
                    "no family may be randomized before the decision; open the sites later",
                    "ingen familj får lottas före beslutet; öppna enheterna senare"
                ),
            );
        }
    }
    if let Some(Ascertainment {
        complete_from,
        before,
    }) = &study.ascertainment
        && *complete_from > opening
        && before == "not-collected"
    {
        let span = section
            .get("ascertainment")
            .map_or(section.span.clone(), |value| value.span);
        out.error(
            "ascertainment-break",
            &span,
            words!(
                "families are randomized from {opening}, but reports can be found only from {complete_from}",
                "familjer lottas från {opening}, men anmälningar kan hittas först från {complete_from}"
            ),
            Words::new(
                "collect earlier reports (`before = \"prospective-log\"` or `\"manual-search\"`), or open the sites later",
                "samla in tidigare anmälningar (`before = \"prospective-log\"` eller `\"manual-search\"`), eller öppna enheterna senare",
            ),
        );
    }
}
