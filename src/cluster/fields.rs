//! Proof that applying an object would change nothing, from the object as it stands.
//!
//! The server's own record (`managedFields`) says which fields our last apply set. The proof holds if those are exactly
//! the fields of the object to apply, and each has its value. Where the server wrote a value in other words than the
//! source (`1000m` for `1`, `stringData` for `data`), or a default stands inside a list that is owned whole, there is no
//! proof, and the object is applied: the server then finds for itself that nothing changes. So a doubt costs a request,
//! never a wrong answer.

use std::hash::{Hash as _, Hasher as _};

use serde_json::{Map, Value};

use super::FIELD_MANAGER;
use super::owner::{OWNING_INVENTORY, PART_OF};

/// Metadata that names the object; servers do not record who set it.
const IDENTITY: [&str; 2] = ["name", "namespace"];

/// True if `live` provably is what applying `desired` (marks included) would make of it.
pub(super) fn is_current(desired: &Value, live: &Value) -> bool {
    let Some(desired) = desired.as_object() else { return false };
    let Some(owned) = our_fields(desired, live) else { return false };
    let spoken = desired.iter().filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata"));
    for (key, value) in spoken.clone() {
        if !field_holds(owned, key, value, live) {
            return false;
        }
    }
    let metadata = desired.get("metadata").and_then(Value::as_object).map(|metadata| {
        metadata
            .iter()
            .filter(|(key, _)| !IDENTITY.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    });
    let metadata: Map<String, Value> = metadata.unwrap_or_default();
    let count = spoken.count() + usize::from(!metadata.is_empty());
    same_count(owned, count) && (metadata.is_empty() || field_holds(owned, "metadata", &Value::Object(metadata), live))
}

/// A hash of our record on an object, from its metadata: which fields our last apply set and still holds, and the marks. A
/// writer that changes one of them takes it from our record, so the print changes; the status has no part in it.
pub(super) fn print(metadata: &Value) -> u64 {
    let entries = metadata["managedFields"].as_array().into_iter().flatten();
    let ours = entries.filter(|entry| {
        entry["manager"] == FIELD_MANAGER
            && entry["operation"] == "Apply"
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    });
    let mut hasher = rustc_hash::FxHasher::default();
    for entry in ours {
        // the printed form is sorted by key, so equal records print alike
        entry["fieldsV1"].to_string().hash(&mut hasher);
        entry["apiVersion"].as_str().hash(&mut hasher);
    }
    metadata["labels"][PART_OF].as_str().hash(&mut hasher);
    metadata["annotations"][OWNING_INVENTORY].as_str().hash(&mut hasher);
    metadata["deletionTimestamp"].is_string().hash(&mut hasher);
    hasher.finish()
}

/// The fields that our last apply set, if it was in the same API version.
fn our_fields<'a>(desired: &Map<String, Value>, live: &'a Value) -> Option<&'a Map<String, Value>> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    let mut ours = entries.iter().filter(|entry| {
        entry["manager"] == FIELD_MANAGER
            && entry["operation"] == "Apply"
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    });
    let entry = ours.next().filter(|_| ours.next().is_none())?;
    if Some(&entry["apiVersion"]) != desired.get("apiVersion") {
        return None;
    }
    entry["fieldsV1"].as_object()
}

/// True if the fields owned are `count` besides the map or item itself.
fn same_count(owned: &Map<String, Value>, count: usize) -> bool {
    owned.keys().filter(|key| *key != ".").count() == count
}

fn field_holds(owned: &Map<String, Value>, key: &str, desired: &Value, live: &Value) -> bool {
    let below = owned.get(&format!("f:{key}")).and_then(Value::as_object);
    let (Some(below), Some(live)) = (below, live.get(key)) else { return false };
    holds(below, desired, live)
}

fn holds(owned: &Map<String, Value>, desired: &Value, live: &Value) -> bool {
    // a leaf: a scalar, or a map or list that is owned whole
    if owned.keys().all(|key| key == ".") {
        return !desired.is_null() && desired == live;
    }
    match desired {
        Value::Object(map) => {
            map.iter().all(|(key, value)| field_holds(owned, key, value, live)) && same_count(owned, map.len())
        }
        Value::Array(items) => list_holds(owned, items, live),
        _ => false,
    }
}

