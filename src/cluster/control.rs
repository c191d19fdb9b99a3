//! What the agent itself reads and writes beside the objects it syncs: its own API objects, leases, secrets, events.
//!
//! Paths are those of the API (`/apis/GROUP/VERSION/…`), built from fixed texts and checked names. Watches give whole
//! objects, or of many objects their metadata only ([`Glimpse`]).

use futures_util::stream::{BoxStream, StreamExt as _};
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, Call, segment, sort};
use super::fields;
use super::owner::PART_OF;
use super::{Answer, Fault, FaultKind, Seen};
use crate::value::Text;

/// Objects of one page of a list.
const LIST_PAGE_OBJECTS: u32 = 250;
/// How long a server keeps a watch, in seconds; below ours for silence.
const WATCH_SECONDS: u32 = 290;

/// What a watch tells.
#[derive(Clone, Debug)]
pub(crate) enum Change<T> {
    /// It is new, or changed.
    There(T),
    /// It is gone, or no longer selected.
    Gone(T),
    /// Nothing changed up to this version.
    Mark(String),
}

/// An object at a glance: what a watch of metadata tells.
#[derive(Clone, Debug)]
pub(crate) struct Glimpse {
    /// Its namespace; empty without one.
    pub(crate) namespace: Text,
    /// Its name.
    pub(crate) name: Text,
    /// The ApplySet that its label names.
    pub(crate) set: String,
    /// The print of our fields on it ([`super::Live::print`]).
    pub(crate) print: u64,
    /// Its resource version.
    pub(crate) version: String,
}

#[derive(Clone, Deserialize)]
struct Bare {
    metadata: Value,
}

impl Glimpse {
    fn of(metadata: &Value) -> Glimpse {
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        Glimpse {
            namespace: text("namespace").into(),
            name: text("name").into(),
            set: metadata["labels"][PART_OF].as_str().unwrap_or_default().to_owned(),
            print: fields::print(metadata),
            version: text("resourceVersion").to_owned(),
        }
    }
}

impl Api {
    /// One object; nothing if it is not there.
    pub(crate) async fn read(&self, path: &str, name: &str) -> Answer<Option<Value>> {
        self.find(path, segment(name)?).await
    }

    /// All objects of a path that a selector picks, each handed to `visit`; gives the version of the list.
    pub(crate) async fn read_all(
        &self,
        path: &str,
        selector: &str,
        visit: &mut (dyn FnMut(Value) + Send),
    ) -> Answer<String> {
        let take = |item: &mut Value| visit(item.take());
        self.pages(path, selector, false, take).await
    }

    /// The metadata of all objects of a path that a selector picks; gives the version of the list.
    pub(crate) async fn glimpse_all(
        &self,
        path: &str,
        selector: &str,
        visit: &mut (dyn FnMut(Glimpse) + Send),
    ) -> Answer<String> {
        let take = |item: &mut Value| visit(Glimpse::of(&item["metadata"]));
        self.pages(path, selector, true, take).await
    }

    /// Lists objects, or their metadata alone, page by page, each item handed to `take`; gives the version of the list.
    async fn pages(
        &self,
        path: &str,
        selector: &str,
        metadata_only: bool,
        mut take: impl FnMut(&mut Value) + Send,
    ) -> Answer<String> {
        let mut params = ListParams::default().labels(selector).limit(LIST_PAGE_OBJECTS);
        loop {
            let call = if metadata_only { Call::ListMetadata(&params) } else { Call::List(&params) };
            let mut page = self.send(path, &call).await?;
            page["items"].as_array_mut().into_iter().flatten().for_each(&mut take);
            match page["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => params.continue_token = Some(token.to_owned()),
                _ => return Ok(page["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned()),
            }
        }
    }

    /// What changes from a version on, until the server ends it. A version that is too old fails with [`FaultKind::Raced`].
    pub(crate) async fn watch(
        &self,
        path: &str,
        selector: &str,
        version: &str,
    ) -> Answer<BoxStream<'static, Answer<Change<Value>>>> {
        let request = Request::new(path).watch(&watching(selector), version);
        let request = request.map_err(|error| Fault::new(FaultKind::Rejected, error.to_string()))?;
        let events = self.watching().request_events::<Value>(request).await.map_err(|error| sort(&error))?;
        Ok(events.map(|event| change(event.map_err(|error| sort(&error))?, |value| value)).boxed())
    }

    /// As [`Api::watch`], of metadata only.
    pub(crate) async fn watch_glimpses(
        &self,
        path: &str,
        selector: &str,
        version: &str,
    ) -> Answer<BoxStream<'static, Answer<Change<Glimpse>>>> {
        let request = Request::new(path).watch_metadata(&watching(selector), version);
        let request = request.map_err(|error| Fault::new(FaultKind::Rejected, error.to_string()))?;
        let events = self.watching().request_events::<Bare>(request).await.map_err(|error| sort(&error))?;
        let glimpse = |bare: Bare| Glimpse::of(&bare.metadata);
        Ok(events.map(move |event| change(event.map_err(|error| sort(&error))?, glimpse)).boxed())
    }

    /// Creates an object.
    pub(crate) async fn create(&self, path: &str, object: &Value) -> Answer<Value> {
        self.send(path, &Call::Create(object)).await
    }

    /// Puts an object in place of the version that it names.
    pub(crate) async fn replace(&self, path: &str, name: &str, object: &Value) -> Answer<Value> {
        self.send(path, &Call::Replace(segment(name)?, object)).await
    }

    /// Merges a patch into an object.
    pub(crate) async fn merge(&self, path: &str, name: &str, patch: &Value) -> Answer<Value> {
        self.send(path, &Call::Merge(segment(name)?, patch, false)).await
    }

    /// Merges a patch into an object's status.
    pub(crate) async fn merge_status(&self, path: &str, name: &str, patch: &Value) -> Answer<Value> {
        self.send(path, &Call::Status(segment(name)?, patch)).await
    }

    /// Deletes exactly the object that was seen.
    pub(crate) async fn delete(&self, path: &str, name: &str, seen: &Seen) -> Answer<()> {
        self.send(path, &Call::Delete(segment(name)?, seen, false)).await.map(drop)
    }

    /// A token of a service account, for one audience.
    pub(crate) async fn token(&self, namespace: &str, account: &str, audience: &str, seconds: u32) -> Answer<String> {
        let path = format!("/api/v1/namespaces/{}/serviceaccounts", segment(namespace)?);
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [audience], "expirationSeconds": seconds},
        });
        let answer = self.send(&path, &Call::CreateBelow(segment(account)?, "token", &request)).await?;
        let token = answer["status"]["token"].as_str();
        token.map(str::to_owned).ok_or_else(|| Fault::new(FaultKind::ServerError, "the server answers without a token"))
    }
}

fn watching(selector: &str) -> WatchParams {
    WatchParams::default().labels(selector).timeout(WATCH_SECONDS)
}

fn change<T, U>(event: WatchEvent<T>, map: impl Fn(T) -> U) -> Answer<Change<U>> {
    match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => Ok(Change::There(map(object))),
        WatchEvent::Deleted(object) => Ok(Change::Gone(map(object))),
        WatchEvent::Bookmark(mark) => Ok(Change::Mark(mark.metadata.resource_version)),
        WatchEvent::Error(status) => {
            let kind = if status.code == 410 { FaultKind::Raced } else { FaultKind::ServerError };
            Err(Fault::new(kind, status.message))
        }
    }
}
