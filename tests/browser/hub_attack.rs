//! Against the console: foreign pages, missing tokens, and every route as every role. The routes are read from the source, so that one
//! that is added is attacked too.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use super::hub::{Centres, PASSWORD};

/// What each role looks at and does, said once more: the console's own table must not say more.
const ROLES: &[(&str, &[&str], &[&str])] = &[
    (
        "clerk",
        &["Work", "Settle", "Watch", "Report", "Reveal"],
        &["Work", "Reveal"],
    ),
    (
        "head",
        &[
            "Work", "Settle", "Watch", "Members", "Report", "Users", "Audit", "Reveal",
        ],
        &["Work", "Settle", "Watch", "Members", "Report", "Users", "Reveal"],
    ),
    (
        "operator",
        &[
            "Work", "Settle", "Watch", "Members", "Publish", "Report", "Users", "Reveal",
        ],
        &["Work", "Settle", "Watch", "Members", "Reveal"],
    ),
    (
        "admin",
        &[
            "Work", "Settle", "Watch", "Members", "Publish", "Report", "Users", "Audit",
        ],
        &["Settle", "Watch", "Members", "Publish", "Report", "Users"],
    ),
    (
        "auditor",
        &[
            "Work", "Settle", "Watch", "Members", "Publish", "Report", "Users", "Audit",
        ],
        &[],
    ),
];

#[derive(Debug)]
pub(crate) struct Route {
    /// As the source has it.
    pub(crate) pattern: String,
    path: String,
    /// `Person`: to have signed in; `Nobody`: the door, on which everybody knocks.
    right: String,
    /// `look`, `seek` or `act`; `post`: a form of no area.
    pub(crate) how: String,
}

impl Route {
    fn new(pattern: String, right: &str, how: &str) -> Self {
        let path = pattern
            .replace("{number}", "51160300112628200011")
            .replace("{unit}", "511603102201")
            .replace("{table}", "catalogue")
            .replace("{id}", "00000000")
            .replace("{hash}", "00000000")
            .replace("{name}", "chart.css");
        Self {
            pattern,
            path,
            right: right.to_owned(),
            how: how.to_owned(),
        }
    }

    fn method(&self) -> &'static str {
        if self.how == "look" { "GET" } else { "POST" }
    }

    fn is_door(&self) -> bool {
        self.right == "Nobody"
    }
}

fn sources(dir: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).expect("the console's source").flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => sources(&path, found),
            false => found.push(std::fs::read_to_string(&path).expect("a file")),
        }
    }
}

/// Every route: `.look(Right::Work, "/inbox", …)`, where a path may be a constant of its file; `.everybody("/me", get(…).post(…))`; and,
/// last of all, the door: `.route("/login", …)`.
pub(crate) fn routes() -> Vec<Route> {
    let mut files = Vec::new();
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hub/src");
    sources(&house.join("console"), &mut files);
    files.push(std::fs::read_to_string(house.join("console.rs")).expect("the console"));
    let (mut routes, mut door) = (Vec::new(), Vec::new());
    for text in &files {
        let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for how in ["look", "seek", "act"] {
            for call in flat.split(&format!(".{how}(")).skip(1) {
                let mut parts = call.split(',').map(str::trim);
                let (Some(right), Some(path)) = (parts.next(), parts.next()) else {
                    continue;
                };
                let Some(right) = right.strip_prefix("Right::") else {
                    continue;
                };
                let path = match path.strip_prefix('"') {
                    Some(path) => path.trim_end_matches('"').to_owned(),
                    None => constant(&flat, path),
                };
                routes.push(Route::new(path, right, how));
            }
        }
        routes.extend(by_method(&flat, ".everybody(", "Person"));
        door.extend(by_method(&flat, ".route(", "Nobody"));
    }
    routes.extend(door);
    routes
}

/// Routes that are told with their methods, under a path that is written out.
fn by_method(flat: &str, mark: &str, right: &str) -> Vec<Route> {
    let calls = flat.split(mark).skip(1);
    let told = calls.filter_map(|call| {
        let mut open = 1;
        let end = call.find(|sign| {
            open += i32::from(sign == '(') - i32::from(sign == ')');
            open == 0
        })?;
        call[..end].strip_prefix('"')?.split_once('"')
    });
    let of = |(path, methods): (&str, &str)| {
        let hows = [("get(", "look"), ("post(", "post")].map(|(method, how)| methods.contains(method).then_some(how));
        let path = path.to_owned();
        let hows = hows.into_iter().flatten();
        hows.map(|how| Route::new(path.clone(), right, how)).collect::<Vec<_>>()
    };
    told.flat_map(of).collect()
}

