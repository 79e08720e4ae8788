//! 收件: a new case from what the clerk typed or a day book holds.

use ledger::catalogue::Matter;
use ledger::check;
use ledger::day::Day;
use ledger::form::Form;
use ledger::id::{Hash, RecordId, Scope, UserId};
use ledger::record::{self, Creation, Head, ItemSeed, NewEvent, Value, create};
use ledger::seal;
use replica::entry::Entry;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::Order;
use store::kv::prefix_end;

use crate::cases::desk::{Place, business_date};
use crate::cases::errand::{self, Errand};
use crate::command::{CaseNew, CommandError, Cover};
use crate::office::Office;
use crate::texts;
use crate::views::name;
use crate::views::row::RecordRef;

/// The field that says why a number stands that fails its check.
pub(crate) const CERT_REASON: &str = "cert_reason";
/// One sentence.
const CERT_REASON_CHARS_MAX: usize = 200;
/// Twins named in a warning.
const TWINS_SHOWN: usize = 4;

/// A new case whose values are checked.
pub(crate) struct Intake {
    pub(crate) matter: String,
    pub(crate) name: String,
    pub(crate) cert_no: String,
    /// Why a number that fails its check stands here.
    pub(crate) cert_reason: Option<String>,
    pub(crate) mobile: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) remark: Option<String>,
    pub(crate) on: Day,
    pub(crate) import_key: Option<Hash>,
    /// From the receipt on.
    pub(crate) events: Vec<NewEvent>,
    pub(crate) user: Option<UserId>,
    /// Materials that are here already, by name.
    pub(crate) received: Vec<String>,
}

impl Office {
    /// `case new`: records and receives one case.
    ///
    /// # Errors
    /// An unknown matter, input that does not pass its check, a future date, no key or no disk. Nothing is kept then.
    pub(crate) fn case_new(&mut self, now: Now, args: CaseNew) -> Result<Json, CommandError> {
        let place = self.place(now)?;
        if let Some((of, no)) = self.sent_before(now, args.user, args.once.as_deref())? {
            self.owe_of(of, &[]);
            return Ok(json!({"project_no": no, "record_id": of.record, "again": true}));
        }
        let (on, entered) = business_date(place.today, args.on)?;
        let matter = args.matter.trim().to_ascii_uppercase();
        let events = self.first_events(&matter, on, entered, &args)?;
        let (number, why) = cert_no(&args.cert_no, args.cert_reason.as_deref())?;
        let tells = |why: &String| [&number, args.name.trim()].iter().any(|of| why.contains(of as &str));
        if why.as_ref().is_some_and(tells) {
            return Err(texts::reason_without_names());
        }
        let state = events
            .last()
            .map_or("received", |e| if e.kind == "close" { "closed" } else { "received" });
        let intake = Intake {
            matter,
            name: checked("申请人", check::name(&args.name))?,
            cert_no: number,
            cert_reason: why,
            mobile: optional("手机", args.mobile.as_deref(), check::phone)?,
            address: optional("住址", args.address.as_deref(), check::address)?,
            remark: args.note.filter(|n| !n.trim().is_empty()),
            on,
            import_key: None,
            events,
            user: args.user,
            received: args.received,
        };
        let warning = match self.keys.is_locked() {
            true => Some(texts::TWINS_NOT_SOUGHT.to_owned()),
            false => self.twin_warning(place.book, &intake)?,
        };
        let (no, record, entry) = self.creation(now, place, &intake)?;
        let mut entries = vec![entry];
        let mut errand_no = None;
        if args.errand {
            let errand = with_case(&intake, &no, entered, args.cover.as_ref());
            let (no, _, entry) = self.errand_entry(now, place, on, &errand)?;
            entries.push(entry);
            errand_no = Some(no);
        }
        self.stage_once(intake.user, args.once.as_deref(), record)?;
        self.stage_in_book(place.book, entries)?;
        let scope = place.book;
        self.owe_of(RecordRef { scope, record }, &[]);
        self.keep(now)?;
        Ok(json!({
            "project_no": no,
            "errand_no": errand_no,
            "record_id": record,
            "unit": place.code,
            "matter": intake.matter,
            "state": state,
            "on": on,
            "late": entered == record::Entered::Late,
            "warnings": warning.into_iter().collect::<Vec<_>>(),
        }))
    }

    /// The receipt; for a matter that is done while the applicant waits, where asked for, acceptance and closing too.
    fn first_events(
        &self,
        matter: &str,
        on: Day,
        entered: record::Entered,
        args: &CaseNew,
    ) -> Result<Vec<NewEvent>, CommandError> {
        let event = |kind: &str| {
            let mut event = NewEvent::new(kind, on);
            event.entered = entered;
            covered(event, args.cover.as_ref())
        };
        let mut events = vec![event("receive")];
        if let Some(result) = args.close.as_deref() {
            let (_, catalogue) = self.leading_catalogue().ok_or_else(texts::no_catalogue)?;
            if !catalogue.matter(matter).is_some_and(Matter::is_on_the_spot) {
                return Err(texts::not_on_the_spot());
            }
            let code = result.trim().parse::<i64>().ok().filter(|code| (0..=7).contains(code));
            let code = code.ok_or_else(|| texts::bad_result(result))?;
            events.push(event("accept"));
            events.push(event("close").with("result", Value::Int(code)));
        }
        Ok(events)
    }

