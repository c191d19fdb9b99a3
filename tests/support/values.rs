//! Objects as JSON values, read by Hydrant's own reader and by nothing of its diff.

use hydrant::diag::SourceText;
use hydrant::manifest::Set;
use hydrant::value::{Kind, Tree};
use serde_json::Value;

/// The objects of a text.
pub(crate) fn objects(name: &str, text: String) -> Vec<Value> {
    let set = Set::parse(&SourceText::new(name, text)).expect("good objects");
    set.objects.iter().map(|object| value(object.tree())).collect()
}

/// A tree as JSON, read as the API server reads YAML.
fn value(tree: &Tree) -> Value {
    match tree {
        Tree::Map(map) => {
            map.iter().map(|(key, tree)| (key.to_string(), value(tree))).collect::<serde_json::Map<_, _>>().into()
        }
        Tree::List(items) => items.iter().map(value).collect(),
        Tree::Scalar(scalar) => match scalar.kind {
            Kind::Null => Value::Null,
            Kind::Bool => (scalar.text == "true").into(),
            Kind::Int | Kind::Float => number(&scalar.text),
            _ => scalar.text.as_str().into(),
        },
    }
}

/// A number as Go prints it: `1.0` is 1.
fn number(text: &str) -> Value {
    if let Ok(value) = text.parse::<i64>() {
        return value.into();
    }
    match text.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 && value.abs() < 1e15 => (value as i64).into(),
        Ok(value) => value.into(),
        Err(_) => text.into(),
    }
}

/// A text that is a document of its own, read inside an object.
pub(crate) fn read(text: &str) -> Value {
    let inner = text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n");
    let whole = format!("apiVersion: v1\nkind: X\nmetadata: {{name: x}}\ndata:\n{inner}");
    let set = Set::parse(&SourceText::new("text", whole)).expect("it was read as a document");
    value(&set.objects[0].tree().get("data").cloned().unwrap_or_else(Tree::null))
}
