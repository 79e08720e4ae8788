//! A small county for tests, and who says what in it.

use ledger::id::UnitCode;
use ledger::organisation::UnitKind;

use super::super::*;
use crate::memory::device;
use crate::statement::{Admit, Revoke};

pub(super) const ROOT: u8 = 1;
pub(super) const COUNTY: UnitId = unit(1);
pub(super) const TOWN_A: UnitId = unit(10);
pub(super) const TOWN_B: UnitId = unit(20);
pub(super) const ROOM_A: UnitId = unit(11);
pub(super) const ROOM_A2: UnitId = unit(12);
pub(super) const ROOM_B: UnitId = unit(21);

pub(super) const COUNTY_HUB: u8 = 2;
pub(super) const HUB_A: u8 = 3;
pub(super) const HUB_B: u8 = 4;
pub(super) const PC_A: u8 = 5;
pub(super) const PC_B: u8 = 6;

pub(super) const fn unit(number: u8) -> UnitId {
    UnitId([number; 16])
}

/// Logs without forks, whose hashes tell their place.
pub(super) struct Straight;

impl Ancestry for Straight {
    fn is_ancestor(&self, _: &LogId, older: Tip, younger: Tip) -> bool {
        older.seq <= younger.seq
    }
}

/// Statements as devices write them one after the other.
#[derive(Clone, Default)]
pub(super) struct World {
    pub(super) stated: Vec<Stated>,
    seqs: BTreeMap<LogId, u64>,
}

pub(super) fn log_of(author: u8, at: UnitId) -> LogId {
    LogId {
        scope: Scope::public(at),
        device: device(author),
        epoch: 1,
    }
}

pub(super) fn tip(log: &LogId, seq: u64, statement: &Statement) -> Tip {
    let hash = Sha256::new()
        .chain_update(log.device.0)
        .chain_update(log.scope.to_bytes())
        .chain_update(seq.to_be_bytes())
        .chain_update(statement.encode());
    Tip {
        seq,
        hash: Hash(hash.finalize().into()),
    }
}

impl World {
    pub(super) fn say(&mut self, author: u8, at: UnitId, statement: Statement) -> Tip {
        let log = log_of(author, at);
        let seq = self.seqs.entry(log).or_default();
        *seq += 1;
        let tip = tip(&log, *seq, &statement);
        self.stated.push(Stated {
            log,
            tip,
            statement: Arc::new(statement),
        });
        tip
    }

    /// Folded at once. A device that has folded again at each of the last statements as it came knows the same.
    pub(super) fn fold(&self) -> Authority {
        let at_once = Authority::fold(device(ROOT), &self.stated, &Straight);
        let mut grown = Authority::fold(device(ROOT), &[], &Straight);
        for so_far in self.stated.len().saturating_sub(16)..=self.stated.len() {
            grown = grown.fold_again(device(ROOT), &self.stated[..so_far], &Straight);
        }
        assert_eq!(grown, at_once, "folding again says something else than folding at once");
        at_once
    }

    /// County, two townships, three rooms; hubs at county and townships; one PC in ROOM_A and one in ROOM_B.
    pub(super) fn county() -> Self {
        let mut world = Self::default();
        world.say(ROOT, COUNTY, admit(COUNTY_HUB, COUNTY, Role::Hub, 0));
        world.say(COUNTY_HUB, COUNTY, organisation(1, &TREE));
        world.say(COUNTY_HUB, COUNTY, admit(HUB_A, TOWN_A, Role::Hub, 1));
        world.say(COUNTY_HUB, COUNTY, admit(HUB_B, TOWN_B, Role::Hub, 2));
        world.say(HUB_A, TOWN_A, admit_under(1, 5, PC_A, ROOM_A));
        world.say(HUB_B, TOWN_B, admit_under(2, 5, PC_B, ROOM_B));
        world
    }
}

pub(super) const TREE: [(UnitId, Option<UnitId>, UnitKind); 6] = [
    (COUNTY, None, UnitKind::County),
    (TOWN_A, Some(COUNTY), UnitKind::Township),
    (TOWN_B, Some(COUNTY), UnitKind::Township),
    (ROOM_A, Some(TOWN_A), UnitKind::Village),
    (ROOM_A2, Some(TOWN_A), UnitKind::Community),
    (ROOM_B, Some(TOWN_B), UnitKind::Village),
];

pub(super) fn organisation(version: u32, tree: &[(UnitId, Option<UnitId>, UnitKind)]) -> Statement {
    Statement::Organisation(Organisation {
        version,
        units: tree
            .iter()
            .map(|(id, parent, kind)| Unit {
                id: *id,
                code: UnitCode::parse("511603102201").unwrap(),
                name: "村".to_owned(),
                kind: *kind,
                parent: *parent,
                from: None,
                until: None,
                into: None,
            })
            .collect(),
    })
}

pub(super) fn admission(who: u8, unit: UnitId, role: Role, prefix: Option<HubPrefix>, code: NodeCode) -> Admit {
    Admit {
        device: device(who),
        unit,
        role,
        seal_key: [who; 32],
        name: format!("PC {who}"),
        node_code: code,
        prefix,
        former: None,
        by: None,
    }
}

pub(super) fn admit(who: u8, unit: UnitId, role: Role, prefix: u32) -> Statement {
    let code = NodeCode::under(HubPrefix(0), u32::from(who)).unwrap();
    Statement::Admit(admission(who, unit, role, Some(HubPrefix(prefix)), code))
}

pub(super) fn admit_under(prefix: u32, running: u32, who: u8, unit: UnitId) -> Statement {
    let code = NodeCode::under(HubPrefix(prefix), running).unwrap();
    Statement::Admit(admission(who, unit, Role::Node, None, code))
}

pub(super) fn revoke(who: u8, cuts: &[Cut]) -> Statement {
    Statement::Revoke(Revoke {
        device: device(who),
        reason: "lost".to_owned(),
        cuts: cuts.to_vec(),
    })
}

pub(super) fn cut(scope: Scope, tip: Tip) -> Cut {
    Cut {
        scope,
        epoch: 1,
        seq: tip.seq,
        hash: tip.hash,
    }
}

pub(super) fn place(seq: u64) -> Tip {
    Tip {
        seq,
        hash: Hash([seq as u8; 32]),
    }
}

pub(super) fn book_log(who: u8, unit: UnitId) -> LogId {
    LogId {
        scope: Scope::book(unit),
        ..log_of(who, unit)
    }
}

/// Every order of up to six things.
pub(super) fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.len() <= 1 {
        return vec![items.to_vec()];
    }
    (0..items.len())
        .flat_map(|at| {
            let mut rest = items.to_vec();
            let first = rest.remove(at);
            permutations(&rest).into_iter().map(move |mut order| {
                order.insert(0, first.clone());
                order
            })
        })
        .collect()
}

pub(super) fn assert_same_in_every_order(world: &World) {
    let expected = world.fold();
    for stated in permutations(&world.stated[world.stated.len().saturating_sub(6)..]) {
        let mut all = stated;
        all.extend_from_slice(&world.stated[..world.stated.len().saturating_sub(6)]);
        assert_eq!(Authority::fold(device(ROOT), &all, &Straight), expected);
    }
}
