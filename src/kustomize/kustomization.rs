//! Loading a kustomization file: found, decoded, deprecated spellings mended.
//!
//! In: a folder. Out: a [`Kustomization`], in which every field has one spelling and one shape.

use super::decode;
use super::loader::Loader;
use super::shared::Loaded;
use crate::diag::{Diagnostic, Result, SourceText, Span, Warnings};
use crate::value::{Map, Text, Tree};
use crate::yaml::{self, Dialect};

/// The names that a kustomization file may have.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Deprecated fields, with what to use instead.
const DEPRECATED: &[(&str, &str)] = &[
    ("bases", "resources"),
    ("commonLabels", "labels"),
    ("imageTags", "images"),
    ("patchesJson6902", "patches"),
    ("patchesStrategicMerge", "patches"),
    ("vars", "replacements"),
];

/// What a kustomization is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A whole of its own.
    Kustomization,
    /// A part that works on what its includer has gathered.
    Component,
}

/// A kustomization as the build works with it.
#[derive(Clone, Debug)]
pub(crate) struct Kustomization {
    /// Its fields, shaped.
    pub(crate) fields: Tree,
    /// What it is for.
    pub(crate) role: Role,
    /// The name of its file, without the folder.
    pub(crate) file_name: &'static str,
    /// Its text.
    pub(crate) source: SourceText,
}

impl Kustomization {
    /// Reads the kustomization in the folder of a loader.
    pub(crate) fn load(loader: &Loader<'_>, warnings: &mut Warnings) -> Result<Kustomization> {
        let (file_name, file) = find(loader)?;
        let shaped = file.kustomization()?.map_err(|misfit| {
            let span = locate(&file.source, &misfit.path);
            misfit.diagnostic("kustomize-kustomization", &file.source, span)
        })?;
        let source = file.source;
        warn(&shaped, &source, warnings);
        let mut fields = shaped.as_map().cloned().unwrap_or_default();
        mend(&mut fields);
        if fields.iter().all(|(key, value)| matches!(key.as_str(), "apiVersion" | "kind") || is_blank(value)) {
            let message = format!("`{}` is empty", source.name());
            return Err(Box::new(Diagnostic::input("kustomize-empty", message).hint("add `resources:`")));
        }
        let role = role(&fields, &source)?;
        Ok(Kustomization { fields: Tree::map(fields), role, file_name, source })
    }

    /// The text of a field; empty where it is missing.
    pub(crate) fn text(&self, field: &str) -> Text {
        decode::text(&self.fields, field)
    }

    /// The texts of a list.
    pub(crate) fn texts(&self, field: &str) -> Vec<Text> {
        decode::texts(&self.fields, field)
    }

    /// The items of a list.
    pub(crate) fn items(&self, field: &str) -> &[Tree] {
        decode::items(&self.fields, field)
    }

    /// A field; null where it is missing.
    pub(crate) fn field(&self, field: &str) -> Tree {
        self.fields.get(field).cloned().unwrap_or_else(Tree::null)
    }
}

fn find(loader: &Loader<'_>) -> Result<(&'static str, Loaded)> {
    let mut found = FILE_NAMES.into_iter().filter(|name| loader.is_file(name));
    let Some(name) = found.next() else {
        let folder = loader.shown(loader.root());
        let message = format!("no kustomization file in `{folder}`");
        let names = FILE_NAMES.map(|name| format!("`{name}`")).join(", ");
        return Err(Box::new(Diagnostic::input("kustomize-missing", message).hint(format!("add one of {names}"))));
    };
    if let Some(other) = found.next() {
        let message = format!("both `{name}` and `{other}` in `{}`", loader.shown(loader.root()));
        return Err(Box::new(Diagnostic::input("kustomize-several", message).hint("keep one of them")));
    }
    Ok((name, loader.file(name)?))
}

/// True for a text that means the same as none.
fn is_blank(value: &Tree) -> bool {
    value.as_scalar().is_some_and(|scalar| scalar.text.is_empty())
}

