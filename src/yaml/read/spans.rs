//! Where each part of a document stands: a table beside the tree, in document order.

use crate::diag::Span;
use crate::value::Text;

use super::fault::Mark;

/// How a part is reached from its parent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// The document itself.
    Root,
    /// The next item of a list.
    Item,
    /// A field of a map, and where its key begins.
    Field(Text, Mark),
    /// A part of a key or of a merge; no path reaches it.
    Hidden,
}

#[derive(Clone, Debug)]
struct Entry {
    step: Step,
    span: Span,
    /// Index just past the entries below this one.
    next: usize,
}

/// The places of a document's parts, found by path.
///
/// Aliases and merged keys have the place of the alias; what they stand for is found at its anchor.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    entries: Vec<Entry>,
}

impl Spans {
    /// The place of the value at a path of keys and list indices (`["spec", "ports", "0"]`).
    pub fn value(&self, path: &[&str]) -> Option<Span> {
        self.find(path).map(|index| self.entries[index].span)
    }

    /// The place of the key of the value at a path; nothing for list items and the document.
    pub fn key(&self, path: &[&str]) -> Option<Span> {
        match &self.entries[self.find(path)?].step {
            Step::Field(key, mark) => Some(Span::new(mark.place as usize, mark.place as usize + key.len())),
            _ => None,
        }
    }

    /// The place of the deepest part of a path that exists: where an error about a missing part points.
    pub fn nearest(&self, path: &[&str]) -> Option<Span> {
        (0..=path.len()).rev().find_map(|length| self.key(&path[..length]).or_else(|| self.value(&path[..length])))
    }

    fn find(&self, path: &[&str]) -> Option<usize> {
        let mut at = 0;
        self.entries.first()?;
        for step in path {
            at = self.child(at, step)?;
        }
        Some(at)
    }

    /// The last child that a step names: where a key stands twice, the later one counts.
    fn child(&self, parent: usize, step: &str) -> Option<usize> {
        let end = self.entries[parent].next;
        let mut at = parent + 1;
        let mut index = 0usize;
        let mut found = None;
        while at < end {
            let entry = &self.entries[at];
            match &entry.step {
                Step::Field(key, _) if key == step => found = Some(at),
                Step::Item => {
                    if step.parse() == Ok(index) {
                        return Some(at);
                    }
                    index += 1;
                }
                _ => {}
            }
            at = entry.next;
        }
        found
    }
}

/// Fills a table while a document is read.
#[derive(Default)]
pub(super) struct Recorder {
    entries: Vec<Entry>,
    open: Vec<usize>,
}

impl Recorder {
    pub(super) fn open(&mut self, step: Step, mark: Mark) {
        self.open.push(self.entries.len());
        self.entries.push(Entry { step, span: Span { start: mark.place, end: mark.place }, next: 0 });
    }

    pub(super) fn close(&mut self, mark: Mark) {
        if let Some(index) = self.open.pop() {
            let next = self.entries.len();
            let entry = &mut self.entries[index];
            entry.span.end = mark.place.max(entry.span.start);
            entry.next = next;
        }
    }

    pub(super) fn finish(&mut self) -> Spans {
        self.open.clear();
        Spans { entries: std::mem::take(&mut self.entries) }
    }
}
