//! `hydrant deps`: what a source depends on, brought and locked; and `helm dependency`, which is the part about charts.
//!
//! A chart's dependencies go into its `charts/` folder, and `Chart.lock` says what they came to, byte for byte as Helm
//! writes it. What a kustomization takes from elsewhere is pinned in `hydrant.lock`; nothing is copied beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::archive::{TarWriter, gzip};
use crate::charts::{Dependency, LOCK_FILE, Located, Lock, Wanted, lock_digest, requirement_digest};
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::helm::{self, Ambient as _, Chart};
use crate::render::{self, Options};
use crate::source::{self, Disk, EntryKind, Memory, Source};

use super::Outcome;
use super::ambient::Ambient;
use super::bring::relock;
use super::chart_flags::{ServerFlags, Servers};
use super::connection::wait;
use super::deps_list;
use super::input::absolute;
use super::store;
use super::terminal::Terminal;

/// The arguments of `hydrant deps`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Find everything anew, bring it, and write the locks
    #[command(visible_alias = "up")]
    Update(One),
    /// Bring a chart's dependencies as its Chart.lock says
    Build(One),
    /// List a chart's dependencies, and whether they are there
    #[command(visible_alias = "ls")]
    List(One),
}

/// One source.
#[derive(clap::Args)]
struct One {
    /// A chart's folder or a kustomization
    #[arg(default_value = ".")]
    source: String,
    /// Leave hydrant.lock alone; what a call as `helm` means
    #[arg(long, hide = true)]
    charts_only: bool,
    /// Take the indices that Helm has cached
    #[arg(long, hide = true)]
    skip_refresh: bool,
    /// Verify provenance (refused: PGP signatures are not read)
    #[arg(long, hide = true)]
    verify: bool,
    #[arg(long, hide = true)]
    keyring: Option<String>,
    #[arg(long, hide = true)]
    max_col_width: Option<usize>,
    #[command(flatten)]
    server: ServerFlags,
}

/// Runs the command.
pub(super) fn run(args: Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    let (What::Update(one) | What::Build(one) | What::List(one)) = &args.what;
    if one.verify {
        let fault = Diagnostic::input("flag-refused", "`--verify` is not supported: PGP signatures are not read");
        return Err(Box::new(fault.hint("use Helm's own `dependency` command for it")));
    }
    let path = absolute(&one.source)?;
    if let What::List(one) = &args.what {
        let text = deps_list::list(&path, &one.source, one.max_col_width.unwrap_or(80), profile)?;
        terminal.data(text)?;
        return Ok(Outcome::Done);
    }
    let kind = render::kind(&Disk, &path)?;
    if kind == render::Kind::Chart {
        let mut said = Ok(());
        let mut say = |line: String| {
            if said.is_ok() {
                said = terminal.data(line + "\n");
            }
        };
        match &args.what {
            What::Build(_) => build_chart(&path, &one.server, profile, &mut say)?,
            _ => update_chart(&path, &servers_for(&path, &one.server, profile)?, profile, &mut say)?,
        }
        said?;
    }
    // a chart's own lock is Helm's; kustomizations are what takes more from elsewhere
    if kind == render::Kind::Kustomization && !one.charts_only {
        renew(&path, profile, one.server.offline, terminal)?;
    }
    Ok(Outcome::Done)
}

/// Renews hydrant.lock; one that would pin nothing is not left behind.
fn renew(path: &str, profile: Profile, offline: bool, terminal: &Terminal) -> Result<()> {
    let there = Disk.kind(&format!("{path}/{LOCK_FILE}")).is_some();
    let render = |source: &dyn Source, options: &Options| {
        render::render(source, path, options, &mut Ambient::new(false)).map(|_| ())
    };
    let pins = relock(path, &Options::of(profile), offline, terminal, render)?;
    if pins.is_empty() && !there {
        let _ = fs::remove_file(format!("{path}/{LOCK_FILE}"));
        return Ok(());
    }
    let counted = pins.charts.len() + pins.bases.len() + pins.files.len();
    terminal.note(format_args!("{LOCK_FILE}: {counted} pinned, for {}", pins.profile));
    Ok(())
}

