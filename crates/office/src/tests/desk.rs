//! What a clerk's page asks of the office: today, earlier visits, drafts, what may be done now.

use ledger::id::UserId;
use serde_json::{Value, json};

use super::county::County;
use crate::command::{
    CaseDo, CaseEdit, CaseNew, CaseShow, CaseTick, Command, Cover, DayClose, DayShow, DraftKeep, DraftKind, DraftOf,
    Passphrase, PassphraseSet, Visits,
};
use crate::rig::Seat;

const ZHANG: &str = "11010519491231002X";

fn receive(county: &mut County, at: Seat, matter: &str, cert_no: &str) -> String {
    let new = CaseNew {
        matter: matter.to_owned(),
        name: "张三".to_owned(),
        cert_no: cert_no.to_owned(),
        ..CaseNew::default()
    };
    let made = county.world.run(at, Command::CaseNew(new));
    made["project_no"].as_str().unwrap().to_owned()
}

fn act(county: &mut County, at: Seat, number: &str, event: &str, items: &[&str]) {
    let act = CaseDo {
        number: number.to_owned(),
        event: event.to_owned(),
        items: items.iter().map(|i| (*i).to_owned()).collect(),
        ..CaseDo::default()
    };
    county.world.run(at, Command::CaseDo(act));
}

fn numbers(list: &Value) -> Vec<&str> {
    let lines = list.as_array().unwrap().iter();
    lines.map(|l| l["project_no"].as_str().unwrap()).collect()
}

