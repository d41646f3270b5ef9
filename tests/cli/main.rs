//! The program as people and scripts call it: a real process, its two outputs and its exit code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

mod advice;
mod alternatives;
mod amend;
mod analyse;
mod believed;
mod boundaries;
mod characteristics;
mod check;
mod concealment;
mod conduct;
mod data;
mod doors;
mod draw;
mod epochs;
mod erasure_races;
mod estimate;
mod families;
mod forged_projection;
mod forgeries;
mod foundation;
mod ledger_form;
mod linked;
mod lists;
mod lists_page;
mod minimization;
mod minimized_study;
mod newer_ledger;
mod peers;
mod personal_numbers;
mod place;
mod power;
mod process;
mod projection;
mod proof;
mod pseudonym;
mod public;
mod races;
mod reasons;
mod refusals;
mod rehearse;
mod replay;
mod replicate;
mod scenarios;
mod seed_file;
mod settings;
mod shards;
mod sizes;
mod study;
mod three_arms;
mod told_before;
mod typed;
mod typed_time;
mod undone;
mod unused_options;
mod verifier;
mod what_if;
