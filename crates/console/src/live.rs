//! Pages that change by themselves: one line per change over server-sent events; the page then asks for its own pieces anew.
//!
//! A line says only that something changed, never what: what a piece shows passes the guard like every other page.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::sync::{mpsc, watch};

/// Changes come in bursts (a session brings many entries); people see no difference.
const PAUSE: Duration = Duration::from_millis(250);
/// What is shown ages without any change: "down since" and grey need a look at the clock.
const BEAT: Duration = Duration::from_secs(5);

/// A stream of lines, one now and one after each change.
pub fn stream(mut changes: watch::Receiver<u64>) -> Response {
    let (lines, body) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        let line = Bytes::from_static(b"event: change\ndata: 1\n\n");
        loop {
            // The reader has gone: its tab was closed or put behind another.
            if lines.send(line.clone()).await.is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(BEAT) => {}
                () = lines.closed() => return,
            }
        }
    });
    let body = Body::from_stream(Lines(body));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// For a page whose session has ended: it is to be opened again.
pub fn gone() -> Response {
    let line = Body::from("event: gone\ndata: 1\n\n");
    ([(header::CONTENT_TYPE, "text/event-stream")], line).into_response()
}

struct Lines(mpsc::Receiver<Bytes>);

impl futures_core::Stream for Lines {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|line| line.map(Ok))
    }
}
