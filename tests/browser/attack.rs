//! Against the page: foreign names, foreign pages, missing tokens, on every route, signed in or not.

use super::driver::http;
use super::{Desk, PIN};

/// Every route of the desk. One that is added and not named here is not proved.
const PAGES: &[&str] = &[
    "/",
    "/today",
    "/bar",
    "/live",
    "/login",
    "/enrol",
    "/post",
    "/new",
    "/search",
    "/day",
    "/import",
    "/doctor",
    "/case/51160300112628200011",
    "/case/51160300112628200011/live",
    "/errands",
    "/errands/list",
    "/errands/new",
    "/evaluate",
    "/case/51160300112628200011/paper",
    "/awake",
];
const FORMS: &[&str] = &[
    "/login",
    "/unlock",
    "/enrol",
    "/lock",
    "/leave",
    "/post",
    "/passphrase",
    "/new",
    "/new/search",
    "/new/matter",
    "/new/who",
    "/new/again",
    "/new/draft",
    "/new/clear",
    "/search",
    "/day/close",
    "/day/ledger",
    "/import/look",
    "/import/take",
    "/doctor/file",
    "/case/51160300112628200011/do",
    "/case/51160300112628200011/correct",
    "/case/51160300112628200011/edit",
    "/case/51160300112628200011/tick",
    "/case/51160300112628200011/errand",
    "/case/51160300112628200011/settle",
    "/case/51160300112628200011/evaluate",
    "/errands/new",
    "/case/51160300112628200011/reveal",
    "/case/51160300112628200011/print",
    "/case/51160300112628200011/paper/press",
    "/evaluate",
    "/kept",
    "/kept/drop",
    "/no/such/page",
];

/// Where the desk says which routes it has.
const ROUTES: &str = include_str!("../../node/src/desk.rs");
const IMPORT: &str = include_str!("../../node/src/desk/import.rs");

/// The routes in the desk's source: path, and the words that say by which methods.
fn routes() -> Vec<(String, String)> {
    let named = |name: &str| {
        let rest = IMPORT.split_once(&format!("{}: &str = \"", name.trim_start_matches("import::")));
        rest.and_then(|(_, rest)| rest.split_once('"')).expect("a constant").0
    };
    let route = |call: &str| {
        let (path, how) = call.split_once(',').expect("a path and a method");
        let path = match path.trim().strip_prefix('"') {
            Some(path) => path.trim_end_matches('"'),
            None => named(path.trim()),
        };
        let how = how.split(".layer(").next().unwrap_or_default();
        let how = how.split(".merge(").next().unwrap_or_default();
        (path.replace("{number}", "51160300112628200011"), how.to_owned())
    };
    ROUTES.split(".route(").skip(1).map(route).collect()
}

