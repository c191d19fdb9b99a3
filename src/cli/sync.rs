//! `hydrant sync REF --once`: an artifact's objects in a cluster or a folder.
//!
//! One line on stdout for each object that changed, then one with the counts; what went wrong on stderr. A second run
//! prints the counts only.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::agent::{Clock, Event, Options, Policy, Rules, Summary, sync_once};
use crate::archive::LayerLimits;
use crate::cluster::{Api, Connection, Folder, Layout, Owner};
use crate::diag::{Diagnostic, Result};
use crate::manifest::{Object, Set};
use crate::oci::Location;
use crate::package::{object_path, objects, unpack};
use crate::trust::verify;

use super::Outcome;
use super::connection::{ConnectionArgs, wait};
use super::input::absolute;
use super::keys;
use super::plan::{self, Plan};
use super::terminal::Terminal;

/// The namespace of inventories: not Config Sync's, so that both may run side by side.
const NAMESPACE: &str = "hydrant-system";
/// Longest name made from a reference; longer ones are cut.
const NAME_BYTES_MAX: usize = 40;

/// The arguments of `hydrant sync`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// host/repository:tag, host/repository@digest, or oci-layout:DIR:TAG
    #[arg(value_name = "REF")]
    reference: String,
    /// One pass, then end (the only way so far)
    #[arg(long, required = true)]
    once: bool,
    /// Take the artifact only if it was signed with the private key of this public one (PEM), or env://VARIABLE
    #[arg(long, value_name = "PUB")]
    key: Option<String>,
    /// Refuse to do more than the plan that was attached to the artifact and signed with the key (`hydrant diff --plan`)
    #[arg(long, requires = "key")]
    plan: bool,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Where to, and under which name.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct TargetArgs {
    /// Where the objects go: cluster, or dir:PATH
    #[arg(long, value_name = "TARGET", default_value = "cluster")]
    to: String,
    /// The kubeconfig's context
    #[arg(long)]
    context: Option<String>,
    /// The kubeconfig; else $KUBECONFIG, ~/.kube/config, or the pod's own account
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The namespace of the inventory
    #[arg(long, default_value = NAMESPACE)]
    namespace: String,
    /// The name of the inventory, and so of the sync; made from REF where not given
    #[arg(long)]
    name: Option<String>,
}

/// What is allowed, and how long to wait.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct PolicyArgs {
    /// Take over objects that exist and belong to nobody
    #[arg(long)]
    adopt: bool,
    /// Prune everything if the artifact holds no objects
    #[arg(long)]
    allow_empty: bool,
    /// Prune all namespaces if the artifact declares none
    #[arg(long)]
    allow_no_namespaces: bool,
    /// Ask the server what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for kinds that are not served yet, and for deletes to end: 90s, 2m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    wait: Duration,
}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "every command takes its arguments so")]
pub(super) fn run(args: Args, terminal: &Terminal) -> Result<Outcome> {
    debug_assert!(args.once, "clap requires it");
    let location = Location::parse(&args.reference)?;
    let options = options(&location, &args.target, &args.policy)?;
    let client = args.connection.client()?;
    let key = args.key.as_deref().map(keys::public).transpose()?;
    wait(async {
        let (artifact, plan) = match &key {
            Some(key) if args.plan => {
                let (report, plan) = plan::verified(&client, &location, key).await?;
                (report.artifact, Some(plan))
            }
            Some(key) => (verify(&client, &location, key, &[]).await?.artifact, None),
            None => (client.pull(&location).await?, None),
        };
        let set = objects(unpack(&artifact, &LayerLimits::default())?)?;
        let reference = location.with_digest(artifact.digest);
        if let Some(plan) = &plan {
            hold(&set, &options, &args.target, plan).await?;
        }
        sync(&set, &options, &args.target, &reference.to_string(), terminal).await
    })
}

/// Refuses a sync that would do more than its plan allows, by asking first what it would do.
async fn hold(set: &Set, options: &Options, target: &TargetArgs, plan: &Plan) -> Result<()> {
    let mut steps = Vec::new();
    let mut tell = |event: &Event| steps.extend(plan::step(event));
    let asking = Options { dry_run: true, ..options.clone() };
    pass(set, &asking, target, &mut tell).await?;
    let beyond = plan.beyond(&steps);
    if beyond.is_empty() { Ok(()) } else { Err(plan::exceeded(&beyond)) }
}

/// One pass over the target; gives what it came to, and where.
async fn pass(
    set: &Set,
    options: &Options,
    target: &TargetArgs,
    tell: &mut (dyn FnMut(&Event) + Send + Sync),
) -> Result<(Summary, String)> {
    let clock = Clock::system();
    match target.to.split_once(':') {
        Some(("dir", path)) if !path.is_empty() => {
            let folder = Folder::open(Path::new(path), LAYOUT, options.dry_run)?;
            Ok((sync_once(&folder, &clock, options, set, tell).await?, target.to.clone()))
        }
        None if target.to == "cluster" => {
            let connection = Connection { kubeconfig: target.kubeconfig.clone(), context: target.context.clone() };
            let api = Api::connect(&connection).await?;
            Ok((sync_once(&api, &clock, options, set, tell).await?, api.url().to_owned()))
        }
        _ => {
            let fault = Diagnostic::input("sync-target", format!("`{}` is no place to sync to", target.to));
            Err(Box::new(fault.hint("pass `--to cluster` or `--to dir:PATH`")))
        }
    }
}

