//! automerge
