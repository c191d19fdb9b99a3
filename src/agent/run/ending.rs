//! The end of a sync: its finalizer, and what becomes of its objects.
//!
//! A sync whose objects are to go with it (`deletion-propagation-policy: Foreground`) has a finalizer, which is taken off once
//! its inventory is empty. All others leave their objects, marks and inventory as they are: a sync of the same name takes
//! them up again.

#![expect(clippy::disallowed_methods, reason = "a worker lives by the clock")]

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::fetch::told;
use super::own::Part;
use super::passes::PASS_WAIT;
use super::worker::{IDLE_PAUSE, RETRY_PAUSE, Worker};
use crate::agent::decide::Policy;
use crate::agent::report::{Event, Options, Rules};
use crate::agent::rsync::{DELETION_POLICY, Declared, FINALIZER, Spec};
use crate::agent::sync::pass;
use crate::cluster::{Cluster as _, FaultKind, Owner};
use crate::manifest::Set;

impl Worker {
    pub(super) async fn keep_finalizer(&mut self, spec: &Spec) {
        self.hurried |= !self.set_finalizer(spec.prune_on_delete).await;
    }

    /// Sets or takes off the finalizer; false where that is to be tried again.
    async fn set_finalizer(&mut self, on: bool) -> bool {
        let patch = |seen: &Declared| {
            let (own, mut finalizers): (Vec<&str>, Vec<&str>) =
                seen.metadata.finalizers.iter().map(String::as_str).partition(|finalizer| *finalizer == FINALIZER);
            if own.is_empty() != on {
                return None;
            }
            finalizers.extend(on.then_some(FINALIZER));
            Some(json!({"metadata": {"finalizers": finalizers}}))
        };
        match self.write(Part::Metadata, patch).await {
            Ok(()) => true,
            // somebody else keeps writing, or took it away: the watch brings the object anew
            Err(fault) if matches!(fault.kind, FaultKind::Raced | FaultKind::NotYet) => false,
            Err(fault) => {
                self.shared.warn(&self.label, &format!("cannot set the finalizer: {fault}"));
                false
            }
        }
    }

    /// Ends a sync: takes its objects away where that is asked for, then lets it go.
    pub(super) async fn finalize(&mut self, declared: &Declared) -> Instant {
        let later = Instant::now() + IDLE_PAUSE;
        if self.shared.settings.shadow || !declared.metadata.finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return later;
        }
        let wanted = declared.annotation(DELETION_POLICY) == "Foreground";
        match if wanted { self.prune_all().await } else { Ok(()) } {
            Ok(()) => {
                if self.set_finalizer(false).await {
                    self.shared.info(&self.label, "ended");
                    return later;
                }
                Instant::now() + RETRY_PAUSE
            }
            Err(why) => {
                self.report.finalizing = Some(why);
                self.publish().await;
                Instant::now() + RETRY_PAUSE * 2
            }
        }
    }

    async fn prune_all(&mut self) -> Result<(), String> {
        let owner = Owner::new(&self.id.namespace, &self.id.name).map_err(|fault| told(&fault))?;
        let policy = Policy { adopt: false, allow_empty: true, allow_no_namespaces: true };
        let confine = (!self.id.root).then(|| self.id.namespace.clone());
        let rules = Rules { confine, ..Rules::default() };
        let options =
            Options { any_source: true, policy, wait: PASS_WAIT, rules, ..Options::new(owner.clone(), String::new()) };
        let shared = Arc::clone(&self.shared);
        let _turn = shared.passes.acquire().await;
        if let Some(refusal) = self.held_off().await.map_err(|fault| fault.message)? {
            return Err(refusal.message);
        }
        let mut failed: Option<String> = None;
        let mut tell = |event: &Event| match event {
            Event::Failed(key, fault) => failed = Some(format!("`{key}` cannot be deleted: {fault}")),
            Event::Kept(key, why) => failed = Some(format!("`{key}` stays: {why}")),
            _ => {}
        };
        let passed = pass(&self.api(), &shared.clock, &options, &Set::default(), &mut tell)
            .await
            .map_err(|fault| told(&fault))?;
        let pages = shared.api.pages(&owner).await.map_err(|fault| fault.message)?;
        let left: usize = pages.iter().map(|page| page.members.len()).sum();
        if left > 0 || passed.lingering > 0 {
            return Err(failed.unwrap_or_else(|| format!("{left} objects are still to go")));
        }
        for page in pages.iter().rev() {
            shared.api.delete_page(&owner, page).await.map_err(|fault| fault.message)?;
        }
        Ok(())
    }
}
