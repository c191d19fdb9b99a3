//! A chart as loaded: immutable, `Send` and `Sync`, shared between renders and threads.

use std::sync::Arc;

use crate::diag::SourceText;
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
    pub data: Arc<[u8]>,
}

impl Chart {
    /// True for a library chart: only its partials count, and it cannot be rendered by itself.
    pub fn is_library(&self) -> bool {
        self.metadata.kind.eq_ignore_ascii_case("library")
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
