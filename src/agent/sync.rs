//! One pass: from a set of objects to a cluster that holds them.
//!
//! Rounds of look, decide, write ahead, apply; between rounds only what can still become better is tried, with growing
//! pauses, until nothing is left to try or the time is over. Then what is not wanted any more goes. The process
//! may die between any two lines: everything that was applied is in the inventory, because it was stored there first, and
//! everything else is decided anew from what stands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::clock::Clock;
use super::decide::{Apply, Facts, Holder, Outlook, Plan, decide, guard};
use super::inventory::Inventory;
use super::kstatus::{Readiness, readiness};
use super::observe::{CONCURRENCY, Observer, View};
use super::report::{Event, Held, Options, Passed, Summary};
use super::wanted::{Ask, Lookup, Wanted};
use crate::cluster::{Cluster, Fault, FaultKind, Key, Seen};
use crate::diag::{Diagnostic, Result};
use crate::manifest::{Object, Set};
use crate::value::{Text, Tree};

/// Pause before the second round; each next one is half as long again.
pub(super) const ROUND_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause between rounds.
pub(super) const ROUND_PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often an object is tried again that a server fails at, or that others write at the same time.
pub(super) const ATTEMPTS_MAX: u32 = 4;

/// One pass under way.
pub(super) struct Pass<'a, C> {
    /// Where to.
    pub(super) cluster: &'a C,
    /// Time, for waiting.
    pub(super) clock: &'a Clock,
    /// How.
    pub(super) options: &'a Options,
    /// What the source asks for.
    pub(super) ask: Ask,
    /// What stands, as last seen.
    pub(super) view: View,
    /// What is ours to answer for.
    pub(super) inventory: Inventory,
    /// Objects that failed for good.
    pub(super) failed: BTreeSet<Key>,
    /// Objects of the source that are never applied.
    pub(super) refused: BTreeSet<Key>,
    /// How often an object was tried in vain.
    pub(super) attempts: BTreeMap<Key, u32>,
    /// Objects of which was told that they wait.
    pub(super) waiting: BTreeSet<Key>,
    /// Objects of which was told that they changed.
    pub(super) touched: BTreeSet<Key>,
    /// Whether a CRD was applied.
    pub(super) crds_changed: bool,
    /// The counts so far.
    pub(super) summary: Summary,
    /// Objects that are still to go.
    pub(super) lingering: usize,
    /// Objects that were to go, and stay for now.
    pub(super) kept: usize,
    /// Why nothing was pruned, if something was to be.
    pub(super) held_back: Option<String>,
    /// Who hears of events.
    pub(super) tell: &'a mut (dyn FnMut(&Event) + Send + Sync),
}

/// What is kept of the answer to an apply.
#[derive(Default)]
struct Landed {
    seen: Seen,
    print: u64,
    readiness: Readiness,
}

/// Brings a set into a cluster. `tell` hears of every object that changes or fails. Fails itself where nothing can be
/// done: the cluster is out of reach (3), or the source as a whole is refused (2).
pub(crate) async fn sync_once<C: Cluster>(
    cluster: &C,
    clock: &Clock,
    options: &Options,
    set: &Set,
    tell: &mut (dyn FnMut(&Event) + Send + Sync),
) -> Result<Summary> {
    Ok(pass(cluster, clock, options, set, tell).await?.summary)
}

/// As [`sync_once`], and tells what stands afterwards.
pub(crate) async fn pass<C: Cluster>(
    cluster: &C,
    clock: &Clock,
    options: &Options,
    set: &Set,
    tell: &mut (dyn FnMut(&Event) + Send + Sync),
) -> Result<Passed> {
    let out = |doing: &'static str| move |fault: Fault| Box::new(fault.diagnostic(doing));
    let mut ask = Ask::read(set, &options.rules)?;
    ask.resolve(cluster, &options.rules).await.map_err(out("ask for the kinds served"))?;
    ask.refuse_doubles()?;
    let inventory =
        Inventory::read(cluster, &options.owner, &options.source).await.map_err(out("read the inventory"))?;
    check_source(&inventory, options)?;
    let mut pass = Pass {
        cluster,
        clock,
        options,
        ask,
        view: View::default(),
        inventory,
        failed: BTreeSet::new(),
        refused: BTreeSet::new(),
        attempts: BTreeMap::new(),
        waiting: BTreeSet::new(),
        touched: BTreeSet::new(),
        crds_changed: false,
        summary: Summary::default(),
        lingering: 0,
        kept: 0,
        held_back: None,
        tell,
    };
    pass.run().await?;
    Ok(pass.finish())
}

