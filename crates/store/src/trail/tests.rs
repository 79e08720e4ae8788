//! The trail tells of every byte that is not as it was written, and loses nothing that was said.

use super::*;
use crate::disk::{MemDisk, read_all};

/// A trail of two lives and several segments.
fn written() -> (MemDisk, TrailTip) {
    let mut disk = MemDisk::new(5);
    let mut trail = Trail::open(&disk, TrailTip::START).unwrap();
    for n in 0..12u8 {
        let life = if n < 7 { 1 } else { 2 };
        let body = vec![n; 20 + usize::from(n)];
        trail.append(&mut disk, life, &body).unwrap();
    }
    (disk, trail.tip())
}

fn verify(disk: &MemDisk, said: TrailTip) -> TrailVerified {
    Trail::verify(disk, said, &mut |_| {}).unwrap()
}

fn put(disk: &mut MemDisk, file: &str, bytes: &[u8]) {
    disk.remove(file).unwrap();
    disk.create(file).unwrap();
    disk.append(file, bytes).unwrap();
}

#[test]
fn a_trail_reads_back_and_goes_on_after_a_restart() {
    let (mut disk, tip) = written();
    let found = verify(&disk, tip);
    assert_eq!((found.records, found.faults), (12, Vec::new()));
    assert_eq!(
        found.lives.iter().map(|(life, t)| (*life, t.seq)).collect::<Vec<_>>(),
        [(1, 7), (2, 12)]
    );
    let mut trail = Trail::open(&disk, tip).unwrap();
    let next = trail.append(&mut disk, 2, b"more").unwrap();
    assert_eq!(next.seq, 13);
    assert_eq!(segments(&disk).unwrap().len(), 2, "it goes on in the same segment");
    let newest = Trail::read(&disk, u64::MAX, 3).unwrap();
    assert_eq!(newest.iter().map(|r| r.tip.seq).collect::<Vec<_>>(), [13, 12, 11]);
    let older = Trail::read(&disk, 8, 100).unwrap();
    assert_eq!(
        older.iter().map(|r| r.tip.seq).collect::<Vec<_>>(),
        [7, 6, 5, 4, 3, 2, 1]
    );
}

#[test]
fn every_flipped_bit_is_told_with_its_place() {
    let (disk, tip) = written();
    for file in segments(&disk).unwrap().into_values() {
        let whole = read_all(&disk, &file).unwrap().unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            let mut disk = disk.copy();
            put(&mut disk, &file, &changed);
            let found = verify(&disk, tip);
            assert!(!found.faults.is_empty(), "{file} byte {at}");
        }
    }
}

#[test]
fn every_cut_is_told_wherever_it_is_made() {
    let (disk, tip) = written();
    for file in segments(&disk).unwrap().into_values() {
        let whole = read_all(&disk, &file).unwrap().unwrap();
        for len in 0..whole.len() {
            let mut disk = disk.copy();
            put(&mut disk, &file, &whole[..len]);
            assert!(!verify(&disk, tip).faults.is_empty(), "{file} cut to {len}");
        }
        let mut gone = disk.copy();
        gone.remove(&file).unwrap();
        assert!(!verify(&gone, tip).faults.is_empty(), "{file} taken away");
    }
}

/// The records of a segment's bytes, each with its length and hash.
fn frames(whole: &[u8]) -> Vec<&[u8]> {
    let mut frames: Vec<&[u8]> = Vec::new();
    let mut rest = &whole[HEADER_LEN..];
    while !rest.is_empty() {
        let len = LEN + u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize + HASH;
        frames.push(&rest[..len]);
        rest = &rest[len..];
    }
    frames
}

#[test]
fn a_record_with_other_words_and_a_hash_to_fit_is_told_by_the_one_behind_it() {
    let (disk, tip) = written();
    let file = name(1);
    let whole = read_all(&disk, &file).unwrap().unwrap();
    let sound = frames(&whole);
    let mut before = TrailTip::START;
    for (at, frame) in sound.iter().enumerate() {
        let body = &frame[LEN..frame.len() - HASH];
        let other = vec![0xee; body.len()];
        let forged = [&frame[..LEN], &other[..], &follow(before, &other).hash.0].concat();
        let mut changed = sound.clone();
        changed[at] = &forged;
        let mut copy = disk.copy();
        put(&mut copy, &file, &[&whole[..HEADER_LEN], &changed.concat()].concat());
        assert!(!verify(&copy, tip).faults.is_empty(), "record {}", at + 1);
        before = follow(before, body);
    }
}

