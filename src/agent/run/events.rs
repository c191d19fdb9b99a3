//! Events on the sync objects: what `kubectl describe` shows of what happened.

use serde_json::json;

use super::Shared;
use crate::agent::rsync::{API_VERSION, Declared};

/// Bytes of a message; servers take 1024.
const MESSAGE_BYTES_MAX: usize = 1000;

/// Puts an event on a sync; one that cannot be put is of no consequence.
pub(super) async fn put(shared: &Shared, declared: &Declared, warning: bool, reason: &str, message: &str) {
    let now = jiff::Timestamp::now();
    let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let metadata = &declared.metadata;
    let mut end = message.len().min(MESSAGE_BYTES_MAX);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let event = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": format!("{}.{:x}", metadata.name, now.as_nanosecond()), "namespace": metadata.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION, "kind": declared.kind, "name": metadata.name, "namespace": metadata.namespace,
            "uid": metadata.uid,
        },
        "type": if warning { "Warning" } else { "Normal" },
        "reason": reason,
        "message": &message[..end],
        "source": {"component": "hydrant"},
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    });
    drop(shared.api.create(&format!("/api/v1/namespaces/{}/events", metadata.namespace), &event).await);
}
