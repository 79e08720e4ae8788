//! The local API: commands of this machine's user to the daemon that runs on the folder.
//!
//! JSON lines over TCP on the loopback address. The first line is the token from the folder's `api` file (only the owner can
//! read it), answered by `{"ready": true}`; then each line is a request and is answered by any number of `{"progress": TEXT}` and one `{"ok": VALUE}` or
//! `{"error": {"code", "message", "exit"}}`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, warn};
use zeroize::{Zeroize, Zeroizing};

use crate::failure::Failure;
use crate::folder::ApiDoor;
use crate::service::{Ask, Service};

/// A day book of 48 MB in base64; only whoever has the token may send that much.
const LINE_BYTES_MAX: usize = 68 * 1024 * 1024;
/// Sixty-four hexadecimal digits and the end of the line.
const TOKEN_BYTES_MAX: usize = 128;
/// A program that has the token says it at once.
const TOKEN_WAIT: Duration = Duration::from_secs(5);
/// Between two requests of one connection.
const IDLE_WAIT: Duration = Duration::from_secs(600);
/// An answer that nobody takes.
const WRITE_WAIT: Duration = Duration::from_secs(30);
/// Connections at a time: commands of one person, and one web face.
const CONNECTIONS_MAX: usize = 32;

/// The listening API.
pub(crate) struct Api {
    task: JoinHandle<()>,
    door: ApiDoor,
}

impl Api {
    /// Opens the door on a port that the system chooses, with a fresh token.
    pub(crate) async fn open(service: Service) -> std::io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|e| std::io::Error::other(e.to_string()))?;
        let door = ApiDoor {
            addr: listener.local_addr()?,
            token: data_encoding::HEXLOWER.encode(&secret),
        };
        let task = tokio::spawn(accept(listener, door.token.clone(), service));
        Ok(Self { task, door })
    }

    pub(crate) fn door(&self) -> &ApiDoor {
        &self.door
    }

    pub(crate) fn close(self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, token: String, service: Service) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut served = JoinSet::new();
    loop {
        // Reaped as they end, so that the set stays small.
        while served.try_join_next().is_some() {}
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (token, service) = (token.clone(), service.clone());
                served.spawn(async move {
                    if let Err(error) = serve(stream, &token, &service).await {
                        debug!(%error, "local API connection ended");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file handles, most likely: let some be freed.
                warn!(%error, "local API cannot accept");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, token: &str, service: &Service) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut lines = Lines::new(read);
    let said = timeout(TOKEN_WAIT, lines.next(TOKEN_BYTES_MAX))
        .await
        .map_err(std::io::Error::other)??;
    if !said.is_some_and(|said| same(&said, token.as_bytes())) {
        let failure = Failure::failed("本机接口的口令不对，请用同一个用户执行。").coded("token");
        return say(&mut write, &failure.to_json()).await;
    }
    say(&mut write, &json!({ "ready": true })).await?;
    while let Some(request) = timeout(IDLE_WAIT, lines.next(LINE_BYTES_MAX))
        .await
        .map_err(std::io::Error::other)??
    {
        let answer = match Ask::from_json(&request) {
            Ok(ask) => answer(service, ask, &mut write).await?,
            Err(failure) => Err(failure),
        };
        let reply = match answer {
            Ok(value) => json!({ "ok": value }),
            Err(failure) => failure.to_json(),
        };
        say(&mut write, &reply).await?;
    }
    Ok(())
}

/// Carries out one request and passes its progress on meanwhile.
async fn answer(service: &Service, ask: Ask, write: &mut OwnedWriteHalf) -> std::io::Result<Result<Value, Failure>> {
    let (progress, mut lines) = mpsc::unbounded_channel();
    let work = service.answer(ask, progress);
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            Some(line) = lines.recv() => say(write, &json!({ "progress": line })).await?,
            answer = &mut work => return Ok(answer),
        }
    }
}

