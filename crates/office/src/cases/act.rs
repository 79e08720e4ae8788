//! Moving a case on: events, and the correction of fields.

use ledger::check;
use ledger::day::Day;
use ledger::form::{Check, Form, Type};
use ledger::id::{Scope, UnitCode, UserId};
use ledger::record::{self, Edit, NewEvent, Status, Value, edit};
use ledger::seal;
use replica::time::Now;
use serde_json::{Value as Json, json};

use crate::cases::desk::business_date;
use crate::cases::docs::with_doc_no;
use crate::cases::intake::{CERT_REASON, cert_no, covered};
use crate::command::{CaseDo, CaseEdit, CaseTick, CommandError, Cover, Evaluate};
use crate::office::Office;
use crate::texts;
use crate::views::fold::Read;
use crate::views::row::RecordRef;

impl Office {
    /// `case do`: one event of the form.
    ///
    /// # Errors
    /// An unknown or ambiguous number, an event that may not happen now or not by us (with the reason), a date in the future.
    pub(crate) fn case_do(&mut self, now: Now, args: CaseDo) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let (of, row) = self.find(&args.number)?;
        let read = self.read(of, row)?;
        let mut event = self.typed_event(today, &read, &args)?;
        let doc_no = match event.kind.as_str() {
            "accept" => self.next_doc_no(today)?,
            _ => None,
        };
        if let Some(no) = &doc_no {
            event = event.with("doc_no", Value::Text(no.clone()));
        }
        let who = self.who(args.user)?;
        {
            let under = self.views.under(&self.store, &self.authority, &self.keys);
            read.folded
                .check(&event, &who, &under.context())
                .map_err(|refusal| CommandError::failed("refused", refusal.to_string()))?;
        }
        let late = event.entered == record::Entered::Late;
        let kind = event.kind.clone();
        let edits = match &doc_no {
            Some(no) => with_doc_no(event, no),
            None => vec![Edit::Event(event)],
        };
        self.apply_edits(now, of, &read, &edits, args.user)?;
        let mut shown = self.after(now, of)?;
        if let Some(map) = shown.as_object_mut() {
            map.insert("event".to_owned(), json!(kind));
            map.insert("late".to_owned(), json!(late));
            map.insert("doc_no".to_owned(), json!(doc_no));
        }
        Ok(shown)
    }

    /// The applicant's own press, once: an answer that was lost on its way is asked for again and is not counted twice.
    ///
    /// # Errors
    /// As [`Office::case_do`]; a case that cannot be evaluated now.
    pub(crate) fn evaluate(&mut self, now: Now, args: &Evaluate) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let (of, row) = self.find(&args.number)?;
        // No once-mark of a form looks like this.
        let once = format!("press/{}/{}", of.record, args.press);
        if self.sent_before(now, Some(UserId::ZERO), Some(&once))?.is_some() {
            return self.after(now, of);
        }
        let read = self.read(of, row)?;
        let event = NewEvent::new("evaluate", today).with("rating", Value::Int(i64::from(args.rating)));
        let who = self.who(None)?;
        {
            let under = self.views.under(&self.store, &self.authority, &self.keys);
            read.folded
                .check(&event, &who, &under.context())
                .map_err(|refusal| CommandError::failed("refused", refusal.to_string()))?;
        }
        self.stage_once(Some(UserId::ZERO), Some(&once), of.record)?;
        self.apply_edits(now, of, &read, &[Edit::Event(event)], None)?;
        self.after(now, of)
    }

    /// `case edit`: sets one field; what stood there before stays in the history.
    ///
    /// # Errors
    /// As [`Office::case_do`]; a field that is not there, not ours to write, or a value that does not pass its check.
    pub(crate) fn case_edit(&mut self, now: Now, args: CaseEdit) -> Result<Json, CommandError> {
        self.today(now)?;
        self.catch_up(now)?;
        let (of, row) = self.find(&args.number)?;
        let read = self.read(of, row)?;
        let form = self.form_of(&read)?;
        let name = args.field.trim().to_ascii_lowercase();
        let Some(field) = form.fields.get(&name) else {
            let known: Vec<&str> = form.fields.keys().map(String::as_str).collect();
            return Err(texts::unknown_field(&args.field, &known.join("、")));
        };
        let tier = self.tier();
        if !field.write.is_empty() && !field.write.contains(&tier) {
            return Err(texts::field_not_entitled(&field.label));
        }
        if name == "doc_no" {
            return Err(texts::doc_no_by_register());
        }
        if name == "cert_no" && tier == ledger::id::Tier::Room {
            return Err(texts::cert_no_by_review());
        }
        let (label, declares_reason) = (field.label.clone(), form.fields.contains_key(CERT_REASON));
        let (text, why) = match field.check {
            Some(Check::ResidentId) => cert_no(&args.value, args.reason.as_deref().filter(|_| declares_reason))?,
            _ => (checked(field, &args.value)?, None),
        };
        let value = if field.personal {
            if read.row.summary.erased {
                return Err(texts::erased_record());
            }
            let key = read.key.as_ref().ok_or_else(|| self.why_no_key(of.scope))?;
            Value::Sealed(seal::seal(key, &of.record, &name, &text))
        } else {
            typed(field.kind, &field.label, &text)?
        };
        if why.as_deref().is_some_and(|why| self.tells_personal(of, &read, why)) {
            return Err(texts::reason_without_names());
        }
        let mut edits = vec![Edit::Field { name, value }];
        edits.extend(why.map(|why| Edit::Field {
            name: CERT_REASON.to_owned(),
            value: Value::Text(why),
        }));
        edits.extend(self.said_of_cover(now, args.cover.as_ref(), &texts::edited(&label))?);
        self.apply_edits(now, of, &read, &edits, args.user)?;
        self.after(now, of)
    }

    /// A field or a tick has no room to say that it was done on a post that was covered: a note beside it, in the same change, does.
    fn said_of_cover(&self, now: Now, cover: Option<&Cover>, what: &str) -> Result<Option<Edit>, CommandError> {
        let Some(cover) = cover else { return Ok(None) };
        let note = NewEvent::new("note", self.today(now)?).with("note", Value::Text(what.to_owned()));
        Ok(Some(Edit::Event(covered(note, Some(cover)))))
    }

    /// `case tick`: materials that have come, without a notice having been given.
    ///
    /// # Errors
    /// As [`Office::case_do`]; a case that is over, or materials that it does not have.
    pub(crate) fn case_tick(&mut self, now: Now, args: &CaseTick) -> Result<Json, CommandError> {
        self.today(now)?;
        self.catch_up(now)?;
        let (of, row) = self.find(&args.number)?;
        if row.summary.ended {
            return Err(texts::over());
        }
        let read = self.read(of, row)?;
        self.form_of(&read)?;
        let named = |item: &record::Item| match item.values.get("name") {
            Some(Value::Text(name)) => args.items.contains(name),
            _ => false,
        };
        let tick = |(id, _): (&String, &record::Item)| Edit::Item {
            id: id.clone(),
            key: "received".to_owned(),
            value: Value::Flag(true),
        };
        let all = read.folded.items.iter();
        let come = all.filter(|(_, item)| !item.received && named(item));
        let mut edits: Vec<Edit> = come.map(tick).collect();
        if edits.is_empty() {
            return Err(texts::nothing_to_tick());
        }
        edits.extend(self.said_of_cover(now, args.cover.as_ref(), texts::TICKED)?);
        self.apply_edits(now, of, &read, &edits, args.user)?;
        self.after(now, of)
    }

    /// Why a record's personal fields do not open here.
    pub(crate) fn why_no_key(&self, book: Scope) -> CommandError {
        match self.keys.is_locked() && self.keys.is_granted(&book) {
            true => texts::locked(),
            false => texts::no_record_key(),
        }
    }

    /// Writes edits of one record and makes them durable.
    pub(crate) fn apply_edits(
        &mut self,
        now: Now,
        of: RecordRef,
        read: &Read,
        edits: &[Edit],
        user: Option<UserId>,
    ) -> Result<(), CommandError> {
        self.stage_edits(now, of, read, edits, user)?;
        self.keep(now)
    }

    /// Stages edits of one record: durable with the next commit.
    pub(crate) fn stage_edits(
        &mut self,
        now: Now,
        of: RecordRef,
        read: &Read,
        edits: &[Edit],
        user: Option<UserId>,
    ) -> Result<(), CommandError> {
        let actor = record::actor(&self.me.device, self.process);
        let under = self.views.under(&self.store, &self.authority, &self.keys);
        let change = edit(&read.record_entries(), actor, edits, &under.context())
            .map_err(|e| CommandError::failed("refused", e.to_string()))?;
        let entry = self.record_entry(now, of.record, user, change);
        self.stage_in_book(of.scope, vec![entry])
    }

    /// The form of a record that can be folded.
    pub(crate) fn form_of(&self, read: &Read) -> Result<Form, CommandError> {
        let form = read.folded.head.as_ref().and_then(|h| self.views.forms().of(&h.form));
        match (read.folded.status, form) {
            (Status::Ready, Some(form)) => Ok(form.clone()),
            (status, _) => Err(texts::not_ready(match status {
                Status::AwaitingForm(_) | Status::Ready => texts::AWAITING_FORM,
                Status::AwaitingCatalogue(_) => texts::AWAITING_CATALOGUE,
                Status::AwaitingEntries(_) => texts::AWAITING_ENTRIES,
                Status::SetAside => texts::SET_ASIDE,
            })),
        }
    }

    /// Where a record stands after our own event.
    fn after(&mut self, now: Now, of: RecordRef) -> Result<Json, CommandError> {
        self.catch_up(now)?;
        let summary = self.row(of)?.map(|row| row.summary).unwrap_or_default();
        let form = summary.form.and_then(|hash| self.views.forms().of(&hash));
        let label = form.map_or(summary.state.as_str(), |f| f.state_label(&summary.state));
        Ok(json!({
            "project_no": self.shown_number(of, &summary.no),
            "record_id": of.record,
            "state": summary.state,
            "state_label": label,
        }))
    }

    fn typed_event(&self, today: Day, read: &Read, args: &CaseDo) -> Result<NewEvent, CommandError> {
        let form = self.form_of(read)?;
        let kind = args.event.trim().to_ascii_lowercase();
        if kind == "resolve" {
            return Err(texts::resolve_elsewhere());
        }
        if kind == "evaluate" {
            return Err(texts::evaluated_by_the_applicant());
        }
        if !form.events.contains_key(&kind) {
            let mut known: Vec<(u32, String)> = form
                .events
                .iter()
                .filter(|(name, _)| *name != "resolve")
                .map(|(name, e)| (e.place, format!("{name} {}", e.label)))
                .collect();
            known.sort();
            let known: Vec<String> = known.into_iter().map(|(_, text)| text).collect();
            return Err(texts::unknown_event(&args.event, &known.join("、")));
        }
        // The date of a correction is the right date, not that of the correction itself.
        let typed_on = args.on.filter(|_| kind != "correct_date");
        let (on, entered) = business_date(today, typed_on)?;
        let mut event = NewEvent::new(&kind, on);
        event.entered = entered;
        event = covered(special(self, event, args)?, args.cover.as_ref());
        let text = |t: &Option<String>| t.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        if let Some(reason) = text(&args.reason) {
            event = event.with("reason", Value::Text(reason));
        }
        // On the command line the note of a hand-over is the unit.
        let is_unit = kind == "hand_over" && args.to.is_none();
        if let Some(note) = text(&args.note).filter(|_| !is_unit) {
            event = event.with("note", Value::Text(note));
        }
        if !args.items.is_empty() && kind != "correct_date" {
            let items = args.items.iter().map(|i| i.trim().to_owned()).filter(|i| !i.is_empty());
            event = event.with("items", Value::List(items.collect()));
        }
        Ok(event)
    }
}

