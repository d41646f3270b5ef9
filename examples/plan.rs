//! For who plans a study: how many families, and what the study would show if the world were like this.
//!
//! `cargo run --example plan`. The library reads no files; the texts come from wherever they are kept.

use lottning::planning::clustering::{ClusteredArms, Clustering};
use lottning::planning::scenario::plan;
use lottning::planning::simulate::{Options, simulate};
use lottning::planning::two_proportions::{Question, Test, solve};
use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();

    // A formula: families per arm for 80 % power, 40 % against 30 %.
    let question = Question {
        n_control: None,
        power: Some(0.80),
        ..Question::power_at(0.40, 0.30, 0.0, 0.05)
    };
    let formula = solve(&question)?;
    writeln!(out, "formula: {} families per arm", formula.n_control)?;

    // The same without an approximation: every two-by-two table is counted.
    let exact = solve(&Question {
        test: Test::ExactFisher,
        ..question
    })?;
    writeln!(out, "Fisher's exact test: {}", exact.n_control)?;

    // Twenty families share a therapist pair in the treated arm only.
    let clustered = solve(&Question {
        clustering: Some(Clustering {
            size: 20.0,
            icc: 0.02,
            size_cv: 0.0,
            arms: ClusteredArms::Treated,
        }),
        ..question
    })?;
    writeln!(out, "with therapist pairs: {}", clustered.n_control)?;

    // The study itself, in a made-up world: capacity, uptake, exits, and the registered analyses.
    let scenario = include_str!("../simulations/iuh-2025.toml");
    let protocol = include_str!("../protocols/iuh-2025/protocol.toml");
    let settings = ["months=12".to_owned(), "therapists=3".to_owned()];
    let plan = plan(scenario, protocol, &settings).map_err(|refused| format!("{refused:?}"))?;
    let options = Options {
        replicates: Some(200),
        draws: Some(0),
        ..Options::default()
    };
    for cell in simulate(&plan, &options, &|_, _| {})? {
        let families = cell.studies.families.value.unwrap_or_default();
        writeln!(out, "{}: {families:.0} families", cell.cell)?;
        for (id, found) in &cell.analyses {
            let (power, mcse) = (found.power.value, found.power.mcse);
            if let (Some(power), Some(mcse)) = (power, mcse) {
                writeln!(out, "  {id}: power {power:.2} ± {mcse:.2}")?;
            }
        }
    }
    Ok(())
}
