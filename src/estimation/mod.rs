//! Estimators as pure functions of columns.
