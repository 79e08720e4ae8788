//! What waits for a word at a township: entries of PCs taken out, changes set aside, bad evaluations.

use ledger::id::UserId;
use replica::statement::Role;
use serde_json::{Value, json};

use super::county::{County, TOWNSHIPS, rooms_of, ticket};
use super::work::{INSURE, LAND, act, receive, refused, show, step, work};
use crate::command::{
    CaseDo, Command, Evaluate, FollowUp, FollowUpList, MemberExtend, MemberRevoke, QuarantineQueue, QuarantineRetry,
    UserAdd, WaitingLeave, WaitingList, Work,
};
use crate::rig::Seat;

fn device_of(county: &mut County, seat: Seat) -> String {
    county.world.device_of(seat).to_string()
}

fn leave(device: &str, reason: &str, undo: bool) -> Work {
    Work::WaitingLeave(WaitingLeave {
        device: device.to_owned(),
        reason: reason.to_owned(),
        undo,
        user: None,
    })
}

fn waiting(county: &mut County, at: Seat, left: bool) -> Vec<Value> {
    let list = work(county, at, Work::Waiting(WaitingList { left }));
    list["devices"].as_array().unwrap().clone()
}

fn assert_leaving_needs_a_reason_and_a_device(county: &mut County, device: &str) {
    let town = county.townships[0];
    let other = device_of(county, town);
    for (device, reason, code) in [
        (device, " ", "reason_needed"),
        ("zz", "不认", "bad_device"),
        (other.as_str(), "不认", "unknown_device"),
    ] {
        assert_eq!(refused(county, town, leave(device, reason, false)).code, code);
    }
    assert_eq!(refused(county, town, leave(device, "撤回", true)).code, "nothing_left");
}

#[test]
fn what_a_revoked_room_wrote_since_waits_is_left_with_a_reason_taken_back_and_let_in() {
    let mut county = County::new(308, 1, 2);
    let (hub, town, room) = (county.hub, county.townships[0], county.rooms[0]);
    let known = receive(&mut county, room, LAND, 1, None);
    county.world.pass(5_000);
    // The county does not hear of what comes now before it takes the room out.
    county.world.cut(county.township_lines[0]);
    let late = receive(&mut county, room, LAND, 2, None);
    let note = CaseDo {
        note: Some("补记".to_owned()),
        ..step(&known, "note")
    };
    county.world.run(room, Command::CaseDo(note));
    county.world.pass(5_000);
    let device = device_of(&mut county, room);
    let revoke = MemberRevoke {
        device: device.clone(),
        reason: "电脑丢失".to_owned(),
        root_key: None,
    };
    county.world.run(hub, Command::MemberRevoke(revoke));
    county.world.heal(county.township_lines[0]);
    county.world.pass(5_000);
    for seat in [hub, town] {
        let all = waiting(&mut county, seat, false);
        assert_eq!(all.len(), 1, "{all:#?}");
        assert_eq!(
            (&all[0]["device"], &all[0]["entries"]),
            (&json!(device), &json!(2)),
            "{all:#?}"
        );
        assert_eq!(
            (&all[0]["state"], &all[0]["reason"]),
            (&json!("revoked"), &json!("电脑丢失"))
        );
        let said = all[0]["records"].to_string();
        assert!(
            said.contains(&late) && said.contains("收件") && said.contains("备注"),
            "{said}"
        );
    }
    assert_leaving_needs_a_reason_and_a_device(&mut county, &device);
    work(&mut county, town, leave(&device, "来历不明，不予采纳", false));
    county.world.pass(5_000);
    for seat in [hub, town] {
        assert!(waiting(&mut county, seat, false).is_empty(), "it waits no more");
        let left = waiting(&mut county, seat, true);
        assert_eq!(left[0]["left"]["reason"], "来历不明，不予采纳");
        assert!(!county.numbers(seat).contains(&late), "left is not let in");
    }
    work(&mut county, hub, leave(&device, "核实过了，撤回", true));
    county.world.pass(5_000);
    assert_eq!(waiting(&mut county, town, false).len(), 1);
    let extend = MemberExtend { device, root_key: None };
    county.world.run(town, Command::MemberExtend(extend));
    county.world.pass(5_000);
    for seat in [hub, town] {
        assert!(waiting(&mut county, seat, false).is_empty());
        assert!(county.numbers(seat).contains(&late));
    }
    county.assert_in_step();
}

