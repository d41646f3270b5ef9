//! Rows beside a result: other rules for outcomes that are not known, and other outcomes.
//!
//! Each is the registered analysis with one thing changed. Nothing here decides: the registered rule does.

mod again;
mod eligible;
mod resampled;
mod told;
mod turned;
mod winsorized;

pub(super) use again::{Again, again, completions};
pub(super) use resampled::resamples;

use super::children::{self, Difference};
use super::covariates::SiteGroups;
use super::rows::{name_arm, refusal, row, undefined};
use super::workspace::{Effect, Scale, Workspace, labels};
use crate::allocation::Arm;
use crate::estimation::arm_imputation::ArmImputation;
use crate::estimation::imputation::{Pooled, pool};
use crate::estimation::tipping::Verdict;
use crate::estimation::{Arm as Side, Estimate, EstimationError, Settings, Warning, reported};
use crate::numerics::normal;
use crate::numerics::stream::{open_unit, replicate};
use crate::numerics::student_t::StudentT;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Average, Day, Hands, Missing, Sensitivity, Skewed};
use crate::study::kernel::State;
use crate::words;
use eligible::eligible;
use resampled::resampled;
use serde_json::json;
use turned::turned;
use winsorized::winsorized;

/// Completed data sets of a multiple imputation: as many as the percentage of missing information can be (White, Royston &
/// Wood 2011, doi 10.1002/sim.4067).
const IMPUTATIONS: u64 = 100;

/// Steps of the shift of imputed outcomes, in standard deviations of the known ones, and how far it goes.
const STEP: f64 = 0.1;
const STEPS: i32 = 50;

/// Where an analysis is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) protocol: &'a Protocol,
    pub(super) state: &'a State,
    pub(super) cut: Day,
    pub(super) treated: Arm,
    /// Key of the draws of imputations.
    pub(super) key: &'a [u8; 32],
    pub(super) binary: bool,
}

/// All rows beside the result, in the registered order, and what a reader must know of them. The workspace is left with
/// another sample.
pub(super) fn rows(
    workspace: &mut Workspace,
    ground: Ground<'_>,
    analysis: &Analysis,
) -> (Vec<Estimate>, Vec<Warning>) {
    let (mut list, mut warnings) = (Vec::new(), Vec::new());
    for rule in &analysis.sensitivity {
        let found = match rule {
            Sensitivity::CompleteCase => plain(
                workspace,
                ground,
                &with_rule(analysis, Missing::CompleteCase),
            ),
            Sensitivity::CensoringWeights => plain(
                workspace,
                ground,
                &with_rule(analysis, Missing::CensoringWeights),
            ),
            Sensitivity::Manski => plain(workspace, ground, &bounded(analysis, "manski-bounds")),
            Sensitivity::Lee => plain(workspace, ground, &bounded(analysis, "lee-bounds")),
            Sensitivity::MultipleImputation => imputed(workspace, ground, analysis),
            Sensitivity::TippingPoint if ground.binary => turned(workspace, ground, analysis),
            Sensitivity::TippingPoint => shifted(workspace, ground, analysis),
        };
        add(
            (&mut list, &mut warnings),
            ground,
            analysis,
            (rule.text(), found),
            workspace,
        );
    }
    for outcome in &analysis.sensitivity_outcomes {
        let other = Analysis {
            outcome: *outcome,
            ..analysis.clone()
        };
        let found = plain(workspace, ground, &other);
        let id = ground.protocol.outcomes[*outcome].row();
        add(
            (&mut list, &mut warnings),
            ground,
            analysis,
            (id.as_str(), found),
            workspace,
        );
    }
    if let Some(average) = analysis.children {
        let (found, told) = averages(workspace, ground, analysis, average.other());
        warnings.extend(told);
        add(
            (&mut list, &mut warnings),
            ground,
            analysis,
            (average.other().text(), found),
            workspace,
        );
    }
    if let Some(clusters) = analysis.sensitivity_clusters {
        let other = analysis.clustered(clusters);
        let found = plain(workspace, ground, &other);
        add(
            (&mut list, &mut warnings),
            ground,
            &other,
            (clusters.text(), found),
            workspace,
        );
    }
    let skewed = [
        analysis.sensitivity_winsorized.map(|share| {
            (
                Skewed::Winsorized,
                winsorized(workspace, ground, analysis, share),
            )
        }),
        analysis.sensitivity_bootstrap.map(|number| {
            (
                Skewed::Bootstrap,
                resampled(workspace, ground, analysis, number),
            )
        }),
    ];
    for (own, found) in skewed.into_iter().flatten() {
        add(
            (&mut list, &mut warnings),
            ground,
            analysis,
            (own.text(), found),
            workspace,
        );
    }
    eligible((&mut list, &mut warnings), ground, analysis, workspace);
    (list, warnings)
}

