//! A case as the office shows it, in the words of the page; the page itself, and what is done on it.

pub mod acts;
pub mod page;

use serde::Deserialize;
use serde_json::Value;

use crate::line::Line;
use crate::texts::case as t;

#[derive(Deserialize)]
pub struct FieldValue {
    pub value: Option<Value>,
    pub sealed: Option<String>,
    pub leads: bool,
    pub unit_name: String,
    pub by: Option<String>,
    pub at: String,
}

#[derive(Deserialize)]
pub struct Field {
    pub name: String,
    pub label: String,
    pub personal: bool,
    pub contradicts: bool,
    pub values: Vec<FieldValue>,
}

impl Field {
    /// Whether masking hides in what the values differ.
    pub fn looks_alike(&self) -> bool {
        self.values
            .iter()
            .any(|v| self.values.iter().filter(|w| w.shown() == v.shown()).count() > 1)
    }
}

#[derive(Deserialize)]
pub struct Item {
    pub name: String,
    pub received: bool,
}

#[derive(Deserialize)]
pub struct Event {
    pub id: String,
    event: String,
    pub label: String,
    pub on: String,
    pub data: Value,
    pub unit_name: String,
    pub by: Option<String>,
    pub at: String,
    pub void: bool,
    pub void_reason: Option<String>,
    #[serde(default)]
    pub flags: Vec<String>,
}

#[derive(Deserialize)]
pub struct Datum {
    pub name: String,
    pub label: String,
    pub kind: String,
    pub required: bool,
}

/// A paper, by its name and its label.
#[derive(Deserialize)]
pub struct PaperOf {
    pub paper: String,
    pub label: String,
}

/// A button that the form's table allows now.
#[derive(Deserialize)]
pub struct Step {
    pub event: String,
    pub label: String,
    pub data: Vec<Datum>,
    pub moves: bool,
    pub ends: bool,
}

#[derive(Deserialize)]
pub struct Counted {
    pub day: String,
    pub nth: Option<u32>,
    pub stopped: bool,
    pub today: bool,
    pub due: bool,
}

#[derive(Deserialize)]
pub struct Receipt {
    pub tier: String,
    pub tier_label: String,
    pub unit_name: String,
    pub state: String,
    pub at: String,
    pub withdrawn_at: Option<String>,
}

/// Something of a record that is kept and not counted.
#[derive(Deserialize)]
pub struct Aside {
    pub reason: String,
    /// The centre that says so; none where it is seen here.
    #[serde(default)]
    pub unit_name: Option<String>,
    #[serde(default)]
    pub told_at: Option<String>,
}

#[derive(Deserialize)]
pub struct Side {
    pub what: String,
    /// As people say it.
    words: Option<String>,
    /// A choice between records is nobody's word.
    #[serde(default)]
    pub unit_name: String,
}

impl Side {
    pub fn words(&self) -> &str {
        self.words.as_deref().unwrap_or(&self.what)
    }
}

#[derive(Deserialize)]
pub struct Conflict {
    pub label: String,
    pub state: String,
    pub choices: Vec<Side>,
}

#[derive(Deserialize)]
pub struct Case {
    #[serde(flatten)]
    pub line: Line,
    pub fields: Vec<Field>,
    pub items: Vec<Item>,
    #[serde(skip)]
    pub outstanding: Vec<String>,
    pub events: Vec<Event>,
    /// Read beside the line's own count of them.
    #[serde(skip)]
    pub conflicts: Vec<Conflict>,
    pub receipts: Vec<Receipt>,
    /// Read beside the line's own count of them.
    #[serde(skip)]
    pub aside: Vec<Aside>,
    pub entries: u64,
    #[serde(default)]
    accepted_on: Option<String>,
    allowed: Vec<Step>,
    /// Papers that may be printed now.
    #[serde(default)]
    pub papers: Vec<PaperOf>,
    pub days: Vec<Counted>,
    /// Steps whose dates may be put right here, by id.
    correctable: Vec<String>,
    /// Units that hold its book.
    holders: Vec<Unit>,
    pub custody_name: Option<String>,
    pub editable: Vec<Editable>,
    pub evaluable: bool,
    /// Of an errand: who holds it, who helps.
    pub errand: Option<Agents>,
    pub case_no: Option<String>,
    pub errands: Vec<ErrandLine>,
}

#[derive(Deserialize)]
pub struct Unit {
    pub code: String,
    pub name: String,
    holds: bool,
}

#[derive(Deserialize)]
pub struct Editable {
    pub name: String,
    pub label: String,
    pub value: Option<String>,
}

#[derive(Deserialize)]
pub struct Agent {
    unit_name: String,
    by: Option<String>,
}

