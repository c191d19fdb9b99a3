//! What a render asked of its source: the inputs that its result depends on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Content, Entry, EntryKind, Question, Source};
use crate::diag::Result;

/// What was asked, in order of path.
pub type Asked = BTreeSet<(String, Question)>;

/// A source that remembers what it was asked.
pub struct Record<'a> {
    inner: &'a dyn Source,
    asked: Mutex<Asked>,
}

impl<'a> Record<'a> {
    /// Over `inner`, with nothing asked yet.
    pub fn new(inner: &'a dyn Source) -> Record<'a> {
        Record { inner, asked: Mutex::default() }
    }

    /// Everything that was asked.
    pub fn into_asked(self) -> Asked {
        self.asked.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: &str, question: Question) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert((path.to_owned(), question));
    }
}

impl Source for Record<'_> {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.note(path, Question::Kind);
        self.inner.kind(path)
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>> {
        self.note(path, Question::Bytes);
        self.inner.read(path)
    }

    fn content(&self, path: &str) -> Result<Content> {
        self.note(path, Question::Bytes);
        self.inner.content(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>> {
        self.note(path, Question::Entries);
        self.inner.list(path)
    }

    fn real_path(&self, path: &str) -> Result<String> {
        self.note(path, Question::RealPath);
        self.inner.real_path(path)
    }
}
