//! Stories of a case, told by rooms and townships that know of each other what the arrows say.

mod automerge;
mod errands;
mod forged;
mod legality;
mod permutations;
mod silence;
mod size;
mod stories;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::*;
use crate::catalogue::{HandlingType, Matter};
use crate::form::Form;

const CATALOGUE: Hash = Hash([7; 32]);

fn forms() -> &'static Forms {
    static FORMS: OnceLock<Forms> = OnceLock::new();
    FORMS.get_or_init(Forms::compiled)
}

fn matter(code: &str, role: &str, handling_type: HandlingType) -> Matter {
    Matter {
        code: code.to_owned(),
        name: code.to_owned(),
        group: String::new(),
        category: String::new(),
        tier: "township".to_owned(),
        village_role: role.to_owned(),
        handling_type,
        promised_workdays: 5,
        materials: Vec::new(),
        statutory_limit: String::new(),
        deadline_basis: String::new(),
    }
}

fn catalogues() -> &'static BTreeMap<Hash, Catalogue> {
    static CATALOGUES: OnceLock<BTreeMap<Hash, Catalogue>> = OnceLock::new();
    CATALOGUES.get_or_init(|| {
        let matters = vec![
            matter("SPOT", "直办", HandlingType::OnTheSpot),
            matter("DIRECT", "直办", HandlingType::Promised),
            matter("AGENT", "代办", HandlingType::Promised),
            matter("AGENT_SPOT", "代办", HandlingType::OnTheSpot),
        ];
        BTreeMap::from([(CATALOGUE, Catalogue { version: 1, matters })])
    })
}

fn context() -> Context<'static> {
    Context {
        forms: forms(),
        catalogues: catalogues(),
    }
}

fn today() -> Day {
    Day::from_ymd(2026, 10, 9).unwrap()
}

/// A device at a window.
#[derive(Clone, Copy)]
struct Desk {
    device: DeviceId,
    unit: UnitId,
    tier: Tier,
}

impl Desk {
    const fn new(number: u8, unit: u8, tier: Tier) -> Self {
        Self {
            device: DeviceId([number; 32]),
            unit: UnitId([unit; 16]),
            tier,
        }
    }

    fn envelope(&self) -> Envelope {
        Envelope {
            standing: Standing::Valid,
            author: Author::Known,
            wall_ms: 1_760_000_000_000,
            skew_ms: None,
            device: self.device,
            unit: self.unit,
            tier: self.tier,
            user: UserId([self.device.0[0]; 8]),
        }
    }

    fn actor(&self) -> [u8; 16] {
        actor(&self.device, [self.device.0[0]; 8])
    }

    fn who(&self) -> Who {
        Who {
            unit: self.unit,
            tier: self.tier,
            device: self.device,
            user: UserId([1; 8]),
        }
    }
}

const ROOM: Desk = Desk::new(1, 11, Tier::Room);
/// The B post of the same room.
const ROOM_B: Desk = Desk::new(2, 11, Tier::Room);
const TOWN: Desk = Desk::new(3, 13, Tier::Township);
const TOWN_B: Desk = Desk::new(4, 13, Tier::Township);
const COUNTY: Desk = Desk::new(5, 15, Tier::County);

/// What one place holds of a record.
#[derive(Clone, Default)]
struct Held(Vec<(Envelope, Vec<u8>)>);

impl Held {
    fn open(desk: Desk, matter: &str) -> Self {
        let mut held = Self::default();
        held.0.push((
            desk.envelope(),
            creation(desk, matter, vec![NewEvent::new("receive", today())]),
        ));
        held
    }

    fn entries(&self) -> Vec<RecordEntry<'_>> {
        entries(&self.0)
    }

    fn edit(&mut self, desk: Desk, edits: &[Edit]) -> Hash {
        let change = edit(&self.entries(), desk.actor(), edits, &context()).unwrap();
        let hash = change_hash(&change);
        self.0.push((desk.envelope(), change));
        hash
    }

    fn event(&mut self, desk: Desk, event: NewEvent) -> String {
        format!("{}.0", &self.edit(desk, &[Edit::Event(event)]).to_string()[..12])
    }

    /// An event that needs no data.
    fn act(&mut self, desk: Desk, kind: &str) -> String {
        self.event(desk, NewEvent::new(kind, today()))
    }

    fn close(&mut self, desk: Desk, result: i64) -> String {
        self.event(desk, NewEvent::new("close", today()).with("result", Value::Int(result)))
    }

    /// Takes over everything that another place holds.
    fn meet(&mut self, other: &Held) {
        for entry in &other.0 {
            if !self.0.contains(entry) {
                self.0.push(entry.clone());
            }
        }
    }

    /// Folds in several orders of arrival, which must agree to the byte.
    fn fold(&self) -> Folded {
        let folded = fold(&RECORD, &self.entries(), &context());
        let mut reversed = self.entries();
        reversed.reverse();
        assert_eq!(fold(&RECORD, &reversed, &context()), folded);
        let mut twice = self.entries();
        twice.extend(reversed);
        assert_eq!(fold(&RECORD, &twice, &context()).digest(), folded.digest());
        folded
    }
}

fn entries(held: &[(Envelope, Vec<u8>)]) -> Vec<RecordEntry<'_>> {
    held.iter()
        .map(|(envelope, change)| RecordEntry {
            envelope: envelope.clone(),
            change: change.as_slice(),
        })
        .collect()
}

const RECORD: RecordId = RecordId([9; 16]);

fn head(desk: Desk, matter: &str) -> Head {
    Head {
        form: Form::case().hash(),
        no: "51160300112628200129".to_owned(),
        matter: matter.to_owned(),
        catalogue: CATALOGUE,
        unit: desk.unit,
        clerk: UserId([1; 8]),
        on: today(),
        import_key: None,
    }
}

fn creation(desk: Desk, matter: &str, events: Vec<NewEvent>) -> Vec<u8> {
    let sealed = |len: usize, byte: u8| Value::Sealed((0..len).map(|i| (i as u8).wrapping_mul(37) ^ byte).collect());
    let creation = Creation {
        record: RECORD,
        head: head(desk, matter),
        fields: vec![
            ("name".to_owned(), sealed(22, 1)),
            ("cert_no".to_owned(), sealed(34, 2)),
            ("mobile".to_owned(), sealed(27, 3)),
        ],
        items: vec![ItemSeed {
            id: "m1".to_owned(),
            name: "身份证".to_owned(),
            received: false,
        }],
        events,
    };
    create(desk.actor(), &creation, Form::case()).unwrap()
}

fn event<'f>(folded: &'f Folded, id: &str) -> &'f FoldedEvent {
    folded.events.iter().find(|e| e.id == id).unwrap()
}
