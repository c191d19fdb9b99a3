//! One sync: when to look at the registry, what to apply, what to report.
//!
//! A worker takes one step at a time, and each step looks at what is due: a tag to resolve, a new digest to pull, all objects
//! to bring in, some to put right, some to try again, some to see whether they are ready. Whatever fails is reported,
//! and due again after a pause that grows. Between steps it waits for the first of these, or for news.

#![expect(clippy::disallowed_methods, reason = "a worker lives by the clock")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::drift::Drift;
use super::fetch::{Fetcher, Source, finding, told};
use super::handle::Handle;
use super::{Shared, accounts, events};
use crate::agent::decide::Policy;
use crate::agent::fights::Fights;
use crate::agent::knv;
use crate::agent::report::{Event, Options, Passed, Rules, Summary};
use crate::agent::rsync::{Declared, FINALIZER, Finding, IMAGE_TO_SYNC, Refusal, Report, Spec, Status, SyncId};
use crate::agent::sync::pass;
use crate::cluster::{Actor, Api, Fault, FaultKind, Key, Owner, Resource};
use crate::manifest::Set;

/// Pause before a second try; it doubles.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);
/// All objects are looked at at least so often.
const FULL_PAUSE: Duration = Duration::from_secs(3600);
/// How long one pass waits for kinds to appear and deletes to end; the rest is tried again later.
const PASS_WAIT: Duration = Duration::from_secs(2);
/// Pause between looks at objects that are not ready.
const LOOK_PAUSE: Duration = Duration::from_secs(2);
const LOOK_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Objects looked at in one step.
const LOOKS_MAX: usize = 100;
/// Changes that the log names one by one; more are counted.
const LOGGED_MAX: usize = 50;
/// With nothing to do, a worker still wakes up so often.
const IDLE_PAUSE: Duration = Duration::from_secs(600);

