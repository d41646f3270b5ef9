//! A score of every family of two arms: a study is the rows of those who answer, and a linear model of them.
//!
//! The rows are made column by column as the model takes them, in the order of the ledger, and the model is the
//! estimator's own ([`Design`]), so that every sum runs over the same numbers in the same order as on the way through
//! state and data set.

use super::Numbers;
use super::guesses::Guesses;
use super::intake::Intake;
use super::side_by_side::SOME;
use super::steps::FieldSteps;
use super::walk::{Lists, Words};
use super::yes_no::least_word;
use crate::allocation::{DesignTable, Guesser};
use crate::analysis::covariates::SiteGroups;
use crate::analysis::{Effect, Scale};
use crate::estimation::linear_model::{Design, Form, Workspace};
use crate::estimation::{Arm, Df, Variance};
use crate::numerics::normal::deviates;
use crate::numerics::stream::{self, open_unit_of};
use crate::numerics::vector::{Wide, widest};
use crate::planning::analyst::numbers;
use crate::planning::arrivals::Keys;
use crate::planning::calendar::Months;
use crate::planning::mechanisms::score::Score;
use crate::planning::record::{AnalysisRecord, Found, Record};
use crate::planning::scenario::Cell;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Covariate};

/// Words of a family before those of its fields: risk, children, exception.
const BEFORE_FIELDS: usize = 3;

/// An analysis as this path needs it.
#[derive(Debug)]
struct Analysed {
    form: Form,
    by_site: bool,
    level: f64,
    /// Fields, in the order of the covariates.
    fields: Vec<usize>,
}

impl Analysed {
    fn of(analysis: &Analysis) -> Self {
        let field = |own: &Covariate| match *own {
            Covariate::Field(field) => Some(field),
            Covariate::Site | Covariate::MonthsSinceStart => None,
        };
        Self {
            form: if analysis.estimator == "lin" {
                Form::Interacted
            } else {
                Form::Additive
            },
            by_site: analysis.covariates.contains(&Covariate::Site),
            level: 1.0 - analysis.alpha,
            fields: analysis.covariates.iter().filter_map(field).collect(),
        }
    }
}

/// A family that answers: where its words begin among those of its site, and its row.
#[derive(Debug, Clone, Copy, Default)]
struct Picked {
    words: u32,
    row: u32,
}

/// The families of a study in the order of the ledger, and the rows of those who answer.
#[derive(Debug, Default)]
struct Rows {
    /// Place of each family, one site after the other, and where each site ends.
    places: Vec<u32>,
    ends: Vec<usize>,
    sites: Vec<u16>,
    arms: Vec<Arm>,
    /// Deviates of the score and of the risk, and their normal scores.
    own: Vec<f64>,
    risk: Vec<f64>,
    own_normals: Vec<f64>,
    risk_normals: Vec<f64>,
    answers: Vec<bool>,
    /// Row of each family that answers.
    row_of: Vec<u32>,
    /// What the treated service does to each family.
    gains: Vec<f64>,
    /// Those who answer, one site after the other, and where each site ends.
    picked: Vec<Picked>,
    picked_ends: Vec<usize>,
    /// Site, arm and score of each row.
    row_sites: Vec<u16>,
    side: Vec<Arm>,
    y: Vec<f64>,
}

impl Rows {
    /// Rows by arm, control first.
    fn number(&self) -> [u32; 2] {
        let treated = self.side.iter().map(|arm| arm.index() as u32).sum();
        [self.side.len() as u32 - treated, treated]
    }

    /// Whether every score is 0 or 1, which the model would take from counts.
    fn are_yes_no(&self) -> bool {
        self.y
            .iter()
            .all(|y| y.abs() == 0.0 || (y - 1.0).abs() == 0.0)
    }

