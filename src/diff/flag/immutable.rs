//! Fields that an API server does not let change, as its validation has them.

use super::{Flag, FlagKind, text};
use crate::diff::{Class, Entry, ObjectDiff};
use crate::manifest::{Object, ObjectId};

/// A kind, the fields that never change, and the fields below them that may.
struct Row {
    group: &'static str,
    kind: &'static str,
    frozen: &'static [&'static str],
    free: &'static [&'static str],
}

const fn row(
    group: &'static str,
    kind: &'static str,
    frozen: &'static [&'static str],
    free: &'static [&'static str],
) -> Row {
    Row { group, kind, frozen, free }
}

const ROWS: &[Row] = &[
    row("apps", "Deployment", &["spec.selector"], &[]),
    row("apps", "DaemonSet", &["spec.selector"], &[]),
    row("apps", "ReplicaSet", &["spec.selector"], &[]),
    row(
        "apps",
        "StatefulSet",
        &["spec"],
        &[
            "spec.replicas",
            "spec.ordinals",
            "spec.template",
            "spec.updateStrategy",
            "spec.revisionHistoryLimit",
            "spec.persistentVolumeClaimRetentionPolicy",
            "spec.minReadySeconds",
        ],
    ),
    row(
        "batch",
        "Job",
        &["spec.selector", "spec.template", "spec.completionMode", "spec.completions", "spec.podFailurePolicy", "spec.backoffLimitPerIndex"],
        &[],
    ),
    row("", "PersistentVolumeClaim", &["spec"], &["spec.resources.requests.storage", "spec.volumeAttributesClassName"]),
    row("", "Service", &["spec.clusterIP", "spec.clusterIPs", "spec.loadBalancerClass"], &[]),
    row("rbac.authorization.k8s.io", "RoleBinding", &["roleRef"], &[]),
    row("rbac.authorization.k8s.io", "ClusterRoleBinding", &["roleRef"], &[]),
    row("storage.k8s.io", "StorageClass", &["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"], &[]),
    row("storage.k8s.io", "CSIDriver", &["spec.attachRequired", "spec.volumeLifecycleModes"], &[]),
    row("", "Secret", &["type"], &[]),
    row("apiextensions.k8s.io", "CustomResourceDefinition", &["spec.scope", "spec.group", "spec.names.plural", "spec.names.kind"], &[]),
    row("scheduling.k8s.io", "PriorityClass", &["value", "preemptionPolicy"], &[]),
    row("networking.k8s.io", "IngressClass", &["spec.controller"], &[]),
    row("node.k8s.io", "RuntimeClass", &["handler"], &[]),
    row("discovery.k8s.io", "EndpointSlice", &["addressType"], &[]),
    row(
        "",
        "PersistentVolume",
        &[
            "spec.hostPath",
            "spec.nfs",
            "spec.csi",
            "spec.local",
            "spec.iscsi",
            "spec.fc",
            "spec.cephfs",
            "spec.rbd",
            "spec.awsElasticBlockStore",
            "spec.gcePersistentDisk",
            "spec.azureDisk",
            "spec.azureFile",
            "spec.volumeMode",
        ],
        &[],
    ),
];

/// Fields that are free by now, and the last version that was seen to refuse a change.
const FROZEN_UNTIL: &[(&str, &str, (u32, u32))] = &[("StatefulSet", "spec.revisionHistoryLimit", (1, 31))];

/// A flag for each field of an object that cannot change in place; `was` is the old object, `kubernetes` the version that the new
/// one goes to.
pub(super) fn flags(was: &Object, object: &ObjectDiff, kubernetes: Option<(u32, u32)>) -> Vec<Flag> {
    let id = object.id();
    if object.renamed.is_some() {
        // it is made anew already
        return Vec::new();
    }
    let closed = text(was.tree(), &["immutable"]) == Some("true") && matches!(id.kind.as_str(), "ConfigMap" | "Secret");
    let mut flags: Vec<Flag> = Vec::new();
    for entry in object.entries.iter().filter(|entry| entry.class.is_change() && entry.class != Class::Moved) {
        let way = entry.path.keys().collect::<Vec<_>>().join(".");
        if closed && ["data", "binaryData", "stringData", "immutable"].iter().any(|field| is_in(&way, field)) {
            flags.push(Flag::new(FlagKind::Recreate, "it is immutable, and its data differs"));
            break;
        }
        let message = frozen(id, &way, kubernetes).map(|field| format!("`{field}` cannot change in place"));
        let message = message.or_else(|| shrunk(id, &way, entry));
        if let Some(message) = message
            && flags.iter().all(|flag| flag.message != message)
        {
            flags.push(Flag::new(FlagKind::Recreate, message).at(&entry.path));
        }
    }
    flags
}

/// The field of a kind that a way leads into and that never changes.
fn frozen(id: &ObjectId, way: &str, kubernetes: Option<(u32, u32)>) -> Option<String> {
    let row = ROWS.iter().find(|row| id.group == row.group && id.kind == row.kind)?;
    let field = row.frozen.iter().find(|field| is_in(way, field))?;
    let still = |(kind, field, last): &(&str, &str, (u32, u32))| {
        id.kind == *kind && is_in(way, field) && kubernetes.is_some_and(|version| version <= *last)
    };
    if row.free.iter().any(|field| is_in(way, field)) && !FROZEN_UNTIL.iter().any(still) {
        return None;
    }
    // of a whole spec that is frozen, the part that differs is named
    Some(if *field == "spec" { way.split('.').take(2).collect::<Vec<_>>().join(".") } else { (*field).to_owned() })
}

fn is_in(way: &str, field: &str) -> bool {
    way.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A claim may ask for more, never for less.
fn shrunk(id: &ObjectId, way: &str, entry: &Entry) -> Option<String> {
    if id.kind != "PersistentVolumeClaim" || way != "spec.resources.requests.storage" {
        return None;
    }
    let amount = |tree: &Option<crate::value::Tree>| {
        tree.as_ref().and_then(crate::value::Tree::as_scalar).and_then(|scalar| crate::diff::scalar::amount(&scalar.text))
    };
    (amount(&entry.new)? < amount(&entry.old)?).then(|| "a claim cannot shrink".to_owned())
}
