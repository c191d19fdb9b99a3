//! The ordered set of objects of one render.

use super::Object;

/// Objects in the order in which they are printed and applied.
#[derive(Clone, Debug, Default)]
pub struct Set {
    /// The objects.
    pub objects: Vec<Object>,
}

impl Set {
    /// Pairs of objects that name the same thing, by index, the earlier first; versions do not tell objects apart.
    pub fn duplicates(&self) -> Vec<(usize, usize)> {
        let mut first = rustc_hash::FxHashMap::default();
        let mut pairs = Vec::new();
        for (index, object) in self.objects.iter().enumerate() {
            let id = &object.id;
            if id.name.is_empty() {
                continue;
            }
            match first.entry((&id.group, &id.kind, &id.namespace, &id.name)) {
                std::collections::hash_map::Entry::Occupied(entry) => pairs.push((*entry.get(), index)),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    entry.insert(index);
                }
            }
        }
        pairs
    }

    /// All objects as one text, each after `---`.
    pub fn to_yaml(&self) -> String {
        let texts: Vec<String> = self.objects.iter().map(Object::text).collect();
        super::join(texts.iter().map(String::as_str))
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// True without objects.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}