    /// Makes number, record and the entry that creates it. Nothing but a spare key is used up until it is staged.
    pub(crate) fn creation(
        &mut self,
        now: Now,
        place: Place,
        intake: &Intake,
    ) -> Result<(String, RecordId, Entry), CommandError> {
        let (catalogue, leading) = self.leading_catalogue().ok_or_else(texts::no_catalogue)?;
        let matter = leading
            .matter(&intake.matter)
            .ok_or_else(|| texts::unknown_matter(&intake.matter))?;
        let items = materials(&matter.materials, &intake.received);
        let matter = matter.code.clone();
        let no = self.next_number(now, place, intake.on)?.as_str().to_owned();
        let (record, key) = self.new_record(place.book)?;
        let sealed = |field: &str, text: &str| {
            let value = Value::Sealed(seal::seal(&key, &record, field, text));
            (field.to_owned(), value)
        };
        let mut fields = vec![sealed("name", &intake.name), sealed("cert_no", &intake.cert_no)];
        fields.extend(intake.mobile.as_deref().map(|t| sealed("mobile", t)));
        fields.extend(intake.address.as_deref().map(|t| sealed("address", t)));
        fields.extend(
            intake
                .cert_reason
                .clone()
                .map(|t| (CERT_REASON.to_owned(), Value::Text(t))),
        );
        fields.extend(intake.remark.clone().map(|t| ("remark".to_owned(), Value::Text(t))));
        // Borrowed only now: a form is too large to be copied for every case.
        let form = self.views.forms().named("case").unwrap_or(Form::case());
        let creation = Creation {
            record,
            head: Head {
                form: form.hash(),
                no: no.clone(),
                matter,
                catalogue,
                unit: place.unit,
                clerk: intake.user.unwrap_or(UserId::ZERO),
                on: intake.on,
                import_key: intake.import_key,
            },
            fields,
            items,
            events: intake.events.clone(),
        };
        let actor = record::actor(&self.me.device, self.process);
        let change = create(actor, &creation, form).map_err(|e| CommandError::failed("bad_input", e.to_string()))?;
        Ok((no, record, self.record_entry(now, record, intake.user, change)))
    }

    /// Says so when the same person has the same matter open here: nothing is refused, but the clerk should know.
    fn twin_warning(&self, book: Scope, intake: &Intake) -> Result<Option<String>, CommandError> {
        let Some(token) = self.keys.person_token(&book, &intake.cert_no) else {
            return Ok(None);
        };
        let group = name::twins(&token, &intake.matter);
        let kv = self.store.kv();
        let twins = kv
            .range(&group, &prefix_end(&group), Order::Rising, TWINS_SHOWN)
            .map_err(|e| texts::store_failed(&e))?;
        let mut numbers = Vec::new();
        for of in twins.iter().filter_map(|(key, _)| name::tail(key)) {
            numbers.extend(self.row(of)?.map(|row| row.summary.no));
        }
        Ok((!numbers.is_empty()).then(|| texts::twin_warning(&numbers.join("、"))))
    }
}

/// The errand that a case opens: same person, same matter, and what was noted down as the task.
fn with_case(intake: &Intake, no: &str, entered: record::Entered, cover: Option<&Cover>) -> Errand {
    let mut fields = vec![
        ("name", intake.name.clone()),
        ("cert_no", intake.cert_no.clone()),
        ("case_no", no.to_owned()),
    ];
    fields.extend(intake.mobile.clone().map(|text| ("mobile", text)));
    fields.extend(intake.address.clone().map(|text| ("address", text)));
    fields.extend(intake.remark.clone().map(|text| ("task", text)));
    Errand {
        matter: intake.matter.clone(),
        fields,
        events: errand::first_events(intake.on, entered, true, cover),
        user: intake.user,
    }
}

/// An event by somebody who stands in for another says so.
pub(crate) fn covered(event: NewEvent, cover: Option<&Cover>) -> NewEvent {
    match cover {
        Some(cover) => event
            .with("cover", Value::Text(cover.of.trim().to_owned()))
            .with("cover_reason", Value::Text(cover.reason.trim().to_owned())),
        None => event,
    }
}

/// The materials of a matter, with those that are here.
fn materials(names: &[String], received: &[String]) -> Vec<ItemSeed> {
    let seed = |(at, name): (usize, &String)| ItemSeed {
        id: format!("m{}", at + 1),
        name: name.clone(),
        received: received.contains(name),
    };
    names.iter().enumerate().map(seed).collect()
}

/// A resident's number, or the credit code of an organisation that applies; what is neither, only with a reason, which comes back
/// beside it.
pub(crate) fn cert_no(text: &str, reason: Option<&str>) -> Result<(String, Option<String>), CommandError> {
    let error = match known_number(text) {
        Ok(number) => return Ok((number, None)),
        Err(check::CheckError::Empty(_)) => return checked(texts::CERT_NO, known_number(text)).map(|n| (n, None)),
        Err(error) => error,
    };
    let Some(why) = reason.map(str::trim).filter(|why| !why.is_empty()) else {
        return Err(texts::bad_cert_no(&error));
    };
    if why.chars().count() > CERT_REASON_CHARS_MAX {
        return Err(texts::reason_too_long());
    }
    let odd = checked(texts::CERT_NO, check::odd_id(text))?;
    Ok((odd, Some(why.to_owned())))
}

/// A number that passes one of the checks.
pub(crate) fn known_number(text: &str) -> Result<String, check::CheckError> {
    match check::resident_id(text) {
        Ok(id) => Ok(id.number().to_owned()),
        Err(error) => check::credit_code(text).map_err(|_| error),
    }
}

pub(crate) fn checked<T>(label: &str, result: Result<T, check::CheckError>) -> Result<T, CommandError> {
    result.map_err(|e| texts::bad_input(label, &e.to_string()))
}

pub(crate) fn optional(
    label: &str,
    text: Option<&str>,
    check: fn(&str) -> Result<String, check::CheckError>,
) -> Result<Option<String>, CommandError> {
    match text.map(str::trim).filter(|t| !t.is_empty()) {
        Some(text) => checked(label, check(text)).map(Some),
        None => Ok(None),
    }
}
