//! Custom resource definitions: versions that go, and schemas that take less than before.

use std::collections::BTreeSet;

use super::{Flag, FlagKind, items, text, texts};
use crate::manifest::{Object, Set};
use crate::value::Tree;

/// How many narrowed fields are named before the rest is counted.
const SHOWN_MAX: usize = 5;
/// How deep schemas are compared.
const DEPTH_MAX: usize = 100;

/// What the deletion of a definition takes along.
pub(super) fn deleted(definition: &Tree, old: &Set) -> String {
    let (group, kind) = (text(definition, &["spec", "group"]), text(definition, &["spec", "names", "kind"]));
    let kind = kind.unwrap_or_default();
    let count = old.objects.iter().filter(|object| Some(object.id.group.as_str()) == group && object.id.kind == kind).count();
    let known = if count > 0 { format!(", {count} of the old side among them") } else { String::new() };
    format!("takes along every `{kind}` of the cluster{known}")
}

/// Flags for versions that are gone or not served any more, and for fields that take less.
pub(super) fn narrowed(was: &Object, is: &Object) -> Vec<Flag> {
    if is.id.kind != "CustomResourceDefinition" {
        return Vec::new();
    }
    let mut flags = Vec::new();
    for before in items(was.tree(), &["spec", "versions"]) {
        let name = text(before, &["name"]).unwrap_or_default();
        let after = items(is.tree(), &["spec", "versions"]).iter().find(|version| text(version, &["name"]) == Some(name));
        let Some(after) = after else {
            flags.push(Flag::new(FlagKind::Schema, format!("version `{name}` is gone")));
            continue;
        };
        let served = |version: &Tree| text(version, &["served"]) == Some("true");
        if served(before) && !served(after) {
            flags.push(Flag::new(FlagKind::Schema, format!("version `{name}` is served no more")));
        }
        let mut narrow = Vec::new();
        let path = ["schema", "openAPIV3Schema"];
        if let (Some(before), Some(after)) = (before.at(&path), after.at(&path)) {
            narrower(before, after, "", 0, &mut narrow);
        }
        if !narrow.is_empty() {
            let more = narrow.len().saturating_sub(SHOWN_MAX);
            narrow.truncate(SHOWN_MAX);
            if more > 0 {
                narrow.push(format!("{more} more"));
            }
            flags.push(Flag::new(FlagKind::Schema, format!("version `{name}` takes less: {}", narrow.join(", "))));
        }
    }
    flags
}

/// What an object that the old schema took may have, and the new one refuses or drops.
fn narrower(old: &Tree, new: &Tree, at: &str, depth: usize, found: &mut Vec<String>) {
    if depth > DEPTH_MAX {
        return;
    }
    let here = if at.is_empty() { "the root" } else { at };
    let kind = |schema: &Tree| text(schema, &["type"]).map(str::to_owned);
    if let (Some(was), Some(is)) = (kind(old), kind(new))
        && was != is
    {
        found.push(format!("`{here}` was {was} and is {is}"));
        return;
    }
    let required = |schema: &Tree| texts(schema, &["required"]).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    for field in required(new).difference(&required(old)) {
        found.push(format!("`{}` is required", joined(at, field)));
    }
    let (before, after) = (texts(old, &["enum"]), texts(new, &["enum"]));
    if !after.is_empty() && (before.is_empty() || before.iter().any(|value| !after.contains(value))) {
        found.push(format!("`{here}` takes fewer values"));
    }
    for limit in ["maximum", "maxLength", "maxItems", "maxProperties", "minimum", "minLength", "minItems", "minProperties"] {
        let number = |schema: &Tree| text(schema, &[limit]).and_then(|text| text.parse::<f64>().ok());
        let tighter = match (number(old), number(new)) {
            (None, Some(_)) => true,
            (Some(was), Some(is)) => if limit.starts_with("max") { is < was } else { is > was },
            _ => false,
        };
        if tighter {
            found.push(format!("`{here}` has a tighter `{limit}`"));
        }
    }
    let pattern = |schema: &Tree| text(schema, &["pattern"]).map(str::to_owned);
    if pattern(new).is_some() && pattern(new) != pattern(old) {
        found.push(format!("`{here}` has another pattern"));
    }
    let open = |schema: &Tree| {
        text(schema, &["x-kubernetes-preserve-unknown-fields"]) == Some("true") || schema.get("additionalProperties").is_some()
    };
    if let Some(properties) = old.get("properties").and_then(Tree::as_map) {
        for (name, property) in properties.iter() {
            match new.at(&["properties", name]) {
                Some(now) => narrower(property, now, &joined(at, name), depth + 1, found),
                None if open(new) => {}
                None => found.push(format!("`{}` is gone", joined(at, name))),
            }
        }
    }
    for below in ["items", "additionalProperties"] {
        if let (Some(was), Some(is)) = (old.get(below), new.get(below)) {
            narrower(was, is, &format!("{at}[]"), depth + 1, found);
        }
    }
}

fn joined(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}
