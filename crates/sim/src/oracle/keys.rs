//! Keys of records: who held them, and when nobody owes one any longer.
//!
//! A key is excused only when a disk that was harmed (or went into other hands) is known to have held it right before, no other disk of
//! the county holds it right after, and no other device holds the record without having lost its key to an earlier harm: a key travels in
//! the batch of the entry that creates its record, so that whoever holds the one should hold the other.

use std::collections::BTreeSet;

use ledger::id::{RecordId, Scope};
use office::command::Command;
use office::views::{RecordRef, RecordRow};
use serde_json::Value;

use super::durable::Disks;
use super::{Check, Findings, Found};
use crate::world::{Seat, World};

type Keys = BTreeSet<(Scope, RecordId)>;

/// What harm has taken.
#[derive(Default)]
pub(super) struct KeysLost {
    /// What a disk held right before it is harmed.
    before: Option<(Seat, Keys)>,
    /// Taken from some disk, whoever else holds it.
    taken: Keys,
    /// Taken from the last disk that held it, spares that were never used among them.
    lost: Keys,
    excused: u64,
}

impl KeysLost {
    /// A disk is about to be harmed. One that does not open proves nothing.
    pub(super) fn before(&mut self, world: &World, seat: Seat, disks: &mut Disks) {
        let store = disks.durable(world, seat);
        self.before = store.ok().map(|store| (seat, store.keys().collect()));
    }

    /// It was harmed, or is gone.
    pub(super) fn after(&mut self, world: &World, seat: Seat, gone: &BTreeSet<Seat>, disks: &mut Disks) {
        let Some((_, before)) = self.before.take().filter(|(of, _)| *of == seat) else {
            return;
        };
        let own: Keys = match disks.durable(world, seat) {
            Ok(store) if !gone.contains(&seat) => store.keys().collect(),
            _ => Keys::new(),
        };
        let taken: Vec<_> = before.into_iter().filter(|key| !own.contains(key)).collect();
        if taken.is_empty() {
            return;
        }
        let (mut held, mut known) = (Keys::new(), Keys::new());
        for other in world.seats().filter(|s| *s != seat && !gone.contains(s)) {
            if let Ok(store) = disks.durable(world, other) {
                held.extend(store.keys());
            }
            let rows = world.office(other).and_then(|office| office.record_rows().ok());
            known.extend(rows.into_iter().flatten().map(|(of, _)| (of.scope, of.record)));
        }
        for key in taken {
            if !held.contains(&key) && (!known.contains(&key) || self.taken.contains(&key)) {
                self.lost.insert(key);
            }
            self.taken.insert(key);
        }
    }

    /// In the end every record can be opened by everybody who may.
    pub(super) fn check_all(
        &mut self,
        world: &World,
        seats: &[Seat],
        forged: &BTreeSet<RecordId>,
        found: &mut Findings,
    ) {
        let rows = seats.iter().flat_map(|seat| {
            let rows = world.office(*seat).and_then(|office| office.record_rows().ok());
            rows.into_iter().flatten().map(|(of, row)| (*seat, of, row))
        });
        self.check_rows(&rows.collect::<Vec<_>>(), forged, found);
    }

    fn check_rows(&mut self, rows: &[(Seat, RecordRef, RecordRow)], forged: &BTreeSet<RecordId>, found: &mut Findings) {
        let mut excused = Keys::new();
        let begun = rows.iter().filter(|(_, _, row)| !row.summary.no.is_empty());
        let begun: BTreeSet<RecordId> = begun.map(|(_, of, _)| of.record).collect();
        for (seat, of, row) in rows {
            let s = &row.summary;
            if !s.keyless || s.erased || forged.contains(&of.record) {
                continue;
            }
            let key = (of.scope, of.record);
            // Where nobody holds the creation the key went with it; that the rest waits for it is judged by what was lost.
            if self.lost.contains(&key) || !begun.contains(&of.record) {
                excused.insert(key);
                continue;
            }
            let what = format!("record {} ({}) still has no key", s.no, of.record);
            found.push(Found::new(Check::InStep, *seat, what));
        }
        self.excused = excused.len() as u64;
    }

    pub(super) fn excused(&self) -> u64 {
        self.excused
    }
}

