//! From the reader's scalars to template values, and to the text that a Go string field gets.

use crate::go::float;
use crate::gotmpl::{Map, MapType, Str, Val};
use crate::value::{Kind, Scalar, Tree};

/// A tree as templates see values that came from a file: maps, lists, and every number a `float64`, since Helm reads
/// values through JSON.
pub(crate) fn to_val(tree: &Tree) -> Val {
    match tree {
        Tree::List(items) => Val::list(items.iter().map(to_val).collect()),
        Tree::Map(map) => {
            let entries = map.iter().map(|(key, tree)| (Str::new(key.as_bytes()), to_val(tree)));
            Val::Map(Map::typed(MapType::Any, entries.collect()))
        }
        Tree::Scalar(scalar) => match scalar.kind {
            Kind::Null => Val::Nil,
            Kind::Bool => Val::Bool(scalar.text == "true"),
            Kind::Int | Kind::Float => Val::Float(scalar.text.parse().unwrap_or(f64::NAN)),
            Kind::Str | Kind::Timestamp | Kind::Binary => Val::str(&scalar.text),
        },
    }
}

/// The text that a Go string field gets from a scalar: numbers (floats with the digits of 32 bits) and booleans are spelled
/// out; nothing for null.
pub(crate) fn scalar_text(scalar: &Scalar) -> Option<String> {
    match scalar.kind {
        Kind::Null => None,
        Kind::Float => Some(scalar.text.parse().map_or_else(|_| scalar.text.to_string(), float::g32)),
        _ => Some(scalar.text.to_string()),
    }
}