#[test]
fn no_record_can_be_taken_out_doubled_or_changed_for_another() {
    let (disk, tip) = written();
    let file = name(1);
    let whole = read_all(&disk, &file).unwrap().unwrap();
    let frames = frames(&whole);
    let told = |frames: &[&[u8]]| {
        let mut disk = disk.copy();
        put(&mut disk, &file, &[&whole[..HEADER_LEN], &frames.concat()].concat());
        !verify(&disk, tip).faults.is_empty()
    };
    assert!(!told(&frames));
    for a in 0..frames.len() {
        let mut without = frames.clone();
        without.remove(a);
        assert!(told(&without), "without record {}", a + 1);
        let mut doubled = frames.clone();
        doubled.insert(a, frames[a]);
        // Behind the last record of a segment it is what a power cut leaves there: it is not read at all.
        assert_eq!(told(&doubled), a + 1 < frames.len(), "record {} twice", a + 1);
        for b in 0..a {
            let mut swapped = frames.clone();
            swapped.swap(a, b);
            assert!(told(&swapped), "records {} and {}", a + 1, b + 1);
        }
    }
}

#[test]
fn a_trail_written_anew_by_somebody_who_knows_the_format_differs_from_what_was_said() {
    let (_, tip) = written();
    let mut forged = MemDisk::new(6);
    let mut trail = Trail::open(&forged, TrailTip::START).unwrap();
    for n in 0..12u8 {
        trail.append(&mut forged, 2, &[n; 9]).unwrap();
    }
    assert_eq!(verify(&forged, tip).faults, [TrailFault::Differs { seq: 12 }]);
}

#[test]
fn what_was_said_survives_every_power_cut_and_a_torn_end_is_no_fault() {
    for cut in 0..60u64 {
        let mut disk = MemDisk::new(1000 + cut);
        let mut said = TrailTip::START;
        let mut trail = Trail::open(&disk, said).unwrap();
        for n in 0..5u8 {
            said = trail.append(&mut disk, 1, &[n; 30]).unwrap();
        }
        // One more reaches the disk in part only.
        disk.append(&name(1), &vec![7; (cut % 50) as usize + 1]).unwrap();
        disk.cut_power();
        assert_eq!(verify(&disk, said).faults, [], "cut {cut}");
        let mut trail = Trail::open(&disk, said).unwrap();
        assert_eq!(trail.tip(), said);
        let next = trail.append(&mut disk, 1, b"on").unwrap();
        let found = verify(&disk, next);
        assert_eq!((found.records, found.faults), (6, Vec::new()), "cut {cut}");
    }
}

#[test]
fn a_damaged_end_is_never_written_over_and_stays_told() {
    let (mut disk, tip) = written();
    let file = name(2);
    let whole = read_all(&disk, &file).unwrap().unwrap();
    put(&mut disk, &file, &whole[..whole.len() - 40]);
    let mut trail = Trail::open(&disk, tip).unwrap();
    let next = trail.append(&mut disk, 2, b"on").unwrap();
    assert_eq!(next.seq, 13, "a number is never given twice");
    let missing = TrailFault::Missing {
        from: 12,
        until: 12,
        file,
    };
    assert_eq!(verify(&disk, next).faults, [missing]);
}

#[test]
fn a_trail_written_anew_is_told_also_after_the_next_record() {
    let (_, tip) = written();
    let mut disk = MemDisk::new(6);
    let mut anew = Trail::open(&disk, TrailTip::START).unwrap();
    for n in 0..13u8 {
        anew.append(&mut disk, 2, &[n; 9]).unwrap();
    }
    assert!(!verify(&disk, tip).faults.is_empty());
    let next = Trail::open(&disk, tip).unwrap().append(&mut disk, 2, b"more").unwrap();
    assert_eq!(next, follow(tip, b"more"), "it follows what was said");
    assert!(!verify(&disk, next).faults.is_empty(), "told no more");
}

#[test]
fn a_segment_that_claims_the_last_numbers_stops_nothing() {
    let mut disk = MemDisk::new(7);
    let last = TrailTip {
        seq: u64::MAX - 2,
        hash: Hash::ZERO,
    };
    disk.create(&name(1)).unwrap();
    disk.append(&name(1), &header(1, last, 1)).unwrap();
    let mut before = last;
    for body in [b"one", b"two"] {
        before = follow(before, body);
        let record = [&3u32.to_le_bytes()[..], body, &before.hash.0].concat();
        disk.append(&name(1), &record).unwrap();
    }
    let mut trail = Trail::open(&disk, TrailTip::START).unwrap();
    let next = trail.append(&mut disk, 1, b"more").unwrap();
    assert_eq!(next, follow(TrailTip::START, b"more"));
    assert!(!verify(&disk, next).faults.is_empty(), "it is told");
}
