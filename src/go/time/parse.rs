//! Parsing of times by a layout, with Go's leniencies and its error texts.

use super::civil::{days_before, days_in, is_leap};
use super::layout::{Element, MONTHS, OffsetShape, WEEK_DAYS, next_element};
use super::{Time, Zone};

/// What an element did not take: it does not fit, or a number is out of range.
enum Fault {
    Bad,
    Range(&'static str),
}

#[derive(Default)]
struct Draft {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: u32,
    pm: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    zone: Vec<u8>,
}

/// How Go's `time` quotes texts in its errors: bytes beyond ASCII as `\x`.
pub(super) fn quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            b' '..0x7f => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

pub(super) fn parse(whole_layout: &[u8], whole_value: &[u8]) -> Result<Time, String> {
    let cannot = |element: &[u8], value: &[u8]| {
        let [whole, layout] = [quote(whole_value), quote(whole_layout)];
        format!("parsing time {whole} as {layout}: cannot parse {} as {}", quote(value), quote(element))
    };
    let other = |message: &str| format!("parsing time {}{message}", quote(whole_value));
    let (mut layout, mut value) = (whole_layout, whole_value);
    let mut draft = Draft::default();
    loop {
        let found = next_element(layout);
        let prefix = found.map_or(layout, |(start, ..)| &layout[..start]);
        value = skip(value, prefix).map_err(|rest| cannot(prefix, rest))?;
        let Some((start, element, end)) = found else {
            if !value.is_empty() {
                return Err(other(&format!(": extra text: {}", quote(value))));
            }
            break;
        };
        let text = &layout[start..end];
        layout = &layout[end..];
        value = match draft.take(element, value, layout) {
            Ok(rest) => rest,
            Err(Fault::Bad) => return Err(cannot(text, value)),
            Err(Fault::Range(what)) => return Err(other(&format!(": {what} out of range"))),
        };
    }
    draft.finish().map_err(other)
}

/// Takes a layout's literal text off the value; runs of spaces match each other.
fn skip<'a>(mut value: &'a [u8], mut prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    while let Some(first) = prefix.first() {
        if *first == b' ' {
            if value.first().is_some_and(|byte| *byte != b' ') {
                return Err(value);
            }
            prefix = trim_spaces(prefix);
            value = trim_spaces(value);
            continue;
        }
        if value.first() != Some(first) {
            return Err(value);
        }
        prefix = &prefix[1..];
        value = &value[1..];
    }
    Ok(value)
}

fn trim_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

fn digits(value: &[u8], most: usize) -> usize {
    value.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count()
}

fn number(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

/// One or two digits, or exactly two.
fn two_digits(value: &[u8], fixed: bool) -> Result<(i64, &[u8]), Fault> {
    match digits(value, 2) {
        0 => Err(Fault::Bad),
        1 if fixed => Err(Fault::Bad),
        length => Ok((number(&value[..length]), &value[length..])),
    }
}

/// The index of the name that the value starts with, in any ASCII case.
fn lookup<'a>(names: &[&str], length: Option<usize>, value: &'a [u8]) -> Result<(usize, &'a [u8]), Fault> {
    let short = |name: &str| length.unwrap_or(name.len());
    let starts = |name: &&str| {
        let head = value.get(..short(name));
        head.is_some_and(|head| head.eq_ignore_ascii_case(&name.as_bytes()[..short(name)]))
    };
    let index = names.iter().position(starts).ok_or(Fault::Bad)?;
    Ok((index, &value[short(names[index])..]))
}

fn within(value: i64, most: i64, what: &'static str) -> Result<i64, Fault> {
    if value > most { Err(Fault::Range(what)) } else { Ok(value) }
}

/// Up to nine digits after a separator, as nanoseconds.
fn fraction(text: &[u8]) -> Result<u32, Fault> {
    if !matches!(text[0], b'.' | b',') {
        return Err(Fault::Bad);
    }
    let text = &text[1..text.len().min(10)];
    if digits(text, 9) < text.len() {
        return Err(Fault::Bad);
    }
    Ok(number(text) as u32 * 10u32.pow(9 - text.len() as u32))
}