#[derive(Deserialize)]
pub struct Agents {
    agent: Option<Agent>,
    helpers: Vec<Agent>,
    pub holder: Option<String>,
}

/// An errand as one line, with who runs it.
#[derive(Deserialize)]
pub struct ErrandLine {
    #[serde(flatten)]
    pub line: Line,
    #[serde(flatten)]
    pub agents: Agents,
    pub case_no: Option<String>,
    pub task: Option<String>,
}

impl Agent {
    fn name(&self) -> String {
        match &self.by {
            Some(by) => format!("{by}（{}）", self.unit_name),
            None => self.unit_name.clone(),
        }
    }
}

impl Agents {
    pub fn lead(&self) -> String {
        self.agent
            .as_ref()
            .map_or_else(|| t::NOBODY_YET.to_owned(), Agent::name)
    }

    pub fn helping(&self) -> String {
        let names: Vec<String> = self.helpers.iter().map(Agent::name).collect();
        names.join("、")
    }
}

impl FieldValue {
    pub fn shown(&self) -> String {
        match (&self.value, self.sealed.as_deref()) {
            (Some(Value::String(text)), _) => text.clone(),
            (Some(Value::Null) | None, Some("erased")) => t::ERASED.to_owned(),
            (Some(Value::Null) | None, Some("locked")) => t::NAME_LOCKED.to_owned(),
            (Some(Value::Null) | None, _) => t::NO_KEY.to_owned(),
            (Some(other), _) => other.to_string(),
        }
    }
}

impl Event {
    /// Who did it, from which post.
    pub fn who(&self) -> String {
        if self.event == "evaluate" && self.by.is_none() {
            return t::BY_APPLICANT.to_owned();
        }
        let by = self.by.as_deref().unwrap_or(t::BY_MACHINE);
        let text = |key: &str| self.data[key].as_str().filter(|s| !s.is_empty());
        match (text("cover"), text("cover_reason")) {
            (Some(of), Some(reason)) => format!("{} {by} · {} {}", self.unit_name, t::B_POST, t::covering(of, reason)),
            _ => format!("{} {by}", self.unit_name),
        }
    }

    /// What was said with it, in words.
    fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        for (name, value) in self.data.as_object().into_iter().flatten() {
            let words = match (name.as_str(), value) {
                ("cover" | "cover_reason" | "to" | "event", _) | (_, Value::Null) => continue,
                (_, Value::Array(all)) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("、"),
                ("result", value) => result_word(value).to_owned(),
                ("rating", value) => t::rating_word(value.as_i64().unwrap_or(0)).to_owned(),
                ("channel", Value::String(channel)) => t::channel_word(channel).to_owned(),
                ("malicious", _) => {
                    said.push(t::MALICIOUS.to_owned());
                    continue;
                }
                ("malicious_undone", _) => {
                    said.push(t::MALICIOUS_UNDONE.to_owned());
                    continue;
                }
                ("follow_up", Value::String(said)) => t::follow_up_word(said).to_owned(),
                (_, Value::String(text)) => text.clone(),
                (_, other) => other.to_string(),
            };
            said.push(format!("{}：{words}", t::datum(name)));
        }
        said
    }
}

fn result_word(value: &Value) -> &'static str {
    let code = value.to_string();
    t::RESULTS
        .iter()
        .find(|(c, _)| *c == code)
        .map_or("—", |(_, word)| word)
}

impl Step {
    /// Asked for by this step, in the order of the page; what every step may say stands behind one word.
    pub fn asks(&self) -> Vec<&Datum> {
        let own = |d: &&Datum| {
            !matches!(
                d.name.as_str(),
                "note" | "reason" | "cover" | "cover_reason" | "doc_no" | "channel"
            )
        };
        // Its own form asks for them in words.
        if matches!(self.event.as_str(), "hand_over" | "correct_date") {
            return Vec::new();
        }
        let mut asks: Vec<&Datum> = self.data.iter().filter(own).collect();
        asks.extend(self.data.iter().filter(|d| d.name == "reason" && d.required));
        asks
    }

    /// The next step of the way, rather than a way out.
    pub fn is_main(&self) -> bool {
        self.moves
            && !matches!(
                self.event.as_str(),
                "withdraw" | "return" | "void" | "refuse" | "reopen" | "ask"
            )
    }

    /// Has a form of its own, or says something: it is opened first, then sent.
    pub fn is_form(&self) -> bool {
        let words = self.data.iter().any(|d| d.name == "note" && d.required) || self.event == "note";
        words
            || self.is_grave()
            || !self.asks().is_empty()
            || matches!(self.event.as_str(), "hand_over" | "correct_date")
    }

