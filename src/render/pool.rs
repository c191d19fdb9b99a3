//! What the renders of one run share: files, parsed files, charts, compiled templates.
//!
//! In: a source that does not change during the run. Out: each file read once, each kustomization file parsed once, each
//! chart loaded and each of its templates compiled once, however many roots use them and on however many threads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::compat::Profile;
use crate::diag::Result;
use crate::helm::Chart;
use crate::kustomize::Shared;
use crate::source::{Asked, Content, Entry, EntryKind, Once, Question, Record, Source};

/// Shared between renders that follow one profile.
pub struct Pool<'a> {
    /// The files.
    pub files: Once<'a>,
    /// Parsed kustomizations and the files that they list.
    pub(super) parsed: Arc<Shared>,
    /// True where renders run side by side: each keeps to its own thread.
    pub(super) one_thread: bool,
    /// True where the process ends after the only render.
    pub(super) last: bool,
    profile: Profile,
    charts: Mutex<BTreeMap<String, Arc<OnceLock<Arc<Loaded>>>>>,
    /// The state of the same files that this one is seen against.
    twin: Option<Twin<'a>>,
}

/// Another state of the same files, in which some have other bytes and nothing else differs.
#[derive(Clone, Copy)]
struct Twin<'a> {
    pool: &'a Pool<'a>,
    changed: &'a BTreeSet<String>,
}

/// A chart, and what of the source its loading asked for. Two states of the files may share it.
struct Loaded {
    chart: Result<Arc<Chart>>,
    asked: Asked,
}

impl<'a> Pool<'a> {
    /// Over a source, of which nothing is known yet.
    pub fn new(source: &'a dyn Source, profile: Profile) -> Pool<'a> {
        Pool::over(source, Arc::new(Shared::new(profile)), profile)
    }

    /// The same for renders side by side.
    pub fn many(source: &'a dyn Source, profile: Profile) -> Pool<'a> {
        Pool { one_thread: true, ..Pool::new(source, profile) }
    }

    /// Over another state of the files of `pool`, which shares what is the same in both.
    pub fn twin(files: &'a Unchanged<'a>, pool: &'a Pool<'a>) -> Pool<'a> {
        let twin = Some(Twin { pool, changed: files.changed });
        let over = Pool::over(files, Arc::clone(&pool.parsed), pool.profile);
        Pool { twin, one_thread: pool.one_thread, ..over }
    }

    fn over(source: &'a dyn Source, parsed: Arc<Shared>, profile: Profile) -> Pool<'a> {
        Pool {
            files: Once::new(source),
            parsed,
            one_thread: false,
            last: false,
            profile,
            charts: Mutex::default(),
            twin: None,
        }
    }

    /// Whose behaviour the renders follow.
    pub(super) fn profile(&self) -> Profile {
        self.profile
    }

    /// The chart at a path. What its loading asked of the source is asked of `source` again, so that whoever records
    /// there learns of it.
    pub(super) fn chart(&self, path: &str, source: &dyn Source) -> Result<Arc<Chart>> {
        let loaded = self.loaded(path);
        loaded.asked.iter().for_each(|(path, question)| question.put(source, path));
        loaded.chart.clone()
    }

    fn loaded(&self, path: &str) -> Arc<Loaded> {
        let slot = {
            let mut charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(charts.entry(path.to_owned()).or_default())
        };
        let load = || {
            if let Some(loaded) = self.twin.and_then(|twin| twin.loaded(path)) {
                return loaded;
            }
            let record = Record::new(&self.files);
            let chart = Chart::load(&record, path, self.profile);
            Arc::new(Loaded { chart, asked: record.into_asked() })
        };
        Arc::clone(slot.get_or_init(load))
    }
}

impl Twin<'_> {
    /// Its chart at a path, if that read no file that changed.
    fn loaded(self, path: &str) -> Option<Arc<Loaded>> {
        let loaded = self.pool.loaded(path);
        let is_changed = |(path, question): &(String, Question)| {
            *question == Question::Bytes
                && self.pool.files.real_path(path).is_ok_and(|real| self.changed.contains(&real))
        };
        (!loaded.asked.iter().any(is_changed)).then_some(loaded)
    }
}

/// Another state of a pool's files: some have other bytes, and nothing else differs.
pub struct Unchanged<'a> {
    /// Where the changed files are read.
    own: &'a dyn Source,
    /// Where all else is known.
    other: &'a Once<'a>,
    changed: &'a BTreeSet<String>,
}

