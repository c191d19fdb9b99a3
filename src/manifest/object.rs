//! One object: identity, text, tree, origin.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::diag::SourceText;
#[cfg(feature = "net")]
use crate::value::{Map, Step};
use crate::value::{Text, Tree};
use crate::yaml;

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
        let text = |path: &[&str]| {
            tree.at(path).and_then(Tree::as_scalar).map(|scalar| scalar.text.clone()).unwrap_or_default()
        };
        ObjectId::new(
            &text(&["apiVersion"]),
            text(&["kind"]),
            text(&["metadata", "namespace"]),
            text(&["metadata", "name"]),
        )
    }

    /// The identity from its parts; `api_version` as it is written, `group/version` or `version`.
    pub fn new(api_version: &str, kind: Text, namespace: Text, name: Text) -> ObjectId {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        ObjectId { group: group.into(), version: version.into(), kind, namespace, name }
    }

    /// `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// True if both name the same object for a server: everything but the version is the same.
    pub fn same_object(&self, other: &ObjectId) -> bool {
        self.group == other.group
            && self.kind == other.kind
            && self.namespace == other.namespace
            && self.name == other.name
    }
}

impl fmt::Display for ObjectId {
    /// `Deployment.apps shop/web`, as people and kubectl name objects.
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

/// A Kubernetes object: its text, its tree, or both. The tree is made of the text when it is first asked for.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its identity, read once.
    pub id: ObjectId,
    /// Where it came from.
    pub origin: Arc<Origin>,
    tree: OnceLock<Tree>,
    raw: Option<Arc<str>>,
    /// The text is what the tree would be printed as.
    printed: bool,
}

impl Object {
    /// An object from its value.
    pub fn new(tree: Tree, origin: Arc<Origin>) -> Object {
        Object { id: ObjectId::of(&tree), origin, tree: OnceLock::from(tree), raw: None, printed: false }
    }

    /// An object from a text that has been read once and so is known to be good YAML; with its tree, if it was made then.
    pub(super) fn from_text(id: ObjectId, raw: Arc<str>, tree: Option<Tree>, origin: Arc<Origin>) -> Object {
        Object { id, origin, tree: tree.map_or_else(OnceLock::new, OnceLock::from), raw: Some(raw), printed: false }
    }

    /// An object from a text that is known to be what its tree would be printed as.
    pub(super) fn from_printed(id: ObjectId, raw: Arc<str>, origin: Arc<Origin>) -> Object {
        Object { id, origin, tree: OnceLock::new(), raw: Some(raw), printed: true }
    }

    /// Its value, read as `kubectl apply` reads YAML.
    pub fn tree(&self) -> &Tree {
        self.tree.get_or_init(|| self.read())
    }

    fn read(&self) -> Tree {
        let text = SourceText::new(&*self.origin.file, self.raw.clone().unwrap_or_default());
        // the text was read when the object was made, so it cannot fail now
        yaml::parse(&text, yaml::Dialect::V2).unwrap_or_else(|_| Tree::null())
    }

    /// Its value, for whoever looks once: where it must be made of the text, it is not kept, since a value takes several
    /// times the memory of its text.
    #[cfg(feature = "net")]
    pub(crate) fn value(&self) -> Tree {
        match self.tree.get() {
            Some(tree) => tree.clone(),
            None => self.read(),
        }
    }

    /// Drops the value where it can be made of the text again.
    #[cfg(feature = "net")]
    pub(crate) fn forget_value(&mut self) {
        if self.raw.is_some() {
            self.tree = OnceLock::new();
        }
    }

    /// Its text as a renderer printed it, without separators; nothing where only the tree exists.
    pub fn raw(&self) -> Option<&Arc<str>> {
        self.raw.as_ref()
    }

    /// Its value, printed: the same text for the same value, however it was written.
    pub fn canonical(&self) -> Arc<str> {
        match &self.raw {
            Some(raw) if self.printed => Arc::clone(raw),
            _ => yaml::to_string(self.tree()).into(),
        }
    }

    /// Tells of every string of one line under one of these keys: the way to it, last step first (the key itself), and the
    /// string. A text that is known to be printed is not read for it.
    #[cfg(feature = "net")]
    pub(crate) fn strings_under(&self, keys: &[&str], mut told: impl FnMut(&[Step<'_>], &str)) {
        let Some(raw) = self.raw.as_ref().filter(|_| self.printed) else {
            return walk(self.tree(), &mut Vec::new(), keys, &mut told);
        };
        if !keys.iter().any(|key| memchr::memmem::find(raw.as_bytes(), key.as_bytes()).is_some()) {
            return;
        }
        let mut steps = Vec::new();
        yaml::is_printed(raw, |way, text, is_string| {
            let last = way.outwards().next();
            if is_string && matches!(last, Some(Step::Key(key)) if keys.contains(&key)) {
                steps.clear();
                steps.extend(way.outwards());
                told(&steps, text);
            }
        });
    }

    /// Its text: as printed, or its tree printed as kustomize prints. Ends with a line end.
    pub fn text(&self) -> String {
        match &self.raw {
            Some(raw) if raw.ends_with('\n') => raw.to_string(),
            Some(raw) => format!("{raw}\n"),
            None => yaml::to_string(self.tree()),
        }
    }
}

/// As [`Object::strings_under`], through a tree. Depth is bounded by the reader that made it.
#[cfg(feature = "net")]
fn walk<'t>(tree: &'t Tree, way: &mut Vec<Step<'t>>, keys: &[&str], told: &mut dyn FnMut(&[Step<'_>], &str)) {
    for item in tree.as_list().unwrap_or_default() {
        way.push(Step::Item);
        walk(item, way, keys, told);
        way.pop();
    }
    for (key, value) in tree.as_map().into_iter().flat_map(Map::iter) {
        way.push(Step::Key(key));
        match value.as_str() {
            Some(text) if keys.contains(&key.as_str()) && !text.contains('\n') => {
                told(&way.iter().rev().copied().collect::<Vec<_>>(), text);
            }
            _ => walk(value, way, keys, told),
        }
        way.pop();
    }
}
