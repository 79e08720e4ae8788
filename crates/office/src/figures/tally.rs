//! Sums over cases. Small, so that a frozen report keeps its sums and not its pages.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::marks::{Judged, MARKS, Mark, Marks};

/// How many cases carry each mark.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub(crate) struct Tally {
    /// By [`Mark`]; shorter where an earlier version knew fewer.
    #[n(0)]
    marks: Vec<u64>,
    #[n(1)]
    pub(crate) workdays: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, judged: &Judged) {
        if self.marks.is_empty() {
            self.marks = vec![0; MARKS];
        }
        for (at, count) in self.marks.iter_mut().enumerate() {
            *count += u64::from(judged.marks.0 >> at & 1);
        }
        self.workdays += u64::from(judged.workdays);
    }

    pub(crate) fn count(&self, mark: Mark) -> u64 {
        self.marks.get(mark as usize).copied().unwrap_or(0)
    }
}

/// One period's sums of one unit.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub(crate) struct Sums {
    #[n(0)]
    pub(crate) all: Tally,
    /// By the code of the unit below.
    #[n(1)]
    pub(crate) children: BTreeMap<String, Tally>,
    /// By the matter's code.
    #[n(2)]
    pub(crate) matters: BTreeMap<String, Tally>,
    /// B岗: half-days on which an A-post was away, and of these the ones covered.
    #[n(3)]
    pub(crate) away: u64,
    #[n(4)]
    pub(crate) covered: u64,
}

impl Sums {
    pub(crate) fn add(&mut self, child: &str, matter: &str, judged: &Judged) {
        if judged.marks == Marks::default() {
            return;
        }
        self.all.add(judged);
        entry(&mut self.children, child).add(judged);
        entry(&mut self.matters, matter).add(judged);
    }

    /// The matters in which something was received.
    pub(crate) fn used(&self) -> BTreeSet<&str> {
        let used = self.matters.iter().filter(|(_, tally)| tally.count(Mark::Received) > 0);
        used.map(|(code, _)| code.as_str()).collect()
    }
}

/// Without a new text for a key that is there: this runs for every case of a county.
fn entry<'m>(map: &'m mut BTreeMap<String, Tally>, key: &str) -> &'m mut Tally {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), Tally::default());
    }
    match map.get_mut(key) {
        Some(tally) => tally,
        None => unreachable!("it was put there"),
    }
}

/// A share in hundredths of a percent, rounded half up; `None` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<i64> {
    (whole > 0).then(|| ((u128::from(part) * 20_000 + u128::from(whole)) / (u128::from(whole) * 2)) as i64)
}

/// A change in hundredths of a percent of what was; `None` where that was nothing.
pub(crate) fn change(this: u64, last: u64) -> Option<i64> {
    let grown = share(this.abs_diff(last), last)?;
    Some(if this < last { -grown } else { grown })
}

/// Hundredths as `12.34`.
pub(crate) fn hundredths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    format!("{sign}{}.{:02}", value / 100, value % 100)
}

/// The same with its sign, also a plus.
pub(crate) fn signed(value: i64) -> String {
    match value > 0 {
        true => format!("+{}", hundredths(value)),
        false => hundredths(value),
    }
}

/// A number with a comma after each three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_two_decimals_and_a_share_of_nothing_is_none() {
        let shown = |part, whole| share(part, whole).map(hundredths);
        assert_eq!(shown(1, 3).as_deref(), Some("33.33"));
        assert_eq!(shown(2, 3).as_deref(), Some("66.67"));
        assert_eq!(shown(1, 8).as_deref(), Some("12.50"));
        assert_eq!(shown(1, 20_000).as_deref(), Some("0.01"));
        assert_eq!(shown(0, 0), None);
    }

    #[test]
    fn a_change_has_its_sign_and_against_nothing_there_is_none() {
        let shown = |this, last| change(this, last).map(signed);
        assert_eq!(shown(110, 100).as_deref(), Some("+10.00"));
        assert_eq!(shown(0, 3).as_deref(), Some("-100.00"));
        assert_eq!(shown(3, 3).as_deref(), Some("0.00"));
        assert_eq!(shown(3, 0), None);
    }

    #[test]
    fn large_numbers_are_read_in_threes() {
        assert_eq!(
            [0, 999, 1_000, 230_900].map(grouped),
            ["0", "999", "1,000", "230,900"].map(str::to_owned)
        );
    }
}
