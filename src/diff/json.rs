//! A diff as JSON, whole: `templates/diff.schema.json` says what is in it.
//!
//! A path is a list of steps: a text is a key, an object with `old` and `new` is an item by its places, one with `inside` leads
//! into a document that a text holds. Items that no entry names keep their order and fill the places that are left.

use serde_json::{Map, Value, json};

use super::path::Step;
use super::view::View;
use super::{Entry, Flag, ObjectDiff, Side};
use crate::value::Tree;
use crate::yaml;

/// Where the schema is published.
const SCHEMA: &str = "https://github.com/hydrant-dev/hydrant/blob/main/templates/diff.schema.json";

/// The report of a view, folds counted beside it.
pub(crate) fn to_json(view: &View<'_>) -> String {
    let counts = &view.counts;
    let folds: Vec<Value> = view
        .folds
        .iter()
        .map(|fold| json!({ "class": fold.class, "message": fold.message, "objects": fold.objects, "entries": fold.entries }))
        .collect();
    let roots: Vec<Value> = view
        .report
        .roots
        .iter()
        .map(|root| {
            let objects: Vec<Value> = root.diff.objects.iter().map(object).collect();
            json!({ "root": root.name, "unchanged": root.diff.unchanged, "objects": objects })
        })
        .collect();
    let report = json!({
        "$schema": SCHEMA,
        "version": 1,
        "old": view.report.old,
        "new": view.report.new,
        "summary": {
            "added": counts.added,
            "removed": counts.removed,
            "changed": counts.changed,
            "renamed": counts.renamed,
            "unchanged": counts.unchanged,
            "entries": counts.entries,
            "folded": counts.folded,
            "respelled": counts.respelled,
            "flags": view.flags.len(),
            "rootsSame": view.report.roots_same,
        },
        "folds": folds,
        "roots": roots,
    });
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

fn object(object: &ObjectDiff) -> Value {
    let mut out = Map::new();
    out.insert("change".to_owned(), json!(format!("{:?}", object.change()).to_lowercase()));
    for (name, present) in [("old", &object.old), ("new", &object.new)] {
        if let Some(present) = present {
            out.insert(name.to_owned(), side(present));
        }
    }
    if let Some(renamed) = object.renamed {
        out.insert("renamed".to_owned(), json!(renamed.word()));
    }
    if !object.entries.is_empty() {
        out.insert("entries".to_owned(), object.entries.iter().map(entry).collect());
    }
    if !object.flags.is_empty() {
        out.insert("flags".to_owned(), object.flags.iter().map(flag).collect());
    }
    Value::Object(out)
}

fn side(side: &Side) -> Value {
    let id = &side.id;
    let mut out = Map::new();
    out.insert("place".to_owned(), json!(side.place));
    for (name, text) in
        [("apiVersion", id.api_version().as_str()), ("kind", &id.kind), ("namespace", &id.namespace), ("name", &id.name)]
    {
        if !text.is_empty() {
            out.insert(name.to_owned(), json!(text));
        }
    }
    let origin = &side.origin;
    let mut from = Map::new();
    if !origin.file.is_empty() {
        from.insert("file".to_owned(), json!(origin.file.as_str()));
    }
    if origin.line > 0 {
        from.insert("line".to_owned(), json!(origin.line));
    }
    if !origin.chart.is_empty() {
        from.insert("chart".to_owned(), json!(origin.chart.as_str()));
    }
    if !origin.bases.is_empty() {
        from.insert("bases".to_owned(), origin.bases.iter().map(crate::value::Text::as_str).collect());
    }
    if !from.is_empty() {
        out.insert("origin".to_owned(), Value::Object(from));
    }
    if let Some(whole) = &side.value {
        out.insert("value".to_owned(), value(whole));
    }
    Value::Object(out)
}

fn entry(entry: &Entry) -> Value {
    let mut out = Map::new();
    out.insert("at".to_owned(), json!(entry.path.to_string()));
    out.insert("path".to_owned(), entry.path.steps().iter().map(step).collect());
    out.insert("class".to_owned(), json!(entry.class.word()));
    for (name, present) in [("old", &entry.old), ("new", &entry.new)] {
        if let Some(present) = present {
            out.insert(name.to_owned(), value(present));
        }
    }
    if entry.masked {
        out.insert("masked".to_owned(), json!(true));
    }
    if !entry.why.is_empty() {
        let cause = |cause: &super::Cause| json!({ "side": if cause.new { "new" } else { "old" }, "what": cause.what, "at": cause.at });
        out.insert("why".to_owned(), entry.why.iter().map(cause).collect());
    }
    if let Some(noise) = &entry.noise {
        out.insert("noise".to_owned(), json!(noise.word()));
    }
    Value::Object(out)
}

fn flag(flag: &Flag) -> Value {
    let mut out = Map::new();
    out.insert("kind".to_owned(), json!(flag.kind.word()));
    out.insert("message".to_owned(), json!(flag.message));
    if let Some(path) = &flag.path {
        out.insert("at".to_owned(), json!(path.to_string()));
    }
    Value::Object(out)
}

fn step(step: &Step) -> Value {
    match step {
        Step::Key(key) => json!(key.as_str()),
        Step::Inside(format) => json!({ "inside": format.word() }),
        Step::Item { old, new, name } => {
            let mut out = Map::new();
            for (side, at) in [("old", old), ("new", new)] {
                if let Some(at) = at {
                    out.insert(side.to_owned(), json!(at));
                }
            }
            if !name.is_empty() {
                out.insert("name".to_owned(), json!(name.as_str()));
            }
            Value::Object(out)
        }
    }
}

/// A value as JSON has it.
pub(super) fn value(tree: &Tree) -> Value {
    serde_json::from_str(&yaml::to_json(tree)).unwrap_or(Value::Null)
}
