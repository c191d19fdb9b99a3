//! Builtin plugins by kind: configuration → transformers and generated objects.
//!
//! In: an object under `generators`, `transformers` or `validators` (or what a field of a kustomization comes to), in
//! kustomize's own shape of plugin files. Out: steps that are ready to run. Containers and executables are refused.

use std::sync::Arc;

use super::affix::{Affix, End};
use super::decode::{self, Rigour};
use super::fieldspec::FieldSpec;
use super::generators;
use super::hash::HashSuffix;
use super::images::Image;
use super::metadata::Entries;
use super::namespace::{Namespace, Subjects};
use super::replicas::Replicas;
use super::resource::Resource;
use super::shapes;
use super::transformer::{Context, Transformer};
use super::value_add::ValueAdd;
use crate::diag::{Diagnostic, Result};
use crate::manifest::Origin;
use crate::value::Tree;

/// A step that was configured.
pub(crate) type Step = Box<dyn Transformer>;

/// What a plugin file asks for, checked to be a builtin plugin. Gives its kind and its shaped configuration.
pub(crate) fn builtin(resource: &Resource) -> Result<(String, Tree)> {
    let gvk = resource.gvk();
    let name = format!("{} `{}`", gvk.kind, resource.name());
    if !(gvk.group.is_empty() && gvk.version == "builtin") {
        let annotations = ["config.kubernetes.io/function", "config.k8s.io/function"];
        let is_function = annotations.iter().any(|key| resource.meta_entry("annotations", key).is_some());
        let what = if is_function { "a function in a container or executable" } else { "an external plugin" };
        let message = format!("{name} is {what}, and these are not run");
        return Err(Box::new(
            Diagnostic::input("kustomize-plugin-external", message)
                .hint("run it beforehand and list what it prints under `resources:`"),
        ));
    }
    let shaped = decode::shape(&resource.tree, shapes::PLUGIN, Rigour::Plugin).map_err(|misfit| {
        let message = format!("{name} fails configuration: {} in field `{}`", misfit.message, misfit.field());
        Box::new(Diagnostic::input("kustomize-plugin-config", message))
    })?;
    Ok((gvk.kind.to_string(), shaped))
}

/// The steps of a transformer plugin.
pub(crate) fn transformers(kind: &str, config: &Tree, context: &Context<'_>) -> Result<Vec<Step>> {
    let specs = || -> Vec<FieldSpec> { decode::items(config, "fieldSpecs").iter().map(FieldSpec::from_config).collect() };
    let metadata = || config.get("metadata").cloned().unwrap_or_else(Tree::null);
    let record = |field| config.get(field).cloned().unwrap_or_else(Tree::empty_map);
    let step: Step = match kind {
        "NamespaceTransformer" => Box::new(Namespace {
            namespace: decode::text(&metadata(), "namespace"),
            specs: specs(),
            unset_only: decode::flag(config, "unsetOnly"),
            subjects: Subjects::from_config(&decode::text(config, "setRoleBindingSubjects"))?,
        }),
        "PrefixTransformer" => affix(End::Prefix, config)?,
        "SuffixTransformer" => affix(End::Suffix, config)?,
        "PrefixSuffixTransformer" => return Ok(vec![affix(End::Prefix, config)?, affix(End::Suffix, config)?]),
        "LabelTransformer" => Box::new(Entries { pairs: decode::sorted_pairs(config, "labels"), specs: specs() }),
        "AnnotationsTransformer" => {
            Box::new(Entries { pairs: decode::sorted_pairs(config, "annotations"), specs: specs() })
        }
        "ImageTagTransformer" => Box::new(Image::from_config(&record("imageTag"), specs())?),
        "ReplicaCountTransformer" => Box::new(Replicas::from_config(&record("replica"), specs())),
        "ValueAddTransformer" => Box::new(ValueAdd::from_config(config, context)?),
        "HashTransformer" => Box::new(HashSuffix),
        _ => return super::patching::transformers(kind, config, context),
    };
    Ok(vec![step])
}

fn affix(end: End, config: &Tree) -> Result<Step> {
    if config.get("fieldSpecs").is_none() {
        let message = "`fieldSpecs` of a prefix or suffix transformer must not be missing";
        return Err(Box::new(Diagnostic::input("kustomize-plugin-config", message)));
    }
    let text = decode::text(config, if end == End::Prefix { "prefix" } else { "suffix" });
    let specs = decode::items(config, "fieldSpecs").iter().map(FieldSpec::from_config).collect();
    Ok(Box::new(Affix { end, text, specs }))
}

/// The object that a generator plugin other than a chart's makes; nothing for a kind that is no generator.
pub(crate) fn generated(kind: &str, config: &Tree, context: &Context<'_>, origin: Arc<Origin>) -> Result<Option<Resource>> {
    let made = match kind {
        "ConfigMapGenerator" => generators::Kind::ConfigMap,
        "SecretGenerator" => generators::Kind::Secret,
        "IAMPolicyGenerator" => return generators::iam_policy(config, origin).map(Some),
        _ => return Ok(None),
    };
    generators::generate(made, config, &Tree::null(), context.loader, origin).map(Some)
}
