//! A cluster in memory, for tests: it keeps every rule that the callers rely on, and can die at any write.
//!
//! It has uids and resource versions, refuses what was not seen, knows kinds only once it is told, deletes what stands in
//! a namespace with it, and counts writes. `die_after` makes the n-th write and everything after it fail, half of the
//! time with the write done and its answer lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::json::to_json;
use super::{
    Answer, Applied, Claim, Cluster, Deleted, Fault, FaultKind, Key, Live, Owner, Page, Resource, Scope, Seen,
};
use crate::manifest::Object;

/// An object that stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) uid: String,
    pub(crate) version: u64,
    pub(crate) claim: Claim,
    pub(crate) implicit: bool,
    pub(crate) detach: bool,
    /// Finalizers hold it: it lingers when deleted.
    pub(crate) held: bool,
    pub(crate) deleting: bool,
    pub(crate) body: Value,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) objects: BTreeMap<Key, Standing>,
    pub(crate) pages: BTreeMap<(String, u32), (u64, Page)>,
    /// Kinds that are not served.
    pub(crate) unknown: BTreeSet<String>,
    /// A kind that is served from this many lookups on.
    pub(crate) appears: BTreeMap<String, u32>,
    /// Names of objects that the server rejects.
    pub(crate) rejected: BTreeSet<String>,
    /// Every write that changed something, in order.
    pub(crate) writes: Vec<String>,
    /// Writes left to live; the last one's answer is lost if `late`.
    pub(crate) die_after: Option<(u32, bool)>,
    counter: u64,
}

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) world: Mutex<World>,
}

const CLUSTER_KINDS: [&str; 4] = ["Namespace", "CustomResourceDefinition", "ClusterRole", "Wide"];

impl World {
    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Puts an object there as somebody else would.
    pub(crate) fn plant(&mut self, key: Key, claim: Claim, body: Value) {
        let version = self.next();
        let standing = Standing {
            uid: format!("uid-{version}"),
            version,
            claim,
            implicit: false,
            detach: false,
            held: false,
            deleting: false,
            body,
        };
        self.objects.insert(key, standing);
    }

    /// Fails if this is the write to die at; `Ok(true)` means: do it, then lose the answer.
    fn tick(&mut self) -> Answer<bool> {
        match &mut self.die_after {
            None => Ok(false),
            Some((0, _)) => Err(died()),
            Some((left, late)) => {
                *left -= 1;
                Ok(*left == 0 && *late)
            }
        }
    }
}

fn died() -> Fault {
    Fault::new(FaultKind::Unreachable, "the test ended the process here")
}

fn raced(what: &str) -> Fault {
    Fault::new(FaultKind::Raced, format!("{what} is not as it was seen"))
}

impl Fake {
    fn write<T>(&self, what: String, act: impl FnOnce(&mut World) -> Answer<T>) -> Answer<T> {
        let mut world = self.world.lock().expect("no test panics here");
        let lost = world.tick()?;
        let done = act(&mut world)?;
        world.writes.push(what);
        if lost {
            world.die_after = Some((0, false));
            return Err(died());
        }
        Ok(done)
    }
}

impl Cluster for Fake {
    fn has_namespaces(&self) -> bool {
        true
    }

    async fn resource(&self, group: &str, version: Option<&str>, kind: &str) -> Answer<Option<Resource>> {
        let mut world = self.world.lock().expect("no test panics here");
        if let Some(left) = world.appears.get_mut(kind).filter(|left| **left > 0) {
            *left -= 1;
            return Ok(None);
        }
        if world.unknown.contains(kind) {
            return Ok(None);
        }
        Ok(Some(Resource {
            group: group.into(),
            version: version.unwrap_or("v1").into(),
            kind: kind.into(),
            plural: kind.to_lowercase().into(),
            scope: if CLUSTER_KINDS.contains(&kind) { Scope::Cluster } else { Scope::Namespaced },
        }))
    }

