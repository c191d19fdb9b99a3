//! The service accounts that syncs act as, what they may do, and what they are to clouds and registries.
//!
//! An account is made where it is missing, annotated with the cloud account it stands for. Roles are bound where the agent
//! may bind them (`hydrant install --bind-roles`); where it may not, the cluster's administrator binds them, and until
//! then the server refuses what the account may not do. The agent never lends its own rights to a sync.

use serde_json::{Value, json};

use super::Shared;
use crate::agent::rsync::{Auth, HOME, RoleRef, Spec};
use crate::cluster::{Fault, FaultKind};

/// Label on everything made for a sync.
const MADE_FOR: &str = "hydrant.dev/made-for";
/// Annotation that binds a service account to a cloud account on GKE.
const CLOUD_ACCOUNT: &str = "iam.gke.io/gcp-service-account";

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
    for binding in bindings(spec, &account) {
        if let Err(fault) = bind(shared, &binding).await {
            if fault.kind != FaultKind::Forbidden {
                return Err(fault);
            }
            return Ok(Some(format!("the agent may not bind roles to `{account}`: {}", fault.message)));
        }
    }
    Ok(None)
}

/// What a label may say of a sync.
fn label(spec: &Spec) -> String {
    format!("{}.{}", spec.id.namespace, spec.id.name)
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
    let name = format!("hydrant.{account}.{}", role.name);
    let (kind, path) = if role.namespace.is_empty() {
        ("ClusterRoleBinding", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings".to_owned())
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
    let name = binding.object["metadata"]["name"].as_str().unwrap_or_default();
    if shared.api.read(&binding.path, name).await?.is_some() {
        return Ok(());
    }
    made(shared.api.create(&binding.path, &binding.object).await)
}

/// True if Config Sync's own reconciler of a sync runs.
pub(super) async fn config_sync_runs(shared: &Shared, spec: &Spec) -> Result<bool, Fault> {
    let path = format!("/apis/apps/v1/namespaces/{HOME}/deployments");
    let found = shared.api.read(&path, &spec.id.identity().account).await?;
    Ok(found.is_some_and(|deployment| {
        deployment["spec"]["replicas"] != 0 || deployment["status"]["replicas"].as_i64().unwrap_or(0) > 0
    }))
}
