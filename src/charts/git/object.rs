//! Git's objects: commits, trees, blobs and tags, each named by the SHA-1 of its kind, length and bytes.

use std::fmt;
use std::sync::Arc;

use sha1::{Digest as _, Sha1};

use crate::diag::Result;

/// The name of an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(pub(super) [u8; 20]);

impl Id {
    /// Reads 40 hex digits.
    pub(super) fn parse(text: &str) -> Option<Id> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Id)
    }

    /// The name of an object of these bytes.
    pub(super) fn of(kind: Kind, bytes: &[u8]) -> Id {
        let mut hasher = Sha1::new();
        hasher.update(format!("{} {}\0", kind.word(), bytes.len()));
        hasher.update(bytes);
        Id(hasher.finalize().into())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A commit.
    Commit,
    /// A folder.
    Tree,
    /// A file.
    Blob,
    /// An annotated tag.
    Tag,
}

impl Kind {
    /// Git's word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Commit => "commit",
            Kind::Tree => "tree",
            Kind::Blob => "blob",
            Kind::Tag => "tag",
        }
    }

    /// The kind of a word.
    pub(super) fn of_word(word: &str) -> Option<Kind> {
        [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag].into_iter().find(|kind| kind.word() == word)
    }
}

/// Objects by name.
pub(super) trait Objects {
    /// An object; nothing if it is not there.
    fn get(&self, id: &Id) -> Result<Option<(Kind, Arc<[u8]>)>>;
}

/// One row of a tree object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The mode, in octal as git writes it.
    pub(super) mode: String,
    /// The name in its folder.
    pub(super) name: String,
    /// What stands there.
    pub(super) id: Id,
}

/// The rows of a tree object; nothing if it is broken, or has a name that leads elsewhere.
pub(super) fn rows(mut bytes: &[u8]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let end = bytes.iter().position(|byte| *byte == 0).filter(|end| *end > space)?;
        let id = Id(bytes.get(end + 1..end + 21)?.try_into().ok()?);
        let mode = std::str::from_utf8(&bytes[..space]).ok()?.to_owned();
        let name = std::str::from_utf8(&bytes[space + 1..end]).ok()?.to_owned();
        if name.is_empty() || name.contains('/') || matches!(name.as_str(), "." | ".." | ".git") {
            return None;
        }
        rows.push(Row { mode, name, id });
        bytes = &bytes[end + 21..];
    }
    Some(rows)
}

/// The object that a commit or tag names in a header (`tree`, `object`).
pub(super) fn header(bytes: &[u8], key: &str) -> Option<Id> {
    let text = String::from_utf8_lossy(bytes);
    let line =
        text.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    line.and_then(Id::parse)
}