    /// The words of every family.
    fn words<'r>(&'r self, intake: &'r Intake<'_>) -> impl Iterator<Item = &'r [u64]> {
        let mut from = 0;
        self.ends.iter().enumerate().flat_map(move |(site, end)| {
            let (words, width) = intake.words_of_site(site);
            let families = *end - std::mem::replace(&mut from, *end);
            words.chunks_exact(width).take(families)
        })
    }
}

/// The scores of families, and what the treated service does to them, side by side.
struct OfNormals<'v> {
    score: &'v Score,
    risk: &'v [f64],
    own: &'v [f64],
    arms: &'v [Arm],
    values: &'v mut [f64],
    gains: &'v mut [f64],
}

impl Wide for OfNormals<'_> {
    type Output = ();

    #[allow(
        clippy::inline_always,
        reason = "compiled anew for every width of registers"
    )]
    #[inline(always)]
    fn run(self) {
        let normals = self.risk.iter().zip(self.own).zip(self.arms);
        let each = normals.zip(self.values).zip(self.gains);
        for ((((risk, own), arm), value), gain) in each {
            let [control, treated] = self.score.of_normals(*risk, *own);
            *gain = treated - control;
            *value = if arm.index() == 1 { treated } else { control };
        }
    }
}

/// Puts the values of families into their rows of a column.
fn put(families: &[Picked], values: &[f64; SOME], column: &mut [f64]) {
    let ends = families.first().zip(families.last());
    let (first, last) = ends.map_or((0, 0), |(first, last)| {
        (first.row as usize, last.row as usize)
    });
    let number = families.len();
    // Rows of one site go up, and are in one piece where nobody came to another site in between.
    if first + number == last + 1 {
        column[first..=last].copy_from_slice(&values[..number]);
    } else {
        for (family, value) in families.iter().zip(values) {
            column[family.row as usize] = *value;
        }
    }
}

/// Whether a value is other than the first.
fn varies(mut values: impl Iterator<Item = f64>) -> bool {
    let first = values.next();
    first.is_some_and(|first| values.any(|value| value.total_cmp(&first).is_ne()))
}

/// The path.
#[derive(Debug)]
pub(super) struct Scores<'c> {
    keys: Keys,
    score: &'c Score,
    intake: Intake<'c>,
    lists: Lists,
    treated: u8,
    /// Least upper 53 bits of the word with which a family answers, by arm: control, treated.
    least: [u64; 2],
    /// Last days of the calendar months, counted from the first opening.
    months: Vec<i32>,
    analyses: Vec<Analysed>,
    /// Of each field that is a covariate.
    fields: Vec<Option<FieldSteps>>,
    guesses: Guesses,
    arms: Words,
    /// Words of the scores by site.
    deviates: Vec<Words>,
    rows: Rows,
    cells: Vec<u32>,
    groups: SiteGroups,
    matrix: Vec<f64>,
    design: Design,
    workspace: Workspace,
}

impl<'c> Scores<'c> {
    /// For a cell of the domain.
    pub(super) fn new(cell: &'c Cell, seed: u64) -> Option<Self> {
        let (protocol, scenario): (&Protocol, _) = (&cell.protocol, &cell.scenario);
        let world = &scenario.world;
        let score = world.score.as_ref()?;
        let allocation = &protocol.allocation;
        let table = DesignTable::of(&*allocation.design)?;
        let sites = protocol.sites.len();
        let list = |site| protocol.stratum(site, &[]) as u32;
        let lists = Lists::new(table, (0..sites).map(list).collect());
        let first = protocol.first_opening();
        let intake = Intake::new(cell);
        let months = Months::new(first, first.plus(intake.last()));
        let analyses = scenario.analyses.iter();
        let analyses: Vec<Analysed> = analyses
            .map(|index| Analysed::of(&protocol.analyses[*index]))
            .collect();
        let fields = world.family.fields.iter().enumerate().map(|(field, law)| {
            let used = analyses.iter().any(|own| own.fields.contains(&field));
            used.then(|| FieldSteps::new(law))
        });
        let guesser = Guesser::new(&*allocation.design, &allocation.ratio).ok();
        Some(Self {
            keys: Keys::new(seed, cell.group()),
            score,
            treated: world.treated.0,
            least: score.missing().map(least_word),
            months: months.ends.iter().map(|end| end.since(first)).collect(),
            fields: fields.collect(),
            analyses,
            guesses: Guesses::new(guesser, lists.len()),
            arms: Words::default(),
            deviates: (0..sites).map(|_| Words::default()).collect(),
            rows: Rows::default(),
            cells: Vec::new(),
            groups: SiteGroups::default(),
            matrix: Vec::new(),
            design: Design::default(),
            workspace: Workspace::default(),
            intake,
            lists,
        })
    }

