//! JSON and YAML out of values and back, as encoding/json, `sigs.k8s.io/yaml` and go-yaml v3 do it for Helm.
//!
//! Reading gives what Go's decoders put into an `interface {}`: every number is a float. Helm's `from…` functions answer a fault
//! with its text inside the value; the `must…` forms fail with it. `toYaml` and `toJson` answer a value that cannot be printed with
//! nothing; a warning tells so.

use std::borrow::Cow;

use super::text::{VALUES_LIMIT, display, within_limit};
use super::times::{Elapsed, Instant};
use crate::diag::{Diagnostic, SourceText};
use crate::go::json::{self, Visit};
use crate::go::strconv;
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, IntKind, Kind, List, ListType, Map, MapType, Str, Ty, Val};
use crate::value::Style;
use crate::yaml::{self, Build, Dialect, Emitter, Look, Plain};

type Answer = Result<Val, FuncError>;

/// Nesting from which a value is taken to hold itself; Go looks for cycles from there on.
const DEPTH_LIMIT: usize = 1000;

const V: &[Ty] = &[Ty::Any];
const S: &[Ty] = &[Ty::Str];

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("toJson", V, |ctx, args| or_nothing(ctx, "toJson", to_json(args.val(0)))),
    FuncSpec::fixed("mustToJson", V, |_, args| Ok(to_json(args.val(0))?.into())),
    FuncSpec::fixed("toPrettyJson", V, |ctx, args| or_nothing(ctx, "toPrettyJson", to_pretty_json(args.val(0)))),
    FuncSpec::fixed("mustToPrettyJson", V, |_, args| Ok(to_pretty_json(args.val(0))?.into())),
    FuncSpec::fixed("toRawJson", V, |_, args| Ok(to_raw_json(args.val(0))?.into())),
    FuncSpec::fixed("mustToRawJson", V, |_, args| Ok(to_raw_json(args.val(0))?.into())),
    FuncSpec::fixed("toYaml", V, |ctx, args| or_nothing(ctx, "toYaml", to_yaml(args.val(0)))),
    FuncSpec::fixed("mustToYaml", V, |_, args| Ok(to_yaml(args.val(0))?.into())),
    FuncSpec::fixed("toYamlPretty", V, |ctx, args| or_nothing(ctx, "toYamlPretty", to_yaml_pretty(args.val(0)))),
    FuncSpec::fixed("fromJson", S, |_, args| Ok(map_or_error(read_json(args.bytes(0)), "json: "))),
    FuncSpec::fixed("fromJsonArray", S, |_, args| Ok(list_or_error(read_json(args.bytes(0)), "json: "))),
    FuncSpec::fixed("mustFromJson", S, |_, args| Ok(read_json(args.bytes(0))?)),
    FuncSpec::fixed("fromYaml", S, from_yaml),
    FuncSpec::fixed("fromYamlArray", S, from_yaml_array),
];

/// What swallows errors gives nothing, and a warning.
fn or_nothing(ctx: &mut Ctx<'_>, name: &str, result: Result<String, String>) -> Answer {
    result.map(Val::from).or_else(|fault| {
        let message = format!("`{name}` gives nothing, since its value cannot be printed: {fault}");
        let warning = Diagnostic::warning("template-value-unprintable", message);
        ctx.host().warn(warning.hint(format!("use `must{}{}` to fail instead", name[..1].to_uppercase(), &name[1..])));
        Ok("".into())
    })
}

// Writing.

/// `json.Marshal`.
pub(super) fn to_json(value: &Val) -> Result<String, String> {
    check_size(value)?;
    let mut out = String::new();
    write_json(&mut json::Writer::new(&mut out), value, DEPTH_LIMIT)?;
    Ok(out)
}

fn to_pretty_json(value: &Val) -> Result<String, String> {
    check_size(value)?;
    let mut out = String::new();
    write_json(&mut json::Writer::new(&mut out).indented("  "), value, DEPTH_LIMIT)?;
    Ok(out)
}

fn to_raw_json(value: &Val) -> Result<String, String> {
    check_size(value)?;
    let mut out = String::new();
    write_json(&mut json::Writer::new(&mut out).raw_html(), value, DEPTH_LIMIT)?;
    Ok(out)
}

fn check_size(value: &Val) -> Result<(), String> {
    if within_limit(value) { Ok(()) } else { Err(format!("the value holds more than {VALUES_LIMIT} others")) }
}

fn cycle(value: &Val) -> String {
    format!("json: unsupported value: encountered a cycle via {}", value.type_name())
}