fn constant(text: &str, name: &str) -> String {
    let (_, rest) = text
        .split_once(&format!("{name}: &str = \""))
        .expect("a constant of the file");
    rest.split_once('"').expect("its end").0.to_owned()
}

/// One request exactly as asked: status, head, body.
fn ask(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) -> (u16, String, String) {
    let body = body.as_ref();
    let mut stream = TcpStream::connect(addr).expect("the console");
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(30)))
        .expect("set");
    let mut lines = format!(
        "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        lines.push_str(&format!("{name}: {value}\r\n"));
    }
    let request = [lines.as_bytes(), b"\r\n", body].concat();
    stream.write_all(&request).expect("asked");
    let mut answer = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        // A stream of events has no end: its head is all that is asked of it.
        if answer.windows(4).any(|w| w == b"\r\n\r\n") && String::from_utf8_lossy(&answer).contains("text/event-stream")
        {
            break;
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(n) => answer.extend_from_slice(&piece[..n]),
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    (status, head.to_owned(), body.to_owned())
}

pub(crate) fn between(text: &str, mark: &str, end: char) -> String {
    let rest = text.split_once(mark).unwrap_or_else(|| panic!("no {mark} in {text}")).1;
    rest.split_once(end).expect("ends").0.to_owned()
}

/// Somebody who has signed in without a browser: the cookie and the token.
pub(crate) struct Visitor {
    addr: SocketAddr,
    cookie: String,
    token: String,
}

impl Visitor {
    pub(crate) fn come(addr: SocketAddr) -> Self {
        let (_, head, body) = ask(addr, "GET", "/login", &[("Host", &addr.to_string())], "");
        Self {
            addr,
            cookie: between(&head, "set-cookie: ", ';'),
            token: between(&body, "x-csrf-token&#34;: &#34;", '&'),
        }
    }

    pub(crate) fn enrol(mut self, name: &str, code: &str) -> Self {
        let password = PASSWORD.replace(' ', "+");
        let form = format!("who={}&code={code}&password={password}&again={password}", encode(name));
        let (status, head, body) = self.post("/enrol", &form);
        assert!((300..400).contains(&status), "{status} {body}");
        self.cookie = between(&head, "set-cookie: ", ';');
        let (_, _, page) = self.get("/me");
        self.token = between(&page, "x-csrf-token&#34;: &#34;", '&');
        self
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String, String) {
        let host = self.addr.to_string();
        ask(self.addr, "GET", path, &[("Host", &host), ("Cookie", &self.cookie)], "")
    }

