//! Stories of cases, told with offices on disks in memory.

mod bounds;
mod carried;
mod world;

use ledger::day::Day;
use ledger::id::UserId;
use ledger::record::{self, Creation, Head, NewEvent};
use serde_json::Value as Json;
use store::{Batch, MemPlace};

use self::world::{NOW, ROOM_A, TOWN, World, ZHANG, receipt, settle, share, withdraw};
use crate::command::{CaseEdit, CaseErase, CaseList, CaseNew, CaseShow, ConflictResolve, Reveal};
use crate::office::Office;
use crate::texts;
use crate::views::name;

/// Another person with a valid number.
const LI: &str = "511603199909258227";

fn list(office: &mut Office) -> Vec<Json> {
    let answer = office.case_list(NOW, CaseList::default()).unwrap();
    answer.as_array().unwrap().clone()
}

fn show(office: &mut Office, number: &str) -> Json {
    let args = CaseShow {
        number: number.to_owned(),
        ..CaseShow::default()
    };
    office.case_show(NOW, args).unwrap()
}

fn conflicts(office: &mut Office) -> Vec<Json> {
    office.conflict_list(NOW).unwrap().as_array().unwrap().clone()
}

fn resolve(office: &mut Office, id: &Json, choose: &str) -> Json {
    let args = ConflictResolve {
        id: id.as_str().unwrap().to_owned(),
        choose: choose.to_owned(),
        ..ConflictResolve::default()
    };
    office.conflict_resolve(NOW, args).unwrap()
}

#[track_caller]
fn assert_clean(office: &mut Office) {
    let found = office.verify(NOW, &mut |_| {}).unwrap();
    assert_eq!(found["clean"], true, "{found}");
}

#[test]
fn a_case_is_recorded_numbered_received_and_found_again() {
    let mut world = World::new();
    let first = world.a.new_case("B23", ZHANG);
    let second = world.a.new_case("C05", LI);
    assert_ne!(first, second);
    assert_eq!(&first[..6], "511603");
    assert_eq!(&first[15..19], "0001");
    assert_eq!(&second[15..19], "0002");
    let lines = list(&mut world.a.office);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["project_no"], second.as_str(), "newest first");
    assert_eq!(lines[0]["state"], "received");
    assert_eq!(lines[0]["receipt"], "room");
    assert_eq!(lines[0]["unit"], ROOM_A);
    assert_eq!(lines[0]["name"], "张*");
    let shown = show(&mut world.a.office, &first);
    let fields = shown["fields"].as_array().unwrap();
    assert_eq!(fields[0]["value"], "张*", "masked unless somebody says why not");
    let asked = CaseShow {
        number: first.clone(),
        reveal: Some(Reveal {
            reason: "电话通知".to_owned(),
            ..Reveal::default()
        }),
    };
    let shown = world.a.office.case_show(NOW, asked).unwrap();
    let fields = shown["fields"].as_array().unwrap();
    assert_eq!(fields[0]["value"], "张三");
    assert_eq!(fields[1]["value"], ZHANG);
    assert_eq!(shown["events"][0]["event"], "receive");
}

#[test]
fn wrong_input_says_what_to_do_and_keeps_nothing() {
    let mut world = World::new();
    let mut try_new = |matter: &str, name: &str, cert_no: &str, on: Option<&str>| {
        let args = CaseNew {
            matter: matter.to_owned(),
            name: name.to_owned(),
            cert_no: cert_no.to_owned(),
            on: on.and_then(ledger::day::Day::parse),
            ..CaseNew::default()
        };
        world.a.office.case_new(NOW, args)
    };
    assert_eq!(try_new("Z99", "张三", ZHANG, None).unwrap_err().code, "unknown_matter");
    assert_eq!(try_new("B23", "张", ZHANG, None).unwrap_err().code, "bad_input");
    assert_eq!(
        try_new("B23", "张三", "110105194912310021", None).unwrap_err().code,
        "bad_cert_no"
    );
    assert_eq!(try_new("B23", "张三", ZHANG, Some("2026-11-21")).unwrap_err().exit, 2);
    let late = try_new("B23", "张三", ZHANG, Some("2026-11-02")).unwrap();
    assert_eq!(late["late"], true);
    assert_eq!(list(&mut world.a.office).len(), 1);
    let number = late["project_no"].as_str().unwrap();
    assert_eq!(world.a.act(number, "fly").unwrap_err().exit, 2);
    assert_eq!(world.a.act("123", "note").unwrap_err().code, "wrong_number");
    assert_eq!(world.a.act(number, "refuse").unwrap_err().code, "refused");
}