/// Servers, told which registries the chart's dependencies come from.
fn servers_for(path: &str, flags: &ServerFlags, profile: Profile) -> Result<Servers> {
    let chart = Chart::load(&Disk, path, profile)?;
    let hosts: Vec<&str> = chart.metadata.dependencies.iter().flatten().map(|row| row.repository.as_str()).collect();
    Servers::about(flags, &hosts)
}

/// `helm dependency update`: resolves, downloads into `charts/`, and writes the lock. `say` hears what Helm would print.
pub(super) fn update_chart(path: &str, servers: &Servers, profile: Profile, say: &mut dyn FnMut(String)) -> Result<()> {
    let chart = Chart::load(&Disk, path, profile)?;
    let Some(rows) = &chart.metadata.dependencies else { return Ok(()) };
    let wanted = named(rows, path, servers)?;
    let mut resolved = Vec::with_capacity(wanted.len());
    let mut lacking = Vec::new();
    for row in &wanted {
        match resolve(row, path, servers, profile)? {
            Some(found) => resolved.push(found),
            None => {
                lacking.push(format!("{:?} (repository {:?}, version {:?})", row.name, row.repository, row.version));
            }
        }
    }
    if !lacking.is_empty() {
        let text = format!("can't get a valid version for {} subchart(s): {}", lacking.len(), lacking.join(", "));
        let fault = Diagnostic::input("chart-dependency-version", text);
        return Err(Box::new(fault.hint("make sure a matching version exists, or change the range in Chart.yaml")));
    }
    bring(path, &resolved, servers, profile, say)?;
    write_lock(path, &chart, &wanted, resolved.into_iter().map(|found| found.row).collect())
}

/// `helm dependency build`: as the lock says; without one, as an update.
fn build_chart(path: &str, flags: &ServerFlags, profile: Profile, say: &mut dyn FnMut(String)) -> Result<()> {
    let servers = servers_for(path, flags, profile)?;
    let chart = Chart::load(&Disk, path, profile)?;
    let Some(lock) = read_lock(path)? else { return update_chart(path, &servers, profile, say) };
    let rows = chart.metadata.dependencies.clone().unwrap_or_default();
    let wanted = named(&rows, path, &servers)?;
    let as_written: Vec<Dependency> = rows.iter().map(dependency).collect();
    let old_form = chart.metadata.api_version == "v1" && requirement_digest(&as_written) == lock.digest;
    if lock_digest(&wanted, &lock.dependencies) != lock.digest && !old_form {
        let (lock, yaml) = if chart.metadata.api_version == "v1" {
            ("requirements.lock", "requirements.yaml")
        } else {
            ("Chart.lock", "Chart.yaml")
        };
        let text = format!("the lock file ({lock}) is out of sync with the dependencies file ({yaml})");
        return Err(Box::new(
            Diagnostic::input("chart-lock-stale", text).hint("update the dependencies with `hydrant deps update`"),
        ));
    }
    let mut resolved = Vec::new();
    for row in &lock.dependencies {
        let Some(found) = resolve(row, path, &servers, profile)? else {
            let text = format!("could not find {} {} in {}, as the lock says", row.name, row.version, row.repository);
            let fault = Diagnostic::input("chart-no-version", text);
            return Err(Box::new(fault.hint("update the dependencies with `hydrant deps update`")));
        };
        resolved.push(found);
    }
    bring(path, &resolved, &servers, profile, say)
}

/// A dependency with its version, and where it is.
struct Resolved {
    row: Dependency,
    from: From,
}

enum From {
    /// In `charts/` already.
    Charts,
    /// In a folder on disk.
    Folder(String),
    /// In a repository or registry.
    Elsewhere(Box<(Wanted, Located)>),
}

