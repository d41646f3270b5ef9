//! Golden: agreement with another program, whose generator script, versions and data are committed beside the numbers.

mod distributions;
