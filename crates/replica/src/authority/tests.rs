use ledger::organisation::UnitKind;
use proptest::prelude::*;

use super::*;
use crate::memory::device;
use crate::statement::{Erase, Extend, NewCode};

mod admitted;
mod noted;
mod province;
mod world;

use world::*;

#[test]
fn members_have_the_tier_of_their_unit_and_write_where_they_work_and_below() {
    let world = World::county();
    let authority = world.fold();
    assert_eq!(authority.top(), Some(COUNTY));
    assert_eq!(authority.tier_of(&device(COUNTY_HUB)), Some(Tier::County));
    assert_eq!(authority.tier_of(&device(HUB_A)), Some(Tier::Township));
    assert_eq!(authority.tier_of(&device(PC_A)), Some(Tier::Room));
    let may = |who: u8, scope: Scope| authority.may_write(&device(who), &scope);
    assert_eq!(may(PC_A, Scope::book(ROOM_A)), Write::Yes);
    assert_eq!(may(HUB_A, Scope::book(ROOM_A)), Write::Yes);
    assert_eq!(may(COUNTY_HUB, Scope::book(ROOM_A)), Write::Yes);
    assert_eq!(may(HUB_B, Scope::book(ROOM_A)), Write::NotEntitled);
    assert_eq!(may(PC_A, Scope::book(TOWN_A)), Write::NotEntitled);
    assert_eq!(may(PC_A, Scope::public(TOWN_A)), Write::NotEntitled);
    assert_eq!(may(COUNTY_HUB, Scope::public(TOWN_A)), Write::NotEntitled);
    assert_eq!(may(ROOT, Scope::public(COUNTY)), Write::Yes);
    assert_eq!(may(ROOT, Scope::book(COUNTY)), Write::NotEntitled);
    assert_eq!(may(99, Scope::book(ROOM_A)), Write::AuthorUnknown);
    assert_same_in_every_order(&world);
}

#[test]
fn a_newcomer_that_knows_its_chain_and_no_tree_asks_for_the_top() {
    let mut world = World::county();
    world
        .stated
        .retain(|stated| !matches!(*stated.statement, Statement::Organisation(_)));
    assert_eq!(world.fold().shared_scopes(ROOM_A, COUNTY), [Scope::public(COUNTY)]);
}

#[test]
fn a_room_holds_its_own_book_and_the_public_scopes_above_and_nothing_else() {
    let authority = World::county().fold();
    let public = |units: &[UnitId]| units.iter().copied().map(Scope::public).collect::<Vec<_>>();
    let mut expected = public(&[COUNTY, TOWN_A, ROOM_A]);
    expected.push(Scope::book(ROOM_A));
    assert_eq!(authority.shared_scopes(ROOM_A, TOWN_A), expected);
    assert_eq!(authority.shared_scopes(ROOM_A, COUNTY), expected);
    assert_eq!(authority.shared_scopes(ROOM_A, TOWN_B), public(&[COUNTY]));
    assert_eq!(authority.shared_scopes(TOWN_A, TOWN_B), public(&[COUNTY]));
    assert_eq!(authority.shared_scopes(COUNTY, TOWN_A).len(), 7);
    assert!(!authority.may_hold(ROOM_A, &Scope::book(TOWN_A)));
    assert!(authority.may_hold(COUNTY, &Scope::public(ROOM_B)));
    let books = [Scope::book(ROOM_A)];
    let hubs = authority.hubs_over(&books);
    assert_eq!(hubs, BTreeSet::from([device(COUNTY_HUB), device(HUB_A)]));
}

#[test]
fn a_revoke_beats_an_admit_in_any_order_and_for_good() {
    let mut world = World::county();
    world.say(HUB_A, TOWN_A, revoke(PC_A, &[]));
    world.say(HUB_A, TOWN_A, admit_under(1, 9, PC_A, ROOM_A));
    world.say(COUNTY_HUB, COUNTY, admit_under(0, 9, PC_A, ROOM_A));
    assert!(world.fold().is_revoked(&device(PC_A)));
    assert_same_in_every_order(&world);
}

