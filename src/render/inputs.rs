//! What a root is made of, without rendering it: enough to know that two states of it render the same.
//!
//! In: a [`Pool`] and the folder of a kustomization. Out: a digest over every file that a build may read: whatever a text in a
//! kustomization names, its charts whole, and the same of all that it includes. It errs on the side of too much: a file
//! that is never read may make two digests differ, a file that is read never goes unseen.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::KUSTOMIZATION_FILES;
use super::pool::Pool;
use crate::source::{Entry, EntryKind, Once, Question, Source as _, base_name, hex, join, relative, threads};
use crate::value::Tree;

/// Longest text that may be a path.
const PATH_BYTES_MAX: usize = 1024;
/// Folders nested deeper than this are not looked into; what holds them counts as different each time.
const FOLDER_DEPTH_MAX: usize = 64;

/// Fields that list files whose own texts may name files.
const PLUGIN_FIELDS: [&str; 3] = ["generators", "transformers", "validators"];

/// One of the things that a root is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    /// The kustomization in a folder.
    Kustomization(String),
    /// A folder with all that is in it, as a chart is.
    Whole(String),
}

/// The files of one part, and the parts that it includes.
type Own = (BTreeSet<String>, BTreeSet<Part>);

/// The digests of roots below one folder.
pub struct Inputs<'p, 'a> {
    pool: &'p Pool<'a>,
    top: &'p str,
    /// Beside a kustomization, what else counts: a lock.
    beside: &'p [&'p str],
    /// What was found of each part.
    known: Mutex<FxHashMap<Part, Arc<Own>>>,
}

impl<'p, 'a> Inputs<'p, 'a> {
    /// Of roots below `top`; `beside` are names of files that count wherever they stand beside a kustomization.
    pub fn new(pool: &'p Pool<'a>, top: &'p str, beside: &'p [&'p str]) -> Inputs<'p, 'a> {
        Inputs { pool, top, beside, known: Mutex::default() }
    }

    /// The digest of all that a root is made of; the same for the same files under the same names as seen from `top`.
    pub fn digest(&self, root: &str) -> String {
        let mut files = BTreeSet::new();
        self.each(root, &mut |_, own| {
            files.extend(own.iter().cloned());
            true
        });
        let line =
            |path: &String| format!("{} {}\n", relative(self.top, path), self.pool.files.answer(Question::Bytes, path));
        hex(files.iter().map(line).collect::<String>().as_bytes())
    }

    /// Shows each part of a root and its own files until `go_on` has seen enough.
    fn each(&self, root: &str, go_on: &mut dyn FnMut(&Part, &BTreeSet<String>) -> bool) {
        let mut seen = FxHashSet::default();
        let mut waiting = vec![Part::Kustomization(root.to_owned())];
        while let Some(part) = waiting.pop() {
            let own = self.own(&part);
            if !go_on(&part, &own.0) {
                return;
            }
            waiting.extend(own.1.iter().filter(|part| !seen.contains(*part)).cloned());
            seen.insert(part);
        }
    }

    fn own(&self, part: &Part) -> Arc<Own> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(part) {
            return Arc::clone(known);
        }
        let found = Arc::new(match part {
            Part::Kustomization(folder) => self.kustomization(folder),
            Part::Whole(folder) => {
                let mut files = BTreeSet::new();
                whole(&self.pool.files, folder, 0, &mut files);
                (files, BTreeSet::new())
            }
        });
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(part.clone(), found.clone());
        found
    }

    fn kustomization(&self, folder: &str) -> Own {
        let mut reach = Reach {
            pool: self.pool,
            folder,
            entries: self.pool.files.entries(folder).ok(),
            files: BTreeSet::new(),
            includes: BTreeSet::new(),
        };
        for name in KUSTOMIZATION_FILES.iter().chain(self.beside) {
            let path = join(folder, name);
            if reach.has(name) && self.pool.files.kind(&path) == Some(EntryKind::File) {
                reach.files.insert(path);
            }
        }
        for name in KUSTOMIZATION_FILES {
            if reach.has(name) {
                reach.kustomization(&join(folder, name));
            }
        }
        (reach.files, reach.includes)
    }
}

/// All files of a folder.
fn whole(source: &Once<'_>, folder: &str, depth: usize, files: &mut BTreeSet<String>) {
    if depth > FOLDER_DEPTH_MAX {
        return;
    }
    for entry in source.entries(folder).iter().flat_map(|entries| entries.iter()) {
        let path = join(folder, &entry.name);
        match entry.kind {
            Some(EntryKind::Folder) => whole(source, &path, depth + 1, files),
            Some(EntryKind::File) => drop(files.insert(path)),
            None => {}
        }
    }
}

