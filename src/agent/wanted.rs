//! What a source asks for: its objects, sorted into those to apply, those to let go, and those that are refused.
//!
//! Refused here, by name, whatever the cluster is: objects without a name (`generateName` would make a new one each time),
//! objects meant for namespaces or clusters that a selector picks, objects meant for clusters by name where nobody says which
//! this is, and objects that ask for values of others. An object is never applied where, or as, it may not belong: what a sync
//! of one namespace may not hold, and metadata that only the agent sets, is refused as well.
//!
//! Helm's hooks are objects like all others, as Config Sync and Flux have it: the cluster equals the source.

use std::collections::BTreeSet;

use super::depends;
use super::report::Rules;
use crate::cluster::{Cluster, Fault, FaultKind, Key, Resource, Scope};
use crate::diag::{Diagnostic, Result};
use crate::manifest::{Object, Set};
use crate::value::Tree;

/// The namespace of namespaced objects that name none, as for every client.
const DEFAULT_NAMESPACE: &str = "default";

/// Annotations that ask for what is not done here: an object is bound to places that are not known, or would have to wait for
/// another to be ready, or to take a value from it. Applying it all the same would be wrong.
const UNSUPPORTED: [&str; 3] = [
    "configmanagement.gke.io/cluster-selector",
    "configmanagement.gke.io/namespace-selector",
    "config.kubernetes.io/apply-time-mutation",
];
const CLUSTER_NAMES: &str = "configsync.gke.io/cluster-name-selector";
/// Prefixes of metadata that only sync tools set, and what users may set of it.
const RESERVED: [&str; 2] = ["configsync.gke.io/", "configmanagement.gke.io/"];
const USERS_OWN: [&str; 5] = [
    "configmanagement.gke.io/managed",
    "configmanagement.gke.io/namespace-selector",
    "configmanagement.gke.io/cluster-selector",
    CLUSTER_NAMES,
    "configsync.gke.io/deletion-propagation-policy",
];
/// Marks of ownership: one in a source was dumped from a cluster, or forged.
const MARKS: [&str; 3] =
    ["config.k8s.io/owning-inventory", "applyset.kubernetes.io/part-of", "hydrant.dev/implicit-namespace"];

/// What serves the kind of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// This resource.
    Served(Resource),
    /// Nothing, yet.
    NotServed,
    /// The server did not say.
    Unclear(Fault),
}

/// An object to apply.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Its identity in this cluster, once its kind is known; as written before.
    pub(super) key: Key,
    /// The object.
    pub(super) object: Object,
    /// What serves it.
    pub(super) lookup: Lookup,
    /// Create it, but leave it alone once it is there (`client.lifecycle.config.k8s.io/mutation: ignore`).
    pub(super) only_create: bool,
    /// Delete and make it anew where the server refuses to change it (`hydrant.dev/recreate: "true"`).
    pub(super) recreate: bool,
    /// What must be ready first (`config.kubernetes.io/depends-on`).
    pub(super) depends: Vec<Key>,
}

/// Everything that a source asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    /// To apply.
    pub(super) wanted: Vec<Wanted>,
    /// To let go where we own it (`configmanagement.gke.io/managed: disabled`).
    pub(super) unmanaged: BTreeSet<Key>,
    /// Refused, with the reason.
    pub(super) refused: Vec<(Key, Fault)>,
}

fn annotation<'o>(value: &'o Tree, name: &str) -> Option<&'o str> {
    let found = value.at(&["metadata", "annotations", name]);
    found.and_then(Tree::as_scalar).map(|scalar| scalar.text.as_str())
}

impl Ask {
    /// Reads a set. Two objects of one identity are refused as a whole: which of them is meant?
    pub(super) fn read(set: &Set, rules: &Rules) -> Result<Ask> {
        let mut ask = Ask::default();
        for object in &set.objects {
            ask.take(object, rules);
        }
        ask.refuse_doubles()?;
        Ok(ask)
    }

    fn take(&mut self, object: &Object, rules: &Rules) {
        let value = object.value();
        let annotation = |name: &str| annotation(&value, name);
        let key = Key::of(&object.id);
        if annotation("config.kubernetes.io/local-config").is_some_and(|value| value != "false") {
            return;
        }
        if annotation("configmanagement.gke.io/managed") == Some("disabled") {
            self.unmanaged.insert(key);
            return;
        }
        if let (Some(names), Some(own)) = (annotation(CLUSTER_NAMES), &rules.cluster_name)
            && !names.split(',').any(|name| name.trim() == own)
        {
            return;
        }
        let depends = annotation("config.kubernetes.io/depends-on").map_or(Ok(Vec::new()), depends::parse);
        match (refusal(object, &value, &key, rules), depends) {
            (Some(fault), _) | (None, Err(fault)) => self.refused.push((key, fault)),
            (None, Ok(depends)) => self.wanted.push(Wanted {
                only_create: annotation("client.lifecycle.config.k8s.io/mutation") == Some("ignore"),
                recreate: annotation("hydrant.dev/recreate") == Some("true"),
                depends,
                key,
                object: object.clone(),
                lookup: Lookup::NotServed,
            }),
        }
    }

