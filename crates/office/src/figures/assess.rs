//! 量化考核: what each window, person and room did in a period, with the weights that make a score of it.

use std::collections::{BTreeMap, BTreeSet};

use ledger::check;
use ledger::day::Day;
use ledger::id::{UnitId, UserId};
use minicbor::{Decode, Encode};
use replica::authority::Authority;
use replica::time::Now;
use serde_json::{Value as Json, json};

use super::freeze::Kept;
use super::marks::Mark;
use super::place::Places;
use super::posts::{handle, person_at, window_of};
use super::shown::{Kind, Number, Watermark, kind_of, of_tally};
use super::tally::{Tally, hundredths, share};
use super::{Away, Covers, Ground, Question};
use crate::cases::at_text;
use crate::command::{AbsenceNote, CommandError};
use crate::office::Office;
use crate::texts;
use crate::texts::report as t;
use crate::views::measure::{Half, Measure};
use crate::views::row::RecordRef;

/// An A-post that was empty.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Absence {
    #[n(0)]
    pub(crate) unit: UnitId,
    #[n(1)]
    name: String,
    #[n(2)]
    on: Day,
    #[n(3)]
    half: Vec<Half>,
    #[n(4)]
    pub(crate) at_ms: i64,
    #[n(5)]
    user: Option<UserId>,
}

impl Absence {
    pub(crate) fn halves(&self) -> impl Iterator<Item = (UnitId, Day, Half, String)> + '_ {
        self.half
            .iter()
            .map(|half| (self.unit, self.on, *half, self.name.clone()))
    }
}

/// What one window did.
#[derive(Default)]
struct Window {
    tally: Tally,
    /// Half-days on which this person stood in for somebody.
    stood_in: u64,
    away: u64,
    covered: u64,
}

/// A window: a room, or a person of a room.
type Key = (UnitId, Option<String>);

/// All windows, while they are counted.
pub(crate) struct Windows {
    q: Question,
    places: Places,
    all: BTreeMap<Key, Window>,
    covers: Covers,
    /// Who stood in, where and when.
    by: BTreeSet<(UserId, UnitId, Day, Half)>,
}

impl Windows {
    pub(crate) fn new(q: Question, ground: &Ground) -> Self {
        Self {
            places: Places::new(&ground.authority, &q),
            all: BTreeMap::new(),
            covers: Covers::default(),
            by: BTreeSet::new(),
            q,
        }
    }

    pub(crate) fn add(&mut self, ground: &Ground, of: RecordRef, m: &Measure) {
        let span = self.q.span;
        let (authority, book) = (&ground.authority, of.scope.unit);
        let places = &mut self.places;
        let mut here = |on: Day| places.covers(authority, book, on);
        self.covers.add(&m.extra.covers, span, &mut here);
        let within = m.extra.covers.iter();
        let within = within.filter(|c| span.has(Some(c.on)) && here(c.on));
        self.by.extend(within.map(|c| (c.by, c.unit, c.on, c.half)));
        if self.places.child(authority, book, m.on).is_none() || ground.follows(of, m) {
            return;
        }
        let judged = ground.law(self.q.today).judge(m, span, false);
        if !judged.marks.has(Mark::Closed) {
            return;
        }
        let at = m.extra.closed_at.unwrap_or(of.scope.unit);
        let unit = window_of(&ground.authority, at);
        self.all.entry((unit, None)).or_default().tally.add(&judged);
        if let Some(name) = person_at(&ground.authority, m.extra.closed_by, at) {
            self.all.entry((unit, Some(name))).or_default().tally.add(&judged);
        }
    }

    /// Puts in who was away and who stood in.
    pub(crate) fn settle(&mut self, authority: &Authority, noted: &Away) {
        let span = self.q.span;
        let noted: Away = noted
            .iter()
            .filter(|one| span.has(Some(one.1)) && self.places.covers(authority, one.0, one.1))
            .cloned()
            .collect();
        for one in self.covers.0.union(&noted) {
            let (at, _, _, name) = one;
            let unit = window_of(authority, *at);
            for key in [(unit, None), (unit, Some(name.clone()))] {
                let window = self.all.entry(key).or_default();
                window.away += 1;
                window.covered += u64::from(self.covers.0.contains(one));
            }
        }
        for (user, at, ..) in &self.by {
            if let Some(name) = person_at(authority, Some(*user), *at) {
                let unit = window_of(authority, *at);
                self.all.entry((unit, Some(name))).or_default().stood_in += 1;
            }
        }
    }
}

impl Office {
    /// What each room and each person below did, with the score that follows.
    pub(crate) fn assess_json(&self, windows: &Windows, mark: &Watermark) -> Json {
        let q = &windows.q;
        let named = t::FIGURES.iter().chain(&t::POSTS);
        let definitions: Vec<Json> = named
            .map(|(key, label, definition)| json!({"key": key, "label": label, "definition": definition}))
            .collect();
        json!({
            "period": q.period.text(),
            "label": q.period.label(),
            "unit": q.unit.code,
            "unit_name": q.unit.name,
            "choices": self.unit_choices(q),
            "watermark": t::watermark(&mark.as_of, mark.rooms, mark.in_step),
            "weights": t::WEIGHTS.iter().map(|(key, label, points, how)| json!({"key": key, "label": label, "points": points, "definition": how})).collect::<Vec<_>>(),
            "definitions": definitions,
            "people": self.windows_json(&windows.all, true),
            "rooms": self.windows_json(&windows.all, false),
        })
    }

