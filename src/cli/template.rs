//! `hydrant template`: `helm template`, flag for flag.
//!
//! Flags that only matter to a cluster are taken and do nothing, as in `helm template`; those that would start a program
//! or reach a cluster are refused by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::helm::{
    Chart, KubeVersion, NAME_UNSAID, Print, ReleaseOptions, UserValues, render_or_explain, templated_name, values_text,
};
use crate::source::{Disk, Memory, Source as _};

use super::Outcome;
use super::chart_flags::{ChartFlags, Servers};
use super::connection::wait;
use super::deps;
use super::pflag;
use super::seed::{SeedArgs, World};
use super::store;
use super::terminal::Terminal;

/// Bytes that a values file may have, or a file that `--set-file` names: more than any cluster would keep of a release.
const VALUES_BYTES_MAX: u64 = 32 << 20;

/// The arguments of `hydrant template`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The release's name, and the chart: a folder or a packed chart
    #[arg(value_name = "NAME] [CHART", required = true, num_args = 1..)]
    names: Vec<String>,
    /// API versions that `.Capabilities.APIVersions` has besides the usual ones
    #[arg(short = 'a', long, value_parser = pflag::list, value_name = "VERSIONS")]
    api_versions: Vec<pflag::List>,
    /// Bring missing dependencies into `charts/` before rendering, as `deps update` does
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    dependency_update: bool,
    /// A description of the release; of no effect
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// `client` or nothing; `server` is refused
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "client", value_name = "WHERE")]
    dry_run: Option<String>,
    /// Let `getHostByName` ask the network
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    enable_dns: bool,
    /// Make up the release's name
    #[arg(short = 'g', long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    generate_name: bool,
    /// Print the files of `crds/` too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    include_crds: bool,
    /// Set `.Release.IsUpgrade` in place of `.Release.IsInstall`
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    is_upgrade: bool,
    /// The Kubernetes version that `.Capabilities.KubeVersion` has
    #[arg(long, value_name = "VERSION", default_value = "", hide_default_value = true)]
    kube_version: String,
    /// A template for the release's name
    #[arg(long, value_name = "TEMPLATE", default_value = "", hide_default_value = true)]
    name_template: String,
    /// Leave hooks out
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    no_hooks: bool,
    /// Write each template's documents to a file in this folder
    #[arg(long, value_name = "DIR", default_value = "", hide_default_value = true)]
    output_dir: String,
    /// Put the release's name into the path under --output-dir
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    release_name: bool,
    /// Values on the command line: a.b=1,c={x,y}
    #[arg(long, value_name = "VALUES")]
    set: Vec<String>,
    /// Values that are the contents of files: a.b=path
    #[arg(long, value_name = "VALUES")]
    set_file: Vec<String>,
    /// Values in JSON: a.b={"c":1}, or one JSON object
    #[arg(long, value_name = "VALUES")]
    set_json: Vec<String>,
    /// A text, taken as it stands: a.b=any,thing
    #[arg(long, value_name = "VALUE")]
    set_literal: Vec<String>,
    /// Values that stay texts: a.b=1
    #[arg(long, value_name = "VALUES")]
    set_string: Vec<String>,
    /// Print the documents of these templates only
    #[arg(short = 's', long, value_name = "PATH")]
    show_only: Vec<String>,
    /// Do not check values against values.schema.json
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    skip_schema_validation: bool,
    /// Leave test hooks out
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    skip_tests: bool,
    /// Values files; `-` is stdin
    #[arg(short = 'f', long, value_parser = pflag::list, value_name = "FILES")]
    values: Vec<pflag::List>,
    /// The release's namespace
    #[arg(short = 'n', long, value_name = "NAME", default_value = "", hide_default_value = true)]
    namespace: String,
    /// Print what was rendered even if it is no YAML
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    debug: bool,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    chart: ChartFlags,
    #[command(flatten)]
    refused: Refused,
    #[command(flatten)]
    inert: Inert,
}

