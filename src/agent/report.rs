//! What a sync is told, and what it tells.

use std::time::Duration;

use super::decide::Policy;
use crate::cluster::{Fault, Key, Owner};

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
