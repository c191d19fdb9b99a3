//! Labels and annotations that are one value in kustomize, though they stand in several places.
//!
//! In: objects to which labels or annotations were added, and later changes of these objects. Out: the same, with the other
//! places changed too. kyaml puts one node into every map that a label is added to, and most of what comes later writes into
//! nodes: an overlay that gives `metadata.labels` another value changes the selectors that its base has made. JSON patches,
//! which make all nodes anew, part them.

use super::fieldspec::Way;
use super::resource::Resource;
use crate::value::{Text, Tree};

/// One value and the maps that hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Twins {
    key: Text,
    /// The ways to the maps, in the order in which a merge walks.
    ways: Vec<Way>,
}

impl Twins {
    /// The value under `key` in the maps at the ends of `ways`.
    pub(crate) fn new(key: Text, mut ways: Vec<Way>) -> Twins {
        ways.sort();
        Twins { key, ways }
    }

    /// The value; nothing where no map holds it any more.
    fn value(&self, tree: &Tree) -> Option<Tree> {
        let mut found = None;
        for way in &self.ways {
            way.each(tree, &mut |map| found = found.take().or_else(|| map.get(&self.key).cloned()));
        }
        found
    }

    /// Gives all places the value that one of them got; of several, the one that was written last counts.
    fn follow(&mut self, tree: &mut Tree, before: &Tree) {
        let mut new = None;
        self.ways.retain(|way| {
            let mut held = false;
            way.each(tree, &mut |map| {
                if let Some(value) = map.get(&self.key) {
                    held = true;
                    if value != before {
                        new = Some(value.clone());
                    }
                }
            });
            held
        });
        let Some(new) = new else { return };
        for way in &self.ways {
            way.each_mut(tree, &mut |map| {
                if let Some(value) = map.get_mut(&self.key) {
                    *value = new.clone();
                }
            });
        }
    }
}

impl Resource {
    /// Changes the object by writing into its values, and has twins follow.
    pub(crate) fn changing<R>(&mut self, change: impl FnOnce(&mut Tree) -> R) -> R {
        if self.twins.is_empty() {
            return change(&mut self.tree);
        }
        let before: Vec<Option<Tree>> = self.twins.iter().map(|twins| twins.value(&self.tree)).collect();
        let result = change(&mut self.tree);
        for (twins, before) in self.twins.iter_mut().zip(before) {
            match before {
                Some(before) => twins.follow(&mut self.tree, &before),
                None => twins.ways.clear(),
            }
        }
        self.twins.retain(|twins| !twins.ways.is_empty());
        result
    }
}
