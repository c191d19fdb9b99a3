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
        Val::List(list) if list.ty() == ListType::Bytes => {
            let byte = |item: &Val| if let Val::Int(byte, _) = item { *byte as u8 } else { 0 };
            Str::from(list.iter().map(byte).collect::<Vec<u8>>())
        }
        Val::Int(value, kind) if kind.is_signed() => Str::from(value.to_string()),
        Val::Int(value, IntKind::Uint64 | IntKind::Uint) => Str::from((*value as u64).to_string()),
        _ => Str::from(display(value)),
    }
}
