//! A county small enough for a test: one hub, one township, two rooms. Lines are drawn by hand: [`share`] carries what one office
//! holds to another, so every test says itself who has heard of what.

use ed25519_dalek::SigningKey;
use ledger::calendar::Calendar;
use ledger::catalogue::Catalogue;
use ledger::id::{DeviceId, HubPrefix, NodeCode, Scope, UnitCode, UnitId};
use ledger::organisation::Organisation;
use ledger::seed::Seeds;
use replica::entry::{Entry, KIND_STATEMENT, LogId, Tip};
use replica::receipt::{Receipt, Withdrawal};
use replica::run::{VerifiedRun, sign};
use replica::sealbox;
use replica::statement::{Admit, Grant, Role, Statement};
use replica::time::Now;
use serde_json::Value as Json;
use store::{Disk, KvPlace, MemDisk, MemPlace, Merge};

use crate::command::{CaseDo, CaseImport, CaseNew, CommandError};
use crate::keys::grant_context;
use crate::life::{Life, fact};
use crate::office::{Home, Office};
use crate::views::name;

pub(super) const DIVISIONS: &str = include_str!("../../../../ledger/data/divisions_511603.tsv");
pub(super) const MATTERS: &str = include_str!("../../../../ledger/data/matters.tsv");
pub(super) const HOLIDAYS: &str = include_str!("../../../../ledger/data/holidays.tsv");
pub(super) const DAYBOOK: &[u8] = include_bytes!("../../../../ledger/data/daybook_sample.csv");

pub(super) const COUNTY: &str = "511603";
pub(super) const TOWN: &str = "511603102";
pub(super) const ROOM_A: &str = "511603102201";
pub(super) const ROOM_B: &str = "511603102203";

/// 2026-11-20, a Friday, nine in the morning in China.
pub(super) const NOW: Now = Now {
    wall_ms: 1_795_136_400_000,
    mono_ms: 0,
};

pub(super) const ZHANG: &str = "11010519491231002X";

/// An office with the disk and the index that outlive it.
pub(super) struct Desk {
    pub(super) disk: MemDisk,
    pub(super) place: MemPlace,
    pub(super) office: Office,
}

pub(super) struct World {
    pub(super) county: Desk,
    pub(super) town: Desk,
    pub(super) a: Desk,
    pub(super) b: Desk,
}

pub(super) fn open(disk: &MemDisk, place: &MemPlace, seed: u8) -> Office {
    let home = Home {
        disk: Box::new(disk.clone()) as Box<dyn Disk>,
        place: Box::new(place.clone()) as Box<dyn KvPlace>,
        software: "test".to_owned(),
    };
    Office::open(home, [seed; 32], NOW, &mut |_| {}).unwrap()
}

impl Desk {
    fn new(seed: u8) -> Self {
        let (disk, place) = (MemDisk::new(u64::from(seed)), MemPlace::default());
        let office = open(&disk, &place, seed);
        Self { disk, place, office }
    }

    /// The same folder in a new process.
    pub(super) fn restart(self, seed: u8) -> Self {
        let Desk { disk, place, office } = self;
        drop(office);
        let office = open(&disk, &place, seed);
        Self { disk, place, office }
    }

    /// A copy of the folder in a process of its own.
    pub(super) fn cloned(&self, seed: u8) -> Self {
        let (disk, place) = (self.disk.copy(), self.place.copy());
        let office = open(&disk, &place, seed);
        Self { disk, place, office }
    }

    pub(super) fn book(&self) -> Scope {
        Scope::book(self.office.unit().unwrap())
    }

    pub(super) fn import(&mut self) -> Json {
        let args = CaseImport {
            data: DAYBOOK.to_vec(),
            lines_before: 0,
            preview: false,
            user: None,
        };
        self.office.case_import(NOW, args, &mut |_| {}).unwrap()
    }

    pub(super) fn new_case(&mut self, matter: &str, cert_no: &str) -> String {
        let args = CaseNew {
            matter: matter.to_owned(),
            name: "张三".to_owned(),
            cert_no: cert_no.to_owned(),
            mobile: Some("13800138000".to_owned()),
            ..CaseNew::default()
        };
        let answer = self.office.case_new(NOW, args).unwrap();
        answer["project_no"].as_str().unwrap().to_owned()
    }

    pub(super) fn act(&mut self, number: &str, event: &str) -> Result<Json, CommandError> {
        self.act_with(number, event, |_| {})
    }

