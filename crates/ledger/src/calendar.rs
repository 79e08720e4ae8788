//! The workday calendar (工作日历): a county-published, versioned statement. A deadline names the version it was counted with.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::day::Day;
use crate::table::{self, Row, TableError};

/// Holidays and make-up workdays over a published range; outside of it weekends alone decide, and the result is provisional.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Calendar {
    #[n(0)]
    pub version: u32,
    /// First and last day that are published, both included.
    #[n(1)]
    pub from: Option<Day>,
    #[n(2)]
    pub until: Option<Day>,
    #[n(3)]
    pub off: BTreeSet<Day>,
    #[n(4)]
    pub makeup: BTreeSet<Day>,
}

/// The day until which a case must be decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Due {
    pub on: Day,
    /// Counted in part over days that are not published yet, or while the clock stands still: it may move.
    pub provisional: bool,
}

/// No deadline is looked for further away than twenty years; the count stops there and is provisional.
const DUE_DAYS_MAX: i32 = 7_305;

impl Calendar {
    /// Reads `date` and `kind` (`off` or `makeup_work`). Whole years are published, so the calendar covers every day of the years
    /// it names. Its `version` is 1; whoever publishes it counts on.
    ///
    /// # Errors
    /// [`TableError`] with the line: no date, unknown kind, a day twice, a make-up workday on a workday, a year left out in between.
    pub fn from_tsv(text: &str) -> Result<Self, TableError> {
        let mut calendar = Self {
            version: 1,
            ..Self::default()
        };
        let mut years = BTreeSet::new();
        for Row { line, cells } in table::rows(text, ["date", "kind"])? {
            let [date, kind] = cells;
            let Some(day) = Day::parse(date) else {
                return Err(TableError::new(
                    line,
                    format!("日期“{date}”有误，应写成 2026-10-01 的样子"),
                ));
            };
            let set = match kind {
                "off" => &mut calendar.off,
                "makeup_work" if day.weekday() < 5 => {
                    return Err(TableError::new(
                        line,
                        format!("{day} 本来就是工作日，不能是补班，请核对"),
                    ));
                }
                "makeup_work" => &mut calendar.makeup,
                _ => {
                    return Err(TableError::new(
                        line,
                        format!("类别“{kind}”有误，只能是 off 或 makeup_work"),
                    ));
                }
            };
            set.insert(day);
            if !years.insert((day.ymd().0, day)) {
                return Err(TableError::new(line, format!("{day} 出现了两次，请删去一行")));
            }
        }
        let named: BTreeSet<i32> = years.iter().map(|(year, _)| *year).collect();
        if let (Some(first), Some(last)) = (named.first(), named.last()) {
            if let Some(missing) = (*first..*last).find(|year| !named.contains(year)) {
                return Err(TableError::new(0, format!("缺少 {missing} 年的节假日，请补齐")));
            }
            calendar.from = Day::from_ymd(*first, 1, 1);
            calendar.until = Day::from_ymd(*last, 12, 31);
        }
        Ok(calendar)
    }

    /// The next version, in which the years of `new` are as it says and all others stay.
    ///
    /// # Errors
    /// [`TableError`] when it names no year, or leaves one out between those that are published.
    pub fn with_years_of(&self, new: &Self) -> Result<Self, TableError> {
        let (Some(from), Some(until)) = (new.from, new.until) else {
            return Err(TableError::new(0, "表里一行内容也没有，请核对是否选错了文件"));
        };
        let stays = |day: &&Day| **day < from || **day > until;
        let (Some(first), Some(last)) = (self.from, self.until) else {
            return Ok(Self {
                version: self.version.saturating_add(1),
                ..new.clone()
            });
        };
        if from > last.plus(1) || first > until.plus(1) {
            let missing = if from > last {
                last.ymd().0 + 1
            } else {
                until.ymd().0 + 1
            };
            return Err(TableError::new(0, format!("缺少 {missing} 年的节假日，请补齐")));
        }
        Ok(Self {
            version: self.version.saturating_add(1),
            from: Some(first.min(from)),
            until: Some(last.max(until)),
            off: self.off.iter().filter(stays).chain(&new.off).copied().collect(),
            makeup: self.makeup.iter().filter(stays).chain(&new.makeup).copied().collect(),
        })
    }

    /// Whether the office is open: make-up workdays are, holidays are not, else Monday to Friday.
    pub fn is_workday(&self, day: Day) -> bool {
        self.makeup.contains(&day) || (day.weekday() < 5 && !self.off.contains(&day))
    }

    /// Whether the day lies within what is published.
    pub fn covers(&self, day: Day) -> bool {
        self.from.is_some_and(|from| from <= day) && self.until.is_some_and(|until| day <= until)
    }

    /// The deadline of `workdays` from `accepted`: day 1 is the workday after it; 0 is the day itself.
    ///
    /// `suspended` are spans from the day the clock stopped up to, not including, the day it went on (`None`: it still stands). Their
    /// workdays are not counted, so they push the deadline out. While it stands, the day given is the earliest still possible.
    pub fn due(&self, accepted: Day, workdays: u32, suspended: &[(Day, Option<Day>)]) -> Due {
        let standing = suspended.iter().any(|(_, until)| until.is_none());
        let mut on = accepted;
        let mut counted = 0;
        let mut cut_short = false;
        while counted < workdays {
            on = on.plus(1);
            let stopped = suspended
                .iter()
                .any(|(from, until)| *from <= on && until.is_some_and(|until| on < until));
            if self.is_workday(on) && !stopped {
                counted += 1;
            }
            if on.since(accepted) >= DUE_DAYS_MAX {
                cut_short = true;
                break;
            }
        }
        Due {
            on,
            provisional: standing || cut_short || !self.covers(accepted) || !self.covers(on),
        }
    }

    /// Workdays after `a` up to and including `b`; 0 when `b` is not later.
    pub fn workdays_between(&self, a: Day, b: Day) -> u32 {
        if b <= a {
            return 0;
        }
        let (first, last) = (i64::from(a.number()) + 1, i64::from(b.number()));
        let plain = weekdays_until(last) - weekdays_until(first - 1);
        let opened = self
            .makeup
            .range(a.plus(1)..=b)
            .filter(|day| day.weekday() >= 5)
            .count() as i64;
        // A day that is both off and make-up counts as open, as in `is_workday`.
        let closed = self
            .off
            .range(a.plus(1)..=b)
            .filter(|day| day.weekday() < 5 && !self.makeup.contains(day))
            .count() as i64;
        u32::try_from(plain - closed + opened).unwrap_or(0)
    }
}

/// Mondays to Fridays from a fixed Monday long ago up to and including a day number.
fn weekdays_until(number: i64) -> i64 {
    // 1970-01-01 was a Thursday, so day -3 was a Monday.
    let since_monday = number + 3;
    since_monday.div_euclid(7) * 5 + (since_monday.rem_euclid(7) + 1).min(5)
}
