//! Opening hours (上班时间): a room that is silent at night is at home, not in trouble.

use ledger::calendar::Calendar;
use ledger::day::Day;

const DAY_MS: i64 = 86_400_000;
/// China keeps one time, without summer time.
const CHINA_MS: i64 = 8 * 3_600_000;

/// Spans of a workday, as minutes after midnight, rising and apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Hours(Vec<(i64, i64)>);

impl Hours {
    /// Reads `08:30-12:00`, `14:00-17:30`; `None` when a span is none or they overlap.
    pub(crate) fn parse(spans: &[String]) -> Option<Self> {
        let minute = |text: &str| {
            let (h, m) = text.trim().split_once(':')?;
            let (h, m): (i64, i64) = (h.parse().ok()?, m.parse().ok()?);
            let sound = (0..=24).contains(&h) && (0..60).contains(&m) && h * 60 + m <= 24 * 60;
            sound.then_some(h * 60 + m)
        };
        let mut read = Vec::new();
        for span in spans {
            let (from, until) = span.split_once('-')?;
            let (from, until) = (minute(from)?, minute(until)?);
            let last = read.last().map_or(0, |(_, end)| *end);
            if from >= until || from < last {
                return None;
            }
            read.push((from, until));
        }
        (!read.is_empty()).then_some(Self(read))
    }

    /// Whether the office is open.
    pub(crate) fn is_open(&self, calendar: &Calendar, at_ms: i64) -> bool {
        let minute = of_day(at_ms) / 60_000;
        calendar.is_workday(Day::of_wall_ms(at_ms))
            && self.0.iter().any(|(from, until)| (*from..*until).contains(&minute))
    }

    /// Seconds of opening hours between two times (UTC ms).
    pub(crate) fn open_seconds(&self, calendar: &Calendar, from_ms: i64, until_ms: i64) -> i64 {
        if until_ms <= from_ms {
            return 0;
        }
        let (first, last) = (Day::of_wall_ms(from_ms), Day::of_wall_ms(until_ms));
        let part = |day: Day, from: i64, until: i64| match calendar.is_workday(day) {
            true => self.within(from, until),
            false => 0,
        };
        if first == last {
            return part(first, of_day(from_ms), of_day(until_ms)) / 1_000;
        }
        let between = i64::from(calendar.workdays_between(first, last.plus(-1)));
        let whole = between.saturating_mul(self.within(0, DAY_MS));
        (part(first, of_day(from_ms), DAY_MS) + whole + part(last, 0, of_day(until_ms))) / 1_000
    }

    /// Milliseconds of opening hours between two times of one day.
    fn within(&self, from_ms: i64, until_ms: i64) -> i64 {
        let overlap = |(from, until): &(i64, i64)| (until_ms.min(until * 60_000) - from_ms.max(from * 60_000)).max(0);
        self.0.iter().map(overlap).sum()
    }
}

/// Milliseconds after midnight in China.
fn of_day(at_ms: i64) -> i64 {
    at_ms.saturating_add(CHINA_MS).rem_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, h: i64, m: i64) -> i64 {
        let days = i64::from(Day::parse(text).unwrap().since(Day::parse("1970-01-01").unwrap()));
        days * DAY_MS - CHINA_MS + (h * 60 + m) * 60_000
    }

    fn usual() -> Hours {
        Hours::parse(&["08:30-12:00".to_owned(), "14:00-17:30".to_owned()]).unwrap()
    }

    #[test]
    fn nights_lunch_and_holidays_are_no_silence_and_makeup_workdays_are() {
        let calendar =
            Calendar::from_tsv("date\tkind\n2026-10-01\toff\n2026-10-02\toff\n2026-10-10\tmakeup_work\n").unwrap();
        let hours = usual();
        let span = |a, b| hours.open_seconds(&calendar, a, b) / 60;
        assert_eq!(
            span(at("2026-10-09", 11, 0), at("2026-10-09", 14, 30)),
            90,
            "over lunch"
        );
        assert_eq!(
            span(at("2026-10-09", 17, 0), at("2026-10-10", 9, 0)),
            60,
            "over night into a make-up Saturday"
        );
        assert_eq!(
            span(at("2026-09-30", 17, 0), at("2026-10-05", 8, 0)),
            30,
            "holiday and weekend"
        );
        assert_eq!(
            span(at("2026-09-28", 0, 0), at("2026-10-03", 0, 0)),
            3 * 420,
            "three workdays of a week"
        );
        assert_eq!(span(at("2026-10-09", 12, 0), at("2026-10-09", 9, 0)), 0);
        assert!(hours.is_open(&calendar, at("2026-10-10", 8, 30)));
        assert!(!hours.is_open(&calendar, at("2026-10-10", 12, 0)));
        assert!(!hours.is_open(&calendar, at("2026-10-11", 9, 0)));
    }

    #[test]
    fn spans_that_are_none_are_refused() {
        for wrong in [
            &["8:30"][..],
            &["12:00-08:30"],
            &["08:00-12:00", "11:00-13:00"],
            &["25:00-26:00"],
            &[],
        ] {
            let spans: Vec<String> = wrong.iter().map(|s| (*s).to_owned()).collect();
            assert_eq!(Hours::parse(&spans), None, "{wrong:?}");
        }
    }
}