/// Flags of Helm's that are refused.
#[derive(clap::Args)]
struct Refused {
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    validate: Option<Option<bool>>,
    #[arg(long, hide = true)]
    post_renderer: Option<String>,
}

/// Flags of Helm's that change nothing in what `helm template` prints; what Helm cannot read is refused all the same.
#[derive(clap::Args)]
struct Inert {
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    atomic: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    create_namespace: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    disable_openapi_validation: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    force: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    force_conflicts: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    force_replace: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    hide_notes: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    render_subchart_notes: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    replace: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    rollback_on_failure: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    server_side: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    skip_crds: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    take_ownership: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    wait_for_jobs: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = pflag::boolean)]
    kube_insecure_skip_tls_verify: Option<Option<bool>>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = ["watcher", "hookOnly", "legacy", "true", "false"])]
    wait: Option<Option<String>>,
    #[arg(long, hide = true, value_parser = pflag::duration)]
    timeout: Option<String>,
    #[arg(short = 'l', long, hide = true, value_parser = pflag::labels)]
    labels: Vec<pflag::List>,
    #[arg(long, hide = true, alias = "colour", value_parser = ["never", "auto", "always"])]
    color: Option<String>,
    #[arg(long, hide = true)]
    burst_limit: Option<i64>,
    #[arg(long, hide = true)]
    qps: Option<f32>,
    #[arg(long, hide = true)]
    kube_apiserver: Option<String>,
    #[arg(long, hide = true)]
    kube_as_user: Option<String>,
    #[arg(long, hide = true)]
    kube_ca_file: Option<String>,
    #[arg(long, hide = true)]
    kube_context: Option<String>,
    #[arg(long, hide = true)]
    kube_tls_server_name: Option<String>,
    #[arg(long, hide = true)]
    kube_token: Option<String>,
    #[arg(long, hide = true)]
    kubeconfig: Option<String>,
    #[arg(long, hide = true)]
    post_renderer_args: Vec<String>,
    #[arg(long, hide = true)]
    kube_as_group: Vec<String>,
}

/// Runs the command.
pub(super) fn run(args: Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    refuse(&args)?;
    let mut ambient = args.seed.world(args.enable_dns)?;
    let (name, chart_name) = name_and_chart(&args, &mut ambient)?;
    let servers = Servers::about(&args.chart.server, &[&chart_name])?;
    let read_file = |path: &str| read(path, &servers).map(|bytes| bytes.to_vec());
    let values = UserValues {
        files: args
            .values
            .iter()
            .flat_map(|list| &list.0)
            .map(|path| values_file(path, &servers, profile))
            .collect::<Result<_>>()?,
        json: args.set_json.clone(),
        set: args.set.clone(),
        strings: args.set_string.clone(),
        from_files: args.set_file.clone(),
        literals: args.set_literal.clone(),
        read_file: Some(&read_file),
    };
    let chart = located(&args, &chart_name, &servers, profile, terminal)?;
    let options = ReleaseOptions {
        name,
        namespace: namespace(&args),
        is_upgrade: args.is_upgrade,
        kube_version: kube_version(&args, profile)?,
        api_versions: args.api_versions.iter().flat_map(|list| &list.0).cloned().collect(),
        skip_schema_validation: args.skip_schema_validation,
        profile,
        one_thread: false,
        last: true,
    };
    let release = match render_or_explain(&chart, &options, &values, &mut ambient) {
        Ok(release) => release,
        Err(failure) => {
            if args.debug {
                terminal.data(&failure.rendered)?;
            }
            return Err(failure.fault);
        }
    };
    for warning in &release.warnings {
        terminal.report(warning);
    }
    let print = Print {
        include_crds: args.include_crds,
        no_hooks: args.no_hooks,
        skip_tests: args.skip_tests,
        show_only: args.show_only.clone(),
    };
    if args.output_dir.is_empty() {
        terminal.data(release.print(&print)?)?;
    } else {
        write_folder(&args, &release, &print, terminal)?;
    }
    // the process ends here, and the system takes its memory back sooner than a large chart could be taken apart
    std::mem::forget((release, chart, values));
    Ok(Outcome::Done)
}