fn write_json(out: &mut json::Writer<'_>, value: &Val, depth: usize) -> Result<(), String> {
    if depth == 0 {
        return Err(cycle(value));
    }
    match value {
        Val::Nil => out.literal("null"),
        Val::Bool(value) => out.literal(if *value { "true" } else { "false" }),
        Val::Int(value, IntKind::Uint64 | IntKind::Uint) => out.literal(&(*value as u64).to_string()),
        Val::Int(value, _) => out.literal(&value.to_string()),
        Val::Float(value) => {
            if !out.float(*value) {
                return Err(unsupported(*value));
            }
        }
        Val::Str(text) => out.str(text.as_bytes()),
        Val::List(list) if list.is_nil() => out.literal("null"),
        Val::List(list) if list.ty() == ListType::Bytes => out.str(base64_of(list).as_bytes()),
        Val::List(list) => {
            out.list_start();
            list.iter().try_for_each(|item| write_json(out, item, depth - 1))?;
            out.list_end();
        }
        Val::Map(map) if map.is_nil() => out.literal("null"),
        Val::Map(map) => {
            out.map_start();
            for (key, value) in map.borrow().iter() {
                out.key(key.as_bytes());
                write_json(out, value, depth - 1)?;
            }
            out.map_end();
        }
        Val::Object(object) => {
            if let Some(instant) = value.as_object::<Instant>() {
                instant.0.rfc3339().map_err(|fault| format!("json: error calling MarshalJSON for type time.Time: {fault}"))?;
            }
            let Some(fields) = object.json_fields() else { return write_json(out, &object.plain(), depth - 1) };
            out.map_start();
            for (name, value) in fields {
                out.key(name.as_bytes());
                write_json(out, value, depth - 1)?;
            }
            out.map_end();
        }
    }
    Ok(())
}

fn unsupported(value: f64) -> String {
    format!("json: unsupported value: {}", crate::go::float::g(value))
}

fn base64_of(list: &List) -> String {
    data_encoding::BASE64.encode(super::text::strval(&Val::List(list.clone())).as_bytes())
}

/// `sigs.k8s.io/yaml`'s `Marshal` without the last line end.
pub(super) fn to_yaml(value: &Val) -> Result<String, String> {
    check_size(value)?;
    let mut out = String::new();
    let mut emitter = Emitter::new(&mut out, Look::V2);
    emit(&mut emitter, value, Look::V2, DEPTH_LIMIT).map_err(|fault| format!("error marshaling into JSON: {fault}"))?;
    emitter.finish_trimmed()?;
    Ok(out)
}

/// go-yaml v3's encoder with an indentation of two, without the last line end.
fn to_yaml_pretty(value: &Val) -> Result<String, String> {
    check_size(value)?;
    let mut out = String::new();
    let mut emitter = Emitter::new(&mut out, Look::V3);
    emit(&mut emitter, value, Look::V3, DEPTH_LIMIT)?;
    emitter.finish_trimmed()?;
    Ok(out)
}

