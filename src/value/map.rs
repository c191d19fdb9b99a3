//! Maps with string keys that keep their order.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::{Text, Tree};

/// A map from text to tree in insertion order. A key stands once; setting it again keeps its place.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: IndexMap<Text, Tree, FxBuildHasher>,
}

impl Map {
    /// An empty map.
    pub fn new() -> Map {
        Map::default()
    }

    /// An empty map with room for `count` keys.
    pub fn with_capacity(count: usize) -> Map {
        Map { entries: IndexMap::with_capacity_and_hasher(count, FxBuildHasher) }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        self.entries.get(key)
    }

    /// The value under a key, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Tree> {
        self.entries.get_mut(key)
    }

    /// True if the key stands.
    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Sets a key, at its old place or at the end; gives back what stood there.
    pub fn set(&mut self, key: impl Into<Text>, value: Tree) -> Option<Tree> {
        self.entries.insert(key.into(), value)
    }

    /// Sets a key as [`Map::set`] does; where it stood already, gives its place among the keys.
    pub fn set_full(&mut self, key: &str, value: Tree) -> Option<usize> {
        // one probe for new keys, which are nearly all
        let (index, old) = self.entries.insert_full(Text::new(key), value);
        old.map(|_| index)
    }

    /// Takes a key out; the others keep their order. Costs as much as the map is long.
    pub fn remove(&mut self, key: &str) -> Option<Tree> {
        self.entries.shift_remove(key)
    }

    /// The value under a key, made with `make` at the end where it is missing.
    pub fn or_set_with(&mut self, key: &str, make: impl FnOnce() -> Tree) -> &mut Tree {
        self.entries.entry(Text::new(key)).or_insert_with(make)
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Text, &Tree)> + ExactSizeIterator {
        self.entries.iter()
    }

    /// Keys and values in order, values to change.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&Text, &mut Tree)> + ExactSizeIterator {
        self.entries.iter_mut()
    }

    /// Keeps the entries for which `keep` holds, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Tree) -> bool) {
        self.entries.retain(|key, value| keep(key, value));
    }

    /// Sorts by key, byte by byte.
    pub fn sort_keys(&mut self) {
        self.entries.sort_unstable_keys();
    }
}

impl PartialEq for Map {
    /// Equal with the same entries in any order: maps mean the same however they were written.
    fn eq(&self, other: &Map) -> bool {
        self.entries == other.entries
    }
}

impl Eq for Map {}

impl FromIterator<(Text, Tree)> for Map {
    fn from_iter<I: IntoIterator<Item = (Text, Tree)>>(entries: I) -> Map {
        Map { entries: entries.into_iter().collect() }
    }
}
