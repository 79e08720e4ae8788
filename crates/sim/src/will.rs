//! The will: what clerks, township staff and citizens do, and when.
//!
//! One [`Person`] sits at each device. They see what is answered to them, and nothing else. They keep office hours (clocks on the wall are right even where the PC's is not), meet the same
//! applicants again and again, act by the form's table most of the time and against it now and then, and learn the numbers of cases
//! from lists, as people do: what they believe of a case may be old, so two tiers act on one case at once.

mod acts;
mod desk;
mod people;
mod rhythm;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ledger::catalogue::Catalogue;
use ledger::day::Day;
use ledger::id::Tier;
use office::command::{
    CaseFind, CaseImport, CaseList, CaseShow, Command, CommandError, ConflictResolve, Members, Reveal, Work,
};
use serde_json::Value;

use crate::clock::DAY_0_MS;
use crate::county::{County, MATTERS};
use crate::dice::Dice;
use crate::world::{Seat, World};

pub use people::People;
pub(crate) use people::cert_no;
pub use rhythm::{Rhythm, is_open};

/// Cases that one person has in mind.
const KNOWN_MAX: usize = 40;
/// Conflict items that one person has in mind.
const ITEMS_MAX: usize = 12;

/// How busy a county is, and how its people are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// Acts of a room's clerk in a day of eight hours; a case takes four or five.
    pub room_acts: u64,
    pub township_acts: u64,
    pub county_acts: u64,
    /// Of a thousand events, how many are against the table.
    pub against_table_pm: u64,
    /// Of a thousand acts, how many are a look at the device's health (`verify`, `reindex`, `status`).
    pub care_pm: u64,
    /// Of a thousand acts, how many erase somebody.
    pub erase_pm: u64,
    /// Of a thousand acts, how many take over a piece of a day book.
    pub import_pm: u64,
    /// Of a thousand acts, how many are other work at the desk: errands, papers, drafts, devices.
    pub desk_pm: u64,
    /// Persons who come to the windows; the fewer, the more duplicates.
    pub persons: u64,
    /// Whether people keep office hours; without, time is used up faster.
    pub hours: Hours,
}

/// When people act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hours {
    Office,
    AroundTheClock,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            room_acts: 12,
            township_acts: 16,
            county_acts: 6,
            against_table_pm: 60,
            care_pm: 15,
            erase_pm: 4,
            import_pm: 8,
            desk_pm: 150,
            persons: 300,
            hours: Hours::Office,
        }
    }
}

impl Rates {
    fn rhythm(&self, tier: Tier) -> Rhythm {
        Rhythm {
            acts_per_day: match tier {
                Tier::Room => self.room_acts,
                Tier::Township => self.township_acts,
                Tier::County => self.county_acts,
            },
            hours: self.hours,
        }
    }
}

/// A case as somebody remembers it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Known {
    pub(crate) no: String,
    pub(crate) state: String,
    pub(crate) matter: String,
    /// Ids of events seen on its page, for corrections.
    pub(crate) events: Vec<String>,
}

/// An open conflict item and the choices it offers.
#[derive(Clone, PartialEq, Eq, Debug)]
struct OpenItem {
    id: String,
    choices: Vec<String>,
}

/// All people of a county, and what they remember between deeds.
pub struct Will {
    rates: Rates,
    people: People,
    persons: BTreeMap<Seat, Person>,
}

impl Default for Will {
    fn default() -> Self {
        Self::new(Rates::default())
    }
}

impl Will {
    /// People of so much zeal.
    ///
    /// # Panics
    /// When the catalogue of the real county does not read, which a test of `ledger` excludes.
    pub fn new(rates: Rates) -> Self {
        let catalogue = Catalogue::from_tsv(MATTERS).unwrap_or_else(|e| panic!("matters.tsv: {e}"));
        Self {
            rates,
            people: People::new(rates.persons, &catalogue),
            persons: BTreeMap::new(),
        }
    }

    /// Somebody does something at a device, or at the one that has taken its place, or at its twin. All choices come from `dice`, so
    /// that a deed can be dropped from a story without changing those that follow. Returns what was done, for the story.
    pub fn act(&mut self, world: &mut World, county: &County, seat: Seat, dice: &mut Dice) -> String {
        let seat = county.at_work(seat, dice);
        let Some(member) = county.member(seat) else {
            return "nobody is there".to_owned();
        };
        let (rates, unit) = (self.rates, member.unit.clone());
        let person = self
            .persons
            .entry(seat)
            .or_insert_with(|| Person::new(tier_of(&unit), &unit, rates));
        let wall_ms = DAY_0_MS + i64::try_from(world.now_ms()).unwrap_or(i64::MAX);
        let command = person.act(&self.people, Day::of_wall_ms(wall_ms), dice);
        let answer = world.command(seat, &command);
        person.heard(&command, &answer);
        told(&command, &answer)
    }

