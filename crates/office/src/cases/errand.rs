//! 代办: errands that a room's people run for a villager, from a case or alone.

use ledger::form::{Form, Type};
use ledger::id::{RecordId, Scope, Tier, UserId};
use ledger::record::{self, Creation, Entered, Head, NewEvent, Value, create};
use ledger::{check, seal};
use replica::entry::Entry;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Order, Scan};

use crate::cases::desk::{Place, business_date};
use crate::cases::intake::{checked, covered, known_number, optional};
use crate::command::{CommandError, Cover, ErrandList, ErrandNew};
use crate::office::Office;
use crate::texts;
use crate::views::fold::Read;
use crate::views::name;
use crate::views::row::RecordRef;

/// Errands of one page of the list: each is folded for it.
const PAGE_LINES: usize = 200;
/// Errands of one case that are shown with it.
const OF_CASE_MAX: usize = 20;

/// Field and text, in the clear; whatever the form calls personal is sealed.
pub(crate) type Typed = Vec<(&'static str, String)>;

/// An errand whose values are checked.
pub(crate) struct Errand {
    pub(crate) matter: String,
    pub(crate) fields: Typed,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) user: Option<UserId>,
}

/// Entrusted, and claimed at once where asked for.
pub(crate) fn first_events(
    on: ledger::day::Day,
    entered: Entered,
    claim: bool,
    cover: Option<&Cover>,
) -> Vec<NewEvent> {
    let kinds = ["entrust", "claim"].into_iter().take(1 + usize::from(claim));
    let event = |kind| {
        let mut event = NewEvent::new(kind, on);
        event.entered = entered;
        covered(event, cover)
    };
    kinds.map(event).collect()
}

impl Office {
    /// `errand new`: writes it down; the villager is the case's, or typed.
    ///
    /// # Errors
    /// An unknown case or matter, values that do not pass their check, a case whose personal values do not open here.
    pub(crate) fn errand_new(&mut self, now: Now, args: ErrandNew) -> Result<Json, CommandError> {
        let mut place = self.place(now)?;
        if let Some((of, no)) = self.sent_before(now, args.user, args.once.as_deref())? {
            return Ok(json!({"project_no": no, "record_id": of.record, "again": true}));
        }
        let (on, entered) = business_date(place.today, args.on)?;
        let events = first_events(on, entered, args.claim, args.cover.as_ref());
        let (matter, mut fields) = match args.case.as_deref().filter(|no| !no.trim().is_empty()) {
            Some(number) => {
                let (book, errand) = self.of_case(now, number)?;
                place.book = book;
                errand
            }
            None => typed(&args)?,
        };
        let task = args.task.trim();
        match task.chars().count() {
            0 => return Err(texts::bad_input("委托办什么", "请写明要代办什么")),
            1..=500 => fields.push(("task", task.to_owned())),
            _ => return Err(texts::bad_input("委托办什么", "最多 500 字")),
        }
        let errand = Errand {
            matter,
            fields,
            events,
            user: args.user,
        };
        let (no, record, entry) = self.errand_entry(now, place, on, &errand)?;
        self.stage_once(args.user, args.once.as_deref(), record)?;
        self.stage_in_book(place.book, vec![entry])?;
        // One that no case opened is a case of its own.
        if args.case.as_deref().is_none_or(|no| no.trim().is_empty()) {
            let scope = place.book;
            self.owe_of(RecordRef { scope, record }, &[]);
        }
        self.keep(now)?;
        Ok(json!({"project_no": no, "record_id": record, "state": if args.claim { "claimed" } else { "entrusted" }}))
    }

