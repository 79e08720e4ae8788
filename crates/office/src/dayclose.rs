//! 日结: what one day of a room came to, and a closing that anybody above can hold against what has reached them.
//!
//! ```text
//!   cases received or closed that day ─▶ counts, what has not travelled yet, digest
//!   close ─▶ an entry of its own in the book's log: signed, chained, only added to ─▶ township, county
//! ```
//!
//! The digest covers what the rows say of the day's cases (which, received when, closed when and how), so equal digests at two tiers
//! mean that both count the same cases. A closing is never changed: what comes late is closed once more, and both stand.

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::{DeviceId, Hash, Scope, Tier, UnitCode, UnitId, UserId};
use minicbor::{Decode, Encode};
use replica::entry::{Entry, KIND_DAY};
use replica::time::Now;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use store::kv::prefix_end;
use store::{KvError, Order, Scan};

use crate::cases::at_text;
use crate::command::{CommandError, DayClose, DayShow};
use crate::office::Office;
use crate::texts;
use crate::views::measure::Measure;
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// Open cases of the day that are listed; the count is exact.
const LISTED_MAX: usize = 60;
/// Closings of one day that are read: nobody closes a day so often by honest means.
const CLOSINGS_MAX: usize = 100;

/// One closing, as it lies in the log.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
struct Closing {
    #[n(0)]
    day: Day,
    #[n(1)]
    at_ms: i64,
    #[n(2)]
    user: Option<UserId>,
    #[n(3)]
    received: u64,
    #[n(4)]
    closed: u64,
    /// Cases that the digest covers.
    #[n(5)]
    cases: u64,
    /// Cases of the whole book that were open then.
    #[n(6)]
    open: u64,
    /// Cases of the day that no township held yet.
    #[n(7)]
    behind: u64,
    #[n(8)]
    digest: Hash,
    /// For whom the closer stood in, and why; not there in closings of earlier versions.
    #[n(9)]
    cover: Option<(String, String)>,
}

/// The business date of a closing, for its place in the index; `None` when the body is none of this version.
pub(crate) fn closing_day(body: &[u8]) -> Option<Day> {
    minicbor::decode::<Closing>(body).ok().map(|closing| closing.day)
}

/// What the rows say of one day.
struct Counted {
    /// Received or closed that day, by list order.
    cases: Vec<(RecordRef, RecordRow)>,
    received: u64,
    closed: u64,
    open: u64,
    behind: u64,
    digest: Hash,
}

