//! Finding the roots below a folder: the kustomizations that nothing else there includes.
//!
//! In: a folder. Out: the folders to render, sorted. Bases and components are passed over, since what includes them shows
//! them; so are names that start with a dot and what is inside charts. A kustomization that cannot be read counts as a
//! root, so that rendering it says what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Diagnostic, Result};
use crate::kustomize::{self, Outline};
use crate::source::{EntryKind, Question, Source as _, join, threads};

use super::KUSTOMIZATION_FILES;
use super::kept::Kept;
use super::outlines::Outlines;
use super::pool::Pool;

/// Folders nested deeper than this are refused, as in folders of manifests.
const FOLDER_DEPTH_MAX: usize = 64;

/// The roots at and below `top`, with what earlier runs know of kustomizations. Fails with `roots-none` where there is none.
pub fn roots(pool: &Pool<'_>, top: &str, kept: Option<&Kept<'_>>) -> Result<Vec<String>> {
    let foreseen = foresee(pool, top, kept.is_some());
    let outlines = kept.map(Outlines::new);
    let mut search = Search { pool, foreseen, outlines, seen: BTreeSet::new(), found: BTreeMap::new() };
    search.walk(top, 0)?;
    let Search { outlines, found, .. } = search;
    outlines.map_or(Ok(()), Outlines::keep)?;
    let look = |(folder, outline): (String, Option<Outline>)| {
        // one whose bases cannot be followed is rendered, to say why
        let includes = outline.as_ref().and_then(|outline| outline.includes(&pool.files, &folder).ok());
        let component = includes.is_some() && outline.is_some_and(|outline| outline.component);
        let real = pool.files.real_path(&folder);
        (folder, real, component, includes.unwrap_or_default())
    };
    let looks = threads::map(found.into_iter().collect(), look);
    let included: FxHashSet<&String> = looks.iter().flat_map(|(_, _, _, includes)| includes).collect();
    let mut roots = Vec::new();
    for (folder, real, component, _) in &looks {
        if !component && !included.contains(real.as_ref().map_err(Clone::clone)?) {
            roots.push(folder.clone());
        }
    }
    if roots.is_empty() {
        let fault = Diagnostic::input("roots-none", format!("no kustomization to render in or below `{top}`"));
        return Err(Box::new(fault.hint("give a folder that holds kustomizations")));
    }
    Ok(roots)
}

/// Has all cores fetch what the search is going to ask for, folder level by folder level: the outlines, or, where `digests`
/// will tell them, the bytes. Links are left to the search, which knows where it has been; so are failures.
fn foresee(pool: &Pool<'_>, top: &str, digests: bool) -> FxHashMap<String, Outline> {
    let files = &pool.files;
    let look = |folder: String| -> (Vec<String>, Option<(String, Outline)>) {
        let Ok(entries) = files.entries(&folder) else { return (Vec::new(), None) };
        let has = |name: &str| entries.iter().any(|entry| entry.name == name);
        let name = KUSTOMIZATION_FILES.iter().find(|name| has(name));
        if name.is_none() && has("Chart.yaml") {
            return (Vec::new(), None);
        }
        let outline = match name {
            Some(name) if digests => {
                files.answer(Question::Bytes, &join(&folder, name));
                None
            }
            Some(_) => kustomize::outline(files, &folder, &pool.parsed).ok(),
            None => None,
        };
        let inner = entries
            .iter()
            .filter(|entry| entry.kind == Some(EntryKind::Folder) && !entry.is_link && !entry.name.starts_with('.'));
        let inner = inner.map(|entry| join(&folder, &entry.name)).collect();
        (inner, outline.map(|outline| (folder, outline)))
    };
    let mut outlines = FxHashMap::default();
    let mut level = vec![top.to_owned()];
    for _ in 0..=FOLDER_DEPTH_MAX {
        if level.is_empty() {
            break;
        }
        let mut next = Vec::new();
        for (inner, outline) in threads::map(level, look) {
            next.extend(inner);
            outlines.extend(outline);
        }
        level = next;
    }
    outlines
}

struct Search<'p, 'a, 'k> {
    pool: &'p Pool<'a>,
    /// Outlines by folder, as far as they were made at once.
    foreseen: FxHashMap<String, Outline>,
    /// What earlier runs know.
    outlines: Option<Outlines<'k, 'k>>,
    /// Folders walked, links resolved: a link that leads back is not followed for ever.
    seen: BTreeSet<String>,
    /// Folders with a kustomization, and what it lists if it can be read.
    found: BTreeMap<String, Option<Outline>>,
}

impl Search<'_, '_, '_> {
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
        let entries = files.entries(folder)?;
        let has = |name: &str| entries.iter().any(|entry| entry.kind == Some(EntryKind::File) && entry.name == name);
        let mut names = KUSTOMIZATION_FILES.iter().filter(|name| has(name));
        if let Some(name) = names.next() {
            let foreseen = self.foreseen.remove(folder);
            let outline = || foreseen.or_else(|| kustomize::outline(files, folder, &self.pool.parsed).ok());
            let outline = match &mut self.outlines {
                // several files are a fault, whatever is in them
                Some(outlines) if names.next().is_none() => {
                    outlines.of(files.answer(Question::Bytes, &join(folder, name)), outline)
                }
                _ => outline(),
            };
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
