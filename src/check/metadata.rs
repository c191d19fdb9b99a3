//! `metadata`, which all kinds share: names, labels, annotations, owners, and the scope.
//!
//! In: an object as JSON and whether its kind lives in namespaces. Out: findings, as the API server has faults.

use serde_json::Value;

use super::facts::labels;
use super::names;
use super::walk::{Walk, short};

/// Most bytes of all annotations of an object.
const ANNOTATIONS_BYTES_MAX: usize = 256 << 10;

/// Checks the metadata of an object of a known scope.
pub(super) fn metadata(walk: &mut Walk<'_>, object: &Value, namespaced: Option<bool>) {
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default();
    let kind = object["kind"].as_str().unwrap_or_default();
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    name(walk, kind, api_version, text("name"), text("generateName"));
    let namespace = text("namespace");
    match namespaced {
        Some(false) if !namespace.is_empty() => {
            walk.found_at(&["metadata", "namespace"], "schema-scope", format!("must not stand: `{kind}` lives outside of namespaces"));
        }
        Some(_) => {
            if let Some(fault) = Some(namespace).filter(|text| !text.is_empty()).and_then(names::dns_label) {
                walk.found_at(&["metadata", "namespace"], "schema-name", format!("`{}` {fault}", short(namespace)));
            }
        }
        None => {}
    }
    labels(walk, &["metadata", "labels"], &metadata["labels"]);
    annotations(walk, &metadata["annotations"]);
    for (at, owner) in metadata["ownerReferences"].as_array().into_iter().flatten().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().is_none_or(str::is_empty) {
                let path = ["metadata", "ownerReferences", &at.to_string()];
                walk.found_at(&path, "schema-required", format!("lacks `{field}`, which is required"));
            }
        }
    }
    for (at, finalizer) in metadata["finalizers"].as_array().into_iter().flatten().enumerate() {
        if let Some((text, fault)) = finalizer.as_str().and_then(|text| Some((text, names::qualified(text)?))) {
            walk.found_at(&["metadata", "finalizers", &at.to_string()], "schema-name", format!("`{}` {fault}", short(text)));
        }
    }
}

fn annotations(walk: &mut Walk<'_>, annotations: &Value) {
    let mut bytes = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        bytes += key.len() + value.as_str().map_or(0, str::len);
        // a server reads keys of annotations without regard to case
        if let Some(fault) = names::qualified(&key.to_lowercase()) {
            walk.found_at(&["metadata", "annotations", key], "schema-label", format!("the key `{}` {fault}", short(key)));
        }
    }
    if bytes > ANNOTATIONS_BYTES_MAX {
        let message = format!("has {bytes} bytes, and must have at most {ANNOTATIONS_BYTES_MAX}");
        walk.found_at(&["metadata", "annotations"], "schema-bounds", message);
    }
}

fn name(walk: &mut Walk<'_>, kind: &str, api_version: &str, name: &str, prefix: &str) {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let form: fn(&str) -> Option<&'static str> = match (group, kind) {
        ("", "Namespace") => names::dns_label,
        ("", "Service") => names::dns_1035,
        ("rbac.authorization.k8s.io" | "flowcontrol.apiserver.k8s.io" | "apiregistration.k8s.io" | "policy", _) => {
            names::path_segment
        }
        _ => names::dns_subdomain,
    };
    if name.is_empty() {
        // a prefix becomes a name with a few letters more
        if let Some(fault) = Some(prefix).filter(|text| !text.is_empty()).and_then(|text| form(&format!("{text}x"))) {
            walk.found_at(&["metadata", "generateName"], "schema-name", format!("`{}` {fault}", short(prefix)));
        }
        return;
    }
    if let Some(fault) = form(name) {
        walk.found_at(&["metadata", "name"], "schema-name", format!("`{}` {fault}", short(name)));
    }
    if kind == "CronJob" && name.len() > 52 {
        walk.found_at(&["metadata", "name"], "schema-name", "must be no more than 52 characters, for the jobs' names");
    }
}
