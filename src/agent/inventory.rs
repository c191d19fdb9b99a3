//! What a sync has ever applied and not yet seen gone: pages of identities, stored before what they cover is applied.
//!
//! A page holds at most [`PAGE_BYTES_MAX`], far below etcd's 1.5 MiB an object, so a sync has no limit of its own. Adding
//! fills the last page, taking away writes only the pages that held what goes: a change costs writes by its own
//! size. Every write names the version that it replaces; after a race everything is read again.

use std::collections::BTreeSet;

use crate::cluster::{Answer, Cluster, FaultKind, Key, Owner, Page};

/// Bytes of the members of one page, as counted by [`weight`].
const PAGE_BYTES_MAX: usize = 256 * 1024;
/// How often a write that raced is tried again from what is stored then.
const RACES_MAX: u32 = 5;

/// The inventory of one sync, as stored.
pub(super) struct Inventory {
    owner: Owner,
    source: String,
    pages: Vec<Page>,
    page_bytes_max: usize,
}

impl Inventory {
    /// Reads what is stored. `source` is what the sync reads, noted with the next write.
    pub(super) async fn read(cluster: &impl Cluster, owner: &Owner, source: &str) -> Answer<Inventory> {
        let pages = cluster.pages(owner).await?;
        Ok(Inventory { owner: owner.clone(), source: source.to_owned(), pages, page_bytes_max: PAGE_BYTES_MAX })
    }

    /// What the sync read when it last wrote; nothing if it never did.
    pub(super) fn stored_source(&self) -> Option<&str> {
        self.pages.first().map(|page| page.source.as_str()).filter(|source| !source.is_empty())
    }

    /// Everything it claims.
    pub(super) fn members(&self) -> BTreeSet<Key> {
        self.pages.iter().flat_map(|page| &page.members).cloned().collect()
    }

    /// Makes sure that `claims` are stored; writes nothing if they are.
    pub(super) async fn add(&mut self, cluster: &impl Cluster, claims: &BTreeSet<Key>) -> Answer<()> {
        let plan = |inventory: &Inventory| {
            let held = inventory.members();
            inventory.with(claims.iter().filter(|key| !held.contains(*key)).cloned())
        };
        self.change(cluster, plan).await
    }

    /// Takes out what is gone; writes nothing if none of it is stored.
    pub(super) async fn remove(&mut self, cluster: &impl Cluster, gone: &BTreeSet<Key>) -> Answer<()> {
        let without = |page: &Page| {
            let members: Vec<Key> = page.members.iter().filter(|key| !gone.contains(*key)).cloned().collect();
            (members.len() != page.members.len()).then(|| Page { members, ..page.clone() })
        };
        self.change(cluster, |inventory| inventory.pages.iter().filter_map(without).collect()).await?;
        // only from the end, so that the numbers have no gaps
        while self.pages.len() > 1 && self.pages.last().is_some_and(|page| page.members.is_empty()) {
            let last = self.pages.pop().expect("more than one page");
            cluster.delete_page(&self.owner, &last).await?;
        }
        Ok(())
    }

    /// Writes the pages that `plan` gives; after a race it plans again on what is stored then.
    async fn change(&mut self, cluster: &impl Cluster, plan: impl Fn(&Inventory) -> Vec<Page>) -> Answer<()> {
        let mut races = 0;
        'again: loop {
            for mut page in plan(self) {
                if page.number == 0 {
                    page.source.clone_from(&self.source);
                }
                match cluster.write_page(&self.owner, &page).await {
                    Ok(stored) => {
                        page.stored = Some(stored);
                        let place = page.number as usize;
                        if place < self.pages.len() { self.pages[place] = page } else { self.pages.push(page) }
                    }
                    Err(fault) if fault.kind == FaultKind::Raced && races < RACES_MAX => {
                        races += 1;
                        self.pages = cluster.pages(&self.owner).await?;
                        continue 'again;
                    }
                    Err(fault) => return Err(fault),
                }
            }
            return Ok(());
        }
    }

    /// The pages that change when these are added: the last one, and new ones after it.
    fn with(&self, added: impl Iterator<Item = Key>) -> Vec<Page> {
        let mut changed: Vec<Page> = Vec::new();
        let mut open = self.pages.last().cloned().unwrap_or_default();
        let mut bytes: usize = open.members.iter().map(weight).sum();
        let mut dirty = false;
        for key in added {
            if bytes + weight(&key) > self.page_bytes_max && !open.members.is_empty() {
                let next = Page { number: open.number + 1, ..Page::default() };
                let full = std::mem::replace(&mut open, next);
                changed.extend(dirty.then_some(full));
                bytes = 0;
            }
            bytes += weight(&key);
            open.members.push(key);
            dirty = true;
        }
        changed.extend(dirty.then_some(open));
        changed
    }
}

/// Bytes that a member takes in a stored page, field names and quotes included.
fn weight(key: &Key) -> usize {
    60 + key.group.len() + key.kind.len() + key.namespace.len() + key.name.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fake::Fake;

    fn keys(range: std::ops::Range<u32>) -> BTreeSet<Key> {
        range.map(|number| Key::new("", "ConfigMap", "shop", &format!("c{number:04}"))).collect()
    }

    #[tokio::test]
    async fn pages_fill_and_empty_from_the_end() {
        let fake = Fake::default();
        let owner = Owner::new("system", "shop").expect("a fine identity");
        let mut inventory = Inventory::read(&fake, &owner, "src").await.expect("read");
        inventory.page_bytes_max = 800;
        inventory.add(&fake, &keys(0..25)).await.expect("stored");
        assert_eq!(inventory.pages.len(), 3);
        let writes = fake.world.lock().expect("free").writes.len();
        inventory.add(&fake, &keys(0..25)).await.expect("nothing to do");
        assert_eq!(fake.world.lock().expect("free").writes.len(), writes, "what is stored is not written again");
        let again = Inventory::read(&fake, &owner, "src").await.expect("read");
        assert_eq!(again.members(), keys(0..25));
        assert_eq!(again.stored_source(), Some("src"));
        inventory.remove(&fake, &keys(5..25)).await.expect("stored");
        assert_eq!(inventory.pages.len(), 1);
        assert_eq!(Inventory::read(&fake, &owner, "src").await.expect("read").members(), keys(0..5));
    }

    #[tokio::test]
    async fn a_race_is_resolved_from_what_is_stored() {
        let fake = Fake::default();
        let owner = Owner::new("system", "shop").expect("a fine identity");
        let mut one = Inventory::read(&fake, &owner, "src").await.expect("read");
        let mut two = Inventory::read(&fake, &owner, "src").await.expect("read");
        one.add(&fake, &keys(0..2)).await.expect("stored");
        two.add(&fake, &keys(1..4)).await.expect("stored after a second look");
        assert_eq!(two.members(), keys(0..4));
    }
}
