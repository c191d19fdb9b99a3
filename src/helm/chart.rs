//! A chart as loaded: immutable, `Send` and `Sync`, shared between renders and threads.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use crate::diag::SourceText;
use crate::gotmpl::Unit;
use crate::source::Content;
use crate::value::Tree;

use super::metadata::Metadata;

/// A chart with the charts in its `charts/` folder.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What `Chart.yaml` says.
    pub metadata: Metadata,
    /// The files under `templates/`, named as inside the chart, in load order.
    pub(crate) templates: Vec<Template>,
    /// Every other file, named as inside the chart, in load order.
    pub(crate) files: Vec<File>,
    /// `values.yaml`, several documents merged; nothing where there is no such file.
    pub(crate) values: Option<Tree>,
    /// The text of `values.yaml`, for diagnostics.
    pub(crate) values_text: Option<SourceText>,
    /// `values.schema.json`.
    pub(crate) schema: Option<SourceText>,
    /// The charts under `charts/`, by the name of their folder or archive.
    pub(crate) dependencies: Vec<Arc<Chart>>,
    /// What loading had to say without failing.
    pub warnings: Vec<String>,
    /// Templates of this chart and its subcharts that a render has compiled.
    pub(crate) units: Units,
}

/// Compiled templates by path, shared by the renders of one chart. A text is compiled anew only under another path.
#[derive(Clone, Default)]
pub(crate) struct Units(Arc<Mutex<UnitsByPath>>);

/// The text that a path had, and what it was compiled to.
type UnitsByPath = FxHashMap<Arc<str>, (Arc<str>, Arc<Unit>)>;

impl Units {
    /// The unit of a text at a path, if a render has compiled it.
    pub(crate) fn known(&self, path: &str, text: &Arc<str>) -> Option<Arc<Unit>> {
        let units = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        units.get(path).filter(|(known, _)| Arc::ptr_eq(known, text)).map(|(_, unit)| Arc::clone(unit))
    }

    /// Keeps a unit for other renders.
    pub(crate) fn keep(&self, path: Arc<str>, text: Arc<str>, unit: &Arc<Unit>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path, (text, Arc::clone(unit)));
    }
}

impl fmt::Debug for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.lock().unwrap_or_else(PoisonError::into_inner).len();
        write!(f, "Units({count})")
    }
}

/// A file under `templates/`.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// The name inside the chart (`templates/a.yaml`).
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
}

/// A file of a chart that is no template.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// The name inside the chart (`crds/a.yaml`).
    pub name: Arc<str>,
    /// Its bytes.
    pub data: Content,
}

impl Chart {
    /// True for a library chart: only its partials count, and it cannot be rendered by itself.
    pub fn is_library(&self) -> bool {
        self.metadata.kind.eq_ignore_ascii_case("library")
    }

    /// Its values and the text that they were read from.
    pub(crate) fn values_read(&self) -> Option<(&SourceText, &Tree)> {
        self.values_text.as_ref().zip(self.values.as_ref())
    }

    /// The custom resource definitions under `crds/`, in load order.
    pub(crate) fn crds(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.name.starts_with("crds/") && is_manifest(&file.name))
    }

    /// Dependencies that `Chart.yaml` names and `charts/` lacks, in the order of `Chart.yaml`.
    pub fn missing(&self) -> Vec<String> {
        let wanted = self.metadata.dependencies.iter().flatten();
        let there = |name: &str| self.dependencies.iter().any(|chart| chart.metadata.name == name);
        wanted.filter(|dependency| !there(&dependency.name)).map(|dependency| dependency.name.clone()).collect()
    }
}

fn is_manifest(name: &str) -> bool {
    let extension = name.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, extension)| extension);
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
