//! `buildMetadata`: annotations that say where objects came from and what transformed them.

use std::fmt::Write as _;

use super::repo_spec::RepoSpec;
use super::resource::{BuildOrigin, Resource};
use crate::source;
use crate::value::Text;
use crate::yaml;

/// The annotation that says where an object came from.
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
/// The annotation that says what transformed it.
pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

impl BuildOrigin {
    /// The origin of a file or folder that this one includes.
    pub(crate) fn join(&self, path: &str) -> BuildOrigin {
        if let Some(spec) = RepoSpec::parse(path) {
            return BuildOrigin { path: spec.folder, repo: spec.clone, revision: spec.revision, ..self.clone() };
        }
        let path = source::clean(&if self.path.is_empty() { path.to_owned() } else { format!("{}/{path}", self.path) });
        BuildOrigin { path, ..self.clone() }
    }

    /// The origin of what a builtin plugin configured in a kustomization makes or changes.
    pub(crate) fn of_field(&self, file_name: &str, plugin: &str) -> BuildOrigin {
        BuildOrigin {
            path: String::new(),
            configured_in: self.join(file_name).path,
            configured_by: ["builtin".into(), plugin.into(), Text::default(), Text::default()],
            ..self.clone()
        }
    }

    /// The origin of what a plugin file makes or changes.
    pub(crate) fn of_plugin(&self, plugin: &Resource) -> BuildOrigin {
        let gvk = plugin.gvk();
        BuildOrigin {
            path: String::new(),
            configured_in: self.path.clone(),
            configured_by: [gvk.api_version().into(), gvk.kind, plugin.name(), plugin.namespace()],
            ..self.clone()
        }
    }

    /// The YAML of the annotation.
    fn text(&self, first: &str, indent: &str) -> String {
        let mut text = String::new();
        let mut lead = first;
        for (key, value) in [("path", &self.path), ("repo", &self.repo), ("ref", &self.revision), ("configuredIn", &self.configured_in)] {
            if !value.is_empty() {
                writeln!(text, "{lead}{key}: {}", yaml::inline(value)).expect("a string takes any text");
                lead = indent;
            }
        }
        if self.configured_by.iter().all(smol_str::SmolStr::is_empty) {
            return if text.is_empty() { format!("{first}{{}}\n") } else { text };
        }
        writeln!(text, "{lead}configuredBy:").expect("a string takes any text");
        for (key, value) in ["apiVersion", "kind", "name", "namespace"].iter().zip(&self.configured_by) {
            if !value.is_empty() {
                writeln!(text, "{indent}  {key}: {}", yaml::inline(value)).expect("a string takes any text");
            }
        }
        text
    }
}

/// Writes or takes out the annotations of an object, and kustomize's own notes that somebody else wrote.
pub(crate) fn finish(resource: &mut Resource, origins: bool, transformations: bool) {
    let mut entries = resource.meta_map("annotations");
    entries.retain(|(key, _)| !super::notes::is_note(key));
    let mut put = |key: &str, text: Option<String>| {
        entries.retain(|(other, _)| other != key);
        if let Some(text) = text {
            entries.push((key.into(), text.into()));
        }
    };
    if !origins || resource.build_origin.is_some() {
        put(ORIGIN, resource.build_origin.as_ref().filter(|_| origins).map(|origin| origin.text("", "")));
    }
    if !transformations || !resource.transformations.is_empty() {
        let text: String = resource.transformations.iter().map(|origin| origin.text("- ", "  ")).collect();
        put(TRANSFORMATIONS, Some(text).filter(|text| transformations && !text.is_empty()));
    }
    resource.set_meta_map("annotations", entries);
}
