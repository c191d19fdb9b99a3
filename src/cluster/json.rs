//! `Tree` to JSON, as a server reads the same YAML: numbers by value, everything else by text.

use serde_json::{Map, Number, Value};

use super::{Answer, Fault, FaultKind};
use crate::value::{Kind, Scalar, Tree};

/// How deep an object may nest; the API server's JSON reader stops at 10,000, which a stack of ours would not bear.
const DEPTH_MAX: usize = 500;

/// The JSON of a tree. Numbers that JSON cannot say (`.inf`, `.nan`) are rejected.
pub(super) fn to_json(tree: &Tree) -> Answer<Value> {
    convert(tree, 0)
}

fn convert(tree: &Tree, depth: usize) -> Answer<Value> {
    if depth > DEPTH_MAX {
        return Err(Fault::new(FaultKind::Rejected, format!("the object nests deeper than {DEPTH_MAX} levels")));
    }
    match tree {
        Tree::Scalar(scalar) => scalar_to_json(scalar),
        Tree::List(items) => items.iter().map(|item| convert(item, depth + 1)).collect::<Answer<_>>().map(Value::Array),
        Tree::Map(map) => {
            let entries = map.iter().map(|(key, value)| Ok((key.to_string(), convert(value, depth + 1)?)));
            entries.collect::<Answer<Map<_, _>>>().map(Value::Object)
        }
    }
}

fn scalar_to_json(scalar: &Scalar) -> Answer<Value> {
    let text = scalar.text.as_str();
    let number = match scalar.kind {
        Kind::Null => return Ok(Value::Null),
        Kind::Bool => {
            return Ok(Value::Bool(matches!(
                text,
                "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y"
            )));
        }
        Kind::Str | Kind::Timestamp | Kind::Binary => return Ok(Value::String(text.to_owned())),
        Kind::Int => integer(text).or_else(|| float(text)),
        Kind::Float => float(text),
    };
    let refused =
        || Fault::new(FaultKind::Rejected, format!("the number `{text}` cannot be sent: JSON has no such number"));
    number.map(Value::Number).ok_or_else(refused)
}

/// An integer in any spelling that YAML 1.1 and 1.2 readers take.
fn integer(text: &str) -> Option<Number> {
    let bare = text.replace('_', "");
    let (negative, digits) = match bare.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, bare.strip_prefix('+').unwrap_or(&bare)),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let value = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -value } else { value };
    i64::try_from(value).map(Number::from).ok().or_else(|| u64::try_from(value).map(Number::from).ok())
}

fn float(text: &str) -> Option<Number> {
    let bare = text.replace('_', "");
    let value: f64 = bare.parse().ok()?;
    if value.is_finite() && value.fract() == 0.0 && value.abs() < 1e15 {
        // a server stores 1.0 as 1, and reads it back as such
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(kind: Kind, text: &str) -> String {
        to_json(&Tree::plain(kind, text)).expect("a number").to_string()
    }

    #[test]
    fn numbers_keep_their_value() {
        let cases = [("0x1F", "31"), ("0755", "493"), ("0o755", "493"), ("0b11", "3"), ("1_000", "1000"), ("-7", "-7")];
        for (text, want) in cases {
            assert_eq!(number(Kind::Int, text), want, "{text}");
        }
        assert_eq!(number(Kind::Int, "18446744073709551615"), "18446744073709551615");
        assert_eq!(number(Kind::Float, "1.5e3"), "1500");
        assert_eq!(number(Kind::Float, "0.25"), "0.25");
        assert!(to_json(&Tree::plain(Kind::Float, ".inf")).is_err());
    }

    #[test]
    fn a_tree_too_deep_is_rejected() {
        let mut tree = Tree::null();
        for _ in 0..=DEPTH_MAX {
            tree = Tree::list(vec![tree]);
        }
        assert_eq!(to_json(&tree).expect_err("too deep").kind, FaultKind::Rejected);
    }
}
