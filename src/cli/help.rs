//! What `--help` says, in both languages: the verbs by who uses them, and the options of every command.
//!
//! The words of a verb are one line in [`VERBS`]. The English words of a verb's own options are the doc comments of its
//! arguments, the Swedish ones stand in `options_sv.txt` ([`super::swedish`]).

use std::fmt::Write as _;

use super::swedish;
use crate::diagnostic::{Lang, Words};

/// Who uses a verb; the groups of `lottning --help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    Anyone,
    /// Plans and leads a study.
    StudyLead,
    /// Screens families and records what happens.
    Intake,
    /// Holds the key of pseudonyms, and no outcomes.
    KeyHolder,
    /// Plans how large a study must be.
    Planner,
    /// Runs the registered plan.
    Evaluator,
    /// Estimates on any data.
    Analyst,
    /// Studies the methods themselves.
    Methodologist,
}

impl Who {
    const ALL: [Self; 8] = [
        Self::Anyone,
        Self::StudyLead,
        Self::Intake,
        Self::KeyHolder,
        Self::Planner,
        Self::Evaluator,
        Self::Analyst,
        Self::Methodologist,
    ];

    fn words(self) -> Words {
        match self {
            Self::Anyone => Words::new("Anyone", "Alla"),
            Self::StudyLead => Words::new("Study lead", "Studieledare"),
            Self::Intake => Words::new("Intake", "Mottagning"),
            Self::KeyHolder => Words::new("Key holder", "Nyckelförvaltare"),
            Self::Planner => Words::new("Planner", "Planerare"),
            Self::Evaluator => Words::new("Evaluator", "Utvärderare"),
            Self::Analyst => Words::new("Analyst", "Analytiker"),
            Self::Methodologist => Words::new("Methodologist", "Metodutvecklare"),
        }
    }
}

/// One verb in the help: its name, who uses it, and what it does in English and Swedish.
#[derive(Debug, Clone, Copy)]
pub struct Verb {
    /// The word on the command line.
    pub name: &'static str,
    /// Who uses it.
    pub who: Who,
    /// What it does, in English.
    pub en: &'static str,
    /// What it does, in Swedish.
    pub sv: &'static str,
}

const fn verb(name: &'static str, who: Who, en: &'static str, sv: &'static str) -> Verb {
    Verb { name, who, en, sv }
}

/// Every verb, in the order of the help.
pub const VERBS: &[Verb] = &[
    verb(
        "demo",
        Who::Anyone,
        "The whole story on made-up families, and a report to look at",
        "Hela berättelsen på påhittade familjer, och en rapport att titta på",
    ),
    verb(
        "new",
        Who::Anyone,
        "A folder with a commented protocol to edit",
        "En mapp med ett kommenterat protokoll att redigera",
    ),
    verb(
        "explain",
        Who::Anyone,
        "A page about one code of a message, or about an exit code",
        "En sida om en kod i ett meddelande, eller om en slutkod",
    ),
    verb(
        "completions",
        Who::Anyone,
        "Completions for a shell",
        "Komplettering av kommandon i ett skal",
    ),
    verb(
        "draw",
        Who::Methodologist,
        "One randomization method on its own, with its operating characteristics",
        "En lottningsmetod för sig, med dess egenskaper",
    ),
    verb(
        "estimate",
        Who::Analyst,
        "One estimator on any CSV file, or on two-by-two counts",
        "En skattningsmetod på valfri CSV-fil, eller på antal i en fyrfältstabell",
    ),
    verb(
        "power",
        Who::Planner,
        "Power, sample size, alpha or effect: whichever is left out",
        "Styrka, stickprovsstorlek, alfa eller effekt: det som utelämnas",
    ),
    verb(
        "boundaries",
        Who::Planner,
        "Critical values of a study with interim looks, and what the looks cost",
        "Kritiska värden för en studie med tittar på vägen, och vad tittarna kostar",
    ),
    verb(
        "simulate",
        Who::Planner,
        "A made-up world in which the protocol is run many times",
        "En påhittad värld där protokollet körs många gånger",
    ),
    verb(
        "check",
        Who::StudyLead,
        "Check a protocol and say what it promises in numbers",
        "Kontrollera ett protokoll och säg vad det lovar i siffror",
    ),
    verb(
        "rehearse",
        Who::StudyLead,
        "The whole story of your own protocol on made-up families",
        "Hela berättelsen om ett eget protokoll på påhittade familjer",
    ),
    verb(
        "open",
        Who::StudyLead,
        "Seal a protocol into a study and commit to its seed",
        "Försegla ett protokoll i en studie och bind studien till ett frö",
    ),
    verb(
        "amend",
        Who::StudyLead,
        "Seal an amended protocol as the next epoch, with a seed of its own",
        "Försegla ett ändrat protokoll som nästa epok, med ett eget frö",
    ),
    verb(
        "beacon",
        Who::StudyLead,
        "Record the value of the public round that the protocol waits for",
        "Registrera värdet av den offentliga omgång som protokollet väntar på",
    ),
    verb(
        "checkpoint",
        Who::StudyLead,
        "Write the head of the ledger to a file that somebody else keeps",
        "Skriv liggarens huvud till en fil som någon annan förvarar",
    ),
    verb(
        "lock",
        Who::StudyLead,
        "Freeze the data of a registered lock at its cut",
        "Frys data för en registrerad låsning vid dess brytdatum",
    ),
    verb(
        "erase",
        Who::StudyLead,
        "Erase what the ledger says of a family, and keep the chain",
        "Radera det som liggaren säger om en familj, och behåll kedjan",
    ),
    verb(
        "reveal",
        Who::StudyLead,
        "Publish the seed after the final lock",
        "Publicera fröet efter den slutliga låsningen",
    ),
    verb(
        "enrol",
        Who::Intake,
        "Screen a family and randomize it, or a file of families",
        "Screena en familj och lotta den, eller en fil med familjer",
    ),
    verb(
        "record",
        Who::Intake,
        "Record an event of a family or a site",
        "Registrera en händelse för en familj eller en enhet",
    ),
    verb(
        "import",
        Who::Intake,
        "Import many events from a file, all rows or none",
        "Importera många händelser från en fil, alla rader eller inga",
    ),
    verb(
        "pseudonym",
        Who::KeyHolder,
        "Keyed pseudonyms for personal numbers, outside every study",
        "Nyckelberoende pseudonymer för personnummer, utanför varje studie",
    ),
    verb(
        "analyse",
        Who::Evaluator,
        "Run the registered plan on a locked data set, or try it on redrawn arms",
        "Kör den registrerade planen på låsta data, eller prova den på omlottade grupper",
    ),
    verb(
        "status",
        Who::Intake,
        "How the study goes",
        "Hur studien går",
    ),
    verb(
        "report",
        Who::Evaluator,
        "Write the report of a lock: a page, figures, tables",
        "Skriv rapporten för en låsning: sida, figurer, tabeller",
    ),
    verb(
        "export",
        Who::Evaluator,
        "Write the data of a lock, what recomputes its results, or a proof without families",
        "Skriv en låsnings data, det som räknar om dess resultat, eller ett bevis utan familjer",
    ),
    verb(
        "verify",
        Who::Evaluator,
        "Check the chain of events and derive every draw again",
        "Kontrollera händelsekedjan och härled varje dragning på nytt",
    ),
];

