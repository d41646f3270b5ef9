//! What the state machine refuses, in words and exit codes.

use super::exit;
use super::failure::Failure;
use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::Protocol;
use crate::protocol::model::Day;
use crate::study::journal::Journal;
use crate::study::kernel::{FamilyIx, Refusal, SiteIx};
use crate::words;

/// The failure that a refusal becomes.
pub(super) fn refusal(protocol: &Protocol, refused: Refusal) -> Failure {
    let site = |site: SiteIx| {
        protocol
            .sites
            .get(usize::from(site.0))
            .map_or("", |site| site.id.as_str())
            .to_owned()
    };
    match refused {
        Refusal::EnrolmentClosed => state(
            "enrolment-closed",
            Words::new(
                "the final lock has closed enrolment",
                "den slutliga låsningen har avslutat inskrivningen",
            ),
        )
        .help(without_the_study()),
        Refusal::TargetReached => state(
            "target-reached",
            Words::new(
                "the registered number of families has been randomized",
                "det registrerade antalet familjer har lottats",
            ),
        )
        .help(without_the_study()),
        Refusal::PastLastDay { last } => {
            let last = date(last);
            state(
                "past-last-day",
                words!(
                    "enrolment ended on {last}, as registered",
                    "inskrivningen avslutades {last}, som registrerat"
                ),
            )
            .help(Words::new(
                "the family gets what it would have got without the study; a later last day needs an amendment (`lottning amend`) by the study lead",
                "familjen får det som den skulle ha fått utan studien; en senare sista dag kräver en ändring (`lottning amend`) av studieledaren",
            ))
        }
        Refusal::SiteNotOpen { site: own, opens } => {
            let (site, opens) = (site(own), date(opens));
            state(
                "site-not-open",
                words!("{site} enrols from {opens}", "{site} tar in familjer från {opens}"),
            )
        }
        Refusal::SiteClosed { site: own } => {
            let site = site(own);
            state(
                "site-closed",
                words!("{site} has stopped enrolling", "{site} har slutat ta in familjer"),
            )
            .help(words!(
                "the family gets what it would have got without the study; when the site enrols again, the study lead records `site-opened` for {site}",
                "familjen får det som den skulle ha fått utan studien; när enheten tar in familjer igen registrerar studieledaren `site-opened` för {site}"
            ))
        }
        Refusal::TurnedAwayForGood => state(
            "turned-away-for-good",
            Words::new(
                "the gate was closed when this family was screened, and the protocol lets nobody come back after that",
                "det var intagsstopp när familjen screenades, och enligt protokollet får ingen komma tillbaka efter det",
            ),
        )
        .help(Words::new(
            "the family is counted as turned away and gets what it would have got without the study",
            "familjen räknas som avvisad och får det som den skulle ha fått utan studien",
        )),
        Refusal::ReceivedInTheFuture => data(
            "received-in-the-future",
            Words::new(
                "the report was received after the day of screening",
                "anmälan kom in efter screeningdagen",
            ),
        )
        .help(Words::new(
            "check --received, or give the time of screening with --at",
            "kontrollera --received, eller ange screeningens tidpunkt med --at",
        )),
        Refusal::ChildOfAnotherFamily { .. } => data(
            "child-of-another-family",
            Words::new(
                "a child that is named here belongs to another family of the study",
                "ett barn som anges här hör till en annan familj i studien",
            ),
        )
        .help(Words::new(
            "name the family that the study knows; if two families are one, or one child lives in two households, the study lead links the two with `lottning record linked`",
            "ange den familj som studien känner till; om två familjer är en, eller ett barn bor i två hushåll, kopplar studieledaren ihop dem med `lottning record linked`",
        )),
        Refusal::AlreadyLinked => state(
            "already-linked",
            Words::new(
                "the two are one in the study already",
                "de två är redan en och samma i studien",
            ),
        )
        .help(Words::new(
            "check that --family and --set other are not one name typed twice; else nothing more is needed; if they are two after all, take the link back with `lottning record corrected` and the number of its receipt",
            "kontrollera att --family och --set other inte är samma namn; annars behövs inget mer; om de ändå är två, ta tillbaka kopplingen med `lottning record corrected` och kvittots nummer",
        )),
        Refusal::NotRetractable { sequence } => state(
            "not-retractable",
            words!(
                "event {sequence} is of a kind that is never retracted",
                "händelse {sequence} är av ett slag som aldrig återtas"
            ),
        )
        .help(Words::new(
            "reports of the log or a register, service, exits, withdrawals, violations, observations and links can be retracted; what a gate or a draw saw stands",
            "anmälningar från loggen eller ett register, insatshändelser, uppföljningens slut, avhopp, avsteg, observationer och kopplingar kan återtas; det som en spärr eller en dragning utgick från står fast",
        )),
        Refusal::AlreadyRetracted { sequence } => state(
            "already-retracted",
            words!(
                "event {sequence} has been retracted already",
                "händelse {sequence} är redan återtagen"
            ),
        )
        .help(Words::new(
            "nothing more is needed; check the number if another event was meant",
            "inget mer behövs; kontrollera numret om en annan händelse avsågs",
        )),
        Refusal::UnknownFamily => data(
            "unknown-family",
            Words::new("the family is not in the study", "familjen finns inte i studien"),
        )
        .help(Words::new(
            "check --family; families enter the study by `lottning enrol`",
            "kontrollera --family; familjer kommer in i studien genom `lottning enrol`",
        )),
        Refusal::NotRandomized => state(
            "not-randomized",
            Words::new(
                "the family has not been randomized: service events and observations belong to randomized families",
                "familjen har inte lottats: insatshändelser och observationer gäller lottade familjer",
            ),
        )
        .help(Words::new(
            "check --family; a family that is to be randomized is screened by `lottning enrol` first",
            "kontrollera --family; en familj som ska lottas screenas först med `lottning enrol`",
        )),
        Refusal::OnInTheFuture => data(
            "on-in-the-future",
            Words::new(
                "the event lies after the time of recording",
                "händelsen ligger efter tidpunkten för registreringen",
            ),
        )
        .help(Words::new(
            "check --on; an event is recorded on its day or later",
            "kontrollera --on; en händelse registreras samma dag eller senare",
        )),
        Refusal::BeforeRandomization { randomized } => {
            let randomized = date(randomized);
            data(
                "before-randomization",
                words!(
                    "the event lies before the family was randomized ({randomized})",
                    "händelsen ligger före lottningen av familjen ({randomized})"
                ),
            )
            .help(Words::new(
                "check --on and --family; what happened before the draw does not belong to the study's service and is not recorded",
                "kontrollera --on och --family; det som hände före lottningen hör inte till studiens insats och registreras inte",
            ))
        }
        Refusal::AlreadyLocked => {
            state("already-locked", Words::new("this lock has been made", "låsningen är redan gjord"))
                .help(Words::new(
                    "a lock is made once; run `lottning analyse` or `lottning report` on it",
                    "en låsning görs en gång; kör `lottning analyse` eller `lottning report` på den",
                ))
        }
        Refusal::CutNotRegistered { registered } => {
            let registered = date(registered);
            state(
                "cut-not-registered",
                words!(
                    "the registered cut of this lock is {registered}",
                    "låsningens registrerade brytdatum är {registered}"
                ),
            )
            .help(words!("give --cut {registered}", "ange --cut {registered}"))
        }
        Refusal::WindowsNotEnded { first } => {
            let first = date(first);
            state(
                "windows-not-ended",
                words!(
                    "the last window and its grace end on {first}: the cut cannot be earlier",
                    "det sista fönstret med respittid slutar {first}: brytdatumet kan inte vara tidigare"
                ),
            )
            .help(words!(
                "wait for that day, and give it or a later one with --cut",
                "vänta till den dagen och ange den eller en senare med --cut"
            ))
        }
        Refusal::NobodyRandomized { first: None } => state(
            "nobody-randomized",
            Words::new(
                "no family has been randomized: there are no data to lock, and a lock cannot be made twice",
                "ingen familj har lottats: det finns inga data att låsa, och en låsning kan inte göras två gånger",
            ),
        )
        .help(Words::new(
            "enrol families first; a study that ends without any needs no lock: nothing was drawn, so keep its folder and say so where it is registered",
            "skriv in familjer först; en studie som slutar utan någon behöver ingen låsning: inget har lottats, så behåll mappen och ange det där studien är registrerad",
        )),
        Refusal::NobodyRandomized { first: Some(first) } => {
            let first = date(first);
            state(
                "nobody-randomized",
                words!(
                    "no family was randomized up to the cut, the first one was on {first}: there are no data to lock",
                    "ingen familj hade lottats fram till brytdatumet, den första lottades {first}: det finns inga data att låsa"
                ),
            )
            .help(Words::new(
                "check the year of --cut; a registered cut before the first family locks nothing, so leave this lock out and make the next one",
                "kontrollera årtalet i --cut; ett registrerat brytdatum före den första familjen låser inget, så utelämna den här låsningen och gör nästa",
            ))
        }
        Refusal::CutInTheFuture => state(
            "cut-in-the-future",
            Words::new(
                "the cut lies after the day of locking: data up to it do not exist yet",
                "brytdatumet ligger efter låsningsdagen: data fram till dess finns inte än",
            ),
        )
        .help(Words::new(
            "lock on that day or later, or give an earlier --cut where the protocol allows one",
            "lås den dagen eller senare, eller ange ett tidigare --cut om protokollet tillåter det",
        )),
        Refusal::NotLocked => state(
            "not-locked",
            Words::new(
                "the data are not locked: no estimate uses the true arms before a lock",
                "data är inte låsta: ingen skattning använder de verkliga armarna före en låsning",
            ),
        )
        .help(Words::new(
            "lock the data with `lottning lock`, or try the analysis on redrawn arms with --dry-run",
            "lås data med `lottning lock`, eller prova analysen på omlottade armar med --dry-run",
        )),
        Refusal::NotFinallyLocked => state(
            "not-finally-locked",
            Words::new(
                "the seed is published after the final lock, which closes enrolment",
                "fröet publiceras efter den slutliga låsningen, som avslutar inskrivningen",
            ),
        )
        .help(Words::new(
            "make the final lock with `lottning lock` first; until then the seed stays secret",
            "gör den slutliga låsningen med `lottning lock` först; till dess förblir fröet hemligt",
        )),
        Refusal::AlreadyRevealed => state(
            "already-revealed",
            Words::new("the seed has been published", "fröet är redan publicerat"),
        )
        .help(Words::new(
            "nothing more is needed: `lottning verify` derives every draw from it",
            "inget mer behövs: `lottning verify` härleder varje dragning ur det",
        )),
        Refusal::BeaconMissing => state(
            "beacon-missing",
            Words::new(
                "the protocol waits for the value of a public round, and it is not recorded: nobody is randomized before",
                "protokollet väntar på värdet av en offentlig omgång, och det är inte registrerat: ingen lottas före det",
            ),
        )
        .help(Words::new(
            "when the round is published, the study lead records its value with `lottning beacon`",
            "när omgången är publicerad registrerar studieledaren dess värde med `lottning beacon`",
        )),
        Refusal::NoBeacon => state(
            "no-beacon",
            Words::new(
                "the protocol in force waits for no public round",
                "det gällande protokollet väntar inte på någon offentlig omgång",
            ),
        )
        .help(Words::new(
            "a round is named by `beacon` under [study], before the study or an amendment is sealed",
            "en omgång anges med `beacon` under [study], innan studien eller en ändring förseglas",
        )),
        Refusal::BeaconRecorded => state(
            "beacon-recorded",
            Words::new(
                "the value of this epoch's round is recorded already",
                "värdet av epokens omgång är redan registrerat",
            ),
        )
        .help(Words::new(
            "a value stands; if it is not the one that was published, seal an amendment with a new round",
            "ett värde står fast; om det inte är det publicerade, försegla en ändring med en ny omgång",
        )),
        Refusal::NothingWrong => data(
            "nothing-wrong",
            Words::new(
                "this is no violation: the family was drawn with that value",
                "detta är inget avsteg: familjen lottades med det värdet",
            ),
        )
        .help(Words::new(
            "give the true value of the field",
            "ange fältets sanna värde",
        )),
        Refusal::NothingChanges => state(
            "nothing-changes",
            Words::new("the site is in that state already", "enheten är redan i det läget"),
        )
        .help(Words::new(
            "nothing more is needed; check --site if another one was meant",
            "inget mer behövs; kontrollera --site om en annan enhet avsågs",
        )),
    }
}

