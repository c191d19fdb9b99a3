//! The passes of a worker: all objects, or some, brought in under the sync's own account.

#![expect(clippy::disallowed_methods, reason = "a worker lives by the clock")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fetch::{finding, told};
use super::worker::{LOOK_PAUSE, RETRY_PAUSE, Worker};
use super::{accounts, events};
use crate::agent::decide::Policy;
use crate::agent::knv;
use crate::agent::report::{Event, Options, Passed, Rules, Summary};
use crate::agent::rsync::{Declared, Finding, Refusal, Spec, Status};
use crate::agent::sync::pass;
use crate::cluster::{Actor, Api, Fault, FaultKind, Key, Owner};
use crate::manifest::Set;

/// The longest pause before a try.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);
/// All objects are looked at at least so often.
const FULL_PAUSE: Duration = Duration::from_secs(3600);
/// The same for a shadow, which hears of no drift.
const SHADOW_PAUSE: Duration = Duration::from_secs(300);
/// How long one pass waits for kinds to appear and deletes to end; the rest is tried again later.
pub(super) const PASS_WAIT: Duration = Duration::from_secs(2);
/// Changes that the log names one by one; more are counted.
const LOGGED_MAX: usize = 50;

impl Worker {
    pub(super) async fn pass_all(&mut self, declared: &Declared, spec: &Spec) {
        if self.report.synced != self.report.source.commit {
            self.report.syncing = true;
            self.publish().await;
        }
        let begun = Instant::now();
        let before = self.report.status();
        let done = self.try_pass_all(spec).await;
        self.report.syncing = false;
        match done {
            Ok((passed, failed)) => {
                let shadow = self.shared.settings.shadow;
                self.next_full = Instant::now() + if shadow { SHADOW_PAUSE } else { FULL_PAUSE };
                self.whole = passed.held_back.as_ref().map(|why| {
                    let digest = &self.report.source.commit;
                    let text = format!("{why}; nothing was pruned. Set the annotation `hydrant.dev/confirm-prune: {digest}` if that is meant");
                    finding("2006", text)
                });
                self.full_due = passed.lingering > 0;
                self.kept = passed.kept > 0;
                self.resources.clone_from(&passed.resources);
                self.drift.watch(&passed.resources);
                self.has_account &= failed.values().all(|fault| fault.kind != FaultKind::Forbidden);
                self.failed = failed;
                self.count(&passed.summary, begun.elapsed());
                // a shadow answers for nothing
                self.handle.hold(if shadow { BTreeMap::new() } else { passed.held });
                self.note_unready();
                self.look_until = Instant::now() + spec.reconcile_timeout;
                self.look_pause = LOOK_PAUSE;
                self.next_look = Some(Instant::now() + LOOK_PAUSE);
            }
            Err(Trouble::Rendering(finding)) => self.report.rendering.errors = vec![finding],
            Err(Trouble::Refused(refusal)) => self.report.stalled = Some(refusal),
            Err(Trouble::Whole(finding)) => self.whole = Some(finding),
            Err(Trouble::Objects(failed)) => self.failed = failed,
        }
        self.settle();
        let after = self.report.status();
        if after != before && matches!(after, Status::Error | Status::Synced) {
            let first = self.report.errors().next();
            let text = first.map_or_else(
                || format!("synced {}", self.report.source.commit),
                |error| format!("KNV{}: {}", error.code, error.message),
            );
            if !self.shared.settings.shadow {
                events::put(&self.shared, declared, first.is_some(), after.word(), &text).await;
            }
        }
    }

    /// What is wrong now, and when it is tried again.
    fn settle(&mut self) {
        self.report.sync.errors = self.whole.iter().cloned().collect();
        let failed = self.failed.iter().map(|(key, fault)| knv::finding(key, fault));
        self.report.sync.errors.extend(failed);
        self.report.sync.errors.extend(self.fights.findings());
        let clean = self.report.errors().next().is_none() && self.report.stalled.is_none();
        if clean && !self.full_due {
            self.report.synced.clone_from(&self.report.source.commit);
            self.next_retry = None;
            self.retry_pause = RETRY_PAUSE;
            let now = jiff::Timestamp::now().as_second();
            self.shared.board.note(&self.id, |row| row.last_sync = now);
        } else {
            self.next_retry = Some(Instant::now() + self.retry_pause);
            self.retry_pause = (self.retry_pause * 2).min(RETRY_PAUSE_MAX);
        }
    }

