//! Texts to objects.
//!
//! In: a text of any number of documents. Out: its objects, lists of objects taken apart. Leaves files and folders to
//! `source`, and what objects mean to those who use them.

use std::ops::Range;
use std::sync::Arc;

use crate::diag::{Diagnostic, Result, SourceText, Span};
use crate::value::{Text, Tree};
use crate::yaml::{self, Dialect};

use super::head::{HeadBuilder, Part, TEXT_BYTES_MAX};
use super::{Object, ObjectId, Origin, Set};

impl Set {
    /// Reads all objects of a text, as `kubectl apply` would: empty documents are passed over, a kind that ends in
    /// `List` gives its items. Each object's origin is the text's name and its line.
    ///
    /// Fails with `yaml-syntax`, `manifest-not-object`, `manifest-no-kind`, `manifest-no-api-version` or
    /// `manifest-no-name`.
    pub fn parse(source: &SourceText) -> Result<Set> {
        let mut set = Set::default();
        for (part, range) in yaml::read_documents(source, Dialect::V2, &mut HeadBuilder)? {
            add_document(&mut set, source, &part, None, range)?;
        }
        Ok(set)
    }

    /// As [`Set::parse`], for callers that will want every object's value: each text is read once and not twice, and one
    /// that is known to be as it would be printed is not read at all until its tree is asked for.
    pub fn parse_trees(source: &SourceText) -> Result<Set> {
        if let Some(object) = printed(source) {
            return Ok(Set { objects: vec![object] });
        }
        let mut set = Set::default();
        for (tree, range) in yaml::parse_pieces(source, Dialect::V2)? {
            add_document(&mut set, source, &Part::of(&tree), Some(tree), range)?;
        }
        Ok(set)
    }
}

fn add_document(
    set: &mut Set,
    source: &SourceText,
    part: &Part,
    tree: Option<Tree>,
    range: Range<usize>,
) -> Result<()> {
    if matches!(part, Part::Null) {
        return Ok(());
    }
    let body = content(source.text(), range);
    let id = part.id();
    if let Some(fault) = fault(part, &id) {
        return Err(Box::new(fault.at(source, first_line(source.text(), &body), "this document")));
    }
    let line = source.line_column(u32::try_from(body.start).unwrap_or(u32::MAX)).0 as u32;
    let origin = Arc::new(Origin { file: Text::new(source.name()), line, ..Origin::default() });
    let object = Object::from_text(id, Arc::from(&source.text()[body]), tree, origin);
    if part.is_list() {
        add_items(set, &object);
    } else {
        set.objects.push(object);
    }
    Ok(())
}

/// The one object of a text that is as it would be printed, if that is known.
fn printed(source: &SourceText) -> Option<Object> {
    let [mut api_version, mut kind, mut namespace, mut name] = [""; 4];
    let known = yaml::is_printed(source.text(), |way, text, _| match way.near_top() {
        Some((None, "apiVersion")) => api_version = text,
        Some((None, "kind")) => kind = text,
        Some((Some("metadata"), "namespace")) => namespace = text,
        Some((Some("metadata"), "name")) => name = text,
        _ => {}
    });
    // what is missing, and lists that are taken apart, are for those who read the text
    let good = |text: &str| !matches!(text, "" | "null") && text.len() <= TEXT_BYTES_MAX;
    let whole = known && [api_version, kind, name].into_iter().all(good) && (namespace.is_empty() || good(namespace));
    if !whole || kind.ends_with("List") {
        return None;
    }
    let origin = Arc::new(Origin { file: Text::new(source.name()), line: 1, ..Origin::default() });
    let id = ObjectId::new(api_version, kind.into(), namespace.into(), name.into());
    Some(Object::from_printed(id, source.shared(), origin))
}

/// What keeps a document from being an object.
fn fault(part: &Part, id: &ObjectId) -> Option<Diagnostic> {
    if !matches!(part, Part::Map(_)) {
        return Some(
            Diagnostic::input("manifest-not-object", "a document is not an object")
                .hint("write `apiVersion`, `kind` and `metadata`"),
        );
    }
    if id.kind.is_empty() {
        return Some(Diagnostic::input("manifest-no-kind", "an object has no `kind`").hint("add `kind`"));
    }
    if id.version.is_empty() {
        let message = format!("`{}` has no `apiVersion`", id.kind);
        return Some(Diagnostic::input("manifest-no-api-version", message).hint("add `apiVersion`"));
    }
    if id.name.is_empty() && !part.generates_name() && !part.is_list() {
        let message = format!("`{}` has no name", id.kind);
        return Some(Diagnostic::input("manifest-no-name", message).hint("add `metadata.name`"));
    }
    None
}

