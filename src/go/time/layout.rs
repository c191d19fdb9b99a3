//! Layouts: the reference time `Mon Jan 2 15:04:05 MST 2006` taken apart, and formatting by it.

use std::io::Write as _;

use super::Time;
use super::civil::Fields;

pub(super) const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
];
pub(super) const WEEK_DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// One element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    Abbreviation,
    /// A numeric offset: with seconds, with colons, hours alone; `z`: `Z` for UTC.
    Offset { z: bool, shape: OffsetShape },
    /// Digits after the second; `trimmed` (`.999`) drops zeros at the end.
    Fraction { digits: usize, trimmed: bool, separator: u8 },
}

/// How much of an offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffsetShape {
    Hours,
    Minutes,
    ColonMinutes,
    Seconds,
    ColonSeconds,
}

const OFFSETS: &[(&[u8], OffsetShape)] = &[
    (b"070000", OffsetShape::Seconds),
    (b"07:00:00", OffsetShape::ColonSeconds),
    (b"0700", OffsetShape::Minutes),
    (b"07:00", OffsetShape::ColonMinutes),
    (b"07", OffsetShape::Hours),
];

/// The first element of a layout: where it starts, what it is, where it ends.
pub(super) fn next_element(layout: &[u8]) -> Option<(usize, Element, usize)> {
    (0..layout.len()).find_map(|at| {
        let (skip, element, length) = element_at(&layout[at..])?;
        Some((at + skip, element, at + skip + length))
    })
}

/// An element at the start of `text`: bytes before it (an underscore that belongs to no day), the element and its length.
fn element_at(text: &[u8]) -> Option<(usize, Element, usize)> {
    let lower_after = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    let found = |element: Element, length: usize| Some((0, element, length));
    match text[0] {
        b'J' if text.starts_with(b"January") => found(Element::LongMonth, 7),
        b'J' if text.starts_with(b"Jan") && !lower_after(3) => found(Element::Month, 3),
        b'M' if text.starts_with(b"Monday") => found(Element::LongWeekDay, 6),
        b'M' if text.starts_with(b"Mon") && !lower_after(3) => found(Element::WeekDay, 3),
        b'M' if text.starts_with(b"MST") => found(Element::Abbreviation, 3),
        b'0' => match text.get(1)? {
            b'1' => found(Element::ZeroMonth, 2),
            b'2' => found(Element::ZeroDay, 2),
            b'3' => found(Element::ZeroHour12, 2),
            b'4' => found(Element::ZeroMinute, 2),
            b'5' => found(Element::ZeroSecond, 2),
            b'6' => found(Element::Year, 2),
            b'0' if text.get(2) == Some(&b'2') => found(Element::ZeroYearDay, 3),
            _ => None,
        },
        b'1' if text.get(1) == Some(&b'5') => found(Element::Hour, 2),
        b'1' => found(Element::NumMonth, 1),
        b'2' if text.starts_with(b"2006") => found(Element::LongYear, 4),
        b'2' => found(Element::Day, 1),
        b'_' if text.starts_with(b"_2006") => Some((1, Element::LongYear, 4)),
        b'_' if text.starts_with(b"_2") => found(Element::UnderDay, 2),
        b'_' if text.starts_with(b"__2") => found(Element::UnderYearDay, 3),
        b'3' => found(Element::Hour12, 1),
        b'4' => found(Element::Minute, 1),
        b'5' => found(Element::Second, 1),
        b'P' if text.starts_with(b"PM") => found(Element::UpperPm, 2),
        b'p' if text.starts_with(b"pm") => found(Element::LowerPm, 2),
        sign @ (b'-' | b'Z') => {
            let (digits, shape) = OFFSETS.iter().find(|(digits, _)| text[1..].starts_with(digits))?;
            found(Element::Offset { z: sign == b'Z', shape: *shape }, 1 + digits.len())
        }
        separator @ (b'.' | b',') => {
            let digit = *text.get(1).filter(|byte| matches!(byte, b'0' | b'9'))?;
            let digits = text[1..].iter().take_while(|byte| **byte == digit).count();
            if text.get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            found(Element::Fraction { digits, trimmed: digit == b'9', separator }, 1 + digits)
        }
        _ => None,
    }
}

/// `Time.Format`.
pub(super) fn format(time: &Time, mut layout: &[u8]) -> Vec<u8> {
    let fields = Fields::of(time);
    let mut out = Vec::with_capacity(layout.len() + 10);
    while let Some((start, element, end)) = next_element(layout) {
        out.extend_from_slice(&layout[..start]);
        write_element(&mut out, element, &fields, time.nanoseconds);
        layout = &layout[end..];
    }
    out.extend_from_slice(layout);
    out
}

