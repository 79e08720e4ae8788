//! What every request must pass, whatever its route: from this page, by this browser, within limits; and what every answer carries.
//!
//! Another site in the same browser cannot read our pages, but it can send forms and point images here; and a name that it owns can
//! be made to mean 127.0.0.1. So: Host must be ours (names that were made to mean us are refused), Origin must be ours where the
//! browser sends one and always where something is changed, and what changes something carries the session's token.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::page::{Problem, is_local};
use crate::session::{Person, Seat, Sessions};
use crate::texts;

/// A form of ours is a few kilobytes.
const BODY_BYTES_MAX: usize = 128 * 1024;
/// A file that a page sends: ten years of a room's day book. Only from somebody who has signed in, and only where a face says so.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// On one machine a form comes at once.
const BODY_WAIT: Duration = Duration::from_secs(10);
/// The office answers within milliseconds; a long import of somebody else's may stand before us.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
/// The token's name in forms; htmx sends it as this header.
pub const TOKEN_FIELD: &str = "csrf";
pub const TOKEN_HEADER: &str = "x-csrf-token";
/// Requests that the page makes by itself say so: they keep nobody's desk open.
pub const BY_ITSELF: &str = "x-by-itself";

/// What the guard needs to know of its face.
pub struct Gate {
    addr: SocketAddr,
    cookie: String,
    /// The routes that take files.
    files: &'static [&'static str],
    /// Encrypted, and asked for from other machines too.
    tls: bool,
    /// By which names; addresses are always good, because nobody can make one mean us.
    names: Vec<String>,
    pub sessions: Sessions,
}

impl Gate {
    /// Guards the face at this address.
    pub fn new(addr: SocketAddr, sessions: Sessions) -> Self {
        // Browsers share cookies between the ports of one host: two rooms on one machine (a demo) must not sign each other out.
        let cookie = format!("cunlian{}", addr.port());
        Self {
            addr,
            cookie,
            files: &[],
            tls: false,
            names: Vec::new(),
            sessions,
        }
    }

    /// The same, with routes that take files.
    pub fn taking_files(self, files: &'static [&'static str]) -> Self {
        Self { files, ..self }
    }

    /// The same, encrypted, for browsers elsewhere that ask by address or by one of these names.
    pub fn over_tls(self, names: Vec<String>) -> Self {
        let tls = true;
        Self { tls, names, ..self }
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "https://" } else { "http://" }
    }

    fn is_our_host(&self, host: &str) -> bool {
        if host == self.addr.to_string() || host == format!("localhost:{}", self.addr.port()) {
            return true;
        }
        if !self.tls {
            return false;
        }
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(443)),
        };
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
        port == Some(self.addr.port())
            && (bare.parse::<std::net::IpAddr>().is_ok() || self.names.iter().any(|n| n.eq_ignore_ascii_case(name)))
    }

    /// The header that gives a browser its session.
    pub fn set_cookie(&self, value: &str) -> (HeaderName, String) {
        let secure = if self.tls { "; Secure" } else { "" };
        let line = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}", self.cookie);
        (header::SET_COOKIE, line)
    }

    fn cookie<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|h| h.to_str().ok());
        lines.flat_map(|line| line.split(';')).find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.cookie).then_some(value)
        })
    }
}

/// Who makes a request: put there by [`guard`], taken by every handler.
#[derive(Clone, Debug)]
pub struct Visit {
    pub cookie: String,
    pub csrf: String,
    pub person: Option<Person>,
    pub locked: bool,
    /// Asked for by htmx: a piece of a page, not a page.
    pub piece: bool,
    /// Path and query of what is asked for.
    pub at: String,
    /// Path and query of the page of ours that asks.
    pub from: Option<String>,
}

/// The middleware around all routes of a face.
pub async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let mut response = match admit(&gate, request).await {
        Ok((request, fresh)) => {
            let answered = tokio::time::timeout(ANSWER_WAIT, next.run(request)).await;
            let mut response = answered.unwrap_or_else(|_| Problem::busy().into_response());
            if let Some(problem) = bare(&response) {
                response = problem.into_response();
            }
            if let Some(cookie) = fresh {
                let (name, line) = gate.set_cookie(&cookie);
                if let (false, Ok(line)) = (response.headers().contains_key(&name), HeaderValue::from_str(&line)) {
                    response.headers_mut().insert(name, line);
                }
            }
            response
        }
        Err(problem) => problem.into_response(),
    };
    dress(response.headers_mut());
    response
}

