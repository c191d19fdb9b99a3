//! Whole folders, replaced at once: the old files or the new ones, never a mixture.
//!
//! A folder that Hydrant made carries a small record of what it put there, so that it can be replaced later without
//! ever touching a file of the user's.

#![expect(clippy::disallowed_methods, reason = "the one place where commands write folders")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Result};

/// The record in a folder that Hydrant made; no consumer takes it for a manifest.
const RECORD: &str = ".hydrant";
/// Deepest nesting looked into when searching a folder for foreign files.
const DEPTH_MAX: usize = 100;

/// Checks that a folder may be replaced: it is missing, empty, or holds only what Hydrant put there.
///
/// Fails with `folder-foreign` or `folder-io`.
pub(super) fn check_target(folder: &Path) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot("read", folder, &error)),
    };
    if entries.count() == 0 {
        return Ok(());
    }
    let hint = "name an empty folder, or one that does not exist yet";
    let Ok(record) = fs::read_to_string(folder.join(RECORD)) else {
        let text = format!("`{}` is not empty, and not made by hydrant", folder.display());
        return Err(Box::new(Diagnostic::input("folder-foreign", text).hint(hint)));
    };
    let ours: BTreeSet<&str> = record.lines().skip(1).collect();
    match foreign_file(folder, "", &ours, 0)? {
        None => Ok(()),
        Some(path) => {
            let text = format!("`{}` holds `{path}`, which hydrant did not put there", folder.display());
            Err(Box::new(Diagnostic::input("folder-foreign", text).hint("move the file away").hint(hint)))
        }
    }
}

/// The first file below `folder` that is not in the record.
fn foreign_file(folder: &Path, below: &str, ours: &BTreeSet<&str>, depth: usize) -> Result<Option<String>> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?)))).collect()
        })
        .map_err(|error| cannot("read", folder, &error))?;
    names.sort_by(|a: &(std::ffi::OsString, fs::FileType), b| a.0.cmp(&b.0));
    for (name, kind) in names {
        let shown = name.to_string_lossy();
        let path = if below.is_empty() { shown.into_owned() } else { format!("{below}/{shown}") };
        if path == RECORD {
            continue;
        }
        let found = if kind.is_dir() && depth < DEPTH_MAX {
            foreign_file(&folder.join(&name), &path, ours, depth + 1)?
        } else {
            (!ours.contains(path.as_str())).then_some(path)
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Puts files in place of a folder. `origin` says in the record where they came from; paths are relative and clean.
pub(super) fn replace_folder<'a>(
    folder: &Path,
    files: impl Iterator<Item = (&'a str, &'a [u8])>,
    origin: &str,
) -> Result<()> {
    check_target(folder)?;
    let draft = beside(folder, "draft");
    let old = beside(folder, "old");
    let written = write_all(&draft, files, origin).map_err(|error| cannot("write", folder, &error));
    let swapped = written.and_then(|()| swap(&draft, folder, &old).map_err(|error| cannot("replace", folder, &error)));
    if swapped.is_err() {
        // what remains of the draft is of no use to anybody
        let _ = fs::remove_dir_all(&draft);
    }
    swapped
}

fn write_all<'a>(draft: &Path, files: impl Iterator<Item = (&'a str, &'a [u8])>, origin: &str) -> io::Result<()> {
    fs::create_dir_all(draft)?;
    let mut record = format!("made by hydrant from {origin}\n");
    for (path, bytes) in files {
        let target = draft.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::File::create_new(&target)?.write_all(bytes)?;
        record.push_str(path);
        record.push('\n');
    }
    fs::File::create_new(draft.join(RECORD))?.write_all(record.as_bytes())
}

/// Two renames: a crash between them leaves the old folder under its other name, whole.
fn swap(draft: &Path, folder: &Path, old: &Path) -> io::Result<()> {
    let existed = match fs::rename(folder, old) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if let Err(error) = fs::rename(draft, folder) {
        if existed {
            let _ = fs::rename(old, folder);
        }
        return Err(error);
    }
    if existed { fs::remove_dir_all(old) } else { Ok(()) }
}

/// A name beside the folder that no other process of ours uses.
fn beside(folder: &Path, word: &str) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
    absolute.with_file_name(format!(".{name}.{}.{word}", std::process::id()))
}

fn cannot(what: &str, folder: &Path, error: &io::Error) -> Box<Diagnostic> {
    let fault = Diagnostic::unreachable("folder-io", format!("cannot {what} `{}`: {error}", folder.display()));
    Box::new(fault.hint("check the folder and its permissions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, files: &[(&str, &str)]) -> Result<()> {
        replace_folder(folder, files.iter().map(|(path, text)| (*path, text.as_bytes())), "r.example/x")
    }

    #[test]
    fn a_folder_is_replaced_whole() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("deep/out");
        put(&folder, &[("a/b.yaml", "1"), ("c.yaml", "1")]).expect("new");
        put(&folder, &[("a/b.yaml", "2")]).expect("replaced");
        assert_eq!(fs::read_to_string(folder.join("a/b.yaml")).expect("there"), "2");
        assert!(!folder.join("c.yaml").exists());
        assert_eq!(fs::read_dir(root.path().join("deep")).expect("a folder").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_users_files_are_never_touched() {
        let root = tempfile::tempdir().expect("a folder");
        fs::write(root.path().join("mine"), "1").expect("written");
        assert_eq!(put(root.path(), &[("a", "1")]).expect_err("foreign").code, "folder-foreign");
        let folder = root.path().join("out");
        put(&folder, &[("a/b", "1")]).expect("new");
        fs::write(folder.join("a/mine"), "1").expect("written");
        let fault = put(&folder, &[("a/b", "2")]).expect_err("foreign");
        assert!(fault.message.contains("a/mine"), "{fault}");
        assert_eq!(fs::read_to_string(folder.join("a/b")).expect("there"), "1");
    }
}
