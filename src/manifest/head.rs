//! The head of an object: what is asked of each manifest before its tree is needed.
//!
//! In: YAML events. Out: identity and little else; everything below is checked for syntax and dropped at once, so that
//! a render which only prints its objects never builds their trees. Where a tree is made anyway, the head is taken from it.

use std::borrow::Cow;

use crate::value::{Style, Text, Tree};
use crate::yaml::{Build, Plain};

use super::ObjectId;

/// The keys on the way to something that a head keeps.
const KEPT: &[&str] = &["apiVersion", "kind", "metadata", "name", "namespace", "generateName", "items"];

/// Longest text kept: longer ones are never part of an identity.
pub(super) const TEXT_BYTES_MAX: usize = 512;

/// What is left of a node.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// Null.
    Null,
    /// A scalar's text.
    Text(Text),
    /// A list.
    List,
    /// A map, kept keys only.
    Map(Vec<(&'static str, Part)>),
}

impl Part {
    /// What is kept of a tree.
    pub(super) fn of(tree: &Tree) -> Part {
        match tree {
            Tree::Scalar(_) if tree.is_null() => Part::Null,
            Tree::Scalar(scalar) => Part::Text(kept_text(&scalar.text)),
            Tree::List(_) => Part::List,
            Tree::Map(map) => {
                let kept = KEPT.iter().filter_map(|key| Some((*key, Part::of(map.get(key)?))));
                Part::Map(kept.collect())
            }
        }
    }

    fn get(&self, key: &str) -> Option<&Part> {
        match self {
            Part::Map(entries) => entries.iter().find(|entry| entry.0 == key).map(|entry| &entry.1),
            _ => None,
        }
    }

    fn text(&self, key: &str) -> Text {
        match self.get(key) {
            Some(Part::Text(text)) => text.clone(),
            _ => Text::default(),
        }
    }

    /// The identity, missing parts empty.
    pub(super) fn id(&self) -> ObjectId {
        let metadata = self.get("metadata").unwrap_or(&Part::Null);
        ObjectId::new(&self.text("apiVersion"), self.text("kind"), metadata.text("namespace"), metadata.text("name"))
    }

    /// True if the server is to make the name up.
    pub(super) fn generates_name(&self) -> bool {
        self.get("metadata").is_some_and(|metadata| !metadata.text("generateName").is_empty())
    }

    /// True for an object that only holds others: a kind that ends in `List`, with a list of items.
    pub(super) fn is_list(&self) -> bool {
        self.text("kind").ends_with("List") && matches!(self.get("items"), Some(Part::List))
    }
}

fn kept_text(text: &Text) -> Text {
    if text.len() > TEXT_BYTES_MAX { Text::default() } else { text.clone() }
}

/// Builds [`Part`]s.
pub(super) struct HeadBuilder;

impl Build for HeadBuilder {
    type Node = Part;
    /// The kept keys, and all keys in their order where `<<` may need them: a head needs their count only.
    type Map = Vec<(&'static str, Part)>;

    fn scalar(&mut self, plain: Plain, text: Cow<'_, str>, _style: Style) -> Part {
        match plain {
            Plain::Null => Part::Null,
            _ if text.len() > TEXT_BYTES_MAX => Part::Text(Text::default()),
            _ => Part::Text(Text::from(text)),
        }
    }

    fn binary(&mut self, _text: Cow<'_, str>, _decoded: Vec<u8>, _style: Style) -> Part {
        Part::Null
    }

    fn list(&mut self, _items: Vec<Part>) -> Part {
        Part::List
    }

    fn new_map(&mut self) -> Self::Map {
        Vec::new()
    }

    fn set(&mut self, map: &mut Self::Map, key: &str, value: Part) -> Option<usize> {
        let kept = KEPT.iter().find(|kept| **kept == key)?;
        map.retain(|entry| entry.0 != *kept);
        map.push((kept, value));
        None
    }

    fn map_len(&self, map: &Self::Map) -> usize {
        map.len()
    }

    fn finish_map(&mut self, map: Self::Map) -> Part {
        Part::Map(map)
    }

    fn merge(&mut self, into: &mut Self::Map, from: &Part, replace: bool) {
        let Part::Map(entries) = from else { return };
        for (key, part) in entries {
            if replace || into.iter().all(|entry| entry.0 != *key) {
                into.retain(|entry| entry.0 != *key);
                into.push((key, part.clone()));
            }
        }
    }

    fn copy(&mut self, node: &Part) -> Part {
        node.clone()
    }

    fn is_map(&self, node: &Part) -> bool {
        matches!(node, Part::Map(_))
    }

    fn items<'n>(&self, _node: &'n Part) -> Option<&'n [Part]> {
        None
    }

    fn key_text(&self, node: &Part) -> Option<String> {
        match node {
            Part::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    fn go_syntax(&self, _node: &Part) -> String {
        "map[interface {}]interface {}{…}".to_owned()
    }
}
