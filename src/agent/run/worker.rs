//! One sync: when to look at the registry, what to apply, what to report.
//!
//! A worker takes one step at a time, and each step looks at what is due: a tag to resolve, a new digest to pull, all objects
//! to bring in, some to put right, some to try again, some to see whether they are ready. Whatever fails is reported,
//! and due again after a pause that grows. Between steps it waits for the first of these, or for news.

#![expect(clippy::disallowed_methods, reason = "a worker lives by the clock")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::drift::Drift;
use super::fetch::{Fetcher, Source, finding};
use super::handle::Handle;
use super::own::Part;
use super::{Shared, accounts};
use crate::agent::fights::Fights;
use crate::agent::knv;
use crate::agent::kstatus::readiness;
use crate::agent::rsync::{Auth, Declared, Finding, IMAGE_TO_SYNC, Refusal, Report, Spec, SyncId};
use crate::cluster::{Cluster as _, Fault, FaultKind, Key, Owner, Resource};

/// Pause before a second try; it doubles.
pub(super) const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Pause between looks at objects that are not ready.
pub(super) const LOOK_PAUSE: Duration = Duration::from_secs(2);
const LOOK_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Objects looked at in one step.
const LOOKS_MAX: usize = 100;
/// With nothing to do, a worker still wakes up so often.
pub(super) const IDLE_PAUSE: Duration = Duration::from_secs(600);

/// One sync at work.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) drift: Arc<Drift>,
    pub(super) handle: Arc<Handle>,
    pub(super) id: SyncId,
    pub(super) label: String,
    pub(super) fetcher: Fetcher,
    pub(super) report: Report,
    /// The sync as it stands in the cluster, as far as was seen.
    pub(super) seen: Declared,
    /// The sync as it was when last acted on.
    pub(super) acted: Option<Declared>,
    pub(super) source: Option<Source>,
    /// Objects that are not as wanted.
    pub(super) failed: BTreeMap<Key, Fault>,
    /// What is wrong with the pass as a whole.
    pub(super) whole: Option<Finding>,
    /// Why the last pass was not to be.
    pub(super) refused: Option<Refusal>,
    pub(super) fights: Fights,
    /// Objects whose status moved.
    pub(super) stirred: BTreeSet<Key>,
    pub(super) resources: BTreeSet<Resource>,
    /// Its account stands.
    pub(super) has_account: bool,
    /// Objects that were to go stayed at the last pass.
    pub(super) kept: bool,
    pub(super) full_due: bool,
    /// The sync itself could not be written: the next step must come soon.
    pub(super) hurried: bool,
    pub(super) next_poll: Instant,
    pub(super) next_full: Instant,
    pub(super) next_retry: Option<Instant>,
    pub(super) retry_pause: Duration,
    pub(super) next_look: Option<Instant>,
    pub(super) look_pause: Duration,
    pub(super) look_until: Instant,
}

/// Serves one sync until it is gone.
pub(super) async fn run(shared: Arc<Shared>, drift: Arc<Drift>, handle: Arc<Handle>) {
    let now = Instant::now();
    let id = handle.id.clone();
    let mut worker = Worker {
        label: id.label(),
        shared,
        drift,
        handle,
        id,
        fetcher: Fetcher::new(),
        report: Report::default(),
        seen: Declared::default(),
        acted: None,
        source: None,
        failed: BTreeMap::new(),
        whole: None,
        refused: None,
        fights: Fights::default(),
        stirred: BTreeSet::new(),
        resources: BTreeSet::new(),
        has_account: false,
        kept: false,
        full_due: true,
        hurried: false,
        next_poll: now,
        next_full: now,
        next_retry: None,
        retry_pause: RETRY_PAUSE,
        next_look: None,
        look_pause: LOOK_PAUSE,
        look_until: now,
    };
    while let Some(declared) = worker.handle.declared() {
        let handle = Arc::clone(&worker.handle);
        let due = worker.step(&declared).await;
        tokio::select! {
            () = tokio::time::sleep_until(due.into()) => {}
            () = handle.changed() => {}
        }
    }
}