    /// When people act in so many days: for the plan of a story.
    pub fn deeds(rates: &Rates, seats: &[(Seat, Tier)], days: u64, dice: &mut Dice) -> Vec<(u64, Seat)> {
        let mut deeds = Vec::new();
        for (seat, tier) in seats {
            let rhythm = rates.rhythm(*tier);
            let mut at_ms = rhythm.next_ms(0, dice);
            while at_ms < days * rhythm::DAY_MS {
                deeds.push((at_ms, *seat));
                at_ms = rhythm.next_ms(at_ms, dice);
            }
        }
        deeds.sort_unstable();
        deeds
    }
}

/// The tier of a unit by its 12-digit code.
pub fn tier_of(unit: &str) -> Tier {
    match (unit.get(6..), unit.get(9..)) {
        (Some("000000"), _) => Tier::County,
        (_, Some("000")) => Tier::Township,
        _ => Tier::Room,
    }
}

fn told(command: &Command, answer: &Result<Value, CommandError>) -> String {
    let what = match command {
        Command::CaseNew(_) => "records a case".to_owned(),
        Command::CaseDo(act) => format!("{} {}", act.event, act.number),
        Command::CaseEdit(edit) => format!("edits {} of {}", edit.field, edit.number),
        Command::CaseErase(erase) => format!("erases {}", erase.number),
        Command::CaseImport(_) => "takes over a day book".to_owned(),
        Command::ErrandNew(_) => "writes an errand down".to_owned(),
        Command::CaseTick(tick) => format!("ticks materials of {}", tick.number),
        Command::CasePrint(print) => format!("prints {:?} of {}", print.paper, print.number),
        Command::DayClose(_) => "closes the day".to_owned(),
        Command::DraftKeep(_) | Command::DraftDrop(_) => "drafts".to_owned(),
        Command::Work(work) => format!("works: {}", work_told(work)),
        Command::Members(Members::Hold(hold)) => format!("holds {}", start_of(&hold.device)),
        Command::Members(Members::Lift(lift)) => format!("lets {} go on", start_of(&lift.device)),
        Command::Members(Members::Rename(rename)) => format!("names {} {}", start_of(&rename.device), rename.name),
        Command::ConflictResolve(it) => format!("decides {}", start_of(&it.id)),
        Command::Verify => "verifies".to_owned(),
        Command::Reindex => "makes the index anew".to_owned(),
        _ => "looks".to_owned(),
    };
    match answer {
        Ok(value) => match value["project_no"].as_str() {
            Some(no) if !what.contains(no) => format!("{what}: {no}"),
            _ => what,
        },
        Err(error) => format!("{what}: {}", error.code),
    }
}

