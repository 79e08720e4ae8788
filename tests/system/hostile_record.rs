//! What a member may write, and nobody is to believe: crafted changes in its own book, presumptuous statements in its own public
//! scope. They are kept, because the log does not judge; they count for nothing, and the reason is shown.

use std::collections::{BTreeMap, BTreeSet};

use cunlian_tests::county::{MATTERS, PlaceId};
use ledger::catalogue::Catalogue;
use ledger::day::Day;
use ledger::form::{Form, Forms};
use ledger::id::{DeviceId, Hash, NodeCode, RecordId, Scope, Tier, UserId};
use ledger::record::{
    Author, Context, Creation, Edit, Envelope, Head, ItemSeed, NewEvent, RecordEntry, Standing, Value, actor, create,
    edit,
};
use replica::entry::{Entry, KIND_RECORD, KIND_STATEMENT, RecordBody};
use replica::statement::{Admit, Erase, Extend, Grant, NewCode, Revoke, Role, Statement, User};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::foe::{Foe, public};
use crate::rig::{ask, device, settle, text, wait};
use crate::siege::Siege;

const RECORD: RecordId = RecordId([0xbd; 16]);
const USER: UserId = UserId([1; 8]);

fn today() -> Day {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    Day::of_wall_ms(now.as_millis() as i64)
}

/// Makes changes as the product does, so that they can then be spoiled.
struct Forge {
    device: DeviceId,
    unit: ledger::id::UnitId,
    forms: Forms,
    catalogues: BTreeMap<Hash, Catalogue>,
}

impl Forge {
    fn of(foe: &Foe) -> Self {
        let catalogue = Catalogue::from_tsv(MATTERS).expect("the table");
        Self {
            device: foe.device(),
            unit: foe.unit,
            forms: Forms::compiled(),
            catalogues: BTreeMap::from([(ledger::version_hash(&catalogue), catalogue)]),
        }
    }

    fn create(&self, process: u8, no: &str) -> Vec<u8> {
        let form = Form::case();
        let creation = Creation {
            record: RECORD,
            head: Head {
                form: form.hash(),
                no: no.to_owned(),
                matter: "A01".to_owned(),
                catalogue: *self.catalogues.keys().next().expect("one"),
                unit: self.unit,
                clerk: USER,
                on: today(),
                import_key: None,
            },
            fields: vec![("name".to_owned(), Value::Sealed(vec![7; 30]))],
            items: vec![ItemSeed {
                id: "m1".to_owned(),
                name: "身份证".to_owned(),
                received: false,
            }],
            events: vec![NewEvent::new("receive", today())],
        };
        create(actor(&self.device, [process; 8]), &creation, form).expect("a change")
    }

    fn edit(&self, created: &[u8], device: DeviceId, event: NewEvent) -> Vec<u8> {
        let envelope = Envelope {
            standing: Standing::Valid,
            author: Author::Known,
            wall_ms: 0,
            skew_ms: None,
            device: self.device,
            unit: self.unit,
            tier: Tier::Room,
            user: USER,
        };
        let entries = [RecordEntry {
            envelope,
            change: created,
        }];
        let ctx = Context {
            forms: &self.forms,
            catalogues: &self.catalogues,
        };
        // Each from a process of its own, so that none takes another's number.
        let process = Sha256::digest(format!("{event:?}"))[..8].try_into().expect("8 bytes");
        edit(&entries, actor(&device, process), &[Edit::Event(event)], &ctx).expect("a change")
    }
}

/// What lies in a chunk of Automerge after its header.
fn content(change: &[u8]) -> &[u8] {
    let length = change[9..].iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
    &change[9 + length..]
}

/// A chunk with a right length and checksum, whatever is in it.
fn framed(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut chunk = vec![kind];
    replica::wire::put_bytes(&mut chunk, data);
    let hash = Sha256::digest(&chunk);
    [&[0x85, 0x6f, 0x4a, 0x83], &hash[..4], &chunk].concat()
}

fn entry(record: RecordId, change: Vec<u8>) -> Entry {
    let body = RecordBody {
        record,
        user: USER,
        wall_ms: i64::MIN,
        skew_ms: Some(i32::MAX),
        change,
    };
    Entry {
        kind: KIND_RECORD,
        body: body.encode(),
    }
}

