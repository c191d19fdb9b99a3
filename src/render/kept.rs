//! Results kept between runs, by content: a root whose inputs are as they were costs their hash and no render.
//!
//! In: a [`Store`] and what a render asked of its source ([`Asked`]). Out: the [`Page`] of an earlier run, if every one of those
//! questions has the same answer today. The key holds what is no input file: Hydrant's build, the options, the place of the root.
//! A render that asked for the time, randomness or an address is never kept, since its inputs do not determine it.
//!
//! An entry is a list of byte strings, each behind its length, and a checksum, so that a torn file reads as none. It
//! names paths as seen from the folder of all roots: another checkout of the same tree finds the same entries.

use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::sync::{Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHasher};

use crate::diag::Result;
use crate::source::{Asked, Once, Question, hex};

use super::page::{Document, Page, Remark};

/// The form of entries; another form is another key.
const FORM: &str = "hydrant-kept-2";

/// More tables than threads, so that threads seldom meet at one.
const SHARDS: usize = 16;

/// The questions in the order in which an entry has their answers.
const QUESTIONS: [Question; 4] = [Question::Kind, Question::Bytes, Question::Entries, Question::RealPath];

/// Where entries are kept. Parallel runs may share it: an entry is replaced as a whole or not at all.
pub trait Store: Sync {
    /// The entry under a key; nothing if there is none or it cannot be read.
    fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps an entry.
    fn put(&self, key: &str, entry: &[u8]) -> Result<()>;
}

/// The entries of one set of options below one folder.
pub struct Kept<'a> {
    store: &'a dyn Store,
    /// Digest of what every key of this run shares.
    salt: String,
    /// The folder that paths are seen from, with a slash behind.
    top: String,
    /// The rows of entries that were looked into, and whether they hold: roots share most of what they ask.
    rows: [Mutex<FxHashMap<Box<[u8]>, bool>>; SHARDS],
}