#[test]
fn nobody_revokes_upwards_or_sideways_or_at_its_own_height() {
    let mut world = World::county();
    let before = world.fold();
    world.say(PC_A, ROOM_A, revoke(HUB_A, &[]));
    world.say(HUB_A, TOWN_A, revoke(COUNTY_HUB, &[]));
    world.say(HUB_A, TOWN_A, revoke(HUB_A, &[]));
    world.say(HUB_A, TOWN_A, revoke(PC_B, &[]));
    world.say(HUB_A, COUNTY, revoke(HUB_B, &[]));
    world.say(COUNTY_HUB, COUNTY, revoke(COUNTY_HUB, &[]));
    world.say(PC_A, TOWN_A, revoke(HUB_A, &[]));
    world.say(99, COUNTY, revoke(HUB_A, &[]));
    let after = world.fold();
    for member in before.members() {
        assert_eq!(after.member(&member.device), Some(member));
    }
    assert_same_in_every_order(&world);
}

#[test]
fn a_hub_admits_only_below_itself_and_a_node_nobody() {
    let mut world = World::county();
    world.say(HUB_A, TOWN_A, admit(50, TOWN_A, Role::Hub, 9));
    world.say(HUB_A, TOWN_A, admit(51, COUNTY, Role::Hub, 9));
    world.say(HUB_A, TOWN_A, admit(52, ROOM_B, Role::Node, 9));
    world.say(HUB_A, TOWN_B, admit(53, ROOM_B, Role::Node, 9));
    world.say(PC_A, ROOM_A, admit(54, ROOM_A, Role::Node, 9));
    world.say(COUNTY_HUB, COUNTY, admit(55, COUNTY, Role::Hub, 9));
    world.say(ROOT, COUNTY, admit(56, TOWN_A, Role::Hub, 9));
    world.say(COUNTY_HUB, COUNTY, admit(57, unit(77), Role::Hub, 9));
    let authority = world.fold();
    assert!((50..58).all(|who| authority.member(&device(who)).is_none()));
    assert_eq!(
        authority.may_write(&device(52), &Scope::book(ROOM_B)),
        Write::AuthorUnknown
    );
}

#[test]
fn a_hub_that_takes_a_neighbours_room_to_itself_cannot_take_it_out_there() {
    let mut world = World::county();
    world.say(HUB_A, TOWN_A, admit_under(1, 8, PC_B, ROOM_A2));
    world.say(HUB_A, TOWN_A, revoke(PC_B, &[]));
    let authority = world.fold();
    let member = authority.member(&device(PC_B)).unwrap();
    assert!(member.is_live() && member.unit == ROOM_B);
    let log = book_log(PC_B, ROOM_B);
    assert_eq!(authority.standing(&log, place(1), &Straight), Standing::Valid);
    assert_eq!(
        authority.standing(&book_log(PC_B, ROOM_A2), place(1), &Straight),
        Standing::Waiting
    );
}

#[test]
fn what_a_hub_states_above_its_cut_is_void_and_so_is_what_follows_from_it() {
    let mut world = World::county();
    let kept = world.stated[4].tip;
    assert_eq!(world.stated[4].log, log_of(HUB_A, TOWN_A));
    world.say(HUB_A, TOWN_A, admit_under(1, 7, 60, ROOM_A2));
    world.say(HUB_A, TOWN_A, revoke(PC_A, &[]));
    let cuts = [cut(Scope::public(TOWN_A), kept)];
    world.say(COUNTY_HUB, COUNTY, revoke(HUB_A, &cuts));
    let authority = world.fold();
    assert!(authority.is_revoked(&device(HUB_A)));
    assert!(authority.member(&device(PC_A)).unwrap().is_live());
    assert!(authority.member(&device(60)).is_none());
    assert_same_in_every_order(&world);

    let log = log_of(HUB_A, TOWN_A);
    let end = world
        .stated
        .iter()
        .filter(|stated| stated.log == log)
        .map(|stated| stated.tip)
        .max();
    let extend = Extend {
        device: device(HUB_A),
        cuts: vec![cut(Scope::public(TOWN_A), end.unwrap())],
    };
    world.say(COUNTY_HUB, COUNTY, Statement::Extend(extend));
    let authority = world.fold();
    assert!(authority.is_revoked(&device(HUB_A)));
    assert!(authority.member(&device(60)).unwrap().is_live());
    assert!(authority.is_revoked(&device(PC_A)));
    assert_same_in_every_order(&world);
}

