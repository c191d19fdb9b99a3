//! Kubernetes facts as data: where lists merge by key, which kinds live in a namespace, which shape objects have.
//!
//! In: `apiVersion`, kind and field names; optionally a user's OpenAPI document. Out: facts, no decisions. A [`Schema`] is
//! passed in by whoever builds, never global, so that two builds cannot affect each other.
//!
//! A merge starts at [`Schema::place`] of the object and steps along with [`Place::field`] and [`Place::element`];
//! [`Place::merge_keys`] says how the list there merges.

mod builtin;
mod kubernetes;
mod openapi;
mod scope;
mod shapes;
mod structural;

pub use openapi::Definitions;
pub use shapes::{Keyed, Link, Shape, Shapes, Type};
pub use structural::{Extra, shape};

use builtin::Node;

use crate::value::Tree;

/// The facts that one build goes by.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    custom: Option<Definitions>,
}

/// A place in an object of a known kind.
#[derive(Clone, Copy, Debug)]
pub struct Place<'s>(Facts<'s>);

#[derive(Clone, Copy, Debug)]
enum Facts<'s> {
    Builtin(&'static Node),
    Custom(&'s Definitions, &'s Tree),
}

impl Schema {
    /// The facts of Kubernetes 1.21, which every kustomize of these years goes by.
    pub fn builtin() -> Schema {
        Schema::default()
    }

    /// The facts of a user's document. As in kustomize they stand instead of the built-in ones, but for the scope of built-in kinds.
    pub fn with_definitions(definitions: Definitions) -> Schema {
        Schema { custom: Some(definitions) }
    }

    /// The place at the root of an object; nothing for a kind that is not known.
    pub fn place(&self, api_version: &str, kind: &str) -> Option<Place<'_>> {
        match &self.custom {
            Some(custom) => custom.root(api_version, kind).map(|schema| Place(Facts::Custom(custom, schema))),
            None => builtin::root(api_version, kind).map(|node| Place(Facts::Builtin(node))),
        }
    }

    /// Whether a kind lives in a namespace; nothing for a kind that is not known.
    ///
    /// ```
    /// # #[cfg(feature = "fuzzing")] {
    /// use hydrant::schema::Schema;
    /// assert_eq!(Schema::builtin().namespaced("v1", "Namespace"), Some(false));
    /// # }
    /// ```
    pub fn namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        let row = scope::SCOPES.binary_search_by(|row| (row.0, row.1).cmp(&(kind, api_version)));
        match row {
            Ok(at) => Some(scope::SCOPES[at].2),
            Err(_) => self.custom.as_ref()?.namespaced(api_version, kind),
        }
    }

    /// True if the schema knows the kind and knows it as cluster-scoped.
    pub fn is_cluster_scoped(&self, group: &str, version: &str, kind: &str) -> bool {
        let namespaced = |api_version: &str| self.namespaced(api_version, kind);
        let namespaced = if group.is_empty() { namespaced(version) } else { namespaced(&format!("{group}/{version}")) };
        namespaced == Some(false)
    }
}

impl<'s> Place<'s> {
    /// The place of a field or key; nothing where the schema knows none.
    pub fn field(self, name: &str) -> Option<Place<'s>> {
        Some(Place(match self.0 {
            Facts::Builtin(node) => Facts::Builtin(node.field(name)?),
            Facts::Custom(custom, schema) => Facts::Custom(custom, custom.field(schema, name)?),
        }))
    }

    /// The place of the elements of a list.
    pub fn element(self) -> Option<Place<'s>> {
        Some(Place(match self.0 {
            Facts::Builtin(node) => Facts::Builtin(node.element()?),
            Facts::Custom(custom, schema) => Facts::Custom(custom, custom.element(schema)?),
        }))
    }

    /// The merge keys of the list here, none of them for a list of plain values; nothing where patches replace the list.
    pub fn merge_keys(self) -> Option<Vec<&'s str>> {
        match self.0 {
            Facts::Builtin(node) => node.merge.map(<[&str]>::to_vec),
            Facts::Custom(_, schema) => openapi::merge_keys(schema),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;

    fn map(entries: &[(&str, Tree)]) -> Tree {
        Tree::map(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect::<Map>())
    }

    /// A document with one kind whose `parts` merge by `id`, reached over a reference.
    fn document(strategy: &str) -> Tree {
        let kind = map(&[("group", Tree::str("x.io")), ("version", Tree::str("v1")), ("kind", Tree::str("Thing"))]);
        let parts = map(&[
            ("type", Tree::str("array")),
            ("items", map(&[("$ref", Tree::str("#/definitions/part"))])),
            ("x-kubernetes-patch-strategy", Tree::str(strategy)),
            ("x-kubernetes-patch-merge-key", Tree::str("id")),
        ]);
        let thing = map(&[
            ("properties", map(&[("spec", map(&[("$ref", Tree::str("#/definitions/spec"))]))])),
            ("x-kubernetes-group-version-kind", Tree::list(vec![kind.clone()])),
        ]);
        let spec = map(&[("properties", map(&[("parts", parts)]))]);
        let turning = map(&[("$ref", Tree::str("#/definitions/turning"))]);
        let part = map(&[("properties", map(&[("loop", turning.clone())]))]);
        let definitions = map(&[("thing", thing), ("spec", spec), ("part", part), ("turning", turning)]);
        let path = map(&[("get", map(&[("x-kubernetes-group-version-kind", kind)]))]);
        map(&[("definitions", definitions), ("paths", map(&[("/apis/x.io/v1/things", path)]))])
    }

    #[test]
    fn a_users_document_stands_instead_of_the_builtin_kinds() {
        let schema = Schema::with_definitions(Definitions::read(document("merge")).expect("a good document"));
        let parts =
            schema.place("x.io/v1", "Thing").and_then(|place| place.field("spec")?.field("parts")).expect("known");
        assert_eq!(parts.merge_keys(), Some(vec!["id"]));
        assert!(parts.element().expect("its elements").field("loop").is_none(), "references in a circle lead nowhere");
        assert!(schema.place("v1", "Pod").is_none());
        assert!(schema.is_cluster_scoped("x.io", "v1", "Thing") && schema.is_cluster_scoped("", "v1", "Node"));
        let replaced = Schema::with_definitions(Definitions::read(document("replace")).expect("a good document"));
        let parts =
            replaced.place("x.io/v1", "Thing").and_then(|place| place.field("spec")?.field("parts")).expect("known");
        assert_eq!(parts.merge_keys(), None);
    }

    #[test]
    fn a_document_must_be_a_map() {
        assert_eq!(Definitions::read(Tree::str("x")).expect_err("no map").code, "openapi-invalid");
    }
}