fn without_the_study() -> Words {
    Words::new(
        "the family gets what it would have had without the study",
        "familjen får det som den skulle ha fått utan studien",
    )
}

fn state(code: &'static str, message: Words) -> Failure {
    Failure::new(exit::WRONG_STATE, code, message)
}

fn data(code: &'static str, message: Words) -> Failure {
    Failure::new(exit::INVALID_DATA, code, message)
}

/// As [`refusal`], naming the child and its family, the name under which to come back; `typed` is the family that was given,
/// and `children` the children: one who has another pseudonym since is called by what was typed.
pub(super) fn refusal_in<'a>(
    journal: &Journal,
    typed: Option<&str>,
    children: impl IntoIterator<Item = &'a str>,
    refused: Refusal,
) -> Failure {
    let Refusal::ChildOfAnotherFamily { child, family } = refused else {
        return refusal(&journal.protocol, refused);
    };
    let mut given = children.into_iter();
    let name = given.find(|name| journal.names.child(name) == Some(child));
    let name = name.unwrap_or_else(|| journal.names.child_name(child));
    child_of_another_family(journal, name, family, typed)
}

/// The refusal of a child, or of a family called by one, that belongs to another family of the study; `typed` is the family
/// that was given.
pub(super) fn child_of_another_family(
    journal: &Journal,
    child: &str,
    family: FamilyIx,
    typed: Option<&str>,
) -> Failure {
    let family = journal.names.family_name(family);
    let other = typed.unwrap_or(child);
    data(
        "child-of-another-family",
        words!(
            "child {child} belongs to {family}, another family of the study; nothing was recorded",
            "barnet {child} hör till {family}, en annan familj i studien; inget har registrerats"
        ),
    )
    .help(words!(
        "the household of the index child decides: run the same command with --family {family}; if the two families are one, the study lead first links them: lottning record linked --family {family} --set other={other} --on DATE --event-key KEY --actor LEAD",
        "indexbarnets hushåll avgör: kör samma kommando med --family {family}; om de två familjerna är en kopplar studieledaren först ihop dem: lottning record linked --family {family} --set other={other} --on DATUM --event-key NYCKEL --actor LEDARE"
    ))
}

