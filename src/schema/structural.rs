//! The shapes of custom kinds, out of the structural schemas of their definitions.
//!
//! In: an `openAPIV3Schema` as JSON. Out: a [`Shape`] whose [`Extra`] holds what built-in kinds have no use for: bounds, enums,
//! patterns, junctors, defaults and CEL rules. Patterns are kept as texts: who judges compiles them.

use std::sync::Arc;

use serde_json::Value;

use super::shapes::{Keyed, Link, Shape, Type, any};

/// Levels of a schema that are read; below, anything is taken.
const DEPTH_MAX: usize = 64;

/// A CEL rule of a schema (`x-kubernetes-validations`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The expression; `self` is the value.
    pub expression: String,
    /// What to say where it is false; empty for the rule itself.
    pub message: String,
    /// An expression that makes the message; empty for none.
    pub message_expression: String,
    /// Where to point, below the value, in JSON path form; empty for the value.
    pub field_path: String,
    /// True if `oldSelf` is optional, so that the rule also judges new objects.
    pub optional_old_self: bool,
}

/// What only custom kinds say.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// True if null is a value.
    pub nullable: bool,
    /// Fields that are not known stay.
    pub preserves_unknown: bool,
    /// A whole object stands here.
    pub embedded: bool,
    /// The values that may stand; none where all may.
    pub values: Vec<Value>,
    /// A pattern that a string must match somewhere.
    pub pattern: Option<String>,
    /// Bounds: minimum, maximum, each with "exclusive".
    pub minimum: Option<(f64, bool)>,
    /// As `minimum`.
    pub maximum: Option<(f64, bool)>,
    /// The number must be a multiple of it.
    pub multiple_of: Option<f64>,
    /// Least and most characters, items or properties, by the type.
    pub size: (Option<u64>, Option<u64>),
    /// No two items are equal.
    pub unique: bool,
    /// `allOf`, `anyOf`, `oneOf` and `not`, each as a schema of its own.
    pub all_of: Vec<Shape>,
    /// As `all_of`.
    pub any_of: Vec<Shape>,
    /// As `all_of`.
    pub one_of: Vec<Shape>,
    /// As `all_of`.
    pub not: Option<Box<Shape>>,
    /// What stands where nothing is given.
    pub default: Option<Value>,
    /// CEL rules.
    pub rules: Vec<Rule>,
}

/// The shape of a schema.
pub fn shape(schema: &Value) -> Shape {
    read(schema, 0)
}

fn read(schema: &Value, depth: usize) -> Shape {
    let mut shape = any();
    if depth > DEPTH_MAX {
        return shape;
    }
    let flag = |name: &str| schema[name].as_bool().unwrap_or_default();
    shape.kind = match schema["type"].as_str() {
        _ if flag("x-kubernetes-int-or-string") => Type::IntOrString,
        Some("string") => Type::String,
        Some("integer") => Type::Int,
        Some("number") => Type::Number,
        Some("boolean") => Type::Bool,
        Some("object") => Type::Object,
        Some("array") => Type::List,
        _ => Type::Any,
    };
    schema["format"].as_str().unwrap_or_default().clone_into(&mut shape.format);
    shape.required = texts(&schema["required"]);
    let below = |part: &Value| Link::Shape(Arc::new(read(part, depth + 1)));
    if let Some(fields) = schema["properties"].as_object() {
        shape.fields = fields.iter().map(|(name, part)| (name.clone(), below(part))).collect();
    }
    shape.items = schema.get("items").filter(|part| part.is_object()).map(below);
    shape.values = match &schema["additionalProperties"] {
        Value::Bool(true) => Some(Link::Shape(Arc::new(any()))),
        part if part.is_object() => Some(below(part)),
        _ => None,
    };
    shape.keyed = match schema["x-kubernetes-list-type"].as_str() {
        Some("map") => Keyed::Map(texts(&schema["x-kubernetes-list-map-keys"])),
        Some("set") => Keyed::Set,
        _ => Keyed::Atomic,
    };
    shape.extra = Some(Box::new(extra(schema, depth)));
    shape
}

fn extra(schema: &Value, depth: usize) -> Extra {
    let flag = |name: &str| schema[name].as_bool().unwrap_or_default();
    let bound = |name: &str, exclusive: &str| schema[name].as_f64().map(|number| (number, flag(exclusive)));
    let many = |name: &str| -> Vec<Shape> {
        schema[name].as_array().into_iter().flatten().map(|part| read(part, depth + 1)).collect()
    };
    let (least, most) = match schema["type"].as_str() {
        Some("array") => ("minItems", "maxItems"),
        Some("object") => ("minProperties", "maxProperties"),
        Some("string") => ("minLength", "maxLength"),
        // junctors have bounds without a type
        _ => ["minItems", "minProperties", "minLength", "maxItems", "maxProperties", "maxLength"]
            .chunks(3)
            .map(|names| names.iter().copied().find(|name| schema.get(*name).is_some()).unwrap_or_default())
            .collect::<Vec<_>>()
            .try_into()
            .map_or(("", ""), |[least, most]: [&str; 2]| (least, most)),
    };
    Extra {
        nullable: flag("nullable"),
        preserves_unknown: flag("x-kubernetes-preserve-unknown-fields"),
        embedded: flag("x-kubernetes-embedded-resource"),
        values: schema["enum"].as_array().cloned().unwrap_or_default(),
        pattern: schema["pattern"].as_str().map(str::to_owned),
        minimum: bound("minimum", "exclusiveMinimum"),
        maximum: bound("maximum", "exclusiveMaximum"),
        multiple_of: schema["multipleOf"].as_f64(),
        size: (schema[least].as_u64(), schema[most].as_u64()),
        unique: flag("uniqueItems"),
        all_of: many("allOf"),
        any_of: many("anyOf"),
        one_of: many("oneOf"),
        not: schema.get("not").map(|part| Box::new(read(part, depth + 1))),
        default: schema.get("default").cloned(),
        rules: schema["x-kubernetes-validations"].as_array().into_iter().flatten().map(rule).collect(),
    }
}

fn rule(rule: &Value) -> Rule {
    let text = |name: &str| rule[name].as_str().unwrap_or_default().trim().to_owned();
    Rule {
        expression: text("rule"),
        message: text("message"),
        message_expression: text("messageExpression"),
        field_path: text("fieldPath"),
        optional_old_self: rule["optionalOldSelf"].as_bool().unwrap_or_default(),
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