impl Draft {
    /// Takes one element off the value; `ahead` is the rest of the layout.
    #[expect(clippy::too_many_lines, reason = "one arm an element of the layout")]
    fn take<'a>(&mut self, element: Element, value: &'a [u8], ahead: &[u8]) -> Result<&'a [u8], Fault> {
        let after_space = |value: &'a [u8]| value.strip_prefix(b" ").unwrap_or(value);
        let rest = match element {
            Element::Year => {
                let (year, rest) = two_digits(value, true)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
                rest
            }
            Element::LongYear => {
                if digits(value, 4) < 4 {
                    return Err(Fault::Bad);
                }
                self.year = number(&value[..4]);
                &value[4..]
            }
            Element::Month | Element::LongMonth => {
                let short = (element == Element::Month).then_some(3);
                let (index, rest) = lookup(&MONTHS, short, value)?;
                self.month = Some(index as i64 + 1);
                rest
            }
            Element::NumMonth | Element::ZeroMonth => {
                let (month, rest) = two_digits(value, element == Element::ZeroMonth)?;
                if !(1..=12).contains(&month) {
                    return Err(Fault::Range("month"));
                }
                self.month = Some(month);
                rest
            }
            Element::WeekDay => lookup(&WEEK_DAYS, Some(3), value)?.1,
            Element::LongWeekDay => lookup(&WEEK_DAYS, None, value)?.1,
            Element::Day | Element::UnderDay | Element::ZeroDay => {
                let value = if element == Element::UnderDay { after_space(value) } else { value };
                let (day, rest) = two_digits(value, element == Element::ZeroDay)?;
                self.day = Some(day);
                rest
            }
            Element::UnderYearDay | Element::ZeroYearDay => {
                let under = element == Element::UnderYearDay;
                let value = if under { after_space(after_space(value)) } else { value };
                let length = digits(value, 3);
                if length == 0 || !under && length != 3 {
                    return Err(Fault::Bad);
                }
                self.year_day = Some(number(&value[..length]));
                &value[length..]
            }
            Element::Hour => {
                let (hour, rest) = two_digits(value, false)?;
                self.hour = within(hour, 23, "hour")?;
                rest
            }
            Element::Hour12 | Element::ZeroHour12 => {
                let (hour, rest) = two_digits(value, element == Element::ZeroHour12)?;
                self.hour = within(hour, 12, "hour")?;
                rest
            }
            Element::Minute | Element::ZeroMinute => {
                let (minute, rest) = two_digits(value, element == Element::ZeroMinute)?;
                self.minute = within(minute, 59, "minute")?;
                rest
            }
            Element::Second | Element::ZeroSecond => {
                let (second, rest) = two_digits(value, element == Element::ZeroSecond)?;
                self.second = within(second, 59, "second")?;
                self.unannounced_fraction(rest, ahead)?
            }
            Element::UpperPm | Element::LowerPm => {
                let [pm, am]: [&[u8]; 2] = if element == Element::UpperPm { [b"PM", b"AM"] } else { [b"pm", b"am"] };
                self.pm = match value.get(..2) {
                    Some(half) if half == pm => Some(true),
                    Some(half) if half == am => Some(false),
                    _ => return Err(Fault::Bad),
                };
                &value[2..]
            }
            Element::Offset { z: true, .. } if value.first() == Some(&b'Z') => {
                self.utc = true;
                &value[1..]
            }
            Element::Offset { shape, .. } => self.take_offset(shape, value)?,
            Element::Abbreviation if value.starts_with(b"UTC") => {
                self.utc = true;
                &value[3..]
            }
            Element::Abbreviation => {
                let length = abbreviation(value).ok_or(Fault::Bad)?;
                self.zone = value[..length].to_vec();
                &value[length..]
            }
            Element::Fraction { digits: wanted, trimmed: false, .. } => {
                let text = value.get(..=wanted).ok_or(Fault::Bad)?;
                self.nanoseconds = fraction(text)?;
                &value[1 + wanted..]
            }
            Element::Fraction { .. } => match value {
                [b'.' | b',', digit, ..] if digit.is_ascii_digit() => {
                    let length = 1 + digits(&value[1..], usize::MAX);
                    self.nanoseconds = fraction(&value[..length])?;
                    &value[length..]
                }
                _ => value,
            },
        };
        Ok(rest)
    }

    /// A fraction may follow the seconds although the layout names none.
    fn unannounced_fraction<'a>(&mut self, value: &'a [u8], ahead: &[u8]) -> Result<&'a [u8], Fault> {
        match value {
            [b'.' | b',', digit, ..] if digit.is_ascii_digit() => {}
            _ => return Ok(value),
        }
        if let Some((_, Element::Fraction { .. }, _)) = next_element(ahead) {
            return Ok(value);
        }
        let length = 1 + digits(&value[1..], usize::MAX);
        self.nanoseconds = fraction(&value[..length])?;
        Ok(&value[length..])
    }

    fn take_offset<'a>(&mut self, shape: OffsetShape, value: &'a [u8]) -> Result<&'a [u8], Fault> {
        let (length, colons, starts): (usize, &[usize], &[usize]) = match shape {
            OffsetShape::Hours => (3, &[], &[1]),
            OffsetShape::Minutes => (5, &[], &[1, 3]),
            OffsetShape::ColonMinutes => (6, &[3], &[1, 4]),
            OffsetShape::Seconds => (7, &[], &[1, 3, 5]),
            OffsetShape::ColonSeconds => (9, &[3, 6], &[1, 4, 7]),
        };
        let text = value.get(..length).ok_or(Fault::Bad)?;
        if colons.iter().any(|at| text[*at] != b':') {
            return Err(Fault::Bad);
        }
        let mut parts = [0; 3];
        for (part, at) in parts.iter_mut().zip(starts) {
            *part = two_digits(&text[*at..*at + 2], true)?.0;
        }
        within(parts[0], 24, "time zone offset hour")?;
        within(parts[1], 60, "time zone offset minute")?;
        within(parts[2], 60, "time zone offset second")?;
        let offset = ((parts[0] * 60 + parts[1]) * 60 + parts[2]) as i32;
        self.offset = match text[0] {
            b'+' => Some(offset),
            b'-' => Some(-offset),
            _ => return Err(Fault::Bad),
        };
        Ok(&value[length..])
    }

    fn finish(self) -> Result<Time, &'static str> {
        let hour = match self.pm {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = match self.year_day {
            Some(year_day) => self.month_and_day(year_day)?,
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        if !(1..=days_in(self.year, month)).contains(&day) {
            return Err(": day out of range");
        }
        let seconds = days_before(self.year, month, day) * 86_400 + hour * 3600 + self.minute * 60 + self.second;
        let zone_name = String::from_utf8_lossy(&self.zone).into_owned();
        let (seconds, zone) = match (self.utc, self.offset) {
            (true, _) => (seconds, Zone::Utc),
            (false, Some(offset)) if offset == 0 && matches!(&*zone_name, "" | "UTC") => (seconds, Zone::Utc),
            (false, Some(offset)) => (seconds - i64::from(offset), Zone::Fixed(zone_name, offset)),
            (false, None) if zone_name.is_empty() => (seconds, Zone::Utc),
            (false, None) => {
                let hours = zone_name.strip_prefix("GMT").and_then(|hours| hours.parse::<i32>().ok());
                (seconds, Zone::Fixed(zone_name, hours.unwrap_or(0) * 3600))
            }
        };
        Ok(Time { seconds, nanoseconds: self.nanoseconds, zone })
    }

    fn month_and_day(&self, year_day: i64) -> Result<(i64, i64), &'static str> {
        if !(1..=365 + i64::from(is_leap(self.year))).contains(&year_day) {
            return Err(": day-of-year out of range");
        }
        let (mut month, mut day) = (1, year_day);
        while day > days_in(self.year, month) {
            day -= days_in(self.year, month);
            month += 1;
        }
        match (self.month, self.day) {
            (Some(given), _) if given != month => Err(": day-of-year does not match month"),
            (_, Some(given)) if given != day => Err(": day-of-year does not match day"),
            _ => Ok((month, day)),
        }
    }
}

