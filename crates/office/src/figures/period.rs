//! The time that a report is about: a day, a month, a quarter, or the months of a year up to one of them.

use ledger::day::Day;

/// The last month of a span of months, and the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Period {
    Day(Day),
    /// Year, first month, last month.
    Months(i32, u32, u32),
}

/// Days from `from` up to, not including, `until`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) from: Day,
    pub(crate) until: Day,
}

impl Span {
    pub(crate) fn has(&self, day: Option<Day>) -> bool {
        day.is_some_and(|day| self.from <= day && day < self.until)
    }

    pub(crate) fn last(&self) -> Day {
        self.until.plus(-1)
    }
}

impl Period {
    /// Reads `2026-10-09`, `2026-10`, `2026-Q4`, `2026` and `2026-01..10`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() == 10 {
            return Day::parse(text).map(Self::Day);
        }
        let (year, rest) = text.split_at_checked(4)?;
        let year: i32 = digits(year)?.try_into().ok().filter(|y| (1900..=2200).contains(y))?;
        let (first, last) = match rest.strip_prefix('-') {
            None if rest.is_empty() => (1, 12),
            None => return None,
            Some(rest) => match (rest.strip_prefix(['Q', 'q']), rest.split_once("..")) {
                (Some(quarter), _) => {
                    let quarter = Some(digits(quarter)?).filter(|q| quarter.len() == 1 && (1..=4).contains(q))?;
                    (quarter * 3 - 2, quarter * 3)
                }
                (None, Some((first, last))) => (two(first)?, two(last)?),
                (None, None) => (two(rest)?, two(rest)?),
            },
        };
        (1 <= first && first <= last && last <= 12).then_some(Self::Months(year, first, last))
    }

    /// As [`Period::parse`] reads it.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Day(day) => day.to_string(),
            Self::Months(year, 1, 12) => year.to_string(),
            Self::Months(year, first, last) if first == last => format!("{year}-{first:02}"),
            Self::Months(year, first, last) if last == first + 2 && first % 3 == 1 => {
                format!("{year}-Q{}", last / 3)
            }
            Self::Months(year, first, last) => format!("{year}-{first:02}..{last:02}"),
        }
    }

    /// As people say it.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Day(day) => {
                let (year, month, day) = day.ymd();
                format!("{year}年{month}月{day}日")
            }
            Self::Months(year, 1, 12) => format!("{year}年"),
            Self::Months(year, first, last) if first == last => format!("{year}年{first}月"),
            Self::Months(year, first, last) if last == first + 2 && first % 3 == 1 => {
                format!(
                    "{year}年第{}季度",
                    ["一", "二", "三", "四"][(last / 3 - 1) as usize % 4]
                )
            }
            Self::Months(year, first, last) => format!("{year}年{first}—{last}月"),
        }
    }

    /// The days it is about, whether they have come or not.
    pub(crate) fn span(self) -> Option<Span> {
        match self {
            Self::Day(day) => Some(Span {
                from: day,
                until: day.plus(1),
            }),
            Self::Months(year, first, last) => {
                let until = if last == 12 {
                    Day::from_ymd(year + 1, 1, 1)
                } else {
                    Day::from_ymd(year, last + 1, 1)
                };
                Some(Span {
                    from: Day::from_ymd(year, first, 1)?,
                    until: until?,
                })
            }
        }
    }

    /// What falls into it up to today; `None` while it has not begun.
    pub(crate) fn until_today(self, today: Day) -> Option<Span> {
        let span = self.span()?;
        let until = span.until.min(today.plus(1));
        (span.from < until).then_some(Span { until, ..span })
    }

    /// The months or days into which a chart divides it: by label.
    pub(crate) fn steps(self, span: Span) -> Vec<(String, Span)> {
        let mut steps = Vec::new();
        let mut from = span.from;
        while from < span.until {
            let (year, month, day) = from.ymd();
            let (label, until) = match self {
                Self::Months(_, first, last) if first != last => (format!("{month}月"), next_month(year, month)),
                _ => (format!("{month}-{day}"), Some(from.plus(1))),
            };
            let until = until.unwrap_or(span.until).min(span.until);
            steps.push((label, Span { from, until }));
            from = until;
        }
        steps
    }
}