/// What to say instead of a refusal that is no page: one by the routes themselves, empty or in English (405, a form that cannot be
/// read, an address that is none).
fn bare(response: &Response) -> Option<Problem> {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let said = kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"));
    if said || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let words = match status {
        StatusCode::NOT_FOUND => texts::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED => texts::NOT_OPENED_SO,
        StatusCode::PAYLOAD_TOO_LARGE => texts::TOO_LARGE,
        status if status.is_server_error() => texts::BROKEN,
        _ => texts::UNREADABLE,
    };
    Some(Problem::new(status, words))
}

/// A request that may go on, and the cookie of a session that was begun for it.
async fn admit(gate: &Gate, request: Request) -> Result<(Request, Option<String>), Problem> {
    let (mut parts, body) = request.into_parts();
    let text = |name: HeaderName| parts.headers.get(name).and_then(|h| h.to_str().ok());
    // One Host line, as browsers send it.
    let host = text(header::HOST).filter(|_| parts.headers.get_all(header::HOST).iter().count() == 1);
    let host = host
        .filter(|host| gate.is_our_host(host))
        .ok_or_else(Problem::foreign)?
        .to_owned();
    let origin = parts.headers.get(header::ORIGIN);
    let ours = origin.is_some_and(|origin| origin.as_bytes() == format!("{}{host}", gate.scheme()).as_bytes());
    let changes = match parts.method {
        Method::GET | Method::HEAD => false,
        Method::POST => true,
        _ => return Err(Problem::foreign()),
    };
    if (changes || origin.is_some()) && !ours {
        return Err(Problem::foreign());
    }
    let now = Instant::now();
    let acts = !parts.headers.contains_key(BY_ITSELF);
    let found = gate
        .cookie(&parts.headers)
        .and_then(|cookie| Some((cookie.to_owned(), gate.sessions.find(cookie, acts, now)?)));
    let known = found.is_some();
    // Files need no session; a form without one has no token that could be right.
    let (cookie, seat) = found.unwrap_or_else(|| match changes || parts.uri.path().starts_with("/assets/") {
        true => (String::new(), nobody()),
        false => gate.sessions.begin(now),
    });
    let body = if changes {
        let works = seat.person.is_some() && !seat.locked;
        let max = match works && gate.files.contains(&parts.uri.path()) {
            true => FILE_BYTES_MAX,
            false => BODY_BYTES_MAX,
        };
        let bytes = read(body, max).await?;
        if !known || !carries_token(&parts.headers, &bytes, &seat.csrf) {
            return Err(Problem::stale_form(asking_page(gate, &parts.headers, &host)));
        }
        Body::from(bytes)
    } else {
        Body::empty()
    };
    let piece = parts.headers.contains_key("hx-request");
    let fresh = (!known && !cookie.is_empty()).then(|| cookie.clone());
    let from = asking_page(gate, &parts.headers, &host);
    let at = parts
        .uri
        .path_and_query()
        .map_or_else(String::new, |at| at.as_str().to_owned());
    parts.extensions.insert(Visit {
        cookie,
        csrf: seat.csrf,
        person: seat.person,
        locked: seat.locked,
        piece,
        at,
        from,
    });
    Ok((Request::from_parts(parts, body), fresh))
}

/// The page of ours on which a form or a piece stands, as path and query. Only a way back is made of it, never a right.
fn asking_page(gate: &Gate, headers: &HeaderMap, host: &str) -> Option<String> {
    // htmx says it itself: the address in the browser may have moved on from the one that was loaded.
    let said = [HeaderName::from_static("hx-current-url"), header::REFERER];
    let url = said.iter().find_map(|name| headers.get(name)?.to_str().ok())?;
    let rest = url.strip_prefix(gate.scheme())?.strip_prefix(host)?;
    is_local(rest).then(|| rest.to_owned())
}

fn nobody() -> Seat {
    Seat {
        csrf: String::new(),
        person: None,
        locked: false,
    }
}

async fn read(body: Body, max: usize) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_WAIT, axum::body::to_bytes(body, max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) | Err(_) => Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, texts::TOO_LARGE)),
    }
}

