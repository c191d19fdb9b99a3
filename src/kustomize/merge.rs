//! Strategic merge: an object and a patch in, the object changed or deleted.
//!
//! This walks as kyaml's `merge2` does, oddities included, since its results are what users have: every field of the
//! object is visited, whether the patch names it or not; what a patch adds is merged with itself; the only directive is
//! `$patch`, and `$setElementOrder`, `$retainKeys` and the like are plain data. Lists are in [`super::merge_list`].

use crate::diag::{Diagnostic, Result};
use crate::schema::{Place, Schema};
use crate::value::{Kind, Map, Style, Text, Tree};

use super::merge_list;

/// What became of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is there, merged.
    Kept,
    /// The patch deleted it whole.
    Deleted,
}

/// Merges `patch` into `object`. The patch is used up: directives are taken out of it as they are followed.
///
/// Fails with code `kustomize-patch-kind` where one side has a map or list and the other does not, and
/// `kustomize-patch-directive` for a `$patch` that is none of `delete`, `replace` and `merge`.
pub(crate) fn merge(object: &mut Tree, mut patch: Tree, schema: &Schema) -> Result<Fate> {
    let walk = Walk { schema };
    match walk.walk(Some(object), Some(&mut patch), None) {
        // `$patch: replace` at the root changes nothing: kyaml hands the patch back, and kustomize looks at the object.
        Ok(Outcome::Dest | Outcome::Patch) => Ok(Fate::Kept),
        Ok(Outcome::Gone) => Ok(Fate::Deleted),
        Err(fault) => Err(fault.diagnostic()),
    }
}

/// Which node a walk results in; both sides are changed in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The object's.
    Dest,
    /// The patch's.
    Patch,
    /// Neither: the field or element goes.
    Gone,
}

/// A failure and the path to it, innermost part first.
#[derive(Debug)]
pub(super) struct Fault {
    code: &'static str,
    what: String,
    path: Vec<Text>,
}

impl Fault {
    pub(super) fn wrong_kind(expected: &str, tree: &Tree) -> Fault {
        let what = format!("wrong node kind: expected {expected} but got {}", node_kind(tree));
        Fault { code: "kustomize-patch-kind", what, path: Vec::new() }
    }

    fn below(mut self, key: &str) -> Fault {
        self.path.push(key.into());
        self
    }

    fn diagnostic(self) -> Box<Diagnostic> {
        let path: Vec<&str> = self.path.iter().rev().map(Text::as_str).collect();
        if path.is_empty() {
            return Box::new(Diagnostic::input(self.code, self.what));
        }
        Box::new(Diagnostic::input(self.code, format!("{} at field `{}`", self.what, path.join("."))))
    }
}

/// kyaml's name for what a node is.
pub(super) fn node_kind(tree: &Tree) -> &'static str {
    match tree {
        Tree::Scalar(_) => "ScalarNode",
        Tree::List(_) => "SequenceNode",
        Tree::Map(_) => "MappingNode",
    }
}

/// What `$patch` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// The walk over object and patch.
#[derive(Clone, Copy)]
pub(super) struct Walk<'s> {
    schema: &'s Schema,
}

impl<'s> Walk<'s> {
    /// Merges one value. Without a patch the object's value is still walked, since that tidies it.
    pub(super) fn walk(
        self,
        dest: Option<&mut Tree>,
        patch: Option<&mut Tree>,
        place: Option<Place<'s>>,
    ) -> Result<Outcome, Fault> {
        let place = self.place_of(place, dest.as_deref(), patch.as_deref());
        let first = [dest.as_deref(), patch.as_deref()].into_iter().flatten().find(|tree| !tree.is_null());
        let Some(first) = first else { return Ok(nulls(dest.as_deref(), patch.as_deref())) };
        let expected = node_kind(first);
        if let Some(other) = patch.as_deref().filter(|tree| !tree.is_null() && node_kind(tree) != expected) {
            return Err(Fault::wrong_kind(expected, other));
        }
        match first {
            Tree::Map(_) => self.walk_map(dest, patch, place),
            Tree::List(_) => self.walk_list(dest, patch, place),
            Tree::Scalar(_) => Ok(if patch.is_some() { Outcome::Patch } else { Outcome::Dest }),
        }
    }

    /// Merges a value with itself, which is how what a patch adds is cleaned of nulls and directives. False: it goes.
    pub(super) fn walk_same(self, node: &mut Tree, place: Option<Place<'s>>) -> Result<bool, Fault> {
        if node.is_null() {
            return Ok(false);
        }
        let place = self.place_of(place, Some(node), None);
        match node {
            Tree::Scalar(_) => Ok(true),
            Tree::Map(_) => {
                if directive_of_map(node)? == Directive::Delete {
                    return Ok(false);
                }
                self.same_fields(node, place)?;
                Ok(true)
            }
            Tree::List(_) => {
                let Some(keys) = place.and_then(Place::merge_keys) else { return Ok(true) };
                if directive_of_list(node)? == Directive::Delete {
                    return Ok(false);
                }
                merge_list::merge_same(self, list_mut(node), &keys, place.and_then(Place::element))?;
                Ok(true)
            }
        }
    }

