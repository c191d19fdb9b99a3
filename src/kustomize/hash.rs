//! The hash that generated ConfigMaps and Secrets carry at the end of their names.

use sha2::{Digest as _, Sha256};

use super::resmap::ResMap;
use super::resource::Resource;
use super::transformer::{Context, Transformer};
use crate::diag::{Diagnostic, Result, Warnings};
use crate::value::{Kind, Map, Scalar, Tree};
use crate::yaml;

/// How many letters of the hash a name gets.
const LETTERS: usize = 10;

/// Adds the hash to the name of every object that wants one.
pub(crate) struct HashSuffix;

impl Transformer for HashSuffix {
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        if !resources.iter().any(|resource| resource.needs_hash) {
            return Ok(());
        }
        for resource in resources.iter_mut().filter(|resource| resource.needs_hash) {
            let name = format!("{}-{}", resource.name(), hash(resource)?);
            resource.store_previous_id(context.scopes());
            resource.set_name(&name);
        }
        Ok(())
    }
}

/// The hash of an object's content. The name is no part of it: kustomize looks it up under a field that never exists.
fn hash(resource: &Resource) -> Result<String> {
    let kind = resource.kind();
    let fields: &[&str] = match kind.as_str() {
        "ConfigMap" => &["data"],
        "Secret" => &["data", "type"],
        _ => {
            let message = format!("cannot hash an object of kind `{kind}`");
            return Err(Box::new(Diagnostic::input("kustomize-hash-kind", message)));
        }
    };
    let optional = if kind == "ConfigMap" { "binaryData" } else { "stringData" };
    let mut hashed = Map::new();
    hashed.set("kind", Tree::str(kind));
    hashed.set("name", Tree::str(""));
    for field in fields {
        let text = |tree: &Tree| tree.as_scalar().map(|scalar| Tree::str(scalar.text.clone()));
        let value = resource.tree.get(field).map(|tree| text(tree).unwrap_or_else(|| tree.clone()));
        hashed.set(*field, value.unwrap_or_else(|| Tree::str("")));
    }
    if let Some(value) = resource.tree.get(optional).filter(|tree| tree.as_map().is_some()) {
        hashed.set(optional, value.clone());
    }
    let text = yaml::to_json(&through_floats(&Tree::map(hashed)));
    Ok(letters(&Sha256::digest(text.as_bytes())))
}

/// Integers as floats: kustomize writes the data as JSON, reads it, and writes it again.
fn through_floats(tree: &Tree) -> Tree {
    match tree {
        Tree::Scalar(scalar) if scalar.kind == Kind::Int => Tree::Scalar(Scalar { kind: Kind::Float, ..scalar.clone() }),
        Tree::Scalar(_) => tree.clone(),
        Tree::List(items) => Tree::list(items.iter().map(through_floats).collect()),
        Tree::Map(map) => Tree::map(map.iter().map(|(key, value)| (key.clone(), through_floats(value))).collect()),
    }
}

/// The first letters of a digest in hexadecimal, without digits and vowels that could make words.
fn letters(digest: &[u8]) -> String {
    let hex = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).take(LETTERS);
    hex.map(|digit| char::from(b"gh2k456789mbcdtf"[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_leave_out_what_could_make_words() {
        assert_eq!(letters(&[0x01, 0x23, 0xab, 0xcd, 0xef, 0x99]), "gh2kmbcdtf");
    }
}
