//! Sums as people read them: name, number, last year's, the change, and how it is reckoned.

use std::collections::BTreeMap;

use ledger::catalogue::Matter;
use ledger::id::UnitId;
use ledger::organisation::{Unit, UnitKind};
use replica::time::Now;
use serde_json::{Value as Json, json};

use super::marks::Mark;
use super::place::DEPTH_MAX;
use super::tally::{Sums, Tally, change, grouped, hundredths, share, signed};
use super::{Frame, Question};
use crate::cases::at_text;
use crate::command::CommandError;
use crate::office::Office;
use crate::rooms::{Known, RoomState};
use crate::texts;
use crate::texts::report as t;

/// How a figure follows from the sums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Count(Mark),
    /// So many of so many.
    Share(Mark, Mark),
    /// Mean workdays.
    Mean,
    Cover,
    /// 考核: half-days on which a post was empty.
    Away,
    /// 考核: half-days on which somebody stood in for somebody.
    StoodIn,
    /// Distinct matters used; of one group of the catalogue, or of all.
    Coverage(Option<&'static str>),
}

/// The kind of each figure that [`t::FIGURES`] names.
pub(crate) fn kind_of(key: &str) -> Option<Kind> {
    Some(match key {
        "received" => Kind::Count(Mark::Received),
        "accepted" => Kind::Count(Mark::Accepted),
        "closed" => Kind::Count(Mark::Closed),
        "open" => Kind::Count(Mark::Open),
        "overdue" => Kind::Count(Mark::Overdue),
        "on_time" => Kind::Share(Mark::OnTime, Mark::Timed),
        "spot" => Kind::Share(Mark::Spot, Mark::Closed),
        "workdays" => Kind::Mean,
        "satisfied" => Kind::Share(Mark::Satisfied, Mark::Rated),
        "rated" => Kind::Share(Mark::Rated, Mark::Closed),
        "told_once" => Kind::Share(Mark::ToldOnce, Mark::Told),
        "returned" => Kind::Share(Mark::Returned, Mark::Received),
        "errand" => Kind::Share(Mark::Errand, Mark::Received),
        "cover" => Kind::Cover,
        "away" => Kind::Away,
        "stood_in" => Kind::StoodIn,
        "coverage" => Kind::Coverage(None),
        other => Kind::Coverage(Some(t::GROUPS.iter().find(|(key, _)| *key == other)?.1)),
    })
}

/// The figures of a row of units below, in order.
pub(crate) const OF_CHILDREN: [&str; 9] = [
    "received",
    "accepted",
    "closed",
    "open",
    "overdue",
    "on_time",
    "spot",
    "satisfied",
    "rated",
];

/// A number, and how it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Number {
    Count(u64),
    /// Hundredths of a percent, and of what.
    Share(Option<i64>, u64, u64),
    /// Hundredths of a day, and of how many cases.
    Days(Option<i64>, u64),
}

impl Number {
    fn text(self) -> String {
        match self {
            Number::Count(count) => grouped(count),
            Number::Share(Some(value), ..) => format!("{}%", hundredths(value)),
            Number::Days(Some(value), _) => format!("{} {}", hundredths(value), t::DAYS),
            Number::Share(None, ..) | Number::Days(None, _) => t::DASH.to_owned(),
        }
    }

    /// 同比
    fn change(self, last: Number) -> String {
        let text = match (self, last) {
            (Number::Count(this), Number::Count(last)) => change(this, last).map(|c| format!("{}%", signed(c))),
            (Number::Share(Some(this), ..), Number::Share(Some(last), ..)) => {
                Some(format!("{} {}", signed(this - last), t::POINTS))
            }
            (Number::Days(Some(this), _), Number::Days(Some(last), _)) => {
                Some(format!("{} {}", signed(this - last), t::DAYS))
            }
            _ => None,
        };
        text.unwrap_or_else(|| t::DASH.to_owned())
    }

