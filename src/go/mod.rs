//! Go's ways that several rooms need: RE2 syntax, Masterminds semver, times and layouts, globs, paths, URLs, `strconv`.
//!
//! In: texts as Go programs hold them (any bytes where Go allows them). Out: Go's answers and Go's error texts, as strings: what
//! is wrong with them and where is for the calling room to say. Nothing here reads the clock, the environment or the disk.

pub mod float;
pub mod glob;
pub mod json;
pub mod path;
pub mod re2;
pub mod semver;
pub mod strconv;
pub mod time;
pub mod url;
