//! Families that come back without having been randomized: under another name, or with other answers. Both are how a family
//! could be screened until the verdict suits, so both are told at once, kept in the ledger and shown by `status`.

use super::failure::Failure;
use super::refusal::{families_linked, for_good, report_for_good, report_turned_back, turned_back};
use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::model::Day;
use crate::study::intake::{
    DrawnBefore, EnrolRequest, drawn_before, may_be_erased, same_report_before, screened_before,
};
use crate::study::journal::{Journal, RequestUse};
use crate::study::kernel::{Decision, Family, FamilyIx, Screening, What};
use crate::words;

/// Refuses a family whose child, or whose report, was turned away by a closed gate under another name, where the protocol
/// lets nobody come back after that.
///
/// # Errors
/// Such a family: exit 7, `turned-away-for-good`. A family that was randomized is answered.
pub(super) fn refuse_for_good(
    journal: &Journal,
    request: &EnrolRequest,
    received: Day,
) -> Result<(), Failure> {
    let state = &journal.state;
    let gate = journal.protocol.gate.as_ref();
    if gate.is_none_or(|gate| gate.turned_away_may_return) {
        return Ok(());
    }
    let own = state.unit(journal.names.family_or_next(&request.family));
    let drawn = state.family(own).is_some_and(Family::is_randomized);
    let for_ever = |family: FamilyIx| state.family(family).is_some_and(|own| own.turned_away);
    match (
        screened_before(journal, request),
        same_report_before(journal, request, received),
    ) {
        (Some((name, before)), _) if !drawn && for_ever(before) => {
            Err(for_good(journal, name, before))
        }
        (_, Some(before)) if !drawn && for_ever(before) => {
            Err(report_for_good(journal, &request.report_key, before))
        }
        _ => Ok(()),
    }
}

/// What a person should know where a request is answered again: that another draw governs than the one that it was answered
/// with, through a link or because one is gone, or that a family that was taken out by an exception is drawn.
pub(super) fn again(
    journal: &Journal,
    request: &EnrolRequest,
    used: &RequestUse,
) -> Vec<Diagnostic> {
    if used.outcome == "exception" {
        let unit = journal.state.unit(used.family);
        let drawn = drawn(journal, unit);
        let told = drawn.then(|| drawn_since(journal, &request.family, unit));
        return told.into_iter().collect();
    }
    let told = told_otherwise(journal, request, (used.family, used.told), &this_request());
    told.into_iter().collect()
}

/// What a person should know of a family that is screened again, or of a drawn one that is reported again; `before` is what
/// the request was used for before, under a link that is gone.
pub(super) fn warnings(
    journal: &Journal,
    request: &EnrolRequest,
    before: Option<&RequestUse>,
    decision: &Decision,
) -> Vec<Diagnostic> {
    let own = journal.names.family_or_next(&request.family);
    let told = if let Some(used) = before {
        told_otherwise(journal, request, (used.family, used.told), &this_request())
    } else {
        // A later draw of its own does not govern, whatever was told since.
        let later = (journal.state.unit(own) != own && drawn(journal, own)).then_some(own);
        let told = later.or_else(|| journal.told_last(&request.family));
        told_otherwise(journal, request, (own, told), &earlier_report())
    };
    let mut warnings: Vec<Diagnostic> = told.into_iter().collect();
    let screened = |what: &What| match what {
        What::Screened(screening) => Some(*screening),
        _ => None,
    };
    let Some(screening) = decision.events.iter().flatten().find_map(screened) else {
        warnings.extend(after_draw(&request.family, decision));
        warnings.extend(came_with(journal, request, decision));
        return warnings;
    };
    let family = &request.family;
    let lead = Words::new(
        "the study lead sees changed answers in `lottning status`",
        "studieledaren ser ändrade svar i `lottning status`",
    );
    if screening.changed {
        warnings.push(
            Diagnostic::warning("answers-changed", words!(
                "the answers for {family} differ from an earlier screening of the same report; both are kept",
                "svaren för {family} skiljer sig från en tidigare screening av samma anmälan; båda sparas"
            ))
            .help(lead),
        );
    } else if changed_between(journal, &screening) {
        warnings.push(
            Diagnostic::warning("answers-differ", words!(
                "the answers for {family} differ from its last screening, of another report; both are kept",
                "svaren för {family} skiljer sig från den senaste screeningen, av en annan anmälan; båda sparas"
            ))
            .help(lead),
        );
    }
    let before = journal.state.family(screening.family);
    if before.is_some_and(|own| own.withdraws_exception(&screening)) {
        warnings.push(
            Diagnostic::warning("exception-withdrawn", words!(
                "{family} was taken out by an exception for the same report, and none is declared now; both screenings are kept",
                "{family} togs undan genom ett undantag för samma anmälan, och nu anges inget; båda screeningarna sparas"
            ))
            .help(shown()),
        );
    }
    match screened_before(journal, request) {
        Some((name, before)) => warnings.push(turned_back(journal, name, before)),
        None => warnings.extend(
            same_report_before(journal, request, screening.received)
                .map(|before| report_turned_back(journal, &request.report_key, before)),
        ),
    }
    let drawn = drawn_before(journal, request, screening.received);
    warnings.extend(drawn.map(|found| perhaps_drawn(journal, request, found)));
    let erased = may_be_erased(journal, request);
    warnings.extend(erased.map(|erased| nameless(&request.family, erased)));
    warnings
}

