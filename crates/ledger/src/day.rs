//! Business dates (业务日期): days of UTC+8, without a clock.

use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A day of the civil calendar, as days since 1970-01-01. Holds 1900-01-01 to 2199-12-31.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Day(#[n(0)] i32);

const UTC8_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

impl Day {
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1900..=2199).contains(&year) || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
            return None;
        }
        // Days from civil (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"): years begin in March.
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let month_from_march = (month as i32 + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day as i32 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(era * 146_097 + day_of_era - 719_468))
    }

    /// Reads `2026-10-09`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || y.len() != 4 || m.len() > 2 || d.len() > 2 {
            return None;
        }
        Self::from_ymd(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?)
    }

    /// The day that a clock in UTC milliseconds shows in China (UTC+8).
    pub fn of_wall_ms(wall_ms: i64) -> Self {
        let days = (wall_ms.saturating_add(UTC8_MS)).div_euclid(DAY_MS);
        Self(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    pub fn ymd(self) -> (i32, u32, u32) {
        let z = self.0.saturating_add(719_468);
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        } as u32;
        (year_of_era + era * 400 + i32::from(month <= 2), month, day)
    }

    /// The year and the day of the year, counted from 1.
    pub fn year_and_ordinal(self) -> (i32, u32) {
        let (year, _, _) = self.ymd();
        let first = Self::from_ymd(year, 1, 1).map_or(self.0, |d| d.0);
        (year, (self.0 - first + 1) as u32)
    }

    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Days from `earlier` to `self`.
    pub fn since(self, earlier: Self) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// 0 Monday … 6 Sunday.
    pub fn weekday(self) -> u32 {
        (i64::from(self.0) + 3).rem_euclid(7) as u32
    }

    pub fn number(self) -> i32 {
        self.0
    }

    /// The day that [`Day::number`] names.
    pub fn from_number(number: i32) -> Self {
        Self(number)
    }
}

fn days_in(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.ymd();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Day({self})")
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a date"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_through_leap_years_and_back() {
        let mut day = Day::from_ymd(1999, 12, 31).unwrap();
        assert_eq!(day.number(), 10_956);
        for _ in 0..40_000 {
            let (y, m, d) = day.ymd();
            assert_eq!(Day::from_ymd(y, m, d), Some(day));
            day = day.plus(1);
        }
        assert_eq!(Day::from_ymd(2026, 2, 29), None);
        assert_eq!(Day::parse("2026-13-40"), None);
        assert_eq!(Day::parse("2026-10-09").unwrap().weekday(), 4);
        assert_eq!(Day::parse("2026-10-09").unwrap().year_and_ordinal(), (2026, 282));
    }

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        let eve = 1_760_025_599_999; // 2025-10-09 15:59:59.999 UTC
        assert_eq!(Day::of_wall_ms(eve).to_string(), "2025-10-09");
        assert_eq!(Day::of_wall_ms(eve + 1).to_string(), "2025-10-10");
    }
}