    /// Asks the cluster for the kinds that are not known yet; true if any became known.
    pub(super) async fn resolve(&mut self, cluster: &impl Cluster, rules: &Rules) -> std::result::Result<bool, Fault> {
        let mut found = false;
        let mut misplaced = Vec::new();
        for (index, wanted) in self.wanted.iter_mut().enumerate() {
            if matches!(wanted.lookup, Lookup::Served(_)) {
                continue;
            }
            let id = &wanted.object.id;
            wanted.lookup = match cluster.resource(&id.group, Some(&id.version), &id.kind).await {
                Ok(Some(resource)) => {
                    found = true;
                    match resource.scope {
                        Scope::Namespaced if wanted.key.namespace.is_empty() => {
                            wanted.key.namespace = rules.confine.as_deref().unwrap_or(DEFAULT_NAMESPACE).into();
                        }
                        Scope::Cluster if rules.confine.is_some() || !wanted.key.namespace.is_empty() => {
                            misplaced.push(index);
                        }
                        _ => {}
                    }
                    Lookup::Served(resource)
                }
                Ok(None) => Lookup::NotServed,
                Err(fault) if fault.kind == FaultKind::Unreachable => return Err(fault),
                Err(fault) => Lookup::Unclear(fault),
            };
        }
        for index in misplaced.into_iter().rev() {
            let wanted = self.wanted.remove(index);
            let fault = if rules.confine.is_some() {
                let text = "its kind lives outside of namespaces, which only a RootSync may sync";
                Fault::new(FaultKind::Rejected, text).code("1058")
            } else {
                let text = "it has a namespace, but its kind lives outside of namespaces";
                Fault::new(FaultKind::Rejected, text).code("1052")
            };
            self.refused.push((wanted.key, fault));
        }
        Ok(found)
    }

    /// Fails where two objects are one.
    pub(super) fn refuse_doubles(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        let keys = self.wanted.iter().map(|wanted| &wanted.key).chain(&self.unmanaged);
        match keys.into_iter().find(|key| !seen.insert(*key)) {
            None => Ok(()),
            Some(double) => Err(Box::new(
                Diagnostic::input("duplicate-object", format!("`{double}` stands more than once in the source"))
                    .hint("remove all but one of them"),
            )),
        }
    }
}

/// Why an object is never applied, whatever the cluster is.
fn refusal(object: &Object, value: &Tree, key: &Key, rules: &Rules) -> Option<Fault> {
    let refuse = |code: &'static str, text: String| Some(Fault::new(FaultKind::Rejected, text).code(code));
    let metadata = |field: &str| value.at(&["metadata", field]).and_then(Tree::as_map);
    let has =
        |field: &str, name: &str| metadata(field).is_some_and(|map| map.iter().any(|(key, _)| key.as_str() == name));
    if key.kind.is_empty() || object.id.version.is_empty() {
        return refuse("1020", "it has no `apiVersion` or no `kind`".to_owned());
    }
    if key.name.is_empty() {
        return refuse("1031", "it has no `metadata.name`: each sync would make another one".to_owned());
    }
    if let Some(name) = UNSUPPORTED.iter().find(|name| has("annotations", name)) {
        return refuse("1067", format!("`{name}` is not supported"));
    }
    if has("annotations", CLUSTER_NAMES) && rules.cluster_name.is_none() {
        return refuse(
            "1067",
            format!("`{CLUSTER_NAMES}` picks clusters by name, and this one has none: see `--cluster-name`"),
        );
    }
    if let Some(home) = rules.confine.as_deref().filter(|home| !key.namespace.is_empty() && key.namespace != *home) {
        return refuse("1058", format!("it is in the namespace `{}`, and this RepoSync in `{home}`", key.namespace));
    }
    if !rules.strict_metadata {
        return None;
    }
    for (field, code) in [("annotations", "1010"), ("labels", "1011")] {
        let mut names = metadata(field).into_iter().flat_map(|map| map.iter().map(|(name, _)| name.as_str()));
        let illegal = names.find(|name| {
            MARKS.contains(name)
                || (RESERVED.iter().any(|prefix| name.starts_with(prefix)) && !USERS_OWN.contains(name))
        });
        if let Some(name) = illegal {
            return refuse(code, format!("`{name}` in its {field} is the sync tool's to set"));
        }
    }
    let kind = (key.group.as_str(), key.kind.as_str());
    if matches!(kind, ("kpt.dev", "ResourceGroup")) {
        return refuse("1034", "inventories are the sync tool's to write".to_owned());
    }
    None
}
