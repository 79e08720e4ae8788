use office::rig::fixture;
use replica::statement::Role;

use super::*;
use crate::fault::Kind;

fn small() -> Shape {
    Shape {
        townships: 1,
        rooms: 3,
        days: 3,
        fixed: true,
    }
}

#[test]
fn small_counties_come_through_days_of_faults() {
    for seed in 900..904 {
        let verdict = run_seed(seed, &small());
        assert_eq!(verdict.failure, None, "seed {seed}");
        assert!(verdict.faults.total() > 0 && verdict.deeds > 0, "seed {seed}");
    }
}

#[test]
fn a_seed_is_one_story_and_another_seed_another() {
    let trace = |seed| Story::draw(seed, &small()).run(None).trace;
    assert_eq!(trace(905), trace(905));
    assert_ne!(trace(905), trace(906));
}

#[test]
fn a_story_is_told_with_time_place_and_deed() {
    let mut told = Vec::new();
    Story::draw(907, &small()).run(Some(&mut |line| told.push(line.to_owned())));
    assert!(
        told.iter().any(|line| line.contains("everything is healed")),
        "{told:#?}"
    );
    assert!(told.iter().all(|line| line.starts_with("day ")), "{told:#?}");
}

#[test]
fn actions_can_be_left_out_of_a_story_and_the_others_stay_what_they_were() {
    let whole = Story::draw(908, &small());
    let mut part = whole.clone();
    part.actions.retain(|action| matches!(action.what, What::Deed(_)));
    assert!(part.actions.len() < whole.actions.len());
    assert_eq!(part.run(None).failure, None);
}

#[test]
fn blows_strike_whoever_stands_there_now_and_nobody_else() {
    let mut world = World::new(3);
    let mut county = County::found(&mut world, 1, 2).unwrap();
    let mut dice = Dice::new(3);
    let kill = Blow::Kill {
        seat: Seat(0),
        off_ms: 1_000,
    };
    assert_eq!(kill.aimed(&world, &county, &mut dice), Some(kill));
    Malice::RebuildCounty
        .strike(&mut world, &mut county, &mut dice)
        .unwrap();
    let aimed = kill.aimed(&world, &county, &mut dice).unwrap();
    assert_eq!(aimed.seat(), Some(county.top()));
    assert_ne!(county.top(), Seat(0));
    // A room that is gone and has no other device is struck no more, nor is its line.
    let (room, line) = (Seat(2), county.member(Seat(2)).unwrap().parent.unwrap().1);
    let cut = Blow::UdpBlocked { line, ms: 1_000 };
    assert_eq!(cut.aimed(&world, &county, &mut dice), Some(cut));
    county.go(room);
    assert_eq!(cut.aimed(&world, &county, &mut dice), None);
    assert_eq!(Blow::ClockStill { seat: room }.aimed(&world, &county, &mut dice), None);
    // What befalls a device that is off counts as nothing.
    world.stop(Seat(1));
    Blow::ClockStill { seat: Seat(1) }.strike(&mut world);
    assert_eq!(world.faults.of(Kind::ClockStill), 0);
    world.start(Seat(1));
    Blow::ClockStill { seat: Seat(1) }.strike(&mut world);
    assert_eq!(world.faults.of(Kind::ClockStill), 1);
}

#[test]
fn a_process_killed_between_two_writes_keeps_what_it_had_written() {
    let mut struck = 0;
    for operations in 0..12 {
        let mut world = World::new(operations);
        let county = County::found(&mut world, 0, 1).unwrap();
        let room = county.members[1].seat;
        let blow = Blow::KillIn {
            seat: room,
            operations,
            off_ms: 5_000,
        };
        blow.strike(&mut world);
        for _ in 0..4 {
            let mut dice = Dice::new(operations);
            Will::default().act(&mut world, &county, room, &mut dice);
            world.pass(10_000);
        }
        struck += world.faults.of(Kind::KilledInStep);
        world.pass(60_000);
        assert!(world.is_up(room), "after {operations} operations");
        assert_eq!(
            world.oracle.violations(),
            &[] as &[String],
            "after {operations} operations"
        );
        assert_eq!(world.faults.of(Kind::WriteLost), 0);
    }
    assert!(struck > 3, "{struck}");
}

