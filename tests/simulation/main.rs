//! Simulated figures against exact targets, within four Monte Carlo standard errors.

mod allocation;