fn carries_token(headers: &HeaderMap, body: &[u8], token: &str) -> bool {
    let same = |said: &[u8]| !token.is_empty() && Sha256::digest(said) == Sha256::digest(token.as_bytes());
    if let Some(said) = headers.get(TOKEN_HEADER) {
        return same(said.as_bytes());
    }
    // The token is hexadecimal, so its pair stands in a form as it is.
    let mut pairs = body.split(|b| *b == b'&');
    pairs.any(|pair| {
        pair.strip_prefix(TOKEN_FIELD.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
            .is_some_and(same)
    })
}

/// What every answer carries.
fn dress(headers: &mut HeaderMap) {
    let fixed = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: with it browsers send forms with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages show people's data: neither browser nor anybody between keeps them.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Extension;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn shown(Extension(visit): Extension<Visit>) -> String {
        visit.csrf
    }

    fn face() -> (Arc<Gate>, Router) {
        let gate = Arc::new(Gate::new(
            "127.0.0.1:8801".parse().unwrap(),
            Sessions::new(Duration::from_secs(600)),
        ));
        let routes = Router::new()
            .route("/", get(shown).post(shown))
            .layer(from_fn_with_state(gate.clone(), guard));
        (gate, routes)
    }

    fn asked(method: &str, headers: &[(&str, &str)], body: &str) -> Request {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:8801");
    const ORIGIN: (&str, &str) = ("origin", "http://127.0.0.1:8801");

    #[tokio::test]
    async fn a_page_of_somebody_else_gets_nowhere() {
        let (gate, routes) = face();
        let (cookie, seat) = gate.sessions.begin(Instant::now());
        let cookie = format!("cunlian8801={cookie}");
        let token = format!("a=1&csrf={}&b=2", seat.csrf);
        let with = |more: &[(&'static str, &'static str)]| {
            let mut all: Vec<(&str, &str)> = more.to_vec();
            all.push(("cookie", cookie.as_str()));
            all.iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect::<Vec<_>>()
        };
        let evil = ("origin", "http://evil.example");
        let cases = [
            ("GET", with(&[HOST]), "", 200),
            ("GET", with(&[("host", "localhost:8801")]), "", 200),
            ("GET", with(&[]), "", 403),
            ("GET", with(&[("host", "evil.example:8801")]), "", 403),
            ("GET", with(&[("host", "127.0.0.1:8802")]), "", 403),
            ("GET", with(&[HOST, HOST]), "", 403),
            ("GET", with(&[HOST, evil]), "", 403),
            ("POST", with(&[HOST, ORIGIN]), token.as_str(), 200),
            ("POST", with(&[HOST]), token.as_str(), 403),
            ("POST", with(&[HOST, evil]), token.as_str(), 403),
            ("POST", with(&[HOST, ("origin", "null")]), token.as_str(), 403),
            (
                "POST",
                with(&[HOST, ("origin", "http://localhost:8801")]),
                token.as_str(),
                403,
            ),
            ("POST", with(&[HOST, ORIGIN]), "a=1", 403),
            ("POST", with(&[HOST, ORIGIN]), "a=1&csrf=", 403),
            ("POST", with(&[HOST, ORIGIN, (TOKEN_HEADER, "00")]), token.as_str(), 403),
            ("PUT", with(&[HOST, ORIGIN]), token.as_str(), 403),
            ("DELETE", with(&[HOST, ORIGIN]), token.as_str(), 403),
        ];
        for (method, headers, body, status) in cases {
            let lines: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let response = routes.clone().oneshot(asked(method, &lines, body)).await.unwrap();
            assert_eq!(response.status(), status, "{method} {lines:?} {body}");
            let policy = response.headers().get(header::CONTENT_SECURITY_POLICY).unwrap();
            assert!(!policy.to_str().unwrap().contains("unsafe"));
            assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
        }
        // Somebody else's token is none, and a form larger than any of ours is not read.
        let (_, other) = gate.sessions.begin(Instant::now());
        let wrong = format!("csrf={}", other.csrf);
        let lines = [HOST, ORIGIN, ("cookie", cookie.as_str())];
        let response = routes.clone().oneshot(asked("POST", &lines, &wrong)).await.unwrap();
        assert_eq!(response.status(), 403);
        let large = format!("{token}&x={}", "y".repeat(BODY_BYTES_MAX));
        let response = routes.clone().oneshot(asked("POST", &lines, &large)).await.unwrap();
        assert_eq!(response.status(), 413);
    }

    #[tokio::test]
    async fn whatever_is_refused_is_a_page_in_the_clerks_language_with_a_way_back() {
        use axum::extract::{Form, Path};
        use axum::routing::post;
        #[derive(serde::Deserialize)]
        struct Typed {
            #[allow(dead_code, reason = "only whether it can be read matters")]
            at: u32,
        }
        async fn typed(_: Form<Typed>) {}
        async fn numbered(_: Path<u32>) {}
        async fn broken() -> StatusCode {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        let gate = Arc::new(Gate::new(
            "127.0.0.1:8801".parse().unwrap(),
            Sessions::new(Duration::from_secs(600)),
        ));
        let routes = Router::new()
            .route("/typed", post(typed))
            .route("/page/{n}", get(numbered))
            .route("/broken", get(broken))
            .layer(from_fn_with_state(gate.clone(), guard));
        let (cookie, seat) = gate.sessions.begin(Instant::now());
        let (cookie, token) = (format!("cunlian8801={cookie}"), format!("csrf={}", seat.csrf));
        let typed = format!("{token}&at=x");
        let cases = [
            ("GET", "/typed", "", "", 405),
            (
                "POST",
                "/page/1",
                "application/x-www-form-urlencoded",
                token.as_str(),
                405,
            ),
            (
                "POST",
                "/typed",
                "application/x-www-form-urlencoded",
                typed.as_str(),
                422,
            ),
            (
                "POST",
                "/typed",
                "application/x-www-form-urlencoded",
                token.as_str(),
                422,
            ),
            ("POST", "/typed", "text/plain", token.as_str(), 415),
            ("GET", "/page/x", "", "", 400),
            ("GET", "/broken", "", "", 500),
            ("GET", "/nowhere", "", "", 404),
        ];
        for (method, path, kind, body, status) in cases {
            let request = Request::builder().method(method).uri(path);
            let request = request.header("host", HOST.1).header("origin", ORIGIN.1);
            let request = request.header("cookie", &cookie).header("content-type", kind);
            let response = routes
                .clone()
                .oneshot(request.body(Body::from(body.to_owned())).unwrap());
            let response = response.await.unwrap();
            assert_eq!(response.status(), status, "{method} {path}");
            let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            assert!(
                text.contains("请") && text.contains(texts::BACK_TO_START),
                "{path}: {text}"
            );
            assert!(!text.contains("Failed") && !text.contains("Invalid"), "{path}: {text}");
        }
    }

    #[test]
    fn a_hub_beyond_this_machine_is_asked_for_by_address_or_by_the_names_it_was_given() {
        let gate = Gate::new("0.0.0.0:8802".parse().unwrap(), Sessions::new(Duration::from_secs(600)));
        assert!(!gate.is_our_host("10.1.2.3:8802"), "not without encryption");
        let gate = gate.over_tls(vec!["hub.example".to_owned()]);
        for ours in [
            "10.1.2.3:8802",
            "[fd00::1]:8802",
            "localhost:8802",
            "hub.example:8802",
            "Hub.Example:8802",
        ] {
            assert!(gate.is_our_host(ours), "{ours}");
        }
        for theirs in [
            "10.1.2.3",
            "10.1.2.3:8803",
            "evil.example:8802",
            "hub.example",
            "hub.example.evil:8802",
            "",
            ":8802",
            "[fd00::1]",
        ] {
            assert!(!gate.is_our_host(theirs), "{theirs}");
        }
        assert!(gate.set_cookie("x").1.ends_with("; Secure"));
    }

    #[tokio::test]
    async fn a_first_visit_is_given_a_session_that_no_script_can_read() {
        let (_, routes) = face();
        let response = routes.clone().oneshot(asked("GET", &[HOST], "")).await.unwrap();
        let line = response.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap();
        assert!(line.starts_with("cunlian8801=") && line.contains("HttpOnly") && line.contains("SameSite=Strict"));
        // Known by it, nobody is given another.
        let cookie = line.split(';').next().unwrap().to_owned();
        let response = routes
            .oneshot(asked("GET", &[HOST, ("cookie", &cookie)], ""))
            .await
            .unwrap();
        assert!(response.headers().get(header::SET_COOKIE).is_none());
    }
}
