//! One object: identity, text, tree, origin.

use std::fmt;
use std::sync::Arc;

use crate::value::{Text, Tree};

/// What makes an object this object and no other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// API group; empty for the core group.
    pub group: Text,
    /// API version without its group.
    pub version: Text,
    /// Kind.
    pub kind: Text,
    /// Namespace; empty where none is written.
    pub namespace: Text,
    /// Name; empty for an object with `generateName` only.
    pub name: Text,
}

impl ObjectId {
    /// Reads the identity from `apiVersion`, `kind` and `metadata`; missing parts are empty.
    pub fn of(tree: &Tree) -> ObjectId {
        let text = |path: &[&str]| tree.at(path).and_then(Tree::as_scalar).map(|scalar| scalar.text.clone()).unwrap_or_default();
        let api_version = text(&["apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        ObjectId {
            group: group.into(),
            version: version.into(),
            kind: text(&["kind"]),
            namespace: text(&["metadata", "namespace"]),
            name: text(&["metadata", "name"]),
        }
    }

    /// `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }
}

impl fmt::Display for ObjectId {
    /// `Deployment.apps shop/web`, as people and kubectl name objects.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if self.namespace.is_empty() { write!(f, " {}", self.name) } else { write!(f, " {}/{}", self.namespace, self.name) }
    }
}

/// Where an object came from; rides beside the object and never changes its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file that holds or generated it, as the user would name it; for charts the template path.
    pub file: Text,
    /// The chart (`name-version`) that printed it, outermost first for subcharts.
    pub chart: Text,
    /// The kustomizations between the root and the object, outermost first.
    pub bases: Vec<Text>,
    /// Line in `file` where its document starts, one-based; 0 where it was generated.
    pub line: u32,
}

/// A Kubernetes object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its identity, read once.
    pub id: ObjectId,
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// Its value.
    pub tree: Tree,
    /// Its text as a renderer printed it, without separators; nothing where only the tree exists.
    pub raw: Option<Arc<str>>,
}

impl Object {
    /// An object from its value.
    pub fn new(tree: Tree, origin: Arc<Origin>) -> Object {
        Object { id: ObjectId::of(&tree), origin, tree, raw: None }
    }
}
