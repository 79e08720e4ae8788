//! Making changes: a new record, or edits on top of everything that applies.

use std::num::NonZeroU64;

use automerge::legacy::{Key, ObjectId, Op, OpId as RawOpId, OpType};
use automerge::{ActorId, Change as RawChange, ChangeHash, ExpandedChange, ScalarValue};

use super::change::{CHANGE_BYTES_MAX, DEPS_MAX, OPS_MAX, OpId};
use super::document::Document;
use super::payload::{encode_event, encode_head, to_scalar};
use super::{Context, Creation, Edit, NewEvent, RecordEntry, Value};
use crate::form::{Form, Type};
use crate::id::Hash;

/// A note, or a text in a field, is at most this long.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Why a change cannot be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EditError {
    #[error("模板中没有“{0}”，请检查名称")]
    Undeclared(String),
    #[error("“{label}”的内容类型不对，请按要求重新填写")]
    WrongType { label: String },
    #[error("“{label}”属于个人信息，须先加密再保存")]
    NotSealed { label: String },
    #[error("该记录尚不完整（等待其他条目或模板），请稍后再试")]
    NotReady,
    #[error("内容过多或过长，请分几次填写")]
    TooMany,
}

/// Makes the creation change of a record: one raw change that holds head, fields, items and first events.
///
/// # Errors
/// What the form does not declare, a value of another type, a personal value that is not sealed, or too much at once.
pub fn create(actor: [u8; 16], creation: &Creation, form: &Form) -> Result<Vec<u8>, EditError> {
    let mut draft = Draft::new(actor, 1, 1, Vec::new());
    draft.put("h".to_owned(), ScalarValue::Bytes(encode_head(&creation.head)), &[]);
    for (name, value) in &creation.fields {
        draft.put(format!("f{name}"), field(form, name, value)?, &[]);
    }
    for item in &creation.items {
        for (key, value) in [
            ("name", Value::Text(item.name.clone())),
            ("received", Value::Flag(item.received)),
        ] {
            draft.put(item_key(&item.id, key)?, item_value(form, key, &value)?, &[]);
        }
    }
    for event in &creation.events {
        draft.event(form, event)?;
    }
    draft.finish()
}

/// Makes one change that carries all `edits`, on top of all entries that apply. An edited field replaces every value that
/// stands; if (actor, sequence) is taken by a change that does not apply, the next free actor of the process is used.
///
/// # Errors
/// [`EditError::NotReady`] while head or form are missing; else as for [`create`].
pub fn edit(entries: &[RecordEntry], actor: [u8; 16], edits: &[Edit], ctx: &Context) -> Result<Vec<u8>, EditError> {
    let document = Document::read(entries);
    let head = document.head.as_ref().ok_or(EditError::NotReady)?;
    let form = ctx.forms.of(&head.form).ok_or(EditError::NotReady)?;
    let tips = document.tips();
    let counter = tips.iter().map(|at| document.changes[*at].change.next_op()).max();
    let counter = counter.ok_or(EditError::NotReady)?;
    // More tips than a change may name: it then leaves the smallest Lamport times for the next one to join.
    let named = &tips[tips.len().saturating_sub(DEPS_MAX)..];
    let deps = named.iter().map(|at| document.changes[*at].change.hash).collect();
    let counter = if named.len() == tips.len() {
        counter
    } else {
        named
            .iter()
            .map(|at| document.changes[*at].change.next_op())
            .max()
            .unwrap_or(counter)
    };
    let (actor, seq) = free(&document, actor, named);
    let mut draft = Draft::new(actor, seq, counter, deps);
    let known = |at: usize| named.iter().any(|tip| *tip == at || document.precedes(at, *tip));
    let registers = document.registers_all();
    let standing = |key: &str| -> Vec<OpId> {
        let values = registers.get(key).into_iter().flatten();
        values.filter(|v| known(v.at)).map(|v| v.op).collect()
    };
    for edit in edits {
        match edit {
            Edit::Event(event) => draft.event(form, event)?,
            Edit::Field { name, value } => {
                let key = format!("f{name}");
                let preds = standing(&key);
                draft.put(key, field(form, name, value)?, &preds);
            }
            Edit::Item { id, key, value } => {
                let path = item_key(id, key)?;
                let preds = standing(&path);
                draft.put(path, item_value(form, key, value)?, &preds);
            }
            Edit::Note(text) => {
                let value = text_or_other(&Value::Text(text.clone())).ok_or(EditError::TooMany)?;
                draft.put(format!("n{:x}", draft.counter()), value, &[]);
            }
        }
    }
    draft.finish()
}

