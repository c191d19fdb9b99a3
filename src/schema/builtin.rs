//! Reading the built-in table: from a kind over fields and elements to merge keys.
//!
//! In: `apiVersion` and kind, then names of fields. Out: a node, whose lists know how they merge. Allocates nothing.

use super::kubernetes::{NODES, NONE, ROOTS};

/// What is known of one place in an object.
#[derive(Debug)]
pub(super) struct Node {
    /// Fields that lead on, sorted by name, with the index of their node.
    pub(super) fields: &'static [(&'static str, u16)],
    /// The node of the elements of a list.
    pub(super) element: u16,
    /// The node of the values of a map with free keys.
    pub(super) values: u16,
    /// Merge keys of a list that merges; none of them for a list of plain values.
    pub(super) merge: Option<&'static [&'static str]>,
}

/// The node of a kind.
pub(super) fn root(api_version: &str, kind: &str) -> Option<&'static Node> {
    let at = ROOTS.binary_search_by(|row| (row.0, row.1).cmp(&(kind, api_version))).ok()?;
    node(ROOTS[at].2)
}

impl Node {
    /// The node of a field or key.
    pub(super) fn field(&self, name: &str) -> Option<&'static Node> {
        match self.fields.binary_search_by(|field| field.0.cmp(name)) {
            Ok(at) => node(self.fields[at].1),
            Err(_) => node(self.values),
        }
    }

    /// The node of the elements.
    pub(super) fn element(&self) -> Option<&'static Node> {
        node(self.element)
    }
}

fn node(index: u16) -> Option<&'static Node> {
    if index == NONE { None } else { NODES.get(usize::from(index)) }
}

#[cfg(test)]
mod tests {
    use super::super::scope::SCOPES;
    use super::*;

    /// Every list that merges, counted by its field and keys: kyaml's embedded schema has 47 patch strategies, of which
    /// four say something else than `merge` or stand on a plain value.
    #[test]
    fn the_table_is_sorted_and_closed() {
        assert!(ROOTS.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)), "binary search needs sorted kinds");
        assert!(SCOPES.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)), "binary search needs sorted kinds");
        for node in NODES {
            assert!(node.fields.is_sorted_by(|a, b| a.0 < b.0), "binary search needs sorted fields: {node:?}");
            let next = node.fields.iter().map(|field| field.1).chain([node.element, node.values]);
            assert!(next.into_iter().all(|index| index == NONE || usize::from(index) < NODES.len()), "{node:?}");
        }
    }

    #[test]
    fn the_rows_reviewed_by_hand_stand() {
        const POD: &[(&str, &[&str])] = &[
            ("containers", &["name"]),
            ("ephemeralContainers", &["name"]),
            ("hostAliases", &["ip"]),
            ("imagePullSecrets", &["name"]),
            ("initContainers", &["name"]),
            ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
            ("volumes", &["name"]),
        ];
        const CONTAINER: &[(&str, &[&str])] = &[
            ("env", &["name"]),
            ("ports", &["containerPort", "protocol"]),
            ("volumeDevices", &["devicePath"]),
            ("volumeMounts", &["mountPath"]),
        ];
        let merges = |node: &Node| -> Vec<(&str, &[&str])> {
            let keys = |field: &(&'static str, u16)| Some((field.0, node.field(field.0)?.merge?));
            node.fields.iter().filter_map(keys).collect()
        };
        let spec = root("v1", "Pod").and_then(|pod| pod.field("spec")).expect("a pod has a spec");
        assert_eq!(merges(spec), POD);
        let container = spec.field("containers").and_then(Node::element).expect("a list of containers");
        assert_eq!(merges(container), CONTAINER);
        let meta =
            root("apps/v1", "Deployment").and_then(|kind| kind.field("metadata")).expect("a deployment has metadata");
        assert_eq!(merges(meta), [("finalizers", &[][..]), ("ownerReferences", &["uid"])]);
        let deep = ["spec", "jobTemplate", "spec", "template", "spec"];
        let job = deep.iter().try_fold(root("batch/v1", "CronJob").expect("a kind"), |node, name| node.field(name));
        assert_eq!(job.map(merges), Some(POD.to_vec()));
        assert!(root("apps/v1beta1", "Deployment").is_none(), "dropped from Kubernetes before 1.21");
    }
}
