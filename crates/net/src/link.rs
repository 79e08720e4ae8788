//! One connection: a task that reads and decodes frames for the keeper, and a task that writes what the keeper sends.
//!
//! Both are bounded in frames and bytes. A reader that runs ahead of the keeper waits, and QUIC makes its peer wait; a peer
//! that does not take what it asked for is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ledger::id::DeviceId;
use office::SessionId;
use quinn::{Connection, RecvStream, SendStream, VarInt};
use replica::frame::{HEADER_LEN, Header, Inbound, is_for_members};
use replica::session::{Dialled, PeerError};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::timeout;

use crate::door::Place;
use crate::endpoint::is_revoked;
use crate::keeper::{Keeper, Message};
use crate::limits::{
    CLOSE_MAX, FRAME_READ_MAX, INBOUND_LINK_BYTES_MAX, LARGE_FRAME_BYTES, OUTGOING_ALL_BYTES_MAX, OUTGOING_BYTES_MAX,
    OUTGOING_FAIR_BYTES, OUTGOING_FRAMES_MAX, STREAM_OPEN_MAX, WRITE_STALL_MAX,
};

/// Permits are counted in KiB, so that a semaphore's 32 bits are always enough.
pub(crate) const PERMIT_BYTES: usize = 1024;

/// How a connection ended, as told to the peer in QUIC's close frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseCode {
    /// Stopping, or no longer needed.
    Done = 0,
    /// The peer broke the protocol.
    Fault = 1,
    /// The peer does not read what it is sent.
    Slow = 2,
    /// The peer's key is revoked.
    Revoked = 3,
    /// No room for another connection.
    Full = 4,
    /// No stream was opened in time.
    Idle = 5,
}

impl CloseCode {
    /// For the peer's log.
    pub(crate) fn words(self) -> &'static str {
        match self {
            CloseCode::Done => "done",
            CloseCode::Fault => "fault",
            CloseCode::Slow => "too slow",
            CloseCode::Revoked => "revoked",
            CloseCode::Full => "full",
            CloseCode::Idle => "silent",
        }
    }

    pub(crate) fn close(self, connection: &Connection, why: &str) {
        // A close frame must fit into one packet.
        let why = why
            .char_indices()
            .take_while(|(at, _)| *at < 200)
            .map(|(_, c)| c)
            .collect::<String>();
        connection.close(VarInt::from_u32(self as u32), why.as_bytes());
    }
}

enum Outgoing {
    Frame(Vec<u8>),
    Close(CloseCode, String),
}

/// The keeper's end of a connection.
pub(crate) struct Link {
    pub(crate) peer: DeviceId,
    pub(crate) dialled: Dialled,
    pub(crate) addr: String,
    connection: Connection,
    outgoing: mpsc::Sender<Outgoing>,
    queued: Arc<Queued>,
    closing: Arc<Notify>,
    met: Arc<AtomicBool>,
}

/// Bytes that wait to be written: for one peer, and for all.
struct Queued {
    own: AtomicUsize,
    all: Arc<AtomicUsize>,
}

impl Queued {
    /// Counts in what comes to the queue; `false` when there is too much of it for a peer that keeps up.
    fn add(&self, bytes: usize) -> bool {
        let own = self.own.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let all = self.all.fetch_add(bytes, Ordering::Relaxed) + bytes;
        own <= OUTGOING_BYTES_MAX && (all <= OUTGOING_ALL_BYTES_MAX || own <= OUTGOING_FAIR_BYTES)
    }

