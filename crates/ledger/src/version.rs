//! The version of a published table is the hash of its canonical bytes: it proves itself wherever it comes from.

use minicbor::Encode;
use sha2::{Digest, Sha256};

use crate::id::Hash;

/// SHA-256 of the CBOR of a catalogue, a calendar or an organisation, its running number included.
pub fn version_hash<T: Encode<()>>(value: &T) -> Hash {
    let mut bytes = Vec::new();
    let encoded = minicbor::encode(value, &mut bytes);
    assert!(encoded.is_ok(), "encoding into memory does not fail");
    Hash(Sha256::digest(&bytes).into())
}
