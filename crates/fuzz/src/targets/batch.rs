//! A batch, the container in which entries and keys travel: plain or compressed, the signatures of its runs repaired.

use replica::frame::{BATCH_BYTES_MAX, Batch, Frame, HEADER_LEN, Inbound, Outbound, WrappedKey};
use replica::run::Run;
use replica::wire::{Reader, put_bytes, put_varint};

use super::frame::outbound;
use super::{KIB, MIB};
use crate::seeds::vector;
use crate::{Target, bytes};

pub(super) const TARGET: Target = Target {
    name: "batch",
    promise: "a batch of signed runs is read whole, each run proved, and reads back the same however it was packed; one that says it \
              inflates past the limit is refused before anything is inflated",
    check,
    seeds,
    len_max: 8 * KIB,
    // Packing again takes zstd's own tables.
    memory: (8 * MIB, 256),
};

const BATCH: u8 = 8;

fn seeds() -> Vec<Vec<u8>> {
    let key = [&[2; 17][..], &[3; 16], &[4; 48]].concat();
    let mut two = vec![0, 2];
    put_bytes(&mut two, &vector!("run"));
    put_bytes(&mut two, &vector!("run_after"));
    two.push(1);
    two.extend_from_slice(&key);
    let mut later = vec![0, 1];
    put_bytes(&mut later, &[9, 1, 2, 3]);
    later.push(0);
    let mut seeds = vec![two, later];
    seeds.extend(crate::seeds::frames().into_iter().filter(|f| f.first() == Some(&BATCH)));
    seeds
}

fn check(data: &[u8]) {
    let (choice, rest) = bytes::choice(data);
    if choice == BATCH {
        // As it came, packing and all.
        if let Ok(Frame::Batch(batch)) = Inbound::decode(BATCH, rest) {
            reads_back(&batch);
        }
        return;
    }
    let Some(plain) = repaired(rest) else { return };
    let read = Inbound::decode(BATCH, &[&[0], plain.as_slice()].concat());
    if let Ok(Frame::Batch(batch)) = &read {
        reads_back(batch);
    }
    let far = u32::try_from(BATCH_BYTES_MAX + 1).unwrap_or(u32::MAX).to_be_bytes();
    assert!(
        Inbound::decode(BATCH, &[&[1], &far[..], rest].concat()).is_err(),
        "inflated past the limit"
    );
}

fn reads_back(batch: &Batch<replica::run::VerifiedRun>) {
    let packed = outbound(&Frame::Batch(batch.clone()));
    let packed: Outbound = packed;
    let bytes = packed.encode();
    let again = Inbound::decode(BATCH, &bytes[HEADER_LEN..]);
    assert_eq!(again, Ok(Frame::Batch(batch.clone())), "a batch reads back differently");
}

/// The same content with each readable run signed; `None` when it is no list of runs and keys.
fn repaired(plain: &[u8]) -> Option<Vec<u8>> {
    let mut r = Reader::new(plain);
    let mut out = Vec::with_capacity(plain.len());
    let count = r.varint().ok().filter(|count| *count <= 64)?;
    put_varint(&mut out, count);
    for _ in 0..count {
        let bytes = r.bytes("run", plain.len()).ok()?;
        match Run::decode(bytes) {
            Ok(run) => put_bytes(&mut out, &bytes::signed_by(1, &run).run().encode()),
            Err(_) => put_bytes(&mut out, bytes),
        }
    }
    let rest = r.rest();
    out.extend_from_slice(rest);
    // So long that it cannot be all keys: nothing new would be seen.
    (rest.len() <= 64 * WrappedKey::LEN).then_some(out)
}