#[test]
fn cuts_of_several_revocations_combine_by_the_highest_and_extend_brings_more_back() {
    let mut world = World::county();
    let log = book_log(PC_A, ROOM_A);
    world.say(HUB_A, TOWN_A, revoke(PC_A, &[cut(log.scope, place(3))]));
    world.say(COUNTY_HUB, COUNTY, revoke(PC_A, &[cut(log.scope, place(5))]));
    let standing = |world: &World, seq| world.fold().standing(&log, place(seq), &Straight);
    assert_eq!(standing(&world, 5), Standing::Valid);
    assert_eq!(standing(&world, 6), Standing::Waiting);
    let other_epoch = LogId { epoch: 2, ..log };
    assert_eq!(
        world.fold().standing(&other_epoch, place(1), &Straight),
        Standing::Waiting
    );
    assert_eq!(world.fold().may_write(&device(PC_A), &log.scope), Write::Yes);
    assert!(!world.fold().stands_whole(&log));
    let extend = |who: u8, seq| {
        Statement::Extend(Extend {
            device: device(who),
            cuts: vec![cut(log.scope, place(seq))],
        })
    };
    world.say(HUB_B, TOWN_B, extend(PC_A, 9));
    world.say(PC_A, ROOM_A, extend(PC_A, 9));
    assert_eq!(standing(&world, 6), Standing::Waiting, "not theirs to say");
    world.say(HUB_A, TOWN_A, extend(PC_A, 7));
    assert_eq!(standing(&world, 7), Standing::Valid);
    assert_eq!(standing(&world, 8), Standing::Waiting);
    assert_same_in_every_order(&world);
}

#[test]
fn only_a_standing_hub_above_a_book_gives_receipts_for_it() {
    let mut world = World::county();
    let receipt = |hub: u8, unit| {
        let (key, scope) = (crate::memory::key(hub), Scope::book(unit));
        Receipt::sign(&key, 1, scope, 1, 1_000, crate::vector::Vector::default())
    };
    let authority = world.fold();
    for hub in [HUB_A, COUNTY_HUB] {
        assert!(authority.receipt_counts(&receipt(hub, ROOM_A)));
    }
    for (stranger, unit) in [
        (HUB_B, ROOM_A),
        (HUB_A, ROOM_B),
        (PC_A, ROOM_A),
        (ROOT, ROOM_A),
        (99, ROOM_A),
    ] {
        assert!(!authority.receipt_counts(&receipt(stranger, unit)), "device {stranger}");
    }
    world.say(COUNTY_HUB, COUNTY, revoke(HUB_A, &[]));
    let authority = world.fold();
    assert!(!authority.receipt_counts(&receipt(HUB_A, ROOM_A)), "it is out");
    assert!(authority.receipt_counts(&receipt(COUNTY_HUB, ROOM_A)));
    assert_eq!(
        authority.hubs_over(&[Scope::book(ROOM_A)]),
        BTreeSet::from([device(COUNTY_HUB)])
    );
}

/// The chain that leads from the root to the last of `links`, as a newcomer shows it.
fn introduced(links: &[(u8, UnitId, u8, UnitId, Role)]) -> Introduced {
    let chain: Vec<_> = links
        .iter()
        .map(|(by, at, who, unit, role)| {
            let entry = crate::entry::Entry {
                kind: crate::entry::KIND_STATEMENT,
                body: admit(*who, *unit, *role, 9).encode(),
            };
            let run = crate::run::sign(&crate::memory::key(*by), log_of(*by, *at), Tip::START, vec![entry]);
            crate::credential::Credential::from_run(&run).unwrap()
        })
        .collect();
    crate::credential::verify_chain(&device(ROOT), &chain).unwrap()
}