    pub(super) fn act_with(
        &mut self,
        number: &str,
        event: &str,
        more: impl Fn(&mut CaseDo),
    ) -> Result<Json, CommandError> {
        let mut args = CaseDo {
            number: number.to_owned(),
            event: event.to_owned(),
            ..CaseDo::default()
        };
        more(&mut args);
        self.office.case_do(NOW, args)
    }

    /// Whether any file of the folder holds these bytes.
    pub(super) fn holds(&self, needle: &[u8]) -> bool {
        let disk: &dyn Disk = &self.disk;
        disk.list().unwrap().iter().any(|file| {
            // A file may be allocated beyond its last byte: read as far as there is anything.
            let allocated = usize::try_from(disk.len(file).unwrap().unwrap()).unwrap();
            let (mut there, mut beyond) = (0, allocated + 1);
            while there + 1 < beyond {
                let middle = usize::midpoint(there, beyond);
                match disk.read_at(file, 0, middle) {
                    Ok(_) => there = middle,
                    Err(_) => beyond = middle,
                }
            }
            let bytes = disk.read_at(file, 0, there).unwrap();
            bytes.windows(needle.len()).any(|w| w == needle)
        })
    }

    /// Every row of the views, byte for byte.
    pub(super) fn rows(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.office.catch_up(NOW).unwrap();
        let rows = self.office.store.kv().prefix(name::ALL).unwrap();
        // How far it is applied differs where a local fact was journalled between.
        rows.into_iter().filter(|(key, _)| key != name::APPLIED).collect()
    }
}

/// Statements of one author, each signed by itself.
struct Author {
    key: SigningKey,
    log: LogId,
    prev: Tip,
}

impl Author {
    fn new(key: SigningKey, unit: UnitId) -> Self {
        let log = LogId {
            scope: Scope::public(unit),
            device: DeviceId(key.verifying_key().to_bytes()),
            epoch: 77,
        };
        Self {
            key,
            log,
            prev: Tip::START,
        }
    }

    fn state(&mut self, statement: &Statement) -> VerifiedRun {
        let entry = Entry {
            kind: KIND_STATEMENT,
            body: statement.encode(),
        };
        let run = sign(&self.key, self.log, self.prev, vec![entry]);
        self.prev = run.tip();
        run
    }
}

fn admit(desk: &Desk, unit: UnitId, role: Role, prefix: Option<u32>, code: u32) -> Statement {
    Statement::Admit(Admit {
        device: desk.office.device(),
        unit,
        role,
        seal_key: desk.office.me.seal_key,
        name: "电脑".to_owned(),
        node_code: NodeCode::new(code).unwrap(),
        prefix: prefix.map(HubPrefix),
        former: None,
        by: None,
    })
}

fn grant(desk: &Desk, scope: Scope, key: [u8; 32], hub_only: bool, seed: u8) -> Statement {
    let context = grant_context(&scope, hub_only);
    let sealed = sealbox::seal(&desk.office.me.seal_key, &context, &key, [seed; 32]).unwrap();
    Statement::Grant(Grant {
        scope,
        device: desk.office.device(),
        sealed,
        hub_only,
    })
}

