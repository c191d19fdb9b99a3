//! Who answers for an object, and the marks that say so on the object itself.
//!
//! An object is ours only if both marks say so: the label is what lists are filtered by, the annotation names the
//! inventory in the same words as Config Sync does, so that each recognises what the other owns. Marks that other
//! tools leave are read too, to name the owner in a report; they are never touched.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::diag::{Diagnostic, Result};

/// Label: the id of the ApplySet that the object is part of; its parent is the inventory's first page.
pub(crate) const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// Annotation: the inventory that lists the object, `NAMESPACE_NAME`.
pub(crate) const OWNING_INVENTORY: &str = "config.k8s.io/owning-inventory";
/// Annotation on a namespace that was made because objects needed it.
pub(crate) const IMPLICIT: &str = "hydrant.dev/implicit-namespace";
/// Annotation: `detach` lets an object go instead of deleting it.
pub(crate) const DELETION: &str = "client.lifecycle.config.k8s.io/deletion";

/// Bytes of `NAMESPACE_NAME`: it is stored as a label's value.
const IDENTITY_BYTES_MAX: usize = 63;

/// Marks of other tools, label or annotation, with the tool's name.
const FOREIGN: &[(&str, &str)] = &[
    ("configsync.gke.io/manager", "Config Sync"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux Kustomization"),
    ("helm.toolkit.fluxcd.io/name", "Flux HelmRelease"),
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("meta.helm.sh/release-name", "Helm release"),
    ("kapp.k14s.io/app", "kapp"),
];

/// The identity of a sync: what its inventory is called, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    namespace: String,
    name: String,
    /// The ApplySet of who held the inventory before, whose marks count as ours.
    former: Option<String>,
}

/// Whose an object is, by its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nobody marked it.
    Nobody,
    /// It bears both marks of some sync of Hydrant's or Config Sync's: `NAMESPACE_NAME` and the ApplySet's id.
    Inventory {
        /// The inventory, `NAMESPACE_NAME`.
        identity: String,
        /// The ApplySet; empty where the label is missing.
        set: String,
    },
    /// Another tool marked it; the words for people.
    Foreign(String),
}

impl Owner {
    /// An owner; both parts must be names that Kubernetes takes, and fit a label together.
    pub(crate) fn new(namespace: &str, name: &str) -> Result<Owner> {
        for (flag, part) in [("--namespace", namespace), ("--name", name)] {
            let ends = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let fine = part.bytes().all(|byte| ends(byte) || byte == b'-')
                && part.bytes().next().is_some_and(ends)
                && part.bytes().next_back().is_some_and(ends);
            if !fine {
                return Err(Box::new(
                    Diagnostic::input("sync-identity", format!("`{part}` cannot name a sync"))
                        .hint(format!("pass `{flag}` with lower-case letters, digits and `-`")),
                ));
            }
        }
        if namespace.len() + name.len() >= IDENTITY_BYTES_MAX {
            return Err(Box::new(
                Diagnostic::input(
                    "sync-identity",
                    format!(
                        "`{namespace}` and `{name}` together are longer than {} characters",
                        IDENTITY_BYTES_MAX - 1
                    ),
                )
                .hint("pass a shorter `--name`"),
            ));
        }
        Ok(Owner { namespace: namespace.to_owned(), name: name.to_owned(), former: None })
    }

    /// The same owner, who takes over from another tool: its inventory of this name, and what bears the mark of its ApplySet.
    pub(crate) fn after(mut self, set: String) -> Owner {
        self.former = Some(set);
        self
    }

    /// Puts our mark in the place of the former owner's: what moves with a takeover is no change of the object.
    pub(super) fn take_over(&self, object: &mut Value) {
        let mark = object.pointer_mut("/metadata/labels").and_then(|labels| labels.get_mut(PART_OF));
        if let Some(mark) = mark.filter(|mark| mark.as_str() == self.former.as_deref()) {
            *mark = Value::String(self.set_id());
        }
    }

    /// True if another tool's inventory of this name is to be taken over.
    pub(super) fn takes_over(&self) -> bool {
        self.former.is_some()
    }