    /// A file, as the page's script sends it.
    pub(crate) fn send(&self, path: &str, file: impl AsRef<[u8]>) -> (u16, String, String) {
        let (host, origin) = (self.addr.to_string(), format!("http://{}", self.addr));
        let headers = [
            ("Host", host.as_str()),
            ("Origin", origin.as_str()),
            ("Cookie", self.cookie.as_str()),
            ("x-csrf-token", self.token.as_str()),
            ("HX-Request", "true"),
            ("Content-Type", "application/octet-stream"),
        ];
        ask(self.addr, "POST", path, &headers, file)
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> (u16, String, String) {
        let (host, origin) = (self.addr.to_string(), format!("http://{}", self.addr));
        let headers = [
            ("Host", host.as_str()),
            ("Origin", origin.as_str()),
            ("Cookie", self.cookie.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        ask(self.addr, "POST", path, &headers, format!("csrf={}&{form}", self.token))
    }
}

/// As a form sends it.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

const NOT_ALLOWED: &str = "您的岗位不能做这一步";

#[test]
fn every_route_as_every_role_opens_what_the_role_may_and_nothing_else() {
    let centres = Centres::open();
    // What a route takes is the same at a township's hub as at the county's.
    for at in [centres.hub, centres.town] {
        attack_every_route(&centres, at);
    }
}

fn attack_every_route(centres: &Centres, at: cunlian_tests::PlaceId) {
    let addr = centres.addr(at);
    let routes = routes();
    assert!(routes.len() > 20, "only {} routes were found", routes.len());
    // The door comes last: behind it nothing is asked any more.
    let door: Vec<&str> = routes.iter().filter(|r| r.is_door()).map(|r| r.path.as_str()).collect();
    assert!(door.contains(&"/enrol") && door.last() == Some(&"/leave"), "{door:?}");
    let everybodys = |path: &str| {
        routes
            .iter()
            .any(|r| r.right == "Person" && r.how == "post" && r.path == path)
    };
    assert!(["/me", "/post", "/kept", "/kept/drop"].into_iter().all(everybodys));
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for (role, looks, acts) in ROLES {
        let name = format!("人{role}");
        let code = centres.name(at, &name, role);
        let visitor = Visitor::come(addr).enrol(&name, &code);
        for route in &routes {
            let may = match route.how.as_str() {
                _ if matches!(route.right.as_str(), "Person" | "Nobody") => true,
                "act" => acts.contains(&route.right.as_str()),
                _ => looks.contains(&route.right.as_str()),
            };
            let (status, _, body) = match route.method() {
                "GET" => visitor.get(&route.path),
                _ => visitor.post(&route.path, ""),
            };
            assert!(status < 500, "{role} {route:?}: {status} {body}");
            let refused = status == 403 && body.contains(NOT_ALLOWED);
            assert_eq!(refused, !may, "{role} {route:?}: {status} {body}");
            *told.entry(if may { "let in" } else { "refused" }).or_default() += 1;
        }
        assert_logged_out(&visitor.get("/"), "after /leave");
    }
    assert!(told["refused"] > 20 && told["let in"] > 40, "{told:?}");
}

#[test]
fn a_personal_value_is_seen_by_whoever_may_for_a_reason_that_stands_in_the_trail_and_by_nobody_else() {
    let centres = Centres::open();
    let addr = centres.addr(centres.town);
    let number = centres.receive("B23", "张三", "11010519491231002X");
    let route = format!("/case/{number}/reveal");
    let reveals = || {
        let trail = centres.json(centres.town, &["audit", "list"]).expect("the trail");
        let rows = trail.as_array().expect("rows").iter();
        let rows = rows.filter(|row| row["act"] == "reveal");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        rows.map(|row| (text(&row["user_name"]), text(&row["reason"])))
            .collect::<Vec<_>>()
    };
    let mut seen = Vec::new();
    for (role, _, acts) in ROLES {
        let name = format!("人{role}");
        let code = centres.name(centres.town, &name, role);
        let visitor = Visitor::come(addr).enrol(&name, &code);
        let (status, _, body) = visitor.post(&route, "reason=");
        assert!(status >= 400, "{role} without a reason: {status} {body}");
        let (status, _, body) = visitor.post(&route, "reason=why-not");
        let page = visitor.get(&format!("/case/{number}")).2;
        let in_the_clear = body.contains("11010519491231002X") || page.contains("11010519491231002X");
        let may = acts.contains(&"Reveal");
        assert_eq!(in_the_clear, may, "{role}: {status} {body} {page}");
        assert_eq!(status == 403, !may, "{role}: {status}");
        if may {
            seen.insert(0, (name, "why-not".to_owned()));
        }
        assert_eq!(reveals(), seen, "after {role}");
    }
}

#[test]
fn a_foreign_page_gets_nothing_and_changes_nothing_on_any_route_of_the_console() {
    let centres = Centres::open();
    let addr = centres.addr(centres.hub);
    let code = centres.name(centres.hub, "周管理", "admin");
    let visitor = Visitor::come(addr).enrol("周管理", &code);
    let (host, cookie) = (addr.to_string(), visitor.cookie.clone());
    for route in routes() {
        // By a name that was made to mean us, and from a page of somebody else, with the operator's own cookie.
        let foreign = [("Host", "evil.example"), ("Cookie", cookie.as_str())];
        let method = route.method();
        assert_eq!(ask(addr, method, &route.path, &foreign, "").0, 403, "{route:?}");
        if method == "POST" {
            let (evil, ours) = ("http://evil.example".to_owned(), format!("http://{addr}"));
            let token = format!("csrf={}", visitor.token);
            for (origin, body) in [(&evil, token.as_str()), (&ours, ""), (&ours, "csrf=00")] {
                let headers = [
                    ("Host", host.as_str()),
                    ("Origin", origin.as_str()),
                    ("Cookie", cookie.as_str()),
                ];
                assert_eq!(
                    ask(addr, "POST", &route.path, &headers, body).0,
                    403,
                    "{route:?} {origin} {body}"
                );
            }
        }
    }
}

fn assert_logged_out((status, head, body): &(u16, String, String), what: &str) {
    assert!(
        *status == 303 && head.contains("location: /login"),
        "{what}: {status} {body}"
    );
}

#[test]
fn whoever_has_not_signed_in_sees_the_door_and_does_nothing_behind_it() {
    let centres = Centres::open();
    let addr = centres.addr(centres.hub);
    let code = centres.name(centres.hub, "周管理", "admin");
    let admin = Visitor::come(addr).enrol("周管理", &code);
    let trail = || centres.json(centres.hub, &["audit", "list"]).expect("the trail");
    let before = trail();
    let stranger = Visitor::come(addr);
    for route in routes() {
        let host = addr.to_string();
        let what = format!("{route:?}");
        match (route.method(), route.is_door()) {
            ("GET", true) => assert_eq!(stranger.get(&route.path).0, 200, "{what}"),
            // What the page's script listens to says that nobody is there.
            ("GET", false) if route.path == "/live" => {
                let (_, head, body) = stranger.get(&route.path);
                assert!(head.contains("text/event-stream"), "{what}: {head}");
                assert!(body.is_empty() || body.contains("event: gone"), "{what}: {body}");
            }
            ("GET", false) => {
                assert_logged_out(&ask(addr, "GET", &route.path, &[("Host", host.as_str())], ""), &what);
                assert_logged_out(&stranger.get(&route.path), &what);
            }
            // With a token of the stranger's own: the guard has nothing against it.
            (_, false) => assert_logged_out(&stranger.post(&route.path, "reason=x"), &what),
            (_, true) => {
                let wrong = format!("who={}&password=x&code=x&again=x", encode("周管理"));
                let (status, _, body) = stranger.post(&route.path, &wrong);
                assert!(status < 500, "{what}: {status} {body}");
            }
        }
        assert_logged_out(&stranger.get("/"), &what);
    }
    // The admin still sits there, and what the trail has besides are the guesses at the door.
    assert_eq!(admin.get("/me").0, 200);
    let (before, after) = (before.as_array().expect("rows").len(), trail());
    let rows = after.as_array().expect("rows").iter();
    let new: Vec<&str> = rows.rev().skip(before).filter_map(|row| row["act"].as_str()).collect();
    assert!(new.contains(&"login_failed"), "{new:?}");
    assert!(new.iter().all(|act| *act == "login_failed"), "{new:?}");
}

#[test]
fn beyond_this_machine_the_console_speaks_tls_alone_under_the_fingerprint_it_printed() {
    let mut centres = Centres::open();
    let hub = centres.hub;
    centres.county[hub].stop().expect("it stops");
    centres.county[hub].set_env("CUNLIAN_CONSOLE", "0.0.0.0:0");
    centres.county.start(hub).expect("it starts");
    let addr = SocketAddr::from(([127, 0, 0, 1], centres.addr(hub).port()));
    let (status, _, body) = ask(addr, "GET", "/login", &[("Host", &addr.to_string())], "");
    assert_eq!(status, 400);
    assert!(body.contains("https://"), "{body}");
    let browser = super::driver::Browser::open_trusting_all();
    browser.go(&format!("https://{addr}/login"));
    browser.wait("the log-in", |b| b.text().contains("登录"));
    assert_eq!(browser.js("return location.protocol"), "https:");
    // The certificate stays over a restart: people compare its fingerprint once.
    let kept = std::fs::read(centres.county[hub].data().join("console-cert.pem")).expect("a certificate");
    centres.county[hub].stop().expect("it stops");
    centres.county.start(hub).expect("it starts");
    assert_eq!(
        std::fs::read(centres.county[hub].data().join("console-cert.pem")).expect("the same"),
        kept
    );
}
