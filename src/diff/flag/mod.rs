//! Dangers: what a change takes away, breaks, opens or grants, told apart from all else that differs.
//!
//! Each check gets the objects of one match and gives flags; none decides anything. A flag is never folded.

mod crd;
mod exposure;
mod immutable;
mod pod;
mod rbac;
mod served;

use super::compare::Facts;
use super::pairing::{Match, Renamed};
use super::{Class, FieldPath, ObjectDiff};
use crate::manifest::{Object, ObjectId, Set};
use crate::value::Tree;

/// What kind of danger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FlagKind {
    /// An object goes, and maybe others with it.
    Delete,
    /// A field that a server does not let change: the object must be made anew.
    Recreate,
    /// Versions or fields of a custom resource that are served no more, or take less.
    Schema,
    /// An API version that the target does not serve.
    Unserved,
    /// Nothing runs any more.
    Scale,
    /// How many pods may be disrupted.
    Disruption,
    /// Somebody may do more.
    Access,
    /// A pod may do more to its node.
    Privilege,
    /// Something can be reached from outside.
    Exposure,
    /// A rule of the user's.
    Rule,
}

impl FlagKind {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            FlagKind::Delete => "delete",
            FlagKind::Recreate => "recreate",
            FlagKind::Schema => "schema",
            FlagKind::Unserved => "unserved",
            FlagKind::Scale => "scale",
            FlagKind::Disruption => "disruption",
            FlagKind::Access => "access",
            FlagKind::Privilege => "privilege",
            FlagKind::Exposure => "exposure",
            FlagKind::Rule => "rule",
        }
    }
}

/// One danger of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    /// What kind.
    pub(crate) kind: FlagKind,
    /// What happens, in one line.
    pub(crate) message: String,
    /// The field that does it, where it is one.
    pub(crate) path: Option<FieldPath>,
}

impl Flag {
    fn new(kind: FlagKind, message: impl Into<String>) -> Flag {
        Flag { kind, message: message.into(), path: None }
    }

    fn at(self, path: &FieldPath) -> Flag {
        Flag { path: Some(path.clone()), ..self }
    }
}

