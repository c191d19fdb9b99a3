//! What policies see of an object besides itself: its namespace, and the request that would bring it to a server.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::check::kinds_plural;

/// What the set holds that reviews ask for.
pub(super) struct World<'v> {
    namespaces: BTreeMap<&'v str, &'v Value>,
}

impl<'v> World<'v> {
    pub(super) fn of(objects: &'v [Value]) -> World<'v> {
        let namespaces = objects.iter().filter(|object| is_namespace(object));
        World { namespaces: namespaces.map(|object| (name(object), object)).collect() }
    }

    /// The namespace of an object: the set's, else one of that name without labels; nothing for an object outside of namespaces.
    pub(super) fn namespace(&self, object: &Value) -> Option<Value> {
        let name = namespace(object);
        if name.is_empty() {
            return None;
        }
        let mut found = self.namespaces.get(name).map_or_else(
            || json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
            |found| (*found).clone(),
        );
        // every server sets this label
        if let Some(metadata) = found["metadata"].as_object_mut() {
            let labels = metadata.entry("labels").or_insert_with(|| json!({}));
            if labels.is_object() {
                labels["kubernetes.io/metadata.name"] = json!(name);
            }
        }
        Some(found)
    }

    /// True if the set holds the namespace.
    pub(super) fn knows(&self, namespace: &str) -> bool {
        self.namespaces.contains_key(namespace)
    }
}

/// `metadata.name`, or what stands in for it.
pub(super) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// `metadata.namespace`; empty where none is written.
pub(super) fn namespace(object: &Value) -> &str {
    object["metadata"]["namespace"].as_str().unwrap_or_default()
}

/// Group, version and kind.
pub(super) fn kind_of(object: &Value) -> (&str, &str, &str) {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    (group, version, object["kind"].as_str().unwrap_or_default())
}

/// True for a Namespace of the core group.
pub(super) fn is_namespace(object: &Value) -> bool {
    object["kind"] == "Namespace" && object["apiVersion"] == "v1"
}

/// The request that creates an object.
pub(super) fn request(object: &Value) -> Value {
    let mut request = bare_request(object);
    request["object"] = object.clone();
    request["oldObject"] = Value::Null;
    request
}

/// As [`request`], less the object itself: for those to whom it stands under a name of its own.
pub(super) fn bare_request(object: &Value) -> Value {
    let (group, version, kind) = kind_of(object);
    let kind = json!({"group": group, "version": version, "kind": kind});
    let resource = json!({"group": group, "version": version, "resource": kinds_plural(object["kind"].as_str().unwrap_or_default())});
    json!({
        "kind": kind, "requestKind": kind, "resource": resource, "requestResource": resource, "name": name(object),
        "namespace": namespace(object), "operation": "CREATE", "dryRun": false, "subResource": "",
        "userInfo": {"username": "", "groups": []},
    })
}