/// Brings a set into the target, and says so.
async fn sync(
    set: &Set,
    options: &Options,
    target: &TargetArgs,
    reference: &str,
    terminal: &Terminal,
) -> Result<Outcome> {
    let mut lost = None;
    let mut tell = |event: &Event| lost = told(event, terminal).err().or(lost.take());
    let (summary, place) = pass(set, options, target, &mut tell).await?;
    lost.map_or(Ok(()), Err)?;
    let dry_run = if options.dry_run { " (dry run)" } else { "" };
    terminal.data(format!("{}{dry_run}\n", counts(&summary)))?;
    terminal.note(format_args!("synced {reference} to {place} as {}{dry_run}", options.owner));
    outcome(&summary)
}

/// The artifact's own layout.
pub(super) const LAYOUT: Layout = Layout { path_of: object_path, text_of: Object::text };

fn options(location: &Location, target: &TargetArgs, policy: &PolicyArgs) -> Result<Options> {
    let (source, name) = identity(location)?;
    Ok(Options {
        owner: Owner::new(&target.namespace, target.name.as_deref().unwrap_or(&name))?,
        source,
        any_source: target.name.is_some(),
        policy: Policy {
            adopt: policy.adopt,
            allow_empty: policy.allow_empty,
            allow_no_namespaces: policy.allow_no_namespaces,
        },
        wait: policy.wait,
        dry_run: policy.dry_run,
        rules: Rules::default(),
    })
}

/// What is synced whatever its version is, and a name made from it. In a registry a repository is one thing in many
/// versions; in a layout each tag is a thing of its own. Two layouts of one name are told apart by their paths, so that one
/// never prunes the other's objects.
fn identity(location: &Location) -> Result<(String, String)> {
    let (source, name) = match location {
        Location::Registry(reference) => {
            let last = reference.repository.rsplit('/').next().unwrap_or_default();
            (format!("{}/{}", reference.registry, reference.repository), last.to_owned())
        }
        Location::Layout(reference) => {
            let folder = reference.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let tag = reference.tag.as_deref().unwrap_or("latest");
            let path = absolute(&reference.folder.to_string_lossy())?;
            (format!("oci-layout:{path}:{tag}"), format!("{folder}-{tag}"))
        }
    };
    let kept = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(kept).take(NAME_BYTES_MAX).collect();
    let name = name.trim_matches('-');
    Ok((source, if name.is_empty() { "sync".to_owned() } else { name.to_owned() }))
}

/// One line for an object that changed; a diagnostic for one that failed.
fn told(event: &Event, terminal: &Terminal) -> Result<()> {
    match event {
        Event::Created(key) => terminal.data(format!("created {key}\n")),
        Event::Configured(key) => terminal.data(format!("configured {key}\n")),
        Event::Pruned(key) => terminal.data(format!("pruned {key}\n")),
        Event::Released(key) => terminal.data(format!("released {key}\n")),
        Event::Failed(key, fault) => {
            terminal.report(&Diagnostic::input("object-failed", format!("`{key}`: {fault}")));
            terminal.data(format!("failed {key}\n"))
        }
        Event::Kept(key, reason) => {
            terminal
                .report(&Diagnostic::warning("object-kept", format!("`{key}` left the source and stays: {reason}")));
            Ok(())
        }
        Event::Deleting(key) => {
            terminal
                .report(&Diagnostic::warning("object-deleting", format!("`{key}` is being deleted, and not gone yet")));
            Ok(())
        }
        Event::Waiting(key, reason) => {
            terminal.note(format_args!("waiting for {key}: {reason}"));
            Ok(())
        }
    }
}

pub(super) fn counts(summary: &Summary) -> String {
    let Summary { created, configured, unchanged, pruned, released, .. } = summary;
    let released = if *released == 0 { String::new() } else { format!(", {released} released") };
    format!(
        "{created} created, {configured} configured, {unchanged} unchanged, {pruned} pruned{released}, {} failed",
        summary.failed()
    )
}

fn outcome(summary: &Summary) -> Result<Outcome> {
    if summary.failed() == 0 {
        return Ok(Outcome::Done);
    }
    let text = match summary.failed() {
        1 => "1 object could not be synced; the rest was".to_owned(),
        count => format!("{count} objects could not be synced; the rest was"),
    };
    let fault = if summary.rejected > 0 {
        Diagnostic::input("sync-incomplete", text)
    } else {
        Diagnostic::unreachable("sync-incomplete", text)
    };
    Err(Box::new(fault))
}

/// Reads `90s`, `2m`, `1h`; a bare number counts seconds.
fn time(text: &str) -> std::result::Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("write a time such as 90s or 2m".to_owned()),
    };
    let seconds = number.parse::<u32>().map_err(|_| "write a time such as 90s or 2m".to_owned())?;
    Ok(Duration::from_secs(u64::from(seconds) * factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_is_named_after_what_it_reads() {
        let of = |text: &str| identity(&Location::parse(text).expect("a reference")).expect("a working folder");
        assert_eq!(
            of("localhost:5000/team/test-chart:v1"),
            ("localhost:5000/team/test-chart".to_owned(), "test-chart".to_owned())
        );
        assert_eq!(of("localhost:5000/team/test-chart:v2"), of("localhost:5000/team/test-chart:v1"));
        assert_ne!(of("oci-layout:/tmp/out:web").1, of("oci-layout:/tmp/out:namespace").1);
        assert_eq!(of("oci-layout:/tmp/Out_1:Web.v1").1, "out-1-web-v1");
        assert_ne!(of("oci-layout:/a/out:v1").0, of("oci-layout:/b/out:v1").0);
    }

    #[test]
    fn times_have_units() {
        assert_eq!(time("90"), Ok(Duration::from_secs(90)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert!(time("2x").is_err() && time("").is_err() && time("s").is_err());
    }
}
