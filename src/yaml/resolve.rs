//! What plain text means: go-yaml's resolvers, v2 and v3.
//!
//! In: the text of a scalar without quotes, or under a core tag. Out: null, boolean, number, time or string. The two
//! differ in YAML 1.1's `y`, `yes`, `on` and their opposites, which are booleans in v2 only.

use super::Dialect;
use super::time;

/// The meaning of a plain text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plain {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits.
    Int(i64),
    /// An integer over `i64::MAX`.
    Uint(u64),
    /// A float, infinities and NaN included.
    Float(f64),
    /// A date or time.
    Timestamp,
    /// Anything else.
    Str,
}

impl Plain {
    /// The short tag that go-yaml prints for it.
    pub fn tag(self) -> &'static str {
        match self {
            Plain::Null => "!!null",
            Plain::Bool(_) => "!!bool",
            Plain::Int(_) | Plain::Uint(_) => "!!int",
            Plain::Float(_) => "!!float",
            Plain::Timestamp => "!!timestamp",
            Plain::Str => "!!str",
        }
    }
}

/// Resolves a plain text.
pub fn resolve(text: &str, dialect: Dialect) -> Plain {
    resolve_with(text, dialect, true)
}

/// As [`resolve`]; `times` says whether a date may come of it, which an explicit other tag forbids.
pub fn resolve_with(text: &str, dialect: Dialect, times: bool) -> Plain {
    let Some(first) = text.bytes().next() else { return Plain::Null };
    match first {
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => word(text, dialect),
        b'.' => point(text),
        b'+' | b'-' | b'0'..=b'9' => number(text, times),
        _ => Plain::Str,
    }
}

/// Words that mean something.
fn word(text: &str, dialect: Dialect) -> Plain {
    match text {
        "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        _ if dialect == Dialect::V3 => Plain::Str,
        _ => old_bool(text).map_or(Plain::Str, Plain::Bool),
    }
}

/// YAML 1.1's other spellings of booleans.
pub fn old_bool(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn point(text: &str) -> Plain {
    match text {
        ".nan" | ".NaN" | ".NAN" => Plain::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" => Plain::Float(f64::INFINITY),
        // here go-yaml asks strconv alone, underscores and all it takes
        _ => separated_float(text).map_or(Plain::Str, Plain::Float),
    }
}

/// Go's `ParseFloat` takes underscores between digits.
fn separated_float(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return go_float(text);
    }
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let apart = text.match_indices('_').all(|(at, _)| at > 0 && digit(at - 1) && digit(at + 1));
    if apart { go_float(&text.replace('_', "")) } else { None }
}

fn number(text: &str, times: bool) -> Plain {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Plain::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Plain::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if times && time::parse(text).is_some() {
        return Plain::Timestamp;
    }
    let bare;
    let plain = if text.contains('_') {
        bare = text.replace('_', "");
        bare.as_str()
    } else {
        text
    };
    if let Some(value) = integer(plain) {
        return value;
    }
    if is_decimal_float(plain) {
        return go_float(plain).map_or(Plain::Str, Plain::Float);
    }
    Plain::Str
}

/// Go's `ParseInt` and `ParseUint` in base 0: decimal, `0x`, `0o`, `0b`, and octal by a leading zero.
fn integer(text: &str) -> Option<Plain> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let lower = |at: usize| digits.as_bytes().get(at).map(u8::to_ascii_lowercase);
    let (base, digits) = match (lower(0), lower(1)) {
        (Some(b'0'), Some(b'x')) => (16, &digits[2..]),
        (Some(b'0'), Some(b'o')) => (8, &digits[2..]),
        (Some(b'0'), Some(b'b')) => (2, &digits[2..]),
        (Some(b'0'), Some(_)) => (8, &digits[1..]),
        _ => (10, digits),
    };
    // Rust's parser would take a second sign
    if !digits.bytes().next()?.is_ascii_alphanumeric() {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    if negative {
        return (size <= 1 << 63).then(|| Plain::Int((size as i64).wrapping_neg()));
    }
    match i64::try_from(size) {
        Ok(value) => Some(Plain::Int(value)),
        // ParseUint takes no sign
        Err(_) if !signed => Some(Plain::Uint(size)),
        Err(_) => None,
    }
}

/// True for `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_decimal_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        let from = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        (at, at - from)
    };
    let begin = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let (mut at, whole) = digits(begin);
    if bytes.get(at) == Some(&b'.') {
        let (end, fraction) = digits(at + 1);
        if whole + fraction == 0 {
            return false;
        }
        at = end;
    } else if whole == 0 {
        return false;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'-' | b'+')));
        let (end, count) = digits(at + 1 + sign);
        if count == 0 {
            return false;
        }
        at = end;
    }
    at == bytes.len()
}

/// Go's `ParseFloat` for decimal text: too large is no float, too small is zero.
fn go_float(text: &str) -> Option<f64> {
    if !is_decimal_float(text) {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// True for numbers in base 60, which are strings to go-yaml but are quoted for those to whom they are none:
/// `[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?`.
pub fn is_base60(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !rest.starts_with(|first: char| first.is_ascii_digit()) || !rest.contains(':') {
        return false;
    }
    let (rest, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut parts = rest.split(':');
    let whole = parts.next().unwrap_or("");
    let sixtieth = |part: &str| match part.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [tens, digit] => (b'0'..=b'5').contains(tens) && digit.is_ascii_digit(),
        _ => false,
    };
    let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    number(whole) && parts.all(sixtieth) && number(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_resolve_as_in_go() {
        let cases = [
            ("0777", Plain::Int(511)),
            ("0o777", Plain::Int(511)),
            ("0x1F", Plain::Int(31)),
            ("0b101", Plain::Int(5)),
            ("-0b101", Plain::Int(-5)),
            ("1_000", Plain::Int(1000)),
            ("-9223372036854775808", Plain::Int(i64::MIN)),
            ("18446744073709551615", Plain::Uint(u64::MAX)),
            ("+18446744073709551615", Plain::Float(1.844_674_407_370_955_2e19)),
            ("18446744073709551616", Plain::Float(1.844_674_407_370_955_2e19)),
            ("08", Plain::Float(8.0)),
            ("1.", Plain::Float(1.0)),
            (".5", Plain::Float(0.5)),
            ("1e3", Plain::Float(1000.0)),
            ("1e400", Plain::Str),
            ("0x", Plain::Str),
            ("--1", Plain::Str),
            ("-+1", Plain::Str),
            ("+", Plain::Str),
            ("1:20", Plain::Str),
            ("", Plain::Null),
            ("2001-12-14", Plain::Timestamp),
            ("2001-13-14", Plain::Str),
        ];
        for (text, want) in cases {
            for dialect in [Dialect::V2, Dialect::V3] {
                assert_eq!(resolve(text, dialect), want, "{text}");
            }
        }
    }

    #[test]
    fn old_booleans_are_booleans_in_v2_only() {
        for text in ["y", "N", "yes", "On", "OFF"] {
            assert!(matches!(resolve(text, Dialect::V2), Plain::Bool(_)), "{text}");
            assert_eq!(resolve(text, Dialect::V3), Plain::Str, "{text}");
        }
        assert_eq!(resolve("yEs", Dialect::V2), Plain::Str);
    }

    #[test]
    fn base_60_is_seen() {
        for text in ["190:20:30", "1:5", "-1_0:59.5", "1:2."] {
            assert!(is_base60(text), "{text}");
        }
        for text in ["1:60", "a:1", "1:", "1", "1:2:", "1:234"] {
            assert!(!is_base60(text), "{text}");
        }
    }
}
