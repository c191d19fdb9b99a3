//! `time.Duration`: nanoseconds, their text, and rounding.

use std::fmt;

use super::parse::quote;

const SECOND: i64 = 1_000_000_000;

/// A span of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

impl Duration {
    /// `time.ParseDuration`: `1h30m`, `-1.5s`, `300ms`.
    pub fn parse(text: &[u8]) -> Result<Duration, String> {
        let invalid = || format!("time: invalid duration {}", quote(text));
        let negative = text.first() == Some(&b'-');
        let mut rest = match text.first() {
            Some(b'-' | b'+') => &text[1..],
            _ => text,
        };
        if rest == b"0" {
            return Ok(Duration(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total = 0u64;
        while !rest.is_empty() {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let whole = if digits == 0 { 0 } else { leading_integer(&rest[..digits]).ok_or_else(invalid)? };
            rest = &rest[digits..];
            let mut fraction: &[u8] = b"";
            if rest.first() == Some(&b'.') {
                let length = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                fraction = &rest[1..=length];
                rest = &rest[1 + length..];
            }
            if digits == 0 && fraction.is_empty() {
                return Err(invalid());
            }
            let length = rest.iter().take_while(|byte| **byte != b'.' && !byte.is_ascii_digit()).count();
            if length == 0 {
                return Err(format!("time: missing unit in duration {}", quote(text)));
            }
            let unit = unit(&rest[..length]).ok_or_else(|| {
                format!("time: unknown unit {} in duration {}", quote(&rest[..length]), quote(text))
            })?;
            rest = &rest[length..];
            if whole > (1 << 63) / unit {
                return Err(invalid());
            }
            total = total.checked_add(whole * unit + fraction_of(fraction, unit)).ok_or_else(invalid)?;
            if total > 1 << 63 {
                return Err(invalid());
            }
        }
        match (negative, i64::try_from(total)) {
            (false, Ok(total)) => Ok(Duration(total)),
            (false, Err(_)) => Err(invalid()),
            (true, _) => Ok(Duration((total as i64).wrapping_neg())),
        }
    }

    /// `Duration.Seconds`.
    pub fn seconds(self) -> f64 {
        self.in_units(SECOND)
    }

    /// `Duration.Minutes`.
    pub fn minutes(self) -> f64 {
        self.in_units(60 * SECOND)
    }

    /// `Duration.Hours`.
    pub fn hours(self) -> f64 {
        self.in_units(3600 * SECOND)
    }

    /// Whole units and the rest apart, as Go adds them up.
    fn in_units(self, unit: i64) -> f64 {
        (self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64
    }

    /// `Duration.Truncate`: toward zero to a multiple.
    #[must_use]
    pub fn truncate(self, multiple: Duration) -> Duration {
        if multiple.0 <= 0 { self } else { Duration(self.0 - self.0 % multiple.0) }
    }

    /// `Duration.Round`: to the nearest multiple, halves away from zero; what would overflow stays at the limit.
    #[must_use]
    pub fn round(self, multiple: Duration) -> Duration {
        if multiple.0 <= 0 {
            return self;
        }
        let rest = i128::from(self.0) % i128::from(multiple.0);
        let (value, multiple) = (i128::from(self.0), i128::from(multiple.0));
        let rounded = match (value < 0, rest.abs() * 2 < multiple) {
            (_, true) => value - rest,
            (true, false) => value - rest - multiple,
            (false, false) => value - rest + multiple,
        };
        Duration(rounded.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

fn leading_integer(digits: &[u8]) -> Option<u64> {
    let value: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (value <= 1 << 63).then_some(value)
}

fn unit(name: &[u8]) -> Option<u64> {
    Some(match name {
        b"ns" => 1,
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        b"m" => 60_000_000_000,
        b"h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Nanoseconds of a decimal fraction, in floating point as Go has it, digits past the 18th dropped.
fn fraction_of(digits: &[u8], unit: u64) -> u64 {
    let (mut value, mut scale) = (0u64, 1.0f64);
    for digit in digits.iter().take(18) {
        value = value * 10 + u64::from(digit - b'0');
        scale *= 10.0;
    }
    if value == 0 { 0 } else { (value as f64 * (unit as f64 / scale)) as u64 }
}

/// `72h3m0.5s`; units below a second where that is all there is.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let decimal = |value: u64, unit: u64| {
            let fraction = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
            match fraction.trim_end_matches('0') {
                "" => (value / unit).to_string(),
                digits if unit > 1 => format!("{}.{digits}", value / unit),
                _ => (value / unit).to_string(),
            }
        };
        match total {
            0 => return f.write_str("0s"),
            1..1_000 => return write!(f, "{sign}{total}ns"),
            1_000..1_000_000 => return write!(f, "{sign}{}µs", decimal(total, 1_000)),
            1_000_000..1_000_000_000 => return write!(f, "{sign}{}ms", decimal(total, 1_000_000)),
            _ => {}
        }
        let seconds = total / 1_000_000_000;
        let of_minute = decimal(total % 60_000_000_000, 1_000_000_000);
        match (seconds / 3600, seconds / 60 % 60) {
            (0, 0) => write!(f, "{sign}{of_minute}s"),
            (0, minutes) => write!(f, "{sign}{minutes}m{of_minute}s"),
            (hours, minutes) => write!(f, "{sign}{hours}h{minutes}m{of_minute}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_printed() {
        for (text, want) in [
            ("1h30m5s", "1h30m5s"),
            ("500ms", "500ms"),
            ("-1.5h", "-1h30m0s"),
            ("0", "0s"),
            ("1.5us", "1.5µs"),
            ("90s", "1m30s"),
            ("100h0.25s", "100h0m0.25s"),
            ("-9223372036854775808ns", "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(Duration::parse(text.as_bytes()).unwrap().to_string(), want);
        }
        assert_eq!(Duration::parse(b"5").unwrap_err(), "time: missing unit in duration \"5\"");
        assert_eq!(Duration::parse(b"5x").unwrap_err(), "time: unknown unit \"x\" in duration \"5x\"");
        for text in ["", "-", ".s", "x", "9999999999999h", "9223372036854775808ns"] {
            assert!(Duration::parse(text.as_bytes()).unwrap_err().starts_with("time: invalid duration"), "{text}");
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        let d = |text: &str| Duration::parse(text.as_bytes()).unwrap();
        assert_eq!(d("2h30m").round(d("1h")), d("3h"));
        assert_eq!(d("-2h30m").round(d("1h")), d("-3h"));
        assert_eq!(d("2h59m").truncate(d("1h")), d("2h"));
        assert_eq!(d("2h59m").round(d("0")), d("2h59m"));
    }
}
