//! From TOML to a form: parsing, validation, canonical bytes.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    Check, Condition, Datum, Effect, Entitled, Event, FORM_BYTES_MAX, Field, Form, Index, Joins, Leads, Move,
    Numbering, State, Type,
};
use crate::id::{Hash, Tier};

/// More would be a mistake: no ledger of the programme needs a third of it.
const NAMES_MAX: usize = 256;
const NAME_BYTES_MAX: usize = 64;
/// Nesting of TOML tables; the deepest place of a form is five.
const DEPTH_MAX: u32 = 8;

/// What is wrong with a form.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    #[error("台账模板超过 {FORM_BYTES_MAX} 字节，请精简后重新发布")]
    TooLong,
    #[error("台账模板格式有误，请按提示修改后重新发布：{0}")]
    Toml(Box<toml::de::Error>),
    #[error("台账模板中“{place}”引用了未声明的“{name}”，请先声明")]
    Undeclared { place: String, name: String },
    #[error("台账模板中“{place}”的写法“{text}”无法识别，请改正")]
    Unreadable { place: String, text: String },
    #[error("台账模板条目过多、过长或嵌套过深，请精简后重新发布")]
    TooMany,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormToml {
    form: String,
    label: String,
    version: u32,
    initial: String,
    #[serde(default = "NumberToml::none")]
    number: NumberToml,
    #[serde(default)]
    fields: BTreeMap<String, FieldToml>,
    items: Option<ItemsToml>,
    states: BTreeMap<String, StateToml>,
    events: BTreeMap<String, EventToml>,
    #[serde(default)]
    indexes: BTreeMap<String, IndexToml>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum NumberToml {
    ProjectNo,
    None,
}

impl NumberToml {
    fn none() -> Self {
        NumberToml::None
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum TypeToml {
    Text,
    Int,
    Day,
    Flag,
    List,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CheckToml {
    Name,
    ResidentId,
    CreditCode,
    Phone,
    Address,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum LeadsToml {
    Last,
    First,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldToml {
    label: String,
    #[serde(rename = "type")]
    kind: TypeToml,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    personal: bool,
    check: Option<CheckToml>,
    write: Option<Vec<Tier>>,
    leads: Option<LeadsToml>,
    #[serde(default)]
    place: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemsToml {
    label: String,
    keys: BTreeMap<String, TypeToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateToml {
    label: String,
    #[serde(default)]
    end: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EffectToml {
    Receive,
    Notice,
    Supply,
    Accept,
    Suspend,
    Resume,
    Decide,
    Close,
    Evaluate,
    Reopen,
    Void,
    HandOver,
    Claim,
    GiveBack,
    CorrectDate,
    Resolve,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum JoinsToml {
    Flag(bool),
    Agreeing(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventToml {
    label: String,
    to: Option<String>,
    effect: Option<EffectToml>,
    joins: Option<JoinsToml>,
    #[serde(default)]
    yields_to: Vec<String>,
    #[serde(rename = "move")]
    moves: Vec<MoveToml>,
    #[serde(default)]
    data: BTreeMap<String, DatumToml>,
    #[serde(default)]
    place: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveToml {
    from: Vec<String>,
    who: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatumToml {
    label: String,
    #[serde(rename = "type")]
    kind: TypeToml,
    #[serde(default)]
    required: bool,
    min: Option<i64>,
    max: Option<i64>,
    #[serde(default)]
    options: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexToml {
    on: Vec<String>,
    #[serde(default)]
    token: bool,
}

/// Reads, validates and hashes a form.
pub(super) fn parse(text: &str) -> Result<Form, FormError> {
    if text.len() > FORM_BYTES_MAX {
        return Err(FormError::TooLong);
    }
    let tree: toml::Value = toml::from_str(text).map_err(|e| FormError::Toml(Box::new(e)))?;
    let mut canonical = Sha256::new();
    canonical.update(b"cunlian form 1");
    hash_tree(&tree, DEPTH_MAX, &mut canonical)?;
    let hash = Hash(canonical.finalize().into());
    let read: FormToml = toml::from_str(text).map_err(|e| FormError::Toml(Box::new(e)))?;
    let form = build(read, hash)?;
    validate(&form)?;
    Ok(form)
}

/// Canonical bytes: a tag and a length before every value, tables by sorted key.
fn hash_tree(value: &toml::Value, depth: u32, h: &mut Sha256) -> Result<(), FormError> {
    let depth = depth.checked_sub(1).ok_or(FormError::TooMany)?;
    let mut text = |tag: u8, text: &str| {
        h.update([tag]);
        h.update((text.len() as u32).to_be_bytes());
        h.update(text);
    };
    match value {
        toml::Value::String(s) => text(b's', s),
        toml::Value::Integer(i) => text(b'i', &i.to_string()),
        toml::Value::Float(f) => text(b'f', &f.to_string()),
        toml::Value::Boolean(b) => text(b'b', if *b { "1" } else { "0" }),
        toml::Value::Datetime(d) => text(b'd', &d.to_string()),
        toml::Value::Array(values) => {
            text(b'a', &values.len().to_string());
            for value in values {
                hash_tree(value, depth, h)?;
            }
        }
        toml::Value::Table(table) => {
            text(b't', &table.len().to_string());
            let sorted: BTreeMap<&String, &toml::Value> = table.iter().collect();
            for (key, value) in sorted {
                h.update([b'k']);
                h.update((key.len() as u32).to_be_bytes());
                h.update(key);
                hash_tree(value, depth, h)?;
            }
        }
    }
    Ok(())
}

fn build(read: FormToml, hash: Hash) -> Result<Form, FormError> {
    let mut events = BTreeMap::new();
    for (name, event) in read.events {
        let event = build_event(&name, event)?;
        events.insert(name, event);
    }
    let (items_label, item_keys) = match read.items {
        Some(items) => (items.label, items.keys.into_iter().map(|(k, t)| (k, kind(t))).collect()),
        None => (String::new(), BTreeMap::new()),
    };
    let index = |i: IndexToml| Index {
        on: i.on,
        token: i.token,
    };
    let state = |s: StateToml| State {
        label: s.label,
        end: s.end,
    };
    Ok(Form {
        name: read.form,
        label: read.label,
        version: read.version,
        initial: read.initial,
        numbering: match read.number {
            NumberToml::ProjectNo => Numbering::ProjectNo,
            NumberToml::None => Numbering::None,
        },
        fields: read.fields.into_iter().map(|(n, f)| (n, build_field(f))).collect(),
        items_label,
        item_keys,
        states: read.states.into_iter().map(|(n, s)| (n, state(s))).collect(),
        events,
        indexes: read.indexes.into_iter().map(|(n, i)| (n, index(i))).collect(),
        hash,
    })
}

fn kind(kind: TypeToml) -> Type {
    match kind {
        TypeToml::Text => Type::Text,
        TypeToml::Int => Type::Int,
        TypeToml::Day => Type::Day,
        TypeToml::Flag => Type::Flag,
        TypeToml::List => Type::List,
    }
}

fn build_field(field: FieldToml) -> Field {
    Field {
        label: field.label,
        kind: kind(field.kind),
        required: field.required,
        personal: field.personal,
        check: field.check.map(|c| match c {
            CheckToml::Name => Check::Name,
            CheckToml::ResidentId => Check::ResidentId,
            CheckToml::CreditCode => Check::CreditCode,
            CheckToml::Phone => Check::Phone,
            CheckToml::Address => Check::Address,
        }),
        write: field
            .write
            .unwrap_or_else(|| vec![Tier::Room, Tier::Township, Tier::County]),
        leads: match field.leads {
            Some(LeadsToml::First) => Leads::First,
            Some(LeadsToml::Last) | None => Leads::Last,
        },
        place: field.place,
    }
}

fn build_event(name: &str, event: EventToml) -> Result<Event, FormError> {
    let mut moves = Vec::new();
    for m in event.moves {
        let who: Result<Vec<Entitled>, FormError> = m.who.iter().map(|w| entitled(name, w)).collect();
        moves.push(Move {
            from: m.from,
            who: who?,
        });
    }
    let mut data: BTreeMap<String, Datum> = event.data.into_iter().map(|(n, d)| (n, build_datum(d))).collect();
    // Whoever acts may say why and add a word, whatever the event; and for whom they stand in (B岗顶岗), and why.
    for (name, label) in [
        ("reason", "理由"),
        ("note", "备注"),
        ("cover", "顶岗，代"),
        ("cover_reason", "顶岗原因"),
    ] {
        data.entry(name.to_owned()).or_insert_with(|| Datum {
            label: label.to_owned(),
            kind: Type::Text,
            required: false,
            min: None,
            max: None,
            options: Vec::new(),
        });
    }
    Ok(Event {
        label: event.label,
        to: event.to,
        moves,
        data,
        effect: event.effect.map_or(Effect::Nothing, effect),
        joins: match event.joins {
            None | Some(JoinsToml::Flag(false)) => Joins::No,
            Some(JoinsToml::Flag(true)) => Joins::Yes,
            Some(JoinsToml::Agreeing(datum)) => Joins::Agreeing(datum),
        },
        yields_to: event.yields_to,
        place: event.place,
    })
}

fn build_datum(datum: DatumToml) -> Datum {
    Datum {
        label: datum.label,
        kind: kind(datum.kind),
        required: datum.required,
        min: datum.min,
        max: datum.max,
        options: datum.options,
    }
}

fn effect(effect: EffectToml) -> Effect {
    match effect {
        EffectToml::Receive => Effect::Receive,
        EffectToml::Notice => Effect::Notice,
        EffectToml::Supply => Effect::Supply,
        EffectToml::Accept => Effect::Accept,
        EffectToml::Suspend => Effect::Suspend,
        EffectToml::Resume => Effect::Resume,
        EffectToml::Decide => Effect::Decide,
        EffectToml::Close => Effect::Close,
        EffectToml::Evaluate => Effect::Evaluate,
        EffectToml::Reopen => Effect::Reopen,
        EffectToml::Void => Effect::Void,
        EffectToml::HandOver => Effect::HandOver,
        EffectToml::Claim => Effect::Claim,
        EffectToml::GiveBack => Effect::GiveBack,
        EffectToml::CorrectDate => Effect::CorrectDate,
        EffectToml::Resolve => Effect::Resolve,
    }
}

/// Reads `TIER` or `TIER if CONDITION`.
fn entitled(event: &str, text: &str) -> Result<Entitled, FormError> {
    let unreadable = || FormError::Unreadable {
        place: format!("events.{event}.move.who"),
        text: text.to_owned(),
    };
    let (tier, condition) = text.split_once(" if ").map_or((text, None), |(t, c)| (t, Some(c)));
    let tier = match tier.trim() {
        "any" => None,
        "room" => Some(Tier::Room),
        "township" => Some(Tier::Township),
        "county" => Some(Tier::County),
        _ => return Err(unreadable()),
    };
    let condition = match condition.map(str::trim) {
        None => Condition::Always,
        Some("direct") => Condition::Direct,
        Some("on_the_spot") => Condition::OnTheSpot,
        Some("decider") => Condition::Decider,
        Some("holder") => Condition::Holder,
        Some(_) => return Err(unreadable()),
    };
    Ok(Entitled { tier, condition })
}

fn validate(form: &Form) -> Result<(), FormError> {
    let names = form
        .fields
        .keys()
        .chain(form.item_keys.keys())
        .chain(form.states.keys())
        .chain(form.events.keys());
    let (mut count, mut too_long) = (0, false);
    for name in names {
        count += 1;
        too_long |= name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains('/');
    }
    if count > NAMES_MAX || too_long {
        return Err(FormError::TooMany);
    }
    declared(form, "initial", &form.initial)?;
    for (name, event) in &form.events {
        if let Some(to) = &event.to {
            declared(form, &format!("events.{name}.to"), to)?;
        }
        for from in event.moves.iter().flat_map(|m| &m.from) {
            if !matches!(from.as_str(), "*" | "open" | "end") {
                declared(form, &format!("events.{name}.move.from"), from)?;
            }
        }
        for other in &event.yields_to {
            undeclared(
                form.events.contains_key(other),
                &format!("events.{name}.yields_to"),
                other,
            )?;
        }
        if let Joins::Agreeing(datum) = &event.joins {
            undeclared(event.data.contains_key(datum), &format!("events.{name}.joins"), datum)?;
        }
    }
    Ok(())
}

fn declared(form: &Form, place: &str, state: &str) -> Result<(), FormError> {
    undeclared(form.states.contains_key(state), place, state)
}

fn undeclared(known: bool, place: &str, name: &str) -> Result<(), FormError> {
    if known {
        return Ok(());
    }
    Err(FormError::Undeclared {
        place: place.to_owned(),
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str =
        "form = 'x'\nlabel = 'X'\nversion = 1\ninitial = 'a'\n[states]\na = { label = 'A' }\n[events]\n";

    #[test]
    fn white_space_comments_and_order_do_not_change_a_forms_name() {
        let one = Form::parse(SMALL).unwrap();
        let other =
            "# a comment\nlabel='X'\nform = \"x\"\ninitial = 'a'\nversion=1\n[events]\n[states.a]\nlabel = 'A'\n";
        assert_eq!(one.hash(), Form::parse(other).unwrap().hash());
        assert_ne!(one.hash(), Form::parse(&SMALL.replace("'A'", "'B'")).unwrap().hash());
    }

    #[test]
    fn a_form_that_names_what_it_does_not_declare_is_refused_with_the_place() {
        let text = format!("{SMALL}[events.go]\nlabel='Go'\nto='nowhere'\nmove=[]\n");
        let error = Form::parse(&text).unwrap_err().to_string();
        assert!(error.contains("events.go.to") && error.contains("nowhere"), "{error}");
        let text = format!("{SMALL}[events.go]\nlabel='Go'\nmove=[{{from=['a'], who=['mayor']}}]\n");
        assert!(matches!(Form::parse(&text), Err(FormError::Unreadable { .. })));
        assert!(matches!(
            Form::parse("form = 'x'\nsurprise = 1"),
            Err(FormError::Toml(_))
        ));
        assert!(matches!(
            Form::parse(&" ".repeat(FORM_BYTES_MAX + 1)),
            Err(FormError::TooLong)
        ));
    }

    #[test]
    fn the_case_is_complete() {
        let case = Form::case();
        for event in [
            "receive",
            "ask",
            "supply",
            "accept",
            "refuse",
            "process",
            "suspend",
            "resume",
            "forward",
            "decide",
            "close",
            "deliver",
            "evaluate",
            "withdraw",
            "return",
            "void",
            "reopen",
            "hand_over",
            "note",
            "resolve",
        ] {
            assert!(case.events.contains_key(event), "{event}");
        }
        assert_eq!(case.state_label("awaiting_materials"), "待补正");
        assert_eq!(case.event_label("hand_over"), "移交");
    }
}
