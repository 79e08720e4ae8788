//! Local facts: how they lie in frames.

use std::collections::BTreeMap;

use replica::wire::{Reader, WireError, put_bytes, put_varint};

use crate::journal::FRAME_BODY_MAX;

pub(super) fn encode_fact(key: &str, value: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, key.as_bytes());
    out.push(u8::from(value.is_some()));
    put_bytes(&mut out, value.unwrap_or_default());
    out
}

pub(super) fn decode_fact(body: &[u8]) -> Result<(String, Option<Vec<u8>>), WireError> {
    let mut r = Reader::new(body);
    let key = text(r.bytes("a fact's name", FRAME_BODY_MAX)?)?;
    let held = r.byte()? == 1;
    let value = r.bytes("a fact", FRAME_BODY_MAX)?.to_vec();
    r.end()?;
    Ok((key, held.then_some(value)))
}

/// All facts together: a second copy, should the first be damaged.
pub(super) fn encode_facts(facts: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, facts.len() as u64);
    for (key, value) in facts {
        put_bytes(&mut out, key.as_bytes());
        put_bytes(&mut out, value);
    }
    out
}

pub(super) fn decode_facts(body: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, WireError> {
    let mut r = Reader::new(body);
    let count = r.varint()?;
    let mut facts = BTreeMap::new();
    for _ in 0..count {
        let key = text(r.bytes("a fact's name", FRAME_BODY_MAX)?)?;
        facts.insert(key, r.bytes("a fact", FRAME_BODY_MAX)?.to_vec());
    }
    r.end()?;
    Ok(facts)
}

fn text(bytes: &[u8]) -> Result<String, WireError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(WireError::Malformed("a fact's name")),
    }
}
