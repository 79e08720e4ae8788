//! Every limit of DESIGN §9 and of the formats here, with its reason. All are enforced before anything is parsed or allocated.

pub use crate::entry::{BODY_BYTES_MAX, CHANGE_BYTES_MAX};
pub use crate::run::{CHECKPOINT_BYTES_MAX, RUN_BYTES_MAX, RUN_ENTRIES_MAX};
pub use crate::vector::TIPS_MAX;

/// Operations in one Automerge change.
pub const CHANGE_OPS_MAX: usize = 1_000;
/// Dependencies of one Automerge change.
pub const CHANGE_DEPS_MAX: usize = 64;
/// Nesting of containers in a record.
pub const RECORD_DEPTH_MAX: usize = 8;

/// Streams of one connection.
pub const STREAMS_MAX: u32 = 16;
/// What may be under way towards a receiver that has not read it yet.
pub const RECEIVE_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Handshakes that have begun and not ended; beyond, newcomers must prove their address first.
pub const HANDSHAKES_PENDING_MAX: usize = 256;

/// New entries of one device in one day; a room writes a few hundred.
pub const DEVICE_DAY_ENTRIES_MAX: u64 = 20_000;
/// New bytes of one device in one day.
pub const DEVICE_DAY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Reads of the index that one peer's questions may cost in a second: at some 5 µs each, a tenth of a core.
pub const ASK_READS_PER_S: u64 = 20_000;
/// Reads that a peer may have saved up: a hub that is rebuilt asks for the keys of years, one with a hundred forks for thousands of hashes.
pub const ASK_READS_SAVED: u64 = 1_000_000;

/// A ticket lies in a chat window or on paper; a week is as long as it may be worth something to a finder.
pub const TICKET_LIFE_MS_MAX: i64 = 7 * 86_400_000;
/// The text of a ticket, so that a pasted novel is refused before it is decoded.
pub const TICKET_CHARS_MAX: usize = 2_048;
/// Hub addresses in one ticket.
pub const TICKET_ADDRS_MAX: usize = 8;
/// One address: a host name has at most 253 characters, a port five.
pub const ADDR_CHARS_MAX: usize = 260;

/// A clock further off than this is flagged. It never leads to a refusal.
pub const CLOCK_SKEW_SHOWN_MS: i64 = 5 * 60_000;

/// The chain of statements that introduces a key not known yet.
pub const INTRODUCTION_BYTES_MAX: usize = 64 * 1024;
/// County, township, sub-centre, room and a margin: longer chains are somebody's invention.
pub const INTRODUCTION_LINKS_MAX: usize = 8;

/// A vector or a receipt in bytes: 20,000 logs with one tip each.
pub const VECTOR_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Tips of one log that a vector may list. Far above [`TIPS_MAX`], where a device is suspended but its entries still travel.
pub const VECTOR_TIPS_MAX: usize = 4_096;
/// Branches of one log in the index's state of it.
pub const BRANCHES_MAX: usize = 65_536;

/// Names of devices, units and persons, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 300;
/// Reasons that a person typed, in bytes of UTF-8.
pub const REASON_BYTES_MAX: usize = 2_000;
/// Cuts of one revocation: logs of one device.
pub const CUTS_MAX: usize = 2_000;
/// Units in one entry, of an organisation or of a part of one. The largest counties have about 1,000 villages.
pub const UNITS_MAX: usize = 3_000;
/// Parts of one organisation: at some 75 bytes a unit 48,000 units, with the longest names 9,000.
pub const PARTS_MAX: usize = 16;
/// Matters of one catalogue.
pub const MATTERS_MAX: usize = 2_000;
/// Off days and make-up days each of one calendar.
pub const CALENDAR_DAYS_MAX: usize = 4_000;
/// Roles of one person.
pub const ROLES_MAX: usize = 16;
/// A key sealed to a device.
pub const SEALED_BYTES_MAX: usize = 512;
