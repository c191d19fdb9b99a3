//! Go's own template functions.

#![expect(clippy::needless_pass_by_value, reason = "rows share one signature, and most functions of other rooms take arguments out")]

use std::cmp::Ordering;

use super::compare::{Basic, basic};
use super::print::{sprint, sprintf, sprintln};
use super::text::is_print;
use super::{Args, Ctx, FuncError, FuncSpec, Kind, List, MapType, Str, Ty, Val, deep_equal, truth};

/// The ids of `and` and `or`, which the evaluator runs itself: they stand first in the table.
pub(super) const AND: u32 = 0;
pub(super) const OR: u32 = 1;
/// `call`, whose error names its argument as it is written.
pub(super) const CALL: u32 = 2;

type Result = std::result::Result<Val, FuncError>;

const ONE: &[Ty] = &[Ty::Value];
const TWO: &[Ty] = &[Ty::Value, Ty::Value];

/// One row a function.
pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::variadic("and", TWO, |_, args| Ok(choose(args.rest(0), false))),
    FuncSpec::variadic("or", TWO, |_, args| Ok(choose(args.rest(0), true))),
    FuncSpec::variadic("call", TWO, call),
    FuncSpec::variadic("html", &[Ty::Any], |_, args| Ok(Val::str(html(shown(args.rest(0)).as_bytes())))),
    FuncSpec::variadic("index", TWO, index),
    FuncSpec::variadic("slice", TWO, slice),
    FuncSpec::variadic("js", &[Ty::Any], |_, args| Ok(Val::str(js(&shown(args.rest(0)))))),
    FuncSpec::fixed("len", ONE, length),
    FuncSpec::fixed("not", ONE, |_, args| Ok(Val::Bool(!truth(args.val(0))))),
    FuncSpec::variadic("print", &[Ty::Any], |ctx, args| {
        charge_large(ctx, args.rest(0))?;
        Ok(Val::Str(sprint(args.rest(0))))
    }),
    FuncSpec::variadic("printf", &[Ty::Str, Ty::Any], printf),
    FuncSpec::variadic("println", &[Ty::Any], |ctx, args| {
        charge_large(ctx, args.rest(0))?;
        Ok(Val::Str(sprintln(args.rest(0))))
    }),
    FuncSpec::variadic("urlquery", &[Ty::Any], |_, args| Ok(Val::str(url_query(shown(args.rest(0)).as_bytes())))),
    FuncSpec::variadic("eq", TWO, |_, args| equal(args.val(0), args.rest(1)).map(Val::Bool)),
    FuncSpec::fixed("ge", TWO, |_, args| Ok(Val::Bool(!less(args.val(0), args.val(1))?))),
    FuncSpec::fixed("gt", TWO, |_, args| Ok(Val::Bool(!less_or_equal(args.val(0), args.val(1))?))),
    FuncSpec::fixed("le", TWO, |_, args| Ok(Val::Bool(less_or_equal(args.val(0), args.val(1))?))),
    FuncSpec::fixed("lt", TWO, |_, args| Ok(Val::Bool(less(args.val(0), args.val(1))?))),
    FuncSpec::fixed("ne", TWO, |_, args| Ok(Val::Bool(!equal(args.val(0), args.rest(1))?))),
];

fn choose(values: &[Val], stop_at: bool) -> Val {
    values.iter().find(|value| truth(value) == stop_at).or(values.last()).cloned().unwrap_or_default()
}

/// Strings shorter than this are not counted against the render's limit.
const LARGE: usize = 64 << 10;

/// Counts what printing these will take, so that a string that doubles itself ends before memory does.
fn charge_large(ctx: &mut Ctx<'_>, values: &[Val]) -> std::result::Result<(), FuncError> {
    let total: usize = values.iter().filter_map(Val::as_str).map(Str::len).sum();
    if total > LARGE { ctx.charge(total as u64) } else { Ok(()) }
}

