//! Dicts: maps with string keys. They are shared, so `set`, `unset` and `merge` are seen through every alias.
//!
//! Go gives the keys and values of a map in no order; here they come sorted by key.

use super::merge::merge;
use super::text::strval;
use crate::diag::Diagnostic;
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, List, Map, Str, Ty, Val};

type Answer = Result<Val, FuncError>;

/// Nesting that `deepCopy` follows; deeper values are ones that hold themselves.
pub(super) const COPY_DEPTH_LIMIT: usize = 1000;

const MS: &[Ty] = &[Ty::Map, Ty::Str];
const MM: &[Ty] = &[Ty::Map, Ty::Map];

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::variadic("dict", &[Ty::Any], dict),
    FuncSpec::fixed("get", MS, |_, args| {
        Ok(args.map(0).and_then(|map| map.get(args.bytes(1))).unwrap_or_else(|| "".into()))
    }),
    FuncSpec::fixed("set", &[Ty::Map, Ty::Str, Ty::Any], set),
    FuncSpec::fixed("unset", MS, |ctx, mut args| {
        if let Some(map) = args.map(0) {
            ctx.before_change(map)?;
            map.remove(args.bytes(1));
        }
        Ok(args.take(0))
    }),
    FuncSpec::fixed("hasKey", MS, |_, args| Ok(args.map(0).is_some_and(|map| map.contains(args.bytes(1))).into())),
    FuncSpec::variadic("keys", &[Ty::Map], |_, args| {
        let maps = args.rest(0).iter().filter_map(Val::as_map);
        Ok(Val::strings(maps.flat_map(Map::keys).collect::<Vec<_>>()))
    }),
    FuncSpec::fixed("values", &[Ty::Map], |_, args| {
        let entries = args.map(0).map(Map::snapshot).unwrap_or_default();
        Ok(Val::list(entries.into_iter().map(|(_, value)| value).collect()))
    }),
    FuncSpec::variadic("pluck", &[Ty::Str, Ty::Map], |_, args| {
        let maps = args.rest(1).iter().filter_map(Val::as_map);
        Ok(Val::list(maps.filter_map(|map| map.get(args.bytes(0))).collect()))
    }),
    FuncSpec::variadic("pick", MS, |_, args| {
        let keys = args.rest(1).iter().filter_map(Val::as_str);
        let picked = keys.filter_map(|key| Some((key.clone(), args.map(0)?.get(key)?)));
        Ok(picked.collect::<Map>().into())
    }),
    FuncSpec::variadic("omit", MS, |_, args| {
        let omitted = |key: &Str| args.rest(1).iter().any(|other| other.as_str() == Some(key));
        let entries = args.map(0).map(Map::snapshot).unwrap_or_default();
        Ok(entries.into_iter().filter(|(key, _)| !omitted(key)).collect::<Map>().into())
    }),
    FuncSpec::variadic("merge", MM, |ctx, args| merge_all(ctx, &args, false)),
    FuncSpec::variadic("mustMerge", MM, |ctx, args| merge_all(ctx, &args, false)),
    FuncSpec::variadic("mergeOverwrite", MM, |ctx, args| merge_all(ctx, &args, true)),
    FuncSpec::variadic("mustMergeOverwrite", MM, |ctx, args| merge_all(ctx, &args, true)),
    FuncSpec::variadic("dig", &[Ty::Any], dig),
    FuncSpec::fixed("deepCopy", &[Ty::Any], deep_copy),
    FuncSpec::fixed("mustDeepCopy", &[Ty::Any], deep_copy),
];

fn dict(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let map = Map::new();
    for pair in args.rest(0).chunks(2) {
        map.set(strval(&pair[0]), pair.get(1).cloned().unwrap_or_else(|| "".into()));
    }
    Ok(map.into())
}

fn set(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Answer {
    let value = args.take(2);
    let map = args.map(0).ok_or("assignment to entry in nil map")?;
    ctx.before_change(map)?;
    map.set(args.str(1), value);
    Ok(args.take(0))
}

fn merge_all(ctx: &mut Ctx<'_>, args: &Args<'_>, overwrite: bool) -> Answer {
    let target = args.map(0).cloned().unwrap_or_default();
    for source in args.rest(1).iter().filter_map(Val::as_map) {
        merge(ctx, &target, source, overwrite)?;
    }
    Ok(target.into())
}

fn dig(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let wrong = |value: &Val, wanted: &str| {
        let held = if value.is_nil() { "nil".to_owned() } else { value.type_name().into_owned() };
        FuncError::new(format!("interface conversion: interface {{}} is {held}, not {wanted}"))
    };
    if args.len() < 3 {
        return Err("dig needs at least three arguments".into());
    }
    let all = args.rest(0);
    let (path, [default, start]) = all.split_at(all.len() - 2) else { return Ok(Val::Nil) };
    let as_map = |value: &Val| match value {
        Val::Map(map) if map.ty() == crate::gotmpl::MapType::Any => Ok(map.clone()),
        _ => Err(wrong(value, "map[string]interface {}")),
    };
    let mut map = as_map(start)?;
    if let Some(bad) = path.iter().find(|key| key.as_str().is_none()) {
        return Err(wrong(bad, "string"));
    }
    for (index, key) in path.iter().filter_map(Val::as_str).enumerate() {
        match map.get(key) {
            None => break,
            Some(value) if index + 1 == path.len() => return Ok(value),
            Some(value) => map = as_map(&value)?,
        }
    }
    Ok(default.clone())
}

fn deep_copy(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let value = args.val(0);
    if value.is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    if !super::text::within_limit(value) {
        let message = format!("a value to copy holds more than {} others", super::text::VALUES_LIMIT);
        return Err(FuncError::Refused(Box::new(Diagnostic::input("template-value-size", message))));
    }
    copy(value, COPY_DEPTH_LIMIT)
}

/// A copy that shares no map with the value.
pub(super) fn copy(value: &Val, depth: usize) -> Answer {
    if depth == 0 {
        let message = format!("a value nests deeper than {COPY_DEPTH_LIMIT}");
        return Err(FuncError::Refused(Box::new(Diagnostic::input("template-value-depth", message))));
    }
    Ok(match value {
        Val::Map(map) => {
            let entries = map.snapshot().into_iter().map(|(key, value)| Ok((key, copy(&value, depth - 1)?)));
            Map::typed(map.ty(), entries.collect::<Result<_, FuncError>>()?).into()
        }
        Val::List(list) if list.iter().any(Val::is_container) => {
            let items = list.iter().map(|item| copy(item, depth - 1)).collect::<Result<_, _>>()?;
            List::typed(list.ty(), items).into()
        }
        other => other.clone(),
    })
}