    /// One study; `None` where the rows do not settle it.
    pub(super) fn study(&mut self, replicate: u64) -> Option<Record> {
        self.intake.take(&self.keys, replicate);
        self.place();
        self.draw(replicate);
        self.answer(replicate);
        let families = self.intake.families;
        let sum = self.score();
        let truth = if families == 0 {
            0.0
        } else {
            sum / families as f64
        };
        self.pick();
        let mut analyses = Vec::with_capacity(self.analyses.len());
        for place in 0..self.analyses.len() {
            analyses.push(AnalysisRecord {
                truth,
                found: self.analyse(place)?,
                joint: None,
                under_null: None,
                looked: None,
            });
        }
        let reached = self.months.iter().map(|end| self.intake.reached(*end));
        Some(Record {
            families: families as u32,
            screened: families as u32,
            turned_away: 0,
            lost: 0,
            enrolment_days: (self.intake.ended + 1).max(0) as u32,
            days_closed: 0,
            replacements: 0,
            correct_guess_share: self.guesses.correct_share(families),
            imbalance: self.guesses.imbalance(),
            drawn: None,
            reached: reached.collect(),
            analyses,
        })
    }

    /// Finds the place of every family in the ledger.
    fn place(&mut self) {
        let rows = &mut self.rows;
        rows.places.clear();
        rows.ends.clear();
        rows.sites.resize(self.intake.families, 0);
        if self.intake.sites() == 1 {
            // The one site's families come in the order of the ledger.
            rows.places.extend(0..self.intake.families as u32);
            rows.ends.push(rows.places.len());
            return;
        }
        self.intake.place();
        for site in 0..self.intake.sites() {
            for (place, ..) in self.intake.of_site(site) {
                rows.places.push(place as u32);
                rows.sites[place] = site as u16;
            }
            rows.ends.push(rows.places.len());
        }
    }

    /// Draws the arms.
    fn draw(&mut self, replicate: u64) {
        let rows = &mut self.rows;
        let numbers = stream::replicate(&self.keys.arms, replicate);
        self.arms.begin(numbers, self.intake.families);
        self.guesses.restart();
        rows.arms.clear();
        let (guesses, treated) = (&mut self.guesses, self.treated);
        self.lists
            .walk(&rows.sites, &mut self.arms, |_, (_, list), weights, arm| {
                let own = [Arm::Control, Arm::Treated][usize::from(arm.0 == treated)];
                rows.arms.push(own);
                guesses.see(list, arm, weights);
            });
    }

    /// Draws the deviates of the scores, and who answers.
    fn answer(&mut self, replicate: u64) {
        let rows = &mut self.rows;
        let families = self.intake.families;
        rows.own.resize(families, 0.0);
        rows.answers.resize(families, false);
        rows.risk.resize(families, 0.0);
        let mut from = 0;
        for (site, words) in self.deviates.iter_mut().enumerate() {
            let places = &rows.places[from..rows.ends[site]];
            from = rows.ends[site];
            words.begin(self.keys.scores_at(replicate, site), 2 * places.len());
            let pairs = words.some(2 * places.len()).as_chunks::<2>().0;
            for (place, [own, answers]) in places.iter().zip(pairs) {
                let place = *place as usize;
                rows.own[place] = open_unit_of(*own);
                rows.answers[place] = answers >> 11 >= self.least[rows.arms[place].index()];
            }
            if self.score.is_tied() {
                let (words, width) = self.intake.words_of_site(site);
                for (place, words) in places.iter().zip(words.chunks_exact(width)) {
                    rows.risk[*place as usize] = open_unit_of(words[0]);
                }
            }
        }
    }

