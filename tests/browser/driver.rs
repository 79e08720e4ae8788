//! A browser driven over WebDriver: the dozen calls that these stories need, over one loopback socket each.
//!
//! The protocol is JSON over HTTP/1.1 (W3C WebDriver). A client crate brings some forty others for it; this needs none.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A page that has not come to this on a machine that eight share will not.
// A quiet line takes half a minute to be known as dead.
const PATIENCE: Duration = Duration::from_secs(75);
/// Keys as WebDriver names them.
pub(crate) const ENTER: char = '\u{e007}';
const CONTROL: char = '\u{e009}';
const ALT: char = '\u{e00a}';
const TAB: char = '\u{e004}';
const SPACE: char = ' ';
/// Nothing on a page of ours lies further from the next thing than this.
const TABS_MAX: usize = 80;
/// Of the window, in points.
const WIDTH: i64 = 1_024;
const HEIGHT: i64 = 768;
/// Of a page's picture.
const PICTURE_HEIGHT_MAX: i64 = 1_800;

/// One browser with a profile of its own; both end with this.
pub(crate) struct Browser {
    driver: Child,
    addr: SocketAddr,
    session: String,
    _profile: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = call(self.addr, "DELETE", &format!("/session/{}", self.session), None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    pub(crate) fn open() -> Self {
        Self::open_with(false)
    }

    /// One that takes a certificate which nobody vouches for, as somebody does who has compared its fingerprint.
    pub(crate) fn open_trusting_all() -> Self {
        Self::open_with(true)
    }

    fn open_with(trusts_all: bool) -> Self {
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a port");
        let driver = Command::new("chromedriver")
            .arg(format!("--port={}", free.port()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver: tests/run installs it");
        until("the driver listens", || TcpStream::connect(free).is_ok());
        let profile = tempfile::tempdir().expect("a folder");
        let data = format!("--user-data-dir={}", profile.path().display());
        let args = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            format!("--window-size={WIDTH},{HEIGHT}"),
            data,
        ]);
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "acceptInsecureCerts": trusts_all,
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": args},
        }}});
        let made = call(free, "POST", "/session", Some(&wanted)).expect("a browser");
        let session = made["sessionId"].as_str().expect("a session").to_owned();
        Self {
            driver,
            addr: free,
            session,
            _profile: profile,
        }
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        call(self.addr, method, &format!("/session/{}{path}", self.session), body)
    }

    pub(crate) fn go(&self, url: &str) {
        self.ask("POST", "/url", Some(&json!({"url": url}))).expect("a page");
    }

    /// What a script gives; it is no part of the page, so the page's own policy does not concern it.
    pub(crate) fn js(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.ask("POST", "/execute/sync", Some(&body)).unwrap_or(Value::Null)
    }

    /// Chooses a file in the box of this id, as a person does in the browser's own window.
    pub(crate) fn choose_file(&self, id: &str, file: &Path) {
        let found = json!({"using": "css selector", "value": format!("#{id}")});
        let found = self.ask("POST", "/element", Some(&found)).expect("the box");
        let name = found
            .as_object()
            .and_then(|o| o.values().next())
            .and_then(Value::as_str);
        let body = json!({"text": file.display().to_string()});
        let path = format!("/element/{}/value", name.expect("an element"));
        self.ask("POST", &path, Some(&body)).expect("a file");
    }

    pub(crate) fn path(&self) -> String {
        self.js("return location.pathname")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The words of the page as somebody reads them.
    pub(crate) fn text(&self) -> String {
        self.js("return document.body.innerText")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The id of what the keyboard writes to.
    pub(crate) fn focus(&self) -> String {
        self.js("return document.activeElement.id")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Types as a person does: key by key, to whatever has the focus.
    pub(crate) fn keys(&self, text: &str) {
        let press = |c: char| {
            [
                json!({"type": "keyDown", "value": c}),
                json!({"type": "keyUp", "value": c}),
            ]
        };
        self.act(text.chars().flat_map(press).collect());
    }

    /// Puts the keyboard where a selector points.
    pub(crate) fn focus_on(&self, css: &str) {
        let script = format!(
            "var it = document.querySelector({}); it.focus(); return true",
            json!(css)
        );
        assert_eq!(self.js(&script), true, "{css} at {}:\n{}", self.path(), self.text());
    }

    /// Opens what is folded away, and types into its field.
    pub(crate) fn type_into(&self, css: &str, text: &str) {
        let open = format!(
            "document.querySelector({}).closest('details').open = true; return true",
            json!(css)
        );
        self.js(&open);
        self.focus_on(css);
        self.js("var it = document.activeElement; if (it.select) it.select();");
        self.keys(text);
    }

    /// Types into a field that stands open, in place of what is there.
    pub(crate) fn type_into_plain(&self, css: &str, text: &str) {
        self.focus_on(css);
        self.js("document.activeElement.select()");
        self.keys(text);
    }

    /// Presses a button, or anything that can be pressed.
    pub(crate) fn press(&self, css: &str) {
        let script = format!(
            "var it = document.querySelector({}); it.click(); return true",
            json!(css)
        );
        assert_eq!(self.js(&script), true, "{css} at {}:\n{}", self.path(), self.text());
    }

    /// A further page beside this one; gives how both are called.
    pub(crate) fn second_page(&self, url: &str) -> [Value; 2] {
        let first = self.ask("GET", "/window", None).expect("this page");
        let made = self
            .ask("POST", "/window/new", Some(&json!({"type": "tab"})))
            .expect("a page");
        let pages = [first, made["handle"].clone()];
        self.turn_to(&pages[1]);
        self.go(url);
        pages
    }

    pub(crate) fn turn_to(&self, page: &Value) {
        self.ask("POST", "/window", Some(&json!({"handle": page})))
            .expect("that page");
    }

    /// Ctrl+Enter.
    pub(crate) fn send(&self) {
        let key = |kind: &str, c: char| json!({"type": kind, "value": c});
        self.act(vec![
            key("keyDown", CONTROL),
            key("keyDown", ENTER),
            key("keyUp", ENTER),
            key("keyUp", CONTROL),
        ]);
    }

    /// Alt and a digit: the main menu.
    pub(crate) fn menu(&self, digit: char) {
        let key = |kind: &str, c: char| json!({"type": kind, "value": c});
        self.act(vec![
            key("keyDown", ALT),
            key("keyDown", digit),
            key("keyUp", digit),
            key("keyUp", ALT),
        ]);
    }

    /// Goes with the Tab key alone to what a selector names: whoever has no mouse can reach it, and sees where the keyboard is.
    pub(crate) fn tab_to(&self, css: &str) {
        let is_there = format!("return document.activeElement.matches({})", json!(css));
        for _ in 0..TABS_MAX {
            if self.js(&is_there) == true {
                let line = self.js("return parseFloat(getComputedStyle(document.activeElement).outlineWidth)");
                assert!(
                    line.as_f64().is_some_and(|px| px >= 3.0),
                    "{css} does not show the focus: {line}"
                );
                return;
            }
            self.keys(&TAB.to_string());
        }
        panic!(
            "{css} cannot be reached by keyboard at {}:\n{}",
            self.path(),
            self.text()
        );
    }

    pub(crate) fn enter_on(&self, css: &str) {
        self.tab_to(css);
        self.keys(&ENTER.to_string());
    }

    pub(crate) fn space_on(&self, css: &str) {
        self.tab_to(css);
        self.keys(&SPACE.to_string());
    }

    fn act(&self, actions: Vec<Value>) {
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.ask("POST", "/actions", Some(&body)).expect("keys");
    }

    pub(crate) fn wait(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            if began.elapsed() > PATIENCE {
                self.picture(Path::new("/tmp/cunlian-browser-failed.png"));
                panic!(
                    "{what} did not come; at {}:\n{}\n{:?}",
                    self.path(),
                    self.text(),
                    self.complaints()
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the browser complained of, but for a server that was stopped and forms that were refused on purpose.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self
            .ask("POST", "/se/log", Some(&json!({"type": "browser"})))
            .unwrap_or_default();
        let lines = log.as_array().cloned().unwrap_or_default().into_iter();
        let lines = lines
            .filter(|l| l["level"] == "SEVERE")
            .filter_map(|l| l["message"].as_str().map(str::to_owned));
        lines
            .filter(|l| !l.contains("net::ERR_") && !l.contains("status of 422"))
            .collect()
    }

    /// A picture of the whole page for README, where `CUNLIAN_SCREENS` names a folder for them.
    pub(crate) fn screen(&self, name: &str) {
        if let Some(folder) = std::env::var_os("CUNLIAN_SCREENS") {
            let whole = self.js("return document.documentElement.scrollHeight").as_i64();
            let clip = json!({"x": 0, "y": 0, "width": WIDTH, "scale": 1,
                "height": whole.unwrap_or(HEIGHT).clamp(HEIGHT, PICTURE_HEIGHT_MAX)});
            let shot =
                json!({"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": true, "clip": clip}});
            let shot = self.ask("POST", "/goog/cdp/execute", Some(&shot)).unwrap_or_default();
            write_picture(&Path::new(&folder).join(format!("{name}.png")), &shot["data"]);
        }
    }

    /// The page as a printer gets it, on paper of this width (cm).
    pub(crate) fn pdf(&self, width_cm: f64) -> Vec<u8> {
        let body = json!({"page": {"width": width_cm, "height": 29.7}, "shrinkToFit": false,
            "margin": {"top": 0.5, "bottom": 0.5, "left": 0.2, "right": 0.2}});
        let pdf = self.ask("POST", "/print", Some(&body)).expect("a paper");
        let bytes = data_encoding::BASE64.decode(pdf.as_str().unwrap_or_default().as_bytes());
        bytes.expect("a file in base64")
    }

    pub(crate) fn picture(&self, file: &Path) {
        let shot = self.ask("GET", "/screenshot", None).unwrap_or_default();
        write_picture(file, &shot);
    }
}

/// A picture as the driver gives it.
fn write_picture(file: &Path, shot: &Value) {
    let bytes = data_encoding::BASE64.decode(shot.as_str().unwrap_or_default().as_bytes());
    let _ = std::fs::write(file, bytes.unwrap_or_default());
}

/// Looks again and again until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One call of the driver.
fn call(addr: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = [("Content-Type".to_owned(), "application/json".to_owned())];
    let (_, answer) = http(
        addr,
        method,
        path,
        &[("Host".to_owned(), addr.to_string())],
        &head,
        &body,
    )?;
    let answer: Value = serde_json::from_str(&answer).map_err(|e| e.to_string())?;
    match answer["value"]["error"].as_str() {
        Some(error) => Err(format!("{error}: {}", answer["value"]["message"])),
        None => Ok(answer["value"].clone()),
    }
}

/// Plain HTTP/1.1, exactly as asked: also what no browser would send.
pub(crate) fn http(
    addr: SocketAddr,
    method: &str,
    path: &str,
    host: &[(String, String)],
    headers: &[(String, String)],
    body: &str,
) -> Result<(u16, String), String> {
    let text = |e: std::io::Error| e.to_string();
    let mut stream = TcpStream::connect(addr).map_err(text)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(text)?;
    let mut lines = format!(
        "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in host.iter().chain(headers) {
        lines.push_str(&format!("{name}: {value}\r\n"));
    }
    stream
        .write_all(format!("{lines}\r\n{body}").as_bytes())
        .map_err(text)?;
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).map_err(text)?;
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .ok_or("no status")?;
    let mut length = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).map_err(text)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().ok();
        }
    }
    let mut answer = Vec::new();
    // A stream of events has no length and no end: its head is all that is asked of it.
    reader
        .take(length.unwrap_or(0))
        .read_to_end(&mut answer)
        .map_err(text)?;
    Ok((status, String::from_utf8_lossy(&answer).into_owned()))
}