fn start_of(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn work_told(work: &Work) -> String {
    match work {
        Work::CaseDoMany(many) => format!("{} {} cases", many.event, many.numbers.len()),
        Work::DocGive(give) => format!("a document number for {}", give.number),
        Work::FollowUp(follow) => format!("follows {} up", follow.number),
        Work::Malicious(it) => format!("judges the evaluation of {}", it.number),
        _ => "looks".to_owned(),
    }
}

/// Whoever sits at one device.
#[derive(Clone, Debug)]
pub struct Person {
    tier: Tier,
    /// The 12-digit code of the unit.
    unit: String,
    rates: Rates,
    known: Vec<Known>,
    items: Vec<OpenItem>,
    errands: Vec<Known>,
    devices: Vec<desk::Seen>,
    /// What the last act was about.
    about: Option<String>,
}

impl Person {
    /// Somebody at a device of a unit with this 12-digit code.
    pub fn new(tier: Tier, unit: &str, rates: Rates) -> Self {
        Self {
            tier,
            unit: unit.to_owned(),
            rates,
            known: Vec::new(),
            items: Vec::new(),
            errands: Vec::new(),
            devices: Vec::new(),
            about: None,
        }
    }

    /// The tier at which this person works.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// What this person does now. `today` is the date on the wall.
    pub fn act(&mut self, people: &People, today: Day, dice: &mut Dice) -> Command {
        self.about = None;
        let rates = self.rates;
        if dice.per_mille(rates.care_pm) {
            return self.care(dice);
        }
        if dice.per_mille(rates.erase_pm)
            && let Some(known) = self.pick(dice)
        {
            return self.erase(&known);
        }
        if self.tier == Tier::Room && dice.per_mille(rates.import_pm) {
            return Command::CaseImport(CaseImport {
                data: people.day_book(dice, &self.unit, today),
                lines_before: 0,
                preview: false,
                user: None,
            });
        }
        if dice.per_mille(rates.desk_pm) {
            return self.at_desk(people, today, dice);
        }
        match (self.tier, dice.below(100)) {
            (Tier::Room, 0..30) | (Tier::Township, 0..4) | (Tier::County, 0..2) => self.new_case(people, today, dice),
            (_, 30..39) => self.list(),
            (_, 39..42) => self.find(dice),
            (_, 42..50) => self.show(dice),
            (Tier::Room, 50..58) => self.edit(people, dice),
            (Tier::Township | Tier::County, 50..58) => self.conflicts(dice),
            (Tier::Township, 58..62) => self.edit(people, dice),
            _ => self.event(people, today, dice),
        }
    }

    fn list(&mut self) -> Command {
        Command::CaseList(CaseList {
            unit: None,
            state: None,
            limit: Some(KNOWN_MAX),
        })
    }

    /// Looks for a case by the end of its number, as it is read out over the telephone, or by its matter.
    fn find(&mut self, dice: &mut Dice) -> Command {
        let Some(known) = self.pick(dice) else {
            return self.list();
        };
        let by_matter = dice.per_mille(300) && !known.matter.is_empty();
        let end = known.no.get(known.no.len().saturating_sub(4)..).unwrap_or_default();
        Command::CaseFind(CaseFind {
            text: if by_matter { String::new() } else { end.to_owned() },
            matter: by_matter.then(|| known.matter.clone()),
            ..CaseFind::default()
        })
    }

    fn show(&mut self, dice: &mut Dice) -> Command {
        match self.pick(dice) {
            Some(known) => {
                self.about = Some(known.no.clone());
                // Now and then somebody has to see the whole number; the trail says so.
                let reveal = dice.per_mille(100).then(|| Reveal {
                    reason: "核对材料".to_owned(),
                    ..Reveal::default()
                });
                Command::CaseShow(CaseShow {
                    number: known.no,
                    reveal,
                })
            }
            None => self.list(),
        }
    }

    /// Decides an item that is known, or looks for items.
    fn conflicts(&mut self, dice: &mut Dice) -> Command {
        let at = dice.index(self.items.len());
        if self.items.is_empty() || dice.per_mille(300) {
            return Command::ConflictList;
        }
        let item = self.items.swap_remove(at);
        let undo = dice.per_mille(60);
        let choice = dice.pick(&item.choices).cloned();
        Command::ConflictResolve(ConflictResolve {
            id: item.id,
            choose: match choice {
                Some(choice) if !undo => choice,
                _ => "undo".to_owned(),
            },
            note: None,
            user: None,
            cover: None,
        })
    }

    fn care(&mut self, dice: &mut Dice) -> Command {
        match dice.below(10) {
            0..3 => Command::Verify,
            3..5 => Command::Reindex,
            5..7 => Command::Status,
            7 => Command::QuarantineList,
            8 => Command::MemberList,
            _ if self.tier == Tier::Room => Command::Status,
            _ => Command::Rooms,
        }
    }

    fn pick(&self, dice: &mut Dice) -> Option<Known> {
        dice.pick(&self.known).cloned()
    }

    /// What was answered: people remember it.
    pub fn heard(&mut self, command: &Command, answer: &Result<Value, CommandError>) {
        self.heard_at_desk(command, answer);
        match (command, answer) {
            (Command::CaseDo(_), Ok(value)) if self.is_about_errand(value) => {}
            (Command::CaseNew(_) | Command::CaseDo(_) | Command::CaseEdit(_), Ok(value)) => self.remember(value),
            (Command::CaseList(_), Ok(Value::Array(lines))) => lines.iter().rev().for_each(|line| self.remember(line)),
            (Command::CaseShow(_), Ok(value)) => self.remember(value),
            (Command::ConflictList, Ok(Value::Array(items))) => {
                self.items = items
                    .iter()
                    .filter(|i| i["state"] == "open")
                    .filter_map(open_item)
                    .collect();
                self.items.truncate(ITEMS_MAX);
            }
            // What is not found is forgotten.
            (_, Err(error)) if error.code != "refused" => {
                if let Some(no) = self.about.take() {
                    self.known.retain(|k| k.no != no);
                    self.errands.retain(|k| k.no != no);
                }
            }
            _ => {}
        }
    }

    fn remember(&mut self, case: &Value) {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let no = text("project_no");
        if no.is_empty() {
            return;
        }
        let before = self
            .known
            .iter()
            .position(|k| k.no == no)
            .map(|at| self.known.remove(at));
        let (matter, events) = before.map(|k| (k.matter, k.events)).unwrap_or_default();
        let shown: Vec<String> = case["events"]
            .as_array()
            .map(|events| {
                events
                    .iter()
                    .filter_map(|e| e["id"].as_str().map(str::to_owned))
                    .collect()
            })
            .unwrap_or(events);
        self.known.push(Known {
            no,
            state: text("state"),
            matter: Some(text("matter")).filter(|m| !m.is_empty()).unwrap_or(matter),
            events: shown,
        });
        if self.known.len() > KNOWN_MAX {
            self.known.remove(0);
        }
    }
}

fn open_item(item: &Value) -> Option<OpenItem> {
    let choices = item["choices"].as_array()?;
    let choices: Vec<String> = choices
        .iter()
        .filter_map(|c| c["choice"].as_str().or(c.as_str()).map(str::to_owned))
        .collect();
    Some(OpenItem {
        id: item["id"].as_str()?.to_owned(),
        choices,
    })
}
