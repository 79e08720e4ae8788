//! The audit trail's files as they are found at opening, and the locked key that lies beside them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ledger::id::Hash;
use ledger::seed::Seeds;
use office::identity::{DEVICE_KEY, Identity, IdentityError, LOCKED_KEY, UNSEAL_KEY};
use sha2::{Digest, Sha256};
use store::trail::{TrailFault, TrailTip};
use store::{Disk, Store};

use super::{KIB, MIB};
use crate::Target;
use crate::bytes::choice;
use crate::disk::{folder_of, open};

pub(super) const TARGET: Target = Target {
    name: "trail",
    promise: "a folder is opened whatever its trail holds; a record that was changed, cut, or written anew behind the journal's back is \
              told, also after the next one, which is taken, follows what was said, and is there after opening again; a locked key is \
              read within its limits or refused, and then costs no open one",
    check,
    seeds,
    len_max: 4 * KIB,
    memory: (8 * MIB, 512),
};

const NAMES: [&str; 3] = ["trail-00000001", "trail-00000002", "trail-00000003"];
/// What the sound trail says, and in which life of the device.
const SAID: [(u64, &str); 5] = [(7, "one"), (7, "two"), (7, "three"), (8, "four"), (8, "five")];
const HEADER: usize = 96;

/// How the bytes are to be taken.
const RAW: u8 = 0;
const RECORDS: u8 = 1;
const CHANGED: u8 = 2;
const ANEW: u8 = 3;
const LOCKED: u8 = 4;

type Files = BTreeMap<String, Vec<u8>>;

/// A folder whose trail is as the journal remembers it, without what makes no difference here.
fn sound() -> &'static Files {
    static SOUND: OnceLock<Files> = OnceLock::new();
    SOUND.get_or_init(|| {
        let made = folder_of(&Files::new()).and_then(|disk| {
            let mut store = open(&disk)?;
            for (life, body) in SAID {
                store.append_trail(life, body.as_bytes()).ok()?;
                store.commit().ok()?;
            }
            let names = disk.list().ok()?.into_iter().filter(|name| name != "reserve");
            let read = names.map(|name| {
                let len = disk.len(&name).ok()??;
                let bytes = disk.read_at(&name, 0, usize::try_from(len).ok()?).ok()?;
                Some((name, bytes))
            });
            read.collect()
        });
        match made {
            Some(files) => files,
            None => panic!("the sound trail cannot be made"),
        }
    })
}

fn seeds() -> Vec<Vec<u8>> {
    let sound = |number: usize| sound().get(NAMES[number]).cloned().unwrap_or_default();
    let key = "cunlian-unseal 1\nargon2id 65536 3 1\nsalt 00112233445566778899aabbccddeeff\n\
               public 0101010101010101010101010101010101010101010101010101010101010101\nsealed 00ff00ff\n";
    let mut seeds = vec![
        [vec![RAW], sound(0)].concat(),
        // Two segments: how it begins, its life, how many records, and these with their lengths.
        vec![RECORDS, 0, 7, 2, 1, 65, 2, 66, 66, 0, 8, 1, 0],
        vec![RECORDS, 1, 7, 1, 1, 65],
        vec![RECORDS, 2, 7, 1, 1, 65],
        vec![RECORDS, 3, 7, 2, 1, 65, 1, 66],
        vec![ANEW, 0, 7, 5, 1, 65, 1, 66, 1, 67, 1, 68, 1, 69],
        vec![ANEW, 0, 8, 6, 1, 65, 1, 66, 1, 67, 1, 68, 1, 69, 1, 70],
        [&[LOCKED], key.as_bytes()].concat(),
        [&[LOCKED], key.replace("65536 3", "4294967295 64").as_bytes()].concat(),
    ];
    seeds.extend((0..6).map(|kind: u8| vec![CHANGED, kind, kind * 41, kind % 2, 200]));
    seeds
}

fn check(data: &[u8]) {
    let (how, rest) = choice(data);
    match how % 5 {
        RAW => drop(goes_on(&Files::from([(NAMES[0].to_owned(), rest.to_vec())]), 0)),
        RECORDS => drop(goes_on(&packed(rest), 0)),
        CHANGED => changed(rest),
        ANEW => anew(rest),
        _ => locked(rest),
    }
}

