//! One month of a full county: its rooms, townships, cases and outages as they are, and figures of what people would have seen.

mod meter;

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use anyhow::Context as _;
use ledger::calendar::Calendar;
use ledger::day::Day;
use office::command::{CaseDo, CaseEdit, CaseNew, Command, Evaluate};
use replica::statement::Role;

use crate::clock::DAY_0_MS;
use crate::county::{County, HOLIDAYS, MATTERS};
use crate::dice::Dice;
use crate::line::Conditions;
use crate::story::{DAY_MS, apart};
use crate::will::cert_no;
use crate::world::{Blocked, LineId, Seat, World};
pub use meter::{Meter, spread};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Cases that a busy room takes on its market day, at most.
const MARKET_CASES_MAX: u64 = 50;
/// One workday in so many is a room's market day, and one room in so many has one at all.
const MARKET_EVERY: u64 = 10;
const MARKET_ROOMS: usize = 30;
/// Persons who may come, all over the county.
const PERSONS: u64 = 60_000;
/// Of a thousand cases so many go all their way within the days that are watched, and of so many somebody in the room closes it, too.
const FINISHED_PM: u64 = 300;
const CLOSED_TWICE_PM: u64 = 15;
/// After the last day all lines are healed; then everything must be in step within this.
const HEALED_MS_MAX: u64 = 30 * MINUTE_MS;

/// How large the county is and how long it is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Month {
    pub seed: u64,
    pub days: u64,
    pub townships: usize,
    pub sub_centres: usize,
    pub rooms: usize,
    pub cases_per_workday: u64,
}

impl Month {
    /// A county of the size of the sample county, for thirty days.
    pub fn full(seed: u64) -> Self {
        Self {
            seed,
            days: 30,
            townships: 32,
            sub_centres: 12,
            rooms: 462,
            cases_per_workday: 1_130,
        }
    }
}

/// What came of it.
pub struct Figures {
    pub month: Month,
    pub workdays: u64,
    pub cases: u64,
    pub changes: u64,
    /// Commands that an office refused, by their code.
    pub refused: BTreeMap<&'static str, u64>,
    pub outages: u64,
    pub outage_ms: u64,
    pub meter: Meter,
    pub bytes: u64,
    pub frames: u64,
    /// Open and settled conflict items at the county, by kind.
    pub conflicts: BTreeMap<String, u64>,
    pub healed_ms: Option<u64>,
    pub apart: Vec<String>,
    /// What the oracle found, and how much it has compared.
    pub violations: Vec<String>,
    pub compared: u64,
    pub trace: u64,
    pub events: u64,
}

/// Something that is going to happen.
#[derive(Clone, Debug)]
enum Plan {
    New(Seat),
    /// A change of a case of this room: by the room itself, or by the township.
    Change {
        room: Seat,
        number: String,
        change: Change,
    },
    Cut {
        line: LineId,
        ms: u64,
    },
    Heal(LineId),
}

#[derive(Clone, Copy, Debug)]
enum Change {
    NoteInRoom,
    AcceptAtTownship,
    ProcessAtTownship,
    DecideAtTownship,
    CloseAtTownship,
    CloseInRoom,
    EvaluateInRoom,
    MobileInRoom,
    MobileAtTownship,
}

/// A county as it runs.
struct Running<'a> {
    world: World,
    county: County,
    plans: BTreeMap<(u64, u64), Plan>,
    made: u64,
    dice: Dice,
    figures: Figures,
    say: &'a mut dyn FnMut(&str),
}

/// Lets a month go by. `say` hears of every day.
///
/// # Errors
/// When the county cannot be founded.
pub fn run(month: Month, say: &mut dyn FnMut(&str)) -> anyhow::Result<Figures> {
    let mut running = Running::found(month, say)?;
    running.plan()?;
    running.days();
    Ok(running.close())
}

