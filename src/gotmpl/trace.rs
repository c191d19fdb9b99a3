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
    /// Fields and variables that the pipeline read, in order, as written (`.Values.image.tag`, `.`, `$item.name`), in included
    /// templates too.
    pub reads: Vec<Read>,
}

/// A field or variable that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// As written.
    pub text: String,
    /// The `with`s and `range`s around, outermost first.
    pub dots: Vec<Dot>,
}

/// A `with` or a round of a `range`: where its dot comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dot {
    /// The first field that its pipeline read, as written; empty where it read none.
    pub read: String,
    /// The index or key of the item, of a `range`.
    pub item: Option<String>,
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
    pub(super) reads: Vec<Read>,
    pub(super) dots: Vec<Dot>,
    /// Depth of captured output (`include`, `tpl`), where no output range is final.
    pub(super) captured: u32,
}
