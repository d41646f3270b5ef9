//! The estimand of an analysis in words: the five attributes of ICH E9(R1), and the sentence made of them.

use super::{Analysis, Average, Clusters, Exit, Hands, Missing, OutcomeKind, Protocol, Summary};
use crate::diagnostic::{Lang, Words};
use crate::words;

/// One attribute of an estimand (ICH E9(R1) 2019, A.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its key in JSON.
    pub key: &'static str,
    /// Its name.
    pub name: Words,
    /// What it is in this analysis.
    pub value: Words,
}

/// An effect measure in words, with the outcome to follow.
fn measure(text: &str) -> Words {
    match text {
        "risk-difference" => words!("difference in risk of", "skillnaden i risk för"),
        "risk-ratio" => words!("ratio of the risks of", "kvoten mellan riskerna för"),
        "odds-ratio" => words!("ratio of the odds of", "kvoten mellan oddsen för"),
        "rate-ratio" => words!(
            "ratio of the mean numbers per time of",
            "kvoten mellan medelantalen per tid av"
        ),
        "hazard-ratio" => words!("ratio of the hazards of", "kvoten mellan hasarderna för"),
        "subdistribution-hazard-ratio" => words!(
            "ratio of the subdistribution hazards of",
            "kvoten mellan subfördelningshasarderna för"
        ),
        "survival-difference" => words!(
            "difference in the probability of being without",
            "skillnaden i sannolikheten att vara utan"
        ),
        "restricted-mean-difference" => words!(
            "difference in the mean number of days without",
            "skillnaden i medelantalet dagar utan"
        ),
        "restricted-mean-ratio" => words!(
            "ratio of the mean numbers of days without",
            "kvoten mellan medelantalen dagar utan"
        ),
        "probability-index" => words!(
            "probability that a family has more (ties count half) of",
            "sannolikheten att en familj har mer (lika räknas till hälften) av"
        ),
        "test" => words!(
            "equality of the hazards of",
            "likheten mellan hasarderna för"
        ),
        _ => words!("mean difference of", "skillnaden i medelvärde av"),
    }
}

impl Protocol {
    /// The treated arms' names, as they stand in a sentence.
    fn treated_labels(&self, lang: Lang) -> String {
        let others = self.arms.iter().enumerate();
        let others = others.filter(|(index, _)| *index != self.control.index());
        let labels: Vec<&str> = others.map(|(_, arm)| arm.label.get(lang)).collect();
        labels.join(" / ")
    }

    /// The estimand of an analysis as a sentence: measure, outcome and summary, arms, population, strategy, note.
    pub fn estimand_sentence(&self, analysis: &Analysis) -> Words {
        let outcome = &self.outcomes[analysis.outcome].label;
        let (outcome_en, outcome_sv) = (&outcome.en, &outcome.sv);
        let (summary_en, summary_sv) = match analysis.summary {
            Summary::Any => (" (at least one)", " (minst en)"),
            Summary::Count => (" (number)", " (antal)"),
            Summary::FirstTime => (" (the first)", " (det första)"),
            Summary::Value => ("", ""),
        };
        let (per_en, per_sv) = match analysis.children {
            Some(_) => (" per child", " per barn"),
            None => ("", ""),
        };
        let estimand = &analysis.estimand;
        let Words {
            en: measure_en,
            sv: measure_sv,
        } = measure(&estimand.measure);
        let whom = self.whom(analysis);
        let (whom_en, whom_sv) = (&whom.en, &whom.sv);
        // A horizon counts from the window's first day, which is said where it is not the first after the draw.
        let first = self.window(analysis).0;
        let until = self.horizon_day(analysis).map(|day| {
            if first > 1 {
                words!(
                    " from day {first} until day {day} after randomization",
                    " från och med dag {first} till och med dag {day} efter lottningen"
                )
            } else {
                words!(
                    " until day {day} after randomization",
                    " till och med dag {day} efter lottningen"
                )
            }
        });
        let Words {
            en: until_en,
            sv: until_sv,
        } = until.unwrap_or_default();
        let given = given(analysis);
        let clusters = analysis.clusters.map(sampled);
        let children = analysis.children.map(averaged);
        let note = |pick: fn(&Words) -> &str| {
            let own = [&given, &children, &estimand.note, &clusters];
            let own = own.into_iter().flatten();
            own.fold(String::new(), |all, note| all + ", " + pick(note))
        };
        let (note_en, note_sv) = (note(|words| &words.en), note(|words| &words.sv));
        let control = &self.arms[self.control.index()].label;
        let (treated_en, treated_sv) =
            (self.treated_labels(Lang::En), self.treated_labels(Lang::Sv));
        let (control_en, control_sv) = (&control.en, &control.sv);
        words!(
            "the {measure_en} “{outcome_en}”{summary_en}{per_en}{until_en} between being allocated to “{treated_en}” and to “{control_en}”, in {whom_en}{note_en}.",
            "{measure_sv} ”{outcome_sv}”{summary_sv}{per_sv}{until_sv} mellan att lottas till ”{treated_sv}” och till ”{control_sv}”, bland {whom_sv}{note_sv}."
        )
    }

