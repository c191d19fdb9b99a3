//! Provenance: which template node and which values made a stretch of output.

use std::ops::Range;

use crate::diag::{SourceText, Span};

/// A stretch of output that one action printed.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "the hook that diffs and checks will read provenance through")]
pub struct Segment {
    /// The bytes of the output.
    pub output: Range<usize>,
    /// The template text that printed them: the file, or the text that `template` led to.
    pub source: SourceText,
    /// The pipeline in it.
    pub span: Span,
    /// Fields that the pipeline read, in order, as written (`.Values.image.tag`), in included templates too.
    pub reads: Vec<String>,
}

/// What is recorded while a template runs.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) segments: Vec<Segment>,
    pub(super) reads: Vec<String>,
    /// Depth of captured output (`include`, `tpl`), where no output range is final.
    pub(super) captured: u32,
}