    fn walk_map(
        self,
        dest: Option<&mut Tree>,
        patch: Option<&mut Tree>,
        place: Option<Place<'s>>,
    ) -> Result<Outcome, Fault> {
        let Some(dest) = dest.filter(|dest| !dest.is_null()) else {
            let Some(patch) = patch else { return Ok(Outcome::Gone) };
            // An unknown directive is no error here, and stays in the result.
            if directive_of_map(patch).is_ok_and(|directive| directive == Directive::Delete) {
                return Ok(Outcome::Gone);
            }
            self.same_fields(patch, place)?;
            return Ok(Outcome::Patch);
        };
        let Some(patch) = patch else {
            if !self.settled_map(dest, place) {
                self.alone_fields(dest, place)?;
            }
            return Ok(Outcome::Dest);
        };
        if patch.is_null() {
            return Ok(Outcome::Gone);
        }
        match directive_of_map(patch)? {
            Directive::Delete => Ok(Outcome::Gone),
            Directive::Replace => {
                self.same_fields(patch, place)?;
                Ok(Outcome::Patch)
            }
            Directive::Merge => {
                self.both_fields(dest, patch, place)?;
                Ok(Outcome::Dest)
            }
        }
    }

    fn both_fields(self, dest: &mut Tree, patch: &mut Tree, place: Option<Place<'s>>) -> Result<(), Fault> {
        let patch = map_mut(patch);
        let alone: Vec<Text> = match dest.as_map() {
            Some(map) => map.iter().filter(|(key, _)| !patch.contains(key)).map(|(key, _)| key.clone()).collect(),
            None => Vec::new(),
        };
        for key in alone {
            self.alone_field(dest, &key, place)?;
        }
        let dest = map_mut(dest);
        for (key, value) in patch.iter_mut() {
            let child = place.and_then(|place| place.field(key));
            let outcome = self.walk(dest.get_mut(key), Some(value), child).map_err(|fault| fault.below(key))?;
            match outcome {
                Outcome::Gone => drop(dest.remove(key)),
                Outcome::Dest => {}
                Outcome::Patch => set_field(dest, key, value),
            }
        }
        Ok(())
    }

    /// Walks the fields of a map that no patch names.
    fn alone_fields(self, dest: &mut Tree, place: Option<Place<'s>>) -> Result<(), Fault> {
        let keys: Vec<Text> =
            dest.as_map().map(|map| map.iter().map(|(key, _)| key.clone()).collect()).unwrap_or_default();
        keys.iter().try_for_each(|key| self.alone_field(dest, key, place))
    }

    fn alone_field(self, dest: &mut Tree, key: &str, place: Option<Place<'s>>) -> Result<(), Fault> {
        let child = place.and_then(|place| place.field(key));
        if dest.get(key).is_none_or(|value| self.settled(value, child)) {
            return Ok(());
        }
        let map = map_mut(dest);
        let outcome = self.walk(map.get_mut(key), None, child).map_err(|fault| fault.below(key))?;
        if outcome == Outcome::Gone {
            map.remove(key);
        }
        Ok(())
    }

    fn same_fields(self, node: &mut Tree, place: Option<Place<'s>>) -> Result<(), Fault> {
        let Some(map) = node.as_map_mut() else { return Ok(()) };
        let mut fault = None;
        map.retain(|key, value| {
            let child = place.and_then(|place| place.field(key));
            fault.is_some()
                || self.walk_same(value, child).unwrap_or_else(|error| {
                    fault = Some(error.below(key));
                    true
                })
        });
        fault.map_or(Ok(()), Err)
    }

    fn walk_list(
        self,
        dest: Option<&mut Tree>,
        patch: Option<&mut Tree>,
        place: Option<Place<'s>>,
    ) -> Result<Outcome, Fault> {
        let Some(keys) = place.and_then(Place::merge_keys) else {
            return Ok(if patch.is_some() { Outcome::Patch } else { Outcome::Dest });
        };
        let element = place.and_then(Place::element);
        let Some(dest) = dest.filter(|dest| !dest.is_null()) else {
            let Some(patch) = patch else { return Ok(Outcome::Gone) };
            merge_list::merge_same(self, list_mut(patch), &keys, element)?;
            return Ok(Outcome::Patch);
        };
        let Some(patch) = patch else {
            merge_list::merge_both(self, list_mut(dest), None, &keys, element)?;
            return Ok(Outcome::Dest);
        };
        if patch.is_null() {
            return Ok(Outcome::Gone);
        }
        match directive_of_list(patch)? {
            Directive::Delete => Ok(Outcome::Gone),
            Directive::Replace => {
                merge_list::merge_same(self, list_mut(patch), &keys, element)?;
                Ok(Outcome::Patch)
            }
            Directive::Merge => {
                merge_list::merge_both(self, list_mut(dest), Some(list_mut(patch)), &keys, element)?;
                Ok(Outcome::Dest)
            }
        }
    }

