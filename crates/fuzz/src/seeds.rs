//! Inputs to begin with: the frozen vectors of the wire format, and what the house's own writers write.

use replica::frame::HEADER_LEN;

/// A file of `crates/replica/vectors`, read from hexadecimal.
macro_rules! vector {
    ($name:literal) => {
        $crate::seeds::unhex(include_str!(concat!("../../../replica/vectors/", $name, ".hex")))
    };
}
pub(crate) use vector;

/// Bytes of hexadecimal text; white space does not matter, anything else ends it.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map_while(|c| c.to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits.chunks_exact(2).map(|two| two[0] << 4 | two[1]).collect()
}

/// The frames of `vectors/frames.hex`, one of each kind: its number, then its body.
pub(crate) fn frames() -> Vec<Vec<u8>> {
    let lines = include_str!("../../replica/vectors/frames.hex").lines();
    let frame = |line: &str| {
        let bytes = unhex(line.split_once(' ')?.1);
        let [_, _, _, _, kind] = *bytes.first_chunk()?;
        Some([&[kind], &bytes[HEADER_LEN..]].concat())
    };
    lines.filter_map(frame).collect()
}
