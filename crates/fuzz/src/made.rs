//! An invented case, and the versions that it pins.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ledger::catalogue::{Catalogue, HandlingType, Matter};
use ledger::day::Day;
use ledger::form::{Form, Forms};
use ledger::id::{DeviceId, Hash, RecordId, Tier, UnitId, UserId};
use ledger::record::{
    Author, Context, Creation, Edit, EditError, Envelope, Head, ItemSeed, NewEvent, RecordEntry, Standing, Value,
    actor, create, edit,
};

pub(crate) const RECORD: RecordId = RecordId([9; 16]);
const CATALOGUE: Hash = Hash([7; 32]);
const ROOM: u8 = 1;
const TOWN: u8 = 2;

/// What one place holds: envelopes and changes.
pub(crate) type Held = Vec<(Envelope, Vec<u8>)>;

pub(crate) fn entries(held: &[(Envelope, Vec<u8>)]) -> Vec<RecordEntry<'_>> {
    held.iter()
        .map(|(envelope, change)| RecordEntry {
            envelope: envelope.clone(),
            change,
        })
        .collect()
}

pub(crate) fn catalogues() -> &'static BTreeMap<Hash, Catalogue> {
    static CATALOGUES: OnceLock<BTreeMap<Hash, Catalogue>> = OnceLock::new();
    CATALOGUES.get_or_init(|| {
        let matter = Matter {
            code: "B23".to_owned(),
            name: "高龄津贴".to_owned(),
            group: String::new(),
            category: String::new(),
            tier: "township".to_owned(),
            village_role: "代办".to_owned(),
            handling_type: HandlingType::Promised,
            promised_workdays: 5,
            materials: Vec::new(),
            statutory_limit: String::new(),
            deadline_basis: String::new(),
        };
        let matters = vec![matter];
        BTreeMap::from([(CATALOGUE, Catalogue { version: 1, matters })])
    })
}

/// The versions of the house.
pub(crate) fn context() -> Context<'static> {
    static FORMS: OnceLock<Forms> = OnceLock::new();
    Context {
        forms: FORMS.get_or_init(Forms::compiled),
        catalogues: catalogues(),
    }
}

pub(crate) fn day() -> Day {
    Day::of_wall_ms(1_791_500_000_000)
}

pub(crate) fn envelope(number: u8) -> Envelope {
    Envelope {
        standing: Standing::Valid,
        author: Author::Known,
        wall_ms: 1_791_500_000_000,
        skew_ms: None,
        device: DeviceId([number; 32]),
        unit: UnitId([number; 16]),
        tier: if number == ROOM { Tier::Room } else { Tier::Township },
        user: UserId([number; 8]),
    }
}

pub(crate) fn actor_of(number: u8) -> [u8; 16] {
    actor(&DeviceId([number; 32]), [number; 8])
}

/// The creation of the case under a form.
pub(crate) fn creation(form: &Form, fields: Vec<(String, Value)>, events: Vec<NewEvent>) -> Result<Vec<u8>, EditError> {
    let creation = Creation {
        record: RECORD,
        head: Head {
            form: form.hash(),
            no: "51160300112628200129".to_owned(),
            matter: "B23".to_owned(),
            catalogue: CATALOGUE,
            unit: UnitId([ROOM; 16]),
            clerk: UserId([1; 8]),
            on: day(),
            import_key: None,
        },
        fields,
        items: vec![ItemSeed {
            id: "m1".to_owned(),
            name: "身份证".to_owned(),
            received: false,
        }],
        events,
    };
    create(actor_of(ROOM), &creation, form)
}

/// A case that room and township worked on at the same time.
pub(crate) fn case() -> &'static Held {
    static CASE: OnceLock<Held> = OnceLock::new();
    CASE.get_or_init(|| match made() {
        Ok(held) => held,
        Err(error) => panic!("the invented case cannot be made: {error}"),
    })
}

fn made() -> Result<Held, EditError> {
    let sealed = |len: u8| Value::Sealed((0..len).collect());
    let fields = vec![("name".to_owned(), sealed(22)), ("cert_no".to_owned(), sealed(34))];
    let receive = NewEvent::new("receive", day());
    let mut room: Held = vec![(envelope(ROOM), creation(Form::case(), fields, vec![receive])?)];
    let mut town = room.clone();
    let act = |held: &mut Held, who: u8, edits: &[Edit]| -> Result<(), EditError> {
        let change = edit(&entries(held), actor_of(who), edits, &context())?;
        held.push((envelope(who), change));
        Ok(())
    };
    let item = Edit::Item {
        id: "m1".to_owned(),
        key: "received".to_owned(),
        value: Value::Flag(true),
    };
    act(&mut town, TOWN, &[Edit::Event(NewEvent::new("accept", day()))])?;
    let address = |len| Edit::Field {
        name: "address".to_owned(),
        value: sealed(len),
    };
    act(
        &mut room,
        ROOM,
        &[item, address(40), Edit::Note("电话已打通".to_owned())],
    )?;
    act(&mut town, TOWN, &[address(41)])?;
    for change in town {
        if !room.contains(&change) {
            room.push(change);
        }
    }
    let close = NewEvent::new("close", day()).with("result", Value::Int(1));
    act(&mut room, TOWN, &[Edit::Event(close), address(42)])?;
    Ok(room)
}
