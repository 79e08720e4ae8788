//! Tickets (入网票): what an operator hands to a new device so that it finds its hub and can trust it.

use ledger::id::{DeviceId, UnitCode, UnitId};
use thiserror::Error;

/// A one-use invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// The county's root key, which the device will pin.
    pub root: DeviceId,
    pub unit: UnitId,
    pub code: UnitCode,
    /// The hub that gave the ticket and alone can take it back.
    pub hub: DeviceId,
    pub addrs: Vec<String>,
    pub secret: [u8; 16],
    /// UTC milliseconds by the hub's clock.
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

impl Ticket {
    /// The text form: `CL1-` and letters and digits only, so that it survives chat windows, paper and QR codes.
    pub fn to_text(&self) -> String {
        todo!()
    }

    /// Reads a ticket as typed or pasted: white space, hyphens and case do not matter.
    pub fn parse(_text: &str) -> Result<Self, TicketError> {
        todo!()
    }
}
