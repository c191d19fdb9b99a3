//! What stands in the cluster, of everything that a decision is about.
//!
//! Few objects of a kind are looked up one by one; many are listed by our label, page by page, and only what the list
//! lacks is looked up. An object is boiled down to its [`Facts`] as it is read, so memory holds one page of objects at most.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};

use super::decide::{Facts, Holder};
use super::depends::{self, DEPENDS_ON};
use super::kstatus::readiness;
use super::wanted::{Ask, Lookup, Wanted};
use crate::cluster::{Claim, Cluster, Fault, FaultKind, Key, Live, Owner, Resource, Scope};
use crate::value::Text;

/// Objects of a kind that are looked up one by one.
const LOOKUPS_MAX: usize = 8;
/// Requests under way at once.
pub(super) const CONCURRENCY: usize = 8;
/// Namespaces that are listed one by one; more are listed together.
const NAMESPACE_LISTS_MAX: usize = 3;

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The objects that exist.
    pub(super) facts: BTreeMap<Key, Facts>,
    /// The objects of which nothing could be learned.
    pub(super) unclear: BTreeSet<Key>,
    /// Why.
    pub(super) doubts: BTreeMap<Key, Fault>,
    resources: BTreeMap<(Text, Text), Resource>,
}

/// Whose eyes look, and at what.
pub(super) struct Observer<'a, C> {
    pub(super) cluster: &'a C,
    pub(super) owner: &'a Owner,
    /// The objects to look at; nothing for all.
    pub(super) only: Option<&'a BTreeSet<Key>>,
}

impl View {
    /// What serves the kind of an object.
    pub(super) fn resource(&self, key: &Key) -> Option<&Resource> {
        self.resources.get(&(key.group.clone(), key.kind.clone()))
    }

    fn doubt(&mut self, key: &Key, fault: &Fault) {
        self.unclear.insert(key.clone());
        self.doubts.insert(key.clone(), fault.clone());
    }
}

