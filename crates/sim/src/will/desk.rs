//! What else is done at a desk: errands, materials, papers, the day's end, drafts, document numbers, bad evaluations, devices that get
//! another name or are held.

use ledger::day::Day;
use ledger::form::Form;
use ledger::id::{Tier, UserId};
use office::command::{
    CaseDo, CaseDoMany, CasePrint, CaseTick, Command, CommandError, DayClose, DocGive, DraftKeep, DraftKind, DraftOf,
    ErrandList, ErrandNew, FollowUp, Hold, Inbox, Lift, Malicious, Members, Paper, Rename, Work,
};
use serde_json::Value;

use super::acts::offers;
use crate::dice::Dice;
use crate::will::{KNOWN_MAX, Known, People, Person};

/// Whoever writes drafts: they lie in files of one person.
const DRAFTER: UserId = UserId([7; 8]);
const PAPERS: [Paper; 4] = [Paper::Receipt, Paper::Notice, Paper::Accepted, Paper::Closed];

/// A device as somebody remembers it from the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    device: String,
    is_held: bool,
}

impl Person {
    pub(super) fn at_desk(&mut self, people: &People, today: Day, dice: &mut Dice) -> Command {
        match (self.tier, dice.below(14)) {
            (_, 0..2) => self.new_errand(people, dice),
            (_, 2..6) => self.errand_event(dice),
            (_, 6) => self.draft(dice),
            (Tier::Room, 7..9) => self.tick(people, dice),
            (Tier::Room, 9) => Command::DayClose(DayClose {
                day: Some(today),
                ..DayClose::default()
            }),
            (Tier::Room, 10..12) => self.print(dice),
            (Tier::Room, _) => Command::Today,
            (_, 7..9) => self.accept_many(dice),
            (_, 9) => self.give_number(dice),
            (_, 10..12) => self.answer_the_angry(dice),
            _ => self.look_after_devices(dice),
        }
    }

    /// From a case, or by itself.
    fn new_errand(&self, people: &People, dice: &mut Dice) -> Command {
        let applicant = people.applicant(dice);
        let case = self.pick(dice).filter(|_| dice.per_mille(700)).map(|known| known.no);
        let of_case = case.is_some();
        Command::ErrandNew(ErrandNew {
            case,
            matter: if of_case { String::new() } else { applicant.matter },
            name: if of_case { String::new() } else { applicant.name },
            cert_no: if of_case { String::new() } else { applicant.cert_no },
            task: "代跑乡镇窗口".to_owned(),
            claim: dice.per_mille(300),
            ..ErrandNew::default()
        })
    }

    fn errand_event(&mut self, dice: &mut Dice) -> Command {
        let Some(errand) = dice.pick(&self.errands).cloned() else {
            return Command::ErrandList(ErrandList::default());
        };
        let form = Form::errand();
        let offered = form
            .events
            .iter()
            .filter(|(_, event)| offers(form, event, &errand.state, self.tier));
        let offered: Vec<&String> = offered.map(|(name, _)| name).collect();
        let event = dice.pick(&offered).map_or("progress", |name| name.as_str());
        self.about = Some(errand.no.clone());
        Command::CaseDo(CaseDo {
            number: errand.no,
            event: event.to_owned(),
            note: Some("材料已送到".to_owned()),
            reason: Some("经核查".to_owned()),
            to: (event == "hand_over").then(|| self.unit.clone()),
            ..CaseDo::default()
        })
    }

    fn draft(&self, dice: &mut Dice) -> Command {
        match dice.below(3) {
            0 => Command::DraftShow(DraftOf::new_case(DRAFTER)),
            1 => Command::DraftDrop(DraftOf::new_case(DRAFTER)),
            _ => Command::DraftKeep(DraftKeep {
                user: DRAFTER,
                kind: DraftKind::NewCase,
                text: format!("{{\"name\":\"王{}\"}}", dice.below(1_000)),
            }),
        }
    }

    fn tick(&mut self, people: &People, dice: &mut Dice) -> Command {
        let Some(known) = self.turn_to_a_case(dice) else {
            return self.list();
        };
        Command::CaseTick(CaseTick {
            items: people.materials(&known.matter, dice),
            number: known.no,
            ..CaseTick::default()
        })
    }

    fn print(&mut self, dice: &mut Dice) -> Command {
        let Some(known) = self.turn_to_a_case(dice) else {
            return self.list();
        };
        Command::CasePrint(CasePrint {
            number: known.no,
            paper: dice.pick(&PAPERS).copied().unwrap_or(Paper::Receipt),
            pressed: dice.per_mille(700),
            user: None,
        })
    }

