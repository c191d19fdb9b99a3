//! Rules for pods and what makes them: references inside of a pod, resources, selectors that must match.
//!
//! In: values of the definitions that each function is named for. Out: findings, as the API server has faults.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names;
use super::walk::{Walk, short};

fn items<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value[field].as_array().into_iter().flatten()
}

/// Names in `volumes` and containers are unique, and mounts name a volume.
pub(super) fn spec(walk: &mut Walk<'_>, spec: &Value) {
    unique(walk, spec, &["volumes"]);
    unique(walk, spec, &["initContainers", "containers", "ephemeralContainers"]);
    let volumes: BTreeSet<&str> = items(spec, "volumes").filter_map(|volume| volume["name"].as_str()).collect();
    for group in ["initContainers", "containers"] {
        for (at, container) in items(spec, group).enumerate() {
            for (number, mount) in items(container, "volumeMounts").enumerate() {
                let Some(name) = mount["name"].as_str().filter(|name| !name.is_empty()) else { continue };
                let (at, number) = (at.to_string(), number.to_string());
                let path = [group, &at, "volumeMounts", &number, "name"];
                let message = format!("the pod has no volume `{}`", short(name));
                match &walk.claims {
                    _ if volumes.contains(name) => {}
                    None => walk.found_at(&path, "schema-reference", message),
                    Some(claims) if claims.contains(name) => {}
                    // a server does not look at these; the StatefulSet's pods are refused later
                    Some(_) => walk.warned_at(&path, "schema-reference", message),
                }
            }
        }
    }
}

fn unique(walk: &mut Walk<'_>, value: &Value, fields: &[&str]) {
    let mut seen = BTreeSet::new();
    for field in fields {
        for (at, item) in items(value, field).enumerate() {
            let Some(name) = item["name"].as_str() else { continue };
            if !seen.insert(name) {
                walk.found_at(&[field, &at.to_string(), "name"], "schema-duplicate", format!("repeats the name `{}`", short(name)));
            }
        }
    }
}

/// Mount paths, ports and probes of one container.
pub(super) fn container(walk: &mut Walk<'_>, container: &Value) {
    let mut paths = BTreeSet::new();
    for (at, mount) in items(container, "volumeMounts").enumerate() {
        let Some(path) = mount["mountPath"].as_str().filter(|path| !path.is_empty()) else { continue };
        if !paths.insert(path) {
            walk.found_at(&["volumeMounts", &at.to_string(), "mountPath"], "schema-duplicate", format!("repeats the path `{}`", short(path)));
        }
    }
    let mut ports = BTreeSet::new();
    for (at, port) in items(container, "ports").enumerate() {
        let Some(name) = port["name"].as_str().filter(|name| !name.is_empty()) else { continue };
        if !ports.insert(name) {
            walk.found_at(&["ports", &at.to_string(), "name"], "schema-duplicate", format!("repeats the name `{}`", short(name)));
        }
    }
    for probe in ["livenessProbe", "startupProbe"] {
        if container[probe]["successThreshold"].as_i64().is_some_and(|count| count > 1) {
            walk.found_at(&[probe, "successThreshold"], "schema-bounds", "must be 1 for this probe");
        }
    }
}

/// A variable of the environment.
pub(super) fn variable(walk: &mut Walk<'_>, variable: &Value) {
    let name = variable["name"].as_str().unwrap_or_default();
    let relaxed = walk.relaxed();
    if let Some(fault) = Some(name).filter(|name| !name.is_empty()).and_then(|name| names::env_name(name, relaxed)) {
        walk.found_at(&["name"], "schema-format", format!("`{}` {fault}", short(name)));
    }
    if variable["value"].as_str().is_some_and(|value| !value.is_empty()) && !variable["valueFrom"].is_null() {
        walk.found_at(&["valueFrom"], "schema-conflict", "must not stand beside `value`");
    }
}

/// A volume has one source.
pub(super) fn volume(walk: &mut Walk<'_>, volume: &Value) {
    let sources: Vec<String> = volume
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, value)| *key != "name" && !value.is_null())
        .map(|(key, _)| key.clone())
        .collect();
    if sources.len() > 1 {
        walk.found("schema-conflict", format!("has the sources `{}`, and must have one", sources.join("` and `")));
    }
}

/// Requests are no more than limits, and none is negative.
pub(super) fn resources(walk: &mut Walk<'_>, resources: &Value) {
    let amount = |value: &Value| match value {
        Value::Number(number) => names::quantity(&number.to_string()),
        Value::String(text) => names::quantity(text),
        _ => None,
    };
    for group in ["limits", "requests"] {
        for (name, value) in resources[group].as_object().into_iter().flatten() {
            if amount(value).is_some_and(|amount| amount < 0) {
                walk.found_at(&[group, name], "schema-bounds", format!("is `{value}`, and must not be negative"));
            }
            let plain = ["cpu", "memory", "ephemeral-storage", "storage"];
            if !name.contains('/') && !plain.contains(&name.as_str()) && !name.starts_with("hugepages-") {
                walk.found_at(&[group, name], "schema-format", format!("`{}` is no resource of Kubernetes and has no domain", short(name)));
            }
        }
    }
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        if let (Some(request), Some(limit)) = (amount(request), amount(&resources["limits"][name]))
            && request > limit
        {
            walk.found_at(&["requests", name], "schema-bounds", format!("must be no more than the limit of `{name}`"));
        }
    }
}

