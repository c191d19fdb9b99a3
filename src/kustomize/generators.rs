//! ConfigMaps and Secrets made from literals, env files and files.
//!
//! In: one entry of `configMapGenerator` or `secretGenerator` (or a plugin file of that kind), shaped. Out: the object,
//! with what its generator wants done about one of the same identity.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;

use super::decode;
use super::kv;
use super::loader::Loader;
use super::resource::{Behavior, Resource};
use crate::diag::{Diagnostic, Result};
use crate::manifest::Origin;
use crate::value::{Map, Text, Tree};

/// How many characters of base64 stand on one line.
const BASE64_LINE: usize = 70;

/// Which kind of object a generator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

/// Makes the object of one entry. `global` is `generatorOptions`, null where there is none.
pub(crate) fn generate(
    kind: Kind,
    config: &Tree,
    global: &Tree,
    loader: &Loader<'_>,
    origin: Arc<Origin>,
) -> Result<Resource> {
    let metadata = config.get("metadata").cloned().unwrap_or_else(Tree::null);
    let or_metadata = |field: &str| match decode::text(config, field) {
        text if text.is_empty() => decode::text(&metadata, field),
        text => text,
    };
    let name = or_metadata("name");
    if name.is_empty() {
        let what = if kind == Kind::ConfigMap { "configmap" } else { "secret" };
        return Err(refuse("kustomize-generator-name", format!("a generated {what} must have a name")));
    }
    let local = config.get("options").cloned().unwrap_or_else(Tree::null);
    let options = [&local, global];
    let mut object = Map::new();
    object.set("apiVersion", Tree::str("v1"));
    object.set("kind", Tree::str(if kind == Kind::ConfigMap { "ConfigMap" } else { "Secret" }));
    object.set("metadata", Tree::map(make_metadata(&name, &or_metadata("namespace"), &options)));
    if kind == Kind::Secret {
        let kind = decode::text(config, "type");
        object.set("type", Tree::str(if kind.is_empty() { "Opaque".into() } else { kind }));
    }
    fill(&mut object, kind, kv::load(config, loader)?, &name)?;
    if options.iter().any(|options| decode::flag(options, "immutable")) {
        object.set("immutable", Tree::bool(true));
    }
    let mut resource = Resource::new(Tree::map(object), origin);
    resource.generated = true;
    resource.needs_hash = !options.iter().any(|options| decode::flag(options, "disableNameSuffixHash"));
    resource.behavior = behavior(&decode::text(config, "behavior"));
    Ok(resource)
}

fn make_metadata(name: &Text, namespace: &Text, options: &[&Tree; 2]) -> Map {
    let mut metadata = Map::new();
    metadata.set("name", Tree::str(name.clone()));
    if !namespace.is_empty() {
        metadata.set("namespace", Tree::str(namespace.clone()));
    }
    for field in ["labels", "annotations"] {
        // What the entry says wins over what the kustomization says for all.
        let pairs: BTreeMap<Text, Text> =
            options.iter().rev().flat_map(|options| decode::sorted_pairs(options, field)).collect();
        if !pairs.is_empty() {
            metadata.set(field, Tree::map(pairs.into_iter().map(|(key, text)| (key, Tree::str(text))).collect()));
        }
    }
    metadata
}

fn fill(object: &mut Map, kind: Kind, pairs: Vec<kv::Pair>, name: &str) -> Result<()> {
    let mut sorted: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (key, value) in pairs {
        if sorted.insert(key.clone(), value).is_some() {
            let message = format!("generator of `{name}` illegally repeats the key `{key}`");
            return Err(refuse("kustomize-generator-key", message));
        }
    }
    if kind == Kind::Secret {
        object.set("data", Tree::empty_map());
    }
    for (key, bytes) in sorted {
        let (field, text) = match (kind, String::from_utf8(bytes)) {
            (Kind::ConfigMap, Ok(text)) => ("data", text),
            (Kind::ConfigMap, Err(fault)) => ("binaryData", base64(fault.as_bytes())),
            (Kind::Secret, Ok(text)) => ("data", base64(text.as_bytes())),
            (Kind::Secret, Err(fault)) => ("data", base64(fault.as_bytes())),
        };
        let data = object.or_set_with(field, Tree::empty_map);
        data.as_map_mut().expect("it was made as a map").set(key, Tree::str(text));
    }
    Ok(())
}

/// Base64 in lines; text that fits on one line has no line break.
fn base64(bytes: &[u8]) -> String {
    let plain = base64::engine::general_purpose::STANDARD.encode(bytes);
    if plain.len() < BASE64_LINE {
        return plain;
    }
    let mut lines = String::with_capacity(plain.len() + plain.len() / BASE64_LINE + 1);
    let mut rest = plain.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(BASE64_LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = more;
    }
    lines
}

/// What a generator's `behavior` says; kustomize takes unknown words for none.
fn behavior(word: &str) -> Behavior {
    match word {
        "create" => Behavior::Create,
        "replace" => Behavior::Replace,
        "merge" => Behavior::Merge,
        _ => Behavior::Unspecified,
    }
}

/// The account that `IAMPolicyGenerator` makes.
pub(crate) fn iam_policy(config: &Tree, origin: Arc<Origin>) -> Result<Resource> {
    let cloud = decode::text(config, "cloud");
    if cloud != "gke" {
        let message = format!("cloud provider `{cloud}` is not supported by IAMPolicyGenerator");
        return Err(refuse("kustomize-iam-cloud", message));
    }
    let field = |map: &str, field: &str| config.get(map).map(|map| decode::text(map, field)).unwrap_or_default();
    let account = format!(
        "{}@{}.iam.gserviceaccount.com",
        field("serviceAccount", "name"),
        field("serviceAccount", "projectId")
    );
    let mut metadata = Map::new();
    let annotations = Map::from_iter([("iam.gke.io/gcp-service-account".into(), Tree::str(account))]);
    metadata.set("annotations", Tree::map(annotations));
    metadata.set("name", Tree::str(field("kubernetesService", "name")));
    let namespace = field("kubernetesService", "namespace");
    if !namespace.is_empty() {
        metadata.set("namespace", Tree::str(namespace));
    }
    let object = Map::from_iter([
        ("apiVersion".into(), Tree::str("v1")),
        ("kind".into(), Tree::str("ServiceAccount")),
        ("metadata".into(), Tree::map(metadata)),
    ]);
    Ok(Resource::new(Tree::map(object), origin))
}

fn refuse(code: &'static str, message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input(code, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_breaks_at_seventy() {
        assert_eq!(base64(&[0; 51]).len(), 68);
        assert_eq!(base64(&[0; 54]), format!("{}\nAA\n", "A".repeat(70)));
    }
}
