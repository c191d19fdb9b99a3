//! An object as it is sent to a server.
//!
//! Without what only servers write: `status`, and the metadata that tells a dump from a manifest. With the owner's marks.
//! And with the one default that is part of a key: a port without a protocol is TCP everywhere, but servers before 1.21
//! refuse to apply a list whose key is left out (kubernetes/kubernetes issue 92332).

use serde_json::{Value, json};

use super::json::to_json;
use super::{Answer, Fault, FaultKind, Owner};
use crate::manifest::Object;

/// Metadata that servers set; a source that carries it was dumped from a cluster.
pub(super) const SERVER_METADATA: [&str; 7] =
    ["creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// The object to send.
pub(super) fn wire(object: &Object, owner: &Owner) -> Answer<Value> {
    let mut value = unmarked(object)?;
    if let Some(metadata) = value["metadata"].as_object_mut() {
        owner.mark(metadata);
    }
    Ok(value)
}

/// The object to send, without an owner's marks.
pub(super) fn unmarked(object: &Object) -> Answer<Value> {
    let mut value = to_json(&object.value())?;
    let shapeless = || Fault::new(FaultKind::Rejected, "`metadata` is no map");
    let body = value.as_object_mut().ok_or_else(|| Fault::new(FaultKind::Rejected, "the object is no map"))?;
    body.remove("status");
    let metadata = body.entry("metadata").or_insert_with(|| json!({})).as_object_mut().ok_or_else(shapeless)?;
    metadata.retain(|key, _| !SERVER_METADATA.contains(&key.as_str()));
    if let Some(pod) = pod_spec(&object.id.group, &object.id.kind, &mut value) {
        for field in ["containers", "initContainers", "ephemeralContainers"] {
            pod.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten().for_each(name_protocols);
        }
    }
    if object.id.group.is_empty() && object.id.kind == "Service" {
        name_protocols(&mut value["spec"]);
    }
    Ok(value)
}

/// The pod's spec in the built-in kinds that have one.
fn pod_spec<'a>(group: &str, kind: &str, value: &'a mut Value) -> Option<&'a mut Value> {
    let path = match (group, kind) {
        ("", "Pod") => "/spec",
        ("", "ReplicationController")
        | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job") => "/spec/template/spec",
        ("batch", "CronJob") => "/spec/jobTemplate/spec/template/spec",
        _ => return None,
    };
    value.pointer_mut(path)
}

/// Writes the protocol of ports that leave it out.
fn name_protocols(holder: &mut Value) {
    let ports = holder.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        port.entry("protocol").or_insert_with(|| json!("TCP"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::manifest::Origin;
    use crate::value::{Map, Tree};

    fn map<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
        Tree::map(Map::from_iter(entries.map(|(key, value)| (key.into(), value))))
    }

    #[test]
    fn ports_get_their_protocol_and_dumps_lose_what_servers_wrote() {
        let tree = map([
            ("apiVersion", Tree::str("v1")),
            ("kind", Tree::str("Service")),
            ("metadata", map([("name", Tree::str("web")), ("uid", Tree::str("u"))])),
            ("spec", map([("ports", Tree::list(vec![map([("port", Tree::int(80))])]))])),
            ("status", map([])),
        ]);
        let owner = Owner::new("system", "shop").expect("a fine identity");
        let value = wire(&Object::new(tree, Arc::new(Origin::default())), &owner).expect("an object");
        assert_eq!(value["spec"]["ports"], json!([{"port": 80, "protocol": "TCP"}]));
        assert_eq!(value["metadata"]["name"], "web");
        assert!(value["metadata"].get("uid").is_none() && value.get("status").is_none());
    }
}
