//! The fields of a kustomization as generators and transformers, in the order in which kustomize runs them.

use std::sync::Arc;

use super::affix::{Affix, End};
use super::config::{Config, Use};
use super::decode;
use super::fieldspec::{self, FieldSpec};
use super::generators::{self, Kind};
use super::images::Image;
use super::kustomization::Kustomization;
use super::metadata::Entries;
use super::namespace::{Namespace, Subjects};
use super::patching;
use super::plugins::Step;
use super::replicas::Replicas;
use super::resid::Gvk;
use super::resource::{BuildOrigin, Resource};
use super::target::Target;
use super::transformer::Context;
use crate::diag::{Diagnostic, Result, did_you_mean};
use crate::manifest::Origin;
use crate::value::{Map, Tree};

/// Steps that count as one for `buildMetadata`.
pub(crate) struct Configured {
    /// The steps, in order.
    pub(crate) steps: Vec<Step>,
    /// What they are recorded as; nothing unless `buildMetadata` asks.
    pub(crate) origin: Option<Arc<BuildOrigin>>,
    /// What a fault is said to be in.
    pub(crate) place: String,
}

/// Makes what `configMapGenerator` and `secretGenerator` say.
pub(crate) fn field_generators(target: &Target<'_>, context: &Context<'_>, made: &mut Vec<Resource>) -> Result<()> {
    let global = target.kustomization.field("generatorOptions");
    for (field, kind, plugin) in [
        ("configMapGenerator", Kind::ConfigMap, "ConfigMapGenerator"),
        ("secretGenerator", Kind::Secret, "SecretGenerator"),
    ] {
        let origin = Arc::new(Origin {
            file: target.kustomization.source.name().into(),
            bases: target.bases.clone(),
            ..Origin::default()
        });
        for entry in target.kustomization.items(field) {
            let mut one = generators::generate(kind, entry, &global, context.loader, Arc::clone(&origin))
                .map_err(|fault| Box::new(fault.trail(format!("in `{field}` of `{}`", origin.file), None)))?;
            one.build_origin = target.origin_of_field(plugin);
            made.push(one);
        }
    }
    Ok(())
}