#[test]
fn a_day_book_goes_in_once_however_often_it_is_imported() {
    let mut world = World::new();
    let first = world.a.import();
    let imported = first["imported"].as_u64().unwrap();
    assert!(imported > 90, "{first}");
    let rejected = first["rejected"].as_array().unwrap();
    assert!(
        rejected
            .iter()
            .all(|r| r["line"].as_u64().unwrap() > 1 && r["reason"].is_string())
    );
    assert_eq!(
        imported + first["unchanged"].as_u64().unwrap() + rejected.len() as u64,
        600 + 1 - 1
    );
    let rows = world.a.rows();
    let lines = list(&mut world.a.office);
    assert_eq!(lines.len() as u64, imported);
    let closed = lines.iter().filter(|l| l["state"] == "closed").count();
    assert!(closed > 30, "{closed}");
    let again = world.a.import();
    assert_eq!(again["imported"], 0);
    assert_eq!(
        again["unchanged"].as_u64().unwrap(),
        imported + first["unchanged"].as_u64().unwrap()
    );
    assert_eq!(world.a.rows(), rows);
    assert_clean(&mut world.a.office);
}

#[test]
fn a_restart_a_power_cut_and_a_lost_index_give_the_same_rows() {
    let mut world = World::new();
    world.a.import();
    let number = world.a.new_case("B23", ZHANG);
    world.a.act(&number, "note").unwrap();
    let rows = world.a.rows();
    let mut again = world.a.restart(31);
    assert_eq!(again.rows(), rows);
    again.place.cut_power();
    let mut again = again.restart(32);
    assert_eq!(again.rows(), rows);
    again.place = MemPlace::default();
    let mut again = again.restart(33);
    assert_eq!(again.rows(), rows);
    again.office.reindex(NOW, &mut |_| {}).unwrap();
    assert_eq!(again.rows(), rows);
    assert_clean(&mut again.office);
}

#[test]
fn a_case_recorded_after_the_index_was_last_synced_stands_in_the_list_after_a_power_cut() {
    let mut world = World::new();
    world.a.new_case("B23", ZHANG);
    world.a.rows();
    world.a.office.views.trust(&mut world.a.office.store).unwrap();
    world.a.new_case("C05", LI);
    let rows = world.a.rows();
    world.a.place.cut_power();
    let mut again = world.a.restart(39);
    assert_eq!(list(&mut again.office).len(), 2);
    assert_eq!(again.rows(), rows);
}

#[test]
fn rows_of_an_older_program_are_made_anew_when_the_folder_is_opened() {
    let mut world = World::new();
    world.a.new_case("B23", ZHANG);
    let rows = world.a.rows();
    world.a.office.views.trust(&mut world.a.office.store).unwrap();
    let kv = world.a.office.store.kv();
    let mut batch = Batch::default();
    batch.put(name::FORMAT, vec![1]);
    for (key, _) in kv.prefix(name::RECORD).unwrap() {
        batch.put(key, b"what an older program wrote".to_vec());
    }
    kv.write(batch).unwrap();
    let mut again = world.a.restart(34);
    assert_eq!(again.rows(), rows);
    assert_clean(&mut again.office);
}

#[test]
fn a_row_that_is_not_as_the_journal_says_is_found_and_mended() {
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    world.a.rows();
    let kv = world.a.office.store.kv();
    let (key, _) = kv.prefix(name::NUMBER).unwrap().swap_remove(0);
    let mut batch = Batch::default();
    batch.delete(key);
    batch.put(name::under(b'x', b"stray"), Vec::new());
    kv.write(batch).unwrap();
    let found = world.a.office.verify(NOW, &mut |_| {}).unwrap();
    assert_eq!(found["clean"], false);
    assert!(found["message"].as_str().unwrap().contains("reindex"), "{found}");
    world.a.office.reindex(NOW, &mut |_| {}).unwrap();
    assert_clean(&mut world.a.office);
    show(&mut world.a.office, &number);
}

