//! Go's `time`: instants in zones, layouts that format and parse them, and durations.
//!
//! In: texts, layouts, zone names. Out: [`Time`] and [`Duration`] and their texts, with Go's error wordings. No clock: `now` is handed
//! in elsewhere. The local zone is UTC, so that a render does not depend on the machine; zone data comes with the binary.

mod civil;
mod duration;
mod layout;
mod parse;

use jiff::tz::{TimeZone, TimeZoneDatabase};

pub use duration::Duration;

/// A zone of time, with the abbreviation it prints.
#[derive(Clone, Debug, PartialEq)]
pub enum Zone {
    /// UTC, which stands for the local zone too.
    Utc,
    /// Made up while parsing: an abbreviation (may be empty) and an offset in seconds.
    Fixed(String, i32),
    /// From the zone database.
    Named(TimeZone),
}

/// An instant: seconds and nanoseconds since 1970 in UTC, and the zone it is shown in.
#[derive(Clone, Debug, PartialEq)]
pub struct Time {
    /// Whole seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds past the second, below 10⁹.
    pub nanoseconds: u32,
    /// Where it is shown.
    pub zone: Zone,
}

/// Seconds from the zero time (year 1) to 1970.
const ZERO_SECONDS: i64 = -62_135_596_800;

impl Zone {
    /// `time.LoadLocation`: the zone of that exact name, `UTC` for the empty name and `Local`, `None` if there is no such zone.
    pub fn load(name: &str) -> Option<Zone> {
        if matches!(name, "" | "UTC" | "Local") {
            return Some(Zone::Utc);
        }
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Zone::Named(zone))
    }

    /// Offset in seconds and abbreviation at an instant.
    fn at(&self, seconds: i64) -> (i32, String) {
        match self {
            Zone::Utc => (0, "UTC".to_owned()),
            Zone::Fixed(name, offset) => (*offset, name.clone()),
            Zone::Named(zone) => {
                let instant = jiff::Timestamp::from_second(seconds).unwrap_or_default();
                let info = zone.to_offset_info(instant);
                (info.offset().seconds(), info.abbreviation().to_owned())
            }
        }
    }
}

impl Time {
    /// Go's zero time, 1 January of year 1.
    pub fn zero() -> Time {
        Time { seconds: ZERO_SECONDS, nanoseconds: 0, zone: Zone::Utc }
    }

    /// `time.Unix(seconds, 0)`.
    pub fn unix(seconds: i64) -> Time {
        Time { seconds, nanoseconds: 0, zone: Zone::Utc }
    }

    /// Seconds from 1970 to a date in UTC; the month is 1 to 12.
    pub fn of_date(year: i64, month: i64, day: i64) -> i64 {
        civil::days_before(year, month, day) * 86_400
    }

    /// The same instant elsewhere.
    #[must_use]
    pub fn in_zone(self, zone: Zone) -> Time {
        Time { zone, ..self }
    }

    /// `Time.Add`.
    #[must_use]
    pub fn add(&self, by: Duration) -> Time {
        let nanoseconds = i128::from(self.nanoseconds) + i128::from(by.0);
        let seconds = i128::from(self.seconds) + nanoseconds.div_euclid(1_000_000_000);
        Time {
            seconds: seconds as i64,
            nanoseconds: nanoseconds.rem_euclid(1_000_000_000) as u32,
            zone: self.zone.clone(),
        }
    }

    /// `Time.Sub`: as long as a duration can be, at most.
    pub fn since(&self, earlier: &Time) -> Duration {
        let seconds = i128::from(self.seconds) - i128::from(earlier.seconds);
        let nanoseconds = seconds * 1_000_000_000 + i128::from(self.nanoseconds) - i128::from(earlier.nanoseconds);
        Duration(nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    /// `Time.Format`.
    pub fn format(&self, layout: &[u8]) -> Vec<u8> {
        layout::format(self, layout)
    }

    /// `Time.String`, without the monotonic reading that Go's `now` shows.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.format(b"2006-01-02 15:04:05.999999999 -0700 MST")).into_owned()
    }

    /// The form that JSON and YAML print; Go refuses years that do not have four digits.
    pub fn rfc3339(&self) -> Result<String, String> {
        let year = civil::Fields::of(self).year;
        if !(0..=9999).contains(&year) {
            return Err("Time.MarshalJSON: year outside of range [0,9999]".to_owned());
        }
        Ok(String::from_utf8_lossy(&self.format(b"2006-01-02T15:04:05.999999999Z07:00")).into_owned())
    }

    /// `time.ParseInLocation(layout, value, Local)`.
    pub fn parse(layout: &[u8], value: &[u8]) -> Result<Time, String> {
        parse::parse(layout, value)
    }
}