/// What three events read out of the common options: `--result` is the kind of a special procedure, `--note` the unit that takes a
/// case over, `--items` and `--on` the event and its right date.
fn special(office: &Office, event: NewEvent, args: &CaseDo) -> Result<NewEvent, CommandError> {
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| texts::bad_result(text));
    match (event.kind.as_str(), args.result.as_deref()) {
        ("hand_over", _) => {
            let code = args
                .to
                .as_deref()
                .or(args.note.as_deref())
                .and_then(UnitCode::parse)
                .ok_or_else(texts::hand_over_to)?;
            let organisation = office.authority.organisation();
            let unit = organisation
                .and_then(|o| o.by_code(code))
                .ok_or_else(texts::hand_over_to)?;
            Ok(event.with("to", Value::Text(unit.id.to_string())))
        }
        ("correct_date", _) => match (args.items.as_slice(), args.on) {
            ([id], Some(to)) => Ok(event
                .with("event", Value::Text(id.trim().to_owned()))
                .with("to", Value::Day(to))),
            _ => Err(texts::correct_date_how()),
        },
        ("suspend", Some(kind)) => Ok(event.with("type", Value::Int(number(kind)?))),
        (_, Some(result)) => Ok(event.with("result", Value::Int(number(result)?))),
        _ => Ok(event),
    }
}