#[test]
fn an_introduction_holds_only_while_nobody_in_it_is_taken_out_and_each_rules_the_next() {
    let county = (ROOT, COUNTY, COUNTY_HUB, COUNTY, Role::Hub);
    let town = (COUNTY_HUB, COUNTY, HUB_A, TOWN_A, Role::Hub);
    let room = introduced(&[county, town, (HUB_A, TOWN_A, 60, ROOM_A, Role::Node)]);
    let mut world = World::county();
    assert!(world.fold().welcomes(&room, &[]));
    assert!(
        Authority::fold(device(ROOT), &[], &Straight).welcomes(&room, &[]),
        "knows nothing yet"
    );
    let foreign = introduced(&[county, town, (HUB_A, TOWN_A, 61, ROOM_B, Role::Node)]);
    assert!(!world.fold().welcomes(&foreign, &[]), "not a room of that township");
    let other_top = introduced(&[(ROOT, TOWN_B, 62, TOWN_B, Role::Hub)]);
    assert!(
        !world.fold().welcomes(&other_top, &[]),
        "the root admits at the top only"
    );
    let nowhere = introduced(&[county, town, (HUB_A, TOWN_A, 63, unit(77), Role::Node)]);
    assert!(world.fold().welcomes(&nowhere, &[]), "a unit not heard of yet");
    world.say(COUNTY_HUB, COUNTY, revoke(HUB_A, &[]));
    assert!(!world.fold().welcomes(&room, &[]), "its hub is out");
    let mut world = World::county();
    world.say(HUB_A, TOWN_A, revoke(60, &[]));
    assert!(
        !world.fold().welcomes(&room, &[]),
        "it is out itself, though its admission was never heard of"
    );
    let mut world = World::county();
    world.say(HUB_B, TOWN_B, revoke(60, &[]));
    assert!(world.fold().welcomes(&room, &[]), "not theirs to say");
}

#[test]
fn who_stands_over_us_by_our_own_chain_is_welcome_also_when_the_hub_that_admitted_it_was_taken_out_since() {
    let county = (ROOT, COUNTY, COUNTY_HUB, COUNTY, Role::Hub);
    let town = introduced(&[county, (COUNTY_HUB, COUNTY, HUB_A, TOWN_A, Role::Hub)]);
    let stolen_key = introduced(&[county, (COUNTY_HUB, COUNTY, 64, TOWN_A, Role::Hub)]);
    // A room that joined through both, and whose disk has lost all but the news that the county's burnt hub is out.
    let ours = [COUNTY_HUB, HUB_A, 60].map(device);
    let mut world = World::default();
    world.say(ROOT, COUNTY, admit(COUNTY_HUB, COUNTY, Role::Hub, 1));
    world.say(ROOT, COUNTY, revoke(COUNTY_HUB, &[]));
    assert!(world.fold().welcomes(&town, &ours));
    assert!(!world.fold().welcomes(&town, &[]), "somebody else's township");
    assert!(
        !world.fold().welcomes(&stolen_key, &ours),
        "whom the taken-out hub admits now is nobody"
    );
    let burnt = introduced(&[county]);
    assert!(!world.fold().welcomes(&burnt, &ours), "the burnt hub itself stays out");
}

