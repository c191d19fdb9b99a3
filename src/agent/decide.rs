//! What to do, from what is wanted, what the inventory claims, and what stands there. Pure: no clock, no network.
//!
//! In: an [`Outlook`]. Out: a [`Plan`], or a refusal of the whole. The rules:
//!
//! | an object that is wanted | |
//! | --- | --- |
//! | its kind is not served | waits |
//! | does not exist | is created |
//! | exists, bears our marks | is applied, unless it is provably as wanted |
//! | exists, nobody's | is refused; adopted if asked, or if it is a namespace that Hydrant made |
//! | exists, somebody else's | is refused |
//! | is being deleted | waits |
//! | depends on one that is not ready | waits |
//!
//! | an object of the inventory that is not wanted | |
//! | --- | --- |
//! | does not exist, or its kind does not | is forgotten |
//! | does not bear our marks | is forgotten: never deleted |
//! | is, under another name of its kind, an object that is wanted (the same uid) | is forgotten |
//! | asks to be let go; is a namespace that wanted objects or the inventory still live in; is the inventory's CRD | loses our marks, then is forgotten |
//! | cannot be seen now | stays |
//! | a new object of its kind and namespace could not be applied | stays: it may be the old name of that one |
//! | is a claim for storage, and those are kept | stays |
//! | another that goes depends on it | goes after that one |
//! | is being deleted | stays until it is gone |
//! | else | is deleted; a CRD only once no object of its kind exists |
//!
//! A source without objects, and one that takes away every one of two or more namespaces, are refused unless asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::kstatus::Readiness;
use super::order::stage;
use super::wanted::{Lookup, Wanted};
use crate::cluster::{Fault, FaultKind, Key, Seen};
use crate::diag::{Diagnostic, Result};
use crate::value::Text;

/// Deleting it would take every inventory with it.
const INVENTORY_CRD: &str = "resourcegroups.kpt.dev";

/// What a user allows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policy {
    /// Take over objects that nobody owns.
    pub(crate) adopt: bool,
    /// Prune everything if the source is empty.
    pub(crate) allow_empty: bool,
    /// Prune all namespaces.
    pub(crate) allow_no_namespaces: bool,
}

/// Whose an object is, as we see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// Ours.
    Us,
    /// Nobody's.
    Nobody,
    /// Somebody else's; the words for people.
    Other(String),
}

/// What is known of an object that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// Which object.
    pub(super) seen: Seen,
    /// Whose.
    pub(super) holder: Holder,
    /// It is on its way out.
    pub(super) deleting: bool,
    /// It asks to be let go rather than deleted.
    pub(super) detach: bool,
    /// It is a namespace that Hydrant made.
    pub(super) implicit: bool,
    /// It is provably as wanted.
    pub(super) current: bool,
    /// The print of our fields on it.
    pub(super) print: u64,
    /// How far it has come.
    pub(super) readiness: Readiness,
    /// What it says that it depends on.
    pub(super) depends: Vec<Key>,
}

/// Everything that a decision rests on.
pub(super) struct Outlook<'a> {
    /// The objects of the source.
    pub(super) wanted: &'a [Wanted],
    /// Objects to let go.
    pub(super) unmanaged: &'a BTreeSet<Key>,
    /// What the inventory claims.
    pub(super) inventory: &'a BTreeSet<Key>,
    /// The objects that exist, of those wanted, of the inventory, and of the namespaces that they live in.
    pub(super) facts: &'a BTreeMap<Key, Facts>,
    /// Objects of which nothing could be learned.
    pub(super) unclear: &'a BTreeSet<Key>,
    /// Objects that failed for good in this run.
    pub(super) failed: &'a BTreeSet<Key>,
    /// Objects of the source that are never applied (refused when it was read).
    pub(super) refused: &'a BTreeSet<Key>,
    /// Whether namespaces must exist before what is in them.
    pub(super) has_namespaces: bool,
    /// Whether claims for storage stay when they leave the source.
    pub(super) keep_claims: bool,
    /// The objects to decide about; nothing for all.
    pub(super) only: Option<&'a BTreeSet<Key>>,
    /// The namespace that the inventory itself lives in.
    pub(super) home: &'a str,
    /// What the user allows.
    pub(super) policy: Policy,
}

/// An object to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Apply {
    /// Its place in the source.
    pub(super) index: usize,
    /// The object that it updates; nothing for one that is new.
    pub(super) seen: Option<Seen>,
}

