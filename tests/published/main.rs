//! Published: agreement with the literature; the test names table and page, and the printed rounding is the tolerance.

mod nist;
