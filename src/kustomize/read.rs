//! Texts with objects in them → resources.
//!
//! In: a file of one or more documents, some of them lists of objects. Out: the objects, checked for what every object
//! must have. Documents without content are left out.

use std::collections::VecDeque;
use std::sync::Arc;

use super::json6902;
use super::resource::Resource;
use super::shared::Loaded;
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText, Span};
use crate::manifest::Origin;
use crate::value::{Text, Tree};
use crate::yaml::{self, Dialect, Piece};

/// The objects of a text. `origin` is the part of their origin that they share.
pub(crate) fn resources(source: &SourceText, origin: &Origin, profile: Profile) -> Result<Vec<Resource>> {
    of_pieces(&yaml::parse_pieces(source, Dialect::V3)?, source, origin, profile)
}

/// As [`resources`], of a file, which is parsed once however many builds want its objects.
pub(crate) fn of_file(file: &Loaded, origin: &Origin, profile: Profile) -> Result<Vec<Resource>> {
    of_pieces(&file.pieces()?, &file.source, origin, profile)
}

fn of_pieces(pieces: &[Piece], source: &SourceText, origin: &Origin, profile: Profile) -> Result<Vec<Resource>> {
    let only_one = pieces.len() == 1;
    let mut queue: VecDeque<(Tree, Place)> = VecDeque::new();
    let mut place = Place { span: Span::new(0, 0), line: 1 };
    for (tree, range) in pieces {
        // lines are counted on from the document before: from the top, many documents would cost the square of their number
        let passed = source.text().as_bytes().get(place.span.start as usize..range.start).unwrap_or_default();
        let line = place.line + memchr::memchr_iter(b'\n', passed).count() as u32;
        place = Place { span: Span::new(range.start, range.end), line };
        if tree.is_null() {
            continue;
        }
        match bare_list(tree).filter(|_| only_one) {
            Some(items) => queue.extend(items.iter().map(|item| (item.clone(), place))),
            None => queue.push_back((tree.clone(), place)),
        }
    }
    let mut found = Vec::with_capacity(queue.len());
    while let Some((tree, place)) = queue.pop_front() {
        if is_empty(&tree) {
            continue;
        }
        check(&tree, source, place.span)?;
        let kind = kind_of(&tree);
        if !kind.ends_with("List") {
            found.push(resource(tree, place, origin));
            continue;
        }
        match tree.get("items") {
            None if profile.lists_without_items_are_objects() => found.push(resource(tree, place, origin)),
            None => {}
            Some(Tree::List(items)) => queue.extend(items.iter().map(|item| (through_json(item), place))),
            Some(items) if items.is_null() => {}
            Some(_) => {
                let message = format!("expected a list in `items` of a {kind} in `{}`", source.name());
                return Err(fault("kustomize-list-items", message, source, place.span));
            }
        }
    }
    Ok(found)
}

/// Where a document stands.
#[derive(Clone, Copy)]
struct Place {
    span: Span,
    /// Its first line, one-based.
    line: u32,
}

/// An item of a list as kustomize takes it out: by way of JSON.
fn through_json(item: &Tree) -> Tree {
    let mut item = item.clone();
    json6902::through_json(&mut item);
    item
}

/// The items of a `List` or `ResourceList` that is a file's only document.
fn bare_list(tree: &Tree) -> Option<&[Tree]> {
    if !matches!(kind_of(tree).as_str(), "List" | "ResourceList") {
        return None;
    }
    match tree.get("items") {
        Some(items) => Some(items.as_list().unwrap_or_default()),
        None => tree.get("functionConfig").map(|_| &[][..]),
    }
}

fn kind_of(tree: &Tree) -> Text {
    tree.get("kind").and_then(Tree::as_scalar).map(|scalar| scalar.text.clone()).unwrap_or_default()
}

fn is_empty(tree: &Tree) -> bool {
    match tree {
        Tree::Scalar(_) => tree.is_null(),
        Tree::List(items) => items.is_empty(),
        Tree::Map(map) => map.is_empty(),
    }
}

fn check(tree: &Tree, source: &SourceText, span: Span) -> Result<()> {
    let has = |path: &[&str]| {
        let scalar = tree.at(path).filter(|value| !value.is_null()).and_then(Tree::as_scalar);
        scalar.is_some_and(|scalar| !scalar.text.is_empty())
    };
    let missing = if tree.as_map().is_none() {
        "it is no map"
    } else if !has(&["kind"]) {
        "`kind` is missing"
    } else if !kind_of(tree).ends_with("List") && !has(&["metadata", "name"]) {
        "`metadata.name` is missing"
    } else {
        return Ok(());
    };
    let message = format!("a document of `{}` is no Kubernetes object: {missing}", source.name());
    Err(fault("kustomize-no-object", message, source, span))
}

fn resource(tree: Tree, place: Place, origin: &Origin) -> Resource {
    let mut resource = Resource::new(tree, Arc::new(Origin { line: place.line, ..origin.clone() }));
    resource.absorb_notes();
    resource
}

fn fault(code: &'static str, message: String, source: &SourceText, span: Span) -> Box<Diagnostic> {
    // The first line is enough: a whole document is no excerpt.
    let start = span.start as usize;
    let rest = &source.text()[start.min(source.text().len())..];
    let first_line = Span::new(start, start + rest.find('\n').unwrap_or(rest.len()));
    Box::new(Diagnostic::input(code, message).at(source, first_line, ""))
}