/// The same days of the year before. The end of February ends where that February did.
pub(crate) fn year_before(span: Span) -> Option<Span> {
    Some(Span {
        from: earlier(span.from)?,
        // Of the last day, not of the first one after it: 2027-02 ends with the 28th, 2028-02 with the 29th.
        until: match span.until.ymd() {
            (year, month, 1) => Day::from_ymd(year - 1, month, 1)?,
            _ => earlier(span.last())?.plus(1),
        },
    })
}

fn earlier(day: Day) -> Option<Day> {
    let (year, month, day) = day.ymd();
    Day::from_ymd(year - 1, month, day).or_else(|| Day::from_ymd(year - 1, month, 28))
}

fn next_month(year: i32, month: u32) -> Option<Day> {
    match month {
        12 => Day::from_ymd(year + 1, 1, 1),
        _ => Day::from_ymd(year, month + 1, 1),
    }
}

fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn two(text: &str) -> Option<u32> {
    digits(text).filter(|_| text.len() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> String {
        let span = Period::parse(text).and_then(Period::span);
        span.map(|s| format!("{} {}", s.from, s.last())).unwrap_or_default()
    }

    #[test]
    fn periods_are_read_as_people_write_them_and_what_is_none_is_refused() {
        assert_eq!(span("2026-10-09"), "2026-10-09 2026-10-09");
        assert_eq!(span(" 2028-02 "), "2028-02-01 2028-02-29");
        assert_eq!(span("2026-Q4"), "2026-10-01 2026-12-31");
        assert_eq!(span("2026"), "2026-01-01 2026-12-31");
        assert_eq!(span("2026-01..10"), "2026-01-01 2026-10-31");
        for wrong in [
            "",
            "2026-13",
            "2026-00",
            "2026-Q5",
            "2026-Q",
            "2026-1",
            "2026-10..01",
            "10-2026",
            "十月",
            "2026-+1",
            "２０２６",
        ] {
            assert_eq!(span(wrong), "", "{wrong}");
        }
        for text in ["2026-10-09", "2026-10", "2026-Q4", "2026", "2026-01..10"] {
            assert_eq!(Period::parse(text).map(Period::text).as_deref(), Some(text));
        }
        let label = |text: &str| Period::parse(text).map(Period::label).unwrap_or_default();
        assert_eq!(
            (label("2026-Q4"), label("2026-01..10")),
            ("2026年第四季度".to_owned(), "2026年1—10月".to_owned())
        );
    }

    #[test]
    fn a_running_period_is_held_against_the_same_days_of_last_year() {
        let day = |text: &str| Day::parse(text).unwrap();
        let before = |text: &str, today: &str| {
            let running = Period::parse(text).unwrap().until_today(day(today))?;
            year_before(running).map(|s| format!("{} {}", s.from, s.last()))
        };
        assert_eq!(
            before("2026-10", "2026-10-09").as_deref(),
            Some("2025-10-01 2025-10-09")
        );
        assert_eq!(
            before("2026-10", "2026-12-09").as_deref(),
            Some("2025-10-01 2025-10-31")
        );
        assert_eq!(
            before("2028-02", "2028-12-09").as_deref(),
            Some("2027-02-01 2027-02-28")
        );
        assert_eq!(
            before("2029-02", "2029-12-09").as_deref(),
            Some("2028-02-01 2028-02-29")
        );
        assert_eq!(
            before("2028-02-29", "2028-12-09").as_deref(),
            Some("2027-02-28 2027-02-28")
        );
        assert_eq!(before("2026-11", "2026-10-09"), None);
    }

    #[test]
    fn a_chart_goes_by_days_in_a_month_and_by_months_in_a_year() {
        let steps = |text: &str| {
            let period = Period::parse(text).unwrap();
            let steps = period.steps(period.span().unwrap());
            (steps.len(), steps[0].0.clone(), steps[steps.len() - 1].0.clone())
        };
        assert_eq!(steps("2026-10"), (31, "10-1".to_owned(), "10-31".to_owned()));
        assert_eq!(steps("2026"), (12, "1月".to_owned(), "12月".to_owned()));
    }
}