/// Which roots are made of one of some files.
pub struct Touched<'i> {
    inputs: &'i Inputs<'i, 'i>,
    files: &'i BTreeSet<String>,
    /// Their names without folders: a file that is no link and has none of these is none of them.
    names: BTreeSet<&'i str>,
    /// Whether a part's own files are among them.
    known: FxHashMap<Part, bool>,
}

impl<'i> Touched<'i> {
    /// By these files: absolute paths, links resolved. What the roots are made of is found on all cores.
    pub fn new(inputs: &'i Inputs<'i, 'i>, files: &'i BTreeSet<String>, roots: Vec<&str>) -> Touched<'i> {
        threads::map(roots, |root| drop(inputs.own(&Part::Kustomization(root.to_owned()))));
        let names = files.iter().map(|path| base_name(path)).collect();
        Touched { inputs, files, names, known: FxHashMap::default() }
    }

    /// True if any file that a root is made of is one of the files. A file behind a link is where the link leads.
    pub fn root(&mut self, root: &str) -> bool {
        let Touched { inputs, files, names, known } = self;
        let source = &inputs.pool.files;
        let is_one = |path: &String| {
            let may = names.contains(base_name(path)) || source.look(path).is_some_and(|(_, is_link)| is_link);
            may && source.real_path(path).is_ok_and(|real| files.contains(&real))
        };
        let mut found = false;
        inputs.each(root, &mut |part, own| {
            found = known.get(part).copied().unwrap_or_else(|| {
                let holds = own.iter().any(is_one);
                known.insert(part.clone(), holds);
                holds
            });
            !found
        });
        found
    }
}

struct Reach<'p, 'a> {
    pool: &'p Pool<'a>,
    folder: &'p str,
    /// What stands in the folder; nothing where it cannot be listed.
    entries: Option<Arc<[Entry]>>,
    files: BTreeSet<String>,
    includes: BTreeSet<Part>,
}

impl Reach<'_, '_> {
    /// True if something of that name may stand in the folder.
    fn has(&self, name: &str) -> bool {
        let stands = |entries: &Arc<[Entry]>| entries.binary_search_by(|entry| entry.name.as_str().cmp(name)).is_ok();
        self.entries.as_ref().is_none_or(stands)
    }

    fn kustomization(&mut self, path: &str) {
        let Some(tree) = self.read(path) else { return };
        self.texts(&tree);
        self.charts(&tree);
        for field in PLUGIN_FIELDS {
            for item in tree.get(field).and_then(Tree::as_list).unwrap_or_default() {
                if let Some(tree) = item.as_str().and_then(|name| self.read(&join(self.folder, name))) {
                    self.texts(&tree);
                    self.charts(&tree);
                }
            }
        }
    }

    fn read(&self, path: &str) -> Option<Tree> {
        if self.pool.files.kind(path) != Some(EntryKind::File) {
            return None;
        }
        self.pool.parsed.tree(path, &self.pool.files.read(path).ok()?)
    }

    /// Every text that names something here.
    fn texts(&mut self, tree: &Tree) {
        match tree {
            Tree::Scalar(scalar) => {
                let text = scalar.text.as_str();
                self.named(text);
                if let Some((_, path)) = text.split_once('=') {
                    self.named(path);
                }
            }
            Tree::List(items) => items.iter().for_each(|item| self.texts(item)),
            Tree::Map(map) => {
                // of a home of charts, those count that are inflated (`charts` sees to them)

                map.iter().filter(|(key, _)| *key != "chartHome").for_each(|(_, value)| self.texts(value));
            }
        }
    }

    fn named(&mut self, text: &str) {
        if text.is_empty() || text.len() > PATH_BYTES_MAX || text.contains('\n') || text.starts_with('/') {
            return;
        }
        // most texts mean no file: the first part of a way down says so, unless a part leads up again
        let first = text.split('/').find(|part| !matches!(*part, "" | "."));
        if !text.contains("..") && !first.is_some_and(|first| self.has(first)) {
            return;
        }
        let path = join(self.folder, text);
        // whatever names its own folder means no file
        if path != self.folder {
            self.add(&path);
        }
    }

    fn add(&mut self, path: &str) {
        match self.pool.files.kind(path) {
            Some(EntryKind::File) => drop(self.files.insert(path.to_owned())),
            Some(EntryKind::Folder)
                if KUSTOMIZATION_FILES.iter().any(|name| self.pool.files.kind(&join(path, name)).is_some()) =>
            {
                self.includes.insert(Part::Kustomization(path.to_owned()));
            }
            Some(EntryKind::Folder) => self.whole(path.to_owned()),
            None => {}
        }
    }