/// A toleration's operator decides which other fields may stand.
pub(super) fn toleration(walk: &mut Walk<'_>, toleration: &Value) {
    let operator = toleration["operator"].as_str().unwrap_or_default();
    let filled = |field: &str| toleration[field].as_str().is_some_and(|text| !text.is_empty());
    match operator {
        "" | "Equal" if !filled("key") => walk.found_at(&["operator"], "schema-conflict", "must be `Exists` without a `key`"),
        "" | "Equal" | "Lt" | "Gt" => {}
        "Exists" if filled("value") => walk.found_at(&["value"], "schema-conflict", "must not stand with the operator `Exists`"),
        "Exists" => {}
        other => walk.found_at(&["operator"], "schema-enum", format!("is `{}`, and must be `Equal` or `Exists`", short(other))),
    }
    if !toleration["tolerationSeconds"].is_null() && toleration["effect"].as_str() != Some("NoExecute") {
        walk.found_at(&["effect"], "schema-conflict", "must be `NoExecute` with `tolerationSeconds`");
    }
}

/// A privileged container cannot be kept from more privileges.
pub(super) fn security(walk: &mut Walk<'_>, context: &Value) {
    if context["allowPrivilegeEscalation"].as_bool() != Some(false) {
        return;
    }
    if context["privileged"].as_bool() == Some(true) {
        walk.found_at(&["allowPrivilegeEscalation"], "schema-conflict", "must not be `false` in a privileged container");
    }
    if items(&context["capabilities"], "add").any(|name| name == "CAP_SYS_ADMIN") {
        walk.found_at(&["allowPrivilegeEscalation"], "schema-conflict", "must not be `false` with `CAP_SYS_ADMIN`");
    }
}

/// Deployments and their like: the selector matches the template, whose pods are restarted.
pub(super) fn workload(walk: &mut Walk<'_>, definition: &str, spec: &Value) {
    selects(walk, spec);
    restart(walk, spec, &["Always"]);
    if !spec["template"]["spec"]["activeDeadlineSeconds"].is_null() {
        walk.found_at(&["template", "spec", "activeDeadlineSeconds"], "schema-conflict", "must not stand in a template of this kind");
    }
    let zero = |value: &Value| matches!(value, Value::Number(n) if n.as_i64() == Some(0)) || value == "0%";
    match definition {
        "apps.DeploymentSpec" => {
            let strategy = &spec["strategy"];
            let rolling = &strategy["rollingUpdate"];
            if strategy["type"] == "Recreate" && !rolling.is_null() {
                walk.found_at(&["strategy", "rollingUpdate"], "schema-conflict", "must not stand with the type `Recreate`");
            }
            if zero(&rolling["maxUnavailable"]) && zero(&rolling["maxSurge"]) {
                walk.found_at(&["strategy", "rollingUpdate", "maxUnavailable"], "schema-conflict", "must not be 0 when `maxSurge` is 0");
            }
            let (ready, deadline) = (spec["minReadySeconds"].as_i64(), spec["progressDeadlineSeconds"].as_i64());
            if ready.unwrap_or(0) >= deadline.unwrap_or(600) {
                walk.found_at(&["progressDeadlineSeconds"], "schema-bounds", "must be more than `minReadySeconds`");
            }
        }
        "apps.DaemonSetSpec" => {
            let rolling = &spec["updateStrategy"]["rollingUpdate"];
            if zero(&rolling["maxUnavailable"]) && (rolling["maxSurge"].is_null() || zero(&rolling["maxSurge"])) {
                walk.found_at(&["updateStrategy", "rollingUpdate", "maxUnavailable"], "schema-conflict", "must not be 0");
            }
        }
        _ => {}
    }
}

fn selects(walk: &mut Walk<'_>, spec: &Value) {
    let selector = &spec["selector"];
    let wanted = selector["matchLabels"].as_object();
    if selector.is_null() {
        // said already: the schema requires it
        return;
    }
    if wanted.is_none_or(serde_json::Map::is_empty) && items(selector, "matchExpressions").next().is_none() {
        walk.found_at(&["selector"], "schema-required", "is empty, which would select every pod");
        return;
    }
    let labels = &spec["template"]["metadata"]["labels"];
    if !super::matching::selects(selector, labels) {
        walk.found_at(&["template", "metadata", "labels"], "schema-selector", "are not what `selector` selects");
    }
}

/// The template's restart policy is one that this kind takes; `Always` is the default.
pub(super) fn restart(walk: &mut Walk<'_>, spec: &Value, takes: &[&str]) {
    let policy = spec["template"]["spec"]["restartPolicy"].as_str().filter(|text| !text.is_empty()).unwrap_or("Always");
    if spec["template"]["spec"].is_object() && !takes.contains(&policy) {
        let message = format!("is `{}`, and must be `{}` here", short(policy), takes.join("` or `"));
        walk.found_at(&["template", "spec", "restartPolicy"], "schema-enum", message);
    }
}

/// A job's pods end; its selector is made by the server.
pub(super) fn job(walk: &mut Walk<'_>, spec: &Value) {
    restart(walk, spec, &["OnFailure", "Never"]);
    if !spec["selector"].is_null() && spec["manualSelector"].as_bool() != Some(true) {
        walk.found_at(&["selector"], "schema-conflict", "must not stand without `manualSelector: true`");
    }
}
