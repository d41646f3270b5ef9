//! `[sample_size]`: the assumptions behind the target, and when enrolment stops.

use crate::diagnostic::Words;
use crate::protocol::findings::Findings;
use crate::protocol::model::{Assumed, SampleSize};
use crate::protocol::tree::Section;
use crate::words;
use jiff::civil::Date;

/// Keys of `[sample_size]`.
pub(in crate::protocol) const KEYS: &[&str] = &["assumed", "target", "stop"];
/// Keys of `assumed`.
pub(in crate::protocol) const ASSUMED: &[&str] = &["control", "effect", "alpha", "sides", "power"];
/// Keys of `stop`.
pub(in crate::protocol) const STOP: &[&str] = &["families", "or_date"];

/// Most families that a study may plan for.
const MAX_FAMILIES: u32 = 10_000_000;

/// A number strictly between 0 and 1.
pub(in crate::protocol) fn between_0_and_1() -> Words {
    words!(
        "a number above 0 and below 1",
        "ett tal större än 0 och mindre än 1"
    )
}

/// Reads the section.
pub(in crate::protocol) fn read(out: &mut Findings<'_>, root: &Section<'_>) -> Option<SampleSize> {
    let section = root.need_section(out, "sample_size", KEYS)?;
    let assumed = assumed(out, &section);
    let target = section
        .need(out, "target")
        .and_then(|value| value.count(out, 2, MAX_FAMILIES));
    let (mut stop_families, mut stop_date) = (None, None);
    if let Some(stop) = section.need_section(out, "stop", STOP) {
        stop_families = stop
            .get("families")
            .and_then(|value| value.count(out, 2, MAX_FAMILIES));
        stop_date = stop.get("or_date").and_then(|value| value.date(out));
        if stop.get("families").is_none() && stop.get("or_date").is_none() {
            stop.missing(out, "families");
        }
    }
    Some(SampleSize {
        assumed: assumed?,
        target: target?,
        stop_families,
        stop_date,
    })
}

fn assumed(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Assumed> {
    let table = section.need_section(out, "assumed", ASSUMED)?;
    let open = |value: f64| value > 0.0 && value < 1.0;
    let control = table
        .need(out, "control")
        .and_then(|value| value.number(out, open, between_0_and_1()));
    let effect_value = table.need(out, "effect");
    let effect = effect_value.as_ref().and_then(|value| {
        value.number(
            out,
            |effect| effect != 0.0 && effect.abs() < 1.0,
            words!(
                "a difference of proportions above −1 and below 1, and not 0",
                "en skillnad mellan andelar större än −1 och mindre än 1, och inte 0"
            ),
        )
    });
    let alpha = table.need(out, "alpha").and_then(|value| {
        value.number(
            out,
            |alpha| alpha > 0.0 && alpha <= 0.5,
            words!(
                "a number above 0 and at most 0.5",
                "ett tal större än 0 och högst 0,5"
            ),
        )
    });
    let sides = table
        .need(out, "sides")
        .and_then(|value| value.whole(out, 1, 2));
    let power = table
        .need(out, "power")
        .and_then(|value| value.number(out, open, between_0_and_1()));
    if let (Some(value), Some(control), Some(effect)) = (&effect_value, control, effect)
        && !open(control + effect)
    {
        out.out_of_range(
            &value.span,
            "effect",
            &format!("{effect}"),
            words!(
                "a difference that keeps `control` + `effect` above 0 and below 1",
                "en skillnad som håller `control` + `effect` större än 0 och mindre än 1"
            ),
        );
    }
    Some(Assumed {
        control: control?,
        effect: effect?,
        alpha: alpha?,
        sides: sides? as u8,
        power: power?,
    })
}

/// Enrolment cannot stop before it starts.
pub(in crate::protocol) fn against_opening(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    size: &SampleSize,
    opening: Date,
) {
    let Some(stop) = size.stop_date else {
        return;
    };
    if stop >= opening {
        return;
    }
    let span = root
        .get("sample_size")
        .and_then(|value| value.open_section(out))
        .and_then(|section| section.get("stop"))
        .map_or(0..0, |value| value.span);
    out.error(
        "date-order",
        &span,
        words!(
            "enrolment stops on {stop}, before the first site opens on {opening}",
            "lottningen slutar {stop}, innan den första enheten öppnar {opening}"
        ),
        words!(
            "move `or_date` after the opening",
            "lägg `or_date` efter öppnandet"
        ),
    );
}
