//! Field specifications: which field of which kinds a transformer changes, and the walk to it.
//!
//! A path names fields without saying which of them are lists: a list on the way stands for each of its items.

use std::sync::{Arc, OnceLock};

use super::resid::Gvk;
use crate::diag::{Diagnostic, Result};
use crate::value::{Map, Text, Tree};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    name: Text,
    /// Written with `[]`: a missing field is never made, and null becomes an empty list.
    list: bool,
}

/// A field of some kinds of objects.
#[derive(Clone, Debug)]
pub(crate) struct FieldSpec {
    /// The kinds; empty parts match anything.
    pub(crate) gvk: Gvk,
    /// The path as written, with `/` between fields and `\/` for a slash.
    pub(crate) path: Text,
    /// True if a missing field is made.
    pub(crate) create: bool,
    /// Taken apart when first walked: most specs of a table are of kinds that a build does not have.
    steps: OnceLock<Arc<[Step]>>,
}

/// A path without its kinds: where a field specification leads in an object that has it all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Way(Arc<[Step]>);

/// What stands at the end of a path that had to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// Paths are never made, whatever they say.
    Never,
    /// An empty text.
    Scalar,
    /// An empty map.
    Map,
}

impl FieldSpec {
    /// A field of the kinds that `gvk` selects.
    pub(crate) fn new(gvk: Gvk, path: impl Into<Text>, create: bool) -> FieldSpec {
        FieldSpec { gvk, path: path.into(), create, steps: OnceLock::new() }
    }

    fn steps(&self) -> &Arc<[Step]> {
        let step = |part: &str| match part.strip_suffix("[]") {
            Some(name) => Step { name: name.into(), list: true },
            None => Step { name: part.into(), list: false },
        };
        self.steps.get_or_init(|| {
            if self.path.contains('\\') {
                return split(&self.path).iter().map(|part| step(part)).collect();
            }
            let path = self.path.strip_prefix('/').unwrap_or(&self.path);
            path.split('/').map(step).collect()
        })
    }

    /// Reads one from its shaped configuration.
    pub(crate) fn from_config(config: &Tree) -> FieldSpec {
        let gvk = Gvk {
            group: super::decode::text(config, "group"),
            version: super::decode::text(config, "version"),
            kind: super::decode::text(config, "kind"),
        };
        FieldSpec::new(gvk, super::decode::text(config, "path"), super::decode::flag(config, "create"))
    }

    /// Calls `set` on every field of `object` that this names; `gvk` is the object's.
    pub(crate) fn apply(
        &self,
        object: &mut Tree,
        gvk: &Gvk,
        leaf: Leaf,
        set: &mut dyn FnMut(&mut Tree) -> Result<()>,
    ) -> Result<()> {
        if !gvk.is_selected(&self.gvk) {
            return Ok(());
        }
        self.walk(object, leaf, set)
    }

    /// As [`FieldSpec::apply`], for an object that is known to be of the right kind.
    pub(crate) fn walk(
        &self,
        object: &mut Tree,
        leaf: Leaf,
        set: &mut dyn FnMut(&mut Tree) -> Result<()>,
    ) -> Result<()> {
        walk(object, self.steps(), if self.create { leaf } else { Leaf::Never }, set).map_err(|mut fault| {
            fault.message = format!("considering field `{}`: {}", self.path, fault.message);
            fault
        })
    }

    /// The way to the field.
    pub(crate) fn way(&self) -> Way {
        Way(Arc::clone(self.steps()))
    }

    /// True if nothing stands at the path, so that there is nothing to change.
    pub(crate) fn is_missing(&self, object: &Tree) -> bool {
        missing(object, self.steps())
    }
}

impl Way {
    /// Calls `see` on every map at its end.
    pub(crate) fn each(&self, tree: &Tree, see: &mut dyn FnMut(&Map)) {
        each(tree, &self.0, see);
    }

    /// Calls `change` on every map at its end.
    pub(crate) fn each_mut(&self, tree: &mut Tree, change: &mut dyn FnMut(&mut Map)) {
        each_mut(tree, &self.0, change);
    }
}

fn each(tree: &Tree, steps: &[Step], see: &mut dyn FnMut(&Map)) {
    match (tree, steps.split_first()) {
        (Tree::List(items), Some(_)) => items.iter().for_each(|item| each(item, steps, see)),
        (Tree::Map(map), Some((step, rest))) => {
            if let Some(value) = map.get(&step.name) {
                each(value, rest, see);
            }
        }
        (Tree::Map(map), None) => see(map),
        _ => {}
    }
}

fn each_mut(tree: &mut Tree, steps: &[Step], change: &mut dyn FnMut(&mut Map)) {
    let Some((step, rest)) = steps.split_first() else {
        return tree.as_map_mut().map(change).unwrap_or_default();
    };
    if missing(tree, steps) {
        return;
    }
    if let Some(items) = tree.as_list_mut() {
        for item in items.iter_mut() {
            each_mut(item, steps, change);
        }
    } else if let Some(value) = tree.as_map_mut().and_then(|map| map.get_mut(&step.name)) {
        each_mut(value, rest, change);
    }
}

