//! Blows: single faults of lines, disks, clocks and processes, drawn up front with all their figures, so that each can be left out of a
//! story without changing the others.

use std::fmt;

use store::{Disk, Fault};

use crate::county::County;
use crate::dice::Dice;
use crate::fault::Kind;
use crate::line::Conditions;
use crate::story::Shape;
use crate::world::{Blocked, LineId, Seat, World};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * 86_400_000;
/// Room that a full disk still has, in bytes, at most.
const LAST_BYTES_MAX: u64 = 64 * 1024;

/// Operations of a disk after which the power may go; from [`AT_NAME_FROM`] on it goes at the next change of a name instead, which is rare
/// among a disk's operations.
const OPERATIONS_MAX: u64 = 40;
const AT_NAME_FROM: u64 = 30;

/// One fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blow {
    Cut { line: LineId, which: Blocked, ms: u64 },
    UdpBlocked { line: LineId, ms: u64 },
    Weather { line: LineId, conditions: [Conditions; 2] },
    PowerCut { seat: Seat, off_ms: u64 },
    PowerCutIn { seat: Seat, operations: u64, off_ms: u64 },
    PowerCutAtName { seat: Seat, off_ms: u64 },
    Kill { seat: Seat, off_ms: u64 },
    KillIn { seat: Seat, operations: u64, off_ms: u64 },
    Stop { seat: Seat, off_ms: u64 },
    SyncFails { seat: Seat },
    ReadFails { seat: Seat, reads: u64 },
    WriteFails { seat: Seat, writes: u64 },
    Full { seat: Seat, left: u64, ms: u64 },
    Slow { seat: Seat, round_ms: u64, ms: u64 },
    Rot { seat: Seat, flips: u64, seed: u64 },
    IndexLost { seat: Seat, whole: bool, off_ms: u64 },
    ClockJump { seat: Seat, by_ms: i64 },
    ClockStill { seat: Seat },
    ClockDrift { seat: Seat, ppm: i64 },
    BatteryDead { seat: Seat, which: u64 },
    ClockRight { seat: Seat },
}

/// What is to be undone later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Undo {
    Roomy(Seat),
    Fast(Seat),
}

/// Kinds of blows that can be drawn; a story has a taste for each.
const DRAWN: u64 = 20;

/// How much a story likes each kind of blow: some not at all, some very much, so that rare combinations come up too.
#[derive(Clone, Debug)]
pub struct Taste([u64; DRAWN as usize]);

impl Taste {
    /// Drawn once for a story.
    pub fn draw(dice: &mut Dice) -> Self {
        let mut weights = [0; DRAWN as usize];
        for weight in &mut weights {
            *weight = *dice.pick(&[0, 0, 1, 2, 2, 3, 8]).unwrap_or(&1);
        }
        Self(weights)
    }

    fn kind(&self, dice: &mut Dice) -> usize {
        let mut at = dice.below(self.0.iter().sum());
        for (kind, weight) in self.0.iter().enumerate() {
            if at < *weight {
                return kind;
            }
            at -= weight;
        }
        0
    }
}

fn on_line(kind: usize, line: LineId, days: u64, dice: &mut Dice) -> Blow {
    match kind {
        0 => Blow::Cut {
            line,
            which: way(dice),
            ms: outage(dice),
        },
        1 => Blow::Cut {
            line,
            which: Blocked::Both,
            ms: dice.between(DAY_MS, days.max(2) * DAY_MS),
        },
        2 => Blow::UdpBlocked { line, ms: outage(dice) },
        _ => Blow::Weather {
            line,
            conditions: [Conditions::draw(dice), Conditions::draw(dice)],
        },
    }
}