impl<'a> Running<'a> {
    fn found(month: Month, say: &'a mut dyn FnMut(&str)) -> anyhow::Result<Self> {
        let mut world = World::new(month.seed);
        world.meter = Some(Meter::default());
        let hubs = month.townships + month.sub_centres;
        let divisions = divisions(&month);
        say(&format!(
            "founding {hubs} townships and sub-centres, {} rooms",
            month.rooms
        ));
        let county = County::found_by(&mut world, "519801", &divisions, hubs, month.rooms)?;
        let mut dice = Dice::new(month.seed ^ 0x0a11_0000);
        for line in world.line_ids() {
            let conditions = [Conditions::draw(&mut dice), Conditions::draw(&mut dice)];
            world.set_conditions(line, conditions);
        }
        let mut meter = world.meter.take().unwrap_or_default();
        let device = world.device_of(county.top()).context("the county's hub")?;
        meter.county(county.top(), device);
        for member in county.members.iter().filter(|m| m.role == Role::Node) {
            let (hub, _) = member.parent.context("a room's hub")?;
            meter.room(member.seat, hub, world.device_of(hub).context("a hub")?);
        }
        world.meter = Some(meter);
        world.traffic = Default::default();
        Ok(Self {
            world,
            county,
            plans: BTreeMap::new(),
            made: 0,
            dice,
            figures: Figures::of(month),
            say,
        })
    }

    fn add(&mut self, at_ms: u64, plan: Plan) {
        self.made += 1;
        self.plans.insert((at_ms, self.made), plan);
    }

    /// Cases of every workday, and outages of every day.
    fn plan(&mut self) -> anyhow::Result<()> {
        let calendar = Calendar::from_tsv(HOLIDAYS).map_err(|e| anyhow::anyhow!("holidays.tsv: {}", e.reason))?;
        let month = self.figures.month;
        let rooms = self.county.seats(Role::Node);
        let first = self.world.now_ms() / DAY_MS + 1;
        for day in first..first + month.days {
            self.outages(day);
            let date = Day::of_wall_ms(DAY_0_MS + i64::try_from(day * DAY_MS)?);
            if !calendar.is_workday(date) {
                continue;
            }
            self.figures.workdays += 1;
            let mut left = month.cases_per_workday;
            for (at, room) in rooms.iter().enumerate() {
                if at % MARKET_ROOMS == 0 && (day + at as u64 / 30).is_multiple_of(MARKET_EVERY) {
                    let cases = self.dice.between(MARKET_CASES_MAX / 2, MARKET_CASES_MAX + 1).min(left);
                    left -= cases;
                    for _ in 0..cases {
                        self.window(day, *room);
                    }
                }
            }
            for _ in 0..left {
                let room = self.dice.pick(&rooms).copied().context("no rooms")?;
                self.window(day, room);
            }
        }
        Ok(())
    }

    /// Somebody comes to the window: half past eight to noon, two to half past five.
    fn window(&mut self, day: u64, room: Seat) {
        let minute = self.dice.below(420);
        let from = if minute < 210 {
            8 * 60 + 30 + minute
        } else {
            14 * 60 + minute - 210
        };
        let at = day * DAY_MS + from * MINUTE_MS + self.dice.below(MINUTE_MS);
        self.add(at, Plan::New(room));
    }

    /// Rural lines: some rooms lose theirs for hours on a day, few for days or weeks, a township now and then for hours.
    fn outages(&mut self, day: u64) {
        for line in self.world.line_ids() {
            let is_hub = line.0 < self.figures.month.townships + self.figures.month.sub_centres;
            let ms = match self.dice.below(1_000) {
                0..3 if !is_hub => self.dice.between(DAY_MS, 14 * DAY_MS),
                3..33 if !is_hub => self.dice.between(HOUR_MS, 12 * HOUR_MS),
                33..43 => self.dice.between(30 * MINUTE_MS, 4 * HOUR_MS),
                43..63 => self.dice.between(MINUTE_MS, 20 * MINUTE_MS),
                _ => continue,
            };
            let at = day * DAY_MS + self.dice.below(DAY_MS);
            self.add(at, Plan::Cut { line, ms });
        }
    }

    fn days(&mut self) {
        let mut day = 0;
        while let Some(((at_ms, _), plan)) = self.plans.pop_first() {
            self.world.run_until(at_ms);
            self.happen(plan);
            if at_ms / DAY_MS > day {
                day = at_ms / DAY_MS;
                let text = format!(
                    "day {day}: {} cases, {} changes",
                    self.figures.cases, self.figures.changes
                );
                (self.say)(&text);
            }
        }
    }

