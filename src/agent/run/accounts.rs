//! The service accounts that syncs act as, what they may do, and what they are to clouds and registries.
//!
//! An account is made where it is missing, annotated with the cloud account it stands for. Roles are bound where the agent
//! may bind them (`hydrant install --bind-roles`); where it may not, the cluster's administrator binds them, and until
//! then the server refuses what the account may not do. The agent never lends its own rights to a sync.
//!
//! What was made bears a label that names its sync, and nothing else is ever taken away: a binding once its role is no longer
//! asked for, the account and its bindings once the API server says that the sync is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::Shared;
use crate::agent::rsync::{Auth, HOME, Refusal, RoleRef, Spec, SyncId};
use crate::cluster::{Fault, FaultKind, Seen};

/// Label on everything made for a sync.
const MADE_FOR: &str = "hydrant.dev/made-for";
/// Annotation that binds a service account to a cloud account on GKE.
const CLOUD_ACCOUNT: &str = "iam.gke.io/gcp-service-account";
/// Label on Config Sync's pods: which reconciler they are.
const RECONCILER: &str = "configsync.gke.io/deployment-name";
const CLUSTER_BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/rolebindings";
/// Pause between looks for what gone syncs left, if nothing asks for one sooner.
const SWEEP_PAUSE: Duration = Duration::from_secs(600);
/// Pause before what could not be taken away is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Makes the account of a sync, and its bindings where that is allowed; tells what was not.
pub(super) async fn ensure(shared: &Shared, spec: &Spec) -> Result<Option<String>, Fault> {
    let account = spec.id.identity().account;
    let path = format!("/api/v1/namespaces/{HOME}/serviceaccounts");
    let email = match &spec.auth {
        Auth::GcpAccount(email) => Some(email.as_str()),
        _ => None,
    };
    match shared.api.read(&path, &account).await? {
        None => {
            let mut object = json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": account, "namespace": HOME, "labels": {MADE_FOR: label(spec)}},
            });
            if let Some(email) = email {
                object["metadata"]["annotations"] = json!({CLOUD_ACCOUNT: email});
            }
            made(shared.api.create(&path, &object).await)?;
        }
        Some(standing) => {
            let annotated = standing["metadata"]["annotations"][CLOUD_ACCOUNT].as_str();
            if let Some(email) = email.filter(|email| annotated != Some(email)) {
                let patch = json!({"metadata": {"annotations": {CLOUD_ACCOUNT: email}}});
                shared.api.merge(&path, &account, &patch).await?;
            }
        }
    }
    match bind_all(shared, spec, &account).await {
        Err(fault) if fault.kind == FaultKind::Forbidden => {
            Ok(Some(format!("the agent may not bind roles to `{account}`: {}", fault.message)))
        }
        bound => bound.map(|()| None),
    }
}

/// Binds the roles that are asked for, and no others.
async fn bind_all(shared: &Shared, spec: &Spec, account: &str) -> Result<(), Fault> {
    let wanted = bindings(spec, account);
    for binding in &wanted {
        bind(shared, binding).await?;
    }
    if !spec.id.root {
        return Ok(());
    }
    let selector = format!("{MADE_FOR}={}", label(spec));
    for path in [CLUSTER_BINDINGS, BINDINGS] {
        for made in list(shared, path, &selector).await? {
            if !wanted.iter().any(|binding| binding.path == made.path && binding.name() == made.name) {
                remove(shared, &made).await?;
                shared.info(&spec.id.label(), &format!("`{}` is no longer bound", made.name));
            }
        }
    }
    Ok(())
}

/// Something that was made for a sync.
struct Made {
    path: String,
    name: String,
    sync: String,
    seen: Seen,
}