    fn whole(&mut self, folder: String) {
        self.includes.insert(Part::Whole(folder));
    }

    /// The charts that a kustomization inflates: their own folders, or all of the charts' where those are not there.
    fn charts(&mut self, tree: &Tree) {
        let text =
            |tree: &Tree, path: &[&str]| tree.at(path).and_then(Tree::as_scalar).map(|scalar| scalar.text.to_string());
        let home = text(tree, &["helmGlobals", "chartHome"]).or_else(|| text(tree, &["chartHome"]));
        let home = join(self.folder, home.as_deref().unwrap_or("charts"));
        let mut charts: Vec<&Tree> =
            tree.get("helmCharts").and_then(Tree::as_list).unwrap_or_default().iter().collect();
        for item in tree.get("helmChartInflationGenerator").and_then(Tree::as_list).unwrap_or_default() {
            let home = text(item, &["chartHome"]);
            self.whole(join(self.folder, home.as_deref().unwrap_or("charts")));
        }
        if text(tree, &["kind"]).as_deref() == Some("HelmChartInflationGenerator") {
            charts.push(tree);
        }
        for chart in charts {
            let name = text(chart, &["name"]).unwrap_or_default();
            let version = text(chart, &["version"]).unwrap_or_default();
            let places = [
                join(&home, &name),
                join(&home, &format!("{name}-{version}")),
                join(&home, &format!("{name}-{version}.tgz")),
            ];
            let found: Vec<&String> = places.iter().filter(|place| self.pool.files.kind(place).is_some()).collect();
            if found.is_empty() {
                self.whole(home.clone());
            }
            for place in found {
                match self.pool.files.kind(place) {
                    Some(EntryKind::File) => drop(self.files.insert(place.clone())),
                    _ => self.whole(place.clone()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compat::Profile;
    use crate::source::Memory;

    fn files() -> Memory {
        let mut files = Memory::new();
        for (path, text) in [
            ("/w/a/kustomization.yaml", "resources: [../base, own.yaml]\npatches: [{path: p.yaml}]\n"),
            ("/w/a/own.yaml", "a"),
            ("/w/a/p.yaml", "p"),
            ("/w/a/unused.yaml", "u"),
            ("/w/b/kustomization.yaml", "configMapGenerator: [{name: c, files: [key=c.txt]}]\n"),
            ("/w/b/c.txt", "c"),
            ("/w/base/kustomization.yaml", "helmCharts: [{name: web, valuesFile: v.yaml}]\n"),
            ("/w/base/v.yaml", "v"),
            ("/w/base/charts/web/Chart.yaml", "c"),
            ("/w/base/charts/web/templates/x.yaml", "x"),
            ("/w/base/charts/other/Chart.yaml", "o"),
            ("/w/g/kustomization.yaml", "generators: [gen.yaml]\n"),
            (
                "/w/g/gen.yaml",
                "kind: HelmChartInflationGenerator\nname: web\nchartHome: ../base/charts\nvaluesFile: deep/v.yaml\n",
            ),
            ("/w/g/deep/v.yaml", "v"),
        ] {
            files.insert(path, text.as_bytes());
        }
        files
    }

    /// Which of the roots `a`, `b` and `g` notice that a file changed.
    fn noticed(path: &str) -> String {
        let (before, mut after) = (files(), files());
        after.insert(path, &b"changed"[..]);
        let (old, new) = (Pool::new(&before, Profile::default()), Pool::new(&after, Profile::default()));
        let (old, new) = (Inputs::new(&old, "/w", &["hydrant.lock"]), Inputs::new(&new, "/w", &["hydrant.lock"]));
        let roots = ["a", "b", "g"].into_iter().filter(|root| {
            let root = format!("/w/{root}");
            old.digest(&root) != new.digest(&root)
        });
        roots.collect()
    }

    #[test]
    fn roots_notice_what_they_are_made_of_and_nothing_else() {
        for (path, roots) in [
            ("/w/a/own.yaml", "a"),
            ("/w/a/p.yaml", "a"),
            ("/w/a/unused.yaml", ""),
            ("/w/b/c.txt", "b"),
            ("/w/base/v.yaml", "a"),
            ("/w/base/charts/web/templates/x.yaml", "ag"),
            ("/w/base/charts/web/templates/new.yaml", "ag"),
            ("/w/base/charts/other/Chart.yaml", ""),
            ("/w/g/deep/v.yaml", "g"),
            ("/w/base/hydrant.lock", "a"),
        ] {
            assert_eq!(noticed(path), roots, "{path}");
        }
    }
}
