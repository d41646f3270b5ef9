//! Bytes to typed columns: delimited text as people have it.