/// Opens a folder, reads its trail in both orders, adds a record, and opens it again. Answers what `verify` tells, and the last records.
fn goes_on(files: &Files, said: u64) -> (Vec<TrailFault>, Vec<TrailTip>) {
    let Some(disk) = folder_of(files) else {
        panic!("the folder cannot be made");
    };
    let Some(mut store) = open(&disk) else {
        panic!("another version's, and only the trail was changed");
    };
    let (faults, found) = verified(&store);
    let life = store.trail_life().max(1);
    let before = store.trail_tip();
    let next = match store.append_trail(life, b"one more") {
        Ok(next) => next,
        Err(error) => panic!("no record is taken any more: {error}"),
    };
    assert!(
        next.seq == before.seq + 1 && next.seq > said,
        "{next:?} after {before:?} and {said}"
    );
    match store.commit() {
        Ok(_) => {}
        Err(error) => panic!("it does not commit: {error}"),
    }
    let Some(again) = open(&disk) else {
        panic!("it does not open again");
    };
    assert_eq!(again.trail_tip(), next, "the last record, after opening again");
    let (later, now) = verified(&again);
    assert_eq!(now.last(), Some(&next), "the last record is not found");
    assert_eq!(now[..now.len() - 1], found[..], "what was found before");
    assert!(faults.is_empty() || !later.is_empty(), "{faults:?} is told no more");
    (faults, found)
}

/// What `verify` tells, and the records in order.
fn verified(store: &Store) -> (Vec<TrailFault>, Vec<TrailTip>) {
    let mut found = Vec::new();
    let told = match store.verify_trail(&mut |record| found.push(record.clone())) {
        Ok(told) => told,
        Err(error) => panic!("verify: {error}"),
    };
    let mut listed = match store.trail(u64::MAX, usize::MAX) {
        Ok(listed) => listed,
        Err(error) => panic!("the list: {error}"),
    };
    listed.reverse();
    assert_eq!(listed, found, "the list and verify differ");
    assert_eq!(told.records, found.len() as u64);
    (told.faults, found.into_iter().map(|record| record.tip).collect())
}

/// The sound trail with bytes changed, blanked or cut off, files swapped or taken away.
fn changed(edits: &[u8]) {
    let mut files = sound().clone();
    for edit in edits.chunks_exact(4).take(8) {
        let (kind, name) = (edit[0] % 6, NAMES[usize::from(edit[2] % 2)]);
        let other = NAMES[usize::from(edit[2] % 2) ^ 1];
        let Some(bytes) = files.get_mut(name) else { continue };
        let at = (usize::from(edit[1]) | usize::from(edit[2] & 0x80) << 1).min(bytes.len());
        match (kind, bytes.get_mut(at)) {
            (0, Some(byte)) => *byte ^= edit[3],
            (1, Some(byte)) => *byte = edit[3],
            (2, _) => bytes.truncate(at),
            (3, _) => {
                let end = (at + usize::from(edit[3])).min(bytes.len());
                bytes[at..end].fill(0);
            }
            (4, _) => drop(files.remove(name)),
            (5, _) => {
                let (one, two) = (files.remove(name), files.remove(other));
                files.extend(two.map(|bytes| (name.to_owned(), bytes)));
                files.extend(one.map(|bytes| (other.to_owned(), bytes)));
            }
            _ => {}
        }
    }
    let (faults, found) = goes_on(&files, SAID.len() as u64);
    assert_eq!(faults.is_empty(), files == *sound(), "{faults:?}");
    let (_, known) = sound_records();
    assert!(
        found.iter().all(|tip| known.contains(tip)),
        "a record that nobody wrote"
    );
}

fn sound_records() -> (Vec<TrailFault>, Vec<TrailTip>) {
    static FOUND: OnceLock<(Vec<TrailFault>, Vec<TrailTip>)> = OnceLock::new();
    FOUND.get_or_init(|| goes_on(sound(), SAID.len() as u64)).clone()
}

/// The journal of the sound trail beside one that was written anew, all its hashes right.
fn anew(rest: &[u8]) {
    let mut files = sound().clone();
    files.retain(|name, _| !NAMES.contains(&name.as_str()));
    files.extend(packed(rest));
    let (faults, found) = goes_on(&files, SAID.len() as u64);
    let (_, known) = sound_records();
    assert!(
        !faults.is_empty() || found.starts_with(&known),
        "another trail, and nobody tells"
    );
}

