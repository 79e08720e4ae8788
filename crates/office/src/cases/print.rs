//! What a paper says. The applicant's name stands on it in the clear, so every print is in the trail before it is on a screen; the
//! trail knows how often a paper was printed here, and a reprint says so on its face.

use ledger::day::Day;
use ledger::id::Tier;
use ledger::record::{FoldedEvent, Value};
use replica::time::Now;
use serde_json::{Value as Json, json};

use crate::audit::{Act, Note};
use crate::cases::Sight;
use crate::cases::shown::at_text;
use crate::command::{CasePrint, CommandError, FaceAct, Paper};
use crate::office::Office;
use crate::texts;
use crate::views::fold::Read;
use crate::views::row::RecordRef;

/// All papers, in the order of a case's way.
const PAPERS: [Paper; 6] = [
    Paper::Receipt,
    Paper::Notice,
    Paper::Accepted,
    Paper::Refused,
    Paper::Closed,
    Paper::Authority,
];
/// A trail's times are the clock's; one that was set back a little loses no count.
const CLOCK_SLACK_MS: i64 = 24 * 3_600_000;

/// Whether a case has come to where this paper is handed out.
fn is_due(paper: Paper, read: &Read) -> bool {
    let folded = &read.folded;
    if read.row.summary.errand {
        return paper == Paper::Authority && !read.row.summary.ended;
    }
    match paper {
        Paper::Receipt => folded.received_on.is_some(),
        Paper::Notice => !folded.notices.is_empty(),
        Paper::Accepted => folded.accepted_on.is_some(),
        Paper::Refused => folded.state == "refused",
        Paper::Closed => folded.closure.as_ref().is_some_and(|c| c.counts),
        Paper::Authority => !read.row.summary.ended && folded.received_on.is_some(),
    }
}

/// The papers that may be printed now.
pub(super) fn papers(read: &Read) -> Json {
    let due = PAPERS.into_iter().filter(|paper| is_due(*paper, read));
    due.map(|p| json!({"paper": p, "label": texts::paper(p)})).collect()
}

impl Office {
    /// The words of one paper: to be looked at, or, once the printer is asked for it, as a print that is counted.
    ///
    /// # Errors
    /// An unknown number; a paper whose time has not come; somebody who may not see persons.
    pub(crate) fn case_print(&mut self, now: Now, args: &CasePrint) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.may_see_persons(args.user)?;
        self.catch_up(now)?;
        let (of, row) = self.find(&args.number)?;
        let read = self.read(of, row)?;
        if !is_due(args.paper, &read) {
            return Err(texts::not_to_print(args.paper));
        }
        let label = texts::paper(args.paper);
        let began = read.folded.events.iter().map(|e| e.wall_ms).min().unwrap_or(0);
        let nth = self.printed(of, label, began.saturating_sub(CLOCK_SLACK_MS))? + 1;
        let (act, why) = match args.pressed {
            true => (Act::Face(FaceAct::Print), texts::paper_time(label, nth)),
            false => (Act::Reveal, texts::paper_seen(label)),
        };
        let note = Note::new(act).by(args.user).of(of);
        // On the disk before it is on a screen or on paper.
        self.audit_now(now, note.fields(vec!["name".to_owned()]).because(&why))?;
        let mut said = self.paper_json(of, &read, today);
        said["paper"] = json!(args.paper);
        said["label"] = json!(label);
        said["nth"] = json!(nth);
        said["printed_at"] = json!(at_text(now.wall_ms));
        let clerk = args.user.zip(self.unit());
        let clerk = clerk.and_then(|(user, unit)| Some(self.authority.user_at(&user, unit)?.name.clone()));
        said["clerk"] = json!(clerk);
        Ok(said)
    }

    fn paper_json(&self, of: RecordRef, read: &Read, today: Day) -> Json {
        let s = &read.row.summary;
        let folded = &read.folded;
        let matter = self.matter_of(s.catalogue.as_ref(), &s.matter);
        let deadline = self.deadline(s, matter, today);
        let field = |name: &str, sight: Sight| {
            let values = folded.fields.get(name)?;
            let leading = values.iter().find(|v| v.leads).or(values.first())?;
            self.value(of, name, leading, read, sight)["value"]
                .as_str()
                .map(str::to_owned)
        };
        let (unit, unit_name) = self.unit_shown(of.scope.unit);
        let last = |kind: &str| folded.events.iter().rev().find(|e| e.kind == kind && e.void.is_none());
        let reason = |event: Option<&FoldedEvent>| match event?.data.get("reason")? {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let item = |i: &ledger::record::Item| match i.values.get("name") {
            Some(Value::Text(name)) => Some(name.clone()),
            _ => None,
        };
        let here = folded.items.values().filter(|i| i.received).filter_map(item);
        // Told once more, the paper says what is missing now; later on, all that was asked for.
        let again = folded.notices.len() > 1 && s.state == "awaiting_materials";
        let all = folded.notices.iter().flat_map(|n| &n.items);
        let asked: Vec<&String> = match again && !folded.outstanding.is_empty() {
            true => folded.outstanding.iter().collect(),
            false => all.collect::<std::collections::BTreeSet<_>>().into_iter().collect(),
        };
        json!({
            "project_no": self.shown_number(of, &s.no),
            "unit": unit,
            "unit_name": unit_name,
            "centre": (self.tier() != Tier::Room).then(|| self.unit().map(|own| self.unit_shown(own).1)).flatten(),
            "parent_name": self.authority.parent(of.scope.unit).map(|up| self.unit_shown(up).1),
            "matter": s.matter,
            "matter_name": matter.map(|m| m.name.as_str()),
            "promised_workdays": matter.map(|m| m.promised_workdays),
            "on_the_spot": matter.is_some_and(ledger::catalogue::Matter::is_on_the_spot),
            "name": field("name", Sight::Plain),
            "cert_no": field("cert_no", Sight::Masked),
            "mobile": field("mobile", Sight::Masked),
            // 受理文书号: the hub allots it; until then the paper says that it is provisional.
            "task": field("task", Sight::Masked),
            "doc_no": field("doc_no", Sight::Masked),
            "received_on": folded.received_on,
            "accepted_on": folded.accepted_on,
            "due_on": deadline.on,
            "due_provisional": deadline.provisional,
            "here": here.collect::<Vec<_>>(),
            "asked": asked,
            "asked_on": folded.notices.iter().map(|n| n.on).max(),
            "asked_times": folded.notices.len(),
            "refused_on": last("refuse").map(|e| e.on),
            "reason": reason(last("refuse")),
            "closed_on": s.closed_on,
            "result": s.result.map(texts::result_word),
            "today": today,
        })
    }
}
