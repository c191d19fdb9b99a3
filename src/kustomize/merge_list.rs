//! Merging lists whose elements have keys, as kyaml's walk over associative sequences does.
//!
//! In: the object's list, the patch's, merge keys (none for plain values), and the place of the elements. Elements are found
//! by their keys' texts. Elements of the patch come first; where one key identifies an element a patched one moves to the front
//! too, where several do it stays in its place.
//!
//! Where every element has its keys and no two share them, [`merge_plain`] does this in linear time. Anything else goes
//! through [`merge_any`], which repeats kyaml step by step: elements without their key or with keys in common have effects
//! that nobody would design (an element without its key takes all the others with it), but they are what is printed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::merge::{Fault, Outcome, Walk};
use crate::schema::Place;
use crate::value::{Kind, Scalar, Style, Text, Tree};

/// Texts of an element under the merge keys.
type Values = Vec<Text>;

/// Merges the patch's list into the object's; without a patch the object's elements are walked alone.
pub(super) fn merge_both<'s>(
    walk: Walk<'s>,
    dest: &mut Vec<Tree>,
    patch: Option<&mut Vec<Tree>>,
    keys: &[&str],
    place: Option<Place<'s>>,
) -> Result<(), Fault> {
    let patch_is_plain = patch.as_deref().is_none_or(|patch| is_plain(patch, keys));
    if !keys.is_empty() && patch_is_plain && is_plain(dest, keys) {
        return merge_plain(walk, dest, patch, keys, place);
    }
    merge_any(walk, dest, Second::from(patch), keys, place)
}

/// Merges a list with itself.
pub(super) fn merge_same<'s>(
    walk: Walk<'s>,
    list: &mut Vec<Tree>,
    keys: &[&str],
    place: Option<Place<'s>>,
) -> Result<(), Fault> {
    if keys.is_empty() || !is_plain(list, keys) {
        return merge_any(walk, list, Second::Same, keys, place);
    }
    let mut kept = Vec::with_capacity(list.len());
    for mut item in std::mem::take(list) {
        if walk.walk_same(&mut item, place)? {
            kept.push(item);
        }
    }
    *list = kept;
    Ok(())
}

/// True if every element is a map with a text under every key and no two agree in all; for lists of plain values, if
/// all are scalars and no two the same.
pub(super) fn is_plain(items: &[Tree], keys: &[&str]) -> bool {
    let mut seen = FxHashSet::default();
    items.iter().all(|item| {
        let values = values_of(item, keys);
        let fits = if keys.is_empty() { item.as_scalar().is_some() } else { item.as_map().is_some() };
        fits && !item.is_null() && values.iter().all(|value| !value.is_empty()) && seen.insert(values)
    })
}

fn merge_plain<'s>(
    walk: Walk<'s>,
    dest: &mut Vec<Tree>,
    patch: Option<&mut Vec<Tree>>,
    keys: &[&str],
    place: Option<Place<'s>>,
) -> Result<(), Fault> {
    let mut old: Vec<Option<Tree>> = std::mem::take(dest).into_iter().map(Some).collect();
    let at = |item: &Tree| item.as_map().is_some().then(|| values_of(item, keys));
    let index: FxHashMap<Values, usize> =
        old.iter().flatten().enumerate().filter_map(|(position, item)| Some((at(item)?, position))).collect();
    let mut patched = vec![false; old.len()];
    let mut front = Vec::new();
    for item in patch.into_iter().flatten() {
        let Some(&position) = index.get(&values_of(item, keys)) else {
            if walk.walk_same(item, place)? {
                front.push(item.clone());
            }
            continue;
        };
        patched[position] = true;
        let slot = &mut old[position];
        match walk.walk(slot.as_mut(), Some(item), place)? {
            Outcome::Gone => *slot = None,
            // `$patch: replace` in an element is lost: the object's element takes its place again.
            Outcome::Dest | Outcome::Patch if keys.len() == 1 => front.extend(slot.take()),
            Outcome::Dest | Outcome::Patch => {}
        }
    }
    for (slot, patched) in old.iter_mut().zip(patched) {
        let Some(item) = slot.as_mut().filter(|_| !patched) else { continue };
        if !walk.settled(item, place) && walk.walk(Some(item), None, place)? == Outcome::Gone {
            *slot = None;
        }
    }
    front.extend(old.into_iter().flatten());
    *dest = front;
    Ok(())
}

/// The other list of a merge.
enum Second<'a> {
    /// There is none.
    Missing,
    /// The very same list.
    Same,
    /// The patch's.
    Patch(&'a mut Vec<Tree>),
}

