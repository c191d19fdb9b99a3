//! The bytes of a file, read when they are first wanted.
//!
//! Most files of a chart that are no templates are never looked into. Of a large one it is known that it can be read and how
//! long it is; the rest waits.

use std::sync::{Arc, OnceLock};

use super::{Disk, Source as _};
use crate::diag::{Diagnostic, Result};

/// The bytes of a file. Copies share them.
#[derive(Clone, Debug)]
pub struct Content(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Known(Arc<[u8]>),
    OnDisk(Arc<OnDisk>),
}

#[derive(Debug)]
struct OnDisk {
    path: String,
    length: u64,
    bytes: OnceLock<Result<Arc<[u8]>>>,
}

impl Content {
    /// A file on disk that was found to be readable.
    pub(super) fn on_disk(path: &str, length: u64) -> Content {
        Content(Repr::OnDisk(Arc::new(OnDisk { path: path.to_owned(), length, bytes: OnceLock::new() })))
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        match &self.0 {
            Repr::Known(bytes) => bytes.len() as u64,
            Repr::OnDisk(file) => file.length,
        }
    }

    /// The bytes, if nothing has to be read for them.
    pub fn known(&self) -> Option<&Arc<[u8]>> {
        match &self.0 {
            Repr::Known(bytes) => Some(bytes),
            Repr::OnDisk(file) => file.bytes.get()?.as_ref().ok(),
        }
    }

    /// The bytes. Fails as reading does: a file may have gone since.
    pub fn bytes(&self) -> Result<&Arc<[u8]>> {
        match &self.0 {
            Repr::Known(bytes) => Ok(bytes),
            Repr::OnDisk(file) => file.bytes.get_or_init(|| Disk.read(&file.path)).as_ref().map_err(Clone::clone),
        }
    }

    /// Why the bytes could not be read when somebody wanted them.
    pub fn fault(&self) -> Option<&Diagnostic> {
        match &self.0 {
            Repr::Known(_) => None,
            Repr::OnDisk(file) => file.bytes.get()?.as_ref().err().map(|fault| &**fault),
        }
    }
}

impl From<Arc<[u8]>> for Content {
    fn from(bytes: Arc<[u8]>) -> Content {
        Content(Repr::Known(bytes))
    }
}
