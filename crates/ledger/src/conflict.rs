//! Conflict items (冲突事项): what a human must decide. All tiers name one alike, because its id is the hash of its kind and its sorted subjects.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::Hash;

/// What clashed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Two posts closed one case with different results. Subjects: the closing events.
    DoubleClosing,
    /// An event was made void by a concurrent one. Subjects: both events.
    VoidEvent,
    /// Values of one field that contradict each other. Subjects: record, field, the values' ids.
    Field,
    /// Somebody tried to rewrite a head or an existing event. Subject: the change.
    Overwritten,
    /// One person, one matter, two cases (并案). Subjects: the records.
    Duplicate,
    /// One printed number on two records. Subjects: the records.
    SameNumber,
    /// A device's log split in two. Subject: the log.
    Fork,
}

impl ConflictKind {
    /// The name on the wire and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            ConflictKind::DoubleClosing => "double_closing",
            ConflictKind::VoidEvent => "void_event",
            ConflictKind::Field => "field",
            ConflictKind::Overwritten => "overwritten",
            ConflictKind::Duplicate => "duplicate",
            ConflictKind::SameNumber => "same_number",
            ConflictKind::Fork => "fork",
        }
    }

    /// The name on the operator's screen.
    pub fn label(self) -> &'static str {
        match self {
            ConflictKind::DoubleClosing => "双重办结",
            ConflictKind::VoidEvent => "并发作废",
            ConflictKind::Field => "信息不一致",
            ConflictKind::Overwritten => "改写已有内容",
            ConflictKind::Duplicate => "并案",
            ConflictKind::SameNumber => "编号重复",
            ConflictKind::Fork => "设备分叉",
        }
    }
}

/// The name of a conflict item, alike at every tier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConflictId(pub Hash);

impl ConflictId {
    /// SHA-256 over the kind and the sorted subjects, each with its length, so that no two lists read alike.
    pub fn new<S: AsRef<[u8]>>(kind: ConflictKind, subjects: &[S]) -> Self {
        let mut sorted: Vec<&[u8]> = subjects.iter().map(AsRef::as_ref).collect();
        sorted.sort_unstable();
        let mut h = Sha256::new();
        h.update(b"cunlian conflict 1");
        h.update([kind.as_str().len() as u8]);
        h.update(kind.as_str());
        for subject in sorted {
            h.update((subject.len() as u64).to_be_bytes());
            h.update(subject);
        }
        Self(Hash(h.finalize().into()))
    }

    /// Reads the 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        Hash::parse(text.trim()).map(Self)
    }
}

impl fmt::Display for ConflictId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_names_a_conflict_alike_whatever_the_order_it_heard_of_the_subjects() {
        let id = ConflictId::new(ConflictKind::Duplicate, &["b", "a"]);
        assert_eq!(id, ConflictId::new(ConflictKind::Duplicate, &["a", "b"]));
        assert_ne!(id, ConflictId::new(ConflictKind::SameNumber, &["a", "b"]));
        assert_ne!(id, ConflictId::new(ConflictKind::Duplicate, &["ab"]));
        assert_eq!(ConflictId::parse(&id.to_string()), Some(id));
    }
}