#[test]
fn every_route_that_the_desk_opens_is_among_those_that_are_attacked() {
    let routes = routes();
    assert!(routes.len() > 30, "only {} routes were found", routes.len());
    for (path, how) in &routes {
        let (get, post) = (how.contains("get("), how.contains("post("));
        assert!(get || post, "{path} {how}");
        assert!(!get || PAGES.contains(&path.as_str()), "no attack opens {path}");
        assert!(!post || FORMS.contains(&path.as_str()), "no attack sends to {path}");
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Takes the cookie and the token of a first visit, as a page of another site could not.
fn visit(desk: &Desk) -> (String, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(desk.addr).expect("the desk");
    let request = format!(
        "GET /login HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        desk.addr
    );
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let after = |mark: &str, end: char| {
        let rest = answer.split_once(mark).expect("there").1;
        rest.split_once(end).expect("ends").0.to_owned()
    };
    (after("set-cookie: ", ';'), after("x-csrf-token&#34;: &#34;", '&'))
}

/// What one request comes to.
fn ask(desk: &Desk, method: &str, path: &str, host: &str, more: &[&(String, String)], body: &str) -> (u16, String) {
    let host: Vec<(String, String)> = match host {
        "" => Vec::new(),
        host => vec![pair("Host", host)],
    };
    let headers: Vec<(String, String)> = more.iter().map(|h| (*h).clone()).collect();
    http(desk.addr, method, path, &host, &headers, body).expect("an answer")
}

#[test]
fn a_foreign_page_gets_nothing_and_changes_nothing_on_any_route() {
    let desk = Desk::open();
    desk.name("李芳", "clerk");
    read_from_elsewhere(&desk);
    for path in FORMS.iter().copied() {
        write_from_elsewhere(&desk, path);
    }
    assert!(desk.cases().is_empty());
}

fn read_from_elsewhere(desk: &Desk) {
    let (ours, foreign) = (desk.addr.to_string(), format!("evil.example:{}", desk.addr.port()));
    let cookie = pair("Cookie", &visit(desk).0);
    let evil = pair("Origin", "http://evil.example");
    for path in PAGES.iter().copied() {
        let code = |host: &str, more: &[&(String, String)]| ask(desk, "GET", path, host, more, "").0;
        assert_eq!(code(&foreign, &[&cookie]), 403, "{path} under a foreign name");
        assert_eq!(code("", &[&cookie]), 403, "{path} without a name");
        assert_eq!(code(&ours, &[&cookie, &evil]), 403, "{path} from a foreign page");
        // Signed in nobody: at most the way to the log-in.
        let (code, text) = ask(desk, "GET", path, &ours, &[&cookie], "");
        let open = ["/login", "/enrol", "/live"].contains(&path);
        assert_eq!(code, if open { 200 } else { 303 }, "{path}");
        assert!(!text.contains("今日收件"), "{path}");
    }
}

fn write_from_elsewhere(desk: &Desk, path: &str) {
    // Each under a session of its own: one of them ends it.
    let (cookie, token) = visit(desk);
    let cookie = pair("Cookie", &cookie);
    let (ours, foreign) = (desk.addr.to_string(), format!("evil.example:{}", desk.addr.port()));
    let origin = pair("Origin", &format!("http://{ours}"));
    let evil = pair("Origin", "http://evil.example");
    let kind = pair("Content-Type", "application/x-www-form-urlencoded");
    let fields = "who=1&pin=2&code=3&again=4&passphrase=5&new=6&back=/&q=7&reason=8&number=9";
    let body = format!("csrf={token}&{fields}");
    let code = |host: &str, more: &[&(String, String)], body: &str| ask(desk, "POST", path, host, more, body).0;
    let all = [&kind, &cookie, &origin];
    assert_eq!(code(&foreign, &all, &body), 403, "{path} under a foreign name");
    assert_eq!(
        code(&ours, &[&kind, &cookie, &evil], &body),
        403,
        "{path} from a foreign page"
    );
    assert_eq!(code(&ours, &[&kind, &cookie], &body), 403, "{path} without an origin");
    assert_eq!(code(&ours, &all, fields), 403, "{path} without a token");
    assert_eq!(code(&ours, &[&kind, &origin], &body), 403, "{path} without a session");
    let (code, text) = ask(desk, "POST", path, &ours, &all, &body);
    let to_login = ["/login", "/unlock", "/enrol"].contains(&path);
    assert!(
        code == 303 || code == 404 || (to_login && code == 200) || (path == "/evaluate" && code == 403),
        "{path}: {code}"
    );
    assert!(!text.contains("已存本机"), "{path}");
}

/// What somebody who has signed in sends with everything.
struct Signed {
    cookie: (String, String),
    token: String,
}

/// Signs in as a person with this role would, without a browser.
fn sign_in(desk: &Desk, name: &str, role: &str) -> Signed {
    let code = desk.name(name, role);
    let users = desk.county[desk.room].json(&["user", "list"]).expect("people");
    let known = users.as_array().expect("a list").iter();
    let id = known.filter(|u| u["name"] == name).map(|u| u["id"].clone()).next();
    let id = id.expect("known").as_str().expect("an id").to_owned();
    let (first, token) = visit(desk);
    let body = format!("csrf={token}&who={id}&code={code}&pin={PIN}&again={PIN}");
    let kind = pair("Content-Type", "application/x-www-form-urlencoded");
    let (ours, cookie) = (desk.addr.to_string(), pair("Cookie", &first));
    let origin = pair("Origin", &format!("http://{ours}"));
    let headers = raw(desk, "POST", "/enrol", &[&kind, &cookie, &origin], &body);
    let line = headers
        .lines()
        .find_map(|l| l.strip_prefix("set-cookie: "))
        .expect("a cookie");
    let cookie = pair("Cookie", line.split(';').next().expect("a value"));
    let page = raw(desk, "GET", "/", &[&cookie], "");
    let rest = page.split_once("x-csrf-token&#34;: &#34;").expect("a token").1;
    let token = rest.split_once('&').expect("its end").0.to_owned();
    Signed { cookie, token }
}

/// Head and body of an answer as they came.
fn raw(desk: &Desk, method: &str, path: &str, headers: &[&(String, String)], body: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(desk.addr).expect("the desk");
    let mut lines = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
        desk.addr
    );
    for (name, value) in headers {
        lines.push_str(&format!("{name}: {value}\r\n"));
    }
    lines.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(lines.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

/// Whether a person of this role may so much as send the form: the room's passphrase is its head's alone, and nobody at all writes
/// what only the applicant can say.
fn may_send(path: &str, role: &str) -> bool {
    match path {
        "/passphrase" => role == "head",
        "/evaluate" => false,
        _ => true,
    }
}

#[test]
fn every_route_as_every_role_gives_what_that_role_may_have_and_no_role_speaks_for_the_applicant() {
    let desk = Desk::open();
    let number = desk.receive("A06");
    let close = |args: &[&str]| desk.county[desk.room].json(args).expect("done");
    close(&["case", "do", &number, "accept"]);
    close(&["case", "do", &number, "close", "--result", "6"]);
    for (name, role) in [("李芳", "clerk"), ("王强", "head")] {
        let signed = sign_in(&desk, name, role);
        let ours = desk.addr.to_string();
        let kind = pair("Content-Type", "application/x-www-form-urlencoded");
        let origin = pair("Origin", &format!("http://{ours}"));
        for path in PAGES.iter().filter(|path| **path != "/live") {
            let path = path.replace("51160300112628200011", &number);
            let (code, text) = ask(&desk, "GET", &path, &ours, &[&signed.cookie], "");
            // Nobody has lent a screen, nothing was printed: both lead elsewhere.
            let expected = match path.as_str() {
                "/awake" => 204,
                path if path == "/evaluate" || path.ends_with("/paper") => 303,
                _ => 200,
            };
            assert_eq!(code, expected, "{role} {path}");
            assert!(
                !text.contains("11010519491231002X"),
                "{role} {path} shows a whole number"
            );
        }
        let leaving = ["/lock", "/leave", "/login", "/unlock", "/enrol"];
        for path in FORMS
            .iter()
            .filter(|path| !leaving.contains(path) && !path.ends_with("/evaluate"))
        {
            let path = path.replace("51160300112628200011", &number);
            let body = format!(
                "csrf={}&event=evaluate&rating=1&token=0&reason=&new=1&again=2&field=name",
                signed.token
            );
            let (code, text) = ask(&desk, "POST", &path, &ours, &[&kind, &origin, &signed.cookie], &body);
            let refused = code == 403;
            let speaks = path.ends_with("/do");
            assert_eq!(
                refused,
                speaks || !may_send(&path, role),
                "{role} {path}: {code} {text}"
            );
        }
        let token = format!("csrf={}&rating=1&token=0", signed.token);
        let (code, _) = ask(
            &desk,
            "POST",
            "/evaluate",
            &ours,
            &[&kind, &origin, &signed.cookie],
            &token,
        );
        assert_eq!(code, 403, "{role} presses a face that was never lent");
    }
    let shown = desk.county[desk.room]
        .json(&["case", "show", &number])
        .expect("the case");
    assert!(shown["evaluation"].is_null(), "{shown}");
}

#[test]
fn whom_the_township_has_let_go_is_out_at_once_on_every_route() {
    let desk = Desk::open();
    let gone = sign_in(&desk, "陈静", "clerk");
    desk.town(&["user", "stop", "陈静"]);
    let ours = desk.addr.to_string();
    super::driver::until("the room knows", || {
        ask(&desk, "GET", "/", &ours, &[&gone.cookie], "").0 == 303
    });
    let kind = pair("Content-Type", "application/x-www-form-urlencoded");
    let origin = pair("Origin", &format!("http://{ours}"));
    for path in FORMS {
        let body = format!("csrf={}", gone.token);
        let (code, _) = ask(&desk, "POST", path, &ours, &[&kind, &origin, &gone.cookie], &body);
        assert_ne!(code, 422, "{path} was let in");
    }
    assert!(desk.cases().is_empty());
}

#[test]
fn an_earlier_visit_is_taken_over_only_for_the_person_whose_number_stands_on_the_page() {
    let desk = Desk::open();
    let number = desk.receive("A06");
    let signed = sign_in(&desk, "李芳", "clerk");
    let ours = desk.addr.to_string();
    let kind = pair("Content-Type", "application/x-www-form-urlencoded");
    let origin = pair("Origin", &format!("http://{ours}"));
    let again = |cert_no: &str| {
        let body = format!("csrf={}&number={number}&cert_no={cert_no}&name=typed", signed.token);
        let headers = [&kind, &origin, &signed.cookie];
        ask(&desk, "POST", "/new/again", &ours, &headers, &body).1
    };
    for other in ["", "110101199003070038", "11010519491231002"] {
        let text = again(other);
        assert!(
            text.contains("不是同一个人") && text.contains("typed"),
            "{other}: {text}"
        );
        assert!(
            !text.contains("张三") && !text.contains("13800138000"),
            "{other}: {text}"
        );
    }
    let text = again("11010519491231002x");
    assert!(text.contains("张三") && text.contains("13800138000"), "{text}");
}