    fn json(self) -> Json {
        match self {
            Number::Count(count) => json!({"kind": "count", "value": count}),
            Number::Share(value, part, whole) => json!({"kind": "share", "value": value, "part": part, "whole": whole}),
            Number::Days(value, of) => json!({"kind": "days", "value": value, "whole": of}),
        }
    }

    /// How long the list behind it is; with `rest` the list of what is missing from a share.
    pub(crate) fn listed(self, rest: bool) -> Option<u64> {
        match (self, rest) {
            (Number::Count(count), false) => Some(count),
            (Number::Share(_, part, _), false) => Some(part),
            (Number::Share(_, part, whole), true) => whole.checked_sub(part),
            (Number::Days(_, of), false) => Some(of),
            (Number::Count(_) | Number::Days(..), true) => None,
        }
    }
}

/// As of when a report stands, and how many rooms of its unit are in step.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Watermark {
    pub(crate) as_of: String,
    pub(crate) rooms: u64,
    pub(crate) in_step: u64,
    pub(crate) made_ms: i64,
}

impl Watermark {
    fn json(&self) -> Json {
        json!({
            "as_of": self.as_of,
            "rooms": self.rooms,
            "in_step": self.in_step,
            "made_at": at_text(self.made_ms),
            "text": t::watermark(&self.as_of, self.rooms, self.in_step),
        })
    }
}

impl Office {
    pub(crate) fn watermark(&mut self, now: Now, q: &Question) -> Result<Watermark, CommandError> {
        let known = self.known_rooms(now)?;
        let (mut all, mut in_step) = (0, 0);
        for devices in known.chunk_by(|a, b| a.unit == b.unit) {
            if !self.authority.is_within(devices[0].unit, q.unit.id) {
                continue;
            }
            let is = |state: RoomState| devices.iter().any(|one| one.state == state);
            // A device that was taken out keeps no room behind.
            let other = |one: &Known| !matches!(one.state, RoomState::InStep | RoomState::Revoked);
            all += 1;
            in_step += u64::from(is(RoomState::InStep) && !devices.iter().any(other));
        }
        let as_of = match q.is_over() {
            true => format!("{} 24:00", q.span.last()),
            false => at_text(now.wall_ms).chars().take(16).collect(),
        };
        Ok(Watermark {
            as_of,
            rooms: all,
            in_step,
            made_ms: now.wall_ms,
        })
    }

    /// The whole report out of its sums: made in the same way when it is new and when it is kept.
    pub(crate) fn report_json(&self, q: &Question, sums: &Sums, last: &Sums, mark: &Watermark) -> Json {
        let figures: Vec<Json> = t::FIGURES
            .iter()
            .filter_map(|(key, label, definition)| {
                let kind = kind_of(key)?;
                let (this, before) = (self.number(kind, sums), self.number(kind, last));
                let mut row = this.json();
                let more = json!({
                    "key": key,
                    "label": label,
                    "definition": definition,
                    "shown": this.text(),
                    "cases": this.listed(false),
                    "last": before.text(),
                    "last_cases": before.listed(false),
                    "change": this.change(before),
                });
                if let (Some(row), Json::Object(more)) = (row.as_object_mut(), more) {
                    row.extend(more);
                }
                Some(row)
            })
            .collect();
        json!({
            "period": q.period.text(),
            "label": q.period.label(),
            "from": q.span.from,
            "until": q.span.last(),
            "over": q.is_over(),
            "unit": q.unit.code,
            "unit_name": q.unit.name,
            "unit_tier": q.unit.kind.tier().as_str(),
            "frame": q.frame,
            "frame_label": match q.frame { Frame::Then => t::THEN, Frame::Now => t::NOW },
            "watermark": mark.json(),
            "year_on_year": t::YEAR_ON_YEAR,
            "figures": figures,
            "children": self.children(q, sums, last),
            "matters": self.by_matter_sums(sums, last),
            "coverage": self.coverage(sums),
            "units": self.unit_counts(q),
            "choices": self.unit_choices(q),
        })
    }

