//! Texts with objects in them → resources.
//!
//! In: a file of one or more documents, some of them lists of objects. Out: the objects, checked for what every object
//! must have. Documents without content are left out.

use std::collections::VecDeque;
use std::sync::Arc;

use super::json6902;
use super::resource::Resource;
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText, Span};
use crate::manifest::Origin;
use crate::value::{Text, Tree};
use crate::yaml::{self, Dialect};

/// The objects of a text. `origin` is the part of their origin that they share.
pub(crate) fn resources(source: &SourceText, origin: &Origin, profile: Profile) -> Result<Vec<Resource>> {
    let documents = yaml::parse_documents(source, Dialect::V3)?;
    let only_one = documents.len() == 1;
    let mut queue: VecDeque<(Tree, Option<Span>)> = VecDeque::new();
    for document in documents {
        let span = Some(Span::new(document.range.start, document.range.end));
        if document.tree.is_null() {
            continue;
        }
        match bare_list(&document.tree).filter(|_| only_one) {
            Some(items) => queue.extend(items.iter().map(|item| (item.clone(), span))),
            None => queue.push_back((document.tree, span)),
        }
    }
    let mut found = Vec::with_capacity(queue.len());
    while let Some((tree, span)) = queue.pop_front() {
        if is_empty(&tree) {
            continue;
        }
        check(&tree, source, span)?;
        let kind = kind_of(&tree);
        if !kind.ends_with("List") {
            found.push(resource(tree, source, span, origin));
            continue;
        }
        match tree.get("items") {
            None if profile.lists_without_items_are_objects() => found.push(resource(tree, source, span, origin)),
            None => {}
            Some(Tree::List(items)) => queue.extend(items.iter().map(|item| (through_json(item), span))),
            Some(items) if items.is_null() => {}
            Some(_) => {
                let message = format!("expected a list in `items` of a {kind} in `{}`", source.name());
                return Err(fault("kustomize-list-items", message, source, span));
            }
        }
    }
    Ok(found)
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

fn check(tree: &Tree, source: &SourceText, span: Option<Span>) -> Result<()> {
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

fn resource(tree: Tree, source: &SourceText, span: Option<Span>, origin: &Origin) -> Resource {
    let line = span.map_or(0, |span| source.line_column(span.start).0 as u32);
    let mut resource = Resource::new(tree, Arc::new(Origin { line, ..origin.clone() }));
    resource.absorb_notes();
    resource
}

fn fault(code: &'static str, message: String, source: &SourceText, span: Option<Span>) -> Box<Diagnostic> {
    let fault = Diagnostic::input(code, message);
    // The first line is enough: a whole document is no excerpt.
    let first_line = |span: Span| {
        let rest = &source.text()[(span.start as usize).min(source.text().len())..];
        Span::new(span.start as usize, span.start as usize + rest.find('\n').unwrap_or(rest.len()))
    };
    Box::new(match span {
        Some(span) => fault.at(source, first_line(span), ""),
        None => fault,
    })
}
