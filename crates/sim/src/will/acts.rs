//! Single acts at the window and behind it.

use ledger::day::Day;
use ledger::form::{Event, Form};
use ledger::id::Tier;
use office::command::{CaseDo, CaseEdit, CaseErase, Command, Evaluate};

use crate::dice::Dice;
use crate::will::{Known, People, Person};

/// Events that people do rarely, one in so many times that the table would let them.
const RARE: [(&str, u64); 9] = [
    ("note", 6),
    ("give_back", 6),
    ("void", 12),
    ("withdraw", 8),
    ("return", 8),
    ("refuse", 6),
    ("hand_over", 8),
    ("correct_date", 6),
    ("reopen", 5),
];

impl Person {
    pub(super) fn new_case(&mut self, people: &People, today: Day, dice: &mut Dice) -> Command {
        let mut case = people.applicant(dice);
        if dice.per_mille(60) {
            case.on = Some(today.plus(-(dice.below(15) as i32)));
        }
        Command::CaseNew(case)
    }

    pub(super) fn edit(&mut self, people: &People, dice: &mut Dice) -> Command {
        let Some(known) = self.pick(dice) else {
            return self.list();
        };
        self.about = Some(known.no.clone());
        let fields = ["mobile", "mobile", "name", "address", "remark", "doc_no", "cert_no"];
        let field = dice.pick(&fields).copied().unwrap_or("mobile");
        Command::CaseEdit(CaseEdit {
            number: known.no,
            field: field.to_owned(),
            value: people.value(field, dice),
            reason: None,
            user: None,
            cover: None,
        })
    }

    pub(super) fn erase(&mut self, known: &Known) -> Command {
        self.about = Some(known.no.clone());
        Command::CaseErase(CaseErase {
            number: known.no.clone(),
            reason: "本人要求".to_owned(),
        })
    }

    /// An event of a case in mind: one that the table offers for what the case was when last seen, or, now and then, any.
    pub(super) fn event(&mut self, people: &People, today: Day, dice: &mut Dice) -> Command {
        let Some(known) = self.pick(dice) else {
            return self.list();
        };
        let form = Form::case();
        let against = dice.per_mille(self.rates.against_table_pm);
        let tier = self.tier;
        let mut offered: Vec<&String> = form
            .events
            .iter()
            .filter(|(name, event)| *name != "resolve" && (against || offers(form, event, &known.state, tier)))
            .map(|(name, _)| name)
            .collect();
        // What is done every day comes first; the rest now and then.
        offered.retain(|name| match RARE.iter().find(|(rare, _)| rare == name) {
            Some((_, times)) => against || dice.below(*times) == 0,
            None => true,
        });
        let Some(name) = dice.pick(&offered).map(|n| (*n).clone()) else {
            return self.list();
        };
        self.about = Some(known.no.clone());
        if name == "evaluate" {
            // The applicant's press: what it is known by takes nothing from the dice.
            return Command::Evaluate(Evaluate {
                number: known.no.clone(),
                rating: 1 + dice.below(5) as u8,
                press: format!("{today}/{}", known.events.len()),
            });
        }
        Command::CaseDo(self.typed(people, &known, &name, today, dice))
    }

    fn typed(&self, people: &People, known: &Known, event: &str, today: Day, dice: &mut Dice) -> CaseDo {
        let mut act = CaseDo {
            number: known.no.clone(),
            event: event.to_owned(),
            ..CaseDo::default()
        };
        if dice.per_mille(50) {
            act.on = Some(today.plus(-(dice.below(4) as i32)));
        }
        match event {
            "ask" | "supply" | "give_back" => act.items = people.materials(&known.matter, dice),
            "refuse" | "void" | "reopen" => act.reason = Some("经核查".to_owned()),
            "withdraw" | "return" => act.note = Some("本人撤回".to_owned()),
            "suspend" => act.result = Some((1 + dice.below(2)).to_string()),
            // Results differ now and then: two closings while apart become a conflict.
            "close" => act.result = Some(if dice.per_mille(800) { 6 } else { dice.below(8) }.to_string()),
            "hand_over" => act.note = Some(self.unit.clone()),
            "correct_date" => {
                act.items = known.events.first().cloned().into_iter().collect();
                act.on = Some(today.plus(-1));
                act.reason = Some("登记有误".to_owned());
            }
            "note" => act.note = Some("已电话告知".to_owned()),
            _ => {}
        }
        act
    }
}

/// Whether the table may let somebody of a tier do this to a case in this state; conditions are left to the office.
pub(super) fn offers(form: &Form, event: &Event, state: &str, tier: Tier) -> bool {
    event.moves.iter().any(|m| {
        let from = m.from.iter().any(|f| match f.as_str() {
            "*" => true,
            "open" => !form.is_end(state),
            "end" => form.is_end(state),
            named => named == state,
        });
        from && m.who.iter().any(|w| w.tier.is_none_or(|t| t == tier))
    })
}
