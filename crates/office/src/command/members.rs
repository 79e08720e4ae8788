//! What a console asks about devices: tickets, one or many, who waits to be approved, a lost PC replaced in one step.

use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "members", rename_all = "snake_case")]
pub enum Members {
    /// Tickets that nobody has used yet, devices that wait to be approved, and the addresses last written on a ticket.
    Tickets,
    InviteMany(InviteMany),
    InviteTop(InviteTop),
    TicketCancel(TicketCancel),
    Approve(Approve),
    Replace(Replace),
    /// Hubs above do not meet it until it is lifted (暂停); nothing that it wrote or writes is lost.
    Hold(Hold),
    /// They meet it again (恢复).
    Lift(Lift),
    Rename(Rename),
}

/// Tickets for several units, each told by itself: one that is refused stops no other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteMany {
    /// Codes; trailing zeros may be left out.
    pub units: Vec<String>,
    /// Where the joining devices reach this hub, `host:port`.
    pub addrs: Vec<String>,
    #[serde(default)]
    pub expires_s: Option<u64>,
    /// A device that comes with such a ticket waits until somebody here has compared its fingerprint.
    #[serde(default)]
    pub approve: bool,
}

/// A ticket for a hub of the topmost unit, also at a hub below it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteTop {
    /// The topmost unit's code.
    pub unit: String,
    /// Where the joining hub reaches this one, `host:port`; at least one.
    pub addrs: Vec<String>,
    #[serde(default)]
    pub expires_s: Option<u64>,
    pub root_key: RootKey,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketCancel {
    /// As [`Members::Tickets`] names it.
    pub id: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The waiting device's fingerprint as read from its own screen: eight digits or more.
    pub device: String,
}

/// The old key out, a ticket for the same unit: the book flows back to the new PC.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    pub device: String,
    pub reason: String,
    pub addrs: Vec<String>,
    #[serde(default)]
    pub expires_s: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// As in [`super::MemberRevoke::device`].
    pub device: String,
    pub reason: String,
    /// As in [`super::MemberRevoke::root_key`].
    #[serde(default)]
    pub root_key: Option<RootKey>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    pub device: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub root_key: Option<RootKey>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    pub device: String,
    pub name: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub root_key: Option<RootKey>,
}

/// The text of the county's recovery file; never in a log.
#[derive(Clone, Serialize, Deserialize)]
pub struct RootKey(pub String);

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey(…)")
    }
}
