//! The ordered set of objects that a build works on.
//!
//! Identities are indexed, so that adding and finding cost the same however many objects there are. The index is
//! dropped by whatever may change an identity ([`ResMap::iter_mut`]) and made again when it is next needed.

use rustc_hash::FxHashMap;

use super::resid::{Key, ResId, Scopes};
use super::resource::Resource;
use crate::diag::{Diagnostic, Result};

/// Objects in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResMap {
    list: Vec<Resource>,
    /// Positions by current identity; nothing while stale.
    by_id: Option<FxHashMap<Key, Vec<usize>>>,
}

impl ResMap {

    /// How many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The objects in order.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.list.iter()
    }

    /// The objects in order, to change.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Resource> {
        self.by_id = None;
        self.list.iter_mut()
    }

    /// The objects as a slice, to look up by position.
    pub(crate) fn as_slice(&self) -> &[Resource] {
        &self.list
    }

    /// One object to change, by position.
    pub(crate) fn at_mut(&mut self, position: usize) -> &mut Resource {
        self.by_id = None;
        &mut self.list[position]
    }

    /// The list itself, to reorder, filter or extend without a check of identities.
    pub(crate) fn list_mut(&mut self) -> &mut Vec<Resource> {
        self.by_id = None;
        &mut self.list
    }

    /// The list, taken out.
    pub(crate) fn into_list(self) -> Vec<Resource> {
        self.list
    }

    fn index(&mut self, scopes: &dyn Scopes) -> &mut FxHashMap<Key, Vec<usize>> {
        let list = &self.list;
        self.by_id.get_or_insert_with(|| {
            let mut index: FxHashMap<Key, Vec<usize>> = FxHashMap::default();
            for (position, resource) in list.iter().enumerate() {
                index.entry(resource.current_id(scopes).key()).or_default().push(position);
            }
            index
        })
    }

    /// Positions of the objects that have an identity, now or before, for which `matches` holds.
    pub(crate) fn find_any(&self, scopes: &dyn Scopes, matches: impl Fn(&ResId) -> bool) -> Vec<usize> {
        let has = |resource: &Resource| {
            !resource.is_gone()
                && (resource.previous_ids().any(|id| matches(&id)) || matches(&resource.current_id(scopes)))
        };
        self.list.iter().enumerate().filter(|(_, resource)| has(resource)).map(|(position, _)| position).collect()
    }

    /// Adds an object. Fails with code `kustomize-duplicate-id` if its identity is taken.
    pub(crate) fn append(&mut self, resource: Resource, scopes: &dyn Scopes) -> Result<()> {
        let id = resource.current_id(scopes);
        let position = self.list.len();
        let taken = self.index(scopes).entry(id.key()).or_default();
        let Some(&other) = taken.first() else {
            taken.push(position);
            self.list.push(resource);
            return Ok(());
        };
        let message = format!("may not add resource with an already registered id: {id}");
        let (here, there) = (&resource.origin.file, &self.list[other].origin.file);
        Err(Box::new(Diagnostic::input("kustomize-duplicate-id", message).hint(format!(
            "remove one of the two: one is from `{there}`, the other from `{here}`"
        ))))
    }

    /// Adds all objects of another set.
    pub(crate) fn append_all(&mut self, other: ResMap, scopes: &dyn Scopes) -> Result<()> {
        other.list.into_iter().try_for_each(|resource| self.append(resource, scopes))
    }

    /// Drops the objects that a patch deleted.
    pub(crate) fn drop_gone(&mut self) {
        if self.list.iter().any(Resource::is_gone) {
            self.by_id = None;
            self.list.retain(|resource| !resource.is_gone());
        }
    }
}
