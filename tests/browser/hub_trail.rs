//! Every act of a named person at a hub stands in the trail. The routes are read from the source: one that is added and not told here
//! turns this red.

use std::collections::BTreeSet;

use cunlian_tests::PlaceId;
use cunlian_tests::api::Api;
use cunlian_tests::place::Kind;
use serde_json::{Value, json};

use super::ROOM;
use super::driver::until;
use super::hub::{Centres, PASSWORD};
use super::hub_attack::{Visitor, between, encode, routes};

const OTHER_ROOM: &str = "511603102203";
const ZHANG: &str = "11010519491231002X";
const LI: &str = "511603199909258227";
/// Acting routes that only show what is in a file: nothing is done yet.
const ONLY_LOOKS: &[&str] = &["/members/look", "/tables/{table}/look", "/tables/{table}/again"];

/// Somebody at a hub who presses buttons, and what was pressed.
struct Presser<'a> {
    centres: &'a Centres,
    at: PlaceId,
    name: &'a str,
    visitor: Visitor,
    pressed: BTreeSet<String>,
}

impl<'a> Presser<'a> {
    fn enter(centres: &'a Centres, at: PlaceId, name: &'a str, role: &str) -> Self {
        let code = centres.name(at, name, role);
        let visitor = Visitor::come(centres.addr(at)).enrol(name, &code);
        let pressed = BTreeSet::new();
        let it = Self {
            centres,
            at,
            name,
            visitor,
            pressed,
        };
        let acts = it.acts_since(0);
        assert!(
            acts.contains(&"enrol".to_owned()) && acts.contains(&"login".to_owned()),
            "{acts:?}"
        );
        it
    }

    fn ask(&self, request: &Value) -> Value {
        let mut api = Api::connect(self.centres.county[self.at].data()).expect("an api");
        api.ask(request).expect("an answer")
    }

    fn trail(&self) -> Vec<Value> {
        let list = self.ask(&json!({"command": "audit_list", "limit": 1000}));
        list.as_array().cloned().unwrap_or_default()
    }

    fn newest(&self) -> u64 {
        self.trail().first().and_then(|row| row["seq"].as_u64()).unwrap_or(0)
    }