impl<'a> Unchanged<'a> {
    /// The state that `own` has. The caller answers for `changed`: absolute paths, links resolved, of all files that have other
    /// bytes than the pool's.
    pub fn new(own: &'a dyn Source, pool: &'a Pool<'a>, changed: &'a BTreeSet<String>) -> Unchanged<'a> {
        Unchanged { own, other: &pool.files, changed }
    }
}

impl Source for Unchanged<'_> {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.other.kind(path)
    }

    fn look(&self, path: &str) -> Option<(EntryKind, bool)> {
        self.other.look(path)
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>> {
        match self.other.real_path(path) {
            Ok(real) if !self.changed.contains(&real) => self.other.read(path),
            _ => self.own.read(path),
        }
    }

    fn content(&self, path: &str) -> Result<Content> {
        match self.other.real_path(path) {
            Ok(real) if !self.changed.contains(&real) => self.other.content(path),
            _ => self.own.content(path),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>> {
        self.other.list(path)
    }

    fn real_path(&self, path: &str) -> Result<String> {
        self.other.real_path(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::Nowhere;
    use crate::render::{Options, render_shared};
    use crate::source::Memory;

    fn files() -> Memory {
        let mut files = Memory::new();
        for (path, text) in [
            ("/w/a/kustomization.yaml", "namePrefix: a-\nresources: [../base]\n"),
            ("/w/b/kustomization.yaml", "namePrefix: b-\nresources: [own.yaml]\n"),
            ("/w/b/own.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n"),
            (
                "/w/base/kustomization.yaml",
                "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: web, releaseName: r, valuesFile: v.yaml}]\n",
            ),
            ("/w/base/v.yaml", "text: v\n"),
            ("/w/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
            (
                "/w/charts/web/templates/x.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {text: '{{ .Values.text }}'}\n",
            ),
        ] {
            files.insert(path, text.as_bytes());
        }
        files
    }

    fn rendered(pool: &Pool<'_>) -> Vec<String> {
        let mut options = Options::default();
        options.kustomize.helm.enabled = true;
        let render = |root: &str| render_shared(pool, root, &options, &mut Nowhere);
        let roots = ["/w/a", "/w/b"].map(|root| render(root).expect("it renders"));
        roots.iter().map(|rendered| format!("{:?}", rendered.set.objects)).collect()
    }

    #[test]
    fn a_twin_renders_what_its_own_files_say() {
        let after = files();
        let new = Pool::new(&after, Profile::default());
        let is = rendered(&new);
        for (path, text, differs) in [
            ("/w/b/own.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: was}\n", [false, true]),
            ("/w/b/kustomization.yaml", "namePrefix: was-\nresources: [own.yaml]\n", [false, true]),
            ("/w/base/v.yaml", "text: was\n", [true, false]),
            ("/w/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.9.0\n", [false, false]),
            (
                "/w/charts/web/templates/x.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: was}\n",
                [true, false],
            ),
        ] {
            let mut before = files();
            before.insert(path, text.as_bytes());
            let changed = BTreeSet::from([path.to_owned()]);
            let unchanged = Unchanged::new(&before, &new, &changed);
            let was = rendered(&Pool::twin(&unchanged, &new));
            assert_eq!(was, rendered(&Pool::new(&before, Profile::default())), "{path}");
            assert_eq!([was[0] != is[0], was[1] != is[1]], differs, "{path}");
            assert_eq!(rendered(&new), is, "{path}: the other side stays what it is");
        }
    }
}
