//! The few fields of a manifest that Helm looks at, read without building a value.
//!
//! In: a document's text. Out: its kind, its name and its hook annotations. The whole text is read all the same: what
//! is no YAML, or has a field of the wrong shape, fails as in Helm.

use std::borrow::Cow;
use std::rc::Rc;

use crate::diag::{Diagnostic, Result, SourceText};
use crate::value::Style;
use crate::yaml::{self, Build, Dialect, Plain};

use super::skim;

/// What Helm reads of a manifest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub kind: String,
    pub name: String,
    /// `helm.sh/hook`.
    pub hook: Option<String>,
}

/// Reads a document's head. Fails with the YAML reader's codes, or with `manifest-shape`.
pub(crate) fn read(document: &str) -> Result<Head> {
    skim::head(document).map_or_else(|| read_whole(document), Ok)
}

/// As [`read`], by the YAML reader whatever the text.
pub(super) fn read_whole(document: &str) -> Result<Head> {
    let source = SourceText::new("", document);
    let Some(node) = yaml::read(&source, Dialect::V2, &mut Builder)? else { return Ok(Head::default()) };
    let mut head = Head::default();
    let map = match node {
        Node::Scalar(None) => return Ok(head),
        Node::Map(map) => map,
        other => return Err(misfit(&other, "value of type util.SimpleHead")),
    };
    text(&map, "apiVersion", "SimpleHead.apiVersion")?;
    head.kind = text(&map, "kind", "SimpleHead.kind")?;
    match field(&map, "metadata") {
        None | Some(Node::Scalar(None)) => {}
        Some(Node::Map(metadata)) => {
            head.name = text(metadata, "name", "SimpleHead.metadata.name")?;
            annotations(field(metadata, "annotations"), &mut head)?;
        }
        Some(other) => return Err(misfit(other, "struct field SimpleHead.metadata")),
    }
    Ok(head)
}

fn annotations(node: Option<&Node>, head: &mut Head) -> Result<()> {
    let map = match node {
        None | Some(Node::Scalar(None)) => return Ok(()),
        Some(Node::Map(map)) => map,
        Some(other) => return Err(misfit(other, "struct field SimpleHead.metadata.annotations of type map[string]string")),
    };
    for (key, node) in map.iter() {
        let Node::Scalar(text) = node else {
            return Err(misfit(node, "struct field SimpleHead.metadata.annotations of type string"));
        };
        let text = || text.clone().unwrap_or_default();
        if &**key == "helm.sh/hook" { head.hook = Some(text()) }
    }
    Ok(())
}

/// A field by name; the exact name wins over one in another case, as in Go.
fn field<'m>(map: &'m [(Box<str>, Node)], name: &str) -> Option<&'m Node> {
    let exact = map.iter().find(|(key, _)| **key == *name);
    exact.or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))).map(|(_, node)| node)
}

fn text(map: &[(Box<str>, Node)], name: &str, place: &str) -> Result<String> {
    match field(map, name) {
        None => Ok(String::new()),
        Some(Node::Scalar(text)) => Ok(text.clone().unwrap_or_default()),
        Some(other) => Err(misfit(other, &format!("struct field {place} of type string"))),
    }
}

fn misfit(node: &Node, place: &str) -> Box<Diagnostic> {
    let found = match node {
        Node::List(_) => "array",
        Node::Map(_) => "object",
        Node::Scalar(_) => "string",
    };
    Box::new(Diagnostic::input("manifest-shape", format!("json: cannot unmarshal {found} into Go {place}")))
}

/// A value of which only texts are kept; nothing is null.
#[derive(Clone, Debug)]
enum Node {
    Scalar(Option<String>),
    List(Rc<Vec<Node>>),
    Map(Rc<Vec<(Box<str>, Node)>>),
}

struct Builder;

impl Build for Builder {
    type Node = Node;
    type Map = Vec<(Box<str>, Node)>;

    fn scalar(&mut self, plain: Plain, text: Cow<'_, str>, _: Style) -> Node {
        Node::Scalar(match plain {
            Plain::Null => None,
            Plain::Bool(value) => Some(value.to_string()),
            Plain::Int(value) => Some(value.to_string()),
            Plain::Uint(value) => Some(value.to_string()),
            Plain::Float(value) => Some(crate::go::float::g32(value)),
            Plain::Timestamp | Plain::Str => Some(text.into_owned()),
        })
    }

    fn binary(&mut self, _: Cow<'_, str>, decoded: Vec<u8>, _: Style) -> Node {
        Node::Scalar(Some(String::from_utf8_lossy(&decoded).into_owned()))
    }

    fn list(&mut self, items: Vec<Node>) -> Node {
        Node::List(Rc::new(items))
    }

    fn new_map(&mut self) -> Self::Map {
        Vec::new()
    }

    fn set(&mut self, map: &mut Self::Map, key: &str, value: Node) -> Option<usize> {
        let at = map.iter().position(|(known, _)| **known == *key);
        match at {
            Some(at) => map[at].1 = value,
            None => map.push((Box::from(key), value)),
        }
        at
    }

    fn map_len(&self, map: &Self::Map) -> usize {
        map.len()
    }

    fn finish_map(&mut self, map: Self::Map) -> Node {
        Node::Map(Rc::new(map))
    }

    fn merge(&mut self, into: &mut Self::Map, from: &Node, replace: bool) {
        let Node::Map(from) = from else { return };
        for (key, node) in from.iter() {
            if replace || !into.iter().any(|(known, _)| known == key) {
                self.set(into, key, node.clone());
            }
        }
    }

    fn copy(&mut self, node: &Node) -> Node {
        node.clone()
    }

    fn is_map(&self, node: &Node) -> bool {
        matches!(node, Node::Map(_))
    }

    fn items<'n>(&self, node: &'n Node) -> Option<&'n [Node]> {
        match node {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    fn key_text(&self, node: &Node) -> Option<String> {
        match node {
            Node::Scalar(text) => Some(text.clone().unwrap_or_else(|| "null".to_owned())),
            _ => None,
        }
    }

    fn go_syntax(&self, _: &Node) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_that_helm_reads() {
        let head = read("kind: Job\nmetadata:\n  name: 7\n  annotations:\n    helm.sh/hook: test\n    helm.sh/hook-weight: -5\n").expect("YAML");
        assert_eq!((head.kind.as_str(), head.name.as_str()), ("Job", "7"));
        assert_eq!(head.hook.as_deref(), Some("test"));
        assert_eq!(read("# nothing\n").expect("YAML"), Head::default());
    }

    #[test]
    fn what_helm_refuses() {
        for text in ["- a", "word", "kind: [a]", "metadata: x", "metadata: {annotations: {a: {b: c}}}", "a: b: c"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