impl<'a> Kept<'a> {
    /// `salt` is what results depend on beside inputs: Hydrant's build and the options.
    pub fn new(store: &'a dyn Store, salt: &str, top: &str) -> Kept<'a> {
        Kept {
            store,
            salt: hex(format!("{FORM}\n{salt}").as_bytes()),
            top: format!("{}/", top.trim_end_matches('/')),
            rows: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// The key of a root.
    pub fn key(&self, root: &str) -> String {
        hex(format!("{}\n{}", self.salt, self.seen(root)).as_bytes())
    }

    /// What is kept beside the roots under a name.
    pub(super) fn beside(&self, name: &str) -> Option<Vec<u8>> {
        let entry = self.store.get(&self.key_beside(name))?;
        checked(&entry).map(<[u8]>::to_vec)
    }

    /// Keeps something beside the roots under a name.
    pub(super) fn keep_beside(&self, name: &str, mut entry: Vec<u8>) -> Result<()> {
        let sum = checksum(&entry);
        entry.extend(sum);
        self.store.put(&self.key_beside(name), &entry)
    }

    /// No path of a root begins like this.
    fn key_beside(&self, name: &str) -> String {
        hex(format!("{}\n\n{name}", self.salt).as_bytes())
    }

    /// A path as entries name it: `./` and what comes below the folder of all roots, else absolute.
    fn seen(&self, path: &str) -> String {
        match path.strip_prefix(self.top.as_str()) {
            Some(below) => format!("./{below}"),
            None if path.len() + 1 == self.top.len() && self.top.starts_with(path) => "./".to_owned(),
            None => path.to_owned(),
        }
    }

    /// The path that an entry names.
    fn path(&self, seen: &str) -> String {
        match seen.strip_prefix("./") {
            Some("") => self.top.trim_end_matches('/').to_owned(),
            Some(below) => format!("{}{below}", self.top),
            None => seen.to_owned(),
        }
    }

    /// The page under a key, if all that its render asked is answered now as it was then.
    pub fn find(&self, key: &str, files: &Once<'_>) -> Option<Page> {
        let entry = self.store.get(key)?;
        let mut rest = Reader(checked(&entry)?);
        for _ in 0..rest.count()? {
            let row = rest.row()?;
            if !self.holds(row, files)? {
                return None;
            }
        }
        let mut page = Page::default();
        for _ in 0..rest.count()? {
            page.remarks.push(Remark { text: rest.text()?.to_owned(), json: rest.text()?.to_owned() });
        }
        for _ in 0..rest.count()? {
            page.documents.push(Document { file_name: rest.text()?.to_owned(), text: rest.text()?.to_owned() });
        }
        rest.0.is_empty().then_some(page)
    }

    /// True if what a row of an entry says of a path is so today; nothing for a row that is none.
    fn holds(&self, row: &[u8], files: &Once<'_>) -> Option<bool> {
        // the sum's upper bits, because the table goes by all of it
        let shard = &self.rows[usize::from(checksum(row)[7]) % SHARDS];
        let rows = || shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(holds) = rows().get(row) {
            return Some(*holds);
        }
        let mut rest = Reader(row);
        let path = self.path(rest.text()?);
        let mut holds = true;
        for question in QUESTIONS {
            let then = rest.text()?;
            holds &= then.is_empty() || self.answer(files, question, &path) == then;
        }
        rows().insert(row.into(), holds);
        Some(holds)
    }

    fn answer(&self, files: &Once<'_>, question: Question, path: &str) -> String {
        let answer = files.answer(question, path);
        if question == Question::RealPath { self.seen(&answer) } else { answer }
    }

    /// Keeps a page with what its render asked.
    pub fn keep(&self, key: &str, files: &Once<'_>, asked: &Asked, page: &Page) -> Result<()> {
        let mut by_path: BTreeMap<&str, [String; QUESTIONS.len()]> = BTreeMap::new();
        for (path, question) in asked {
            let answers = by_path.entry(path).or_default();
            let at = QUESTIONS.iter().position(|known| known == question).unwrap_or_default();
            answers[at] = self.answer(files, *question, path);
        }
        let mut entry = Vec::new();
        put_count(&mut entry, by_path.len());
        for (path, answers) in &by_path {
            put(&mut entry, &self.seen(path));
            for answer in answers {
                put(&mut entry, answer);
            }
        }
        put_count(&mut entry, page.remarks.len());
        for remark in &page.remarks {
            put(&mut entry, &remark.text);
            put(&mut entry, &remark.json);
        }
        put_count(&mut entry, page.documents.len());
        for document in &page.documents {
            put(&mut entry, &document.file_name);
            put(&mut entry, &document.text);
        }
        let sum = checksum(&entry);
        entry.extend(sum);
        self.store.put(key, &entry)
    }
}

/// Adds a number to an entry.
pub(super) fn put_count(entry: &mut Vec<u8>, count: usize) {
    entry.extend((count as u64).to_le_bytes());
}

/// Adds a text to an entry.
pub(super) fn put(entry: &mut Vec<u8>, text: &str) {
    put_count(entry, text.len());
    entry.extend(text.as_bytes());
}

/// Guards against torn files, not against people: whoever may write the store may write any entry.
fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish().to_le_bytes()
}

fn checked(entry: &[u8]) -> Option<&[u8]> {
    let (body, sum) = entry.split_last_chunk::<8>()?;
    (checksum(body) == *sum).then_some(body)
}

/// What is left to read of an entry.
pub(super) struct Reader<'e>(pub(super) &'e [u8]);

impl<'e> Reader<'e> {
    /// A number.
    pub(super) fn count(&mut self) -> Option<usize> {
        let (count, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        usize::try_from(u64::from_le_bytes(*count)).ok()
    }

    /// A path and the answers to all questions about it.
    fn row(&mut self) -> Option<&'e [u8]> {
        let begin = self.0;
        for _ in 0..=QUESTIONS.len() {
            let length = self.count()?;
            self.0 = self.0.get(length..)?;
        }
        begin.get(..begin.len() - self.0.len())
    }

    /// A text.
    pub(super) fn text(&mut self) -> Option<&'e str> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}