#[test]
fn an_erased_person_is_in_no_file_and_the_skeleton_stays() {
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    world.a.rows();
    world.settle();
    let wrapped = {
        let (of, _) = world.town.office.find(&number).unwrap();
        world.town.office.store.key(of.scope, &of.record).unwrap()
    };
    let args = CaseErase {
        number: number.clone(),
        reason: "本人申请".to_owned(),
    };
    let answer = world.town.office.case_erase(NOW, args).unwrap();
    settle(&mut world.town.office);
    assert_eq!(answer["project_no"], number.as_str());
    world.settle();
    for desk in [&mut world.a, &mut world.town, &mut world.county] {
        desk.office.catch_up(NOW).unwrap();
        settle(&mut desk.office);
        let shown = show(&mut desk.office, &number);
        assert_eq!(shown["erased"], true);
        assert_eq!(shown["name"], Json::Null);
        assert_eq!(shown["state"], "received");
        assert!(shown["fields"].as_array().unwrap().iter().all(|f| f["value"].is_null()));
        let (of, _) = desk.office.find(&number).unwrap();
        assert_eq!(desk.office.store.key(of.scope, &of.record), None);
        for needle in [ZHANG.as_bytes(), "张三".as_bytes(), "13800138000".as_bytes(), &wrapped] {
            assert!(!desk.holds(needle));
            let rows = desk.office.store.kv().prefix(name::ALL).unwrap();
            assert!(rows.iter().all(|(k, v)| !holds(k, needle) && !holds(v, needle)));
        }
        assert_clean(&mut desk.office);
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

#[test]
fn one_person_with_one_matter_in_two_rooms_is_linked_at_the_township() {
    let mut world = World::new();
    let in_a = world.a.new_case("B23", ZHANG);
    let in_b = world.b.new_case("B23", ZHANG);
    world.b.new_case("C05", ZHANG);
    world.a.rows();
    world.b.rows();
    assert!(conflicts(&mut world.a.office).is_empty());
    world.settle();
    let items = conflicts(&mut world.town.office);
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["kind"], "duplicate");
    assert_eq!(items[0]["state"], "open");
    assert_eq!(items[0]["leads"], in_a.as_str().min(in_b.as_str()));
    assert_eq!(conflicts(&mut world.county.office)[0]["id"], items[0]["id"]);
    assert_eq!(world.town.office.open_conflict_count().unwrap(), 1);
    assert_eq!(
        resolve(&mut world.town.office, &items[0]["id"], "separate")["state"],
        "resolved"
    );
    world.settle();
    assert_eq!(conflicts(&mut world.county.office)[0]["state"], "resolved");
    assert_eq!(
        resolve(&mut world.county.office, &items[0]["id"], "undo")["state"],
        "open"
    );
    world.settle();
    assert_eq!(conflicts(&mut world.town.office)[0]["state"], "open");
    assert_eq!(
        resolve(&mut world.town.office, &items[0]["id"], &in_a)["state"],
        "resolved"
    );
    assert_clean(&mut world.town.office);
}

#[test]
fn two_copies_of_one_folder_lose_no_case_and_equal_numbers_are_told_apart() {
    let mut world = World::new();
    world.a.office.top_up_spares().unwrap();
    settle(&mut world.a.office);
    world.a.new_case("A01", ZHANG);
    let mut copy = world.a.cloned(77);
    let mine = world.a.new_case("B23", ZHANG);
    let theirs = copy.new_case("C05", LI);
    assert_eq!(mine, theirs, "the copy numbers as the original does");
    world.a.rows();
    copy.rows();
    share(&world.a, &mut world.town);
    share(&copy, &mut world.town);
    let town = &mut world.town.office;
    assert_eq!(list(town).len(), 3);
    let error = town.find(&mine).unwrap_err();
    assert_eq!((error.code, error.exit), ("ambiguous_number", 1));
    assert!(error.message.contains(&format!("{mine}-1")) && error.message.contains(&format!("{mine}-2")));
    let shown: Vec<String> = list(town)
        .iter()
        .map(|l| l["project_no"].as_str().unwrap().to_owned())
        .collect();
    assert!(shown.contains(&format!("{mine}-2")), "{shown:?}");
    assert_ne!(
        show(town, &format!("{mine}-1"))["record_id"],
        show(town, &format!("{mine}-2"))["record_id"]
    );
    let kinds: Vec<String> = conflicts(town)
        .iter()
        .map(|c| c["kind"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        kinds.contains(&"same_number".to_owned()) && kinds.contains(&"fork".to_owned()),
        "{kinds:?}"
    );
    let same = conflicts(town)
        .into_iter()
        .find(|c| c["kind"] == "same_number")
        .unwrap();
    assert_eq!(
        same["records"].as_array().unwrap().len(),
        2,
        "both cases stand there: {same:#}"
    );
    assert_eq!(resolve(town, &same["id"], "separate")["state"], "resolved");
    assert_eq!(resolve(town, &same["id"], "undo")["state"], "open");
    assert_clean(town);
}

#[test]
fn two_different_closings_become_one_item_that_the_township_decides_and_may_take_back() {
    let mut world = World::new();
    let number = world.a.new_case("B38", ZHANG);
    world.a.act(&number, "accept").unwrap();
    world.a.rows();
    world.settle();
    world
        .a
        .act_with(&number, "close", |a| a.result = Some("6".to_owned()))
        .unwrap();
    world
        .town
        .act_with(&number, "close", |a| a.result = Some("1".to_owned()))
        .unwrap();
    world.settle();
    let items = conflicts(&mut world.town.office);
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["kind"], "double_closing");
    let choice = items[0]["choices"][0]["choice"].as_str().unwrap().to_owned();
    assert_eq!(
        resolve(&mut world.town.office, &items[0]["id"], &choice)["state"],
        "resolved"
    );
    assert_eq!(show(&mut world.town.office, &number)["state"], "closed");
    assert_eq!(
        resolve(&mut world.town.office, &items[0]["id"], "undo")["state"],
        "open"
    );
    world.settle();
    assert!(world.a.rows().len() > 4);
    assert_eq!(show(&mut world.county.office, &number)["state"], "double_closed");
    assert_eq!(
        show(&mut world.a.office, &number)["events"],
        show(&mut world.county.office, &number)["events"]
    );
}

#[test]
fn a_phone_edited_on_both_sides_keeps_both_values() {
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    world.a.rows();
    world.settle();
    let edit = |office: &mut Office, value: &str| {
        let args = CaseEdit {
            number: number.clone(),
            field: "mobile".to_owned(),
            value: value.to_owned(),
            reason: None,
            user: None,
            cover: None,
        };
        office.case_edit(NOW, args).unwrap()
    };
    edit(&mut world.a.office, "13911112222");
    edit(&mut world.town.office, "13733334444");
    world.settle();
    for office in [&mut world.a.office, &mut world.town.office, &mut world.county.office] {
        let shown = show(office, &number);
        let mobile = shown["fields"]
            .as_array()
            .unwrap()
            .iter()
            .find(|f| f["name"] == "mobile")
            .unwrap()
            .clone();
        let mut values: Vec<&str> = mobile["values"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|v| v["value"].as_str())
            .collect();
        values.sort_unstable();
        assert_eq!(values, ["137****4444", "139****2222"]);
        assert_eq!(mobile["contradicts"], true);
    }
}

#[test]
fn a_change_that_cannot_be_read_is_set_aside_and_stops_nothing_else() {
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    world.a.rows();
    let (of, _) = world.a.office.find(&number).unwrap();
    let junk = world
        .a
        .office
        .record_entry(NOW, of.record, None, vec![0x85, 0x6f, 0x4a, 0x83, 1, 2, 3]);
    let torn = replica::entry::Entry {
        kind: replica::entry::KIND_RECORD,
        body: vec![7; 9],
    };
    let newer = replica::entry::Entry {
        kind: 99,
        body: vec![1],
    };
    world.a.office.stage_in_book(of.scope, vec![junk, torn, newer]).unwrap();
    settle(&mut world.a.office);
    let other = world.a.new_case("C05", LI);
    let items = world.a.office.quarantine_list(NOW).unwrap();
    let mut kinds: Vec<&str> = items
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|i| i["kind"].as_str())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["set_aside", "unknown_kind", "unreadable"]);
    assert_eq!(show(&mut world.a.office, &number)["state"], "received");
    assert_eq!(show(&mut world.a.office, &other)["state"], "received");
    let counts = world.a.office.views.counts(&world.a.office.store).unwrap();
    assert_eq!((counts.quarantined, counts.records(of.scope)), (3, 2));
    assert_clean(&mut world.a.office);
}

