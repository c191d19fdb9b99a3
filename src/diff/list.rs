//! Pairs up the items of two lists, so that an item put in front does not change all that follow, and a moved one is a move.
//!
//! Items go by the merge keys that the schema knows, else by a key that every item has with a value of its own, else by
//! what they hold: equal ones first, then the likest. A pair is a move where it is not in the longest run of pairs that
//! stand in the same order on both sides.

use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher as _};

use rustc_hash::{FxHashMap, FxHasher};

use super::path::Step;
use super::same;
use crate::value::{Kind, Text, Tree};

/// An item with its partner on the other side.
pub(super) struct Pair<'a> {
    /// The way into both lists.
    pub(super) step: Step,
    /// The old item.
    pub(super) old: Option<&'a Tree>,
    /// The new item.
    pub(super) new: Option<&'a Tree>,
    /// It changed places with others.
    pub(super) moved: bool,
}

/// Keys by which list items go where no schema says so, the likeliest first.
const ITEM_KEYS: [&str; 9] = ["name", "key", "mountPath", "containerPort", "ip", "type", "host", "path", "topologyKey"];

/// Most pairs that are compared to find equal items in order, or the likest; what is longer goes by place.
const MATCH_COST_MAX: usize = 1 << 18;

/// How like two items must be to be one that changed: parts of a thousand.
const LIKE_MIN: u32 = 500;
/// The same for items with different merge keys.
const RENAMED_MIN: u32 = 700;

/// The pairs in the order of the new list; items of the old list alone last.
pub(super) fn pairs<'a>(old: &'a [Tree], new: &'a [Tree], merge_keys: Option<&[&str]>) -> Vec<Pair<'a>> {
    let keys = merge_keys.filter(|keys| !keys.is_empty()).map(<[&str]>::to_vec);
    let given = keys.filter(|keys| unique(keys, old) && unique(keys, new));
    let found = given.or_else(|| {
        let mut singles = ITEM_KEYS.into_iter().map(|key| vec![key]);
        singles.find(|key| has_all(key, old) && has_all(key, new) && unique(key, old) && unique(key, new))
    });
    let mut partners = match &found {
        Some(keys) => by_keys(keys, old, new),
        None => by_content(old, new),
    };
    let least = if found.is_some() { RENAMED_MIN } else { LIKE_MIN };
    by_likeness(old, new, &mut partners, least);
    let name = |item: &Tree| found.as_ref().map(|keys| name(keys, item)).unwrap_or_default();
    assemble(old, new, &partners, name)
}

/// For each new item the old one that it was.
type Partners = Vec<Option<usize>>;

fn key_of(keys: &[&str], item: &Tree) -> Vec<Text> {
    let text = |key: &&str| item.get(key).and_then(Tree::as_scalar).map(|scalar| scalar.text.clone()).unwrap_or_default();
    keys.iter().map(text).collect()
}

fn has_all(keys: &[&str], items: &[Tree]) -> bool {
    items.iter().all(|item| keys.iter().all(|key| item.get(key).is_some_and(|value| value.as_scalar().is_some())))
}

/// True if the first key stands in every item, and no two items agree in all keys.
fn unique(keys: &[&str], items: &[Tree]) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    has_all(&keys[..1], items) && items.iter().all(|item| seen.insert(key_of(keys, item)))
}

fn name(keys: &[&str], item: &Tree) -> Text {
    let parts = keys.iter().zip(key_of(keys, item)).filter(|(_, value)| !value.is_empty());
    Text::from(parts.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","))
}

fn by_keys(keys: &[&str], old: &[Tree], new: &[Tree]) -> Partners {
    let before: BTreeMap<Vec<Text>, usize> = old.iter().enumerate().map(|(at, item)| (key_of(keys, item), at)).collect();
    new.iter().map(|item| before.get(&key_of(keys, item)).copied()).collect()
}

