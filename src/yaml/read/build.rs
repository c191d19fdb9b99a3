//! Builders: what the composer makes of a document.
//!
//! [`Build`] lets a room make its own values straight from YAML; [`TreeBuilder`] makes trees.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::go::float;
use crate::value::{Kind, Map, Scalar, Style, Text, Tree};

use super::{Dialect, Plain};

/// Makes values of scalars, lists and maps.
///
/// `text` is the scalar's text, unescaped and unfolded; `plain` what it means. Maps have string keys: the composer has
/// turned keys into strings by the dialect's rules.
pub trait Build {
    /// A value. Cloned where an anchor names it.
    type Node: Clone;
    /// A map that is being filled.
    type Map;

    /// A scalar.
    fn scalar(&mut self, plain: Plain, text: Cow<'_, str>, style: Style) -> Self::Node;
    /// A `!!binary` scalar, with its text in base64 and decoded.
    fn binary(&mut self, text: Cow<'_, str>, decoded: Vec<u8>, style: Style) -> Self::Node;
    /// A list.
    fn list(&mut self, items: Vec<Self::Node>) -> Self::Node;
    /// An empty map.
    fn new_map(&mut self) -> Self::Map;
    /// Sets a key; if it was set already, replaces the value and gives the key's place among the keys.
    fn set(&mut self, map: &mut Self::Map, key: &str, value: Self::Node) -> Option<usize>;
    /// How many keys there are.
    fn map_len(&self, map: &Self::Map) -> usize;
    /// A complete map.
    fn finish_map(&mut self, map: Self::Map) -> Self::Node;
    /// Sets all keys of `from`, which is a map; `replace` says whether those that are set already change.
    fn merge(&mut self, into: &mut Self::Map, from: &Self::Node, replace: bool);
    /// A value for an alias to `node`: the same one where values are immutable, a deep copy where not.
    fn copy(&mut self, node: &Self::Node) -> Self::Node;
    /// True for a map.
    fn is_map(&self, node: &Self::Node) -> bool;
    /// The items of a list.
    fn items<'n>(&self, node: &'n Self::Node) -> Option<&'n [Self::Node]>;
    /// The text that a node has as a key; nothing if it cannot be one.
    fn key_text(&self, node: &Self::Node) -> Option<String>;
    /// The node as Go's `%#v` shows it, for messages about keys that cannot be keys.
    fn go_syntax(&self, node: &Self::Node) -> String;
}

/// Builds [`Tree`]s. V3 keeps texts as written; V2 gives scalars the text that they have in JSON.
pub struct TreeBuilder {
    /// Whose texts.
    pub dialect: Dialect,
}

/// Text of bytes as Go's JSON writes them: each byte that is no UTF-8 becomes one replacement character.
pub fn lossy(mut bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                out.push_str(text);
                return out;
            }
            Err(error) => {
                let (good, bad) = bytes.split_at(error.valid_up_to());
                out.push_str(std::str::from_utf8(good).unwrap_or_default());
                out.push('\u{FFFD}');
                bytes = &bad[1..];
            }
        }
    }
}

impl Build for TreeBuilder {
    type Node = Tree;
    type Map = Map;

    fn scalar(&mut self, plain: Plain, text: Cow<'_, str>, style: Style) -> Tree {
        let kind = match plain {
            Plain::Null => Kind::Null,
            Plain::Bool(_) => Kind::Bool,
            Plain::Int(_) | Plain::Uint(_) => Kind::Int,
            Plain::Float(_) => Kind::Float,
            Plain::Timestamp if self.dialect == Dialect::V3 => Kind::Timestamp,
            Plain::Timestamp | Plain::Str => Kind::Str,
        };
        let text = match (self.dialect, plain) {
            (Dialect::V3, _) | (_, Plain::Str | Plain::Timestamp) => Text::from(text),
            (_, Plain::Null) => Text::new_static("null"),
            (_, Plain::Bool(value)) => Text::new_static(if value { "true" } else { "false" }),
            (_, Plain::Int(value)) => Text::from(value.to_string()),
            (_, Plain::Uint(value)) => Text::from(value.to_string()),
            (_, Plain::Float(value)) => {
                let mut out = String::new();
                float::push_json(&mut out, value);
                Text::from(out)
            }
        };
        Tree::Scalar(Scalar { kind, style, text })
    }

    fn binary(&mut self, text: Cow<'_, str>, decoded: Vec<u8>, style: Style) -> Tree {
        match self.dialect {
            Dialect::V3 => Tree::Scalar(Scalar { kind: Kind::Binary, style, text: Text::from(text) }),
            Dialect::V2 => Tree::Scalar(Scalar { kind: Kind::Str, style, text: Text::from(lossy(&decoded)) }),
        }
    }

    fn list(&mut self, items: Vec<Tree>) -> Tree {
        Tree::list(items)
    }

    fn new_map(&mut self) -> Map {
        Map::new()
    }

    fn set(&mut self, map: &mut Map, key: &str, value: Tree) -> Option<usize> {
        map.set_full(key, value)
    }

    fn map_len(&self, map: &Map) -> usize {
        map.len()
    }

    fn finish_map(&mut self, map: Map) -> Tree {
        Tree::map(map)
    }

    fn merge(&mut self, into: &mut Map, from: &Tree, replace: bool) {
        for (key, value) in from.as_map().into_iter().flat_map(Map::iter) {
            if replace || !into.contains(key) {
                into.set(key.clone(), value.clone());
            }
        }
    }

    fn copy(&mut self, node: &Tree) -> Tree {
        node.clone()
    }

    fn is_map(&self, node: &Tree) -> bool {
        matches!(node, Tree::Map(_))
    }

    fn items<'n>(&self, node: &'n Tree) -> Option<&'n [Tree]> {
        node.as_list()
    }

    fn key_text(&self, node: &Tree) -> Option<String> {
        node.as_scalar().filter(|scalar| scalar.kind != Kind::Null).map(|scalar| scalar.text.to_string())
    }

    fn go_syntax(&self, node: &Tree) -> String {
        if node.is_null() {
            return "<nil>".to_owned();
        }
        let mut out = String::new();
        push_go_syntax(&mut out, node);
        out
    }
}

/// Keys were strings, or are shown as if they had been: Go would show a number bare.
fn push_go_syntax(out: &mut String, node: &Tree) {
    match node {
        Tree::Scalar(scalar) => match scalar.kind {
            Kind::Null => out.push_str("interface {}(nil)"),
            Kind::Bool | Kind::Int | Kind::Float => out.push_str(&scalar.text),
            // writing to a string cannot fail
            _ => drop(write!(out, "{:?}", scalar.text.as_str())),
        },
        Tree::List(items) => {
            out.push_str("[]interface {}{");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                push_go_syntax(out, item);
            }
            out.push('}');
        }
        Tree::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|entry| entry.0);
            out.push_str("map[interface {}]interface {}{");
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                let _ = write!(out, "{:?}:", key.as_str());
                push_go_syntax(out, value);
            }
            out.push('}');
        }
    }
}
