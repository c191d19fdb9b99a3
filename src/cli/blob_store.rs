//! What was fetched, kept by content: `HYDRANT_CACHE`, or `hydrant` in the user's cache folder.
//!
//! `blobs/HEX` holds bytes under their SHA-256, `notes/HEX` a short text under the hash of its name. Both are written
//! beside their place and renamed, so that runs side by side see whole files; bytes are hashed again when they are read,
//! and what does not fit is as good as not there. Without a cache folder nothing is kept, and nothing fails for it.

#![expect(clippy::disallowed_methods, reason = "the cache is read and written here")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use crate::charts::Store;
use crate::diag::Result;
use crate::oci::Digest;

use super::store::write_file;
use super::terminal::Terminal;

/// The cache folder.
pub(super) struct BlobStore {
    folder: Option<PathBuf>,
}

impl BlobStore {
    /// The folder that the environment says.
    pub(super) fn of_user() -> BlobStore {
        let named = Terminal::environment("HYDRANT_CACHE").filter(|path| !path.is_empty()).map(PathBuf::from);
        let usual = || {
            let cache = Terminal::environment("XDG_CACHE_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
            let home = || {
                Terminal::environment("HOME")
                    .filter(|path| !path.is_empty())
                    .map(|home| PathBuf::from(home).join(".cache"))
            };
            cache.or_else(home).map(|cache| cache.join("hydrant"))
        };
        BlobStore { folder: named.or_else(usual) }
    }

    fn path(&self, kind: &str, digest: &Digest) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(kind).join(digest.hex()))
    }
}

impl Store for BlobStore {
    fn get(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        let bytes = fs::read(self.path("blobs", digest)?).ok()?;
        (Digest::of(&bytes) == *digest).then(|| bytes.into())
    }

    fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        if let Some(path) = self.path("blobs", &digest).filter(|_| self.get(&digest).is_none()) {
            write_file(&path, bytes)?;
        }
        Ok(digest)
    }

    fn recall(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.path("notes", &Digest::of(name.as_bytes()))?).ok()?;
        text.strip_prefix(name)?.strip_prefix('\n').map(str::to_owned)
    }

    fn note(&self, name: &str, text: &str) -> Result<()> {
        match self.path("notes", &Digest::of(name.as_bytes())) {
            Some(path) => write_file(&path, format!("{name}\n{text}").as_bytes()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_there_and_what_was_changed_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = BlobStore { folder: Some(folder.path().to_owned()) };
        let digest = store.put(b"bytes").expect("kept");
        assert_eq!(store.get(&digest).as_deref(), Some(&b"bytes"[..]));
        fs::write(store.path("blobs", &digest).expect("a path"), b"other").expect("written");
        assert_eq!(store.get(&digest), None);
        assert_eq!(store.put(b"bytes").expect("kept again"), digest);
        assert_eq!(store.get(&digest).as_deref(), Some(&b"bytes"[..]));
        store.note("chart a", "1.0.0").expect("noted");
        assert_eq!(store.recall("chart a").as_deref(), Some("1.0.0"));
        assert_eq!(store.recall("chart b"), None);
    }

    #[test]
    fn without_a_folder_nothing_is_kept_and_nothing_fails() {
        let store = BlobStore { folder: None };
        let digest = store.put(b"bytes").expect("not kept");
        assert_eq!(store.get(&digest), None);
        store.note("a", "b").expect("not noted");
    }
}