    /// Whom the effect is for: a principal stratum is those of the population who are in it.
    fn whom(&self, analysis: &Analysis) -> Words {
        let Words { en, sv } = &analysis.estimand.population;
        let strategy = self.strategy(analysis);
        let (own_en, own_sv) = (&strategy.en, &strategy.sv);
        if analysis.estimand.strategy == "principal-stratum" {
            words!("those of {en} {own_en}", "de av {sv} {own_sv}")
        } else {
            words!("{en}, {own_en}", "{sv}, {own_sv}")
        }
    }

    fn strategy(&self, analysis: &Analysis) -> Words {
        if analysis.estimand.strategy != "principal-stratum" {
            return words!(
                "whatever service they then received",
                "oavsett vilken insats de sedan fick"
            );
        }
        if analysis.received.is_some() {
            let (en, sv) = (self.treated_labels(Lang::En), self.treated_labels(Lang::Sv));
            words!(
                "who receive the service of “{en}” if and only if they are allocated to it",
                "som får insatsen ”{sv}” om och endast om de lottas till den"
            )
        } else {
            words!(
                "whose outcome would be known in either arm",
                "vars utfall skulle vara känt i båda grupperna"
            )
        }
    }

    /// The five attributes of the estimand: population, treatment, variable, intercurrent events, population-level summary.
    pub fn estimand_attributes(&self, analysis: &Analysis) -> [Attribute; 5] {
        let estimand = &analysis.estimand;
        let population = if estimand.strategy == "principal-stratum" {
            self.whom(analysis)
        } else {
            estimand.population.clone()
        };
        let clusters = analysis.clusters.map(sampled);
        let children = analysis.children.map(averaged);
        let mut population = population;
        for note in [&children, &estimand.note, &clusters].into_iter().flatten() {
            let (en, sv, note_en, note_sv) = (population.en, population.sv, &note.en, &note.sv);
            population = words!("{en}; {note_en}", "{sv}; {note_sv}");
        }
        let control = &self.arms[self.control.index()].label;
        let (treated_en, treated_sv) =
            (self.treated_labels(Lang::En), self.treated_labels(Lang::Sv));
        let (control_en, control_sv) = (&control.en, &control.sv);
        let attribute = |key, name, value| Attribute { key, name, value };
        [
            attribute("population", words!("population", "population"), population),
            attribute(
                "treatment",
                words!("treatment conditions", "behandlingar"),
                words!(
                    "being allocated to “{treated_en}”, compared with being allocated to “{control_en}”",
                    "att lottas till ”{treated_sv}”, jämfört med att lottas till ”{control_sv}”"
                ),
            ),
            attribute(
                "variable",
                words!("variable", "variabel"),
                self.variable(analysis),
            ),
            attribute(
                "intercurrent_events",
                words!("intercurrent events", "mellankommande händelser"),
                self.intercurrent(analysis),
            ),
            attribute(
                "summary",
                words!(
                    "population-level summary",
                    "sammanfattning på populationsnivå"
                ),
                self.summarized(analysis),
            ),
        ]
    }

    /// The measure, at what horizon, and given what.
    fn summarized(&self, analysis: &Analysis) -> Words {
        let Words { mut en, mut sv } = measure_label(&analysis.estimand.measure);
        if let Some(day) = self.horizon_day(analysis) {
            let first = self.window(analysis).0;
            let until = if first > 1 {
                words!(
                    " (days {first} to {day} after randomization)",
                    " (dag {first} till {day} efter lottningen)"
                )
            } else {
                words!(
                    " (day {day} after randomization)",
                    " (dag {day} efter lottningen)"
                )
            };
            en += &until.en;
            sv += &until.sv;
        }
        match given(analysis) {
            None => Words::new(en, sv),
            Some(given) => {
                let (given_en, given_sv) = (given.en, given.sv);
                words!("{en}, {given_en}", "{sv}, {given_sv}")
            }
        }
    }

    /// The day after randomization that is the horizon of an analysis with one; registered in days of the window, the first of which
    /// is 1.
    fn horizon_day(&self, analysis: &Analysis) -> Option<i32> {
        let days = analysis.options.horizon?;
        Some(self.window(analysis).0.max(1) - 1 + days as i32)
    }