    /// Makes the scores, and keeps those of the families that answer. The sum of what the service does to every family.
    fn score(&mut self) -> f64 {
        let rows = &mut self.rows;
        let families = self.intake.families;
        rows.own_normals.resize(families, 0.0);
        deviates(&rows.own, &mut rows.own_normals);
        // Without a tie they stay zero.
        rows.risk_normals.resize(families, 0.0);
        if self.score.is_tied() {
            deviates(&rows.risk, &mut rows.risk_normals);
        }
        rows.y.resize(families, 0.0);
        rows.gains.resize(families, 0.0);
        widest(OfNormals {
            score: self.score,
            risk: &rows.risk_normals,
            own: &rows.own_normals,
            arms: &rows.arms,
            values: &mut rows.y,
            gains: &mut rows.gains,
        });
        rows.side.resize(families, Arm::Control);
        rows.row_sites.resize(families, 0);
        rows.row_of.resize(families, 0);
        let (mut sum, mut row) = (0.0, 0);
        let each = rows.gains.iter().zip(&rows.arms).zip(&rows.sites);
        let each = each.zip(&rows.answers).zip(&mut rows.row_of);
        for (place, ((((gain, arm), site), answers), row_of)) in each.enumerate() {
            sum += gain;
            // Every family is written, and the row moves on after those who answer.
            rows.y[row] = rows.y[place];
            rows.side[row] = *arm;
            rows.row_sites[row] = *site;
            *row_of = row as u32;
            row += usize::from(*answers);
        }
        rows.y.truncate(row);
        rows.side.truncate(row);
        rows.row_sites.truncate(row);
        sum
    }

    /// Notes where each row's family is to be found.
    fn pick(&mut self) {
        let rows = &mut self.rows;
        rows.picked_ends.clear();
        let mut from = 0;
        rows.picked.resize(rows.places.len(), Picked::default());
        let mut count = 0;
        for (site, end) in rows.ends.iter().enumerate() {
            let (_, width) = self.intake.words_of_site(site);
            for (words, place) in (0..).step_by(width).zip(&rows.places[from..*end]) {
                let place = *place as usize;
                let row = rows.row_of[place];
                // Every family is written, and the place moves on after those who answer.
                rows.picked[count] = Picked { words, row };
                count += usize::from(rows.answers[place]);
            }
            from = *end;
            rows.picked_ends.push(count);
        }
        rows.picked.truncate(count);
    }

