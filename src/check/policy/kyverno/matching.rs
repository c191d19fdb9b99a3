//! Which objects a rule is about: `match` and `exclude`.

use serde_json::Value;

use crate::check::matching::{glob, selects};
use crate::check::policy::review::{is_namespace, kind_of, name, namespace};

/// True if a rule is about the creation of an object.
pub(super) fn applies(rule: &Value, object: &Value, space: Option<&Value>) -> bool {
    block(&rule["match"], object, space) && !(rule["exclude"].is_object() && excluded(&rule["exclude"], object, space))
}

fn filters(block: &Value) -> (Vec<&Value>, bool) {
    if let Some(any) = block["any"].as_array() {
        (any.iter().collect(), true)
    } else if let Some(all) = block["all"].as_array() {
        (all.iter().collect(), false)
    } else {
        (vec![block], true)
    }
}

fn block(block: &Value, object: &Value, space: Option<&Value>) -> bool {
    let (rows, any) = filters(block);
    if any { rows.iter().any(|row| filter(row, object, space)) } else { rows.iter().all(|row| filter(row, object, space)) }
}

/// An exclusion that says nothing but users leaves nobody out here.
fn excluded(exclude: &Value, object: &Value, space: Option<&Value>) -> bool {
    let (rows, any) = filters(exclude);
    let said = |row: &&&Value| row["resources"].as_object().is_some_and(|map| !map.is_empty()) && !by_user(row);
    let mut rows = rows.iter().filter(said).peekable();
    if rows.peek().is_none() {
        return false;
    }
    if any { rows.any(|row| filter(row, object, space)) } else { rows.all(|row| filter(row, object, space)) }
}

fn by_user(row: &Value) -> bool {
    ["subjects", "roles", "clusterRoles"].iter().any(|field| row[*field].as_array().is_some_and(|list| !list.is_empty()))
}

/// The field of `match` that asks for a user.
pub(super) fn unevaluated(rule: &Value) -> Option<&'static str> {
    let (rows, _) = filters(&rule["match"]);
    ["subjects", "roles", "clusterRoles"].into_iter().find(|field| rows.iter().any(|row| row[*field].as_array().is_some_and(|list| !list.is_empty())))
}

/// True for a rule about Pods alone, that neither names nor selects them.
pub(super) fn about_pods_alone(rule: &Value) -> bool {
    let plain = |block: &Value| {
        let (rows, _) = filters(block);
        rows.iter().all(|row| {
            let resources = &row["resources"];
            let kinds: Vec<&str> = resources["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let pods = kinds.iter().all(|kind| matches!(*kind, "Pod" | "v1/Pod" | "*/Pod"));
            let bare = ["name", "names", "selector", "annotations"].iter().all(|field| resources[*field].is_null());
            pods && bare
        })
    };
    let (rows, _) = filters(&rule["match"]);
    let named = rows.iter().any(|row| row["resources"]["kinds"].as_array().is_some_and(|kinds| !kinds.is_empty()));
    named && plain(&rule["match"]) && (rule["exclude"].is_null() || plain(&rule["exclude"]))
}

fn filter(row: &Value, object: &Value, space: Option<&Value>) -> bool {
    let resources = &row["resources"];
    let list = |field: &str| resources[field].as_array().filter(|list| !list.is_empty());
    let some = |field: &str, fits: &dyn Fn(&str) -> bool| list(field).is_none_or(|all| all.iter().filter_map(Value::as_str).any(fits));
    let own = if is_namespace(object) { name(object) } else { namespace(object) };
    let own_name = Some(name(object)).filter(|text| !text.is_empty()).or(object["metadata"]["generateName"].as_str()).unwrap_or_default();
    some("kinds", &|kind| is_kind(kind, object))
        && some("names", &|pattern| glob(pattern, own_name))
        && resources["name"].as_str().is_none_or(|pattern| glob(pattern, own_name))
        && some("namespaces", &|pattern| glob(pattern, own))
        && some("operations", &|operation| operation == "CREATE")
        && annotated(&resources["annotations"], &object["metadata"]["annotations"])
        && (resources["selector"].is_null() || selects_glob(&resources["selector"], &object["metadata"]["labels"]))
        && (resources["namespaceSelector"].is_null() || spaced(&resources["namespaceSelector"], object, space))
}

fn spaced(selector: &Value, object: &Value, space: Option<&Value>) -> bool {
    match (is_namespace(object), space) {
        (true, _) => selects_glob(selector, &object["metadata"]["labels"]),
        (false, Some(space)) => selects_glob(selector, &space["metadata"]["labels"]),
        (false, None) => false,
    }
}

fn annotated(wanted: &Value, annotations: &Value) -> bool {
    wanted.as_object().is_none_or(|wanted| {
        wanted.iter().all(|(pattern, value)| {
            annotations.as_object().into_iter().flatten().any(|(key, text)| {
                glob(pattern, key) && glob(value.as_str().unwrap_or_default(), text.as_str().unwrap_or_default())
            })
        })
    })
}

/// As a label selector, with globs in `matchLabels`.
fn selects_glob(selector: &Value, labels: &Value) -> bool {
    let globs = selector["matchLabels"].as_object().is_none_or(|wanted| {
        wanted.iter().all(|(pattern, value)| {
            labels.as_object().into_iter().flatten().any(|(key, text)| {
                glob(pattern, key) && glob(value.as_str().unwrap_or_default(), text.as_str().unwrap_or_default())
            })
        })
    });
    globs && selects(&serde_json::json!({ "matchExpressions": selector["matchExpressions"] }), labels)
}

/// `Kind`, `version/Kind`, `group/version/Kind`, `group/*/Kind`, with `/subresource` or `.subresource` behind, and stars.
fn is_kind(pattern: &str, object: &Value) -> bool {
    let (group, version, kind) = kind_of(object);
    let parts: Vec<&str> = pattern.split('/').collect();
    let upper = |text: &str| text == "*" || text.starts_with(|first: char| first.is_ascii_uppercase() || first == '*');
    let is_version = |text: &str| text == "*" || (text.starts_with('v') && text[1..].starts_with(|first: char| first.is_ascii_digit()));
    let fits = |g: &str, v: &str, k: &str| glob(g, group) && glob(v, version) && glob(k, kind);
    match parts[..] {
        [k] => fits("*", "*", k),
        // `Pod/exec` is a subresource, which nobody creates in a set
        [first, second] if upper(first) && first != "*" && !upper(second) => false,
        [v, k] if is_version(v) => fits("*", v, k),
        [g, k] if upper(k) => fits(g, "*", k),
        [g, v, k] if upper(k) => fits(g, v, k),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_may_name_groups_and_versions() {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment"});
        for pattern in ["Deployment", "apps/v1/Deployment", "apps/*/Deployment", "*", "*/*", "Deploy*", "v1/Deployment"] {
            assert!(is_kind(pattern, &object), "{pattern}");
        }
        for pattern in ["Pod", "batch/v1/Deployment", "Deployment/scale"] {
            assert!(!is_kind(pattern, &object), "{pattern}");
        }
    }
}
