//! Sealed boxes: a few bytes that only the holder of one X25519 key can open. Used for the scope keys in [`crate::statement::Grant`].

use thiserror::Error;

/// A device's unsealing key.
pub struct UnsealKey([u8; 32]);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealBoxError {
    #[error("the key to seal to is not a usable X25519 key")]
    Recipient,
    #[error("the sealed bytes are not for this key and context, or were changed")]
    Broken,
}

impl UnsealKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The public half, which an [`crate::statement::Admit`] names.
    pub fn public(&self) -> [u8; 32] {
        todo!()
    }

    /// Opens what [`seal`] made for this key with the same `context`.
    pub fn open(&self, _context: &[u8], _sealed: &[u8]) -> Result<Vec<u8>, SealBoxError> {
        todo!()
    }
}

/// Seals `plain` to the public key `to`. `context` says what it is for and is not contained; `seed` must never be used twice.
pub fn seal(_to: &[u8; 32], _context: &[u8], _plain: &[u8], _seed: [u8; 32]) -> Result<Vec<u8>, SealBoxError> {
    todo!()
}