/// The place of a value, or of the nearest map or list around it that has one.
fn locate(source: &SourceText, path: &[decode::Step]) -> Option<Span> {
    let document = yaml::parse_document(source, Dialect::V2).ok()?;
    let steps: Vec<String> = path
        .iter()
        .rev()
        .map(|step| match step {
            decode::Step::Key(key) => key.to_string(),
            decode::Step::Index(index) => index.to_string(),
        })
        .collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    document.spans.key(&steps).or_else(|| document.spans.nearest(&steps))
}

fn warn(fields: &Tree, source: &SourceText, warnings: &mut Warnings) {
    for (old, new) in DEPRECATED {
        if fields.get(old).is_some() {
            let message = format!("`{old}` is deprecated in `{}`", source.name());
            warnings.push(Diagnostic::warning("kustomize-deprecated", message).hint(format!("use `{new}`")));
        }
    }
}

/// Moves deprecated fields to where their successors are.
fn mend(fields: &mut Map) {
    append(fields, "bases", "resources");
    append(fields, "imageTags", "images");
    for generator in ["configMapGenerator", "secretGenerator"] {
        for entry in fields.get_mut(generator).and_then(Tree::as_list_mut).into_iter().flatten() {
            mend_env(entry);
        }
    }
    let Some(old) = fields.remove("helmChartInflationGenerator") else { return };
    let mut charts = fields.get("helmCharts").and_then(Tree::as_list).unwrap_or_default().to_vec();
    let mut globals = Map::new();
    for chart in old.as_list().unwrap_or_default() {
        charts.push(mended_chart(chart));
        for (from, to) in [("chartHome", "chartHome"), ("helmHome", "configHome")] {
            let text = decode::text(chart, from);
            if !text.is_empty() {
                globals.set(to, Tree::str(text));
            }
        }
    }
    if !charts.is_empty() {
        fields.set("helmCharts", Tree::list(charts));
    }
    if !globals.is_empty() && !fields.contains("helmGlobals") {
        fields.set("helmGlobals", Tree::map(globals));
    }
}

fn append(fields: &mut Map, from: &str, to: &str) {
    let Some(old) = fields.remove(from) else { return };
    let mut all = fields.get(to).and_then(Tree::as_list).unwrap_or_default().to_vec();
    all.extend_from_slice(old.as_list().unwrap_or_default());
    if !all.is_empty() {
        fields.set(to, Tree::list(all));
    }
}

/// `env: file` becomes the last of `envs`.
fn mend_env(entry: &mut Tree) {
    let env = decode::text(entry, "env");
    let Some(map) = entry.as_map_mut().filter(|_| !env.is_empty()) else { return };
    map.remove("env");
    let mut envs = map.get("envs").and_then(Tree::as_list).unwrap_or_default().to_vec();
    envs.push(Tree::str(env));
    map.set("envs", Tree::list(envs));
}

fn mended_chart(old: &Tree) -> Tree {
    const NAMES: &[(&str, &str)] = &[
        ("chartName", "name"),
        ("chartVersion", "version"),
        ("chartRepoUrl", "repo"),
        ("values", "valuesFile"),
        ("valuesLocal", "valuesInline"),
        ("valuesMerge", "valuesMerge"),
        ("releaseName", "releaseName"),
    ];
    let moved = |(from, to): &(&str, &str)| Some((Text::new(to), old.get(from)?.clone()));
    Tree::map(NAMES.iter().filter_map(moved).collect())
}

fn role(fields: &Map, source: &SourceText) -> Result<Role> {
    let text = |key| fields.get(key).and_then(Tree::as_scalar).map(|scalar| scalar.text.clone()).unwrap_or_default();
    let refuse = |message: String| Err(Box::new(Diagnostic::input("kustomize-kind", message)));
    let (role, version) = match text("kind").as_str() {
        "" | "Kustomization" => (Role::Kustomization, "kustomize.config.k8s.io/v1beta1"),
        "Component" => (Role::Component, "kustomize.config.k8s.io/v1alpha1"),
        kind => {
            return refuse(format!("kind of `{}` should be `Kustomization` or `Component`, not `{kind}`", source.name()));
        }
    };
    let api_version = text("apiVersion");
    if !api_version.is_empty() && api_version != version {
        return refuse(format!("apiVersion of `{}` should be `{version}`, not `{api_version}`", source.name()));
    }
    Ok(role)
}