#[test]
fn a_room_let_in_by_a_hub_that_died_before_it_told_anybody_waits_and_comes_in_by_one_word() {
    // Seed 328: the new township took it for a stranger for ever, and nobody was told why.
    let mut county = County::new(309, 1, 1);
    let (hub, town, first) = (county.hub, county.townships[0], county.rooms[0]);
    county.world.cut(county.township_lines[0]);
    let code = rooms_of(TOWNSHIPS[0], 2).remove(1);
    let (second, second_line) = county.admit(town, &code, Role::Node);
    let number = receive(&mut county, second, LAND, 1, None);
    county.world.pass(5_000);
    let dead = device_of(&mut county, town);
    county.world.kill(town);
    let revoke = MemberRevoke {
        device: dead.clone(),
        reason: "硬盘损坏".to_owned(),
        root_key: None,
    };
    county.world.run(hub, Command::MemberRevoke(revoke));
    let (new_town, _) = county.admit(hub, TOWNSHIPS[0], Role::Hub);
    county.world.repoint(county.room_lines[0], new_town);
    county.world.repoint(second_line, new_town);
    county.world.pass(30_000);
    assert!(!county.numbers(hub).contains(&number), "it is a stranger");
    for seat in [hub, new_town] {
        let all = waiting(&mut county, seat, false);
        assert_eq!(all.len(), 1, "{all:#?}");
        assert_eq!(
            (&all[0]["device"], &all[0]["admitted"][0]["unit"]),
            (&json!(dead), &json!(code)),
            "{all:#?}"
        );
        assert_eq!(all[0]["admitted"].as_array().map(Vec::len), Some(1));
    }
    let told = county.status(second)["turned_away"].to_string();
    assert!(told.contains("停用") && told.contains("认定"), "{told}");
    let extend = MemberExtend {
        device: dead,
        root_key: None,
    };
    county.world.run(hub, Command::MemberExtend(extend));
    county.world.pass(60_000);
    for seat in [hub, new_town] {
        assert!(waiting(&mut county, seat, false).is_empty());
        assert!(county.numbers(seat).contains(&number));
    }
    assert_eq!(county.numbers(first).len(), 0);
}

#[test]
fn of_a_copied_pc_that_was_taken_out_at_one_village_and_works_at_another_it_is_said_that_it_has_moved() {
    let mut county = County::new(340, 2, 1);
    let (hub, towns, ups) = (county.hub, county.townships.clone(), county.township_lines.clone());
    let codes = [0, 1].map(|n| rooms_of(TOWNSHIPS[n], 2).remove(1));
    // The disk was copied before the PC joined, and the townships do not hear of each other.
    let first = county.world.device("image");
    let second = county.world.copy_of(first, "copy");
    county.world.cut(ups[1]);
    let mut lines = Vec::new();
    for (at, pc) in [first, second].into_iter().enumerate() {
        let invited = ticket(&mut county.world, towns[at], &codes[at]);
        county.world.join(pc, towns[at], Role::Node, &invited).unwrap();
        lines.push(county.world.line(pc, towns[at]));
        county.world.pass(5_000);
    }
    let known = receive(&mut county, first, LAND, 1, None);
    county.world.pass(5_000);
    // The township takes it out, and the county has what it writes later before it hears of that.
    county.world.cut(ups[0]);
    county.world.cut(lines[0]);
    let device = device_of(&mut county, first);
    let revoke = MemberRevoke {
        device: device.clone(),
        reason: "电脑丢失".to_owned(),
        root_key: None,
    };
    county.world.run(towns[0], Command::MemberRevoke(revoke));
    county.world.line(first, hub);
    let late = receive(&mut county, first, LAND, 2, None);
    county.world.pass(10_000);
    county.world.heal(ups[0]);
    county.world.heal(ups[1]);
    county.world.pass(30_000);
    // A township knows nothing of what another one has let in.
    for (seat, state, unit) in [(hub, "moved", &codes[1]), (towns[0], "revoked", &codes[0])] {
        let all = waiting(&mut county, seat, false);
        assert_eq!(all.len(), 1, "{all:#?}");
        let of = |name: &str| all[0][name].clone();
        assert_eq!((of("device"), of("state")), (json!(device), json!(state)), "{all:#?}");
        assert_eq!((of("unit"), of("entries")), (json!(unit), json!(1)), "{all:#?}");
        let numbers = county.numbers(seat);
        assert!(numbers.contains(&known) && !numbers.contains(&late), "{numbers:?}");
    }
}

