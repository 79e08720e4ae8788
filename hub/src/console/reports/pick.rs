//! What a report can be asked for: the periods that people ask for, and the units below.

use ledger::day::Day;
use serde::Deserialize;

use crate::console::texts::reports as t;

/// Months that are offered: a year and the one before it, for last year's December.
const MONTHS: u32 = 24;

/// One thing to choose.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

/// A picker of period, unit and frame.
pub(super) struct Picker {
    pub(super) periods: Vec<Choice>,
    /// The period asked for, where it is none of those offered.
    pub(super) other: String,
    pub(super) units: Vec<Choice>,
    pub(super) frame_now: bool,
}

impl Picker {
    pub(super) fn of(period: &str, unit: &str, frame_now: bool, choices: &[UnitChoice], today: Day) -> Self {
        let mut periods: Vec<Choice> = offered(today)
            .into_iter()
            .map(|(value, label)| Choice {
                chosen: value == period,
                value,
                label,
            })
            .collect();
        let other = match periods.iter().any(|choice| choice.chosen) {
            true => String::new(),
            false => period.to_owned(),
        };
        if periods.iter().all(|choice| !choice.chosen)
            && let Some(first) = periods.first_mut()
        {
            first.chosen = true;
        }
        Self {
            periods,
            other,
            units: choices.iter().map(|choice| choice.shown(unit)).collect(),
            frame_now,
        }
    }
}

fn offered(today: Day) -> Vec<(String, String)> {
    let (year, month, _) = today.ymd();
    let mut all = Vec::new();
    for back in 0..MONTHS {
        let at = year * 12 + month as i32 - 1 - back as i32;
        let (y, m) = (at.div_euclid(12), at.rem_euclid(12) as u32 + 1);
        all.push((format!("{y}-{m:02}"), t::month(y, m)));
    }
    all.push((today.to_string(), t::TODAY.to_owned()));
    all.push((today.plus(-1).to_string(), t::YESTERDAY.to_owned()));
    for (y, quarters) in [(year, month.div_ceil(3)), (year - 1, 4)] {
        all.extend((1..=quarters).rev().map(|q| (format!("{y}-Q{q}"), t::quarter(y, q))));
    }
    all.extend([year, year - 1, year - 2].map(|y| (y.to_string(), t::year(y))));
    // January alone is that month, and all twelve are the year.
    let sums = (2..=month.min(11)).rev();
    all.extend(sums.map(|m| (format!("{year}-01..{m:02}"), t::months(year, m))));
    all
}

/// A unit that may be asked for next.
#[derive(Clone, Deserialize)]
pub(super) struct UnitChoice {
    unit: String,
    name: String,
    /// Directly below this centre.
    near: bool,
}

impl UnitChoice {
    fn shown(&self, unit: &str) -> Choice {
        Choice {
            chosen: self.unit == unit,
            value: self.unit.clone(),
            label: format!("{}{} {}", if self.near { "" } else { "　" }, self.name, self.unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_known_and_has_begun() {
        let today = Day::parse("2026-01-03").unwrap();
        let all = offered(today);
        assert_eq!((all[0].0.as_str(), all[1].0.as_str()), ("2026-01", "2025-12"));
        assert!(all.iter().any(|(value, _)| value == "2025-Q4") && !all.iter().any(|(value, _)| value == "2026-Q2"));
        let mut values: Vec<&String> = all.iter().map(|(value, _)| value).collect();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), all.len(), "nothing is offered twice");
        let later = offered(Day::parse("2026-11-20").unwrap());
        assert!(
            later
                .iter()
                .any(|(value, label)| value == "2026-01..10" && label == "2026年1—10月累计")
        );
    }

    #[test]
    fn a_period_of_ones_own_stands_in_the_field_beside() {
        let today = Day::parse("2026-11-20").unwrap();
        let picker = Picker::of("2024-02-29", "", false, &[], today);
        assert_eq!(picker.other, "2024-02-29");
        assert_eq!(Picker::of("2026-10", "", false, &[], today).other, "");
    }
}
