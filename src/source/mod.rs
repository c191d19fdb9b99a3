//! Where render inputs come from: the only reader of render inputs.
//!
//! In: a folder on disk, a map in memory, one laid over the other. Out: bytes and listings under
//! absolute, clean, `/`-separated paths. Rooms above never learn which kind they read from. Many inputs, and what is made of
//! each, are read by several threads.

mod content;
mod disk;
mod memory;
mod once;
mod overlay;
mod path;
mod place;
mod record;
pub(crate) mod threads;

pub use content::Content;
pub use disk::Disk;
pub use memory::Memory;
pub use once::{Once, Question, hex};
pub use overlay::Overlay;
pub use path::{base_name, clean, join, parent, relative};
pub use record::{Asked, Record};

use std::sync::Arc;

use crate::diag::Result;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name without its folder.
    pub name: String,
    /// What it is, links followed; nothing for a link that leads nowhere, a pipe, a socket or a device.
    pub kind: Option<EntryKind>,
    /// True if it is a link, or may be one.
    pub is_link: bool,
}

/// A tree of files to render from. Paths are absolute and clean (see [`clean`]); links are followed.
pub trait Source: Send + Sync {
    /// What stands at `path`; nothing if there is nothing.
    fn kind(&self, path: &str) -> Option<EntryKind>;

    /// What stands at `path`, and whether `path` itself is a link to it; nothing if there is nothing.
    fn look(&self, path: &str) -> Option<(EntryKind, bool)> {
        Some((self.kind(path)?, self.real_path(path).is_ok_and(|real| real != path)))
    }

    /// The bytes of the file at `path`. Fails with code `source-missing` if there is no file.
    fn read(&self, path: &str) -> Result<Arc<[u8]>>;

    /// The same bytes, of a large file once they are wanted. Fails as [`Source::read`] does.
    fn content(&self, path: &str) -> Result<Content> {
        self.read(path).map(Content::from)
    }

    /// The entries of the folder at `path`, sorted by name as bytes.
    fn list(&self, path: &str) -> Result<Vec<Entry>>;

    /// The path with every link resolved; `path` itself where there are no links.
    fn real_path(&self, path: &str) -> Result<String>;
}