    /// The place of a value: the given one, or that of the kind which the value itself claims to be.
    fn place_of(self, place: Option<Place<'s>>, dest: Option<&Tree>, patch: Option<&Tree>) -> Option<Place<'s>> {
        place.or_else(|| {
            [dest, patch].into_iter().flatten().find_map(|tree| {
                let text = |key| tree.get(key).filter(|value| !value.is_null()).and_then(Tree::as_scalar);
                self.schema.place(&text("apiVersion")?.text, &text("kind")?.text)
            })
        })
    }

    /// True if a walk without a patch would change nothing, which is nearly always.
    pub(super) fn settled(self, tree: &Tree, place: Option<Place<'s>>) -> bool {
        match tree {
            // A null that is written out stays; one that is left empty goes.
            Tree::Scalar(scalar) => scalar.kind != Kind::Null || !scalar.text.is_empty(),
            Tree::Map(_) => self.settled_map(tree, self.place_of(place, Some(tree), None)),
            Tree::List(items) => place.and_then(Place::merge_keys).is_none_or(|keys| {
                let element = place.and_then(Place::element);
                merge_list::is_plain(items, &keys) && items.iter().all(|item| self.settled(item, element))
            }),
        }
    }

    fn settled_map(self, tree: &Tree, place: Option<Place<'s>>) -> bool {
        let field = |key: &Text| place.and_then(|place| place.field(key));
        tree.as_map().is_none_or(|map| map.iter().all(|(key, value)| self.settled(value, field(key))))
    }
}

/// The outcome where neither side has a value: a null of the object that is written out stays.
fn nulls(dest: Option<&Tree>, patch: Option<&Tree>) -> Outcome {
    if patch.is_some() {
        return Outcome::Patch;
    }
    let written = dest.and_then(Tree::as_scalar).is_some_and(|scalar| !scalar.text.is_empty());
    if written { Outcome::Dest } else { Outcome::Gone }
}

/// Sets a field to what the patch has. Null takes the field out; a scalar gets the quotes of the one that stood there.
pub(super) fn set_field(map: &mut Map, key: &str, value: &Tree) {
    if value.is_null() {
        map.remove(key);
        return;
    }
    let value = match map.get(key) {
        Some(old) => with_style_of(value, old),
        None => value.clone(),
    };
    map.set(key, value);
}

/// A value in the place of `old`: kyaml keeps the old quotes, and a quoted number is a string once it is printed.
pub(super) fn with_style_of(value: &Tree, old: &Tree) -> Tree {
    let Tree::Scalar(scalar) = value else { return value.clone() };
    let mut scalar = scalar.clone();
    scalar.style = old.as_scalar().map_or(Style::Plain, |old| old.style);
    if scalar.style != Style::Plain && scalar.kind != Kind::Binary {
        scalar.kind = Kind::Str;
    }
    Tree::Scalar(scalar)
}

/// Reads `$patch` of a map and takes it out.
fn directive_of_map(patch: &mut Tree) -> Result<Directive, Fault> {
    let Some(value) = patch.get("$patch") else { return Ok(Directive::Merge) };
    let directive = directive(value)?;
    map_mut(patch).remove("$patch");
    Ok(directive)
}

/// Reads the element of a list that has `$patch` and nothing else, and takes it out.
fn directive_of_list(patch: &mut Tree) -> Result<Directive, Fault> {
    let items = patch.as_list().unwrap_or_default();
    let Some(element) = items.iter().find(|item| item.get("$patch").is_some()) else { return Ok(Directive::Merge) };
    let (Some(value), Some(1)) = (element.get("$patch"), element.as_map().map(Map::len)) else {
        return Ok(Directive::Merge);
    };
    let directive = directive(value)?;
    let text = merge_list::text_of(value).to_owned();
    merge_list::set_element(list_mut(patch), None, &["$patch"], &[text.into()])?;
    Ok(directive)
}

fn directive(value: &Tree) -> Result<Directive, Fault> {
    match merge_list::text_of(value) {
        "delete" => Ok(Directive::Delete),
        "replace" => Ok(Directive::Replace),
        "merge" => Ok(Directive::Merge),
        other => {
            let what = format!("unknown patch strategy `{other}`: `$patch` is `delete`, `replace` or `merge`");
            Err(Fault { code: "kustomize-patch-directive", what, path: Vec::new() })
        }
    }
}

fn map_mut(tree: &mut Tree) -> &mut Map {
    tree.as_map_mut().expect("the caller has seen that this is a map")
}

fn list_mut(tree: &mut Tree) -> &mut Vec<Tree> {
    tree.as_list_mut().expect("the caller has seen that this is a list")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree from JSON, plain scalars all.
    fn tree(json: &str) -> Tree {
        of(&serde_json::from_str(json).expect(json))
    }

    fn of(value: &serde_json::Value) -> Tree {
        use serde_json::Value;
        match value {
            Value::Null => Tree::null(),
            Value::Bool(value) => Tree::bool(*value),
            Value::Number(number) => Tree::plain(Kind::Int, number.to_string()),
            Value::String(text) => Tree::str(text.as_str()),
            Value::Array(items) => Tree::list(items.iter().map(of).collect()),
            Value::Object(map) => Tree::map(map.iter().map(|(key, value)| (key.into(), of(value))).collect::<Map>()),
        }
    }

    fn pod(spec: &str) -> String {
        format!(r#"{{"apiVersion":"v1","kind":"Pod","spec":{spec}}}"#)
    }

    fn merged(spec: &str, patch: &str) -> Tree {
        let mut object = tree(&pod(spec));
        let fate = merge(&mut object, tree(&pod(patch)), &Schema::builtin()).expect("it merges");
        assert_eq!(fate, Fate::Kept);
        object.get("spec").cloned().unwrap_or_else(Tree::null)
    }

    #[track_caller]
    fn check(spec: &str, patch: &str, want: &str) {
        assert_eq!(merged(spec, patch), tree(want), "{spec} + {patch}");
    }

    #[test]
    fn maps_merge_and_null_deletes() {
        check(
            r#"{"a":{"b":1,"c":2}}"#,
            r#"{"a":{"b":null,"d":3},"n":{"x":null,"y":1}}"#,
            r#"{"a":{"c":2,"d":3},"n":{"y":1}}"#,
        );
        check(r#"{"a":{"b":1}}"#, r#"{"a":{"$patch":"replace","c":1}}"#, r#"{"a":{"c":1}}"#);
        check(r#"{"a":{"b":1},"z":1}"#, r#"{"a":{"$patch":"delete"}}"#, r#"{"z":1}"#);
        check(r#"{"a":null}"#, r#"{"b":1}"#, r#"{"a":null,"b":1}"#);
    }

    #[test]
    fn keyed_lists_grow_at_the_front() {
        let old = r#"{"containers":[{"name":"a","image":"x"},{"name":"b"}],"tolerations":[{"key":"t"}]}"#;
        check(
            old,
            r#"{"containers":[{"name":"c"},{"name":"b","image":"y"}],"tolerations":[{"key":"u"}]}"#,
            r#"{"containers":[{"name":"c"},{"name":"b","image":"y"},{"name":"a","image":"x"}],"tolerations":[{"key":"u"}]}"#,
        );
        check(
            old,
            r#"{"containers":[{"name":"a","$patch":"delete"}]}"#,
            r#"{"containers":[{"name":"b"}],"tolerations":[{"key":"t"}]}"#,
        );
        check(
            old,
            r#"{"containers":[{"$patch":"replace"},{"name":"z"}]}"#,
            r#"{"containers":[{"name":"z"}],"tolerations":[{"key":"t"}]}"#,
        );
    }

    #[test]
    fn quotes_of_the_old_value_decide_what_a_number_is() {
        let mut object = tree(&pod(r#"{"a":"5"}"#));
        let spec = object.as_map_mut().and_then(|map| map.get_mut("spec")).and_then(Tree::as_map_mut).expect("a map");
        spec.set("a", Tree::Scalar(crate::value::Scalar { kind: Kind::Str, style: Style::Double, text: "5".into() }));
        merge(&mut object, tree(&pod(r#"{"a":6}"#)), &Schema::builtin()).expect("it merges");
        assert_eq!(object.at(&["spec", "a"]).and_then(Tree::as_str), Some("6"));
    }

    #[test]
    fn kinds_that_clash_and_unknown_directives_fail() {
        let fails = |patch: &str| {
            let fault = merge(&mut tree(&pod(r#"{"a":[1]}"#)), tree(&pod(patch)), &Schema::builtin()).expect_err(patch);
            fault.to_string()
        };
        assert!(fails(r#"{"a":{"b":1}}"#).ends_with("expected SequenceNode but got MappingNode at field `spec.a`"));
        assert!(fails(r#"{"$patch":"x"}"#).starts_with("unknown patch strategy `x`"));
    }
}
