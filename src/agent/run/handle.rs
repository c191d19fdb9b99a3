//! What the watches tell a worker, and what a worker tells the watches: one small shared state a sync.
//!
//! Notes are kept until the worker takes them, and many of a kind are one; nothing queues up behind a slow worker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use tokio::sync::Notify;

use crate::agent::kstatus::Readiness;
use crate::agent::report::Held;
use crate::agent::rsync::{Declared, SyncId};
use crate::cluster::{Glimpse, Key};

/// One sync, as its watches and its worker share it.
pub(super) struct Handle {
    pub(super) id: SyncId,
    news: Notify,
    inbox: Mutex<Inbox>,
}

struct Inbox {
    /// The sync as it is declared now; nothing once it is gone.
    declared: Option<Declared>,
    /// The objects that stand as wanted.
    held: BTreeMap<Key, Held>,
    /// Objects that somebody changed or deleted, with what was seen last.
    drifted: BTreeMap<Key, Option<u64>>,
    /// Objects whose status may have changed.
    stirred: BTreeSet<Key>,
    /// Kinds came or went.
    kinds: bool,
}

/// What a worker is told.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Objects to put right.
    pub(super) drifted: BTreeSet<Key>,
    /// Objects whose status to read again.
    pub(super) stirred: BTreeSet<Key>,
    /// Kinds came or went.
    pub(super) kinds: bool,
}

impl Handle {
    pub(super) fn new(declared: Declared) -> Handle {
        let inbox = Inbox {
            held: BTreeMap::new(),
            drifted: BTreeMap::new(),
            stirred: BTreeSet::new(),
            kinds: false,
            declared: None,
        };
        let handle = Handle { id: declared.id(), news: Notify::new(), inbox: Mutex::new(inbox) };
        handle.inbox().declared = Some(declared);
        handle
    }

    fn inbox(&self) -> std::sync::MutexGuard<'_, Inbox> {
        self.inbox.lock().expect("no holder panics")
    }

    /// The sync as it is declared now.
    pub(super) fn declared(&self) -> Option<Declared> {
        self.inbox().declared.clone()
    }

    /// Notes how the sync is declared now.
    pub(super) fn declare(&self, declared: Option<Declared>) {
        let mut inbox = self.inbox();
        let differs = match (&inbox.declared, &declared) {
            (Some(before), Some(after)) => before.differs(after),
            (before, after) => before.is_some() != after.is_some(),
        };
        inbox.declared = declared;
        drop(inbox);
        if differs {
            self.news.notify_one();
        }
    }

    /// Waits until there is something to know.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// An object of ours was seen, or seen to go.
    pub(super) fn saw(&self, key: &Key, glimpse: Option<&Glimpse>) {
        let mut inbox = self.inbox();
        let Some(held) = inbox.held.get(key).copied() else { return };
        match glimpse {
            Some(glimpse) if glimpse.print == held.print => {
                inbox.drifted.remove(key);
                if held.readiness == Readiness::Current && !has_status(key) {
                    return;
                }
                inbox.stirred.insert(key.clone());
            }
            seen => drop(inbox.drifted.insert(key.clone(), seen.map(|glimpse| glimpse.print))),
        }
        drop(inbox);
        self.news.notify_one();
    }

    /// All objects of a kind that exist were seen: what we hold of it and was not among them is gone.
    pub(super) fn saw_all(&self, group: &str, kind: &str, there: &BTreeSet<Key>) {
        let mut inbox = self.inbox();
        let gone: Vec<Key> = inbox
            .held
            .keys()
            .filter(|key| key.group == group && key.kind == kind && !there.contains(*key))
            .cloned()
            .collect();
        let any = !gone.is_empty();
        inbox.drifted.extend(gone.into_iter().map(|key| (key, None)));
        drop(inbox);
        if any {
            self.news.notify_one();
        }
    }

    /// A kind came or went.
    pub(super) fn kinds_changed(&self) {
        self.inbox().kinds = true;
        self.news.notify_one();
    }

    /// Takes what there is to know.
    pub(super) fn take(&self) -> News {
        let mut inbox = self.inbox();
        let drifted = std::mem::take(&mut inbox.drifted).into_keys().collect();
        News { drifted, stirred: std::mem::take(&mut inbox.stirred), kinds: std::mem::take(&mut inbox.kinds) }
    }

    /// Notes what stands after a pass over all objects.
    pub(super) fn hold(&self, held: BTreeMap<Key, Held>) {
        let mut inbox = self.inbox();
        inbox.held = held;
        // what was seen while the pass went on, and is as the pass left it
        let Inbox { held, drifted, .. } = &mut *inbox;
        drifted.retain(|key, seen| held.get(key).is_some_and(|held| Some(held.print) != *seen));
    }

    /// Notes what stands of some objects.
    pub(super) fn hold_some(&self, keys: &BTreeSet<Key>, held: BTreeMap<Key, Held>) {
        let mut inbox = self.inbox();
        for key in keys {
            inbox.held.remove(key);
        }
        inbox.held.extend(held);
        let Inbox { held, drifted, .. } = &mut *inbox;
        drifted.retain(|key, seen| held.get(key).is_some_and(|held| Some(held.print) != *seen));
    }

    /// Notes how far an object has come.
    pub(super) fn note_readiness(&self, key: &Key, readiness: Readiness) {
        if let Some(held) = self.inbox().held.get_mut(key) {
            held.readiness = readiness;
        }
    }

    /// The objects that are applied and not ready.
    pub(super) fn unready(&self) -> Vec<(Key, Readiness)> {
        let inbox = self.inbox();
        let unready = inbox.held.iter().filter(|(_, held)| held.readiness != Readiness::Current);
        unready.map(|(key, held)| (key.clone(), held.readiness)).collect()
    }

    /// How far each object has come.
    pub(super) fn readiness(&self) -> BTreeMap<Key, Readiness> {
        self.inbox().held.iter().map(|(key, held)| (key.clone(), held.readiness)).collect()
    }

    /// How many objects stand as wanted.
    pub(super) fn held(&self) -> usize {
        self.inbox().held.len()
    }
}

/// False for built-in kinds without a status, which are ready by being there.
fn has_status(key: &Key) -> bool {
    let plain = [
        "ConfigMap",
        "Secret",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "Namespace",
        "LimitRange",
        "NetworkPolicy",
        "StorageClass",
        "PriorityClass",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    ];
    !plain.contains(&key.kind.as_str())
}
