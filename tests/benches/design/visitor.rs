//! A browser as a bench needs it: one request, its whole answer, and how long that took.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "bench-of-462-rooms";
/// Before the token that every page of somebody who has signed in carries.
pub(crate) const TOKEN: &str = "x-csrf-token&#34;: &#34;";

/// What a signed-in browser sends along.
pub(crate) struct Visitor {
    pub(crate) addr: SocketAddr,
    pub(crate) cookie: String,
    pub(crate) token: String,
}

impl Visitor {
    /// Signs in at a centre's console with a one-time code.
    pub(crate) fn at_console(addr: SocketAddr, name: &str, code: &str) -> Result<Self> {
        let (_, page) = timed(addr, "GET", "/login", "", "")?;
        let mut visitor = Self {
            addr,
            cookie: between(&page, "set-cookie: ", ';')?.to_owned(),
            token: between(&page, TOKEN, '&')?.to_owned(),
        };
        let form = format!("who={name}&code={code}&password={PASSWORD}&again={PASSWORD}");
        let (_, answer) = visitor.post("/enrol", &form)?;
        visitor.cookie = between(&answer, "set-cookie: ", ';')?.to_owned();
        let (_, page) = visitor.get("/me")?;
        visitor.token = between(&page, TOKEN, '&')?.to_owned();
        Ok(visitor)
    }

    pub(crate) fn get(&self, path: &str) -> Result<(Duration, String)> {
        timed(self.addr, "GET", path, &format!("Cookie: {}\r\n", self.cookie), "")
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> Result<(Duration, String)> {
        let more = format!(
            "Cookie: {}\r\nOrigin: http://{}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
            self.cookie, self.addr
        );
        timed(self.addr, "POST", path, &more, &format!("csrf={}&{form}", self.token))
    }

    pub(crate) fn pages(&self, asked: usize, path: impl Fn(usize) -> String) -> Result<Vec<Duration>> {
        (0..asked).map(|at| took(self.get(&path(at))?)).collect()
    }
}

pub(crate) fn address(data: &Path) -> Result<SocketAddr> {
    let began = Instant::now();
    loop {
        let text = std::fs::read_to_string(data.join("console")).unwrap_or_default();
        if let Ok(addr) = text.trim().parse() {
            return Ok(addr);
        }
        ensure!(began.elapsed() < PATIENCE, "no page was opened");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// One request and its whole answer, as long as it took.
pub(crate) fn timed(addr: SocketAddr, method: &str, path: &str, more: &str, body: &str) -> Result<(Duration, String)> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(addr)?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok((began.elapsed(), answer))
}

pub(crate) fn between<'t>(text: &'t str, mark: &str, end: char) -> Result<&'t str> {
    let rest = text.split_once(mark).with_context(|| format!("no {mark}"))?.1;
    Ok(rest.split_once(end).context("no end")?.0)
}

/// Only a page that was shown counts.
pub(crate) fn took((took, answer): (Duration, String)) -> Result<Duration> {
    ensure!(
        answer.starts_with("HTTP/1.1 200"),
        "{}",
        answer.lines().next().unwrap_or_default()
    );
    Ok(took)
}
