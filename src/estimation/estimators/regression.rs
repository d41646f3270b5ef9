//! What the estimators that are linear regressions share: columns to design, design to answer.

use crate::diagnostic::Words;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::cluster_variance::ClusterVariance;
use crate::estimation::clusters::Clusters;
use crate::estimation::columns::Columns;
use crate::estimation::error::EstimationError;
use crate::estimation::linear_model::{Design, Dropped, Fit, Form, Inference, Workspace};
use crate::estimation::prepared::{Analysed, ModelMatrix, weights};
use crate::estimation::scores::{Scores, Spread};
use crate::estimation::settings::{Df, Measure, Settings, Variance};
use crate::words;
use serde_json::{Map, json};

/// Satterthwaite degrees of freedom below which an interval is called weak.
const FEW: f64 = 10.0;

/// Degrees of freedom below which no interval of this kind is to be trusted.
const TOO_FEW: f64 = 4.0;

/// Clusters below which variances without a correction are too small.
const FEW_CLUSTERS: usize = 40;

/// The reference distribution that goes with a variance when none was asked for.
pub(super) fn default_df(variance: Variance) -> Df {
    match variance {
        Variance::Hc2 => Df::BellMccaffrey,
        Variance::Cr2 | Variance::Cr3 => Df::Satterthwaite,
        _ => Df::Residual,
    }
}

/// A factored regression with its variance and reference distribution, before its outcome.
#[derive(Debug)]
pub(super) struct Model {
    /// The analysed rows.
    pub(super) analysed: Analysed,
    /// The factored design.
    pub(super) design: Design,
    /// Whose residuals are independent.
    pub(super) spread: Spread,
    /// Reference distribution and level.
    pub(super) inference: Inference,
    /// Clusters with rows in control and treated.
    pub(super) units: Option<[usize; 2]>,
}

impl Model {
    /// Factors the regression on arm, covariates and strata of the analysed rows, with the columns' weights and clusters.
    pub(super) fn new(
        columns: &Columns,
        mut analysed: Analysed,
        settings: &Settings,
        form: Form,
    ) -> Result<Self, EstimationError> {
        let clusters = Clusters::new(columns, &analysed)?;
        let weights = weights(columns, &analysed)?;
        let matrix = ModelMatrix::new(columns, &mut analysed)?;
        let design = match &weights {
            Some(weights) => Design::factor_weighted(&analysed.arm, &matrix.values, weights, form)?,
            None => Design::factor(&analysed.arm, &matrix.values, form)?,
        };
        note_dropped(design.dropped().iter().copied(), &matrix, &mut analysed);
        let variance = settings.variance.unwrap_or(match &clusters {
            Some(_) => Variance::Cr2,
            None => Variance::Hc2,
        });
        let spread = match &clusters {
            Some(own) => {
                Spread::Clusters(ClusterVariance::new(&design, &own.groups.codes, variance)?)
            }
            None => Spread::Rows(variance),
        };
        let df = settings.df.unwrap_or_else(|| default_df(variance));
        let inference = spread
            .inference(&design, df, settings.level)
            .map_err(|error| named(error, columns, &analysed, clusters.as_ref(), &spread))?;
        note_leverage(&design, &spread, columns, &mut analysed);
        if let (Spread::Clusters(own), Some(clusters)) = (&spread, &clusters) {
            clusters.check_arms(&analysed, variance)?;
            note_clusters(own, clusters, &mut analysed);
        }
        Ok(Self {
            analysed,
            design,
            spread,
            inference,
            units: clusters.map(|clusters| clusters.groups.per_arm),
        })
    }

    /// The scores of an outcome of the analysed rows.
    pub(super) fn scores(&self, y: &[f64]) -> Scores {
        self.spread.scores(&self.design, y)
    }
}

