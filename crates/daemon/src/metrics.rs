//! Numbers for machines that watch, on a listener of its own: `/metrics`, `/livez`, `/readyz`, `/api/v1/status`.
//!
//! No log-in, no secret, and nothing that needs one: figures by unit code, tier, rule and reason, never a person or a record.

mod text;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use office::command::Command;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tracing::{debug, info, warn};

use crate::folder::Folder;
use crate::service::Service;

/// One that scrapes, one that probes, and a person with a terminal.
const CONNECTIONS_MAX: usize = 16;
const HEAD_WAIT: Duration = Duration::from_secs(10);
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Who answers; `None` while the folder is being opened, at the start and after a failure of the disk.
type Slot = watch::Receiver<Option<Service>>;

/// The listener at work, for as long as the process: a port that the system chose stays the same when the folder is opened again.
pub(crate) struct Metrics {
    task: JoinHandle<()>,
    at: Option<SocketAddr>,
    slot: watch::Sender<Option<Service>>,
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Metrics {
    /// Listens at `addr`. Somebody else at that port stops nothing else: it is said, and the daemon goes on.
    pub(crate) async fn start(addr: SocketAddr) -> Option<Self> {
        let listener = match TcpListener::bind(addr).await {
            Ok(listener) => listener,
            Err(error) => {
                warn!(%addr, %error, "no metrics: the address cannot be bound");
                return None;
            }
        };
        let at = listener.local_addr().unwrap_or(addr);
        let (slot, answering) = watch::channel(None);
        info!(%at, "metrics");
        Some(Self {
            task: tokio::spawn(accept(listener, answering)),
            at: Some(at),
            slot,
        })
    }

    /// The folder is open, and nobody else's: from now on figures are told, and where.
    pub(crate) fn open(&self, service: Service, folder: &Folder) {
        if let Some(Err(error)) = self.at.map(|at| folder.write_metrics(at)) {
            warn!(%error, "the address of the metrics was not noted");
        }
        self.slot.send_replace(Some(service));
    }

    /// The folder is closed.
    pub(crate) fn close(&self) {
        self.slot.send_replace(None);
    }
}

async fn accept(listener: TcpListener, slot: Slot) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut served = JoinSet::new();
    loop {
        while served.try_join_next().is_some() {}
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let slot = slot.clone();
                served.spawn(async move {
                    talk(stream, slot).await;
                    drop(place);
                });
            }
            Err(error) => {
                warn!(%error, "the metrics cannot accept");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn talk(stream: TcpStream, slot: Slot) {
    let answer = service_fn(move |request| {
        let service = slot.borrow().clone();
        async move { Ok::<_, Infallible>(answer(&request, service.as_ref()).await) }
    });
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .max_headers(64);
    if let Err(error) = server.serve_connection(TokioIo::new(stream), answer).await {
        debug!(%error, "a reader of metrics went");
    }
}

async fn answer(request: &Request<Incoming>, service: Option<&Service>) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".to_owned());
    }
    let path = request.uri().path();
    if path == "/livez" {
        return respond(StatusCode::OK, TEXT, "ok\n".to_owned());
    }
    if !["/readyz", "/metrics", "/api/v1/status"].contains(&path) {
        return respond(StatusCode::NOT_FOUND, TEXT, "not here; try /metrics\n".to_owned());
    }
    let Some(service) = service else {
        return unavailable("opening");
    };
    match service.command(Command::Metrics).await {
        Err(failure) => unavailable(&failure.code),
        Ok(figures) if path == "/readyz" => match unready(&figures) {
            None => respond(StatusCode::OK, TEXT, "ready\n".to_owned()),
            Some(why) => unavailable(why),
        },
        Ok(figures) if path == "/metrics" => respond(StatusCode::OK, TEXT, text::of(&figures)),
        Ok(figures) => respond(StatusCode::OK, "application/json", format!("{}\n", status(&figures))),
    }
}

/// Ready is who answers and can write. Being cut off from the hub above is no reason not to be: everything goes on.
fn unready(figures: &Value) -> Option<&'static str> {
    (figures["writable"] != true).then_some("read_only")
}

/// What the figures are without the list of rooms.
fn status(figures: &Value) -> Value {
    let keys = [
        "unit",
        "tier",
        "version",
        "entries",
        "journal_bytes",
        "writable",
        "disk_free_bytes",
        "disk_total_bytes",
        "peers",
        "parent_up",
        "pending",
        "oldest_pending_s",
        "skew_ms",
        "quarantined",
        "conflicts",
        "alerts",
        "states",
    ];
    let shown = keys.into_iter().map(|key| (key.to_owned(), figures[key].clone()));
    json!(shown.collect::<serde_json::Map<_, _>>())
}

fn unavailable(code: &str) -> Response<Full<Bytes>> {
    respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("not ready: {code}\n"))
}

fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_who_can_write_with_or_without_a_hub_above() {
        for parent_up in [json!(true), json!(false), Value::Null] {
            let figures = |writable: bool| json!({"writable": writable, "parent_up": parent_up});
            assert_eq!(unready(&figures(true)), None, "{parent_up}");
            assert_eq!(unready(&figures(false)), Some("read_only"), "{parent_up}");
        }
    }
}
