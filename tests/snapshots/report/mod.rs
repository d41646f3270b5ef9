//! The report's page, figures, tables and document.

mod fixture;
mod numbers;
mod page;
