//! Documents inside texts: the YAML and JSON that ConfigMaps and annotations carry.

use super::path::Format;
use crate::diag::SourceText;
use crate::value::Tree;
use crate::yaml::{self, Dialect};

/// Longest text that is read as a document, in bytes.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;

/// Two texts as documents.
pub(super) struct Documents {
    /// How they are written.
    pub(super) format: Format,
    /// The old one.
    pub(super) old: Tree,
    /// The new one.
    pub(super) new: Tree,
    /// Whatever reads the text surely reads it so: comments and layout mean nothing to it.
    pub(super) certain: bool,
}

/// Both texts as documents of one format, if that is what they are; `key` is the key that holds them.
pub(super) fn documents(key: &str, old: &str, new: &str) -> Option<Documents> {
    if old.len().max(new.len()) > DOCUMENT_BYTES_MAX {
        return None;
    }
    if let (Some(old), Some(new)) = (json(old), json(new)) {
        return Some(Documents { format: Format::Json, old, new, certain: true });
    }
    let certain = key.ends_with(".yaml") || key.ends_with(".yml");
    let many_lines = |text: &str| text.trim_end().contains('\n') && !text.starts_with("#!");
    if !(certain || many_lines(old) && many_lines(new)) {
        return None;
    }
    Some(Documents { format: Format::Yaml, old: yaml_map(old)?, new: yaml_map(new)?, certain })
}

fn json(text: &str) -> Option<Tree> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    // YAML reads more than JSON does, templates in braces for one
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    single(text)
}

/// A text of one YAML document that is a map or a list.
fn yaml_map(text: &str) -> Option<Tree> {
    // templates are no YAML, even where they happen to be read as such
    single(text).filter(|_| !text.contains("{{"))
}

fn single(text: &str) -> Option<Tree> {
    let pieces = yaml::parse_pieces(&SourceText::new("", text), Dialect::V3).ok()?;
    let [(tree, _)] = <[_; 1]>::try_from(pieces).ok()?;
    (!matches!(tree, Tree::Scalar(_))).then_some(tree)
}
