//! Numbers: sprig's integer, float and decimal arithmetic, ranges and rounding.
//!
//! Integers wrap as Go's do; casts follow `cast`; float sums go through decimals, so that 0.1 + 0.2 is 0.3.

use super::cast::{to_float, to_int};
use super::decimal::Decimal;
use super::text;
use crate::go::strconv;
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, List, ListType, Ty, Val};

type Answer = Result<Val, FuncError>;

const DIVIDE_BY_ZERO: &str = "runtime error: integer divide by zero";

pub(super) const ROWS: &[FuncSpec] = &[
    // Casts.
    FuncSpec::fixed("int", &[Ty::Any], |_, args| Ok(Val::int(to_int(args.val(0))))),
    FuncSpec::fixed("int64", &[Ty::Any], |_, args| Ok(Val::int64(to_int(args.val(0))))),
    FuncSpec::fixed("float64", &[Ty::Any], |_, args| Ok(Val::Float(to_float(args.val(0))))),
    FuncSpec::fixed("atoi", &[Ty::Str], |_, args| Ok(Val::int(atoi(args.bytes(0))))),
    FuncSpec::fixed("toDecimal", &[Ty::Any], |_, args| Ok(Val::int64(octal(args.val(0))))),
    // Integers.
    FuncSpec::fixed("add1", &[Ty::Any], |_, args| Ok(Val::int64(to_int(args.val(0)).wrapping_add(1)))),
    FuncSpec::variadic("add", &[Ty::Any], |_, args| Ok(Val::int64(args.rest(0).iter().map(to_int).fold(0, i64::wrapping_add)))),
    FuncSpec::fixed("sub", &[Ty::Any, Ty::Any], |_, args| Ok(Val::int64(to_int(args.val(0)).wrapping_sub(to_int(args.val(1)))))),
    FuncSpec::fixed("div", &[Ty::Any, Ty::Any], |_, args| divide(&args, i64::wrapping_div)),
    FuncSpec::fixed("mod", &[Ty::Any, Ty::Any], |_, args| divide(&args, i64::wrapping_rem)),
    FuncSpec::variadic("mul", &[Ty::Any, Ty::Any], |_, args| Ok(Val::int64(args.rest(0).iter().map(to_int).fold(1, i64::wrapping_mul)))),
    FuncSpec::variadic("biggest", &[Ty::Any, Ty::Any], |_, args| largest(&args)),
    FuncSpec::variadic("max", &[Ty::Any, Ty::Any], |_, args| largest(&args)),
    FuncSpec::variadic("min", &[Ty::Any, Ty::Any], |_, args| Ok(Val::int64(args.rest(0).iter().map(to_int).min().unwrap_or(0)))),
    // Floats, by way of decimals where they add up.
    FuncSpec::fixed("add1f", &[Ty::Any], |_, args| fold(to_float(args.val(0)), &[Val::int(1)], sum)),
    FuncSpec::variadic("addf", &[Ty::Any], |_, args| fold(0.0, args.rest(0), sum)),
    FuncSpec::variadic("subf", &[Ty::Any, Ty::Any], |_, args| fold(to_float(args.val(0)), args.rest(1), |a, b| Ok(a.sub(b)))),
    FuncSpec::variadic("mulf", &[Ty::Any, Ty::Any], |_, args| fold(to_float(args.val(0)), args.rest(1), |a, b| Ok(a.mul(b)))),
    FuncSpec::variadic("divf", &[Ty::Any, Ty::Any], |_, args| fold(to_float(args.val(0)), args.rest(1), Decimal::div)),
    FuncSpec::variadic("maxf", &[Ty::Any, Ty::Any], |_, args| Ok(Val::Float(extreme(&args, f64::max)))),
    FuncSpec::variadic("minf", &[Ty::Any, Ty::Any], |_, args| Ok(Val::Float(extreme(&args, f64::min)))),
    FuncSpec::fixed("floor", &[Ty::Any], |_, args| Ok(Val::Float(to_float(args.val(0)).floor()))),
    FuncSpec::fixed("ceil", &[Ty::Any], |_, args| Ok(Val::Float(to_float(args.val(0)).ceil()))),
    FuncSpec::variadic("round", &[Ty::Any, Ty::Int, Ty::Float], |_, args| Ok(Val::Float(round(&args)))),
    // Ranges.
    FuncSpec::fixed("until", &[Ty::Int], |ctx, args| {
        let stop = args.int(0);
        Ok(ints(range(ctx, 0, stop, if stop < 0 { -1 } else { 1 })?))
    }),
    FuncSpec::fixed("untilStep", &[Ty::Int, Ty::Int, Ty::Int], |ctx, args| {
        Ok(ints(range(ctx, args.int(0), args.int(1), args.int(2))?))
    }),
    FuncSpec::variadic("seq", &[Ty::Int], seq),
];