/// What becomes of an object of the inventory that is not wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Delete exactly this one.
    Delete(Seen),
    /// Take our marks off exactly this one, then forget it.
    Release(Seen),
    /// Forget it; a reason where the object exists.
    Forget(Option<String>),
    /// It is being deleted: look again.
    Await,
    /// Keep it and its entry; the reason.
    Keep(String),
}

/// What to do, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Namespaces to create because objects need them.
    pub(super) namespaces: BTreeSet<Text>,
    /// Objects to apply, stage by stage.
    pub(super) stages: Vec<Vec<Apply>>,
    /// Objects that are as wanted.
    pub(super) unchanged: Vec<usize>,
    /// Objects that cannot be applied yet.
    pub(super) waiting: Vec<usize>,
    /// Objects that are not ours to change, with the reason.
    pub(super) refused: Vec<(usize, Fault)>,
    /// What the inventory must hold before anything is applied.
    pub(super) claims: BTreeSet<Key>,
    /// What becomes of the rest of the inventory, in order.
    pub(super) rest: Vec<(Key, Fate)>,
}

/// Refuses sources that would take away what nobody means to take away.
pub(super) fn guard(outlook: &Outlook<'_>) -> Result<()> {
    let policy = outlook.policy;
    if outlook.wanted.is_empty() && outlook.refused.is_empty() && outlook.unmanaged.is_empty() && !policy.allow_empty {
        let held = outlook.inventory.len();
        return Err(Box::new(
            Diagnostic::input(
                "empty-source",
                format!("the source holds no objects; syncing it would prune all {held} of the inventory"),
            )
            .hint("pass `--allow-empty` if that is meant"),
        ));
    }
    let wanted: BTreeSet<&Key> =
        outlook.wanted.iter().map(|wanted| &wanted.key).chain(outlook.unmanaged).chain(outlook.refused).collect();
    let held = outlook.inventory.iter().filter(|key| key.is_namespace());
    if held.clone().count() > 1
        && !held.clone().any(|key| wanted.contains(key))
        && !policy.allow_no_namespaces
        && !policy.allow_empty
    {
        return Err(Box::new(
            Diagnostic::input(
                "all-namespaces-removed",
                format!("the source takes away all {} namespaces of the inventory", held.count()),
            )
            .hint("pass `--allow-no-namespaces` if that is meant"),
        ));
    }
    Ok(())
}

/// Decides; [`guard`] comes first.
pub(super) fn decide(outlook: &Outlook<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut stages: BTreeMap<usize, Vec<Apply>> = BTreeMap::new();
    for (index, wanted) in outlook.wanted.iter().enumerate() {
        if outlook.failed.contains(&wanted.key) || outlook.only.is_some_and(|only| !only.contains(&wanted.key)) {
            continue;
        }
        match judge(outlook, wanted) {
            Verdict::Wait => plan.waiting.push(index),
            Verdict::Unchanged => plan.unchanged.push(index),
            Verdict::Refuse(reason) => {
                plan.refused.push((index, reason));
                continue;
            }
            Verdict::Apply(seen) => {
                stages.entry(stage(&wanted.key)).or_default().push(Apply { index, seen });
                plan.namespaces.extend(missing_namespace(outlook, &wanted.key));
            }
        }
        if matches!(wanted.lookup, Lookup::Served(_)) {
            plan.claims.insert(wanted.key.clone());
        }
    }
    plan.stages = stages.into_values().collect();
    let declared: Vec<Text> = outlook
        .wanted
        .iter()
        .filter(|wanted| wanted.key.is_namespace())
        .map(|wanted| wanted.key.name.clone())
        .collect();
    for name in declared {
        plan.namespaces.remove(&name);
    }
    if outlook.only.is_none() {
        plan.rest = rest(outlook);
    }
    plan
}

enum Verdict {
    Wait,
    Unchanged,
    Apply(Option<Seen>),
    Refuse(Fault),
}

fn judge(outlook: &Outlook<'_>, wanted: &Wanted) -> Verdict {
    if !matches!(wanted.lookup, Lookup::Served(_)) || outlook.unclear.contains(&wanted.key) {
        return Verdict::Wait;
    }
    let ready = wanted.depends.iter().all(|key| is_ready(outlook, key));
    let Some(facts) = outlook.facts.get(&wanted.key) else {
        return if ready { Verdict::Apply(None) } else { Verdict::Wait };
    };
    match &facts.holder {
        Holder::Other(whose) => {
            Verdict::Refuse(Fault::new(FaultKind::Conflict, format!("it belongs to {whose}")).code("1060"))
        }
        Holder::Nobody if !outlook.policy.adopt && !facts.implicit => {
            let text = "it exists, and this sync did not make it; `--adopt` takes it over";
            Verdict::Refuse(Fault::new(FaultKind::Conflict, text).code("1060"))
        }
        Holder::Us if facts.current && !facts.deleting => Verdict::Unchanged,
        _ if !ready => Verdict::Wait,
        _ if facts.deleting => Verdict::Wait,
        Holder::Nobody => Verdict::Apply(Some(facts.seen.clone())),
        Holder::Us if facts.current || wanted.only_create => Verdict::Unchanged,
        Holder::Us => Verdict::Apply(Some(facts.seen.clone())),
    }
}