    /// First and last day after randomization that the outcome is of.
    fn window(&self, analysis: &Analysis) -> (i32, i32) {
        match &self.outcomes[analysis.outcome].kind {
            OutcomeKind::Reports { window_days, .. }
            | OutcomeKind::Binary { window_days, .. }
            | OutcomeKind::Observed { window_days } => *window_days,
            OutcomeKind::Duration { horizon_days, .. } => (0, *horizon_days),
        }
    }

    /// Outcome, summary and window.
    fn variable(&self, analysis: &Analysis) -> Words {
        let outcome = &self.outcomes[analysis.outcome];
        let (en, sv) = (&outcome.label.en, &outcome.label.sv);
        let horizon = self.horizon_day(analysis);
        let (how_en, how_sv) = match (analysis.summary, &outcome.kind) {
            (Summary::Any, _) => ("at least one, yes or no", "minst en, ja eller nej"),
            (Summary::Count, _) => ("number", "antal"),
            (Summary::FirstTime, _) => ("days until the first", "dagar till det första"),
            (Summary::Value, OutcomeKind::Binary { .. }) => ("yes or no", "ja eller nej"),
            (Summary::Value, OutcomeKind::Duration { .. }) => ("days", "dagar"),
            (Summary::Value, OutcomeKind::Reports { .. } | OutcomeKind::Observed { .. }) => {
                ("value", "värde")
            }
        };
        let (first, last) = self.window(analysis);
        let last = horizon.unwrap_or(last);
        let (per_en, per_sv) = match analysis.children {
            Some(_) => (", of each child", ", för varje barn"),
            None => ("", ""),
        };
        words!(
            "“{en}”: {how_en}{per_en}, days {first} to {last} after randomization",
            "”{sv}”: {how_sv}{per_sv}, dag {first} till {last} efter lottningen"
        )
    }

    /// Whether a terminal exit leaves the outcome of a family unknown, unless it was seen before: a duration without its end, and a
    /// number that would have been observed. Of reports and events those until then are all that there are.
    fn is_lost(&self, analysis: &Analysis) -> bool {
        match self.outcomes[analysis.outcome].kind {
            OutcomeKind::Duration { .. } | OutcomeKind::Observed { .. } => true,
            OutcomeKind::Reports { .. } | OutcomeKind::Binary { .. } => false,
        }
    }

    /// What is done about a change of service, and about each kind of exit.
    fn intercurrent(&self, analysis: &Analysis) -> Words {
        let names = |exits: &[Exit]| {
            let words: Vec<Words> = exits.iter().map(|exit| exit.words()).collect();
            let join = |lang: Lang| {
                let texts: Vec<&str> = words.iter().map(|own| own.get(lang)).collect();
                texts.join(", ")
            };
            (join(Lang::En), join(Lang::Sv))
        };
        let mut parts = vec![match analysis.estimand.strategy.as_str() {
            "principal-stratum" => words!(
                "service not started, declined or changed: principal stratum, see the population",
                "insats som inte påbörjas, avböjs eller byts: principalstratum, se populationen"
            ),
            _ => words!(
                "service not started, declined or changed: treatment policy, the outcome counts all the same",
                "insats som inte påbörjas, avböjs eller byts: behandlingspolicy, utfallet räknas ändå"
            ),
        }];
        let (terminal_en, terminal_sv) = names(&self.exits.terminal);
        if !terminal_en.is_empty() {
            let competes = matches!(
                analysis.estimator.as_str(),
                "cumulative-incidence" | "fine-gray"
            );
            parts.push(match analysis.hands() {
                Hands::FirstTimes if competes => words!(
                    "{terminal_en}: a competing event",
                    "{terminal_sv}: en konkurrerande händelse"
                ),
                Hands::FirstTimes => words!(
                    "{terminal_en}: hypothetical, as if follow-up had gone on (counted as an end of follow-up)",
                    "{terminal_sv}: hypotetisk, som om uppföljningen hade fortsatt (räknas som uppföljningens slut)"
                ),
                // Fitted to those at risk, or to the days at risk, which a death ends as any other end of follow-up does.
                Hands::Rates | Hands::Histories if is_of_those_at_risk(analysis) => words!(
                    "{terminal_en}: follow-up ends there, and rates are of those alive",
                    "{terminal_sv}: uppföljningen slutar där, och takterna gäller dem som lever"
                ),
                Hands::Values if self.is_lost(analysis) => {
                    let rule = analysis.missing.words();
                    let (en, sv) = (&rule.en, &rule.sv);
                    words!(
                        "{terminal_en}: an outcome not seen before is unknown ({en})",
                        "{terminal_sv}: ett utfall som inte setts dessförinnan är okänt ({sv})"
                    )
                }
                Hands::Values | Hands::Rates | Hands::Histories => words!(
                    "{terminal_en}: the count stops there and is observed",
                    "{terminal_sv}: räkningen slutar där och är observerad"
                ),
            });
        }
        if analysis.missing != Missing::Bounds {
            let (mut censors_en, mut censors_sv) = names(&self.exits.censors);
            for (names, own) in [
                (&mut censors_en, "withdrawal from the study"),
                (&mut censors_sv, "avbrutet deltagande"),
            ] {
                if !names.is_empty() {
                    names.push_str(", ");
                }
                names.push_str(own);
            }
            let rule = analysis.missing.words();
            let (en, sv) = (&rule.en, &rule.sv);
            parts.push(words!(
                "{censors_en}: no event of interest but missing data ({en})",
                "{censors_sv}: ingen händelse av intresse utan bortfall ({sv})"
            ));
        }
        let join = |lang: Lang| {
            let texts: Vec<&str> = parts.iter().map(|part| part.get(lang)).collect();
            texts.join("; ")
        };
        Words::new(join(Lang::En), join(Lang::Sv))
    }
}

