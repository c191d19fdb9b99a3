//! The controller: every `RootSync` and `RepoSync` of its shard, in one process.
//!
//! | part | what it does |
//! | --- | --- |
//! | `lease` | decides which replica writes, and opens and closes the gate of all writes |
//! | `syncs` | watches the API objects, and keeps one worker for each |
//! | `worker` | one sync: when to look at the registry, what is due, what to report |
//! | `passes` | all its objects, or some, brought in under its own account |
//! | `own` | what it writes onto the sync object, by the version that it saw |
//! | `ending` | its finalizer, and what becomes of its objects |
//! | `fetch` | from an image to a set of objects: credentials, digest, signature, reading or rendering |
//! | `accounts` | the service accounts that syncs act as, and their bindings |
//! | `drift` | one watch a kind, shared by all syncs, of the metadata of what they own |
//! | `handle` | what the watches tell a worker, and what a worker tells them |
//! | `board` | how every sync stands: metrics, the status page |
//! | `http` | `/healthz`, `/readyz`, `/metrics` and the page |
//!
//! A worker's failure is its own; losing the lease ends them all at once.

mod accounts;
mod board;
mod drift;
mod ending;
mod events;
mod fetch;
mod handle;
mod http;
mod lease;
mod own;
mod pages;
mod passes;
mod syncs;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub(crate) use board::Board;
pub(crate) use http::bind;
use lease::Lease;

use super::Clock;
use crate::cluster::Api;
use crate::diag::Result;
use crate::manifest::Set;
use crate::package::Files;
use crate::registry::{Client, Workload};
use crate::trust::PublicKey;

/// Passes under way at once: what bounds the memory of many syncs.
const PASSES_MAX: usize = 6;
/// Pulls under way at once. A slow registry holds up other pulls at most, and no pass over what was pulled.
const PULLS_MAX: usize = 6;

/// How long the end waits for the lease to be given back.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(3);

/// Renders the files of an artifact that is not rendered yet.
pub(crate) type Render = dyn Fn(&Files) -> Result<Set> + Send + Sync;
/// Takes a line of the log.
pub(crate) type Log = dyn Fn(&Line<'_>) + Send + Sync;

/// How serious a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Something was done.
    Info,
    /// Something went wrong.
    Warn,
}

/// One line of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// How serious.
    pub(crate) level: Level,
    /// The sync that it is about; empty for the agent itself.
    pub(crate) sync: &'a str,
    /// What happened.
    pub(crate) message: &'a str,
}

/// How the agent runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// This replica among the others.
    pub(crate) replica: String,
    /// The syncs that it serves: those with this value of the label `hydrant.dev/shard`; without, those without the label.
    pub(crate) shard: Option<String>,
    /// The name of this cluster, for `cluster-name-selector`.
    pub(crate) cluster_name: Option<String>,
    /// The key that artifacts must be signed with.
    pub(crate) key: Option<Arc<PublicKey>>,
    /// The types of statements that artifacts must have, signed with that key.
    pub(crate) statements: Vec<String>,
    /// How cloud credentials are had.
    pub(crate) workload: Workload,
    /// Look, and change nothing.
    pub(crate) shadow: bool,
}

/// What all parts share.
pub(super) struct Shared {
    pub(super) api: Api,
    pub(super) client: Client,
    pub(super) settings: Settings,
    pub(super) render: Box<Render>,
    pub(super) log: Box<Log>,
    pub(super) board: Arc<Board>,
    pub(super) clock: Clock,
    pub(super) passes: Semaphore,
    pub(super) pulls: Semaphore,
}

impl Shared {
    fn info(&self, sync: &str, message: &str) {
        (self.log)(&Line { level: Level::Info, sync, message });
    }

    fn warn(&self, sync: &str, message: &str) {
        (self.log)(&Line { level: Level::Warn, sync, message });
    }
}

/// Serves every sync until `stop` ends, then gives the lease back.
pub(crate) async fn serve(
    api: Api,
    client: Client,
    settings: Settings,
    render: Box<Render>,
    log: Box<Log>,
    board: Arc<Board>,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let (passes, pulls) = (Semaphore::new(PASSES_MAX), Semaphore::new(PULLS_MAX));
    let shared = Arc::new(Shared { api, client, settings, render, log, board, clock: Clock::system(), passes, pulls });
    tokio::select! {
        () = lead(&shared) => {}
        () = stop => {}
    }
    if shared.board.is_leading() && !shared.settings.shadow {
        shared.api.gate().close();
        match tokio::time::timeout(GIVE_BACK_TIMEOUT, Lease::give_back(&shared)).await {
            Ok(Ok(())) => shared.info("", "stopped; the lease is given back"),
            _ => shared.warn("", "stopped; the lease could not be given back, and runs out by itself"),
        }
    }
    Ok(())
}

/// Leads again and again: each turn serves the syncs until the lease is lost.
async fn lead(shared: &Arc<Shared>) {
    if shared.settings.shadow {
        // a shadow writes nothing, so it needs nobody's leave, and gets none
        shared.api.gate().shut();
        shared.board.lead(true);
        syncs::serve(shared).await;
        return;
    }
    let mut lease = Lease::new(shared);
    loop {
        lease.acquire().await;
        shared.board.lead(true);
        shared.info("", "leading");
        let mut tasks = JoinSet::new();
        let own = Arc::clone(shared);
        tasks.spawn(async move { syncs::serve(&own).await });
        lease.keep().await;
        shared.api.gate().close();
        shared.board.lead(false);
        shared.warn("", "the lease is lost");
        tasks.shutdown().await;
        shared.board.clear();
    }
}