    async fn try_pass_all(&mut self, spec: &Spec) -> Result<(Passed, BTreeMap<Key, Fault>), Trouble> {
        let shared = Arc::clone(&self.shared);
        let _turn = shared.passes.acquire().await;
        let cannot = |fault: Fault| Trouble::Whole(finding(knv::code(&fault), fault.message));
        self.refused = self.held_off().await.map_err(cannot)?;
        if let Some(refusal) = self.refused.clone() {
            return Err(Trouble::Refused(refusal));
        }
        let source = self.source.as_mut().expect("looked at before");
        let (set, rendered) = self.fetcher.read(&shared, spec, source).await.map_err(Trouble::Rendering)?;
        self.report.rendered = rendered;
        self.report.rendering.errors.clear();
        self.report.rendering.commit.clone_from(&self.report.source.commit);
        self.report.sync.commit.clone_from(&self.report.source.commit);
        let declared = set.objects.len();
        shared.board.note(&self.id, |row| row.declared = declared);
        let options = self.options(spec, None).map_err(Trouble::Whole)?;
        if spec.all_or_nothing && !shared.settings.shadow {
            self.rehearse(spec, &options, &set).await?;
        }
        self.pass(spec, &options, &set).await.map_err(Trouble::Whole)
    }

    /// Why nothing may be written now, if that is so.
    pub(super) async fn held_off(&self) -> Result<Option<Refusal>, Fault> {
        if self.shared.settings.shadow {
            return Ok(None);
        }
        accounts::config_sync_runs(&self.shared, &self.id).await
    }

    /// Asks the server about all objects; fails if it refuses one.
    async fn rehearse(&mut self, spec: &Spec, options: &Options, set: &Set) -> Result<(), Trouble> {
        let options = Options { dry_run: true, ..options.clone() };
        let (_, mut failed) = self.pass(spec, &options, set).await.map_err(Trouble::Whole)?;
        failed.retain(|_, fault| !matches!(fault.kind, FaultKind::NotYet | FaultKind::UnknownKind));
        if failed.is_empty() { Ok(()) } else { Err(Trouble::Objects(failed)) }
    }

    /// Brings some objects in, and prunes nothing.
    pub(super) async fn pass_some(&mut self, spec: &Spec, keys: BTreeSet<Key>) {
        let shared = Arc::clone(&self.shared);
        let _turn = shared.passes.acquire().await;
        if !matches!(self.held_off().await, Ok(None)) {
            // the next full pass tells
            self.full_due = true;
            return self.settle();
        }
        let Some(source) = self.source.as_mut() else { return };
        let done = match self.fetcher.read(&shared, spec, source).await {
            Ok((set, _)) => match self.options(spec, Some(keys.clone())) {
                Ok(options) => self.pass(spec, &options, &set).await,
                Err(finding) => Err(finding),
            },
            Err(finding) => Err(finding),
        };
        match done {
            Ok((passed, failed)) => {
                self.failed.retain(|key, _| !keys.contains(key));
                self.failed.extend(failed);
                // what stayed because others failed may go now
                self.full_due |= self.kept && self.failed.is_empty();
                self.resources.extend(passed.resources.iter().cloned());
                self.drift.watch(&passed.resources);
                self.fights.corrected(&passed.held, &keys, Instant::now());
                self.count(&passed.summary, Duration::ZERO);
                self.handle.hold_some(&keys, passed.held);
                self.note_unready();
                self.next_look = Some(Instant::now() + LOOK_PAUSE);
                self.look_until = self.look_until.max(Instant::now() + LOOK_PAUSE * 2);
            }
            // the next full pass tells
            Err(finding) => {
                self.whole = Some(finding);
                self.full_due = true;
            }
        }
        self.settle();
    }

