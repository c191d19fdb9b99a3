//! What a pod may do to its node: privileges, the host's namespaces, paths and ports.

use std::collections::BTreeSet;

use super::{Flag, FlagKind, items, text, texts};
use crate::manifest::Object;
use crate::value::Tree;

/// A flag for each power that the new pods have and the old ones did not.
pub(super) fn flags(was: Option<&Object>, is: &Object) -> Vec<Flag> {
    let had = was.and_then(spec).map(powers).unwrap_or_default();
    let has = spec(is).map(powers).unwrap_or_default();
    has.difference(&had).map(|power| Flag::new(FlagKind::Privilege, power.clone())).collect()
}

/// The pod's spec in an object that has pods.
fn spec(object: &Object) -> Option<&Tree> {
    let path: &[&str] = match object.id.kind.as_str() {
        "Pod" => &["spec"],
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => &["spec", "template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return None,
    };
    object.tree().at(path)
}

fn powers(spec: &Tree) -> BTreeSet<String> {
    let mut powers = BTreeSet::new();
    for (field, what) in [("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "memory between processes")] {
        if text(spec, &[field]) == Some("true") {
            powers.insert(format!("shares the host's {what}"));
        }
    }
    for volume in items(spec, &["volumes"]) {
        if let Some(path) = text(volume, &["hostPath", "path"]) {
            powers.insert(format!("mounts the host's `{path}`"));
        }
    }
    if text(spec, &["securityContext", "runAsUser"]) == Some("0") {
        powers.insert("runs as root".to_owned());
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in items(spec, &[list]) {
            container_powers(container, &mut powers);
        }
    }
    powers
}

fn container_powers(container: &Tree, powers: &mut BTreeSet<String>) {
    let name = text(container, &["name"]).unwrap_or_default();
    let mut say = |what: String| powers.insert(format!("container `{name}` {what}"));
    let context = |field: &str| text(container, &["securityContext", field]);
    if context("privileged") == Some("true") {
        say("runs privileged".to_owned());
    }
    if context("allowPrivilegeEscalation") == Some("true") {
        say("may gain privileges".to_owned());
    }
    if context("runAsUser") == Some("0") {
        say("runs as root".to_owned());
    }
    if context("procMount") == Some("Unmasked") {
        say("sees an unmasked /proc".to_owned());
    }
    if text(container, &["securityContext", "seccompProfile", "type"]) == Some("Unconfined") {
        say("runs without seccomp".to_owned());
    }
    for capability in texts(container, &["securityContext", "capabilities", "add"]) {
        say(format!("gets the capability {capability}"));
    }
    for port in items(container, &["ports"]) {
        if let Some(port) = text(port, &["hostPort"]).filter(|port| *port != "0") {
            say(format!("takes the host's port {port}"));
        }
    }
}