    pub(crate) fn number(&self, kind: Kind, sums: &Sums) -> Number {
        match kind {
            Kind::Cover => Number::Share(share(sums.covered, sums.away), sums.covered, sums.away),
            Kind::Coverage(group) => {
                let (used, all) = self.used_of(sums, group);
                Number::Share(share(used, all), used, all)
            }
            kind => of_tally(kind, &sums.all),
        }
    }

    fn matters_now(&self) -> &[Matter] {
        self.authority.catalogue().map_or(&[], |c| c.matters.as_slice())
    }

    fn used_of(&self, sums: &Sums, group: Option<&str>) -> (u64, u64) {
        let used = sums.used();
        let of_group = |m: &&Matter| group.is_none_or(|group| m.group == group);
        let matters = || self.matters_now().iter().filter(of_group);
        let used = matters().filter(|m| used.contains(m.code.as_str())).count();
        (used as u64, matters().count() as u64)
    }

    /// The units directly below, those without a case too.
    fn children(&self, q: &Question, sums: &Sums, last: &Sums) -> Json {
        let none = Tally::default();
        let mut units: BTreeMap<String, (String, &'static str)> = BTreeMap::new();
        let all = self.authority.organisation().map_or(&[][..], |o| o.units.as_slice());
        // 当时口径: who was below at some time of the period; 现行口径: who is today.
        let was = |unit: &Unit| {
            unit.from.is_none_or(|from| from < q.span.until) && unit.until.is_none_or(|until| until > q.span.from)
        };
        let counts = |unit: &&Unit| match q.frame {
            Frame::Then => was(unit),
            Frame::Now => unit.holds_on(q.today),
        };
        let below = all.iter().rev().filter(|unit| unit.parent == Some(q.unit.id));
        for unit in below.filter(counts) {
            units.insert(unit.code.to_string(), (unit.name.clone(), unit.kind.tier().as_str()));
        }
        for code in sums.children.keys().chain(last.children.keys()) {
            if let Ok(unit) = self.unit_by_code(code) {
                let of = (unit.name, unit.kind.tier().as_str());
                units.entry(code.clone()).or_insert(of);
            }
        }
        let row = |(code, (name, tier)): (String, (String, &str))| {
            let this = sums.children.get(&code).unwrap_or(&none);
            let before = last.children.get(&code).unwrap_or(&none);
            let mut cells = serde_json::Map::new();
            for key in OF_CHILDREN {
                if let Some(kind) = kind_of(key) {
                    let mut cell = of_tally(kind, this).json();
                    cell["shown"] = json!(of_tally(kind, this).text());
                    cell["cases"] = json!(of_tally(kind, this).listed(false));
                    cells.insert(key.to_owned(), cell);
                }
            }
            let closed = Kind::Count(Mark::Closed);
            json!({
                "unit": code,
                "name": name,
                "tier": tier,
                "figures": cells,
                "change": of_tally(closed, this).change(of_tally(closed, before)),
            })
        };
        units.into_iter().map(row).collect()
    }

    /// Every matter in which something happened, the busiest first.
    fn by_matter_sums(&self, sums: &Sums, last: &Sums) -> Json {
        let catalogue = self.authority.catalogue();
        let count = |of: &Sums, code: &str, mark| of.matters.get(code).map_or(0, |tally| tally.count(mark));
        let mut rows: Vec<(u64, &String)> = sums
            .matters
            .keys()
            .map(|code| (count(sums, code, Mark::Received), code))
            .collect();
        rows.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let row = |(received, code): (u64, &String)| {
            let matter = catalogue.and_then(|c| c.matter(code));
            json!({
                "matter": code,
                "name": matter.map(|m| m.name.as_str()),
                "group": matter.map(|m| m.group.as_str()),
                "received": received,
                "accepted": count(sums, code, Mark::Accepted),
                "closed": count(sums, code, Mark::Closed),
                "open": count(sums, code, Mark::Open),
                "change": Number::Count(received).change(Number::Count(count(last, code, Mark::Received))),
            })
        };
        rows.into_iter().map(row).collect()
    }

    /// The catalogue by group: what was used, and what was not.
    fn coverage(&self, sums: &Sums) -> Json {
        let used = sums.used();
        let row = |(key, group): &(&str, &str)| {
            let (is_used, all) = self.used_of(sums, Some(group));
            let unused = self
                .matters_now()
                .iter()
                .filter(|m| m.group == *group && !used.contains(m.code.as_str()));
            let unused: Vec<Json> = unused.map(|m| json!({"matter": m.code, "name": m.name})).collect();
            json!({"key": key, "group": group, "used": is_used, "all": all, "unused": unused})
        };
        t::GROUPS.iter().map(row).collect()
    }

    /// Centres, sub-centres, rooms and staff at the end of the period, by the township that they belong to; of a room its own.
    fn unit_counts(&self, q: &Question) -> Json {
        let units = self.authority.organisation().map_or(&[][..], |o| o.units.as_slice());
        // What had ended by then is not listed, nor what was still to come.
        let standing = units.iter().rev().filter(|unit| unit.holds_on(q.span.last()));
        let by_id: BTreeMap<UnitId, &Unit> = standing.map(|unit| (unit.id, unit)).collect();
        let above = |unit: UnitId| match by_id.get(&unit) {
            Some(unit) => unit.parent,
            None => self.authority.parent(unit),
        };
        // The township above a unit, or the unit asked for where none lies between; nothing outside of that.
        let head_of = |unit: UnitId| {
            let (mut at, mut head) = (unit, None);
            for _ in 0..DEPTH_MAX {
                if at == q.unit.id {
                    return Some(head.unwrap_or(at));
                }
                if head.is_none() && by_id.get(&at).is_some_and(|u| u.kind == UnitKind::Township) {
                    head = Some(at);
                }
                at = above(at)?;
            }
            None
        };
        let mut heads: BTreeMap<UnitId, [u64; 5]> = BTreeMap::new();
        let mut count = |unit: UnitId, at: usize| {
            if let Some(head) = head_of(unit) {
                heads.entry(head).or_default()[at] += 1;
            }
        };
        for unit in by_id.values() {
            match unit.kind {
                UnitKind::Township => count(unit.id, 0),
                UnitKind::SubCentre => count(unit.id, 1),
                UnitKind::AgentPoint => count(unit.id, 3),
                UnitKind::Village | UnitKind::Community => count(unit.id, 2),
                UnitKind::County => {}
            }
        }
        for user in self.authority.users().filter(|user| user.active) {
            count(user.unit, 4);
        }
        let row = |(head, counts): (UnitId, [u64; 5])| {
            let unit = by_id.get(&head).copied().unwrap_or(&q.unit);
            let [centres, sub_centres, rooms, agent_points, staff] = counts;
            let row = json!({
                "unit": unit.code,
                "name": unit.name,
                "centres": centres,
                "sub_centres": sub_centres,
                "rooms": rooms,
                "agent_points": agent_points,
                "staff": staff,
            });
            (unit.code, row)
        };
        let rows: BTreeMap<_, Json> = heads.into_iter().map(row).collect();
        rows.into_values().collect()
    }

    /// What may be asked for next: our own unit, those below it, and those beside and below the one that is shown.
    pub(crate) fn unit_choices(&self, q: &Question) -> Json {
        let own = self.unit();
        let up = self.authority.parent(q.unit.id);
        let parents = [
            own,
            Some(q.unit.id),
            up.filter(|up| own.is_some_and(|own| self.authority.is_within(*up, own))),
        ];
        let units = self.authority.organisation().map_or(&[][..], |o| o.units.as_slice());
        let mut choices: BTreeMap<String, (&str, bool)> = BTreeMap::new();
        // The whole of what is ours can be asked for again, and stands first by its code.
        if let Some(unit) = own.and_then(|own| self.authority.unit(own)) {
            choices.insert(unit.code.to_string(), (&unit.name, true));
        }
        for unit in units
            .iter()
            .rev()
            .filter(|u| parents.contains(&self.authority.parent(u.id)))
        {
            if self.authority.parent(unit.id).is_some() {
                choices.insert(
                    unit.code.to_string(),
                    (&unit.name, self.authority.parent(unit.id) == own),
                );
            }
        }
        let row = |(code, (name, near)): (String, (&str, bool))| json!({"unit": code, "name": name, "near": near});
        choices.into_iter().map(row).collect()
    }
}

pub(crate) fn of_tally(kind: Kind, tally: &Tally) -> Number {
    match kind {
        Kind::Count(mark) => Number::Count(tally.count(mark)),
        Kind::Share(part, whole) => {
            let (part, whole) = (tally.count(part), tally.count(whole));
            Number::Share(share(part, whole), part, whole)
        }
        Kind::Mean => {
            let timed = tally.count(Mark::Timed);
            Number::Days(
                (timed > 0).then(|| ((tally.workdays * 200 + timed) / (timed * 2)) as i64),
                timed,
            )
        }
        // Of a whole unit only: half-days and matters are no sums over cases.
        Kind::Cover | Kind::Away | Kind::StoodIn | Kind::Coverage(_) => Number::Share(None, 0, 0),
    }
}

/// The figure that a mark changes, by name: for what came late.
pub(crate) fn label_of(mark: Mark) -> Option<&'static str> {
    let of_mark = |(key, _, _): &&(&str, &str, &str)| match kind_of(key) {
        Some(Kind::Count(m)) => m == mark,
        Some(Kind::Share(part, _)) => part == mark,
        _ => false,
    };
    t::FIGURES.iter().find(of_mark).map(|(_, label, _)| *label)
}