    fn happen(&mut self, plan: Plan) {
        match plan {
            Plan::New(room) => self.record(room),
            Plan::Change { room, number, change } => self.change(room, number, change),
            Plan::Cut { line, ms } => {
                self.figures.outages += 1;
                self.figures.outage_ms += ms;
                self.world.block(line, Blocked::Both, ms);
                let seat = self.world.line_state(line).ends[0];
                if let Some(meter) = &mut self.world.meter {
                    meter.cut(seat);
                }
                self.add(self.world.now_ms() + ms + 1, Plan::Heal(line));
            }
            Plan::Heal(line) => {
                let (state, now) = (self.world.line_state(line), self.world.now_ms());
                if state.blocked == [false, false]
                    && let Some(meter) = &mut self.world.meter
                {
                    meter.healed(state.ends[0], now);
                }
            }
        }
    }

    fn record(&mut self, room: Seat) {
        let person = self.dice.below(PERSONS);
        let new = CaseNew {
            matter: self.matter(),
            name: "张三".to_owned(),
            cert_no: cert_no(person),
            mobile: Some("13800138000".to_owned()),
            address: Some("三组 12 号".to_owned()),
            ..CaseNew::default()
        };
        let made = self.ask(room, &Command::CaseNew(new));
        let Some(number) = made.and_then(|v| v["project_no"].as_str().map(str::to_owned)) else {
            return;
        };
        self.figures.cases += 1;
        let now = self.world.now_ms();
        let mut follow = vec![
            (self.dice.between(MINUTE_MS, 30 * MINUTE_MS), Change::NoteInRoom),
            (
                self.dice.between(30 * MINUTE_MS, 26 * HOUR_MS),
                Change::AcceptAtTownship,
            ),
        ];
        if self.dice.per_mille(20) {
            let soon = self.dice.between(HOUR_MS, 3 * HOUR_MS);
            follow.push((soon, Change::MobileInRoom));
            follow.push((soon + self.dice.below(HOUR_MS), Change::MobileAtTownship));
        }
        if self.dice.per_mille(FINISHED_PM) {
            follow.extend(self.finish());
        }
        for (after, change) in follow {
            let number = number.clone();
            self.add(now + after, Plan::Change { room, number, change });
        }
    }

    /// Worked on, decided, closed and judged, over some days.
    fn finish(&mut self) -> Vec<(u64, Change)> {
        let mut at = 26 * HOUR_MS;
        let mut way = Vec::new();
        for change in [
            Change::ProcessAtTownship,
            Change::DecideAtTownship,
            Change::CloseAtTownship,
        ] {
            at += self.dice.between(HOUR_MS, 30 * HOUR_MS);
            way.push((at, change));
        }
        if self.dice.per_mille(CLOSED_TWICE_PM) {
            way.push((at - self.dice.below(2 * HOUR_MS), Change::CloseInRoom));
        }
        way.push((at + self.dice.between(HOUR_MS, 20 * HOUR_MS), Change::EvaluateInRoom));
        way
    }

    fn matter(&mut self) -> String {
        let lines: Vec<&str> = MATTERS.lines().skip(1).collect();
        let line = self.dice.pick(&lines).copied().unwrap_or_default();
        line.split('\t').next().unwrap_or_default().to_owned()
    }