    async fn is_gone(&self, _group: &str, kind: &str) -> Answer<bool> {
        Ok(!self.world.lock().expect("no test panics here").appears.contains_key(kind))
    }

    async fn forget_kinds(&self) {}

    async fn get(&self, _resource: &Resource, key: &Key) -> Answer<Option<Live>> {
        let world = self.world.lock().expect("no test panics here");
        Ok(world.objects.get(key).map(|standing| live(key, standing)))
    }

    async fn owned(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        owner: &Owner,
        visit: &mut (dyn FnMut(Live) + Send),
    ) -> Answer<()> {
        let world = self.world.lock().expect("no test panics here");
        let set = owner.set_id();
        for (key, standing) in &world.objects {
            let labelled = matches!(&standing.claim, Claim::Inventory { set: other, .. } if *other == set);
            if labelled
                && key.kind == resource.kind
                && key.group == resource.group
                && namespace.is_none_or(|name| name == key.namespace)
            {
                visit(live(key, standing));
            }
        }
        Ok(())
    }

    async fn standing(&self, _resource: &Resource, _namespace: &str, keys: &[Key]) -> Answer<Vec<Key>> {
        let world = self.world.lock().expect("no test panics here");
        Ok(keys.iter().filter(|key| world.objects.contains_key(key)).cloned().collect())
    }

    fn is_current(&self, _resource: &Resource, object: &Object, _owner: &Owner, live: &Live) -> bool {
        to_json(object.tree()).is_ok_and(|value| value == live.body)
    }

    async fn apply(
        &self,
        _resource: &Resource,
        key: &Key,
        object: &Object,
        owner: &Owner,
        seen: Option<&Seen>,
        dry_run: bool,
    ) -> Answer<Applied> {
        let body = to_json(object.tree())?;
        let claim = Claim::Inventory { identity: owner.identity(), set: owner.set_id() };
        {
            let world = self.world.lock().expect("no test panics here");
            if world.rejected.contains(key.name.as_str()) {
                return Err(Fault::new(FaultKind::Rejected, "rejected by the test"));
            }
            let home = Key::new("", "Namespace", "", &key.namespace);
            if !key.namespace.is_empty() && world.objects.get(&home).is_none_or(|home| home.deleting) {
                return Err(Fault::new(FaultKind::NotYet, format!("namespaces \"{}\" not found", key.namespace)));
            }
            let standing = world.objects.get(key);
            if let Some(seen) = seen
                && standing.is_none_or(|standing| standing.uid != seen.uid)
            {
                return Err(raced(&key.to_string()));
            }
            if let Some(standing) =
                standing.filter(|standing| dry_run || (standing.body == body && standing.claim == claim))
            {
                return Ok(Applied {
                    uid: standing.uid.clone(),
                    version: standing.version.to_string(),
                    print: 0,
                    body: Value::Null,
                });
            }
            if dry_run {
                return Ok(Applied { uid: String::new(), version: String::new(), print: 0, body: Value::Null });
            }
        }
        self.write(format!("apply {key}"), |world| {
            let version = world.next();
            let fresh = Standing {
                uid: format!("uid-{version}"),
                version,
                claim: claim.clone(),
                implicit: false,
                detach: false,
                held: false,
                deleting: false,
                body: Value::Null,
            };
            let detach = body["metadata"]["annotations"]["client.lifecycle.config.k8s.io/deletion"] == "detach";
            let standing = world.objects.entry(key.clone()).or_insert(fresh);
            *standing = Standing { version, claim, detach, body, ..standing.clone() };
            Ok(Applied { uid: standing.uid.clone(), version: version.to_string(), print: 0, body: Value::Null })
        })
    }

    async fn create_namespace(&self, name: &str) -> Answer<bool> {
        let key = Key::new("", "Namespace", "", name);
        if self.world.lock().expect("no test panics here").objects.contains_key(&key) {
            return Ok(false);
        }
        self.write(format!("create {key}"), |world| {
            world.plant(key.clone(), Claim::Nobody, json!({}));
            world.objects.get_mut(&key).expect("planted").implicit = true;
            Ok(true)
        })
    }

