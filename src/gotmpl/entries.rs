//! What a map holds: keys and values in byte order of the keys.
//!
//! Most maps of charts have a handful of keys, and there are thousands of such maps. A node of a B-tree has room for eleven entries
//! whether they come or not; few entries therefore stand in a sorted list of their own size, which is a quarter of the memory and searched
//! faster. Past [`FEW_MAX`] entries a list would make insertion quadratic, and a tree takes over for good.

use std::collections::{BTreeMap, btree_map};
use std::{slice, vec};

use super::{Str, Val};

/// The most entries that a list holds: what moves at an insertion into it is a few kilobytes.
const FEW_MAX: usize = 64;

/// Keys and values in byte order of the keys.
#[derive(Clone, Debug)]
pub struct Entries(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Few(Vec<(Str, Val)>),
    Many(BTreeMap<Str, Val>),
}

impl Entries {
    /// No entries.
    pub fn new() -> Entries {
        Entries(Repr::Few(Vec::new()))
    }

    /// The value under a key.
    pub fn get(&self, key: &[u8]) -> Option<&Val> {
        match &self.0 {
            Repr::Few(list) => list.binary_search_by(|(other, _)| other.as_bytes().cmp(key)).ok().map(|at| &list[at].1),
            Repr::Many(tree) => tree.get(key),
        }
    }

    /// As [`Entries::get`], for a key that is a [`Str`] already: compares faster.
    pub(super) fn field(&self, key: &Str) -> Option<&Val> {
        match &self.0 {
            Repr::Few(list) => list.binary_search_by(|(other, _)| other.cmp(key)).ok().map(|at| &list[at].1),
            Repr::Many(tree) => tree.get(key),
        }
    }

    /// Sets a key; gives the value that it had.
    pub fn insert(&mut self, key: Str, value: Val) -> Option<Val> {
        match &mut self.0 {
            Repr::Few(list) => match list.binary_search_by(|(other, _)| other.cmp(&key)) {
                Ok(at) => return Some(std::mem::replace(&mut list[at].1, value)),
                Err(at) if list.len() < FEW_MAX => list.insert(at, (key, value)),
                Err(_) => {
                    let mut tree: BTreeMap<Str, Val> = std::mem::take(list).into_iter().collect();
                    tree.insert(key, value);
                    self.0 = Repr::Many(tree);
                }
            },
            Repr::Many(tree) => return tree.insert(key, value),
        }
        None
    }

    /// Adds entries whose keys are in order and not there yet; cheaper than one by one.
    pub fn insert_new(&mut self, new: Vec<(Str, Val)>) {
        debug_assert!(new.is_sorted_by(|(left, _), (right, _)| left < right), "in order");
        match &mut self.0 {
            Repr::Few(list) if list.len() + new.len() <= FEW_MAX => {
                let old = std::mem::take(list);
                *list = Vec::with_capacity(old.len() + new.len());
                let mut new = new.into_iter().peekable();
                for entry in old {
                    list.extend(std::iter::from_fn(|| new.next_if(|(key, _)| *key < entry.0)));
                    list.push(entry);
                }
                list.extend(new);
            }
            _ => new.into_iter().for_each(|(key, value)| drop(self.insert(key, value))),
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &[u8]) -> Option<Val> {
        match &mut self.0 {
            Repr::Few(list) => {
                let at = list.binary_search_by(|(other, _)| other.as_bytes().cmp(key)).ok()?;
                Some(list.remove(at).1)
            }
            Repr::Many(tree) => tree.remove(key),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Few(list) => list.len(),
            Repr::Many(tree) => tree.len(),
        }
    }

    /// The entries, in order.
    pub fn iter(&self) -> Iter<'_> {
        match &self.0 {
            Repr::Few(list) => Iter::Few(list.iter()),
            Repr::Many(tree) => Iter::Many(tree.iter()),
        }
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Str> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &Val> {
        self.iter().map(|(_, value)| value)
    }

    /// The values, in the order of their keys.
    pub fn into_values(self) -> impl Iterator<Item = Val> {
        self.into_iter().map(|(_, value)| value)
    }
}

impl Default for Entries {
    fn default() -> Entries {
        Entries::new()
    }
}

impl FromIterator<(Str, Val)> for Entries {
    /// Of two entries of one key the later one stays.
    fn from_iter<I: IntoIterator<Item = (Str, Val)>>(entries: I) -> Entries {
        let mut list: Vec<(Str, Val)> = entries.into_iter().collect();
        if !list.is_sorted_by(|(left, _), (right, _)| left < right) {
            // stable, so the later of two equal keys comes behind, and is what the reversed search for twins keeps
            list.sort_by(|(left, _), (right, _)| left.cmp(right));
            list.reverse();
            list.dedup_by(|(key, _), (kept, _)| key == kept);
            list.reverse();
        }
        if list.len() > FEW_MAX { Entries(Repr::Many(list.into_iter().collect())) } else { Entries(Repr::Few(list)) }
    }
}

impl IntoIterator for Entries {
    type Item = (Str, Val);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        match self.0 {
            Repr::Few(list) => IntoIter::Few(list.into_iter()),
            Repr::Many(tree) => IntoIter::Many(tree.into_iter()),
        }
    }
}