/// Whether a rate is per time at risk, which a death ends, and not per time since randomization.
fn is_of_those_at_risk(analysis: &Analysis) -> bool {
    analysis.hands() == Hands::Rates || analysis.estimator == "recurrent-rate-ratio"
}

/// Whose average an effect on children is.
fn averaged(average: Average) -> Words {
    match average {
        Average::Child => words!(
            "averaged over the children who stood on a roster at randomization, each child counting alike",
            "i genomsnitt över de barn som fanns med vid lottningen, där varje barn väger lika"
        ),
        Average::Family => words!(
            "averaged over families by the mean over the children who stood on the roster at randomization, each family counting alike",
            "i genomsnitt över familjer av medelvärdet över de barn som fanns med vid lottningen, där varje familj väger lika"
        ),
    }
}

/// Models whose coefficient of the arm compares families with the same covariates: its odds, hazards and rates are not those of the
/// population as a whole.
const CONDITIONAL: [&str; 6] = [
    "logistic",
    "poisson",
    "negative-binomial",
    "cox",
    "fine-gray",
    "recurrent-rate-ratio",
];

/// That an effect is one between families with the same covariates, or of the same stratum.
fn given(analysis: &Analysis) -> Option<Words> {
    let conditional = CONDITIONAL.contains(&analysis.estimator.as_str());
    // The common odds ratio of strata; common differences and ratios of risks are averages over them.
    let common =
        analysis.estimator == "mantel-haenszel" && analysis.estimand.measure == "odds-ratio";
    let covariates = conditional && !analysis.covariates.is_empty();
    let strata = (conditional || common) && !analysis.strata.is_empty();
    match (covariates, strata) {
        (true, true) => Some(words!(
            "given the covariates and the stratum",
            "givet kovariaterna och stratumet"
        )),
        (true, false) => Some(words!("given the covariates", "givet kovariaterna")),
        (false, true) => Some(words!("given the stratum", "givet stratumet")),
        (false, false) => None,
    }
}

/// What clusters say of whom the effect is for.
fn sampled(clusters: Clusters) -> Words {
    match clusters {
        Clusters::DeliveredBy => words!(
            "those who deliver the service being taken for a sample of all who could",
            "där de som ger insatsen ses som ett urval av alla som kunde ge den"
        ),
    }
}

/// The population-level summary by itself, from the measure's code.
pub fn measure_label(text: &str) -> Words {
    match text {
        "risk-difference" => words!("difference of proportions", "skillnad mellan andelar"),
        "risk-ratio" => words!("ratio of proportions", "kvot mellan andelar"),
        "odds-ratio" => words!("odds ratio", "oddskvot"),
        "rate-ratio" => words!(
            "ratio of mean numbers per time",
            "kvot mellan medelantal per tid"
        ),
        "hazard-ratio" => words!("hazard ratio", "hasardkvot"),
        "subdistribution-hazard-ratio" => {
            words!("subdistribution hazard ratio", "subfördelningshasardkvot")
        }
        "survival-difference" => words!(
            "difference of the probabilities of no event until the horizon",
            "skillnad mellan sannolikheterna för ingen händelse före horisonten"
        ),
        "restricted-mean-difference" => words!(
            "difference of the mean event-free days until the horizon",
            "skillnad mellan medelantalen händelsefria dagar före horisonten"
        ),
        "restricted-mean-ratio" => words!(
            "ratio of the mean event-free days until the horizon",
            "kvot mellan medelantalen händelsefria dagar före horisonten"
        ),
        "complier-difference" => words!(
            "difference of means among compliers",
            "skillnad mellan medelvärden bland följsamma"
        ),
        "probability-index" => words!("probability index", "sannolikhetsindex"),
        "test" => words!("a test without an effect", "ett test utan effektmått"),
        _ => words!("difference of means", "skillnad mellan medelvärden"),
    }
}
