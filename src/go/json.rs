//! JSON as Go's `encoding/json` writes and reads it.
//!
//! Writing: [`push_str`] for strings, `float::push_json` for numbers, [`Writer`] for whole values, compact or indented;
//! the caller sorts keys. Reading: [`read()`] walks a text and calls a [`Visit`]or; faults have Go's words.

mod read;
mod write;

pub use read::{Visit, read};
pub use write::{Writer, push_str};
