//! `values.schema.json`: a chart's values checked against it, subcharts after their parent.
//!
//! In: the tree of charts and the values they get. Out: nothing, or one diagnostic with every violation in Helm's
//! wording. Nothing is fetched: a schema that refers to another file or address is refused by the name of what it wants.

use std::fmt::Write as _;

use boon::{Compiler, Schemas, UrlLoader};
use serde_json::Value;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::go::re2;
use crate::gotmpl::{Map, Val};

use super::graph::{Graph, NodeId, ROOT};

/// The address that schemas are compiled under; Helm's.
const ADDRESS: &str = "file:///values.schema.json";

/// Checks the values of a chart and its subcharts. Fails with code `values-schema`.
pub(crate) fn validate(graph: &Graph, values: &Map, profile: Profile) -> Result<()> {
    let mut report = String::new();
    chart(graph, ROOT, values, profile, &mut report);
    if report.is_empty() {
        return Ok(());
    }
    let message = format!("values don't meet the specifications of the schema(s) in the following chart(s):\n{report}");
    let fault = Diagnostic::input("values-schema", message);
    Err(Box::new(fault.hint("change the values, or skip the check with `--skip-schema-validation`")))
}

fn chart(graph: &Graph, id: NodeId, values: &Map, profile: Profile, report: &mut String) {
    if let Some(schema) = &graph.chart(id).schema
        && let Err(violations) = single(schema, values, profile) {
            let _ = write!(report, "{}:\n{violations}", graph.name(id));
        }
    for &child in graph.children(id) {
        let name = graph.name(child);
        match values.get(name) {
            None | Some(Val::Nil) => {}
            Some(Val::Map(table)) => chart(graph, child, &table, profile, report),
            Some(other) => {
                let kind = other.type_name();
                let _ = writeln!(report, "{name}:\ninvalid type for values: expected object (map), got {kind}");
            }
        }
    }
}

/// The violations of one schema, one line each.
fn single(schema: &SourceText, values: &Map, profile: Profile) -> Result<(), String> {
    let mut schema: Value = serde_json::from_str(schema.text()).map_err(|error| error.to_string())?;
    if profile.schemas_of_draft_7() {
        as_draft_7(&mut schema);
    }
    let mut patterns = Vec::new();
    translate_patterns(&mut schema, &mut patterns)?;
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.use_loader(Box::new(NoLoader));
    compiler.add_resource(ADDRESS, schema).map_err(|error| error.to_string())?;
    let index = compiler.compile(ADDRESS, &mut schemas).map_err(|error| compile_error(&error))?;
    let values = json(&Val::Map(values.clone()));
    schemas.validate(&values, index).map_err(|error| {
        let mut text = error.to_string();
        if let Some(rest) = text.strip_prefix("jsonschema validation failed with ") {
            text = rest.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        }
        for (written, original) in patterns {
            text = text.replace(&written, &original);
        }
        text + "\n"
    })
}

/// Has a schema of a later draft read as draft 7, whose reader passes over what it does not know.
fn as_draft_7(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    let known = |draft: &Value| draft.as_str().is_some_and(|draft| draft.contains("/draft-0"));
    if !map.get("$schema").is_some_and(known) {
        map.insert("$schema".to_owned(), Value::from("http://json-schema.org/draft-07/schema#"));
    }
}

fn compile_error(error: &boon::CompileError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}\n")
}

/// Puts every pattern into the syntax of the regex library, so that it means what it means in Go; remembers those that
/// changed.
fn translate_patterns(schema: &mut Value, changed: &mut Vec<(String, String)>) -> Result<(), String> {
    let translate = |pattern: &str| {
        re2::translate(pattern.as_bytes()).map_err(|error| format!("'{pattern}' is not valid regex: {error}\n"))
    };
    match schema {
        Value::Array(items) => items.iter_mut().try_for_each(|item| translate_patterns(item, changed)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("const" | "enum" | "default" | "examples", _) => {}
                    ("pattern", Value::String(pattern)) => {
                        let written = translate(pattern)?;
                        changed.push((written.clone(), std::mem::replace(pattern, written)));
                    }
                    ("patternProperties", Value::Object(properties)) => {
                        for (pattern, mut schema) in std::mem::take(properties) {
                            translate_patterns(&mut schema, changed)?;
                            let written = translate(&pattern)?;
                            changed.push((written.clone(), pattern));
                            properties.insert(written, schema);
                        }
                    }
                    (_, value) => translate_patterns(value, changed)?,
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Values as JSON; a whole number has no fraction.
fn json(value: &Val) -> Value {
    match value {
        Val::Nil => Value::Null,
        Val::Bool(value) => Value::Bool(*value),
        Val::Int(number, _) => Value::from(*number),
        Val::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Value::from(*number as i64),
        Val::Float(number) => Value::from(*number),
        Val::Str(text) => Value::String(text.to_str_lossy().into_owned()),
        Val::List(items) => Value::Array(items.iter().map(json).collect()),
        Val::Map(map) => {
            Value::Object(map.borrow().iter().map(|(key, value)| (key.to_str_lossy().into_owned(), json(value))).collect())
        }
        Val::Object(object) => json(&object.plain()),
    }
}

/// Refuses to load, but for names without an address, which Helm takes as "anything goes".
struct NoLoader;

impl UrlLoader for NoLoader {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        if url.starts_with("urn:") {
            return Ok(Value::Bool(true));
        }
        Err(format!("the schema refers to `{url}`, which is not fetched").into())
    }
}
