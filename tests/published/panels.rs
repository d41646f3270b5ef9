//! Every published standard error of two panels that programs are compared by: traffic deaths and the drinking age
//! (50 states' indicators, weights, few degrees of freedom), and Petersen's firms. Sources: `panels/PROVENANCE.md`.

use lottning::estimation::cluster_variance::ClusterVariance;
use lottning::estimation::linear_model::{Design, Workspace};
use lottning::estimation::{Df, Variance};

const FIRMS: usize = 500;
const YEARS: usize = 10;

/// A file's rows of numbers that were stored in single precision.
fn numbers(text: &str) -> Vec<Vec<f64>> {
    let single = |cell: &str| f64::from(cell.parse::<f32>().unwrap());
    let rows = text.lines().skip(1);
    rows.map(|row| row.split(',').map(single).collect())
        .collect()
}

/// An outcome, the columns of a model one after the other, and who belongs together.
struct Panel {
    outcome: Vec<f64>,
    columns: Vec<f64>,
    clusters: Vec<(&'static str, Vec<u32>)>,
    weights: Vec<f64>,
}

/// One coefficient.
struct Found {
    estimate: f64,
    std_error: f64,
    df: Option<f64>,
}

impl Panel {
    fn mortality() -> Self {
        let rows = numbers(include_str!("panels/mortality.csv"));
        assert_eq!(rows.len(), 700);
        let column = |place: usize| rows.iter().map(move |row| row[place]);
        let levels = |place: usize| {
            let mut found: Vec<u32> = column(place).map(|value| value as u32).collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        let (states, years) = (levels(0), levels(1));
        let mut columns: Vec<f64> = column(3).chain(column(4)).collect();
        for state in &states {
            columns.extend(column(0).map(|own| f64::from(own as u32 == *state)));
        }
        for year in &years[1..] {
            columns.extend(column(1).map(|own| f64::from(own as u32 == *year)));
        }
        Self {
            outcome: column(2).collect(),
            columns,
            clusters: vec![(
                "state",
                column(0)
                    .map(|own| {
                        states
                            .iter()
                            .position(|state| *state == own as u32)
                            .unwrap() as u32
                    })
                    .collect(),
            )],
            weights: column(5).collect(),
        }
    }

    fn firms() -> Self {
        let rows = numbers(include_str!("panels/firms.csv"));
        let n = rows.len();
        assert_eq!(n, FIRMS * YEARS);
        let mut columns = vec![1.0; n];
        columns.extend(rows.iter().map(|row| row[0]));
        let by = |of: fn(usize) -> usize| (0..n).map(|row| of(row) as u32).collect();
        Self {
            outcome: rows.iter().map(|row| row[1]).collect(),
            columns,
            clusters: vec![
                ("firm", by(|row| row / YEARS)),
                ("year", by(|row| row % YEARS)),
            ],
            weights: Vec::new(),
        }
    }

    fn fit(&self, coefficient: usize, variance: &str, cluster: &str, weighted: bool) -> Found {
        let n = self.outcome.len();
        let weights: &[f64] = if weighted { &self.weights } else { &[] };
        let design = Design::coefficient(n, &self.columns, coefficient, weights).unwrap();
        let variance = Variance::parse(variance).unwrap();
        let mut workspace = Workspace::default();
        let Some((_, cluster)) = self.clusters.iter().find(|(name, _)| *name == cluster) else {
            let inference = design.inference(variance, Df::Residual, 0.95).unwrap();
            let fit = design.fit(&self.outcome, &inference, &mut workspace);
            return Found {
                estimate: fit.estimate,
                std_error: fit.std_error,
                df: fit.df,
            };
        };
        let clustered = ClusterVariance::new(&design, cluster, variance).unwrap();
        let inference = clustered.inference(Df::Satterthwaite, 0.95).unwrap();
        let fit = clustered.fit(&design, &self.outcome, &inference, &mut workspace);
        Found {
            estimate: fit.estimate,
            std_error: fit.std_error,
            df: fit.df,
        }
    }
}

fn close(what: &str, ours: f64, theirs: f64, relative: f64) {
    let bound = relative * theirs.abs();
    assert!((ours - theirs).abs() <= bound, "{what}: {ours} {theirs}");
}

/// R 4.2.2, sandwich 3.0.2, clubSandwich 0.5.8: 32 coefficients.
#[test]
fn every_figure_of_both_panels_agrees_with_r() {
    let (mortality, firms) = (Panel::mortality(), Panel::firms());
    let mut compared = 0;
    for row in include_str!("panels/results.csv").lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let panel = if cells[0] == "firms" {
            &firms
        } else {
            &mortality
        };
        let coefficient = usize::from(matches!(cells[4], "x" | "beertaxa"));
        let fit = panel.fit(coefficient, cells[3], cells[2], cells[1] == "yes");
        let number = |place: usize| cells[place].parse::<f64>().ok();
        close(row, fit.estimate, number(5).unwrap(), 1e-10);
        close(row, fit.std_error, number(6).unwrap(), 1e-9);
        if let Some(df) = number(7) {
            close(row, fit.df.unwrap(), df, 1e-7);
        }
        compared += 1;
    }
    assert_eq!(compared, 32);
}

/// As printed: the vignette's CR2 and t of the share of legal drinkers (7.588, 2.513, 24.58 degrees of freedom), weighted
/// by population (7.780, 2.135, 8.52), and Petersen's page: by firm .0670 and .0506, by year .0234 and .0334, White's
/// .0284 and .0284, the clustered ones by Stata's factor (N−1)/(N−k) beside G/(G−1).
#[test]
fn as_printed() {
    let mortality = Panel::mortality();
    for (weighted, estimate, std_error, df) in [
        (false, 7.587_707_623, 2.513_082_166, 24.578_518_939),
        (true, 7.780_054_831, 2.134_818_339, 8.519_527_817),
    ] {
        let fit = mortality.fit(0, "cr2", "state", weighted);
        close("legal", fit.estimate, estimate, 5e-9);
        close("legal", fit.std_error, std_error, 5e-9);
        close("legal", fit.df.unwrap(), df, 5e-9);
    }
    let firms = Panel::firms();
    let n = (FIRMS * YEARS) as f64;
    let stata = ((n - 1.0) / (n - 2.0)).sqrt();
    for (variance, cluster, factor, printed) in [
        ("cr1", "firm", stata, [0.0670, 0.0506]),
        ("cr1", "year", stata, [0.0234, 0.0334]),
        ("hc1", "none", 1.0, [0.0284, 0.0284]),
    ] {
        for (coefficient, printed) in printed.into_iter().enumerate() {
            let ours = firms.fit(coefficient, variance, cluster, false).std_error * factor;
            assert!(
                (ours - printed).abs() <= 5e-5,
                "{variance}: {ours} {printed}"
            );
        }
    }
}