/// One walk for both: v2 prints what went through JSON (nil slices are null, floats lose their points), v3 the values themselves.
fn emit(out: &mut Emitter<'_>, value: &Val, look: Look, depth: usize) -> Result<(), String> {
    let pretty = look == Look::V3;
    if depth == 0 {
        return Err(cycle(value));
    }
    match value {
        Val::Nil => out.null(),
        Val::Bool(value) => out.bool(*value),
        Val::Int(value, IntKind::Uint64 | IntKind::Uint) => out.uint(*value as u64),
        Val::Int(value, _) => out.int(*value),
        Val::Float(value) if !pretty && !value.is_finite() => return Err(unsupported(*value)),
        Val::Float(value) => out.float(*value),
        Val::Str(text) => match (text.as_str(), pretty) {
            (Some(text), _) => out.str(text),
            (None, true) => out.binary(&data_encoding::BASE64.encode(text.as_bytes())),
            (None, false) => out.str(&yaml::lossy(text.as_bytes())),
        },
        Val::List(list) if list.is_nil() && !pretty => out.null(),
        Val::List(list) if list.ty() == ListType::Bytes && !pretty => out.str(&base64_of(list)),
        Val::List(list) => {
            out.list_start();
            list.iter().try_for_each(|item| emit(out, item, look, depth - 1))?;
            out.list_end();
        }
        Val::Map(map) if map.is_nil() && !pretty => out.null(),
        Val::Map(map) => {
            let map = map.borrow();
            let mut entries: Vec<(Cow<'_, str>, &Val)> = map
                .iter()
                .map(|(key, value)| (key.as_str().map_or_else(|| yaml::lossy(key.as_bytes()).into(), Cow::Borrowed), value))
                .collect();
            yaml::sort_keys(&mut entries, look, |entry| entry.0.as_ref());
            out.map_start();
            for (key, value) in entries {
                out.key(&key);
                emit(out, value, look, depth - 1)?;
            }
            out.map_end();
        }
        Val::Object(object) => {
            if let Some(instant) = value.as_object::<Instant>() {
                let text = instant.0.rfc3339()?;
                if pretty { out.timestamp(&text) } else { out.str(&text) }
            } else if pretty && value.as_object::<Elapsed>().is_some() {
                out.str(&String::from_utf8_lossy(&display(value)));
            } else if let (true, Some(certificate)) = (pretty, value.as_object::<super::certificates::Certificate>()) {
                out.map_start();
                for (key, text) in [("cert", &certificate.cert), ("key", &certificate.key)] {
                    out.key(key);
                    out.str(text);
                }
                out.map_end();
            } else {
                emit(out, &object.plain(), look, depth - 1)?;
            }
        }
    }
    Ok(())
}

// Reading.

/// `json.Unmarshal` into an `interface {}`.
pub(super) fn read_json(text: &[u8]) -> Result<Val, String> {
    let text = String::from_utf8_lossy(text);
    let mut values = Values { open: Vec::new(), done: Val::Nil, fault: None };
    json::read(&text, &mut values).map_err(|fault| fault.to_string())?;
    match values.fault {
        Some(fault) => Err(fault),
        None => Ok(values.done),
    }
}

/// Values that JSON's events add up to.
struct Values {
    open: Vec<Open>,
    done: Val,
    fault: Option<String>,
}

enum Open {
    List(Vec<Val>),
    Map(Map, Str),
}

impl Values {
    fn put(&mut self, value: Val) {
        match self.open.last_mut() {
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(map, key)) => map.set(std::mem::take(key), value),
            None => self.done = value,
        }
    }

    fn close(&mut self) {
        let closed = match self.open.pop() {
            Some(Open::List(items)) => Val::list(items),
            Some(Open::Map(map, _)) => map.into(),
            None => return,
        };
        self.put(closed);
    }
}

impl Visit for Values {
    fn null(&mut self) {
        self.put(Val::Nil);
    }

    fn bool(&mut self, value: bool) {
        self.put(value.into());
    }

    fn number(&mut self, text: &str) {
        let value = strconv::parse_float(text).unwrap_or_else(|_| {
            let fault = format!("json: cannot unmarshal number {text} into Go value of type float64");
            self.fault.get_or_insert(fault);
            0.0
        });
        self.put(value.into());
    }

    fn str(&mut self, text: Cow<'_, str>) {
        self.put(Val::str(text.as_bytes()));
    }

    fn list_start(&mut self) {
        self.open.push(Open::List(Vec::new()));
    }

    fn list_end(&mut self) {
        self.close();
    }

    fn map_start(&mut self) {
        self.open.push(Open::Map(Map::new(), Str::EMPTY));
    }

    fn key(&mut self, name: Cow<'_, str>) {
        if let Some(Open::Map(_, key)) = self.open.last_mut() {
            *key = Str::from(name);
        }
    }

    fn map_end(&mut self) {
        self.close();
    }
}

/// What Go's JSON calls a value it cannot put somewhere.
fn json_name(value: &Val) -> &'static str {
    match value.kind() {
        Kind::Bool => "bool",
        Kind::String => "string",
        Kind::Slice => "array",
        Kind::Map => "object",
        _ => "number",
    }
}

/// A decoded value as a map; a fault, or a value that is no map, stands under `Error`.
fn map_or_error(decoded: Result<Val, String>, prefix: &str) -> Val {
    let fault = match decoded {
        Ok(Val::Map(map)) => return map.into(),
        Ok(Val::Nil) => return Map::nil(MapType::Any).into(),
        Ok(other) => format!("{prefix}cannot unmarshal {} into Go value of type map[string]interface {{}}", json_name(&other)),
        Err(fault) => fault,
    };
    Map::from_iter([(Str::from("Error"), Val::from(fault))]).into()
}

/// A decoded value as a list; a fault, or a value that is no list, is its only item.
fn list_or_error(decoded: Result<Val, String>, prefix: &str) -> Val {
    let fault = match decoded {
        Ok(Val::List(list)) => return list.into(),
        Ok(Val::Nil) => return List::nil(ListType::Any).into(),
        Ok(other) => format!("{prefix}cannot unmarshal {} into Go value of type []interface {{}}", json_name(&other)),
        Err(fault) => fault,
    };
    Val::list(vec![fault.into()])
}

