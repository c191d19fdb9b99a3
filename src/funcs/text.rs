//! Texts of values: `%v` as fmt prints it, and sprig's `strval`, which most string functions begin with.

use crate::go::float;
use crate::gotmpl::{IntKind, ListType, Str, Val};

/// Nesting that is printed; a value that goes deeper holds itself, and Go would not come back from it.
const DEPTH_LIMIT: usize = 1000;

/// `fmt.Sprint` of one value, which is `%v`.
pub(super) fn display(value: &Val) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value, DEPTH_LIMIT);
    out
}

fn write(out: &mut Vec<u8>, value: &Val, depth: usize) {
    if depth == 0 {
        return;
    }
    match value {
        Val::Nil => out.extend_from_slice(b"<nil>"),
        Val::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Val::Int(value, IntKind::Uint64 | IntKind::Uint) => out.extend_from_slice((*value as u64).to_string().as_bytes()),
        Val::Int(value, _) => out.extend_from_slice(value.to_string().as_bytes()),
        Val::Float(value) => out.extend_from_slice(float::g(*value).as_bytes()),
        Val::Str(text) => out.extend_from_slice(text.as_bytes()),
        Val::List(list) => {
            out.push(b'[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push(b' ');
                }
                write(out, item, depth - 1);
            }
            out.push(b']');
        }
        Val::Map(map) => {
            out.extend_from_slice(b"map[");
            for (index, (key, value)) in map.borrow().iter().enumerate() {
                if index > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(key.as_bytes());
                out.push(b':');
                write(out, value, depth - 1);
            }
            out.push(b']');
        }
        Val::Object(object) => object.write_text(out),
    }
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
