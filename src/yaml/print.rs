//! Trees as text: YAML as kustomize prints it, and JSON.
//!
//! In: a tree of either dialect. Out: its text. A tree's scalars hold the text of their source; what they are printed
//! as is decided here, by the rules of the JSON that they pass through in Go (`0x1F` is 31, `1.0` is 1, a date is a
//! string with a time).

use std::borrow::Cow;

use base64::Engine as _;

use crate::diag::{Diagnostic, Result};
use crate::go::json;
use crate::value::{Kind, Scalar, Style, Tree};

use super::emit::Analysis;
use super::read::lossy;
use super::refold::refold;
use super::resolve::{Plain, old_bool, resolve_with};
use super::{Dialect, Emitter, Look, sort_keys, time};

/// A scalar's value, as JSON has it.
enum Value<'t> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(Cow<'t, str>),
}

fn value(scalar: &Scalar) -> Value<'_> {
    let text = scalar.text.as_str();
    match scalar.kind {
        // nothing in flow style: see the composer
        Kind::Null if scalar.style == Style::Single => Value::Str(Cow::Borrowed("")),
        Kind::Null => Value::Null,
        Kind::Bool => Value::Bool(old_bool(text).unwrap_or(matches!(text, "true" | "True" | "TRUE"))),
        Kind::Int | Kind::Float => match resolve_with(text, Dialect::V3, false) {
            // `-0` must keep its sign
            Plain::Int(value) if scalar.kind == Kind::Float => Value::Float(text.parse().unwrap_or(value as f64)),
            Plain::Uint(value) if scalar.kind == Kind::Float => Value::Float(value as f64),
            Plain::Int(value) => Value::Int(value),
            Plain::Uint(value) => Value::Uint(value),
            Plain::Float(value) => Value::Float(value),
            _ => Value::Str(Cow::Borrowed(text)),
        },
        Kind::Timestamp => Value::Str(time::parse(text).map_or(Cow::Borrowed(text), |time| Cow::Owned(time.rfc3339()))),
        Kind::Binary => {
            let bare: String = text.split_whitespace().collect();
            let bytes = base64::engine::general_purpose::STANDARD.decode(bare);
            Value::Str(bytes.map_or(Cow::Borrowed(text), |bytes| Cow::Owned(lossy(&bytes))))
        }
        Kind::Str if scalar.style == Style::Folded && Analysis::of(text, Look::V3).is_block() => Value::Str(refold(text)),
        Kind::Str => Value::Str(Cow::Borrowed(text)),
    }
}

/// The tree as `sigs.k8s.io/yaml`'s `Marshal` prints it, and so kustomize: keys in go-yaml's order, lists not indented
/// under keys, long text folded. Ends with a line end.
pub fn to_string(tree: &Tree) -> String {
    print(tree).0
}

/// As [`to_string`], but values that Go refuses to print (infinities, control characters, keys over 1,024 characters)
/// are a fault `yaml-unprintable` with Go's words, as they are at the end of a kustomize build.
pub fn to_string_strict(tree: &Tree) -> Result<String> {
    match print(tree) {
        (text, None) => Ok(text),
        (_, Some(fault)) => Err(Box::new(Diagnostic::input("yaml-unprintable", fault))),
    }
}

fn print(tree: &Tree) -> (String, Option<String>) {
    let mut out = String::new();
    let mut emitter = Emitter::new(&mut out, Look::V2);
    emit(&mut emitter, tree);
    let fault = emitter.finish().err();
    (out, fault)
}

fn emit(emitter: &mut Emitter<'_>, tree: &Tree) {
    match tree {
        Tree::Scalar(scalar) => match value(scalar) {
            Value::Null => emitter.null(),
            Value::Bool(value) => emitter.bool(value),
            Value::Int(value) => emitter.int(value),
            Value::Uint(value) => emitter.uint(value),
            Value::Float(value) => emitter.float(value),
            Value::Str(text) => emitter.str(&text),
        },
        Tree::List(items) => {
            emitter.list_start();
            items.iter().for_each(|item| emit(emitter, item));
            emitter.list_end();
        }
        Tree::Map(map) => {
            emitter.map_start();
            let mut entries: Vec<_> = map.iter().collect();
            sort_keys(&mut entries, Look::V2, |entry| entry.0);
            for (key, value) in entries {
                emitter.key(key);
                emit(emitter, value);
            }
            emitter.map_end();
        }
    }
}

/// The tree as `encoding/json` prints it: on one line, keys sorted by bytes, `<`, `>` and `&` escaped. Numbers that
/// JSON cannot write are null.
pub fn to_json(tree: &Tree) -> String {
    let mut out = String::new();
    write_json(&mut json::Writer::new(&mut out), tree);
    out
}

/// As [`to_json`], each entry on a line of its own, two spaces deeper than what holds it.
pub fn to_json_indented(tree: &Tree) -> String {
    let mut out = String::new();
    write_json(&mut json::Writer::new(&mut out).indented("  "), tree);
    out
}

fn write_json(out: &mut json::Writer<'_>, tree: &Tree) {
    match tree {
        Tree::Scalar(scalar) => match value(scalar) {
            Value::Null => out.literal("null"),
            Value::Bool(value) => out.literal(if value { "true" } else { "false" }),
            Value::Int(value) => out.literal(&value.to_string()),
            Value::Uint(value) => out.literal(&value.to_string()),
            Value::Float(value) => {
                if !out.float(value) {
                    out.literal("null");
                }
            }
            Value::Str(text) => out.str(text.as_bytes()),
        },
        Tree::List(items) => {
            out.list_start();
            items.iter().for_each(|item| write_json(out, item));
            out.list_end();
        }
        Tree::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|entry| entry.0);
            out.map_start();
            for (key, value) in entries {
                out.key(key.as_bytes());
                write_json(out, value);
            }
            out.map_end();
        }
    }
}
