//! Why there is no estimate.

use super::entry::Role;
use super::histories::HistoryError;
use super::refusals;
use crate::diagnostic::Words;
use crate::numerics::NumericsError;
use crate::words;

/// A refusal. [`EstimationError::is_usage`] tells wrong usage (exit 2) from invalid data (exit 4).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EstimationError {
    /// No estimator has this id.
    #[error("{}", self.words())]
    UnknownEstimator {
        /// What was asked for.
        id: String,
        /// The nearest id.
        nearest: Option<&'static str>,
    },
    /// The estimator has no such option, or not this value of it.
    #[error("{}", self.words())]
    OptionNotUsed {
        /// Id.
        estimator: &'static str,
        /// Option.
        option: &'static str,
        /// Value.
        value: &'static str,
    },
    /// A variance that respects clusters without any, or one that does not with them.
    #[error("{}", self.words())]
    VarianceAndCluster {
        /// Variance.
        variance: &'static str,
        /// Whether there are clusters.
        clustered: bool,
    },
    /// Two options that exclude each other.
    #[error("{}", self.words())]
    OptionsClash {
        /// Reference distribution.
        df: &'static str,
        /// Variance.
        variance: &'static str,
    },
    /// The confidence level is not between 0 and 1.
    #[error("{}", self.words())]
    Level {
        /// What was given.
        level: f64,
    },
    /// The estimator needs a horizon.
    #[error("{}", self.words())]
    HorizonMissing {
        /// Id.
        estimator: &'static str,
    },
    /// A horizon that is not above 0.
    #[error("{}", self.words())]
    Horizon {
        /// What was given.
        horizon: f64,
    },
    /// A range whose end is not above its beginning.
    #[error("{}", self.words())]
    Range {
        /// Beginning.
        low: f64,
        /// End.
        high: f64,
    },
    /// A group-sequential design that cannot be.
    #[error("{}", self.words())]
    Looks {
        /// What is out of its range.
        what: &'static str,
    },
    /// Bounds need the range of the outcome.
    #[error("{}", self.words())]
    RangeMissing {
        /// Id.
        estimator: &'static str,
    },
    /// A number of redraws that is 0 or beyond what memory holds.
    #[error("{}", self.words())]
    Draws {
        /// What was given.
        draws: u64,
        /// The largest number.
        most: u64,
    },
    /// A column that this estimator does not use.
    #[error("{}", self.words())]
    ColumnNotUsed {
        /// Id.
        estimator: &'static str,
        /// Role.
        role: Role,
    },
    /// A column that this estimator needs.
    #[error("{}", self.words())]
    ColumnMissing {
        /// Id.
        estimator: &'static str,
        /// Role.
        role: Role,
    },
    /// Counts where rows are needed.
    #[error("{}", self.words())]
    CountsNotUsed {
        /// Id.
        estimator: &'static str,
    },
    /// More events than units, or an arm without units.
    #[error("{}", self.words())]
    Counts {
        /// Arm's name.
        arm: String,
        /// Events.
        events: u64,
        /// Units.
        units: u64,
    },
    /// Columns of different length.
    #[error("{}", self.words())]
    UnequalLengths {
        /// Column at fault.
        column: String,
        /// Its rows.
        rows: usize,
        /// Rows of the arm column.
        expected: usize,
    },
    /// No row has arm and outcome.
    #[error("{}", self.words())]
    NoRows,
    /// An arm has too few analysed rows.
    #[error("{}", self.words())]
    TooFewRows {
        /// Arm's name.
        arm: String,
        /// Analysed rows.
        rows: usize,
        /// Rows that are needed.
        needed: usize,
    },
    /// A value is infinite, not a number, or beyond ±1e100.
    #[error("{}", self.words())]
    NotFinite {
        /// Column.
        column: String,
        /// Row as people count it, the header being row 1.
        row: usize,
    },
    /// An outcome that must be 0 or 1 is not.
    #[error("{}", self.words())]
    NotBinary {
        /// Row as people count it, the header being row 1.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A code that the event column may not hold.
    #[error("{}", self.words())]
    EventCode {
        /// Rows as people count them.
        rows: Vec<usize>,
    },
    /// An event column of 1 and 2 only, which is how some programs write the end of follow-up and the event.
    #[error("{}", self.words())]
    EventsCodedOneTwo,
    /// A time or an entry below 0.
    #[error("{}", self.words())]
    NegativeTime {
        /// Rows as people count them.
        rows: Vec<usize>,
    },
    /// Follow-up that ends before it begins.
    #[error("{}", self.words())]
    TimeBeforeEntry {
        /// Rows as people count them.
        rows: Vec<usize>,
    },
    /// Follow-up of length zero, in which nothing can be seen.
    #[error("{}", self.words())]
    EmptyInterval {
        /// Rows as people count them.
        rows: Vec<usize>,
    },
    /// Rows of one id that are no history.
    #[error("{}", self.words())]
    History(#[from] HistoryError),
    /// A horizon that the follow-up of an arm does not reach.
    #[error("{}", self.words())]
    HorizonBeyond {
        /// Arm's name.
        arm: String,
        /// What was asked for.
        horizon: f64,
        /// Last time in that arm.
        last: f64,
    },
    /// Nobody had the event.
    #[error("{}", self.words())]
    NoEvents,
    /// The outcome does not vary, so that the effect has no estimate: a ratio of nought to nought.
    #[error("{}", self.words())]
    NoVariation,
    /// An arm in which nobody had the event, so that a ratio of hazards has no finite estimate.
    #[error("{}", self.words())]
    ArmWithoutEvents {
        /// Arm's name.
        arm: String,
        /// Whether the ratio is that of `cox`, which has other variances.
        cox: bool,
    },
    /// A likelihood that rises without end.
    #[error("{}", self.words())]
    MonotoneLikelihood {
        /// The effect or covariates whose coefficients grow.
        terms: Vec<String>,
        /// Whether the ratio is that of `cox`, which has a penalized fit.
        cox: bool,
    },
    /// At no time of an event are both arms at risk.
    #[error("{}", self.words())]
    NeverCompared,
    /// An outcome that must be a whole number from 0 is not.
    #[error("{}", self.words())]
    NotCount {
        /// Row as people count it, the header being row 1.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A value that must be above 0 is not.
    #[error("{}", self.words())]
    NotPositive {
        /// Column.
        column: String,
        /// Row as people count it, the header being row 1.
        row: usize,
        /// The value.
        value: f64,
    },
    /// More units than an exact method takes.
    #[error("{}", self.words())]
    TooManyUnits {
        /// Units in both arms.
        units: u64,
        /// The most that are taken.
        most: u64,
    },
    /// An arm without a single event, so that no ratio with a standard error exists.
    #[error("{}", self.words())]
    ArmNeverCounted {
        /// Arm's name.
        arm: String,
    },
    /// All units of an arm, or none, have the event, so that a model of the odds has no finite effect.
    #[error("{}", self.words())]
    SameOutcome {
        /// Arm's name.
        arm: String,
        /// Whether all units have the event, rather than none.
        all: bool,
    },
    /// Arm and covariates separate events from non-events, so that the likelihood has no maximum.
    #[error("{}", self.words())]
    Separation {
        /// Whether a penalized fit is offered.
        firth: bool,
    },
    /// A fit that does not settle.
    #[error("{}", self.words())]
    NotConverged {
        /// Id.
        estimator: &'static str,
    },
    /// A variance that takes no account of the clusters that were given.
    #[error("{}", self.words())]
    ClustersUnused {
        /// Variance.
        variance: &'static str,
    },
    /// An outcome outside the range that was given.
    #[error("{}", self.words())]
    OutsideRange {
        /// Row as people count it, the header being row 1.
        row: usize,
        /// The value.
        value: f64,
        /// Beginning of the range.
        low: f64,
        /// End of the range.
        high: f64,
    },
    /// A cluster whose rows are in both arms, or in several strata.
    #[error("{}", self.words())]
    ClusterSplit {
        /// The cluster.
        cluster: String,
        /// `arms` or `strata`.
        between: &'static str,
    },
    /// A stratum with a single unit in an arm, and no others like it to pool it with.
    #[error("{}", self.words())]
    AloneInStratum {
        /// Levels joined by `/`; empty without strata.
        stratum: String,
    },
    /// An interval that does not go with a variance.
    #[error("{}", self.words())]
    IntervalClash {
        /// Kind of interval.
        interval: &'static str,
        /// Variance.
        variance: &'static str,
    },
    /// A covariate without a single value among the analysed rows.
    #[error("{}", self.words())]
    CovariateEmpty {
        /// Column.
        column: String,
    },
    /// A row without its stratum.
    #[error("{}", self.words())]
    StratumMissing {
        /// Column.
        column: String,
        /// Row as people count it, the header being row 1.
        row: usize,
    },
    /// A row without its cluster or id.
    #[error("{}", self.words())]
    GroupMissing {
        /// Column.
        column: String,
        /// Row as people count it, the header being row 1.
        row: usize,
    },
    /// A stratum with analysed rows in one arm only.
    #[error("{}", self.words())]
    OneArmedStratum {
        /// Levels joined by `/`.
        stratum: String,
        /// Name of the arm that is absent.
        absent: String,
    },
    /// A stratum with a single analysed row.
    #[error("{}", self.words())]
    SingletonStratum {
        /// Levels joined by `/`.
        stratum: String,
    },
    /// Strata with a single analysed row in an arm.
    #[error("{}", self.words())]
    SingleInStratum {
        /// Their levels joined by `/`.
        strata: Vec<String>,
    },
    /// What was received does not differ between the arms.
    #[error("{}", self.words())]
    NoFirstStage,
    /// The covariates determine the arm, so that no effect is identified.
    #[error("{}", self.words())]
    ArmAliased,
    /// As many coefficients as rows.
    #[error("{}", self.words())]
    NoResidualDf {
        /// Analysed rows.
        rows: usize,
        /// Coefficients.
        coefficients: usize,
    },
    /// Rows that the model fits exactly whatever their outcome, and that the effect depends on.
    #[error("{}", self.words())]
    LeverageOne {
        /// Rows as people count them.
        rows: Vec<usize>,
        /// Variance that cannot be computed.
        variance: &'static str,
    },
    /// Fewer than two clusters.
    #[error("{}", self.words())]
    TooFewClusters {
        /// Clusters among the analysed rows.
        clusters: usize,
    },
    /// Clusters without which the effect is not identified.
    #[error("{}", self.words())]
    DecisiveCluster {
        /// Their names.
        clusters: Vec<String>,
        /// Variance that cannot be computed.
        variance: &'static str,
    },
    /// A weight that is missing or not above zero.
    #[error("{}", self.words())]
    InvalidWeight {
        /// Row as people count it, the header being row 1.
        row: usize,
        /// The weight.
        value: Option<f64>,
    },
    /// A distribution was asked for something that does not exist.
    #[error("{}", self.words())]
    Numerics(#[from] NumericsError),
}

impl EstimationError {
    /// What is wrong and what to do next, in both languages.
    pub fn words(&self) -> Words {
        match self {
            Self::UnknownEstimator { id, nearest } => match nearest {
                Some(nearest) => words!(
                    "there is no estimator `{id}`; did you mean `{nearest}`?",
                    "det finns ingen skattningsmetod `{id}`; menade du `{nearest}`?"
                ),
                None => words!(
                    "there is no estimator `{id}`",
                    "det finns ingen skattningsmetod `{id}`"
                ),
            },
            Self::OptionNotUsed {
                estimator,
                option,
                value,
            } => {
                let space = if value.is_empty() { "" } else { " " };
                let value = if value.is_empty() {
                    String::new()
                } else {
                    format!("`{value}`")
                };
                words!(
                    "`{estimator}` does not use {option}{space}{value}",
                    "`{estimator}` använder inte {option}{space}{value}"
                )
            }
            Self::VarianceAndCluster {
                variance,
                clustered: true,
            } => words!(
                "variance `{variance}` does not respect clusters; leave --cluster out, or take `cr2` (the default with clusters), `cr0`, `cr1` or `cr3`",
                "variance `{variance}` tar inte hänsyn till kluster; utelämna --cluster, eller välj `cr2` (det vanliga med kluster), `cr0`, `cr1` eller `cr3`"
            ),
            Self::VarianceAndCluster { variance, .. } => words!(
                "variance `{variance}` needs a column of clusters; name it with --cluster",
                "variance `{variance}` behöver en kolumn med kluster; ange den med --cluster"
            ),
            Self::OptionsClash { df, variance } => words!(
                "df `{df}` does not go with variance `{variance}`",
                "df `{df}` går inte ihop med variance `{variance}`"
            ),
            Self::Level { level } => words!(
                "the confidence level {level} is not between 0 and 1; 0.95 is usual",
                "konfidensgraden {level} ligger inte mellan 0 och 1; 0.95 är det vanliga"
            ),
            Self::HorizonMissing { estimator } => words!(
                "`{estimator}` needs a horizon; give it with --horizon, in the unit of the times",
                "`{estimator}` behöver en horisont; ange den med --horizon, i samma enhet som tiderna"
            ),
            Self::Horizon { horizon } => words!(
                "the horizon {horizon} is not above 0",
                "horisonten {horizon} är inte större än 0"
            ),
            Self::Range { low, high } => words!(
                "the range {low} to {high} does not rise; give MIN,MAX",
                "intervallet {low} till {high} stiger inte; ange MIN,MAX"
            ),
            Self::Looks { what } => words!(
                "the looks of this design are impossible: check {what} (information rises from above 0, alpha and power lie between 0 and 1)",
                "designens tittar är omöjliga: kontrollera {what} (informationen stiger från över 0, alfa och styrka ligger mellan 0 och 1)"
            ),
            Self::RangeMissing { estimator } => refusals::range_missing(estimator),
            Self::Draws { draws, most } => refusals::draws(*draws, *most),
            Self::ColumnNotUsed { estimator, role } => {
                let role = role.text();
                words!(
                    "`{estimator}` does not use a column for {role}; leave --{role} out",
                    "`{estimator}` använder ingen kolumn för {role}; utelämna --{role}"
                )
            }
            Self::ColumnMissing { estimator, role } => {
                let role = role.text();
                words!(
                    "`{estimator}` needs a column for {role}; name it with --{role}",
                    "`{estimator}` behöver en kolumn för {role}; ange den med --{role}"
                )
            }
            Self::CountsNotUsed { estimator } => words!(
                "`{estimator}` needs rows, not counts",
                "`{estimator}` behöver rader, inte antal"
            ),
            Self::Counts { arm, events, units } => words!(
                "{events} events among {units} units in arm {arm} is impossible",
                "{events} händelser bland {units} enheter i armen {arm} är omöjligt"
            ),
            Self::UnequalLengths {
                column,
                rows,
                expected,
            } => words!(
                "column {column} has {rows} rows where {expected} are needed",
                "kolumnen {column} har {rows} rader där {expected} behövs"
            ),
            Self::NoRows => words!(
                "no row has both an arm and an outcome",
                "ingen rad har både arm och utfall"
            ),
            Self::TooFewRows { arm, rows, needed } => words!(
                "arm {arm} has {rows} rows with an outcome; at least {needed} are needed",
                "armen {arm} har {rows} rader med utfall; minst {needed} behövs"
            ),
            Self::NotFinite { column, row } => words!(
                "column {column}, row {row}: the value is not a usable number (infinite or beyond 1e100)",
                "kolumnen {column}, rad {row}: värdet är inte ett användbart tal (oändligt eller större än 1e100)"
            ),
            Self::NotBinary { row, value } => words!(
                "row {row}: the outcome is {value}, but must be 0 or 1",
                "rad {row}: utfallet är {value} men måste vara 0 eller 1"
            ),
            Self::EventCode { rows } => refusals::event_code(&list(rows)),
            Self::EventsCodedOneTwo => refusals::events_coded_one_two(),
            Self::NegativeTime { rows } => refusals::negative_time(&list(rows)),
            Self::TimeBeforeEntry { rows } => refusals::time_before_entry(&list(rows)),
            Self::EmptyInterval { rows } => refusals::empty_interval(&list(rows)),
            Self::History(error) => error.words(),
            Self::NoEvents => refusals::no_events(),
            Self::NoVariation => refusals::no_variation(),
            Self::ArmWithoutEvents { arm, cox } => refusals::arm_without_events(arm, *cox),
            Self::MonotoneLikelihood { terms, cox } => {
                refusals::monotone_likelihood(&terms.join(", "), *cox)
            }
            Self::NeverCompared => words!(
                "at no time of an event are both arms at risk in the same stratum, so there is nothing to compare; look at entry, time and strata",
                "vid ingen händelses tidpunkt är båda armarna under risk i samma stratum, så det finns inget att jämföra; se efter inträde, tid och strata"
            ),
            Self::NotConverged { estimator } => words!(
                "the fit of `{estimator}` did not settle; use fewer covariates, or look for values that are far from all others",
                "anpassningen av `{estimator}` stannade inte; använd färre kovariater, eller leta efter värden långt från alla andra"
            ),
            Self::ClustersUnused { variance } => words!(
                "variance `{variance}` takes no account of clusters; use `robust`, or leave --cluster out",
                "variance `{variance}` tar ingen hänsyn till kluster; använd `robust`, eller utelämna --cluster"
            ),
            Self::HorizonBeyond { arm, horizon, last } => words!(
                "the horizon {horizon} is beyond the follow-up of arm {arm}, which ends at {last}; choose a horizon that every arm reaches",
                "horisonten {horizon} ligger bortom uppföljningen i armen {arm}, som slutar vid {last}; välj en horisont som alla armar når"
            ),
            Self::OutsideRange {
                row,
                value,
                low,
                high,
            } => refusals::outside_range(*row, *value, (*low, *high)),
            Self::ClusterSplit { cluster, between } => refusals::cluster_split(cluster, between),
            Self::AloneInStratum { stratum } => refusals::alone_in_stratum(stratum),
            Self::NotCount { row, value } => refusals::not_count(*row, *value),
            Self::NotPositive { column, row, value } => {
                refusals::not_positive(column, *row, *value)
            }
            Self::TooManyUnits { units, most } => refusals::too_many_units(*units, *most),
            Self::ArmNeverCounted { arm } => refusals::arm_never_counted(arm),
            Self::SameOutcome { arm, all } => refusals::same_outcome(arm, *all),
            Self::Separation { firth } => refusals::separation(*firth),
            Self::IntervalClash { interval, variance } => {
                refusals::interval_clash(interval, variance)
            }
            Self::CovariateEmpty { column } => words!(
                "covariate {column} has no value in any analysed row; leave it out",
                "kovariaten {column} saknar värde på alla analyserade rader; utelämna den"
            ),
            Self::StratumMissing { column, row } => words!(
                "column {column}, row {row}: the stratum is missing, and a unit is randomized within a stratum",
                "kolumnen {column}, rad {row}: stratum saknas, och en enhet lottas inom ett stratum"
            ),
            Self::GroupMissing { column, row } => words!(
                "column {column}, row {row}: the value is missing, so it is unknown which rows belong with this one; give rows that stand alone a value of their own",
                "kolumnen {column}, rad {row}: värdet saknas, så det är okänt vilka rader som hör ihop med denna; ge rader som står för sig själva ett eget värde"
            ),
            Self::OneArmedStratum { stratum, absent } => words!(
                "stratum {stratum} has no analysed row in arm {absent}; merge it with another by a rule that was registered",
                "stratum {stratum} har ingen analyserad rad i armen {absent}; slå ihop det med ett annat enligt en registrerad regel"
            ),
            Self::SingletonStratum { stratum } => words!(
                "stratum {stratum} has a single analysed row; merge it with another by a rule that was registered",
                "stratum {stratum} har en enda analyserad rad; slå ihop det med ett annat enligt en registrerad regel"
            ),
            Self::SingleInStratum { strata } => {
                let shown = list(strata);
                words!(
                    "stratum {shown} has a single analysed row in an arm, which shows no variance; merge it with another by a rule that was registered, or test by redrawing the arms",
                    "stratum {shown} har en enda analyserad rad i en arm, vilket inte visar någon varians; slå ihop det med ett annat enligt en registrerad regel, eller testa genom att lotta om armarna"
                )
            }
            Self::NoFirstStage => words!(
                "what was received does not differ between the arms, so its effect cannot be told; report the effect of the arm itself",
                "det som mottogs skiljer sig inte mellan armarna, så dess effekt går inte att skatta; redovisa effekten av själva armen"
            ),
            Self::ArmAliased => words!(
                "the covariates or strata determine the arm, so the data hold no comparison; leave out the one that was known only after randomization",
                "kovariaterna eller strata bestämmer armen, så data innehåller ingen jämförelse; utelämna den som blev känd först efter lottningen"
            ),
            Self::NoResidualDf { rows, coefficients } => words!(
                "{coefficients} coefficients for {rows} rows leave nothing to estimate a variance from; use fewer covariates",
                "{coefficients} koefficienter för {rows} rader lämnar ingenting kvar att skatta variansen med; använd färre kovariater"
            ),
            Self::LeverageOne { rows, variance } => {
                let shown = list(rows);
                words!(
                    "{variance} does not exist: the model fits row {shown} exactly (its combination of arm and levels occurs once); merge levels by a registered rule or choose another variance",
                    "{variance} finns inte: modellen anpassas exakt till rad {shown} (dess kombination av arm och nivåer förekommer en gång); slå ihop nivåer enligt en registrerad regel eller välj en annan varians"
                )
            }
            Self::TooFewClusters { clusters } => words!(
                "{clusters} cluster among the analysed rows; a variance between clusters needs at least two",
                "{clusters} kluster bland de analyserade raderna; en varians mellan kluster behöver minst två"
            ),
            Self::DecisiveCluster { clusters, variance } => {
                let shown = list(clusters);
                words!(
                    "{variance} does not exist: without cluster {shown} the effect is not identified (an arm or a level rests on it alone); merge levels by a registered rule, or test by redrawing the arms",
                    "{variance} finns inte: utan klustret {shown} går effekten inte att skatta (en arm eller en nivå vilar på det ensamt); slå ihop nivåer enligt en registrerad regel, eller testa genom att lotta om armarna"
                )
            }
            Self::InvalidWeight {
                row,
                value: Some(value),
            } => words!(
                "row {row}: the weight is {value}, but must be above 0; leave rows that are not to count out of the file",
                "rad {row}: vikten är {value} men måste vara större än 0; utelämna rader som inte ska räknas ur filen"
            ),
            Self::InvalidWeight { row, value: None } => words!(
                "row {row}: the weight is missing; fill it in",
                "rad {row}: vikten saknas; fyll i den"
            ),
            Self::Numerics(error) => error.words(),
        }
    }
}

/// At most five of them, then an ellipsis.
pub(super) fn list(all: &[impl ToString]) -> String {
    let mut text: Vec<String> = all.iter().take(5).map(ToString::to_string).collect();
    if all.len() > 5 {
        text.push("…".into());
    }
    text.join(", ")
}