impl<'a> From<Option<&'a mut Vec<Tree>>> for Second<'a> {
    fn from(patch: Option<&'a mut Vec<Tree>>) -> Second<'a> {
        patch.map_or(Second::Missing, Second::Patch)
    }
}

fn merge_any<'s>(
    walk: Walk<'s>,
    dest: &mut Vec<Tree>,
    mut second: Second<'_>,
    keys: &[&str],
    place: Option<Place<'s>>,
) -> Result<(), Fault> {
    let keys = if keys.is_empty() { &[""] } else { keys };
    let mut all = distinct(dest, &second, keys);
    if keys.len() > 1 {
        merge_values(&mut all);
    }
    let mut items = Vec::new();
    let mut valid_keys = keys.to_vec();
    for values in &all {
        let (valid, texts) = valid_pairs(&all, values, keys);
        valid_keys = valid;
        let (exact_keys, exact_texts) = valid_pairs(std::slice::from_ref(&texts), &texts, &valid_keys);
        let found = find(dest, &exact_keys, &exact_texts);
        let (mut value, in_dest) = match &mut second {
            Second::Same => match found {
                Some(at) => (walk.walk_same(&mut dest[at], place)?.then(|| dest[at].clone()), true),
                None => (None, true),
            },
            Second::Missing => take_outcome(walk, found.map(|at| &mut dest[at]), None, place)?,
            Second::Patch(patch) => {
                let other = find(patch, &exact_keys, &exact_texts);
                take_outcome(walk, found.map(|at| &mut dest[at]), other.map(|at| &mut patch[at]), place)?
            }
        };
        value = value.filter(|value| !is_empty(value));
        let Some(mut value) = value else {
            set_element(dest, None, &valid_keys, &texts)?;
            continue;
        };
        set_missing_keys(&mut value, &valid_keys, &texts);
        if let (Some(at), true) = (found, in_dest) {
            dest[at] = value.clone();
        }
        set_element(&mut items, Some(&value), &valid_keys, &texts)?;
    }
    if !all.is_empty() {
        append_list(&mut items, dest, &valid_keys)?;
        *dest = items;
    }
    Ok(())
}

/// Walks a pair of elements. Gives the value that it comes to, and whether that is the object's.
fn take_outcome<'s>(
    walk: Walk<'s>,
    mut dest: Option<&mut Tree>,
    mut patch: Option<&mut Tree>,
    place: Option<Place<'s>>,
) -> Result<(Option<Tree>, bool), Fault> {
    let outcome = walk.walk(dest.as_deref_mut(), patch.as_deref_mut(), place)?;
    Ok(match outcome {
        Outcome::Gone => (None, false),
        Outcome::Dest => (dest.cloned(), true),
        Outcome::Patch => (patch.cloned(), false),
    })
}

/// The keys' texts of all elements, the patch's first, each once.
fn distinct(dest: &[Tree], second: &Second<'_>, keys: &[&str]) -> Vec<Values> {
    let patch: &[Tree] = match second {
        Second::Patch(patch) => patch,
        Second::Same | Second::Missing => &[],
    };
    let mut seen = FxHashSet::default();
    let all = patch.iter().chain(dest).map(|item| values_of(item, keys));
    all.filter(|values| seen.insert(values.clone())).collect()
}

/// An element's texts under the keys; its own text in lists of plain values.
fn values_of(item: &Tree, keys: &[&str]) -> Values {
    if matches!(keys, [] | [""]) {
        return vec![text_of(item).into()];
    }
    let text = |key: &&str| match item.get(key) {
        Some(value) if !value.is_null() => text_of(value).into(),
        _ => Text::default(),
    };
    keys.iter().map(text).collect()
}

/// A node's text, which maps and lists have none of.
pub(super) fn text_of(tree: &Tree) -> &str {
    tree.as_scalar().map_or("", |scalar| &scalar.text)
}

/// Makes texts that differ only in what one of them lacks the same: `[8080, ""]` and `[8080, TCP]` name one port.
fn merge_values(all: &mut [Values]) {
    for first in 0..all.len() {
        for second in 0..all.len() {
            if let Some(both) = united(&all[first], &all[second]) {
                all[first].clone_from(&both);
                all[second] = both;
            }
        }
    }
}

fn united(one: &Values, other: &Values) -> Option<Values> {
    let mut common = false;
    let mut both = Vec::with_capacity(one.len());
    for (a, b) in one.iter().zip(other) {
        common |= a == b;
        if a != b && !a.is_empty() && !b.is_empty() {
            return None;
        }
        both.push(if a.is_empty() { b.clone() } else { a.clone() });
    }
    common.then_some(both)
}

