//! Which patch and replacement plugins there are.

use super::patches::{JsonPatches, MergePatches, Patch};
use super::plugins::Step;
use super::replacements::Replacements;
use super::transformer::Context;
use crate::diag::{Diagnostic, Result, did_you_mean};
use crate::value::Tree;

/// Kinds of builtin transformer plugins.
const KINDS: &[&str] = &[
    "AnnotationsTransformer",
    "HashTransformer",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// The steps of a transformer plugin that changes objects by patches or replacements.
pub(crate) fn transformers(kind: &str, config: &Tree, context: &Context<'_>) -> Result<Vec<Step>> {
    let step: Step = match kind {
        "PatchTransformer" => Box::new(Patch::from_config(config, context)?),
        "PatchStrategicMergeTransformer" => Box::new(MergePatches::from_config(config, context)?),
        "PatchJson6902Transformer" => Box::new(JsonPatches::from_config(config, context)?),
        "ReplacementTransformer" => Box::new(Replacements::from_config(config, context)?),
        _ => return Err(unknown(kind)),
    };
    Ok(vec![step])
}

fn unknown(kind: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::input("kustomize-plugin-unknown", format!("`{kind}` is no builtin transformer"));
    Box::new(match did_you_mean(kind, KINDS.iter().copied()) {
        Some(near) => fault.hint(format!("use `{near}`")),
        None => fault,
    })
}