fn on_disk(kind: usize, seat: Seat, off_ms: u64, dice: &mut Dice) -> Blow {
    match kind {
        8 => Blow::SyncFails { seat },
        9 => Blow::ReadFails {
            seat,
            reads: dice.below(30),
        },
        10 => Blow::WriteFails {
            seat,
            writes: dice.below(12),
        },
        11 => Blow::Full {
            seat,
            left: dice.below(LAST_BYTES_MAX),
            ms: dice.between(MINUTE_MS, DAY_MS),
        },
        12 => Blow::Slow {
            seat,
            round_ms: dice.between(200, 9_000),
            ms: dice.between(MINUTE_MS, 4 * HOUR_MS),
        },
        13 => Blow::Rot {
            seat,
            flips: dice.between(1, 4),
            seed: dice.u64(),
        },
        _ => Blow::IndexLost {
            seat,
            whole: dice.per_mille(400),
            off_ms,
        },
    }
}

fn on_clock(kind: usize, seat: Seat, dice: &mut Dice) -> Blow {
    match kind {
        15 => Blow::ClockJump {
            seat,
            by_ms: jump(dice),
        },
        16 => Blow::ClockStill { seat },
        17 => Blow::ClockDrift {
            seat,
            ppm: i64::try_from(dice.below(400_000)).unwrap_or(0) - 200_000,
        },
        _ if dice.per_mille(400) => Blow::BatteryDead {
            seat,
            which: dice.u64(),
        },
        _ => Blow::ClockRight { seat },
    }
}

impl Blow {
    /// A blow at one of the devices and lines with which a story of this shape begins.
    pub fn draw(taste: &Taste, dice: &mut Dice, shape: &Shape) -> Option<Blow> {
        let lines = shape.devices() - 1;
        let kind = taste.kind(dice);
        let seat = Seat(dice.index(shape.devices()));
        let line = LineId(dice.index(lines));
        if lines == 0 && kind <= 3 {
            return None;
        }
        let off_ms = *dice
            .pick(&[1, 500, 5_000, 40_000, 10 * MINUTE_MS, 3 * HOUR_MS])
            .unwrap_or(&1);
        Some(match kind {
            0..=3 => on_line(kind, line, shape.days, dice),
            4 => Blow::PowerCut { seat, off_ms },
            5 => match dice.below(OPERATIONS_MAX) {
                AT_NAME_FROM.. => Blow::PowerCutAtName { seat, off_ms },
                operations => Blow::PowerCutIn {
                    seat,
                    operations,
                    off_ms,
                },
            },
            6 => Blow::Kill { seat, off_ms },
            7 => Blow::Stop { seat, off_ms },
            8..=14 => on_disk(kind, seat, off_ms, dice),
            19 => Blow::KillIn {
                seat,
                operations: dice.below(40),
                off_ms,
            },
            _ => on_clock(kind, seat, dice),
        })
    }

    /// The same blow at whoever does the work by now of the device that it was drawn for, or at the line of that one: the twin, the
    /// new PC, the county's second hub. `None`: nobody is there.
    pub fn aimed(mut self, world: &World, county: &County, dice: &mut Dice) -> Option<Blow> {
        let member = |seat: Seat, dice: &mut Dice| {
            let seat = county.at_work(seat, dice);
            county.members.iter().find(|m| m.seat == seat && !m.gone)
        };
        match &mut self {
            Blow::Cut { line, .. } | Blow::UdpBlocked { line, .. } | Blow::Weather { line, .. } => {
                // A county is founded with one line for each device but the first, in their order.
                *line = member(Seat(line.0 + 1), dice)?.parent?.1;
                (!world.line_state(*line).retired).then_some(self)
            }
            Blow::PowerCut { seat, .. }
            | Blow::PowerCutIn { seat, .. }
            | Blow::PowerCutAtName { seat, .. }
            | Blow::Kill { seat, .. }
            | Blow::KillIn { seat, .. }
            | Blow::Stop { seat, .. }
            | Blow::SyncFails { seat }
            | Blow::ReadFails { seat, .. }
            | Blow::WriteFails { seat, .. }
            | Blow::Full { seat, .. }
            | Blow::Slow { seat, .. }
            | Blow::Rot { seat, .. }
            | Blow::IndexLost { seat, .. }
            | Blow::ClockJump { seat, .. }
            | Blow::ClockStill { seat }
            | Blow::ClockDrift { seat, .. }
            | Blow::BatteryDead { seat, .. }
            | Blow::ClockRight { seat } => {
                *seat = member(*seat, dice)?.seat;
                Some(self)
            }
        }
    }

