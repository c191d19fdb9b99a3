//! A chart and values to a [`Release`], step by step as Helm does it.
//!
//! In: a loaded chart, options, the user's values, and what must not be ambient. Out: the release, or the first fault.
//! Order matters: a wrong name is told before a wrong value, a missing dependency before a schema violation.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText, Span, Warnings};
use crate::gotmpl::{Stack, on_render_stack};
use crate::source::threads;

use super::aside::Board;
use super::blame::Origins;
use super::capabilities::{Capabilities, KubeVersion};
use super::chart::Chart;
use super::dependencies;
use super::graph::{Graph, NodeId, ROOT};
use super::manifests::{self, Printed};
use super::release::{Crd, Release, push_document};
use super::run::{self, Ambient, Threads};
use super::schema::Checks;
use super::values::UserValues;
use super::stage::Stage;
use super::{aside, inputs, names};

/// What a render is told besides the chart and the values.
#[derive(Clone, Debug)]
pub struct ReleaseOptions {
    /// The release's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// `.Release.IsUpgrade` rather than `.Release.IsInstall`.
    pub is_upgrade: bool,
    /// The Kubernetes version; the profile's own if nothing is given.
    pub kube_version: Option<KubeVersion>,
    /// API versions besides the profile's own.
    pub api_versions: Vec<String>,
    /// Leaves `values.schema.json` alone.
    pub skip_schema_validation: bool,
    /// Whose behaviour to follow.
    pub profile: Profile,
    /// True where other renders have the machine's other cores; one thread works on this one then.
    pub one_thread: bool,
    /// True where the process ends soon after: what the render held is left to the system, which takes it back sooner than it could
    /// be taken apart.
    pub last: bool,
}

impl ReleaseOptions {
    /// Drops what a render held, or leaves it to the system.
    fn leave<T>(&self, held: T) {
        if self.last {
            std::mem::forget(held);
        }
    }
}

impl Default for ReleaseOptions {
    fn default() -> ReleaseOptions {
        ReleaseOptions {
            name: names::NAME_UNSAID.to_owned(),
            namespace: "default".to_owned(),
            is_upgrade: false,
            kube_version: None,
            api_versions: Vec::new(),
            skip_schema_validation: false,
            profile: Profile::default(),
            one_thread: false,
            last: false,
        }
    }
}

/// A render that failed.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub fault: Box<Diagnostic>,
    /// What the templates printed, if they all ran and only what they printed was wrong; for `--debug`.
    pub rendered: String,
    /// The same by path, before anything was cut.
    texts: Vec<(Arc<str>, String)>,
}

impl Failure {
    /// The failure with the place in a template that printed what the fault points at, if `printer` finds it.
    fn blamed(mut self, printer: impl FnOnce(&str, &str, usize) -> Option<(SourceText, Span)>) -> Failure {
        let Some(label) = self.fault.labels.first() else { return self };
        let document = label.source.text();
        let found = self.texts.iter().find_map(|(path, text)| {
            let is_it = label.source.name().strip_prefix(&**path).is_some_and(|rest| rest.starts_with(" (as"));
            Some((path, text, text.find(document).filter(|_| is_it)? + label.span.start as usize))
        });
        if let Some((source, span)) = found.and_then(|(path, text, offset)| printer(path, text, offset)) {
            *self.fault = self.fault.clone().at(&source, span, "printed here");
        }
        self
    }
}

impl From<Box<Diagnostic>> for Failure {
    fn from(fault: Box<Diagnostic>) -> Failure {
        Failure { fault, rendered: String::new(), texts: Vec::new() }
    }
}

/// Renders a chart.
pub fn render(chart: &Arc<Chart>, options: &ReleaseOptions, values: &UserValues<'_>, ambient: &mut dyn Ambient) -> Result<Release> {
    render_or_explain(chart, options, values, ambient).map_err(|failure| failure.fault)
}

/// Renders a chart; a failure carries what was printed. Runs on a thread with a stack for Helm's thousand nested includes.
pub fn render_or_explain(
    chart: &Arc<Chart>,
    options: &ReleaseOptions,
    values: &UserValues<'_>,
    ambient: &mut dyn Ambient,
) -> Result<Release, Failure> {
    on_render_stack(|stack| render_on(chart, options, values, ambient, stack))
}

fn render_on(
    chart: &Arc<Chart>,
    options: &ReleaseOptions,
    values: &UserValues<'_>,
    ambient: &mut dyn Ambient,
    stack: Stack,
) -> Result<Release, Failure> {
    let board = Board::default();
    let help = || {
        let helping = board.helping();
        // what fails here fails on the render's own thread, which tells it
        let staged = values.merged(options.profile, chart.values_read()).and_then(|user| Stage::set(chart, options, &user));
        let Ok(stage) = staged else { return };
        let ordered = stage.runnables();
        helping.run(&run::printing(&ordered), options.profile, Stack::within(threads::STACK_BYTES_SHORT));
        options.leave((stage, ordered));
    };
    std::thread::scope(|scope| {
        let _closing = board.closing();
        let wanted = aside::wanted(chart, options, values);
        for helper in 0..wanted {
            threads::beside(scope, helper + 1, help);
        }
        let threads = Threads { stack, board: &board, helpers: wanted };
        render_with(chart, options, values, ambient, threads)
    })
}

