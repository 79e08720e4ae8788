//! The meeting: strangers, introductions, tickets, versions, silence.

use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, NodeCode, Scope, UnitId};

use super::super::double::{County, unit};
use super::super::{Dialled, Effect, Input, PeerError, Progress, Reason, Session};
use super::{COUNTY, ROOM, TOWNSHIP};
use crate::credential::Credential;
use crate::entry::{Entry, KIND_STATEMENT, LogId, Tip};
use crate::frame::{ByeReason, Frame, HEADER_LEN, Hello, Inbound, JoinRequest, Outbound, Welcome};
use crate::memory::{device, key, note};
use crate::run::sign;
use crate::statement::{Admit, Role, Statement};

fn admission(by: &SigningKey, at: UnitId, device: DeviceId, unit: UnitId, role: Role) -> Credential {
    let log = LogId {
        scope: Scope::public(at),
        device: DeviceId(by.verifying_key().to_bytes()),
        epoch: 1,
    };
    let admit = Admit {
        device,
        unit,
        role,
        seal_key: [0; 32],
        name: "老电脑".into(),
        node_code: NodeCode::new(7).unwrap(),
        prefix: None,
        former: None,
        by: None,
    };
    let entry = Entry {
        kind: KIND_STATEMENT,
        body: Statement::Admit(admit).encode(),
    };
    Credential::from_run(&sign(by, log, Tip::START, vec![entry])).unwrap()
}

/// Root 100 → county hub 1 → township hub 2.
fn chain() -> Vec<Credential> {
    vec![
        admission(&key(100), unit(1), device(1), unit(1), Role::Hub),
        admission(&key(1), unit(1), device(2), unit(2), Role::Hub),
    ]
}

fn decode(frame: &Outbound) -> Input {
    let bytes = frame.encode();
    Input::Frame(Inbound::decode(bytes[4], &bytes[HEADER_LEN..]).unwrap())
}

#[test]
fn a_hub_not_known_yet_is_introduced_by_its_chain_from_the_root() {
    let mut county = County::new(1);
    let hub = county.posts[TOWNSHIP].device();
    county.posts[TOWNSHIP].chain = chain();
    county.posts[ROOM].members.remove(&hub);
    county.record(ROOM, 3);
    let line = county.connect(ROOM, TOWNSHIP);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    assert!(
        matches!(&county.posts[ROOM].effects[..], [Effect::Introduced(_), Effect::Met(met)] if met.unit == unit(2))
    );
    assert_eq!(county.lines[line].kinds[0][0], 2, "who are you");
}

#[test]
fn two_who_know_nothing_of_each_other_introduce_themselves_both() {
    let mut county = County::new(1);
    let (a, b) = (county.posts[COUNTY].device(), county.posts[TOWNSHIP].device());
    county.posts[COUNTY].chain = chain()[..1].to_vec();
    county.posts[TOWNSHIP].chain = chain();
    county.posts[TOWNSHIP].members.remove(&a);
    county.posts[COUNTY].members.remove(&b);
    county.connect(TOWNSHIP, COUNTY);
    county.write(COUNTY, Scope::public(unit(1)), vec![]);
    county.settle();
    county.assert_equal(COUNTY, TOWNSHIP);
    for post in [COUNTY, TOWNSHIP] {
        assert!(
            county.posts[post]
                .effects
                .iter()
                .any(|effect| matches!(effect, Effect::Met(_)))
        );
    }
}

#[test]
fn a_chain_that_does_not_hold_ends_the_session() {
    let forged = vec![admission(&key(55), unit(1), device(2), unit(2), Role::Hub)];
    let other = vec![admission(&key(100), unit(1), device(1), unit(1), Role::Hub)];
    for (chain, reason) in [
        (forged, Reason::NotAMember),
        (other, Reason::NotAMember),
        (Vec::new(), Reason::NotAMember),
    ] {
        let mut county = County::new(1);
        let hub = county.posts[TOWNSHIP].device();
        county.posts[TOWNSHIP].chain = chain;
        county.posts[ROOM].members.remove(&hub);
        let line = county.connect(ROOM, TOWNSHIP);
        county.settle();
        assert_eq!(county.lines[line].closed[0], Some(reason));
        assert_eq!(county.posts[ROOM].effects, []);
    }
}