async fn say(write: &mut OwnedWriteHalf, value: &Value) -> std::io::Result<()> {
    let mut text = value.to_string();
    text.push('\n');
    timeout(WRITE_WAIT, write.write_all(text.as_bytes()))
        .await
        .map_err(std::io::Error::other)?
}

/// Lines of a connection. A passphrase may be in one: what has been read is overwritten once it has been answered.
struct Lines {
    read: OwnedReadHalf,
    held: Vec<u8>,
}

impl Lines {
    /// More than any line but a day book's: those are copied as they grow, and hold no passphrase.
    const USUAL: usize = 16 * 1024;

    fn new(read: OwnedReadHalf) -> Self {
        let held = Vec::with_capacity(Self::USUAL);
        Self { read, held }
    }

    /// One line without its end; `None` at the end of the stream.
    async fn next(&mut self, max: usize) -> std::io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut sought = 0;
        let end = loop {
            match self.held[sought..].iter().position(|byte| *byte == b'\n') {
                Some(at) => break sought + at,
                None if self.held.len() >= max => return Err(std::io::Error::other("a line without end")),
                None => sought = self.held.len(),
            }
            if self.read.read_buf(&mut self.held).await? == 0 {
                return match self.held.is_empty() {
                    true => Ok(None),
                    false => Err(std::io::Error::other("a line without end")),
                };
            }
        };
        let line = self.held[..end].strip_suffix(b"\r").unwrap_or(&self.held[..end]);
        let line = Zeroizing::new(line.to_vec());
        let rest = self.held.split_off(end + 1);
        self.held.zeroize();
        if self.held.capacity() > Self::USUAL {
            self.held = Vec::with_capacity(Self::USUAL);
        }
        self.held.extend_from_slice(&rest);
        Ok(Some(line))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.held.zeroize();
    }
}

/// Compares by hash, so that the time taken tells nothing about the token.
fn same(said: &[u8], token: &[u8]) -> bool {
    Sha256::digest(said) == Sha256::digest(token)
}

/// A command's way to a running daemon.
pub(crate) mod client {
    use super::{ApiDoor, Failure, TOKEN_WAIT, Value};
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;

    /// Asks the daemon behind `door`. `None`: nobody answers there, or somebody else does.
    pub(crate) fn ask(
        door: &ApiDoor,
        request: &Value,
        progress: &mut dyn FnMut(&str),
    ) -> Option<Result<Value, Failure>> {
        let mut stream = TcpStream::connect_timeout(&door.addr, TOKEN_WAIT).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(TOKEN_WAIT)).ok()?;
        stream.write_all(format!("{}\n", door.token).as_bytes()).ok()?;
        let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
        // Somebody else may listen there by now; only our daemon greets, and only it is told what is asked.
        let greeting: Value = serde_json::from_str(&lines.next()?.ok()?).ok()?;
        if let Some(error) = greeting.get("error") {
            return Some(Err(Failure::from_json(error)));
        }
        greeting.get("ready")?;
        // Work takes as long as it takes, and may wait behind somebody else's.
        stream.set_read_timeout(None).ok()?;
        stream.write_all(format!("{request}\n").as_bytes()).ok()?;
        // A daemon that ends in the middle has perhaps done the work: the person must look, not we guess.
        let interrupted = || {
            let words = "后台程序中途停止，不知道这一步是否已完成；请先用 case list 或 status 查看，再决定是否重做。";
            Some(Err(Failure::failed(words).coded("interrupted")))
        };
        loop {
            let Some(Ok(line)) = lines.next() else {
                return interrupted();
            };
            let Ok(value) = serde_json::from_str::<Value>(&line) else {
                return interrupted();
            };
            if let Some(text) = value.get("progress").and_then(Value::as_str) {
                progress(text);
            } else if let Some(error) = value.get("error") {
                return Some(Err(Failure::from_json(error)));
            } else {
                return value.get("ok").cloned().map(Ok).or_else(interrupted);
            }
        }
    }
}
