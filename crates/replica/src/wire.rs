//! Reading and writing of the fixed parts of the wire format (WIRE.md). Every length is checked before anything is allocated.

use thiserror::Error;

/// What is wrong with bytes that came from outside.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum WireError {
    #[error("the bytes end before {what} does")]
    Short { what: &'static str },
    #[error("{what} of {len} exceeds {max}")]
    TooLong { what: &'static str, len: usize, max: usize },
    #[error("cipher suite {0} is not known here: an upgrade is needed")]
    Suite(u8),
    #[error("{0} is malformed")]
    Malformed(&'static str),
    #[error("{0} bytes are left over")]
    Trailing(usize),
}

/// A cursor over received bytes.
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next N bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, tail) = self
            .bytes
            .split_first_chunk::<N>()
            .ok_or(WireError::Short { what: "a field" })?;
        self.bytes = tail;
        Ok(*head)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[b]| b)
    }

    /// Unsigned LEB128, shortest form only, at most 64 bits.
    pub fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let b = self.byte()?;
            let part = u64::from(b & 0x7f);
            if (shift == 63 && part > 1) || (shift > 0 && b == 0) {
                return Err(WireError::Malformed("a number"));
            }
            value |= part << shift;
            if b & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::Malformed("a number"))
    }

    /// A length followed by that many bytes.
    pub fn bytes(&mut self, what: &'static str, max: usize) -> Result<&'a [u8], WireError> {
        let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        if len > max {
            return Err(WireError::TooLong { what, len, max });
        }
        let (head, tail) = self.bytes.split_at_checked(len).ok_or(WireError::Short { what })?;
        self.bytes = tail;
        Ok(head)
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// Proves that nothing is left.
    pub fn end(&self) -> Result<(), WireError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(WireError::Trailing(self.bytes.len()))
        }
    }
}

/// Appends an unsigned LEB128.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and so many bytes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
