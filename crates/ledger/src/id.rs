//! Identities. A code is never a key: units, records and devices have ids of their own, and what is printed on paper is an attribute.

use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::day::Day;

/// The two lower-case hexadecimal digits of a byte.
pub(crate) fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// An id of a fixed number of bytes, written in hexadecimal everywhere outside the wire.
macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            pub const LEN: usize = $len;

            /// The id whose bytes are all zero; by convention "none".
            pub const ZERO: Self = Self([0; $len]);

            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Reads the hexadecimal form, upper or lower case.
            pub fn parse(text: &str) -> Option<Self> {
                if text.len() != 2 * $len || !text.is_ascii() {
                    return None;
                }
                let mut bytes = [0u8; $len];
                for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
                    *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
                }
                Some(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // In one piece: whole records are written out for their digests, and most of them is ids.
                let mut text = [0; 2 * $len];
                for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
                    pair.copy_from_slice(&hex(byte));
                }
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an id"))
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?;
                Ok(())
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes = d.bytes()?;
                Self::from_slice(bytes)
                    .ok_or_else(|| minicbor::decode::Error::message(concat!("length of ", stringify!($name))))
            }
        }
    };
}

byte_id!(
    /// A place in the county's organisation tree (机构). Bytes of a ULID; never reused.
    UnitId,
    16
);
byte_id!(
    /// One thing that happened or is owned: a case, an errand. Random.
    RecordId,
    16
);
byte_id!(
    /// A device: its Ed25519 public key, which is also its TLS identity and the author of its logs.
    DeviceId,
    32
);
byte_id!(
    /// A person at a window. Random; zero stands for "the device itself, nobody named".
    UserId,
    8
);
byte_id!(
    /// SHA-256 of something canonical.
    Hash,
    32
);

impl DeviceId {
    /// Eight hexadecimal digits: enough to tell devices apart on a screen, never used as a key.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

/// The tier (层级) of a unit or a holder. Ordered: a higher tier is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "lowercase")]
#[cbor(index_only)]
pub enum Tier {
    #[n(1)]
    Room,
    #[n(2)]
    Township,
    #[n(3)]
    County,
}

impl Tier {
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Room => "room",
            Tier::Township => "township",
            Tier::County => "county",
        }
    }
}

/// A 12-digit administrative code (统计用区划代码). Trailing zeros may be left out when it is typed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitCode(u64);

impl UnitCode {
    /// Two to twelve digits; shorter ones are filled with zeros on the right.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim();
        if !(2..=12).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        format!("{digits:0<12}").parse().ok().map(Self)
    }

    /// The first six digits: the county.
    pub fn county(self) -> u32 {
        u32::try_from(self.0 / 1_000_000 % 1_000_000).unwrap_or(0)
    }
}

impl fmt::Display for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnitCode({self})")
    }
}

impl Serialize for UnitCode {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<C> Encode<C> for UnitCode {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.0)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for UnitCode {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let code = d.u64()?;
        if code > 999_999_999_999 {
            return Err(minicbor::decode::Error::message("unit code has more than 12 digits"));
        }
        Ok(Self(code))
    }
}

/// The node's part of a case number: four characters of base 36. Prefix by the county, rest by the admitting hub.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
#[cbor(transparent)]
pub struct NodeCode(#[n(0)] u32);

impl<'b, C> Decode<'b, C> for NodeCode {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.u32()?).ok_or_else(|| minicbor::decode::Error::message("node code has more than four characters"))
    }
}

impl NodeCode {
    pub const MAX: u32 = 36 * 36 * 36 * 36 - 1;

    pub fn new(value: u32) -> Option<Self> {
        (value <= Self::MAX).then_some(Self(value))
    }

    /// A hub's two-character prefix joined with the running number of the devices it admits.
    pub fn under(prefix: HubPrefix, running: u32) -> Option<Self> {
        (running < HubPrefix::SIZE).then(|| Self(prefix.0 * HubPrefix::SIZE + running))
    }

    pub fn value(self) -> u32 {
        self.0
    }
}

impl fmt::Display for NodeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in [46_656, 1_296, 36, 1] {
            let digit = self.0 / place % 36;
            write!(f, "{}", char::from_digit(digit, 36).unwrap_or('0').to_ascii_uppercase())?;
        }
        Ok(())
    }
}

impl fmt::Debug for NodeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeCode({self})")
    }
}

/// Two characters of base 36 which the county gives to one hub device, so that node codes are unique by construction.
/// From [`HubPrefix::ALONE`] on they belong to rooms that run on their own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode)]
#[cbor(transparent)]
pub struct HubPrefix(#[n(0)] pub u32);

impl<'b, C> Decode<'b, C> for HubPrefix {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let prefix = d.u32()?;
        if prefix >= Self::SIZE {
            return Err(minicbor::decode::Error::message(
                "hub prefix has more than two characters",
            ));
        }
        Ok(Self(prefix))
    }
}

