//! The real API server, through crate `kube`.
//!
//! Only its client is used (TLS, kubeconfig, exec plugins, in-cluster credentials); requests are built by hand on JSON
//! values, since no kind is known at compile time. The client's own retries are off: theirs wait up to 1,000 seconds.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kube::api::{
    DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy,
};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::core::Request;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use super::discovery::Kinds;
use super::fields;
use super::gate::Gate;
use super::owner::{DELETION, IMPLICIT, OWNING_INVENTORY, PART_OF};
use super::wire::wire;
use super::{
    Answer, Applied, Claim, Cluster, Deleted, FIELD_MANAGER, Fault, FaultKind, Key, Live, Owner, Page, Resource, Scope,
    Seen,
};
use crate::diag::{Diagnostic, Result};
use crate::manifest::Object;

/// How often a request is sent before it counts as failed.
const ATTEMPTS_MAX: u32 = 5;
/// Pause before the second attempt; it doubles each time.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that a server may ask for with `Retry-After`.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(10);
/// Time for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for an answer, from the last byte sent to the next byte read.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest silence of a watch: servers send a bookmark each minute.
const WATCH_READ_TIMEOUT: Duration = Duration::from_secs(150);
/// Objects of one page of a list: large enough to be few requests, small enough to hold one page of large objects in memory.
const LIST_PAGE_OBJECTS: u32 = 250;
/// Where CRDs are.
pub(super) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// CRDs of one page of a list: they are large.
const CRD_PAGE_OBJECTS: u32 = 20;
/// Objects of a kind and namespace that are looked up one by one; more cost less by a list of their metadata.
const LOOKUPS_MAX: usize = 16;

/// Which cluster, as whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    /// The kubeconfig; where it is missing, in-cluster credentials.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context in it; its current one where not given.
    pub(crate) context: Option<String>,
}

/// An API server, and as whom it is spoken to. Copies share connections and what is known about kinds.
#[derive(Clone)]
pub(crate) struct Api {
    link: Arc<Link>,
    actor: Option<Actor>,
    /// For the lease itself, which opens the gate.
    ungated: bool,
}

/// What all copies share.
struct Link {
    client: Client,
    /// For watches, which are silent for long.
    watching: Client,
    kinds: Kinds,
    gate: Gate,
    url: String,
}

/// Another account to act as, by impersonation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    /// The user name of a service account: `system:serviceaccount:NAMESPACE:NAME`.
    pub(crate) user: String,
    /// The only namespace that it is to touch; it is not asked about namespaces themselves.
    pub(crate) confined: bool,
}

