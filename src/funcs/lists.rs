//! Lists: sprig's functions over slices of any Go type, each with a `must` form of the same behaviour and error text.

use super::text::strval;
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, Kind, List, ListType, Str, Ty, Val, deep_equal, truth};

type Answer = Result<Val, FuncError>;

/// Lists shorter than this are not counted against the render's limit.
const UNCOUNTED: usize = 4096;

/// Go's text where a nil has no type to look at.
pub(super) const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";

const L: &[Ty] = &[Ty::Any];
const LV: &[Ty] = &[Ty::Any, Ty::Any];
const NL: &[Ty] = &[Ty::Int, Ty::Any];

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::variadic("list", L, |_, args| Ok(Val::list(args.rest(0).to_vec()))),
    FuncSpec::variadic("tuple", L, |_, args| Ok(Val::list(args.rest(0).to_vec()))),
    FuncSpec::fixed("append", LV, push),
    FuncSpec::fixed("push", LV, push),
    FuncSpec::fixed("mustAppend", LV, push),
    FuncSpec::fixed("mustPush", LV, push),
    FuncSpec::fixed("prepend", LV, prepend),
    FuncSpec::fixed("mustPrepend", LV, prepend),
    FuncSpec::fixed("first", L, |_, args| Ok(items(args.val(0), "Cannot find first on")?.first().cloned().unwrap_or_default())),
    FuncSpec::fixed("mustFirst", L, |_, args| Ok(items(args.val(0), "Cannot find first on")?.first().cloned().unwrap_or_default())),
    FuncSpec::fixed("last", L, |_, args| Ok(items(args.val(0), "Cannot find last on")?.last().cloned().unwrap_or_default())),
    FuncSpec::fixed("mustLast", L, |_, args| Ok(items(args.val(0), "Cannot find last on")?.last().cloned().unwrap_or_default())),
    FuncSpec::fixed("rest", L, rest),
    FuncSpec::fixed("mustRest", L, rest),
    FuncSpec::fixed("initial", L, initial),
    FuncSpec::fixed("mustInitial", L, initial),
    FuncSpec::fixed("reverse", L, reverse),
    FuncSpec::fixed("mustReverse", L, reverse),
    FuncSpec::fixed("compact", L, compact),
    FuncSpec::fixed("mustCompact", L, compact),
    FuncSpec::fixed("uniq", L, unique),
    FuncSpec::fixed("mustUniq", L, unique),
    FuncSpec::variadic("without", LV, without),
    FuncSpec::variadic("mustWithout", LV, without),
    FuncSpec::fixed("has", LV, has),
    FuncSpec::fixed("mustHas", LV, has),
    FuncSpec::variadic("slice", LV, slice),
    FuncSpec::variadic("mustSlice", LV, slice),
    FuncSpec::variadic("concat", L, concat),
    FuncSpec::fixed("chunk", NL, chunk),
    FuncSpec::fixed("mustChunk", NL, chunk),
    FuncSpec::fixed("sortAlpha", L, sort_alpha),
    FuncSpec::fixed("toStrings", L, |_, args| Ok(to_strings(args.val(0)))),
    FuncSpec::fixed("join", &[Ty::Str, Ty::Any], |ctx, args| {
        let texts = strings(args.val(1));
        ctx.charge((texts.len() as u64).saturating_mul(args.bytes(0).len() as u64))?;
        Ok(texts.iter().map(Str::as_bytes).collect::<Vec<_>>().join(args.bytes(0)).into())
    }),
];

/// The slice that a value is, or Go's complaint that it is none: `what` is put before ` type KIND`.
fn items(value: &Val, what: &str) -> Result<List, FuncError> {
    match value {
        Val::Nil => Err(NIL_DEREFERENCE.into()),
        Val::List(list) => Ok(list.clone()),
        _ => slice_underneath(value).ok_or_else(|| FuncError::new(format!("{what} type {}", value.kind().name()))),
    }
}

/// The list inside a named slice type.
fn slice_underneath(value: &Val) -> Option<List> {
    match value {
        Val::List(list) => Some(list.clone()),
        Val::Object(object) if object.kind() == Kind::Slice => object.plain().as_list().cloned(),
        _ => None,
    }
}

/// Sprig's `strslice`: the texts of a slice's items but nils, of nil nothing, of anything else itself.
fn strings(value: &Val) -> Vec<Str> {
    match slice_underneath(value) {
        Some(list) => list.iter().filter(|item| !item.is_nil()).map(strval).collect(),
        None if value.is_nil() => Vec::new(),
        None => vec![strval(value)],
    }
}

fn to_strings(value: &Val) -> Val {
    match value {
        Val::List(list) if list.ty() == ListType::Str => value.clone(),
        _ => Val::strings(strings(value)),
    }
}