/// What is said where a figure is asked for that is none.
pub(crate) fn figure_named(key: &str) -> Result<(Kind, &'static str, &'static str), CommandError> {
    let all = t::FIGURES.iter().chain(&t::POSTS);
    let found = all.into_iter().find(|(known, ..)| *known == key.trim());
    let (key, label, definition) = found.ok_or_else(|| texts::report::unknown_figure(key))?;
    let kind = kind_of(key).ok_or_else(|| texts::report::unknown_figure(key))?;
    Ok((kind, label, definition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_definition_and_its_rule() {
        for (key, label, definition) in t::FIGURES {
            assert!(kind_of(key).is_some(), "{key}");
            assert!(definition.ends_with('。') && !label.is_empty(), "{key}");
        }
        assert_eq!(kind_of("nothing"), None);
        assert_eq!(label_of(Mark::OnTime), Some("按时办结率"));
    }

    #[test]
    fn the_page_of_figures_says_what_the_program_says() {
        let page = include_str!("../../FIGURES.md");
        for (key, label, definition) in t::FIGURES {
            assert!(page.contains(&format!("| `{key}` | {label} | {definition} |")), "{key}");
        }
        for (_, label, points, how) in t::WEIGHTS {
            assert!(page.contains(&format!("| {label} | {points} | {how} |")), "{label}");
        }
        assert!(page.contains(t::YEAR_ON_YEAR));
    }

    #[test]
    fn a_rate_is_compared_in_points_and_a_count_in_percent() {
        let rate = |part, whole| Number::Share(share(part, whole), part, whole);
        assert_eq!(rate(3, 4).change(rate(1, 2)), "+25.00 个百分点");
        assert_eq!(rate(3, 4).change(rate(0, 0)), "—");
        assert_eq!(Number::Count(12).change(Number::Count(10)), "+20.00%");
        assert_eq!(Number::Count(12).change(Number::Count(0)), "—");
        assert_eq!(rate(1, 3).text(), "33.33%");
        assert_eq!(Number::Days(Some(150), 2).text(), "1.50 天");
    }
}