#[test]
fn a_moved_room_keeps_what_its_old_hub_wrote_and_is_held_by_the_new_one() {
    let mut world = World::county();
    let mut tree = TREE;
    tree[3].1 = Some(TOWN_B);
    world.say(COUNTY_HUB, COUNTY, organisation(2, &tree));
    let authority = world.fold();
    assert_eq!(authority.organisation().unwrap().version, 2);
    assert_eq!(authority.parent(ROOM_A), Some(TOWN_B));
    assert!(authority.member(&device(PC_A)).unwrap().is_live());
    for hub in [HUB_A, HUB_B] {
        assert_eq!(authority.may_write(&device(hub), &Scope::book(ROOM_A)), Write::Yes);
    }
    assert!(!authority.may_hold(TOWN_A, &Scope::book(ROOM_A)));
    assert!(authority.may_hold(TOWN_B, &Scope::book(ROOM_A)));
    assert_same_in_every_order(&world);
}

#[test]
fn two_townships_that_changed_places_do_not_rule_each_other() {
    let mut world = World::county();
    let mut a_above_b = TREE;
    a_above_b[2].1 = Some(TOWN_A);
    let mut b_above_a = TREE;
    b_above_a[1].1 = Some(TOWN_B);
    world.say(COUNTY_HUB, COUNTY, organisation(2, &a_above_b));
    world.say(COUNTY_HUB, COUNTY, organisation(3, &b_above_a));
    world.say(HUB_A, TOWN_A, revoke(HUB_B, &[]));
    assert!(!world.fold().is_revoked(&device(HUB_B)));
    world.say(HUB_B, TOWN_B, revoke(HUB_A, &[]));
    let authority = world.fold();
    assert!(authority.is_revoked(&device(HUB_A)) && !authority.is_revoked(&device(HUB_B)));
    assert_same_in_every_order(&world);
    let mut circle = TREE;
    circle[1].1 = Some(ROOM_A);
    world.say(COUNTY_HUB, COUNTY, organisation(9, &circle));
    assert!(
        world.fold().member(&device(HUB_A)).is_none(),
        "a circle hangs from nothing"
    );
}

#[test]
fn only_hubs_of_the_topmost_unit_publish_and_the_highest_version_leads() {
    let mut world = World::county();
    let catalogue = |version| {
        Statement::Catalogue(Catalogue {
            version,
            matters: Vec::new(),
        })
    };
    world.say(HUB_A, TOWN_A, catalogue(9));
    world.say(HUB_A, COUNTY, organisation(9, &TREE[..1]));
    world.say(COUNTY_HUB, COUNTY, catalogue(3));
    world.say(COUNTY_HUB, COUNTY, catalogue(2));
    world.say(COUNTY_HUB, COUNTY, Statement::Form("name = 'case'".to_owned()));
    let authority = world.fold();
    assert_eq!(authority.catalogue().unwrap().version, 3);
    assert_eq!(authority.catalogues().len(), 2);
    assert_eq!(authority.forms().len(), 1);
    assert_eq!(authority.organisation().unwrap().version, 1);
    assert_same_in_every_order(&world);
}