    /// Acts of this person after a row.
    fn acts_since(&self, seq: u64) -> Vec<String> {
        let rows = self.trail().into_iter().filter(|row| row["seq"].as_u64() > Some(seq));
        let rows = rows.filter(|row| row["user_name"] == self.name);
        rows.map(|row| row["act"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Presses, and finds that it was taken and stands in the trail under this person's name.
    fn press(&mut self, route: &str, path: &str, form: &str, act: &str) -> String {
        let before = self.newest();
        let (status, _, body) = self.visitor.post(path, form);
        assert!((200..400).contains(&status), "{path}: {status} {body}");
        assert_eq!(self.acts_since(before), [act], "{route} with {form}");
        self.pressed.insert(route.to_owned());
        body
    }

    /// On the case's own page: only on what was seen.
    fn on_case(&mut self, number: &str, step: &str, form: &str, act: &str) {
        let shown = self.case(number);
        let form = format!("seen={}&{form}", shown["entries"]);
        self.press(
            &format!("/case/{{number}}/{step}"),
            &format!("/case/{number}/{step}"),
            &form,
            act,
        );
    }

    fn case(&self, number: &str) -> Value {
        self.ask(&json!({"command": "case_show", "number": number}))
    }
}

#[test]
fn every_button_that_does_something_is_a_row_of_the_trail_under_the_name_of_whoever_pressed_it() {
    let mut centres = Centres::open();
    let more = ["second-pc", "third-pc"].map(|name| centres.county.place(name, Kind::Node));
    let other = centres.county.room(OTHER_ROOM, &[centres.town]).expect("a room");
    let mut pressed = BTreeSet::new();
    {
        let mut head = Presser::enter(&centres, centres.town, "王主任", "head");
        cases(&mut head);
        settles(&mut head, other);
        watches_and_names(&mut head);
        devices(&mut head, more);
        himself(&mut head);
        pressed.extend(head.pressed);
        let mut admin = Presser::enter(&centres, centres.hub, "周管理", "admin");
        let (status, _, looked) = admin
            .visitor
            .send("/tables/calendar/look", "date\tkind\n2027-01-01\toff\n");
        assert_eq!(status, 200, "{looked}");
        let look = format!("look={}", between(&looked, "name=\"look\" value=\"", '"'));
        admin.press("/tables/{table}/publish", "/tables/calendar/publish", &look, "publish");
        pressed.extend(admin.pressed);
    }
    waits(&mut centres, &mut pressed);
    let acting = routes()
        .into_iter()
        .filter(|route| route.how == "act")
        .map(|route| route.pattern);
    let missing: Vec<String> = acting
        .filter(|route| !pressed.contains(route) && !ONLY_LOOKS.contains(&route.as_str()))
        .collect();
    assert!(missing.is_empty(), "nobody has pressed {missing:?}");
}

fn cases(head: &mut Presser<'_>) {
    let first = head.centres.receive("A01", "张三", ZHANG);
    let second = head.centres.receive("A01", "李四", LI);
    head.on_case(&first, "edit", "field=mobile&value=13900139000", "case_edit");
    let item = head.case(&first)["items"][0]["name"]
        .as_str()
        .map(encode)
        .expect("an item");
    head.on_case(&first, "tick", &format!("items={item}"), "case_tick");
    head.on_case(&first, "do", "event=accept", "case_step");
    head.on_case(&first, "doc", "reason=torn", "doc_give");
    let shown = head.case(&first);
    let step = shown["events"]
        .as_array()
        .expect("steps")
        .iter()
        .rev()
        .find(|e| e["event"] == "accept");
    let step = step.expect("accepted").clone();
    let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
    let form = format!("target={}&on={}&reason=typo", text("id"), text("on"));
    head.on_case(&first, "correct", &form, "case_step");
    head.on_case(&first, "print", "paper=accepted", "reveal");
    head.press(
        "/case/{number}/paper/press",
        &format!("/case/{first}/paper/press"),
        "paper=accepted",
        "print",
    );
    let errand = format!("/case/{first}/errand");
    head.press("/case/{number}/errand", &errand, "task=fetch&once=e1", "errand_new");
    head.on_case(&first, "reveal", "reason=why-not", "reveal");
    head.press(
        "/inbox/many",
        "/inbox/many",
        &format!("event=accept&number={second}"),
        "case_step",
    );
}

fn settles(head: &mut Presser<'_>, other: PlaceId) {
    for at in [head.centres.room, other] {
        let args = ["case", "new", "--matter", "A01", "--name", "王五", "--cert-no", ZHANG];
        head.centres.county[at].json(&args).expect("a case");
    }
    until("they are held to be one", || {
        head.ask(&json!({"command": "work", "work": "conflicts"}))["items"][0].is_object()
    });
    let item = head.ask(&json!({"command": "work", "work": "conflicts"}))["items"][0].clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let choice = text(&item["choices"][0]["choice"]);
    let form = format!("id={}&choose={}", text(&item["id"]), encode(&choice));
    head.press("/conflicts/decide", "/conflicts/decide", &form, "decide");
    head.press("/setaside/retry", "/setaside/retry", "", "retry");

    let bad = head.centres.receive("B23", "赵六", LI);
    let mut room = Api::connect(head.centres.county[head.centres.room].data()).expect("an api");
    for request in [
        json!({"command": "case_do", "number": bad, "event": "accept"}),
        json!({"command": "case_do", "number": bad, "event": "close", "result": "6"}),
        json!({"command": "evaluate", "number": bad, "rating": 5, "press": "one"}),
    ] {
        room.ask(&request).expect("done");
    }
    until("the bad word is known", || {
        head.ask(&json!({"command": "work", "work": "follow_ups"}))["total"] == 1
    });
    head.press(
        "/follow/say",
        "/follow/say",
        &format!("number={bad}&note=called&once=a1"),
        "follow_up",
    );
    head.press(
        "/follow/malicious",
        "/follow/malicious",
        &format!("number={bad}&reason=grudge"),
        "malicious",
    );
}

fn watches_and_names(head: &mut Presser<'_>) {
    let what = format!("rule=silent&unit={ROOM}");
    head.press(
        "/alerts/mute",
        "/alerts/mute",
        &format!("{what}&hours=1&reason=moving"),
        "alert_mute",
    );
    head.press("/alerts/unmute", "/alerts/unmute", &what, "alert_unmute");
    let rules = "hours=08:30-12:00+14:00-17:30&hub=30&silent=60&pending=24&skew=5&disk=10&conflict=3&version=2&forks=1&quarantine=1";
    head.press("/alerts/rules", "/alerts/rules", rules, "alert_rules");
    head.press(
        "/users/add",
        "/users/add",
        &format!("name={}&role=clerk&unit=", encode("李芳")),
        "user_add",
    );
    let who = format!("who={}", encode("李芳"));
    head.press("/users/code", "/users/code", &who, "user_code");
    head.press("/users/stop", "/users/stop", &who, "user_stop");
    let last_month = "period=2026-09&unit=&frame=then";
    head.press("/reports/freeze", "/reports/freeze", last_month, "freeze");
    let absent = format!("unit={ROOM}&name={}&on=2026-09-01&half=am", encode("李芳"));
    head.press("/assess/absence", "/assess/absence", &absent, "absence");
    let undo = format!("{absent}&undo=1");
    head.press("/assess/absence", "/assess/absence", &undo, "absence_undo");
    // A day that is none is not taken for today.
    let wrong = absent.replace("2026-09-01", "1.9.2026");
    assert_eq!(head.visitor.post("/assess/absence", &wrong).0, 422);
    // Whoever takes figures along stands there too.
    let before = head.newest();
    assert_eq!(head.visitor.get("/reports/sheet?period=2026-09").0, 200);
    assert_eq!(head.acts_since(before), ["export"]);
}

fn devices(head: &mut Presser<'_>, [other, third]: [PlaceId; 2]) {
    let listen = head.centres.county[head.centres.town]
        .listen()
        .expect("it listens")
        .to_string();
    let invite = format!("units={ROOM}&addrs={listen}&hours=24");
    head.press("/members/invite", "/members/invite", &invite, "invite");
    let open = head.ask(&json!({"command": "members", "members": "tickets"}))["open"][0]["id"].clone();
    let id = open.as_str().expect("a ticket");
    head.press(
        "/members/cancel",
        "/members/cancel",
        &format!("id={}", encode(id)),
        "ticket_cancel",
    );
    let page = head.press(
        "/members/invite",
        "/members/invite",
        &format!("{invite}&approve=1"),
        "invite",
    );
    let ticket = ticket_on(&page);
    let waits = head.centres.county[other]
        .json(&["join", &ticket])
        .expect_err("it waits for its approval")
        .to_string();
    let (_, rest) = waits.split_once("指纹 ").expect("a fingerprint");
    let device: String = rest.chars().take(8).collect();
    let which = format!("device={device}");
    head.press("/members/approve", "/members/approve", &which, "approve");
    let before = head.newest();
    head.centres.county[other].json(&["join", &ticket]).expect("it joins");
    let admitted = head
        .trail()
        .into_iter()
        .take_while(|row| row["seq"].as_u64() > Some(before));
    assert!(
        admitted.into_iter().any(|row| row["act"] == "admit"),
        "a device that comes in by its ticket"
    );
    head.press(
        "/members/rename",
        "/members/rename",
        &format!("{which}&name=pc2&reason=x"),
        "rename",
    );
    head.press(
        "/members/hold",
        "/members/hold",
        &format!("{which}&reason=repair"),
        "hold",
    );
    head.press("/members/lift", "/members/lift", &format!("{which}&reason="), "lift");
    head.press(
        "/members/revoke",
        "/members/revoke",
        &format!("{which}&reason=lost"),
        "revoke",
    );
    head.press("/members/extend", "/members/extend", &which, "extend");
    replaces(head, third, &invite);
}

/// One press: the old key out, a ticket for the new PC.
fn replaces(head: &mut Presser<'_>, third: PlaceId, invite: &str) {
    let page = head.press("/members/invite", "/members/invite", invite, "invite");
    head.centres.county[third]
        .json(&["join", &ticket_on(&page)])
        .expect("it joins");
    let status = head.centres.json(third, &["status"]).expect("a status");
    let device = status["device"].as_str().expect("a device");
    let form = format!("device={device}&reason=lost&addrs=10.0.0.1:7701");
    let before = head.newest();
    let (status, _, body) = head.visitor.post("/members/replace", &form);
    assert_eq!(status, 200, "{body}");
    let acts: BTreeSet<String> = head.acts_since(before).into_iter().collect();
    assert_eq!(acts, BTreeSet::from(["invite".to_owned(), "revoke".to_owned()]));
    head.pressed.insert("/members/replace".to_owned());
}

/// The ticket's text out of a page.
pub(crate) fn ticket_on(page: &str) -> String {
    let (_, rest) = page.split_once("class=\"ticket-text\">").expect("a ticket");
    let text = rest.split("</p>").next().unwrap_or_default().replace("<br>", "");
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn himself(head: &mut Presser<'_>) {
    head.press("/post", "/post", &format!("of={}&reason=ill", encode("李芳")), "post");
    head.press("/post", "/post", "of=&reason=", "post_back");
    let (old, new) = (PASSWORD.replace(' ', "+"), "another+long+one+2026");
    let form = format!("old={old}&new={new}&again={new}");
    head.press("/me", "/me", &form, "password_change");
}

/// What only a centre that was cut off has: entries that wait.
fn waits(centres: &mut Centres, pressed: &mut BTreeSet<String>) {
    centres.county.cut(centres.town);
    centres.receive("A01", "钱七", LI);
    let mut room = Api::connect(centres.county[centres.room].data()).expect("an api");
    let device = room.ask(&json!({"command": "status"})).expect("a status")["device"].clone();
    let device = device.as_str().expect("a device").to_owned();
    let revoked = centres.json(centres.hub, &["member", "revoke", &device, "--reason", "电脑丢失"]);
    revoked.expect("taken out");
    centres.county.heal(centres.town);
    let mut head = Presser::enter(centres, centres.town, "孙主任", "head");
    until("it waits", || {
        head.ask(&json!({"command": "work", "work": "waiting"}))["devices"][0].is_object()
    });
    let which = format!("device={device}");
    head.press(
        "/waiting/leave",
        "/waiting/leave",
        &format!("{which}&reason=unknown"),
        "leave",
    );
    head.press(
        "/waiting/leave",
        "/waiting/leave",
        &format!("{which}&reason=known&undo=1"),
        "leave_undo",
    );
    head.press("/waiting/extend", "/waiting/extend", &which, "extend");
    pressed.extend(head.pressed);
}

#[test]
fn wrong_codes_are_locked_out_like_wrong_passwords_and_a_new_code_begins_anew() {
    let centres = Centres::open();
    let code = centres.name(centres.town, "李芳", "clerk");
    let visitor = Visitor::come(centres.addr(centres.town));
    let password = PASSWORD.replace(' ', "+");
    let enrol = |code: &str| {
        let form = format!(
            "who={}&code={code}&password={password}&again={password}",
            encode("李芳")
        );
        let (status, _, body) = visitor.post("/enrol", &form);
        (status, body)
    };
    for _ in 0..4 {
        let (_, body) = enrol("AAAA-AAAA-AAAA-AAAA");
        assert!(body.contains("姓名或登记码不对"), "{body}");
    }
    for typed in ["AAAA-AAAA-AAAA-AAAA", code.as_str()] {
        let (status, body) = enrol(typed);
        assert!(status == 200 && body.contains("以后再试"), "{typed}: {status} {body}");
    }
    let trail = centres.json(centres.town, &["audit", "list"]).expect("the trail");
    let rows = trail.as_array().expect("rows").iter();
    let failed = rows.filter(|row| row["act"] == "login_failed" && row["user_name"] == "李芳");
    assert_eq!(failed.count(), 6);
    // Whoever named her gives another one.
    let new = centres.json(centres.town, &["user", "code", "李芳"]).expect("a code");
    let (status, body) = enrol(new["code"].as_str().expect("a code"));
    assert!((300..400).contains(&status), "{status} {body}");
}