fn printf(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result {
    charge_large(ctx, args.rest(0))?;
    let out = sprintf(args.bytes(0), args.rest(1));
    if out.len() > LARGE {
        ctx.charge(out.len() as u64)?;
    }
    Ok(Val::Str(out))
}

/// There are no function values in templates: `call` can only fail. The evaluator puts `non-function` and the argument's spelling first.
fn call(_: &mut Ctx<'_>, args: Args<'_>) -> Result {
    match args.val(0) {
        Val::Nil => Err("call of nil".into()),
        value => Err(format!("of type {}", value.type_name()).into()),
    }
}

// --- comparison

fn integers(a: &Val, b: &Val) -> Option<Ordering> {
    let (Val::Int(a, left), Val::Int(b, right)) = (a, b) else { return None };
    Some(match (left.is_signed(), right.is_signed()) {
        (true, true) => a.cmp(b),
        (false, false) => (*a as u64).cmp(&(*b as u64)),
        (true, false) if *a < 0 => Ordering::Less,
        (false, true) if *b < 0 => Ordering::Greater,
        _ => (*a as u64).cmp(&(*b as u64)),
    })
}

/// The basic value under a named type (`time.Duration` is an `int64`).
fn underlying(value: &Val) -> Val {
    match value {
        Val::Object(object) if basic(value).is_some() => object.plain(),
        _ => value.clone(),
    }
}

fn equal(first: &Val, others: &[Val]) -> std::result::Result<bool, FuncError> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal_pair(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal_pair(a: &Val, b: &Val) -> std::result::Result<bool, FuncError> {
    let (left, right) = (underlying(a), underlying(b));
    match (&left, &right) {
        (Val::Str(a), Val::Str(b)) => return Ok(a == b),
        (Val::Bool(a), Val::Bool(b)) => return Ok(a == b),
        (Val::Float(a), Val::Float(b)) => return Ok(a == b),
        (Val::Int(..), Val::Int(..)) => return Ok(integers(&left, &right) == Some(Ordering::Equal)),
        _ => {}
    }
    if basic(a) != basic(b) {
        if a.is_nil() || b.is_nil() {
            return Ok(false);
        }
        return Err(incomparable(a, b));
    }
    // neither is of a basic type
    match (a, b) {
        (Val::Nil, Val::Nil) => Ok(true),
        (Val::Nil, Val::Object(_)) | (Val::Object(_), Val::Nil) => Ok(false),
        (Val::Nil, _) | (_, Val::Nil) => Ok(false),
        (Val::Object(left), Val::Object(right)) if left.kind() == Kind::Ptr => Ok(std::rc::Rc::ptr_eq(left, right)),
        (Val::Object(left), Val::Object(_)) if !matches!(left.kind(), Kind::Slice | Kind::Map) => Ok(deep_equal(a, b)),
        _ if a.kind() == b.kind() => {
            Err(format!("non-comparable type {}: {}", sprintf(b"%s", std::slice::from_ref(b)), b.type_name()).into())
        }
        _ => {
            let first = sprintf(b"%s", std::slice::from_ref(a));
            let types = format!("{}, {}", a.type_name(), b.type_name());
            Err(format!("non-comparable types {first}: {types}: {}", super::to_text(b)).into())
        }
    }
}

fn incomparable(a: &Val, b: &Val) -> FuncError {
    format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name()).into()
}

fn less(a: &Val, b: &Val) -> std::result::Result<bool, FuncError> {
    let bad = || FuncError::from("invalid type for comparison");
    let (left, right) = (basic(a).ok_or_else(bad)?, basic(b).ok_or_else(bad)?);
    let (x, y) = (underlying(a), underlying(b));
    match (&x, &y) {
        (Val::Str(x), Val::Str(y)) => Ok(x < y),
        (Val::Float(x), Val::Float(y)) => Ok(x < y),
        (Val::Int(..), Val::Int(..)) => Ok(integers(&x, &y) == Some(Ordering::Less)),
        _ if left == right && left == Basic::Bool => Err(bad()),
        _ => Err(incomparable(a, b)),
    }
}

fn less_or_equal(a: &Val, b: &Val) -> std::result::Result<bool, FuncError> {
    Ok(less(a, b)? || equal_pair(a, b)?)
}

// --- containers

/// The list, map or string to look into, out of a named type.
fn inside(value: &Val) -> Val {
    match value {
        Val::Object(object) if matches!(object.kind(), Kind::Slice | Kind::Map | Kind::String) => object.plain(),
        _ => value.clone(),
    }
}

fn position(index: &Val, length: usize) -> std::result::Result<usize, FuncError> {
    match underlying(index) {
        Val::Int(at, _) if at < 0 || at as usize > length => Err(format!("index out of range: {at}").into()),
        Val::Int(at, _) => Ok(at as usize),
        Val::Nil => Err("cannot index slice/array with nil".into()),
        other => Err(format!("cannot index slice/array with type {}", other.type_name()).into()),
    }
}

fn index(_: &mut Ctx<'_>, args: Args<'_>) -> Result {
    let mut item = args.val(0).clone();
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    for at in args.rest(1) {
        let absent = match &item {
            Val::Object(object) => object.absent(),
            _ => Val::Nil,
        };
        item = match inside(&item) {
            Val::List(list) => {
                let at = position(at, list.len())?;
                list.get(at).cloned().ok_or("reflect: slice index out of range")?
            }
            Val::Str(text) => {
                let at = position(at, text.len())?;
                let byte = *text.as_bytes().get(at).ok_or("reflect: string index out of range")?;
                Val::Int(i64::from(byte), super::IntKind::Uint8)
            }
            Val::Map(map) => match at {
                Val::Str(key) => match map.get(key) {
                    Some(found) => found,
                    None if map.ty() == MapType::Str => Val::Str(Str::EMPTY),
                    None => absent,
                },
                Val::Nil => return Err("value is nil; should be of type string".into()),
                other => return Err(format!("value has type {}; should be string", other.type_name()).into()),
            },
            Val::Nil => return Err("index of nil pointer".into()),
            other => return Err(format!("can't index item of type {}", other.type_name()).into()),
        };
    }
    Ok(item)
}

fn slice(_: &mut Ctx<'_>, args: Args<'_>) -> Result {
    let indexes = args.rest(1);
    let item = inside(args.val(0));
    let length = match &item {
        Val::Nil => return Err("slice of untyped nil".into()),
        _ if indexes.len() > 3 => return Err(format!("too many slice indexes: {}", indexes.len()).into()),
        Val::Str(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Val::Str(text) => text.len(),
        Val::List(list) => list.len(),
        other => return Err(format!("can't slice item of type {}", other.type_name()).into()),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, length)?;
    }
    let [from, to, limit] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}").into());
    }
    if to > limit {
        return Err(format!("invalid slice index: {to} > {limit}").into());
    }
    Ok(match item {
        Val::Str(text) => Val::str(&text.as_bytes()[from..to]),
        Val::List(list) => Val::List(List::typed(list.ty(), list[from..to].to_vec())),
        other => other,
    })
}

