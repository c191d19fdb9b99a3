//! The front door: which kind of source is this, and the chain that renders it.
//!
//! In: a [`Source`], an absolute path in it, [`Options`], and the [`Ambient`] world that charts may ask. Out: a
//! [`Rendered`] set with the origin of each object. Helm and kustomize meet here only: kustomize asks for a chart's text
//! through a callback, and never learns who printed it.
//!
//! [`roots()`] finds the kustomizations below a folder, and [`Many`] renders them side by side over one [`Pool`], with the
//! results of earlier runs that are still right ([`Kept`]).

mod all;
mod chart;
mod folder;
mod inputs;
mod kept;
mod outlines;
mod page;
mod pool;
mod printers;
mod roots;

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, Warnings};
pub use crate::helm::Ambient;
use crate::kustomize;
use crate::manifest::Set;
use crate::source::{EntryKind, Source};
use crate::yaml;
pub use all::{Done, Many};
use chart::Inflater;
pub use inputs::{Inputs, Touched};
pub use kept::{Kept, Store};
pub use page::Page;
pub use pool::{Pool, Unchanged};
pub use printers::{Printed, Printer, Way, printers};
pub use roots::roots;

/// Names under which a kustomization's file may stand, in the order in which kustomize looks for them.
pub const KUSTOMIZATION_FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What kind of thing a path holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder with a kustomization.
    Kustomization,
    /// A chart: a folder with `Chart.yaml`, or a packed one.
    Chart,
    /// A folder of manifests, folders below it included.
    Folder,
    /// One file of manifests.
    File,
}

/// What a caller may choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whose behaviour to follow.
    pub profile: Profile,
    /// For kustomizations.
    pub kustomize: kustomize::Options,
    /// For a chart that is rendered by itself: its release's name; the chart's own name where nothing is given.
    pub release: Option<String>,
    /// For a chart that is rendered by itself: its release's namespace; `default` where nothing is given.
    pub namespace: Option<String>,
    /// True where the process ends soon after: what a render shares is left to the system, which takes it back sooner than it
    /// could be taken apart.
    pub last: bool,
}

impl Options {
    /// The defaults under a profile: charts rendered, files confined as kustomize confines them.
    pub fn of(profile: Profile) -> Options {
        let helm = kustomize::HelmOptions { enabled: true, ..kustomize::HelmOptions::default() };
        let kustomize = kustomize::Options { profile, helm, ..kustomize::Options::default() };
        Options { profile, kustomize, ..Options::default() }
    }
}

/// A finished render.
#[derive(Debug)]
pub struct Rendered {
    /// What was rendered.
    pub kind: Kind,
    /// The objects, in the order to print.
    pub set: Set,
    /// What did not stop the render.
    pub warnings: Warnings,
    /// The objects that another render prints otherwise, since charts made up passwords, keys or dates.
    pub unsteady: Vec<String>,
}

/// What stands at `path`. Fails with `source-missing` if nothing does.
pub fn kind(source: &dyn Source, path: &str) -> Result<Kind> {
    let within = |name: &str| source.kind(&format!("{}/{name}", path.trim_end_matches('/'))) == Some(EntryKind::File);
    match source.kind(path) {
        Some(EntryKind::Folder) if KUSTOMIZATION_FILES.iter().any(|name| within(name)) => Ok(Kind::Kustomization),
        Some(EntryKind::Folder) if within("Chart.yaml") => Ok(Kind::Chart),
        Some(EntryKind::Folder) => Ok(Kind::Folder),
        Some(EntryKind::File) if path.ends_with(".tgz") || path.ends_with(".tar.gz") => Ok(Kind::Chart),
        Some(EntryKind::File) => Ok(Kind::File),
        None => Err(Box::new(
            Diagnostic::input("source-missing", format!("no file or folder at `{path}`"))
                .hint("give a kustomization, a chart, or a folder or file of manifests"),
        )),
    }
}

/// Renders what stands at `path`. Where charts asked for randomness or the time, it is rendered once more in another world,
/// to learn which objects depend on it.
pub fn render(source: &dyn Source, path: &str, options: &Options, ambient: &mut dyn Ambient) -> Result<Rendered> {
    let mut pool = Pool::new(source, options.profile);
    pool.last = options.last;
    let rendered = render_in(&pool, &pool.files, path, options, ambient);
    if options.last {
        std::mem::forget(pool);
    }
    rendered
}

/// As [`render`], sharing what is read with the other renders of a pool.
pub fn render_shared(pool: &Pool<'_>, path: &str, options: &Options, ambient: &mut dyn Ambient) -> Result<Rendered> {
    render_in(pool, &pool.files, path, options, ambient)
}

/// As [`render`], from `source`, which gives what the pool's files do.
fn render_in(
    pool: &Pool<'_>,
    source: &dyn Source,
    path: &str,
    options: &Options,
    ambient: &mut dyn Ambient,
) -> Result<Rendered> {
    let mut rendered = once(pool, source, path, options, ambient)?;
    if let Some(mut other) = ambient.elsewhere() {
        let again = once(pool, source, path, options, &mut *other)?;
        rendered.unsteady = differing(&rendered.set, &again.set);
    }
    Ok(rendered)
}

/// The objects of one set that the other does not have.
fn differing(one: &Set, other: &Set) -> Vec<String> {
    let others: BTreeSet<String> = other.objects.iter().map(|object| yaml::to_string(object.tree())).collect();
    let only_here = one.objects.iter().filter(|object| !others.contains(&yaml::to_string(object.tree())));
    only_here.map(|object| object.id.to_string()).collect()
}

