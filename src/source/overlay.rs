//! Files in memory laid over another source: what was fetched, where a render looks for it.

use std::sync::Arc;

use super::{Content, Entry, EntryKind, Memory, Source, clean};
use crate::diag::Result;

/// A source with files laid over it. A file of either is there; where both have one, the one laid over counts.
pub struct Overlay<'a> {
    under: &'a dyn Source,
    over: &'a Memory,
}

impl<'a> Overlay<'a> {
    /// Lays `over` over `under`.
    pub fn new(under: &'a dyn Source, over: &'a Memory) -> Overlay<'a> {
        Overlay { under, over }
    }
}

impl Source for Overlay<'_> {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.over.kind(path).or_else(|| self.under.kind(path))
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>> {
        if self.over.kind(path) == Some(EntryKind::File) { self.over.read(path) } else { self.under.read(path) }
    }

    fn content(&self, path: &str) -> Result<Content> {
        let over = self.over.kind(path) == Some(EntryKind::File);
        if over { self.over.content(path) } else { self.under.content(path) }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>> {
        if self.over.kind(path) != Some(EntryKind::Folder) {
            return self.under.list(path);
        }
        let mut entries = self.over.list(path)?;
        if self.under.kind(path) == Some(EntryKind::Folder) {
            let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
            entries.extend(self.under.list(path)?.into_iter().filter(|entry| !names.contains(&entry.name)));
            entries.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(entries)
    }

    fn real_path(&self, path: &str) -> Result<String> {
        // folders that only lead to what is laid over have no links in them
        if self.over.kind(path).is_some() && self.under.kind(path).is_none() {
            Ok(clean(path))
        } else {
            self.under.real_path(path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_seen_and_what_lies_over_counts() {
        let (mut under, mut over) = (Memory::new(), Memory::new());
        under.insert("/app/kustomization.yaml", *b"under");
        under.insert("/app/charts/old/Chart.yaml", *b"old");
        over.insert("/app/charts/web-1/web/Chart.yaml", *b"web");
        over.insert("/app/kustomization.yaml", *b"over");
        let both = Overlay::new(&under, &over);
        assert_eq!(&*both.read("/app/kustomization.yaml").expect("there"), b"over");
        assert_eq!(&*both.read("/app/charts/old/Chart.yaml").expect("there"), b"old");
        let names: Vec<_> = both.list("/app/charts").expect("a folder").into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["old", "web-1"]);
        assert_eq!(both.kind("/app/charts/web-1/web"), Some(EntryKind::Folder));
        assert_eq!(both.real_path("/app/charts/web-1").expect("there"), "/app/charts/web-1");
    }
}
