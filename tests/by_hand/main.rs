//! Minimal cases whose derivation is in the comment.

mod allocation;
