//! `helmCharts`: which chart, with which values and settings; the rendering itself is a callback.
//!
//! In: one entry of `helmCharts` with `helmGlobals` (or a plugin file), shaped. Out: a [`ChartRequest`], in which every
//! path is absolute and every values file is read.

use std::sync::Arc;

use super::decode;
use super::loader::Loader;
use super::merge;
use super::transformer::Context;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::source::{self, EntryKind};
use crate::value::{Text, Tree};
use crate::yaml::{self, Dialect};

/// A chart to render, as `helm template` would.
#[derive(Clone, Debug)]
pub struct ChartRequest {
    /// The chart's folder, absolute, in the build's source.
    pub chart: String,
    /// The release's name; empty to have one made up.
    pub release_name: Text,
    /// The release's namespace; empty for Helm's default.
    pub namespace: Text,
    /// A template for the release's name; empty for none.
    pub name_template: Text,
    /// Values files, in the order of `-f`.
    pub values: Vec<SourceText>,
    /// `--api-versions`.
    pub api_versions: Vec<Text>,
    /// `--kube-version`; empty for Helm's default.
    pub kube_version: Text,
    /// `--include-crds`.
    pub include_crds: bool,
    /// `--skip-tests`.
    pub skip_tests: bool,
    /// `--no-hooks`.
    pub no_hooks: bool,
    /// The chart as the user names it, for the origin of its objects.
    pub shown_name: String,
}

/// Renders a chart: YAML documents as `helm template` prints them.
pub type Inflate<'a> = dyn Fn(&ChartRequest) -> Result<String> + 'a;

/// What the command line says about charts.
#[derive(Clone, Debug, Default)]
pub struct HelmOptions {
    /// True if charts may be rendered at all.
    pub enabled: bool,
    /// `--helm-kube-version`; an entry's own wins.
    pub kube_version: Text,
    /// `--helm-api-versions`; an entry's own win.
    pub api_versions: Vec<Text>,
}

/// The request that one entry makes. `namespace` is what an entry without one gets; empty for none.
pub(crate) fn request(
    entry: &Tree,
    globals: &Tree,
    namespace: &str,
    context: &Context<'_>,
    options: &HelmOptions,
) -> Result<ChartRequest> {
    let loader = context.loader;
    if !options.enabled {
        let message = "charts are not rendered without `--enable-helm`";
        return Err(refuse("kustomize-helm-off", message.to_owned()));
    }
    let text = |field: &str| decode::text(entry, field);
    let or = |first: Text, other: &str| if first.is_empty() { Text::new(other) } else { first };
    let name = text("name");
    if name.is_empty() {
        return Err(refuse("kustomize-chart-name", "chart name cannot be empty".to_owned()));
    }
    let home = or(decode::text(globals, "chartHome"), "charts");
    let (version, repo) = (text("version"), text("repo"));
    let mut home = source::join(loader.root(), &home);
    if !version.is_empty() && !repo.is_empty() {
        home = source::join(&home, &format!("{name}-{version}"));
    }
    let chart = source::join(&home, &name);
    let values = values(entry, &chart, context)?;
    if loader.source().kind(&chart) != Some(EntryKind::Folder) {
        return Err(missing(&name, &version, &repo, &loader.shown(&chart)));
    }
    let api_versions = decode::texts(entry, "apiVersions");
    Ok(ChartRequest {
        release_name: text("releaseName"),
        namespace: or(text("namespace"), namespace),
        name_template: text("nameTemplate"),
        values,
        api_versions: if api_versions.is_empty() { options.api_versions.clone() } else { api_versions },
        kube_version: or(text("kubeVersion"), &options.kube_version),
        include_crds: decode::flag(entry, "includeCRDs"),
        skip_tests: decode::flag(entry, "skipTests"),
        no_hooks: decode::flag(entry, "skipHooks"),
        shown_name: loader.shown(&chart),
        chart,
    })
}

fn missing(name: &str, version: &str, repo: &str, shown: &str) -> Box<Diagnostic> {
    if repo.is_empty() {
        let message = format!("no chart `{name}` at `{shown}`, and no `repo` to pull it from");
        return refuse("kustomize-chart-missing", message);
    }
    let what = if version.is_empty() { name.to_owned() } else { format!("{name}-{version}") };
    let message = format!("chart `{what}` of `{repo}` is not at `{shown}`, and charts are not pulled");
    Box::new(
        Diagnostic::input("kustomize-chart-remote", message).hint(format!("put the unpacked chart at `{shown}`")),
    )
}

/// The values files, merged with what stands inline.
fn values(entry: &Tree, chart: &str, context: &Context<'_>) -> Result<Vec<SourceText>> {
    let loader = context.loader;
    let file = match decode::text(entry, "valuesFile") {
        own if own.is_empty() => source::join(chart, "values.yaml"),
        own => own.to_string(),
    };
    let additional = decode::texts(entry, "additionalValuesFiles");
    let additional: Vec<SourceText> = additional.iter().map(|path| loader.text(path)).collect::<Result<_>>()?;
    let how = decode::text(entry, "valuesMerge");
    let inline = entry.get("valuesInline").filter(|tree| tree.as_map().is_some_and(|map| !map.is_empty()));
    let first = match (how.as_str(), inline) {
        ("" | "override" | "merge" | "replace", None) => loader.text(&file)?,
        ("replace", Some(inline)) => printed(inline),
        ("" | "override", Some(inline)) => printed(&merged(inline, parse(loader, &file)?, context)?),
        ("merge", Some(inline)) => printed(&merged(&parse(loader, &file)?, inline.clone(), context)?),
        _ => {
            return Err(Box::new(
                Diagnostic::input("kustomize-values-merge", format!("`valuesMerge` cannot be `{how}`"))
                    .hint("use `merge`, `override` or `replace`"),
            ));
        }
    };
    Ok(std::iter::once(first).chain(additional).collect())
}

fn parse(loader: &Loader<'_>, path: &str) -> Result<Tree> {
    yaml::parse(&loader.text(path)?, Dialect::V3)
}

/// `over` laid over `under`, as kyaml merges what is no Kubernetes object.
fn merged(over: &Tree, under: Tree, context: &Context<'_>) -> Result<Tree> {
    let mut result = if under.is_null() { Tree::empty_map() } else { under };
    merge::merge(&mut result, over.clone(), context.schema)?;
    Ok(result)
}

fn printed(tree: &Tree) -> SourceText {
    SourceText::new("valuesInline", Arc::from(yaml::to_string(tree)))
}

fn refuse(code: &'static str, message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input(code, message))
}