/// Changes that must be set aside, each with what it is.
fn spoiled(forge: &Forge, created: &[u8], other: DeviceId) -> Vec<Vec<u8>> {
    let event = |note: &str| NewEvent::new("process", today()).with("note", Value::Text(note.to_owned()));
    let good = forge.edit(created, forge.device, event("a"));
    let mut checksum = good.clone();
    checksum[5] ^= 1;
    // Dependencies, actor and number come first; then the counter of the first operation.
    let data = content(&good);
    let counter = 1 + 32 + 1 + 16 + 1;
    let late = forge.edit(created, forge.device, event("c"));
    let late = content(&late);
    assert!(late[counter] < 0x80, "one byte");
    let lamport = [&late[..counter], &[0xff, 0xff, 0xff, 0xff, 0x0f], &late[counter + 1..]].concat();
    let mut all = vec![
        checksum,
        framed(1, &lamport),
        framed(0, content(created)),
        framed(2, content(&good)),
        framed(2, &zstd::bulk::compress(&[0; 1 << 20], 3).expect("it compresses")),
        framed(9, data),
        [good.as_slice(), created].concat(),
        forge.edit(created, other, event("b")),
        vec![0; 200_000],
        b"x".to_vec(),
    ];
    // Every byte of a good change replaced and the checksum made right: some of these make Automerge itself panic.
    for at in 0..data.len() {
        for value in [0x00, 0x7f, 0xff] {
            let mut bytes = data.to_vec();
            if std::mem::replace(&mut bytes[at], value) != value {
                all.push(framed(1, &bytes));
            }
        }
    }
    all
}

/// Sends entries of one scope as far as the township has journalled them.
fn plant(siege: &Siege, scope: Scope, entries: Vec<Entry>) {
    let kind = if scope == siege.foe.book() { "book" } else { "public" };
    let before = siege.held_of(kind);
    let planted = entries.len() as u64;
    let mut wire = siege.foe.meet(siege.addr());
    for part in entries.chunks(200) {
        let run = siege.foe.run(scope, part.to_vec());
        wire.batch(vec![run.run().clone()]);
    }
    wait("the township holds it", || siege.held_of(kind) == before + planted);
}

fn quarantine(siege: &Siege, of: PlaceId) -> Vec<Json> {
    let list = ask(&siege.line.county, of, &["quarantine", "list"]);
    list.as_array().expect("a list").clone()
}

/// What was planted is listed at a hub, each with its reason, and changed nothing that others wrote.
fn is_told(siege: &Siege, hub: PlaceId, planted: usize, honest: &Json) {
    let county = &siege.line.county;
    let list = quarantine(siege, hub);
    let aside: Vec<&Json> = list.iter().filter(|item| item["kind"] == "set_aside").collect();
    assert!(aside.len() > planted * 2 / 3, "{} of {planted}", aside.len());
    let reasons: BTreeSet<String> = aside.iter().map(|item| text(item, "reason")).collect();
    for reason in [
        "校验和不符",
        "不是单条原始变更",
        "署名与设备不符",
        "序号或计数与其依据不符",
        "改写了办件头或已有事件",
        "内容损坏，无法解析",
    ] {
        assert!(reasons.contains(reason), "{reason} not in {reasons:?}");
    }
    for kind in ["unreadable", "unknown_kind"] {
        assert!(list.iter().any(|item| item["kind"] == kind), "{kind}");
    }
    // The forged case is shown for what it is: received, whatever its author says happened since.
    let listed = county.cases(hub).expect("a list");
    let forged = listed
        .iter()
        .find(|c| c["record_id"] == RECORD.to_string().as_str())
        .expect("it is listed");
    assert_eq!(forged["state"], "received", "{forged}");
    let shown = county[hub].say(&["case", "list", "--limit", "1000"]).expect("it runs");
    assert!(
        !shown.stdout.contains('\u{1b}'),
        "a number moves the cursor: {:?}",
        shown.stdout
    );
    let now: Vec<&Json> = listed.iter().filter(|c| c["unit"] == honest["unit"]).collect();
    assert!(
        now.iter()
            .any(|c| c["record_id"] == honest["record_id"] && c["state"] == honest["state"])
    );
}

#[test]
fn crafted_changes_are_set_aside_each_with_its_reason() {
    let siege = Siege::lay();
    let forge = Forge::of(&siege.foe);
    let county = &siege.line.county;
    let victim = DeviceId::parse(&device(county, siege.neighbour)).expect("a device");
    let honest = county.cases(siege.neighbour).expect("a list");
    let honest_id = RecordId::parse(&text(&honest[0], "record_id")).expect("an id");
    let created = forge.create(3, "\u{1b}[2J坏\r\n号");
    let spoiled = spoiled(&forge, &created, victim);
    let by_township = NewEvent::new("process", today()).with("tier", Value::Text("township".to_owned()));
    let closing = NewEvent::new("close", today()).with("result", Value::Int(6));
    let mut entries = vec![entry(RECORD, created.clone())];
    for event in [by_township, closing] {
        entries.push(entry(RECORD, forge.edit(&created, forge.device, event)));
    }
    entries.extend(spoiled.into_iter().map(|change| entry(RECORD, change)));
    // One record begun twice: one of the two is an overwriting.
    entries.extend([4, 5].map(|process| entry(RecordId([0xbe; 16]), forge.create(process, "改写办件头"))));
    // Its own record under the id of somebody else's.
    entries.push(entry(honest_id, forge.create(3, "51160300112628200129")));
    entries.push(entry(honest_id, vec![0; 50]));
    entries.push(Entry {
        kind: KIND_RECORD,
        body: vec![1],
    });
    entries.push(Entry {
        kind: 99,
        body: vec![1; 1_000],
    });
    let planted = entries.len();
    plant(&siege, siege.foe.book(), entries);
    siege.goes_on();
    settle(county, &siege.honest());
    for hub in [siege.line.township, siege.line.top] {
        is_told(&siege, hub, planted, &honest[0]);
    }
    siege.stands();
}

