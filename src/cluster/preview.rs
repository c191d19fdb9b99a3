//! What applying an object would make of it, asked of the server and never done.
//!
//! The answer and the object as it stands are both given without what servers keep for themselves, and without the marks of
//! owners: what differs between them is what the apply would change, and what others manage is the same on both sides.

use serde_json::{Value, json};

use super::api::{Api, Call, object_path};
use super::owner::{OWNING_INVENTORY, PART_OF};
use super::wire::{SERVER_METADATA, unmarked};
use super::{Answer, Cluster as _, FaultKind, Key, Scope};
use crate::manifest::Object;

/// An object now, and as an apply would leave it.
pub(crate) struct Preview {
    /// As it stands; nothing where it does not.
    pub(crate) now: Option<Value>,
    /// As the server would make it.
    pub(crate) then: Value,
}

impl Api {
    /// What applying `object` would do; one of a kind that is not served, or in a namespace that is not there, would be made as
    /// it is written. Fails with `Rejected` where the server would not take it.
    pub(crate) async fn preview(&self, object: &Object) -> Answer<Preview> {
        let mut wanted = unmarked(object)?;
        let id = &object.id;
        let unserved = |wanted: Value| Ok(Preview { now: None, then: wanted });
        let Some(resource) = self.resource(&id.group, Some(&id.version), &id.kind).await? else {
            return unserved(wanted);
        };
        let mut key = Key::of(id);
        if resource.scope == Scope::Namespaced {
            if key.namespace.is_empty() {
                key.namespace = "default".into();
            }
            wanted["metadata"]["namespace"] = json!(key.namespace.as_str());
        }
        let path = object_path(&resource, &key)?;
        let now = self.find(&path, &key.name).await?.map(stripped);
        match self.send(&path, &Call::Apply(&key.name, &wanted, true)).await {
            Ok(then) => Ok(Preview { now, then: stripped(then) }),
            Err(fault) if fault.kind == FaultKind::NotYet => unserved(wanted),
            Err(fault) => Err(fault),
        }
    }
}

/// An object without what says nothing of what was asked for.
fn stripped(mut object: Value) -> Value {
    let Some(body) = object.as_object_mut() else { return object };
    body.remove("status");
    let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) else { return object };
    metadata.retain(|key, _| !SERVER_METADATA.contains(&key.as_str()));
    for (field, mark) in [("labels", PART_OF), ("annotations", OWNING_INVENTORY)] {
        let Some(map) = metadata.get_mut(field).and_then(Value::as_object_mut) else { continue };
        map.remove(mark);
        if map.is_empty() {
            metadata.remove(field);
        }
    }
    object
}