/// One request, built anew for each attempt.
pub(super) enum Call<'a> {
    /// The object or document called so below the path.
    Get(&'a str),
    /// Objects of the path.
    List(&'a ListParams),
    /// Metadata of the objects of the path.
    ListMetadata(&'a ListParams),
    /// Server-side apply: name, object, dry run.
    Apply(&'a str, &'a Value, bool),
    /// JSON merge patch: name, patch, dry run.
    Merge(&'a str, &'a Value, bool),
    /// A new object.
    Create(&'a Value),
    /// An object in place of the version that it names.
    Replace(&'a str, &'a Value),
    /// Delete exactly this one: name, preconditions, dry run.
    Delete(&'a str, &'a Seen, bool),
    /// JSON merge patch of the status: name, patch.
    Status(&'a str, &'a Value),
    /// A new object below another: name, subresource, object.
    CreateBelow(&'a str, &'a str, &'a Value),
}

impl Call<'_> {
    /// True if it changes what is stored.
    fn is_write(&self) -> bool {
        !matches!(
            self,
            Call::Get(_)
                | Call::List(_)
                | Call::ListMetadata(_)
                | Call::Apply(_, _, true)
                | Call::Merge(_, _, true)
                | Call::Delete(_, _, true)
                // nothing of a token is stored
                | Call::CreateBelow(_, "token", _)
        )
    }
}

impl Api {
    /// Reads the credentials; sends nothing yet.
    pub(crate) async fn connect(connection: &Connection) -> Result<Api> {
        let refused = |error: &dyn std::fmt::Display| {
            Box::new(
                Diagnostic::input("kubeconfig", format!("no way to a cluster: {error}"))
                    .hint("pass `--kubeconfig` and `--context`, or `--to dir:PATH` to sync to a folder"),
            )
        };
        let options = KubeConfigOptions { context: connection.context.clone(), ..KubeConfigOptions::default() };
        let mut config = match &connection.kubeconfig {
            Some(path) => {
                let file = Kubeconfig::read_from(path).map_err(|error| refused(&error))?;
                Config::from_custom_kubeconfig(file, &options).await.map_err(|error| refused(&error))?
            }
            None if connection.context.is_some() => {
                Config::from_kubeconfig(&options).await.map_err(|error| refused(&error))?
            }
            None => Config::infer().await.map_err(|error| refused(&error))?,
        };
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        let url = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = Client::try_from(config.clone()).map_err(|error| refused(&error))?;
        config.read_timeout = Some(WATCH_READ_TIMEOUT);
        let watching = Client::try_from(config).map_err(|error| refused(&error))?;
        let link = Link { client, watching, kinds: Kinds::default(), gate: Gate::default(), url };
        Ok(Api { link: Arc::new(link), actor: None, ungated: false })
    }

    /// The server's address.
    pub(crate) fn url(&self) -> &str {
        &self.link.url
    }

    /// The same server, spoken to as somebody else.
    pub(crate) fn acting_as(&self, actor: Actor) -> Api {
        Api { link: Arc::clone(&self.link), actor: Some(actor), ungated: false }
    }

    /// The same server, spoken to as ourselves: about kinds, and for the inventory, which no tenant may write.
    pub(super) fn own(&self) -> Api {
        Api { link: Arc::clone(&self.link), actor: None, ungated: false }
    }

    /// The same server for the lease itself, whose writes open the gate.
    pub(crate) fn ungated(&self) -> Api {
        Api { link: Arc::clone(&self.link), actor: None, ungated: true }
    }

    /// What lets writes pass.
    pub(crate) fn gate(&self) -> &Gate {
        &self.link.gate
    }

    pub(super) fn watching(&self) -> &Client {
        &self.link.watching
    }

    /// Sends a request until it is answered, a bounded number of times.
    pub(super) async fn send(&self, path: &str, call: &Call<'_>) -> Answer<Value> {
        let mut pause = RETRY_PAUSE;
        let mut attempt = 1;
        loop {
            if call.is_write() && !self.ungated {
                self.link.gate.pass()?;
            }
            let error = match self.send_once(path, call).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let wait = match &error {
                kube::Error::Api(status) if matches!(status.code, 429 | 502 | 503 | 504) => {
                    let asked = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
                    pause.max(Duration::from_secs(u64::from(asked))).min(RETRY_PAUSE_MAX)
                }
                kube::Error::Api(_)
                | kube::Error::BuildRequest(_)
                | kube::Error::Auth(_)
                | kube::Error::SerdeError(_) => {
                    return Err(sort(&error));
                }
                _ => pause,
            };
            if attempt == ATTEMPTS_MAX {
                return Err(sort(&error));
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
            pause *= 2;
        }
    }

    async fn send_once(&self, path: &str, call: &Call<'_>) -> std::result::Result<Value, kube::Error> {
        let request = Request::new(path);
        let patching = |dry_run: bool, force: bool| PatchParams {
            dry_run,
            force,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            field_validation: None,
        };
        let posting = PostParams { dry_run: false, field_manager: Some(FIELD_MANAGER.to_owned()) };
        let request = match call {
            Call::Get(name) => request.get(name, &GetParams::default()),
            Call::List(params) => request.list(params),
            Call::ListMetadata(params) => request.list_metadata(params),
            Call::Apply(name, object, dry_run) => request.patch(name, &patching(*dry_run, true), &Patch::Apply(object)),
            Call::Merge(name, patch, dry_run) => request.patch(name, &patching(*dry_run, false), &Patch::Merge(patch)),
            Call::Create(object) => request.create(&posting, object.to_string().into_bytes()),
            Call::Replace(name, object) => request.replace(name, &posting, object.to_string().into_bytes()),
            Call::Delete(name, seen, dry_run) => request.delete(name, &deleting(seen, *dry_run)),
            Call::Status(name, patch) => {
                request.patch_subresource("status", name, &patching(false, false), &Patch::Merge(patch))
            }
            Call::CreateBelow(name, below, object) => {
                request.create_subresource(below, name, &posting, object.to_string().into_bytes())
            }
        };
        let mut request = request.map_err(kube::Error::BuildRequest)?;
        if let Some(actor) = &self.actor {
            let user = HeaderValue::from_str(&actor.user).map_err(|error| kube::Error::HttpError(error.into()))?;
            request.headers_mut().insert("impersonate-user", user);
        }
        self.link.client.request(request).await
    }

    /// An object's absence is an answer, not a fault.
    pub(super) async fn find(&self, path: &str, name: &str) -> Answer<Option<Value>> {
        match self.send(path, &Call::Get(name)).await {
            Ok(value) => Ok(Some(value)),
            Err(fault) if fault.kind == FaultKind::NotYet => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

fn deleting(seen: &Seen, dry_run: bool) -> DeleteParams {
    let preconditions = Preconditions { uid: Some(seen.uid.clone()), resource_version: Some(seen.version.clone()) };
    DeleteParams {
        dry_run,
        grace_period_seconds: None,
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: Some(preconditions),
    }
}

/// What a failed request means for the caller.
pub(super) fn sort(error: &kube::Error) -> Fault {
    match error {
        kube::Error::Api(status) => {
            let message = status.message.trim().to_owned();
            let message = if message.is_empty() { format!("the server answered {}", status.code) } else { message };
            let kind = match status.code {
                404 => FaultKind::NotYet,
                409 => FaultKind::Raced,
                422 if status
                    .details
                    .iter()
                    .flat_map(|details| &details.causes)
                    .any(|cause| cause.field == "metadata.uid") =>
                {
                    FaultKind::Raced
                }
                401 | 403 if message.contains("being terminated") => FaultKind::NotYet,
                401 | 403 => FaultKind::Forbidden,
                // the schema of the kind does not take the object; servers before 1.27 call it their own error
                500 if message.contains("failed to create typed patch object") => FaultKind::Rejected,
                400..=499 => FaultKind::Rejected,
                _ => FaultKind::ServerError,
            };
            Fault::new(kind, message)
        }
        kube::Error::BuildRequest(error) => Fault::new(FaultKind::Rejected, error.to_string()),
        kube::Error::Auth(error) => Fault::new(FaultKind::Forbidden, error.to_string()),
        other => Fault::new(FaultKind::Unreachable, innermost(other)),
    }
}

/// The innermost cause: the outer layers say only that something failed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// The path of a kind's objects.
fn path(resource: &Resource, namespace: Option<&str>) -> Answer<String> {
    let root = if resource.group.is_empty() { "/api" } else { "/apis" };
    let root = format!("{root}/{}", resource.api_version());
    match namespace.filter(|_| resource.scope == Scope::Namespaced) {
        Some(namespace) => Ok(format!("{root}/namespaces/{}/{}", segment(namespace)?, resource.plural)),
        None => Ok(format!("{root}/{}", resource.plural)),
    }
}

/// A name as one step of a path: nothing that a URL reads otherwise may be in it.
pub(super) fn segment(name: &str) -> Answer<&str> {
    let fine = !name.is_empty()
        && name != "."
        && name != ".."
        && name.bytes().all(|byte| {
            byte.is_ascii_graphic()
                && !matches!(
                    byte,
                    b'/' | b'%' | b'?' | b'#' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
                )
        });
    if fine {
        Ok(name)
    } else {
        Err(Fault::new(FaultKind::Rejected, format!("`{name}` is no name that a server takes")))
    }
}

/// The path of the objects among which an object is.
pub(super) fn object_path(resource: &Resource, key: &Key) -> Answer<String> {
    segment(&key.name)?;
    path(resource, Some(&key.namespace))
}

/// Reads an object off the wire.
fn live(body: Value) -> Live {
    let metadata = &body["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default();
    Live {
        namespace: text("namespace").into(),
        name: text("name").into(),
        seen: Seen { uid: text("uid").to_owned(), version: text("resourceVersion").to_owned() },
        claim: Claim::read(metadata),
        deleting: metadata["deletionTimestamp"].is_string(),
        detach: metadata["annotations"][DELETION] == "detach",
        implicit: metadata["annotations"][IMPLICIT].is_string(),
        print: fields::print(metadata),
        body,
    }
}

impl Cluster for Api {
    fn has_namespaces(&self) -> bool {
        !self.actor.as_ref().is_some_and(|actor| actor.confined)
    }

    async fn resource(&self, group: &str, version: Option<&str>, kind: &str) -> Answer<Option<Resource>> {
        self.link.kinds.find(&self.own(), group, version, kind).await
    }

    async fn is_gone(&self, group: &str, kind: &str) -> Answer<bool> {
        let mut params = ListParams::default().limit(CRD_PAGE_OBJECTS);
        let own = self.own();
        loop {
            let page = own.send(DEFINITIONS, &Call::List(&params)).await?;
            let mut definitions = page["items"].as_array().into_iter().flatten();
            if definitions.any(|item| item["spec"]["group"] == group && item["spec"]["names"]["kind"] == kind) {
                return Ok(false);
            }
            match page["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => params.continue_token = Some(token.to_owned()),
                _ => return Ok(true),
            }
        }
    }

    async fn forget_kinds(&self) {
        self.link.kinds.forget();
    }

    async fn get(&self, resource: &Resource, key: &Key) -> Answer<Option<Live>> {
        Ok(self.find(&object_path(resource, key)?, &key.name).await?.map(live))
    }

    async fn owned(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        owner: &Owner,
        visit: &mut (dyn FnMut(Live) + Send),
    ) -> Answer<()> {
        let path = path(resource, namespace)?;
        let mut params =
            ListParams::default().labels(&format!("{PART_OF}={}", owner.set_id())).limit(LIST_PAGE_OBJECTS);
        loop {
            let mut page = self.send(&path, &Call::List(&params)).await?;
            if let Value::Array(items) = page["items"].take() {
                items.into_iter().map(live).for_each(&mut *visit);
            }
            match page["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => params.continue_token = Some(token.to_owned()),
                _ => return Ok(()),
            }
        }
    }

    async fn standing(&self, resource: &Resource, namespace: &str, keys: &[Key]) -> Answer<Vec<Key>> {
        if keys.len() <= LOOKUPS_MAX {
            return Ok(keys.to_vec());
        }
        let path = path(resource, Some(namespace))?;
        let mut params = ListParams::default().limit(4 * LIST_PAGE_OBJECTS);
        let mut names = BTreeSet::new();
        loop {
            let page = self.send(&path, &Call::ListMetadata(&params)).await?;
            let items = page["items"].as_array().into_iter().flatten();
            names.extend(items.filter_map(|item| item["metadata"]["name"].as_str().map(str::to_owned)));
            match page["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => params.continue_token = Some(token.to_owned()),
                _ => break,
            }
        }
        Ok(keys.iter().filter(|key| names.contains(key.name.as_str())).cloned().collect())
    }

    fn is_current(&self, _resource: &Resource, object: &Object, owner: &Owner, live: &Live) -> bool {
        wire(object, owner).is_ok_and(|desired| fields::is_current(&desired, &live.body))
    }

    async fn apply(
        &self,
        resource: &Resource,
        key: &Key,
        object: &Object,
        owner: &Owner,
        seen: Option<&Seen>,
        dry_run: bool,
    ) -> Answer<Applied> {
        let mut value = wire(object, owner)?;
        let metadata = &mut value["metadata"];
        if resource.scope == Scope::Namespaced {
            metadata["namespace"] = json!(key.namespace.as_str());
        }
        if let Some(seen) = seen {
            metadata["uid"] = json!(seen.uid);
            if self.link.gate.epoch() > 0 {
                // another leader may have written since
                metadata["resourceVersion"] = json!(seen.version);
            }
        }
        let path = object_path(resource, key)?;
        let answer = self.send(&path, &Call::Apply(&key.name, &value, dry_run)).await?;
        if dry_run && seen.is_some() {
            let mut before = self.find(&path, &key.name).await?.unwrap_or_default();
            owner.take_over(&mut before);
            // a dry run leaves the version as it is, whatever it would change
            let version = if bare(before) == bare(answer.clone()) {
                live_text(&answer, "resourceVersion")
            } else {
                String::new()
            };
            return Ok(Applied { uid: live_text(&answer, "uid"), version, print: 0, body: Value::Null });
        }
        let print = fields::print(&answer["metadata"]);
        let (uid, version) = (live_text(&answer, "uid"), live_text(&answer, "resourceVersion"));
        Ok(Applied { uid, version, print, body: answer })
    }

    async fn create_namespace(&self, name: &str) -> Answer<bool> {
        let object = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": segment(name)?, "annotations": {IMPLICIT: "true"}},
        });
        match self.send("/api/v1/namespaces", &Call::Create(&object)).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.kind == FaultKind::Raced => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    async fn delete(&self, resource: &Resource, key: &Key, seen: &Seen, dry_run: bool) -> Answer<Deleted> {
        match self.send(&object_path(resource, key)?, &Call::Delete(&key.name, seen, dry_run)).await {
            // a server answers with a Status once the object is gone, with the object while it lingers
            Ok(answer) if answer["kind"] == "Status" => Ok(Deleted::Gone),
            Ok(answer) if answer["metadata"]["deletionTimestamp"].is_null() => Ok(Deleted::Gone),
            Ok(_) => Ok(Deleted::Begun),
            Err(fault) if fault.kind == FaultKind::NotYet => Ok(Deleted::Gone),
            Err(fault) => Err(fault),
        }
    }

    async fn has_instances(&self, definition: &Key) -> Answer<bool> {
        let Some(found) = self.own().find(DEFINITIONS, &definition.name).await? else { return Ok(false) };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut versions = found["spec"]["versions"].as_array().into_iter().flatten();
        let Some(version) = versions.find(|version| version["served"] == true) else { return Ok(true) };
        let (group, plural) = (text(&found["spec"]["group"]), text(&found["spec"]["names"]["plural"]));
        let path = format!("/apis/{}/{}/{}", segment(&group)?, segment(&text(&version["name"]))?, segment(&plural)?);
        match self.own().send(&path, &Call::ListMetadata(&ListParams::default().limit(1))).await {
            Ok(list) => Ok(list["items"].as_array().is_some_and(|items| !items.is_empty())),
            // not established yet: nobody could have made any
            Err(fault) if fault.kind == FaultKind::NotYet => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    async fn release(&self, resource: &Resource, key: &Key, seen: &Seen, dry_run: bool) -> Answer<()> {
        let patch = json!({"metadata": {
            "uid": seen.uid,
            "resourceVersion": seen.version,
            "labels": {PART_OF: null},
            "annotations": {OWNING_INVENTORY: null},
        }});
        self.send(&object_path(resource, key)?, &Call::Merge(&key.name, &patch, dry_run)).await.map(drop)
    }

    async fn pages(&self, owner: &Owner) -> Answer<Vec<Page>> {
        self.own().read_pages(owner).await
    }

    async fn write_page(&self, owner: &Owner, page: &Page) -> Answer<Seen> {
        self.own().store_page(owner, page).await
    }

    async fn delete_page(&self, owner: &Owner, page: &Page) -> Answer<()> {
        self.own().drop_page(owner, page).await
    }
}

/// An object without the record of who wrote what when.
fn bare(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
    }
    object
}

/// A text of an answer's metadata.
pub(super) fn live_text(answer: &Value, field: &str) -> String {
    answer["metadata"][field].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_their_path_are_rejected() {
        for name in ["", ".", "..", "a/b", "a%2fb", "a?b", "a b", "a#b"] {
            assert!(segment(name).is_err(), "{name}");
        }
        assert!(segment("system:controller:x").is_ok());
    }
}
