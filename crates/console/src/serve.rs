//! The loop that accepts browsers. Loopback only; TLS comes in here when a hub's console is bound beyond it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{debug, warn};

/// Connections at a time: a browser opens six, and two or three people share one PC.
const CONNECTIONS_MAX: usize = 64;
/// A browser on this machine says what it wants at once.
const HEAD_WAIT: Duration = Duration::from_secs(10);
/// Heads of requests; our own cookies and addresses are short.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Serves until dropped.
pub async fn serve(listener: TcpListener, routes: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut served = JoinSet::new();
    loop {
        while served.try_join_next().is_some() {}
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers go out at once.
                let _ = stream.set_nodelay(true);
                let service = TowerToHyperService::new(routes.clone());
                served.spawn(async move {
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEAD_WAIT)
                        .max_buf_size(HEAD_BYTES_MAX)
                        .serve_connection(TokioIo::new(stream), service);
                    if let Err(error) = connection.await {
                        debug!(%error, "a browser's connection ended");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file handles, most likely: let some be freed.
                warn!(%error, "the page cannot accept");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
