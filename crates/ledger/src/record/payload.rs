//! Bytes inside a document: heads and events as CBOR, values as scalars.

use std::collections::BTreeMap;

use automerge::ScalarValue;
use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};

use super::{Entered, Head, NewEvent, Value};
use crate::day::Day;

/// Days since 1970-01-01 (RFC 8943).
const TAG_DAYS: u64 = 100;
/// No event of any form declares a quarter of it.
const DATA_MAX: u64 = 64;
/// A number has 20 characters, a matter's code at most 16.
const HEAD_TEXT_MAX: usize = 64;
/// Materials in one list.
const LIST_MAX: u64 = 256;

type Encoding = Result<(), minicbor::encode::Error<std::convert::Infallible>>;
type Decoding<T> = Result<T, minicbor::decode::Error>;

pub(super) fn encode_head(head: &Head) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    let written = minicbor::encode(head, &mut out);
    assert!(written.is_ok(), "writing to memory failed");
    out
}

pub(super) fn decode_head(bytes: &[u8]) -> Option<Head> {
    let head: Head = minicbor::decode(bytes).ok()?;
    let fits = head.no.len() <= HEAD_TEXT_MAX && head.matter.len() <= HEAD_TEXT_MAX;
    (fits && day(head.on.number()).is_some()).then_some(head)
}

/// An event as an array: kind, day, 1 if typed late, data.
pub(super) fn encode_event(event: &NewEvent) -> Vec<u8> {
    let mut e = Encoder::new(Vec::with_capacity(32));
    let written = write_event(&mut e, event);
    assert!(written.is_ok(), "writing to memory failed");
    e.into_writer()
}

fn write_event(e: &mut Encoder<Vec<u8>>, event: &NewEvent) -> Encoding {
    e.array(4)?.str(&event.kind)?.i32(event.on.number())?;
    e.u8(u8::from(event.entered == Entered::Late))?;
    e.map(event.data.len() as u64)?;
    for (name, value) in &event.data {
        e.str(name)?;
        write_value(e, value)?;
    }
    Ok(())
}

fn write_value(e: &mut Encoder<Vec<u8>>, value: &Value) -> Encoding {
    match value {
        Value::Text(text) => e.str(text)?,
        Value::Int(number) => e.i64(*number)?,
        Value::Day(day) => e.tag(Tag::new(TAG_DAYS))?.i32(day.number())?,
        Value::Flag(flag) => e.bool(*flag)?,
        Value::Sealed(bytes) => e.bytes(bytes)?,
        Value::List(names) => {
            e.array(names.len() as u64)?;
            for name in names {
                e.str(name)?;
            }
            e
        }
    };
    Ok(())
}

pub(super) fn decode_event(bytes: &[u8]) -> Option<NewEvent> {
    read_event(bytes).ok()
}

fn read_event(bytes: &[u8]) -> Decoding<NewEvent> {
    let malformed = || minicbor::decode::Error::message("event");
    let mut d = Decoder::new(bytes);
    if d.array()? != Some(4) {
        return Err(malformed());
    }
    let kind = d.str()?.to_owned();
    let on = day(d.i32()?).ok_or_else(malformed)?;
    let entered = match d.u8()? {
        0 => Entered::InTime,
        1 => Entered::Late,
        _ => return Err(malformed()),
    };
    let count = d.map()?.filter(|n| *n <= DATA_MAX).ok_or_else(malformed)?;
    let mut data = BTreeMap::new();
    for _ in 0..count {
        let name = d.str()?.to_owned();
        let value = match d.datatype()? {
            Type::String => Value::Text(d.str()?.to_owned()),
            Type::Bool => Value::Flag(d.bool()?),
            Type::Bytes => Value::Sealed(d.bytes()?.to_vec()),
            Type::Tag if d.tag()?.as_u64() == TAG_DAYS => Value::Day(day(d.i32()?).ok_or_else(malformed)?),
            Type::Array => {
                let len = d.array()?.filter(|n| *n <= LIST_MAX).ok_or_else(malformed)?;
                let names: Decoding<Vec<String>> = (0..len).map(|_| d.str().map(str::to_owned)).collect();
                Value::List(names?)
            }
            _ => Value::Int(d.i64()?),
        };
        data.insert(name, value);
    }
    if d.position() != bytes.len() {
        return Err(malformed());
    }
    Ok(NewEvent {
        kind,
        on,
        entered,
        data,
    })
}

fn day(number: i32) -> Option<Day> {
    let epoch = Day::from_ymd(1970, 1, 1)?;
    let (y, m, d) = epoch.plus(number).ymd();
    Day::from_ymd(y, m, d)
}

/// A register's scalar; lists are for events only.
pub(super) fn to_scalar(value: &Value) -> Option<ScalarValue> {
    Some(match value {
        Value::Text(text) => ScalarValue::Str(text.as_str().into()),
        Value::Int(number) => ScalarValue::Int(*number),
        Value::Day(day) => ScalarValue::Timestamp(i64::from(day.number())),
        Value::Flag(flag) => ScalarValue::Boolean(*flag),
        Value::Sealed(bytes) => ScalarValue::Bytes(bytes.clone()),
        Value::List(_) => return None,
    })
}

pub(super) fn of_scalar(scalar: &ScalarValue) -> Option<Value> {
    Some(match scalar {
        ScalarValue::Str(text) => Value::Text(text.to_string()),
        ScalarValue::Int(number) => Value::Int(*number),
        ScalarValue::Uint(number) => Value::Int(i64::try_from(*number).ok()?),
        ScalarValue::Timestamp(number) => Value::Day(day(i32::try_from(*number).ok()?)?),
        ScalarValue::Boolean(flag) => Value::Flag(*flag),
        ScalarValue::Bytes(bytes) => Value::Sealed(bytes.clone()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_as_it_was_written() {
        let on = Day::from_ymd(2026, 10, 9).unwrap();
        let event = NewEvent::new("ask", on)
            .with("items", Value::List(vec!["身份证".into(), "户口簿".into()]))
            .with("to", Value::Day(on))
            .with("result", Value::Int(-7))
            .with("flag", Value::Flag(true))
            .with("secret", Value::Sealed(vec![1, 2, 3]));
        let bytes = encode_event(&event);
        assert_eq!(decode_event(&bytes), Some(event));
        for cut in 0..bytes.len() {
            assert_eq!(decode_event(&bytes[..cut]), None);
        }
    }
}
