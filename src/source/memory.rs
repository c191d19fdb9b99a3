//! Files held in memory: embedded examples, unpacked archives, tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Entry, EntryKind, Source, clean, parent};
use crate::diag::{Diagnostic, Result};

/// A tree of files in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    files: BTreeMap<String, Arc<[u8]>>,
    folders: BTreeSet<String>,
}

impl Memory {
    /// An empty tree.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Puts a file at an absolute path; its folders come with it.
    pub fn insert(&mut self, path: &str, bytes: impl Into<Arc<[u8]>>) {
        let path = clean(path);
        let mut folder = parent(&path);
        while folder != "/" && self.folders.insert(folder.to_owned()) {
            folder = parent(folder);
        }
        self.files.insert(path, bytes.into());
    }
}

impl Source for Memory {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        if self.files.contains_key(path) {
            Some(EntryKind::File)
        } else {
            (path == "/" || self.folders.contains(path)).then_some(EntryKind::Folder)
        }
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>> {
        let missing = || Box::new(Diagnostic::input("source-missing", format!("no file at `{path}`")));
        self.files.get(path).cloned().ok_or_else(missing)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>> {
        if self.kind(path) != Some(EntryKind::Folder) {
            return Err(Box::new(Diagnostic::input("source-missing", format!("no folder at `{path}`"))));
        }
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let named = |full: &str, kind| {
            let name = full.strip_prefix(&prefix)?;
            let entry = || Entry { name: name.to_owned(), kind: Some(kind), is_link: false };
            (!name.is_empty() && !name.contains('/')).then(entry)
        };
        let below = |full: &str| full.starts_with(&prefix);
        let files = self.files.range(prefix.clone()..).map(|(full, _)| full).take_while(|full| below(full));
        let folders = self.folders.range(prefix.clone()..).take_while(|full| below(full));
        let files = files.filter_map(|full| named(full, EntryKind::File));
        let folders = folders.filter_map(|full| named(full, EntryKind::Folder));
        let mut entries: Vec<Entry> = files.chain(folders).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn real_path(&self, path: &str) -> Result<String> {
        Ok(clean(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_with_their_files() {
        let mut memory = Memory::new();
        memory.insert("/app/base/a.yaml", *b"a: 1");
        memory.insert("/app/z.yaml", *b"");
        assert_eq!(memory.kind("/app/base"), Some(EntryKind::Folder));
        let names: Vec<_> = memory.list("/app").expect("a folder").into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["base", "z.yaml"]);
        assert!(memory.read("/app/none").is_err());
    }
}
