//! Which patch, replacement and value plugins there are.

use super::plugins::Step;
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

/// The steps of a transformer plugin that changes objects by patches.
pub(crate) fn transformers(kind: &str, _config: &Tree, _context: &Context<'_>) -> Result<Vec<Step>> {
    let message = format!("`{kind}` is no builtin transformer");
    let fault = Diagnostic::input("kustomize-plugin-unknown", message);
    Err(Box::new(match did_you_mean(kind, KINDS.iter().copied()) {
        Some(near) => fault.hint(format!("use `{near}`")),
        None => fault,
    }))
}