/// The other average over children, with what it and the registered one differ by.
fn averages(
    workspace: &mut Workspace,
    ground: Ground<'_>,
    analysis: &Analysis,
    other: Average,
) -> (Found, Option<Warning>) {
    let differ = children::difference(workspace, ground, analysis);
    let differ = differ.ok().flatten();
    let mut found = plain(workspace, ground, &analysis.averaged(other));
    if let (Ok((rows, _)), Some(own)) = (&mut found, differ)
        && let Some(row) = rows.first_mut()
    {
        let numbers = [own.estimate, own.std_error, own.p_value];
        row.extra
            .insert("family_minus_child_average".into(), json!(numbers));
    }
    (found, differ.and_then(Difference::warning))
}

type Found = Result<(Vec<Estimate>, Vec<Warning>), EstimationError>;

fn add(
    (list, warnings): (&mut Vec<Estimate>, &mut Vec<Warning>),
    ground: Ground<'_>,
    analysis: &Analysis,
    (name, found): (&str, Found),
    workspace: &Workspace,
) {
    let (mut rows, told) = found.unwrap_or_else(|error| {
        let told = Warning::new(error.code(), refusal(&error));
        let row = undefined(ground.protocol, analysis, ground.treated, workspace);
        (vec![row], vec![told])
    });
    for row in &mut rows {
        row.extra.insert("sensitivity".into(), json!(name));
    }
    list.append(&mut rows);
    for own in told {
        if !warnings.contains(&own) {
            warnings.push(own);
        }
    }
}

fn with_rule(analysis: &Analysis, missing: Missing) -> Analysis {
    Analysis {
        missing,
        ..analysis.clone()
    }
}

/// The analysis with bounds in place of its estimator.
fn bounded(analysis: &Analysis, estimator: &str) -> Analysis {
    Analysis {
        estimator: estimator.to_owned(),
        missing: Missing::Bounds,
        options: Settings {
            range: analysis.options.range,
            ..Settings::default()
        },
        covariates: Vec::new(),
        strata: Vec::new(),
        received: None,
        clusters: None,
        ..analysis.clone()
    }
}

fn plain(workspace: &mut Workspace, ground: Ground<'_>, analysis: &Analysis) -> Found {
    workspace.sample(ground.protocol, ground.state, ground.cut, analysis);
    fitted(workspace, ground, analysis)
}

/// The rows of the sampled outcome.
fn fitted(workspace: &mut Workspace, ground: Ground<'_>, analysis: &Analysis) -> Found {
    let (protocol, state) = (ground.protocol, ground.state);
    let told = workspace.told_of_weights(protocol, state, analysis, ground.treated);
    let fitted = workspace.fit(protocol, state, analysis, ground.treated)?;
    match fitted {
        super::workspace::Fitted::Registry(answer) => {
            // Bounds are two rows; of any other answer the first is the effect.
            let rows = if analysis.missing == Missing::Bounds {
                2
            } else {
                1
            };
            let mut list: Vec<Estimate> = answer.results.into_iter().take(rows).collect();
            if list.is_empty() {
                return Err(EstimationError::NoRows);
            }
            name_arm(protocol, ground.treated, &mut list);
            Ok((list, answer.warnings))
        }
        ref fitted @ (super::workspace::Fitted::Model { .. }
        | super::workspace::Fitted::Counted { .. }) => {
            let effect = fitted.effect()?;
            Ok((vec![row(protocol, analysis, ground.treated, &effect)], told))
        }
    }
}

/// The families of a contrast, those with an unknown outcome among them, and how the unknown ones are imputed.
struct Completed {
    analysis: Analysis,
    /// Row of the lock and known outcome of each family, in ledger order.
    rows: Vec<(u32, Option<f64>)>,
    /// By arm, control first: places among `rows` of the unknown ones.
    sides: Vec<(Side, Vec<usize>)>,
    /// Of each data set the imputed outcomes of the unknown ones, in the order of `sides`.
    drawn: Vec<Vec<f64>>,
    /// How the sites are grouped in every completed data set.
    groups: SiteGroups,
    /// Where fewer columns are taken than registered, and whose outcomes go by the whole arm.
    told: Vec<Warning>,
}

