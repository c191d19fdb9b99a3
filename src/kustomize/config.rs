//! The transformer configuration: which fields namespace, prefix, labels, images and references reach.
//!
//! In: kustomize's builtin table, files under `configurations`, what `crds` say. Out: one [`Config`], merged as
//! kustomize merges, and shared between kustomizations that add nothing.

use std::sync::Arc;

use super::decode::{self, Rigour};
use super::fieldspec::{self, FieldSpec};
use super::loader::Loader;
use super::resid::Gvk;
use super::shapes;
use crate::diag::{Diagnostic, Result};
use crate::value::Tree;
use crate::yaml::{self, Dialect};

/// Objects that can be referred to, and the fields that do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameReference {
    /// What is referred to.
    pub(crate) target: Gvk,
    /// Fields that hold its name.
    pub(crate) referrers: Vec<FieldSpec>,
}

/// Field specifications by use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// Fields that get the name prefix.
    pub(crate) name_prefix: Vec<FieldSpec>,
    /// Fields that get the name suffix.
    pub(crate) name_suffix: Vec<FieldSpec>,
    /// Fields that hold the namespace, beside `metadata.namespace`.
    pub(crate) namespace: Vec<FieldSpec>,
    /// Labels and selectors.
    pub(crate) common_labels: Vec<FieldSpec>,
    /// Added to every entry of `labels`.
    pub(crate) labels: Vec<FieldSpec>,
    /// Added to entries of `labels` that include templates.
    pub(crate) template_labels: Vec<FieldSpec>,
    /// Annotations.
    pub(crate) common_annotations: Vec<FieldSpec>,
    /// Fields that hold names of other objects.
    pub(crate) name_reference: Vec<NameReference>,
    /// Fields in which vars are replaced.
    pub(crate) var_reference: Vec<FieldSpec>,
    /// Image references.
    pub(crate) images: Vec<FieldSpec>,
    /// Replica counts.
    pub(crate) replicas: Vec<FieldSpec>,
    /// True for the builtin table as it is.
    pub(crate) pristine: bool,
}

impl Config {
    /// Adds what another configuration has.
    pub(crate) fn merge(&mut self, other: &Config) -> Result<()> {
        let both = [
            (&mut self.name_prefix, &other.name_prefix),
            (&mut self.name_suffix, &other.name_suffix),
            (&mut self.namespace, &other.namespace),
            (&mut self.common_labels, &other.common_labels),
            (&mut self.labels, &other.labels),
            (&mut self.template_labels, &other.template_labels),
            (&mut self.common_annotations, &other.common_annotations),
            (&mut self.var_reference, &other.var_reference),
            (&mut self.images, &other.images),
            (&mut self.replicas, &other.replicas),
        ];
        for (mine, theirs) in both {
            fieldspec::merge_all(mine, theirs)?;
        }
        for reference in &other.name_reference {
            self.add_reference(reference)?;
        }
        self.sort();
        self.pristine = false;
        Ok(())
    }

    /// Adds fields that refer to one kind.
    pub(crate) fn add_reference(&mut self, reference: &NameReference) -> Result<()> {
        if let Some(mine) = self.name_reference.iter_mut().find(|mine| mine.target == reference.target) { fieldspec::merge_all(&mut mine.referrers, &reference.referrers) } else {
            self.name_reference.push(reference.clone());
            Ok(())
        }
    }

    fn sort(&mut self) {
        let all = [
            &mut self.name_prefix,
            &mut self.name_suffix,
            &mut self.namespace,
            &mut self.common_labels,
            &mut self.labels,
            &mut self.template_labels,
            &mut self.common_annotations,
            &mut self.var_reference,
            &mut self.images,
            &mut self.replicas,
        ];
        for specs in all {
            specs.sort_by_cached_key(|spec| order(&spec.gvk));
        }
        self.name_reference.sort_by_cached_key(|reference| order(&reference.target));
    }

    /// Reads a configuration from its shaped tree.
    fn from_config(tree: &Tree) -> Config {
        let specs = |field| decode::items(tree, field).iter().map(FieldSpec::from_config).collect();
        let reference = |tree: &Tree| NameReference {
            target: Gvk {
                group: decode::text(tree, "group"),
                version: decode::text(tree, "version"),
                kind: decode::text(tree, "kind"),
            },
            referrers: decode::items(tree, "fieldSpecs").iter().map(FieldSpec::from_config).collect(),
        };
        Config {
            name_prefix: specs("namePrefix"),
            name_suffix: specs("nameSuffix"),
            namespace: specs("namespace"),
            common_labels: specs("commonLabels"),
            labels: specs("labels"),
            template_labels: specs("templateLabels"),
            common_annotations: specs("commonAnnotations"),
            name_reference: decode::items(tree, "nameReference").iter().map(reference).collect(),
            var_reference: specs("varReference"),
            images: specs("images"),
            replicas: specs("replicas"),
            pristine: false,
        }
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
    let mut config = Config::clone(builtin);
    config.merge(&own)?;
    Ok(Arc::new(config))
}

/// Both configurations in one.
pub(crate) fn merged(mine: &Arc<Config>, other: &Arc<Config>) -> Result<Arc<Config>> {
    if Arc::ptr_eq(mine, other) || **other == Config::default() {
        return Ok(Arc::clone(mine));
    }
    // The builtin table merged into nothing is itself. Other tables are not: what a spec for one kind covers takes the
    // place of a spec for all kinds that sorts after it.
    if other.pristine && **mine == Config::default() {
        return Ok(Arc::clone(other));
    }
    let mut config = Config::clone(mine);
    config.merge(other)?;
    Ok(Arc::new(config))
}

fn read(loader: &Loader<'_>, path: &str) -> Result<Config> {
    let source = loader.text(path)?;
    let tree = yaml::parse(&source, Dialect::V2)?;
    let shaped = decode::shape(&tree, shapes::CONFIGURATION, Rigour::Configuration)
        .map_err(|misfit| misfit.diagnostic("kustomize-configuration", &source, None))?;
    if !shaped.is_null() && shaped.as_map().is_none() {
        let message = format!("`{}` is no map of field specs", source.name());
        return Err(Box::new(Diagnostic::input("kustomize-configuration", message)));
    }
    Ok(Config::from_config(&shaped))
}
