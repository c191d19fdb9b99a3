//! Regular expressions in RE2's syntax. Compiled patterns are kept for the length of a render.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::go::re2::{Regex, quote_meta};
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, List, ListType, Str, Ty, Val};

type Compiled = Result<Rc<Regex>, String>;

/// Compiled patterns by their text.
#[derive(Default)]
struct Cache(FxHashMap<Str, Compiled>);

/// Patterns kept at most; a template that makes them up as it goes starts over from there.
const CACHE_LIMIT: usize = 1000;

const RS: &[Ty] = &[Ty::Str, Ty::Str];
const RSN: &[Ty] = &[Ty::Str, Ty::Str, Ty::Int];
const RSS: &[Ty] = &[Ty::Str, Ty::Str, Ty::Str];

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("regexMatch", RS, |ctx, args| Ok(compiled(ctx, &args).is_ok_and(|regex| regex.is_match(args.bytes(1))).into())),
    FuncSpec::fixed("mustRegexMatch", RS, |ctx, args| Ok(compiled(ctx, &args)?.is_match(args.bytes(1)).into())),
    FuncSpec::fixed("regexFind", RS, |ctx, args| Ok(find(&*required(ctx, &args)?, &args))),
    FuncSpec::fixed("mustRegexFind", RS, |ctx, args| Ok(find(&*compiled(ctx, &args)?, &args))),
    FuncSpec::fixed("regexFindAll", RSN, |ctx, args| Ok(find_all(&*required(ctx, &args)?, &args))),
    FuncSpec::fixed("mustRegexFindAll", RSN, |ctx, args| Ok(find_all(&*compiled(ctx, &args)?, &args))),
    FuncSpec::fixed("regexSplit", RSN, |ctx, args| Ok(split(&*required(ctx, &args)?, &args))),
    FuncSpec::fixed("mustRegexSplit", RSN, |ctx, args| Ok(split(&*compiled(ctx, &args)?, &args))),
    FuncSpec::fixed("regexReplaceAll", RSS, |ctx, args| {
        let regex = required(ctx, &args)?;
        charge_replacements(ctx, &regex, &args)?;
        Ok(regex.replace_all(args.bytes(1), args.bytes(2)).into())
    }),
    FuncSpec::fixed("mustRegexReplaceAll", RSS, |ctx, args| {
        let regex = compiled(ctx, &args)?;
        charge_replacements(ctx, &regex, &args)?;
        Ok(regex.replace_all(args.bytes(1), args.bytes(2)).into())
    }),
    FuncSpec::fixed("regexReplaceAllLiteral", RSS, |ctx, args| {
        let regex = required(ctx, &args)?;
        charge_replacements(ctx, &regex, &args)?;
        Ok(regex.replace_all_literal(args.bytes(1), args.bytes(2)).into())
    }),
    FuncSpec::fixed("mustRegexReplaceAllLiteral", RSS, |ctx, args| {
        let regex = compiled(ctx, &args)?;
        charge_replacements(ctx, &regex, &args)?;
        Ok(regex.replace_all_literal(args.bytes(1), args.bytes(2)).into())
    }),
    FuncSpec::fixed("regexQuoteMeta", &[Ty::Str], |_, args| Ok(quote_meta(args.bytes(0)).into())),
];

/// The pattern in the first argument, compiled; the error is `regexp.Compile`'s.
fn compiled(ctx: &mut Ctx<'_>, args: &Args<'_>) -> Compiled {
    let pattern = args.str(0);
    let cache = &mut ctx.cache::<Cache>().0;
    if let Some(found) = cache.get(&pattern) {
        return found.clone();
    }
    if cache.len() >= CACHE_LIMIT {
        cache.clear();
    }
    let fresh = Regex::new(pattern.as_bytes()).map(Rc::new);
    cache.insert(pattern, fresh.clone());
    fresh
}

/// The same for the functions that panic: the error is `regexp.MustCompile`'s.
fn required(ctx: &mut Ctx<'_>, args: &Args<'_>) -> Compiled {
    compiled(ctx, args).map_err(|fault| Regex::must_fault(args.bytes(0), &fault))
}

/// Replacements that may grow large are counted before they are made; this many bytes are not worth it.
const UNCOUNTED: u64 = 1 << 20;

/// Charges the size a replacement may reach: the template once a match, and the text once for each group the template names.
fn charge_replacements(ctx: &mut Ctx<'_>, regex: &Regex, args: &Args<'_>) -> Result<(), FuncError> {
    let (text, template) = (args.bytes(1), args.bytes(2));
    let most = (text.len() as u64 + 1).saturating_mul(template.len() as u64);
    if most <= UNCOUNTED {
        return Ok(());
    }
    let matches = regex.find_all(text, -1).len() as u64;
    let groups = template.iter().filter(|byte| **byte == b'$').count() as u64;
    ctx.charge(matches.saturating_mul(template.len() as u64).saturating_add(groups.saturating_mul(text.len() as u64)))
}

fn find(regex: &Regex, args: &Args<'_>) -> Val {
    Val::str(regex.find(args.bytes(1)))
}

fn find_all(regex: &Regex, args: &Args<'_>) -> Val {
    let found = regex.find_all(args.bytes(1), args.int(2));
    if found.is_empty() { Val::List(List::nil(ListType::Str)) } else { Val::strings(found) }
}

fn split(regex: &Regex, args: &Args<'_>) -> Val {
    match regex.split(args.bytes(1), args.int(2)) {
        Some(pieces) => Val::strings(pieces),
        None => Val::List(List::nil(ListType::Str)),
    }
}