#[test]
fn a_room_that_was_alone_brings_its_former_life_along_and_nobody_else_can_claim_it() {
    let lone_root = device(80);
    let lone = alone_unit(&lone_root);
    let mut world = World::county();
    let mut join = admission(81, ROOM_A2, Role::Node, None, NodeCode::under(HubPrefix(1), 9).unwrap());
    join.former = Some(Former {
        unit: lone,
        root: lone_root,
    });
    world.say(HUB_A, TOWN_A, Statement::Admit(join.clone()));
    let mut thief = admission(82, ROOM_B, Role::Node, None, NodeCode::under(HubPrefix(2), 9).unwrap());
    thief.former = join.former;
    world.say(HUB_B, TOWN_B, Statement::Admit(thief));
    let mut liar = admission(83, ROOM_B, Role::Node, None, NodeCode::under(HubPrefix(2), 10).unwrap());
    liar.former = Some(Former {
        unit: ROOM_A,
        root: lone_root,
    });
    world.say(HUB_B, TOWN_B, Statement::Admit(liar));
    let authority = world.fold();
    assert_eq!(
        authority.may_write(&device(81), &Scope::book(lone)),
        Write::AuthorUnknown
    );
    assert_eq!(authority.may_write(&lone_root, &Scope::public(lone)), Write::Yes);
    assert_eq!(
        authority.may_write(&device(83), &Scope::book(ROOM_A)),
        Write::NotEntitled
    );
    assert!(
        authority.shared_scopes(ROOM_A2, COUNTY).contains(&Scope::public(lone))
            || authority.may_hold(ROOM_B, &Scope::public(lone))
    );

    world.say(80, lone, admit(81, lone, Role::Node, 1));
    world.say(81, lone, Statement::Calendar(Calendar::default()));
    world.say(81, lone, Statement::User(person(1, lone)));
    let erase = Erase {
        scope: Scope::book(lone),
        record: RecordId([1; 16]),
        reason: "asked".to_owned(),
    };
    world.say(81, lone, Statement::Erase(erase));
    let authority = world.fold();
    for who in [81, HUB_A, COUNTY_HUB] {
        assert_eq!(
            authority.may_write(&device(who), &Scope::book(lone)),
            Write::Yes,
            "device {who}"
        );
    }
    assert_eq!(authority.may_write(&device(81), &Scope::public(lone)), Write::Yes);
    assert_eq!(
        authority.may_write(&device(82), &Scope::book(lone)),
        Write::AuthorUnknown
    );
    assert_eq!(
        authority.may_write(&device(HUB_B), &Scope::book(lone)),
        Write::NotEntitled
    );
    assert_eq!(authority.parent(lone), Some(ROOM_A2));
    assert!(authority.shared_scopes(ROOM_A2, TOWN_A).contains(&Scope::book(lone)));
    assert_eq!(authority.calendars().len(), 1);
    assert!(authority.calendar().is_none(), "kept by its hash, but it leads nothing");
    assert!(authority.user(&UserId([1; 8])).is_some());
    assert!(authority.erased(&Scope::book(lone), &RecordId([1; 16])));
    assert_eq!(authority.tier_of(&device(81)), Some(Tier::Room));
    assert_same_in_every_order(&world);
}

#[test]
fn a_room_alone_is_a_county_of_one() {
    let lone = alone_unit(&device(ROOT));
    let mut world = World::default();
    world.say(ROOT, lone, admit(PC_A, lone, Role::Node, HubPrefix::ALONE));
    assert_eq!(world.fold().tier_of(&device(PC_A)), Some(Tier::Room));
    world.say(PC_A, lone, organisation(1, &[(lone, None, UnitKind::Village)]));
    world.say(PC_A, lone, Statement::User(person(1, lone)));
    let authority = world.fold();
    assert_eq!(authority.tier_of(&device(PC_A)), Some(Tier::Room));
    assert_eq!(authority.organisation().unwrap().units.len(), 1);
    assert_eq!(authority.may_write(&device(PC_A), &Scope::book(lone)), Write::Yes);
    let admitted_at = (world.stated[0].log, world.stated[0].tip);
    assert_eq!(authority.admit_of(&device(PC_A)), Some(admitted_at));
    assert_eq!(authority.users().count(), 1);
}

fn person(number: u8, unit: UnitId) -> User {
    User {
        id: UserId([number; 8]),
        unit,
        name: "李四".to_owned(),
        roles: vec!["clerk".to_owned()],
        active: true,
        enrol: None,
    }
}

