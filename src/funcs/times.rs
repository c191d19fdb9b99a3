//! Times and durations as template values, and the methods that templates call on them.

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

use crate::go::time::{Duration, Time, Zone};
use crate::gotmpl::{Args, Ctx, FuncError, IntKind, Kind, Method, Object, Ty, Val};

type Answer = Result<Val, FuncError>;

pub(super) const TIME: &str = "time.Time";
pub(super) const DURATION: &str = "time.Duration";

/// `time.Time`.
#[derive(Clone, Debug)]
pub(super) struct Instant(pub(super) Time);

/// `time.Duration`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elapsed(pub(super) Duration);

/// `time.Month` and `time.Weekday`: integers with names.
#[derive(Clone, Debug)]
struct Named {
    type_name: &'static str,
    number: i64,
    text: String,
}

const fn method(name: &'static str, params: &'static [Ty]) -> Method {
    Method { name, params, variadic: false }
}

const T: &[Ty] = &[Ty::Named(TIME)];
const D: &[Ty] = &[Ty::Named(DURATION)];

const TIME_METHODS: &[Method] = &[
    method("Add", D),
    method("AddDate", &[Ty::Int, Ty::Int, Ty::Int]),
    method("After", T),
    method("Before", T),
    method("Compare", T),
    method("Day", &[]),
    method("Equal", T),
    method("Format", &[Ty::Str]),
    method("Hour", &[]),
    method("IsZero", &[]),
    method("Local", &[]),
    method("Minute", &[]),
    method("Month", &[]),
    method("Nanosecond", &[]),
    method("Round", D),
    method("Second", &[]),
    method("String", &[]),
    method("Sub", T),
    method("Truncate", D),
    method("UTC", &[]),
    method("Unix", &[]),
    method("UnixMicro", &[]),
    method("UnixMilli", &[]),
    method("UnixNano", &[]),
    method("Weekday", &[]),
    method("Year", &[]),
    method("YearDay", &[]),
];

const DURATION_METHODS: &[Method] = &[
    method("Abs", &[]),
    method("Hours", &[]),
    method("Microseconds", &[]),
    method("Milliseconds", &[]),
    method("Minutes", &[]),
    method("Nanoseconds", &[]),
    method("Round", D),
    method("Seconds", &[]),
    method("String", &[]),
    method("Truncate", D),
];

/// A time as a value.
pub(super) fn instant(time: Time) -> Val {
    Val::object(Instant(time))
}

/// A duration as a value.
pub(super) fn elapsed(duration: Duration) -> Val {
    Val::object(Elapsed(duration))
}

impl Instant {
    /// A number that a layout shows.
    fn number(&self, layout: &str) -> i64 {
        let text = String::from_utf8_lossy(&self.0.format(layout.as_bytes())).into_owned();
        text.trim().parse().unwrap_or(0)
    }

    fn named(&self, type_name: &'static str, layout: &str, number: i64) -> Val {
        let text = String::from_utf8_lossy(&self.0.format(layout.as_bytes())).into_owned();
        Val::object(Named { type_name, number, text })
    }

    /// `AddDate`: months and days past their ends roll over.
    fn add_date(&self, years: i64, months: i64, days: i64) -> Time {
        let month = self.number("1") - 1 + months;
        let year = self.number("2006") + years + month.div_euclid(12);
        let first = Time::of_date(year, month.rem_euclid(12) + 1, 1);
        let here = Time::of_date(self.number("2006"), self.number("1"), 1);
        let shift = (first - here) / 86_400 + days;
        Time { seconds: self.0.seconds + shift * 86_400, ..self.0.clone() }
    }
}

fn time_of(args: &Args<'_>) -> Result<Time, FuncError> {
    args.val(0).as_object::<Instant>().map(|instant| instant.0.clone()).ok_or_else(|| super::lists::NIL_DEREFERENCE.into())
}

fn duration_of(args: &Args<'_>) -> Duration {
    args.val(0).as_object::<Elapsed>().map_or_else(|| Duration(args.int(0)), |elapsed| elapsed.0)
}

