//! Sealing of personal fields: AES-SIV (RFC 5297, AES-128 pair), deterministic, bound to record and field.
//!
//! Why deterministic: no nonce travels, the same value typed on two sides gives the same bytes, so it is no contradiction; that
//! two equal fields *of one record* are equal is all it tells. A record's key is random and wrapped by the scope's key; destroying
//! it and its wraps forgets the person.

use std::fmt;

use aes_siv::KeyInit;
use aes_siv::siv::Aes128Siv;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::id::RecordId;

/// Bytes which sealing adds to a value.
pub const SEAL_OVERHEAD: usize = 16;
/// Bytes of a wrapped record key.
pub const WRAPPED_KEY_LEN: usize = 48;
/// The longest value that is sealed, in bytes of UTF-8.
pub const PLAIN_BYTES_MAX: usize = 16 * 1024;

/// Why something sealed does not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealError {
    /// Another key, another record, another field, or bytes changed on the way.
    #[error("密文与密钥不符，无法解开：请确认本机已取得该机构的密钥，或联系上级重新下发")]
    Wrong,
    /// It opens, and is not text.
    #[error("解开的内容不是文字：该字段可能由更高版本写入，请升级后再看")]
    NotText,
}

/// A key type whose bytes are wiped when dropped and never printed.
macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
        pub struct $name(pub [u8; 32]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

key!(
    /// The key of one record's personal fields. Random.
    RecordKey
);
key!(
    /// The key of one book, granted to the devices of its unit and the hubs above. Wraps record keys, makes search tokens.
    ScopeKey
);
key!(
    /// The county-wide key that only hubs hold: finds the same person across rooms.
    HubKey
);

/// Seals one field. What comes out is 16 bytes longer than `plain` in UTF-8; the same input gives the same output.
pub fn seal(key: &RecordKey, record: &RecordId, field: &str, plain: &str) -> Vec<u8> {
    seal_bytes(
        &key.0,
        [b"cunlian/field".as_slice(), &record.0, field.as_bytes()],
        plain.as_bytes(),
    )
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`SealError::Wrong`] when key, record, field or a byte differ; [`SealError::NotText`] when it is not UTF-8.
pub fn open(key: &RecordKey, record: &RecordId, field: &str, sealed: &[u8]) -> Result<String, SealError> {
    if sealed.len() > PLAIN_BYTES_MAX + SEAL_OVERHEAD {
        return Err(SealError::Wrong);
    }
    let plain = open_bytes(
        &key.0,
        [b"cunlian/field".as_slice(), &record.0, field.as_bytes()],
        sealed,
    )?;
    std::str::from_utf8(&plain)
        .map(str::to_owned)
        .map_err(|_| SealError::NotText)
}

impl ScopeKey {
    /// Wraps a record's key for the vault. Deterministic, bound to the record.
    pub fn wrap(&self, key: &RecordKey, record: &RecordId) -> [u8; WRAPPED_KEY_LEN] {
        let sub = derive(&self.0, b"wrap");
        let sealed = seal_bytes(&sub, [b"cunlian/wrap".as_slice(), &record.0, b""], &key.0);
        let mut wrapped = [0; WRAPPED_KEY_LEN];
        wrapped.copy_from_slice(&sealed);
        wrapped
    }

    /// Opens what [`ScopeKey::wrap`] made.
    ///
    /// # Errors
    /// [`SealError::Wrong`] when it was wrapped under another key, for another record, or changed.
    pub fn unwrap_key(&self, wrapped: &[u8; WRAPPED_KEY_LEN], record: &RecordId) -> Result<RecordKey, SealError> {
        let sub = derive(&self.0, b"wrap");
        let plain = open_bytes(&sub, [b"cunlian/wrap".as_slice(), &record.0, b""], wrapped)?;
        plain.as_slice().try_into().map(RecordKey).map_err(|_| SealError::Wrong)
    }

    /// A search token of this book: equal for equal `kind` and `value`, and says nothing about the value without the key.
    pub fn token(&self, kind: &str, value: &str) -> [u8; 16] {
        token(&self.0, kind, value)
    }
}

impl HubKey {
    /// A token that is equal across all books of the county; only hubs can make it.
    pub fn token(&self, kind: &str, value: &str) -> [u8; 16] {
        token(&self.0, kind, value)
    }
}

/// Its own key for each use, so that a token never helps against a wrap.
fn derive(key: &[u8; 32], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    let expanded = Hkdf::<Sha256>::new(Some(b"cunlian/scope-key"), key).expand(purpose, out.as_mut());
    assert!(expanded.is_ok(), "HKDF gives up to 8160 bytes");
    out
}

fn token(key: &[u8; 32], kind: &str, value: &str) -> [u8; 16] {
    let sub = derive(key, b"token");
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(sub.as_ref()) else {
        unreachable!("HMAC takes keys of every length")
    };
    mac.update(&(kind.len() as u64).to_be_bytes());
    mac.update(kind.as_bytes());
    mac.update(value.as_bytes());
    let mut out = [0; 16];
    out.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    out
}

fn seal_bytes(key: &[u8; 32], headers: [&[u8]; 3], plain: &[u8]) -> Vec<u8> {
    let Ok(sealed) = Aes128Siv::new(key.into()).encrypt(headers, plain) else {
        unreachable!("AES-SIV seals every plaintext under at most 126 headers")
    };
    sealed
}

fn open_bytes(key: &[u8; 32], headers: [&[u8]; 3], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    Aes128Siv::new(key.into())
        .decrypt(headers, sealed)
        .map(Zeroizing::new)
        .map_err(|_| SealError::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: RecordId = RecordId([9; 16]);

    #[test]
    fn a_sealed_name_opens_with_its_own_key_record_and_field_only() {
        let key = RecordKey([1; 32]);
        let sealed = seal(&key, &RECORD, "name", "阿依古丽·买买提𠮷");
        assert_eq!(open(&key, &RECORD, "name", &sealed).unwrap(), "阿依古丽·买买提𠮷");
        assert_eq!(
            open(&RecordKey([2; 32]), &RECORD, "name", &sealed),
            Err(SealError::Wrong)
        );
        assert_eq!(open(&key, &RecordId([8; 16]), "name", &sealed), Err(SealError::Wrong));
        assert_eq!(open(&key, &RECORD, "address", &sealed), Err(SealError::Wrong));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key, &RECORD, "name", &changed), Err(SealError::Wrong));
            assert_eq!(open(&key, &RECORD, "name", &sealed[..at]), Err(SealError::Wrong));
        }
    }

    #[test]
    fn the_same_value_seals_to_the_same_bytes_and_tells_nothing_across_records() {
        let key = RecordKey([1; 32]);
        let sealed = seal(&key, &RECORD, "name", "张三");
        assert_eq!(sealed, seal(&key, &RECORD, "name", "张三"));
        assert_eq!(sealed.len(), "张三".len() + SEAL_OVERHEAD);
        assert_ne!(sealed, seal(&key, &RecordId([8; 16]), "name", "张三"));
        assert_eq!(
            open(&key, &RECORD, "note", &seal(&key, &RECORD, "note", "")).unwrap(),
            ""
        );
    }

    #[test]
    fn a_record_key_is_wrapped_for_its_record() {
        let (scope, key) = (ScopeKey([3; 32]), RecordKey([4; 32]));
        let wrapped = scope.wrap(&key, &RECORD);
        assert_eq!(scope.unwrap_key(&wrapped, &RECORD).unwrap(), key);
        assert!(scope.unwrap_key(&wrapped, &RecordId([1; 16])).is_err());
        assert!(ScopeKey([5; 32]).unwrap_key(&wrapped, &RECORD).is_err());
    }

    #[test]
    fn tokens_are_equal_for_equal_values_under_one_key_only() {
        let (a, b) = (ScopeKey([3; 32]), ScopeKey([5; 32]));
        assert_eq!(
            a.token("cert_no", "11010519491231002X"),
            a.token("cert_no", "11010519491231002X")
        );
        assert_ne!(
            a.token("cert_no", "11010519491231002X"),
            b.token("cert_no", "11010519491231002X")
        );
        assert_ne!(a.token("cert", "_no1"), a.token("cert_no", "1"));
        assert_ne!(a.token("name", "张三"), a.token("name", "张四"));
    }

    #[test]
    fn a_key_is_never_printed() {
        let printed = format!(
            "{:?} {:?} {:?}",
            RecordKey([0x61; 32]),
            ScopeKey([0x61; 32]),
            HubKey([0x61; 32])
        );
        assert_eq!(printed, "RecordKey(…) ScopeKey(…) HubKey(…)");
    }

    /// RFC 5297, A.1.
    #[test]
    fn the_cipher_is_that_of_the_rfc() {
        let key: [u8; 32] = std::array::from_fn(|i| if i < 16 { 0xff - i as u8 } else { 0xf0 + (i as u8 - 16) });
        let header: Vec<u8> = (0x10..=0x27).collect();
        let plain: Vec<u8> = (1..=14).map(|i| i * 0x11 % 0xff).collect();
        let sealed = Aes128Siv::new((&key).into()).encrypt([&header], &plain).unwrap();
        assert_eq!(sealed[..4], [0x85, 0x63, 0x2d, 0x07]);
        assert_eq!(sealed[16..20], [0x40, 0xc0, 0x2b, 0x96]);
    }
}
