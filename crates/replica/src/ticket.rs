//! Tickets (入网票): what an operator hands to a new device so that it finds its hub and can trust it.

use data_encoding::BASE32_NOPAD;
use ledger::id::{DeviceId, UnitCode, UnitId};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::limits::{ADDR_CHARS_MAX, TICKET_ADDRS_MAX, TICKET_CHARS_MAX};

/// A one-use invitation.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ticket {
    /// The county's root key, which the device will pin.
    #[n(0)]
    pub root: DeviceId,
    /// Where the device will belong.
    #[n(1)]
    pub unit: UnitId,
    /// That unit's code, to be shown before anything is sent.
    #[n(2)]
    pub code: UnitCode,
    /// The hub that gave the ticket and alone can take it back.
    #[n(3)]
    pub hub: DeviceId,
    /// Where the hub is reached, `host:port`.
    #[n(4)]
    pub addrs: Vec<String>,
    /// Proves possession of the ticket to the hub.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub secret: [u8; 16],
    /// UTC milliseconds by the hub's clock.
    #[n(6)]
    pub expires_ms: i64,
}

/// Why a text is no ticket. Shown to a clerk, hence Chinese.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TicketError {
    #[error("这不是入网票（应以 CL1- 开头），请向上级中心重新复制整张入网票")]
    NotATicket,
    #[error("入网票由更新的版本开出，请先升级本程序")]
    Version,
    #[error("入网票不完整或有错字，请重新复制整张入网票")]
    Damaged,
}

const PREFIX: &str = "CL1-";
const CHECKSUM_LEN: usize = 5;

// Written by hand: whoever reads the secret in a log could join with it.
impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket")
            .field("unit", &self.unit)
            .field("code", &self.code)
            .field("hub", &self.hub)
            .field("addrs", &self.addrs)
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

impl Ticket {
    /// The text form: `CL1-` and letters and digits only, so that it survives chat windows, paper and QR codes.
    pub fn to_text(&self) -> String {
        let mut bytes = match minicbor::to_vec(self) {
            Ok(bytes) => bytes,
            // Writing to a Vec cannot fail and no field refuses to be encoded.
            Err(error) => unreachable!("{error}"),
        };
        bytes.extend_from_slice(&checksum(&bytes));
        format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes))
    }

    /// Reads a ticket as typed or pasted: white space, line breaks and case do not matter.
    pub fn parse(text: &str) -> Result<Self, TicketError> {
        if text.len() > TICKET_CHARS_MAX {
            return Err(TicketError::NotATicket);
        }
        let text: String = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let Some(body) = text.strip_prefix(PREFIX) else {
            let later = text.starts_with("CL") && text.chars().nth(2).is_some_and(|c| c.is_ascii_digit());
            return Err(if later {
                TicketError::Version
            } else {
                TicketError::NotATicket
            });
        };
        let bytes = BASE32_NOPAD.decode(body.as_bytes()).map_err(|_| TicketError::Damaged)?;
        let (cbor, sum) = bytes.split_last_chunk::<CHECKSUM_LEN>().ok_or(TicketError::Damaged)?;
        if checksum(cbor) != *sum {
            return Err(TicketError::Damaged);
        }
        let ticket: Self = minicbor::decode(cbor).map_err(|_| TicketError::Damaged)?;
        if ticket.addrs.len() > TICKET_ADDRS_MAX || ticket.addrs.iter().any(|addr| addr.len() > ADDR_CHARS_MAX) {
            return Err(TicketError::Damaged);
        }
        Ok(ticket)
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_LEN] {
    let digest = Sha256::new()
        .chain_update(b"cunlian ticket 1")
        .chain_update(bytes)
        .finalize();
    let mut sum = [0; CHECKSUM_LEN];
    sum.copy_from_slice(&digest[..CHECKSUM_LEN]);
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ticket() -> Ticket {
        Ticket {
            root: DeviceId([1; 32]),
            unit: UnitId([2; 16]),
            code: UnitCode::parse("511603102").unwrap(),
            hub: DeviceId([3; 32]),
            addrs: vec!["127.0.0.1:7701".to_owned(), "hub.example:7701".to_owned()],
            secret: [4; 16],
            expires_ms: 1_790_000_000_000,
        }
    }

    #[test]
    fn a_printed_ticket_admits_nobody() {
        let printed = format!("{:?}", ticket());
        assert!(printed.contains("511603102") && !printed.contains("4, 4"), "{printed}");
    }

    #[test]
    fn a_ticket_survives_line_breaks_spaces_and_small_letters() {
        let text = ticket().to_text();
        assert_eq!(Ticket::parse(&text), Ok(ticket()));
        let torn: String = text
            .to_lowercase()
            .chars()
            .collect::<Vec<_>>()
            .chunks(30)
            .map(|line| line.iter().collect::<String>() + " \r\n")
            .collect();
        assert_eq!(Ticket::parse(&torn), Ok(ticket()));
    }

    #[test]
    fn a_ticket_with_one_wrong_or_missing_character_is_refused() {
        let text = ticket().to_text();
        for at in PREFIX.len()..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(Ticket::parse(&wrong), Err(TicketError::Damaged), "character {at}");
            assert_eq!(Ticket::parse(&text[..at]), Err(TicketError::Damaged));
        }
        assert_eq!(Ticket::parse("hello"), Err(TicketError::NotATicket));
        assert_eq!(Ticket::parse(&text.replace("CL1", "CL2")), Err(TicketError::Version));
        assert_eq!(Ticket::parse(&"A".repeat(5_000)), Err(TicketError::NotATicket));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_of_tickets_panic(text in ".{0,80}", body in "[A-Z2-7]{0,120}") {
            let _ = Ticket::parse(&text);
            let _ = Ticket::parse(&format!("CL1-{body}"));
        }
    }
}
