//! A form as an office publishes it, and a case that pins it.

use std::collections::BTreeMap;

use ledger::form::{FORM_BYTES_MAX, Form, Forms, Type};
use ledger::record::{Context, Edit, NewEvent, Status, Value, edit, fold};

use super::{KIB, MIB};
use crate::Target;
use crate::made::{self, RECORD};

pub(super) const TARGET: Target = Target {
    name: "form",
    promise: "a text is a form or refused with words; a comment does not change its name; a case under any form is folded, in any \
              order, and can be worked on",
    check,
    seeds,
    len_max: 16 * KIB,
    // A tree of tables, twice: for the name and for the content.
    memory: (2 * MIB, 1_024),
};

const SMALL: &str = "form = 'x'\nlabel = 'X'\nversion = 1\ninitial = 'a'\nfields.f = { label = 'F', type = 'int' }\n\
                     states.a = { label = 'A' }\nstates.b = { label = 'B', end = true }\n\
                     [events.go]\nlabel = 'Go'\nto = 'b'\neffect = 'close'\nmove = [{ from = ['a'], who = ['any'] }]\n\
                     data.result = { label = 'R', type = 'int', required = true, min = 1, max = 9 }\n";

fn seeds() -> Vec<Vec<u8>> {
    let case = include_str!("../../../ledger/forms/case.toml");
    // The head and one event at a time: small enough to be changed in the right place.
    let cut = case.find("[events").unwrap_or(case.len());
    let (head, events) = case.split_at(cut);
    let mut seeds = vec![SMALL.as_bytes().to_vec(), case.as_bytes().to_vec()];
    for event in events.split("\n\n") {
        seeds.push([head, event].concat().into_bytes());
    }
    seeds
}

fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let form = match Form::parse(text) {
        Ok(form) => form,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "refused without words");
            return;
        }
    };
    assert!(text.len() <= FORM_BYTES_MAX, "a novel was read");
    let with_comment = Form::parse(&format!("{text}\n# a comment\n")).map(|form| form.hash());
    assert_eq!(with_comment.ok(), Some(form.hash()), "a comment changes the name");
    case_under(&form);
}

/// A case that does everything that the form knows.
fn case_under(form: &Form) {
    let mut forms = Forms::default();
    forms.add(form.clone());
    let context = Context {
        forms: &forms,
        catalogues: made::catalogues(),
    };
    let fields = form.fields.iter().map(|(name, field)| {
        let value = if field.personal {
            Value::Sealed(vec![1; 20])
        } else {
            value(field.kind)
        };
        (name.clone(), value)
    });
    let Ok(first) = made::creation(form, fields.take(8).collect(), Vec::new()) else {
        return;
    };
    let mut held = vec![(made::envelope(1), first)];
    for (number, (kind, event)) in form.events.iter().take(6).enumerate() {
        let who = 1 + (number % 2) as u8;
        let mut data: BTreeMap<String, Value> = BTreeMap::new();
        for (name, datum) in &event.data {
            data.insert(name.clone(), datum.min.map_or_else(|| value(datum.kind), Value::Int));
        }
        let event = NewEvent {
            data,
            ..NewEvent::new(kind, made::day())
        };
        // Concurrent ones too: each second event knows of the creation only.
        let known = if number % 2 == 0 { held.len() } else { 1 };
        if let Ok(change) = edit(
            &made::entries(&held[..known]),
            made::actor_of(who),
            &[Edit::Event(event)],
            &context,
        ) {
            held.push((made::envelope(who), change));
        }
    }
    let mut entries = made::entries(&held);
    let folded = fold(&RECORD, &entries, &context);
    assert_eq!(folded.status, Status::Ready, "its own form is not known");
    assert!(
        form.states.contains_key(&folded.state) || folded.state == "double_closed",
        "a state of no form"
    );
    entries.reverse();
    assert_eq!(fold(&RECORD, &entries, &context), folded, "the order of arrival shows");
}

fn value(kind: Type) -> Value {
    match kind {
        Type::Text => Value::Text("好".to_owned()),
        Type::Int => Value::Int(1),
        Type::Day => Value::Day(made::day()),
        Type::Flag => Value::Flag(true),
        Type::List => Value::List(vec!["m1".to_owned()]),
    }
}