impl<C: Cluster> Observer<'_, C> {
    /// Looks at everything. Fails only if the cluster cannot be asked at all.
    pub(super) async fn look(&self, view: &mut View, ask: &Ask, inventory: &BTreeSet<Key>) -> Result<(), Fault> {
        let wanted: BTreeMap<&Key, &Wanted> = ask.wanted.iter().map(|wanted| (&wanted.key, wanted)).collect();
        for (resource, keys) in self.sort(view, ask, inventory).await? {
            let looked = self.look_at(view, &wanted, &resource, &keys).await;
            match looked {
                Err(fault) if fault.kind == FaultKind::Unreachable => return Err(fault),
                Err(fault) => keys
                    .iter()
                    .filter(|key| !view.facts.contains_key(*key))
                    .cloned()
                    .collect::<Vec<_>>()
                    .iter()
                    .for_each(|key| view.doubt(key, &fault)),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Looks at one object again.
    pub(super) async fn look_again(&self, view: &mut View, wanted: Option<&Wanted>, key: &Key) -> Result<(), Fault> {
        let Some(resource) = view.resource(key).cloned() else { return Ok(()) };
        let live = self.cluster.get(&resource, key).await;
        self.keep(view, wanted, &resource, key, live)
    }

    /// The keys to look at, by what serves them.
    async fn sort(
        &self,
        view: &mut View,
        ask: &Ask,
        inventory: &BTreeSet<Key>,
    ) -> Result<BTreeMap<Resource, BTreeSet<Key>>, Fault> {
        let mut keys: BTreeMap<Resource, BTreeSet<Key>> = BTreeMap::new();
        let picked = |wanted: &&Wanted| self.only.is_none_or(|only| only.contains(&wanted.key));
        for wanted in ask.wanted.iter().filter(picked) {
            if let Lookup::Served(resource) = &wanted.lookup {
                let kind = (resource.group.clone(), resource.kind.clone());
                view.resources.entry(kind).or_insert_with(|| resource.clone());
                keys.entry(resource.clone()).or_default().insert(wanted.key.clone());
            }
        }
        let wanted: BTreeSet<&Key> = ask.wanted.iter().filter(picked).map(|wanted| &wanted.key).collect();
        let homes: BTreeSet<Key> = wanted
            .iter()
            .filter(|key| self.cluster.has_namespaces() && !key.namespace.is_empty())
            .map(|key| Key::new("", "Namespace", "", &key.namespace))
            .collect();
        let depends: BTreeSet<&Key> = ask.wanted.iter().filter(picked).flat_map(|wanted| &wanted.depends).collect();
        let inventory = inventory.iter().filter(|_| self.only.is_none());
        for key in inventory.chain(&homes).chain(depends).filter(|key| !wanted.contains(key)) {
            let kind = (key.group.clone(), key.kind.clone());
            if !view.resources.contains_key(&kind) {
                match self.cluster.resource(&key.group, None, &key.kind).await {
                    Ok(Some(resource)) => drop(view.resources.insert(kind.clone(), resource)),
                    Ok(None) if self.cluster.is_gone(&key.group, &key.kind).await.unwrap_or(false) => {}
                    Ok(None) => view.doubt(key, &Fault::new(FaultKind::NotYet, "its kind is not served now")),
                    Err(fault) if fault.kind == FaultKind::Unreachable => return Err(fault),
                    Err(fault) => view.doubt(key, &fault),
                }
            }
            let fits = |resource: &&Resource| match resource.scope {
                Scope::Namespaced => !key.namespace.is_empty(),
                Scope::Cluster => key.namespace.is_empty(),
                Scope::AsWritten => true,
            };
            if let Some(resource) = view.resources.get(&kind).filter(fits) {
                keys.entry(resource.clone()).or_default().insert(key.clone());
            }
        }
        Ok(keys)
    }

    async fn look_at(
        &self,
        view: &mut View,
        wanted: &BTreeMap<&Key, &Wanted>,
        resource: &Resource,
        keys: &BTreeSet<Key>,
    ) -> Result<(), Fault> {
        let mut left = keys.clone();
        if keys.len() > LOOKUPS_MAX {
            let namespaces: BTreeSet<&Text> = keys.iter().map(|key| &key.namespace).collect();
            let together = namespaces.len() > NAMESPACE_LISTS_MAX || namespaces.contains(&Text::default());
            let lists: Vec<Option<&str>> =
                if together { vec![None] } else { namespaces.iter().map(|name| Some(name.as_str())).collect() };
            for namespace in lists {
                let mut visit = |live: Live| {
                    let key = Key::new(&resource.group, &resource.kind, &live.namespace, &live.name);
                    if left.remove(&key) {
                        let facts = self.facts(wanted.get(&key).copied(), resource, &live);
                        view.unclear.remove(&key);
                        view.facts.insert(key, facts);
                    }
                };
                self.cluster.owned(resource, namespace, self.owner, &mut visit).await?;
            }
        }
        let mut by_namespace: BTreeMap<Text, Vec<Key>> = BTreeMap::new();
        for key in left {
            by_namespace.entry(key.namespace.clone()).or_default().push(key);
        }
        for (namespace, keys) in by_namespace {
            let standing = self.cluster.standing(resource, &namespace, &keys).await?;
            for key in &keys {
                view.unclear.remove(key);
                view.facts.remove(key);
            }
            let lookups = standing.into_iter().map(|key| async move {
                let live = self.cluster.get(resource, &key).await;
                (key, live)
            });
            let mut answers = stream::iter(lookups).buffer_unordered(CONCURRENCY);
            while let Some((key, live)) = answers.next().await {
                self.keep(view, wanted.get(&key).copied(), resource, &key, live)?;
            }
        }
        Ok(())
    }

    /// Notes an answer about one object; gives back only what concerns all of them.
    fn keep(
        &self,
        view: &mut View,
        wanted: Option<&Wanted>,
        resource: &Resource,
        key: &Key,
        live: Result<Option<Live>, Fault>,
    ) -> Result<(), Fault> {
        view.unclear.remove(key);
        match live {
            Ok(Some(live)) => drop(view.facts.insert(key.clone(), self.facts(wanted, resource, &live))),
            Ok(None) => drop(view.facts.remove(key)),
            Err(fault) if fault.kind == FaultKind::Unreachable => return Err(fault),
            Err(fault) => view.doubt(key, &fault),
        }
        Ok(())
    }

    fn facts(&self, wanted: Option<&Wanted>, resource: &Resource, live: &Live) -> Facts {
        let holder = match &live.claim {
            claim if self.owner.holds(claim) => Holder::Us,
            Claim::Nobody => Holder::Nobody,
            claim => Holder::Other(claim.to_string()),
        };
        let current = holder == Holder::Us
            && wanted.is_some_and(|wanted| self.cluster.is_current(resource, &wanted.object, self.owner, live));
        Facts {
            seen: live.seen.clone(),
            holder,
            deleting: live.deleting,
            detach: live.detach,
            implicit: live.implicit,
            current,
            print: live.print,
            readiness: readiness(&resource.group, &resource.kind, &live.body),
            depends: live.body["metadata"]["annotations"][DEPENDS_ON]
                .as_str()
                .and_then(|text| depends::parse(text).ok())
                .unwrap_or_default(),
        }
    }
}