/// The keys that any of `all` has a text for, with their texts; all keys where none has.
fn valid_pairs<'k>(all: &[Values], values: &Values, keys: &[&'k str]) -> (Vec<&'k str>, Values) {
    let has = |at: usize| all.iter().any(|values| values.get(at).is_some_and(|value| !value.is_empty()));
    let valid: Vec<bool> = (0..keys.len()).map(has).collect();
    if !valid.contains(&true) {
        return (keys.to_vec(), values.clone());
    }
    let keys = keys.iter().zip(&valid).filter(|(_, valid)| **valid).map(|(key, _)| *key).collect();
    let texts =
        values.iter().zip(&valid).filter(|(text, valid)| **valid || !text.is_empty()).map(|(text, _)| text.clone());
    (keys, texts.collect())
}

/// The first element whose texts under the keys are exactly these.
fn find(items: &[Tree], keys: &[&str], texts: &[Text]) -> Option<usize> {
    if keys.first().is_none_or(|key| key.is_empty()) {
        return items.iter().position(|item| text_of(item) == texts.first().map_or("", Text::as_str));
    }
    items.iter().position(|item| {
        let fits = |(key, text): (&&str, &Text)| item.get(key).is_some_and(|value| text_of(value) == text.as_str());
        item.as_map().is_some() && keys.iter().zip(texts).all(fits)
    })
}

/// Gives an element the keys that it was found by but lacks.
fn set_missing_keys(value: &mut Tree, keys: &[&str], texts: &[Text]) {
    let Some(map) = value.as_map_mut() else { return };
    for (key, text) in keys.iter().zip(texts) {
        if !map.contains(key) && !text.is_empty() {
            map.set(*key, Tree::Scalar(Scalar { kind: Kind::Str, style: Style::Double, text: text.clone() }));
        }
    }
}

/// kyaml's element setter: replaces the elements that match with `element`, or appends it where none does; takes them out
/// without one. Null and empty elements are dropped on the way, and without texts every element that does not match.
pub(super) fn set_element(
    items: &mut Vec<Tree>,
    element: Option<&Tree>,
    keys: &[&str],
    texts: &[Text],
) -> Result<(), Fault> {
    let matches_maps =
        keys.first().is_some_and(|key| !key.is_empty()) && texts.first().is_some_and(|text| !text.is_empty());
    let mut kept = Vec::with_capacity(items.len() + 1);
    let mut found_any = false;
    for item in std::mem::take(items) {
        if is_empty(&item) {
            continue;
        }
        if item.as_map().is_none() && matches_maps {
            kept.push(item);
        } else if matches_all(&item, keys, texts)? {
            found_any = true;
            kept.extend(element.cloned());
        } else if !texts.is_empty() {
            kept.push(item);
        }
    }
    if let Some(element) = element.filter(|element| !element.is_null() && !found_any) {
        kept.push(element.clone());
    }
    *items = kept;
    Ok(())
}

/// True if an element has these texts under the keys, where an empty text stands for any.
fn matches_all(item: &Tree, keys: &[&str], texts: &[Text]) -> Result<bool, Fault> {
    let mut found = false;
    for (at, key) in keys.iter().enumerate() {
        if let Some(text) = texts.get(at) {
            found = matches_field(item, key, text)?;
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(found)
}

fn matches_field(item: &Tree, key: &str, text: &str) -> Result<bool, Fault> {
    if key.is_empty() {
        return match item {
            Tree::Scalar(scalar) => Ok(scalar.text == text),
            _ => Err(Fault::wrong_kind("ScalarNode", item)),
        };
    }
    match item.as_map() {
        Some(map) => Ok(map.get(key).is_some_and(|value| text.is_empty() || text_of(value) == text)),
        None => Err(Fault::wrong_kind("MappingNode", item)),
    }
}

/// Sets every element of `more` in `items`, by its keys.
fn append_list(items: &mut Vec<Tree>, more: &[Tree], keys: &[&str]) -> Result<(), Fault> {
    for item in more {
        if keys[0].is_empty() {
            set_element(items, Some(item), &[""], &[text_of(item).into()])?;
            continue;
        }
        let mut texts = Vec::with_capacity(keys.len());
        for key in keys {
            if !item.is_null() && item.as_map().is_none() {
                return Err(Fault::wrong_kind("MappingNode", item));
            }
            match item.get(key) {
                Some(value) => texts.push(text_of(value).into()),
                None => items.push(item.clone()),
            }
        }
        if keys.len() > 1 {
            set_element(items, None, keys, &texts)?;
        }
        set_element(items, Some(item), keys, &texts)?;
    }
    Ok(())
}

fn is_empty(tree: &Tree) -> bool {
    match tree {
        Tree::Scalar(_) => tree.is_null(),
        Tree::Map(map) => map.is_empty(),
        Tree::List(_) => false,
    }
}