/// The refusal of a child who was screened under another name and met a closed gate, for good.
pub(super) fn for_good(journal: &Journal, child: &str, family: FamilyIx) -> Failure {
    let family = journal.names.family_name(family);
    state(
        "turned-away-for-good",
        words!(
            "child {child} was screened with family {family} while the gate was closed, and the protocol lets nobody come back after that; nothing was recorded",
            "barnet {child} screenades med familjen {family} under ett intagsstopp, och enligt protokollet får ingen komma tillbaka efter det; inget har registrerats"
        ),
    )
    .help(words!(
        "the family is counted as turned away, as {family}, and gets what it would have got without the study",
        "familjen räknas som avvisad, som {family}, och får det som den skulle ha fått utan studien"
    ))
}

/// The warning that a child was screened with another family, which was not randomized.
pub(super) fn turned_back(journal: &Journal, child: &str, family: FamilyIx) -> Diagnostic {
    let family = journal.names.family_name(family);
    Diagnostic::warning(
        "screened-before",
        words!(
            "child {child} was screened before with family {family}, which was not randomized; both screenings are kept",
            "barnet {child} har screenats tidigare med familjen {family}, som inte lottades; båda screeningarna sparas"
        ),
    )
    .help(words!(
        "if they are one family, come back under {family} next time and tell the study lead, who sees both in `lottning status`",
        "om de är samma familj, använd {family} nästa gång och meddela studieledaren, som ser båda i `lottning status`"
    ))
}

