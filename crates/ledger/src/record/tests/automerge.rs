//! The operations are read directly; this holds the reading against Automerge itself.

use ::automerge::{Automerge, Change, ROOT, ReadDoc, Value as RawValue};
use proptest::prelude::*;

use super::permutations::{Act, history, play};
use super::*;
use crate::record::document::Document;
use crate::record::payload::of_scalar;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_register_reads_as_automerges_get_all_reads_it(acts in history()) {
        let acts: Vec<Act> = acts;
        let held = play(&acts);
        let entries = held.entries();
        let document = Document::read(&entries);
        prop_assert!(document.set_aside.is_empty());
        let mut doc = Automerge::new();
        for (_, change) in &held.0 {
            doc.apply_changes([Change::try_from(change.as_slice()).unwrap()]).unwrap();
        }
        let ours = document.registers_all();
        prop_assert_eq!(ours.len(), doc.keys(ROOT).count());
        for (key, values) in ours {
            let theirs: BTreeSet<Value> = doc
                .get_all(ROOT, key)
                .unwrap()
                .into_iter()
                .map(|(value, _)| match value {
                    RawValue::Scalar(scalar) => of_scalar(&scalar).unwrap(),
                    RawValue::Object(_) => panic!("no containers here"),
                })
                .collect();
            let ours: BTreeSet<Value> = values.into_iter().map(|v| v.value).collect();
            prop_assert_eq!(ours, theirs, "{}", key);
        }
        // And the raw changes are what Automerge itself calls their heads.
        let tips: BTreeSet<Hash> = document.tips().into_iter().map(|at| document.changes[at].change.hash).collect();
        let heads: BTreeSet<Hash> = doc.get_heads().into_iter().map(|h| Hash(h.0)).collect();
        prop_assert_eq!(tips, heads);
    }
}
