//! Provenance: which template node and which values made a stretch of output.

use std::ops::Range;

use crate::diag::{SourceText, Span};

/// A stretch of output that one action or one piece of plain text printed.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The bytes of the output.
    pub output: Range<usize>,
    /// The template text that printed them: the file, or the text that `template` led to.
    pub source: SourceText,
    /// The pipeline in it, or the plain text.
    pub span: Span,
    /// It is plain text, byte for byte.
    pub literal: bool,
    /// Fields that the pipeline read, in order, as written (`.Values.image.tag`), in included templates too.
    #[cfg_attr(not(test), expect(dead_code, reason = "the hook that diffs and checks will read provenance through"))]
    pub reads: Vec<String>,
}

impl Segment {
    /// Where in the template a byte of the output comes from: in plain text the very place, else the whole pipeline.
    pub fn place_of(&self, offset: usize) -> Span {
        if self.literal { Span::point(self.span.start as usize + offset - self.output.start) } else { self.span }
    }
}

/// What is recorded while a template runs.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) segments: Vec<Segment>,
    pub(super) reads: Vec<String>,
    /// Depth of captured output (`include`, `tpl`), where no output range is final.
    pub(super) captured: u32,
}