fn write_element(out: &mut Vec<u8>, element: Element, fields: &Fields, nanoseconds: u32) {
    let month = MONTHS[(fields.month - 1) as usize];
    let week_day = WEEK_DAYS[fields.week_day];
    let hour12 = if fields.hour % 12 == 0 { 12 } else { fields.hour % 12 };
    let written = match element {
        Element::Year => write!(out, "{:02}", fields.year.max(0) % 100),
        Element::LongYear if fields.year < 0 => write!(out, "-{:04}", -fields.year),
        Element::LongYear => write!(out, "{:04}", fields.year),
        Element::LongMonth => out.write_all(month.as_bytes()),
        Element::Month => out.write_all(&month.as_bytes()[..3]),
        Element::NumMonth => write!(out, "{}", fields.month),
        Element::ZeroMonth => write!(out, "{:02}", fields.month),
        Element::LongWeekDay => out.write_all(week_day.as_bytes()),
        Element::WeekDay => out.write_all(&week_day.as_bytes()[..3]),
        Element::Day => write!(out, "{}", fields.day),
        Element::UnderDay => write!(out, "{:2}", fields.day),
        Element::ZeroDay => write!(out, "{:02}", fields.day),
        Element::UnderYearDay => write!(out, "{:3}", fields.year_day),
        Element::ZeroYearDay => write!(out, "{:03}", fields.year_day),
        Element::Hour => write!(out, "{:02}", fields.hour),
        Element::Hour12 => write!(out, "{hour12}"),
        Element::ZeroHour12 => write!(out, "{hour12:02}"),
        Element::Minute => write!(out, "{}", fields.minute),
        Element::ZeroMinute => write!(out, "{:02}", fields.minute),
        Element::Second => write!(out, "{}", fields.second),
        Element::ZeroSecond => write!(out, "{:02}", fields.second),
        Element::UpperPm => out.write_all(if fields.hour >= 12 { b"PM" } else { b"AM" }),
        Element::LowerPm => out.write_all(if fields.hour >= 12 { b"pm" } else { b"am" }),
        Element::Abbreviation if !fields.zone.is_empty() => out.write_all(fields.zone.as_bytes()),
        Element::Abbreviation => write_offset(out, fields.offset, OffsetShape::Minutes),
        Element::Offset { z: true, .. } if fields.offset == 0 => out.write_all(b"Z"),
        Element::Offset { shape, .. } => write_offset(out, fields.offset, shape),
        Element::Fraction { digits, trimmed, separator } => {
            let all = format!("{nanoseconds:09}");
            let digits = &all[..digits.min(9)];
            let digits = if trimmed { digits.trim_end_matches('0') } else { digits };
            if digits.is_empty() { Ok(()) } else { write!(out, "{}{digits}", char::from(separator)) }
        }
    };
    written.expect("a vector takes all that is written");
}

fn write_offset(out: &mut Vec<u8>, offset: i32, shape: OffsetShape) -> std::io::Result<()> {
    let sign = if offset < 0 { '-' } else { '+' };
    let (total, minutes) = (offset.unsigned_abs(), offset.unsigned_abs() / 60);
    let (hours, minutes, seconds) = (minutes / 60, minutes % 60, total % 60);
    match shape {
        OffsetShape::Hours => write!(out, "{sign}{hours:02}"),
        OffsetShape::Minutes => write!(out, "{sign}{hours:02}{minutes:02}"),
        OffsetShape::ColonMinutes => write!(out, "{sign}{hours:02}:{minutes:02}"),
        OffsetShape::Seconds => write!(out, "{sign}{hours:02}{minutes:02}{seconds:02}"),
        OffsetShape::ColonSeconds => write!(out, "{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Time, Zone};

    fn show(layout: &str, seconds: i64, zone: &str) -> String {
        let time = Time::unix(seconds).in_zone(Zone::load(zone).unwrap());
        String::from_utf8(time.format(layout.as_bytes())).unwrap()
    }

    #[test]
    fn layouts_show_instants_in_zones() {
        let at = 1_614_827_167;
        assert_eq!(show("Mon Jan _2 15:04:05 MST 2006", at, "America/New_York"), "Wed Mar  3 22:06:07 EST 2021");
        assert_eq!(show("2006-01-02T15:04:05Z07:00", at, "Asia/Kolkata"), "2021-03-04T08:36:07+05:30");
        assert_eq!(show("06-1-2 3:4:5 pm __2 002 -07 _2006 Januar", at, "UTC"), "21-3-4 3:6:7 am  63 063 +00 _2021 Januar");
        assert_eq!(show("Z0700 .000 .999 Monday January", 0, "UTC"), "Z .000  Thursday January");
        assert_eq!(Zone::load("Bad/Zone"), None);
        assert_eq!(Zone::load("america/new_york"), None);
    }
}