impl World {
    pub(super) fn new() -> Self {
        let organisation = Organisation::from_tsv(DIVISIONS, &mut Seeds::new([9; 32])).unwrap();
        let unit = |code: &str| organisation.by_code(UnitCode::parse(code).unwrap()).unwrap().id;
        let (top, town_unit, unit_a, unit_b) = (unit(COUNTY), unit(TOWN), unit(ROOM_A), unit(ROOM_B));
        let mut world = Self {
            county: Desk::new(1),
            town: Desk::new(2),
            a: Desk::new(3),
            b: Desk::new(4),
        };
        let root_key = SigningKey::from_bytes(&[8; 32]);
        let mut root = Author::new(root_key, top);
        let mut hub = Author::new(world.county.office.me.signing.clone(), top);
        let mut town = Author::new(world.town.office.me.signing.clone(), town_unit);
        let mut runs = vec![
            root.state(&admit(&world.county, top, Role::Hub, Some(1), 1296)),
            hub.state(&Statement::Organisation(organisation)),
            hub.state(&Statement::Catalogue(Catalogue::from_tsv(MATTERS).unwrap())),
            hub.state(&Statement::Calendar(Calendar::from_tsv(HOLIDAYS).unwrap())),
            hub.state(&admit(&world.town, town_unit, Role::Hub, Some(9), 9 * 1296)),
            town.state(&admit(&world.a, unit_a, Role::Node, None, 9 * 1296 + 1)),
            town.state(&admit(&world.b, unit_b, Role::Node, None, 9 * 1296 + 2)),
        ];
        let mut seed = 100;
        for (unit, key) in [(unit_a, 41), (unit_b, 42)] {
            let room = if unit == unit_a { &world.a } else { &world.b };
            for desk in [&world.county, &world.town, room] {
                seed += 1;
                runs.push(hub.state(&grant(desk, Scope::book(unit), [key; 32], false, seed)));
            }
        }
        for desk in [&world.county, &world.town] {
            seed += 1;
            runs.push(hub.state(&grant(desk, Scope::book(top), [43; 32], true, seed)));
        }
        for (desk, unit, role) in [
            (&mut world.county, top, Role::Hub),
            (&mut world.town, town_unit, Role::Hub),
            (&mut world.a, unit_a, Role::Node),
            (&mut world.b, unit_b, Role::Node),
        ] {
            let life = Life {
                root: root.log.device,
                unit,
                role,
                formers: Vec::new(),
                addrs: Vec::new(),
            };
            let office = &mut desk.office;
            office.store.stage_fact(fact::LIFE, Some(&life.to_bytes())).unwrap();
            office.life = Some(life);
            office.begin_epoch().unwrap();
            for run in &runs {
                hear(office, run);
            }
            settle(office);
        }
        world
    }

    /// Everybody hears everything.
    pub(super) fn settle(&mut self) {
        for _ in 0..2 {
            share(&self.a, &mut self.town);
            share(&self.b, &mut self.town);
            share(&self.town, &mut self.county);
            share(&self.county, &mut self.town);
            share(&self.town, &mut self.a);
            share(&self.town, &mut self.b);
        }
    }
}

pub(super) fn hear(office: &mut Office, run: &VerifiedRun) {
    office.store.stage_run(run).unwrap();
    office.statements.staged(run);
}

/// Makes durable what was staged and folds the statements.
pub(super) fn settle(office: &mut Office) {
    office.commit(NOW).unwrap();
    office.statements.settle();
    office.refold();
}

/// Carries everything that `to` may hold from one office to another, keys included.
pub(super) fn share(from: &Desk, to: &mut Desk) {
    let unit = to.office.unit().unwrap();
    let scopes: Vec<Scope> = from.office.store.logs().scopes().collect();
    for scope in &scopes {
        if !to.office.authority.may_hold(unit, scope) {
            continue;
        }
        for log in from.office.store.logs().logs(*scope) {
            for tip in from.office.store.logs().tips(&log) {
                let runs = from
                    .office
                    .store
                    .read(&log, Tip::START, *tip, usize::MAX, Merge::Checkpoints)
                    .unwrap();
                for run in runs {
                    hear(&mut to.office, &run.verify().unwrap());
                }
            }
        }
    }
    let rows = from.office.store.kv().prefix(name::RECORD).unwrap();
    for of in rows.iter().filter_map(|(key, _)| name::tail(key)) {
        if !to.office.authority.may_hold(unit, &of.scope) || to.office.authority.erased(&of.scope, &of.record) {
            continue;
        }
        if let Some(key) = from.office.store.key(of.scope, &of.record) {
            to.office.store.stage_key(of.scope, of.record, &key).unwrap();
            to.office.views.touch(of.scope, of.record);
        }
    }
    settle(&mut to.office);
    to.office.catch_up(NOW).unwrap();
}

/// A receipt of `hub` for all it holds of a book, told to `to`; gives the store id it was said under.
pub(super) fn receipt(hub: &Desk, to: &mut Desk, book: Scope, at_ms: i64) -> u64 {
    let vector = hub.office.store.logs().vector(book).clone();
    let receipt = Receipt::sign(&hub.office.me.signing, 5, book, at_ms as u64, at_ms, vector);
    to.office.store.stage_receipt(&receipt).unwrap();
    settle(&mut to.office);
    5
}

pub(super) fn withdraw(hub: &Desk, to: &mut Desk, store: u64, at_ms: i64) {
    let withdrawal = Withdrawal::sign(&hub.office.me.signing, store, at_ms);
    to.office.store.stage_withdrawal(&withdrawal).unwrap();
    settle(&mut to.office);
}