/// The transformers of a kustomization's fields.
pub(crate) fn field_transformers(
    target: &Target<'_>,
    config: &Config,
    context: &Context<'_>,
) -> Result<Vec<Configured>> {
    let mut all = Vec::new();
    let fields = &target.kustomization;
    let mut add = |plugin: &str, field: &str, steps: Vec<Step>| {
        let place = format!("`{field}` of `{}`", fields.source.name());
        all.push(Configured { steps, origin: target.origin_of_field(plugin), place });
    };
    let of_patches = |plugin: &str, config: &Tree| {
        patching::transformers(plugin, config, context)
            .map_err(|fault| Box::new(fault.trail(format!("in `{}`", fields.source.name()), None)))
    };
    if !fields.items("patchesStrategicMerge").is_empty() {
        let plugin = "PatchStrategicMergeTransformer";
        let paths = record("paths", fields.field("patchesStrategicMerge"));
        add(plugin, "patchesStrategicMerge", of_patches(plugin, &paths)?);
    }
    for (index, patch) in fields.items("patches").iter().enumerate() {
        check_options(patch, context, fields)?;
        add("PatchTransformer", &format!("patches[{index}]"), of_patches("PatchTransformer", patch)?);
    }
    let namespace = fields.text("namespace");
    if !namespace.is_empty() {
        let (specs, subjects) = (config.specs(Use::Namespace).to_vec(), Subjects::Default);
        add("NamespaceTransformer", "namespace", vec![Box::new(Namespace { namespace, specs, unset_only: false, subjects })]);
    }
    for (field, end, plugin, specs) in [
        ("namePrefix", End::Prefix, "PrefixTransformer", config.specs(Use::NamePrefix)),
        ("nameSuffix", End::Suffix, "SuffixTransformer", config.specs(Use::NameSuffix)),
    ] {
        let text = fields.text(field);
        if !text.is_empty() {
            add(plugin, field, vec![Box::new(Affix { end, text, specs: specs.to_vec() })]);
        }
    }
    let labels = fields.items("labels");
    let common = decode::sorted_pairs(&fields.fields, "commonLabels");
    if !labels.is_empty() || !common.is_empty() {
        for label in labels {
            let pairs = decode::sorted_pairs(label, "pairs");
            let step = Entries { pairs, specs: label_specs(label, config)? };
            add("LabelTransformer", "labels", vec![Box::new(step)]);
        }
        // kustomize adds this one even without `commonLabels`, and `buildMetadata` shows it.
        let step = Entries { pairs: common, specs: config.specs(Use::CommonLabels).to_vec() };
        add("LabelTransformer", "commonLabels", vec![Box::new(step)]);
    }
    let annotations = decode::sorted_pairs(&fields.fields, "commonAnnotations");
    if !annotations.is_empty() {
        let step = Entries { pairs: annotations, specs: config.specs(Use::CommonAnnotations).to_vec() };
        add("AnnotationsTransformer", "commonAnnotations", vec![Box::new(step)]);
    }
    for (index, patch) in fields.items("patchesJson6902").iter().enumerate() {
        let mut config = patch.as_map().cloned().unwrap_or_default();
        if let Some(operations) = config.remove("patch") {
            config.set("jsonOp", operations);
        }
        let steps = of_patches("PatchJson6902Transformer", &Tree::map(config))?;
        add("PatchJson6902Transformer", &format!("patchesJson6902[{index}]"), steps);
    }
    for replica in fields.items("replicas") {
        let step = Replicas::from_config(replica, config.specs(Use::Replicas).to_vec());
        add("ReplicaCountTransformer", "replicas", vec![Box::new(step)]);
    }
    for image in fields.items("images") {
        let step = Image::from_config(image, config.specs(Use::Images).to_vec())?;
        add("ImageTagTransformer", "images", vec![Box::new(step)]);
    }
    if !fields.items("replacements").is_empty() {
        let plugin = "ReplacementTransformer";
        let list = record("replacements", fields.field("replacements"));
        add(plugin, "replacements", of_patches(plugin, &list)?);
    }
    Ok(all)
}

/// Refuses options of a patch that the profile does not know. Only kustomizations are read that strictly.
fn check_options(patch: &Tree, context: &Context<'_>, fields: &Kustomization) -> Result<()> {
    const KNOWN: [&str; 2] = ["allowNameChange", "allowKindChange"];
    let options = patch.get("options").and_then(Tree::as_map).filter(|_| context.profile.patch_options_are_known());
    let Some((unknown, _)) = options.and_then(|options| {
        options.iter().find(|(key, _)| !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(key)))
    }) else {
        return Ok(());
    };
    let message = format!("unknown field `{unknown}` in the `options` of a patch of `{}`", fields.source.name());
    let near = did_you_mean(unknown, KNOWN).unwrap_or("allowNameChange` or `allowKindChange");
    Err(Box::new(Diagnostic::input("kustomize-kustomization", message).hint(format!("use `{near}`"))))
}

fn record(field: &str, value: Tree) -> Tree {
    Tree::map(Map::from_iter([(field.into(), value)]))
}

/// The fields that one entry of `labels` reaches.
fn label_specs(label: &Tree, config: &Config) -> Result<Vec<FieldSpec>> {
    let mut specs: Vec<FieldSpec> = decode::items(label, "fields").iter().map(FieldSpec::from_config).collect();
    fieldspec::merge_all(&mut specs, config.specs(Use::Labels))?;
    if decode::flag(label, "includeSelectors") {
        fieldspec::merge_all(&mut specs, config.specs(Use::CommonLabels))?;
        return Ok(specs);
    }
    if decode::flag(label, "includeTemplates") {
        fieldspec::merge_all(&mut specs, config.specs(Use::TemplateLabels))?;
    }
    fieldspec::merge_one(&mut specs, &FieldSpec::new(Gvk::default(), "metadata/labels", true))?;
    Ok(specs)
}