#[test]
fn a_stranger_may_only_introduce_itself_or_join() {
    let mut county = County::new(1);
    let stranger = device(77);
    for (frame, kind) in [
        (Frame::Health(Vec::new()), 14),
        (Frame::Receipts(Vec::new(), Vec::new()), 9),
        (Frame::Marks(Default::default()), 17),
    ] {
        let mut session = Session::new(county.now, Dialled::Them, stranger, 1, &mut county.posts[TOWNSHIP]);
        let result = session.handle(county.now, decode(&frame), &mut county.posts[TOWNSHIP]);
        assert_eq!(result, Err(PeerError::Stranger(kind)));
        assert_eq!(session.ended(), Some(&Reason::Fault));
    }
}

#[test]
fn a_stranger_that_says_nothing_is_told_to_go() {
    let mut county = County::new(1);
    let mut session = Session::new(county.now, Dialled::Them, device(77), 1, &mut county.posts[TOWNSHIP]);
    let mut late = county.now;
    late.mono_ms = session.next_wakeup().unwrap();
    session
        .handle(late, Input::Wakeup, &mut county.posts[TOWNSHIP])
        .unwrap();
    assert_eq!(session.ended(), Some(&Reason::Timeout));
}

#[test]
fn only_a_common_version_is_spoken() {
    let mut county = County::new(1);
    let room = county.posts[ROOM].device();
    let mut session = Session::new(county.now, Dialled::Them, room, 1, &mut county.posts[TOWNSHIP]);
    let hello = Hello {
        version_min: 2,
        version_max: 9,
        unit: unit(4),
        wall_ms: 0,
        summary: ledger::id::Hash::ZERO,
        receipts: ledger::id::Hash::ZERO,
        health: Default::default(),
    };
    let result = session.handle(county.now, decode(&Frame::Hello(hello)), &mut county.posts[TOWNSHIP]);
    assert_eq!(result, Err(PeerError::Version { min: 2, max: 9 }));
    assert_eq!(session.ended(), Some(&Reason::Version));
}

#[test]
fn a_clock_three_years_off_is_told_and_harms_nothing() {
    let mut county = County::new(1);
    let room = county.posts[ROOM].device();
    let mut session = Session::new(county.now, Dialled::Them, room, 1, &mut county.posts[TOWNSHIP]);
    let three_years = 3 * 365 * 86_400_000;
    let hello = Hello {
        version_min: 1,
        version_max: 9,
        unit: unit(4),
        wall_ms: county.now.wall_ms + three_years,
        summary: super::super::summary([]),
        receipts: ledger::id::Hash::ZERO,
        health: Default::default(),
    };
    session
        .handle(county.now, decode(&Frame::Hello(hello)), &mut county.posts[TOWNSHIP])
        .unwrap();
    let met = std::iter::from_fn(|| session.next_effect()).find_map(|effect| match effect {
        Effect::Met(met) => Some(met),
        _ => None,
    });
    assert_eq!(met.unwrap().skew_ms, three_years);
}

fn request() -> JoinRequest {
    JoinRequest {
        secret: [9; 16],
        seal_key: [4; 32],
        name: "窗口一".into(),
        role: Role::Node,
        former: None,
        former_chain: Vec::new(),
    }
}

/// Passes what both have to say until neither has; returns the effects of the two that are not frames.
fn talk(county: &mut County, newcomer: &mut Session, hub: &mut Session) -> [Vec<Effect>; 2] {
    let mut effects = [Vec::new(), Vec::new()];
    loop {
        let Some((end, effect)) = newcomer
            .next_effect()
            .map(|e| (0, e))
            .or_else(|| hub.next_effect().map(|e| (1, e)))
        else {
            return effects;
        };
        match effect {
            Effect::Send(bytes) => {
                let frame = Input::Frame(Inbound::decode(bytes[4], &bytes[HEADER_LEN..]).unwrap());
                let _ = if end == 0 {
                    hub.handle(county.now, frame, &mut county.posts[TOWNSHIP])
                } else {
                    newcomer.handle(county.now, frame, &mut county.posts[ROOM])
                };
            }
            other => effects[end].push(other),
        }
    }
}

