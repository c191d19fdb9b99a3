//! Dates, and Helm's durations. Now comes from the host; the local zone is UTC.

use super::times::{Elapsed, Instant, TIME, elapsed, instant};
use crate::go::strconv::{self, quote_bytes};
use crate::go::time::{Duration, Time, Zone};
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, IntKind, Ty, Val};

type Answer = Result<Val, FuncError>;

const A: &[Ty] = &[Ty::Any];
const SA: &[Ty] = &[Ty::Str, Ty::Any];
const SS: &[Ty] = &[Ty::Str, Ty::Str];
const ST: &[Ty] = &[Ty::Str, Ty::Named(TIME)];

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("now", &[], |ctx, _| Ok(instant(now(ctx)))),
    FuncSpec::fixed("date", SA, |ctx, args| Ok(show(ctx, args.bytes(0), args.val(1), b"Local"))),
    FuncSpec::fixed("dateInZone", &[Ty::Str, Ty::Any, Ty::Str], |ctx, args| {
        Ok(show(ctx, args.bytes(0), args.val(1), args.bytes(2)))
    }),
    FuncSpec::fixed("date_in_zone", &[Ty::Str, Ty::Any, Ty::Str], |ctx, args| {
        Ok(show(ctx, args.bytes(0), args.val(1), args.bytes(2)))
    }),
    FuncSpec::fixed("htmlDate", A, |ctx, args| Ok(show(ctx, b"2006-01-02", args.val(0), b"Local"))),
    FuncSpec::fixed("htmlDateInZone", &[Ty::Any, Ty::Str], |ctx, args| {
        Ok(show(ctx, b"2006-01-02", args.val(0), args.bytes(1)))
    }),
    FuncSpec::fixed("dateModify", ST, |_, args| Ok(modify(&args).unwrap_or_else(|_| args.val(1).clone()))),
    FuncSpec::fixed("date_modify", ST, |_, args| Ok(modify(&args).unwrap_or_else(|_| args.val(1).clone()))),
    FuncSpec::fixed("mustDateModify", ST, |_, args| Ok(modify(&args)?)),
    FuncSpec::fixed("must_date_modify", ST, |_, args| Ok(modify(&args)?)),
    FuncSpec::fixed("toDate", SS, |_, args| {
        Ok(instant(Time::parse(args.bytes(0), args.bytes(1)).unwrap_or_else(|_| Time::zero())))
    }),
    FuncSpec::fixed("mustToDate", SS, |_, args| Ok(instant(Time::parse(args.bytes(0), args.bytes(1))?))),
    FuncSpec::fixed("unixEpoch", &[Ty::Named(TIME)], |ctx, args| Ok(time_of(ctx, args.val(0)).seconds.to_string().into())),
    FuncSpec::fixed("ago", A, |ctx, args| {
        // Sprig takes an `int32` for no time here.
        let time = match args.val(0) {
            Val::Int(_, IntKind::Int32) => now(ctx),
            other => time_of(ctx, other),
        };
        Ok(now(ctx).since(&time).round(Duration(1_000_000_000)).to_string().into())
    }),
    FuncSpec::fixed("duration", A, |_, args| {
        let seconds = match args.val(0) {
            Val::Str(text) => text.as_str().map_or(0, seconds_of),
            Val::Int(value, IntKind::Int64) => *value,
            _ => 0,
        };
        Ok(Duration(seconds.wrapping_mul(1_000_000_000)).to_string().into())
    }),
    FuncSpec::fixed("durationRound", A, round_to_unit),
    // Helm's own.
    FuncSpec::fixed("mustToDuration", A, |_, args| Ok(elapsed(duration_of(args.val(0))?))),
    FuncSpec::fixed("durationSeconds", A, |_, args| Ok(duration_or_zero(&args).seconds().into())),
    FuncSpec::fixed("durationMinutes", A, |_, args| Ok(duration_or_zero(&args).minutes().into())),
    FuncSpec::fixed("durationHours", A, |_, args| Ok(duration_or_zero(&args).hours().into())),
    FuncSpec::fixed("durationDays", A, |_, args| Ok((duration_or_zero(&args).hours() / 24.0).into())),
    FuncSpec::fixed("durationWeeks", A, |_, args| Ok((duration_or_zero(&args).hours() / 24.0 / 7.0).into())),
    FuncSpec::fixed("durationMilliseconds", A, |_, args| Ok(Val::int64(duration_or_zero(&args).0 / 1_000_000))),
    FuncSpec::fixed("durationMicroseconds", A, |_, args| Ok(Val::int64(duration_or_zero(&args).0 / 1000))),
    FuncSpec::fixed("durationNanoseconds", A, |_, args| Ok(Val::int64(duration_or_zero(&args).0))),
    FuncSpec::fixed("durationRoundTo", &[Ty::Any, Ty::Any], |_, args| Ok(to_multiple(&args, Duration::round))),
    FuncSpec::fixed("durationTruncateTo", &[Ty::Any, Ty::Any], |_, args| Ok(to_multiple(&args, Duration::truncate))),
];

