//! The notes that kustomize keeps on objects as annotations, for the few who can see them as such.
//!
//! A resource keeps them as fields. A JSON patch that adds an annotation works in kustomize because a note made the
//! map, and one that removes the map removes the notes: whoever runs such a patch calls [`Resource::reveal_notes`]
//! before and [`Resource::absorb_notes`] after.

use super::resource::{Behavior, PreviousId, Resource};
use crate::value::{Map, Text, Tree};

const DOMAIN: &str = "internal.config.kubernetes.io/";

/// Notes that kustomize drops at the end and that mean nothing here.
const OTHERS: &[&str] = &[
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
];

impl Resource {
    /// True if kustomize would have made annotations for its notes.
    pub(crate) fn has_notes(&self) -> bool {
        !self.previous.is_empty()
            || !self.prefixes.is_empty()
            || !self.suffixes.is_empty()
            || self.generated
            || self.build_origin.is_some()
            || !self.transformations.is_empty()
    }

    /// Writes the notes as annotations and forgets them. Origins stay where they are: they are written at the end.
    pub(crate) fn reveal_notes(&mut self) {
        if !self.has_notes() {
            return;
        }
        let join = |texts: &mut dyn Iterator<Item = &Text>| {
            Text::from(texts.map(Text::as_str).collect::<Vec<_>>().join(","))
        };
        let mut notes: Vec<(&str, Text)> = Vec::new();
        if !self.previous.is_empty() {
            notes.push(("previousKinds", join(&mut self.previous.iter().map(|id| &id.kind))));
            notes.push(("previousNames", join(&mut self.previous.iter().map(|id| &id.name))));
            notes.push(("previousNamespaces", join(&mut self.previous.iter().map(|id| &id.namespace))));
        }
        if !self.prefixes.is_empty() {
            notes.push(("prefixes", join(&mut self.prefixes.iter())));
        }
        if !self.suffixes.is_empty() {
            notes.push(("suffixes", join(&mut self.suffixes.iter())));
        }
        if self.generated {
            let word = match self.behavior {
                Behavior::Unspecified => "unspecified",
                Behavior::Create => "create",
                Behavior::Replace => "replace",
                Behavior::Merge => "merge",
            };
            notes.push(("generatorBehavior", word.into()));
        }
        if self.needs_hash {
            notes.push(("needsHashSuffix", "enabled".into()));
        }
        let Some(map) = self.tree.as_map_mut() else { return };
        let Some(metadata) = map.or_set_with("metadata", Tree::empty_map).as_map_mut() else { return };
        let annotations = metadata.or_set_with("annotations", Tree::empty_map);
        if annotations.is_null() {
            *annotations = Tree::empty_map();
        }
        let Some(annotations) = annotations.as_map_mut() else { return };
        for (name, text) in notes {
            annotations.set(format!("{DOMAIN}{name}"), Tree::str(text));
        }
        self.forget();
    }

    /// The notes among the annotations.
    pub(crate) fn shown_notes(&self) -> Vec<(Text, Text)> {
        self.meta_map("annotations").into_iter().filter(|(key, _)| is_note(key)).collect()
    }

    /// Takes notes out of the annotations, whoever wrote them.
    pub(crate) fn absorb_notes(&mut self) {
        let annotations = self.tree.at(&["metadata", "annotations"]).and_then(Tree::as_map);
        if !annotations.is_some_and(|map| map.iter().any(|(key, _)| is_note(key))) {
            return;
        }
        self.forget();
        let Some(metadata) = self.metadata_mut() else { return };
        let Some(annotations) = metadata.get_mut("annotations").and_then(Tree::as_map_mut) else { return };
        let notes: Map = annotations
            .iter()
            .filter(|(key, _)| is_note(key))
            .map(|(key, value)| (Text::new(key.rsplit('/').next().unwrap_or(key)), value.clone()))
            .collect();
        annotations.retain(|key, _| !is_note(key));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
        self.remember(&notes);
    }

    fn forget(&mut self) {
        self.previous.clear();
        self.prefixes.clear();
        self.suffixes.clear();
        self.generated = false;
        self.needs_hash = false;
        self.behavior = Behavior::Unspecified;
    }

    fn remember(&mut self, notes: &Map) {
        let text = |name: &str| notes.get(name).and_then(Tree::as_scalar).map(|scalar| scalar.text.clone());
        let split = |name: &str| -> Vec<Text> {
            text(name).map(|text| text.split(',').map(Text::new).collect()).unwrap_or_default()
        };
        let (names, namespaces) = (split("previousNames"), split("previousNamespaces"));
        let kinds = split("previousKinds");
        let ids = names.into_iter().zip(namespaces).zip(kinds);
        self.previous = ids.map(|((name, namespace), kind)| PreviousId { name, namespace, kind }).collect();
        self.prefixes = split("prefixes");
        self.suffixes = split("suffixes");
        self.needs_hash = text("needsHashSuffix").is_some_and(|text| text == "enabled");
        let behavior = text("generatorBehavior");
        self.generated = behavior.is_some();
        self.behavior = match behavior.as_deref() {
            Some("create") => Behavior::Create,
            Some("replace") => Behavior::Replace,
            Some("merge") => Behavior::Merge,
            _ => Behavior::Unspecified,
        };
    }
}

/// True for an annotation that kustomize keeps notes in and drops at the end.
pub(crate) fn is_note(key: &str) -> bool {
    let own = key.strip_prefix(DOMAIN).is_some_and(|name| {
        matches!(
            name,
            "previousKinds"
                | "previousNames"
                | "previousNamespaces"
                | "prefixes"
                | "suffixes"
                | "generatorBehavior"
                | "needsHashSuffix"
        )
    });
    own || OTHERS.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Origin;

    #[test]
    fn notes_survive_being_shown() {
        let metadata = Tree::map(Map::from_iter([("name".into(), Tree::str("web"))]));
        let mut resource = Resource::new(Tree::map(Map::from_iter([("metadata".into(), metadata)])), Origin::default().into());
        let before = resource.tree.clone();
        resource.prefixes = vec!["a-".into(), "b-".into()];
        resource.previous = vec![PreviousId { name: "w".into(), namespace: "default".into(), kind: "Service".into() }];
        resource.reveal_notes();
        assert!(resource.tree.at(&["metadata", "annotations"]).is_some() && resource.prefixes.is_empty());
        resource.absorb_notes();
        assert_eq!((resource.prefixes.len(), resource.previous.len()), (2, 1));
        assert_eq!(resource.tree, before);
    }
}
