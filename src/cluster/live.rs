//! What stands in a cluster: kinds, identities, objects.

use std::fmt;

use serde_json::Value;

use super::{Claim, Seen};
use crate::manifest::ObjectId;
use crate::value::Text;

/// A kind as a server serves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Resource {
    /// API group; empty for the core group.
    pub(crate) group: Text,
    /// API version.
    pub(crate) version: Text,
    /// Kind.
    pub(crate) kind: Text,
    /// The name of the kind in paths.
    pub(crate) plural: Text,
    /// Whether its objects live in namespaces.
    pub(crate) scope: Scope,
}

/// Whether the objects of a kind live in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    /// They do.
    Namespaced,
    /// They do not.
    Cluster,
    /// Nobody here knows; what the object says goes.
    AsWritten,
}

impl Resource {
    /// `group/version`, or the version alone in the core group.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// What makes an object this one whatever version it is written in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    /// API group; empty for the core group.
    pub(crate) group: Text,
    /// Kind.
    pub(crate) kind: Text,
    /// Namespace; empty for objects without one.
    pub(crate) namespace: Text,
    /// Name.
    pub(crate) name: Text,
}

impl Key {
    /// A key from its parts.
    pub(crate) fn new(group: &str, kind: &str, namespace: &str, name: &str) -> Key {
        Key { group: group.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object, with its namespace as written.
    pub(crate) fn of(id: &ObjectId) -> Key {
        Key { group: id.group.clone(), kind: id.kind.clone(), namespace: id.namespace.clone(), name: id.name.clone() }
    }

    /// True for a `Namespace` itself.
    pub(crate) fn is_namespace(&self) -> bool {
        self.group.is_empty() && self.kind == "Namespace"
    }

    /// True for a `PersistentVolumeClaim`.
    pub(crate) fn is_claim(&self) -> bool {
        self.group.is_empty() && self.kind == "PersistentVolumeClaim"
    }

    /// True for a `CustomResourceDefinition`.
    pub(crate) fn is_crd(&self) -> bool {
        self.group == "apiextensions.k8s.io" && self.kind == "CustomResourceDefinition"
    }
}

impl fmt::Display for Key {
    /// As [`ObjectId`] prints: `Deployment.apps shop/web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if self.namespace.is_empty() {
            write!(f, " {}", self.name)
        } else {
            write!(f, " {}/{}", self.namespace, self.name)
        }
    }
}

/// An object as it stands.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// Its namespace; empty without one.
    pub(crate) namespace: Text,
    /// Its name.
    pub(crate) name: Text,
    /// Which object exactly.
    pub(crate) seen: Seen,
    /// Whose it is, by its own marks.
    pub(crate) claim: Claim,
    /// True once somebody asked for its deletion.
    pub(crate) deleting: bool,
    /// True if it is to be let go rather than deleted (`client.lifecycle.config.k8s.io/deletion: detach`).
    pub(crate) detach: bool,
    /// True for a namespace that Hydrant made because objects needed it.
    pub(crate) implicit: bool,
    /// A hash of which fields are ours and whose marks it bears: it changes if anybody writes one of our fields, and not
    /// with the status. Nought where the place does not keep whose a field is.
    pub(crate) print: u64,
    /// The object; null where the place keeps no value.
    pub(crate) body: Value,
}
