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
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{debug, info, warn};

use crate::folder::Folder;
use crate::service::Service;

/// One that scrapes, one that probes, and a person with a terminal.
const CONNECTIONS_MAX: usize = 16;
const HEAD_WAIT: Duration = Duration::from_secs(10);
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The listener at work.
pub(crate) struct Metrics {
    task: JoinHandle<()>,
}

impl Metrics {
    /// Listens at `addr`. Somebody else at that port stops nothing else: it is said, and the daemon goes on.
    pub(crate) async fn start(addr: SocketAddr, service: Service, folder: &Folder) -> Option<Self> {
        let listener = match TcpListener::bind(addr).await {
            Ok(listener) => listener,
            Err(error) => {
                warn!(%addr, %error, "no metrics: the address cannot be bound");
                return None;
            }
        };
        if let Ok(at) = listener.local_addr() {
            info!(%at, "metrics");
            if let Err(error) = folder.write_metrics(at) {
                warn!(%error, "the address of the metrics was not noted");
            }
        }
        Some(Self {
            task: tokio::spawn(accept(listener, service)),
        })
    }

    pub(crate) fn close(self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, service: Service) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut served = JoinSet::new();
    loop {
        while served.try_join_next().is_some() {}
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let service = service.clone();
                served.spawn(async move {
                    talk(stream, service).await;
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

async fn talk(stream: TcpStream, service: Service) {
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(answer(&request, &service).await) }
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

async fn answer(request: &Request<Incoming>, service: &Service) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".to_owned());
    }
    match request.uri().path() {
        "/livez" => respond(StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/readyz" => ready(service).await,
        "/metrics" => match service.command(Command::Metrics).await {
            Ok(figures) => respond(StatusCode::OK, TEXT, text::of(&figures)),
            Err(failure) => unavailable(&failure.code),
        },
        "/api/v1/status" => match service.command(Command::Metrics).await {
            Ok(figures) => respond(StatusCode::OK, "application/json", format!("{}\n", status(&figures))),
            Err(failure) => unavailable(&failure.code),
        },
        _ => respond(StatusCode::NOT_FOUND, TEXT, "not here; try /metrics\n".to_owned()),
    }
}

/// Ready is who answers and can write. Being cut off from the hub above is no reason not to be: everything goes on.
async fn ready(service: &Service) -> Response<Full<Bytes>> {
    match service.command(Command::Metrics).await {
        Ok(figures) if figures["writable"] == true => respond(StatusCode::OK, TEXT, "ready\n".to_owned()),
        Ok(_) => unavailable("read_only"),
        Err(failure) => unavailable(&failure.code),
    }
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