/// The next sequence number of `actor`, or of the first actor after it that is free.
fn free(document: &Document, mut actor: [u8; 16], tips: &[usize]) -> ([u8; 16], u64) {
    loop {
        let mine = document
            .changes
            .iter()
            .enumerate()
            .filter(|(_, c)| c.change.actor == actor);
        let last = mine.max_by_key(|(_, c)| c.change.seq);
        let known = last.is_none_or(|(at, _)| tips.iter().any(|tip| *tip == at || document.precedes(at, *tip)));
        let seq = last.map_or(1, |(_, c)| c.change.seq.saturating_add(1));
        if known && !document.taken.contains(&(actor, seq)) {
            return (actor, seq);
        }
        let mut process = [0; 8];
        process.copy_from_slice(&actor[8..]);
        actor[8..].copy_from_slice(&u64::from_be_bytes(process).wrapping_add(1).to_be_bytes());
    }
}

/// A change in the making.
struct Draft {
    actor: ActorId,
    seq: u64,
    start_op: u64,
    deps: Vec<Hash>,
    ops: Vec<Op>,
}

impl Draft {
    fn new(actor: [u8; 16], seq: u64, start_op: u64, deps: Vec<Hash>) -> Self {
        Self {
            actor: ActorId::from(actor),
            seq,
            start_op,
            deps,
            ops: Vec::new(),
        }
    }

    fn counter(&self) -> u64 {
        self.start_op + self.ops.len() as u64
    }

    fn put(&mut self, key: String, value: ScalarValue, preds: &[OpId]) {
        // Two edits of one register in one change: the later replaces the earlier too.
        let earlier = self.ops.iter().rposition(|op| op.key == Key::Map(key.as_str().into()));
        let preds: Vec<RawOpId> = match earlier {
            Some(place) => vec![RawOpId::new(self.start_op + place as u64, &self.actor)],
            None => preds
                .iter()
                .map(|(counter, actor)| RawOpId::new(*counter, &ActorId::from(*actor)))
                .collect(),
        };
        self.ops.push(Op {
            action: OpType::Put(value),
            obj: ObjectId::Root,
            key: Key::Map(key.into()),
            pred: preds.into(),
            insert: false,
        });
    }

    fn event(&mut self, form: &Form, event: &NewEvent) -> Result<(), EditError> {
        if !form.events.contains_key(&event.kind) {
            return Err(EditError::Undeclared(event.kind.clone()));
        }
        self.put(
            format!("e{:x}", self.counter()),
            ScalarValue::Bytes(encode_event(event)),
            &[],
        );
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>, EditError> {
        if self.ops.len() > OPS_MAX {
            return Err(EditError::TooMany);
        }
        let change = ExpandedChange {
            operations: self.ops,
            actor_id: self.actor,
            hash: None,
            seq: self.seq,
            start_op: NonZeroU64::new(self.start_op).unwrap_or(NonZeroU64::MIN),
            time: 0,
            message: None,
            deps: self.deps.iter().map(|hash| ChangeHash(hash.0)).collect(),
            extra_bytes: Vec::new(),
            author: None,
        };
        let bytes = RawChange::from(change).raw_bytes().to_vec();
        if bytes.len() > CHANGE_BYTES_MAX {
            return Err(EditError::TooMany);
        }
        Ok(bytes)
    }
}

fn field(form: &Form, name: &str, value: &Value) -> Result<ScalarValue, EditError> {
    let field = form
        .fields
        .get(name)
        .ok_or_else(|| EditError::Undeclared(name.to_owned()))?;
    let label = || field.label.clone();
    match value {
        Value::Sealed(_) if field.personal => {}
        _ if field.personal => return Err(EditError::NotSealed { label: label() }),
        value if has_type(value, field.kind) => {}
        _ => return Err(EditError::WrongType { label: label() }),
    }
    text_or_other(value).ok_or_else(|| EditError::WrongType { label: label() })
}

fn item_key(id: &str, key: &str) -> Result<String, EditError> {
    if id.is_empty() || id.len() > 128 || id.contains('/') {
        return Err(EditError::Undeclared(id.to_owned()));
    }
    Ok(format!("i{id}/{key}"))
}

fn item_value(form: &Form, key: &str, value: &Value) -> Result<ScalarValue, EditError> {
    let kind = form
        .item_keys
        .get(key)
        .ok_or_else(|| EditError::Undeclared(key.to_owned()))?;
    let wrong = || EditError::WrongType {
        label: form.items_label.clone(),
    };
    if !has_type(value, *kind) {
        return Err(wrong());
    }
    text_or_other(value).ok_or_else(wrong)
}

fn text_or_other(value: &Value) -> Option<ScalarValue> {
    match value {
        Value::Text(text) if text.len() > TEXT_BYTES_MAX => None,
        value => to_scalar(value),
    }
}

/// Whether a value is of a declared type. A sealed value stands for any text.
pub(super) fn has_type(value: &Value, kind: Type) -> bool {
    matches!(
        (value, kind),
        (Value::Text(_) | Value::Sealed(_), Type::Text)
            | (Value::Int(_), Type::Int)
            | (Value::Day(_), Type::Day)
            | (Value::Flag(_), Type::Flag)
            | (Value::List(_), Type::List)
    )
}