    fn change(&mut self, room: Seat, number: String, change: Change) {
        let hub = self
            .county
            .member(room)
            .and_then(|m| m.parent)
            .map_or(room, |(hub, _)| hub);
        let closes = |result: &str| {
            Command::CaseDo(CaseDo {
                number: number.clone(),
                event: "close".to_owned(),
                result: Some(result.to_owned()),
                ..CaseDo::default()
            })
        };
        let event = |event: &str| {
            Command::CaseDo(CaseDo {
                number: number.clone(),
                event: event.to_owned(),
                note: (event == "note").then(|| "已电话告知".to_owned()),
                ..CaseDo::default()
            })
        };
        let mobile = |value: &str| {
            Command::CaseEdit(CaseEdit {
                number: number.clone(),
                field: "mobile".to_owned(),
                value: value.to_owned(),
                reason: None,
                user: None,
                cover: None,
            })
        };
        let (seat, command) = match change {
            Change::NoteInRoom => (room, event("note")),
            Change::AcceptAtTownship => (hub, event("accept")),
            Change::ProcessAtTownship => (hub, event("process")),
            Change::DecideAtTownship => (hub, event("decide")),
            Change::CloseAtTownship => (hub, closes("6")),
            Change::CloseInRoom => (room, closes("7")),
            Change::EvaluateInRoom => {
                let rating = 1 + self.dice.below(5) as u8;
                (
                    room,
                    Command::Evaluate(Evaluate {
                        number: number.clone(),
                        rating,
                        press: number.clone(),
                    }),
                )
            }
            Change::MobileInRoom => (room, mobile("13900139001")),
            Change::MobileAtTownship => (hub, mobile("13900139002")),
        };
        if self.ask(seat, &command).is_some() {
            self.figures.changes += 1;
        }
    }

    fn ask(&mut self, seat: Seat, command: &Command) -> Option<serde_json::Value> {
        match self.world.command(seat, command) {
            Ok(answer) => Some(answer),
            Err(error) => {
                *self.figures.refused.entry(error.code).or_default() += 1;
                None
            }
        }
    }

    /// All lines are healed; everything must come into step.
    fn close(mut self) -> Figures {
        (self.say)("all lines are healed");
        self.figures.bytes = self.world.traffic.bytes;
        self.figures.frames = self.world.traffic.frames;
        for line in self.world.line_ids() {
            self.world.set_conditions(line, [Conditions::GOOD; 2]);
            self.world.unblock(line);
        }
        let healed = self.world.now_ms();
        let mut left = apart(&mut self.world, &self.county);
        while !left.is_empty() && self.world.now_ms() < healed + HEALED_MS_MAX {
            self.world.pass(MINUTE_MS);
            left = apart(&mut self.world, &self.county);
        }
        self.figures.healed_ms = left.is_empty().then(|| self.world.now_ms() - healed);
        self.figures.apart = left;
        let items = self.world.command(self.county.top(), &Command::ConflictList);
        for item in items.ok().and_then(|v| v.as_array().cloned()).unwrap_or_default() {
            let kind = item["kind"].as_str().unwrap_or("?").to_owned();
            *self.figures.conflicts.entry(kind).or_default() += 1;
        }
        self.figures.meter = self.world.meter.take().unwrap_or_default();
        if self.figures.apart.is_empty() {
            (self.say)("everything is in step; every promise is looked at");
            let mut oracle = std::mem::take(&mut self.world.oracle);
            oracle.healed();
            oracle.end(&mut self.world);
            self.figures.compared = oracle.made().values().sum();
            self.figures.violations = oracle.violations().to_vec();
        }
        self.figures.trace = self.world.trace().hash();
        self.figures.events = self.world.trace().events();
        self.figures
    }
}

impl Figures {
    fn of(month: Month) -> Self {
        Self {
            month,
            workdays: 0,
            cases: 0,
            changes: 0,
            refused: BTreeMap::new(),
            outages: 0,
            outage_ms: 0,
            meter: Meter::default(),
            bytes: 0,
            frames: 0,
            conflicts: BTreeMap::new(),
            healed_ms: None,
            apart: Vec::new(),
            violations: Vec::new(),
            compared: 0,
            trace: 0,
            events: 0,
        }
    }
}

impl Figures {
    /// What did not hold; empty when all is well.
    pub fn failure(&self) -> Vec<String> {
        [self.apart.clone(), self.violations.clone()].concat()
    }

    /// Bytes of all lines for each room and day.
    pub fn bytes_per_room_and_day(&self) -> u64 {
        self.bytes / (self.month.rooms as u64 * self.month.days).max(1)
    }

