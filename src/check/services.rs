//! Rules for services, ingresses and network policies.
//!
//! In: values of the definitions that each function is named for. Out: findings, as the API server has faults.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names;
use super::walk::{Walk, short};

fn items<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value[field].as_array().into_iter().flatten()
}

fn filled<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value[field].as_str().filter(|text| !text.is_empty())
}

/// Ports of a service are named and told apart; some fields belong to some types only.
pub(super) fn service(walk: &mut Walk<'_>, spec: &Value) {
    let kind = filled(spec, "type").unwrap_or("ClusterIP");
    let headless = spec["clusterIP"] == "None";
    let count = items(spec, "ports").count();
    if count == 0 && !headless && kind != "ExternalName" {
        walk.found("schema-required", "lacks `ports`, which is required");
    }
    let (mut seen_names, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for (at, port) in items(spec, "ports").enumerate() {
        let at = at.to_string();
        match filled(port, "name") {
            None if count > 1 => walk.found_at(&["ports", &at], "schema-required", "lacks `name`, which several ports need"),
            Some(name) if !seen_names.insert(name) => {
                walk.found_at(&["ports", &at, "name"], "schema-duplicate", format!("repeats the name `{}`", short(name)));
            }
            _ => {}
        }
        let protocol = filled(port, "protocol").unwrap_or("TCP");
        if !seen.insert((port["port"].as_i64(), protocol)) {
            walk.found_at(&["ports", &at], "schema-duplicate", "repeats a port and protocol");
        }
        if kind == "ClusterIP" && port["nodePort"].as_i64().is_some_and(|port| port != 0) {
            walk.found_at(&["ports", &at, "nodePort"], "schema-conflict", "must not stand in a service of type `ClusterIP`");
        }
    }
    if kind == "ExternalName" && filled(spec, "externalName").is_none() {
        walk.found("schema-required", "lacks `externalName`, which a service of type `ExternalName` needs");
    }
    if let Some((text, fault)) = filled(spec, "externalName").and_then(|text| Some((text, names::dns_subdomain(text.strip_suffix('.').unwrap_or(text))?))) {
        walk.found_at(&["externalName"], "schema-format", format!("`{}` {fault}", short(text)));
    }
    if headless && matches!(kind, "NodePort" | "LoadBalancer") {
        walk.found_at(&["clusterIP"], "schema-conflict", format!("must not be `None` in a service of type `{kind}`"));
    }
    let is_address = |text: &str| text == "None" || text.parse::<std::net::IpAddr>().is_ok();
    if let Some(address) = filled(spec, "clusterIP").filter(|address| !is_address(address)) {
        walk.found_at(&["clusterIP"], "schema-format", format!("`{}` is no IP address", short(address)));
    }
    if filled(spec, "externalTrafficPolicy").is_some() && matches!(kind, "ClusterIP" | "ExternalName") {
        walk.found_at(&["externalTrafficPolicy"], "schema-conflict", format!("must not stand in a service of type `{kind}`"));
    }
}

/// An ingress has rules or a backend for the rest.
pub(super) fn ingress(walk: &mut Walk<'_>, spec: &Value) {
    let backend = !spec["defaultBackend"].is_null() || !spec["backend"].is_null();
    if items(spec, "rules").next().is_none() && !backend {
        walk.found("schema-required", "must have `rules` or `defaultBackend`");
    }
}

/// A path of an ingress begins with a slash.
pub(super) fn path(walk: &mut Walk<'_>, value: &Value) {
    let path = value["path"].as_str().unwrap_or_default();
    let exact = matches!(value["pathType"].as_str(), Some("Exact" | "Prefix"));
    if (exact || !path.is_empty()) && !path.starts_with('/') {
        walk.found_at(&["path"], "schema-format", format!("`{}` must start with `/`", short(path)));
    }
    let odd = ["//", "/./", "/../", "%2f", "%2F"].iter().any(|part| path.contains(part)) || path.ends_with("/..");
    if exact && odd {
        walk.found_at(&["path"], "schema-format", format!("`{}` must not have empty or relative steps", short(path)));
    }
    let backend = &value["backend"];
    // older versions of the API, which name the service otherwise, have a default
    if value["pathType"].as_str().is_none_or(str::is_empty) && backend["serviceName"].is_null() {
        walk.found("schema-required", "lacks `pathType`, which is required");
    }
    let (number, name) = (&backend["service"]["port"]["number"], filled(&backend["service"]["port"], "name"));
    let numbered = number.as_i64().is_some_and(|number| number != 0);
    match (backend["service"].is_null(), backend["resource"].is_null()) {
        (false, true) if !numbered && name.is_none() => {
            walk.found_at(&["backend", "service"], "schema-required", "lacks `port.number` or `port.name`");
        }
        (false, true) if numbered && name.is_some() => {
            walk.found_at(&["backend", "service", "port"], "schema-conflict", "has both a number and a name");
        }
        (false, false) => walk.found_at(&["backend"], "schema-conflict", "has both a service and a resource"),
        (true, true) if backend["serviceName"].is_null() => walk.found_at(&["backend"], "schema-required", "must have `service` or `resource`"),
        _ => {}
    }
}

/// A block of addresses, and what is left out of it.
pub(super) fn block(walk: &mut Walk<'_>, value: &Value) {
    let text = value["cidr"].as_str().unwrap_or_default();
    let Some((base, length)) = names::cidr(text) else {
        return walk.found_at(&["cidr"], "schema-format", format!("`{}` is no block such as `10.0.0.0/8`", short(text)));
    };
    for (at, item) in items(value, "except").enumerate() {
        let text = item.as_str().unwrap_or_default();
        let inside = names::cidr(text)
            .is_some_and(|(address, longer)| longer > length && names::masked(address, length) == names::masked(base, length));
        if !inside {
            walk.found_at(&["except", &at.to_string()], "schema-bounds", format!("`{}` must be a smaller block inside of `cidr`", short(text)));
        }
    }
}

/// A network policy's types.
pub(super) fn policy(walk: &mut Walk<'_>, spec: &Value) {
    for (at, kind) in items(spec, "policyTypes").enumerate() {
        if kind.as_str().is_some_and(|kind| !matches!(kind, "Ingress" | "Egress")) {
            walk.found_at(&["policyTypes", &at.to_string()], "schema-enum", format!("is {kind}, and must be `Ingress` or `Egress`"));
        }
    }
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (at, rule) in items(spec, direction).enumerate() {
            for (number, peer) in items(rule, peers).enumerate() {
                let selected = !peer["podSelector"].is_null() || !peer["namespaceSelector"].is_null();
                let path = [direction, &at.to_string(), peers, &number.to_string()];
                match (selected, peer["ipBlock"].is_null()) {
                    (true, false) => walk.found_at(&path, "schema-conflict", "has both a selector and `ipBlock`"),
                    (false, true) => walk.found_at(&path, "schema-required", "must have a selector or `ipBlock`"),
                    _ => {}
                }
            }
        }
    }
}
