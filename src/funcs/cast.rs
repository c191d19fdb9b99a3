//! spf13/cast as sprig calls it: numbers out of anything, zero where there is none.

use crate::go::strconv;
use crate::gotmpl::{IntKind, Kind, Val};

/// Go's conversion of a float to `int64` on the machines Helm is built for: what does not fit is the smallest number.
pub(super) fn truncate(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

/// `cast.ToInt64` (and `ToInt`, which is the same on 64 bits).
pub(super) fn to_int(value: &Val) -> i64 {
    match value {
        Val::Nil => 0,
        Val::Bool(value) => i64::from(*value),
        Val::Int(value, _) => *value,
        Val::Float(value) => truncate(*value),
        Val::Str(text) => text.as_str().and_then(|text| strconv::parse_int_prefixed(without_zero_decimals(text))).unwrap_or(0),
        // cast knows the months and week days among named integers, not durations.
        Val::Object(object) if matches!(&*object.type_name(), "time.Month" | "time.Weekday") => to_int(&object.plain()),
        Val::List(_) | Val::Map(_) | Val::Object(_) => 0,
    }
}

/// `cast.ToFloat64`.
pub(super) fn to_float(value: &Val) -> f64 {
    match value {
        Val::Nil => 0.0,
        Val::Bool(value) => f64::from(u8::from(*value)),
        Val::Int(value, IntKind::Uint64 | IntKind::Uint) => *value as u64 as f64,
        Val::Int(value, _) => *value as f64,
        Val::Float(value) => *value,
        Val::Str(text) => text.as_str().and_then(|text| strconv::parse_float(text).ok()).unwrap_or(0.0),
        Val::Object(_) => to_int(value) as f64,
        Val::List(_) | Val::Map(_) => 0.0,
    }
}

/// `1.00` is `1` to cast; `1.20` is left alone, and so is a text of zeros without a point.
fn without_zero_decimals(text: &str) -> &str {
    let head = text.trim_end_matches('0');
    match head.strip_suffix('.') {
        Some(whole) if head.len() < text.len() => whole,
        _ => text,
    }
}

/// True for the kinds that `reflect` calls integers; the value is that integer.
pub(super) fn plain_int(value: &Val) -> Option<(i64, IntKind)> {
    match (value.kind(), value) {
        (Kind::Int(kind), Val::Int(value, _)) => Some((*value, kind)),
        (Kind::Int(kind), Val::Object(object)) => match object.plain() {
            Val::Int(value, _) => Some((value, kind)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_numbers_as_cast_has_it() {
        for (text, int, float) in [
            ("12", 12, 12.0),
            ("3.7", 0, 3.7),
            ("1.0", 1, 1.0),
            ("1.", 0, 1.0),
            ("010", 8, 10.0),
            ("0x10", 16, 0.0),
            ("100", 100, 100.0),
            ("1_000", 1000, 1000.0),
            ("abc", 0, 0.0),
            ("", 0, 0.0),
        ] {
            assert_eq!(to_int(&Val::str(text)), int, "{text}");
            assert_eq!(to_float(&Val::str(text)), float, "{text}");
        }
        assert_eq!(to_int(&Val::Float(1.5e21)), i64::MIN);
        assert_eq!(to_int(&Val::Float(-2.75)), -2);
    }
}