/// The length of a zone's abbreviation at the start of the value.
fn abbreviation(value: &[u8]) -> Option<usize> {
    if value.len() < 3 {
        return None;
    }
    if value.starts_with(b"ChST") || value.starts_with(b"MeST") {
        return Some(4);
    }
    if value.starts_with(b"GMT") {
        return Some(3 + signed_offset(&value[3..]));
    }
    if matches!(value[0], b'+' | b'-') {
        return Some(signed_offset(value)).filter(|length| *length > 0);
    }
    let upper = value.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    match upper {
        5 if value[4] == b'T' => Some(5),
        4 if value[3] == b'T' || value.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

fn signed_offset(value: &[u8]) -> usize {
    if !matches!(value.first(), Some(b'+' | b'-')) {
        return 0;
    }
    let length = digits(&value[1..], 18);
    if length == 0 || number(&value[1..=length]) > 23 { 0 } else { 1 + length }
}

#[cfg(test)]
mod tests {
    use super::super::Time;

    fn read(layout: &str, value: &str) -> Result<String, String> {
        Time::parse(layout.as_bytes(), value.as_bytes()).map(|time| time.text())
    }

    #[test]
    fn values_are_read_by_layout() {
        for (layout, value, want) in [
            ("2006-01-02", "2021-03-04", "2021-03-04 00:00:00 +0000 UTC"),
            ("2006-01-02T15:04:05Z07:00", "2021-03-04T05:06:07+02:00", "2021-03-04 05:06:07 +0200 +0200"),
            ("2006-01-02T15:04:05Z07:00", "2021-03-04T05:06:07.25Z", "2021-03-04 05:06:07.25 +0000 UTC"),
            ("Jan _2, 06 03:04 PM", "mar  4, 21 12:06 AM", "2021-03-04 00:06:00 +0000 UTC"),
            ("2006-002", "2020-366", "2020-12-31 00:00:00 +0000 UTC"),
            ("15:04 MST", "10:00 CEST", "0000-01-01 10:00:00 +0000 CEST"),
        ] {
            assert_eq!(read(layout, value).unwrap(), want, "{layout}");
        }
    }

    #[test]
    fn faults_are_worded_as_go_words_them() {
        for (layout, value, want) in [
            ("2006-01-02", "bad", "parsing time \"bad\" as \"2006-01-02\": cannot parse \"bad\" as \"2006\""),
            ("2006-01-02", "2021-13-01", "parsing time \"2021-13-01\": month out of range"),
            ("2006-01-02", "2021-02-30", "parsing time \"2021-02-30\": day out of range"),
            ("2006-01-02", "2021-02-03x", "parsing time \"2021-02-03x\": extra text: \"x\""),
            ("15h04", "2021", "parsing time \"2021\" as \"15h04\": cannot parse \"21\" as \"h\""),
            ("2006 é", "2021 é1", "parsing time \"2021 \\xc3\\xa91\": extra text: \"1\""),
        ] {
            assert_eq!(read(layout, value).unwrap_err(), want);
        }
    }
}
