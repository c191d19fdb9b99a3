//! Names in fields follow the names of the objects that they mean.
//!
//! In: all objects after prefixes, suffixes and hashes, and the fields that hold names. Out: the same objects with those
//! fields rewritten. Only objects whose identity changed can be meant, and they are found by a name that they had, so
//! the cost is that of walking the fields.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::config::{Config, Rule};
use super::fieldspec::Leaf;
use super::resid::{Gvk, NOT_A_NAMESPACE, ResId};
use super::resmap::ResMap;
use super::resource::Resource;
use super::scalar;
use super::transformer::Context;
use crate::diag::{Diagnostic, Result};
use crate::value::{Map, Text, Tree};

/// What is known of an object that fields may mean.
struct Candidate {
    id: ResId,
    previous: Vec<ResId>,
    /// The namespace in effect that it came into the build with.
    original_namespace: Text,
    /// Its namespace as written now.
    namespace: Text,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
}

impl Candidate {
    fn of(resource: &Resource, context: &Context<'_>) -> Candidate {
        let scopes = context.scopes();
        Candidate {
            id: resource.current_id(scopes),
            previous: resource.previous_ids().collect(),
            original_namespace: resource.original_id(scopes).effective_namespace().into(),
            namespace: resource.namespace(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        }
    }
}

/// Rewrites every field that holds the old name of an object.
pub(crate) fn fix(resources: &mut ResMap, config: &Config, context: &Context<'_>) -> Result<()> {
    for resource in resources.iter().filter(|resource| resource.kind() == "RoleBinding") {
        account_namespaces(&resource.tree, &resource.current_id(context.scopes()))?;
    }
    let candidates: Vec<Candidate> = resources.iter().map(|resource| Candidate::of(resource, context)).collect();
    let mut by_old_name: FxHashMap<Text, Vec<usize>> = FxHashMap::default();
    for (position, candidate) in candidates.iter().enumerate() {
        let mut seen = FxHashSet::default();
        for id in &candidate.previous {
            if seen.insert(&id.name) {
                by_old_name.entry(id.name.clone()).or_default().push(position);
            }
        }
    }
    if by_old_name.is_empty() {
        return Ok(());
    }
    let mut rules: FxHashMap<Gvk, Arc<[Rule]>> = FxHashMap::default();
    for position in 0..candidates.len() {
        let original = resources.as_slice()[position].original_id(context.scopes()).gvk;
        let rules = rules.entry(original.clone()).or_insert_with(|| config.rules_of(&original));
        if rules.is_empty() {
            continue;
        }
        let referrer = Referrer { candidates: &candidates, by_old_name: &by_old_name, position, namespaces: None };
        referrer.fix(resources.at_mut(position), rules)?;
    }
    Ok(())
}

/// One object whose fields may hold names.
struct Referrer<'a> {
    candidates: &'a [Candidate],
    by_old_name: &'a FxHashMap<Text, Vec<usize>>,
    position: usize,
    /// Namespaces of the service accounts that a role binding names.
    namespaces: Option<Vec<Text>>,
}

/// What a field says about the object that it means, beside its name.
struct Wanted<'a> {
    target: &'a Gvk,
    /// `roleRef` of a role binding, where the field is the name in it.
    role: Option<Gvk>,
    /// A namespace that stands beside the name.
    namespace: Option<Text>,
    /// True if the namespace is rewritten with the name.
    with_namespace: bool,
}

impl Referrer<'_> {
    fn fix(mut self, resource: &mut Resource, rules: &[Rule]) -> Result<()> {
        let mut subset_made = false;
        for Rule { target, spec } in rules {
            if spec.is_missing(&resource.tree) {
                continue;
            }
            if !std::mem::replace(&mut subset_made, true) {
                self.namespaces = Some(account_namespaces(&resource.tree, &self.me().id)?);
            }
            let role = spec.path.ends_with("roleRef/name").then(|| role_of(&resource.tree)).flatten();
            let mentions = RefCell::new(Mentions { referrer: &self, target, role });
            spec.walk(&mut resource.tree, Leaf::Never, &mut |value| mentions.borrow_mut().set(value)).map_err(
                |fault| {
                    let what = format!("updating name reference in `{}` of {}", spec.path, self.me().id);
                    Box::new(fault.trail(what, None))
                },
            )?;
        }
        Ok(())
    }

    fn me(&self) -> &Candidate {
        &self.candidates[self.position]
    }

    /// True if this object may refer to the other at all.
    fn may_refer_to(&self, other: &Candidate) -> bool {
        let me = &self.me().id;
        me.cluster_scoped
            || other.id.cluster_scoped
            || me.effective_namespace() == other.id.effective_namespace()
            || self.namespaces.as_ref().is_some_and(|namespaces| namespaces.contains(&other.namespace))
    }

    /// The object that a name means, if it is one whose identity changed.
    fn find(&self, name: &str, wanted: &Wanted<'_>) -> Result<Option<&Candidate>> {
        let Some(positions) = self.by_old_name.get(name) else { return Ok(None) };
        let me = self.me();
        let by_original = wanted.namespace.as_ref().map(|namespace| self.some_came_from(namespace));
        let mut found: Vec<&Candidate> = positions
            .iter()
            .map(|position| &self.candidates[*position])
            .filter(|other| self.may_refer_to(other))
            .filter(|other| match (&wanted.namespace, by_original) {
                (Some(namespace), Some(true)) => other.original_namespace == *namespace,
                (Some(namespace), _) => other.id.effective_namespace() == namespace && !other.id.cluster_scoped,
                (None, _) => true,
            })
            .filter(|other| other.previous.iter().any(|id| id.gvk.is_selected(wanted.target)))
            .filter(|other| {
                wanted.role.as_ref().is_none_or(|role| other.previous.iter().any(|id| id.gvk.is_selected(role)))
            })
            .filter(|other| {
                me.id.cluster_scoped
                    || other.id.cluster_scoped
                    || other.id.gvk.kind == "ServiceAccount"
                    || me.id.effective_namespace() == other.id.effective_namespace()
            })
            .collect();
        if found.len() == 1 {
            return Ok(found.pop());
        }
        found.retain(|other| same_context(me, other, true));
        if found.len() > 1 {
            found.retain(|other| same_context(me, other, false));
        }
        let Some(first) = found.first().copied() else { return Ok(None) };
        let same = |other: &&Candidate| {
            other.id.name == first.id.name && (!wanted.with_namespace || other.namespace == first.namespace)
        };
        if found.iter().all(same) {
            return Ok(Some(first));
        }
        let ids: Vec<String> = found.iter().map(|other| other.id.to_string()).collect();
        let message = format!("found multiple possible referrals for `{name}`: {}", ids.join(", "));
        Err(Box::new(Diagnostic::input("kustomize-reference-ambiguous", message)))
    }

    /// True if an object that may be meant came into the build with this namespace in effect.
    fn some_came_from(&self, namespace: &str) -> bool {
        namespace != NOT_A_NAMESPACE
            && self.candidates.iter().any(|other| other.original_namespace == namespace && self.may_refer_to(other))
    }
}

