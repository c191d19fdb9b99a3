//! Who may do more than before: rules of roles, and subjects of bindings.

use std::collections::BTreeSet;

use super::{Flag, FlagKind, items, text, texts};
use crate::manifest::Object;
use crate::value::Tree;

/// How many new grants are named before the rest is counted.
const SHOWN_MAX: usize = 4;

/// Roles whose holders rule a cluster or a namespace.
const STRONG_ROLES: [&str; 2] = ["cluster-admin", "admin"];

/// Flags for grants and subjects that were not there.
pub(super) fn flags(was: Option<&Object>, is: &Object) -> Vec<Flag> {
    if is.id.group != "rbac.authorization.k8s.io" {
        return Vec::new();
    }
    match is.id.kind.as_str() {
        "Role" | "ClusterRole" => role(was, is).into_iter().collect(),
        "RoleBinding" | "ClusterRoleBinding" => binding(was, is).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// One thing that a role allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    verb: String,
    group: String,
    resource: String,
    /// A single object; empty for all.
    name: String,
}

impl Grant {
    fn covers(&self, other: &Grant) -> bool {
        let fits = |own: &str, other: &str| own == "*" || own == other;
        let resource = fits(&self.resource, &other.resource)
            || self.resource.strip_prefix("*/").is_some_and(|sub| other.resource.ends_with(&format!("/{sub}")))
            || (self.resource.starts_with('/') && self.resource.strip_suffix('*').is_some_and(|head| other.resource.starts_with(head)));
        fits(&self.verb, &other.verb) && fits(&self.group, &other.group) && resource && (self.name.is_empty() || self.name == other.name)
    }

    /// A grant that a new role should not have unseen.
    fn is_strong(&self) -> bool {
        self.verb == "*"
            || self.resource == "*"
            || matches!(self.verb.as_str(), "escalate" | "bind" | "impersonate")
            || (self.name.is_empty() && matches!(self.resource.as_str(), "secrets" | "pods/exec" | "nodes/proxy" | "serviceaccounts/token"))
    }

    fn shown(&self) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!(" `{}`", self.name) };
        format!("{} {}{name}", self.verb, self.resource)
    }
}

fn grants(object: &Object) -> BTreeSet<Grant> {
    let mut grants = BTreeSet::new();
    for rule in items(object.tree(), &["rules"]) {
        let or_all = |list: Vec<&str>| if list.is_empty() { vec![String::new()] } else { list.into_iter().map(str::to_owned).collect() };
        for verb in texts(rule, &["verbs"]) {
            for resource in texts(rule, &["resources"]) {
                for group in or_all(texts(rule, &["apiGroups"])) {
                    for name in or_all(texts(rule, &["resourceNames"])) {
                        let (verb, resource, group) = (verb.to_owned(), resource.to_owned(), group.clone());
                        grants.insert(Grant { verb, group, resource, name });
                    }
                }
            }
            for url in texts(rule, &["nonResourceURLs"]) {
                let (verb, resource) = (verb.to_owned(), url.to_owned());
                grants.insert(Grant { verb, resource, group: String::new(), name: String::new() });
            }
        }
    }
    grants
}

fn role(was: Option<&Object>, is: &Object) -> Option<Flag> {
    let had = was.map(grants).unwrap_or_default();
    let has = grants(is);
    let gained: Vec<&Grant> = has
        .iter()
        .filter(|grant| !had.iter().any(|old| old.covers(grant)))
        .filter(|grant| was.is_some() || grant.is_strong())
        .collect();
    if gained.is_empty() {
        return None;
    }
    let mut shown: Vec<String> = gained.iter().take(SHOWN_MAX).map(|grant| grant.shown()).collect();
    if gained.len() > SHOWN_MAX {
        shown.push(format!("{} more", gained.len() - SHOWN_MAX));
    }
    Some(Flag::new(FlagKind::Access, format!("allows more: {}", shown.join(", "))))
}

fn binding(was: Option<&Object>, is: &Object) -> Option<Flag> {
    let subject = |tree: &Tree| {
        let namespace = text(tree, &["namespace"]).map(|namespace| format!("{namespace}/")).unwrap_or_default();
        format!("{} {namespace}{}", text(tree, &["kind"]).unwrap_or_default(), text(tree, &["name"]).unwrap_or_default())
    };
    let subjects = |object: &Object| items(object.tree(), &["subjects"]).iter().map(subject).collect::<BTreeSet<_>>();
    let role = |object: &Object| text(object.tree(), &["roleRef", "name"]).unwrap_or_default().to_owned();
    let had = was.filter(|was| role(was) == role(is)).map(subjects).unwrap_or_default();
    let gained: Vec<String> = subjects(is).difference(&had).cloned().collect();
    let wide = is.id.kind == "ClusterRoleBinding" || STRONG_ROLES.contains(&role(is).as_str());
    if gained.is_empty() || (was.is_none() && !wide) {
        return None;
    }
    let mut shown: Vec<String> = gained.iter().take(SHOWN_MAX).map(|name| format!("`{name}`")).collect();
    if gained.len() > SHOWN_MAX {
        shown.push(format!("{} more", gained.len() - SHOWN_MAX));
    }
    Some(Flag::new(FlagKind::Access, format!("gives the role `{}` to {}", role(is), shown.join(", "))))
}