    /// The namespace of the inventory.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name of the inventory's first page.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// `NAMESPACE_NAME`, as annotations and labels say it.
    pub(crate) fn identity(&self) -> String {
        format!("{}_{}", self.namespace, self.name)
    }

    /// The ApplySet id of the inventory's first page (kubectl's V1 format: a hash of `name.namespace.kind.group`).
    pub(crate) fn set_id(&self) -> String {
        let parent = format!("{}.{}.ResourceGroup.kpt.dev", self.name, self.namespace);
        format!("applyset-{}-v1", BASE64URL_NOPAD.encode(&Sha256::digest(parent)))
    }

    /// True if a claim is this owner's, by both marks.
    pub(crate) fn holds(&self, claim: &Claim) -> bool {
        let ours = |set: &String| *set == self.set_id() || self.former.as_ref() == Some(set);
        matches!(claim, Claim::Inventory { identity, set } if *identity == self.identity() && ours(set))
    }

    /// Puts the marks on an object's metadata.
    pub(crate) fn mark(&self, metadata: &mut Map<String, Value>) {
        let mut put = |field: &str, key: &str, value: String| {
            let place = metadata.entry(field).or_insert_with(|| Value::Object(Map::new()));
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place.as_object_mut().expect("made an object above").insert(key.to_owned(), Value::String(value));
        };
        put("labels", PART_OF, self.set_id());
        put("annotations", OWNING_INVENTORY, self.identity());
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Claim {
    /// Reads the marks off an object's metadata.
    pub(crate) fn read(metadata: &Value) -> Claim {
        let mark = |field: &str, key: &str| metadata[field][key].as_str();
        let set = mark("labels", PART_OF).unwrap_or_default();
        if let Some(identity) = mark("annotations", OWNING_INVENTORY) {
            return Claim::Inventory { identity: identity.to_owned(), set: set.to_owned() };
        }
        for (key, tool) in FOREIGN {
            if let Some(value) = mark("labels", key).or_else(|| mark("annotations", key)) {
                return Claim::Foreign(format!("{tool} `{value}`"));
            }
        }
        if set.is_empty() { Claim::Nobody } else { Claim::Foreign(format!("ApplySet `{set}`")) }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claim::Nobody => f.write_str("nobody"),
            Claim::Inventory { identity, .. } => write!(f, "the sync `{}`", identity.replacen('_', "/", 1)),
            Claim::Foreign(tool) => f.write_str(tool),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_both_marks_make_an_object_ours() {
        let owner = Owner::new("hydrant-system", "shop").expect("a fine identity");
        let mut metadata = Map::new();
        owner.mark(&mut metadata);
        let marked = Value::Object(metadata);
        assert!(owner.holds(&Claim::read(&marked)));
        let mut copied = marked.clone();
        copied["labels"] = json!({});
        assert!(!owner.holds(&Claim::read(&copied)));
        let mut forged = marked;
        forged["annotations"][OWNING_INVENTORY] = json!("other_shop");
        assert!(!owner.holds(&Claim::read(&forged)));
        assert_eq!(Claim::read(&forged).to_string(), "the sync `other/shop`");
    }

    #[test]
    fn who_takes_over_holds_what_the_former_held() {
        let owner = Owner::new("system", "shop").expect("a fine identity");
        let theirs = json!({"labels": {PART_OF: "applyset-x-v1"}, "annotations": {OWNING_INVENTORY: "system_shop"}});
        assert!(!owner.holds(&Claim::read(&theirs)));
        assert!(owner.after("applyset-x-v1".to_owned()).holds(&Claim::read(&theirs)));
    }

    #[test]
    fn other_tools_are_named() {
        let claim = Claim::read(&json!({"annotations": {"meta.helm.sh/release-name": "web"}}));
        assert_eq!(claim, Claim::Foreign("Helm release `web`".to_owned()));
        assert_eq!(Claim::read(&json!({})), Claim::Nobody);
    }

    #[test]
    fn identities_fit_a_label() {
        assert!(Owner::new("a", &"b".repeat(61)).is_ok());
        assert!(Owner::new("a", &"b".repeat(62)).is_err());
        assert!(Owner::new("a", "B").is_err());
        assert!(Owner::new("a", "").is_err());
    }
}
