//! Where objects go: a Kubernetes API server, or a folder.
//!
//! In: objects and the [`Owner`] that answers for them. Out: what stands there now ([`Live`]), and what each write did.
//! One small trait, [`Cluster`], with two real implementations: [`Api`] (server-side apply through crate `kube`) and
//! [`Folder`] (`dir:PATH`, one file an object). Nothing is decided here: what is applied, pruned or left alone is
//! `agent::decide`'s business. What this room guarantees instead:
//!
//! - Every write names the object it means: an update carries the uid that was seen, a delete the uid and the resource
//!   version, an inventory page the version it replaces. A write that raced answers [`FaultKind::Raced`].
//! - Every object that is applied carries the owner's marks, so that ownership can be read off the object itself.
//! - Field manager [`FIELD_MANAGER`]; conflicts are forced, but only ever on objects that bear the owner's marks or that the
//!   caller decided to adopt.
//! - Requests that a server answers with 429, 502, 503 or 504, and requests that never reached it, are sent again with
//!   growing pauses, a bounded number of times.

mod api;
mod control;
mod discovery;
#[cfg(test)]
pub(crate) mod fake;
mod fault;
mod fields;
mod folder;
mod gate;
mod journal;
mod json;
mod live;
mod owner;
mod pages;
mod preview;
mod wire;

use std::future::Future;

use serde_json::Value;

pub(crate) use api::{Actor, Api, Connection};
pub(crate) use control::{Change, Glimpse};
pub(crate) use fault::{Fault, FaultKind};
pub(crate) use folder::{Folder, Layout};
pub(crate) use live::{Key, Live, Resource, Scope};
pub(crate) use owner::{Claim, Owner};
pub(crate) use preview::Preview;

use crate::manifest::Object;

/// The field manager of every write.
pub(crate) const FIELD_MANAGER: &str = "hydrant";

/// What calls of this room give back.
pub(crate) type Answer<T> = Result<T, Fault>;

/// What an update must find: the object that was seen. A create expects nothing there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The object's uid.
    pub(crate) uid: String,
    /// The object's resource version.
    pub(crate) version: String,
}

/// What an apply did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The object's uid afterwards.
    pub(crate) uid: String,
    /// The object's resource version afterwards; the one before it if the apply changed nothing.
    pub(crate) version: String,
    /// The print of our fields afterwards ([`Live::print`]).
    pub(crate) print: u64,
    /// The object afterwards; null where the place keeps no value.
    pub(crate) body: Value,
}

/// What a delete did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// The object is gone, or was when the delete came.
    Gone,
    /// The object is being deleted: it has finalizers, or ends gracefully.
    Begun,
}

/// One page of an inventory: objects that a sync may have applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its number; 0 is the first, which always exists once anything was applied.
    pub(crate) number: u32,
    /// The stored page that this one replaces; nothing for a page not stored yet.
    pub(crate) stored: Option<Seen>,
    /// What the sync read when it wrote the page; only page 0 says it.
    pub(crate) source: String,
    /// Which leader wrote it last; nought where there are no leaders.
    pub(crate) epoch: u64,
    /// The objects.
    pub(crate) members: Vec<Key>,
}

/// A place that objects are brought into. Futures are `Send`, so that many syncs can share threads.
pub(crate) trait Cluster: Send + Sync {
    /// True where a namespace is an object that must exist before what is in it.
    fn has_namespaces(&self) -> bool;

    /// What serves a kind; nothing if the kind is unknown here. Without a version the server's preferred one.
    /// Answers are kept until [`Cluster::forget_kinds`].
    fn resource(
        &self,
        group: &str,
        version: Option<&str>,
        kind: &str,
    ) -> impl Future<Output = Answer<Option<Resource>>> + Send;

    /// True if objects of a kind that is not served cannot exist; a kind that is defined but not served now may have some.
    fn is_gone(&self, group: &str, kind: &str) -> impl Future<Output = Answer<bool>> + Send;

    /// Drops what is known about kinds, so that new ones are found.
    fn forget_kinds(&self) -> impl Future<Output = ()> + Send;

    /// One object; nothing if it does not exist.
    fn get(&self, resource: &Resource, key: &Key) -> impl Future<Output = Answer<Option<Live>>> + Send;

    /// Hands every object of a kind that bears the owner's label to `visit`, of one namespace or of all.
    fn owned(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        owner: &Owner,
        visit: &mut (dyn FnMut(Live) + Send),
    ) -> impl Future<Output = Answer<()>> + Send;

    /// Which of these objects of one kind and namespace exist, whoever owns them.
    fn standing(
        &self,
        resource: &Resource,
        namespace: &str,
        keys: &[Key],
    ) -> impl Future<Output = Answer<Vec<Key>>> + Send;

    /// True if applying the object would provably change nothing.
    fn is_current(&self, resource: &Resource, object: &Object, owner: &Owner, live: &Live) -> bool;

    /// Creates or updates an object with the owner's marks. `seen` is the object that the caller looked at; nothing if it saw none.
    fn apply(
        &self,
        resource: &Resource,
        key: &Key,
        object: &Object,
        owner: &Owner,
        seen: Option<&Seen>,
        dry_run: bool,
    ) -> impl Future<Output = Answer<Applied>> + Send;

    /// Creates a namespace that objects need and nobody declares; true if it was not there. Never touches one that exists.
    fn create_namespace(&self, name: &str) -> impl Future<Output = Answer<bool>> + Send;

    /// Deletes exactly the object that was seen.
    fn delete(
        &self,
        resource: &Resource,
        key: &Key,
        seen: &Seen,
        dry_run: bool,
    ) -> impl Future<Output = Answer<Deleted>> + Send;

    /// True if objects of the kind that a CRD defines exist, whoever owns them: deleting it would delete them.
    fn has_instances(&self, definition: &Key) -> impl Future<Output = Answer<bool>> + Send;

    /// Takes the owner's marks off exactly the object that was seen and leaves everything else as it is.
    fn release(
        &self,
        resource: &Resource,
        key: &Key,
        seen: &Seen,
        dry_run: bool,
    ) -> impl Future<Output = Answer<()>> + Send;

    /// The stored pages of an owner's inventory, by number.
    fn pages(&self, owner: &Owner) -> impl Future<Output = Answer<Vec<Page>>> + Send;

    /// Stores a page in place of the one it was read from (or as a new one), and gives what is stored now.
    fn write_page(&self, owner: &Owner, page: &Page) -> impl Future<Output = Answer<Seen>> + Send;

    /// Drops a stored page.
    fn delete_page(&self, owner: &Owner, page: &Page) -> impl Future<Output = Answer<()>> + Send;
}
