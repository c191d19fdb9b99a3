//! The transformer configuration: which fields namespace, prefix, labels, images and references reach.
//!
//! In: kustomize's builtin table (made as far as it is wanted), files under `configurations`, what `crds` say. Out: one [`Config`], merged as
//! kustomize merges, and shared between kustomizations that add nothing.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use super::decode::{self, Rigour};
use super::fieldspec::{self, FieldSpec};
use super::loader::Loader;
use super::resid::Gvk;
use super::{shapes, tables};
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};
use crate::value::Tree;
use crate::yaml::{self, Dialect};

/// Objects that can be referred to, and the fields that do.
#[derive(Clone, Debug)]
pub(crate) struct NameReference {
    /// What is referred to.
    pub(crate) target: Gvk,
    /// Fields that hold its name.
    pub(crate) referrers: Vec<FieldSpec>,
}

/// One field that refers to objects of some kinds.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// What is referred to.
    pub(crate) target: Gvk,
    /// The field that holds its name.
    pub(crate) spec: FieldSpec,
}

/// What fields are specified for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Fields that get the name prefix.
    NamePrefix,
    /// Fields that get the name suffix.
    NameSuffix,
    /// Fields that hold the namespace, beside `metadata.namespace`.
    Namespace,
    /// Labels and selectors.
    CommonLabels,
    /// Added to every entry of `labels`.
    Labels,
    /// Added to entries of `labels` that include templates.
    TemplateLabels,
    /// Annotations.
    CommonAnnotations,
    /// Fields in which vars are replaced.
    VarReference,
    /// Image references.
    Images,
    /// Replica counts.
    Replicas,
}

/// Each use, in the order of its number, with the field of a configuration file that adds to it.
const USES: [(Use, &str); 10] = [
    (Use::NamePrefix, "namePrefix"),
    (Use::NameSuffix, "nameSuffix"),
    (Use::Namespace, "namespace"),
    (Use::CommonLabels, "commonLabels"),
    (Use::Labels, "labels"),
    (Use::TemplateLabels, "templateLabels"),
    (Use::CommonAnnotations, "commonAnnotations"),
    (Use::VarReference, "varReference"),
    (Use::Images, "images"),
    (Use::Replicas, "replicas"),
];

/// Field specifications by use.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The builtin table of a profile as it is: of it is made what is asked for.
    builtin: Option<Profile>,
    specs: [OnceLock<Vec<FieldSpec>>; USES.len()],
    references: OnceLock<Vec<NameReference>>,
    /// Rules by the kind that holds the names.
    rules: Mutex<FxHashMap<Gvk, Arc<[Rule]>>>,
}

impl Config {
    /// The builtin table of a profile.
    pub(crate) fn builtin(profile: Profile) -> Config {
        Config { builtin: Some(profile), ..Config::default() }
    }

    /// The fields of one use.
    pub(crate) fn specs(&self, what: Use) -> &[FieldSpec] {
        let made = || self.builtin.map(|profile| tables::of_use(profile, what)).unwrap_or_default();
        self.specs[what as usize].get_or_init(made)
    }

    /// As [`Config::specs`], to add to.
    pub(crate) fn specs_mut(&mut self, what: Use) -> &mut Vec<FieldSpec> {
        self.specs(what);
        self.specs[what as usize].get_mut().expect("it was just made")
    }

    /// Fields that hold names of other objects.
    fn references(&self) -> &[NameReference] {
        self.references.get_or_init(|| self.builtin.map(tables::references).unwrap_or_default())
    }

    /// As [`Config::references`], to add to.
    pub(crate) fn references_mut(&mut self) -> &mut Vec<NameReference> {
        self.references();
        self.references.get_mut().expect("it was just made")
    }

