//! Nodes printed again: a tree that v3 has read, as kyaml prints it, with its order of keys and the style of its scalars.
//!
//! In: a tree and, for the question whether that is all, its text. Out: text again. A tree does not know comments, flow
//! style, anchors, or quotes of keys: [`lost`] says whether a text has any of these.

use crate::value::{Kind, Scalar, Style, Tree};

use super::read::{EventKind, Parser, Scanner};
use super::resolve::{Plain, resolve};
use super::{Dialect, Emitter, Look};

/// The tree as kyaml prints a node that it has read. Ends with a line end.
pub fn node_to_string(tree: &Tree) -> String {
    let mut out = String::new();
    let mut emitter = Emitter::new(&mut out, Look::V3).with_compact_lists();
    emit(&mut emitter, tree);
    // v3 refuses no value
    let _ = emitter.finish();
    out
}

/// A string as v3 writes it behind a key, quoted where it must be.
pub fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut emitter = Emitter::new(&mut out, Look::V3);
    emitter.str(text);
    // v3 refuses no value
    let _ = emitter.finish_trimmed();
    out
}

fn emit(emitter: &mut Emitter<'_>, tree: &Tree) {
    match tree {
        Tree::Scalar(scalar) => emit_scalar(emitter, scalar),
        Tree::List(items) => {
            emitter.list_start();
            items.iter().for_each(|item| emit(emitter, item));
            emitter.list_end();
        }
        Tree::Map(map) => {
            emitter.map_start();
            for (key, value) in map.iter() {
                emitter.key(key);
                emit(emitter, value);
            }
            emitter.map_end();
        }
    }
}

fn emit_scalar(emitter: &mut Emitter<'_>, scalar: &Scalar) {
    let is_text = scalar.kind == Kind::Str;
    if is_text && scalar.style != Style::Plain {
        return emitter.node(&scalar.text, scalar.style, None, false);
    }
    let same = kind_of(&scalar.text) == scalar.kind;
    let tag = (!same && !is_text).then(|| tag(scalar.kind));
    emitter.node(&scalar.text, scalar.style, tag, !same && is_text);
}

/// What plain text is to go-yaml v3.
pub fn kind_of(text: &str) -> Kind {
    match resolve(text, Dialect::V3) {
        Plain::Null => Kind::Null,
        Plain::Bool(_) => Kind::Bool,
        Plain::Int(_) | Plain::Uint(_) => Kind::Int,
        Plain::Float(_) => Kind::Float,
        Plain::Timestamp => Kind::Timestamp,
        Plain::Str => Kind::Str,
    }
}

/// The short tag of a kind.
pub fn tag(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "!!null",
        Kind::Bool => "!!bool",
        Kind::Int => "!!int",
        Kind::Float => "!!float",
        Kind::Str => "!!str",
        Kind::Timestamp => "!!timestamp",
        Kind::Binary => "!!binary",
    }
}

/// The first thing in a text that a tree of it does not know, for a message; nothing if printing the tree prints the text's
/// own content.
pub fn lost(text: &str) -> Option<&'static str> {
    let mut parser = Parser::new(Scanner::new(text, Dialect::V3.look_ahead())).ok()?;
    let (mut end, mut previous_flow_start) = (0_usize, false);
    // what the innermost collections expect next: in a map, keys and values take turns
    let mut maps: Vec<Option<bool>> = Vec::new();
    let mut documents = 0;
    while let Ok(event) = parser.next() {
        let start = event.start.place as usize;
        if text.get(end..start.max(end)).is_some_and(|between| between.contains('#')) {
            return Some("a comment");
        }
        let is_key = maps.last().copied().flatten() == Some(true);
        let flow_start = matches!(event.kind, EventKind::ListStart(_, true) | EventKind::MapStart(_, true));
        if previous_flow_start && !matches!(event.kind, EventKind::ListEnd | EventKind::MapEnd) {
            return Some("flow style");
        }
        previous_flow_start = flow_start;
        match &event.kind {
            EventKind::Alias(_) => return Some("an alias"),
            EventKind::Scalar(properties, _, _) | EventKind::ListStart(properties, _) | EventKind::MapStart(properties, _)
                if properties.anchor.is_some() || properties.tag.is_some() =>
            {
                return Some("an anchor or tag");
            }
            EventKind::Scalar(_, _, style) if is_key && *style != Style::Plain => return Some("a key in quotes"),
            EventKind::Scalar(_, _, Style::Folded) => return Some("a folded text"),
            EventKind::DocumentStart => documents += 1,
            EventKind::StreamEnd => break,
            _ => {}
        }
        if documents > 1 {
            return Some("a second document");
        }
        if let Some(Some(key)) = maps.last_mut().filter(|_| !matches!(event.kind, EventKind::MapEnd | EventKind::DocumentEnd | EventKind::DocumentStart)) {
            *key = !*key;
        }
        match event.kind {
            EventKind::MapStart(..) => maps.push(Some(true)),
            EventKind::ListStart(..) => maps.push(None),
            EventKind::MapEnd | EventKind::ListEnd => drop(maps.pop()),
            _ => {}
        }
        end = event.end.place as usize;
    }
    text.get(end..).is_some_and(|rest| rest.contains('#')).then_some("a comment")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceText;

    fn again(text: &str) -> String {
        node_to_string(&super::super::parse(&SourceText::new("", text), Dialect::V3).expect("good YAML"))
    }

    #[test]
    fn order_and_quotes_stay() {
        let text = "b: 'x'\na:\n- \"1\"\n- c: yes\n  d: |\n    text\n    more\n- 0x1F\n- {}\n";
        assert_eq!(again(text), text);
        assert_eq!(again("a:\n    - b:\n        c: 1"), "a:\n- b:\n    c: 1\n");
    }

    #[test]
    fn a_text_under_a_foreign_tag_says_so() {
        let tree = |kind, text: &str| node_to_string(&Tree::plain(kind, text));
        assert_eq!(tree(Kind::Int, "web"), "!!int web\n");
        assert_eq!(tree(Kind::Str, "5432"), "\"5432\"\n");
        assert_eq!(tree(Kind::Str, "yes"), "yes\n");
    }

    #[test]
    fn what_a_tree_cannot_keep_is_named() {
        assert_eq!(lost("a: 1\nb:\n- c\n- {}\n- 'x # y'\n- |\n  # text\n"), None);
        for (text, what) in [
            ("a: 1 # x\n", "a comment"),
            ("# x\na: 1\n", "a comment"),
            ("a: 1\n# x\n", "a comment"),
            ("a: {b: 1}\n", "flow style"),
            ("a: &x 1\nb: *x\n", "an anchor or tag"),
            ("'a': 1\n", "a key in quotes"),
            ("a: >\n  b\n", "a folded text"),
            ("a: 1\n---\nb: 2\n", "a second document"),
        ] {
            assert_eq!(lost(text), Some(what), "{text}");
        }
    }
}