    /// Who asks for it and for what, from a case: its values are closed again under the errand's own key. It stands in the case's book, so that
    /// the room whose people run it has it, too.
    fn of_case(&mut self, now: Now, number: &str) -> Result<(Scope, (String, Typed)), CommandError> {
        self.catch_up(now)?;
        let (of, row) = self.find(number)?;
        let read = self.read(of, row)?;
        self.form_of(&read)?;
        if read.row.summary.errand {
            return Err(texts::errand_of_errand());
        }
        let own = self.unit().ok_or_else(texts::unplaced)?;
        if of.scope.unit != own && (self.tier() == Tier::Room || !self.authority.is_within(of.scope.unit, own)) {
            return Err(texts::errand_elsewhere());
        }
        if read.row.summary.erased {
            return Err(texts::erased_record());
        }
        let key = read.key.as_ref().ok_or_else(|| self.why_no_key(of.scope))?;
        let open = |field: &'static str| match read.folded.field(field) {
            Some(Value::Sealed(bytes)) => seal::open(key, &of.record, field, bytes).ok().map(|text| (field, text)),
            _ => None,
        };
        let personal = ["name", "cert_no", "mobile", "address"].into_iter();
        let mut fields: Typed = personal.filter_map(open).collect();
        fields.push(("case_no", self.shown_number(of, &read.row.summary.no)));
        Ok((of.scope, (read.row.summary.matter.clone(), fields)))
    }

    /// The entry that creates an errand.
    pub(crate) fn errand_entry(
        &mut self,
        now: Now,
        place: Place,
        on: ledger::day::Day,
        errand: &Errand,
    ) -> Result<(String, RecordId, Entry), CommandError> {
        let (catalogue, leading) = self.leading_catalogue().ok_or_else(texts::no_catalogue)?;
        let wanted = errand.matter.trim().to_ascii_uppercase();
        let matter = leading
            .matter(&wanted)
            .ok_or_else(|| texts::unknown_matter(&errand.matter))?;
        let matter = matter.code.clone();
        let no = self.next_number(now, place, on)?.as_str().to_owned();
        let (record, key) = self.new_record(place.book)?;
        let form = self.views.forms().named("errand").unwrap_or(Form::errand());
        let value = |(field, text): &(&'static str, String)| {
            let personal = form
                .fields
                .get(*field)
                .is_some_and(|f| f.personal && f.kind == Type::Text);
            let value = match personal {
                true => Value::Sealed(seal::seal(&key, &record, field, text)),
                false => Value::Text(text.clone()),
            };
            ((*field).to_owned(), value)
        };
        let head = Head {
            form: form.hash(),
            no: no.clone(),
            matter,
            catalogue,
            unit: place.unit,
            clerk: errand.user.unwrap_or(UserId::ZERO),
            on,
            import_key: None,
        };
        let creation = Creation {
            record,
            head,
            fields: errand.fields.iter().map(value).collect(),
            items: Vec::new(),
            events: errand.events.clone(),
        };
        let actor = record::actor(&self.me.device, self.process);
        let change = create(actor, &creation, form).map_err(|e| CommandError::failed("bad_input", e.to_string()))?;
        Ok((no, record, self.record_entry(now, record, errand.user, change)))
    }

    /// `errand list`: those of the own book at a room, of all books held here at a hub; open ones first, then newest first.
    ///
    /// # Errors
    /// Without a life, or when the index cannot be read.
    pub(crate) fn errand_list(&mut self, now: Now, args: &ErrandList) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let units = self.units_within(args.unit.as_deref())?;
        let form = self.views.forms().named("errand").unwrap_or(Form::errand());
        let (mut open, mut ended) = (Vec::new(), Vec::new());
        for unit in units {
            let from = name::errands(unit);
            let scan = &mut |key: &[u8], state: &[u8]| {
                let over = std::str::from_utf8(state).is_ok_and(|state| form.is_end(state));
                let list = if over { &mut ended } else { &mut open };
                list.extend(name::tail(key));
                Scan::On
            };
            let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Rising, scan);
            scanned.map_err(|e| texts::store_failed(&e))?;
        }
        let counts = json!({"open": open.len(), "ended": ended.len()});
        let (all, before) = (open.len() + ended.len(), args.page.saturating_mul(PAGE_LINES));
        let lines = open.into_iter().chain(ended).skip(before).take(PAGE_LINES);
        let shown: Vec<RecordRef> = lines.collect();
        let left = all.saturating_sub(before).saturating_sub(shown.len());
        let errands = self.errand_lines(&shown, today)?;
        Ok(json!({"today": today, "counts": counts, "page": args.page, "left": left, "errands": errands}))
    }

    /// The errands of a case, as lines.
    pub(crate) fn errands_of(&self, of: RecordRef, no: &str, today: ledger::day::Day) -> Result<Json, CommandError> {
        let from = name::errands_of(&self.shown_number(of, no));
        let rows = self
            .store
            .kv()
            .range(&from, &prefix_end(&from), Order::Rising, OF_CASE_MAX);
        let rows = rows.map_err(|e| texts::store_failed(&e))?;
        let same_book = |r: &RecordRef| r.scope == of.scope;
        let found: Vec<RecordRef> = rows
            .iter()
            .filter_map(|(key, _)| name::tail(key))
            .filter(same_book)
            .collect();
        self.errand_lines(&found, today)
    }

    fn errand_lines(&self, all: &[RecordRef], today: ledger::day::Day) -> Result<Json, CommandError> {
        let mut lines = Vec::new();
        for of in all {
            let Some(row) = self.row(*of)? else { continue };
            let mut line = self.line(*of, &row, today);
            let read = self.read(*of, row)?;
            if let (Some(to), Json::Object(more)) = (line.as_object_mut(), self.agents(&read)) {
                to.extend(more);
                to.insert("case_no".to_owned(), json!(read.row.summary.case_no));
                to.insert("task".to_owned(), json!(text_of(&read, "task")));
            }
            lines.push(line);
        }
        Ok(Json::Array(lines))
    }

    /// Who holds an errand now, who claimed it, who helps.
    pub(crate) fn agents(&self, read: &Read) -> Json {
        let claims = read.folded.events.iter().filter(|e| e.void.is_none());
        let by = |e: &ledger::record::FoldedEvent| json!({"unit_name": self.unit_shown(e.unit).1, "by": self.person(&e.user, e.unit)});
        let joined = |e: &ledger::record::FoldedEvent| e.flags.contains(&record::Flag::Joined);
        let mut lead = Json::Null;
        let mut helpers: Vec<Json> = Vec::new();
        for event in claims {
            match (event.kind.as_str(), joined(event)) {
                ("claim", false) => lead = by(event),
                ("claim", true) | ("assist", _) => helpers.push(by(event)),
                _ => {}
            }
        }
        helpers.dedup();
        json!({
            "agent": lead,
            "helpers": helpers,
            "holder": read.folded.custody.map(|u| self.unit_shown(u).1),
        })
    }
}

fn text_of<'r>(read: &'r Read, field: &str) -> Option<&'r str> {
    match read.folded.field(field)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The villager as typed; a number is asked for only where there is one at hand.
fn typed(args: &ErrandNew) -> Result<(String, Typed), CommandError> {
    let mut fields = vec![("name", checked("委托人", check::name(&args.name))?)];
    if !args.cert_no.trim().is_empty() {
        fields.push(("cert_no", checked(texts::CERT_NO, known_number(&args.cert_no))?));
    }
    let phone = optional("手机", args.mobile.as_deref(), check::phone)?;
    fields.extend(phone.map(|text| ("mobile", text)));
    let address = optional("住址", args.address.as_deref(), check::address)?;
    fields.extend(address.map(|text| ("address", text)));
    Ok((args.matter.clone(), fields))
}