/// The chart, from disk or from where it is kept.
fn located(args: &Args, name: &str, servers: &Servers, profile: Profile, terminal: &Terminal) -> Result<Arc<Chart>> {
    let Some(wanted) = servers.understand(name, &args.chart)? else {
        let path = absolute(name.trim())?;
        let chart = Chart::load_as(&Disk, &path, name.trim(), profile)?;
        if args.dependency_update && !chart.missing().is_empty() {
            deps::update_chart(&path, servers, profile, &mut |line| terminal.note(line))?;
            return Chart::load_as(&Disk, &path, name.trim(), profile);
        }
        return Ok(chart);
    };
    let (found, packed) = servers.fetch(&wanted, false, terminal)?;
    let mut memory = Memory::new();
    let path = format!("/{}", found.file_name());
    memory.insert(&path, packed.bytes);
    Chart::load(&memory, &path, profile)
}

fn refuse(args: &Args) -> Result<()> {
    args.chart.check()?;
    let on = |flag: Option<Option<bool>>| flag.is_some_and(|value| value != Some(false));
    let refused = &args.refused;
    let (flag, why) = if on(refused.validate) {
        ("--validate", "it asks a cluster")
    } else if refused.post_renderer.is_some() {
        ("--post-renderer", "it starts a program")
    } else if args.dry_run.as_deref() == Some("server") {
        ("--dry-run=server", "it asks a cluster")
    } else {
        return contradictions(args);
    };
    Err(Box::new(Diagnostic::input("flag-refused", format!("`{flag}` is not supported: {why}"))))
}

/// What Helm refuses although it would change nothing.
fn contradictions(args: &Args) -> Result<()> {
    let wrong = |message: String| Err(Box::new(Diagnostic::input("arguments", message)));
    let inert = &args.inert;
    if let Some(mode) = args.dry_run.as_deref().filter(|mode| *mode != "client" && pflag::boolean(mode) != Ok(true)) {
        return wrong(format!("`--dry-run` is `client` or `server`, not `{mode}`"));
    }
    if inert.force_conflicts.is_some() && (inert.force_replace.is_some() || inert.force.is_some()) {
        return wrong("`--force-conflicts` does not go with `--force-replace`".to_owned());
    }
    let keys = inert.labels.iter().flat_map(|labels| &labels.0).filter_map(|pair| pair.split_once('='));
    if let Some((key, _)) = keys.into_iter().find(|(key, _)| SYSTEM_LABELS.contains(key)) {
        return wrong(format!("`--labels` sets `{key}`, which is Helm's own"));
    }
    let authorities = &args.chart.server.ca_file;
    if !authorities.is_empty() && Disk.kind(&absolute(authorities)?).is_none() {
        return wrong(format!("`--ca-file`: no file at `{authorities}`"));
    }
    Ok(())
}

/// Labels that Helm keeps for itself.
const SYSTEM_LABELS: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

fn name_and_chart(args: &Args, ambient: &mut World) -> Result<(String, String)> {
    let wrong = |message: &str| Err(Box::new(Diagnostic::input("arguments", message)));
    match args.names.as_slice() {
        [name, chart] => {
            if args.generate_name {
                return wrong("cannot set --generate-name and also specify a name");
            }
            if !args.name_template.is_empty() {
                return wrong("cannot set --name-template and also specify a name");
            }
            Ok((name.clone(), chart.clone()))
        }
        [chart] if !args.name_template.is_empty() => Ok((templated_name(&args.name_template, ambient)?, chart.clone())),
        [chart] => Ok((NAME_UNSAID.to_owned(), chart.clone())),
        names => {
            let rest = names.get(2..).unwrap_or_default().join(", ");
            wrong(&format!("expected at most two arguments, unexpected arguments: {rest}"))
        }
    }
}

