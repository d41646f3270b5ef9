//! The report's page, figures, tables and document.

mod fixture;
mod looked_at;
mod numbers;
mod page;
mod public;