/// Segments with right hashes: how each begins, its life, so many records; each with its length.
fn packed(rest: &[u8]) -> Files {
    let mut bytes = rest.iter().copied();
    let mut files = Files::new();
    let mut at = TrailTip::START;
    for (number, name) in (1..).zip(NAMES) {
        let Some(how) = bytes.next() else { break };
        let life = u64::from(bytes.next().unwrap_or(1));
        let first = match how % 4 {
            0 => at.seq.wrapping_add(1),
            1 => u64::from(how),
            2 => u64::MAX - u64::from(how / 4),
            _ => at.seq.wrapping_add(u64::from(how)),
        };
        let previous = if how & 0x80 == 0 { at.hash } else { Hash([how; 32]) };
        let mut file = header(number, first, life, previous);
        at = TrailTip {
            seq: first.wrapping_sub(1),
            hash: previous,
        };
        for _ in 0..bytes.next().unwrap_or(0) % 8 {
            let Some(len) = bytes.next() else { break };
            let body: Vec<u8> = bytes.by_ref().take(usize::from(len)).collect();
            let len = u32::try_from(body.len()).unwrap_or(0).to_le_bytes();
            at.seq = at.seq.wrapping_add(1);
            let hash = Sha256::new()
                .chain_update(b"cunlian trail 1")
                .chain_update(at.hash.0)
                .chain_update(at.seq.to_le_bytes())
                .chain_update(len)
                .chain_update(&body);
            at.hash = Hash(hash.finalize().into());
            file.extend_from_slice(&len);
            file.extend_from_slice(&body);
            file.extend_from_slice(&at.hash.0);
        }
        files.insert(name.to_owned(), file);
    }
    files
}

/// As TRAIL.md describes it, written here a second time.
fn header(number: u32, first: u64, life: u64, previous: Hash) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(b"CLTRAIL\n");
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&first.to_le_bytes());
    bytes.extend_from_slice(&life.to_le_bytes());
    bytes.extend_from_slice(&previous.0);
    let hash = Sha256::new()
        .chain_update(b"cunlian trail segment 1")
        .chain_update(&bytes);
    bytes.extend_from_slice(&hash.finalize());
    bytes
}

/// A folder whose locked key's file holds these bytes; the open key is still there, as when locking it was interrupted.
fn locked(text: &[u8]) {
    let key = |number: u8| data_encoding::HEXLOWER.encode(&[number; 32]).into_bytes();
    let files = Files::from([
        (DEVICE_KEY.to_owned(), key(1)),
        (UNSEAL_KEY.to_owned(), key(2)),
        (LOCKED_KEY.to_owned(), text.to_vec()),
    ]);
    let Some(mut disk) = folder_of(&files) else {
        panic!("the folder cannot be made");
    };
    let read = Identity::load_or_create(&mut disk, &mut Seeds::new([3; 32]));
    let open = disk.len(UNSEAL_KEY).ok().flatten();
    match read {
        Ok(identity) => {
            assert!(identity.has_passphrase() && identity.is_locked(), "it is not locked");
            assert!(open.is_none_or(|len| len == 0), "the open key is still there");
            let (memory_kib, passes, public) = model(text);
            assert!(
                memory_kib <= 1 << 20 && passes <= 64,
                "{memory_kib} KiB, {passes} passes"
            );
            assert_eq!(identity.seal_key.to_vec(), public, "another public half");
        }
        Err(IdentityError::Malformed(LOCKED_KEY)) => assert_eq!(open, Some(64), "the open key is gone"),
        Err(error) => panic!("{error}"),
    }
}

/// What a locked key's file asks for, and its public half.
fn model(text: &[u8]) -> (u64, u64, Vec<u8>) {
    let text = String::from_utf8_lossy(text);
    let line = |at: usize| text.lines().nth(at).unwrap_or_default();
    let word = |line: &str, at: usize| line.split(' ').nth(at).unwrap_or_default().to_owned();
    let number = |at: usize| word(line(1), at).parse().unwrap_or(u64::MAX);
    let public = data_encoding::HEXLOWER.decode(word(line(3), 1).as_bytes());
    (number(1), number(2), public.unwrap_or_default())
}