    /// People, or rooms, the best first; each is held against the busiest of its kind.
    fn windows_json(&self, windows: &BTreeMap<Key, Window>, people: bool) -> Json {
        let of_kind = || windows.iter().filter(|((_, name), _)| name.is_some() == people);
        let most = of_kind().map(|(_, w)| w.tally.count(Mark::Closed)).max().unwrap_or(0);
        let shown = |key: &str, tally: &Tally| match kind_of(key).map(|kind| of_tally(kind, tally)) {
            Some(Number::Share(Some(value), ..)) => format!("{}%", hundredths(value)),
            _ => t::DASH.to_owned(),
        };
        let mut rows: Vec<(i64, Json)> = of_kind()
            .map(|((unit, name), w)| {
                let (code, unit_name) = self.unit_shown(*unit);
                let listed = |key: &str| kind_of(key).and_then(|kind| of_tally(kind, &w.tally).listed(false));
                let whole = |key: &str| match kind_of(key).map(|kind| of_tally(kind, &w.tally)) {
                    Some(Number::Share(_, _, whole)) => whole,
                    _ => 0,
                };
                let points = score(w, most);
                let cover = share(w.covered, w.away).map_or(t::DASH.to_owned(), |v| format!("{}%", hundredths(v)));
                let row = json!({
                    "unit": code,
                    "unit_name": unit_name,
                    "name": name,
                    "window": handle(*unit, name.as_deref()),
                    "cases": {"on_time": listed("on_time"), "satisfied": listed("satisfied"), "rated": listed("rated")},
                    "of": {"on_time": whole("on_time"), "satisfied": whole("satisfied"), "rated": whole("rated")},
                    "closed": w.tally.count(Mark::Closed),
                    "on_time": shown("on_time", &w.tally),
                    "satisfied": shown("satisfied", &w.tally),
                    "rated": shown("rated", &w.tally),
                    "away": w.away,
                    "covered": w.covered,
                    "cover": cover,
                    "stood_in": w.stood_in,
                    "score": points.map_or(t::DASH.to_owned(), hundredths),
                });
                (-points.unwrap_or(-1), row)
            })
            .collect();
        rows.sort_by_key(|(points, row)| (*points, row["unit"].to_string(), row["name"].to_string()));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// Notes that a post was empty on a day or half of it, or takes that back.
    ///
    /// # Errors
    /// At a room; a unit that is not ours; a name or half that is none; a day to come; nothing noted that could be taken back.
    pub(crate) fn absence_note(&mut self, now: Now, args: &AbsenceNote) -> Result<Json, CommandError> {
        let own = self.hub_life().map_err(|_| t::no_hub_reports())?.unit;
        let today = self.today(now)?;
        let unit = self.unit_by_code(&args.unit)?;
        if !self.authority.is_within(unit.id, own) {
            return Err(t::not_below(&unit.name));
        }
        if args.on > today {
            return Err(texts::future_date(today));
        }
        let half = match args.half.trim() {
            "am" => vec![Half::Forenoon],
            "pm" => vec![Half::Afternoon],
            "day" => vec![Half::Forenoon, Half::Afternoon],
            _ => return Err(t::bad_half()),
        };
        let name = check::name(&args.name).map_err(|e| texts::bad_input("姓名", &e.to_string()))?;
        let absence = Absence {
            unit: unit.id,
            name,
            on: args.on,
            half,
            at_ms: now.wall_ms,
            user: args.user.or(self.acting).filter(|user| *user != UserId::ZERO),
        };
        let mut half_days = absence.half.len();
        let word = if args.undo {
            self.catch_up(now)?;
            let noted = self.noted_away()?;
            half_days = absence.halves().filter(|half| noted.contains(half)).count();
            Kept::AbsenceUndone(absence.clone())
        } else {
            Kept::Absence(absence.clone())
        };
        if half_days == 0 {
            return Err(t::not_noted(&absence.name, args.on));
        }
        self.stage_kept(&word)?;
        self.keep(now)?;
        self.catch_up(now)?;
        Ok(json!({
            "unit": unit.code,
            "unit_name": unit.name,
            "name": absence.name,
            "on": absence.on,
            "half_days": half_days,
            "undone": args.undo,
            "at": at_text(absence.at_ms),
        }))
    }
}

/// Hundredths of a point of 100; what there is nothing to say of is left out, and the rest scaled up to 100.
fn score(w: &Window, most: u64) -> Option<i64> {
    let closed = share(w.tally.count(Mark::Closed), most);
    let of = |part, whole| share(w.tally.count(part), w.tally.count(whole));
    let satisfied = match kind_of("satisfied") {
        Some(Kind::Share(part, whole)) => of(part, whole),
        _ => None,
    };
    let values = [closed, satisfied, share(w.covered, w.away)];
    let mut points = 0;
    let mut weights = 0;
    for ((_, _, weight, _), value) in t::WEIGHTS.iter().zip(values) {
        if let Some(value) = value {
            points += weight * value;
            weights += weight;
        }
    }
    (weights > 0).then(|| (points + weights / 2) / weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::marks::{Judged, Marks};

    #[test]
    fn the_weights_make_a_hundred_and_what_is_not_known_takes_nothing_away() {
        assert_eq!(t::WEIGHTS.iter().map(|w| w.2).sum::<i64>(), 100);
        let mut w = Window::default();
        w.tally.add(&Judged {
            marks: Marks(1 << Mark::Closed as u32 | 1 << Mark::Rated as u32 | 1 << Mark::Satisfied as u32),
            workdays: 0,
        });
        assert_eq!(score(&w, 1), Some(10_000));
        // Half as many closings as the busiest: of 80 points that can be given, 60.
        assert_eq!(score(&w, 2), Some(7_500));
        (w.away, w.covered) = (2, 0);
        assert_eq!(score(&w, 2), Some(6_000));
        assert_eq!(score(&Window::default(), 0), None);
    }
}
