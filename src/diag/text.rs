//! Source texts and byte ranges in them: the places that diagnostics point at.

use std::fmt;
use std::sync::Arc;

/// A byte range in one source text. `start <= end`; offsets past 4 GiB are clamped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset just past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` to `end`, in bytes.
    pub fn new(start: usize, end: usize) -> Span {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { start: clamp(start), end: clamp(end.max(start)) }
    }

    /// An empty range at `at`.
    pub fn point(at: usize) -> Span {
        Span::new(at, at)
    }
}

/// The identity of a text that spans point into: its name as the user knows it, and the text itself.
///
/// Cheap to clone; two are equal when they are the same allocation.
#[derive(Clone)]
pub struct SourceText {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    text: Arc<str>,
}

impl SourceText {
    /// Names a text. `name` is the path that the user would type or the chart path (`web/templates/a.yaml`).
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceText {
        SourceText { inner: Arc::new(Inner { name: name.into(), text: text.into() }) }
    }

    /// The path or name of the text.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The whole text, to keep.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.inner.text)
    }

    /// One-based line and zero-based byte column of an offset.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let bytes = self.text().as_bytes();
        let offset = (offset as usize).min(bytes.len());
        let line = 1 + memchr::memchr_iter(b'\n', &bytes[..offset]).count();
        let start = memchr::memrchr(b'\n', &bytes[..offset]).map_or(0, |at| at + 1);
        (line, offset - start)
    }
}

impl fmt::Debug for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceText({:?}, {} bytes)", self.name(), self.text().len())
    }
}

impl PartialEq for SourceText {
    fn eq(&self, other: &SourceText) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for SourceText {}
