//! From the immutable [`Tree`] to template values, as Helm reads values: every number is a `float64`.

use super::{List, Map, Val};
use crate::value::{Kind, Scalar, Tree};

impl From<&Tree> for Val {
    /// Numbers become `float64`, timestamps strings, as a values file read through JSON gives them.
    fn from(tree: &Tree) -> Val {
        match tree {
            Tree::Scalar(scalar) => from_scalar(scalar),
            Tree::List(items) => Val::List(List::new(items.iter().map(Val::from).collect())),
            Tree::Map(map) => {
                Val::Map(map.iter().map(|(key, value)| (key.as_str().into(), Val::from(value))).collect::<Map>())
            }
        }
    }
}

fn from_scalar(scalar: &Scalar) -> Val {
    let text = scalar.text.as_str();
    match scalar.kind {
        Kind::Null => Val::Nil,
        Kind::Bool => Val::Bool(matches!(text, "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y")),
        Kind::Int => Val::Float(integer(text)),
        Kind::Float => Val::Float(float(text)),
        Kind::Str | Kind::Timestamp | Kind::Binary => Val::str(text),
    }
}

/// An integer in any of YAML 1.1's spellings; as a float where it is too large for 64 bits.
fn integer(text: &str) -> f64 {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok().map(|value| value as f64);
    let value = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => radix(&digits[2..], 16),
        [b'0', b'o' | b'O', ..] => radix(&digits[2..], 8),
        [b'0', b'b' | b'B', ..] => radix(&digits[2..], 2),
        [b'0', _, ..] => radix(&digits[1..], 8),
        _ => None,
    };
    sign * value.or_else(|| digits.parse().ok()).unwrap_or(f64::NAN)
}

fn float(text: &str) -> f64 {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    match plain.to_ascii_lowercase().as_str() {
        ".inf" | "+.inf" => f64::INFINITY,
        "-.inf" => f64::NEG_INFINITY,
        ".nan" => f64::NAN,
        text => text.parse().unwrap_or(f64::NAN),
    }
}
