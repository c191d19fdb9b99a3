//! Rules for ConfigMaps, Secrets, access rules and custom kinds' definitions.
//!
//! In: values of the definitions that each function is named for. Out: findings, as the API server has faults.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names;
use super::walk::{Walk, short};

/// Most bytes of a ConfigMap's or Secret's values.
const DATA_BYTES_MAX: usize = 1 << 20;

fn items<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value[field].as_array().into_iter().flatten()
}

/// Keys have a form and stand once; a Secret has what its type promises.
pub(super) fn data(walk: &mut Walk<'_>, definition: &str, value: &Value) {
    let mut seen = BTreeSet::new();
    let mut bytes = 0;
    let secret = definition == "core.Secret";
    let groups: &[&str] = if secret { &["data", "stringData"] } else { &["data", "binaryData"] };
    for group in groups {
        for (key, value) in value[*group].as_object().into_iter().flatten() {
            if let Some(fault) = names::config_key(key) {
                walk.found_at(&[group, key], "schema-format", format!("the key `{}` {fault}", short(key)));
            }
            if !seen.insert(key) && !secret {
                walk.found_at(&[group, key], "schema-duplicate", format!("the key `{}` stands in `data` too", short(key)));
            }
            bytes += value.as_str().map_or(0, |text| {
                if *group == "binaryData" || (secret && *group == "data") { text.len() / 4 * 3 } else { text.len() }
            });
        }
    }
    if bytes > DATA_BYTES_MAX {
        walk.found("schema-bounds", format!("has {bytes} bytes of data, and must have at most {DATA_BYTES_MAX}"));
    }
    if secret {
        let needs: &[&str] = match value["type"].as_str().unwrap_or_default() {
            "kubernetes.io/tls" => &["tls.crt", "tls.key"],
            "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
            "kubernetes.io/dockercfg" => &[".dockercfg"],
            "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
            _ => &[],
        };
        for key in needs.iter().filter(|key| value["data"][**key].is_null() && value["stringData"][**key].is_null()) {
            walk.found("schema-required", format!("lacks the key `{key}`, which its type needs"));
        }
    }
}

/// Rules, subjects and references of roles.
pub(super) fn access(walk: &mut Walk<'_>, definition: &str, value: &Value) {
    let text = |field: &str| value[field].as_str().unwrap_or_default();
    let some = |field: &str| items(value, field).next().is_some();
    match definition {
        "rbac.PolicyRule" => match (some("nonResourceURLs"), some("resources") || some("apiGroups")) {
            (true, true) => walk.found("schema-conflict", "has both resources and `nonResourceURLs`"),
            (true, false) => {}
            (false, _) if !some("apiGroups") => walk.found("schema-required", "lacks `apiGroups`, which is required"),
            (false, _) if !some("resources") => walk.found("schema-required", "lacks `resources`, which is required"),
            _ => {}
        },
        "rbac.Subject" => match text("kind") {
            "ServiceAccount" if text("namespace").is_empty() => {
                walk.found("schema-required", "lacks `namespace`, which a ServiceAccount needs");
            }
            "ServiceAccount" if !text("apiGroup").is_empty() => {
                walk.found_at(&["apiGroup"], "schema-enum", "must be empty for a ServiceAccount");
            }
            "User" | "Group" if !matches!(text("apiGroup"), "" | "rbac.authorization.k8s.io") => {
                walk.found_at(&["apiGroup"], "schema-enum", "must be `rbac.authorization.k8s.io`");
            }
            "User" | "Group" | "ServiceAccount" => {}
            other => {
                let message = format!("is `{}`, and must be `User`, `Group` or `ServiceAccount`", short(other));
                walk.found_at(&["kind"], "schema-enum", message);
            }
        },
        _ => {
            if !matches!(text("apiGroup"), "" | "rbac.authorization.k8s.io") {
                walk.found_at(&["apiGroup"], "schema-enum", "must be `rbac.authorization.k8s.io`");
            }
        }
    }
}

/// One version of a custom kind is stored, and its scope is known.
pub(super) fn definition(walk: &mut Walk<'_>, spec: &Value) {
    if !matches!(spec["scope"].as_str(), Some("Namespaced" | "Cluster")) {
        walk.found_at(&["scope"], "schema-enum", "must be `Namespaced` or `Cluster`");
    }
    let stored = items(spec, "versions").filter(|version| version["storage"] == true).count();
    if stored != 1 && spec["versions"].is_array() {
        walk.found_at(&["versions"], "schema-conflict", format!("{stored} versions are stored, and one must be"));
    }
    for (at, version) in items(spec, "versions").enumerate() {
        let name = version["name"].as_str().unwrap_or_default();
        if let Some(fault) = names::dns_1035(name) {
            walk.found_at(&["versions", &at.to_string(), "name"], "schema-format", format!("`{}` {fault}", short(name)));
        }
    }
}