fn render_with(
    chart: &Arc<Chart>,
    options: &ReleaseOptions,
    values: &UserValues<'_>,
    ambient: &mut dyn Ambient,
    threads: Threads<'_>,
) -> Result<Release, Failure> {
    let profile = options.profile;
    let user = values.merged(profile, chart.values_read())?;
    ambient.begin(&|| inputs::digest(chart, &user, options));
    check_installable(chart)?;
    names::check(&options.name)?;
    let stage = Stage::set(chart, options, &user)?;
    let origins = Origins { user: values, chart };
    let checks = if options.skip_schema_validation { Checks::default() } else { Checks::of(&stage.graph, &stage.values) };
    let mut warnings: Warnings = chart.warnings.iter().chain(&stage.remarks).map(|text| remark(text)).collect();
    let stack = threads.stack;
    let ordered = stage.runnables();
    let ran = checked(checks, options, &origins, || {
        check_kube_version(chart, &stage.capabilities)?;
        run::all(&ordered, profile, &origins, ambient, &mut warnings, threads)
    });
    all_read(&stage.graph, ROOT)?;
    let (printed, templates) = ran?;
    let finished = finish(&stage.graph, options, printed, warnings).map_err(|failure| {
        let blame = |path: &str, text: &str, offset| {
            run::printer_of(&stage.runnables(), profile, ambient, stack, (path, text, offset))
        };
        failure.blamed(blame)
    });
    options.leave((stage, ordered, templates));
    finished
}

/// Fails if a template wanted a file that could be read no longer; it was told that the file is empty.
fn all_read(graph: &Graph, id: NodeId) -> Result<()> {
    if let Some(fault) = graph.chart(id).files.iter().find_map(|file| file.data.fault()) {
        return Err(Box::new(fault.clone()));
    }
    graph.children(id).iter().try_for_each(|&child| all_read(graph, child))
}

/// Does the work, and checks values beside it: what is wrong with them is told first.
fn checked<R>(
    checks: Checks,
    options: &ReleaseOptions,
    origins: &Origins<'_>,
    work: impl FnOnce() -> Result<R>,
) -> Result<R> {
    let profile = options.profile;
    if !checks.are_many() || options.one_thread || std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1) {
        checks.report(profile).told(origins)?;
        return work();
    }
    std::thread::scope(|scope| {
        let report = threads::beside(scope, 1, || checks.report(profile));
        let done = work();
        threads::joined(report).told(origins)?;
        done
    })
}

fn remark(text: &str) -> Diagnostic {
    Diagnostic::warning("values-remark", text)
}

fn check_installable(chart: &Chart) -> Result<()> {
    if !matches!(chart.metadata.kind.as_str(), "" | "application") {
        let message = format!("{} charts are not installable", chart.metadata.kind);
        let fault = Diagnostic::input("chart-not-installable", message);
        return Err(Box::new(fault.hint("render a chart that depends on it")));
    }
    let missing = chart.missing();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "an error occurred while checking for chart dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        missing.join(", ")
    );
    let fault = Diagnostic::input("chart-dependencies-missing", message);
    Err(Box::new(fault.hint("bring the missing charts into the `charts` folder with `hydrant deps build`")))
}

fn check_kube_version(chart: &Chart, capabilities: &Capabilities) -> Result<()> {
    let wanted = &chart.metadata.kube_version;
    let kube = &capabilities.kube_version;
    if wanted.is_empty() || dependencies::is_compatible(wanted, &kube.normalized) {
        return Ok(());
    }
    let message = format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {}", kube.version);
    Err(Box::new(Diagnostic::input("chart-kube-version", message).hint("set `--kube-version` to the cluster's version")))
}

/// Sorts what was printed; notes, which `helm template` does not show, are left out.
fn finish(graph: &Graph, options: &ReleaseOptions, printed: Vec<Printed>, mut warnings: Warnings) -> Result<Release, Failure> {
    let mut files: Vec<Printed> = printed.into_iter().filter(|file| !manifests::is_notes(&file.path)).collect();
    let sorted = manifests::sort(&mut files, options.profile).map_err(|fault| {
        let texts = files.iter().map(|file| (file.path.clone(), file.text.to_string())).collect();
        let mut rendered = String::new();
        for file in files.iter().filter(|file| !manifests::go_trim(&file.text).is_empty()) {
            push_document(&mut rendered, &file.path, &file.text);
        }
        let trimmed = manifests::go_trim(&rendered).to_owned() + "\n";
        Failure { fault, rendered: trimmed, texts }
    })?;
    warnings.extend(sorted.warnings.iter().map(|text| remark(text)));
    let mut crds = Vec::new();
    collect_crds(graph, ROOT, &mut crds);
    let mut chart = String::new();
    let _ = write!(chart, "{}-{}", graph.name(ROOT), graph.chart(ROOT).metadata.version);
    Ok(Release {
        name: options.name.clone(),
        chart,
        crds,
        manifests: sorted.manifests,
        hooks: sorted.hooks,
        warnings,
        profile: options.profile,
    })
}

/// The files of `crds/` of a chart, then of its subcharts.
fn collect_crds(graph: &Graph, id: NodeId, crds: &mut Vec<Crd>) {
    for file in graph.chart(id).crds() {
        let path = crate::source::clean(&format!("{}/{}", graph.path(id), file.name));
        crds.push(Crd::new(path, file.data.clone()));
    }
    for &child in graph.children(id) {
        collect_crds(graph, child, crds);
    }
}
