//! Options that every family of outcomes has, and what every answer shows.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::cli::output::{Cell, Shown, number};
use crate::cli::session::Session;
use crate::diagnostic::{Diagnostic, Lang, Words};
use crate::planning::clustering::{ClusteredArms, Clustering};
use crate::planning::figure::{Caution, Direction, WholeClusters};
use crate::words;

#[derive(Debug, Args)]
pub(super) struct Given {
    /// Power; left out, it is solved for
    #[arg(long, allow_negative_numbers = true)]
    pub(super) power: Option<f64>,
    /// Type I error of both sides together [default: 0.05, or solved for when the other three are given]
    #[arg(long, allow_negative_numbers = true)]
    alpha: Option<f64>,
    /// Treated individuals per control individual: a number, or a fraction such as 2/3
    #[arg(long, default_value = "1", value_parser = fraction, allow_negative_numbers = true)]
    pub(super) ratio: f64,
    /// 1 or 2
    #[arg(long, default_value_t = 2)]
    pub(super) sides: u8,
    /// Count the farther tail of a two-sided formula too; exact and t tests always do
    #[arg(long)]
    pub(super) strict: bool,
    /// On which side of no effect an effect is sought [default: lower]
    #[arg(long)]
    direction: Option<Side>,
}

impl Given {
    /// Alpha is solved for when `others`, the three that it goes with, are all given.
    pub(super) fn alpha(&self, others: [Option<f64>; 3]) -> Option<f64> {
        match self.alpha {
            None if others.iter().all(Option::is_some) => None,
            given => given.or(Some(0.05)),
        }
    }

    pub(super) fn direction(&self) -> Option<Direction> {
        self.direction.map(|side| match side {
            Side::Lower => Direction::Lower,
            Side::Higher => Direction::Higher,
        })
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Side {
    Lower,
    Higher,
}

#[derive(Debug, Args)]
pub(super) struct Clusters {
    /// Mean number of individuals per cluster
    #[arg(
        long,
        value_name = "M",
        requires = "icc",
        allow_negative_numbers = true
    )]
    cluster_size: Option<f64>,
    /// Intraclass correlation
    #[arg(
        long,
        value_name = "R",
        requires = "cluster_size",
        allow_negative_numbers = true
    )]
    icc: Option<f64>,
    /// Coefficient of variation of the cluster sizes [default: 0]
    #[arg(
        long,
        value_name = "C",
        requires = "cluster_size",
        allow_negative_numbers = true
    )]
    cluster_size_cv: Option<f64>,
    /// Which arms are clustered [default: both]
    #[arg(long, requires = "cluster_size")]
    clustered_arms: Option<Arms>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Arms {
    Both,
    Treated,
}

impl Clusters {
    pub(super) fn clustering(&self) -> Option<Clustering> {
        self.cluster_size.map(|size| Clustering {
            size,
            icc: self.icc.unwrap_or(0.0),
            size_cv: self.cluster_size_cv.unwrap_or(0.0),
            arms: match self.clustered_arms {
                Some(Arms::Treated) => ClusteredArms::Treated,
                Some(Arms::Both) | None => ClusteredArms::Both,
            },
        })
    }
}

fn fraction(text: &str) -> Result<f64, String> {
    let number = |text: &str| {
        text.trim()
            .parse::<f64>()
            .map_err(|_| "a number or a fraction".to_owned())
    };
    match text.split_once('/') {
        Some((above, below)) => Ok(number(above)? / number(below)?),
        None => number(text),
    }
}

/// Adds to the body what stands at the end of every answer, and says the warnings aloud.
pub(super) fn finish(
    session: &Session,
    body: &mut Value,
    clustering: Option<Clustering>,
    design_effects: (f64, f64),
    clusters: Option<WholeClusters>,
    cautions: &[Caution],
) {
    body["design_effect_treated"] = json!(design_effects.0);
    body["design_effect_control"] = json!(design_effects.1);
    body["cluster_size"] = json!(clustering.map(|own| own.size));
    body["icc"] = json!(clustering.map(|own| own.icc));
    body["cluster_size_cv"] = json!(clustering.map(|own| own.size_cv));
    body["clustered_arms"] = json!(clustering.map(|own| own.arms.text()));
    body["clusters_treated"] = json!(clusters.map(|own| own.treated));
    body["clusters_control"] = json!(clusters.and_then(|own| own.control));
    body["power_at_clusters"] = json!(clusters.map(|own| own.power));
    let warnings: Vec<_> = cautions
        .iter()
        .map(|own| json!({"code": own.code(), "message": own.words().get(session.lang)}))
        .collect();
    body["warnings"] = json!(warnings);
    for own in cautions {
        let warning = Diagnostic::warning(own.code(), own.words());
        session.outside.progress.warn(&warning);
    }
}

/// A whole number of individuals, events or clusters.
pub(super) fn whole(n: u64) -> Cell {
    i64::try_from(n).map_or(Cell::Empty, Cell::Whole)
}

/// The number in English and in Swedish.
pub(super) fn shown(value: f64, shown: Shown) -> [String; 2] {
    [Lang::En, Lang::Sv].map(|lang| number(value, shown, lang))
}

/// The sentence about a power, and about that of the whole numbers that the table has, where it is another.
pub(super) fn power_is(value: f64, at_whole: f64) -> Words {
    let [en, sv] = shown(value, Shown::Decimals(4));
    let [whole_en, whole_sv] = shown(at_whole, Shown::Decimals(4));
    if en == whole_en {
        return words!("The power is {en}.", "Styrkan är {sv}.");
    }
    words!(
        "The power is {en} at the size as it is given, and {whole_en} at the whole numbers of the table, rounded up.",
        "Styrkan är {sv} vid storleken som den angavs, och {whole_sv} vid tabellens hela tal, avrundade uppåt."
    )
}

/// The sentence about an alpha.
pub(super) fn alpha_is(value: f64) -> Words {
    let [en, sv] = shown(value, Shown::Significant(4));
    words!("Alpha is {en}.", "Alfa är {sv}.")
}

/// The sentence about a sample size.
pub(super) fn n_is(value: f64, n: u64, clusters: Option<WholeClusters>) -> Words {
    let [en, sv] = shown(value, Shown::Decimals(3));
    match clusters {
        None => words!(
            "The control arm needs {en}, rounded up to {n}.",
            "Kontrollarmen behöver {sv}, avrundat uppåt till {n}."
        ),
        Some(WholeClusters {
            treated,
            control: Some(control),
            ..
        }) => words!(
            "The control arm needs {en}, rounded up to {n}; in whole clusters {treated} treated and {control} control.",
            "Kontrollarmen behöver {sv}, avrundat uppåt till {n}; i hela kluster {treated} behandlade och {control} i kontroll."
        ),
        Some(WholeClusters { treated, .. }) => words!(
            "The control arm needs {en}, rounded up to {n}; the treated arm {treated} whole clusters.",
            "Kontrollarmen behöver {sv}, avrundat uppåt till {n}; den behandlade armen {treated} hela kluster."
        ),
    }
}