    async fn delete(&self, _resource: &Resource, key: &Key, seen: &Seen, dry_run: bool) -> Answer<Deleted> {
        {
            let world = self.world.lock().expect("no test panics here");
            let Some(standing) = world.objects.get(key) else { return Ok(Deleted::Gone) };
            if standing.uid != seen.uid || standing.version.to_string() != seen.version {
                return Err(raced(&key.to_string()));
            }
            if world.rejected.contains(key.name.as_str()) {
                return Err(Fault::new(FaultKind::Rejected, format!("`{key}` may not go")));
            }
            if dry_run {
                return Ok(Deleted::Gone);
            }
        }
        self.write(format!("delete {key}"), |world| {
            let version = world.next();
            let standing = world.objects.get_mut(key).expect("seen above");
            if standing.held {
                *standing = Standing { deleting: true, version, ..standing.clone() };
                return Ok(Deleted::Begun);
            }
            world.objects.remove(key);
            if key.is_namespace() {
                world.objects.retain(|other, _| other.namespace != key.name);
            }
            Ok(Deleted::Gone)
        })
    }

    async fn has_instances(&self, definition: &Key) -> Answer<bool> {
        let world = self.world.lock().expect("no test panics here");
        let of = |key: &Key| format!("{}s.{}", key.kind.to_lowercase(), key.group) == definition.name;
        Ok(world.objects.keys().any(of))
    }

    async fn release(&self, _resource: &Resource, key: &Key, seen: &Seen, dry_run: bool) -> Answer<()> {
        let raced = || raced(&key.to_string());
        {
            let world = self.world.lock().expect("no test panics here");
            let standing = world.objects.get(key).filter(|standing| standing.uid == seen.uid).ok_or_else(raced)?;
            if standing.version.to_string() != seen.version {
                return Err(raced());
            }
            if dry_run {
                return Ok(());
            }
        }
        self.write(format!("release {key}"), |world| {
            let version = world.next();
            let standing = world.objects.get_mut(key).expect("seen above");
            standing.claim = Claim::Nobody;
            standing.version = version;
            Ok(())
        })
    }

    async fn pages(&self, owner: &Owner) -> Answer<Vec<Page>> {
        let world = self.world.lock().expect("no test panics here");
        let ours = world.pages.iter().filter(|((identity, _), _)| *identity == owner.identity());
        Ok(ours.map(|(_, (version, page))| Page { stored: Some(page_seen(*version)), ..page.clone() }).collect())
    }

    async fn write_page(&self, owner: &Owner, page: &Page) -> Answer<Seen> {
        let place = (owner.identity(), page.number);
        self.write(format!("page {}", page.number), |world| {
            let standing = world.pages.get(&place).map(|(version, _)| page_seen(*version));
            if standing != page.stored {
                return Err(raced("the page"));
            }
            let version = world.next();
            world.pages.insert(place, (version, page.clone()));
            Ok(page_seen(version))
        })
    }

    async fn delete_page(&self, owner: &Owner, page: &Page) -> Answer<()> {
        let place = (owner.identity(), page.number);
        self.write(format!("drop page {}", page.number), |world| {
            let standing = world.pages.get(&place).map(|(version, _)| page_seen(*version));
            if standing != page.stored {
                return Err(raced("the page"));
            }
            world.pages.remove(&place);
            Ok(())
        })
    }
}

fn page_seen(version: u64) -> Seen {
    Seen { uid: "page".to_owned(), version: version.to_string() }
}

fn live(key: &Key, standing: &Standing) -> Live {
    Live {
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        seen: Seen { uid: standing.uid.clone(), version: standing.version.to_string() },
        claim: standing.claim.clone(),
        deleting: standing.deleting,
        detach: standing.detach,
        implicit: standing.implicit,
        print: 0,
        body: standing.body.clone(),
    }
}