fn once(
    pool: &Pool<'_>,
    source: &dyn Source,
    path: &str,
    options: &Options,
    ambient: &mut dyn Ambient,
) -> Result<Rendered> {
    let kind = kind(source, path)?;
    let (set, warnings) = match kind {
        Kind::Kustomization => {
            let inflater = Inflater::new(pool, source, RefCell::new(ambient));
            let inflate = |request: &_| inflater.inflate(request);
            let built = kustomize::build(source, path, &options.kustomize, &pool.parsed, &inflate)?;
            (built.set, built.warnings.into_iter().chain(inflater.into_warnings()).collect())
        }
        Kind::Chart => chart::whole(pool, source, path, options, ambient)?,
        Kind::Folder => (folder::read(source, path)?, Warnings::new()),
        Kind::File => (folder::read_file(source, path)?, Warnings::new()),
    };
    Ok(Rendered { kind, set, warnings, unsteady: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    /// A world that another one differs from in every byte.
    struct Turned(u8, bool);

    impl Ambient for Turned {
        fn elsewhere(&self) -> Option<Box<dyn Ambient>> {
            self.1.then(|| Box::new(Turned(self.0 + 1, false)) as Box<dyn Ambient>)
        }

        fn now(&mut self) -> (i64, u32) {
            self.1 = true;
            (i64::from(self.0) * 1_000_000, 0)
        }

        fn random(&mut self, _: &str, _: u32, out: &mut [u8]) {
            self.1 = true;
            out.fill(self.0);
        }

        fn host_address(&mut self, _: &str) -> String {
            String::new()
        }
    }

    #[test]
    fn objects_that_each_render_prints_otherwise_are_named() {
        let mut files = Memory::new();
        files.insert("/web/Chart.yaml", *b"apiVersion: v2\nname: web\nversion: 1.0.0\n");
        let object = |name: &str, text: &str| {
            format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{a: {text}}}\n")
        };
        for (name, text) in
            [("steady", "x"), ("random", "{{ randAlpha 9 }}"), ("dated", "{{ now | unixEpoch | quote }}")]
        {
            files.insert(&format!("/web/templates/{name}.yaml"), object(name, text).into_bytes());
        }
        let rendered = render(&files, "/web", &Options::default(), &mut Turned(1, false)).expect("renders");
        assert_eq!(rendered.unsteady, ["Secret dated", "Secret random"]);
    }

    /// A world that is never asked.
    pub(super) struct Nowhere;

    impl Ambient for Nowhere {
        fn now(&mut self) -> (i64, u32) {
            (0, 0)
        }

        fn random(&mut self, _: &str, _: u32, out: &mut [u8]) {
            out.fill(0);
        }

        fn host_address(&mut self, _: &str) -> String {
            String::new()
        }
    }

    fn app() -> Memory {
        let mut files = Memory::new();
        for (path, text) in [
            (
                "/w/app/kustomization.yaml",
                "resources: [../base]\nconfigMapGenerator: [{name: made, literals: [a=b]}]\n",
            ),
            ("/w/base/kustomization.yaml", "resources: [deep]\nhelmCharts: [{name: web, releaseName: rel}]\n"),
            ("/w/base/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
            ("/w/base/charts/web/values.yaml", "a: 1\n"),
            ("/w/base/charts/web/templates/one.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: one}\n"),
            (
                "/w/base/charts/web/templates/two.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: two}\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: pod}\n",
            ),
            ("/w/base/deep/kustomization.yaml", "resources: [objects.yaml]\nnamePrefix: p-\n"),
            (
                "/w/base/deep/objects.yaml",
                "kind: Secret\napiVersion: v1\nmetadata: {name: a}\n---\nkind: Secret\napiVersion: v1\nmetadata: {name: b}\n",
            ),
        ] {
            files.insert(path, text.as_bytes());
        }
        files
    }

    #[test]
    fn every_object_says_where_it_came_from() {
        let rendered = render(&app(), "/w/app", &Options::of(Profile::default()), &mut Nowhere).expect("it renders");
        let mut origins: Vec<String> = rendered
            .set
            .objects
            .iter()
            .map(|object| {
                let origin = &object.origin;
                let bases: Vec<&str> = origin.bases.iter().map(crate::value::Text::as_str).collect();
                let name = object.id.name.split("-made").next().unwrap_or_default();
                format!(
                    "{} {name}: {}:{} [{}] {}",
                    object.id.kind,
                    origin.file,
                    origin.line,
                    bases.join(" "),
                    origin.chart
                )
            })
            .collect();
        origins.sort();
        let hashed = origins.remove(0);
        assert!(hashed.starts_with("ConfigMap made-") && hashed.ends_with(": kustomization.yaml:0 [] "), "{hashed}");
        assert_eq!(
            origins,
            [
                "Pod pod: web/templates/two.yaml:0 [../base] ../base/charts/web",
                "Secret p-a: ../base/deep/objects.yaml:1 [../base ../base/deep] ",
                "Secret p-b: ../base/deep/objects.yaml:4 [../base ../base/deep] ",
                "Service one: web/templates/one.yaml:0 [../base] ../base/charts/web",
                "Service two: web/templates/two.yaml:0 [../base] ../base/charts/web",
            ]
        );
    }

    #[test]
    fn roots_are_what_nothing_includes() {
        let mut files = app();
        files.insert(
            "/w/part/kustomization.yaml",
            *b"kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: []\n",
        );
        files.insert("/w/broken/kustomization.yaml", *b"[");
        files.insert("/w/.git/kustomization.yaml", *b"resources: []\n");
        let pool = Pool::new(&files, Profile::default());
        assert_eq!(roots(&pool, "/w", None).expect("some"), ["/w/app", "/w/broken"]);
        assert_eq!(roots(&pool, "/w/part", None).expect_err("none").code, "roots-none");
    }
}
