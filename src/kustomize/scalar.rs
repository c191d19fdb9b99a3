//! Writing scalars as kyaml's field setters do.
//!
//! kyaml sets a node's text and lets a later parser resolve it, so what a written value is depends on the quotes of
//! the value that stood there. These functions give the scalar that this comes to.

use crate::value::{Kind, Scalar, Style, Text, Tree};

/// A string, whatever it looks like: what kyaml makes of tagged text, and of text where nothing stood (it quotes what
/// YAML 1.1 would take for something else).
pub(crate) fn string(text: impl Into<Text>) -> Tree {
    Tree::str(text)
}

/// Text without a tag in the place of `old`: its quotes stay, and plain text is what YAML resolves it to.
pub(crate) fn untagged_over(old: &Tree, text: impl Into<Text>) -> Tree {
    let style = old.as_scalar().map_or(Style::Plain, |scalar| scalar.style);
    let text = text.into();
    let kind = if style == Style::Plain { resolve_plain(&text) } else { Kind::Str };
    Tree::Scalar(Scalar { kind, style, text })
}

/// What plain text is to go-yaml's v3 reader.
pub(crate) fn resolve_plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return Kind::Bool,
        ".nan" | ".NaN" | ".NAN" => return Kind::Float,
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Kind::Float;
    }
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Kind::Str;
    }
    if is_integer(unsigned) {
        Kind::Int
    } else if is_float(unsigned) {
        Kind::Float
    } else if is_date(text) {
        Kind::Timestamp
    } else {
        Kind::Str
    }
}

fn is_integer(unsigned: &str) -> bool {
    let plain: String = unsigned.chars().filter(|c| *c != '_').collect();
    let all = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    match plain.get(..2) {
        Some("0x" | "0X") => all(&plain[2..], 16),
        Some("0o" | "0O") => all(&plain[2..], 8),
        Some("0b" | "0B") => all(&plain[2..], 2),
        _ => all(&plain, 10),
    }
}

fn is_float(unsigned: &str) -> bool {
    let plain: String = unsigned.chars().filter(|c| *c != '_').collect();
    let (mantissa, exponent) = plain.split_once(['e', 'E']).map_or((&*plain, None), |(m, e)| (m, Some(e)));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    digits(whole) && digits(part) && (!whole.is_empty() || !part.is_empty()) && exponent_fits
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits = |part: Option<&str>, len: std::ops::RangeInclusive<usize>| {
        part.is_some_and(|part| len.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    digits(parts.next(), 4..=4)
        && digits(parts.next(), 1..=2)
        && parts.next().is_some_and(|day| digits(Some(day), 1..=2) || day.contains([':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_decide_what_a_written_text_is() {
        let kind = |old: &Tree, text| untagged_over(old, text).as_scalar().map(|scalar| scalar.kind);
        let quoted = Tree::Scalar(Scalar { kind: Kind::Str, style: Style::Double, text: "5".into() });
        assert_eq!(kind(&quoted, "15"), Some(Kind::Str));
        assert_eq!(kind(&Tree::int(5), "15"), Some(Kind::Int));
        assert_eq!(kind(&Tree::int(5), "a-5"), Some(Kind::Str));
        assert_eq!(kind(&Tree::int(5), "1.5e3"), Some(Kind::Float));
        assert_eq!(kind(&Tree::int(5), "1.2.3"), Some(Kind::Str));
    }
}