#[test]
fn a_change_set_aside_is_listed_with_its_reason_at_every_tier_and_folded_anew_by_one_press() {
    let mut county = County::new(309, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let number = receive(&mut county, room, LAND, 1, None);
    // A room's PC that gives itself a document number, past every check.
    let now = county.world.now(room);
    county
        .world
        .office(room)
        .write_unchecked(now, &number, "doc_no", "自编1号")
        .unwrap();
    county.world.pass(5_000);
    let queue = |county: &mut County, at| work(county, at, Work::Quarantine(QuarantineQueue::default()));
    let listed = queue(&mut county, town);
    assert_eq!(listed["total"], 1, "{listed:#}");
    let item = &listed["items"][0];
    assert!(item["reason"].as_str().unwrap().contains("无权填写字段"), "{item}");
    assert_eq!(item["project_no"], json!(number));
    for seat in [room, town] {
        let told = show(&mut county, seat, &number);
        assert!(
            told["set_aside"].to_string().contains("无权填写字段"),
            "the room sees why beside its tick"
        );
    }
    let retry = |number: Option<&str>| {
        Work::QuarantineRetry(QuarantineRetry {
            number: number.map(str::to_owned),
            user: None,
        })
    };
    let tried = work(&mut county, town, retry(Some(&number)));
    assert_eq!((&tried["tried"], &tried["left"]), (&json!(1), &json!(1)), "{tried:#}");
    assert!(
        refused(&mut county, town, retry(Some("511603")))
            .message
            .contains("编号")
    );

    // Another case, as an older version of the program has left it: this version can read it.
    let readable = receive(&mut county, room, LAND, 2, None);
    county.world.pass(5_000);
    let office = county.world.office(town);
    let (of, mut row) = office.find(&readable).unwrap();
    row.summary.set_aside = 1;
    let mut batch = store::Batch::default();
    batch.put(crate::views::name::record(of), row.encode());
    let flag = crate::views::name::flag(crate::views::name::Flag::SetAside, of);
    batch.put(flag, Vec::new());
    office.store.kv().write(batch).unwrap();
    assert_eq!(queue(&mut county, town)["total"], 2);
    let tried = work(&mut county, town, retry(None));
    assert_eq!((&tried["tried"], &tried["healed"]), (&json!(2), &json!(1)), "{tried:#}");
    assert_eq!(queue(&mut county, town)["total"], 1);
}

fn hire(county: &mut County, at: Seat, name: &str, role: &str) -> UserId {
    let add = UserAdd {
        unit: "511603104".to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
    };
    let made = county.world.run(at, Command::UserAdd(add));
    UserId::parse(made["id"].as_str().unwrap()).unwrap()
}

/// A case that its room has closed.
fn closed(county: &mut County, room: Seat) -> String {
    let number = receive(county, room, INSURE, 1, None);
    act(county, room, &number, "accept");
    let close = CaseDo {
        result: Some("6".to_owned()),
        ..step(&number, "close")
    };
    county.world.run(room, Command::CaseDo(close));
    number
}

fn follow_ups(county: &mut County, at: Seat, closed: bool) -> Value {
    let args = FollowUpList {
        closed,
        ..FollowUpList::default()
    };
    work(county, at, Work::FollowUps(args))
}

fn the_days_run_out(county: &mut County) {
    let town = county.townships[0];
    // Friday the 9th, and Saturday is worked: the days run out on Thursday, and then they are counted on.
    for (days, left) in [(5, 1), (6, 0), (7, -1), (10, -2)] {
        county.world.set_skew(town, days * 86_400_000);
        let open = follow_ups(county, town, false);
        assert_eq!(
            open["cases"][0]["follow"]["workdays_left"], left,
            "after {days} days: {open:#}"
        );
    }
    county.world.set_skew(town, 0);
}

#[test]
fn a_bad_evaluation_is_followed_up_within_its_workdays_and_closed_by_a_head() {
    let mut county = County::new(310, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let number = closed(&mut county, room);
    let rate = |rating: u8, press: &str| {
        Command::Evaluate(Evaluate {
            number: number.clone(),
            rating,
            press: press.to_owned(),
        })
    };
    county.world.run(room, rate(5, "a"));
    county.world.pass(5_000);
    let list = |county: &mut County, closed| follow_ups(county, town, closed);
    let open = list(&mut county, false);
    assert_eq!(
        (&open["total"], &open["cases"][0]["rating"]),
        (&json!(1), &json!(5)),
        "{open:#}"
    );
    assert_eq!(open["cases"][0]["follow"]["workdays_left"], 5);
    the_days_run_out(&mut county);
    let made = [("王五", "clerk"), ("赵六", "head")].map(|(name, role)| hire(&mut county, town, name, role));
    let follow = |note: &str, close, at| {
        Work::FollowUp(FollowUp {
            number: number.clone(),
            note: note.to_owned(),
            close,
            user: Some(made[at]),
            cover: None,
            once: Some(format!("{note}{close}")),
        })
    };
    assert_eq!(refused(&mut county, town, follow(" ", false, 0)).code, "note_needed");
    assert_eq!(refused(&mut county, room, follow("看过", false, 0)).code, "not_a_hub");
    for _ in 0..2 {
        work(&mut county, town, follow("已上门致歉", false, 0));
    }
    let open = list(&mut county, false);
    assert_eq!(
        open["cases"][0]["follow"]["steps"].as_array().unwrap().len(),
        1,
        "pressed twice: {open:#}"
    );
    assert_eq!(
        refused(&mut county, town, follow("办妥", true, 0)).code,
        "not_entitled",
        "a clerk does not close"
    );
    work(&mut county, town, follow("办妥", true, 1));
    assert_eq!(
        (&list(&mut county, false)["total"], &list(&mut county, true)["total"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(refused(&mut county, town, follow("再写", false, 1)).code, "followed_up");
    county.world.run(room, rate(4, "b"));
    county.world.pass(5_000);
    assert_eq!(
        list(&mut county, false)["total"],
        1,
        "a bad word after the end opens it again"
    );
    county.world.run(room, rate(1, "c"));
    county.world.pass(5_000);
    assert_eq!(
        list(&mut county, false)["total"],
        0,
        "the last word counts, and it is a good one"
    );
}
