//! The journal of a device as it is found at opening: any bytes, any frames in order, or a sound journal that a disk has changed.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ledger::id::{Hash, Scope, UnitId};
use replica::entry::{Entry, KIND_RECORD, LogId, Tip};
use replica::receipt::Receipt;
use replica::run::sign;
use replica::vector::Vector;
use store::{Merge, Position, Store};

use super::{KIB, MIB};
use crate::bytes::{choice, device, key};
use crate::disk::{folder, open};
use crate::{Target, segment};

pub(super) const TARGET: Target = Target {
    name: "journal",
    promise: "a folder is opened whatever its journal holds, unless a later version wrote it; what was committed before the first \
              changed byte is there, nothing is there that was not written, opening again finds the same, and it takes entries again",
    check,
    seeds,
    len_max: 2 * KIB,
    // The window through which segments are read, several times over.
    memory: (8 * MIB, 512),
};

const NAME: &str = "journal-00000001";
const FIRST: u8 = 0x40;
const LAST: u8 = 0x80;
const SALT: [u8; 16] = [0xA1, 0xB2, 0xC3, 0xD4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// How the bytes are to be taken.
const RAW: u8 = 0;
const FRAMES: u8 = 1;
const CHANGED: u8 = 2;

fn book() -> Scope {
    Scope::book(UnitId([1; 16]))
}

fn log_of(number: u8) -> LogId {
    LogId {
        scope: book(),
        device: device(number),
        epoch: 7,
    }
}

/// A sound journal: commits of one to three frames, of two devices, with a fork, a receipt and facts among them.
fn sound() -> &'static (Vec<u8>, Vec<usize>) {
    static SOUND: OnceLock<(Vec<u8>, Vec<usize>)> = OnceLock::new();
    SOUND.get_or_init(|| {
        let run = |number: u8, prev: Tip, texts: &[&str]| {
            let entry = |text: &&str| Entry {
                kind: KIND_RECORD,
                body: [&[3; 32], text.as_bytes()].concat(),
            };
            sign(&key(number), log_of(number), prev, texts.iter().map(entry).collect())
        };
        let one = run(1, Tip::START, &["a case", "another"]);
        let two = run(1, one.tip(), &["a third"]);
        let fork = run(1, one.tip(), &["a copy's third"]);
        let other = run(2, Tip::START, &["from the desk beside"]);
        let mut vector = Vector::default();
        vector.set(device(1), 7, vec![two.tip()]);
        let receipt = Receipt::sign(&key(3), 5, book(), 1, 1_790_000_000_000, vector).encode();
        let bytes = |run: &replica::run::VerifiedRun| run.run().encode();
        let fact = [&[2], &b"id"[..], &[1, 3], b"abc"].concat();
        let facts = [&[1, 2], &b"id"[..], &[3], b"abc"].concat();
        let frames: [(u8, Vec<u8>); 7] = [
            (4 | FIRST | LAST, fact),
            (1 | FIRST, bytes(&one)),
            (1 | LAST, bytes(&other)),
            (1 | FIRST | LAST, bytes(&two)),
            (1 | FIRST, bytes(&fork)),
            (5, facts),
            (2 | LAST, receipt),
        ];
        let frames: Vec<(u8, &[u8])> = frames.iter().map(|(kind, body)| (*kind, body.as_slice())).collect();
        let header = segment::header(&[&[0; 16][..], &SALT].concat());
        // Where each commit ends.
        let ends = frames.iter().enumerate().filter(|(_, (kind, _))| kind & LAST != 0);
        let ends = ends
            .map(|(at, _)| segment::build(&header, &frames[..=at]).len())
            .collect();
        (segment::build(&header, &frames), ends)
    })
}

fn seeds() -> Vec<Vec<u8>> {
    let (bytes, ends) = sound();
    let mut packed = vec![FRAMES];
    for (kind, body) in segment::frames(bytes) {
        packed.push(kind);
        packed.extend_from_slice(&u16::try_from(body.len()).unwrap_or(u16::MAX).to_le_bytes());
        packed.extend_from_slice(body);
    }
    let mut seeds = vec![packed, [&[RAW], bytes.as_slice()].concat(), vec![RAW]];
    seeds.extend(ends.iter().map(|end| [&[RAW], &bytes[..*end]].concat()));
    seeds.extend((0..6).map(|number: u8| vec![CHANGED, number, number * 37, 1, 200]));
    seeds
}

fn check(data: &[u8]) {
    let (how, rest) = choice(data);
    match how % 3 {
        RAW => drop(opened(rest)),
        FRAMES => drop(opened(&framed(rest))),
        _ => changed(rest),
    }
}

/// Any frames, whole and in order: kind, two bytes of length, body.
fn framed(mut rest: &[u8]) -> Vec<u8> {
    let mut frames: Vec<(u8, &[u8])> = Vec::new();
    while let Some(([kind, a, b], behind)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_le_bytes([*a, *b])).min(behind.len());
        let (body, after) = behind.split_at(len);
        frames.push((*kind, body));
        rest = after;
    }
    segment::build(&segment::header(&[&[0; 16][..], &SALT].concat()), &frames)
}

