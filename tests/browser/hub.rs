//! The operator's console in a real browser: a county hub, a township hub and a room, each a process of its own.

use std::net::SocketAddr;
use std::path::Path;

use cunlian_tests::{County, PlaceId};
use serde_json::Value;

use super::driver::{Browser, ENTER, until};
use super::{ROOM, TOWNSHIP, console};

/// As long as a sentence that one remembers.
pub(crate) const PASSWORD: &str = "xichong qiutian 2026";

/// A county whose hubs have their consoles open, with one township and one room.
pub(crate) struct Centres {
    pub(crate) county: County,
    pub(crate) hub: PlaceId,
    pub(crate) town: PlaceId,
    pub(crate) room: PlaceId,
}

impl Centres {
    pub(crate) fn open() -> Self {
        let mut county = County::new(Path::new(env!("CARGO_BIN_EXE_cunlian-demo"))).expect("a folder");
        county.open_consoles();
        let hub = county.found().expect("a county");
        let town = county.township(TOWNSHIP, hub).expect("a township");
        let room = county.room(ROOM, &[town]).expect("a room");
        Self {
            county,
            hub,
            town,
            room,
        }
    }

    pub(crate) fn addr(&self, at: PlaceId) -> SocketAddr {
        console(&self.county, at)
    }

    pub(crate) fn url(&self, at: PlaceId, path: &str) -> String {
        format!("http://{}{path}", self.addr(at))
    }

    /// Names somebody at a hub by its command line, and gives the one-time code.
    pub(crate) fn name(&self, at: PlaceId, name: &str, role: &str) -> String {
        let status = self.county[at].json(&["status"]).expect("a status");
        let unit = status["unit"].as_str().expect("a unit").to_owned();
        let args = ["user", "add", "--unit", &unit, "--name", name, "--role", role];
        let made = self.county[at].json(&args).expect("a person");
        made["code"].as_str().expect("a code").to_owned()
    }

    /// Enrols and is signed in; ends on the first page.
    pub(crate) fn enter(&self, browser: &Browser, at: PlaceId, name: &str, role: &str) {
        let code = self.name(at, name, role);
        enrol(browser, self.addr(at), name, &code);
    }

    /// A case that the room has received, and that the township holds.
    pub(crate) fn receive(&self, matter: &str, name: &str, cert_no: &str) -> String {
        let args = [
            "case",
            "new",
            "--matter",
            matter,
            "--name",
            name,
            "--cert-no",
            cert_no,
            "--mobile",
            "13800138000",
        ];
        let made = self.county[self.room].json(&args).expect("a case");
        let number = made["project_no"].as_str().expect("a number").to_owned();
        until("the township has it", || {
            self.json(self.town, &["case", "show", &number]).is_some()
        });
        number
    }

    pub(crate) fn json(&self, at: PlaceId, args: &[&str]) -> Option<Value> {
        self.county[at].json(args).ok()
    }
}

/// Sets a password with the one-time code by keyboard; ends on the first page.
pub(crate) fn enrol(browser: &Browser, at: SocketAddr, name: &str, code: &str) {
    browser.go(&format!("http://{at}/enrol"));
    browser.wait("the name's field", |b| b.focus() == "who");
    browser.keys(&format!("{name}{ENTER}{}{ENTER}", code.to_lowercase()));
    browser.keys(&format!("{PASSWORD}{ENTER}{PASSWORD}{ENTER}{ENTER}"));
    browser.wait("the first page", |b| b.path() == "/inbox" || b.path() == "/wall");
}

#[test]
fn an_operator_enrols_is_locked_out_after_five_guesses_and_sees_only_what_the_role_may() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.hub, "王主任", "admin");
    let text = browser.text();
    assert!(
        text.contains("王主任") && text.contains("人员") && text.contains("审计"),
        "{text}"
    );

    // A colleague is named on the page; the code is shown once.
    browser.go(&centres.url(centres.hub, "/users"));
    browser.press("summary");
    browser.type_into("#name", "赵审计");
    browser.js("document.getElementById('role').value = 'auditor'");
    browser.press("form[action='/users/add'] button");
    browser.wait("the code", |b| b.text().contains("登记码只显示这一次"));
    browser.go(&centres.url(centres.hub, "/users"));
    assert!(!browser.text().contains("登记码只显示这一次"));

    // The trail says who did it.
    browser.go(&centres.url(centres.hub, "/audit"));
    let text = browser.text();
    assert!(text.contains("新增人员") && text.contains("王主任"), "{text}");

    // Guessing: in the same words for a name that nobody has, and after the fifth even the right one has to wait.
    browser.press("form[action='/leave'] button");
    browser.wait("the log-in", |b| b.path() == "/login");
    let guess = |name: &str, password: &str, answer: &str| {
        browser.go(&centres.url(centres.hub, "/login"));
        browser.type_into("#who", name);
        browser.type_into("#password", password);
        browser.press("form[action='/login'] button");
        browser.wait(answer, |b| b.text().contains(answer));
    };
    guess("没有的人", "nonsense", "姓名或密码不对");
    for _ in 0..4 {
        guess("王主任", "nonsense", "姓名或密码不对");
    }
    guess("王主任", "nonsense", "以后再试");
    guess("王主任", PASSWORD, "以后再试");

    // What a room records reaches the township, whose console says that it holds something.
    centres.receive("B23", "张三", "11010519491231002X");
    // A clerk of the township sees neither people nor the trail, by no address.
    centres.enter(&browser, centres.town, "李芳", "clerk");
    assert!(!browser.text().contains("审计"), "{}", browser.text());
    for path in ["/users", "/audit"] {
        browser.go(&centres.url(centres.town, path));
        assert!(browser.text().contains("您的岗位不能做这一步"), "{path}");
    }
}
