//! 台账: the cases of one month as a table with the columns of the day book, masked unless a reason says otherwise.
//!
//! The last column is one of the day book's, and all of those are there: what is written out here can be read in again elsewhere.

use ledger::day::Day;
use ledger::id::Tier;
use ledger::record::FoldedEvent;
use replica::limits::REASON_BYTES_MAX;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Order, Scan};

use crate::audit::{Act, Note};
use crate::cases::{Sight, at_text};
use crate::command::{CommandError, FaceAct, Monthly};
use crate::office::Office;
use crate::texts;
use crate::views::fold::Read;
use crate::views::name;
use crate::views::row::RecordRef;

/// A month of a room is at most some thousand cases.
const ROWS_MAX: usize = 20_000;

/// The columns, as the first line names them.
pub(crate) const COLUMNS: [&str; 18] = [
    "编号",
    "登记时间",
    "村室代码",
    "事项编码",
    "事项名称",
    "申请人",
    "证件号码",
    "手机",
    "住址",
    "办理",
    "状态",
    "受理日期",
    "办结时间",
    "办理结果",
    "评价",
    "经办人",
    "已存到",
    "备注",
];

impl Office {
    /// The month's cases of the own book by number, and how far what they say has travelled.
    ///
    /// # Errors
    /// A month that is none; somebody who may not see persons; in the clear: nobody but the head, with a reason, and not behind the lock.
    pub(crate) fn monthly(&mut self, now: Now, args: &Monthly) -> Result<Json, CommandError> {
        let place = self.place(now)?;
        self.catch_up(now)?;
        let (first, last) = month(&args.month).ok_or_else(|| texts::bad_month(&args.month))?;
        let sight = self.month_sight(args)?;
        let reason = match sight {
            Sight::Plain => args.reason.clone().unwrap_or_default(),
            Sight::Masked => texts::MASKED_EXPORT.to_owned(),
        };
        let cases = self.month_cases(place.unit, first, last)?;
        let said = format!("{} {}：{reason}", texts::MONTHLY, args.month);
        // On the disk before it is handed out.
        self.audit_now(now, Note::new(Act::Face(FaceAct::Export)).by(args.user).because(&said))?;
        let (mut rows, mut behind) = (Vec::new(), 0_u64);
        for of in cases {
            let Some(row) = self.row(of)? else { continue };
            if row.summary.errand {
                continue;
            }
            let read = self.read(of, row)?;
            let tier = self.tiers().of_record(of, &read.row);
            behind += u64::from(tier < Tier::Township);
            rows.push(self.month_row(of, &read, place.code.to_string(), tier, sight));
        }
        rows.sort_by(|a, b| a[0].cmp(&b[0]));
        Ok(json!({
            "month": args.month,
            "unit": place.code,
            "unit_name": self.unit_shown(place.unit).1,
            "masked": sight == Sight::Masked,
            "as_of": at_text(now.wall_ms),
            "behind": behind,
            "columns": COLUMNS,
            "rows": rows,
        }))
    }

    fn month_sight(&self, args: &Monthly) -> Result<Sight, CommandError> {
        let roles = self.may_see_persons(args.user)?;
        if !args.plain {
            return Ok(Sight::Masked);
        }
        // A whole month of persons leaves the room: the head answers for that.
        let answers = |role: &String| matches!(role.as_str(), "head" | "admin");
        if roles.is_some_and(|roles| !roles.iter().any(answers)) {
            return Err(texts::head_alone_exports());
        }
        let reason = args.reason.as_deref().unwrap_or_default().trim();
        if reason.is_empty() {
            return Err(texts::reason_needed());
        }
        if reason.len() + 64 > REASON_BYTES_MAX {
            return Err(texts::reason_too_long());
        }
        if self.keys.is_locked() {
            return Err(texts::locked());
        }
        Ok(Sight::Plain)
    }