/// The refusal of a report for which another family was screened and met a closed gate, for good.
pub(super) fn report_for_good(journal: &Journal, key: &str, family: FamilyIx) -> Failure {
    let family = journal.names.family_name(family);
    state(
        "turned-away-for-good",
        words!(
            "the report {key} was screened with family {family} at this site while the gate was closed, and the protocol lets nobody come back after that; nothing was recorded",
            "anmälan {key} screenades med familjen {family} vid samma enhet under ett intagsstopp, och enligt protokollet får ingen komma tillbaka efter det; inget har registrerats"
        ),
    )
    .help(words!(
        "if it is the same family, it is counted as turned away, as {family}; if it is another report, give its own key with --report-key",
        "om det är samma familj räknas den som avvisad, som {family}; om det är en annan anmälan, ange dess egen nyckel med --report-key"
    ))
}

/// The warning that another family, which was not randomized, was screened for the same report.
pub(super) fn report_turned_back(journal: &Journal, key: &str, family: FamilyIx) -> Diagnostic {
    let family = journal.names.family_name(family);
    Diagnostic::warning(
        "screened-before",
        words!(
            "the report {key} was screened before with family {family} at this site, which was not randomized; both screenings are kept",
            "anmälan {key} har screenats tidigare vid enheten, med familjen {family}, som inte lottades; båda screeningarna sparas"
        ),
    )
    .help(words!(
        "if they are one family, come back under {family} next time and tell the study lead, who sees both in `lottning status`; if they are two reports, give each its own key",
        "om de är samma familj, använd {family} nästa gång och meddela studieledaren, som ser båda i `lottning status`; om det är två anmälningar, ge var och en sin egen nyckel"
    ))
}

/// The warning that an earlier draw governs than the one that a family had or was told.
pub(super) fn families_linked(journal: &Journal, own: &str, unit: FamilyIx) -> Diagnostic {
    let unit = journal.names.family_name(unit);
    Diagnostic::warning(
        "families-linked",
        words!(
            "{own} was found to be {unit}, whose draw is the earliest: the arm and the allocation are those of {unit}, and not those that were told for {own} before",
            "{own} visade sig vara {unit}, vars lottning är den tidigaste: lotten och lottningens nummer är de som {unit} fick, och inte de som angavs för {own} förut"
        ),
    )
    .help(words!(
        "the family has the arm of {unit} from now on, whatever was told before the link",
        "familjen har den lott som {unit} fick, vad som än sades före kopplingen"
    ))
}

/// A day as people write it.
pub(super) fn date(day: Day) -> String {
    day.date().map_or_else(String::new, |date| date.to_string())
}
