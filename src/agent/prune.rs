//! The second half of a pass: lets go of what the inventory claims and nobody wants any more.
//!
//! An entry leaves the inventory only once its object is known to be gone, or not to be ours. What was asked to go and
//! lingers is looked at again until the time is over, and stays in the inventory for the next pass.

use std::collections::BTreeSet;
use std::time::Duration;

use super::decide::{Fate, decide};
use super::report::Event;
use super::sync::{ATTEMPTS_MAX, Pass, ROUND_PAUSE, ROUND_PAUSE_MAX};
use crate::cluster::{Cluster, Deleted, FaultKind, Key};
use crate::diag::Result;

/// What an object of the rest has come to.
enum Met {
    /// It is gone, or no longer ours: its entry goes.
    Gone,
    /// It is worth another look.
    Open,
    /// It stays, with its entry.
    Stays,
    /// The server did not let it go; it stays, and a later pass tries again.
    Refused,
}

impl<C: Cluster> Pass<'_, C> {
    /// Lets go of what is not wanted any more.
    pub(super) async fn prune(&mut self, deadline: Duration) -> Result<()> {
        let mut gone: BTreeSet<Key> = BTreeSet::new();
        let mut stays: BTreeSet<Key> = BTreeSet::new();
        let mut begun: BTreeSet<Key> = BTreeSet::new();
        let mut refused = 0;
        let mut pause = ROUND_PAUSE;
        if self.is_too_much() {
            return Ok(());
        }
        loop {
            let mut rest = self.with_outlook(decide).rest;
            rest.retain(|(key, _)| !gone.contains(key) && !stays.contains(key));
            let mut open = Vec::new();
            let needed = self.needed(&rest);
            for (key, fate) in rest {
                if matches!(fate, Fate::Delete(_)) && needed.contains(&key) {
                    open.push(key);
                    continue;
                }
                match self.meet(&key, fate, &mut begun).await? {
                    Met::Gone => drop(gone.insert(key)),
                    Met::Open => open.push(key),
                    Met::Stays => drop(stays.insert(key)),
                    Met::Refused => {
                        refused += 1;
                        stays.insert(key);
                    }
                }
            }
            if !self.options.dry_run {
                let stored = self.inventory.remove(self.cluster, &gone).await;
                stored.map_err(|fault| Box::new(fault.diagnostic("store the inventory")))?;
            }
            if open.is_empty() || self.clock.now() >= deadline || self.options.dry_run {
                self.lingering = open.len() + refused;
                for key in open {
                    let late = || Event::Kept(key.clone(), "it could not be deleted in time".to_owned());
                    let event = if begun.contains(&key) { Event::Deleting(key) } else { late() };
                    self.tell(&event);
                }
                return Ok(());
            }
            self.clock.pause(pause.min(deadline.saturating_sub(self.clock.now()))).await;
            pause = (pause * 3 / 2).min(ROUND_PAUSE_MAX);
            for key in open {
                self.observer_again(None, &key).await?;
            }
        }
    }

    /// What others that go as well depend on, and are still there. Nothing where that would hold up everything: a circle.
    fn needed(&self, rest: &[(Key, Fate)]) -> BTreeSet<Key> {
        let going = || rest.iter().filter(|(_, fate)| matches!(fate, Fate::Delete(_) | Fate::Await));
        let facts = going().filter_map(|(key, _)| self.view.facts.get(key));
        let needed: BTreeSet<Key> = facts.flat_map(|facts| &facts.depends).cloned().collect();
        let circle = going().all(|(key, _)| needed.contains(key));
        if circle || self.options.dry_run { BTreeSet::new() } else { needed }
    }

    /// True, and told, if a pass would prune more than it may.
    fn is_too_much(&mut self) -> bool {
        let Some(limit) = self.options.rules.prune_limit else { return false };
        let plan = self.with_outlook(decide);
        let deletes = plan.rest.iter().filter(|(_, fate)| matches!(fate, Fate::Delete(_))).count();
        let held = self.inventory.members().len();
        if deletes <= limit.of(held) {
            return false;
        }
        self.held_back = Some(format!("{deletes} of {held} objects would be pruned, and {} may be", limit.of(held)));
        true
    }

    /// True unless a CRD provably has no objects. In a dry run nothing is gone yet, so nothing is proved.
    async fn has_instances(&self, key: &Key) -> Result<bool> {
        match self.cluster.has_instances(key).await {
            Ok(has) => Ok(has && !self.options.dry_run),
            Err(fault) if fault.kind == FaultKind::Unreachable => {
                Err(Box::new(fault.diagnostic(&format!("prune `{key}`"))))
            }
            Err(_) => Ok(true),
        }
    }

    /// Does to one object what was decided.
    async fn meet(&mut self, key: &Key, fate: Fate, begun: &mut BTreeSet<Key>) -> Result<Met> {
        let resource = self.view.resource(key).cloned();
        let dry_run = self.options.dry_run;
        let (answer, event) = match (fate, resource) {
            (Fate::Forget(None), _) => {
                if begun.contains(key) {
                    self.tell(&Event::Pruned(key.clone()));
                }
                return Ok(Met::Gone);
            }
            (Fate::Forget(Some(reason)), _) => {
                self.tell(&Event::Kept(key.clone(), reason));
                return Ok(Met::Gone);
            }
            (Fate::Keep(reason), _) => {
                self.tell(&Event::Kept(key.clone(), reason));
                return Ok(Met::Stays);
            }
            (Fate::Await, _) | (_, None) => {
                begun.insert(key.clone());
                return Ok(Met::Open);
            }
            (Fate::Release(seen), Some(resource)) => {
                let answer = self.cluster.release(&resource, key, &seen, dry_run).await;
                (answer.map(|()| Deleted::Gone), Event::Released(key.clone()))
            }
            (Fate::Delete(_), Some(_)) if key.is_crd() && self.has_instances(key).await? => {
                // those of ours may still be on their way out
                if !begun.is_empty() {
                    return Ok(Met::Open);
                }
                self.tell(&Event::Kept(
                    key.clone(),
                    "objects of its kind exist, and would be deleted with it".to_owned(),
                ));
                return Ok(Met::Stays);
            }
            (Fate::Delete(seen), Some(resource)) => {
                (self.cluster.delete(&resource, key, &seen, dry_run).await, Event::Pruned(key.clone()))
            }
        };
        match answer {
            Ok(Deleted::Gone) => {
                self.view.facts.remove(key);
                self.tell(&event);
                Ok(Met::Gone)
            }
            Ok(Deleted::Begun) if dry_run => {
                self.tell(&event);
                Ok(Met::Gone)
            }
            Ok(Deleted::Begun) => {
                begun.insert(key.clone());
                Ok(Met::Open)
            }
            Err(fault) if fault.kind == FaultKind::Unreachable => {
                Err(Box::new(fault.diagnostic(&format!("prune `{key}`"))))
            }
            Err(fault) => {
                let attempts = self.attempts.entry(key.clone()).or_default();
                *attempts += 1;
                if *attempts <= ATTEMPTS_MAX
                    && matches!(fault.kind, FaultKind::Raced | FaultKind::ServerError | FaultKind::NotYet)
                {
                    return Ok(Met::Open);
                }
                self.tell(&Event::Failed(key.clone(), fault));
                Ok(Met::Refused)
            }
        }
    }
}
