//! What only the whole set shows: duplicates, references that lead nowhere, selectors that select nothing.
//!
//! In: the set and its objects as JSON. Out: findings. They are warnings where the cluster may hold what the set lacks.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::manifest::Set;

use super::finding::Finding;
use super::kinds::Answer;
use super::matching::selects;
use super::walk::short;
use super::Rules;

/// The letters of a generated name's hash.
const HASH_LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789hkmgt";
/// The length of a generated name's hash.
const HASH_LENGTH: usize = 10;

/// Checks the whole set.
pub(super) fn whole(set: &Set, objects: &[Value], rules: &Rules, findings: &mut Vec<Finding>) {
    for (first, second) in set.duplicates() {
        let message = "stands twice in the set";
        let place = &set.objects[first].origin;
        let finding = Finding::error("set-duplicate", second, &[], message);
        findings.push(finding.hint(format!("remove one: the first is in {}:{}", place.file, place.line)));
    }
    let world = World::of(objects);
    for (index, object) in objects.iter().enumerate() {
        kind(index, object, rules, findings);
        references(index, object, &world, findings);
        selectors(index, object, &world, findings);
        if text(object, "kind") == "Secret" && text(object, "apiVersion") == "v1" && holds_data(object) {
            let message = "the Secret's data is in plain text, for whoever reads the artifact";
            let finding = Finding::warning("set-secret", index, &[], message);
            findings.push(finding.hint("keep it out: seal it, or let an operator make it from a secret store"));
        }
    }
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn path(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|step| (*step).to_owned()).collect()
}

fn holds_data(object: &Value) -> bool {
    let some = |field: &str| object[field].as_object().is_some_and(|data| !data.is_empty());
    some("data") || some("stringData")
}

/// A kind that nothing defines, and a namespace that is not written.
fn kind(index: usize, object: &Value, rules: &Rules, findings: &mut Vec<Finding>) {
    let (api_version, kind) = (text(object, "apiVersion"), text(object, "kind"));
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let namespaced = match rules.shapes.kind(api_version, kind) {
        Some(known) => Some(known.namespaced),
        None => match rules.kinds.get(group, version, kind) {
            Answer::Known(namespaced, _) => Some(namespaced),
            Answer::NoVersion(_) => None,
            Answer::Unknown => {
                let gatekeepers = ["templates.gatekeeper.sh", "config.gatekeeper.sh", "expansion.gatekeeper.sh"];
                if !rules.shapes.knows_group(group) && !gatekeepers.contains(&group) {
                    let message = format!("nothing in the set defines the kind `{kind}` of `{api_version}`");
                    let finding = Finding::warning("set-no-crd", index, &path(&["kind"]), message);
                    findings.push(finding.hint("add its CustomResourceDefinition, or name it with `--crds`"));
                }
                None
            }
        },
    };
    if namespaced == Some(true) && text(&object["metadata"], "namespace").is_empty() {
        let message = format!("lacks `namespace`, and a `{kind}` lives in one");
        let finding = Finding::warning("set-namespace-missing", index, &path(&["metadata"]), message);
        findings.push(finding.hint("set `metadata.namespace`: whoever applies it decides otherwise"));
    }
}

/// What the set holds: kind, namespace and name of each object, and the labels of each pod.
struct World<'v> {
    names: BTreeSet<(&'v str, &'v str, &'v str)>,
    pods: Vec<(&'v str, &'v Value)>,
}

impl<'v> World<'v> {
    fn of(objects: &'v [Value]) -> World<'v> {
        let names = objects.iter().map(|object| {
            (text(object, "kind"), text(&object["metadata"], "namespace"), text(&object["metadata"], "name"))
        });
        let pods = objects.iter().filter_map(|object| Some((text(&object["metadata"], "namespace"), labels(object)?)));
        World { names: names.collect(), pods: pods.collect() }
    }

    fn has(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.names.contains(&(kind, namespace, name))
    }

    /// A generated name in the set that is this one with a hash.
    fn hashed(&self, kind: &str, namespace: &str, name: &str) -> Option<&'v str> {
        self.names.iter().find_map(|(other, space, full)| {
            let hash = full.strip_prefix(name)?.strip_prefix('-')?;
            let is_hash = hash.len() == HASH_LENGTH && hash.chars().all(|letter| HASH_LETTERS.contains(letter));
            (is_hash && *other == kind && *space == namespace).then_some(*full)
        })
    }
}