    /// Strikes; returns what is to be undone, and when.
    pub fn strike(self, world: &mut World) -> Option<(u64, Undo)> {
        let now = world.now_ms();
        match self {
            Blow::Cut { line, which, ms } => {
                let kind = match which {
                    Blocked::Both if ms >= DAY_MS => Kind::LongOutage,
                    Blocked::Both => Kind::LineCut,
                    _ => Kind::LineCutOneWay,
                };
                count_if(world.line_state(line).stands, world, kind);
                world.block(line, which, ms);
            }
            Blow::UdpBlocked { line, ms } => {
                count_if(world.line_state(line).stands, world, Kind::UdpBlocked);
                world.block(line, Blocked::Both, ms);
            }
            Blow::Weather { line, conditions } => {
                let is_slow = conditions.iter().any(Conditions::is_slow);
                count_if(world.line_state(line).stands && is_slow, world, Kind::LineSlow);
                world.set_conditions(line, conditions);
            }
            Blow::PowerCut { seat, off_ms } => {
                if world.is_up(seat) {
                    world.count(Kind::PowerCut);
                    world.cut_power(seat);
                    world.start_in(seat, off_ms);
                }
            }
            Blow::Kill { seat, off_ms } => {
                if world.is_up(seat) {
                    world.count(Kind::Killed);
                    world.kill(seat);
                    world.start_in(seat, off_ms);
                }
            }
            Blow::Stop { seat, off_ms } => {
                if world.is_up(seat) {
                    world.count(Kind::Stopped);
                    world.stop(seat);
                    world.start_in(seat, off_ms);
                }
            }
            Blow::IndexLost { seat, whole, off_ms } => {
                if world.is_up(seat) {
                    world.count(Kind::IndexLost);
                    world.kill(seat);
                    world.lose_index(seat, whole);
                    world.start_in(seat, off_ms);
                }
            }
            Blow::Rot { seat, flips, seed } => rot(world, seat, flips, &mut Dice::new(seed)),
            disk => return disk.arm(world, now),
        }
        None
    }

    /// Faults that wait in the disk until something touches it, and clocks.
    fn arm(self, world: &mut World, now: u64) -> Option<(u64, Undo)> {
        match self {
            // Counted when it strikes.
            Blow::PowerCutIn {
                seat,
                operations,
                off_ms,
            } => {
                world.set_dark_ms(seat, off_ms);
                world.disk(seat).fault(Fault::PowerGoesAfter(operations));
            }
            Blow::PowerCutAtName { seat, off_ms } => {
                world.set_dark_ms(seat, off_ms);
                world.disk(seat).fault(Fault::PowerGoesAtName);
            }
            Blow::KillIn {
                seat,
                operations,
                off_ms,
            } => {
                world.set_dark_ms(seat, off_ms);
                world.disk(seat).fault(Fault::DiesAfter(operations));
            }
            Blow::SyncFails { seat } => world.disk(seat).fault(Fault::SyncFails),
            Blow::ReadFails { seat, reads } => world.disk(seat).fault(Fault::ReadFails(reads)),
            Blow::WriteFails { seat, writes } => world.disk(seat).fault(Fault::WriteFails(writes)),
            Blow::Full { seat, left, ms } => {
                let used = world.disk(seat).used();
                world.disk(seat).fault(Fault::Capacity(used + left));
                return Some((now + ms, Undo::Roomy(seat)));
            }
            Blow::Slow { seat, round_ms, ms } => {
                count_if(world.is_up(seat), world, Kind::DiskSlow);
                world.set_round_ms(seat, round_ms);
                return Some((now + ms, Undo::Fast(seat)));
            }
            Blow::ClockJump { seat, by_ms } => {
                let kind = match by_ms {
                    by if by.abs() >= YEAR_MS => Kind::ClockYears,
                    by if by > 0 => Kind::ClockForward,
                    _ => Kind::ClockBack,
                };
                count_if(world.is_up(seat), world, kind);
                world.clock_mut(seat).jump(now, by_ms);
            }
            Blow::ClockStill { seat } => {
                count_if(world.is_up(seat), world, Kind::ClockStill);
                world.clock_mut(seat).stop(now);
            }
            Blow::ClockDrift { seat, ppm } => {
                count_if(world.is_up(seat), world, Kind::ClockDrift);
                world.clock_mut(seat).drift(now, ppm);
            }
            Blow::BatteryDead { seat, which } => {
                // Counted when the power comes back.
                world.clock_mut(seat).battery_dies(which);
            }
            Blow::ClockRight { seat } => world.clock_mut(seat).put_right(now),
            _ => {}
        }
        None
    }
}