fn length(_: &mut Ctx<'_>, args: Args<'_>) -> Result {
    let length = match inside(args.val(0)) {
        Val::Str(text) => text.len(),
        Val::List(list) => list.len(),
        Val::Map(map) => map.len(),
        Val::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        other => return Err(format!("len of type {}", other.type_name()).into()),
    };
    Ok(Val::int(length as i64))
}

// --- escaping

/// The text of arguments as an action would print them.
fn shown(values: &[Val]) -> Str {
    if let [Val::Str(text)] = values {
        return text.clone();
    }
    let printable = |value: &Val| if value.is_nil() { Val::str("<no value>") } else { value.clone() };
    sprint(&values.iter().map(printable).collect::<Vec<_>>())
}

fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            _ => out.push(byte),
        }
    }
    out
}

fn js(text: &Str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for piece in super::text::pieces(text.as_bytes()) {
        let c = match piece {
            super::text::Piece::Char(c) => c,
            super::text::Piece::Bad(_) => char::REPLACEMENT_CHARACTER,
        };
        match c {
            '\\' => out.extend_from_slice(b"\\\\"),
            '\'' => out.extend_from_slice(b"\\'"),
            '"' => out.extend_from_slice(b"\\\""),
            '<' | '>' | '&' | '=' => out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes()),
            _ if c < ' ' || !(c.is_ascii() || is_print(c)) => {
                out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes());
            }
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

fn url_query(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out
}
