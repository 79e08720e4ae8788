//! Every limit of the transport (DESIGN §9) in one place, each with its reason. What a session may do is limited in `replica::limits`.

use std::time::Duration;

pub use replica::limits::{HANDSHAKES_PENDING_MAX as HANDSHAKES_MAX, RECEIVE_WINDOW_BYTES, STREAMS_MAX};

/// Bytes quinn keeps for sending again until they are acknowledged, where this side dialled: it has few connections.
pub const SEND_WINDOW_BYTES: u64 = 2 * 1024 * 1024;

/// The same where this side listens: a peer that acknowledges nothing makes a hub hold as much, and may come 16,384 times. Over a
/// round trip of 80 ms it still carries 3 MB/s.
pub const HUB_SEND_WINDOW_BYTES: u64 = 256 * 1024;

/// What a hub takes of one peer before it was read: [`RECEIVE_WINDOW_BYTES`] is for the side that dials. A peer that leaves a hole at
/// the front makes a hub hold as much for as long as it stays.
pub const HUB_RECEIVE_WINDOW_BYTES: u32 = 256 * 1024;

/// What a hub's socket holds until it is read: 500 rooms that return at once send about so much in one round trip.
pub const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;

/// The dialler's keep-alive. Home routers forget a UDP mapping after 30 s; half of it survives one lost packet.
pub const KEEP_ALIVE: Duration = Duration::from_secs(12);

/// A peer from which nothing came for this long is gone: two keep-alives lost and some slack.
pub const IDLE_MAX: Duration = Duration::from_secs(30);

/// From here on a newcomer must first prove that its address is its own (Retry), which a flood of forged addresses cannot.
pub const HANDSHAKES_EASY: usize = 64;

/// A handshake that has not ended by then is abandoned: satellite lines need two seconds.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// After the handshake the dialler must open its stream within this time.
pub const STREAM_OPEN_MAX: Duration = Duration::from_secs(10);

/// Live connections of one endpoint: a hub with 10,000 rooms, and room for reconnecting ones whose old connection has not timed out.
pub const CONNECTIONS_MAX: usize = 16_384;

/// Connections whose handshake has ended and whose stream has not been opened.
pub const UNNAMED_MAX: usize = 256;

/// Whoever waits at a full door for longer makes way: two round trips of nearly every line. Before, newcomers are refused.
pub const DISPLACE_AFTER: Duration = Duration::from_secs(1);

/// Connections whose key is no member's (to join, or to introduce itself). Beyond it the oldest of them is closed.
pub const STRANGERS_MAX: usize = 256;

/// A frame, once begun, must be complete within this time: 1 MiB over a line of 16 kB/s.
pub const FRAME_READ_MAX: Duration = Duration::from_secs(70);

/// Frames longer than this are gathered by [`LARGE_FRAMES_MAX`] connections at a time; batches are shorter.
pub const LARGE_FRAME_BYTES: usize = 128 * 1024;

/// Of 2 MiB each, and anybody may send one slowly. Whoever has been at it longest makes way.
pub const LARGE_FRAMES_MAX: usize = 64;

/// A write that makes no progress for this long means a reader too slow to serve.
pub const WRITE_STALL_MAX: Duration = Duration::from_secs(30);

/// How long a connection that ends waits until the peer has the last word.
pub const CLOSE_MAX: Duration = Duration::from_secs(1);

/// Bytes queued for one peer before it counts as a slow reader. Sessions keep to 256 KiB by themselves; this is the net under them.
pub const OUTGOING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes queued for all peers. Beyond it, whoever has more than [`OUTGOING_FAIR_BYTES`] waiting counts as a slow reader.
pub const OUTGOING_ALL_BYTES_MAX: usize = 256 * 1024 * 1024;

/// So much may always wait for a peer.
pub const OUTGOING_FAIR_BYTES: usize = 32 * 1024;

/// Frames queued for one peer before it counts as a slow reader.
pub const OUTGOING_FRAMES_MAX: usize = 4_096;

/// Decoded bytes of one connection that wait for the keeper: two of the largest frames (2 MiB each), so that decoding and journalling overlap.
pub const INBOUND_LINK_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Decoded bytes of all connections that wait for the keeper. Readers wait beyond it, and QUIC's flow control makes the peers wait.
pub const INBOUND_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Messages that wait for the keeper.
pub const INBOX_MAX: usize = 8_192;

/// Messages the keeper takes before it commits: the group of a group commit.
pub const ROUND_MESSAGES_MAX: usize = 1_024;

/// A round ends after this long even if more waits, so that nobody's receipt is late.
pub const ROUND_MAX: Duration = Duration::from_millis(20);

/// Entries applied between two rounds while messages wait: views must not starve under load.
pub const APPLY_BUSY: usize = 256;

/// Entries applied at once when nothing waits; short, so that a command never waits long.
pub const APPLY_IDLE: usize = 1_024;
/// Rows that a report reads between two rounds: some ten milliseconds when nobody else wants anything, some three when somebody does.
pub const REPORT_ROWS_IDLE: usize = 4_096;
pub const REPORT_ROWS_BUSY: usize = 1_024;

/// Commands that may wait for the keeper.
pub const COMMANDS_MAX: usize = 64;

/// Live connections of one key: a cloned PC and one whose old connection has not timed out yet. The oldest makes way.
pub const CONNECTIONS_PER_KEY_MAX: usize = 4;

/// Round-trip times are looked up no oftener than this.
pub const OBSERVE_EVERY: Duration = Duration::from_secs(2);

/// Hub addresses of one device.
pub const DIALS_MAX: usize = 8;

/// How often newly learnt hub addresses are looked for.
pub const ADDRS_EVERY: Duration = Duration::from_secs(1);

/// Lead of a better address over the next one.
pub const FALLBACK_AFTER: Duration = Duration::from_secs(2);

/// First delay before dialling again; doubles up to [`RETRY_MAX`], and a random half of it is left out so that rooms do not return in step.
pub const RETRY_MIN: Duration = Duration::from_millis(200);

/// Longest delay before dialling again: a clerk who plugs the line in sees the tick turn within a minute.
pub const RETRY_MAX: Duration = Duration::from_secs(60);

/// A connection that lived this long was a good one: the next delay starts anew.
pub const GOOD_AFTER: Duration = Duration::from_secs(10);

/// A line on which the dialler speaks and hears nothing for this long is dead: long for a satellite, short for a clerk.
pub const DEAD_AFTER: Duration = Duration::from_secs(8);

/// Resident memory of a hub for one idle connection, all told (DESIGN §10).
pub const IDLE_CONNECTION_BYTES_MAX: usize = 60_000;

/// Resident memory of a hub with 10,000 rooms connected, the door besieged and some members run wild: idle connections, 768 strangers
/// and half-open ones with their windows full, frames being gathered and decoded, what is queued for slow readers, and 256 MiB for
/// what the office itself holds.
pub const MEMORY_BYTES_MAX: usize = 10_000 * IDLE_CONNECTION_BYTES_MAX
    + (HANDSHAKES_MAX + UNNAMED_MAX + STRANGERS_MAX) * HUB_RECEIVE_WINDOW_BYTES as usize
    + LARGE_FRAMES_MAX * 2 * 1024 * 1024
    + INBOUND_BYTES_MAX
    + OUTGOING_ALL_BYTES_MAX
    + 256 * 1024 * 1024;
