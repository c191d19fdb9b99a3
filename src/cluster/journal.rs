//! Which files of a folder are ours: a journal, one JSON line a write, written before the file is.
//!
//! A line says who is about to write which object with which digest. A file is provably as we wrote it if its digest is
//! among those that the journal has for its object: the one before a write that was cut short, or the one after it.
//! A torn last line is ignored: what it announced was not done. When the journal is opened it is written anew with
//! what still holds, so that it does not grow for ever.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Key;

/// What the journal knows of an object's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The sync that wrote it, `NAMESPACE_NAME`.
    pub(super) identity: String,
    /// The digests that it may have, if nobody else touched it.
    pub(super) digests: Vec<String>,
}

/// The open journal.
pub(super) struct Journal {
    path: PathBuf,
    /// Nothing where only looking is allowed.
    file: Option<File>,
    marks: BTreeMap<Key, Mark>,
}

impl Journal {
    /// Opens the journal and drops what no longer holds; `digest_now` tells the digest of an object's file. With
    /// `dry_run` nothing is written.
    pub(super) fn open(
        path: &Path,
        dry_run: bool,
        mut digest_now: impl FnMut(&Key) -> io::Result<Option<String>>,
    ) -> io::Result<Journal> {
        let text = match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let mut marks = BTreeMap::new();
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            note(&mut marks, line);
        }
        settle(&mut marks, &mut digest_now)?;
        if dry_run {
            return Ok(Journal { path: path.to_owned(), file: None, marks });
        }
        let lines =
            marks.iter().flat_map(|(key, mark)| mark.digests.iter().map(|digest| line(key, &mark.identity, digest)));
        let settled: String = lines.collect();
        if settled != text {
            replace(path, settled.as_bytes())?;
        }
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Journal { path: path.to_owned(), file: Some(file), marks })
    }

    /// What is known of an object's file.
    pub(super) fn mark(&self, key: &Key) -> Option<&Mark> {
        self.marks.get(key)
    }

    /// All marks.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Mark)> {
        self.marks.iter()
    }

    /// Notes that an object's file is about to be written; on disk before this returns.
    pub(super) fn announce(&mut self, key: &Key, identity: &str, digest: &str) -> io::Result<()> {
        self.append(&line(key, identity, digest))
    }

    /// Notes that an object's file is no longer ours.
    pub(super) fn withdraw(&mut self, key: &Key) -> io::Result<()> {
        self.append(&line(key, "", ""))
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display()));
            file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(named)?;
        }
        note(&mut self.marks, line);
        Ok(())
    }
}

fn line(key: &Key, identity: &str, digest: &str) -> String {
    let key = [key.group.as_str(), &key.kind, &key.namespace, &key.name];
    format!("{}\n", json!([key, identity, digest]))
}

/// Takes a line in; one that says nothing is passed over.
fn note(marks: &mut BTreeMap<Key, Mark>, line: &str) {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let part = |index: usize| text(&value[0][index]);
    let key = Key::new(&part(0), &part(1), &part(2), &part(3));
    let (identity, digest) = (text(&value[1]), text(&value[2]));
    if digest.is_empty() {
        marks.remove(&key);
        return;
    }
    let mark = marks.entry(key).or_default();
    if mark.identity != identity {
        *mark = Mark { identity, digests: Vec::new() };
    }
    mark.digests.retain(|other| *other != digest);
    mark.digests.push(digest);
}

/// Keeps the digest that each file has; where it has none of them, all stay: the file was changed by somebody.
fn settle(
    marks: &mut BTreeMap<Key, Mark>,
    digest_now: &mut impl FnMut(&Key) -> io::Result<Option<String>>,
) -> io::Result<()> {
    let mut gone = Vec::new();
    for (key, mark) in marks.iter_mut() {
        match digest_now(key)? {
            None => gone.push(key.clone()),
            Some(now) if mark.digests.contains(&now) => mark.digests = vec![now],
            Some(_) => {}
        }
    }
    for key in gone {
        marks.remove(&key);
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the folder target is a store of its own, no render input")]
fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(path)
}

/// Replaces a file: readers see the old bytes or the new ones.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.draft"));
    let written = File::create(&draft).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()));
    written.and_then(|()| fs::rename(&draft, path)).inspect_err(|_| {
        // what remains of the draft is of no use to anybody
        let _ = fs::remove_file(&draft);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_was_cut_short_leaves_both_digests() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("marks");
        let key = Key::new("", "ConfigMap", "shop", "a");
        let mut journal = Journal::open(&path, false, |_| Ok(None)).expect("opened");
        journal.announce(&key, "ns_shop", "one").expect("noted");
        journal.announce(&key, "ns_shop", "two").expect("noted");
        assert_eq!(journal.mark(&key).expect("known").digests, ["one", "two"]);
        let again = Journal::open(&path, false, |_| Ok(Some("one".to_owned()))).expect("opened");
        assert_eq!(again.mark(&key).expect("known").digests, ["one"]);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test tears a line")]
    fn a_torn_line_counts_for_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("marks");
        let key = Key::new("", "ConfigMap", "shop", "a");
        let whole = line(&key, "ns_shop", "one");
        let torn = line(&key, "ns_shop", "two");
        fs::write(&path, format!("{whole}{}", &torn[..torn.len() - 1])).expect("written");
        let mut journal = Journal::open(&path, false, |_| Ok(Some("one".to_owned()))).expect("opened");
        assert_eq!(journal.mark(&key).expect("known").digests, ["one"]);
        journal.withdraw(&key).expect("noted");
        assert_eq!(Journal::open(&path, false, |_| Ok(None)).expect("opened").iter().count(), 0);
    }
}
