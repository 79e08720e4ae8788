//! The vault of record keys as it is found at opening: any bytes, or slots whose checksums are repaired.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use ledger::id::{RecordId, Scope, UnitId};
use memchr::memmem;
use sha2::{Digest, Sha512};
use store::{Disk, KeyStaged};

use super::MIB;
use crate::Target;
use crate::bytes::choice;
use crate::disk::{folder, open};

pub(super) const TARGET: Target = Target {
    name: "vault",
    promise: "a folder is opened whatever its vault holds, unless a later version wrote it; an erased record's key is in no byte of \
              it and is never taken again; a key that is in a sound slot and not erased is given; opening again finds the same",
    check,
    seeds,
    // Room for a hundred slots, or four as they lie on a disk.
    len_max: 400,
    memory: (8 * MIB, 512),
};

const NAME: &str = "vault";
const SLOT: usize = 96;
/// Of a slot in an input whose checksums are repaired: state, scope, record, key.
const PACKED: usize = 4;
const KEY: u8 = 1;
const ERASED: u8 = 2;

fn seeds() -> Vec<Vec<u8>> {
    let packed = vec![
        1, KEY, 0, 1, 10, KEY, 1, 2, 20, ERASED, 0, 3, 0, KEY, 0, 3, 30, 0, 0, 0, 0, KEY, 0, 1, 40, ERASED, 1, 2, 0,
    ];
    let raw = [&[0], file(&packed[1..13]).as_slice()].concat();
    vec![packed, raw, vec![0], vec![1]]
}

fn scope(number: u8) -> Scope {
    let unit = UnitId([1 + number % 3; 16]);
    if number & 0x80 == 0 {
        Scope::book(unit)
    } else {
        Scope::public(unit)
    }
}

fn record(number: u8) -> RecordId {
    RecordId([1 + number % 8; 16])
}

/// A key that nobody could meet by chance, nor a part of another one beside other bytes.
fn wrapped(number: u8) -> [u8; 48] {
    static KEYS: OnceLock<Vec<[u8; 48]>> = OnceLock::new();
    let key = |number: u8| {
        let digest = Sha512::digest([number]);
        std::array::from_fn(|at| digest[at])
    };
    KEYS.get_or_init(|| (0..=u8::MAX).map(key).collect())[usize::from(number)]
}

/// The vault's file: a header and a slot for each four bytes.
fn file(packed: &[u8]) -> Vec<u8> {
    let mut header = [0; SLOT];
    header[..9].copy_from_slice(b"CLVAULT\n\x01");
    let mut out = sealed(header).to_vec();
    for slot in packed.chunks_exact(PACKED) {
        let mut bytes = [0; SLOT];
        if slot[0] != 0 {
            bytes[0] = slot[0];
            bytes[1..18].copy_from_slice(&scope(slot[1]).to_bytes());
            bytes[18..34].copy_from_slice(&record(slot[2]).0);
            if slot[0] != ERASED {
                bytes[34..82].copy_from_slice(&wrapped(slot[3]));
            }
            bytes = sealed(bytes);
        }
        out.extend_from_slice(&bytes);
    }
    out
}

fn sealed(mut slot: [u8; SLOT]) -> [u8; SLOT] {
    let sum = crc32c::crc32c(&slot[..SLOT - 4]).to_le_bytes();
    slot[SLOT - 4..].copy_from_slice(&sum);
    slot
}

fn check(data: &[u8]) {
    let (how, rest) = choice(data);
    let bytes = if how.is_multiple_of(2) {
        rest.to_vec()
    } else {
        file(rest)
    };
    let Some(disk) = folder(NAME, &bytes) else { return };
    let Some(mut store) = open(&disk) else { return };
    let (keys, erased) = model(&bytes);
    for place in &erased {
        assert!(store.is_erased(place.0, &place.1), "an erased key is not known to be");
        assert_eq!(store.key(place.0, &place.1), None, "an erased key is given");
        let staged = store.stage_key(place.0, place.1, &wrapped(1));
        assert!(matches!(staged, Ok(KeyStaged::Erased)), "an erased key is taken again");
    }
    for (place, may_be) in &keys {
        if !erased.contains(place) {
            let given = store.key(place.0, &place.1);
            assert!(
                given.is_some_and(|key| may_be.contains(&key)),
                "a key in a sound slot is not given"
            );
        }
    }
    let again = open(&disk);
    for place in keys.keys().chain(&erased) {
        let given = again.as_ref().map(|again| again.key(place.0, &place.1));
        assert_eq!(
            given,
            Some(store.key(place.0, &place.1)),
            "opening again finds another key"
        );
    }
    let now = disk
        .len(NAME)
        .ok()
        .flatten()
        .and_then(|len| disk.read_at(NAME, 0, len as usize).ok());
    let now = now.unwrap_or_default();
    let of = |is_gone: bool| {
        let places = keys.iter().filter(|(place, _)| erased.contains(place) == is_gone);
        places
            .flat_map(|(_, keys)| keys)
            .copied()
            .collect::<BTreeSet<[u8; 48]>>()
    };
    let gone: BTreeSet<[u8; 48]> = of(true).difference(&of(false)).copied().collect();
    let mut gone = gone.iter();
    assert!(
        gone.all(|key| memmem::find(&now, key).is_none()),
        "an erased key is still in the file"
    );
}

type Place = (Scope, RecordId);

/// What the sound slots of a file say, by the words of JOURNAL.md: keys, and what was erased.
fn model(bytes: &[u8]) -> (BTreeMap<Place, Vec<[u8; 48]>>, BTreeSet<Place>) {
    let (mut keys, mut erased): (BTreeMap<Place, Vec<[u8; 48]>>, BTreeSet<Place>) = Default::default();
    for slot in bytes.chunks_exact(SLOT).skip(1) {
        let sum = crc32c::crc32c(&slot[..SLOT - 4]).to_le_bytes();
        let (Some(scope), Some(record)) = (Scope::from_bytes(&slot[1..18]), RecordId::from_slice(&slot[18..34])) else {
            continue;
        };
        match slot[0] {
            _ if slot[SLOT - 4..] != sum => {}
            KEY => {
                let key = std::array::from_fn(|at| slot[34 + at]);
                keys.entry((scope, record)).or_default().push(key);
            }
            ERASED => drop(erased.insert((scope, record))),
            _ => {}
        }
    }
    (keys, erased)
}
