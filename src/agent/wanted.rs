//! What a source asks for: its objects, sorted into those to apply, those to let go, and those that are refused.
//!
//! Refused here, by name, whatever the cluster is: objects without a name (`generateName` would make a new one each time),
//! objects meant for some clusters or namespaces only, since nobody says which this is, and objects that ask for an order or
//! for values that are not supported. An object is never applied where, or as, it may not belong.

use std::collections::BTreeSet;

use crate::cluster::{Cluster, Fault, FaultKind, Key, Resource, Scope};
use crate::diag::{Diagnostic, Result};
use crate::manifest::{Object, Set};
use crate::value::Tree;

/// The namespace of namespaced objects that name none, as for every client.
const DEFAULT_NAMESPACE: &str = "default";

/// Annotations that ask for what is not done here: an object is bound to places that are not known, or would have to wait for
/// another to be ready, or to take a value from it. Applying it all the same would be wrong.
const UNSUPPORTED: [&str; 5] = [
    "configmanagement.gke.io/cluster-selector",
    "configsync.gke.io/cluster-name-selector",
    "configmanagement.gke.io/namespace-selector",
    "config.kubernetes.io/depends-on",
    "config.kubernetes.io/apply-time-mutation",
];

/// What serves the kind of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// This resource.
    Served(Resource),
    /// Nothing, yet.
    NotServed,
    /// The server did not say.
    Unclear(Fault),
}

/// An object to apply.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Its identity in this cluster, once its kind is known; as written before.
    pub(super) key: Key,
    /// The object.
    pub(super) object: Object,
    /// What serves it.
    pub(super) lookup: Lookup,
    /// Create it, but leave it alone once it is there (`client.lifecycle.config.k8s.io/mutation: ignore`).
    pub(super) only_create: bool,
}

/// Everything that a source asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    /// To apply.
    pub(super) wanted: Vec<Wanted>,
    /// To let go where we own it (`configmanagement.gke.io/managed: disabled`).
    pub(super) unmanaged: BTreeSet<Key>,
    /// Refused, with the reason.
    pub(super) refused: Vec<(Key, String)>,
}

impl Ask {
    /// Reads a set. Two objects of one identity are refused as a whole: which of them is meant?
    pub(super) fn read(set: &Set) -> Result<Ask> {
        let mut ask = Ask::default();
        for object in &set.objects {
            ask.take(object);
        }
        ask.refuse_doubles()?;
        Ok(ask)
    }

    fn take(&mut self, object: &Object) {
        let annotation = |name: &str| {
            object
                .tree()
                .at(&["metadata", "annotations", name])
                .and_then(Tree::as_scalar)
                .map(|scalar| scalar.text.as_str())
        };
        let key = Key::of(&object.id);
        if annotation("config.kubernetes.io/local-config").is_some_and(|value| value != "false") {
            return;
        }
        if annotation("configmanagement.gke.io/managed") == Some("disabled") {
            self.unmanaged.insert(key);
            return;
        }
        let refusal = if key.kind.is_empty() || object.id.version.is_empty() {
            Some("it has no `apiVersion` or no `kind`".to_owned())
        } else if key.name.is_empty() {
            Some("it has no `metadata.name`: each sync would make another one".to_owned())
        } else {
            UNSUPPORTED
                .iter()
                .find(|name| annotation(name).is_some())
                .map(|name| format!("`{name}` is not supported by `sync --once`"))
        };
        if let Some(reason) = refusal {
            self.refused.push((key, reason));
        } else {
            let only_create = annotation("client.lifecycle.config.k8s.io/mutation") == Some("ignore");
            self.wanted.push(Wanted { key, object: object.clone(), lookup: Lookup::NotServed, only_create });
        }
    }

    /// Asks the cluster for the kinds that are not known yet; true if any became known.
    pub(super) async fn resolve(&mut self, cluster: &impl Cluster) -> std::result::Result<bool, Fault> {
        let mut found = false;
        let mut misplaced = Vec::new();
        for (index, wanted) in self.wanted.iter_mut().enumerate() {
            if matches!(wanted.lookup, Lookup::Served(_)) {
                continue;
            }
            let id = &wanted.object.id;
            wanted.lookup = match cluster.resource(&id.group, Some(&id.version), &id.kind).await {
                Ok(Some(resource)) => {
                    found = true;
                    match resource.scope {
                        Scope::Namespaced if wanted.key.namespace.is_empty() => {
                            wanted.key.namespace = DEFAULT_NAMESPACE.into();
                        }
                        Scope::Cluster if !wanted.key.namespace.is_empty() => misplaced.push(index),
                        _ => {}
                    }
                    Lookup::Served(resource)
                }
                Ok(None) => Lookup::NotServed,
                Err(fault) if fault.kind == FaultKind::Unreachable => return Err(fault),
                Err(fault) => Lookup::Unclear(fault),
            };
        }
        for index in misplaced.into_iter().rev() {
            let wanted = self.wanted.remove(index);
            self.refused.push((wanted.key, "it has a namespace, but its kind lives outside of namespaces".to_owned()));
        }
        Ok(found)
    }

    /// Fails where two objects are one.
    pub(super) fn refuse_doubles(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        let keys = self.wanted.iter().map(|wanted| &wanted.key).chain(&self.unmanaged);
        match keys.into_iter().find(|key| !seen.insert(*key)) {
            None => Ok(()),
            Some(double) => Err(Box::new(
                Diagnostic::input("duplicate-object", format!("`{double}` stands more than once in the source"))
                    .hint("remove all but one of them"),
            )),
        }
    }
}
