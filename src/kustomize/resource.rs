//! One object on its way through a build, with what kustomize remembers about it.
//!
//! kustomize keeps its notes as annotations on the object; here they are fields beside the tree, and only the few
//! operations that could see them as annotations (a patch that touches the annotations as a whole) ask for
//! [`Resource::reveal_notes`] and [`Resource::absorb_notes`].

use std::sync::Arc;

use super::resid::{Gvk, ResId, Scopes, gvk_of, meta_text};
use super::scalar;
use super::twins::Twins;
use crate::manifest::Origin;
use crate::value::{Map, Text, Tree};

/// What a generator does with an object of the same identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// Not said; as `create`.
    #[default]
    Unspecified,
    /// There must be no such object yet.
    Create,
    /// Takes the place of the object, whose metadata stays.
    Replace,
    /// Adds to the data of the object.
    Merge,
}

/// An identity that an object had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreviousId {
    /// Its name then.
    pub(crate) name: Text,
    /// The namespace in effect then.
    pub(crate) namespace: Text,
    /// Its kind then.
    pub(crate) kind: Text,
}

/// Where an object or a transformation came from, as `buildMetadata` annotations print it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BuildOrigin {
    /// Path of the file, seen from the folder built.
    pub(crate) path: String,
    /// The repository that the file came from; empty for none.
    pub(crate) repo: String,
    /// The revision named there.
    pub(crate) revision: String,
    /// File that holds the generator or transformer.
    pub(crate) configured_in: String,
    /// `apiVersion`, `kind`, `name` and `namespace` of the generator or transformer.
    pub(crate) configured_by: [Text; 4],
}

/// An object and what the build knows about it.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// The object. A patch that deletes the object leaves null here, until the set drops it.
    pub(crate) tree: Tree,
    /// Identities that it had before, oldest first.
    pub(crate) previous: Vec<PreviousId>,
    /// Prefixes given to its name, innermost first.
    pub(crate) prefixes: Vec<Text>,
    /// Suffixes given to its name, innermost first.
    pub(crate) suffixes: Vec<Text>,
    /// What its generator said about an object of the same identity.
    pub(crate) behavior: Behavior,
    /// True if a generator made it.
    pub(crate) generated: bool,
    /// True if its name gets a hash of its content.
    pub(crate) needs_hash: bool,
    /// Names of the vars that read from it.
    pub(crate) var_names: Vec<Text>,
    /// Where it came from, for people.
    pub(crate) origin: Arc<Origin>,
    /// Where it came from, for the origin annotation; nothing unless `buildMetadata` asks.
    pub(crate) build_origin: Option<Arc<BuildOrigin>>,
    /// What transformed it, for the transformations annotation.
    pub(crate) transformations: Vec<Arc<BuildOrigin>>,
    /// True if a chart made it.
    pub(crate) from_chart: bool,
    /// Labels and annotations that change together.
    pub(crate) twins: Vec<Twins>,
    /// True if a replacement has left a scalar whose text is not what its tag says; fatal unless it goes again.
    pub(crate) misfits: bool,
}

impl Resource {
    /// An object as it was read.
    pub(crate) fn new(tree: Tree, origin: Arc<Origin>) -> Resource {
        Resource {
            tree,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            behavior: Behavior::Unspecified,
            generated: false,
            needs_hash: false,
            var_names: Vec::new(),
            origin,
            build_origin: None,
            transformations: Vec::new(),
            from_chart: false,
            twins: Vec::new(),
            misfits: false,
        }
    }

    /// Group, version and kind now.
    pub(crate) fn gvk(&self) -> Gvk {
        gvk_of(&self.tree)
    }

    /// Kind now.
    pub(crate) fn kind(&self) -> Text {
        self.tree.get("kind").and_then(Tree::as_scalar).map(|scalar| scalar.text.clone()).unwrap_or_default()
    }

    /// Name now.
    pub(crate) fn name(&self) -> Text {
        meta_text(&self.tree, "name")
    }

    /// Namespace now; empty where none is written.
    pub(crate) fn namespace(&self) -> Text {
        meta_text(&self.tree, "namespace")
    }

    /// The identity now. Unique within a set.
    pub(crate) fn current_id(&self, scopes: &dyn Scopes) -> ResId {
        ResId::of(&self.tree, scopes)
    }