    pub fn needs_note(&self) -> bool {
        self.event == "note" || self.data.iter().any(|d| d.name == "note" && d.required)
    }

    /// What the note of this step is called.
    pub fn note_label(&self) -> &str {
        let own = self.data.iter().find(|d| d.name == "note" && d.required);
        own.map_or(t::STEP_NOTE, |d| &d.label)
    }

    /// Where it stands among the others: usual ones first, ways out last.
    fn rank(&self) -> u8 {
        match self.event.as_str() {
            _ if self.is_grave() => 9,
            _ if self.is_main() => 0,
            "ask" => 1,
            "note" => 3,
            "give_back" => 4,
            "hand_over" => 5,
            "correct_date" => 6,
            "reopen" => 7,
            _ => 2,
        }
    }

    /// Leads out of the way: asked once more.
    pub fn is_grave(&self) -> bool {
        let out = matches!(self.event.as_str(), "withdraw" | "return" | "void" | "refuse");
        // What is given back with a word of the result is the end of the way, not a way out.
        self.ends && out && !self.needs_note()
    }
}

impl Case {
    /// Materials that a step is about: those missing to be asked for or supplied, those here to be given back.
    pub fn materials(&self, event: &str) -> Vec<&str> {
        let wanted = event == "give_back";
        let all = self.items.iter().filter(|i| i.received == wanted);
        let named = all.map(|i| i.name.as_str());
        match event {
            "supply" if !self.outstanding.is_empty() => self.outstanding.iter().map(String::as_str).collect(),
            _ => named.collect(),
        }
    }

    /// What may be done now, but for what would have nothing to be done with.
    ///
    /// What is done every day comes first, what puts things right after it, ways out last.
    pub fn steps(&self) -> Vec<&Step> {
        let nothing_here = !self.items.iter().any(|i| i.received);
        let offered = self.allowed.iter().filter(|s| match s.event.as_str() {
            "hand_over" => self.takers().next().is_some(),
            "correct_date" => self.correctable().next().is_some(),
            "give_back" => !nothing_here,
            _ => true,
        });
        let mut steps: Vec<&Step> = offered.collect();
        // The form's own order stands within each kind.
        steps.sort_by_key(|step| step.rank());
        steps
    }

    pub fn has_grave(&self) -> bool {
        self.allowed.iter().any(Step::is_grave)
    }

    /// Whether the ways out begin here.
    pub fn is_first_grave(&self, step: &Step) -> bool {
        let first = self.steps().into_iter().find(|s| s.is_grave());
        first.is_some_and(|first| first.event == step.event)
    }

    /// Who takes the next step, where it is not for this room to take.
    pub fn next_elsewhere(&self) -> Option<&'static str> {
        let ours = self.allowed.iter().any(Step::is_main);
        match self.line.state.as_str() {
            _ if ours || self.is_errand() || self.line.ended() => None,
            "forwarded" => Some(t::NEXT_COUNTY),
            _ => Some(t::NEXT_TOWNSHIP),
        }
    }

    /// The units that could take it over.
    pub fn takers(&self) -> impl Iterator<Item = &Unit> {
        self.holders.iter().filter(|unit| !unit.holds)
    }

    /// What an event says, in words: codes of units and ids of steps are nobody's.
    pub fn said(&self, event: &Event) -> Vec<String> {
        let mut said = event.said();
        let text = |key: &str| event.data[key].as_str();
        if let Some(step) = text("event").and_then(|id| self.events.iter().find(|e| e.id == id)) {
            said.insert(0, t::of_step(&step.label));
        }
        if let Some(unit) = text("to").and_then(|code| self.holders.iter().find(|u| u.code == code)) {
            said.insert(0, t::to_unit(&unit.name));
        } else if let Some(to) = text("to") {
            said.push(t::to_unit(to));
        }
        said
    }

    /// The steps of this unit's own, whose dates it may put right.
    pub fn correctable(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|e| self.correctable.contains(&e.id))
    }

    pub fn has_missing(&self) -> bool {
        !self.line.ended() && self.items.iter().any(|i| !i.received)
    }

    /// Whether it may bear a document number.
    pub fn is_accepted(&self) -> bool {
        self.accepted_on.is_some() && self.line.state != "void"
    }

    /// 受理文书号, once it has one.
    pub fn doc_no(&self) -> Option<String> {
        let field = self.fields.iter().find(|f| f.name == "doc_no")?;
        field.values.iter().find(|v| v.leads).map(FieldValue::shown)
    }

    pub fn is_errand(&self) -> bool {
        self.errand.is_some()
    }
}
