//! What a build takes from elsewhere, and what of it has been brought.
//!
//! A build does not fetch. It asks [`Remotes`] where an address or a chart was put, and what was not put anywhere is
//! noted as a [`Need`] while the build fails; whoever called it may bring what is needed and build again. [`needs`] walks
//! the kustomizations alone and lists all that they lack, so that this takes few rounds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::build::Options;
use super::decode;
use super::helm::{self, HelmOptions};
use super::kustomization::Kustomization;
use super::loader::Loader;
use super::repo_spec::RepoSpec;
use super::shared::Shared;
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, Warnings};
use crate::source::Source;
use crate::value::Tree;

/// Something that a build takes from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A chart, to be unpacked into a folder.
    Chart {
        /// URL of the repository, `oci://` or not.
        repository: String,
        /// Name of the chart.
        name: String,
        /// Version or range; empty for the newest.
        version: String,
        /// The folder that is to hold it, absolute.
        folder: String,
    },
    /// A file at a URL.
    File(String),
    /// A git repository.
    Repository(RepoSpec),
    /// A file at a URL, or, where there is none that holds manifests, a repository.
    FileOrRepository(String, RepoSpec),
}

/// Where something was put, in the build's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brought {
    /// A file.
    File(String),
    /// The top folder of a repository.
    Repository(String),
}

/// What has been brought, and what was asked for.
#[derive(Clone, Debug, Default)]
pub struct Remotes {
    brought: BTreeMap<Need, Brought>,
    asked: Arc<Mutex<BTreeSet<Need>>>,
}

impl Remotes {
    /// Notes where something was put.
    pub fn put(&mut self, need: Need, place: Brought) {
        self.brought.insert(need, place);
    }

    /// Takes what was asked for and is not there.
    pub fn take_missing(&self) -> Vec<Need> {
        let asked = self.asked.lock().map(|mut asked| std::mem::take(&mut *asked)).unwrap_or_default();
        asked.into_iter().collect()
    }

    /// Where something was put. Fails with `kustomize-remote`, and notes the need.
    pub(crate) fn find(&self, need: &Need) -> Result<&Brought> {
        self.brought.get(need).ok_or_else(|| self.miss(need.clone()))
    }

    /// Notes a need; gives the fault that stands for it.
    pub(crate) fn miss(&self, need: Need) -> Box<Diagnostic> {
        let what = match &need {
            Need::Chart { repository, name, version, .. } => format!("chart `{name}` {version} of `{repository}`"),
            Need::File(url) | Need::FileOrRepository(url, _) => format!("`{url}`"),
            Need::Repository(spec) => format!("`{}`", spec.raw),
        };
        if let Ok(mut asked) = self.asked.lock() {
            asked.insert(need);
        }
        let fault = Diagnostic::input("kustomize-remote", format!("{what} is elsewhere, and was not brought"));
        Box::new(fault.hint("copy it beside the kustomization and name the copy"))
    }
}

/// Where and how a walk looks.
struct Walk<'a> {
    helm: &'a HelmOptions,
    remotes: &'a Remotes,
}

/// Notes in the options' `remotes` all that the kustomization at `root`, and those it includes, lack. What is wrong with them is left
/// for the build to tell.
pub fn needs(source: &dyn Source, root: &str, options: &Options) {
    let Options { restrictions, helm, remotes, repository, .. } = options;
    // what kustomizations look like is the same under every profile
    let shared = Shared::new(Profile::default());
    if let Ok(loader) = Loader::new(source, root, *restrictions, root, remotes, &shared) {
        Walk { helm, remotes }.visit(&loader.within(repository.clone()), 0);
    }
}

impl Walk<'_> {
    fn visit(&self, loader: &Loader<'_>, depth: usize) {
        if depth > super::target::MAX_DEPTH {
            return;
        }
        let Ok(kustomization) = Kustomization::load(loader, &mut Warnings::new()) else { return };
        for field in ["resources", "generators", "transformers", "validators"] {
            for path in kustomization.texts(field) {
                // what is missing is noted on the way to the fault
                if loader.resource(&path).is_ok_and(|found| found == Found::Folder) {
                    self.visit_base(loader, &path, depth);
                }
            }
        }
        for path in kustomization.texts("components") {
            self.visit_base(loader, &path, depth);
        }
        let globals = kustomization.field("helmGlobals");
        for chart in kustomization.items("helmCharts") {
            self.chart(chart, &globals, loader);
        }
    }

    fn visit_base(&self, loader: &Loader<'_>, path: &str, depth: usize) {
        if let Ok(inner) = loader.base(path) {
            self.visit(&inner, depth + 1);
        }
    }

    fn chart(&self, entry: &Tree, globals: &Tree, loader: &Loader<'_>) {
        if self.helm.enabled && !decode::text(entry, "name").is_empty() {
            let _ = helm::locate(entry, globals, loader, self.remotes);
        }
    }
}

/// What an entry of `resources` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A file, at this path.
    File(String),
    /// A folder, here or in a repository.
    Folder,
}
