//! Go's maps with string keys: shared by every holder and changed in place, as `set` and `merge` do.
//!
//! Keys iterate in byte order, which is the order of `range` and `%v`.

use std::cell::{Cell, Ref, RefCell};
use std::rc::Rc;

use super::{Args, Entries, FuncError, List, Method, Str, Val};

/// The Go type of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapType {
    /// `map[string]interface {}`.
    Any,
    /// `map[string]string`.
    Str,
    /// A named type over `map[string]interface {}`.
    Named(&'static NamedMap),
}

/// A named type over `map[string]interface {}`: a name, and methods that templates may call.
#[derive(Debug)]
pub struct NamedMap {
    /// The name as `%T` prints it (`common.Values`).
    pub name: &'static str,
    /// The exported methods.
    pub methods: &'static [Method],
    /// Runs one of `methods`; arguments are already checked.
    pub call: fn(&Map, &'static Method, Args<'_>) -> Result<Val, FuncError>,
}

impl PartialEq for NamedMap {
    fn eq(&self, other: &NamedMap) -> bool {
        self.name == other.name
    }
}

impl Eq for NamedMap {}

impl MapType {
    /// The type as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            MapType::Any => "map[string]interface {}",
            MapType::Str => "map[string]string",
            MapType::Named(named) => named.name,
        }
    }
}

/// A shared map; cloning is an alias of the same map. Aliases may be of different types, as a conversion in Go makes them.
#[derive(Clone, Debug)]
pub struct Map {
    inner: Rc<Inner>,
    named: Option<&'static NamedMap>,
}

#[derive(Debug)]
struct Inner {
    of_texts: bool,
    nil: bool,
    /// Set for what a render was given to start from, as opposed to what its templates made.
    given: Cell<bool>,
    entries: RefCell<Entries>,
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Map {
        Map::typed(MapType::Any, Entries::new())
    }

    /// A map of a Go type; the caller answers for the values being of it.
    pub fn typed(ty: MapType, entries: Entries) -> Map {
        let inner = Inner { of_texts: ty == MapType::Str, nil: false, given: Cell::new(false), entries: RefCell::new(entries) };
        Map { inner: Rc::new(inner), named: None }.retyped(ty)
    }

    /// Go's nil map of a type: empty, null where it is printed as JSON, and not to be written to.
    pub fn nil(ty: MapType) -> Map {
        let inner = Inner { of_texts: ty == MapType::Str, nil: true, given: Cell::new(false), entries: RefCell::default() };
        Map { inner: Rc::new(inner), named: None }.retyped(ty)
    }

    /// The same map under another type over `map[string]interface {}`.
    pub fn retyped(self, ty: MapType) -> Map {
        let named = match ty {
            MapType::Named(named) => Some(named),
            MapType::Any | MapType::Str => None,
        };
        Map { named, ..self }
    }

    /// True for a nil map.
    pub fn is_nil(&self) -> bool {
        self.inner.nil
    }

    /// Marks this map and every map within as given to the templates from outside; see [`super::Given`].
    pub fn mark_given(&self) {
        let mut work = vec![Val::Map(self.clone())];
        while let Some(value) = work.pop() {
            match value {
                Val::Map(map) if !map.inner.given.replace(true) => {
                    work.extend(map.borrow().values().filter(|value| value.is_container()).cloned());
                }
                Val::List(list) => work.extend(list.iter().filter(|value| value.is_container()).cloned()),
                _ => {}
            }
        }
    }

    /// True for a map that was given to the templates.
    pub(super) fn is_given(&self) -> bool {
        self.inner.given.get()
    }

    /// Its Go type.
    pub fn ty(&self) -> MapType {
        match self.named {
            Some(named) => MapType::Named(named),
            None if self.inner.of_texts => MapType::Str,
            None => MapType::Any,
        }
    }

    /// Its type if that is a named one.
    pub fn named(&self) -> Option<&'static NamedMap> {
        self.named
    }

    /// The value under a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Val> {
        self.inner.entries.borrow().get(key.as_ref()).cloned()
    }

    /// As [`Map::get`], for a key that is a [`Str`] already: compares faster.
    pub(super) fn field(&self, key: &Str) -> Option<Val> {
        self.inner.entries.borrow().field(key).cloned()
    }

    /// Sets a key, seen by every holder of the map.
    pub fn set(&self, key: impl Into<Str>, value: impl Into<Val>) {
        let old = self.inner.entries.borrow_mut().insert(key.into(), value.into());
        drop(old);
    }

    /// Adds entries whose keys are in order and not there yet.
    pub fn set_new(&self, new: Vec<(Str, Val)>) {
        self.inner.entries.borrow_mut().insert_new(new);
    }

    /// Takes a key out.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Val> {
        self.inner.entries.borrow_mut().remove(key.as_ref())
    }

    /// True if the key stands.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.inner.entries.borrow().get(key.as_ref()).is_some()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.inner.entries.borrow().len()
    }

    /// True without keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys, in byte order.
    pub fn keys(&self) -> Vec<Str> {
        self.inner.entries.borrow().keys().cloned().collect()
    }

    /// Keys and values, in byte order, as they stand now.
    pub fn snapshot(&self) -> Vec<(Str, Val)> {
        self.inner.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The entries to read. Nothing that could change this map may run while the borrow lives.
    pub fn borrow(&self) -> Ref<'_, Entries> {
        self.inner.entries.borrow()
    }

    /// A new map with the same entries; values are aliases.
    pub fn shallow_copy(&self) -> Map {
        Map::typed(self.ty(), self.inner.entries.borrow().clone())
    }

    /// True when both are the same map, not merely equal ones.
    pub fn same(&self, other: &Map) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
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
            Val::Map(Map { mut inner, .. }) => {
                if let Some(inner) = Rc::get_mut(&mut inner) {
                    work.extend(std::mem::take(inner.entries.get_mut()).into_values());
                }
            }
            Val::List(list) => work.extend(List::into_unshared(list)),
            _ => {}
        }
    }
}