/// How what was answered before is called.
fn this_request() -> Words {
    Words::new("this request", "den här begäran")
}

fn earlier_report() -> Words {
    Words::new("an earlier report", "en tidigare anmälan")
}

fn drawn(journal: &Journal, family: FamilyIx) -> bool {
    journal
        .state
        .family(family)
        .is_some_and(Family::is_randomized)
}

/// That a family, or what was asked for it before, was answered with another draw than the one that governs now. `told` is the
/// family whose draw it was; `what` calls what was answered.
fn told_otherwise(
    journal: &Journal,
    request: &EnrolRequest,
    (family, told): (FamilyIx, Option<FamilyIx>),
    what: &Words,
) -> Option<Diagnostic> {
    let unit = journal.state.unit(family);
    let told = told.filter(|told| *told != unit)?;
    if journal.state.unit(told) == unit {
        return Some(families_linked(journal, &request.family, unit));
    }
    let erased = journal.state.family(told).is_some_and(|own| own.erased);
    Some(if erased {
        answered_with_an_erased_one(&request.family, drawn(journal, unit), what)
    } else {
        answered_under_a_link(journal, &request.family, told, what)
    })
}

/// That an answer was the arm of another family, through a link that has been taken back since.
fn answered_under_a_link(
    journal: &Journal,
    family: &str,
    other: FamilyIx,
    what: &Words,
) -> Diagnostic {
    let other = journal.names.family_name(other);
    let Words { en, sv } = what;
    Diagnostic::warning("answered-under-a-link", words!(
        "{en} was answered before with the arm of {other}, while a link that has been taken back made it the family of {family}: that answer holds no more, and this one does",
        "{sv} besvarades tidigare med armen för {other}, medan en koppling som har tagits tillbaka gjorde den till samma familj som {family}: det svaret gäller inte längre, utan det här"
    ))
    .help(in_its_place())
}