/// True if an object that another depends on stands, as wanted and ready.
fn is_ready(outlook: &Outlook<'_>, key: &Key) -> bool {
    let Some(facts) = outlook.facts.get(key) else { return false };
    let ours = facts.holder == Holder::Us && outlook.wanted.iter().any(|wanted| wanted.key == *key);
    let applied = facts.current || outlook.only.is_some_and(|only| !only.contains(key));
    !facts.deleting && facts.readiness == Readiness::Current && (applied || !ours)
}

/// The namespace of an object, if it is not there.
fn missing_namespace(outlook: &Outlook<'_>, key: &Key) -> Option<Text> {
    let needed = outlook.has_namespaces && !key.namespace.is_empty();
    let there = || outlook.facts.contains_key(&Key::new("", "Namespace", "", &key.namespace));
    (needed && !there()).then(|| key.namespace.clone())
}

/// The fates of what the inventory claims and nobody wants.
fn rest(outlook: &Outlook<'_>) -> Vec<(Key, Fate)> {
    let wanted: BTreeSet<&Key> = outlook.wanted.iter().map(|wanted| &wanted.key).chain(outlook.refused).collect();
    let uids: BTreeSet<&str> =
        wanted.iter().filter_map(|key| outlook.facts.get(*key)).map(|facts| facts.seen.uid.as_str()).collect();
    let homes: BTreeSet<&str> = wanted.iter().map(|key| key.namespace.as_str()).chain([outlook.home]).collect();
    // one that stands already is no new name of another
    let new = outlook.failed.iter().filter(|key| !outlook.facts.contains_key(*key));
    let doubtful: BTreeSet<(&str, &str, &str)> =
        new.map(|key| (key.group.as_str(), key.kind.as_str(), key.namespace.as_str())).collect();
    // an object of a kind that is not served yet may be meant with or without its namespace
    let pending: BTreeSet<(&str, &str, &str)> = outlook
        .wanted
        .iter()
        .filter(|wanted| !matches!(wanted.lookup, Lookup::Served(_)))
        .map(|wanted| (wanted.key.group.as_str(), wanted.key.kind.as_str(), wanted.key.name.as_str()))
        .collect();
    let left = outlook
        .inventory
        .iter()
        .filter(|key| !wanted.contains(key) && !pending.contains(&(&key.group, &key.kind, &key.name)));
    let mut rest: Vec<(Key, Fate)> = left
        .map(|key| {
            let fate = match outlook.facts.get(key) {
                _ if outlook.unclear.contains(key) => {
                    Fate::Keep("the cluster does not say whether it exists".to_owned())
                }
                None => Fate::Forget(None),
                Some(facts) if uids.contains(facts.seen.uid.as_str()) => Fate::Forget(None),
                Some(facts) if facts.holder != Holder::Us => {
                    Fate::Forget(Some("it does not bear this sync's marks any more".to_owned()))
                }
                Some(facts) if facts.deleting => Fate::Await,
                Some(facts) if facts.detach || outlook.unmanaged.contains(key) => Fate::Release(facts.seen.clone()),
                Some(facts) if key.is_crd() && key.name == INVENTORY_CRD => Fate::Release(facts.seen.clone()),
                Some(facts) if key.is_namespace() && homes.contains(key.name.as_str()) => {
                    Fate::Release(facts.seen.clone())
                }
                Some(_) if doubtful.contains(&(key.group.as_str(), key.kind.as_str(), key.namespace.as_str())) => {
                    Fate::Keep("another object of its kind could not be applied".to_owned())
                }
                Some(_) if outlook.keep_claims && key.is_claim() => {
                    Fate::Keep("it claims storage, whose data would go with it".to_owned())
                }
                Some(facts) => Fate::Delete(facts.seen.clone()),
            };
            (key.clone(), fate)
        })
        .collect();
    rest.sort_by_key(|(key, _)| std::cmp::Reverse((stage(key), key.is_crd())));
    rest
}
