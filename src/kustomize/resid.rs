//! How kustomize identifies objects: group, version, kind, name and the namespace in effect.
//!
//! In: an object's tree and the scopes of kinds. Out: [`ResId`]s that compare and print as kustomize's do.

use std::fmt;

use crate::value::{Text, Tree};

/// The namespace in effect of an object whose kind has none.
pub(crate) const NOT_A_NAMESPACE: &str = "_non_namespaceable_";
/// The namespace in effect where none is written.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// Tells kinds that live in a namespace from those that do not.
pub(crate) trait Scopes {
    /// True if the schema in use knows the kind and knows it as cluster-scoped.
    fn is_cluster_scoped(&self, group: &str, version: &str, kind: &str) -> bool;
}

/// Group, version and kind. As a selector, empty parts match anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Gvk {
    /// API group; empty for the core group.
    pub(crate) group: Text,
    /// API version without its group.
    pub(crate) version: Text,
    /// Kind.
    pub(crate) kind: Text,
}

impl Gvk {
    /// Splits an `apiVersion` at its first slash.
    pub(crate) fn new(api_version: &str, kind: Text) -> Gvk {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Gvk { group: group.into(), version: version.into(), kind }
    }

    /// `group/version`, or the version alone in the core group.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// True if `selector` matches this: each of its parts is empty or equal.
    pub(crate) fn is_selected(&self, selector: &Gvk) -> bool {
        let fits = |want: &Text, have: &Text| want.is_empty() || want == have;
        fits(&selector.group, &self.group) && fits(&selector.version, &self.version) && fits(&selector.kind, &self.kind)
    }
}

impl fmt::Display for Gvk {
    /// `Deployment.v1.apps`, as kustomize's messages and its legacy sort have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &Text, none: &'static str| if text.is_empty() { none.into() } else { text.clone() };
        write!(
            f,
            "{}.{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]")
        )
    }
}

/// An object's identity at one moment of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ResId {
    /// Group, version and kind.
    pub(crate) gvk: Gvk,
    /// Name.
    pub(crate) name: Text,
    /// Namespace as written; empty where none is.
    pub(crate) namespace: Text,
    /// True if the kind is known to be cluster-scoped.
    pub(crate) cluster_scoped: bool,
}

/// What two identities are compared by: the namespace in effect, group, version, kind and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    namespace: Text,
    gvk: Gvk,
    name: Text,
}

impl ResId {
    /// Reads the identity from an object.
    pub(crate) fn of(tree: &Tree, scopes: &dyn Scopes) -> ResId {
        let gvk = gvk_of(tree);
        let cluster_scoped = scopes.is_cluster_scoped(&gvk.group, &gvk.version, &gvk.kind);
        ResId { gvk, name: meta_text(tree, "name"), namespace: meta_text(tree, "namespace"), cluster_scoped }
    }

    /// The namespace for comparisons: never empty.
    pub(crate) fn effective_namespace(&self) -> &str {
        if self.cluster_scoped {
            NOT_A_NAMESPACE
        } else if self.namespace.is_empty() {
            DEFAULT_NAMESPACE
        } else {
            &self.namespace
        }
    }

    /// What this identity is compared by.
    pub(crate) fn key(&self) -> Key {
        Key { namespace: self.effective_namespace().into(), gvk: self.gvk.clone(), name: self.name.clone() }
    }

    /// True for the same group, version, kind and name.
    pub(crate) fn gvkn_equals(&self, other: &ResId) -> bool {
        self.name == other.name && self.gvk == other.gvk
    }

    /// True for the same group, version, kind, name and namespace in effect.
    pub(crate) fn equals(&self, other: &ResId) -> bool {
        self.gvkn_equals(other) && self.effective_namespace() == other.effective_namespace()
    }

    /// True if `selector` matches this: each of its parts is empty or equal.
    pub(crate) fn is_selected_by(&self, selector: &ResId) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty() || selector.effective_namespace() == self.effective_namespace())
            && self.gvk.is_selected(&selector.gvk)
    }
}

impl fmt::Display for ResId {
    /// `Deployment.v1.apps/web.shop`, as kustomize's messages have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name: &str = if self.name.is_empty() { "[noName]" } else { &self.name };
        let namespace: &str = if self.namespace.is_empty() { "[noNs]" } else { &self.namespace };
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}

/// Group, version and kind of an object; missing parts are empty.
pub(crate) fn gvk_of(tree: &Tree) -> Gvk {
    let text = |key| tree.get(key).and_then(Tree::as_scalar).map(|scalar| scalar.text.clone()).unwrap_or_default();
    Gvk::new(&text("apiVersion"), text("kind"))
}

/// The text of a scalar in an object's metadata; empty where it is missing, null or no scalar.
pub(crate) fn meta_text(tree: &Tree, key: &str) -> Text {
    let scalar = tree.at(&["metadata", key]).filter(|value| !value.is_null()).and_then(Tree::as_scalar);
    scalar.map(|scalar| scalar.text.clone()).unwrap_or_default()
}

impl Scopes for crate::schema::Schema {
    fn is_cluster_scoped(&self, group: &str, version: &str, kind: &str) -> bool {
        crate::schema::Schema::is_cluster_scoped(self, group, version, kind)
    }
}