    /// The fields of a kind that hold names, with what they name.
    pub(crate) fn rules_of(&self, gvk: &Gvk) -> Arc<[Rule]> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rules) = rules.get(gvk) {
            return Arc::clone(rules);
        }
        let made: Arc<[Rule]> = if let Some(profile) = self.builtin {
            tables::references_of(profile, gvk).into()
        } else {
            let of = |reference: &NameReference| {
                let specs = reference.referrers.iter().filter(|spec| gvk.is_selected(&spec.gvk)).cloned();
                let target = reference.target.clone();
                specs.map(move |spec| Rule { target: target.clone(), spec }).collect::<Vec<_>>()
            };
            self.references().iter().flat_map(of).collect()
        };
        rules.insert(gvk.clone(), Arc::clone(&made));
        made
    }

    /// True where nothing is specified.
    fn is_empty(&self) -> bool {
        self.builtin.is_none() && USES.iter().all(|(what, _)| self.specs(*what).is_empty()) && self.references().is_empty()
    }

    /// Itself once more, as a table of its own that may be added to.
    fn copy(&self) -> Config {
        let specs = std::array::from_fn(|at| OnceLock::from(self.specs(USES[at].0).to_vec()));
        let references = OnceLock::from(self.references().to_vec());
        Config { builtin: None, specs, references, rules: Mutex::default() }
    }

    /// Adds what another configuration has.
    pub(crate) fn merge(&mut self, other: &Config) -> Result<()> {
        for (what, _) in USES {
            fieldspec::merge_all(self.specs_mut(what), other.specs(what))?;
        }
        for reference in other.references() {
            self.add_reference(reference)?;
        }
        self.sort();
        Ok(())
    }

    /// Adds fields that refer to one kind.
    fn add_reference(&mut self, reference: &NameReference) -> Result<()> {
        let mine = self.references_mut();
        if let Some(mine) = mine.iter_mut().find(|mine| mine.target == reference.target) {
            fieldspec::merge_all(&mut mine.referrers, &reference.referrers)
        } else {
            mine.push(reference.clone());
            Ok(())
        }
    }

    fn sort(&mut self) {
        for (what, _) in USES {
            self.specs_mut(what).sort_by_cached_key(|spec| order(&spec.gvk));
        }
        self.references_mut().sort_by_cached_key(|reference| order(&reference.target));
    }

    /// Reads a configuration from its shaped tree.
    fn from_config(tree: &Tree) -> Config {
        let reference = |tree: &Tree| NameReference {
            target: Gvk {
                group: decode::text(tree, "group"),
                version: decode::text(tree, "version"),
                kind: decode::text(tree, "kind"),
            },
            referrers: decode::items(tree, "fieldSpecs").iter().map(FieldSpec::from_config).collect(),
        };
        let mut config = Config::default();
        for (what, field) in USES {
            config.specs_mut(what).extend(decode::items(tree, field).iter().map(FieldSpec::from_config));
        }
        config.references_mut().extend(decode::items(tree, "nameReference").iter().map(reference));
        config
    }
}

/// Kinds that come first in kustomize's order of kinds, first to last.
pub(crate) const ORDER_FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last, first to last.
pub(crate) const ORDER_LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// What kinds are sorted by: their place in a list of first and last kinds, then group, version and kind as text.
pub(crate) fn order(gvk: &Gvk) -> (i64, String) {
    let first = ORDER_FIRST.iter().position(|kind| *kind == gvk.kind);
    let last = ORDER_LAST.iter().position(|kind| *kind == gvk.kind);
    let place = match (first, last) {
        (Some(at), _) => at as i64 - ORDER_FIRST.len() as i64,
        (None, Some(at)) => at as i64 + 1,
        (None, None) => 0,
    };
    (place, sort_text(gvk))
}

/// Group, version and kind as kustomize sorts them.
pub(crate) fn sort_text(gvk: &Gvk) -> String {
    let or = |text: &str, none: &'static str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    format!("{}_{}_{}", or(&gvk.group, "~G"), or(&gvk.version, "~V"), or(&gvk.kind, "~K"))
}

/// The configuration of a kustomization with these files under `configurations`.
pub(crate) fn with_files(builtin: &Arc<Config>, loader: &Loader<'_>, paths: &[crate::value::Text]) -> Result<Arc<Config>> {
    if paths.is_empty() {
        return Ok(Arc::clone(builtin));
    }
    let mut own = Config::default();
    for path in paths {
        own.merge(&read(loader, path)?)?;
    }
    let mut config = builtin.copy();
    config.merge(&own)?;
    Ok(Arc::new(config))
}

/// Both configurations in one.
pub(crate) fn merged(mine: &Arc<Config>, other: &Arc<Config>) -> Result<Arc<Config>> {
    if Arc::ptr_eq(mine, other) || other.is_empty() {
        return Ok(Arc::clone(mine));
    }
    // The builtin table merged into nothing is itself. Other tables are not: what a spec for one kind covers takes the
    // place of a spec for all kinds that sorts after it.
    if other.builtin.is_some() && mine.is_empty() {
        return Ok(Arc::clone(other));
    }
    let mut config = mine.copy();
    config.merge(other)?;
    Ok(Arc::new(config))
}

fn read(loader: &Loader<'_>, path: &str) -> Result<Config> {
    let source = loader.text(path)?;
    let tree = yaml::parse_strict(&source, Dialect::V2)?;
    let shaped = decode::shape(&tree, shapes::CONFIGURATION, Rigour::Configuration)
        .map_err(|misfit| misfit.diagnostic("kustomize-configuration", &source, None))?;
    if !shaped.is_null() && shaped.as_map().is_none() {
        let message = format!("`{}` is no map of field specs", source.name());
        return Err(Box::new(Diagnostic::input("kustomize-configuration", message)));
    }
    Ok(Config::from_config(&shaped))
}
