//! `values.schema.json`: a chart's values checked against it, subcharts after their parent.
//!
//! In: the tree of charts and the values they get. Out: nothing, or one diagnostic with every violation in Helm's
//! wording. Checking touches nothing that templates do, so it runs beside them. Nothing is fetched: a schema that refers to another file or address is refused by the name of what it wants.

use std::fmt::Write as _;

use boon::{Compiler, Schemas, UrlLoader};
use serde_json::Value;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::go::re2;
use crate::gotmpl::{Map, Val};

use super::blame::Origins;
use super::graph::{Graph, NodeId, ROOT};
use super::schema_form::{flattened, is_well_formed};

/// The address that schemas are compiled under; Helm's.
const ADDRESS: &str = "file:///values.schema.json";
/// An address under which the library takes a schema for well-formed, as those that it brings along.
const TRUSTED_ADDRESS: &str = "http://json-schema.org/values.schema.json";

/// Schemas of this many bytes take longer than a thread takes to begin.
const MANY_BYTES: usize = 32 << 10;

/// Values that are not told of in a report's trail beyond this many.
const TRACED_MAX: usize = 10;

/// What is to be checked of a chart and its subcharts, in the order in which it is told; any thread can check it.
#[derive(Default)]
pub(crate) struct Checks(Vec<Check>);

/// One chart to check.
struct Check {
    /// The subcharts on the way to it, outermost first.
    charts: Vec<String>,
    name: String,
    what: What,
}

enum What {
    /// Values, and the schema that they are to meet.
    Schema(SourceText, Value),
    /// Values of a type that no chart's values have.
    Type(String),
}

impl Checks {
    /// What is to be checked where a chart gets these values.
    pub(crate) fn of(graph: &Graph, values: &Map) -> Checks {
        let mut checks = Checks::default();
        checks.chart(graph, ROOT, values, &mut Vec::new());
        checks
    }

    /// True if a thread has begun sooner than all is checked.
    pub(crate) fn are_many(&self) -> bool {
        let size = |check: &Check| match &check.what {
            What::Schema(schema, _) => schema.text().len(),
            What::Type(_) => 0,
        };
        self.0.iter().map(size).sum::<usize>() >= MANY_BYTES
    }

    fn chart(&mut self, graph: &Graph, id: NodeId, values: &Map, way: &mut Vec<String>) {
        if let Some(schema) = &graph.chart(id).schema {
            let what = What::Schema(schema.clone(), json(&Val::Map(values.clone())));
            self.0.push(Check { charts: way.clone(), name: graph.name(id).to_owned(), what });
        }
        for &child in graph.children(id) {
            let name = graph.name(child);
            match values.get(name) {
                None | Some(Val::Nil) => {}
                Some(Val::Map(table)) => {
                    way.push(name.to_owned());
                    self.chart(graph, child, &table, way);
                    way.pop();
                }
                Some(other) => {
                    let what = What::Type(other.type_name().into_owned());
                    self.0.push(Check { charts: way.clone(), name: name.to_owned(), what });
                }
            }
        }
    }

    /// Checks all of it.
    pub(crate) fn report(self, profile: Profile) -> Report {
        let mut report = Report::default();
        for check in self.0 {
            let name = check.name;
            match check.what {
                What::Schema(schema, values) => {
                    if let Err(violations) = single(&schema, &values, profile) {
                        let places = violations.lines().filter_map(pointer);
                        report.places.extend(places.map(|path| (check.charts.clone(), path)));
                        let _ = write!(report.text, "{name}:\n{violations}");
                    }
                }
                What::Type(kind) => {
                    let _ = writeln!(report.text, "{name}:\ninvalid type for values: expected object (map), got {kind}");
                }
            }
        }
        report
    }
}

/// What is wrong, chart by chart.
#[derive(Default)]
pub(crate) struct Report {
    text: String,
    /// The values at fault: the subcharts on the way, and the path in the chart's values.
    places: Vec<(Vec<String>, Vec<String>)>,
}

impl Report {
    /// Fails with code `values-schema` where something is wrong; `origins` say where each value at fault came from.
    pub(crate) fn told(&self, origins: &Origins<'_>) -> Result<()> {
        let text = self.text.trim_end();
        if text.is_empty() {
            return Ok(());
        }
        let message = format!("values don't meet the specifications of the schema(s) in the following chart(s):\n{text}");
        let mut fault = Diagnostic::input("values-schema", message);
        for (charts, path) in self.places.iter().take(TRACED_MAX) {
            let charts: Vec<&str> = charts.iter().map(String::as_str).collect();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            fault = origins.trace(fault, &charts, &path);
        }
        Err(Box::new(fault.hint("change the values, or skip the check with `--skip-schema-validation`")))
    }
}

/// The path that a violation is at (`- at '/image/tag': …`); nothing for the root.
fn pointer(line: &str) -> Option<Vec<String>> {
    let rest = line.trim_start().strip_prefix("- at '/")?;
    let path = rest.split('\'').next()?;
    Some(path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
}

/// The violations of one schema, one line each.
fn single(schema: &SourceText, values: &Value, profile: Profile) -> Result<(), String> {
    let (mut parsed, patterns) = read(schema, profile)?;
    // most schemas are good, and so are most values; where one is not, the library tells what is wrong
    if is_well_formed(&parsed) {
        if flattened(parsed).is_some_and(|parsed| met(parsed, TRUSTED_ADDRESS, values).is_ok()) {
            return Ok(());
        }
        parsed = read(schema, profile)?.0;
    }
    met(parsed, ADDRESS, values).map_err(|mut text| {
        for (written, original) in patterns {
            text = text.replace(&written, &original);
        }
        text
    })
}

/// A schema in the library's terms, and the patterns that were written otherwise.
fn read(schema: &SourceText, profile: Profile) -> Result<(Value, Vec<(String, String)>), String> {
    let mut schema: Value = serde_json::from_str(schema.text()).map_err(|error| error.to_string())?;
    if profile.schemas_of_draft_7() {
        as_draft_7(&mut schema);
    }
    let mut patterns = Vec::new();
    translate_patterns(&mut schema, &mut patterns)?;
    Ok((schema, patterns))
}

/// Compiles a schema under an address, and checks values.
fn met(schema: Value, address: &str, values: &Value) -> Result<(), String> {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.use_loader(Box::new(NoLoader));
    compiler.add_resource(address, schema).map_err(|error| error.to_string())?;
    let index = compiler.compile(address, &mut schemas).map_err(|error| compile_error(&error))?;
    schemas.validate(values, index).map_err(|error| {
        let mut text = error.to_string();
        if let Some(rest) = text.strip_prefix("jsonschema validation failed with ") {
            text = rest.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
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