fn checked(field: &ledger::form::Field, text: &str) -> Result<String, CommandError> {
    let bad = |e: check::CheckError| texts::bad_input(&field.label, &e.to_string());
    match field.check {
        Some(Check::Name) => check::name(text).map_err(bad),
        Some(Check::ResidentId) => cert_no(text, None).map(|(number, _)| number),
        Some(Check::CreditCode) => check::credit_code(text).map_err(bad),
        Some(Check::Phone) => check::phone(text).map_err(bad),
        Some(Check::Address) => check::address(text).map_err(bad),
        None => Ok(text.trim().to_owned()),
    }
}

fn typed(kind: Type, label: &str, text: &str) -> Result<Value, CommandError> {
    let wrong = |why: &str| texts::bad_input(label, why);
    match kind {
        Type::Text => Ok(Value::Text(text.to_owned())),
        Type::Int => text.parse().map(Value::Int).map_err(|_| wrong("请填整数")),
        Type::Day => Day::parse(text)
            .map(Value::Day)
            .ok_or_else(|| wrong("请填日期，如 2026-10-09")),
        Type::Flag => match text {
            "true" | "1" | "是" => Ok(Value::Flag(true)),
            "false" | "0" | "否" => Ok(Value::Flag(false)),
            _ => Err(wrong("请填“是”或“否”")),
        },
        Type::List => Ok(Value::List(
            text.split([',', '，', '、']).map(|t| t.trim().to_owned()).collect(),
        )),
    }
}
