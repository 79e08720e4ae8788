//! The loop that accepts browsers, encrypted where the pages are for other machines too.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use crate::guard::FILE_BYTES_MAX;

/// Connections at a time on one machine: a browser opens six, and two or three people share one PC.
const CONNECTIONS_MAX: usize = 64;
/// At a hub: a township's or county's staff.
const CONNECTIONS_AFAR_MAX: usize = 512;
/// A browser says what it wants at once.
const HEAD_WAIT: Duration = Duration::from_secs(10);
/// Heads of requests; our own cookies and addresses are short.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// Serves until dropped; encrypted with `tls`.
pub async fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>, routes: Router) {
    // The guard bounds every body by where it goes; axum's own bound would turn files away long before.
    let routes = routes.layer(DefaultBodyLimit::max(FILE_BYTES_MAX));
    let places = match tls {
        None => CONNECTIONS_MAX,
        Some(_) => CONNECTIONS_AFAR_MAX,
    };
    let places = Arc::new(Semaphore::new(places));
    let tls = tls.map(TlsAcceptor::from);
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
                let (tls, routes) = (tls.clone(), routes.clone());
                served.spawn(async move {
                    match tls {
                        None => talk(stream, routes).await,
                        Some(tls) => talk_encrypted(stream, &tls, routes).await,
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

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, routes: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    if let Err(error) = connection.await {
        debug!(%error, "a browser's connection ended");
    }
}

async fn talk_encrypted(mut stream: TcpStream, tls: &TlsAcceptor, routes: Router) {
    let begun = async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 0 || first[0] == TLS_HANDSHAKE {
            return Ok(true);
        }
        // Somebody typed the address without https: tell them, in the clear, and nothing else.
        stream.write_all(IN_THE_CLEAR.as_bytes()).await?;
        stream.shutdown().await?;
        Ok::<bool, std::io::Error>(false)
    };
    if !matches!(tokio::time::timeout(HEAD_WAIT, begun).await, Ok(Ok(true))) {
        return;
    }
    match tokio::time::timeout(HEAD_WAIT, tls.accept(stream)).await {
        Ok(Ok(stream)) => talk(stream, routes).await,
        Ok(Err(error)) => debug!(%error, "a browser's handshake failed"),
        Err(_) => debug!("a browser's handshake took too long"),
    }
}

const IN_THE_CLEAR: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n\r\n\
    <!doctype html><meta charset=\"utf-8\"><title>村联</title><p>这里的页面是加密的，请把地址开头的 http:// 改成 https:// 再打开。</p>\r\n";