impl Completed {
    fn new(
        workspace: &mut Workspace,
        ground: Ground<'_>,
        analysis: &Analysis,
    ) -> Result<Self, EstimationError> {
        let (protocol, state) = (ground.protocol, ground.state);
        let analysis = with_rule(analysis, Missing::CompleteCase);
        workspace.sample(protocol, state, ground.cut, &analysis);
        let groups = workspace.completed_groups();
        // A site of unknown families alone has rows in the model behind its imputations.
        workspace.regroup(true);
        let known = workspace.rows.iter().copied();
        let known = known.zip(workspace.y.iter().map(|y| Some(*y)));
        let unknown = workspace.unknown.iter().map(|(row, _)| (*row, None));
        let side = |row: u32| workspace.side(protocol, ground.treated, row as usize);
        let mut rows: Vec<(u32, Option<f64>)> = known
            .chain(unknown)
            .filter(|(row, _)| side(*row).is_some())
            .collect();
        rows.sort_by_key(|(row, _)| *row);
        let (mut sides, mut models, mut told) = (Vec::new(), Vec::new(), Vec::new());
        let labels = labels(protocol, ground.treated);
        for own in [Side::Control, Side::Treated] {
            let places = |is_known: bool| -> Vec<usize> {
                let all = rows.iter().enumerate();
                all.filter(|(_, (row, y))| side(*row) == Some(own) && y.is_some() == is_known)
                    .map(|(place, _)| place)
                    .collect()
            };
            let (known, unknown) = (places(true), places(false));
            if unknown.is_empty() {
                continue;
            }
            let all: Vec<usize> = known
                .iter()
                .chain(&unknown)
                .map(|place| rows[*place].0 as usize)
                .collect();
            let (names, values) = workspace.adjusting(protocol, state, &analysis.covariates, &all);
            let y: Vec<f64> = known.iter().filter_map(|place| rows[*place].1).collect();
            let model = ArmImputation::new(&y, unknown.len(), &values, ground.binary)?;
            told.extend(told::reduced(labels.arm(own), model.taken()));
            told.extend(told::whole_arm(labels.arm(own), model.unlike(), &names));
            sides.push((own, unknown));
            models.push(model);
        }
        let mut drawn = Vec::new();
        for number in 0..IMPUTATIONS {
            let mut rng = replicate(ground.key, number);
            let mut uniform = || open_unit(&mut rng);
            let mut own = Vec::new();
            for model in &models {
                own.extend(model.draw(&mut uniform)?);
            }
            drawn.push(own);
        }
        Ok(Self {
            analysis,
            rows,
            sides,
            drawn,
            groups,
            told,
        })
    }

    /// The outcomes of a data set with some imputed ones, those of the treated arm moved by `shift`.
    fn completed(&self, drawn: &[f64], shift: f64) -> Vec<f64> {
        let mut y: Vec<f64> = self.rows.iter().map(|(_, y)| y.unwrap_or(0.0)).collect();
        let places = self.sides.iter().flat_map(|(side, places)| {
            let moved = if *side == Side::Treated { shift } else { 0.0 };
            places.iter().map(move |place| (*place, moved))
        });
        for ((place, moved), value) in places.zip(drawn) {
            y[place] = value + moved;
        }
        y
    }

    /// Estimates on every completed data set, the imputed outcomes of the treated arm moved by `shift`, pooled.
    fn pooled(
        &self,
        workspace: &mut Workspace,
        ground: Ground<'_>,
        shift: f64,
    ) -> Result<(Pooled, Effect), EstimationError> {
        let mut fits = Vec::new();
        let mut last = None;
        for drawn in &self.drawn {
            let y = self.completed(drawn, shift);
            let rows = self.rows.iter().map(|(row, _)| *row);
            workspace.complete(rows, y, &self.groups);
            let fitted = workspace.fit(
                ground.protocol,
                ground.state,
                &self.analysis,
                ground.treated,
            )?;
            let effect = fitted.effect()?;
            fits.push((effect.estimate, effect.std_error));
            last = Some(effect);
        }
        let last = last.ok_or(EstimationError::NoRows)?;
        Ok((pool(&fits, last.df)?, last))
    }

    fn effect(
        &self,
        workspace: &mut Workspace,
        ground: Ground<'_>,
        shift: f64,
    ) -> Result<(Pooled, Effect), EstimationError> {
        let (pooled, last) = self.pooled(workspace, ground, shift)?;
        let statistic = (pooled.std_error > 0.0).then(|| pooled.estimate / pooled.std_error);
        let tail = 0.5 * self.analysis.alpha;
        let (p_value, quantile) = match pooled.df {
            Some(df) => {
                let t = StudentT::new(df)?;
                (statistic.map(|own| t.two_sided(own)), t.quantile_sf(tail)?)
            }
            None => (statistic.map(normal::two_sided), -normal::quantile(tail)?),
        };
        let p_value = p_value.map(reported);
        let margin = quantile * pooled.std_error;
        let effect = Effect {
            estimate: pooled.estimate,
            std_error: pooled.std_error,
            scale: Scale::Identity,
            statistic,
            df: pooled.df,
            p_value,
            conf_low: Some(pooled.estimate - margin),
            conf_high: Some(pooled.estimate + margin),
            n_treated: last.n_treated,
            n_control: last.n_control,
        };
        Ok((pooled, effect))
    }

