//! Dates and times as go-yaml takes them, and as Go prints them.
//!
//! In: a plain text. Out: its parts, if it is one of the four layouts that go-yaml tries. Leaves time zones as they
//! are written: Go prints an offset back as it read it.

use std::fmt::Write as _;

/// A point in time with the offset that it was written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    /// Minutes east of Greenwich.
    offset: i32,
}

/// A cursor over digits and separators.
struct Cursor<'t> {
    rest: &'t [u8],
}

impl Cursor<'_> {
    fn take(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        if *first != byte {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    /// A number of one or two digits, as Go's short layouts read it.
    fn short(&mut self) -> Option<u32> {
        let count = self.rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
        self.fixed(count)
    }

    /// A number of exactly `count` digits.
    fn fixed(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        if count == 0 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.rest = rest;
        Some(digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
    }

    /// An optional fraction of a second, in nanoseconds; digits past nine are dropped, as Go does.
    fn fraction(&mut self) -> u32 {
        let [b'.' | b',', digit, ..] = self.rest else { return 0 };
        if !digit.is_ascii_digit() {
            return 0;
        }
        let count = self.rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = &self.rest[1..=count];
        self.rest = &self.rest[count + 1..];
        let mut value = 0;
        for place in 0..9 {
            value = value * 10 + digits.get(place).map_or(0, |digit| u32::from(digit - b'0'));
        }
        value
    }

    fn zone(&mut self) -> Option<i32> {
        if self.take(b'Z').is_some() {
            return Some(0);
        }
        let sign = if self.take(b'-').is_some() {
            -1
        } else {
            self.take(b'+')?;
            1
        };
        let hours = self.fixed(2)?;
        self.take(b':')?;
        let minutes = self.fixed(2)?;
        (hours <= 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) as i32)
    }
}

/// Reads a date, or a date and time, in the layouts that go-yaml allows.
pub fn parse(text: &str) -> Option<Time> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes.get(4) != Some(&b'-') {
        return None;
    }
    let mut cursor = Cursor { rest: bytes };
    let year = cursor.fixed(4)?;
    cursor.take(b'-')?;
    let month = cursor.short()?;
    cursor.take(b'-')?;
    let day = cursor.short()?;
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let mut time = Time { year, month, day, hour: 0, minute: 0, second: 0, nanosecond: 0, offset: 0 };
    if cursor.rest.is_empty() {
        return Some(time);
    }
    let zoned = match cursor.rest[0] {
        b'T' | b't' => true,
        b' ' => false,
        _ => return None,
    };
    cursor.rest = &cursor.rest[1..];
    time.hour = cursor.short()?;
    cursor.take(b':')?;
    time.minute = cursor.short()?;
    cursor.take(b':')?;
    time.second = cursor.short()?;
    time.nanosecond = cursor.fraction();
    if zoned {
        time.offset = cursor.zone()?;
    }
    (cursor.rest.is_empty() && time.hour < 24 && time.minute < 60 && time.second < 60).then_some(time)
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && !year.is_multiple_of(100) || month == 2 && year.is_multiple_of(400) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Time {
    /// RFC 3339 with the fraction that is there, as Go's JSON prints times.
    pub fn rfc3339(&self) -> String {
        let mut out = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        );
        if self.nanosecond > 0 {
            let fraction = format!("{:09}", self.nanosecond);
            out.push('.');
            out.push_str(fraction.trim_end_matches('0'));
        }
        if self.offset == 0 {
            out.push('Z');
        } else {
            let size = self.offset.unsigned_abs();
            let sign = if self.offset < 0 { '-' } else { '+' };
            let _ = write!(out, "{sign}{:02}:{:02}", size / 60, size % 60);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_of_go_yaml() {
        let cases = [
            ("2001-12-14", Some("2001-12-14T00:00:00Z")),
            ("2001-1-4", Some("2001-01-04T00:00:00Z")),
            ("2001-12-14T21:59:43.10-05:00", Some("2001-12-14T21:59:43.1-05:00")),
            ("2001-12-14t1:2:3Z", Some("2001-12-14T01:02:03Z")),
            ("2001-12-14 21:59:43.123456789", Some("2001-12-14T21:59:43.123456789Z")),
            ("2001-12-14 21:59:43 -5", None),
            ("2001-02-29", None),
            ("2000-02-29", Some("2000-02-29T00:00:00Z")),
            ("2001-12-14T21:59:43", None),
            ("2001-12-14T24:00:00Z", None),
            ("200-12-14", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse(text).map(|time| time.rfc3339()).as_deref(), want, "{text}");
        }
    }
}