/// `linear` and `lin`.
pub(super) fn estimate(
    id: &'static str,
    columns: &Columns,
    settings: &Settings,
    form: Form,
) -> Result<Answer, EstimationError> {
    let analysed = Analysed::new(columns, 1)?;
    let model = Model::new(columns, analysed, settings, form)?;
    let y = &model.analysed.outcome;
    let fit = match &model.spread {
        Spread::Rows(_) => model
            .design
            .fit(y, &model.inference, &mut Workspace::default()),
        Spread::Clusters(_) => model.scores(y).fit(&model.inference),
    };
    let (variance, units) = (model.spread.variance(), model.units);
    let mut answer = answer(
        id,
        columns,
        model.analysed,
        variance,
        &model.inference,
        &fit,
    );
    if let (Some(units), Some(row)) = (units, answer.results.first_mut()) {
        add_units(row, units);
    }
    Ok(answer)
}

/// Fields `units_treated` and `units_control`: clusters with analysed rows in each arm.
pub(super) fn add_units(row: &mut Estimate, [control, treated]: [usize; 2]) {
    row.extra.insert("units_treated".into(), json!(treated));
    row.extra.insert("units_control".into(), json!(control));
}

/// As [`Design::inference`], with rows named as people count them.
pub(super) fn infer(
    design: &Design,
    variance: Variance,
    df: Df,
    level: f64,
    columns: &Columns,
    analysed: &Analysed,
) -> Result<Inference, EstimationError> {
    let spread = Spread::Rows(variance);
    spread
        .inference(design, df, level)
        .map_err(|error| named(error, columns, analysed, None, &spread))
}

/// An error with rows as people count them, and clusters by their names.
fn named(
    error: EstimationError,
    columns: &Columns,
    analysed: &Analysed,
    clusters: Option<&Clusters<'_>>,
    spread: &Spread,
) -> EstimationError {
    match (error, spread, clusters) {
        (EstimationError::LeverageOne { rows, variance }, ..) => EstimationError::LeverageOne {
            rows: row_numbers(&rows, columns, analysed),
            variance,
        },
        (
            EstimationError::DecisiveCluster { variance, .. },
            Spread::Clusters(own),
            Some(clusters),
        ) => EstimationError::DecisiveCluster {
            clusters: clusters.names(own.decisive(), analysed),
            variance,
        },
        (other, ..) => other,
    }
}

fn row_numbers(rows: &[usize], columns: &Columns, analysed: &Analysed) -> Vec<usize> {
    let mut numbers: Vec<usize> = rows
        .iter()
        .map(|row| columns.row_number(analysed.rows[*row]))
        .collect();
    numbers.sort_unstable();
    numbers
}

/// Warns of columns that were set aside.
pub(super) fn note_dropped(
    all: impl IntoIterator<Item = Dropped>,
    matrix: &ModelMatrix,
    analysed: &mut Analysed,
) {
    let mut mains = Vec::new();
    for dropped in all {
        match dropped {
            Dropped::Covariate(j) => {
                mains.push(j);
                let name = &matrix.names[j];
                analysed.warnings.push(Warning::new(
                    "collinear-covariate",
                    words!(
                        "covariate {name} is constant or a combination of the others and is left out",
                        "kovariaten {name} är konstant eller en kombination av de andra och utelämnas"
                    ),
                ));
            }
            Dropped::Interaction(j) if mains.contains(&j) => {}
            Dropped::Interaction(j) => {
                let name = &matrix.names[j];
                analysed.warnings.push(Warning::new(
                    "collinear-interaction",
                    words!(
                        "covariate {name} does not vary enough within an arm: it enters without its interaction with the arm",
                        "kovariaten {name} varierar inte tillräckligt inom en arm: den ingår utan samspel med armen"
                    ),
                ));
            }
        }
    }
}

fn note_leverage(design: &Design, spread: &Spread, columns: &Columns, analysed: &mut Analysed) {
    // With clusters it is the cluster that matters, not its rows.
    let influential = match spread {
        Spread::Rows(_) => design.influential_rows(),
        Spread::Clusters(_) => &[],
    };
    for (rows, influential) in [(influential, true), (design.exact_rows(), false)] {
        if rows.is_empty() {
            continue;
        }
        let numbers = row_numbers(rows, columns, analysed);
        let count = numbers.len();
        let first = numbers.first().copied().unwrap_or_default();
        let message = if influential {
            words!(
                "{count} rows (the first is row {first}) are fitted exactly whatever their outcome, so this variance does not see them and is too small",
                "{count} rader (den första är rad {first}) anpassas exakt oavsett utfall, så variansen tar inte hänsyn till dem och blir för liten"
            )
        } else {
            words!(
                "{count} rows (the first is row {first}) are alone in their level and carry no information about the effect",
                "{count} rader (den första är rad {first}) är ensamma på sin nivå och säger inget om effekten"
            )
        };
        analysed
            .warnings
            .push(Warning::new("leverage-one", message));
    }
}