/// The sound journal with bytes changed, blanked or cut off: what was committed before is there, and nothing new.
fn changed(edits: &[u8]) {
    let (whole, ends) = sound();
    let mut bytes = whole.clone();
    let mut first = bytes.len();
    for edit in edits.chunks_exact(4).take(8) {
        let at = usize::from(u16::from_le_bytes([edit[1], edit[2]])) % whole.len();
        if at >= bytes.len() {
            continue;
        }
        match edit[0] % 4 {
            0 => bytes[at] ^= edit[3],
            1 => bytes[at] = edit[3],
            2 => bytes.truncate(at),
            _ => {
                let end = (at + usize::from(edit[3])).min(bytes.len());
                bytes[at..end].fill(0);
            }
        }
        first = first.min(at);
    }
    let Some(store) = opened(&bytes) else {
        assert!(first < segment::HEADER, "a sound header and no journal");
        return;
    };
    let committed = ends.iter().filter(|end| **end <= first).count();
    let of = |commits: usize| match commits {
        0 | 1 => 0,
        2 => 3,
        3 => 4,
        _ => 5,
    };
    let entries = store.logs().entries(book());
    if first >= segment::HEADER {
        assert!(
            entries >= of(committed),
            "{entries} entries are left of {}",
            of(committed)
        );
        assert!(
            committed == 0 || store.fact("id") == Some(b"abc".as_slice()),
            "a committed fact is gone"
        );
    }
    assert!(
        entries <= of(ends.len()),
        "{entries} entries, though {} were written",
        of(ends.len())
    );
    let known: Vec<Tip> = read_all(sound_store()).into_values().flatten().collect();
    for tip in read_all(&store).into_values().flatten() {
        assert!(known.contains(&tip), "an entry nobody wrote");
    }
}

fn sound_store() -> &'static Store {
    // A store is not to be shared between threads; the engine and each test have one.
    thread_local! {
        static STORE: &'static Store = match opened(&sound().0) {
            Some(store) => Box::leak(Box::new(store)),
            None => panic!("the sound journal does not open"),
        };
    }
    STORE.with(|store| *store)
}

/// Opens a folder with this journal, works with it and opens it again; `None` when a later version wrote it.
fn opened(bytes: &[u8]) -> Option<Store> {
    let disk = folder(NAME, bytes)?;
    let before = disk.copy();
    let mut store = open(&disk)?;
    let vectors = digests(&store);
    let read = read_all(&store);
    match store.verify(&mut |_| {}) {
        Ok(_) => {}
        Err(error) => panic!("verify: {error}"),
    }
    match store.frames_after(Position::START, usize::MAX) {
        Ok(_) => {}
        Err(error) => panic!("reading in order: {error}"),
    }
    let again = open(&disk)?;
    assert_eq!(digests(&again), vectors, "opening again finds other logs");
    assert_eq!(read_all(&again), read, "opening again finds other entries");
    let entry = Entry {
        kind: 99,
        body: vec![1],
    };
    match store
        .stage_local(&key(9), book(), 1, vec![entry])
        .and_then(|tip| store.commit().map(|_| tip))
    {
        Ok(tip) => {
            let after = open(&disk)?;
            let log = LogId { epoch: 1, ..log_of(9) };
            assert!(after.logs().tips(&log).contains(&tip), "what was committed is gone");
        }
        Err(error) => panic!("nothing is taken any more: {error}"),
    }
    // As it was found: what was written above is not part of the input.
    open(&before)
}

fn digests(store: &Store) -> BTreeMap<Scope, Hash> {
    let logs = store.logs();
    logs.scopes().map(|scope| (scope, logs.digest(scope))).collect()
}

/// The place of every entry that is served, by log and tip.
fn read_all(store: &Store) -> BTreeMap<(LogId, Tip), Vec<Tip>> {
    let mut read = BTreeMap::new();
    let logs: Vec<LogId> = store
        .logs()
        .scopes()
        .flat_map(|scope| store.logs().logs(scope))
        .collect();
    for log in logs {
        for tip in store.logs().tips(&log) {
            let runs = match store.read(&log, Tip::START, *tip, usize::MAX, Merge::Checkpoints) {
                Ok(runs) => runs,
                Err(error) => panic!("what is held cannot be read: {error}"),
            };
            let mut at = Tip::START;
            let mut places = Vec::new();
            for run in runs {
                assert_eq!(run.prev, at, "runs do not follow each other");
                for entry in &run.entries {
                    at = Tip {
                        seq: at.seq + 1,
                        hash: entry.hash(&log, at),
                    };
                    places.push(at);
                }
            }
            read.insert((log, *tip), places);
        }
    }
    read
}