/// The labels of the pods that an object makes or is.
fn labels(object: &Value) -> Option<&Value> {
    pod_of(object)?;
    Some(match text(object, "kind") {
        "Pod" => &object["metadata"]["labels"],
        "CronJob" => &object["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"],
        _ => &object["spec"]["template"]["metadata"]["labels"],
    })
}

/// The pod's spec in an object, and the way to it.
pub(super) fn pod_of(object: &Value) -> Option<(&Value, Vec<String>)> {
    let steps: &[&str] = match text(object, "kind") {
        "Pod" => &["spec"],
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
            &["spec", "template", "spec"]
        }
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return None,
    };
    let spec = steps.iter().fold(object, |value, step| &value[*step]);
    spec.is_object().then(|| (spec, path(steps)))
}

/// A reference: the kind and name that are meant, where it stands, and whether it may lead nowhere.
struct Reference<'v> {
    kind: &'v str,
    name: &'v Value,
    path: Vec<String>,
    optional: bool,
}

fn references(index: usize, object: &Value, world: &World<'_>, findings: &mut Vec<Finding>) {
    let namespace = text(&object["metadata"], "namespace");
    for reference in references_of(object) {
        let Some(name) = reference.name.as_str().filter(|name| !name.is_empty()) else { continue };
        let cluster = matches!(reference.kind, "ClusterRole" | "StorageClass");
        let space = if cluster { "" } else { namespace };
        let known = reference.optional
            || world.has(reference.kind, space, name)
            || (reference.kind == "ServiceAccount" && name == "default")
            || (reference.kind == "ConfigMap" && name == "kube-root-ca.crt")
            // the cluster's own roles are many
            || (reference.kind == "ClusterRole" && (name.starts_with("system:") || matches!(name, "admin" | "cluster-admin" | "edit" | "view")));
        if known {
            continue;
        }
        let kind = reference.kind;
        if let Some(full) = world.hashed(kind, space, name) {
            let message = format!("the set has no {kind} `{}`, only `{full}`", short(name));
            let finding = Finding::error("set-hash", index, &reference.path, message);
            findings.push(finding.hint("declare the field in `configurations`' nameReference, or set `disableNameSuffixHash`"));
            continue;
        }
        let message = format!("the set has no {kind} `{}`", short(name));
        let finding = Finding::warning("set-reference", index, &reference.path, message);
        findings.push(finding.hint("add it, or skip this check where the cluster holds it"));
    }
}

fn references_of(object: &Value) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    if let Some((spec, base)) = pod_of(object) {
        pod_references(spec, &base, &mut found);
    }
    let spec = &object["spec"];
    match text(object, "kind") {
        "Ingress" => {
            for (rule_at, rule) in each(spec, "rules") {
                for (at, one) in each(&rule["http"], "paths") {
                    let steps = ["spec", "rules", &rule_at.to_string(), "http", "paths", &at.to_string(), "backend", "service", "name"];
                    found.push(plain("Service", &one["backend"]["service"]["name"], path(&steps)));
                }
            }
            let steps = ["spec", "defaultBackend", "service", "name"];
            found.push(plain("Service", &spec["defaultBackend"]["service"]["name"], path(&steps)));
            for (at, tls) in each(spec, "tls") {
                // issuers make these as often as not
                let steps = ["spec", "tls", &at.to_string(), "secretName"];
                found.push(Reference { optional: true, ..plain("Secret", &tls["secretName"], path(&steps)) });
            }
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let kind = if object["roleRef"]["kind"] == "Role" { "Role" } else { "ClusterRole" };
            found.push(plain(kind, &object["roleRef"]["name"], path(&["roleRef", "name"])));
            let namespace = &object["metadata"]["namespace"];
            for (at, subject) in each(object, "subjects") {
                if subject["kind"] == "ServiceAccount" && subject["namespace"] == *namespace {
                    found.push(plain("ServiceAccount", &subject["name"], path(&["subjects", &at.to_string(), "name"])));
                }
            }
        }
        "HorizontalPodAutoscaler" => {
            let target = &spec["scaleTargetRef"];
            for kind in ["Deployment", "StatefulSet", "ReplicaSet"] {
                if target["kind"] == kind {
                    found.push(plain(kind, &target["name"], path(&["spec", "scaleTargetRef", "name"])));
                }
            }
        }
        "StatefulSet" => found.push(plain("Service", &spec["serviceName"], path(&["spec", "serviceName"]))),
        _ => {}
    }
    found
}