/// Borrowed entries, in order.
#[derive(Clone, Debug)]
pub enum Iter<'e> {
    /// Out of a list.
    Few(slice::Iter<'e, (Str, Val)>),
    /// Out of a tree.
    Many(btree_map::Iter<'e, Str, Val>),
}

impl<'e> Iterator for Iter<'e> {
    type Item = (&'e Str, &'e Val);

    fn next(&mut self) -> Option<(&'e Str, &'e Val)> {
        match self {
            Iter::Few(list) => list.next().map(|(key, value)| (key, value)),
            Iter::Many(tree) => tree.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Iter::Few(list) => list.size_hint(),
            Iter::Many(tree) => tree.size_hint(),
        }
    }
}

/// Owned entries, in order.
#[derive(Debug)]
pub enum IntoIter {
    /// Out of a list.
    Few(vec::IntoIter<(Str, Val)>),
    /// Out of a tree.
    Many(btree_map::IntoIter<Str, Val>),
}

impl Iterator for IntoIter {
    type Item = (Str, Val);

    fn next(&mut self) -> Option<(Str, Val)> {
        match self {
            IntoIter::Few(list) => list.next(),
            IntoIter::Many(tree) => tree.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            IntoIter::Few(list) => list.size_hint(),
            IntoIter::Many(tree) => tree.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both forms are the map that a tree alone would be, whatever is done to them.
    #[test]
    fn few_and_many_are_one_map() {
        let mut model: BTreeMap<Str, i64> = BTreeMap::new();
        let mut entries = Entries::new();
        let mut state = 1_u64;
        for step in 0..20_000_i64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // keys grow in number over time, so that the list becomes a tree on the way
            let key = Str::from(format!("key-{}", (state >> 33) % (1 + step as u64 / 100)));
            if state >> 62 == 0 {
                assert_eq!(entries.remove(key.as_bytes()).is_some(), model.remove(&key).is_some());
            } else {
                assert_eq!(entries.insert(key.clone(), Val::int(step)).is_some(), model.insert(key.clone(), step).is_some());
                assert!(matches!(entries.field(&key), Some(Val::Int(found, _)) if *found == step));
            }
            assert_eq!(entries.get(key.as_bytes()).is_some(), model.contains_key(&key));
            assert_eq!(entries.len(), model.len());
        }
        assert!(matches!(entries.0, Repr::Many(_)), "the walk is long enough for both forms");
        assert!(entries.keys().eq(model.keys()));
        assert!(entries.clone().into_iter().map(|(key, _)| key).eq(model.into_keys()));
    }

    #[test]
    fn entries_in_bulk_are_those_one_by_one() {
        let entry = |at: usize| (Str::from(format!("{at:03}")), Val::int(at as i64));
        for (count, share) in [(10, 3), (60, 2), (200, 3), (3, 1)] {
            let mut bulk: Entries = (0..count).filter(|at| at % share == 0).map(entry).collect();
            bulk.insert_new((0..count).filter(|at| at % share != 0).map(entry).collect());
            assert!(bulk.into_iter().map(|(key, _)| key).eq((0..count).map(|at| entry(at).0)), "{count}");
        }
    }

    #[test]
    fn of_twins_the_later_one_stays() {
        for count in [3, FEW_MAX + 9] {
            let twice = (0..count).rev().chain(0..count).map(|at| (Str::from(format!("{at:03}")), Val::int(at as i64)));
            let entries: Entries = twice.enumerate().map(|(nth, (key, _))| (key, Val::int(nth as i64))).collect();
            assert_eq!(entries.len(), count);
            assert!(entries.iter().zip(0..).all(|((_, value), at)| matches!(value, Val::Int(nth, _) if *nth == at + count as i64)));
        }
    }
}