impl Undo {
    /// Undoes it.
    pub fn strike(self, world: &mut World) {
        match self {
            Undo::Roomy(seat) => world.disk(seat).fault(Fault::Roomy),
            Undo::Fast(seat) => world.set_round_ms(seat, 8),
        }
    }
}

/// What befalls a line that does not stand or a device that is off is no fault that anybody has lived through.
fn count_if(lived: bool, world: &mut World, kind: Kind) {
    if lived {
        world.count(kind);
    }
}

fn way(dice: &mut Dice) -> Blocked {
    *dice
        .pick(&[Blocked::Both, Blocked::Both, Blocked::Up, Blocked::Down])
        .unwrap_or(&Blocked::Both)
}

/// Mostly about as long as it takes an end to notice, sometimes hours.
fn outage(dice: &mut Dice) -> u64 {
    let most = *dice
        .pick(&[3_000, 20_000, 60_000, HOUR_MS, 20 * HOUR_MS])
        .unwrap_or(&60_000);
    dice.between(50, most)
}

fn jump(dice: &mut Dice) -> i64 {
    let most = *dice
        .pick(&[60_000, 3_600_000, 40 * 86_400_000, 30 * YEAR_MS])
        .unwrap_or(&60_000);
    let by = i64::try_from(dice.below(most.unsigned_abs())).unwrap_or(0);
    if dice.per_mille(500) { by } else { -by }
}