    fn options(&self, spec: &Spec, only: Option<BTreeSet<Key>>) -> Result<Options, Finding> {
        let shared = &self.shared;
        let confirmed = !spec.confirmed.is_empty() && spec.confirmed == self.report.source.commit;
        let mut owner = Owner::new(&self.id.namespace, &self.id.name).map_err(|fault| finding("1061", told(&fault)))?;
        // a shadow shows what would be once Config Sync has left
        if spec.takeover || shared.settings.shadow {
            owner = owner.after(self.id.former_set());
        }
        let rules = Rules {
            confine: (!self.id.root).then(|| self.id.namespace.clone()),
            explicit_namespaces: !spec.implicit_namespaces,
            strict_metadata: true,
            keep_claims: !confirmed,
            cluster_name: shared.settings.cluster_name.clone(),
            prune_limit: (!confirmed).then_some(spec.prune_limit),
            only,
        };
        let policy = Policy { adopt: true, allow_empty: confirmed, allow_no_namespaces: confirmed };
        let base = Options::new(owner, spec.location.without_tag().to_string());
        Ok(Options { any_source: true, policy, wait: PASS_WAIT, dry_run: shared.settings.shadow, rules, ..base })
    }

    /// The server as this sync's account sees it.
    pub(super) fn api(&self) -> Api {
        let user = self.id.identity().user();
        self.shared.api.acting_as(Actor { user, confined: !self.id.root })
    }

    async fn pass(&self, spec: &Spec, options: &Options, set: &Set) -> Result<(Passed, BTreeMap<Key, Fault>), Finding> {
        let mut failed = BTreeMap::new();
        let mut lines: Vec<String> = Vec::new();
        let mut tell = |event: &Event| {
            if let Event::Failed(key, fault) = event {
                failed.insert(key.clone(), fault.clone());
            }
            // what fails as it did before was told then
            let known = matches!(event, Event::Failed(key, fault) if self.failed.get(key) == Some(fault));
            lines.extend(line(event).filter(|_| lines.len() <= LOGGED_MAX && !known));
        };
        let done = pass(&self.api(), &self.shared.clock, options, set, &mut tell).await;
        if options.rules.only.is_none() && self.shared.settings.shadow {
            self.shared.board.note(&self.id, |row| row.would.clone_from(&lines));
        }
        let dry = if options.dry_run { "would have " } else { "" };
        for line in lines.iter().take(LOGGED_MAX) {
            self.shared.info(&self.label, &format!("{dry}{line}"));
        }
        let passed = done.map_err(|fault| finding(knv::code_of(fault.code), told(&fault)))?;
        let Summary { created, configured, unchanged, pruned, .. } = passed.summary;
        if created + configured + pruned > 0 || options.rules.only.is_none() {
            let text = format!(
                "{created} created, {configured} configured, {unchanged} unchanged, {pruned} pruned, {} failed",
                failed.len()
            );
            self.shared.info(&self.label, &format!("{text} of {}", spec.image));
        }
        Ok((passed, failed))
    }

    fn count(&self, summary: &Summary, time: Duration) {
        let (failed, held, conflicts) = (
            self.failed.len() as u64,
            self.handle.held(),
            self.failed.values().filter(|fault| fault.kind == FaultKind::Conflict).count() as u64,
        );
        let fights = self.fights.findings().count() as u64;
        self.shared.board.note(&self.id, |row| {
            row.applied += (summary.created + summary.configured) as u64;
            row.apply_errors += failed;
            row.conflicts = conflicts;
            row.fights += fights;
            row.passes += 1;
            row.pass_seconds += time.as_secs_f64();
            row.inventory = held;
        });
    }
}

/// Why a pass over all objects was not finished.
enum Trouble {
    /// The artifact cannot be read.
    Rendering(Finding),
    /// The sync is not to be carried out.
    Refused(Refusal),
    /// The pass as a whole failed.
    Whole(Finding),
    /// The server refuses these, and nothing was applied.
    Objects(BTreeMap<Key, Fault>),
}

/// What the log says of an event.
fn line(event: &Event) -> Option<String> {
    match event {
        Event::Created(key) => Some(format!("created {key}")),
        Event::Configured(key) => Some(format!("configured {key}")),
        Event::Pruned(key) => Some(format!("pruned {key}")),
        Event::Released(key) => Some(format!("released {key}")),
        Event::Kept(key, why) => Some(format!("kept {key}: {why}")),
        Event::Failed(key, fault) => Some(format!("failed {key}: {fault}")),
        Event::Deleting(_) | Event::Waiting(..) => None,
    }
}