#[test]
fn seeds_that_are_told_twice_and_clocks_that_are_put_right_do_not_go_together() {
    let twice: Vec<u64> = (0..2_000).filter(|seed| is_told_twice(*seed)).collect();
    assert!((60..140).contains(&twice.len()), "{}", twice.len());
    let right = twice.iter().filter(|seed| are_clocks_put_right(**seed)).count();
    assert!((20..twice.len() - 20).contains(&right), "{right} of {}", twice.len());
    let days: Vec<u64> = (0..100).map(|seed| Shape::proved(seed, 10).days).collect();
    assert!(days.contains(&10) && days.contains(&42));
}

#[test]
fn a_panic_is_a_failure_and_loses_nothing_of_what_was_seen() {
    let mut story = Story::draw(909, &small());
    let whole = story.run(None);
    // A device that there is not.
    let at = story.actions.len();
    story.actions.truncate(at);
    story.actions.push(Action {
        at_ms: small().days * DAY_MS,
        seed: 0,
        what: What::Deed(Seat(99)),
    });
    let broken = story.run(None);
    assert!(
        broken.failure.as_deref().is_some_and(|f| f.starts_with("panic: ")),
        "{broken:?}"
    );
    assert!(broken.events > 0 && broken.trace != 0 && broken.node_seconds > 0);
    assert!(broken.faults.total() > 0 && broken.deeds > whole.deeds);
}

#[test]
fn a_month_of_a_tiny_county_has_figures() {
    let month = crate::month::Month {
        seed: 1,
        days: 2,
        townships: 1,
        sub_centres: 0,
        rooms: 3,
        cases_per_workday: 12,
    };
    let figures = crate::month::run(month, &mut |_| {}).unwrap();
    assert_eq!(figures.workdays, 2);
    assert!(figures.cases > 0 && figures.bytes > 0 && figures.frames > 0);
    assert!(figures.healed_ms.is_some());
    assert!(figures.to_string().contains("cases"), "{figures}");
}

/// A county, a township and a room whose folders an earlier version has written, and what it said of its cases.
fn of_an_earlier_version(world: &mut World, version: &str) -> (County, Vec<String>) {
    let disk = |place: &str| fixture::disk(version, place, 9).unwrap();
    let seats = fixture::PLACES.map(|place| world.device_with(place, disk(place)));
    let root_key = store::disk::read_all(world.disk(seats[0]), office::identity::ROOT_KEY).unwrap();
    let mut county = County {
        root_key: String::from_utf8(root_key.unwrap()).unwrap(),
        ..County::default()
    };
    let units = ["511603000000", "511603102000", "511603102201"];
    for (at, unit) in units.into_iter().enumerate() {
        let above = at.checked_sub(1).map(|at| seats[at]);
        let office = world.office(seats[at]).unwrap();
        let (device, place) = (office.device(), office.life().unwrap().unit);
        world.oracle.let_in(device, place, unit);
        county.members.push(crate::county::Member {
            seat: seats[at],
            unit: unit.to_owned(),
            role: if at < 2 { Role::Hub } else { Role::Node },
            parent: above.map(|hub| (hub, world.line(seats[at], hub, [Conditions::GOOD; 2]))),
            gone: false,
        });
    }
    let said: serde_json::Value = serde_json::from_str(&fixture::said(version, "cases.json").unwrap()).unwrap();
    let cases = said.as_array().unwrap().iter();
    let numbers = cases
        .map(|case| case["record_id"].as_str().unwrap().to_owned())
        .collect();
    (county, numbers)
}

#[test]
fn folders_of_an_earlier_version_live_through_days_of_faults() {
    let shape = Shape {
        townships: 1,
        rooms: 1,
        days: 3,
        fixed: true,
    };
    for (version, seed) in fixture::VERSIONS.into_iter().flat_map(|v| [(v, 910), (v, 911)]) {
        let mut story = Story::draw(seed, &shape);
        // Lines, disks, clocks, processes and people; nobody is robbed here, so every case must still be there in the end.
        story.actions.retain(|action| !matches!(action.what, What::Malice(_)));
        let mut run = Run::new(&story, None);
        let (mut county, cases) = of_an_earlier_version(&mut run.world, version);
        assert!(cases.len() > 3);
        run.world.pass(60_000);
        let failure = run.days(&mut county).or_else(|| run.end(&mut county));
        assert_eq!(failure, None, "{version}, seed {seed}");
        assert!(run.deeds > 0 && run.world.faults.total() > 0);
        let rows = run.world.office(county.top()).unwrap().record_rows().unwrap();
        let held: Vec<String> = rows.iter().map(|(of, _)| of.record.to_string()).collect();
        assert!(cases.iter().all(|case| held.contains(case)), "{version}, seed {seed}");
    }
}
