//! What kustomizations list, kept between runs by their files' digests: the search for roots then parses none that it knows.
//!
//! In: the digest of a kustomization's file. Out: its [`Outline`], which is a function of those bytes alone, so that a kept one
//! cannot be stale.

use std::collections::BTreeMap;

use super::kept::{Kept, Reader, put, put_count};
use crate::diag::Result;
use crate::kustomize::Outline;

/// Under which name they are kept.
const NAME: &str = "outlines";

/// The outlines of one search.
pub(super) struct Outlines<'k, 'a> {
    kept: &'k Kept<'a>,
    /// What earlier runs knew.
    known: BTreeMap<String, Outline>,
    /// What this run met.
    met: BTreeMap<String, Outline>,
    grown: bool,
}

impl<'k, 'a> Outlines<'k, 'a> {
    /// With what earlier runs knew.
    pub(super) fn new(kept: &'k Kept<'a>) -> Outlines<'k, 'a> {
        let known = kept.beside(NAME).and_then(|entry| read(&entry)).unwrap_or_default();
        Outlines { kept, known, met: BTreeMap::new(), grown: false }
    }

    /// The outline of the file with a digest, made if it is not known; nothing for a file that cannot be read.
    pub(super) fn of(&mut self, digest: String, make: impl FnOnce() -> Option<Outline>) -> Option<Outline> {
        let outline = if let Some(outline) = self.met.get(&digest).or_else(|| self.known.get(&digest)) {
            outline.clone()
        } else {
            let made = make()?;
            self.grown = true;
            made
        };
        self.met.insert(digest, outline.clone());
        Some(outline)
    }

    /// Keeps what this run met, if there is anything new.
    pub(super) fn keep(self) -> Result<()> {
        if !self.grown {
            return Ok(());
        }
        let mut entry = Vec::new();
        put_count(&mut entry, self.met.len());
        for (digest, outline) in &self.met {
            put(&mut entry, digest);
            put_count(&mut entry, usize::from(outline.component));
            put_count(&mut entry, outline.listed.len());
            outline.listed.iter().for_each(|path| put(&mut entry, path));
        }
        self.kept.keep_beside(NAME, entry)
    }
}

fn read(entry: &[u8]) -> Option<BTreeMap<String, Outline>> {
    let mut rest = Reader(entry);
    let mut known = BTreeMap::new();
    for _ in 0..rest.count()? {
        let digest = rest.text()?.to_owned();
        let component = rest.count()? == 1;
        let mut listed = Vec::new();
        for _ in 0..rest.count()? {
            listed.push(rest.text()?.to_owned());
        }
        known.insert(digest, Outline { component, listed });
    }
    rest.0.is_empty().then_some(known)
}
