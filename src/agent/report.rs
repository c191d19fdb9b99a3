//! What a sync is told, and what it tells.

use std::time::Duration;

use std::collections::{BTreeMap, BTreeSet};

use super::decide::Policy;
use super::kstatus::Readiness;
use super::rsync::Limit;
use crate::cluster::{Fault, Key, Owner, Resource};

/// How to sync.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Whose sync this is.
    pub(crate) owner: Owner,
    /// What is read, without tag and digest; kept in the inventory.
    pub(crate) source: String,
    /// Whether another source may take the inventory over.
    pub(crate) any_source: bool,
    /// What the user allows.
    pub(crate) policy: Policy,
    /// Time for kinds to appear, and for deletes to end.
    pub(crate) wait: Duration,
    /// Change nothing; ask the server what would be.
    pub(crate) dry_run: bool,
    /// What one sync may hold, and how far it may go.
    pub(crate) rules: Rules,
}

/// What one sync may hold, and how far it may go. The default is that of a user's own command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// The only namespace that its objects may be in.
    pub(crate) confine: Option<String>,
    /// Namespaces that nobody declares are not made.
    pub(crate) explicit_namespaces: bool,
    /// Metadata that only sync tools set is refused.
    pub(crate) strict_metadata: bool,
    /// Claims for storage are kept when they leave the source.
    pub(crate) keep_claims: bool,
    /// The name of this cluster.
    pub(crate) cluster_name: Option<String>,
    /// How much one pass may prune.
    pub(crate) prune_limit: Option<Limit>,
    /// Look at these objects only, and prune nothing.
    pub(crate) only: Option<BTreeSet<Key>>,
}

/// What a pass left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passed {
    /// The counts.
    pub(crate) summary: Summary,
    /// The objects that stand as wanted.
    pub(crate) held: BTreeMap<Key, Held>,
    /// What serves the kinds of those.
    pub(crate) resources: BTreeSet<Resource>,
    /// Objects that are still to go.
    pub(crate) lingering: usize,
    /// Objects that were to go, and stay for now.
    pub(crate) kept: usize,
    /// Why nothing was pruned, if something was to be.
    pub(crate) held_back: Option<String>,
}

/// An object that stands as wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The print of our fields on it.
    pub(crate) print: u64,
    /// How far it has come.
    pub(crate) readiness: Readiness,
}

impl Options {
    /// Options that change everything that differs, and allow nothing unusual.
    pub(crate) fn new(owner: Owner, source: String) -> Options {
        let policy = Policy::default();
        Options {
            owner,
            source,
            any_source: false,
            policy,
            wait: Duration::ZERO,
            dry_run: false,
            rules: Rules::default(),
        }
    }
}

/// What became of an object; told as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It is new.
    Created(Key),
    /// It was changed.
    Configured(Key),
    /// It was deleted, and is gone.
    Pruned(Key),
    /// It lost our marks and stays.
    Released(Key),
    /// It was to go, and stays; why.
    Kept(Key, String),
    /// Its deletion has begun and lasts.
    Deleting(Key),
    /// It could not be applied or pruned; why.
    Failed(Key, Fault),
    /// It waits for its kind, its namespace, or its own end; why. Told once.
    Waiting(Key, String),
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// New objects.
    pub(crate) created: usize,
    /// Changed objects.
    pub(crate) configured: usize,
    /// Objects that were as wanted.
    pub(crate) unchanged: usize,
    /// Deleted objects.
    pub(crate) pruned: usize,
    /// Objects that stay without our marks.
    pub(crate) released: usize,
    /// Objects that could not be brought to what is wanted because of what they are.
    pub(crate) rejected: usize,
    /// Objects that could not because the server failed.
    pub(crate) broken: usize,
}

impl Summary {
    /// Objects that are not as wanted.
    pub(crate) fn failed(&self) -> usize {
        self.rejected + self.broken
    }
}
