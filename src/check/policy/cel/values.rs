//! JSON as CEL sees it: plainly, or by the shape of a custom kind.

use std::collections::HashMap;

use cel::Value;
use cel::objects::{Key, Map};

use crate::schema::{Shape, Shapes, Type};

/// A value as it is: whole numbers are `int`, others `double`.
pub(in super::super) fn plain(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::String(text.clone().into()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(plain).collect::<Vec<_>>().into()),
        serde_json::Value::Object(map) => {
            self::map(map.iter().map(|(key, value)| (Key::from(key.as_str()), plain(value))).collect())
        }
    }
}

/// A value by its shape: numbers, times, durations and bytes as the schema says.
pub(in super::super) fn shaped(value: &serde_json::Value, shape: &Shape, shapes: &Shapes) -> Value {
    match (value, shape.kind) {
        (serde_json::Value::Number(number), Type::Number) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        (serde_json::Value::String(text), Type::String) => formatted(text, &shape.format),
        (serde_json::Value::Array(items), _) => {
            let one = |item| shape.items.as_ref().map_or_else(|| plain(item), |link| shaped(item, shapes.shape(link), shapes));
            Value::List(items.iter().map(one).collect::<Vec<_>>().into())
        }
        (serde_json::Value::Object(map), _) => {
            let one = |(key, value): (&String, &serde_json::Value)| {
                let link = shape.fields.get(key).or(shape.values.as_ref());
                let value = link.map_or_else(|| plain(value), |link| shaped(value, shapes.shape(link), shapes));
                (Key::from(key.as_str()), value)
            };
            self::map(map.iter().map(one).collect())
        }
        _ => plain(value),
    }
}

fn map(entries: HashMap<Key, Value>) -> Value {
    Value::Map(Map { map: entries.into() })
}

fn formatted(text: &str, format: &str) -> Value {
    let call = match format {
        "date-time" | "datetime" => "timestamp",
        "duration" => "duration",
        "byte" => {
            let bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap_or_default();
            return Value::Bytes(bytes.into());
        }
        _ => return Value::String(text.to_owned().into()),
    };
    // the library's own reading, by its own functions
    let program = cel::Program::compile(&format!("{call}(text)"));
    let mut context = cel::Context::default();
    context.add_variable_from_value("text", text.to_owned());
    let read = program.ok().and_then(|program| program.execute(&context).ok());
    read.unwrap_or_else(|| Value::String(text.to_owned().into()))
}

/// The optional that holds nothing.
pub(in super::super) fn nothing() -> Value {
    Value::Opaque(std::sync::Arc::new(cel::objects::OptionalValue::none()))
}
