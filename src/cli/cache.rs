//! The folder of `build --cache`: one file an entry, replaced by rename, the least recently used ones dropped when the folder
//! outgrows its limit. Any number of runs may share it.

#![expect(clippy::disallowed_methods, reason = "the cache's own files are read here, and no render input is")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::diag::{Diagnostic, Result};
use crate::render::Store;

use super::store;

/// An entry that was used says so at most this often: a file's time is what the eviction goes by.
const TOUCH_AFTER: Duration = Duration::from_secs(3600);

/// A draft of this age was left by a run that died.
const DRAFT_STALE_AFTER: Duration = Duration::from_secs(3600);

/// A cache folder in use.
pub(super) struct CacheFolder {
    folder: PathBuf,
    bytes_max: u64,
    grown: AtomicBool,
}

impl CacheFolder {
    /// The cache in a folder, which need not be there yet.
    pub(super) fn new(folder: &str, bytes_max: u64) -> CacheFolder {
        CacheFolder { folder: PathBuf::from(folder), bytes_max, grown: AtomicBool::new(false) }
    }

    /// Drops the entries longest unused until the rest fits the limit; does nothing in a run that added none.
    pub(super) fn trim(&self) -> Result<()> {
        if !self.grown.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut entries = self.entries().map_err(|error| self.failed("list", &error))?;
        entries.sort();
        let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
        for entry in entries {
            if total <= self.bytes_max {
                break;
            }
            // another run may have removed it already
            let _ = fs::remove_file(&entry.path);
            total -= entry.bytes;
        }
        Ok(())
    }

    fn entries(&self) -> std::io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let file = file?;
            let Ok(metadata) = file.metadata() else { continue };
            let used = metadata.modified()?;
            if !metadata.is_file() || !is_ours(&file.path()) {
                continue;
            }
            if is_draft(&file.path()) {
                if used.elapsed().is_ok_and(|age| age > DRAFT_STALE_AFTER) {
                    let _ = fs::remove_file(file.path());
                }
                continue;
            }
            entries.push(Entry { used, bytes: metadata.len(), path: file.path() });
        }
        Ok(entries)
    }

    fn failed(&self, verb: &str, error: &std::io::Error) -> Box<Diagnostic> {
        let message = format!("cannot {verb} the cache folder `{}`: {error}", self.folder.display());
        Box::new(Diagnostic::unreachable("cache-folder", message))
    }
}

/// Oldest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    used: SystemTime,
    bytes: u64,
    path: PathBuf,
}

/// Only what looks like an entry or its draft is ever removed: the folder may hold other things.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let key = name.strip_prefix('.').and_then(|name| name.split('.').next()).unwrap_or(name);
    key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_draft(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "draft")
}

impl Store for CacheFolder {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let file = fs::File::open(self.folder.join(key)).ok()?;
        let metadata = file.metadata().ok()?;
        let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
        // `take`, because a bare file asks for its length and place once more
        (&file).take(u64::MAX).read_to_end(&mut bytes).ok()?;
        if metadata.modified().is_ok_and(|used| used.elapsed().is_ok_and(|age| age > TOUCH_AFTER)) {
            // an entry that cannot be touched is only dropped earlier
            let _ = file.set_modified(SystemTime::now());
        }
        Some(bytes)
    }

    fn put(&self, key: &str, entry: &[u8]) -> Result<()> {
        self.grown.store(true, Ordering::Relaxed);
        store::write_cached(&self.folder.join(key), entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: char) -> String {
        std::iter::repeat_n(digit, 64).collect()
    }

    #[test]
    fn the_longest_unused_entries_go_first_and_strangers_stay() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = CacheFolder::new(folder.path().to_str().expect("UTF-8"), 250);
        fs::write(folder.path().join("README"), [0; 500]).expect("written");
        for (age, digit) in [(300, 'a'), (100, 'b'), (200, 'c')] {
            cache.put(&key(digit), &[0; 100]).expect("kept");
            let file = fs::File::options().write(true).open(folder.path().join(key(digit))).expect("there");
            file.set_modified(SystemTime::now() - Duration::from_secs(age * 60)).expect("set");
        }
        assert!(cache.get(&key('a')).is_some(), "a use makes it the youngest");
        cache.trim().expect("trimmed");
        assert!(cache.get(&key('c')).is_none());
        assert!(cache.get(&key('a')).is_some() && cache.get(&key('b')).is_some());
        assert!(folder.path().join("README").exists());
    }
}
