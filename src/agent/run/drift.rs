//! What others do to the objects of all syncs: one watch a kind, of metadata only, of what bears an ApplySet's label.
//!
//! The metadata holds the record of who set which field (`managedFields`). A writer that changes one of our fields takes it
//! from our record, so its hash tells a change of ours from a change of status, without keeping or reading any object.
//! The watches are the agent's own: ten kinds are ten connections, however many syncs there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::task::JoinSet;

use super::Shared;
use super::handle::Handle;
use crate::agent::rsync::SyncId;
use crate::cluster::{Change, Fault, FaultKind, Glimpse, Key, Owner, Resource};

/// What the watches select: everything that is part of some ApplySet.
const SELECTOR: &str = "applyset.kubernetes.io/part-of";
/// Pause before a watch that failed is begun again.
const RETRY_PAUSE: Duration = Duration::from_secs(2);
/// Pause before a watch that is forbidden is tried again.
const FORBIDDEN_PAUSE: Duration = Duration::from_secs(60);
/// Pause before a watch of a kind that is not served is tried again.
const GONE_PAUSE: Duration = Duration::from_secs(10);
/// Where kinds are defined.
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// All watches.
pub(super) struct Drift {
    shared: Arc<Shared>,
    /// For the tasks; they hold it until they are stopped.
    own: Weak<Drift>,
    handles: Mutex<BTreeMap<String, Arc<Handle>>>,
    watched: Mutex<BTreeSet<(String, String)>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Drift {
    pub(super) fn new(shared: &Arc<Shared>) -> Arc<Drift> {
        Arc::new_cyclic(|own| Drift {
            shared: Arc::clone(shared),
            own: own.clone(),
            handles: Mutex::default(),
            watched: Mutex::default(),
            tasks: Mutex::default(),
        })
    }

    /// A sync whose objects are to be told of.
    pub(super) fn add(&self, handle: &Arc<Handle>) {
        if let Some(set) = set_of(&handle.id) {
            self.handles.lock().expect("no holder panics").insert(set, Arc::clone(handle));
        }
    }

    /// A sync that is gone.
    pub(super) fn remove(&self, handle: &Arc<Handle>) {
        if let Some(set) = set_of(&handle.id) {
            let mut handles = self.handles.lock().expect("no holder panics");
            if handles.get(&set).is_some_and(|known| Arc::ptr_eq(known, handle)) {
                handles.remove(&set);
            }
        }
    }

    /// Watches these kinds as well; once begun, a watch goes on.
    pub(super) fn watch(&self, resources: &BTreeSet<Resource>) {
        let mut watched = self.watched.lock().expect("no holder panics");
        for resource in resources {
            if watched.insert((resource.group.to_string(), resource.kind.to_string()))
                && let Some(own) = self.own.upgrade()
            {
                let resource = resource.clone();
                self.tasks.lock().expect("no holder panics").spawn(async move { own.follow(&resource).await });
            }
        }
    }

    /// Ends all watches.
    pub(super) fn stop(&self) {
        self.tasks.lock().expect("no holder panics").abort_all();
    }

    fn handle(&self, set: &str) -> Option<Arc<Handle>> {
        self.handles.lock().expect("no holder panics").get(set).cloned()
    }

    fn all(&self) -> Vec<Arc<Handle>> {
        self.handles.lock().expect("no holder panics").values().cloned().collect()
    }

    fn tell(&self, resource: &Resource, glimpse: &Glimpse, gone: bool) {
        if let Some(handle) = self.handle(&glimpse.set) {
            let key = Key::new(&resource.group, &resource.kind, &glimpse.namespace, &glimpse.name);
            handle.saw(&key, (!gone).then_some(glimpse));
        }
    }

    /// Watches one kind until it is stopped.
    async fn follow(&self, resource: &Resource) {
        let mut told = false;
        loop {
            let fault = self.follow_once(resource).await.err();
            let gone = fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::NotYet);
            let mut pause = if gone { GONE_PAUSE } else { RETRY_PAUSE };
            if let Some(fault) = fault.filter(|fault| fault.kind == FaultKind::Forbidden) {
                pause = FORBIDDEN_PAUSE;
                if !told {
                    self.shared.warn("", &format!("drift of `{}` is not watched: {fault}", resource.kind));
                    told = true;
                }
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn follow_once(&self, resource: &Resource) -> Result<(), Fault> {
        let root = if resource.group.is_empty() { "/api" } else { "/apis" };
        let path = format!("{root}/{}/{}", resource.api_version(), resource.plural);
        let mut there: BTreeMap<String, BTreeSet<Key>> = BTreeMap::new();
        let mut version = self
            .shared
            .api
            .glimpse_all(&path, SELECTOR, &mut |glimpse| {
                let key = Key::new(&resource.group, &resource.kind, &glimpse.namespace, &glimpse.name);
                self.tell(resource, &glimpse, false);
                there.entry(glimpse.set).or_default().insert(key);
            })
            .await?;
        let none = BTreeSet::new();
        for handle in self.all() {
            let set = set_of(&handle.id).unwrap_or_default();
            handle.saw_all(&resource.group, &resource.kind, there.get(&set).unwrap_or(&none));
        }
        drop(there);
        loop {
            let mut changes = self.shared.api.watch_glimpses(&path, SELECTOR, &version).await?;
            while let Some(change) = changes.next().await {
                match change? {
                    Change::There(glimpse) => {
                        version.clone_from(&glimpse.version);
                        self.tell(resource, &glimpse, false);
                    }
                    Change::Gone(glimpse) => {
                        version.clone_from(&glimpse.version);
                        self.tell(resource, &glimpse, true);
                    }
                    Change::Mark(mark) => version = mark,
                }
            }
        }
    }

    /// Tells every sync when definitions of kinds change.
    pub(super) async fn follow_kinds(&self) {
        loop {
            if let Err(fault) = self.follow_kinds_once().await
                && fault.kind == FaultKind::Forbidden
            {
                tokio::time::sleep(FORBIDDEN_PAUSE).await;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn follow_kinds_once(&self) -> Result<(), Fault> {
        let mut version = self.shared.api.glimpse_all(DEFINITIONS, "", &mut |_| {}).await?;
        loop {
            let mut changes = self.shared.api.watch_glimpses(DEFINITIONS, "", &version).await?;
            while let Some(change) = changes.next().await {
                match change? {
                    Change::There(glimpse) | Change::Gone(glimpse) => {
                        version = glimpse.version;
                        self.all().iter().for_each(|handle| handle.kinds_changed());
                    }
                    Change::Mark(mark) => version = mark,
                }
            }
        }
    }
}

/// The ApplySet that a sync marks its objects with.
fn set_of(id: &SyncId) -> Option<String> {
    Owner::new(&id.namespace, &id.name).ok().map(|owner| owner.set_id())
}
