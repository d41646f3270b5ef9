//! A researcher wants a list of allocations, and to know how well it can be guessed, from the library alone.
//!
//! `cargo run --example allocate`

use std::io::Write;

use lottning::allocation::{
    Options, Refusal, Seed, choose, exact_characteristics, list, read_ratio,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A seed of a published example. A real one comes from the operating system, is committed to beforehand, and is
    // told to nobody until the study has ended.
    let seed = Seed::from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")?;
    let arms = ["iuh", "standard"];
    let ratio = read_ratio("1:1").map_err(said)?;
    let options = Options::of(&[("max_imbalance", "3")]);

    let design = choose("big-stick", &ratio, &options, None).map_err(all_said)?;
    let arrivals = [
        "north", "south", "north", "north", "south", "north", "south", "south",
    ];
    let mut out = std::io::stdout().lock();
    writeln!(out, "sequence,stratum,arm")?;
    for row in list(&*design, &seed, arrivals.map(|site| [site])) {
        writeln!(
            out,
            "{},{},{}",
            row.sequence,
            row.stratum,
            arms[row.arm.index()]
        )?;
    }

    // How predictable is it for staff who see every arm? No method at all would give one half.
    let exact = exact_characteristics("big-stick", &ratio, &options, 142).map_err(all_said)?;
    if let Some(share) = exact.correct_guess_share {
        writeln!(out, "correct guesses in a stratum of 142: {share:.4}")?;
    }
    // A method declines what it cannot do, and says what can be done instead.
    if let Err(refusals) = choose(
        "big-stick",
        &read_ratio("2:1").map_err(said)?,
        &options,
        None,
    ) {
        writeln!(out, "{}", all_said(refusals))?;
    }
    Ok(())
}

fn said(refusal: Refusal) -> String {
    match refusal.help {
        Some(help) => format!("{}; {help}", refusal.message),
        None => refusal.message.en,
    }
}

fn all_said(refusals: Vec<Refusal>) -> String {
    let texts: Vec<String> = refusals.into_iter().map(said).collect();
    texts.join("\n")
}
