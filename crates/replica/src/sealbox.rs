//! Sealed boxes: a few bytes that only the holder of one X25519 key can open. Used for the scope keys in [`crate::statement::Grant`].

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use hkdf::Hkdf;
use sha2::Sha256;
use thiserror::Error;
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

/// A device's unsealing key. Wiped from memory when dropped; boxed, so that whoever hands it on leaves no copy.
#[derive(Clone)]
pub struct UnsealKey(Box<StaticSecret>);

/// Why a box could not be made or opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealBoxError {
    #[error("the key to seal to is not a usable X25519 key")]
    Recipient,
    #[error("the sealed bytes are not for this key and context, or were changed")]
    Broken,
}

/// What a box adds to its content: the sender's one-time key and the tag.
pub const OVERHEAD: usize = 32 + 16;

impl UnsealKey {
    /// Any 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Box::new(StaticSecret::from(bytes)))
    }

    /// The secret itself, for the device's key file only.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half, which an [`crate::statement::Admit`] names.
    pub fn public(&self) -> [u8; 32] {
        PublicKey::from(&*self.0).to_bytes()
    }

    /// The key that [`encapsulate`] made for this public key with the same `context`.
    pub fn decapsulate(&self, context: &[u8], wrapped: &[u8; WRAP_LEN]) -> Result<Zeroizing<[u8; 32]>, SealBoxError> {
        let (ephemeral, tag) = wrapped.split_first_chunk::<32>().ok_or(SealBoxError::Broken)?;
        let shared = self.0.diffie_hellman(&PublicKey::from(*ephemeral));
        let (key, mut cipher) = agreed(&shared, ephemeral, &self.public(), context).ok_or(SealBoxError::Broken)?;
        cipher.decrypt([context], tag).map_err(|_| SealBoxError::Broken)?;
        Ok(key)
    }

    /// Opens what [`seal`] made for this key with the same `context`.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBoxError> {
        let (ephemeral, body) = sealed.split_first_chunk::<32>().ok_or(SealBoxError::Broken)?;
        let shared = self.0.diffie_hellman(&PublicKey::from(*ephemeral));
        cipher(&shared, ephemeral, &self.public())
            .ok_or(SealBoxError::Broken)?
            .decrypt([context], body)
            .map(Zeroizing::new)
            .map_err(|_| SealBoxError::Broken)
    }
}

impl std::fmt::Debug for UnsealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnsealKey(..)")
    }
}

/// Seals `plain` to the public key `to`: one-time public key, tag, ciphertext. `context` says what it is for and is not contained.
/// `seed` must be fresh random bytes, or follow from a secret that only those know who may open the box: with it anyone can.
/// Errors: `to` is a point of low order, under which there is no secret.
pub fn seal(to: &[u8; 32], context: &[u8], plain: &[u8], seed: [u8; 32]) -> Result<Vec<u8>, SealBoxError> {
    let secret = StaticSecret::from(seed);
    let ephemeral = PublicKey::from(&secret).to_bytes();
    let shared = secret.diffie_hellman(&PublicKey::from(*to));
    let body = cipher(&shared, &ephemeral, to)
        .ok_or(SealBoxError::Recipient)?
        .encrypt([context], plain)
        .map_err(|_| SealBoxError::Recipient)?;
    Ok([ephemeral.as_slice(), &body].concat())
}

/// What [`encapsulate`] adds to nothing: a one-time public key and a tag.
pub const WRAP_LEN: usize = 32 + 16;

/// A fresh random key, and 48 bytes from which only the holder of the public key `to` finds it again. Shorter than a sealed key by
/// half: the key follows from the agreement instead of being carried. `seed` must be fresh random bytes.
/// Errors: `to` is a point of low order.
pub fn encapsulate(
    to: &[u8; 32],
    context: &[u8],
    seed: [u8; 32],
) -> Result<(Zeroizing<[u8; 32]>, [u8; WRAP_LEN]), SealBoxError> {
    let secret = StaticSecret::from(seed);
    let ephemeral = PublicKey::from(&secret).to_bytes();
    let shared = secret.diffie_hellman(&PublicKey::from(*to));
    let (key, mut cipher) = agreed(&shared, &ephemeral, to, context).ok_or(SealBoxError::Recipient)?;
    let tag = cipher.encrypt([context], &[]).map_err(|_| SealBoxError::Recipient)?;
    let mut wrapped = [0; WRAP_LEN];
    wrapped[..32].copy_from_slice(&ephemeral);
    wrapped[32..].copy_from_slice(&tag);
    Ok((key, wrapped))
}