fn missing(tree: &Tree, steps: &[Step]) -> bool {
    match (tree, steps.split_first()) {
        (_, None) => false,
        (Tree::List(items), _) => items.iter().all(|item| missing(item, steps)),
        (Tree::Map(map), Some((step, rest))) => {
            map.get(&step.name).is_none_or(|value| !(step.list && value.is_null()) && missing(value, rest))
        }
        // Not missing but in the way: the walk says what is wrong.
        (Tree::Scalar(_), Some(_)) => tree.is_null(),
    }
}

fn walk(tree: &mut Tree, steps: &[Step], leaf: Leaf, set: &mut dyn FnMut(&mut Tree) -> Result<()>) -> Result<()> {
    let Some((step, rest)) = steps.split_first() else { return set(tree) };
    if tree.is_null() {
        return Ok(());
    }
    // Shared branches are copied only where something is going to change.
    let unlisted = step.list && tree.as_map().is_some_and(|map| !map.contains(&step.name));
    if unlisted || (leaf == Leaf::Never && missing(tree, steps)) {
        return Ok(());
    }
    match tree {
        Tree::List(_) => {
            let items = tree.as_list_mut().expect("it is a list");
            items.iter_mut().try_for_each(|item| walk(item, steps, leaf, set))
        }
        Tree::Map(_) => {
            let map = tree.as_map_mut().expect("it is a map");
            match field(map, step, rest.is_empty(), leaf)? {
                Some(value) => walk(value, rest, leaf, set),
                None => Ok(()),
            }
        }
        Tree::Scalar(_) => Err(Box::new(Diagnostic::input(
            "kustomize-field-no-map",
            format!("expected a list or a map on the way to `{}`", step.name),
        ))),
    }
}

/// The field that a step names, made or given its kind where the rules say so.
fn field<'m>(map: &'m mut Map, step: &Step, last: bool, leaf: Leaf) -> Result<Option<&'m mut Tree>> {
    if step.name.is_empty() {
        let message = "cannot set or create an empty field name";
        return Err(Box::new(Diagnostic::input("kustomize-field-empty", message)));
    }
    let made = match (step.list, last, leaf) {
        (true, ..) => Some(Tree::list(Vec::new())),
        (_, _, Leaf::Never) => None,
        (_, true, Leaf::Scalar) => Some(Tree::str("")),
        _ => Some(Tree::empty_map()),
    };
    if step.list || leaf == Leaf::Never {
        let value = map.get_mut(&step.name);
        return Ok(value.map(|value| {
            if let (true, Some(made)) = (value.is_null(), made) {
                *value = made;
            }
            value
        }));
    }
    let made = made.unwrap_or_else(Tree::null);
    let value = map.or_set_with(&step.name, || made.clone());
    if value.is_null() {
        *value = made;
    }
    Ok(Some(value))
}

/// Splits a path at its slashes; `\/` is a slash within a name, and one slash at the front means nothing.
pub(crate) fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    if parts.len() > 1 && parts[0].is_empty() {
        parts.remove(0);
    }
    let mut names: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        match names.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            _ => names.push(part.to_owned()),
        }
    }
    names
}

/// Adds `new` to `specs` unless it is there. Fails with code `kustomize-fieldspec-conflict` if the two do not agree on
/// making the field.
pub(crate) fn merge_one(specs: &mut Vec<FieldSpec>, new: &FieldSpec) -> Result<()> {
    match specs.iter().find(|old| old.gvk.is_selected(&new.gvk) && old.path == new.path) {
        Some(old) if old.create != new.create => {
            let message = format!("conflicting field specs for `{}`: one creates the field, the other does not", new.path);
            Err(Box::new(Diagnostic::input("kustomize-fieldspec-conflict", message)))
        }
        Some(_) => Ok(()),
        None => {
            specs.push(new.clone());
            Ok(())
        }
    }
}

/// Adds each of `new` to `specs` as [`merge_one`] does.
pub(crate) fn merge_all(specs: &mut Vec<FieldSpec>, new: &[FieldSpec]) -> Result<()> {
    new.iter().try_for_each(|spec| merge_one(specs, spec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_its_escaped_slashes() {
        assert_eq!(split("metadata/annotations/a.b\\/c"), ["metadata", "annotations", "a.b/c"]);
        assert_eq!(split("/spec/x[]"), ["spec", "x[]"]);
    }

    #[test]
    fn missing_fields_are_made_only_when_asked() {
        let spec = |create| FieldSpec::new(Gvk::default(), "spec/replicas", create);
        let mut count = 0;
        let mut object = Tree::empty_map();
        let mut set = |value: &mut Tree| {
            count += 1;
            *value = Tree::int(3);
            Ok(())
        };
        spec(false).walk(&mut object, Leaf::Scalar, &mut set).expect("nothing to do");
        assert_eq!(object, Tree::empty_map());
        spec(true).walk(&mut object, Leaf::Scalar, &mut set).expect("made");
        assert_eq!(object.at(&["spec", "replicas"]), Some(&Tree::int(3)));
        assert_eq!(count, 1);
    }
}
