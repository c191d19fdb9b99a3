//! What a kustomization has gathered: objects, field specifications, vars.

use std::sync::Arc;

use super::config::{self, Config};
use super::resid::{ResId, Scopes};
use super::resmap::ResMap;
use super::resource::{Behavior, Resource};
use super::vars::Vars;
use crate::diag::{Diagnostic, Result, did_you_mean};
use crate::value::{Text, Tree};

/// Objects and the rules that came with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accumulator {
    /// The objects.
    pub(crate) resources: ResMap,
    /// Field specifications of all kustomizations that gave objects.
    pub(crate) config: Arc<Config>,
    /// Vars of all kustomizations.
    pub(crate) vars: Vars,
}

impl Accumulator {
    /// Adds what another kustomization gathered.
    pub(crate) fn merge(&mut self, other: Accumulator, scopes: &dyn Scopes) -> Result<()> {
        self.resources.append_all(other.resources, scopes)?;
        self.config = config::merged(&self.config, &other.config)?;
        self.vars.merge(other.vars)
    }
}

impl ResMap {
    /// Adds a generated object, or lets it replace or complete the one of its identity, as its behaviour says.
    pub(crate) fn absorb(&mut self, mut resource: Resource, scopes: &dyn Scopes) -> Result<()> {
        let id = resource.current_id(scopes);
        let matches = self.find_any_equal(&id, scopes);
        let refuse = |message: String| Err(Box::new(Diagnostic::input("kustomize-generator-behavior", message)));
        let position = match (matches.as_slice(), resource.behavior) {
            ([], Behavior::Merge | Behavior::Replace) => {
                let message = format!("id {id} does not exist; cannot merge or replace");
                let fault = Diagnostic::input("kustomize-generator-behavior", message);
                let names: Vec<Text> = self.iter().map(Resource::name).collect();
                return Err(Box::new(match did_you_mean(&id.name, names.iter().map(Text::as_str)) {
                    Some(near) => fault.hint(format!("use `{near}`")),
                    None => fault.hint("remove `behavior`, or list what it is about under `resources:`"),
                }));
            }
            ([], _) => return self.append(resource, scopes),
            ([position], Behavior::Merge | Behavior::Replace) => *position,
            ([_], _) => return refuse(format!("id {id} exists; behavior must be merge or replace")),
            _ => return refuse(format!("found {} objects that could accept a merge of {id}", matches.len())),
        };
        let old = &self.as_slice()[position];
        let merge = resource.behavior == Behavior::Merge;
        take_metadata(&mut resource, old);
        if merge {
            for field in ["data", "binaryData"] {
                let merged = merged(entries(&old.tree, field), entries(&resource.tree, field));
                set_entries(&mut resource.tree, field, merged);
            }
            resource.build_origin = old.build_origin.clone().or(resource.build_origin);
        }
        *self.at_mut(position) = resource;
        Ok(())
    }

    fn find_any_equal(&self, id: &ResId, scopes: &dyn Scopes) -> Vec<usize> {
        let named = |resource: &Resource| {
            resource.name() == id.name || resource.previous.iter().any(|previous| previous.name == id.name)
        };
        let has = |resource: &Resource| {
            named(resource)
                && (resource.previous_ids().any(|other| other.equals(id)) || resource.current_id(scopes).equals(id))
        };
        self.iter().enumerate().filter(|(_, resource)| has(resource)).map(|(position, _)| position).collect()
    }
}

/// Takes over the metadata of the object that gives way: its name and notes, and what labels and annotations it has more.
fn take_metadata(resource: &mut Resource, old: &Resource) {
    for map in ["labels", "annotations"] {
        let merged = merged(old.meta_map(map), resource.meta_map(map));
        resource.set_meta_map(map, merged);
    }
    resource.set_name(&old.name());
    resource.set_namespace(&old.namespace());
    resource.previous.clone_from(&old.previous);
    resource.prefixes.clone_from(&old.prefixes);
    resource.suffixes.clone_from(&old.suffixes);
    resource.needs_hash &= old.needs_hash;
    resource.behavior = old.behavior;
    resource.generated = old.generated;
    resource.var_names.clone_from(&old.var_names);
}

/// Both lists by key, the later winning, sorted.
fn merged(old: Vec<(Text, Text)>, new: Vec<(Text, Text)>) -> Vec<(Text, Text)> {
    let all: std::collections::BTreeMap<Text, Text> = old.into_iter().chain(new).collect();
    all.into_iter().collect()
}

fn entries(tree: &Tree, field: &str) -> Vec<(Text, Text)> {
    let Some(map) = tree.get(field).and_then(Tree::as_map) else { return Vec::new() };
    let text = |value: &Tree| {
        let scalar = value.as_scalar().filter(|_| !value.is_null());
        scalar.map(|scalar| scalar.text.clone()).unwrap_or_default()
    };
    map.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn set_entries(tree: &mut Tree, field: &str, entries: Vec<(Text, Text)>) {
    let Some(map) = tree.as_map_mut() else { return };
    map.remove(field);
    if !entries.is_empty() {
        map.set(field, Tree::map(entries.into_iter().map(|(key, text)| (key, Tree::str(text))).collect()));
    }
}