#[test]
fn a_unit_speaks_of_its_own_people_keys_and_records_only() {
    let mut world = World::county();
    let erase = |unit| {
        Statement::Erase(Erase {
            scope: Scope::book(unit),
            record: RecordId([1; 16]),
            reason: String::new(),
        })
    };
    let grant = |unit, hub_only| {
        Statement::Grant(Grant {
            scope: Scope::book(unit),
            device: device(PC_A),
            sealed: vec![unit.0[0]],
            hub_only,
        })
    };
    world.say(HUB_A, TOWN_A, erase(ROOM_B));
    world.say(HUB_A, TOWN_A, grant(ROOM_B, false));
    world.say(HUB_A, TOWN_A, grant(ROOM_A, true));
    world.say(HUB_A, TOWN_A, Statement::User(person(1, ROOM_B)));
    world.say(PC_A, ROOM_A, grant(TOWN_A, false));
    let authority = world.fold();
    assert!(authority.erasures().is_empty());
    assert_eq!(authority.grants(&device(PC_A)).count(), 0);
    assert_eq!(authority.users().count(), 0);
    world.say(HUB_A, TOWN_A, grant(ROOM_A, false));
    world.say(PC_A, ROOM_A, erase(ROOM_A));
    world.say(PC_A, ROOM_A, Statement::User(person(1, ROOM_A)));
    let mut promoted = person(1, ROOM_A);
    promoted.roles = vec!["head".to_owned()];
    world.say(HUB_A, TOWN_A, Statement::User(promoted.clone()));
    let authority = world.fold();
    assert!(authority.erased(&Scope::book(ROOM_A), &RecordId([1; 16])));
    assert!(!authority.erased(&Scope::book(ROOM_B), &RecordId([1; 16])));
    assert_eq!(authority.grants(&device(PC_A)).count(), 1);
    assert!(authority.all_grants().all(|(by, _)| *by == device(HUB_A)));
    assert_eq!(
        authority.user(&UserId([1; 8])),
        Some(&promoted),
        "the higher unit leads"
    );
    assert_same_in_every_order(&world);
}

/// Anybody says anything, in anybody's scope.
fn anything() -> impl Strategy<Value = (u8, UnitId, Statement)> {
    let units = [COUNTY, TOWN_A, TOWN_B, ROOM_A, ROOM_A2, ROOM_B];
    let who = 1..9u8;
    let statement = prop_oneof![
        4 => (who.clone(), 0..6usize, any::<bool>(), 0..4u32).prop_map(move |(who, at, hub, prefix)| {
            admit(who, units[at], if hub { Role::Hub } else { Role::Node }, prefix)
        }),
        3 => (who.clone(), 0..6usize, 0..6u64).prop_map(move |(who, at, seq)| {
            revoke(who, &[cut(Scope::public(units[at]), place(seq))])
        }),
        2 => (who.clone(), 0..6usize, 0..9u64).prop_map(move |(who, at, seq)| {
            Statement::Extend(Extend { device: device(who), cuts: vec![cut(Scope::public(units[at]), place(seq))] })
        }),
        1 => (2..5u32, 1..6usize, 0..6usize).prop_map(move |(version, moved, to)| {
            let mut tree = TREE;
            tree[moved].1 = Some(units[to]);
            organisation(version, &tree)
        }),
        1 => (0..3u8, 0..6usize).prop_map(move |(number, at)| Statement::User(person(number, units[at]))),
    ];
    (who, 0..6usize, statement).prop_map(move |(author, at, statement)| (author, units[at], statement))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn whatever_is_said_in_whatever_order_all_agree_and_the_root_rules_the_top(
        (sayings, shuffled) in prop::collection::vec(anything(), 0..24)
            .prop_flat_map(|sayings| {
                let orders = Just((0..sayings.len() + 6).collect::<Vec<_>>()).prop_shuffle();
                (Just(sayings), orders)
            }),
    ) {
        let mut world = World::county();
        for (author, at, statement) in sayings {
            // The root key lies in a drawer: what it says is not part of the game.
            if author != ROOT {
                world.say(author, at, statement);
            }
        }
        let expected = world.fold();
        let mut stated: Vec<Stated> = shuffled
            .iter()
            .filter_map(|at| world.stated.get(*at).cloned())
            .collect();
        stated.extend(world.stated.iter().take(3).cloned());
        let again = Authority::fold(device(ROOT), &stated, &Straight);
        prop_assert_eq!(&again, &expected);
        let hub = expected.member(&device(COUNTY_HUB)).unwrap();
        prop_assert!(hub.is_live() && hub.unit == COUNTY);
        for member in expected.members() {
            prop_assert!(member.unit != COUNTY || member.device == device(COUNTY_HUB));
        }
    }
}
