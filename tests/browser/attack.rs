//! Against the page: foreign names, foreign pages, missing tokens, on every route, signed in or not.

use super::Desk;
use super::driver::http;

/// Every route of the desk. One that is added and not named here is not proved.
const PAGES: [&str; 10] = [
    "/",
    "/today",
    "/bar",
    "/live",
    "/login",
    "/enrol",
    "/post",
    "/new",
    "/case/51160300112628200011",
    "/case/51160300112628200011/live",
];
const FORMS: [&str; 18] = [
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
    "/case/51160300112628200011/do",
    "/case/51160300112628200011/settle",
    "/case/51160300112628200011/reveal",
    "/no/such/page",
];

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

#[test]
fn a_foreign_page_gets_nothing_and_changes_nothing_on_any_route() {
    let desk = Desk::open();
    desk.name("李芳", "clerk");
    let (cookie, _) = visit(&desk);
    let ours = [pair("Host", &desk.addr.to_string())];
    let foreign = [pair("Host", &format!("evil.example:{}", desk.addr.port()))];
    let origin = pair("Origin", &format!("http://{}", desk.addr));
    let evil = pair("Origin", "http://evil.example");
    let kind = pair("Content-Type", "application/x-www-form-urlencoded");
    let cookie = pair("Cookie", &cookie);
    let fields = "who=1&pin=2&code=3&again=4&passphrase=5&new=6&back=/&q=7&reason=8&number=9";
    let status = |method: &str, path: &str, host: &[(String, String)], more: &[&(String, String)], body: &str| {
        let headers: Vec<(String, String)> = more.iter().map(|h| (*h).clone()).collect();
        http(desk.addr, method, path, host, &headers, body).expect("an answer")
    };
    for path in PAGES {
        assert_eq!(
            status("GET", path, &foreign, &[&cookie], "").0,
            403,
            "{path} under a foreign name"
        );
        assert_eq!(status("GET", path, &[], &[&cookie], "").0, 403, "{path} without a name");
        assert_eq!(
            status("GET", path, &ours, &[&cookie, &evil], "").0,
            403,
            "{path} from a foreign page"
        );
        // Signed in nobody: at most the way to the log-in.
        let (code, text) = status("GET", path, &ours, &[&cookie], "");
        let open = ["/login", "/enrol", "/live"].contains(&path);
        assert_eq!(code, if open { 200 } else { 303 }, "{path}");
        assert!(!text.contains("今日收件"), "{path}");
    }
    for path in FORMS {
        // Each under a session of its own: one of them ends it.
        let (cookie, token) = visit(&desk);
        let cookie = pair("Cookie", &cookie);
        let body = format!("csrf={token}&{fields}");
        let all = [&kind, &cookie, &origin];
        assert_eq!(
            status("POST", path, &foreign, &all, &body).0,
            403,
            "{path} under a foreign name"
        );
        assert_eq!(
            status("POST", path, &ours, &[&kind, &cookie, &evil], &body).0,
            403,
            "{path} from a foreign page"
        );
        assert_eq!(
            status("POST", path, &ours, &[&kind, &cookie], &body).0,
            403,
            "{path} without an origin"
        );
        assert_eq!(
            status("POST", path, &ours, &all, "who=1").0,
            403,
            "{path} without a token"
        );
        assert_eq!(
            status("POST", path, &ours, &[&kind, &origin], &body).0,
            403,
            "{path} without a session"
        );
        let (code, text) = status("POST", path, &ours, &all, &body);
        let to_login = ["/login", "/unlock", "/enrol"].contains(&path);
        assert!(
            code == 303 || code == 404 || (to_login && code == 200),
            "{path}: {code}"
        );
        assert!(!text.contains("已存本机"), "{path}");
    }
    assert!(desk.cases().is_empty());
}