impl Office {
    /// Counts of a day by matter and state, what has not travelled yet, the digest, and the closings that were made.
    ///
    /// # Errors
    /// A unit that is not known or whose book is not held here.
    pub(crate) fn day_show(&mut self, now: Now, args: &DayShow) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let unit = self.day_unit(args.unit.as_deref())?;
        let day = args.day.unwrap_or(today);
        let counted = self.count_day(unit, day)?;
        self.day_json(unit, day, today, &counted)
    }

    /// Writes down what the day came to. Where nothing has changed since the last closing none is added.
    ///
    /// # Errors
    /// A day to come; the disk.
    pub(crate) fn day_close(&mut self, now: Now, args: &DayClose) -> Result<Json, CommandError> {
        let place = self.place(now)?;
        self.catch_up(now)?;
        let day = args.day.unwrap_or(place.today);
        if day > place.today {
            return Err(texts::day_to_come(place.today));
        }
        let counted = self.count_day(place.unit, day)?;
        let last = self.closings(place.unit, day)?.pop();
        let changed = last.is_none_or(|(_, closing)| closing.digest != counted.digest);
        if changed {
            let closing = Closing {
                day,
                at_ms: now.wall_ms,
                user: args.user.filter(|user| *user != UserId::ZERO),
                received: counted.received,
                closed: counted.closed,
                cases: counted.cases.len() as u64,
                open: counted.open,
                behind: counted.behind,
                digest: counted.digest,
                cover: args.cover.as_ref().map(|c| (c.of.clone(), c.reason.clone())),
            };
            let mut body = Vec::new();
            if minicbor::encode(&closing, &mut body).is_err() {
                unreachable!("a Vec takes every byte");
            }
            self.stage_in_book(place.book, vec![Entry { kind: KIND_DAY, body }])?;
            self.keep(now)?;
            self.catch_up(now)?;
        }
        let mut shown = self.day_json(place.unit, day, place.today, &counted)?;
        shown["added"] = json!(changed);
        Ok(shown)
    }

    /// The unit named, or our own.
    fn day_unit(&self, code: Option<&str>) -> Result<UnitId, CommandError> {
        let Some(text) = code else {
            return self.unit().ok_or_else(texts::unplaced);
        };
        let organisation = self.authority.organisation();
        let unit = UnitCode::parse(text)
            .and_then(|code| organisation?.by_code(code))
            .ok_or_else(|| texts::unknown_unit(text))?;
        match self.store.logs().scopes().any(|scope| scope == Scope::book(unit.id)) {
            true => Ok(unit.id),
            false => Err(texts::book_not_here(&unit.name)),
        }
    }

    fn count_day(&self, unit: UnitId, day: Day) -> Result<Counted, CommandError> {
        let cases = self.cases_of_day(unit, day)?;
        let (received, closed) = came_to(day, &cases);
        let behind = |(of, row): &&(RecordRef, RecordRow)| self.tiers().of_record(*of, row) < Tier::Township;
        Ok(Counted {
            received,
            closed,
            open: self.open_cases(unit)?,
            behind: cases.iter().filter(behind).count() as u64,
            digest: digest(unit, day, &cases),
            cases,
        })
    }

    /// The cases received or closed on a day, the newest first. Whoever counts a day counts these: Today and 日结 never differ.
    pub(crate) fn cases_of_day(&self, unit: UnitId, day: Day) -> Result<Vec<(RecordRef, RecordRow)>, CommandError> {
        let (from, mut near) = (name::day(unit, day), Vec::new());
        let scan = &mut |key: &[u8], _: &[u8]| {
            near.extend(name::tail(key));
            Scan::On
        };
        let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Rising, scan);
        scanned.map_err(|e| texts::store_failed(&e))?;
        let mut cases = Vec::new();
        for of in near {
            let Some(row) = self.row(of)? else { continue };
            let s = &row.summary;
            if s.on == Some(day) || s.closed_on == Some(day) {
                cases.push((of, row));
            }
        }
        cases.sort_by_cached_key(|(of, row)| name::list(*of, row.summary.on, &row.summary.no));
        Ok(cases)
    }

    /// How many those are, by the rows that reports count: a tenth of the bytes.
    pub(crate) fn count_of_day(&self, unit: UnitId, day: Day) -> Result<u64, KvError> {
        let (kv, from, mut near) = (self.store.kv(), name::day(unit, day), Vec::new());
        kv.scan(&from, &prefix_end(&from), Order::Rising, &mut |key, _| {
            near.extend(name::tail(key));
            Scan::On
        })?;
        let mut cases = 0;
        for of in near {
            let row = kv.value(&name::measure(of))?.and_then(|row| Measure::decode(&row));
            cases += u64::from(row.is_some_and(|m| m.on == Some(day) || m.closed_on == Some(day)));
        }
        Ok(cases)
    }

    /// Cases of the whole book that have not come to an end: read from the list's own rows, no case is opened for it.
    fn open_cases(&self, unit: UnitId) -> Result<u64, CommandError> {
        let (from, form, mut open) = (name::listed(unit), ledger::form::Form::case(), 0);
        let scan = &mut |_: &[u8], state: &[u8]| {
            open += u64::from(!std::str::from_utf8(state).is_ok_and(|state| form.is_end(state)));
            Scan::On
        };
        let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Rising, scan);
        scanned.map(|_| open).map_err(|e| texts::store_failed(&e))
    }

    /// The closings of a day, the earliest first.
    fn closings(&self, unit: UnitId, day: Day) -> Result<Vec<(DeviceId, Closing)>, CommandError> {
        let from = name::closings(unit, day);
        let rows = self
            .store
            .kv()
            .range(&from, &prefix_end(&from), Order::Rising, CLOSINGS_MAX)
            .map_err(|e| texts::store_failed(&e))?;
        let read = |(key, body): &(Vec<u8>, Vec<u8>)| {
            let (log, _) = name::closing_place(key)?;
            Some((log.device, minicbor::decode::<Closing>(body).ok()?))
        };
        let mut closings: Vec<_> = rows.iter().filter_map(read).collect();
        closings.sort_by_key(|(device, closing)| (closing.at_ms, *device));
        // One that was said again because its first place rotted is one.
        closings.dedup();
        Ok(closings)
    }

    fn day_json(&self, unit: UnitId, day: Day, today: Day, counted: &Counted) -> Result<Json, CommandError> {
        let closings = self.closings(unit, day)?;
        let (code, unit_name) = self.unit_shown(unit);
        let mut nth = 0;
        let mut shown = Vec::new();
        for (device, closing) in &closings {
            nth += 1;
            shown.push(json!({
                "nth": nth,
                "at": at_text(closing.at_ms),
                "by": closing.user.and_then(|user| Some(self.authority.user_at(&user, unit)?.name.clone())),
                "device": device.short(),
                "cover": closing.cover.as_ref().map(|(of, _)| of),
                "cover_reason": closing.cover.as_ref().map(|(_, reason)| reason),
                "received": closing.received,
                "closed": closing.closed,
                "cases": closing.cases,
                "open": closing.open,
                "behind": closing.behind,
                "digest": closing.digest,
                "same": closing.digest == counted.digest,
            }));
        }
        let same = closings.last().map(|(_, closing)| closing.digest == counted.digest);
        let not_ended = counted.cases.iter().filter(|(_, row)| !row.summary.ended);
        let listed: Vec<Json> = not_ended
            .take(LISTED_MAX)
            .map(|(of, row)| self.line(*of, row, today))
            .collect();
        Ok(json!({
            "day": day,
            "today": today,
            "unit": code,
            "unit_name": unit_name,
            "tier": self.tier(),
            "received": counted.received,
            "closed": counted.closed,
            "open": counted.open,
            "cases": counted.cases.len(),
            "behind": counted.behind,
            "digest": counted.digest,
            "by_matter": self.by_matter(day, counted),
            "by_state": self.by_state(counted),
            "still_open": listed,
            "closings": shown,
            "same": same,
        }))
    }

    fn by_matter(&self, day: Day, counted: &Counted) -> Json {
        let mut rows: BTreeMap<&str, (u64, u64, Option<&str>)> = BTreeMap::new();
        for (_, row) in counted.cases.iter().filter(|(_, row)| row.summary.state != "void") {
            let s = &row.summary;
            let matter = self.matter_of(s.catalogue.as_ref(), &s.matter);
            let at = rows.entry(&s.matter).or_default();
            at.0 += u64::from(s.on == Some(day));
            at.1 += u64::from(s.closed_on == Some(day));
            at.2 = at.2.or(matter.map(|m| m.name.as_str()));
        }
        let row = |(code, (received, closed, name)): (&str, (u64, u64, Option<&str>))| json!({"matter": code, "matter_name": name, "received": received, "closed": closed});
        rows.into_iter().map(row).collect()
    }

    fn by_state(&self, counted: &Counted) -> Json {
        let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, row) in &counted.cases {
            *rows.entry(&row.summary.state).or_default() += 1;
        }
        let form = ledger::form::Form::case();
        let row = |(state, cases): (&str, u64)| json!({"state": state, "state_label": form.state_label(state), "cases": cases});
        rows.into_iter().map(row).collect()
    }
}