/// Whoever answers "saved" for a new case holds its key. A disk that cannot read just now is no proof that it does not.
pub(super) fn check_new(world: &World, seat: Seat, command: &Command, answer: &Value, found: &mut Findings) {
    let (Command::CaseNew(_), Some(office)) = (command, world.office(seat)) else {
        return;
    };
    let (Some(life), Some(id)) = (office.life(), answer["record_id"].as_str()) else {
        return;
    };
    let Some(record) = RecordId::parse(id).filter(|_| answer["again"] != true) else {
        return;
    };
    found.compared(Check::Kept, 1);
    if let Ok(None) = office.store().read_key(Scope::book(life.unit), &record) {
        let what = format!(
            "it answered \"saved\" for {} and holds no key of it",
            answer["project_no"]
        );
        found.push(Found::new(Check::Kept, seat, what));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use office::command::CaseNew;
    use replica::statement::Role;
    use store::Disk;

    use super::*;
    use crate::county::County;

    const SLOT: u64 = 96;

    /// A county in which one room has just recorded a case that nobody else has heard of.
    fn recorded(seed: u64) -> (World, County, Seat, RecordId) {
        println!("seed {seed}");
        let mut world = World::new(seed);
        let county = County::found(&mut world, 1, 2).unwrap();
        let seat = county.seats(Role::Node)[0];
        world.pass(600_000);
        let line = county.member(seat).unwrap().parent.unwrap().1;
        world.block(line, crate::world::Blocked::Both, 3_600_000);
        world.pass(60_000);
        let case = CaseNew {
            matter: "B23".to_owned(),
            name: "张三".to_owned(),
            cert_no: crate::will::cert_no(77),
            ..CaseNew::default()
        };
        let answer = world.command(seat, &Command::CaseNew(case)).unwrap();
        let record = RecordId::parse(answer["record_id"].as_str().unwrap()).unwrap();
        (world, county, seat, record)
    }

    /// Flips a bit in the key of a record, if the disk holds it.
    fn rot(world: &World, seat: Seat, record: RecordId) {
        let disk = world.disk(seat).clone();
        for slot in 1..disk.len("vault").unwrap().unwrap_or(0) / SLOT {
            if disk.read_at("vault", slot * SLOT + 18, 16).unwrap() == record.0 {
                disk.flip("vault", slot * SLOT + 50, 1);
            }
        }
    }

    /// A rot that the oracle is told of.
    fn struck(world: &mut World, seat: Seat, record: RecordId) {
        world.harming(seat);
        rot(world, seat, record);
        world.rotted(seat);
    }

    /// The records without a key that are owed one, and how many are not.
    fn end(world: &mut World) -> (usize, u64) {
        let mut oracle = std::mem::take(&mut world.oracle);
        oracle.end(world);
        world.oracle = oracle;
        let named = world.oracle.violations().iter().filter(|v| v.contains("no key"));
        println!("{:#?}", world.oracle.violations());
        (named.count(), world.oracle.keys_lost_legitimately())
    }

    #[test]
    fn a_key_that_rotted_before_it_had_travelled_is_excused_and_counted() {
        let (mut world, _, seat, record) = recorded(3);
        struck(&mut world, seat, record);
        world.pass(7_200_000);
        assert_eq!(end(&mut world), (0, 1));
        assert_eq!(*world.oracle.red(), BTreeSet::new());
    }

    #[test]
    fn a_key_that_nothing_is_known_to_have_taken_is_owed() {
        let (mut world, _, seat, record) = recorded(3);
        rot(&world, seat, record);
        // Something else rots a little later: the key was gone by then.
        struck(&mut world, seat, RecordId([7; 16]));
        world.pass(7_200_000);
        let (owed, excused) = end(&mut world);
        assert!(owed > 0);
        assert_eq!(excused, 0);
    }

    #[test]
    fn a_key_that_others_should_have_held_is_owed() {
        let (mut world, county, seat, record) = recorded(3);
        world.pass(7_200_000);
        let others: Vec<Seat> = world.seats().filter(|other| *other != seat).collect();
        others.iter().for_each(|other| rot(&world, *other, record));
        assert!(world.seats().any(|other| other == county.top()));
        struck(&mut world, seat, record);
        let (owed, excused) = end(&mut world);
        assert!(owed > 0);
        assert_eq!(excused, 0);
    }

    #[test]
    fn a_key_that_one_disk_lost_and_a_thief_took_with_the_other_is_excused() {
        let (mut world, county, seat, record) = recorded(3);
        let line = county.member(seat).unwrap().parent.unwrap().1;
        world.pass(7_200_000);
        world.retire(line);
        let others: Vec<Seat> = world.seats().filter(|other| *other != seat).collect();
        others.iter().for_each(|other| struck(&mut world, *other, record));
        world.kill(seat);
        world.give_up(seat);
        world.pass(600_000);
        let (owed, excused) = end(&mut world);
        assert_eq!((owed, excused), (0, 1));
    }

    #[test]
    fn a_key_is_owed_only_where_somebody_holds_the_creation() {
        // Seed 397, `--days 42`: the creations of two records were lost to all, and their keys with them; later events lived on.
        let (world, county, room, record) = recorded(3);
        let rows = world.office(room).unwrap().record_rows().unwrap();
        let (of, mut begun) = rows.into_iter().find(|(of, _)| of.record == record).unwrap();
        begun.summary.keyless = true;
        let mut waiting = begun.clone();
        waiting.summary.no = String::new();
        let judged = |rows: &[(Seat, RecordRef, RecordRow)]| {
            let (mut keys, mut found) = (KeysLost::default(), Findings::default());
            keys.check_rows(rows, &BTreeSet::new(), &mut found);
            (found.found.len(), keys.excused())
        };
        let nobody_began = [(room, of, waiting.clone()), (county.top(), of, waiting.clone())];
        assert_eq!(judged(&nobody_began), (0, 1));
        // The county holds the creation: both ought to have the key.
        let one_began = [(room, of, waiting), (county.top(), of, begun)];
        assert_eq!(judged(&one_began), (2, 0));
    }

    #[test]
    fn who_answers_saved_without_a_key_is_caught() {
        let (world, _, seat, record) = recorded(3);
        let command = Command::CaseNew(CaseNew::default());
        let answer = serde_json::json!({"record_id": record.to_string(), "project_no": "1"});
        let red = |world: &World| {
            let mut found = Findings::default();
            check_new(world, seat, &command, &answer, &mut found);
            found.found.iter().map(|f| f.check).collect::<Vec<_>>()
        };
        assert_eq!(red(&world), []);
        rot(&world, seat, record);
        assert_eq!(red(&world), [Check::Kept]);
    }
}