    fn accept_many(&self, dice: &mut Dice) -> Command {
        let numbers: Vec<String> = self
            .known
            .iter()
            .filter(|_| dice.per_mille(300))
            .map(|known| known.no.clone())
            .collect();
        if numbers.is_empty() {
            return Command::Work(Work::Inbox(Inbox::default()));
        }
        Command::Work(Work::CaseDoMany(CaseDoMany {
            numbers,
            event: "accept".to_owned(),
            ..CaseDoMany::default()
        }))
    }

    fn give_number(&mut self, dice: &mut Dice) -> Command {
        let Some(known) = self.turn_to_a_case(dice) else {
            return self.list();
        };
        Command::Work(Work::DocGive(DocGive {
            number: known.no,
            reason: dice.per_mille(300).then(|| "写错作废".to_owned()),
            user: None,
        }))
    }

    fn answer_the_angry(&mut self, dice: &mut Dice) -> Command {
        let Some(known) = self.turn_to_a_case(dice) else {
            return self.list();
        };
        if dice.per_mille(300) {
            return Command::Work(Work::Malicious(Malicious {
                number: known.no,
                reason: "与事实不符".to_owned(),
                undo: dice.per_mille(300),
                ..Malicious::default()
            }));
        }
        Command::Work(Work::FollowUp(FollowUp {
            number: known.no,
            note: "已回访".to_owned(),
            close: dice.per_mille(400),
            ..FollowUp::default()
        }))
    }

    /// A device is given another name, or held until it is cleared up; who is held is let go sooner or later.
    fn look_after_devices(&self, dice: &mut Dice) -> Command {
        let Some(seen) = dice.pick(&self.devices).cloned() else {
            return Command::MemberList;
        };
        let reason = "来历待查".to_owned();
        Command::Members(match (seen.is_held, dice.below(10)) {
            (true, 0..8) => Members::Lift(Lift {
                device: seen.device,
                reason,
                root_key: None,
            }),
            (false, 0..2) => Members::Hold(Hold {
                device: seen.device,
                reason,
                root_key: None,
            }),
            (_, 2..6) => Members::Rename(Rename {
                device: seen.device,
                name: format!("窗口{}号机", dice.below(9)),
                reason,
                root_key: None,
            }),
            _ => return Command::MemberList,
        })
    }

    fn turn_to_a_case(&mut self, dice: &mut Dice) -> Option<Known> {
        let known = self.pick(dice)?;
        self.about = Some(known.no.clone());
        Some(known)
    }

    /// What was answered at the desk.
    pub(super) fn heard_at_desk(&mut self, command: &Command, answer: &Result<Value, CommandError>) {
        match (command, answer) {
            (Command::ErrandNew(_), Ok(value)) => self.remember_errand(value),
            (Command::ErrandList(_), Ok(value)) => {
                let lines = value["errands"].as_array();
                lines
                    .into_iter()
                    .flatten()
                    .rev()
                    .for_each(|line| self.remember_errand(line));
            }
            (Command::MemberList, Ok(Value::Array(lines))) => {
                let live = lines.iter().filter(|line| line["state"] != "revoked");
                let others = live.filter(|line| line["this_device"] != true);
                self.devices = others.filter_map(seen).collect();
            }
            _ => {}
        }
    }

    fn remember_errand(&mut self, errand: &Value) {
        let text = |key: &str| errand[key].as_str().unwrap_or_default().to_owned();
        let no = text("project_no");
        if no.is_empty() {
            return;
        }
        self.errands.retain(|known| known.no != no);
        self.errands.push(Known {
            no,
            state: text("state"),
            matter: String::new(),
            events: Vec::new(),
        });
        if self.errands.len() > KNOWN_MAX {
            self.errands.remove(0);
        }
    }

    /// Whether the last act was about an errand; then it is remembered as one.
    pub(super) fn is_about_errand(&mut self, value: &Value) -> bool {
        let about = self.about.as_ref();
        let is_errand = about.is_some_and(|no| self.errands.iter().any(|known| known.no == *no));
        if is_errand {
            self.remember_errand(value);
        }
        is_errand
    }
}

fn seen(line: &Value) -> Option<Seen> {
    Some(Seen {
        device: line["device"].as_str()?.to_owned(),
        is_held: line["state"] == "held",
    })
}
