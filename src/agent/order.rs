//! In which order kinds are applied: what others need first, what intercepts others last; deletes go the other way round.

use crate::cluster::Key;

/// Kinds in order. What is not listed comes after all that is, but before the webhooks: custom objects and the like.
const ORDER: &[&str] = &[
    "Namespace",
    "CustomResourceDefinition",
    "ResourceQuota",
    "LimitRange",
    "PriorityClass",
    "StorageClass",
    "IngressClass",
    "RuntimeClass",
    "ServiceAccount",
    "PodSecurityPolicy",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "NetworkPolicy",
    "Service",
    "ConstraintTemplate",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "Job",
    "CronJob",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "Ingress",
    "APIService",
];

/// Webhooks come last: one that answers before what serves it runs would block everything after it.
const LAST: &[&str] =
    &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicyBinding"];

/// The stage of an object; objects of one stage do not wait for each other.
pub(super) fn stage(key: &Key) -> usize {
    let kind = key.kind.as_str();
    // namespaces and CRDs make one stage: neither needs the other
    let known = || ORDER.iter().position(|known| *known == kind).map(|at| at.max(1));
    let last = || LAST.iter().position(|known| *known == kind).map(|at| ORDER.len() + 1 + at);
    known().or_else(last).unwrap_or(ORDER.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_need_comes_first() {
        let stage_of = |kind: &str| stage(&Key::new("", kind, "", "x"));
        assert_eq!(stage_of("Namespace"), stage_of("CustomResourceDefinition"));
        let kinds =
            ["Namespace", "ServiceAccount", "ConfigMap", "Deployment", "Widget", "ValidatingWebhookConfiguration"];
        assert!(kinds.windows(2).all(|pair| stage_of(pair[0]) < stage_of(pair[1])));
    }
}