/// Two sources under one name would prune each other's objects.
fn check_source(inventory: &Inventory, options: &Options) -> Result<()> {
    match inventory.stored_source() {
        Some(stored) if stored != options.source && !options.any_source => Err(Box::new(
            Diagnostic::input(
                "sync-other-source",
                format!(
                    "the sync `{}` holds objects of `{stored}`, which syncing `{}` would prune",
                    options.owner, options.source
                ),
            )
            .hint("pass `--name` to sync both, each under its own name")
            .hint("pass `--name` with the same name if the source has moved"),
        )),
        _ => Ok(()),
    }
}

impl<C: Cluster> Pass<'_, C> {
    async fn run(&mut self) -> Result<()> {
        self.tell_refused();
        self.look("look at what stands").await?;
        if self.options.rules.only.is_none() {
            self.with_outlook(guard)?;
        }
        let deadline = self.clock.now() + self.options.wait;
        let mut pause = ROUND_PAUSE;
        loop {
            let plan = self.with_outlook(decide);
            self.apply(&plan).await?;
            let plan = self.with_outlook(decide);
            let left = plan.waiting.len() + plan.stages.iter().map(Vec::len).sum::<usize>();
            if left == 0 || self.options.dry_run || self.clock.now() >= deadline {
                self.give_up(&plan);
                break;
            }
            self.tell_waiting(&plan);
            self.clock.pause(pause.min(deadline.saturating_sub(self.clock.now()))).await;
            pause = (pause * 3 / 2).min(ROUND_PAUSE_MAX);
            self.look_at_pending(&plan).await?;
        }
        if self.options.rules.only.is_some() {
            return Ok(());
        }
        self.prune(self.clock.now() + self.options.wait).await
    }

    /// What stands afterwards.
    fn finish(self) -> Passed {
        let wanted = self.ask.wanted.iter().filter(|wanted| !self.failed.contains(&wanted.key));
        let held = wanted.filter_map(|wanted| {
            let facts = self.view.facts.get(&wanted.key).filter(|facts| facts.holder == Holder::Us)?;
            Some((wanted.key.clone(), Held { print: facts.print, readiness: facts.readiness }))
        });
        let served = self.ask.wanted.iter().filter_map(|wanted| match &wanted.lookup {
            Lookup::Served(resource) => Some(resource.clone()),
            _ => None,
        });
        Passed {
            held: held.collect(),
            resources: served.collect(),
            summary: self.summary,
            lingering: self.lingering,
            kept: self.kept,
            held_back: self.held_back,
        }
    }

    pub(super) fn with_outlook<T>(&self, act: impl FnOnce(&Outlook<'_>) -> T) -> T {
        let inventory = self.inventory.members();
        act(&Outlook {
            wanted: &self.ask.wanted,
            unmanaged: &self.ask.unmanaged,
            inventory: &inventory,
            facts: &self.view.facts,
            unclear: &self.view.unclear,
            failed: &self.failed,
            refused: &self.refused,
            has_namespaces: self.cluster.has_namespaces() && !self.options.rules.explicit_namespaces,
            keep_claims: self.options.rules.keep_claims,
            only: self.options.rules.only.as_ref(),
            home: self.options.owner.namespace(),
            policy: self.options.policy,
        })
    }

    fn observer(&self) -> Observer<'_, C> {
        Observer { cluster: self.cluster, owner: &self.options.owner, only: self.options.rules.only.as_ref() }
    }

    async fn look(&mut self, doing: &str) -> Result<()> {
        let mut view = std::mem::take(&mut self.view);
        let members = self.inventory.members();
        let looked = self.observer().look(&mut view, &self.ask, &members).await;
        self.view = view;
        looked.map_err(|fault| Box::new(fault.diagnostic(doing)))
    }

    pub(super) fn tell(&mut self, event: &Event) {
        match event {
            Event::Created(_) => self.summary.created += 1,
            Event::Configured(_) => self.summary.configured += 1,
            Event::Pruned(_) => self.summary.pruned += 1,
            Event::Released(_) => self.summary.released += 1,
            Event::Failed(_, fault) if matches!(fault.kind, FaultKind::ServerError | FaultKind::Unreachable) => {
                self.summary.broken += 1;
            }
            Event::Failed(..) => self.summary.rejected += 1,
            Event::Kept(..) => self.kept += 1,
            Event::Deleting(_) | Event::Waiting(..) => {}
        }
        (self.tell)(event);
    }

    fn fail(&mut self, key: &Key, fault: Fault) {
        self.failed.insert(key.clone());
        self.tell(&Event::Failed(key.clone(), fault));
    }

    /// Objects refused when the source was read, or when their kind was found.
    fn tell_refused(&mut self) {
        for (key, fault) in std::mem::take(&mut self.ask.refused) {
            self.refused.insert(key.clone());
            self.tell(&Event::Failed(key, fault));
        }
    }

    fn tell_waiting(&mut self, plan: &Plan) {
        for index in &plan.waiting {
            let wanted = &self.ask.wanted[*index];
            let (key, reason) = (wanted.key.clone(), self.waiting_for(*index));
            if self.waiting.insert(key.clone()) {
                self.tell(&Event::Waiting(key, reason));
            }
        }
    }

    fn waiting_for(&self, index: usize) -> String {
        let wanted = &self.ask.wanted[index];
        match &wanted.lookup {
            Lookup::NotServed => {
                let maker = self.maker(&wanted.key);
                let maker = maker.map_or_else(String::new, |maker| format!("; {maker} of this source will define it"));
                format!("no kind `{}` in `{}` is served yet{maker}", wanted.key.kind, wanted.object.id.api_version())
            }
            Lookup::Unclear(fault) => fault.message.clone(),
            Lookup::Served(_) => match self.view.doubts.get(&wanted.key) {
                Some(fault) => fault.message.clone(),
                None => self.unready(wanted).map_or_else(
                    || "an object of its name is still being deleted".to_owned(),
                    |key| format!("it depends on `{key}`, which is not there and ready"),
                ),
            },
        }
    }

    /// What this source holds that will define a kind: a CRD, or what a controller makes one from.
    fn maker(&self, key: &Key) -> Option<Key> {
        let defines = |object: &Object| {
            let text =
                |path: &[&str]| object.tree().at(path).and_then(Tree::as_scalar).map(|scalar| scalar.text.as_str());
            match (object.id.group.as_str(), object.id.kind.as_str()) {
                ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                    text(&["spec", "group"]) == Some(&key.group) && text(&["spec", "names", "kind"]) == Some(&key.kind)
                }
                ("templates.gatekeeper.sh", "ConstraintTemplate") => {
                    key.group == "constraints.gatekeeper.sh"
                        && text(&["spec", "crd", "spec", "names", "kind"]) == Some(&key.kind)
                }
                _ => false,
            }
        };
        self.ask.wanted.iter().find(|wanted| defines(&wanted.object)).map(|wanted| wanted.key.clone())
    }

    /// What an object depends on and waits for.
    fn unready<'w>(&self, wanted: &'w Wanted) -> Option<&'w Key> {
        let ready = |key: &&Key| {
            let only = self.options.rules.only.as_ref();
            let stands = |facts: &Facts| {
                facts.current || facts.holder != Holder::Us || only.is_some_and(|only| !only.contains(*key))
            };
            self.view.facts.get(*key).is_some_and(|facts| facts.readiness == Readiness::Current && stands(facts))
        };
        wanted.depends.iter().find(|key| !ready(key))
    }

    /// Writes ahead, then applies, stage by stage.
    async fn apply(&mut self, plan: &Plan) -> Result<()> {
        for (index, fault) in &plan.refused {
            let key = self.ask.wanted[*index].key.clone();
            self.fail(&key, fault.clone());
        }
        let dry_run = self.options.dry_run;
        if !dry_run {
            let stored = self.inventory.add(self.cluster, &plan.claims).await;
            stored.map_err(|fault| Box::new(fault.diagnostic("store the inventory")))?;
            for name in &plan.namespaces {
                self.create_namespace(name).await?;
            }
        }
        for stage in &plan.stages {
            // by hand: a stream over a closure that borrows cannot be sent between threads
            let (mut next, mut under_way) = (stage.iter(), FuturesUnordered::new());
            let mut answers = Vec::with_capacity(stage.len());
            loop {
                under_way.extend(next.by_ref().take(CONCURRENCY - under_way.len()).map(|apply| self.request(apply)));
                let Some(answer) = under_way.next().await else { break };
                answers.push(answer);
            }
            drop(under_way);
            for (apply, answer) in answers {
                self.note(apply, answer, &plan.namespaces).await?;
            }
        }
        Ok(())
    }

    /// Applies one object, and keeps of the answer what is of use.
    async fn request<'p>(&self, apply: &'p Apply) -> (&'p Apply, std::result::Result<Landed, Fault>) {
        let wanted = &self.ask.wanted[apply.index];
        let Lookup::Served(resource) = &wanted.lookup else {
            return (apply, Err(Fault::new(FaultKind::NotYet, "its kind is not served")));
        };
        let (object, owner, seen) = (&wanted.object, &self.options.owner, apply.seen.as_ref());
        let answer = self.cluster.apply(resource, &wanted.key, object, owner, seen, self.options.dry_run).await;
        let landed = answer.map(|applied| Landed {
            readiness: readiness(&wanted.key.group, &wanted.key.kind, &applied.body),
            seen: Seen { uid: applied.uid, version: applied.version },
            print: applied.print,
        });
        (apply, landed)
    }

    async fn create_namespace(&mut self, name: &str) -> Result<()> {
        let key = Key::new("", "Namespace", "", name);
        match self.cluster.create_namespace(name).await {
            Ok(true) => self.tell(&Event::Created(key.clone())),
            Ok(false) => {}
            Err(fault) if fault.kind == FaultKind::Unreachable => {
                return Err(Box::new(fault.diagnostic("create a namespace")));
            }
            // what is to live in it fails, and says so
            Err(_) => return Ok(()),
        }
        self.observer_again(None, &key).await
    }

    /// Looks at one object again.
    pub(super) async fn observer_again(&mut self, index: Option<usize>, key: &Key) -> Result<()> {
        let mut view = std::mem::take(&mut self.view);
        let wanted = index.map(|index| &self.ask.wanted[index]);
        let looked = self.observer().look_again(&mut view, wanted, key).await;
        self.view = view;
        looked.map_err(|fault| Box::new(fault.diagnostic("look at what stands")))
    }

    /// Notes what an apply did.
    async fn note(
        &mut self,
        apply: &Apply,
        answer: std::result::Result<Landed, Fault>,
        namespaces: &BTreeSet<Text>,
    ) -> Result<()> {
        let key = self.ask.wanted[apply.index].key.clone();
        let Landed { seen, print, readiness } = match answer {
            Ok(landed) => landed,
            Err(fault)
                if self.options.dry_run && fault.kind == FaultKind::NotYet && namespaces.contains(&key.namespace) =>
            {
                // its namespace would have been made first
                Landed::default()
            }
            Err(fault) => return self.note_fault(apply, key, fault).await,
        };
        let before = self.view.facts.get(&key);
        let same = before.is_some_and(|facts| facts.seen == seen);
        let held = Facts {
            seen,
            holder: Holder::Us,
            deleting: false,
            detach: false,
            implicit: false,
            current: true,
            print,
            readiness,
            depends: Vec::new(),
        };
        self.view.facts.insert(key.clone(), held);
        if !same {
            self.crds_changed |= key.is_crd();
            // an object that others undo while this runs is told of once
            if self.touched.insert(key.clone()) {
                self.tell(&if apply.seen.is_some() { Event::Configured(key) } else { Event::Created(key) });
            }
        }
        Ok(())
    }

    async fn note_fault(&mut self, apply: &Apply, key: Key, fault: Fault) -> Result<()> {
        let attempts = self.attempts.entry(key.clone()).or_default();
        *attempts += 1;
        let again = *attempts <= ATTEMPTS_MAX;
        match fault.kind {
            FaultKind::Unreachable => return Err(Box::new(fault.diagnostic(&format!("apply `{key}`")))),
            FaultKind::NotYet => drop(self.view.doubts.insert(key, fault)),
            FaultKind::Raced if again => return self.observer_again(Some(apply.index), &key).await,
            FaultKind::ServerError if again => drop(self.view.doubts.insert(key, fault)),
            // a server learns a CRD's new schema a moment after it took it
            FaultKind::Rejected if again && self.crds_changed && key.group.contains('.') => {
                drop(self.view.doubts.insert(key, fault));
            }
            FaultKind::Rejected if again && self.ask.wanted[apply.index].recreate && !self.options.dry_run => {
                return self.recreate(apply, key).await;
            }
            _ => self.fail(&key, fault),
        }
        Ok(())
    }

    /// Deletes what the server refuses to change, as its source asks; the next round makes it anew.
    async fn recreate(&mut self, apply: &Apply, key: Key) -> Result<()> {
        if let (Some(seen), Some(resource)) = (&apply.seen, self.view.resource(&key).cloned()) {
            match self.cluster.delete(&resource, &key, seen, false).await {
                Ok(_) => {}
                Err(fault) if fault.kind == FaultKind::Raced => {}
                Err(fault) => self.fail(&key, fault),
            }
        }
        self.observer_again(Some(apply.index), &key).await
    }

    /// Looks again at what a round left over.
    async fn look_at_pending(&mut self, plan: &Plan) -> Result<()> {
        self.cluster.forget_kinds().await;
        let found = self
            .ask
            .resolve(self.cluster, &self.options.rules)
            .await
            .map_err(|fault| Box::new(fault.diagnostic("ask for the kinds served")))?;
        if found {
            self.tell_refused();
            self.ask.refuse_doubles()?;
            return self.look("look at what stands").await;
        }
        let pending = plan.waiting.iter().copied().chain(plan.stages.iter().flatten().map(|apply| apply.index));
        for index in pending.collect::<Vec<_>>() {
            let key = self.ask.wanted[index].key.clone();
            self.observer_again(Some(index), &key).await?;
            for key in self.ask.wanted[index].depends.clone() {
                self.observer_again(self.ask.wanted.iter().position(|wanted| wanted.key == key), &key).await?;
            }
            let home = Key::new("", "Namespace", "", &key.namespace);
            if self.cluster.has_namespaces() && !key.namespace.is_empty() {
                self.observer_again(self.ask.wanted.iter().position(|wanted| wanted.key == home), &home).await?;
            }
        }
        Ok(())
    }

    /// The time is over: what still waits has failed.
    fn give_up(&mut self, plan: &Plan) {
        let dry_run = self.options.dry_run;
        for index in &plan.waiting {
            let key = self.ask.wanted[*index].key.clone();
            let reason = self.waiting_for(*index);
            if dry_run {
                self.tell(&Event::Waiting(key, reason));
            } else {
                let unknown = matches!(self.ask.wanted[*index].lookup, Lookup::NotServed);
                let doubt =
                    self.view.doubts.get(&key).map(|fault| fault.kind).filter(|kind| *kind == FaultKind::Forbidden);
                let kind = doubt.unwrap_or(if unknown { FaultKind::UnknownKind } else { FaultKind::NotYet });
                self.fail(&key, Fault::new(kind, format!("{reason}, after {} s", self.options.wait.as_secs())));
            }
        }
        if !dry_run {
            for apply in plan.stages.iter().flatten() {
                let key = self.ask.wanted[apply.index].key.clone();
                let late = || Fault::new(FaultKind::NotYet, "it could not be applied in time");
                let fault = self.view.doubts.get(&key).cloned().unwrap_or_else(late);
                self.fail(&key, fault);
            }
        }
        let settled = plan.unchanged.iter().filter(|index| !self.touched.contains(&self.ask.wanted[**index].key));
        self.summary.unchanged = settled.count();
    }
}
