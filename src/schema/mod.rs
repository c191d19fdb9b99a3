//! Kubernetes facts as data: merge keys, scope, name-reference fields, kind order.

/// The facts of one Kubernetes release, or of a schema that a kustomization brings.
#[derive(Clone, Debug, Default)]
pub struct Schema {}

impl Schema {
    /// True if the schema knows the kind and knows it as cluster-scoped.
    pub fn is_cluster_scoped(&self, _group: &str, _version: &str, kind: &str) -> bool {
        matches!(kind, "Namespace" | "ClusterRole" | "ClusterRoleBinding" | "CustomResourceDefinition")
    }
}
