//! Words and pictures as somebody reviewed them. A snapshot says nothing of correctness.

mod report;