/// Statements that are none of a room's business.
fn presumptuous(foe: &Foe, siege: &Siege) -> Vec<Statement> {
    let county = &siege.line.county;
    let id = |place| DeviceId::parse(&device(county, place)).expect("a device");
    let (victim, township, top) = (id(siege.neighbour), id(siege.line.township), id(siege.line.top));
    let honest = county.cases(siege.neighbour).expect("a list");
    let record = RecordId::parse(&text(&honest[0], "record_id")).expect("an id");
    let admit = |device, unit, role| {
        Statement::Admit(Admit {
            device,
            unit,
            role,
            seal_key: [1; 32],
            name: "坏".to_owned(),
            node_code: NodeCode::new(99).expect("a code"),
            prefix: None,
            former: None,
            by: None,
        })
    };
    let revoke = |device| {
        Statement::Revoke(Revoke {
            device,
            reason: "坏".to_owned(),
            cuts: Vec::new(),
        })
    };
    let other = siege.other();
    vec![
        admit(DeviceId([0x66; 32]), foe.unit, Role::Node),
        admit(DeviceId([0x67; 32]), other, Role::Hub),
        admit(foe.device(), other, Role::Hub),
        admit(victim, foe.unit, Role::Node),
        revoke(victim),
        revoke(township),
        revoke(top),
        Statement::Extend(Extend {
            device: victim,
            cuts: Vec::new(),
        }),
        Statement::User(User {
            id: USER,
            unit: other,
            name: "坏".to_owned(),
            roles: vec!["admin".to_owned()],
            active: true,
            enrol: None,
        }),
        Statement::Grant(Grant {
            scope: Scope::book(other),
            device: top,
            sealed: vec![1; 200],
            hub_only: false,
        }),
        Statement::Erase(Erase {
            scope: Scope::book(other),
            record,
            reason: "坏".to_owned(),
        }),
        Statement::NodeCode(NewCode {
            device: victim,
            epoch: 1,
            code: NodeCode::new(99).expect("a code"),
        }),
        Statement::Unknown(200),
    ]
}

/// Versions that only the county publishes, each newer than any.
fn versions() -> Vec<Statement> {
    vec![
        Statement::Organisation(ledger::organisation::Organisation {
            version: u32::MAX,
            units: Vec::new(),
        }),
        Statement::Catalogue(Catalogue {
            version: u32::MAX,
            matters: Vec::new(),
        }),
        Statement::Calendar(ledger::calendar::Calendar {
            version: u32::MAX,
            ..Default::default()
        }),
        Statement::Form("name = \"case\"".to_owned()),
    ]
}

#[test]
fn what_a_room_states_about_others_counts_for_nothing() {
    let siege = Siege::lay();
    let county = &siege.line.county;
    let hubs = [siege.line.township, siege.line.top];
    let honest = county.cases(siege.neighbour).expect("a list");
    let number = text(&honest[0], "project_no");
    let seen = |hub| {
        let members = ask(county, hub, &["member", "list"]);
        let shown = ask(county, hub, &["case", "show", &number]);
        let rooms = ask(county, hub, &["rooms"]).as_array().map(Vec::len);
        (members.to_string(), shown["fields"].to_string(), rooms)
    };
    let before = hubs.map(seen);
    let mut statements = presumptuous(&siege.foe, &siege);
    statements.extend(versions());
    let mut entries: Vec<Entry> = statements
        .iter()
        .map(|statement| Entry {
            kind: KIND_STATEMENT,
            body: statement.encode(),
        })
        .collect();
    for tag in 1..=11 {
        let mut body = vec![tag];
        body.extend_from_slice(&[0x9f; 500]);
        entries.push(Entry {
            kind: KIND_STATEMENT,
            body,
        });
    }
    plant(&siege, public(siege.foe.unit), entries);
    siege.goes_on();
    settle(county, &siege.honest());
    assert_eq!(hubs.map(seen), before);
    for place in siege.honest() {
        let status = siege.status(place);
        assert_eq!(status["member"], true, "{status}");
        assert_eq!(status["revoked"], false, "{status}");
    }
    wait("what cannot be read is told", || {
        let list = quarantine(&siege, siege.line.top);
        let status = siege.status(siege.line.top);
        list.iter().any(|item| item["kind"] == "unreadable") || status["upgrade_needed"].as_u64() > Some(0)
    });
    siege.stands();
}
