//! The file system as a source. Reads what the process may read; confinement to a root is the reader's rule
//! (kustomize's load restrictor, Helm's chart folder), since each tool draws that line elsewhere.

#![expect(clippy::disallowed_methods, reason = "the one place where render inputs are read from disk")]

use std::fs;
use std::io::{self, Read as _};
use std::sync::Arc;

use super::{Content, Entry, EntryKind, Source};
use crate::diag::{Diagnostic, Result};

/// Largest single input file, in bytes. Helm stops at 5 MiB a file of a packed chart; kustomize has no limit.
/// This one only keeps a device or a log file that was named by mistake from filling the memory.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// What is read of a file before anything is asked about it, in bytes.
const SMALL_BYTES: usize = 16 << 10;

/// What some editors begin a file with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Largest input that is no regular file: a pipe has an end, a device may have none.
const STREAM_BYTES_MAX: u64 = 32 << 20;

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Disk {
    /// The bytes of a file that has no more than `most` of them. Fails as [`Source::read`] does, and with `source-file-too-large`.
    pub fn read_at_most(&self, path: &str, most: u64) -> Result<Arc<[u8]>> {
        let cannot = |error: io::Error| failed(path, "read", &error);
        let (file, mut bytes) = begun(path)?;
        if bytes.len() < SMALL_BYTES && bytes.len() as u64 <= most {
            return Ok(Arc::from(bytes));
        }
        let metadata = file.metadata().map_err(cannot)?;
        let length = metadata.len();
        let most = if metadata.is_file() { most } else { most.min(STREAM_BYTES_MAX) };
        let too_large = |length: u64| {
            let message = format!("`{path}` has {length} bytes; the limit is {most}");
            Err(Box::new(Diagnostic::input("source-file-too-large", message)))
        };
        if length > most {
            return too_large(length);
        }
        if metadata.is_file() && length >= bytes.len() as u64 {
            return whole(&file, &bytes, length as usize).map_err(cannot);
        }
        // what has no length, or tells none
        file.take((most + 1).saturating_sub(bytes.len() as u64)).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > most { too_large(bytes.len() as u64) } else { Ok(Arc::from(bytes)) }
    }
}

impl Source for Disk {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        let metadata = fs::metadata(path).ok()?;
        Some(if metadata.is_dir() { EntryKind::Folder } else { EntryKind::File })
    }

    fn look(&self, path: &str) -> Option<(EntryKind, bool)> {
        let kind = fs::symlink_metadata(path).ok()?.file_type();
        let here = if kind.is_dir() { EntryKind::Folder } else { EntryKind::File };
        if kind.is_symlink() { Some((self.kind(path)?, true)) } else { Some((here, false)) }
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>> {
        self.read_at_most(path, FILE_BYTES_MAX)
    }

    fn content(&self, path: &str) -> Result<Content> {
        let (file, bytes) = begun(path)?;
        if bytes.len() < SMALL_BYTES {
            return Ok(Content::from(Arc::from(bytes)));
        }
        let metadata = file.metadata().map_err(|error| failed(path, "read", &error))?;
        // whoever asks may want to cut a mark off
        if bytes.starts_with(BYTE_ORDER_MARK) || !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
            return self.read(path).map(Content::from);
        }
        Ok(Content::on_disk(path, metadata.len()))
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(|error| failed(path, "list", &error))? {
            let entry = entry.map_err(|error| failed(path, "list", &error))?;
            let Ok(name) = entry.file_name().into_string() else {
                let message = format!("a file name in `{path}` is not UTF-8");
                return Err(Box::new(Diagnostic::input("source-name-not-utf8", message)));
            };
            let kind = entry.file_type().map_err(|error| failed(path, "list", &error))?;
            let is_link = kind.is_symlink();
            let kind = if is_link { linked_kind(&format!("{path}/{name}")) } else { plain_kind(kind) };
            entries.push(Entry { name, kind, is_link });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn real_path(&self, path: &str) -> Result<String> {
        let real = fs::canonicalize(path).map_err(|error| failed(path, "resolve", &error))?;
        let not_utf8 = || {
            Box::new(Diagnostic::input(
                "source-name-not-utf8",
                format!("`{path}` resolves to a path that is not UTF-8"),
            ))
        };
        real.into_os_string().into_string().map_err(|_| not_utf8())
    }
}

/// An open file and its first bytes: all of them where they are fewer than [`SMALL_BYTES`]. Most files end within these two calls, without
/// the system being asked how long they are.
fn begun(path: &str) -> Result<(fs::File, Vec<u8>)> {
    let cannot = |error: io::Error| failed(path, "read", &error);
    let file = fs::File::open(path).map_err(cannot)?;
    let mut bytes = Vec::with_capacity(SMALL_BYTES);
    // `take`, because a bare file asks for its length and place
    (&file).take(SMALL_BYTES as u64).read_to_end(&mut bytes).map_err(cannot)?;
    Ok((file, bytes))
}

/// The bytes of a file as long as it said it is, of which the first were read. They are read to where they stay: a large file's pages
/// are fetched from the system once, not twice.
fn whole(mut file: &fs::File, first: &[u8], length: usize) -> io::Result<Arc<[u8]>> {
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, length).collect();
    let place = Arc::get_mut(&mut bytes).expect("nobody else has it yet");
    place[..first.len()].copy_from_slice(first);
    let mut filled = first.len();
    while filled < length {
        match file.read(&mut place[filled..]) {
            // somebody cut it off meanwhile
            Ok(0) => return Ok(Arc::from(&place[..filled])),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

fn linked_kind(path: &str) -> Option<EntryKind> {
    fs::metadata(path).ok().and_then(|metadata| plain_kind(metadata.file_type()))
}

fn plain_kind(kind: fs::FileType) -> Option<EntryKind> {
    if kind.is_dir() { Some(EntryKind::Folder) } else { kind.is_file().then_some(EntryKind::File) }
}

fn failed(path: &str, verb: &str, error: &io::Error) -> Box<Diagnostic> {
    if error.kind() == io::ErrorKind::NotFound {
        return Box::new(Diagnostic::input("source-missing", format!("no file or folder at `{path}`")));
    }
    Box::new(Diagnostic::input("source-unreadable", format!("cannot {verb} `{path}`: {error}")))
}
