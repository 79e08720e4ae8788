//! How far things have travelled, and what is given away meanwhile.

use std::collections::BTreeSet;

use ledger::id::Scope;
use replica::entry::Tip;
use replica::session::{Asks, Local, Quota};
use store::Merge;

use super::world::{NOW, World, ZHANG, hear, receipt, settle, share};
use super::{LI, list};
use crate::command::{CaseErase, Command, MemberRevoke};
use crate::local::Sight;
use crate::office::Office;

#[test]
fn a_tick_given_by_a_hub_that_was_taken_out_is_taken_back() {
    let mut world = World::new();
    world.a.new_case("B23", ZHANG);
    world.a.rows();
    world.settle();
    let book = world.a.book();
    receipt(&world.town, &mut world.a, book, 1_000);
    assert_eq!(list(&mut world.a.office)[0]["receipt"], "township");
    let revoke = Command::MemberRevoke(MemberRevoke {
        device: world.town.office.device().to_string(),
        reason: "主机被盗".to_owned(),
        root_key: None,
    });
    world.county.office.command(NOW, revoke, &mut |_| {}).unwrap();
    share(&world.county, &mut world.a);
    assert_eq!(list(&mut world.a.office)[0]["receipt"], "room");
    assert_eq!(world.a.office.tiers().of_book(book).pending_township(), 1);
}

#[test]
fn a_case_with_an_entry_on_either_side_of_a_fork_travels_with_both() {
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    world.settle();
    let mut copy = world.a.cloned(77);
    world.a.act(&number, "note").unwrap();
    copy.act(&number, "note").unwrap();
    copy.act(&number, "note").unwrap();
    // The county hears of the longer side only, the room of both.
    share(&copy, &mut world.county);
    share(&copy, &mut world.a);
    let book = world.a.book();
    receipt(&world.county, &mut world.a, book, 1_000);
    assert_eq!(list(&mut world.a.office)[0]["receipt"], "room", "a note lies here only");
    share(&world.a, &mut world.county);
    receipt(&world.county, &mut world.a, book, 2_000);
    assert_eq!(list(&mut world.a.office)[0]["receipt"], "county");
}

#[test]
fn counts_taken_while_working_are_those_of_a_fresh_start() {
    let mut world = World::new();
    let book = world.a.book();
    world.a.new_case("B23", ZHANG);
    world.a.rows();
    let counts = |office: &mut Office| office.views.counts(&office.store).unwrap();
    assert_eq!(counts(&mut world.a.office).records(book), 1);
    world.a.new_case("C05", LI);
    world.a.rows();
    let number = world.a.new_case("B38", LI);
    world.a.act(&number, "accept").unwrap();
    world.a.rows();
    let working = counts(&mut world.a.office);
    assert_eq!(working.records(book), 3);
    let mut again = world.a.restart(35);
    again.rows();
    assert_eq!(counts(&mut again.office), working);
}

#[test]
fn an_erased_persons_key_is_given_to_nobody_even_before_it_is_destroyed() {
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    world.settle();
    let args = CaseErase {
        number: number.clone(),
        reason: "本人申请".to_owned(),
    };
    world.county.office.case_erase(NOW, args).unwrap();
    let (of, _) = world.town.office.find(&number).unwrap();
    // The statement has come; the rows, and with them the vault, have not followed yet.
    let logs = world.county.office.store.logs();
    let public = Scope::public(world.county.office.unit().unwrap());
    let all: Vec<_> = logs
        .logs(public)
        .flat_map(|log| logs.tips(&log).iter().map(move |tip| (log, *tip)).collect::<Vec<_>>())
        .collect();
    for (log, tip) in all {
        let store = &world.county.office.store;
        for run in store
            .read(&log, Tip::START, tip, usize::MAX, Merge::Checkpoints)
            .unwrap()
        {
            hear(&mut world.town.office, &run.verify().unwrap());
        }
    }
    settle(&mut world.town.office);
    let office = &world.town.office;
    assert!(office.authority.erased(&of.scope, &of.record));
    assert!(office.store.key(of.scope, &of.record).is_some(), "not destroyed yet");
    let (mut quota, mut asks, mut catching_up) = (Quota::default(), Asks::default(), BTreeSet::new());
    let sight = Sight {
        me: office.me.device,
        peer: world.a.office.device(),
        life: office.life.as_ref().unwrap(),
        store: &office.store,
        signed: &office.unstaged,
        authority: &office.authority,
        statements: &office.statements,
        line: &office.line,
        health: &office.peers.health,
        quota: &mut quota,
        asks: &mut asks,
        catching_up: &mut catching_up,
        mono_ms: 0,
    };
    assert_eq!(Local::key(&sight, of.scope, &of.record), None);
}

#[test]
fn a_room_that_finds_its_own_log_forked_when_it_opens_goes_on_in_a_new_one() {
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    let mut copy = world.a.cloned(77);
    world.a.act(&number, "note").unwrap();
    copy.act(&number, "note").unwrap();
    let epoch = world.a.office.epoch;
    assert_eq!(copy.office.epoch, epoch, "a copy knows nothing of being one");
    // Heard and durable, and then the power went before anything was made of it.
    share(&copy, &mut world.a);
    let mut again = world.a.restart(36);
    assert_ne!(again.office.epoch, epoch);
    let next = again.office.epoch;
    again.act(&number, "note").unwrap();
    assert_eq!(again.restart(37).office.epoch, next, "once");
}

#[test]
fn a_case_that_is_closed_is_nobodys_twin() {
    let mut world = World::new();
    let done = world.a.new_case("B38", ZHANG);
    world.a.act(&done, "accept").unwrap();
    let close = |args: &mut crate::command::CaseDo| args.result = Some("6".to_owned());
    world.a.act_with(&done, "close", close).unwrap();
    world.b.new_case("B38", ZHANG);
    world.a.rows();
    world.b.rows();
    world.settle();
    assert_eq!(list(&mut world.town.office).len(), 2);
    assert!(super::conflicts(&mut world.town.office).is_empty());
}