impl Worker {
    /// Does what is due, and tells when the next thing is.
    async fn step(&mut self, declared: &Declared) -> Instant {
        let later = Instant::now() + IDLE_PAUSE;
        self.hurried = false;
        self.see(declared);
        if self.acted.as_ref().is_none_or(|acted| acted.differs(declared)) {
            self.acted = Some(declared.clone());
            self.full_due = true;
            self.next_poll = Instant::now();
            self.next_retry = None;
            self.retry_pause = RETRY_PAUSE;
            self.fetcher.forget();
            self.has_account = false;
        }
        self.report.generation = declared.metadata.generation;
        self.report.reconciler = self.id.identity().account;
        if declared.is_deleting() {
            return self.finalize(declared).await;
        }
        let spec = match self.admit(declared).await {
            Ok(spec) => spec,
            Err(refusal) => {
                self.report.stalled = Some(refusal);
                self.publish().await;
                return later;
            }
        };
        self.report.suspended = spec.suspended;
        self.report.passed_over.clone_from(&spec.passed_over);
        if spec.suspended {
            self.publish().await;
            return later;
        }
        self.poll(&spec).await;
        self.work(declared, &spec).await;
        self.look(&spec).await;
        self.publish().await;
        let due = self.due(&spec);
        if self.hurried { due.min(Instant::now() + RETRY_PAUSE) } else { due }
    }

    /// Reads the spec, and sees to what must stand before anything is done.
    async fn admit(&mut self, declared: &Declared) -> Result<Spec, Refusal> {
        let spec = Spec::read(declared)?;
        if !self.shared.settings.shadow {
            self.keep_finalizer(&spec).await;
        }
        let image = (&spec.image, &spec.dir);
        if (&self.report.image, &self.report.dir) != image {
            self.report.image.clone_from(&spec.image);
            self.report.dir.clone_from(&spec.dir);
            self.source = None;
        }
        self.report.stalled.clone_from(&self.refused);
        Ok(spec)
    }

    /// Resolves the tag if that is due, and pulls what is new.
    async fn poll(&mut self, spec: &Spec) {
        if Instant::now() < self.next_poll {
            return;
        }
        let shared = Arc::clone(&self.shared);
        if !self.has_account && !shared.settings.shadow {
            match accounts::ensure(&shared, spec).await {
                Ok(remark) => remark.iter().for_each(|why| shared.info(&self.label, why)),
                Err(fault) => {
                    self.next_poll = Instant::now() + spec.period;
                    return self.source_failed(finding(knv::code(&fault), format!("cannot make its account: {fault}")));
                }
            }
            self.has_account = true;
        }
        let resolved = self.fetcher.resolve(&shared, spec).await;
        self.next_poll = Instant::now() + spec.period;
        let digest = match resolved {
            Ok(digest) => digest,
            Err(finding) => {
                // its token may be wanting because its account was taken away
                self.has_account &= !matches!(spec.auth, Auth::Account | Auth::GcpAccount(_));
                return self.source_failed(finding);
            }
        };
        if self.source.as_ref().is_some_and(|source| source.digest == digest) {
            return self.report.source.errors.clear();
        }
        let pulled = {
            let _turn = shared.pulls.acquire().await;
            self.fetcher.pull(&shared, spec, digest).await
        };
        match pulled {
            Ok(source) => {
                if let Err(finding) = self.announce(spec, &source).await {
                    return self.source_failed(finding);
                }
                self.shared.info(&self.label, &format!("pulled {}@{digest}", spec.image));
                self.report.source.commit = digest.hex();
                self.report.source.errors.clear();
                self.source = Some(source);
                self.full_due = true;
                self.next_retry = None;
                self.retry_pause = RETRY_PAUSE;
            }
            Err(finding) => self.source_failed(finding),
        }
    }

    fn source_failed(&mut self, finding: Finding) {
        if self.report.source.errors.first() != Some(&finding) {
            self.shared.warn(&self.label, &format!("KNV{}: {}", finding.code, finding.message));
        }
        self.report.source.errors = vec![finding];
    }

    /// Says which image is about to be synced; an admission webhook may refuse it.
    async fn announce(&mut self, spec: &Spec, source: &Source) -> Result<(), Finding> {
        if self.shared.settings.shadow {
            return Ok(());
        }
        let image = spec.location.with_digest(source.digest).to_string();
        let patch = |seen: &Declared| {
            let patch = json!({"metadata": {"annotations": {IMAGE_TO_SYNC: image}}});
            (seen.annotation(IMAGE_TO_SYNC) != image).then_some(patch)
        };
        let announced = self.write(Part::Metadata, patch).await;
        announced.map_err(|fault| finding("2002", format!("`{image}` is not admitted: {fault}")))
    }