#[test]
fn a_newcomer_with_a_ticket_is_welcomed_and_goes_on_in_the_same_connection() {
    let mut county = County::new(1);
    county.write(TOWNSHIP, Scope::public(unit(2)), vec![note("calendar")]);
    let (room, township) = (county.posts[ROOM].device(), county.posts[TOWNSHIP].device());
    county.posts[TOWNSHIP].members.remove(&room);
    let mut newcomer = Session::join(county.now, township, request());
    let mut hub = Session::new(county.now, Dialled::Them, room, 1, &mut county.posts[TOWNSHIP]);
    let effects = talk(&mut county, &mut newcomer, &mut hub);
    assert_eq!(effects, [vec![], vec![Effect::Join(Box::new(request()))]]);
    county.posts[TOWNSHIP].members.insert(room, unit(4));
    let welcome = Welcome {
        unit: unit(4),
        root: device(100),
        credentials: chain(),
        addrs: vec!["127.0.0.1:7701".into()],
    };
    hub.handle(
        county.now,
        Input::JoinAnswer(Ok(welcome.clone())),
        &mut county.posts[TOWNSHIP],
    )
    .unwrap();
    let effect = hub.next_effect().unwrap();
    let Effect::Send(bytes) = effect else {
        panic!("{effect:?}")
    };
    newcomer
        .handle(
            county.now,
            Input::Frame(Inbound::decode(bytes[4], &bytes[HEADER_LEN..]).unwrap()),
            &mut county.posts[ROOM],
        )
        .unwrap();
    assert_eq!(newcomer.next_effect(), Some(Effect::Welcomed(welcome)));
    assert_eq!((newcomer.next_effect(), newcomer.ended()), (None, Some(&Reason::Done)));
    let mut member = Session::new(county.now, Dialled::Us, township, 1, &mut county.posts[ROOM]);
    let effects = talk(&mut county, &mut member, &mut hub);
    assert!(
        effects[0].iter().any(|effect| matches!(effect, Effect::Stage { .. })),
        "the calendar is on its way"
    );
    assert_eq!(hub.progress(), Progress::InStep);
}

#[test]
fn a_ticket_that_is_no_good_is_refused_with_what_to_do() {
    let mut county = County::new(1);
    let mut newcomer = Session::join(county.now, county.posts[TOWNSHIP].device(), request());
    let mut hub = Session::new(county.now, Dialled::Them, device(77), 1, &mut county.posts[TOWNSHIP]);
    talk(&mut county, &mut newcomer, &mut hub);
    hub.handle(
        county.now,
        Input::JoinAnswer(Err("邀请码已用过，请向上级要一个新的".into())),
        &mut county.posts[TOWNSHIP],
    )
    .unwrap();
    let effects = talk(&mut county, &mut newcomer, &mut hub);
    assert!(
        matches!(&effects[0][..], [Effect::Close(Reason::Peer(bye))] if bye.reason == ByeReason::JoinRefused && bye.text.contains("已用过"))
    );
    assert_eq!(effects[1], [Effect::Close(Reason::JoinRefused)]);
}

#[test]
fn frames_of_a_later_version_are_passed_over() {
    let (mut county, line) = super::in_step();
    for kind in [60, 61, 255] {
        county.input(line, 1, Input::Frame(Inbound::decode(kind, b"whatever").unwrap()));
    }
    assert_eq!(county.lines[line].closed, [None, None]);
    county.input(line, 0, Input::Leave);
    county.settle();
    assert!(matches!(&county.lines[line].closed[1], Some(Reason::Peer(bye)) if bye.reason == ByeReason::Leaving));
}