/// As [`answered_under_a_link`], where a row of a link went with a family that was erased: it is not known whose arm it was,
/// and that it was another family's is sure only of one that has no draw of its own.
fn answered_with_an_erased_one(family: &str, drawn: bool, what: &Words) -> Diagnostic {
    let Words { en, sv } = what;
    let message = if drawn {
        words!(
            "{en} may have been answered before with the arm of another family than {family}, through a link with a family that has been erased since; the link has been taken back: if the earlier receipt differs from this answer, this one holds",
            "{sv} kan tidigare ha besvarats med armen för en annan familj än {family}, genom en koppling till en familj som har raderats sedan dess; kopplingen har tagits tillbaka: om det tidigare kvittot skiljer sig från det här svaret gäller det här"
        )
    } else {
        words!(
            "{en} was answered before with the arm of another family than {family}, through a link that has been taken back; a family that has been erased since was linked then, so that the study cannot tell whose arm it was: that answer holds no more, and this one does",
            "{sv} besvarades tidigare med armen för en annan familj än {family}, genom en koppling som har tagits tillbaka; en familj som har raderats sedan dess var då kopplad, så studien kan inte avgöra vems arm det var: det svaret gäller inte längre, utan det här"
        )
    };
    Diagnostic::warning("answered-under-a-link", message).help(in_its_place())
}

fn in_its_place() -> Words {
    Words::new(
        "put this answer in the place of the earlier one, tell whoever acted on that, and tell the study lead which service the family has had",
        "ersätt det tidigare svaret med det här, meddela den som handlat efter det och berätta för studieledaren vilken insats familjen har haft",
    )
}

/// That a family which an exception took out is drawn now, by itself or as another one.
fn drawn_since(journal: &Journal, family: &str, unit: FamilyIx) -> Diagnostic {
    let unit = journal.names.family_name(unit);
    Diagnostic::warning(
        "drawn-since",
        words!(
            "an exception took {family} out when this request was made, and it is drawn now, as {unit}: that draw governs, and this answer does not tell it",
            "ett undantag tog undan {family} när den här begäran gjordes, och familjen är nu lottad, som {unit}: den lotten gäller, och det här svaret anger den inte"
        ),
    )
    .help(Words::new(
        "repeat the request that was answered with the arm, or enrol the family's next report: it is answered with the arm",
        "upprepa den begäran som besvarades med lotten, eller skriv in familjens nästa anmälan: den besvaras med lotten",
    ))
}

/// That a name is unknown where families were erased.
fn nameless(family: &str, [erased, here]: [usize; 2]) -> Diagnostic {
    Diagnostic::warning(
        "maybe-erased",
        words!(
            "the study does not know {family}, and cannot tell whether it is one of the families that were erased ({erased}, of them {here} at this site), whose names are gone",
            "studien känner inte till {family} och kan inte avgöra om den är en av de familjer som har raderats ({erased}, varav {here} vid den här enheten), vars namn är borta"
        ),
    )
    .help(Words::new(
        "ask the key holder: a family that was erased is not enrolled again; if this is one, tell the study lead at once",
        "fråga nyckelförvaltaren: en raderad familj skrivs inte in igen; om detta är en sådan, meddela genast studieledaren",
    ))
}

/// That a family may be one that was drawn under another name. It says so whatever came of the screening, and tells no arm.
fn perhaps_drawn(
    journal: &Journal,
    request: &EnrolRequest,
    (by, drawn): (DrawnBefore, FamilyIx),
) -> Diagnostic {
    let (own, key) = (&request.family, &request.report_key);
    let drawn = journal.names.family_name(drawn);
    let message = match by {
        DrawnBefore::Child => words!(
            "{own} was screened before with a child or a report that {drawn} was drawn with since; both are kept",
            "{own} har tidigare screenats med ett barn eller en anmälan som {drawn} sedan har lottats med; båda står kvar"
        ),
        DrawnBefore::Report => words!(
            "{drawn}, which is drawn, came to this site with a report {key} that was received on the same day as that of {own}; both are kept",
            "{drawn}, som är lottad, har kommit till den här enheten med en anmälan {key} som kom in samma dag som den för {own}; båda står kvar"
        ),
    };
    Diagnostic::warning("drawn-before", message).help(words!(
        "if they are one family, act on the arm of {drawn} alone, and tell the study lead at once, who links the two and sees both in `lottning status --conduct`; if they are two, give each report its own key",
        "om de är samma familj, gå bara efter lotten för {drawn} och meddela genast studieledaren, som kopplar ihop de två och ser båda i `lottning status --conduct`; om de är två, ge varje anmälan sin egen nyckel"
    ))
}