#[test]
fn today_names_what_somebody_has_to_see_to_and_nothing_else() {
    let mut county = County::new(51, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let quiet = receive(&mut county, room, "A01", ZHANG);
    let waits = receive(&mut county, room, "A02", ZHANG);
    act(&mut county, room, &waits, "ask", &["身份证"]);
    let answered = receive(&mut county, room, "A03", ZHANG);
    county.world.pass(5_000);
    act(&mut county, town, &answered, "accept", &[]);
    county.world.pass(5_000);
    let today = county.world.run(room, Command::Today);
    assert_eq!(numbers(&today["newest"]), [answered.as_str(), &waits, &quiet]);
    assert_eq!(numbers(&today["awaiting"]), [waits.as_str()]);
    assert_eq!(numbers(&today["came_back"]), [answered.as_str()]);
    let none = json!([]);
    assert_eq!((&today["overdue"], &today["due_today"]), (&none, &none));
    let counts = &today["counts"];
    assert_eq!(
        (&counts["received"], &counts["open"], &counts["total"]),
        (&json!(3), &json!(3), &json!(3))
    );
    // A03 promises five workdays, so after two weeks it is overdue; what waits for materials has no deadline.
    county.world.pass(14 * 24 * 3_600_000);
    let later = county.world.run(room, Command::Today);
    assert!(numbers(&later["overdue"]).contains(&answered.as_str()), "{later}");
    assert_eq!(later["counts"]["received"], 0);
    // Once the room has had the last word, nothing has come back any more.
    act(&mut county, room, &answered, "note", &[]);
    let noted = county.world.run(room, Command::Today);
    assert_eq!(noted["counts"]["came_back"], 0);
}

#[test]
fn somebody_who_comes_again_is_known_by_the_whole_number_only() {
    let mut county = County::new(52, 1, 1);
    let room = county.rooms[0];
    let first = receive(&mut county, room, "A06", ZHANG);
    let second = receive(&mut county, room, "A01", ZHANG);
    let visits = |county: &mut County, cert_no: &str| {
        let asked = Visits {
            cert_no: cert_no.to_owned(),
        };
        county.world.command(room, Command::Visits(asked))
    };
    let mut found: Vec<String> = numbers(&visits(&mut county, ZHANG).unwrap())
        .into_iter()
        .map(str::to_owned)
        .collect();
    found.sort();
    assert_eq!(found, [first, second]);
    assert_eq!(visits(&mut county, "110105194912310021").unwrap_err().code, "bad_input");
    // The list shows a masked name, as lists do.
    assert_eq!(visits(&mut county, ZHANG).unwrap()[0]["name"], "张*");
    let matters = county.world.run(room, Command::Matters);
    let used = |code: &str| {
        let all = matters["matters"].as_array().unwrap().iter();
        all.filter(|m| m["code"] == code)
            .map(|m| m["used"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!((used("A06"), used("A07")), (vec![json!(1)], vec![json!(0)]));
    assert_eq!(matters["matters"].as_array().unwrap().len(), 128);
}

#[test]
fn a_draft_outlives_the_plug_says_nothing_on_the_disk_and_is_closed_with_the_room() {
    let mut county = County::new(53, 1, 1);
    let (room, user) = (county.rooms[0], UserId([3; 8]));
    let text = "{\"name\":\"欧阳娜娜\"}".to_owned();
    let show = |county: &mut County| county.world.command(room, Command::DraftShow(DraftOf::new_case(user)));
    assert_eq!(show(&mut county).unwrap()["text"], Value::Null);
    county.world.run(
        room,
        Command::DraftKeep(DraftKeep {
            user,
            kind: DraftKind::NewCase,
            text: text.clone(),
        }),
    );
    let disk = county.world.disk(room).copy();
    let name = format!("draft-{user}");
    let lies = store::disk::read_all(&disk, &name).unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&lies).contains("欧阳"), "in plain on the disk");
    county.world.kill(room);
    county.world.start(room);
    assert_eq!(show(&mut county).unwrap()["text"], json!(text));
    // Somebody else's draft is somebody else's.
    let other = DraftOf::new_case(UserId([4; 8]));
    assert_eq!(county.world.run(room, Command::DraftShow(other))["text"], Value::Null);
    // What was typed into other forms lies beside it, and neither takes the other's place.
    county.world.run(
        room,
        Command::DraftKeep(DraftKeep {
            user,
            kind: DraftKind::Forms,
            text: "[]".to_owned(),
        }),
    );
    assert_eq!(show(&mut county).unwrap()["text"], json!(text));
    let forms = Command::DraftShow(DraftOf::forms(user));
    assert_eq!(county.world.run(room, forms)["text"], json!("[]"));
    let set = PassphraseSet {
        passphrase: Passphrase::new("correct horse battery 桌子".to_owned()),
        old: None,
        user: None,
    };
    county.world.run(room, Command::PassphraseSet(set));
    county.world.run(room, Command::Lock);
    assert_eq!(show(&mut county).unwrap_err().code, "locked");
    county.world.run(room, Command::DraftDrop(DraftOf::new_case(user)));
    assert_eq!(store::disk::read_all(county.world.disk(room), &name).unwrap(), None);
}

#[test]
fn a_case_page_offers_what_the_table_allows_and_counts_the_days_out() {
    let mut county = County::new(54, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let number = receive(&mut county, room, "A03", ZHANG);
    let shown = |county: &mut County, at: Seat| {
        let show = CaseShow {
            number: number.clone(),
            ..CaseShow::default()
        };
        county.world.run(at, Command::CaseShow(show))
    };
    let offered = |case: &Value| {
        let steps = case["allowed"].as_array().unwrap().iter();
        steps
            .map(|s| s["event"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let case = shown(&mut county, room);
    assert_eq!(
        offered(&case),
        ["ask", "withdraw", "hand_over", "note", "give_back", "correct_date"]
    );
    assert_eq!(case["days"], json!([]));
    county.world.pass(5_000);
    act(&mut county, town, &number, "accept", &[]);
    county.world.pass(5_000);
    let case = shown(&mut county, room);
    assert!(
        !offered(&case).contains(&"ask".to_owned()),
        "a room accepts nothing of the township's"
    );
    let days = case["days"].as_array().unwrap();
    let workdays: Vec<&Value> = days.iter().filter(|d| !d["nth"].is_null()).map(|d| &d["nth"]).collect();
    // Accepted on Friday, 9 October 2026; Saturday the 10th makes up for a holiday.
    assert_eq!(workdays, [1, 2, 3, 4, 5].map(|n| json!(n)).iter().collect::<Vec<_>>());
    let last = days.last().unwrap();
    assert_eq!((&last["day"], &last["due"]), (&case["due_on"], &json!(true)));
}

#[test]
fn whoever_stands_in_for_another_is_named_beside_everything_that_was_done_so() {
    let mut county = County::new(57, 1, 1);
    let (room, town) = (county.rooms[0], county.townships[0]);
    let number = receive(&mut county, room, "A01", ZHANG);
    let cover = || {
        Some(Cover {
            of: "王强".to_owned(),
            reason: "下村".to_owned(),
        })
    };
    let show = CaseShow {
        number: number.clone(),
        ..CaseShow::default()
    };
    let page = county.world.run(room, Command::CaseShow(show.clone()));
    let edit = CaseEdit {
        number: number.clone(),
        field: "mobile".to_owned(),
        value: "13900139000".to_owned(),
        reason: None,
        user: None,
        cover: cover(),
    };
    county.world.run(room, Command::CaseEdit(edit));
    let tick = CaseTick {
        number: number.clone(),
        items: vec![page["items"][0]["name"].as_str().unwrap().to_owned()],
        user: None,
        cover: cover(),
    };
    county.world.run(room, Command::CaseTick(tick));
    let close = DayClose {
        day: None,
        user: None,
        cover: cover(),
    };
    let day = county.world.run(room, Command::DayClose(close));
    assert_eq!(day["closings"][0]["cover"], "王强");
    county.world.pass(5_000);
    // Not only here: the township reads the same.
    for at in [room, town] {
        let page = county.world.run(at, Command::CaseShow(show.clone()));
        let events = page["events"].as_array().unwrap().iter();
        let said: Vec<Value> = events
            .filter(|e| e["event"] == "note")
            .map(|e| {
                json!([
                    e["data"]["note"],
                    e["data"]["cover"],
                    e["data"]["cover_reason"],
                    e["void"]
                ])
            })
            .collect();
        let expected = [
            json!(["修改“手机”", "王强", "下村", false]),
            json!(["登记收到材料", "王强", "下村", false]),
        ];
        assert_eq!(said, expected);
        let of_day = DayShow {
            day: None,
            unit: Some(county.room_codes[0].clone()),
        };
        let day = county.world.run(at, Command::DayShow(of_day));
        assert_eq!(day["closings"][0]["cover_reason"], "下村", "{day}");
    }
}

#[test]
fn a_number_that_fails_its_check_is_taken_with_a_reason_alone_and_the_reason_stays() {
    let mut county = County::new(58, 1, 1);
    let (room, town) = (county.rooms[0], county.townships[0]);
    let odd = "110105194912310021";
    let new = |cert_no: &str, why: Option<&str>| {
        Command::CaseNew(CaseNew {
            matter: "A01".to_owned(),
            name: "张三".to_owned(),
            cert_no: cert_no.to_owned(),
            cert_reason: why.map(str::to_owned),
            ..CaseNew::default()
        })
    };
    for (why, code) in [
        (None, "bad_cert_no"),
        (Some("  "), "bad_cert_no"),
        // What is kept in the clear names nobody.
        (Some("张三的证件印错"), "reason"),
        (Some("就是110105194912310021"), "reason"),
    ] {
        assert_eq!(
            county.world.command(room, new(odd, why)).unwrap_err().code,
            code,
            "{why:?}"
        );
    }
    assert!(
        county.world.command(room, new("1", Some("证件损坏"))).is_err(),
        "that is no number at all"
    );
    let made = county.world.run(room, new(odd, Some("证件印错，已看原件")));
    // A number that is right needs no reason, and keeps none.
    let right = county.world.run(room, new(ZHANG, Some("证件印错")));
    county.world.pass(5_000);
    let value = |county: &mut County, made: &Value, field: &str| {
        let show = CaseShow {
            number: made["project_no"].as_str().unwrap().to_owned(),
            ..CaseShow::default()
        };
        let page = county.world.run(town, Command::CaseShow(show));
        let fields = page["fields"].as_array().unwrap().clone();
        fields
            .into_iter()
            .find(|f| f["name"] == field)
            .map(|f| f["value"].clone())
    };
    assert_eq!(
        value(&mut county, &made, "cert_reason"),
        Some(json!("证件印错，已看原件"))
    );
    assert_eq!(value(&mut county, &made, "cert_no"), Some(json!("110105********0021")));
    assert_eq!(value(&mut county, &right, "cert_reason"), None);
    // The township's review may do the same, with a reason.
    let edit = |why: Option<&str>| {
        Command::CaseEdit(CaseEdit {
            number: right["project_no"].as_str().unwrap().to_owned(),
            field: "cert_no".to_owned(),
            value: odd.to_owned(),
            reason: why.map(str::to_owned),
            user: None,
            cover: None,
        })
    };
    assert_eq!(county.world.command(town, edit(None)).unwrap_err().code, "bad_cert_no");
    county.world.run(town, edit(Some("已核对户口簿")));
    assert_eq!(value(&mut county, &right, "cert_reason"), Some(json!("已核对户口簿")));
}
