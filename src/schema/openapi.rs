//! A user's OpenAPI document: the `openapi:` field of a kustomization.
//!
//! In: the document as a tree. Out: places in objects of its kinds, with merge keys, and the scope of its kinds. Nothing is
//! compiled: definitions are read as far as a merge walks. References are followed within the document alone.

use crate::diag::{Diagnostic, Result};
use crate::value::{Text, Tree};

/// References followed from one place; more is a cycle, which kustomize follows forever.
const REFERENCES_MAX: usize = 64;

/// The definitions of one OpenAPI (Swagger 2) document.
#[derive(Clone, Debug)]
pub struct Definitions {
    document: Tree,
    /// `apiVersion`, kind and the name of the definition, sorted.
    kinds: Vec<(Text, Text, Text)>,
    /// `apiVersion`, kind and whether paths of the API put it in a namespace, sorted.
    scopes: Vec<(Text, Text, bool)>,
}

impl Definitions {
    /// Reads a document. Fails with code `openapi-invalid` if it or its definitions are no maps.
    pub fn read(document: Tree) -> Result<Definitions> {
        if document.as_map().is_none() {
            return Err(invalid("it is no map"));
        }
        let kinds = match document.get("definitions") {
            None => Vec::new(),
            Some(tree) if tree.is_null() => Vec::new(),
            Some(tree) => kinds_of(tree)?,
        };
        let scopes = scopes_of(document.get("paths"));
        Ok(Definitions { document, kinds, scopes })
    }

    /// The definition of a kind.
    pub(super) fn root(&self, api_version: &str, kind: &str) -> Option<&Tree> {
        let key = |row: &(Text, Text, Text)| (row.0.as_str(), row.1.as_str()).cmp(&(api_version, kind));
        let at = self.kinds.binary_search_by(key).ok()?;
        self.document.get("definitions")?.get(&self.kinds[at].2)
    }

    /// Whether a kind lives in a namespace; nothing where no path says.
    pub(super) fn namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        let key = |row: &(Text, Text, bool)| (row.0.as_str(), row.1.as_str()).cmp(&(api_version, kind));
        self.scopes.binary_search_by(key).ok().map(|at| self.scopes[at].2)
    }

    /// The definition of a field or key of `schema`.
    pub(super) fn field<'s>(&'s self, schema: &'s Tree, name: &str) -> Option<&'s Tree> {
        let property = schema.get("properties").and_then(|properties| properties.get(name));
        let values = || schema.get("additionalProperties").filter(|values| values.as_map().is_some());
        self.resolve(property.or_else(values)?)
    }

    /// The definition of the elements of `schema`, if it is a list.
    pub(super) fn element<'s>(&'s self, schema: &'s Tree) -> Option<&'s Tree> {
        let kind = schema.get("type")?;
        let kind = match kind.as_list() {
            Some([only]) => only,
            Some(_) => return None,
            None => kind,
        };
        if kind.as_str() != Some("array") {
            return None;
        }
        self.resolve(schema.get("items").filter(|items| items.as_map().is_some())?)
    }

    fn resolve<'s>(&'s self, mut schema: &'s Tree) -> Option<&'s Tree> {
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = schema.get("$ref").and_then(Tree::as_str).filter(|text| !text.is_empty()) else {
                return Some(schema);
            };
            schema = self.pointed(reference)?;
        }
        None
    }

    /// Follows a reference of the form `#/definitions/NAME/…`, escapes included.
    fn pointed(&self, reference: &str) -> Option<&Tree> {
        let pointer = reference.strip_prefix("#/")?;
        pointer.split('/').try_fold(&self.document, |tree, part| tree.get(&part.replace("~1", "/").replace("~0", "~")))
    }
}

/// The merge keys of a list, none for a list of plain values; nothing for what is replaced whole.
pub(super) fn merge_keys(schema: &Tree) -> Option<Vec<&str>> {
    let strategies = schema.get("x-kubernetes-patch-strategy").and_then(Tree::as_str)?;
    if !strategies.split(',').any(|strategy| strategy == "merge") {
        return None;
    }
    if let Some(keys) = schema.get("x-kubernetes-list-map-keys").and_then(Tree::as_list) {
        return Some(keys.iter().filter_map(Tree::as_str).collect());
    }
    Some(schema.get("x-kubernetes-patch-merge-key").and_then(Tree::as_str).into_iter().collect())
}

fn kinds_of(definitions: &Tree) -> Result<Vec<(Text, Text, Text)>> {
    let Some(definitions) = definitions.as_map() else {
        return Err(invalid("its `definitions` are no map"));
    };
    let mut kinds = Vec::new();
    for (name, definition) in definitions.iter() {
        let rows = definition.get("x-kubernetes-group-version-kind").and_then(Tree::as_list).unwrap_or_default();
        kinds.extend(rows.iter().filter_map(type_of).map(|(version, kind)| (version, kind, name.clone())));
    }
    kinds.sort();
    kinds.dedup_by(|b, a| (&a.0, &a.1) == (&b.0, &b.1));
    Ok(kinds)
}

/// `apiVersion` and kind of a `group`, `version`, `kind` map.
fn type_of(row: &Tree) -> Option<(Text, Text)> {
    let version = row.get("version")?.as_str()?;
    let kind = row.get("kind")?.as_str()?;
    let api_version = match row.get("group").and_then(Tree::as_str) {
        Some(group) if !group.is_empty() => format!("{group}/{version}").into(),
        _ => Text::new(version),
    };
    Some((api_version, Text::new(kind)))
}

fn scopes_of(paths: Option<&Tree>) -> Vec<(Text, Text, bool)> {
    let Some(paths) = paths.and_then(Tree::as_map) else { return Vec::new() };
    let mut scopes = Vec::new();
    for (path, methods) in paths.iter() {
        let row = methods.at(&["get", "x-kubernetes-group-version-kind"]).and_then(type_of);
        let namespaced = path.contains("namespaces/{namespace}");
        scopes.extend(row.map(|(version, kind)| (version, kind, namespaced)));
    }
    // One path in a namespace makes the kind namespaced, so let those come first and keep the first of each kind.
    scopes.sort_by(|a, b| (&a.0, &a.1, !a.2).cmp(&(&b.0, &b.1, !b.2)));
    scopes.dedup_by(|b, a| (&a.0, &a.1) == (&b.0, &b.1));
    scopes
}

fn invalid(why: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::input("openapi-invalid", format!("invalid schema file: {why}"));
    Box::new(fault.hint("give an OpenAPI v2 document with `definitions`, such as `kustomize openapi fetch` prints"))
}
