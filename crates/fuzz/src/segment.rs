//! A segment of the journal as JOURNAL.md describes it, written here a second time: repairs what mutation breaks of markers, lengths,
//! checksums and chain, so that the content of frames is reached.

use sha2::{Digest, Sha256};

pub(crate) const HEADER: usize = 128;
const COPY: usize = 64;
const HEAD: usize = 13;
const CHAIN: usize = 16;

/// The header with a right checksum, number 1, and its second copy.
pub(crate) fn header(bytes: &[u8]) -> [u8; HEADER] {
    let mut copy = [0; COPY];
    let len = bytes.len().min(COPY);
    copy[..len].copy_from_slice(&bytes[..len]);
    copy[..8].copy_from_slice(b"CLJOURN\n");
    copy[8..16].copy_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0]);
    // The first segment follows nothing.
    copy[32..48].fill(0);
    let sum = crc32c::crc32c(&copy[..60]).to_le_bytes();
    copy[60..].copy_from_slice(&sum);
    let mut header = [0; HEADER];
    header[..COPY].copy_from_slice(&copy);
    header[COPY..].copy_from_slice(&copy);
    header
}

/// Frames of a segment: kind byte and body each.
pub(crate) fn frames(segment: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    let mut rest = segment.get(HEADER..).unwrap_or_default();
    while let Some((head, behind)) = rest.split_first_chunk::<HEAD>() {
        let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let Some((body, after)) = behind.split_at_checked(len) else {
            break;
        };
        let Some(after) = after.get(CHAIN..) else { break };
        frames.push((head[12], body));
        rest = after;
    }
    frames
}

/// A sound segment with this header and these frames.
pub(crate) fn build(header: &[u8; HEADER], frames: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = header.to_vec();
    let salt = &header[16..32];
    let mut chain = cut(Sha256::new()
        .chain_update(b"cunlian segment 1")
        .chain_update(&header[..COPY]));
    for (kind, body) in frames {
        let len = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
        let hash = Sha256::new().chain_update(b"cunlian frame 1").chain_update(chain);
        chain = cut(hash.chain_update([*kind]).chain_update(len).chain_update(body));
        let from_kind = [&[*kind], *body, &chain].concat();
        let sum = crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(&salt[4..]), &len), &from_kind);
        out.extend_from_slice(&salt[..4]);
        out.extend_from_slice(&len);
        out.extend_from_slice(&sum.to_le_bytes());
        out.extend_from_slice(&from_kind);
    }
    out
}

fn cut(hash: Sha256) -> [u8; CHAIN] {
    let mut chain = [0; CHAIN];
    chain.copy_from_slice(&hash.finalize()[..CHAIN]);
    chain
}
