//! Who may emit which event in which state: asked where an event is typed, and again in the fold.

use super::edit::has_type;
use super::fold::DOUBLE_CLOSED;
use super::{Context, Folded, NewEvent, Status, Value, VoidReason, Who};
use crate::catalogue::Matter;
use crate::conflict::{ConflictId, ConflictKind};
use crate::form::{Condition, Effect, Entitled, Event, Form};
use crate::id::{Tier, UnitId};

/// Why an event is refused where it is typed: a message that says what to do next.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// What the legality of an event depends on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Point {
    pub(super) state: String,
    pub(super) decided_by: Option<UnitId>,
    pub(super) custody: Option<UnitId>,
}

/// The form with the matter that a record pins.
#[derive(Clone, Copy)]
pub(super) struct Law<'a> {
    pub(super) form: &'a Form,
    pub(super) matter: &'a Matter,
}

impl<'a> Law<'a> {
    /// Whether the event may be emitted at `point`.
    pub(super) fn judge(&self, kind: &str, point: &Point, unit: UnitId, tier: Tier) -> Result<&'a Event, VoidReason> {
        let event = self.form.events.get(kind).ok_or(VoidReason::UnknownEvent)?;
        let mut from_here = event
            .moves
            .iter()
            .filter(|m| m.from.iter().any(|from| self.is(&point.state, from)));
        let mut known = false;
        let entitled = from_here.any(|m| {
            known = true;
            m.who.iter().any(|who| self.entitles(who, point, unit, tier))
        });
        match (entitled, known) {
            (true, _) => Ok(event),
            (false, true) => Err(VoidReason::NotEntitled),
            (false, false) => Err(VoidReason::WrongState {
                state: point.state.clone(),
            }),
        }
    }

    fn is(&self, state: &str, from: &str) -> bool {
        match from {
            "*" => true,
            // Two closings that differ are closings: what they left nobody can take up before it is decided which counts.
            "open" => !self.form.is_end(state) && state != self.form.initial && state != DOUBLE_CLOSED,
            "end" => self.form.is_end(state),
            name => name == state,
        }
    }

    fn entitles(&self, who: &Entitled, point: &Point, unit: UnitId, tier: Tier) -> bool {
        who.tier.is_none_or(|t| t == tier)
            && match who.condition {
                Condition::Always => true,
                Condition::Direct => self.matter.is_direct(),
                Condition::OnTheSpot => self.matter.is_on_the_spot(),
                Condition::Decider => point.decided_by == Some(unit),
                Condition::Holder => point.custody == Some(unit),
            }
    }
}

/// Checks an event's data; names the first datum that is missing, of another type, or out of range.
pub(super) fn check_data<'e>(event: &'e Event, typed: &NewEvent) -> Result<(), &'e str> {
    for (name, datum) in &event.data {
        let fits = match typed.data.get(name) {
            None => !datum.required,
            Some(value) => {
                has_type(value, datum.kind)
                    && match value {
                        Value::Int(n) => datum.min.is_none_or(|min| min <= *n) && datum.max.is_none_or(|max| *n <= max),
                        Value::Text(text) => {
                            (!datum.required || !text.trim().is_empty())
                                && (datum.options.is_empty() || datum.options.contains(text))
                        }
                        Value::List(names) => !datum.required || names.iter().any(|n| !n.trim().is_empty()),
                        _ => true,
                    }
            }
        };
        if !fits {
            return Err(name);
        }
    }
    Ok(())
}

impl Folded {
    fn point(&self) -> Point {
        Point {
            state: self.state.clone(),
            decided_by: self.decided_by,
            custody: self.custody,
        }
    }

