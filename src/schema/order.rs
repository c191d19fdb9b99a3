//! The order in which kustomize's legacy sort prints kinds.

/// Kinds that come before all others, in this order.
pub const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come after all others, in this order.
pub const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The rank of a kind between lists of first and last kinds: negative first, 0 for kinds in neither, positive last.
///
/// A kind in both lists counts as last, and a kind named twice by its last place, as kustomize has it.
pub fn rank<T: AsRef<str>>(first: &[T], last: &[T], kind: &str) -> i64 {
    if let Some(at) = last.iter().rposition(|name| name.as_ref() == kind) {
        return at as i64 + 1;
    }
    first.iter().rposition(|name| name.as_ref() == kind).map_or(0, |at| at as i64 - first.len() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_rank_first_middle_last() {
        let ranks = ["Namespace", "Deployment", "Ingress", "MutatingWebhookConfiguration"].map(|kind| rank(FIRST, LAST, kind));
        assert_eq!(ranks, [-22, -4, 0, 1]);
    }
}