    fn row(&self, ground: Ground<'_>, pooled: &Pooled, effect: &Effect) -> Estimate {
        let mut own = row(ground.protocol, &self.analysis, ground.treated, effect);
        "rubin".clone_into(&mut own.variance);
        if pooled.df.is_some() { "t" } else { "normal" }.clone_into(&mut own.interval);
        let unknown: usize = self.sides.iter().map(|(_, places)| places.len()).sum();
        own.extra.insert("imputations".into(), json!(IMPUTATIONS));
        own.extra.insert("imputed".into(), json!(unknown));
        let missing = pooled.missing_information;
        own.extra
            .insert("missing_information".into(), json!(missing));
        own
    }
}

/// Multiple imputation within each arm, pooled by Rubin's rules.
fn imputed(workspace: &mut Workspace, ground: Ground<'_>, analysis: &Analysis) -> Found {
    let completed = Completed::new(workspace, ground, analysis)?;
    let (pooled, effect) = completed.effect(workspace, ground, 0.0)?;
    Ok((
        vec![completed.row(ground, &pooled, &effect)],
        completed.told,
    ))
}

/// How far the imputed outcomes of the treated arm must move for the verdict to turn.
fn shifted(workspace: &mut Workspace, ground: Ground<'_>, analysis: &Analysis) -> Found {
    let completed = Completed::new(workspace, ground, analysis)?;
    let known: Vec<f64> = completed.rows.iter().filter_map(|(_, y)| *y).collect();
    let centre = known.iter().sum::<f64>() / known.len().max(1) as f64;
    let square: f64 = known.iter().map(|y| (y - centre) * (y - centre)).sum();
    let deviation = (square / (known.len().saturating_sub(1)).max(1) as f64).sqrt();
    let alpha = analysis.alpha;
    let (pooled, effect) = completed.effect(workspace, ground, 0.0)?;
    let own = Verdict::of(effect.estimate, effect.p_value, alpha);
    let moved = completed
        .sides
        .iter()
        .any(|(side, ..)| *side == Side::Treated);
    let mut turned = None;
    if moved && deviation > 0.0 {
        'search: for step in 1..=STEPS {
            for sign in [1.0, -1.0] {
                let shift = sign * f64::from(step) * STEP * deviation;
                let (pooled, effect) = completed.effect(workspace, ground, shift)?;
                if Verdict::of(effect.estimate, effect.p_value, alpha) != own {
                    turned = Some((shift, pooled, effect));
                    break 'search;
                }
            }
        }
    }
    let labels = labels(ground.protocol, ground.treated);
    let arm = labels.arm(Side::Treated);
    let reach = STEP * f64::from(STEPS) * deviation;
    let (mut row, message) = if let Some((shift, pooled, effect)) = &turned {
        let mut row = completed.row(ground, pooled, effect);
        row.extra.insert("shift".into(), json!(shift));
        let (en, sv) = numbers(shift.abs());
        let (more, mer) = if *shift < 0.0 {
            ("less", "mindre")
        } else {
            ("more", "större")
        };
        (
            row,
            words!(
                "the unadjusted conclusion of the imputed outcomes would turn if unknown outcomes in {arm} were {en} {more} on average than known outcomes like them",
                "den ojusterade slutsatsen av de imputerade utfallen skulle vändas om okända utfall i {arm} vore {sv} {mer} i genomsnitt än kända utfall som liknar dem"
            ),
        )
    } else {
        let mut row = completed.row(ground, &pooled, &effect);
        row.extra.insert("shift".into(), json!(null));
        let (en, sv) = numbers(reach);
        (
            row,
            words!(
                "no shift of the unknown outcomes in {arm} up to {en} turns the unadjusted conclusion of the imputed outcomes",
                "ingen förskjutning av de okända utfallen i {arm} upp till {sv} vänder den ojusterade slutsatsen av de imputerade utfallen"
            ),
        )
    };
    row.extra.insert("verdict".into(), json!(own.text()));
    let mut told = completed.told;
    told.push(Warning::new("tipping-point", message));
    Ok((vec![row], told))
}

fn numbers(value: f64) -> (String, String) {
    let en = format!("{value:.2}");
    let sv = en.replace('.', ",");
    (en, sv)
}

/// Whether an analysis has anything beside its result in a lock.
pub(super) fn any(analysis: &Analysis, workspace: &Workspace, state: &State) -> bool {
    let beside = !analysis.sensitivity.is_empty() && analysis.hands() == Hands::Values;
    beside
        || !analysis.sensitivity_outcomes.is_empty()
        || analysis.sensitivity_clusters.is_some()
        || analysis.sensitivity_winsorized.is_some()
        || analysis.sensitivity_bootstrap.is_some()
        || analysis.children.is_some()
        || workspace.any_ineligible(state)
}