fn note_clusters(own: &ClusterVariance, clusters: &Clusters<'_>, analysed: &mut Analysed) {
    if let Some(first) = clusters.names(own.decisive(), analysed).first() {
        analysed.warnings.push(Warning::new(
            "decisive-cluster",
            words!(
                "without cluster {first} the effect is not identified, so this variance does not see what it adds and is too small",
                "utan klustret {first} går effekten inte att skatta, så variansen tar inte hänsyn till det och blir för liten"
            ),
        ));
    }
    let number = clusters.groups.count;
    let [control, treated] = clusters.groups.per_arm;
    let Some(df) = own.satterthwaite() else {
        analysed.warnings.push(Warning::new(
            "few-clusters",
            words!(
                "how many degrees of freedom the clusters carry ({treated} clusters treated, {control} control) cannot be told: the interval is a guess; test by redrawing the arms",
                "hur många frihetsgrader klustren ger ({treated} kluster behandlade, {control} kontroll) går inte att säga: intervallet är en gissning; testa genom att lotta om armarna"
            ),
        ));
        return;
    };
    let Words { en, sv } = Words::decimals(df, 1);
    let message = if df < TOO_FEW {
        words!(
            "the clusters carry {en} degrees of freedom ({treated} clusters treated, {control} control): the interval is a guess; test by redrawing the arms",
            "klustren ger {sv} frihetsgrader ({treated} kluster behandlade, {control} kontroll): intervallet är en gissning; testa genom att lotta om armarna"
        )
    } else if df < FEW {
        words!(
            "the clusters carry {en} degrees of freedom ({treated} clusters treated, {control} control), which is few",
            "klustren ger {sv} frihetsgrader ({treated} kluster behandlade, {control} kontroll), vilket är få"
        )
    } else if number < FEW_CLUSTERS && matches!(own.variance(), Variance::Cr0 | Variance::Cr1) {
        let variance = own.variance();
        words!(
            "{variance} is too small with {number} clusters; cr2 corrects it",
            "{variance} blir för liten med {number} kluster; cr2 rättar det"
        )
    } else {
        return;
    };
    analysed
        .warnings
        .push(Warning::new("few-clusters", message));
}

/// The answer of a fit, with a warning when nothing varies.
pub(super) fn answer(
    id: &str,
    columns: &Columns,
    analysed: Analysed,
    variance: Variance,
    inference: &Inference,
    fit: &Fit,
) -> Answer {
    let mut warnings = analysed.warnings;
    if fit.statistic.is_none() {
        warnings.push(Warning::new(
            "no-variation",
            words!(
                "the model fits every outcome exactly, so there is no test and no interval",
                "modellen anpassas exakt till alla utfall, så det finns varken test eller intervall"
            ),
        ));
    }
    let result = Estimate {
        estimator: id.to_owned(),
        term: columns.labels.effect(),
        measure: Measure::Difference.text().to_owned(),
        estimate: Some(fit.estimate),
        std_error: Some(fit.std_error),
        std_error_scale: "identity".to_owned(),
        statistic: fit.statistic,
        df: fit.df,
        p_value: fit.p_value,
        conf_low: fit.conf_low,
        conf_high: fit.conf_high,
        level: inference.level(),
        n_treated: analysed.n[1],
        n_control: analysed.n[0],
        variance: variance.text().to_owned(),
        interval: if inference.df().is_some() {
            "t"
        } else {
            "normal"
        }
        .to_owned(),
        extra: Map::new(),
    };
    Answer {
        results: vec![result],
        warnings,
    }
}
