//! What commands keep on disk: output files replaced by rename, never half-written.

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests look at what was written"))]

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Result};

/// Writes a file so that a reader sees the old bytes or the new ones, never a part. Folders are made as needed.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, true).map_err(|error| failed(path, &error))
}

/// As [`write_file`], for what can be made again: after a power cut the file may hold nothing.
pub(super) fn write_cached(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, false).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> Box<Diagnostic> {
    Box::new(Diagnostic::unreachable("write-failed", format!("cannot write `{}`: {error}", path.display())))
}

fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = draft_path(path);
    let written = fs::File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        if durable { file.sync_all() } else { Ok(()) }
    });
    written.and_then(|()| fs::rename(&draft, path)).inspect_err(|_| {
        // what remains of the draft is of no use to anybody
        let _ = fs::remove_file(&draft);
    })
}

/// A name beside the file that no other process of ours uses.
fn draft_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.draft", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_no_draft_remains() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("deep/out.yaml");
        write_file(&path, b"one").expect("written");
        write_file(&path, b"two").expect("replaced");
        assert_eq!(fs::read(&path).expect("it is there"), b"two");
        assert_eq!(fs::read_dir(folder.path().join("deep")).expect("a folder").count(), 1);
    }
}
