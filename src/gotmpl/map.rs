//! Go's maps with string keys: shared by every holder and changed in place, as `set` and `merge` do.
//!
//! Keys iterate in byte order, which is the order of `range` and `%v`.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{List, Str, Val};

/// The Go type of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MapType {
    /// `map[string]interface {}`.
    Any,
    /// `map[string]string`.
    Str,
    /// A named type over `map[string]interface {}`, as `%T` prints it (`common.Values`).
    Named(&'static str),
}

impl MapType {
    /// The type as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            MapType::Any => "map[string]interface {}",
            MapType::Str => "map[string]string",
            MapType::Named(name) => name,
        }
    }
}

/// A shared map; cloning is an alias of the same map.
#[derive(Clone, Debug)]
pub struct Map(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    ty: MapType,
    nil: bool,
    entries: RefCell<BTreeMap<Str, Val>>,
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Map {
        Map::typed(MapType::Any, BTreeMap::new())
    }

    /// A map of a Go type; the caller answers for the values being of it.
    pub fn typed(ty: MapType, entries: BTreeMap<Str, Val>) -> Map {
        Map(Rc::new(Inner { ty, nil: false, entries: RefCell::new(entries) }))
    }

    /// Go's nil map: empty, null where it is printed as JSON, and not to be written to.
    pub fn nil() -> Map {
        Map(Rc::new(Inner { ty: MapType::Any, nil: true, entries: RefCell::default() }))
    }

    /// True for a nil map.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// Its Go type.
    pub fn ty(&self) -> MapType {
        self.0.ty
    }

    /// The value under a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Val> {
        self.0.entries.borrow().get(key.as_ref()).cloned()
    }

    /// Sets a key, seen by every holder of the map.
    pub fn set(&self, key: impl Into<Str>, value: impl Into<Val>) {
        let old = self.0.entries.borrow_mut().insert(key.into(), value.into());
        drop(old);
    }

    /// Takes a key out.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Val> {
        self.0.entries.borrow_mut().remove(key.as_ref())
    }

    /// True if the key stands.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.0.entries.borrow().contains_key(key.as_ref())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// True without keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys, in byte order.
    pub fn keys(&self) -> Vec<Str> {
        self.0.entries.borrow().keys().cloned().collect()
    }

    /// Keys and values, in byte order, as they stand now.
    pub fn snapshot(&self) -> Vec<(Str, Val)> {
        self.0.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The entries to read. Nothing that could change this map may run while the borrow lives.
    pub fn borrow(&self) -> Ref<'_, BTreeMap<Str, Val>> {
        self.0.entries.borrow()
    }

    /// The entries to change. Nothing that could touch this map may run while the borrow lives.
    pub fn borrow_mut(&self) -> RefMut<'_, BTreeMap<Str, Val>> {
        self.0.entries.borrow_mut()
    }

    /// A new map with the same entries; values are aliases.
    pub fn shallow_copy(&self) -> Map {
        Map::typed(self.0.ty, self.0.entries.borrow().clone())
    }

    /// True when both are the same map, not merely equal ones.
    pub fn same(&self, other: &Map) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Default for Map {
    fn default() -> Map {
        Map::new()
    }
}

impl FromIterator<(Str, Val)> for Map {
    fn from_iter<I: IntoIterator<Item = (Str, Val)>>(entries: I) -> Map {
        Map::typed(MapType::Any, entries.into_iter().collect())
    }
}

impl Drop for Inner {
    /// As for lists: nested containers are taken apart without recursion.
    fn drop(&mut self) {
        let entries = std::mem::take(self.entries.get_mut());
        if entries.values().any(Val::is_container) {
            drop_flat(entries.into_values().collect());
        }
    }
}

/// Drops values, taking apart containers that nothing else holds with a list of work instead of the call stack.
pub(super) fn drop_flat(values: Vec<Val>) {
    if !values.iter().any(Val::is_container) {
        return;
    }
    let mut work = values;
    while let Some(value) = work.pop() {
        match value {
            Val::Map(Map(mut inner)) => {
                if let Some(inner) = Rc::get_mut(&mut inner) {
                    work.extend(std::mem::take(inner.entries.get_mut()).into_values());
                }
            }
            Val::List(list) => work.extend(List::into_unshared(list)),
            _ => {}
        }
    }
}