/// A second creation of a case, as only a forger writes it.
fn forge(office: &mut Office, number: &str) {
    let (of, _) = office.find(number).unwrap();
    let form = office.views.forms().named("case").unwrap();
    let head = Head {
        form: form.hash(),
        no: number.to_owned(),
        matter: "C05".to_owned(),
        catalogue: office.leading_catalogue().unwrap().0,
        unit: of.scope.unit,
        clerk: UserId::ZERO,
        on: Day::of_wall_ms(NOW.wall_ms),
        import_key: None,
    };
    let creation = Creation {
        record: of.record,
        events: vec![NewEvent::new("receive", head.on)],
        head,
        fields: Vec::new(),
        items: Vec::new(),
    };
    let actor = record::actor(&office.me.device, [7; 8]);
    let change = record::create(actor, &creation, form).unwrap();
    let entry = office.record_entry(NOW, of.record, None, change);
    office.stage_in_book(of.scope, vec![entry]).unwrap();
    settle(office);
}

#[test]
fn an_attempt_to_rewrite_a_case_changes_nothing_and_is_noted_and_taken_back() {
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    world.a.rows();
    // Others have built on the true one before the second comes.
    world.settle();
    world.town.act(&number, "accept").unwrap();
    world.settle();
    forge(&mut world.a.office, &number);
    world.settle();
    let town = &mut world.town.office;
    let items = conflicts(town);
    assert_eq!(
        (items.len(), &items[0]["kind"]),
        (1, &Json::from("overwritten")),
        "{items:?}"
    );
    let side = &items[0]["choices"][0];
    assert_eq!(side["words"], texts::OVERWRITTEN, "in plain words: {side:#}");
    let choice = side["choice"].as_str().unwrap().to_owned();
    assert_eq!(resolve(town, &items[0]["id"], &choice)["state"], "resolved");
    assert_eq!(show(town, &number)["matter"], "B23");
    assert_eq!(resolve(town, &items[0]["id"], "undo")["state"], "open");
    assert_clean(town);
}