/// What both sides of an agreement derive: the key itself, and the cipher whose tag over nothing proves that it is the right one.
fn agreed(
    shared: &SharedSecret,
    ephemeral: &[u8; 32],
    to: &[u8; 32],
    context: &[u8],
) -> Option<(Zeroizing<[u8; 32]>, Aes256Siv)> {
    if !shared.was_contributory() {
        return None;
    }
    let salt = [ephemeral.as_slice(), to].concat();
    let derived = Hkdf::<Sha256>::new(Some(&salt), shared.as_bytes());
    let mut key = Zeroizing::new([0u8; 32]);
    derived
        .expand_multi_info(&[b"cunlian encapsulate 1 key".as_slice(), context], key.as_mut_slice())
        .ok()?;
    let mut proof = Zeroizing::new([0u8; 64]);
    derived
        .expand_multi_info(
            &[b"cunlian encapsulate 1 tag".as_slice(), context],
            proof.as_mut_slice(),
        )
        .ok()?;
    Some((key, Aes256Siv::new_from_slice(proof.as_slice()).ok()?))
}

/// The key is used for one message only, so AES-SIV needs no nonce.
fn cipher(shared: &SharedSecret, ephemeral: &[u8; 32], to: &[u8; 32]) -> Option<Aes256Siv> {
    if !shared.was_contributory() {
        return None;
    }
    let salt = [ephemeral.as_slice(), to].concat();
    let mut key = Zeroizing::new([0u8; 64]);
    Hkdf::<Sha256>::new(Some(&salt), shared.as_bytes())
        .expand(b"cunlian sealbox 1", key.as_mut_slice())
        .ok()?;
    Aes256Siv::new_from_slice(key.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_and_context_open_an_unchanged_box() {
        let (mine, other) = (UnsealKey::from_bytes([1; 32]), UnsealKey::from_bytes([2; 32]));
        let sealed = seal(&mine.public(), b"grant", b"scope key", [3; 32]).unwrap();
        assert_eq!(sealed.len(), b"scope key".len() + OVERHEAD);
        assert_eq!(mine.open(b"grant", &sealed).unwrap().as_slice(), b"scope key");
        assert_eq!(other.open(b"grant", &sealed), Err(SealBoxError::Broken));
        assert_eq!(mine.open(b"other", &sealed), Err(SealBoxError::Broken));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x10;
            assert_eq!(mine.open(b"grant", &changed), Err(SealBoxError::Broken), "byte {at}");
            assert_eq!(
                mine.open(b"grant", &sealed[..at]),
                Err(SealBoxError::Broken),
                "{at} bytes"
            );
        }
        assert_eq!(seal(&[0; 32], b"grant", b"x", [3; 32]), Err(SealBoxError::Recipient));
    }

    #[test]
    fn an_encapsulated_key_is_found_by_the_right_key_and_context_only() {
        let (mine, other) = (UnsealKey::from_bytes([1; 32]), UnsealKey::from_bytes([2; 32]));
        let (key, wrapped) = encapsulate(&mine.public(), b"record 7", [3; 32]).unwrap();
        assert_eq!(mine.decapsulate(b"record 7", &wrapped).unwrap(), key);
        assert_eq!(other.decapsulate(b"record 7", &wrapped), Err(SealBoxError::Broken));
        assert_eq!(mine.decapsulate(b"record 8", &wrapped), Err(SealBoxError::Broken));
        for at in 0..wrapped.len() {
            let mut changed = wrapped;
            changed[at] ^= 0x10;
            assert_eq!(
                mine.decapsulate(b"record 7", &changed),
                Err(SealBoxError::Broken),
                "byte {at}"
            );
        }
        let (another, _) = encapsulate(&mine.public(), b"record 7", [4; 32]).unwrap();
        assert_ne!(key, another);
        assert_eq!(
            encapsulate(&[0; 32], b"x", [3; 32]).unwrap_err(),
            SealBoxError::Recipient
        );
    }
}