/// The rows with the aliases of repositories replaced by their URLs, as Helm digests them.
fn named(rows: &[helm::Dependency], path: &str, servers: &Servers) -> Result<Vec<Dependency>> {
    let mut named = Vec::with_capacity(rows.len());
    let mut unknown = Vec::new();
    for row in rows {
        let mut row = dependency(row);
        let repository = row.repository.clone();
        if let Some(local) = repository.strip_prefix("file://") {
            let folder = source::join(path, local);
            if Disk.kind(&folder).is_none() {
                return Err(missing_folder(&folder));
            }
        } else if let Some(entry) = servers.repositories.aliased(&repository) {
            row.repository.clone_from(&entry.url);
        } else if !repository.is_empty() && !repository.contains("://") {
            unknown.push(repository);
        }
        named.push(row);
    }
    if unknown.is_empty() {
        return Ok(named);
    }
    let fault = Diagnostic::input("repository-unknown", format!("no repository definition for {}", unknown.join(", ")));
    Err(Box::new(fault.hint("add it with `helm repo add`, or write the repository's URL in its place")))
}

fn dependency(row: &helm::Dependency) -> Dependency {
    Dependency {
        name: row.name.clone(),
        version: row.version.clone(),
        repository: row.repository.clone(),
        condition: row.condition.clone(),
        tags: row.tags.clone(),
        enabled: row.enabled,
        import_values: row.import_values.clone(),
        alias: row.alias.clone(),
    }
}

