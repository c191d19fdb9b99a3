//! `hydrant agent`: the controller for RootSync and RepoSync objects. Wires the agent to a cluster, to registries, and to the
//! renderer for artifacts that are not rendered yet.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::agent::{Board, Level, Line, Log, Render, Settings, bind, serve};
use crate::cluster::{Api, Connection};
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};
use crate::manifest::Set;
use crate::package::Files;
use crate::registry::{Pool, Workload};
use crate::render::{Options, render};
use crate::source::Memory;

use super::Outcome;
use super::ambient::Ambient;
use super::connection::{self, ConnectionArgs};
use super::keys;
use super::seed::refuse_unsteady;
use super::terminal::Terminal;
use super::verify::predicate_type;

/// Where an artifact's files lie while they are rendered.
const ROOT: &str = "/artifact";
/// Threads that wait for the network; rendering has threads of its own.
const THREADS: usize = 2;

/// The arguments of `hydrant agent`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Take artifacts only if they were signed with the private key of this public one (PEM), or env://VARIABLE
    #[arg(long, value_name = "PUB")]
    key: Option<String>,
    /// Take artifacts only if they have a statement of this type, signed with the key: check (the passed verdict of
    /// `push --check`), provenance, sbom, or the URI of a predicate type
    #[arg(long = "require-statement", value_name = "TYPE", requires = "key")]
    statements: Vec<String>,
    /// The name of this cluster, for `cluster-name-selector`
    #[arg(long, value_name = "NAME")]
    cluster_name: Option<String>,
    /// Serve the syncs whose label hydrant.dev/shard says so; without, those that do not have the label
    #[arg(long, value_name = "NAME")]
    shard: Option<String>,
    /// Look, and change nothing: what would change is in the log and on the page
    #[arg(long)]
    shadow: bool,
    /// Where health, metrics and the page are served
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// This replica's name in the lease; else $HOSTNAME
    #[arg(long, value_name = "NAME")]
    replica: Option<String>,
    /// The workload identity pool, PROJECT.svc.id.goog; else the metadata server is asked
    #[arg(long, value_name = "POOL", requires = "identity_provider")]
    workload_pool: Option<String>,
    /// The cluster's URL as an identity provider
    #[arg(long, value_name = "URL", requires = "workload_pool")]
    identity_provider: Option<String>,
    /// The security token service
    #[arg(long, value_name = "URL", default_value = "https://sts.googleapis.com/v1/token")]
    sts_url: String,
    /// The credentials service of IAM
    #[arg(long, value_name = "URL", default_value = "https://iamcredentials.googleapis.com")]
    iam_url: String,
    /// The kubeconfig's context
    #[arg(long)]
    context: Option<String>,
    /// The kubeconfig; else $KUBECONFIG, ~/.kube/config, or the pod's own account
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command until it is told to stop.
pub(super) fn run(args: Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    let settings = settings(&args)?;
    let client = args.connection.client()?;
    let connection = Connection { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
    let render: Box<Render> = Box::new(move |files: &Files| rendered(files, profile));
    let own = terminal.clone();
    let log: Box<Log> = Box::new(move |line: &Line<'_>| own.note(told(line)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let runtime = runtime.map_err(|error| Diagnostic::bug("runtime", format!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        let api = Api::connect(&connection).await?;
        let board = Arc::new(Board::default());
        let bound = bind(args.listen, Arc::clone(&board)).await?;
        let text = format!("serving {} as `{}`, listening on {bound}", api.url(), settings.replica);
        log(&Line { level: Level::Info, sync: "", message: &text });
        serve(api, client, settings, render, log, board, stopped()).await
    })?;
    Ok(Outcome::Done)
}

fn settings(args: &Args) -> Result<Settings> {
    let pool = args.workload_pool.clone().zip(args.identity_provider.clone());
    let workload = Workload {
        google: connection::google(),
        sts_url: args.sts_url.clone(),
        iam_url: args.iam_url.trim_end_matches('/').to_owned(),
        pool: pool.map(|(pool, provider)| Pool { pool, provider }),
    };
    let replica = args.replica.clone().or_else(|| Terminal::environment("HOSTNAME"));
    Ok(Settings {
        replica: replica.unwrap_or_else(|| format!("process-{}", std::process::id())),
        shard: args.shard.clone(),
        cluster_name: args.cluster_name.clone(),
        statements: args.statements.iter().map(|name| predicate_type(name)).collect(),
        key: args.key.as_deref().map(keys::public).transpose()?.map(Arc::new),
        workload,
        shadow: args.shadow,
    })
}

/// Renders an artifact in memory. What it would take from elsewhere is refused: a cluster's state must not hang on it.
fn rendered(files: &Files, profile: Profile) -> Result<Set> {
    let mut memory = Memory::new();
    for (path, bytes) in files.iter() {
        memory.insert(&format!("{ROOT}/{path}"), Arc::clone(bytes));
    }
    let done = render(&memory, ROOT, &Options::of(profile), &mut Ambient::new(false))?;
    refuse_unsteady(&done.unsteady)?;
    Ok(done.set)
}

/// A line of the log as JSON.
fn told(line: &Line<'_>) -> String {
    let level = match line.level {
        Level::Info => "info",
        Level::Warn => "warn",
    };
    let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    let mut value = json!({"time": time, "level": level, "message": line.message});
    if !line.sync.is_empty() {
        value["sync"] = json!(line.sync);
    }
    value.to_string()
}

/// Ends when the process is asked to.
async fn stopped() {
    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
}