/// What bears our label, of a path.
async fn list(shared: &Shared, path: &str, selector: &str) -> Result<Vec<Made>, Fault> {
    let mut found = Vec::new();
    let mut visit = |object: Value| {
        let metadata = &object["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (root, kind) = path.rsplit_once('/').expect("a path of a kind");
        let path = match metadata["namespace"].as_str() {
            Some(namespace) if !path.contains("/namespaces/") => format!("{root}/namespaces/{namespace}/{kind}"),
            _ => path.to_owned(),
        };
        found.push(Made {
            path,
            name: text(&metadata["name"]),
            sync: text(&metadata["labels"][MADE_FOR]),
            seen: Seen { uid: text(&metadata["uid"]), version: text(&metadata["resourceVersion"]) },
        });
    };
    shared.api.read_all(path, selector, &mut visit).await?;
    Ok(found)
}

/// Takes away exactly what was seen.
async fn remove(shared: &Shared, made: &Made) -> Result<(), Fault> {
    match shared.api.delete(&made.path, &made.name, &made.seen).await {
        Err(fault) if !matches!(fault.kind, FaultKind::Raced | FaultKind::NotYet) => Err(fault),
        _ => Ok(()),
    }
}

/// Takes away for ever what was made for syncs that are gone: when told to look, and now and then.
pub(super) async fn sweep_for_ever(shared: &Shared, look: &Notify) {
    let mut told = String::new();
    loop {
        let pause = match sweep(shared).await {
            Ok(()) => SWEEP_PAUSE,
            Err(fault) => {
                if fault.message != told {
                    shared.warn("", &format!("what was made for syncs that are gone stays: {fault}"));
                    told = fault.message;
                }
                if fault.kind == FaultKind::Forbidden { SWEEP_PAUSE } else { RETRY_PAUSE }
            }
        };
        tokio::select! {
            () = look.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Takes away what was made for syncs of which the API server says that they are gone, whichever agent serves them.
async fn sweep(shared: &Shared) -> Result<(), Fault> {
    let accounts = format!("/api/v1/namespaces/{HOME}/serviceaccounts");
    let mut gone: BTreeMap<String, bool> = BTreeMap::new();
    // bindings first: an account that is made anew in between must not find the old rights
    for path in [CLUSTER_BINDINGS, BINDINGS, &accounts] {
        let made = match list(shared, path, MADE_FOR).await {
            // without the right to bind roles nothing was bound
            Err(fault) if fault.kind == FaultKind::Forbidden && path != accounts => continue,
            made => made?,
        };
        for made in made {
            let Some(id) = named(&made.sync) else { continue };
            let is_gone = match gone.get(&made.sync) {
                Some(known) => *known,
                None => is_gone(shared, &id).await?,
            };
            gone.insert(made.sync.clone(), is_gone);
            if is_gone {
                remove(shared, &made).await?;
                shared.info(&id.label(), &format!("took away `{}`, which was made for it", made.name));
            }
        }
    }
    Ok(())
}

/// True if the API server knows no such sync, and serves its kind: one that is not served now may have some.
async fn is_gone(shared: &Shared, id: &SyncId) -> Result<bool, Fault> {
    if shared.api.read(&id.path(), &id.name).await?.is_some() {
        return Ok(false);
    }
    match shared.api.read_all(&id.path(), MADE_FOR, &mut drop).await {
        Err(fault) if fault.kind == FaultKind::NotYet => Ok(false),
        served => served.map(|_| true),
    }
}

/// What a label may say of a sync.
fn label(spec: &Spec) -> String {
    format!("{}.{}", spec.id.namespace, spec.id.name)
}

/// The sync that such a label names.
fn named(label: &str) -> Option<SyncId> {
    let (namespace, name) =
        label.split_once('.').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty())?;
    Some(SyncId { root: namespace == HOME, namespace: namespace.to_owned(), name: name.to_owned() })
}

/// Somebody else was faster: as good.
fn made(answer: Result<Value, Fault>) -> Result<(), Fault> {
    match answer {
        Err(fault) if fault.kind != FaultKind::Raced => Err(fault),
        _ => Ok(()),
    }
}

/// One binding: where it is kept, and what it says.
struct Binding {
    path: String,
    object: Value,
}

impl Binding {
    fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }
}

fn bindings(spec: &Spec, account: &str) -> Vec<Binding> {
    let all = [RoleRef { kind: "ClusterRole".to_owned(), name: "cluster-admin".to_owned(), namespace: String::new() }];
    let refs: &[RoleRef] = match (&spec.role_refs, spec.id.root) {
        (Some(refs), true) => refs,
        (None, true) => &all,
        // a tenant's rights are its administrator's to give
        (_, false) => &[],
    };
    refs.iter().map(|role| binding(spec, account, role)).collect()
}

fn binding(spec: &Spec, account: &str, role: &RoleRef) -> Binding {
    // a Role and a ClusterRole may be called alike
    let kind = if role.kind == "Role" { "role." } else { "" };
    let name = format!("hydrant.{account}.{kind}{}", role.name);
    let (kind, path) = if role.namespace.is_empty() {
        ("ClusterRoleBinding", CLUSTER_BINDINGS.to_owned())
    } else {
        let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings", role.namespace);
        ("RoleBinding", path)
    };
    let mut object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": {MADE_FOR: label(spec)}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role.kind, "name": role.name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": HOME}],
    });
    if !role.namespace.is_empty() {
        object["metadata"]["namespace"] = json!(role.namespace);
    }
    Binding { path, object }
}

async fn bind(shared: &Shared, binding: &Binding) -> Result<(), Fault> {
    if shared.api.read(&binding.path, binding.name()).await?.is_some() {
        return Ok(());
    }
    made(shared.api.create(&binding.path, &binding.object).await)
}

/// Why nothing may be written for a sync now: Config Sync's own reconciler of it runs.
pub(super) async fn config_sync_runs(shared: &Shared, id: &SyncId) -> Result<Option<Refusal>, Fault> {
    let reconciler = id.identity().account;
    let path = format!("/apis/apps/v1/namespaces/{HOME}/deployments");
    let found = shared.api.read(&path, &reconciler).await?;
    let mut runs = found.is_some_and(|deployment| {
        deployment["spec"]["replicas"] != 0 || deployment["status"]["replicas"].as_i64().unwrap_or(0) > 0
    });
    if !runs {
        // its pods outlive it for a while
        let ended = |pod: &Value| matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        let (path, selector) = (format!("/api/v1/namespaces/{HOME}/pods"), format!("{RECONCILER}={reconciler}"));
        shared.api.read_all(&path, &selector, &mut |pod| runs |= !ended(&pod)).await?;
    }
    Ok(runs.then(|| Refusal {
        reason: "ConfigSyncRuns",
        message: format!("Config Sync's reconciler `{reconciler}` runs; Hydrant writes nothing until it is gone"),
    }))
}