/// Equal items pair up: those in order first, then those that moved.
fn by_content(old: &[Tree], new: &[Tree]) -> Partners {
    let hashes = |items: &[Tree]| items.iter().map(hash).collect::<Vec<u64>>();
    let (was, is) = (hashes(old), hashes(new));
    let equal = |i: usize, j: usize| was[i] == is[j] && same(&old[i], &new[j]);
    let mut partners = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    for (i, j) in common(old.len(), new.len(), equal) {
        partners[j] = Some(i);
        taken[i] = true;
    }
    let mut places: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    (0..old.len()).rev().filter(|at| !taken[*at]).for_each(|at| places.entry(was[at]).or_default().push(at));
    for (j, partner) in partners.iter_mut().enumerate().filter(|(_, partner)| partner.is_none()) {
        let Some(found) = places.get_mut(&is[j]) else { continue };
        if found.last().is_some_and(|i| same(&old[*i], &new[j])) {
            *partner = found.pop();
        }
    }
    partners
}

/// The pairs of a longest common subsequence; for long lists only those at their beginning and end.
fn common(old: usize, new: usize, equal: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let head = (0..old.min(new)).take_while(|at| equal(*at, *at)).count();
    let tail = (0..old.min(new) - head).take_while(|at| equal(old - 1 - at, new - 1 - at)).count();
    found.extend((0..head).map(|at| (at, at)));
    let (rows, columns) = (old - head - tail, new - head - tail);
    if rows.saturating_mul(columns) <= MATCH_COST_MAX {
        let width = columns + 1;
        let mut length = vec![0u32; (rows + 1) * width];
        for i in (0..rows).rev() {
            for j in (0..columns).rev() {
                let best = length[(i + 1) * width + j].max(length[i * width + j + 1]);
                let both = length[(i + 1) * width + j + 1] + 1;
                length[i * width + j] = if equal(head + i, head + j) { both.max(best) } else { best };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < rows && j < columns {
            let both = length[(i + 1) * width + j + 1] + 1;
            if equal(head + i, head + j) && length[i * width + j] == both {
                found.push((head + i, head + j));
                (i, j) = (i + 1, j + 1);
            } else if length[(i + 1) * width + j] >= length[i * width + j + 1] {
                i += 1;
            } else {
                j += 1;
            }
        }
    }
    found.extend((0..tail).rev().map(|at| (old - 1 - at, new - 1 - at)));
    found
}

/// Pairs what is left by likeness, the likest first; neighbours win over strangers.
fn by_likeness(old: &[Tree], new: &[Tree], partners: &mut Partners, least: u32) {
    let mut taken = vec![false; old.len()];
    partners.iter().flatten().for_each(|at| taken[*at] = true);
    let left: Vec<usize> = (0..old.len()).filter(|at| !taken[*at]).collect();
    let right: Vec<usize> = (0..new.len()).filter(|at| partners[*at].is_none()).collect();
    if left.is_empty() || right.is_empty() || left.len().saturating_mul(right.len()) > MATCH_COST_MAX {
        return;
    }
    let was: Vec<Features> = left.iter().map(|at| Features::of(&old[*at])).collect();
    let is: Vec<Features> = right.iter().map(|at| Features::of(&new[*at])).collect();
    let mut found = Vec::new();
    for (a, one) in was.iter().enumerate() {
        for (b, other) in is.iter().enumerate() {
            let like = one.likeness(other).max(named_alike(&old[left[a]], &new[right[b]]));
            if like >= least {
                found.push((std::cmp::Reverse(like), left[a].abs_diff(right[b]), left[a], right[b]));
            }
        }
    }
    found.sort_unstable();
    for (_, _, i, j) in found {
        if !taken[i] && partners[j].is_none() {
            taken[i] = true;
            partners[j] = Some(i);
        }
    }
}

/// Items with the same name are likely the same, whatever key they go by.
fn named_alike(old: &Tree, new: &Tree) -> u32 {
    let name = |tree: &Tree| tree.get("name").and_then(Tree::as_str).map(Text::from);
    if name(old).is_some() && name(old) == name(new) { 900 } else { 0 }
}

fn assemble<'a>(old: &'a [Tree], new: &'a [Tree], partners: &Partners, name: impl Fn(&Tree) -> Text) -> Vec<Pair<'a>> {
    let steady = longest_rise(partners);
    let mut taken = vec![false; old.len()];
    let mut pairs = Vec::with_capacity(new.len());
    for (j, item) in new.iter().enumerate() {
        let was = partners[j];
        if let Some(i) = was {
            taken[i] = true;
        }
        let step = Step::Item { old: was, new: Some(j), name: name(item) };
        let moved = was.is_some() && !steady[j];
        pairs.push(Pair { step, old: was.map(|at| &old[at]), new: Some(item), moved });
    }
    for (i, item) in old.iter().enumerate().filter(|(i, _)| !taken[*i]) {
        let step = Step::Item { old: Some(i), new: None, name: name(item) };
        pairs.push(Pair { step, old: Some(item), new: None, moved: false });
    }
    pairs
}

/// Which new items are in a longest run whose old places rise.
fn longest_rise(partners: &Partners) -> Vec<bool> {
    // `tails[n]` is the new place where the best run of `n + 1` items ends
    let mut tails: Vec<usize> = Vec::new();
    let mut before = vec![None; partners.len()];
    for (j, old) in partners.iter().enumerate() {
        let Some(old) = old else { continue };
        let at = tails.partition_point(|tail| partners[*tail] < Some(*old));
        before[j] = at.checked_sub(1).map(|at| tails[at]);
        if at == tails.len() { tails.push(j) } else { tails[at] = j }
    }
    let mut steady = vec![false; partners.len()];
    let mut at = tails.last().copied();
    while let Some(j) = at {
        steady[j] = true;
        at = before[j];
    }
    steady
}

/// A hash that values which are the same have in common.
pub(super) fn hash(tree: &Tree) -> u64 {
    let mut hasher = FxHasher::default();
    match tree {
        // spelling and kind may differ between equal numbers
        Tree::Scalar(scalar) if matches!(scalar.kind, Kind::Int | Kind::Float) => {
            (1u8, scalar.text.parse::<f64>().unwrap_or_default().to_bits()).hash(&mut hasher);
        }
        Tree::Scalar(scalar) if matches!(scalar.kind, Kind::Null) => 2u8.hash(&mut hasher),
        Tree::Scalar(scalar) if matches!(scalar.kind, Kind::Str) => scalar.text.hash(&mut hasher),
        Tree::Scalar(_) => 3u8.hash(&mut hasher),
        Tree::List(items) => items.iter().for_each(|item| hash(item).hash(&mut hasher)),
        Tree::Map(map) => {
            let sum = map.iter().fold(0u64, |sum, (key, value)| {
                let mut entry = FxHasher::default();
                key.hash(&mut entry);
                hash(value).hash(&mut entry);
                sum.wrapping_add(entry.finish())
            });
            (4u8, map.len(), sum).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// What a value is made of, to tell how like it is to another.
pub(super) enum Features {
    /// A scalar's text.
    Text(Text),
    /// Hashes of the leaves with their ways, sorted, and one of the ways alone.
    Leaves(Vec<u64>, u64),
}

impl Features {
    /// The features of a value.
    pub(super) fn of(tree: &Tree) -> Features {
        if let Tree::Scalar(scalar) = tree {
            return Features::Text(scalar.text.clone());
        }
        let (mut leaves, mut shape) = (Vec::new(), 0);
        gather(tree, 0, &mut leaves, &mut shape);
        leaves.sort_unstable();
        Features::Leaves(leaves, shape)
    }

    /// How many leaves there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Features::Text(_) => 1,
            Features::Leaves(leaves, _) => leaves.len(),
        }
    }

    /// What both have in common: 1,000 for all, 0 for nothing.
    pub(super) fn likeness(&self, other: &Features) -> u32 {
        match (self, other) {
            (Features::Text(a), Features::Text(b)) => text_likeness(a, b),
            (Features::Leaves(a, shape), Features::Leaves(b, other)) if a.len() + b.len() > 0 => {
                let (mut i, mut j, mut both) = (0, 0, 0usize);
                while i < a.len() && j < b.len() {
                    match a[i].cmp(&b[j]) {
                        std::cmp::Ordering::Less => i += 1,
                        std::cmp::Ordering::Greater => j += 1,
                        std::cmp::Ordering::Equal => (i, j, both) = (i + 1, j + 1, both + 1),
                    }
                }
                let like = (2000 * both / (a.len() + b.len())) as u32;
                // the same fields with other values are still the likest that there is
                if shape == other { like.max(LIKE_MIN) } else { like }
            }
            _ => 0,
        }
    }
}

fn gather(tree: &Tree, way: u64, leaves: &mut Vec<u64>, shape: &mut u64) {
    let step = |name: &str| {
        let mut hasher = FxHasher::default();
        (way, name).hash(&mut hasher);
        hasher.finish()
    };
    match tree {
        Tree::Map(map) => map.iter().for_each(|(key, value)| gather(value, step(key), leaves, shape)),
        Tree::List(items) => items.iter().for_each(|item| gather(item, step("[]"), leaves, shape)),
        Tree::Scalar(_) => {
            leaves.push(way.rotate_left(17) ^ hash(tree));
            *shape = shape.wrapping_add(way);
        }
    }
}

/// Flags that begin alike are the same flag with another value; else what two texts have in common at both ends.
fn text_likeness(a: &str, b: &str) -> u32 {
    let head = |text: &str| text.find(['=', ':']).map(|at| text[..=at].to_owned());
    if let (Some(one), Some(other)) = (head(a), head(b)) {
        return if one == other { 900 } else { 0 };
    }
    if a.contains('\n') && b.contains('\n') {
        let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<std::collections::BTreeSet<_>>();
        let (one, other) = (lines(a), lines(b));
        return (2000 * one.intersection(&other).count() / (one.len() + other.len()).max(1)) as u32;
    }
    let longest = a.chars().count().max(b.chars().count());
    let front = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let back = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b).count();
    let shared = (front + back).min(a.chars().count().min(b.chars().count()));
    (shared * 1000).checked_div(longest).map_or(1000, |like| like as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<Tree> {
        text.split_whitespace().map(Tree::str).collect()
    }

    /// `old>new` for pairs, `*` for moves, `-` for what has no partner.
    fn told(old: &str, new: &str) -> String {
        let (old, new) = (list(old), list(new));
        let show = |at: Option<usize>| at.map_or("-".to_owned(), |at| at.to_string());
        let told = pairs(&old, &new, None).into_iter().map(|pair| match pair.step {
            Step::Item { old, new, .. } => format!("{}>{}{}", show(old), show(new), if pair.moved { "*" } else { "" }),
            _ => String::new(),
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_put_in_front_moves_nothing() {
        assert_eq!(told("alpha beta", "new alpha beta"), "->0 0>1 1>2");
        assert_eq!(told("-a x -b x", "x -a x -b x"), "->0 0>1 1>2 2>3 3>4");
    }

    #[test]
    fn moves_changes_and_removals_are_told_apart() {
        assert_eq!(told("alpha beta gamma", "gamma alpha beta"), "2>0* 0>1 1>2");
        assert_eq!(told("--v=2 --log=x", "--log=x --v=4"), "1>0* 0>1");
        assert_eq!(told("alpha beta", "beta"), "1>0 0>-");
        assert_eq!(told("", "x"), "->0");
    }

    #[test]
    fn long_lists_pair_by_content_without_a_table() {
        let old: Vec<String> = (0..2000).map(|at| format!("item-{at}")).collect();
        let mut new = old.clone();
        new.rotate_left(1000);
        let told = told(&old.join(" "), &new.join(" "));
        assert!(told.starts_with("1000>0* 1001>1* "), "{}", &told[..40]);
        assert_eq!(told.matches('*').count(), 1000);
    }
}