/// A list whose items are owned one by one, by their keys (`k:`) or as values of a set (`v:`).
fn list_holds(owned: &Map<String, Value>, desired: &[Value], live: &Value) -> bool {
    let Some(live) = live.as_array() else { return false };
    if !same_count(owned, desired.len()) {
        return false;
    }
    let mut place = 0;
    for item in desired {
        let found = owned.iter().find_map(|(path, below)| {
            let at = item_at(path, item, live)?;
            Some((at, below.as_object()?))
        });
        let Some((at, below)) = found.filter(|(at, _)| *at >= place) else { return false };
        place = at + 1;
        if item.is_object() && !holds(below, item, &live[at]) {
            return false;
        }
    }
    true
}

/// Where the item that `path` names stands in `live`, if `item` is the one it names.
fn item_at(path: &str, item: &Value, live: &[Value]) -> Option<usize> {
    if let Some(value) = path.strip_prefix("v:") {
        let value: Value = serde_json::from_str(value).ok()?;
        return (value == *item).then(|| live.iter().position(|other| *other == value)).flatten();
    }
    let keys: Map<String, Value> = serde_json::from_str(path.strip_prefix("k:")?).ok()?;
    let has = |other: &Value, absent: bool| {
        keys.iter().all(|(key, value)| other.get(key).map_or(absent, |found| found == value))
    };
    // a key that the source leaves out has the server's default
    has(item, true).then(|| live.iter().position(|other| has(other, false))).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "the values are written where they are passed")]
    fn live(fields: Value, mut live: Value) -> Value {
        live["apiVersion"] = json!("v1");
        live["metadata"]["managedFields"] =
            json!([{"manager": "hydrant", "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields}]);
        live
    }

    #[test]
    fn the_same_fields_with_the_same_values_are_current() {
        let desired = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}});
        let fields = json!({"f:metadata": {"f:labels": {"f:x": {}}}, "f:data": {"f:k": {}}});
        let standing =
            json!({"metadata": {"name": "a", "labels": {"x": "y", "others": "z"}}, "data": {"k": "v", "others": "z"}});
        assert!(is_current(&desired, &live(fields.clone(), standing.clone())));
        let mut drifted = standing.clone();
        drifted["data"]["k"] = json!("w");
        assert!(!is_current(&desired, &live(fields, drifted)));
        let more = json!({"f:metadata": {"f:labels": {"f:x": {}}}, "f:data": {"f:k": {}, "f:gone": {}}});
        assert!(!is_current(&desired, &live(more, standing)), "a field that left the source must be taken away");
    }

    #[test]
    fn list_items_are_found_by_their_keys() {
        let desired =
            json!({"apiVersion": "v1", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80, "name": "http"}]}});
        let fields = json!({"f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:name": {}}}}});
        let standing =
            |name: &str| json!({"metadata": {}, "spec": {"ports": [{"port": 80, "protocol": "TCP", "name": name}]}});
        assert!(is_current(&desired, &live(fields.clone(), standing("http"))));
        assert!(!is_current(&desired, &live(fields, standing("web"))));
    }

    #[test]
    fn sets_and_whole_lists_compare_by_value() {
        let desired = json!({"apiVersion": "v1", "metadata": {"finalizers": ["a"]}, "spec": {"args": ["x", "y"]}});
        let fields = json!({"f:metadata": {"f:finalizers": {"v:\"a\"": {}}}, "f:spec": {"f:args": {}}});
        let standing = json!({"metadata": {"finalizers": ["b", "a"]}, "spec": {"args": ["x", "y"]}});
        assert!(is_current(&desired, &live(fields.clone(), standing)));
        let turned = json!({"metadata": {"finalizers": ["a"]}, "spec": {"args": ["y", "x"]}});
        assert!(!is_current(&desired, &live(fields, turned)));
    }

    #[test]
    fn what_another_manager_set_proves_nothing() {
        let desired = json!({"apiVersion": "v1", "metadata": {"name": "a"}, "data": {"k": "v"}});
        let mut other = live(json!({"f:data": {"f:k": {}}}), json!({"metadata": {}, "data": {"k": "v"}}));
        assert!(is_current(&desired, &other));
        other["metadata"]["managedFields"][0]["manager"] = json!("kubectl");
        assert!(!is_current(&desired, &other));
    }
}