/// Adds to each object what is dangerous about its change.
pub(super) fn raise(found: &mut [(&Match<'_>, ObjectDiff)], old: &Set, new: &Set, facts: &Facts) {
    for (matched, object) in found {
        let mut flags = Vec::new();
        match (matched.old, matched.new) {
            (Some(was), None) => flags.extend(deleted(was, old, new)),
            (was, Some(is)) => {
                let renamed = matched.renamed;
                if let Some(was) = was {
                    flags.extend(remade(was, is, renamed));
                    flags.extend(immutable::flags(was, object, facts.kubernetes));
                    flags.extend(crd::narrowed(was, is));
                    flags.extend(scaled(was, is));
                }
                flags.extend(served::flag(&is.id, facts.kubernetes));
                flags.extend(disruption(was, is));
                flags.extend(rbac::flags(was, is));
                flags.extend(pod::flags(was, is));
                flags.extend(exposure::flags(was, is));
            }
            (None, None) => {}
        }
        for entry in object.entries.iter().filter(|entry| entry.class != Class::Document) {
            if let Some(name) = facts.rules.danger(object.id(), &entry.path, entry.class) {
                flags.push(Flag::new(FlagKind::Rule, name).at(&entry.path));
            }
        }
        object.flags = flags;
    }
}

/// What a deletion takes along.
fn deleted(was: &Object, old: &Set, new: &Set) -> Vec<Flag> {
    let id = &was.id;
    let along = match (id.group.as_str(), id.kind.as_str()) {
        ("", "Namespace") => {
            let inside = new.objects.iter().filter(|object| object.id.namespace == id.name).count();
            let stay = if inside > 0 { format!(", also what is new in it ({inside})") } else { String::new() };
            format!("takes along all that is in the namespace{stay}")
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => crd::deleted(was.tree(), old),
        ("", "PersistentVolumeClaim") => "the claim's volume goes with it, unless its class keeps volumes".to_owned(),
        ("", "PersistentVolume") => "the volume goes".to_owned(),
        ("apps", "StatefulSet") => "its pods go; their claims stay, unless its retention policy says otherwise".to_owned(),
        ("policy", "PodDisruptionBudget") => "nothing limits disruptions of its pods any more".to_owned(),
        ("networking.k8s.io", "NetworkPolicy") => "what it kept apart can be reached".to_owned(),
        _ => String::new(),
    };
    let message = if along.is_empty() { "is deleted".to_owned() } else { format!("is deleted: {along}") };
    vec![Flag::new(FlagKind::Delete, message)]
}

/// A rename is a deletion and a creation, which matters for all but what is made anew with each change.
fn remade(was: &Object, is: &Object, renamed: Option<Renamed>) -> Option<Flag> {
    let message = match renamed? {
        Renamed::Hash | Renamed::Group => return None,
        Renamed::Namespace => format!("is deleted in namespace `{}` and made in `{}`", was.id.namespace, is.id.namespace),
        Renamed::Release | Renamed::Likeness => format!("is deleted as `{}` and made as `{}`", was.id.name, is.id.name),
    };
    Some(Flag::new(FlagKind::Delete, message))
}

fn is_workload(id: &ObjectId) -> bool {
    matches!(id.kind.as_str(), "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController")
}

fn scaled(was: &Object, is: &Object) -> Option<Flag> {
    let suspended = |object: &Object| text(object.tree(), &["spec", "suspend"]) == Some("true");
    if is.id.kind == "CronJob" && suspended(is) && !suspended(was) {
        return Some(Flag::new(FlagKind::Scale, "is suspended: it starts no jobs"));
    }
    let replicas = |object: &Object| text(object.tree(), &["spec", "replicas"]).map(str::to_owned);
    let (before, after) = (replicas(was), replicas(is));
    (is_workload(&is.id) && after.as_deref() == Some("0") && before != after).then(|| {
        let before = before.map_or(String::new(), |count| format!(" from {count}"));
        Flag::new(FlagKind::Scale, format!("goes{before} to zero replicas"))
    })
}

fn disruption(was: Option<&Object>, is: &Object) -> Vec<Flag> {
    if is.id.kind != "PodDisruptionBudget" {
        return Vec::new();
    }
    let mut flags = Vec::new();
    for field in ["minAvailable", "maxUnavailable"] {
        let value = |object: &Object| text(object.tree(), &["spec", field]).map(str::to_owned);
        let (before, after) = (was.and_then(value), value(is));
        if before == after {
            continue;
        }
        let blocks = matches!((field, after.as_deref()), ("minAvailable", Some("100%")) | ("maxUnavailable", Some("0" | "0%")));
        if blocks {
            flags.push(Flag::new(FlagKind::Disruption, format!("`{field}: {}` lets no node be drained", after.unwrap_or_default())));
        } else if was.is_some() {
            let shown = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
            let message = format!("`{field}` goes from {} to {}", shown(before), shown(after));
            flags.push(Flag::new(FlagKind::Disruption, message));
        }
    }
    flags
}

/// The text of a scalar at a path.
fn text<'t>(tree: &'t Tree, path: &[&str]) -> Option<&'t str> {
    tree.at(path).and_then(Tree::as_scalar).map(|scalar| scalar.text.as_str())
}

/// The items of a list at a path; none where there is no list.
fn items<'t>(tree: &'t Tree, path: &[&str]) -> &'t [Tree] {
    tree.at(path).and_then(Tree::as_list).unwrap_or_default()
}

/// The texts of a list at a path.
fn texts<'t>(tree: &'t Tree, path: &[&str]) -> Vec<&'t str> {
    items(tree, path).iter().filter_map(Tree::as_scalar).map(|scalar| scalar.text.as_str()).collect()
}
