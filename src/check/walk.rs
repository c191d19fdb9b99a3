//! An object against the shape of its kind: types, formats, what is required, unknown fields, keyed lists, bounds.
//!
//! In: an object as JSON and its [`Shape`]. Out: findings. Null counts as nothing, as it does when a server reads built-in
//! kinds; a custom kind's schema may say that null is a value.

use serde_json::{Map, Value};

use crate::diag::{Severity, did_you_mean};
use crate::go::re2::Regex;
use crate::schema::{Extra, Keyed, Link, Shape, Shapes, Type};

use super::facts;
use super::finding::Finding;
use super::names;

/// Findings of one object; more say nothing new, and a hostile object could have millions.
pub(super) const FINDINGS_MAX: usize = 100;

/// Levels of an object that are walked.
const DEPTH_MAX: usize = 200;

/// Fields that the schema requires and a server does not: leaving them out gives the empty value.
const LENIENT: &[(&str, &str)] = &[
    ("apps.StatefulSetSpec", "serviceName"),
    ("core.LimitRangeSpec", "limits"),
    ("networking.NetworkPolicySpec", "podSelector"),
    ("scheduling.PriorityClass", "value"),
];

/// A walk over one object.
pub(super) struct Walk<'a> {
    pub shapes: &'a Shapes,
    pub object: usize,
    pub findings: Vec<Finding>,
    path: Vec<String>,
    /// CEL rules met on the way: where, and the shape that has them.
    pub ruled: Vec<(Vec<String>, Shape)>,
    /// True inside of a kind of Kubernetes' own, where null is nothing and rules by hand apply.
    builtin: bool,
    relaxed: bool,
    /// Volumes that a StatefulSet's claims make for its pods; none for other kinds.
    pub claims: Option<std::collections::BTreeSet<String>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(shapes: &'a Shapes, object: usize, builtin: bool) -> Walk<'a> {
        let minor: u32 = shapes.version().split_once('.').and_then(|(_, minor)| minor.parse().ok()).unwrap_or(0);
        // servers take nearly any name of an environment variable since 1.34; gated before
        let relaxed = minor >= 34;
        Walk { shapes, object, findings: Vec::new(), path: Vec::new(), ruled: Vec::new(), builtin, relaxed, claims: None }
    }

    /// Notes a finding at the place where the walk is.
    pub(super) fn found(&mut self, code: &'static str, message: impl Into<String>) {
        self.found_at(&[], code, message);
    }

    /// Notes a finding below the place where the walk is.
    pub(super) fn found_at(&mut self, below: &[&str], code: &'static str, message: impl Into<String>) {
        if self.findings.len() < FINDINGS_MAX {
            let mut path = self.path.clone();
            path.extend(below.iter().map(|step| (*step).to_owned()));
            self.findings.push(Finding::error(code, self.object, &path, message));
        }
    }

    /// As [`Walk::found_at`], for what a server lets be and its controllers stumble over.
    pub(super) fn warned_at(&mut self, below: &[&str], code: &'static str, message: impl Into<String>) {
        let before = self.findings.len();
        self.found_at(below, code, message);
        self.soften(before);
    }

    /// Makes warnings of the findings from `before` on.
    pub(super) fn soften(&mut self, before: usize) {
        self.findings[before..].iter_mut().for_each(|finding| finding.severity = Severity::Warning);
    }

    fn hint(&mut self, hint: String) {
        if let Some(last) = self.findings.last_mut().filter(|last| last.hint.is_empty()) {
            last.hint = hint;
        }
    }

    /// True for servers that take nearly any name of an environment variable.
    pub(super) fn relaxed(&self) -> bool {
        self.relaxed
    }

    /// True if the path of the walk ends in these steps.
    pub(super) fn under(&self, step: &str) -> bool {
        self.path.iter().any(|one| one == step)
    }

    /// Walks a value.
    pub(super) fn value(&mut self, value: &Value, link: &Link) {
        let shapes = self.shapes;
        let shape = shapes.shape(link);
        if self.path.len() > DEPTH_MAX {
            return;
        }
        if value.is_null() {
            let nullable = self.builtin || shape.extra.as_ref().is_none_or(|extra| extra.nullable);
            if !nullable && shape.kind != Type::Any {
                self.found("schema-type", "is null, which this field does not take");
            }
            return;
        }
        if !self.typed(value, shape) {
            return;
        }
        match value {
            Value::Object(map) => self.map(map, shape, link),
            Value::Array(items) => self.list(items, shape),
            _ => {}
        }
        if let Some(extra) = &shape.extra {
            self.extra(value, shape, extra);
        }
        if self.builtin {
            let definition = shapes.definition(link);
            if !definition.is_empty() {
                facts::judge(self, &definition, value);
            }
        }
    }

    /// Walks a value below the present place.
    pub(super) fn below(&mut self, step: String, value: &Value, link: &Link) {
        self.path.push(step);
        self.value(value, link);
        self.path.pop();
    }

    fn typed(&mut self, value: &Value, shape: &Shape) -> bool {
        let wanted = match (shape.kind, value) {
            (Type::Any, _)
            | (Type::Object, Value::Object(_))
            | (Type::List, Value::Array(_))
            | (Type::Bool, Value::Bool(_))
            | (Type::Number, Value::Number(_)) => return true,
            (Type::IntOrString, Value::Number(number)) => return self.whole(number, "int32"),
            (Type::IntOrString, Value::String(_)) => return true,
            (Type::String, Value::String(text)) => return self.formatted(text, &shape.format),
            (Type::Int, Value::Number(number)) => return self.whole(number, &shape.format),
            (Type::Quantity, Value::String(text)) => {
                if names::quantity(text).is_none() {
                    self.found("schema-format", format!("`{text}` is no quantity such as `500m` or `2Gi`"));
                }
                return true;
            }
            (Type::Quantity, Value::Number(_)) => return true,
            (Type::Time, Value::String(text)) => {
                if !names::is_time(text) {
                    self.found("schema-format", format!("`{text}` is no time such as `2024-01-31T12:00:00Z`"));
                }
                return true;
            }
            (Type::String | Type::Time, _) => "a string",
            (Type::Int, _) => "an integer",
            (Type::Number, _) => "a number",
            (Type::Bool, _) => "`true` or `false`",
            (Type::Object, _) => "a map",
            (Type::List, _) => "a list",
            (Type::Quantity, _) => "a quantity",
            (Type::IntOrString, _) => "an integer or a string",
        };
        self.found("schema-type", format!("is {}, and must be {wanted}", described(value)));
        if shape.kind == Type::String {
            self.hint("put quotes around the value".to_owned());
        }
        false
    }

    fn whole(&mut self, number: &serde_json::Number, format: &str) -> bool {
        let value = number.as_i64().or_else(|| {
            // `3.0` is an integer for a custom kind's schema, and no integer for Go's decoder
            number.as_f64().filter(|value| value.fract() == 0.0 && !self.builtin).map(|value| value as i64)
        });
        let fits = match (format, value) {
            ("int32", Some(value)) => i32::try_from(value).is_ok(),
            (_, value) => value.is_some(),
        };
        if !fits {
            let what = if format == "int32" { "a 32-bit integer" } else { "an integer" };
            self.found("schema-type", format!("is `{number}`, and must be {what}"));
        }
        fits
    }

    fn formatted(&mut self, text: &str, format: &str) -> bool {
        let (fits, wanted) = match format {
            "byte" => (names::is_base64(text), "base64"),
            "date-time" => (names::is_time(text), "a time such as `2024-01-31T12:00:00Z`"),
            "date" => (text.parse::<jiff::civil::Date>().is_ok(), "a date"),
            "ipv4" => (text.parse::<std::net::Ipv4Addr>().is_ok(), "an IPv4 address"),
            "ipv6" => (text.parse::<std::net::Ipv6Addr>().is_ok(), "an IPv6 address"),
            "cidr" => (names::cidr(text).is_some(), "an address with a prefix length"),
            "uuid" => (is_uuid(text), "a UUID"),
            _ => (true, ""),
        };
        if !fits {
            self.found("schema-format", format!("`{}` is not {wanted}", short(text)));
        }
        fits
    }

    fn map(&mut self, map: &Map<String, Value>, shape: &Shape, link: &Link) {
        let extra = shape.extra.as_deref();
        // every object has these; their form is checked for all kinds alike
        let whole = extra.is_some_and(|extra| extra.embedded || self.path.is_empty());
        let closed = match extra {
            // only a schema with a type knows all fields; others add to one that has
            Some(extra) => shape.kind == Type::Object && !extra.preserves_unknown,
            None => !shape.fields.is_empty(),
        };
        for (key, value) in map {
            if let Some(link) = shape.fields.get(key).or(shape.values.as_ref()) {
                self.below(key.clone(), value, link);
            } else if closed && !(whole && matches!(key.as_str(), "apiVersion" | "kind" | "metadata")) {
                self.unknown(key, shape);
            }
        }
        let definition = if self.builtin { self.shapes.definition(link) } else { String::new() };
        for field in &shape.required {
            let there = map.get(field).is_some_and(|value| !value.is_null());
            if !there && !LENIENT.contains(&(definition.as_str(), field.as_str())) {
                self.found("schema-required", format!("lacks `{field}`, which is required"));
            }
        }
    }

    fn unknown(&mut self, key: &str, shape: &Shape) {
        let nearest = did_you_mean(key, shape.fields.keys().map(String::as_str)).map(str::to_owned);
        self.found_at(&[key], "schema-unknown-field", format!("the field `{key}` is not known here"));
        self.hint(match nearest {
            Some(name) => format!("write `{name}`"),
            None => "remove it: a server drops it or refuses the object".to_owned(),
        });
    }

    fn list(&mut self, items: &[Value], shape: &Shape) {
        if let Some(link) = &shape.items {
            for (index, item) in items.iter().enumerate() {
                self.below(index.to_string(), item, link);
            }
        }
        let mut seen: Vec<String> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let identity = match &shape.keyed {
                Keyed::Atomic => return,
                Keyed::Set => item.to_string(),
                Keyed::Map(keys) => {
                    let values = keys.iter().map(|key| {
                        let default = if key == "protocol" { Value::from("TCP") } else { Value::Null };
                        let value = item.get(key).cloned().unwrap_or(default);
                        format!("{key}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    });
                    values.collect::<Vec<_>>().join(", ")
                }
            };
            if seen.contains(&identity) {
                let index = index.to_string();
                self.found_at(&[&index], "schema-duplicate", format!("repeats the item with `{}`", short(&identity)));
            }
            // lists of more keyed items than a person writes are not worth a quadratic search
            if seen.len() < 10_000 {
                seen.push(identity);
            }
        }
    }

    fn extra(&mut self, value: &Value, shape: &Shape, extra: &Extra) {
        if !extra.values.is_empty() && !extra.values.contains(value) {
            let known: Vec<String> = extra.values.iter().map(|value| format!("`{}`", plain(value))).collect();
            self.found("schema-enum", format!("is `{}`, and must be one of {}", short(&plain(value)), known.join(", ")));
            let nearest = value.as_str().and_then(|text| did_you_mean(text, extra.values.iter().filter_map(Value::as_str)));
            if let Some(nearest) = nearest.map(str::to_owned) {
                self.hint(format!("write `{nearest}`"));
            }
        }
        self.bounds(value, extra);
        if let Value::Array(items) = value {
            let twice = extra.unique.then(|| (1..items.len()).find(|at| items[..*at].contains(&items[*at]))).flatten();
            if let Some(at) = twice {
                self.found_at(&[&at.to_string()], "schema-duplicate", "repeats an item");
            }
        }
        self.junctors(value, extra);
        if !extra.rules.is_empty() {
            self.ruled.push((self.path.clone(), shape.clone()));
        }
    }

    fn bounds(&mut self, value: &Value, extra: &Extra) {
        if let Some(number) = value.as_f64() {
            let low = extra.minimum.filter(|(least, open)| number < *least || (*open && number == *least));
            let high = extra.maximum.filter(|(most, open)| number > *most || (*open && number == *most));
            if let Some((bound, open)) = low {
                self.found("schema-bounds", format!("is {value}, and must be {} {bound}", if open { "more than" } else { "at least" }));
            }
            if let Some((bound, open)) = high {
                self.found("schema-bounds", format!("is {value}, and must be {} {bound}", if open { "less than" } else { "at most" }));
            }
            if extra.multiple_of.is_some_and(|step| step > 0.0 && (number / step).fract() != 0.0) {
                self.found("schema-bounds", format!("is {value}, and must be a multiple of {}", extra.multiple_of.unwrap_or_default()));
            }
        }
        let (size, what) = match value {
            Value::String(text) => (text.chars().count(), "characters"),
            Value::Array(items) => (items.len(), "items"),
            Value::Object(map) => (map.len(), "properties"),
            _ => return,
        };
        if let Some(least) = extra.size.0.filter(|least| (size as u64) < *least) {
            self.found("schema-bounds", format!("has {size} {what}, and must have at least {least}"));
        }
        if let Some(most) = extra.size.1.filter(|most| size as u64 > *most) {
            self.found("schema-bounds", format!("has {size} {what}, and must have at most {most}"));
        }
        if let (Value::String(text), Some(pattern)) = (value, &extra.pattern) {
            match Regex::new(pattern.as_bytes()) {
                Ok(regex) if !regex.is_match(text.as_bytes()) => {
                    self.found("schema-pattern", format!("`{}` does not match `{pattern}`", short(text)));
                }
                _ => {}
            }
        }
    }

    fn junctors(&mut self, value: &Value, extra: &Extra) {
        for shape in &extra.all_of {
            self.value(value, &Link::Shape(std::sync::Arc::new(shape.clone())));
        }
        let holds = |shape: &Shape| {
            let mut walk = Walk::new(self.shapes, self.object, false);
            // a junctor is no whole object: its place is not the root
            walk.path.push(String::new());
            walk.value(value, &Link::Shape(std::sync::Arc::new(shape.clone())));
            walk.findings.is_empty()
        };
        let any = extra.any_of.is_empty() || extra.any_of.iter().any(holds);
        let one = extra.one_of.iter().filter(|shape| holds(shape)).count();
        let not = extra.not.as_deref().is_some_and(holds);
        if !any {
            self.found("schema-junctor", "fits none of the schemas of `anyOf`");
        }
        if !extra.one_of.is_empty() && one != 1 {
            self.found("schema-junctor", format!("fits {one} of the schemas of `oneOf`, and must fit one"));
        }
        if not {
            self.found("schema-junctor", "fits the schema of `not`");
        }
    }
}

/// Sets what a schema has defaults for, as a server does before it validates.
pub(super) fn with_defaults(shapes: &Shapes, value: &mut Value, link: &Link) {
    let shape = shapes.shape(link);
    match value {
        Value::Object(map) => {
            for (name, link) in &shape.fields {
                let default = shapes.shape(link).extra.as_ref().and_then(|extra| extra.default.clone());
                match map.get_mut(name) {
                    Some(Value::Null) | None => {
                        if let Some(default) = default {
                            map.insert(name.clone(), default);
                        }
                    }
                    Some(_) => {}
                }
                if let Some(below) = map.get_mut(name) {
                    with_defaults(shapes, below, link);
                }
            }
            if let Some(link) = &shape.values {
                let known = |key: &String| shape.fields.contains_key(key);
                map.iter_mut().filter(|(key, _)| !known(key)).for_each(|(_, below)| with_defaults(shapes, below, link));
            }
        }
        Value::Array(items) => {
            if let Some(link) = &shape.items {
                for item in items {
                    with_defaults(shapes, item, link);
                }
            }
        }
        _ => {}
    }
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

fn described(value: &Value) -> String {
    match value {
        Value::Object(_) => "a map".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) => format!("the string `{}`", short(text)),
        other => format!("`{other}`"),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text short enough for a line.
pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