/// The command with its help in one language.
pub(super) fn write(mut command: clap::Command, lang: Lang) -> clap::Command {
    let mut groups = String::new();
    for who in Who::ALL {
        let verbs: Vec<&Verb> = VERBS.iter().filter(|verb| verb.who == who).collect();
        if verbs.is_empty() {
            continue;
        }
        let _ = writeln!(groups, "{}", who.words().get(lang));
        for verb in verbs {
            let about = match lang {
                Lang::En => verb.en,
                Lang::Sv => verb.sv,
            };
            let _ = writeln!(groups, "  {:<12} {about}", verb.name);
            command = command.mut_subcommand(verb.name, |sub| {
                let (sub, own) = (sub.about(about), template(lang, ""));
                match lang {
                    Lang::En => sub.help_template(own),
                    Lang::Sv => swedish::translate(sub, verb.name, &own),
                }
            });
        }
        groups.push('\n');
    }
    let heading = pick(
        lang,
        "Options of every command",
        "Flaggor för alla kommandon",
    );
    let option = |command: clap::Command, name: &str, value: &'static str, en, sv| {
        command.mut_arg(name, |arg| {
            let arg = arg.help(pick(lang, en, sv)).help_heading(heading);
            if value.is_empty() {
                arg
            } else {
                arg.value_name(value)
            }
        })
    };
    command = option(
        command,
        "format",
        "FORMAT",
        "How the answer is written: table, csv or json",
        "Hur svaret skrivs: table, csv eller json",
    );
    command = option(
        command,
        "json",
        "",
        "Short for --format json",
        "Kort för --format json",
    );
    command = option(
        command,
        "quiet",
        "",
        "No notes and no progress, only warnings and errors",
        "Inga upplysningar, bara varningar och fel",
    );
    command = option(
        command,
        "lang",
        "LANG",
        "Language of prompts, errors and reports: sv or en [default: LOTTNING_LANG, else en]",
        "Språk för frågor, fel och rapporter: sv eller en [annars LOTTNING_LANG, annars en]",
    );
    command = option(
        command,
        "help",
        "",
        "Show this help",
        "Visa den här hjälpen",
    );
    command = option(command, "version", "", "Show the version", "Visa versionen");
    command
        .about(pick(
            lang,
            "Plan, draw, record and analyse a randomized evaluation from one protocol file",
            "Planera, lotta, registrera och analysera en randomiserad utvärdering från en enda protokollfil",
        ))
        .help_template(template(lang, groups.trim_end()))
        .after_help(pick(
            lang,
            "`lottning COMMAND --help` says more about one command, `lottning explain CODE` about one message.",
            "`lottning KOMMANDO --help` berättar mer om ett kommando, `lottning explain KOD` om ett meddelande.",
        ))
}

fn pick(lang: Lang, en: &'static str, sv: &'static str) -> &'static str {
    match lang {
        Lang::En => en,
        Lang::Sv => sv,
    }
}

fn template(lang: Lang, groups: &str) -> String {
    let usage = pick(lang, "Usage", "Så skrivs det");
    if groups.is_empty() {
        format!("{{about}}\n\n{usage}: {{usage}}\n\n{{all-args}}{{after-help}}")
    } else {
        format!(
            "{{about}}\n\n{usage}: {{usage}}\n\n{groups}\n\n{}:\n{{options}}{{after-help}}",
            pick(
                lang,
                "Options of every command",
                "Flaggor för alla kommandon"
            )
        )
    }
}
