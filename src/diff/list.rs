//! Pairs up the items of two lists, so that one item put in front does not change all that follow.

use indexmap::IndexMap;

use super::compare::same;
use super::path::Step;
use crate::value::{Text, Tree};

/// An item with its partner on the other side.
pub(super) enum Pair<'a> {
    /// On both sides.
    Both(&'a Tree, &'a Tree),
    /// On the old side only.
    Old(&'a Tree),
    /// On the new side only.
    New(&'a Tree),
}

/// Keys by which list items of Kubernetes objects go, the likeliest first. An item list is matched by the first key
/// that every item on both sides has, each with a value of its own.
const ITEM_KEYS: [&str; 6] = ["name", "key", "mountPath", "containerPort", "ip", "type"];

/// Longest lists, as a product of both lengths, that are matched by what they hold; longer ones go by place.
const MATCH_COST_MAX: usize = 1 << 22;

/// Pairs in the order of the new list, items of the old list alone last.
pub(super) fn pairs<'a>(old: &'a [Tree], new: &'a [Tree]) -> Vec<(Step, Pair<'a>)> {
    for key in ITEM_KEYS {
        if let (Some(before), Some(after)) = (by_key(key, old), by_key(key, new)) {
            return keyed(key, before, &after);
        }
    }
    by_content(old, new)
}

fn by_key<'a>(key: &str, items: &'a [Tree]) -> Option<IndexMap<Text, &'a Tree>> {
    let mut index = IndexMap::with_capacity(items.len());
    for item in items {
        let name = item.get(key)?.as_scalar()?.text.clone();
        if index.insert(name, item).is_some() {
            return None;
        }
    }
    (!index.is_empty()).then_some(index)
}

fn keyed<'a>(key: &'static str, mut before: IndexMap<Text, &'a Tree>, after: &IndexMap<Text, &'a Tree>) -> Vec<(Step, Pair<'a>)> {
    let mut pairs = Vec::with_capacity(after.len());
    for (name, item) in after {
        let pair = before.swap_remove(name).map_or(Pair::New(item), |was| Pair::Both(was, item));
        pairs.push((Step::Item(key, name.clone()), pair));
    }
    before.sort_keys();
    pairs.extend(before.into_iter().map(|(name, item)| (Step::Item(key, name), Pair::Old(item))));
    pairs
}

/// Aligns by the longest run of equal items in order; what stands between two equal items pairs up by place.
fn by_content<'a>(old: &'a [Tree], new: &'a [Tree]) -> Vec<(Step, Pair<'a>)> {
    let equal = if old.len().saturating_mul(new.len()) <= MATCH_COST_MAX { common(old, new) } else { Vec::new() };
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (a, b) in equal.into_iter().chain([(old.len(), new.len())]) {
        while i < a || j < b {
            match (i < a, j < b) {
                (true, true) => pairs.push((Step::Index(j), Pair::Both(&old[i], &new[j]))),
                (true, false) => pairs.push((Step::Index(i), Pair::Old(&old[i]))),
                _ => pairs.push((Step::Index(j), Pair::New(&new[j]))),
            }
            (i, j) = ((i + 1).min(a), (j + 1).min(b));
        }
        (i, j) = (a + 1, b + 1);
    }
    pairs
}

/// Indices of a longest common subsequence.
fn common(old: &[Tree], new: &[Tree]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut length = vec![0u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let best = length[(i + 1) * width + j].max(length[i * width + j + 1]);
            let both = length[(i + 1) * width + j + 1] + 1;
            length[i * width + j] = if same(&old[i], &new[j]) { both } else { best };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if same(&old[i], &new[j]) {
            found.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if length[(i + 1) * width + j] >= length[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}