const YAML_PREFIX: &str = "error unmarshaling JSON: while decoding JSON: json: ";

fn from_yaml(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    // An empty text leaves the map that was there; null would put a nil in its place.
    match read_yaml(args.bytes(0)) {
        Ok(None) => Ok(Map::new().into()),
        other => Ok(map_or_error(other.map(Option::unwrap_or_default), YAML_PREFIX)),
    }
}

fn from_yaml_array(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    match read_yaml(args.bytes(0)) {
        Ok(None) => Ok(Val::list(Vec::new())),
        other => Ok(list_or_error(other.map(Option::unwrap_or_default), YAML_PREFIX)),
    }
}

/// The first document of a text as `sigs.k8s.io/yaml` decodes it; nothing where there is none.
fn read_yaml(text: &[u8]) -> Result<Option<Val>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "yaml: invalid leading UTF-8 octet".to_owned())?;
    let source = SourceText::new("fromYaml", text);
    yaml::read(&source, Dialect::V2, &mut ValBuilder).map_err(|fault| {
        // Faults of the decoder come bare, those of the reader with sigs' prefix.
        let message = fault.message.clone();
        if message.starts_with("yaml: ") { format!("error converting YAML to JSON: {message}") } else { message }
    })
}

/// Builds template values out of YAML: as JSON would have them, so every number is a float.
pub(crate) struct ValBuilder;

impl Build for ValBuilder {
    type Node = Val;
    type Map = Map;

    fn scalar(&mut self, plain: Plain, text: Cow<'_, str>, _: Style) -> Val {
        match plain {
            Plain::Null => Val::Nil,
            Plain::Bool(value) => value.into(),
            Plain::Int(value) => Val::Float(value as f64),
            Plain::Uint(value) => Val::Float(value as f64),
            Plain::Float(value) => Val::Float(value),
            Plain::Timestamp | Plain::Str => Val::str(text.as_bytes()),
        }
    }

    fn binary(&mut self, _: Cow<'_, str>, decoded: Vec<u8>, _: Style) -> Val {
        yaml::lossy(&decoded).into()
    }

    fn list(&mut self, items: Vec<Val>) -> Val {
        Val::list(items)
    }

    fn new_map(&mut self) -> Map {
        Map::new()
    }

    fn set(&mut self, map: &mut Map, key: &str, value: Val) -> Option<usize> {
        let before = map.contains(key).then_some(0);
        map.set(key, value);
        before
    }

    fn map_len(&self, map: &Map) -> usize {
        map.len()
    }

    fn finish_map(&mut self, map: Map) -> Val {
        map.into()
    }

    fn merge(&mut self, into: &mut Map, from: &Val, replace: bool) {
        for (key, value) in from.as_map().map(Map::snapshot).unwrap_or_default() {
            if replace || !into.contains(&key) {
                into.set(key, value);
            }
        }
    }

    fn copy(&mut self, node: &Val) -> Val {
        super::dicts::copy(node, super::dicts::COPY_DEPTH_LIMIT).unwrap_or_default()
    }

    fn is_map(&self, node: &Val) -> bool {
        matches!(node, Val::Map(_))
    }

    fn items<'n>(&self, node: &'n Val) -> Option<&'n [Val]> {
        node.as_list().map(List::items)
    }

    fn key_text(&self, node: &Val) -> Option<String> {
        match node {
            Val::Float(value) => {
                let mut out = String::new();
                crate::go::float::push_json(&mut out, *value);
                Some(out)
            }
            Val::Bool(_) | Val::Str(_) => Some(String::from_utf8_lossy(&display(node)).into_owned()),
            _ => None,
        }
    }

    fn go_syntax(&self, node: &Val) -> String {
        match node {
            Val::Nil => "interface {}(nil)".to_owned(),
            Val::Str(text) => strconv::quote_bytes(text.as_bytes()),
            Val::List(list) => {
                let items: Vec<String> = list.iter().map(|item| self.go_syntax(item)).collect();
                format!("[]interface {{}}{{{}}}", items.join(", "))
            }
            Val::Map(map) => {
                let entry = |(key, value): (Str, Val)| format!("{}:{}", strconv::quote_bytes(key.as_bytes()), self.go_syntax(&value));
                let entries: Vec<String> = map.snapshot().into_iter().map(entry).collect();
                format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
            }
            other => String::from_utf8_lossy(&display(other)).into_owned(),
        }
    }
}
