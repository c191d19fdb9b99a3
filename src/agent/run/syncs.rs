//! The API objects: one list and watch for each of the two kinds, and one worker for each object.
//!
//! Workers end with the object, and with this future: losing the lease drops it, and all requests under way with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

use super::drift::Drift;
use super::handle::Handle;
use super::{Shared, accounts, worker};
use crate::agent::rsync::{Declared, HOME, SyncId};
use crate::cluster::{Answer, Change, Fault, FaultKind};

/// Label: which replica set of agents serves a sync.
const SHARD: &str = "hydrant.dev/shard";
/// Pause before a list that failed is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// All syncs, and their workers.
pub(super) struct Syncs {
    shared: Arc<Shared>,
    drift: Arc<Drift>,
    known: Mutex<BTreeMap<SyncId, (Arc<Handle>, AbortHandle)>>,
    workers: Mutex<JoinSet<()>>,
    /// What was made for syncs that are gone is to be taken away.
    sweep: Notify,
}

/// Serves all syncs, until it is dropped.
pub(super) async fn serve(shared: &Arc<Shared>) {
    let drift = Drift::new(shared);
    let (known, workers, sweep) = (Mutex::default(), Mutex::default(), Notify::new());
    let syncs = Syncs { shared: Arc::clone(shared), drift, known, workers, sweep };
    let roots = format!("/apis/configsync.gke.io/v1beta1/namespaces/{HOME}/rootsyncs");
    let repos = "/apis/configsync.gke.io/v1beta1/reposyncs".to_owned();
    let sweep = async {
        if !shared.settings.shadow {
            accounts::sweep_for_ever(shared, &syncs.sweep).await;
        }
    };
    tokio::join!(syncs.follow("RootSync", &roots), syncs.follow("RepoSync", &repos), syncs.drift.follow_kinds(), sweep);
}

impl Drop for Syncs {
    fn drop(&mut self) {
        self.drift.stop();
    }
}

impl Syncs {
    /// Lists and watches one kind for ever.
    async fn follow(&self, kind: &'static str, path: &str) {
        let mut told = String::new();
        loop {
            if let Err(fault) = self.follow_once(kind, path).await
                && fault.message != told
                && fault.kind != FaultKind::Raced
            {
                self.shared.warn("", &format!("cannot watch {kind} objects: {fault}"));
                told = fault.message;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn follow_once(&self, kind: &'static str, path: &str) -> Result<(), Fault> {
        let selector = match &self.shared.settings.shard {
            Some(shard) => format!("{SHARD}={shard}"),
            None => format!("!{SHARD}"),
        };
        let mut there: BTreeMap<SyncId, Declared> = BTreeMap::new();
        let mut version = self
            .shared
            .api
            .read_all(path, &selector, &mut |object| {
                if let Ok(declared) = Declared::read(object, kind) {
                    there.insert(declared.id(), declared);
                }
            })
            .await?;
        let root = kind == "RootSync";
        let gone: Vec<SyncId> = {
            let known = self.known.lock().expect("no holder panics");
            known.keys().filter(|id| id.root == root && !there.contains_key(id)).cloned().collect()
        };
        for id in &gone {
            self.end(id);
        }
        for declared in there.into_values() {
            self.declare(declared);
        }
        self.shared.board.listed();
        loop {
            let mut changes = self.shared.api.watch(path, &selector, &version).await?;
            while let Some(change) = changes.next().await {
                self.shared.board.reached();
                self.take(kind, change, &mut version)?;
            }
        }
    }

    fn take(&self, kind: &'static str, change: Answer<Change<Value>>, version: &mut String) -> Result<(), Fault> {
        match change? {
            Change::There(object) => {
                if let Some(seen) = object["metadata"]["resourceVersion"].as_str() {
                    seen.clone_into(version);
                }
                match Declared::read(object, kind) {
                    Ok(declared) => self.declare(declared),
                    Err(why) => self.shared.warn("", &format!("a {kind} cannot be read: {why}")),
                }
            }
            Change::Gone(object) => {
                if let Some(seen) = object["metadata"]["resourceVersion"].as_str() {
                    seen.clone_into(version);
                }
                if let Ok(declared) = Declared::read(object, kind) {
                    self.end(&declared.id());
                }
            }
            Change::Mark(mark) => *version = mark,
        }
        Ok(())
    }

    fn declare(&self, declared: Declared) {
        let id = declared.id();
        let mut known = self.known.lock().expect("no holder panics");
        if let Some((handle, _)) = known.get(&id) {
            // an object of the same name with another uid is another sync: what was known of the old one does not hold
            let same = handle.declared().is_some_and(|before| before.metadata.uid == declared.metadata.uid);
            if same {
                handle.declare(Some(declared));
                return;
            }
        }
        if let Some((_, worker)) = known.remove(&id) {
            worker.abort();
        }
        let handle = Arc::new(Handle::new(declared));
        self.drift.add(&handle);
        let work = worker::run(Arc::clone(&self.shared), Arc::clone(&self.drift), Arc::clone(&handle));
        let worker = self.workers.lock().expect("no holder panics").spawn(work);
        known.insert(id, (handle, worker));
    }

    fn end(&self, id: &SyncId) {
        let ended = self.known.lock().expect("no holder panics").remove(id);
        if let Some((handle, worker)) = ended {
            worker.abort();
            self.drift.remove(&handle);
            self.shared.board.drop_row(id);
            self.shared.info(&id.label(), "gone");
            self.sweep.notify_one();
        }
        let mut workers = self.workers.lock().expect("no holder panics");
        while workers.try_join_next().is_some() {}
    }
}