/// Flips bits of the journal or the vault, as a disk does that ages: what was synced long ago.
fn rot(world: &mut World, seat: Seat, flips: u64, dice: &mut Dice) {
    let disk = world.disk(seat).clone();
    let Ok(names) = disk.list() else { return };
    world.harming(seat);
    let names: Vec<String> = names
        .into_iter()
        .filter(|n| n.starts_with("journal-") || n == "vault")
        .collect();
    for _ in 0..flips {
        let Some(name) = dice.pick(&names) else { return };
        let Ok(Some(len)) = disk.len(name) else { return };
        disk.flip(name, dice.below(len), dice.below(8) as u8);
        world.count(Kind::BitRot);
    }
    world.rotted(seat);
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |ms: &u64| for_so_long(*ms);
        match self {
            Blow::Cut { line, which, ms } => write!(f, "line {} is cut ({which:?}) for {}", line.0, s(ms)),
            Blow::UdpBlocked { line, ms } => write!(f, "UDP is blocked on line {} for {}", line.0, s(ms)),
            Blow::Weather { line, conditions } => {
                let [up, down] = conditions;
                write!(
                    f,
                    "line {} is now {}/{} ms, {}/{} kB/s, ",
                    line.0, up.delay_ms, down.delay_ms, up.rate_kb_s, down.rate_kb_s
                )?;
                write!(f, "{}/{} ‰ lost", up.lost_pm, down.lost_pm)
            }
            Blow::PowerCut { off_ms, .. } => write!(f, "the power goes for {}", s(off_ms)),
            Blow::PowerCutIn { operations, off_ms, .. } => {
                write!(
                    f,
                    "the power will go after {operations} disk operations, for {}",
                    s(off_ms)
                )
            }
            Blow::PowerCutAtName { off_ms, .. } => {
                write!(
                    f,
                    "the power will go at the next change of a file's name, for {}",
                    s(off_ms)
                )
            }
            Blow::Kill { off_ms, .. } => write!(f, "is killed, back in {}", s(off_ms)),
            Blow::KillIn { operations, off_ms, .. } => {
                write!(
                    f,
                    "will be killed after {operations} disk operations, back in {}",
                    s(off_ms)
                )
            }
            Blow::Stop { off_ms, .. } => write!(f, "is shut down, back in {}", s(off_ms)),
            Blow::SyncFails { .. } => write!(f, "the next sync will fail"),
            Blow::ReadFails { reads, .. } => write!(f, "a read will fail after {reads}"),
            Blow::WriteFails { writes, .. } => write!(f, "a write will fail after {writes}"),
            Blow::Full { left, ms, .. } => write!(f, "the disk has {left} bytes left for {}", s(ms)),
            Blow::Slow { round_ms, ms, .. } => write!(f, "the disk takes up to {round_ms} ms for {}", s(ms)),
            Blow::Rot { flips, .. } => write!(f, "{flips} bits of the disk rot"),
            Blow::IndexLost { whole: true, .. } => write!(f, "is killed and loses its index"),
            Blow::IndexLost { .. } => write!(f, "is killed, and its index is an older one"),
            Blow::ClockJump { by_ms, .. } => write!(f, "the clock jumps by {} s", by_ms / 1_000),
            Blow::ClockStill { .. } => write!(f, "the clock stops"),
            Blow::ClockDrift { ppm, .. } => write!(f, "the clock drifts by {ppm} ppm"),
            Blow::BatteryDead { .. } => write!(f, "the clock's battery is empty"),
            Blow::ClockRight { .. } => write!(f, "the clock is put right"),
        }
    }
}

impl Blow {
    /// The device it strikes; `None`: it strikes a line.
    pub fn seat(&self) -> Option<Seat> {
        match self {
            Blow::Cut { .. } | Blow::UdpBlocked { .. } | Blow::Weather { .. } => None,
            Blow::PowerCut { seat, .. }
            | Blow::PowerCutIn { seat, .. }
            | Blow::PowerCutAtName { seat, .. }
            | Blow::Kill { seat, .. }
            | Blow::KillIn { seat, .. }
            | Blow::Stop { seat, .. }
            | Blow::SyncFails { seat }
            | Blow::ReadFails { seat, .. }
            | Blow::WriteFails { seat, .. }
            | Blow::Full { seat, .. }
            | Blow::Slow { seat, .. }
            | Blow::Rot { seat, .. }
            | Blow::IndexLost { seat, .. }
            | Blow::ClockJump { seat, .. }
            | Blow::ClockStill { seat }
            | Blow::ClockDrift { seat, .. }
            | Blow::BatteryDead { seat, .. }
            | Blow::ClockRight { seat } => Some(*seat),
        }
    }
}

/// A duration as people say it.
pub fn for_so_long(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..MINUTE_MS => format!("{} s", ms / 1_000),
        MINUTE_MS..HOUR_MS => format!("{} min", ms / MINUTE_MS),
        HOUR_MS..DAY_MS => format!("{} h", ms / HOUR_MS),
        _ => format!("{} d", ms / DAY_MS),
    }
}