    /// What is kept of a month in one line: times in milliseconds.
    pub fn kinds(&self) -> Vec<(String, u64)> {
        let mut kinds = vec![
            ("rooms".to_owned(), self.month.rooms as u64),
            ("days".to_owned(), self.month.days),
            ("cases".to_owned(), self.cases),
            ("changes".to_owned(), self.changes),
            ("outages".to_owned(), self.outages),
            ("outage hours".to_owned(), self.outage_ms / HOUR_MS),
            ("refused".to_owned(), self.refused.values().sum()),
            ("compared".to_owned(), self.compared),
            ("bytes a room and day".to_owned(), self.bytes_per_room_and_day()),
        ];
        for (what, figures) in [
            ("room to step", &self.meter.to_step_ms),
            ("township to step", &self.meter.township_to_step_ms),
            ("receipt township", &self.meter.to_township_ms),
            ("receipt county", &self.meter.to_county_ms),
        ] {
            let [p50, p95, max] = spread(figures);
            kinds.push((format!("{what} times"), figures.len() as u64));
            kinds.extend(
                [("p50", p50), ("p95", p95), ("max", max)].map(|(which, ms)| (format!("{what} {which} ms"), ms)),
            );
        }
        kinds.extend(self.conflicts.iter().map(|(kind, n)| (format!("conflict {kind}"), *n)));
        kinds
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let m = &self.month;
        let hubs = m.townships + m.sub_centres;
        writeln!(
            f,
            "{} rooms, {hubs} townships and sub-centres, 1 county; {} days, {} workdays",
            m.rooms, m.days, self.workdays
        )?;
        writeln!(f, "{} cases, {} further changes", self.cases, self.changes)?;
        let refused: Vec<String> = self.refused.iter().map(|(code, n)| format!("{code} {n}")).collect();
        writeln!(
            f,
            "refused: {}",
            if refused.is_empty() {
                "nothing".to_owned()
            } else {
                refused.join(", ")
            }
        )?;
        let hours = self.outage_ms / HOUR_MS;
        writeln!(f, "{} outages, {hours} hours together", self.outages)?;
        let s = |figures: &[u64]| {
            let [p50, p95, max] = spread(figures).map(|ms| ms as f64 / 1_000.0);
            format!("p50 {p50:.1} s, p95 {p95:.1} s, max {max:.1} s (of {})", figures.len())
        };
        writeln!(f, "a room's outage, to step:    {}", s(&self.meter.to_step_ms))?;
        writeln!(
            f,
            "a township's outage, to step: {}",
            s(&self.meter.township_to_step_ms)
        )?;
        writeln!(f, "receipt from the township:   {}", s(&self.meter.to_township_ms))?;
        writeln!(f, "receipt from the county:     {}", s(&self.meter.to_county_ms))?;
        writeln!(
            f,
            "bytes per room and day:      {} (all lines, {} frames)",
            self.bytes_per_room_and_day(),
            self.frames
        )?;
        let conflicts: Vec<String> = self.conflicts.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
        writeln!(
            f,
            "conflict items at the county: {}",
            if conflicts.is_empty() {
                "none".to_owned()
            } else {
                conflicts.join(", ")
            }
        )?;
        match self.healed_ms {
            Some(ms) => writeln!(
                f,
                "in step {} s after the last line was healed; {} promises compared, {} broken",
                ms / 1_000,
                self.compared,
                self.violations.len()
            )?,
            None => writeln!(f, "NOT IN STEP: {}", self.apart.join("; "))?,
        }
        for broken in &self.violations {
            writeln!(f, "NOT KEPT: {broken}")?;
        }
        write!(f, "trace {:016x}, {} events", self.trace, self.events)
    }
}

/// A table of divisions: so many townships and sub-centres below the county, and the rooms dealt out among them.
fn divisions(month: &Month) -> String {
    let mut text = String::from("code12\tname\tlevel\tparent12\n519801000000\t模拟县\tcounty\t519800000000\n");
    let hubs = month.townships + month.sub_centres;
    for hub in 0..hubs {
        let level = if hub < month.townships { "township" } else { "subcentre" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "519801{:03}000\t第{hub}镇\t{level}\t519801000000", hub + 1);
    }
    for room in 0..month.rooms {
        let hub = room % hubs.max(1);
        let _ = writeln!(
            text,
            "519801{:03}{:03}\t第{room}村\tvillage\t519801{:03}000",
            hub + 1,
            room / hubs.max(1) + 1,
            hub + 1
        );
    }
    text
}
