//! Which objects a constraint is about: `spec.match`.
//!
//! In: the match and an object under review. Out: whether it matches, or why that cannot be said. Without a field, everything matches.

use serde_json::Value;

use super::Review;
use crate::check::matching::selects;
use crate::check::policy::review::{is_namespace, kind_of, name, namespace};

/// True if all that the match names holds of the object.
pub(super) fn matches(row: &Value, review: &Review<'_>) -> Result<bool, String> {
    if !row.is_object() {
        return Ok(true);
    }
    let object = review.object;
    let quick = source(row, review)
        && kinds(row, object)
        && scope(row, review)
        && namespaces(row, "namespaces", review).unwrap_or(true)
        && !namespaces(row, "excludedNamespaces", review).unwrap_or(false)
        && named(row, object);
    if !quick {
        return Ok(false);
    }
    let labels = row["labelSelector"].is_null() || selects(&row["labelSelector"], &object["metadata"]["labels"]);
    Ok(labels && namespace_selector(row, review)?)
}

fn source(row: &Value, review: &Review<'_>) -> bool {
    match row["source"].as_str().unwrap_or("All") {
        "Original" => !review.generated,
        "Generated" => review.generated,
        _ => true,
    }
}

fn kinds(row: &Value, object: &Value) -> bool {
    let (group, _, kind) = kind_of(object);
    let within = |list: &Value, text: &str| {
        list.as_array().is_none_or(|all| all.is_empty() || all.iter().any(|one| one == "*" || one == text))
    };
    row["kinds"].as_array().is_none_or(|rows| {
        rows.is_empty() || rows.iter().any(|row| within(&row["kinds"], kind) && within(&row["apiGroups"], group))
    })
}

fn scope(row: &Value, review: &Review<'_>) -> bool {
    let inside = !namespace(review.object).is_empty() || review.namespace.is_some();
    match row["scope"].as_str().unwrap_or_default() {
        "Cluster" => is_namespace(review.object) || !inside,
        "Namespaced" => !is_namespace(review.object) && inside,
        _ => true,
    }
}

/// Whether a list of namespaces has the object's; nothing where there is no list, or the object is outside of namespaces.
fn namespaces(row: &Value, field: &str, review: &Review<'_>) -> Option<bool> {
    let patterns = row[field].as_array().filter(|list| !list.is_empty())?;
    let own = match (is_namespace(review.object), &review.namespace) {
        (true, _) => name(review.object),
        (false, Some(namespace)) => name(namespace),
        (false, None) => namespace(review.object),
    };
    if own.is_empty() {
        return None;
    }
    Some(patterns.iter().filter_map(Value::as_str).any(|pattern| wildcard(pattern, own)))
}

fn named(row: &Value, object: &Value) -> bool {
    let pattern = row["name"].as_str().unwrap_or_default();
    let prefix = object["metadata"]["generateName"].as_str().unwrap_or_default();
    // a name that is still to be made fits what ends in a star
    pattern.is_empty() || wildcard(pattern, name(object)) || (!prefix.is_empty() && pattern.ends_with('*') && wildcard(pattern, prefix))
}

/// A star at either end stands for anything, nowhere else.
fn wildcard(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) if pattern.len() > 1 => text.contains(&pattern[1..pattern.len() - 1]),
        (Some(end), _) => text.ends_with(end),
        (_, Some(start)) => text.starts_with(start),
        _ => pattern == text,
    }
}

fn namespace_selector(row: &Value, review: &Review<'_>) -> Result<bool, String> {
    let selector = &row["namespaceSelector"];
    if selector.is_null() {
        return Ok(true);
    }
    if is_namespace(review.object) {
        return Ok(selects(selector, &review.object["metadata"]["labels"]));
    }
    match &review.namespace {
        Some(namespace) => Ok(selects(selector, &namespace["metadata"]["labels"])),
        None if namespace(review.object).is_empty() => Ok(true),
        None => Err(format!("its namespaceSelector needs the Namespace `{}`, which the set lacks", namespace(review.object))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(row: Value, object: &Value) -> bool {
        let review = Review { object, request: std::cell::OnceCell::new(), namespace: None, generated: false };
        matches(&row, &review).expect("it can be said")
    }

    #[test]
    fn a_match_is_about_kind_scope_namespace_name_and_labels() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop-a", "labels": {"app": "web"}}});
        let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}});
        assert!(holds(json!({}), &pod) && holds(Value::Null, &pod));
        assert!(holds(json!({"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}), &pod));
        assert!(!holds(json!({"kinds": [{"apiGroups": ["apps"], "kinds": ["*"]}]}), &pod));
        assert!(holds(json!({"namespaces": ["shop-*"]}), &pod) && !holds(json!({"namespaces": ["*-b"]}), &pod));
        assert!(!holds(json!({"excludedNamespaces": ["*hop*"]}), &pod) && !holds(json!({"excludedNamespaces": ["kube-*"]}), &space));
        assert!(holds(json!({"scope": "Cluster"}), &space) && !holds(json!({"scope": "Cluster"}), &pod));
        assert!(holds(json!({"name": "web-*"}), &pod) && !holds(json!({"name": "web"}), &pod));
        assert!(!holds(json!({"labelSelector": {"matchLabels": {"app": "db"}}}), &pod));
        let review = Review { object: &pod, request: std::cell::OnceCell::new(), namespace: None, generated: false };
        assert!(matches(&json!({"namespaceSelector": {}}), &review).is_err(), "the set has no such Namespace");
        assert!(!matches(&json!({"source": "Generated"}), &review).expect("it can be said"));
    }
}