    /// The numbers of an analysis; `None` where they are not its model's alone.
    fn analyse(&mut self, place: usize) -> Option<Result<Found, &'static str>> {
        self.columns(place)?;
        let own = &self.analyses[place];
        let rows = &self.rows;
        let [control, treated] = rows.number();
        // An arm without rows, and a score that could be taken for a yes or no.
        if control == 0 || treated == 0 || own.fields.is_empty() && rows.are_yes_no() {
            return None;
        }
        self.design
            .refactor(&rows.side, &self.matrix, own.form)
            .ok()?;
        let inference = self
            .design
            .inference(Variance::Hc2, Df::BellMccaffrey, own.level)
            .ok()?;
        let fit = self.design.fit(&rows.y, &inference, &mut self.workspace);
        Some(numbers(&Effect {
            estimate: fit.estimate,
            std_error: fit.std_error,
            scale: Scale::Identity,
            statistic: fit.statistic,
            df: fit.df,
            p_value: fit.p_value,
            conf_low: fit.conf_low,
            conf_high: fit.conf_high,
            n_treated: treated,
            n_control: control,
        }))
    }

    /// Makes the columns of the covariates of an analysis: of sites as they are grouped by the families that answer, and of
    /// fields that vary over those of the lock.
    fn columns(&mut self, place: usize) -> Option<()> {
        let own = &self.analyses[place];
        let (rows, matrix) = (&self.rows, &mut self.matrix);
        let mut indicators = 0;
        if own.by_site {
            self.cells.clear();
            self.cells.resize(2 * self.intake.sites(), 0);
            for (site, arm) in rows.row_sites.iter().zip(&rows.side) {
                self.cells[2 * usize::from(*site) + arm.index()] += 1;
            }
            self.groups.realize(&self.cells, 2);
            indicators = self.groups.number().saturating_sub(1);
        }
        // The columns of the study before are written over.
        let (height, mut end) = (rows.y.len(), 0);
        matrix.resize((usize::from(indicators) + own.fields.len()) * height, 0.0);
        for group in 1..=indicators {
            let column = &mut matrix[end..end + height];
            for (value, site) in column.iter_mut().zip(&rows.row_sites) {
                let is_own = self.groups.of(usize::from(*site)) == Some(group);
                *value = f64::from(u8::from(is_own));
            }
            end += height;
        }
        self.values_of_fields(place, end)?;
        let (own, rows) = (&self.analyses[place], &self.rows);
        let first = end;
        for (number, field) in own.fields.iter().enumerate() {
            let steps = self.fields.get(*field)?.as_ref()?;
            let from = first + number * height;
            let alike = !varies(self.matrix[from..from + height].iter().copied());
            // Who does not answer may differ from all who do.
            let all = rows.words(&self.intake);
            let of_all = all.map(|words| steps.at(words[BEFORE_FIELDS + field], words[0]));
            if !alike || varies(of_all) {
                if from > end {
                    self.matrix.copy_within(from..from + height, end);
                }
                end += height;
            }
        }
        self.matrix.truncate(end);
        Some(())
    }

    /// Puts the values of the fields of an analysis into columns of the matrix, one after the other from a place on.
    fn values_of_fields(&mut self, place: usize, first: usize) -> Option<()> {
        let (own, rows) = (&self.analyses[place], &self.rows);
        let height = rows.y.len();
        let (mut words, mut risks, mut values) = ([0; SOME], [0; SOME], [0.0; SOME]);
        let mut from = 0;
        for (site, until) in rows.picked_ends.iter().enumerate() {
            let (all, _) = self.intake.words_of_site(site);
            for some in rows.picked[from..*until].chunks(SOME) {
                for (risk, family) in risks.iter_mut().zip(some) {
                    *risk = all[family.words as usize];
                }
                for (number, field) in own.fields.iter().enumerate() {
                    for (word, family) in words.iter_mut().zip(some) {
                        *word = all[family.words as usize + BEFORE_FIELDS + field];
                    }
                    let steps = self.fields.get(*field)?.as_ref()?;
                    steps.many(&words, &risks, &mut values);
                    let column = &mut self.matrix[first + number * height..][..height];
                    put(some, &values, column);
                }
            }
            from = *until;
        }
        Some(())
    }

    /// How many numbers the last study had.
    pub(super) fn numbers(&self) -> Numbers {
        Numbers {
            sites: self.intake.made().collect(),
            scores: self.deviates.iter().map(Words::made).collect(),
            arms: self.arms.made(),
            ..Numbers::default()
        }
    }

    /// The numbers of a study in bulk.
    pub(super) fn floor(&mut self, replicate: u64, numbers: &Numbers) -> u64 {
        let mut sum = 0;
        let mut bulk = |rng, words: usize| {
            self.arms.begin(rng, words);
            sum ^= self.arms.last();
        };
        for (site, words) in numbers.sites.iter().enumerate() {
            bulk(self.keys.families_at(replicate, site), *words);
        }
        for (site, words) in numbers.scores.iter().enumerate() {
            bulk(self.keys.scores_at(replicate, site), *words);
        }
        bulk(stream::replicate(&self.keys.arms, replicate), numbers.arms);
        sum
    }
}