/// Takes a list apart. Items keep their list's place: they have no text of their own.
fn add_items(set: &mut Set, list: &Object) {
    let items = list.tree().get("items").and_then(Tree::as_list).unwrap_or_default();
    set.objects.extend(items.iter().map(|item| Object::new(item.clone(), list.origin.clone())));
}

/// A document's text without the `---` that begins it and the `...` that may end it.
fn content(text: &str, range: Range<usize>) -> Range<usize> {
    let mut begin = range.start;
    if let Some(rest) = text[range.clone()].strip_prefix("---") {
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let comment = rest[blanks..].starts_with('#');
        let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        begin += 3 + if comment || rest[blanks..].starts_with(['\n', '\r']) { line_end } else { blanks };
    }
    begin.min(range.end)..range.end
}

fn first_line(text: &str, body: &Range<usize>) -> Span {
    let length = text[body.clone()].find('\n').unwrap_or(body.len());
    Span::new(body.start, body.start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Set> {
        Set::parse(&SourceText::new("a.yaml", text))
    }

    #[test]
    fn documents_become_objects_with_text_and_place() {
        let set = parse("# head\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n---\n\n--- # two\napiVersion: v1\nkind: Pod\nmetadata:\n  generateName: p-\n...\n")
            .expect("the objects are whole");
        let names: Vec<String> = set.objects.iter().map(|object| object.id.to_string()).collect();
        assert_eq!(names, ["Deployment.apps shop/web", "Pod "]);
        assert_eq!(set.objects[0].origin.line, 3);
        assert!(set.objects[1].text().starts_with("apiVersion: v1\n"), "{}", set.objects[1].text());
        assert_eq!(set.objects[1].tree().at(&["metadata", "generateName"]).and_then(Tree::as_str), Some("p-"));
    }

    #[test]
    fn lists_are_taken_apart() {
        let set = parse("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n- {apiVersion: v1, kind: B, metadata: {name: b}}\n")
            .expect("the list is whole");
        assert_eq!(set.objects.iter().map(|object| object.id.kind.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let code = |text: &str| parse(text).expect_err("something is missing").code;
        assert_eq!(code("[1]\n"), "manifest-not-object");
        assert_eq!(code("apiVersion: v1\n"), "manifest-no-kind");
        assert_eq!(code("kind: A\nmetadata: {name: a}\n"), "manifest-no-api-version");
        assert_eq!(code("apiVersion: v1\nkind: A\n"), "manifest-no-name");
        assert_eq!(code("a: [\n"), "yaml-syntax");
    }

    #[test]
    fn with_trees_or_without_the_same_is_read() {
        for text in [
            "apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: 1}\n--- # two\napiVersion: g/v1\nkind: B\nmetadata: {generateName: b-}\n",
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n",
            "apiVersion: apps/v1\nkind: A\nmetadata:\n  name: \"5\"\n  namespace: b\nspec:\n- name: no\n",
            "apiVersion: v1\nkind: A\nmetadata:\n  name: null\n",
            "apiVersion: v1\nkind: A\nmetadata: {}\n",
            "apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  name: a\n",
            "apiVersion: v1\nkind: A\nmetadata:\n  name: a\n\n",
            "a: &m {name: x}\napiVersion: v1\nkind: A\nmetadata:\n  <<: *m\n",
            "",
            "---\n",
            "[1]\n",
            "kind: A\n",
            "apiVersion: v1\nkind: ~\n",
            "apiVersion: v1\nkind: A\nmetadata: {name: ~}\n",
            "apiVersion: v1\nkind: A\nmetadata: [name]\n",
            "apiVersion: v1\nkind: A\nmetadata: {name: [a]}\n",
            "a: [\n",
        ] {
            let read = |set: Result<Set>| {
                let objects = set.map_err(|fault| (fault.code, fault.message.clone()))?.objects;
                let told = |object: &Object| {
                    (object.id.clone(), object.origin.clone(), object.tree().clone(), object.text(), object.canonical())
                };
                Ok::<Vec<_>, (&str, String)>(objects.iter().map(told).collect())
            };
            assert_eq!(read(parse(text)), read(Set::parse_trees(&SourceText::new("a.yaml", text))), "{text}");
        }
    }
}