/// One sync at work.
pub(super) struct Worker {
    shared: Arc<Shared>,
    drift: Arc<Drift>,
    handle: Arc<Handle>,
    id: SyncId,
    label: String,
    fetcher: Fetcher,
    report: Report,
    /// The status as it stands in the cluster.
    standing: Value,
    /// The sync as it was when last acted on.
    acted: Option<Declared>,
    source: Option<Source>,
    /// Objects that are not as wanted.
    failed: BTreeMap<Key, Fault>,
    /// What is wrong with the pass as a whole.
    whole: Option<Finding>,
    fights: Fights,
    /// Objects whose status moved.
    stirred: BTreeSet<Key>,
    resources: BTreeSet<Resource>,
    full_due: bool,
    next_poll: Instant,
    next_full: Instant,
    next_retry: Option<Instant>,
    retry_pause: Duration,
    next_look: Option<Instant>,
    look_pause: Duration,
    look_until: Instant,
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
        standing: Value::Null,
        acted: None,
        source: None,
        failed: BTreeMap::new(),
        whole: None,
        fights: Fights::default(),
        stirred: BTreeSet::new(),
        resources: BTreeSet::new(),
        full_due: true,
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
        if self.acted.as_ref().is_none_or(|acted| acted.differs(declared)) {
            if self.acted.is_none() {
                self.standing = declared.status.clone();
            }
            self.acted = Some(declared.clone());
            self.full_due = true;
            self.next_poll = Instant::now();
            self.next_retry = None;
            self.retry_pause = RETRY_PAUSE;
            self.fetcher.forget();
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
                self.publish(declared).await;
                return later;
            }
        };
        self.report.suspended = spec.suspended;
        if spec.suspended {
            self.publish(declared).await;
            return later;
        }
        self.poll(declared, &spec).await;
        self.work(declared, &spec).await;
        self.look(&spec).await;
        self.publish(declared).await;
        self.due(&spec)
    }

    /// Reads the spec, and sees to what must stand before anything is done.
    async fn admit(&mut self, declared: &Declared) -> Result<Spec, Refusal> {
        let spec = Spec::read(declared)?;
        if !self.shared.settings.shadow {
            self.keep_finalizer(declared, &spec).await;
        }
        let image = (&spec.image, &spec.dir);
        if (&self.report.image, &self.report.dir) != image {
            self.report.image.clone_from(&spec.image);
            self.report.dir.clone_from(&spec.dir);
            self.source = None;
        }
        self.report.stalled = None;
        Ok(spec)
    }

    async fn keep_finalizer(&self, declared: &Declared, spec: &Spec) {
        let metadata = &declared.metadata;
        let has = metadata.finalizers.iter().any(|finalizer| finalizer == FINALIZER);
        if has != spec.prune_on_delete {
            self.set_finalizer(declared, spec.prune_on_delete).await;
        }
    }

    async fn set_finalizer(&self, declared: &Declared, on: bool) {
        let metadata = &declared.metadata;
        let mut finalizers: Vec<&str> =
            metadata.finalizers.iter().map(String::as_str).filter(|finalizer| *finalizer != FINALIZER).collect();
        if on {
            finalizers.push(FINALIZER);
        }
        let patch = json!({"metadata": {"resourceVersion": metadata.resource_version, "finalizers": finalizers}});
        // where somebody else wrote at the same time, the watch brings the object anew
        if let Err(fault) = self.shared.api.merge(&self.id.path(), &self.id.name, &patch).await
            && fault.kind != FaultKind::Raced
        {
            self.shared.warn(&self.label, &format!("cannot set the finalizer: {fault}"));
        }
    }

    /// Resolves the tag if that is due, and pulls what is new.
    async fn poll(&mut self, declared: &Declared, spec: &Spec) {
        if Instant::now() < self.next_poll {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let resolved = self.fetcher.resolve(&shared, spec).await;
        self.next_poll = Instant::now() + spec.period;
        let digest = match resolved {
            Ok(digest) => digest,
            Err(finding) => return self.report.source.errors = vec![finding],
        };
        if self.source.as_ref().is_some_and(|source| source.digest == digest) {
            return self.report.source.errors.clear();
        }
        let pulled = {
            let _turn = shared.passes.acquire().await;
            self.fetcher.pull(&shared, spec, digest).await
        };
        match pulled {
            Ok(source) => {
                if let Err(finding) = self.announce(declared, spec, &source).await {
                    return self.report.source.errors = vec![finding];
                }
                self.shared.info(&self.label, &format!("pulled {}@{digest}", spec.image));
                self.report.source.commit = digest.hex();
                self.report.source.errors.clear();
                self.source = Some(source);
                self.full_due = true;
                self.next_retry = None;
                self.retry_pause = RETRY_PAUSE;
            }
            Err(finding) => self.report.source.errors = vec![finding],
        }
    }

    /// Says which image is about to be synced; an admission webhook may refuse it.
    async fn announce(&self, declared: &Declared, spec: &Spec, source: &Source) -> Result<(), Finding> {
        let image = spec.location.with_digest(source.digest).to_string();
        if self.shared.settings.shadow || declared.annotation(IMAGE_TO_SYNC) == image {
            return Ok(());
        }
        let patch = json!({"metadata": {"annotations": {IMAGE_TO_SYNC: image}}});
        let announced = self.shared.api.merge(&self.id.path(), &self.id.name, &patch).await;
        announced.map(drop).map_err(|fault| finding("2002", format!("`{image}` is not admitted: {fault}")))
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

    async fn pass_all(&mut self, declared: &Declared, spec: &Spec) {
        if self.report.synced != self.report.source.commit {
            self.report.syncing = true;
            self.publish(declared).await;
        }
        let begun = Instant::now();
        let before = self.report.status();
        let done = self.try_pass_all(spec).await;
        self.report.syncing = false;
        match done {
            Ok((passed, failed)) => {
                self.next_full = Instant::now() + FULL_PAUSE;
                self.whole = passed.held_back.as_ref().map(|why| {
                    let digest = &self.report.source.commit;
                    let text = format!("{why}; nothing was pruned. Set the annotation `hydrant.dev/confirm-prune: {digest}` if that is meant");
                    finding("2006", text)
                });
                self.full_due = passed.lingering > 0;
                self.resources.clone_from(&passed.resources);
                self.drift.watch(&passed.resources);
                self.failed = failed;
                self.count(&passed.summary, begun.elapsed());
                self.handle.hold(passed.held);
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
            let text = first.map_or_else(|| format!("synced {}", self.report.source.commit), |error| format!("KNV{}: {}", error.code, error.message));
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
        if !shared.settings.shadow {
            if accounts::config_sync_runs(&shared, spec).await.map_err(cannot)? {
                return Err(Trouble::Refused(Refusal {
                    reason: "ConfigSyncRuns",
                    message: format!(
                        "Config Sync's reconciler `{}` runs; Hydrant writes nothing until it is gone",
                        spec.id.identity().account
                    ),
                }));
            }
            if let Some(why) = accounts::ensure(&shared, spec).await.map_err(cannot)? {
                shared.info(&self.label, &why);
            }
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

    /// Asks the server about all objects; fails if it refuses one.
    async fn rehearse(&mut self, spec: &Spec, options: &Options, set: &Set) -> Result<(), Trouble> {
        let options = Options { dry_run: true, ..options.clone() };
        let (_, mut failed) = self.pass(spec, &options, set).await.map_err(Trouble::Whole)?;
        failed.retain(|_, fault| !matches!(fault.kind, FaultKind::NotYet | FaultKind::UnknownKind));
        if failed.is_empty() { Ok(()) } else { Err(Trouble::Objects(failed)) }
    }

    /// Brings some objects in, and prunes nothing.
    async fn pass_some(&mut self, spec: &Spec, keys: BTreeSet<Key>) {
        let shared = Arc::clone(&self.shared);
        let _turn = shared.passes.acquire().await;
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
                self.resources.extend(passed.resources.iter().cloned());
                self.drift.watch(&passed.resources);
                self.fights.corrected(&passed.held, &keys, Instant::now());
                self.count(&passed.summary, Duration::ZERO);
                self.handle.hold_some(&keys, passed.held);
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
        if spec.takeover {
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
    fn api(&self) -> Api {
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
            lines.extend(line(event).filter(|_| lines.len() <= LOGGED_MAX));
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
        if created + configured + pruned + failed.len() > 0 || options.rules.only.is_none() {
            let text = format!("{created} created, {configured} configured, {unchanged} unchanged, {pruned} pruned, {} failed", failed.len());
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
            let Some(resource) = self.resources.iter().find(|resource| resource.group == key.group && resource.kind == key.kind) else {
                continue;
            };
            use crate::cluster::Cluster as _;
            if let Ok(Some(live)) = api.get(resource, &key).await {
                let readiness = crate::agent::kstatus::readiness(&key.group, &key.kind, &live.body);
                self.handle.note_readiness(&key, readiness);
            }
        }
        let unready = self.handle.unready().len();
        self.report.unready = unready;
        self.shared.board.note(&self.id, |row| row.unready = unready);
        let waiting = unready > 0 && now < self.look_until;
        self.next_look = waiting.then(|| now + self.look_pause);
        self.look_pause = (self.look_pause * 3 / 2).min(LOOK_PAUSE_MAX);
        if spec.object_status && !self.shared.settings.shadow {
            self.write_object_status(spec).await;
        }
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
        if let Err(fault) = self.shared.api.write_states(&owner, &self.report.source.commit, &state).await {
            self.shared.warn(&self.label, &format!("cannot write the inventory's status: {fault}"));
        }
    }

    /// Ends a sync: takes its objects away where that is asked for, then lets it go.
    async fn finalize(&mut self, declared: &Declared) -> Instant {
        let later = Instant::now() + IDLE_PAUSE;
        if self.shared.settings.shadow || !declared.metadata.finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return later;
        }
        let wanted = declared.annotation(crate::agent::rsync::DELETION_POLICY) == "Foreground";
        match if wanted { self.prune_all().await } else { Ok(()) } {
            Ok(()) => {
                self.shared.info(&self.label, "ended");
                self.set_finalizer(declared, false).await;
                later
            }
            Err(why) => {
                self.report.finalizing = Some(why);
                self.publish(declared).await;
                Instant::now() + RETRY_PAUSE * 2
            }
        }
    }

    async fn prune_all(&mut self) -> Result<(), String> {
        use crate::cluster::Cluster as _;
        let owner = Owner::new(&self.id.namespace, &self.id.name).map_err(|fault| told(&fault))?;
        let policy = Policy { adopt: false, allow_empty: true, allow_no_namespaces: true };
        let confine = (!self.id.root).then(|| self.id.namespace.clone());
        let rules = Rules { confine, ..Rules::default() };
        let options = Options { any_source: true, policy, wait: PASS_WAIT, rules, ..Options::new(owner.clone(), String::new()) };
        let shared = Arc::clone(&self.shared);
        let _turn = shared.passes.acquire().await;
        let mut failed: Option<String> = None;
        let mut tell = |event: &Event| match event {
            Event::Failed(key, fault) => failed = Some(format!("`{key}` cannot be deleted: {fault}")),
            Event::Kept(key, why) => failed = Some(format!("`{key}` stays: {why}")),
            _ => {}
        };
        let passed = pass(&self.api(), &shared.clock, &options, &Set::default(), &mut tell).await.map_err(|fault| told(&fault))?;
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

    /// Writes the status where it changed, and notes how the sync stands.
    async fn publish(&mut self, declared: &Declared) {
        let report = self.report.clone();
        self.shared.board.note(&self.id, |row| row.report = report);
        if self.shared.settings.shadow {
            return;
        }
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let Some(status) = self.report.status_over(&self.standing, &now) else { return };
        match self.shared.api.merge_status(&self.id.path(), &declared.metadata.name, &json!({"status": status})).await {
            Ok(written) => self.standing = written["status"].clone(),
            Err(fault) if fault.kind == FaultKind::NotYet => {}
            Err(fault) => self.shared.warn(&self.label, &format!("cannot write the status: {fault}")),
        }
    }

    /// When the next thing is due.
    fn due(&self, spec: &Spec) -> Instant {
        let now = Instant::now();
        let poll = match spec.location.version() {
            // a digest names the same for ever
            crate::oci::Version::Digest(_) if self.report.source.errors.is_empty() && self.source.is_some() => now + IDLE_PAUSE,
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