/// The names in one field.
struct Mentions<'a> {
    referrer: &'a Referrer<'a>,
    target: &'a Gvk,
    role: Option<Gvk>,
}

impl Mentions<'_> {
    fn set(&mut self, value: &mut Tree) -> Result<()> {
        match value {
            Tree::Scalar(_) if value.is_null() => Ok(()),
            Tree::Scalar(_) => self.set_name(value),
            Tree::Map(_) => self.set_map(value.as_map_mut().expect("it is a map")),
            Tree::List(_) => {
                value.as_list_mut().expect("it is a list").iter_mut().try_for_each(|item| match item {
                    Tree::List(_) => {
                        let message = "an item must be a name or a map with a name";
                        Err(Box::new(Diagnostic::input("kustomize-reference-field", message)))
                    }
                    _ => self.set(item),
                })
            }
        }
    }

    fn set_name(&mut self, value: &mut Tree) -> Result<()> {
        let name = value.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
        let wanted =
            Wanted { target: self.target, role: self.role.clone(), namespace: None, with_namespace: false };
        if let Some(found) = self.referrer.find(&name, &wanted)?
            && found.id.name != name {
                *value = scalar::untagged_over(value, found.id.name.clone());
            }
        Ok(())
    }

    fn set_map(&mut self, map: &mut Map) -> Result<()> {
        let text = |value: &Tree| value.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
        let Some(old) = map.get("name") else {
            let message = "path config error; no `name` field in the map";
            return Err(Box::new(Diagnostic::input("kustomize-reference-field", message)));
        };
        let name = text(old);
        let wanted = Wanted {
            target: self.target,
            role: self.role.clone(),
            namespace: map.get("namespace").map(text),
            with_namespace: true,
        };
        let Some(found) = self.referrer.find(&name, &wanted)? else { return Ok(()) };
        if found.id.name == name && found.namespace.is_empty() {
            return Ok(());
        }
        let new = scalar::untagged_over(old, found.id.name.clone());
        map.set("name", new);
        if !found.namespace.is_empty() {
            let new = match map.get("namespace") {
                Some(old) => scalar::untagged_over(old, found.namespace.clone()),
                None => scalar::string(found.namespace.clone()),
            };
            map.set("namespace", new);
        }
        Ok(())
    }
}

/// Namespaces of the service accounts among the subjects of a RoleBinding.
fn account_namespaces(tree: &Tree, id: &ResId) -> Result<Vec<Text>> {
    if id.gvk.kind != "RoleBinding" {
        return Ok(Vec::new());
    }
    let mut namespaces = Vec::new();
    for subject in tree.get("subjects").and_then(Tree::as_list).unwrap_or_default() {
        let is_account = subject.get("kind").and_then(Tree::as_str) == Some("ServiceAccount");
        match subject.get("namespace") {
            Some(namespace) if is_account => if let Some(namespace) = namespace.as_str() { namespaces.push(namespace.into()) } else {
                let message = format!("the namespace of a subject is blank in {id}");
                return Err(Box::new(Diagnostic::input("kustomize-subject-namespace", message)));
            },
            _ => {}
        }
    }
    Ok(namespaces)
}

/// Group and kind of the role that a role binding names.
fn role_of(tree: &Tree) -> Option<Gvk> {
    let text = |key| tree.at(&["roleRef", key]).and_then(Tree::as_scalar).map(|scalar| scalar.text.clone());
    Some(Gvk { group: text("apiGroup")?, version: Text::default(), kind: text("kind")? })
}

/// True if the two objects went through the same kustomizations, as far as prefixes and suffixes tell.
fn same_context(one: &Candidate, other: &Candidate, empty_fits: bool) -> bool {
    let fits = |a: &[Text], b: &[Text]| (empty_fits && (a.is_empty() || b.is_empty())) || same_end(a, b);
    fits(&one.prefixes, &other.prefixes) && fits(&one.suffixes, &other.suffixes)
}

/// True if the shorter list is the end of the longer; an empty one is the end of an empty one only.
fn same_end(a: &[Text], b: &[Text]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() { long.is_empty() } else { long.ends_with(short) }
}
