//! What a Secret holds is never shown: each value becomes a mark, its key stays.

use crate::manifest::ObjectId;
use crate::value::{Map, Tree};

/// What stands for a value that is not shown.
pub(super) const MASK: &str = "(masked)";

/// The annotation in which `kubectl apply` keeps a whole copy of the object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// True for the kind whose values are masked.
pub(super) fn is_secret(id: &ObjectId) -> bool {
    id.kind == "Secret" && id.group.is_empty()
}

/// True if the keys lead to a place in a Secret that is masked, or below one.
pub(super) fn is_masked<'k>(mut keys: impl Iterator<Item = &'k str>) -> bool {
    match keys.next() {
        Some("data" | "stringData") => true,
        Some("metadata") => keys.next() == Some("annotations") && keys.next() == Some(LAST_APPLIED),
        _ => false,
    }
}

/// A whole Secret without its values.
pub(super) fn masked_object(tree: &Tree) -> Tree {
    masked_below(tree, &mut Vec::new())
}

fn masked_below(tree: &Tree, keys: &mut Vec<String>) -> Tree {
    if is_masked(keys.iter().map(String::as_str)) {
        return masked(tree);
    }
    let Tree::Map(map) = tree else { return tree.clone() };
    // only these lead to what is masked
    if keys.len() > 1 && !(keys[0] == "metadata" && keys[1] == "annotations") {
        return tree.clone();
    }
    let mut out = Map::with_capacity(map.len());
    for (key, value) in map.iter() {
        keys.push(key.to_string());
        out.set(key.clone(), masked_below(value, keys));
        keys.pop();
    }
    Tree::map(out)
}

/// A value with every leaf replaced by the mark.
pub(super) fn masked(tree: &Tree) -> Tree {
    match tree {
        Tree::Scalar(_) => Tree::str(MASK),
        Tree::List(items) => Tree::list(items.iter().map(masked).collect()),
        Tree::Map(map) => Tree::map(map.iter().map(|(key, value)| (key.clone(), masked(value))).collect()),
    }
}
