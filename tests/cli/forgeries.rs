//! One table of forgeries through the program and the independent verifier: both name the same first row of each.
//!
//! The table and what it is made from lie in `tests/forgeries`; the page of a proof meets it in `tests/browser`.

use super::place::program;
use std::process::Command;

#[test]
fn every_forgery_of_the_table_is_named_alike_by_the_programs() {
    let output = Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/forgeries/check.py"
        ))
        .arg(program())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("LOTTNING_LANG")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let ledgers: usize = said.split(' ').next().unwrap().parse().unwrap();
    assert!(ledgers > 300, "{said}");
}