    /// Brings in all objects, or puts some right, as is due.
    async fn work(&mut self, declared: &Declared, spec: &Spec) {
        let now = Instant::now();
        let news = self.handle.take();
        if !news.stirred.is_empty() {
            self.stirred.extend(news.stirred);
            self.next_look = Some(self.next_look.map_or(now + LOOK_PAUSE, |next| next.min(now + LOOK_PAUSE)));
            self.look_pause = LOOK_PAUSE;
            self.look_until = self.look_until.max(now + LOOK_PAUSE * 2);
        }
        if self.source.is_none() {
            return;
        }
        let retry_due = self.next_retry.is_none_or(|next| now >= next);
        if now >= self.next_full {
            self.full_due = true;
        }
        if self.full_due && retry_due {
            return self.pass_all(declared, spec).await;
        }
        let mut keys = self.fights.admit(news.drifted, now);
        if retry_due {
            keys.extend(self.failed.keys().cloned());
        } else if news.kinds {
            let unknown = self.failed.iter().filter(|(_, fault)| fault.kind == FaultKind::UnknownKind);
            keys.extend(unknown.map(|(key, _)| key.clone()));
        }
        if !keys.is_empty() {
            self.pass_some(spec, keys).await;
        }
    }

    /// Looks at objects that are not ready yet, and at those whose status moved.
    async fn look(&mut self, spec: &Spec) {
        let now = Instant::now();
        if self.next_look.is_none_or(|next| now < next) {
            return;
        }
        let mut keys: BTreeSet<Key> = self.handle.unready().into_iter().map(|(key, _)| key).collect();
        keys.extend(std::mem::take(&mut self.stirred));
        let api = self.api();
        for key in keys.into_iter().take(LOOKS_MAX) {
            let Some(resource) =
                self.resources.iter().find(|resource| resource.group == key.group && resource.kind == key.kind)
            else {
                continue;
            };
            if let Ok(Some(live)) = api.get(resource, &key).await {
                let readiness = readiness(&key.group, &key.kind, &live.body);
                self.handle.note_readiness(&key, readiness);
            }
        }
        let waiting = self.note_unready() > 0 && now < self.look_until;
        self.next_look = waiting.then(|| now + self.look_pause);
        self.look_pause = (self.look_pause * 3 / 2).min(LOOK_PAUSE_MAX);
        if spec.object_status && !self.shared.settings.shadow {
            self.write_object_status(spec).await;
        }
    }

    pub(super) fn note_unready(&mut self) -> usize {
        let unready = self.handle.unready().len();
        self.report.unready = unready;
        self.shared.board.note(&self.id, |row| row.unready = unready);
        unready
    }

    async fn write_object_status(&self, spec: &Spec) {
        let Ok(owner) = Owner::new(&spec.id.namespace, &spec.id.name) else { return };
        let readiness = self.handle.readiness();
        let failed: BTreeSet<&Key> = self.failed.keys().collect();
        let state = |key: &Key| match readiness.get(key) {
            Some(readiness) => readiness.word(),
            None if failed.contains(key) => "Failed",
            None => "Unknown",
        };
        if let Err(fault) = self.shared.api.write_states(&owner, &self.report.source.commit, &state).await
            && fault.kind != FaultKind::Raced
        {
            self.shared.warn(&self.label, &format!("cannot write the inventory's status: {fault}"));
        }
    }

    /// Writes the status where it changed, and notes how the sync stands.
    pub(super) async fn publish(&mut self) {
        let report = self.report.clone();
        self.shared.board.note(&self.id, |row| row.report.clone_from(&report));
        if self.shared.settings.shadow {
            return;
        }
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let patch = |seen: &Declared| report.status_over(&seen.status, &now).map(|status| json!({"status": status}));
        match self.write(Part::Status, patch).await {
            Err(fault) if fault.kind == FaultKind::Raced => self.hurried = true,
            Err(fault) if fault.kind != FaultKind::NotYet => {
                self.shared.warn(&self.label, &format!("cannot write the status: {fault}"));
            }
            _ => {}
        }
    }

    /// When the next thing is due.
    fn due(&self, spec: &Spec) -> Instant {
        let now = Instant::now();
        let poll = match spec.location.version() {
            // a digest names the same for ever
            crate::oci::Version::Digest(_) if self.report.source.errors.is_empty() && self.source.is_some() => {
                now + IDLE_PAUSE
            }
            _ => self.next_poll,
        };
        let pending = self.full_due || !self.failed.is_empty();
        let retry = self.next_retry.filter(|_| pending && self.source.is_some());
        [Some(poll), Some(self.next_full.max(now + RETRY_PAUSE)), retry, self.next_look, self.fights.due()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + IDLE_PAUSE)
    }
}
