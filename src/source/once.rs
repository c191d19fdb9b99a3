//! A source that is asked once: what many renders of one run share.
//!
//! In: another source. Out: the same answers, each fetched when it is first wanted and kept until this value goes, so that
//! what a hundred renders read is read once and is the same for all of them. Also tells answers apart by digest, which is
//! what a kept result is held against ([`Once::answer`]).

use std::collections::hash_map::Entry as Slot;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use super::{Content, Entry, EntryKind, Source, base_name, parent};
use crate::diag::Result;

/// Locks are taken for the time of a table look-up; more of them than threads keep these from meeting.
const SHARDS: usize = 16;

/// What can be asked about a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// What stands there.
    Kind,
    /// The bytes of a file.
    Bytes,
    /// The entries of a folder.
    Entries,
    /// The path without links.
    RealPath,
}

impl Question {
    /// Asks it of a source, for the sake of having asked.
    pub fn put(self, source: &dyn Source, path: &str) {
        match self {
            Question::Kind => drop(source.kind(path)),
            Question::Bytes => drop(source.read(path)),
            Question::Entries => drop(source.list(path)),
            Question::RealPath => drop(source.real_path(path)),
        }
    }
}

/// A source whose answers are kept.
pub struct Once<'a> {
    inner: &'a dyn Source,
    shards: [Mutex<FxHashMap<Box<str>, Arc<Known>>>; SHARDS],
}

/// What is known of one path.
#[derive(Default)]
struct Known {
    look: OnceLock<Option<(EntryKind, bool)>>,
    bytes: OnceLock<Result<Arc<[u8]>>>,
    content: OnceLock<Result<Content>>,
    entries: OnceLock<Result<Arc<[Entry]>>>,
    real_path: OnceLock<Result<String>>,
    digest: OnceLock<String>,
}

impl<'a> Once<'a> {
    /// Over `inner`, of which nothing is known yet.
    pub fn new(inner: &'a dyn Source) -> Once<'a> {
        Once { inner, shards: std::array::from_fn(|_| Mutex::default()) }
    }

    fn shard(&self, path: &str) -> MutexGuard<'_, FxHashMap<Box<str>, Arc<Known>>> {
        let shard = path.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, path: &str) -> Arc<Known> {
        let mut shard = self.shard(path);
        match shard.get(path) {
            Some(known) => Arc::clone(known),
            None => match shard.entry(path.into()) {
                Slot::Occupied(slot) => Arc::clone(slot.get()),
                Slot::Vacant(slot) => Arc::clone(slot.insert(Arc::default())),
            },
        }
    }

    /// The bytes of a file of which something may be known.
    fn bytes<'k>(&self, path: &str, known: &'k Known) -> &'k Result<Arc<[u8]>> {
        known.bytes.get_or_init(|| match known.content.get() {
            Some(content) => content.clone()?.bytes().cloned(),
            None => self.inner.read(path),
        })
    }

    /// What stands at a path whose folder was listed before, as far as that tells.
    fn listed(&self, path: &str) -> Option<Option<(EntryKind, bool)>> {
        let folder = parent(path);
        let known = self.shard(folder).get(folder).map(Arc::clone)?;
        let entries = known.entries.get()?.as_ref().ok()?;
        match entries.binary_search_by(|entry| entry.name.as_str().cmp(base_name(path))) {
            Err(_) => Some(None),
            Ok(at) => entries[at].kind.filter(|_| !entries[at].is_link).map(|kind| Some((kind, false))),
        }
    }

    /// The entries of a folder, sorted by name as bytes.
    pub fn entries(&self, path: &str) -> Result<Arc<[Entry]>> {
        self.known(path).entries.get_or_init(|| self.inner.list(path).map(Arc::from)).clone()
    }

    /// The answer to a question in a short form: equal for equal answers, and for no others. Failures answer `!`.
    pub fn answer(&self, question: Question, path: &str) -> String {
        match question {
            Question::Kind => match self.kind(path) {
                Some(EntryKind::File) => "file".to_owned(),
                Some(EntryKind::Folder) => "folder".to_owned(),
                None => "nothing".to_owned(),
            },
            Question::Bytes => {
                let known = self.known(path);
                let bytes = self.bytes(path, &known);
                known.digest.get_or_init(|| bytes.as_ref().map_or_else(|_| "!".to_owned(), |bytes| hex(bytes))).clone()
            }
            Question::Entries => self.entries(path).map_or_else(
                |_| "!".to_owned(),
                |entries| {
                    let line = |entry: &Entry| format!("{:?} {}\n", entry.kind, entry.name);
                    hex(entries.iter().map(line).collect::<String>().as_bytes())
                },
            ),
            Question::RealPath => self.real_path(path).unwrap_or_else(|_| "!".to_owned()),
        }
    }
}

/// The SHA-256 of some bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

impl Source for Once<'_> {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.look(path).map(|(kind, _)| kind)
    }

    fn look(&self, path: &str) -> Option<(EntryKind, bool)> {
        *self.known(path).look.get_or_init(|| self.listed(path).unwrap_or_else(|| self.inner.look(path)))
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>> {
        self.bytes(path, &self.known(path)).clone()
    }

    fn content(&self, path: &str) -> Result<Content> {
        let known = self.known(path);
        match known.bytes.get() {
            Some(bytes) => bytes.clone().map(Content::from),
            None => known.content.get_or_init(|| self.inner.content(path)).clone(),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>> {
        self.entries(path).map(|entries| entries.to_vec())
    }

    fn real_path(&self, path: &str) -> Result<String> {
        let resolve = || match self.look(path) {
            // a path that is no link is its folder's real path and its name, and the folder's is known after its first file
            Some((_, false)) if path != "/" => {
                let folder = self.real_path(parent(path))?;
                let name = base_name(path);
                Ok(if folder == "/" { format!("/{name}") } else { format!("{folder}/{name}") })
            }
            _ => self.inner.real_path(path),
        };
        self.known(path).real_path.get_or_init(resolve).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::source::Memory;

    /// Counts what it is asked.
    struct Counted(Memory, AtomicUsize);

    impl Source for Counted {
        fn kind(&self, path: &str) -> Option<EntryKind> {
            self.0.kind(path)
        }

        fn read(&self, path: &str) -> Result<Arc<[u8]>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.read(path)
        }

        fn list(&self, path: &str) -> Result<Vec<Entry>> {
            self.0.list(path)
        }

        fn real_path(&self, path: &str) -> Result<String> {
            self.0.real_path(path)
        }
    }

    #[test]
    fn a_file_is_read_once_by_all_threads() {
        let mut files = Memory::new();
        files.insert("/a", *b"x");
        let counted = Counted(files, AtomicUsize::new(0));
        let once = Once::new(&counted);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(&*once.read("/a").expect("there"), b"x"));
            }
        });
        assert!(once.read("/none").is_err() && once.read("/none").is_err());
        assert_eq!(counted.1.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn answers_differ_where_the_source_does() {
        let (mut one, mut other) = (Memory::new(), Memory::new());
        one.insert("/f/a", *b"x");
        other.insert("/f/a", *b"y");
        other.insert("/f/b", *b"");
        let (one, other) = (Once::new(&one), Once::new(&other));
        for (question, path, same) in [
            (Question::Bytes, "/f/a", false),
            (Question::Entries, "/f", false),
            (Question::Kind, "/f/b", false),
            (Question::Kind, "/f", true),
            (Question::RealPath, "/f/a", true),
        ] {
            assert_eq!(one.answer(question, path) == other.answer(question, path), same, "{question:?} {path}");
        }
    }
}