fn kube_version(args: &Args, profile: Profile) -> Result<Option<KubeVersion>> {
    if args.kube_version.is_empty() { Ok(None) } else { KubeVersion::parse(&args.kube_version, profile).map(Some) }
}

#[expect(clippy::disallowed_methods, reason = "the environment is read here and handed on")]
fn namespace(args: &Args) -> String {
    if !args.namespace.is_empty() {
        return args.namespace.clone();
    }
    std::env::var("HELM_NAMESPACE").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned())
}

fn values_file(path: &str, servers: &Servers, profile: Profile) -> Result<SourceText> {
    let bytes = read(path, servers).map_err(|mut fault| {
        fault.message = format!("cannot read values: {}", fault.message);
        fault
    })?;
    let name = if path.trim() == "-" { "stdin" } else { path };
    values_text(name, &bytes, profile).map_err(|mut fault| {
        fault.message = format!("failed to parse {name}: {}", fault.message);
        fault
    })
}

fn read(path: &str, servers: &Servers) -> Result<Arc<[u8]>> {
    if path.trim() == "-" {
        let mut bytes = Vec::new();
        let failed = |error| Box::new(Diagnostic::unreachable("stdin", format!("cannot read stdin: {error}")));
        std::io::stdin().lock().take(VALUES_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > VALUES_BYTES_MAX {
            return Err(Box::new(Diagnostic::input(
                "source-file-too-large",
                format!("stdin has more than {VALUES_BYTES_MAX} bytes"),
            )));
        }
        return Ok(bytes.into());
    }
    if let Err(why) = crate::go::url::Url::parse(path.as_bytes()) {
        return Err(Box::new(Diagnostic::input("values-path", format!("`{path}` is neither a path nor a URL: {why}"))));
    }
    if path.starts_with("http://") || path.starts_with("https://") {
        return wait(servers.fetcher.file(path, None)).map(|(_, bytes)| bytes);
    }
    let whole = absolute(path)?;
    Disk.read_at_most(&whole, VALUES_BYTES_MAX).map_err(|mut fault| {
        // named as the user named it
        fault.message = fault.message.replace(&whole, path);
        fault
    })
}

fn absolute(path: &str) -> Result<String> {
    let failed = || Box::new(Diagnostic::input("path", format!("cannot make an absolute path of `{path}`")));
    let path = std::path::absolute(path).map_err(|_| failed())?;
    Ok(crate::source::clean(path.to_str().ok_or_else(failed)?))
}

/// `--output-dir`: one file a template, its documents one after the other; a hook is added to what the file holds.
fn write_folder(args: &Args, release: &crate::helm::Release, print: &Print, terminal: &Terminal) -> Result<()> {
    let folder =
        if args.release_name { format!("{}/{}", args.output_dir, release.name) } else { args.output_dir.clone() };
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut written = String::new();
    for document in release.placed(print)? {
        let top = if document.is_crd { &args.output_dir } else { &folder };
        let path = format!("{top}/{}", document.path);
        let text = match files.entry(path.clone()) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let before =
                    absolute(entry.key()).ok().filter(|_| document.is_hook).and_then(|path| Disk.read(&path).ok());
                entry.insert(before.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default())
            }
        };
        crate::helm::push_document(text, document.path, document.text);
        let _ = writeln!(written, "wrote {path}");
    }
    for (path, text) in &files {
        store::write_file(Path::new(path), text.as_bytes())?;
    }
    written.push('\n');
    terminal.data(written)?;
    match args.show_only.first() {
        // what went to files is not there to choose from
        Some(pattern) => {
            let fault = Diagnostic::input("show-only", format!("could not find template {pattern} in chart"));
            Err(Box::new(fault.hint("leave `--show-only` or `--output-dir` out")))
        }
        None => Ok(()),
    }
}