/// How many of the day's cases were received, and how many closed, that day; what is void counts for nothing.
pub(crate) fn came_to(day: Day, cases: &[(RecordRef, RecordRow)]) -> (u64, u64) {
    let counting = || cases.iter().map(|(_, row)| &row.summary).filter(|s| s.state != "void");
    let received = counting().filter(|s| s.on == Some(day)).count() as u64;
    let closed = counting().filter(|s| s.closed_on == Some(day)).count() as u64;
    (received, closed)
}

/// What the rows say of the day's cases, in an order that is the same everywhere.
fn digest(unit: UnitId, day: Day, cases: &[(RecordRef, RecordRow)]) -> Hash {
    let mut lines: Vec<String> = cases
        .iter()
        .map(|(of, row)| {
            let s = &row.summary;
            let on = |day: Option<Day>| day.map(|d| d.to_string()).unwrap_or_default();
            let (received, closed) = (on(s.on), on(s.closed_on.filter(|closed| *closed == day)));
            let result = s
                .result
                .filter(|_| !closed.is_empty())
                .map(|r| r.to_string())
                .unwrap_or_default();
            format!("{}|{}|{}|{received}|{closed}|{result}\n", of.record, s.no, s.matter)
        })
        .collect();
    lines.sort_unstable();
    let mut hash = Sha256::new_with_prefix(b"cunlian/day/1");
    hash.update(unit.0);
    hash.update(day.to_string());
    lines.iter().for_each(|line| hash.update(line));
    Hash(hash.finalize().into())
}
