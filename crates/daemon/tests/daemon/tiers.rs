//! Rooms, townships and a county.

use super::*;

#[test]
fn a_case_travels_from_room_to_township_to_county_and_the_room_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut county = county(dir.path());
    let high = county.start().unwrap();
    let mut township = Place::new(Kind::Hub, dir.path().join("township"));
    assert_eq!(
        join(&township, &ticket(&county, "511603102", high)).unwrap()["settled"],
        true
    );
    let middle = township.start().unwrap();
    let mut room = Place::new(Kind::Node, dir.path().join("room"));
    let invitation = ticket(&township, "511603102201", middle);
    assert_eq!(join(&room, &invitation).unwrap()["settled"], true);
    room.command(case("张三"));
    room.start();
    room.command(case("李四"));
    room.until("the room's ticks", &list(), |v| all_at(v, 2, "county"));
    county.until("the county's list", &list(), |v| all_at(v, 2, "county"));

    let other = Place::new(Kind::Node, dir.path().join("other"));
    let again = join(&other, &invitation).unwrap_err();
    assert_eq!(again.code, "join_refused", "{}", again.message);

    // The township goes away for a while; what is recorded meanwhile arrives afterwards.
    township.stop();
    room.command(case("王五"));
    assert!(
        room.command(list())
            .as_array()
            .unwrap()
            .iter()
            .any(|r| r["receipt"] == "room")
    );
    township.config.listen = Some(middle);
    township.start();
    room.until("the third case", &list(), |v| all_at(v, 3, "county"));
    for place in [&mut room, &mut township, &mut county] {
        place.stop();
        assert_eq!(place.command(Command::Verify)["clean"], true);
    }
}

#[test]
fn a_revoked_device_is_cut_off_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut county = county(dir.path());
    let high = county.start().unwrap();
    let mut township = Place::new(Kind::Hub, dir.path().join("township"));
    let joined = join(&township, &ticket(&county, "511603102", high)).unwrap();
    township.start();
    let connected = |v: &Value| {
        v["peers"]
            .as_array()
            .is_some_and(|p| p.iter().any(|p| p["connected"] == true))
    };
    township.until("the line to the county", &Command::Status, connected);
    let began = Instant::now();
    county.command(Command::MemberRevoke(MemberRevoke {
        device: joined["device"].as_str().unwrap().to_owned(),
        reason: "电脑丢失".to_owned(),
        root_key: None,
    }));
    township.until("the cut", &Command::Status, |v| !connected(v));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // And it does not come back.
    std::thread::sleep(Duration::from_secs(2));
    assert!(!connected(&township.command(Command::Status)));
    township.stop();
    county.stop();
}

#[test]
fn a_room_that_ran_alone_joins_while_it_runs_and_brings_its_cases() {
    let dir = tempfile::tempdir().unwrap();
    let mut county = county(dir.path());
    let high = county.start().unwrap();
    let mut room = alone(dir.path());
    let before = room.command(case("张三"));
    room.start();
    assert_eq!(
        join(&room, &ticket(&county, "511603102201", high)).unwrap()["settled"],
        true
    );
    room.command(case("李四"));
    let listed = county.until("both cases at the county", &list(), |v| all_at(v, 2, "county"));
    assert!(
        listed
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["project_no"] == before["project_no"])
    );
    room.until("the room's ticks", &list(), |v| all_at(v, 2, "county"));
    room.stop();
    county.stop();
}

#[test]
fn a_ticket_that_is_none_or_a_hub_that_is_not_there_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let county = county(dir.path());
    let room = Place::new(Kind::Node, dir.path().join("room"));
    assert_eq!(join(&room, "CL1-NONSENSE").unwrap_err().exit, 2);
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    let failure = join(&room, &ticket(&county, "511603102201", nobody)).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.exit),
        ("unreachable", 1),
        "{}",
        failure.message
    );
    assert!(failure.message.contains("127.0.0.1:9"), "{}", failure.message);
}