fn plain<'v>(kind: &'v str, name: &'v Value, path: Vec<String>) -> Reference<'v> {
    Reference { kind, name, path, optional: false }
}

fn each<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = (usize, &'v Value)> {
    value[field].as_array().into_iter().flatten().enumerate()
}

fn pod_references<'v>(spec: &'v Value, base: &[String], found: &mut Vec<Reference<'v>>) {
    let mut add = |kind: &'static str, holder: &'v Value, field: &str, steps: &[&str]| {
        let path = base.iter().cloned().chain(steps.iter().map(|step| (*step).to_owned())).chain([field.to_owned()]);
        found.push(Reference { kind, name: &holder[field], path: path.collect(), optional: holder["optional"] == true });
    };
    add("ServiceAccount", spec, "serviceAccountName", &[]);
    for (at, secret) in each(spec, "imagePullSecrets") {
        add("Secret", secret, "name", &["imagePullSecrets", &at.to_string()]);
    }
    for (at, volume) in each(spec, "volumes") {
        let at = at.to_string();
        add("ConfigMap", &volume["configMap"], "name", &["volumes", &at, "configMap"]);
        add("Secret", &volume["secret"], "secretName", &["volumes", &at, "secret"]);
        add("PersistentVolumeClaim", &volume["persistentVolumeClaim"], "claimName", &["volumes", &at, "persistentVolumeClaim"]);
        for (number, source) in each(&volume["projected"], "sources") {
            let number = number.to_string();
            let steps = ["volumes", &at, "projected", "sources", &number];
            add("ConfigMap", &source["configMap"], "name", &[&steps[..], &["configMap"]].concat());
            add("Secret", &source["secret"], "name", &[&steps[..], &["secret"]].concat());
        }
    }
    for group in ["initContainers", "containers"] {
        for (at, container) in each(spec, group) {
            let at = at.to_string();
            for (number, one) in each(container, "env") {
                let number = number.to_string();
                let from = &one["valueFrom"];
                let steps = [group, &at, "env", &number, "valueFrom"];
                add("ConfigMap", &from["configMapKeyRef"], "name", &[&steps[..], &["configMapKeyRef"]].concat());
                add("Secret", &from["secretKeyRef"], "name", &[&steps[..], &["secretKeyRef"]].concat());
            }
            for (number, one) in each(container, "envFrom") {
                let number = number.to_string();
                let steps = [group, &at, "envFrom", &number];
                add("ConfigMap", &one["configMapRef"], "name", &[&steps[..], &["configMapRef"]].concat());
                add("Secret", &one["secretRef"], "name", &[&steps[..], &["secretRef"]].concat());
            }
        }
    }
}

fn selectors(index: usize, object: &Value, world: &World<'_>, findings: &mut Vec<Finding>) {
    let spec = &object["spec"];
    let (selector, steps): (Value, &[&str]) = match text(object, "kind") {
        "Service" if spec["type"] != "ExternalName" => {
            (serde_json::json!({ "matchLabels": spec["selector"] }), &["spec", "selector"])
        }
        "PodDisruptionBudget" => (spec["selector"].clone(), &["spec", "selector"]),
        "NetworkPolicy" => (spec["podSelector"].clone(), &["spec", "podSelector"]),
        _ => return,
    };
    let empty = selector["matchLabels"].as_object().is_none_or(serde_json::Map::is_empty)
        && selector["matchExpressions"].as_array().is_none_or(Vec::is_empty);
    let namespace = text(&object["metadata"], "namespace");
    if !empty && !world.pods.iter().any(|(space, labels)| *space == namespace && selects(&selector, labels)) {
        let finding = Finding::warning("set-selector", index, &path(steps), "selects none of the set's pods");
        findings.push(finding.hint("compare it with the labels of the pods' templates"));
    }
}