fn push(_: &mut Ctx<'_>, mut args: Args<'_>) -> Answer {
    let mut out = items(args.val(0), "Cannot push on")?.to_vec();
    out.push(args.take(1));
    Ok(Val::list(out))
}

fn prepend(_: &mut Ctx<'_>, mut args: Args<'_>) -> Answer {
    let list = items(args.val(0), "Cannot prepend on")?;
    let mut out = Vec::with_capacity(list.len() + 1);
    out.push(args.take(1));
    out.extend_from_slice(&list);
    Ok(Val::list(out))
}

fn rest(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let list = items(args.val(0), "Cannot find rest on")?;
    Ok(match list.split_first() {
        Some((_, rest)) => Val::list(rest.to_vec()),
        None => Val::List(List::nil(ListType::Any)),
    })
}

fn initial(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let list = items(args.val(0), "Cannot find initial on")?;
    Ok(match list.split_last() {
        Some((_, initial)) => Val::list(initial.to_vec()),
        None => Val::List(List::nil(ListType::Any)),
    })
}

fn reverse(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let list = items(args.val(0), "Cannot find reverse on")?;
    Ok(Val::list(list.iter().rev().cloned().collect()))
}

fn compact(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let list = items(args.val(0), "Cannot compact on")?;
    Ok(Val::list(list.iter().filter(|item| truth(item)).cloned().collect()))
}

fn unique(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let list = items(args.val(0), "Cannot find uniq on")?;
    let mut out: Vec<Val> = Vec::new();
    // Strings, the common case, are looked up in a set; anything else is compared with each.
    let mut texts = rustc_hash::FxHashSet::default();
    for item in list.iter() {
        let fresh = match item {
            Val::Str(text) => texts.insert(text.clone()),
            _ => !out.iter().any(|seen| deep_equal(item, seen)),
        };
        if fresh {
            out.push(item.clone());
        }
    }
    Ok(Val::list(out))
}

fn without(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let list = items(args.val(0), "Cannot find without on")?;
    let omitted = |item: &&Val| args.rest(1).iter().any(|other| deep_equal(item, other));
    Ok(Val::list(list.iter().filter(|item| !omitted(item)).cloned().collect()))
}

fn has(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let (needle, haystack) = (args.val(0), args.val(1));
    if haystack.is_nil() {
        return Ok(false.into());
    }
    let list = items(haystack, "Cannot find has on")?;
    Ok(list.iter().any(|item| deep_equal(needle, item)).into())
}

fn slice(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let list = items(args.val(0), "list should be type of slice or array but").map_err(|fault| match fault {
        FuncError::Message(text) => FuncError::new(text.replacen("but type ", "but ", 1)),
        other => other,
    })?;
    if list.is_empty() {
        return Ok(Val::Nil);
    }
    let bound = |index: usize, default: i64| if args.len() > index { super::cast::to_int(args.val(index)) } else { default };
    let (start, end) = (bound(1, 0), bound(2, list.len() as i64));
    if start < 0 || end < start || end > list.len() as i64 {
        return Err("reflect.Value.Slice: slice index out of bounds".into());
    }
    Ok(Val::List(List::typed(list.ty(), list[start as usize..end as usize].to_vec())))
}

fn concat(ctx: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let length: usize = args.rest(0).iter().filter_map(Val::as_list).map(|list| list.len()).sum();
    if length > UNCOUNTED {
        ctx.charge((length * size_of::<Val>()) as u64)?;
    }
    let mut out = Vec::new();
    for value in args.rest(0) {
        let list = items(value, "Cannot concat").map_err(|fault| match fault {
            FuncError::Message(text) if text.starts_with("Cannot") => FuncError::new(format!("{text} as list")),
            other => other,
        })?;
        out.extend_from_slice(&list);
    }
    Ok(if out.is_empty() { Val::List(List::nil(ListType::Any)) } else { Val::list(out) })
}

fn chunk(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let list = items(args.val(1), "Cannot chunk")?;
    let size = args.int(0);
    if list.is_empty() && size > 0 {
        return Ok(Val::List(List::typed(ListType::List, Vec::new())));
    }
    let size = usize::try_from(size).ok().filter(|size| *size > 0);
    let size = size.ok_or("runtime error: makeslice: len out of range")?;
    let chunks = list.chunks(size).map(|chunk| Val::list(chunk.to_vec())).collect();
    Ok(Val::List(List::typed(ListType::List, chunks)))
}

fn sort_alpha(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let value = args.val(0);
    if slice_underneath(value).is_none() {
        return Ok(Val::strings([strval(value)]));
    }
    // what is a list of texts already is taken as it is, nil too
    if matches!(value, Val::List(list) if list.ty() == ListType::Str && list.is_nil()) {
        return Ok(value.clone());
    }
    let mut texts = strings(value);
    texts.sort_unstable();
    Ok(Val::strings(texts))
}