    fn sub(&self, bytes: usize) {
        self.own.fetch_sub(bytes, Ordering::Relaxed);
        self.all.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Queued {
    /// What was never written no longer waits.
    fn drop(&mut self) {
        self.sub(self.own.load(Ordering::Relaxed));
    }
}

impl Link {
    /// Queues a frame. `false`: the peer takes too little of what it is sent, and the connection was closed.
    pub(crate) fn send(&self, frame: Vec<u8>) -> bool {
        if self.queued.add(frame.len()) && self.outgoing.try_send(Outgoing::Frame(frame)).is_ok() {
            return true;
        }
        CloseCode::Slow.close(&self.connection, "too slow");
        false
    }

    /// Closes at once; what is queued is dropped.
    pub(crate) fn cut(&self, code: CloseCode, why: &str) {
        code.close(&self.connection, why);
    }

    /// Closes after what is queued has been written, or soon in any case.
    pub(crate) fn close(&self, code: CloseCode, why: &str) {
        self.closing.notify_one();
        if self.outgoing.try_send(Outgoing::Close(code, why.to_owned())).is_err() {
            code.close(&self.connection, why);
        }
    }

    /// The two sides have met: from now on every kind of frame is decoded as it comes.
    pub(crate) fn met(&self) {
        self.met.store(true, Ordering::Release);
    }

    pub(crate) fn rtt_ms(&self) -> u64 {
        u64::try_from(self.connection.rtt().as_millis()).unwrap_or(u64::MAX)
    }
}

/// How a connection came about.
pub(crate) enum Begun {
    Dialled,
    /// With the place at the door that is kept until the keeper has taken the connection.
    Accepted(Place),
}

/// Drives a connection until it ends and says why. The keeper learns of its beginning and its end.
pub(crate) async fn drive(
    keeper: Keeper,
    connection: Connection,
    peer: DeviceId,
    begun: Begun,
    addr: String,
) -> String {
    let (dialled, stream) = match &begun {
        Begun::Dialled => (Dialled::Us, timeout(STREAM_OPEN_MAX, connection.open_bi()).await),
        Begun::Accepted(place) => tokio::select! {
            stream = timeout(STREAM_OPEN_MAX, connection.accept_bi()) => (Dialled::Them, stream),
            () = place.sent_away() => {
                CloseCode::Full.close(&connection, "too many at the door");
                return "made way for another".to_owned();
            }
        },
    };
    let (send, recv) = match stream {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tell_if_revoked(&keeper, &connection, peer, dialled).await;
            return error.to_string();
        }
        Err(_) => {
            CloseCode::Idle.close(&connection, "no stream");
            return "no stream was opened".to_owned();
        }
    };
    let (outgoing, queue) = mpsc::channel(OUTGOING_FRAMES_MAX);
    let queued = Arc::new(Queued {
        own: AtomicUsize::new(0),
        all: keeper.queued(),
    });
    let closing = Arc::new(Notify::new());
    let met = Arc::new(AtomicBool::new(false));
    let link = Link {
        peer,
        dialled,
        addr,
        connection: connection.clone(),
        outgoing,
        queued: queued.clone(),
        closing: closing.clone(),
        met: met.clone(),
    };
    let Some(id) = keeper.connected(link).await else {
        CloseCode::Full.close(&connection, "not now");
        return "not taken".to_owned();
    };
    drop(begun);
    let writer = tokio::spawn(write(keeper.clone(), id, connection.clone(), send, queue, queued));
    let why = tokio::select! {
        why = read(&keeper, id, &met, recv) => why,
        () = patience(&closing) => "closed by us".to_owned(),
    };
    let why = match connection.close_reason() {
        Some(reason) => reason.to_string(),
        None => why,
    };
    tell_if_revoked(&keeper, &connection, peer, dialled).await;
    keeper.tell(Message::Gone { id, why: why.clone() }).await;
    // The keeper has dropped the link, so the writer ends when its queue does.
    if timeout(WRITE_STALL_MAX, writer).await.is_err() {
        CloseCode::Slow.close(&connection, "too slow");
    }
    CloseCode::Done.close(&connection, "done");
    why
}

/// A key that is revoked is refused in the handshake already, so no session hears of it: whoever looks at this PC must see why it is
/// alone. To be called before this side closes, which would hide the reason.
async fn tell_if_revoked(keeper: &Keeper, connection: &Connection, by: DeviceId, dialled: Dialled) {
    if dialled == Dialled::Us && connection.close_reason().is_some_and(|reason| is_revoked(&reason)) {
        keeper.tell(Message::Revoked { by }).await;
    }
}

/// Returns a while after a close was asked for: long enough for a last word, not for a peer that does not want to hear it.
async fn patience(closing: &Notify) {
    closing.notified().await;
    tokio::time::sleep(CLOSE_MAX).await;
}

/// Reads until the stream ends; the words say why.
///
/// What only an open session may say is not even decoded until the two sides have met: proving the signatures of a batch costs a
/// thousand times what it costs to send one.
async fn read(keeper: &Keeper, id: SessionId, met: &AtomicBool, mut recv: RecvStream) -> String {
    let share = Arc::new(Semaphore::new(INBOUND_LINK_BYTES_MAX / PERMIT_BYTES));
    loop {
        let mut head = [0; HEADER_LEN];
        // Between frames silence is fine, for as long as QUIC itself hears from the peer.
        match recv.read(&mut head[..1]).await {
            Ok(Some(_)) => {}
            Ok(None) => return "the peer closed its stream".to_owned(),
            Err(error) => return error.to_string(),
        }
        let frame = match timeout(FRAME_READ_MAX, rest_of_frame(keeper, &mut recv, &mut head)).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(FrameFault::Peer(error))) => {
                let why = error.to_string();
                keeper.tell(Message::Fault { id, error }).await;
                // The session tells the peer why; the connection is closed once it has.
                return until_closed(why).await;
            }
            Ok(Err(FrameFault::Broken(why))) => return why,
            Err(_) => return "a frame took too long".to_owned(),
        };
        let (kind, body) = frame;
        let permits = u32::try_from(body.len().div_ceil(PERMIT_BYTES).max(1)).unwrap_or(u32::MAX);
        let (Ok(own), Some(common)) = (
            share.clone().acquire_many_owned(permits).await,
            keeper.room(permits).await,
        ) else {
            return "stopping".to_owned();
        };
        let (held, bytes) = ([own, common], HEADER_LEN + body.len());
        let message = if is_for_members(kind) && !met.load(Ordering::Acquire) {
            Message::Early { id, kind, body, held }
        } else {
            match decode(kind, &body) {
                Some(Ok(inbound)) => Message::Frame {
                    id,
                    inbound: Box::new(inbound),
                    bytes,
                    held,
                },
                Some(Err(error)) => {
                    let why = error.to_string();
                    keeper.tell(Message::Fault { id, error }).await;
                    return until_closed(why).await;
                }
                None => return format!("decoding a frame of kind {kind} failed"),
            }
        };
        if !keeper.tell(message).await {
            return "stopping".to_owned();
        }
    }
}