/// The version that a row comes to; nothing if there is none in its range.
fn resolve(row: &Dependency, path: &str, servers: &Servers, profile: Profile) -> Result<Option<Resolved>> {
    crate::go::semver::Constraints::parse(&row.version).map_err(|why| {
        let text = format!("dependency {:?} has an invalid version/constraint format: {why}", row.name);
        Box::new(Diagnostic::input("chart-dependency-range", text))
    })?;
    let at = |version: &str, from| {
        let row = Dependency {
            name: row.name.clone(),
            version: version.to_owned(),
            repository: row.repository.clone(),
            ..Dependency::default()
        };
        Ok(Some(Resolved { row, from }))
    };
    if row.repository.is_empty() {
        let folder = format!("{path}/charts/{}", row.name);
        return if Disk.kind(&folder).is_some() {
            at(&row.version, From::Charts)
        } else {
            Err(missing_folder(&folder))
        };
    }
    if let Some(local) = row.repository.strip_prefix("file://") {
        let folder = source::join(path, local);
        let chart = Chart::load(&Disk, &folder, profile)?;
        let version = &chart.metadata.version;
        return if helm::is_compatible(&row.version, version) { at(version, From::Folder(folder)) } else { Ok(None) };
    }
    let wanted = Wanted {
        place: servers.place(&row.repository, &row.name)?,
        name: row.name.clone(),
        version: row.version.clone(),
    };
    match wait(servers.fetcher.locate(&wanted)) {
        Ok(located) => {
            let version = located.version.clone();
            at(&version, From::Elsewhere(Box::new((wanted, located))))
        }
        Err(fault) if fault.code == "chart-no-version" => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Puts packed charts into `charts/`, and takes out those that are of no use any more.
fn bring(
    path: &str,
    resolved: &[Resolved],
    servers: &Servers,
    profile: Profile,
    say: &mut dyn FnMut(String),
) -> Result<()> {
    say(format!("Saving {} charts", resolved.len()));
    let mut files: Vec<(String, Arc<[u8]>)> = Vec::new();
    let mut fetched = BTreeSet::new();
    for found in resolved {
        let row = &found.row;
        match &found.from {
            From::Charts => {
                say(format!(
                    "Dependency {} did not declare a repository. Assuming it exists in the charts directory",
                    row.name
                ));
                check_own(path, row, profile)?;
            }
            From::Folder(folder) => files.push(packed(folder, profile)?),
            From::Elsewhere(elsewhere) if !fetched.insert(elsewhere.1.url.clone()) => {
                say(format!("Already downloaded {} from repo {}", row.name, row.repository));
            }
            From::Elsewhere(elsewhere) => {
                let (wanted, located) = &**elsewhere;
                say(format!("Downloading {} from repo {}", row.name, row.repository));
                let packed = wait(servers.fetcher.packed(wanted, located, false))?;
                files.push((located.file_name(), packed.bytes));
            }
        }
    }
    for (name, bytes) in &files {
        let mut memory = Memory::new();
        memory.insert("/chart.tgz", bytes.clone());
        Chart::load(&memory, "/chart.tgz", profile)
            .map_err(|fault| Box::new(fault.trail(format!("in `{name}`"), None)))?;
    }
    let folder = format!("{path}/charts");
    let before = if Disk.kind(&folder) == Some(EntryKind::Folder) { Disk.list(&folder)? } else { Vec::new() };
    for (name, bytes) in &files {
        store::write_file(Path::new(&format!("{folder}/{name}")), bytes)?;
    }
    say("Deleting outdated charts".to_owned());
    let own: Vec<&str> =
        resolved.iter().filter(|found| found.row.repository.is_empty()).map(|found| found.row.name.as_str()).collect();
    for entry in before
        .iter()
        .filter(|entry| entry.kind == Some(EntryKind::File) && !files.iter().any(|(name, _)| *name == entry.name))
    {
        let file = format!("{folder}/{}", entry.name);
        // what is no chart was not put there by us
        if Chart::load(&Disk, &file, profile).is_ok_and(|chart| !own.contains(&chart.metadata.name.as_str())) {
            fs::remove_file(&file).map_err(|error| {
                Box::new(Diagnostic::unreachable("write-failed", format!("cannot delete `{file}`: {error}")))
            })?;
        }
    }
    Ok(())
}

/// A chart that stands in `charts/` must be of the version asked for.
fn check_own(path: &str, row: &Dependency, profile: Profile) -> Result<()> {
    let chart = Chart::load(&Disk, &format!("{path}/charts/{}", row.name), profile)?;
    let version = &chart.metadata.version;
    if helm::is_compatible(&row.version, version) {
        return Ok(());
    }
    let text = format!("dependency {} at version {version} does not satisfy the constraint {}", row.name, row.version);
    Err(Box::new(Diagnostic::input("chart-dependency-version", text)))
}

/// A chart's folder, packed: the same bytes from the same files.
fn packed(folder: &str, profile: Profile) -> Result<(String, Arc<[u8]>)> {
    let chart = Chart::load(&Disk, folder, profile)?;
    let (name, version) = (&chart.metadata.name, &chart.metadata.version);
    let mut tar = TarWriter::<Vec<u8>>::default();
    for (file, bytes) in helm::chart_files(&Disk, folder, profile)? {
        tar.file(&format!("{name}/{file}"), &bytes);
    }
    Ok((format!("{name}-{version}.tgz"), gzip(&tar.finish()).into()))
}

fn read_lock(path: &str) -> Result<Option<Lock>> {
    for name in ["Chart.lock", "requirements.lock"] {
        let file = format!("{path}/{name}");
        if Disk.kind(&file) == Some(EntryKind::File) {
            let text = String::from_utf8_lossy(&Disk.read(&file)?).into_owned();
            return Lock::parse(&SourceText::new(file, text)).map(Some);
        }
    }
    Ok(None)
}

/// Writes the lock, unless the one that is there says the same.
fn write_lock(path: &str, chart: &Chart, wanted: &[Dependency], locked: Vec<Dependency>) -> Result<()> {
    let digest = lock_digest(wanted, &locked);
    if read_lock(path)?.is_some_and(|old| old.digest == digest) {
        return Ok(());
    }
    let (seconds, nanos) = Ambient::new(false).now();
    let now = jiff::Timestamp::new(seconds, nanos as i32).map(|now| now.to_string()).unwrap_or_default();
    let lock = Lock { generated: now, digest, dependencies: locked };
    let name = if chart.metadata.api_version == "v1" { "requirements.lock" } else { "Chart.lock" };
    let file = format!("{path}/{name}");
    if fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_symlink()) {
        let fault = Diagnostic::input("chart-lock-link", format!("the {name} file is a symlink"));
        return Err(Box::new(fault.hint(format!("delete `{file}`"))));
    }
    store::write_file(Path::new(&file), lock.print().as_bytes())
}

fn missing_folder(folder: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("chart-dependency-folder", format!("directory {folder} not found")))
}