    /// The identity that it came into the build with.
    pub(crate) fn original_id(&self, scopes: &dyn Scopes) -> ResId {
        self.previous_ids().next().unwrap_or_else(|| self.current_id(scopes))
    }

    /// The identities that it had before, oldest first. Their group and version are today's, as in kustomize.
    pub(crate) fn previous_ids(&self) -> impl Iterator<Item = ResId> + '_ {
        let gvk = if self.previous.is_empty() { Gvk::default() } else { self.gvk() };
        self.previous.iter().map(move |id| ResId {
            gvk: Gvk { kind: id.kind.clone(), ..gvk.clone() },
            name: id.name.clone(),
            namespace: id.namespace.clone(),
            cluster_scoped: false,
        })
    }

    /// Remembers the identity of now before it changes.
    pub(crate) fn store_previous_id(&mut self, scopes: &dyn Scopes) {
        let id = self.current_id(scopes);
        let namespace = id.effective_namespace().into();
        self.previous.push(PreviousId { name: id.name, namespace, kind: id.gvk.kind });
    }

    /// Sets the name, keeping the quotes of the old one.
    pub(crate) fn set_name(&mut self, name: &str) {
        self.set_meta("name", name);
    }

    /// Sets the namespace, keeping the quotes of the old one; an empty one is taken out.
    pub(crate) fn set_namespace(&mut self, namespace: &str) {
        if !namespace.is_empty() {
            self.set_meta("namespace", namespace);
        } else if let Some(metadata) = self.metadata_mut() {
            metadata.remove("namespace");
        }
    }

    /// Sets the kind.
    pub(crate) fn set_kind(&mut self, kind: &str) {
        if let Some(map) = self.tree.as_map_mut() {
            let new = map.get("kind").map_or_else(|| scalar::string(kind), |old| scalar::untagged_over(old, kind));
            map.set("kind", new);
        }
    }

    fn set_meta(&mut self, key: &str, text: &str) {
        let Some(map) = self.tree.as_map_mut() else { return };
        let metadata = map.or_set_with("metadata", Tree::empty_map);
        if metadata.is_null() {
            *metadata = Tree::empty_map();
        }
        if let Some(metadata) = metadata.as_map_mut() {
            let new = metadata.get(key).map_or_else(|| scalar::string(text), |old| scalar::untagged_over(old, text));
            metadata.set(key, new);
        }
    }

    /// The metadata to change, if there is a map.
    pub(crate) fn metadata_mut(&mut self) -> Option<&mut Map> {
        self.tree.as_map_mut()?.get_mut("metadata")?.as_map_mut()
    }

    /// A map of texts in the metadata (`labels`, `annotations`): scalars by their text, anything else as empty.
    pub(crate) fn meta_map(&self, key: &str) -> Vec<(Text, Text)> {
        let Some(map) = self.tree.at(&["metadata", key]).and_then(Tree::as_map) else { return Vec::new() };
        let text = |value: &Tree| value.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
        map.iter().map(|(key, value)| (key.clone(), text(value))).collect()
    }

    /// The text of one label or annotation.
    pub(crate) fn meta_entry(&self, map: &str, key: &str) -> Option<Text> {
        let value = self.tree.at(&["metadata", map, key])?;
        Some(value.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default())
    }

    /// Puts a map of texts into the metadata in the place of what stood there; an empty one is taken out.
    pub(crate) fn set_meta_map(&mut self, key: &str, entries: Vec<(Text, Text)>) {
        let Some(map) = self.tree.as_map_mut() else { return };
        let metadata = map.or_set_with("metadata", Tree::empty_map);
        let Some(metadata) = metadata.as_map_mut() else { return };
        metadata.remove(key);
        if !entries.is_empty() {
            let entries = entries.into_iter().map(|(key, text)| (key, scalar::string(text))).collect();
            metadata.set(key, Tree::map(entries));
        }
    }

    /// True if a patch deleted the object, or left nothing of it.
    pub(crate) fn is_gone(&self) -> bool {
        match &self.tree {
            Tree::Scalar(_) => self.tree.is_null(),
            Tree::List(items) => items.is_empty(),
            Tree::Map(map) => map.is_empty(),
        }
    }
}
