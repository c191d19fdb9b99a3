//! Objects as the JSON that Go writes for them: sorted keys, Go's escapes. Only what the name hash needs.

use crate::value::{Kind, Tree};

/// Appends the JSON of a value, as `encoding/json` writes what kyaml decodes it to.
pub(crate) fn write(tree: &Tree, out: &mut String) {
    match tree {
        Tree::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Tree::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Tree::Scalar(scalar) => match scalar.kind {
            Kind::Null => out.push_str("null"),
            Kind::Bool => out.push_str(if scalar.text.eq_ignore_ascii_case("true") { "true" } else { "false" }),
            Kind::Int | Kind::Float => out.push_str(&scalar.text),
            Kind::Str | Kind::Timestamp | Kind::Binary => write_text(&scalar.text, out),
        },
    }
}

/// Appends a JSON string with Go's escapes, HTML's among them.
pub(crate) fn write_text(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("a string takes any text");
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}
