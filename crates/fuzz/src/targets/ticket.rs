//! A ticket as pasted from a chat window; its checksum repaired, so that what it says is reached.

use data_encoding::BASE32_NOPAD;
use replica::limits::{ADDR_CHARS_MAX, TICKET_ADDRS_MAX, TICKET_CHARS_MAX};
use replica::ticket::Ticket;
use sha2::{Digest, Sha256};

use super::KIB;
use crate::seeds::vector;
use crate::{Target, bytes};

pub(super) const TARGET: Target = Target {
    name: "ticket",
    promise: "a text is a ticket or refused with words; a ticket that was read is within its limits, is written so that it reads the \
              same, and small letters and line breaks change nothing",
    check,
    seeds: || {
        let text = vector!("ticket_text");
        let body = text
            .get(4..)
            .and_then(|body| BASE32_NOPAD.decode(body).ok())
            .unwrap_or_default();
        let cbor = &body[..body.len().saturating_sub(5)];
        vec![[&[0], text.as_slice()].concat(), [&[1], cbor].concat()]
    },
    len_max: 3 * KIB,
    memory: (64 * KIB, 64),
};

fn check(data: &[u8]) {
    let (choice, rest) = bytes::choice(data);
    if choice.is_multiple_of(2) {
        if let Ok(text) = std::str::from_utf8(rest) {
            read(text);
        }
    } else {
        let sum = Sha256::new()
            .chain_update(b"cunlian ticket 1")
            .chain_update(rest)
            .finalize();
        read(&format!("CL1-{}", BASE32_NOPAD.encode(&[rest, &sum[..5]].concat())));
    }
}

fn read(text: &str) {
    let ticket = match Ticket::parse(text) {
        Ok(ticket) => ticket,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "refused without words");
            return;
        }
    };
    assert!(text.len() <= TICKET_CHARS_MAX, "a novel was read");
    assert!(ticket.addrs.len() <= TICKET_ADDRS_MAX, "too many addresses");
    assert!(
        ticket.addrs.iter().all(|addr| addr.len() <= ADDR_CHARS_MAX),
        "an address too long"
    );
    let written = ticket.to_text();
    let spread: String = written.to_lowercase().chars().flat_map(|c| [c, '\n']).collect();
    for again in [&written, &spread] {
        if again.len() <= TICKET_CHARS_MAX {
            assert_eq!(
                Ticket::parse(again).as_ref(),
                Ok(&ticket),
                "a ticket reads back differently"
            );
        }
    }
}