#[test]
fn a_tier_is_shown_on_a_standing_receipt_only() {
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    world.a.rows();
    let book = world.a.book();
    let tier = |office: &mut Office| list(office)[0]["receipt"].as_str().unwrap().to_owned();
    assert_eq!(world.a.office.tiers().of_book(book).pending_township(), 1);
    assert_eq!(
        world.a.office.tiers().of_book(book).oldest_township_ms,
        Some(NOW.wall_ms)
    );
    world.settle();
    receipt(&world.town, &mut world.a, book, 1_000);
    assert_eq!(tier(&mut world.a.office), "township");
    let reach = world.a.office.tiers().of_book(book);
    assert_eq!((reach.pending_township(), reach.pending_county()), (0, 1));
    let store = receipt(&world.county, &mut world.a, book, 2_000);
    assert_eq!(tier(&mut world.a.office), "county");
    assert_eq!(world.a.office.tiers().of_book(book).pending_county(), 0);
    world.a.act(&number, "note").unwrap();
    assert_eq!(tier(&mut world.a.office), "room", "the note has not travelled");
    assert_eq!(world.a.office.tiers().of_book(book).pending_county(), 1);
    let words = show(&mut world.a.office, &number)["receipts"].clone();
    assert_eq!(
        (&words[0]["tier"], &words[0]["state"]),
        (&Json::from("county"), &Json::from("part"))
    );
    world.settle();
    receipt(&world.county, &mut world.a, book, 3_000);
    assert_eq!(tier(&mut world.a.office), "county");
    withdraw(&world.county, &mut world.a, store, 4_000);
    assert_ne!(tier(&mut world.a.office), "county");
    let words = show(&mut world.a.office, &number)["receipts"].clone();
    assert!(
        words.as_array().unwrap().iter().any(|w| w["state"] == "withdrawn"),
        "{words}"
    );
}

#[test]
fn lists_are_filtered_by_unit_and_state() {
    let mut world = World::new();
    let a = world.a.new_case("B38", ZHANG);
    world.a.act(&a, "accept").unwrap();
    world.b.new_case("B38", LI);
    world.a.rows();
    world.b.rows();
    world.settle();
    let mut count = |unit: Option<&str>, state: Option<&str>, limit: Option<usize>| {
        let args = CaseList {
            unit: unit.map(str::to_owned),
            state: state.map(str::to_owned),
            limit,
        };
        world
            .county
            .office
            .case_list(NOW, args)
            .map(|l| l.as_array().map_or(0, Vec::len))
    };
    assert_eq!(count(None, None, None), Ok(2));
    assert_eq!(count(Some(TOWN), None, None), Ok(2));
    assert_eq!(count(Some(ROOM_A), None, None), Ok(1));
    assert_eq!(count(None, Some("accepted"), None), Ok(1));
    assert_eq!(count(None, Some("已受理"), None), Ok(1));
    assert_eq!(count(None, None, Some(1)), Ok(1));
    assert_eq!(count(None, Some("flying"), None).unwrap_err().exit, 2);
    assert_eq!(count(Some("99"), None, None).unwrap_err().code, "unknown_unit");
}
