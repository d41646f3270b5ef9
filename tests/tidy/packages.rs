//! The package stands on few others, all with permissive licences.

use std::fs;
use std::process::Command;

use crate::sources::package;

/// A new dependency needs a sentence in `Cargo.toml`; more packages than this need a decision.
const CEILING: usize = 190;

const PERMISSIVE: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "ISC",
    "Zlib",
    "BSL-1.0",
    "CC0-1.0",
    "Unicode-3.0",
    "Unlicense",
];

fn packages(lock: &str) -> usize {
    lock.lines().filter(|line| *line == "[[package]]").count()
}

/// Whether one alternative of a licence expression asks for permissive licences only.
fn permissive(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" OR ").any(|alternative| {
        alternative
            .split(" AND ")
            .all(|licence| PERMISSIVE.contains(&licence.trim()))
    })
}

#[test]
fn packages_are_few() {
    let lock = fs::read_to_string(package().join("Cargo.lock")).unwrap();
    let count = packages(&lock);
    assert!(count <= CEILING, "{count} packages, at most {CEILING}");
    assert!(count > 10, "the lock file was not read");
}

#[test]
fn licences_are_permissive() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version=1"])
        .args(["--filter-platform", &host()])
        .current_dir(package())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    // Only packages that are built on this machine are downloaded everywhere.
    let built: Vec<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let mut bad = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or("none");
        if built.contains(&package["id"].as_str().unwrap()) && !permissive(licence) {
            bad.push(format!("{}: {licence}", package["name"]));
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
    assert!(built.len() > 10, "the packages were not read");
}

fn host() -> String {
    let output = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned()
}

#[test]
fn many_packages_and_strict_licences_are_found() {
    assert_eq!(
        packages("[[package]]\nname = \"a\"\n[[package]]\nname = \"b\"\n"),
        2
    );
    for (expression, fine) in [
        ("MIT OR Apache-2.0", true),
        ("MIT/Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("GPL-3.0-only", false),
        ("MIT AND GPL-3.0-only", false),
        ("LGPL-2.1 OR MIT", true),
        ("none", false),
    ] {
        assert_eq!(permissive(expression), fine, "{expression}");
    }
}
