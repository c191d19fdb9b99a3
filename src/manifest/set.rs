//! The ordered set of objects of one render.

use super::Object;
use crate::diag::Result;
use crate::yaml;

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
    ///
    /// Fails with `yaml-unprintable` on a value that Go refuses to print.
    pub fn to_yaml(&self) -> Result<String> {
        let text = |object: &Object| match object.raw() {
            Some(_) => Ok(object.text()),
            None => yaml::to_string_strict(object.tree()),
        };
        let texts = self.objects.iter().map(text).collect::<Result<Vec<String>>>()?;
        Ok(super::join(texts.iter().map(String::as_str)))
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
