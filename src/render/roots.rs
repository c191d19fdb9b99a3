//! Finding the roots below a folder: the kustomizations that nothing else there includes.
//!
//! In: a folder. Out: the folders to render, sorted. Bases and components are passed over, since what includes them shows
//! them; so are names that start with a dot and what is inside charts. A kustomization that cannot be read counts as a
//! root, so that rendering it says what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Diagnostic, Result};
use crate::kustomize::{self, Outline};
use crate::source::{EntryKind, Source as _, join};

use super::KUSTOMIZATION_FILES;
use super::pool::Pool;

/// Folders nested deeper than this are refused, as in folders of manifests.
const FOLDER_DEPTH_MAX: usize = 64;

/// The roots at and below `top`. Fails with `roots-none` where there is none.
pub fn roots(pool: &Pool<'_>, top: &str) -> Result<Vec<String>> {
    let mut search = Search { pool, seen: BTreeSet::new(), found: BTreeMap::new() };
    search.walk(top, 0)?;
    let included: BTreeSet<&String> = search.found.values().flatten().flat_map(|outline| &outline.includes).collect();
    let mut roots = Vec::new();
    for (folder, outline) in &search.found {
        let component = outline.as_ref().is_some_and(|outline| outline.component);
        if !component && !included.contains(&pool.files.real_path(folder)?) {
            roots.push(folder.clone());
        }
    }
    if roots.is_empty() {
        let fault = Diagnostic::input("roots-none", format!("no kustomization to render in or below `{top}`"));
        return Err(Box::new(fault.hint("give a folder that holds kustomizations")));
    }
    Ok(roots)
}

struct Search<'p, 'a> {
    pool: &'p Pool<'a>,
    /// Folders walked, links resolved: a link that leads back is not followed for ever.
    seen: BTreeSet<String>,
    /// Folders with a kustomization, and what it includes if it can be read.
    found: BTreeMap<String, Option<Outline>>,
}

impl Search<'_, '_> {
    fn walk(&mut self, folder: &str, depth: usize) -> Result<()> {
        let files = &self.pool.files;
        if depth > FOLDER_DEPTH_MAX {
            let message = format!("`{folder}` is nested deeper than {FOLDER_DEPTH_MAX} folders");
            return Err(Box::new(
                Diagnostic::input("folder-depth", message).hint("give a folder nearer to the kustomizations"),
            ));
        }
        if !self.seen.insert(files.real_path(folder)?) {
            return Ok(());
        }
        let entries = files.list(folder)?;
        let has = |name: &str| entries.iter().any(|entry| entry.kind == Some(EntryKind::File) && entry.name == name);
        if KUSTOMIZATION_FILES.iter().any(|name| has(name)) {
            let outline = kustomize::outline(files, folder, &self.pool.parsed).ok();
            self.found.insert(folder.to_owned(), outline);
        } else if has("Chart.yaml") {
            return Ok(());
        }
        for entry in
            entries.iter().filter(|entry| entry.kind == Some(EntryKind::Folder) && !entry.name.starts_with('.'))
        {
            self.walk(&join(folder, &entry.name), depth + 1)?;
        }
        Ok(())
    }
}
