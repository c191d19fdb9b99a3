//! API versions that Kubernetes serves no more, with the release that dropped them.

use super::{Flag, FlagKind};
use crate::manifest::ObjectId;

/// Group, version, kinds (none: all of them), and the minor release of Kubernetes 1 that first lacks them.
const DROPPED: &[(&str, &str, &[&str], u32)] = &[
    ("extensions", "v1beta1", &["DaemonSet", "Deployment", "NetworkPolicy", "PodSecurityPolicy", "ReplicaSet"], 16),
    ("apps", "v1beta1", &[], 16),
    ("apps", "v1beta2", &[], 16),
    ("extensions", "v1beta1", &["Ingress"], 22),
    ("admissionregistration.k8s.io", "v1beta1", &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"], 22),
    ("apiextensions.k8s.io", "v1beta1", &[], 22),
    ("apiregistration.k8s.io", "v1beta1", &[], 22),
    ("authentication.k8s.io", "v1beta1", &["TokenReview"], 22),
    ("authorization.k8s.io", "v1beta1", &[], 22),
    ("certificates.k8s.io", "v1beta1", &["CertificateSigningRequest"], 22),
    ("coordination.k8s.io", "v1beta1", &["Lease"], 22),
    ("networking.k8s.io", "v1beta1", &["Ingress", "IngressClass"], 22),
    ("rbac.authorization.k8s.io", "v1beta1", &[], 22),
    ("scheduling.k8s.io", "v1beta1", &[], 22),
    ("storage.k8s.io", "v1beta1", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"], 22),
    ("batch", "v1beta1", &["CronJob"], 25),
    ("discovery.k8s.io", "v1beta1", &["EndpointSlice"], 25),
    ("events.k8s.io", "v1beta1", &["Event"], 25),
    ("autoscaling", "v2beta1", &["HorizontalPodAutoscaler"], 25),
    ("policy", "v1beta1", &["PodDisruptionBudget", "PodSecurityPolicy"], 25),
    ("node.k8s.io", "v1beta1", &["RuntimeClass"], 25),
    ("autoscaling", "v2beta2", &["HorizontalPodAutoscaler"], 26),
    ("flowcontrol.apiserver.k8s.io", "v1beta1", &[], 26),
    ("storage.k8s.io", "v1beta1", &["CSIStorageCapacity"], 27),
    ("flowcontrol.apiserver.k8s.io", "v1beta2", &[], 29),
    ("flowcontrol.apiserver.k8s.io", "v1beta3", &[], 32),
];

/// A flag if the target does not serve an object's version; without a target, the newest release is meant.
pub(super) fn flag(id: &ObjectId, target: Option<(u32, u32)>) -> Option<Flag> {
    let row = DROPPED.iter().find(|row| {
        row.0 == id.group && row.1 == id.version && (row.2.is_empty() || row.2.contains(&id.kind.as_str()))
    })?;
    let reached = target.is_none_or(|(major, minor)| major > 1 || minor >= row.3);
    reached.then(|| {
        let message = format!("Kubernetes serves no `{}` `{}` since 1.{}", id.api_version(), id.kind, row.3);
        Flag::new(FlagKind::Unserved, message)
    })
}