impl Object for Instant {
    fn type_name(&self) -> Cow<'_, str> {
        TIME.into()
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn methods(&self) -> &'static [Method] {
        TIME_METHODS
    }

    fn call(self: Rc<Self>, method: &'static Method, _: &mut Ctx<'_>, args: Args<'_>) -> Answer {
        let time = &self.0;
        let moment = |time: &Time| (time.seconds, time.nanoseconds);
        let order = || Ok::<_, FuncError>(moment(time).cmp(&moment(&time_of(&args)?)));
        let nanoseconds = || time.seconds.wrapping_mul(1_000_000_000).wrapping_add(i64::from(time.nanoseconds));
        Ok(match method.name {
            "Add" => instant(time.add(duration_of(&args))),
            "AddDate" => instant(self.add_date(args.int(0), args.int(1), args.int(2))),
            "After" => order()?.is_gt().into(),
            "Before" => order()?.is_lt().into(),
            "Equal" => order()?.is_eq().into(),
            "Compare" => Val::int(order()? as i64),
            "Format" => time.format(args.bytes(0)).into(),
            "IsZero" => (moment(time) == moment(&Time::zero())).into(),
            "Local" | "UTC" => instant(time.clone().in_zone(Zone::Utc)),
            "Year" => Val::int(self.number("2006")),
            "Month" => self.named("time.Month", "January", self.number("1")),
            "Day" => Val::int(self.number("2")),
            "YearDay" => Val::int(self.number("__2")),
            "Weekday" => {
                let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
                let short = time.format(b"Mon");
                let number = days.iter().position(|day| day.as_bytes() == short).unwrap_or(0);
                self.named("time.Weekday", "Monday", number as i64)
            }
            "Hour" => Val::int(self.number("15")),
            "Minute" => Val::int(self.number("4")),
            "Second" => Val::int(self.number("5")),
            "Nanosecond" => Val::int(i64::from(time.nanoseconds)),
            "Round" | "Truncate" => {
                let since = time.since(&Time::zero());
                let step = duration_of(&args);
                let to = if method.name == "Round" { since.round(step) } else { since.truncate(step) };
                instant(time.add(Duration(to.0.wrapping_sub(since.0))))
            }
            "Sub" => elapsed(time.since(&time_of(&args)?)),
            "Unix" => Val::int64(time.seconds),
            "UnixMilli" => Val::int64(time.seconds.wrapping_mul(1000).wrapping_add(i64::from(time.nanoseconds / 1_000_000))),
            "UnixMicro" => Val::int64(time.seconds.wrapping_mul(1_000_000).wrapping_add(i64::from(time.nanoseconds / 1000))),
            "UnixNano" => Val::int64(nanoseconds()),
            _ => time.text().into(),
        })
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.text().as_bytes());
    }

    fn plain(&self) -> Val {
        self.0.rfc3339().unwrap_or_default().into()
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Instant>().is_some_and(|other| self.0 == other.0)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Object for Elapsed {
    fn type_name(&self) -> Cow<'_, str> {
        DURATION.into()
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntKind::Int64)
    }

    fn methods(&self) -> &'static [Method] {
        DURATION_METHODS
    }

    fn call(self: Rc<Self>, method: &'static Method, _: &mut Ctx<'_>, args: Args<'_>) -> Answer {
        let own = self.0;
        Ok(match method.name {
            "Abs" => elapsed(Duration(own.0.saturating_abs())),
            "Hours" => own.hours().into(),
            "Minutes" => own.minutes().into(),
            "Seconds" => own.seconds().into(),
            "Milliseconds" => Val::int64(own.0 / 1_000_000),
            "Microseconds" => Val::int64(own.0 / 1000),
            "Nanoseconds" => Val::int64(own.0),
            "Round" => elapsed(own.round(duration_of(&args))),
            "Truncate" => elapsed(own.truncate(duration_of(&args))),
            _ => own.to_string().into(),
        })
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.to_string().as_bytes());
    }

    fn plain(&self) -> Val {
        Val::int64(self.0.0)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Object for Named {
    fn type_name(&self) -> Cow<'_, str> {
        self.type_name.into()
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntKind::Int)
    }

    fn methods(&self) -> &'static [Method] {
        const { &[method("String", &[])] }
    }

    fn call(self: Rc<Self>, _: &'static Method, _: &mut Ctx<'_>, _: Args<'_>) -> Answer {
        Ok(self.text.as_str().into())
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.as_bytes());
    }

    fn plain(&self) -> Val {
        Val::int(self.number)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