fn now(ctx: &mut Ctx<'_>) -> Time {
    let (seconds, nanoseconds) = ctx.host().now();
    Time { seconds, nanoseconds, zone: Zone::Utc }
}

/// The time a value means: seconds since 1970 for some integers, now for what is no time.
fn time_of(ctx: &mut Ctx<'_>, value: &Val) -> Time {
    match value {
        Val::Int(seconds, IntKind::Int | IntKind::Int64 | IntKind::Int32) => Time::unix(*seconds),
        _ => value.as_object::<Instant>().map_or_else(|| now(ctx), |instant| instant.0.clone()),
    }
}

fn show(ctx: &mut Ctx<'_>, layout: &[u8], value: &Val, zone: &[u8]) -> Val {
    let zone = std::str::from_utf8(zone).ok().and_then(Zone::load).unwrap_or(Zone::Utc);
    time_of(ctx, value).in_zone(zone).format(layout).into()
}

fn modify(args: &Args<'_>) -> Result<Val, String> {
    let by = Duration::parse(args.bytes(0))?;
    let time = args.val(1).as_object::<Instant>();
    Ok(instant(time.map_or_else(Time::zero, |instant| instant.0.clone()).add(by)))
}

/// `strconv.ParseInt` whose error is dropped: what is out of range is the nearest number.
fn seconds_of(text: &str) -> i64 {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    strconv::parse_int(text, 10).unwrap_or_else(|| match !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        true if text.starts_with('-') => i64::MIN,
        true => i64::MAX,
        false => 0,
    })
}

fn round_to_unit(ctx: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    const UNITS: [(u64, &str); 6] =
        [(31_536_000, "y"), (2_592_000, "mo"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let duration = match args.val(0) {
        Val::Str(text) => Duration::parse(text.as_bytes()).unwrap_or_default(),
        Val::Int(value, IntKind::Int64) => Duration(*value),
        other => match other.as_object::<Instant>() {
            Some(instant) => now(ctx).since(&instant.0),
            None => Duration(0),
        },
    };
    let size = duration.0.unsigned_abs();
    let unit = UNITS.iter().map(|(seconds, name)| (seconds * 1_000_000_000, name)).find(|(unit, _)| size > *unit);
    Ok(unit.map_or_else(|| "0s".into(), |(unit, name)| format!("{}{name}", size / unit).into()))
}

/// Helm's reading of a duration: texts with units or plain seconds, numbers as seconds.
fn duration_of(value: &Val) -> Result<Duration, String> {
    if let Some(elapsed) = value.as_object::<Elapsed>() {
        return Ok(elapsed.0);
    }
    match value {
        Val::Nil => Err("invalid duration".to_owned()),
        Val::Str(text) => {
            let trimmed = super::words::trim_space(text.as_bytes());
            if trimmed.is_empty() {
                return Err("empty duration".to_owned());
            }
            if let Ok(duration) = Duration::parse(trimmed) {
                return Ok(duration);
            }
            match std::str::from_utf8(trimmed).ok().and_then(|text| strconv::parse_float(text).ok()) {
                Some(seconds) => from_seconds(seconds),
                None => Err(format!("could not parse duration {}", quote_bytes(text.as_bytes()))),
            }
        }
        Val::Float(seconds) => from_seconds(*seconds),
        _ => match super::cast::plain_int(value) {
            Some((seconds, kind)) => {
                let shown = if kind.is_signed() { seconds.to_string() } else { (seconds as u64).to_string() };
                let negative = seconds < 0 && !kind.is_signed();
                let nanoseconds = seconds.checked_mul(1_000_000_000).filter(|_| !negative);
                nanoseconds.map(Duration).ok_or_else(|| format!("duration seconds overflow: {shown}"))
            }
            None => Err(format!("unsupported duration type {}", value.type_name())),
        },
    }
}

fn from_seconds(seconds: f64) -> Result<Duration, String> {
    let shown = crate::go::float::g(seconds);
    if !seconds.is_finite() {
        return Err(format!("invalid duration seconds: {shown}"));
    }
    if seconds.abs() > i64::MAX as f64 / 1e9 {
        return Err(format!("duration seconds overflow: {shown}"));
    }
    Ok(Duration(super::cast::truncate(seconds * 1e9)))
}

fn duration_or_zero(args: &Args<'_>) -> Duration {
    duration_of(args.val(0)).unwrap_or_default()
}

fn to_multiple(args: &Args<'_>, operation: fn(Duration, Duration) -> Duration) -> Val {
    elapsed(match (duration_of(args.val(0)), duration_of(args.val(1))) {
        (Err(_), _) => Duration(0),
        (Ok(duration), Err(_)) => duration,
        (Ok(duration), Ok(multiple)) => operation(duration, multiple),
    })
}
