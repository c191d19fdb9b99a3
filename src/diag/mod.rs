//! Diagnostics: what went wrong, where, how it came to be, and what to try.
//!
//! In: facts handed over by the room that found the fault. Out: one [`Diagnostic`], and its text or JSON form.
//! Knows nothing of YAML, charts or clusters, and never prints: `cli` does.

mod diagnostic;
mod render;
mod suggest;
mod text;

pub use diagnostic::{Diagnostic, Fault, Label, Result, Severity, TrailStep, Warnings};
pub use render::{to_json, to_text};
pub use suggest::did_you_mean;
pub use text::{SourceText, Span};