    fn month_cases(&self, unit: ledger::id::UnitId, first: Day, last: Day) -> Result<Vec<RecordRef>, CommandError> {
        let mut cases = Vec::new();
        let from = name::listed(unit);
        let scan = &mut |key: &[u8], _: &[u8]| {
            let on = name::listed_on(key);
            if on.is_none_or(|on| on < first) {
                return Scan::Stop;
            }
            cases.extend(name::tail(key).filter(|_| on.is_some_and(|on| on <= last)));
            match cases.len() < ROWS_MAX {
                true => Scan::On,
                false => Scan::Stop,
            }
        };
        let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Rising, scan);
        scanned.map_err(|e| texts::store_failed(&e))?;
        Ok(cases)
    }

    fn month_row(&self, of: RecordRef, read: &Read, unit: String, tier: Tier, sight: Sight) -> Vec<String> {
        let s = &read.row.summary;
        let form = s.form.and_then(|hash| self.views.forms().of(&hash));
        let matter = self.matter_of(s.catalogue.as_ref(), &s.matter);
        let day = |day: Option<Day>| day.map(|d| d.to_string()).unwrap_or_default();
        let field = |name: &str| {
            let values = read.folded.fields.get(name);
            let leading = values.and_then(|v| v.iter().find(|v| v.leads).or(v.first()));
            let shown = leading.map(|v| self.value(of, name, v, read, sight));
            shown
                .and_then(|v| v["value"].as_str().map(str::to_owned))
                .unwrap_or_default()
        };
        let event = |kind: &str| read.folded.events.iter().find(|e| e.kind == kind && e.void.is_none());
        let closed = s.closed_on.map(|on| minute(on, event("close")));
        vec![
            self.shown_number(of, &s.no),
            s.on.map(|on| minute(on, event("receive"))).unwrap_or_default(),
            unit,
            s.matter.clone(),
            matter.map(|m| m.name.clone()).unwrap_or_default(),
            field("name"),
            field("cert_no"),
            field("mobile"),
            field("address"),
            if closed.is_some() { "办结" } else { "收件" }.to_owned(),
            form.map_or(s.state.clone(), |f| f.state_label(&s.state).to_owned()),
            day(s.accepted_on),
            closed.unwrap_or_default(),
            s.result.map(texts::result_word).unwrap_or_default().to_owned(),
            s.rating.map(|r| r.to_string()).unwrap_or_default(),
            event("receive")
                .and_then(|e| Some(self.authority.user_at(&e.user, e.unit)?.name.clone()))
                .unwrap_or_default(),
            texts::tier_label(tier).to_owned(),
            field("remark"),
        ]
    }
}

/// A business date with the minute at which it was typed, where it was typed that day.
fn minute(on: Day, event: Option<&FoldedEvent>) -> String {
    let at = event.map(|e| at_text(e.wall_ms)).unwrap_or_default();
    match at.get(..16).filter(|at| at.starts_with(&on.to_string())) {
        Some(at) => at.to_owned(),
        None => format!("{on} 00:00"),
    }
}

/// First and last day of `2026-10`.
fn month(text: &str) -> Option<(Day, Day)> {
    let text = text.trim();
    let first = Day::parse(&format!("{text}-01")).filter(|_| text.len() == 7)?;
    let (year, month, _) = first.ymd();
    let next = if month == 12 {
        Day::from_ymd(year + 1, 1, 1)
    } else {
        Day::from_ymd(year, month + 1, 1)
    };
    Some((first, next?.plus(-1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_on_its_last_day_and_what_is_none_is_refused() {
        let ends = |text: &str| month(text).map(|(first, last)| format!("{first} {last}"));
        assert_eq!(ends("2026-02").as_deref(), Some("2026-02-01 2026-02-28"));
        assert_eq!(ends(" 2028-02").as_deref(), Some("2028-02-01 2028-02-29"));
        assert_eq!(ends("2026-12").as_deref(), Some("2026-12-01 2026-12-31"));
        for wrong in ["", "2026", "2026-13", "2026-1", "10-2026", "2026-10-09", "十月"] {
            assert_eq!(ends(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_column_of_a_day_book_is_there_and_one_of_them_is_the_last() {
        assert!(ledger::daybook::COLUMNS.iter().all(|c| COLUMNS.contains(c)));
        assert!(ledger::daybook::COLUMNS.contains(&COLUMNS[17]));
    }
}