impl HubPrefix {
    /// Node codes under one prefix.
    pub const SIZE: u32 = 36 * 36;
    /// `Z0` to `ZZ`: never given to a hub.
    pub const ALONE: u32 = 35 * 36;
}

/// Where replication and entitlement end: one unit's records, or what it states to those around it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct Scope {
    #[n(0)]
    pub unit: UnitId,
    #[n(1)]
    pub kind: ScopeKind,
}

/// `Public` sorts first: public scopes sync first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Encode, Decode)]
#[serde(rename_all = "lowercase")]
#[cbor(index_only)]
pub enum ScopeKind {
    #[n(1)]
    Public = 1,
    #[n(2)]
    Book = 2,
}

impl Scope {
    pub fn book(unit: UnitId) -> Self {
        Self {
            unit,
            kind: ScopeKind::Book,
        }
    }

    pub fn public(unit: UnitId) -> Self {
        Self {
            unit,
            kind: ScopeKind::Public,
        }
    }

    /// Seventeen bytes: kind, unit.
    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        bytes[0] = self.kind as u8;
        bytes[1..].copy_from_slice(&self.unit.0);
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, unit) = bytes.split_first()?;
        let kind = match kind {
            1 => ScopeKind::Public,
            2 => ScopeKind::Book,
            _ => return None,
        };
        Some(Self {
            unit: UnitId::from_slice(unit)?,
            kind,
        })
    }
}

/// A case number (办件编号): county 6, node 4, year and day of the year 5, daily sequence 4, check 1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct ProjectNo(String);

impl ProjectNo {
    pub const SEQUENCE_MAX: u32 = 9_999;

    /// `sequence` counts from 1 within the node and the business date; `None` above [`Self::SEQUENCE_MAX`].
    pub fn new(county: u32, node: NodeCode, on: Day, sequence: u32) -> Option<Self> {
        if sequence > Self::SEQUENCE_MAX || county > 999_999 {
            return None;
        }
        let (year, day) = on.year_and_ordinal();
        let body = format!("{county:06}{node}{:02}{day:03}{sequence:04}", year.rem_euclid(100));
        let check = Self::check(&body)?;
        Some(Self(format!("{body}{check}")))
    }

    /// Reads a number as typed: case folded, check character proved.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        if text.len() != 20 || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let (body, check) = text.split_at(19);
        (Self::check(body)?.to_string() == check).then(|| Self(text.clone()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// ISO 7064 MOD 37,36 over base 36: finds every single wrong character and every swap of two neighbours.
    fn check(body: &str) -> Option<char> {
        let mut product = 36;
        for c in body.chars() {
            let sum = (product + c.to_digit(36)?) % 36;
            product = if sum == 0 { 36 } else { sum } * 2 % 37;
        }
        char::from_digit((37 - product) % 36, 36).map(|c| c.to_ascii_uppercase())
    }
}

impl fmt::Display for ProjectNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_number_has_twenty_characters_and_proves_itself() {
        let no = ProjectNo::new(
            511_603,
            NodeCode::new(37).unwrap(),
            Day::from_ymd(2026, 10, 9).unwrap(),
            12,
        )
        .unwrap();
        assert_eq!(&no.as_str()[..19], "5116030011262820012");
        assert_eq!(ProjectNo::parse(no.as_str()), Some(no.clone()));
        for at in 0..20 {
            let mut wrong = no.as_str().to_owned().into_bytes();
            wrong[at] = if wrong[at] == b'7' { b'8' } else { b'7' };
            assert_eq!(
                ProjectNo::parse(std::str::from_utf8(&wrong).unwrap()),
                None,
                "character {at}"
            );
        }
    }

    #[test]
    fn codes_and_prefixes_beyond_their_characters_are_no_codes() {
        let read = |number: u32| {
            let bytes = minicbor::to_vec(number).unwrap();
            (
                minicbor::decode::<NodeCode>(&bytes).is_ok(),
                minicbor::decode::<HubPrefix>(&bytes).is_ok(),
            )
        };
        assert_eq!(read(HubPrefix::SIZE - 1), (true, true));
        assert_eq!(read(NodeCode::MAX), (true, false));
        assert_eq!(read(NodeCode::MAX + 1), (false, false));
        assert_eq!(read(u32::MAX), (false, false));
    }

    #[test]
    fn a_scope_survives_its_bytes() {
        for scope in [Scope::book(UnitId([3; 16])), Scope::public(UnitId([4; 16]))] {
            assert_eq!(Scope::from_bytes(&scope.to_bytes()), Some(scope));
        }
    }

    #[test]
    fn a_unit_code_may_leave_out_its_trailing_zeros() {
        assert_eq!(UnitCode::parse("511603").unwrap().to_string(), "511603000000");
        assert_eq!(UnitCode::parse("511603102201").unwrap().county(), 511_603);
        assert_eq!(UnitCode::parse("5116031022011"), None);
        assert_eq!(UnitCode::parse("51160a"), None);
    }
}
