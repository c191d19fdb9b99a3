//! Maps with string keys that keep their order.

use rustc_hash::FxHashMap;

use super::{Text, Tree};

/// From so many keys on they are found by an index; fewer are sooner looked through, and most maps have fewer.
const INDEX_FROM: usize = 16;

/// A map from text to tree in insertion order. A key stands once; setting it again keeps its place.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Text, Tree)>,
    /// Where each key stands, once there are many.
    index: Option<Box<FxHashMap<Text, usize>>>,
}

impl Map {
    /// An empty map.
    pub fn new() -> Map {
        Map::default()
    }

    /// An empty map with room for `count` keys.
    pub fn with_capacity(count: usize) -> Map {
        Map { entries: Vec::with_capacity(count), index: None }
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
        self.place(key).map(|place| &self.entries[place].1)
    }

    /// The value under a key, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Tree> {
        self.place(key).map(|place| &mut self.entries[place].1)
    }

    /// True if the key stands.
    pub fn contains(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    /// Sets a key, at its old place or at the end; gives back what stood there.
    pub fn set(&mut self, key: impl Into<Text>, value: Tree) -> Option<Tree> {
        let key = key.into();
        if let Some(place) = self.place(&key) {
            return Some(std::mem::replace(&mut self.entries[place].1, value));
        }
        self.push(key, value);
        None
    }

    /// Sets a key as [`Map::set`] does; where it stood already, gives its place among the keys.
    pub fn set_full(&mut self, key: &str, value: Tree) -> Option<usize> {
        let place = self.place(key);
        match place {
            Some(place) => self.entries[place].1 = value,
            None => self.push(Text::new(key), value),
        }
        place
    }

    /// Takes a key out; the others keep their order. Costs as much as the map is long.
    pub fn remove(&mut self, key: &str) -> Option<Tree> {
        let place = self.place(key)?;
        let (_, value) = self.entries.remove(place);
        self.index_anew();
        Some(value)
    }

    /// The value under a key, made with `make` at the end where it is missing.
    pub fn or_set_with(&mut self, key: &str, make: impl FnOnce() -> Tree) -> &mut Tree {
        let place = self.place(key).unwrap_or_else(|| {
            self.push(Text::new(key), make());
            self.entries.len() - 1
        });
        &mut self.entries[place].1
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Text, &Tree)> + ExactSizeIterator {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Keys and values in order, values to change.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&Text, &mut Tree)> + ExactSizeIterator {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Keeps the entries for which `keep` holds, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Tree) -> bool) {
        let before = self.entries.len();
        self.entries.retain_mut(|(key, value)| keep(key, value));
        if self.entries.len() < before {
            self.index_anew();
        }
    }

    /// Sorts by key, byte by byte.
    pub fn sort_keys(&mut self) {
        self.entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        self.index_anew();
    }

    fn place(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(known, _)| known.as_str() == key),
        }
    }

    /// Adds a key that does not stand yet.
    fn push(&mut self, key: Text, value: Tree) {
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, value));
        if self.entries.len() == INDEX_FROM {
            self.index_anew();
        }
    }

    /// Makes the index as the entries are now.
    fn index_anew(&mut self) {
        let keys = || self.entries.iter().enumerate().map(|(place, (key, _))| (key.clone(), place));
        self.index = (self.entries.len() >= INDEX_FROM).then(|| Box::new(keys().collect()));
    }
}

impl PartialEq for Map {
    /// Equal with the same entries in any order: maps mean the same however they were written.
    fn eq(&self, other: &Map) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl Eq for Map {}

impl FromIterator<(Text, Tree)> for Map {
    fn from_iter<I: IntoIterator<Item = (Text, Tree)>>(entries: I) -> Map {
        let mut map = Map::new();
        for (key, value) in entries {
            map.set(key, value);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_keys_and_few_are_found_alike() {
        for count in [3, INDEX_FROM - 1, INDEX_FROM, 100] {
            let key = |number: usize| format!("key{}", number * 7 % count);
            let mut map: Map = (0..count).map(|number| (Text::from(key(number)), Tree::int(number as i64))).collect();
            let twice = count - 1;
            assert!(map.set_full(&key(twice), Tree::int(-1)).is_some());
            let keys = map.len();
            assert_eq!(map.get(&key(twice)), Some(&Tree::int(-1)));
            assert_eq!(map.get("none"), None);
            let first = map.get(&key(0)).cloned();
            assert!(first.is_some() && map.remove(&key(0)) == first);
            assert!(!map.contains(&key(0)) && map.len() == keys - 1);
            assert_eq!(map.or_set_with("last", Tree::null), &Tree::null());
            assert_eq!(map.iter().next_back().map(|(key, _)| key.as_str()), Some("last"));
            let mut sorted = map.clone();
            sorted.sort_keys();
            assert_eq!(sorted, map);
            assert!(sorted.iter().all(|(key, value)| map.get(key) == Some(value)));
            sorted.retain(|key, _| key != "last");
            assert!(sorted != map && sorted.iter().all(|(key, value)| sorted.get(key) == Some(value)));
            let order = |map: &Map| map.iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>();
            assert!(order(&sorted).is_sorted());
        }
    }
}
