//! Tar and gzip in and out: deterministic, with limits and path confinement.
//!
//! [`read`] takes archives apart without trusting a word of them; `write` makes them byte for byte reproducible.
//! Neither touches the disk.

mod read;

pub use read::{Entry, Limits, chart_files, entries, looks_gzipped};