/// `None` after a panic: that would be our fault, but a peer's bytes must not leave a session behind that nobody ends.
pub(crate) fn decode(kind: u8, body: &[u8]) -> Option<Result<Inbound, PeerError>> {
    std::panic::catch_unwind(|| Inbound::decode(kind, body)).ok()
}

/// The time that [`patience`] leaves for the last word, and some more in case the session had none.
async fn until_closed(why: String) -> String {
    tokio::time::sleep(2 * CLOSE_MAX).await;
    why
}

enum FrameFault {
    Peer(PeerError),
    Broken(String),
}

/// Reads a frame whose first byte is in `head`: its kind and its body.
async fn rest_of_frame(
    keeper: &Keeper,
    recv: &mut RecvStream,
    head: &mut [u8; HEADER_LEN],
) -> Result<(u8, Vec<u8>), FrameFault> {
    recv.read_exact(&mut head[1..])
        .await
        .map_err(|e| FrameFault::Broken(e.to_string()))?;
    let Header { kind, len } = Header::decode(*head).map_err(FrameFault::Peer)?;
    if len <= LARGE_FRAME_BYTES {
        return Ok((kind, gather(recv, len).await?));
    }
    let place = keeper.large_frames().enter().await;
    tokio::select! {
        body = gather(recv, len) => Ok((kind, body?)),
        () = place.sent_away() => Err(FrameFault::Broken("a large frame came too slowly".to_owned())),
    }
}

async fn gather(recv: &mut RecvStream, len: usize) -> Result<Vec<u8>, FrameFault> {
    // Grows with what has come, so a large length alone costs nothing.
    let mut body = Vec::new();
    while body.len() < len {
        match recv.read_chunk(len - body.len(), true).await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk.bytes),
            Ok(None) => return Err(FrameFault::Broken("the stream ended inside a frame".to_owned())),
            Err(error) => return Err(FrameFault::Broken(error.to_string())),
        }
    }
    Ok(body)
}

async fn write(
    keeper: Keeper,
    id: SessionId,
    connection: Connection,
    mut send: SendStream,
    mut queue: mpsc::Receiver<Outgoing>,
    queued: Arc<Queued>,
) {
    while let Some(next) = queue.recv().await {
        match next {
            Outgoing::Frame(frame) => {
                let written = write_frame(&mut send, &frame).await;
                queued.sub(frame.len());
                match written {
                    Written::All => {}
                    Written::Stalled => return CloseCode::Slow.close(&connection, "too slow"),
                    Written::Gone => return,
                }
                if !keeper.tell(Message::Written { id, bytes: frame.len() }).await {
                    return;
                }
            }
            Outgoing::Close(code, why) => {
                finish(&mut send).await;
                return code.close(&connection, &why);
            }
        }
    }
    finish(&mut send).await;
}

enum Written {
    All,
    Stalled,
    Gone,
}

async fn write_frame(send: &mut SendStream, frame: &[u8]) -> Written {
    let mut rest = frame;
    while !rest.is_empty() {
        match timeout(WRITE_STALL_MAX, send.write(rest)).await {
            Ok(Ok(n)) => rest = &rest[n..],
            Ok(Err(_)) => return Written::Gone,
            Err(_) => return Written::Stalled,
        }
    }
    Written::All
}

/// Ends the stream and waits a moment until the peer has it all, so that a last word is not overtaken by the close.
async fn finish(send: &mut SendStream) {
    if send.finish().is_ok() {
        let _ = timeout(CLOSE_MAX, send.stopped()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_slow_readers_together_are_no_more_than_what_may_wait_for_all() {
        let all = Arc::new(AtomicUsize::new(0));
        let peer = || Queued {
            own: AtomicUsize::new(0),
            all: all.clone(),
        };
        let slow: Vec<Queued> = (0..)
            .map(|_| peer())
            .take(OUTGOING_ALL_BYTES_MAX / OUTGOING_BYTES_MAX)
            .collect();
        assert!(slow.iter().all(|one| one.add(OUTGOING_BYTES_MAX)));
        // The next one that wants much is too slow; whoever wants little is served.
        let (greedy, modest) = (peer(), peer());
        assert!(!greedy.add(OUTGOING_FAIR_BYTES + 1));
        drop(greedy);
        assert!(modest.add(OUTGOING_FAIR_BYTES));
        modest.sub(OUTGOING_FAIR_BYTES);
        drop(slow);
        assert_eq!(all.load(Ordering::Relaxed), 0);
        assert!(modest.add(OUTGOING_BYTES_MAX));
    }
}
