//! Calendar arithmetic on the proleptic Gregorian calendar, for any year that fits.

use super::Time;

/// An instant taken apart in its zone.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 1 to 366.
    pub year_day: i64,
    /// 0 is Sunday.
    pub week_day: usize,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    /// Seconds east of UTC.
    pub offset: i32,
    /// The zone's abbreviation; may be empty.
    pub zone: String,
}

impl Fields {
    pub fn of(time: &Time) -> Fields {
        let (offset, zone) = time.zone.at(time.seconds);
        let local = time.seconds.saturating_add(i64::from(offset));
        let (days, of_day) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        Fields {
            year,
            month,
            day,
            year_day: days - days_before(year, 1, 1) + 1,
            week_day: (days + 4).rem_euclid(7) as usize,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            offset,
            zone,
        }
    }
}

/// Days from 1970 to a date. Years are counted from March, so that the leap day comes last.
pub(super) fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The number of days of a month.
pub(super) fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse() {
        for days in [-719_528, -719_162, -1, 0, 59, 11_016, 18_321, 2_932_896, -2_000_000] {
            let (year, month, day) = date_of(days);
            assert_eq!(days_before(year, month, day), days, "{year}-{month}-{day}");
            assert!((1..=days_in(year, month)).contains(&day));
        }
        assert_eq!(date_of(11_016), (2000, 2, 29));
    }
}
