//! `helmCharts`: which chart, with which values and settings; the rendering itself is a callback.
//!
//! In: one entry of `helmCharts` with `helmGlobals` (or a plugin file), shaped. Out: a [`ChartRequest`], in which every
//! path is absolute and every values file is read.

use std::sync::Arc;

use super::decode;
use super::kustomization::Kustomization;
use super::loader::Loader;
use super::merge;
use super::remote::{Need, Remotes};
use super::transformer::Context;
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::go::semver::{Constraints, Version};
use crate::source::{self, EntryKind};
use crate::value::{Text, Tree};
use crate::yaml::{self, Dialect};

/// The range that `devel` stands for where no version is named.
const DEVEL: &str = ">0.0.0-0";

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

/// The templates that a chart's documents come from, as Helm's comments say; asked by ascending lines.
pub(crate) struct Templates<'t> {
    lines: std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'t>>>,
    last: Option<&'t str>,
}

impl<'t> Templates<'t> {
    /// Those of a text that `helm template` printed.
    pub(crate) fn of(text: &'t str) -> Templates<'t> {
        Templates { lines: text.lines().enumerate().peekable(), last: None }
    }

    /// The template of the document that starts on a line, one-based.
    pub(crate) fn at(&mut self, line: u32) -> Option<&'t str> {
        while let Some((index, text)) = self.lines.peek().copied() {
            let below = index + 1 >= line as usize;
            if below && !(text.starts_with("---") || text.starts_with('#') || text.trim().is_empty()) {
                break;
            }
            self.last = text.strip_prefix("# Source: ").or(self.last);
            self.lines.next();
        }
        self.last
    }
}

/// The request that one entry makes. `namespace` is what an entry without one gets; empty for none.
pub(crate) fn request(
    entry: &Tree,
    globals: &Tree,
    namespace: &str,
    context: &Context<'_>,
    options: &HelmOptions,
    remotes: &Remotes,
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
    let chart = locate(entry, globals, loader, remotes)?;
    let values = values(entry, &chart, context)?;
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

/// Refuses fields of an entry that the profile does not know.
pub(crate) fn check_fields(entry: &Tree, kustomization: &Kustomization, profile: Profile) -> Result<()> {
    let newer = ["debug", "devel"].into_iter().find(|field| entry.get(field).is_some());
    let Some(field) = newer.filter(|_| !profile.charts_have_debug_and_devel()) else { return Ok(()) };
    let message = format!("unknown field `{field}` in `helmCharts` of `{}`", kustomization.source.name());
    let fault = Diagnostic::input("kustomize-kustomization", message);
    Err(Box::new(fault.hint(format!("remove `{field}`, which this profile's kustomize does not know"))))
}

/// The chart's folder, by kustomize's rule: `{chartHome}/{name}-{version}/{name}` where both `repo` and `version` stand,
/// else `{chartHome}/{name}`. Where there is no such folder and a `repo` is named, the chart is noted as a need.
pub(crate) fn locate(entry: &Tree, globals: &Tree, loader: &Loader<'_>, remotes: &Remotes) -> Result<String> {
    let text = |field: &str| decode::text(entry, field);
    let (name, version, repo) = (text("name"), text("version"), text("repo"));
    let home = Some(decode::text(globals, "chartHome")).filter(|home| !home.is_empty()).unwrap_or_else(|| "charts".into());
    let mut home = source::join(loader.root(), &home);
    let pinned = !version.is_empty() && !repo.is_empty();
    if pinned {
        home = source::join(&home, &format!("{name}-{version}"));
    }
    let chart = source::join(&home, &name);
    if loader.source().kind(&chart) == Some(EntryKind::Folder) {
        if pinned {
            check_version(loader, &chart, &version)?;
        }
        return Ok(chart);
    }
    if repo.is_empty() {
        let message = format!("no chart `{name}` at `{}`, and no `repo` to pull it from", loader.shown(&chart));
        return Err(refuse("kustomize-chart-missing", message));
    }
    let devel = version.is_empty() && decode::flag(entry, "devel");
    let version = if devel { DEVEL.to_owned() } else { version.to_string() };
    Err(remotes.miss(Need::Chart { repository: repo.to_string(), name: name.to_string(), version, folder: chart }))
}

/// A folder that is named after a version must hold that version: what lies there may be older than the kustomization.
fn check_version(loader: &Loader<'_>, chart: &str, wanted: &str) -> Result<()> {
    let Ok(bytes) = loader.source().read(&source::join(chart, "Chart.yaml")) else { return Ok(()) };
    let text = SourceText::new(loader.shown(chart), String::from_utf8_lossy(&bytes).into_owned());
    let found = yaml::parse(&text, Dialect::V2).map(|tree| decode::text(&tree, "version")).unwrap_or_default();
    let fits = match (Constraints::parse(wanted), Version::parse(&found)) {
        (Ok(range), Ok(version)) => range.check(&version),
        _ => true,
    };
    if found == wanted || fits {
        return Ok(());
    }
    let message = format!("the chart at `{}` is of version {found}, and {wanted} is wanted", loader.shown(chart));
    let fault = Diagnostic::input("kustomize-chart-stale", message);
    Err(Box::new(fault.hint("delete the folder: the right version is then pulled")))
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