    /// The events that `who` may emit now, in the order in which the form shows them.
    pub fn allowed<'f>(&self, who: &Who, form: &'f Form, matter: &Matter) -> Vec<&'f str> {
        if self.status != Status::Ready {
            return Vec::new();
        }
        let (law, point) = (Law { form, matter }, self.point());
        let events = form.events.iter();
        let mut allowed: Vec<(u32, &str)> = events
            .filter(|(kind, _)| law.judge(kind, &point, who.unit, who.tier).is_ok())
            .map(|(kind, event)| (event.place, kind.as_str()))
            .collect();
        allowed.sort_unstable();
        allowed.into_iter().map(|(_, kind)| kind).collect()
    }

    /// Checks an event before it is written.
    ///
    /// # Errors
    /// A [`Refusal`] in the clerk's words: what is missing, what may be done instead, or whom to ask.
    pub fn check(&self, event: &NewEvent, who: &Who, ctx: &Context) -> Result<(), Refusal> {
        let refuse = |text: String| Err(Refusal(text));
        let (form, matter) = self.pinned(ctx)?;
        let law = Law { form, matter };
        let label = form.event_label(&event.kind);
        let declared = match law.judge(&event.kind, &self.point(), who.unit, who.tier) {
            Ok(declared) => declared,
            Err(VoidReason::UnknownEvent) => {
                return refuse(format!("没有“{}”这个环节，请检查名称", event.kind));
            }
            Err(reason) => return refuse(self.explain(&reason, label, who, law)),
        };
        if let Err(name) = check_data(declared, event) {
            let datum = &declared.data[name];
            let hint = match (datum.min, datum.max, datum.options.is_empty()) {
                (Some(min), Some(max), _) => format!("（{min}–{max}）"),
                (_, _, false) => format!("（可选：{}）", datum.options.join("、")),
                _ => String::new(),
            };
            return refuse(format!("“{label}”需要正确填写“{}”{hint}，请补填后再提交", datum.label));
        }
        if let Some(name) = event.data.keys().find(|name| !declared.data.contains_key(*name)) {
            return refuse(format!("“{label}”不需要“{name}”，请去掉后再提交"));
        }
        match declared.effect {
            Effect::Resolve => self.check_choice(event),
            Effect::CorrectDate => {
                let target = text(event, "event").unwrap_or_default();
                if self.events.iter().any(|e| e.id == target) {
                    return Ok(());
                }
                refuse(format!("本件没有编号为“{target}”的环节，请在详情中核对后再更正"))
            }
            Effect::HandOver if text(event, "to").and_then(UnitId::parse).is_none() => {
                refuse("接收单位无法识别，请从机构列表中选择".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn pinned<'c>(&self, ctx: &Context<'c>) -> Result<(&'c Form, &'c Matter), Refusal> {
        let waiting = || Refusal("该记录尚不完整（等待其他条目、模板或事项目录），请稍后再试".to_owned());
        let head = self
            .head
            .as_ref()
            .filter(|_| self.status == Status::Ready)
            .ok_or_else(waiting)?;
        let form = ctx.forms.of(&head.form).ok_or_else(waiting)?;
        let catalogue = ctx.catalogues.get(&head.catalogue).ok_or_else(waiting)?;
        let matter = catalogue
            .matters
            .iter()
            .find(|m| m.code == head.matter)
            .ok_or_else(waiting)?;
        Ok((form, matter))
    }

    fn explain(&self, reason: &VoidReason, label: &str, who: &Who, law: Law) -> String {
        let allowed: Vec<&str> = self
            .allowed(who, law.form, law.matter)
            .into_iter()
            .map(|kind| law.form.event_label(kind))
            .collect();
        let instead = if allowed.is_empty() {
            "请联系乡镇便民服务中心".to_owned()
        } else {
            format!("现在可以：{}", allowed.join("、"))
        };
        let state = law.form.state_label(&self.state);
        match reason {
            VoidReason::NotEntitled => {
                format!("本机构不能对该件“{label}”（当前：{state}），请由有权的机构办理；{instead}")
            }
            _ => format!("当前状态是“{state}”，不能“{label}”；{instead}"),
        }
    }

    fn check_choice(&self, event: &NewEvent) -> Result<(), Refusal> {
        let id = text(event, "conflict").and_then(ConflictId::parse);
        let Some(id) = id else {
            return Err(Refusal("冲突编号无法识别，请从冲突列表中复制".to_owned()));
        };
        // A conflict that spans records is known to the index, not to the record.
        let Some(conflict) = self.conflicts.iter().find(|c| c.id == id) else {
            return Ok(());
        };
        let choice = text(event, "choice").unwrap_or_default();
        if conflict.kind == ConflictKind::Overwritten || conflict.sides.iter().any(|side| side.id == choice) {
            return Ok(());
        }
        let sides: Vec<&str> = conflict.sides.iter().map(|side| side.id.as_str()).collect();
        Err(Refusal(format!("裁定结果须是其中之一：{}", sides.join("、"))))
    }
}

/// A text of an event's data.
pub(super) fn text<'e>(event: &'e NewEvent, name: &str) -> Option<&'e str> {
    match event.data.get(name) {
        Some(Value::Text(text)) => Some(text.trim()),
        _ => None,
    }
}

/// A number of an event's data.
pub(super) fn int(event: &NewEvent, name: &str) -> Option<i64> {
    match event.data.get(name) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

/// A list of an event's data, trimmed, without what is empty.
pub(super) fn list(event: &NewEvent, name: &str) -> Vec<String> {
    match event.data.get(name) {
        Some(Value::List(names)) => names
            .iter()
            .map(|n| n.trim().to_owned())
            .filter(|n| !n.is_empty())
            .collect(),
        _ => Vec::new(),
    }
}
