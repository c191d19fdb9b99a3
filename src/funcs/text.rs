//! Texts of values: `%v` as fmt prints it, and sprig's `strval`, which most string functions begin with.

use crate::gotmpl::{IntKind, ListType, Str, Val, append_text};

/// `fmt.Sprint` of one value, which is `%v`.
pub(super) fn display(value: &Val) -> Vec<u8> {
    let mut out = Vec::new();
    append_text(&mut out, value);
    out
}

/// Sprig's `strval`: strings and byte slices as they are, everything else as `%v`.
pub(super) fn strval(value: &Val) -> Str {
    match value {
        Val::Str(text) => text.clone(),
        Val::List(list) if list.ty() == ListType::Bytes => Str::new(list.to_bytes()),
        Val::Int(value, kind) if kind.is_signed() => Str::from(value.to_string()),
        Val::Int(value, IntKind::Uint64 | IntKind::Uint) => Str::from((*value as u64).to_string()),
        _ => Str::from(display(value)),
    }
}

/// Values that one call may print or copy, lists and maps held several times counted each time.
pub(super) const VALUES_LIMIT: u32 = 10_000_000;
/// Nesting that [`within_limit`] follows; what prints or copies has its own limit below it.
const DEPTH_LIMIT: u32 = 1000;

/// Whether a value is small enough to be walked in full: lists of lists of one list grow without taking memory.
pub(super) fn within_limit(value: &Val) -> bool {
    fn walk(value: &Val, left: &mut u32, depth: u32) -> bool {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        match value {
            _ if depth == 0 => true,
            Val::List(list) => list.iter().all(|item| walk(item, left, depth - 1)),
            Val::Map(map) => map.borrow().values().all(|item| walk(item, left, depth - 1)),
            _ => true,
        }
    }
    walk(value, &mut VALUES_LIMIT.clone(), DEPTH_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_double_are_cut_off() {
        let mut value = Val::list(vec![Val::Nil, Val::Nil]);
        for _ in 0..60 {
            value = Val::list(vec![value.clone(), value]);
        }
        assert!(!within_limit(&value));
        assert!(within_limit(&Val::list(vec![Val::Nil; 1000])));
    }
}
