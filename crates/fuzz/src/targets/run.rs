//! A run as it travels in a batch and lies in the journal; its signature repaired, so that the chain behind it is reached too.

use replica::run::Run;

use super::KIB;
use crate::seeds::vector;
use crate::{Target, bytes};

pub(super) const TARGET: Target = Target {
    name: "run",
    promise: "a run has one form only; signed by its author it is proved, cut short or changed in one bit it is not",
    check,
    seeds: || vec![vector!("run"), vector!("run_after")],
    len_max: 16 * KIB,
    memory: (64 * KIB, 128),
};

fn check(data: &[u8]) {
    let Ok(run) = Run::decode(data) else { return };
    assert_eq!(run.encode(), data, "a run has a second form");
    let entries = run.entries.len() as u64;
    let signed = bytes::signed_by(1, &run);
    assert_eq!(signed.tip().seq, run.prev.seq + entries, "the tip lies elsewhere");
    let wire = signed.run().encode();
    let read = Run::decode(&wire).map(Run::verify);
    assert_eq!(read, Ok(Ok(signed.clone())), "what was signed is not proved");
    // One bit, chosen by the signature, which nobody can aim.
    let [at, bit, ..] = signed.run().signature;
    let mut changed = wire;
    let place = usize::from(at) * changed.len() / 256;
    changed[place] ^= 1 << (bit % 8);
    let proved = Run::decode(&changed).map(Run::verify);
    assert!(!matches!(proved, Ok(Ok(_))), "bit {bit} of byte {place} is not covered");
    assert!(
        Run::decode(&changed[..place]).is_err(),
        "a run without its end was read"
    );
}