/// That a drawn family comes back with a report that another drawn family has come to the site with.
fn came_with(journal: &Journal, request: &EnrolRequest, decision: &Decision) -> Option<Diagnostic> {
    let came = |what: &What| match what {
        What::Returned { site, received, .. } | What::Joined { site, received, .. } => {
            Some((*site, *received))
        }
        _ => None,
    };
    let (site, received) = decision.events.iter().flatten().find_map(came)?;
    let (own, key) = (&request.family, &request.report_key);
    let unit = journal.state.unit(journal.names.family_or_next(own));
    let other = journal.drawn_with((site, key, received), unit)?;
    let other = journal.names.family_name(other);
    let message = words!(
        "{other}, which is drawn too, has a report {key} at this site that was received on the same day as this one of {own}; both are kept",
        "{other}, som också är lottad, har en anmälan {key} vid den här enheten som kom in samma dag som den här för {own}; båda står kvar"
    );
    Some(Diagnostic::warning("drawn-before", message).help(first_governs()))
}

/// That a report which is logged or imported of a drawn family is one that another drawn family came with to the site of its draw.
pub(super) fn of_report(journal: &Journal, what: &What, key: &str) -> Option<Diagnostic> {
    let What::Reported(report) = what else {
        return None;
    };
    let other = journal.drawn_with_reported(report, key)?;
    let name = |family| journal.names.family_name(family);
    let (own, other) = (name(journal.state.unit(report.family)), name(other));
    let message = words!(
        "{other}, which is drawn, came with a report {key} that was received on the same day as this one of {own} to a site where {own} was drawn; both are kept",
        "{other}, som är lottad, kom med en anmälan {key} som kom in samma dag som den här för {own} till en enhet där {own} har lottats; båda står kvar"
    );
    Some(Diagnostic::warning("drawn-before", message).help(first_governs()))
}

fn first_governs() -> Words {
    Words::new(
        "if they are one family, the first draw governs: tell the study lead at once, who links the two; if they are two, give each report its own key",
        "om de är samma familj gäller den första lotten: meddela genast studieledaren, som kopplar ihop de två; om de är två, ge varje anmälan sin egen nyckel",
    )
}

fn shown() -> Words {
    Words::new(
        "the study lead sees it in `lottning status --conduct`",
        "studieledaren ser det i `lottning status --conduct`",
    )
}

/// What a report of a drawn family said and nothing was done with.
fn after_draw(family: &str, decision: &Decision) -> Vec<Diagnostic> {
    let said = decision
        .events
        .iter()
        .flatten()
        .find_map(|what| match what {
            What::Returned { left_aside, .. } | What::Joined { left_aside, .. } => {
                Some(*left_aside)
            }
            _ => None,
        });
    let mut warnings = Vec::new();
    let Some(said) = said else { return warnings };
    if said.answers {
        warnings.push(
            Diagnostic::warning("answers-after-draw", words!(
                "{family} is drawn, and the answers differ from those that the same report was screened with; the draw stands, and these answers change nothing",
                "{family} är lottad, och svaren skiljer sig från dem som samma anmälan screenades med; lottningen står fast, och de här svaren ändrar ingenting"
            ))
            .help(shown()),
        );
    }
    if said.exception {
        warnings.push(
            Diagnostic::warning(
                "exception-after-draw",
                words!(
                    "{family} is drawn, so the exception takes it out of nothing; the draw stands",
                    "{family} är lottad, så undantaget tar den inte ur något; lottningen står fast"
                ),
            )
            .help(shown()),
        );
    }
    warnings
}

/// Whether a screening differs from the family's last one, of another report.
fn changed_between(journal: &Journal, screening: &Screening) -> bool {
    journal.state.family(screening.family).is_some_and(|own| {
        own.screenings > 0
            && own.report != screening.report
            && (own.answers != screening.answers || own.values != screening.values)
    })
}