/// `strconv.Atoi` without its error: a number that is too large is the largest, also with something else behind its digits.
fn atoi(text: &[u8]) -> i64 {
    let (negative, digits) = match text.first() {
        Some(b'+') => (false, &text[1..]),
        Some(b'-') => (true, &text[1..]),
        _ => (false, text),
    };
    let most = if negative { i64::MIN } else { i64::MAX };
    let mut number: u64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return 0;
        }
        match number.checked_mul(10).and_then(|number| number.checked_add(u64::from(digit - b'0'))) {
            Some(larger) => number = larger,
            None => return most,
        }
    }
    let number = if negative { 0_i64.checked_sub_unsigned(number) } else { i64::try_from(number).ok() };
    number.unwrap_or(most)
}

fn octal(value: &Val) -> i64 {
    let text = text::display(value);
    std::str::from_utf8(&text).ok().and_then(|text| strconv::parse_int(text, 8)).unwrap_or(0)
}

fn divide(args: &Args<'_>, operation: fn(i64, i64) -> i64) -> Answer {
    match to_int(args.val(1)) {
        0 => Err(DIVIDE_BY_ZERO.into()),
        divisor => Ok(Val::int64(operation(to_int(args.val(0)), divisor))),
    }
}

fn largest(args: &Args<'_>) -> Answer {
    Ok(Val::int64(args.rest(0).iter().map(to_int).max().unwrap_or(0)))
}

fn sum(left: &Decimal, right: &Decimal) -> Result<Decimal, String> {
    Ok(left.add(right))
}

fn fold(start: f64, values: &[Val], step: fn(&Decimal, &Decimal) -> Result<Decimal, String>) -> Answer {
    let mut total = Decimal::from_float(start)?;
    for value in values {
        total = step(&total, &Decimal::from_float(to_float(value))?)?;
    }
    Ok(Val::Float(total.to_float()))
}

/// `math.Max` and `math.Min` over the arguments: unlike Rust's, NaN wins, and zeros have signs.
fn extreme(args: &Args<'_>, choose: fn(f64, f64) -> f64) -> f64 {
    let mut values = args.rest(0).iter().map(to_float);
    let first = values.next().unwrap_or(0.0);
    values.fold(first, |best, value| if best.is_nan() || value.is_nan() { f64::NAN } else { choose(best, value) })
}

/// Sprig's rounding: the fraction of the scaled value decides, so negative numbers round down unless they are whole.
fn round(args: &Args<'_>) -> f64 {
    let threshold = if args.len() > 2 { args.float(2) } else { 0.5 };
    let power = 10f64.powf(args.int(1) as f64);
    let scaled = power * to_float(args.val(0));
    let rounded = if scaled.fract() >= threshold { scaled.ceil() } else { scaled.floor() };
    rounded / power
}

/// Numbers from `start` on, before `stop`; the memory they take is charged before it is taken.
fn range(ctx: &mut Ctx<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, FuncError> {
    if stop < start && step >= 0 || stop >= start && step <= 0 {
        return Ok(Vec::new());
    }
    let count = start.abs_diff(stop).div_ceil(step.unsigned_abs());
    ctx.charge(count.saturating_mul(size_of::<Val>() as u64))?;
    let mut out = Vec::with_capacity(count as usize);
    let mut at = start;
    for _ in 0..count {
        out.push(at);
        at = at.wrapping_add(step);
    }
    Ok(out)
}

fn ints(values: Vec<i64>) -> Val {
    Val::List(List::typed(ListType::Int, values.into_iter().map(Val::int).collect()))
}

fn seq(ctx: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let toward = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, step, end) = match args.len() {
        1 => (1, toward(1, args.int(0)), args.int(0)),
        2 => (args.int(0), toward(args.int(0), args.int(1)), args.int(1)),
        3 => {
            let (start, step, end) = (args.int(0), args.int(1), args.int(2));
            if end < start && step > 0 {
                return Ok("".into());
            }
            (start, step, end)
        }
        _ => return Ok("".into()),
    };
    let numbers = range(ctx, start, end.wrapping_add(toward(start, end)), step)?;
    Ok(numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" ").into())
}
