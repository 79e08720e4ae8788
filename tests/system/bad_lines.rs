//! Lines as villages have them: lossy, slow, reordering, narrow, half dead. Everything arrives, and nobody is told otherwise before.
//!
//! Each story prints the seed of its weather; `CUNLIAN_SEED` gives another.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use cunlian_tests::county::{County, PlaceId};
use cunlian_tests::relay::Relay;
use cunlian_tests::weather::Weather;

use crate::rig::{Line, PATIENCE, ROOM, any_case, ask, cert_no, numbers, text, two_tiers, verify};

const MS: Duration = Duration::from_millis(1);

/// The weather's seed, told so that the night can be had again.
fn seed(usual: u64) -> u64 {
    let seed = std::env::var("CUNLIAN_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or(usual);
    println!("weather seed {seed}");
    seed
}

/// A day book of so many cases, recorded at once.
pub(crate) fn record_many(county: &County, room: PlaceId, cases: u32) {
    let mut rows = "登记时间,村室代码,事项编码,申请人,证件号码,手机,住址,办理,办结时间,评价,备注\n".to_owned();
    for n in 0..cases {
        let (hour, minute) = (8 + n / 60 % 9, n % 60);
        let row = format!(
            "2026-10-09 {hour:02}:{minute:02},{ROOM},A01,王小明,{},13800138000,三组,收件,,,\n",
            cert_no(n)
        );
        rows += &row;
    }
    let file = county.file("many.csv");
    fs::write(&file, rows).expect("a file");
    let said = ask(county, room, &["case", "import", &file.display().to_string()]);
    assert_eq!(said["imported"].as_u64(), Some(u64::from(cases)), "{said}");
}

/// Waits until the county has all that the room has recorded; meanwhile nothing may be called received that was not.
fn arrives_honestly(county: &County, room: PlaceId, above: &[(PlaceId, &str)], cases: usize) -> Duration {
    let begun = Instant::now();
    loop {
        // The room first: what it says must be true of whoever is asked afterwards.
        let listed = county.cases(room).expect("a list");
        assert_eq!(listed.len(), cases);
        for (hub, tier) in above {
            let said: BTreeSet<String> = listed
                .iter()
                .filter(|case| case["receipt"] == *tier)
                .map(|case| text(case, "project_no"))
                .collect();
            let held: BTreeSet<String> = numbers(county, *hub).into_iter().collect();
            assert!(said.is_subset(&held), "{tier} has not what the room says it has");
        }
        if listed.iter().all(|case| case["receipt"] == "county") {
            return begun.elapsed();
        }
        if begun.elapsed() > PATIENCE {
            panic!(
                "not in {PATIENCE:?}: {}\n{}",
                ask(county, room, &["status"]),
                county[room].log_tail()
            );
        }
        std::thread::sleep(200 * MS);
    }
}

fn relay(county: &County, lower: PlaceId, upper: PlaceId) -> &Relay {
    county.relay(lower, upper).expect("a line")
}

/// How often a place wrote these words into its log.
fn logged(county: &County, place: PlaceId, words: &str) -> usize {
    let log = fs::read_to_string(county[place].data().with_extension("log")).expect("a log");
    log.matches(words).count()
}

#[test]
fn a_room_behind_a_line_that_loses_a_third_and_takes_600_ms_comes_into_step() {
    let line = Line::found();
    line.settle();
    let (county, room) = (&line.county, line.room);
    county.cut(room);
    record_many(county, room, 60);
    let storm = Weather {
        delay: 300 * MS,
        jitter: 40 * MS,
        lost_pm: 300,
        ..Weather::default()
    };
    let relay = relay(county, room, line.township);
    relay.set_weather(seed(11), storm, storm);
    let above = [(line.township, "township"), (line.top, "county")];
    let took = arrives_honestly(county, room, &above, 60);
    println!("60 cases in {took:?}; {:?}", relay.tallies());
    assert!(relay.tallies().0.lost > 5, "{:?}", relay.tallies());
    line.settle();
    assert_eq!(numbers(county, line.top), numbers(county, room));
    verify(county, &line.all());
}

#[test]
fn datagrams_doubled_overtaken_and_damaged_change_nothing() {
    let (county, top, room) = two_tiers();
    county.cut(room);
    record_many(&county, room, 200);
    let muddle = Weather {
        delay: 10 * MS,
        jitter: 30 * MS,
        doubled_pm: 300,
        late_pm: 300,
        late: 80 * MS,
        corrupt_pm: 100,
        ..Weather::default()
    };
    let relay = relay(&county, room, top);
    relay.set_weather(seed(12), muddle, muddle);
    let took = arrives_honestly(&county, room, &[(top, "county")], 200);
    let (up, down) = relay.tallies();
    println!("200 cases in {took:?}; {up:?} {down:?}");
    for tally in [up, down] {
        assert!(tally.doubled > 5 && tally.late > 5 && tally.corrupt > 0, "{tally:?}");
    }
    assert_eq!(numbers(&county, top).len(), 200);
    assert_eq!(
        logged(&county, top, "broke the protocol"),
        0,
        "an honest room was blamed"
    );
    verify(&county, &[top, room]);
}

#[test]
fn a_room_whose_address_changes_in_the_middle_of_catching_up_goes_on_over_the_same_connection() {
    let (county, top, room) = two_tiers();
    any_case(&county, room, 1);
    arrives_honestly(&county, room, &[(top, "county")], 1);
    let narrow = Weather {
        delay: 20 * MS,
        bytes_per_s: Some(30_000),
        ..Weather::default()
    };
    let relay = relay(&county, room, top);
    relay.set_weather(seed(13), narrow, narrow);
    let lost = logged(&county, room, "hub lost");
    record_many(&county, room, 300);
    let begun = Instant::now();
    let mut rebound = 0;
    let listed = |id| county.cases(id).expect("a list");
    while listed(room).iter().any(|case| case["receipt"] != "county") {
        // A box between gives another address now and then, not before it has carried an answer to the last one.
        if rebound < 3 && begun.elapsed() >= rebound * 1000 * MS {
            relay.rebind();
            rebound += 1;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "over {rebound} addresses; {:?}\nroom:\n{}\nhub:\n{}",
            relay.tallies(),
            county[room].log_tail(),
            county[top].log_tail()
        );
        std::thread::sleep(100 * MS);
    }
    println!("300 cases over {rebound} addresses in {:?}", begun.elapsed());
    assert!(rebound >= 2, "it was over before the address changed");
    assert_eq!(logged(&county, room, "hub lost"), lost, "{}", county[room].log_tail());
    assert_eq!(numbers(&county, top).len(), 301);
    verify(&county, &[top, room]);
}

#[test]
fn a_line_dead_in_one_direction_is_told_honestly_and_mends() {
    let (county, top, room) = two_tiers();
    any_case(&county, room, 1);
    arrives_honestly(&county, room, &[(top, "county")], 1);
    let relay = relay(&county, room, top);
    let directions: [fn(&mut Weather, &mut Weather); 2] = [|up, _| up.cut = true, |_, down| down.cut = true];
    for (n, cut) in directions.into_iter().enumerate() {
        relay.change(cut);
        let number = any_case(&county, room, 2 + n as u32);
        if n == 1 {
            // The hub hears of it, and what it says in return is lost.
            let begun = Instant::now();
            while !numbers(&county, top).contains(&number) {
                assert!(begun.elapsed() < PATIENCE);
                std::thread::sleep(50 * MS);
            }
        }
        let shown = ask(&county, room, &["case", "show", &number]);
        assert_eq!(shown["receipt"], "room", "nobody has told the room anything: {shown}");
        let status = ask(&county, room, &["status"]);
        assert!(status["pending"]["county"].as_u64() > Some(0), "{status}");
        relay.heal();
        arrives_honestly(&county, room, &[(top, "county")], 2 + n);
    }
    verify(&county, &[top, room]);
}

#[test]
fn a_path_that_suddenly_takes_only_small_datagrams_carries_on() {
    let (county, top, room) = two_tiers();
    any_case(&county, room, 1);
    arrives_honestly(&county, room, &[(top, "county")], 1);
    let relay = relay(&county, room, top);
    // A tunnel begins on the way: what was found to fit before fits no more, and nobody says so.
    relay.change(|up, down| {
        for weather in [up, down] {
            weather.delay = 15 * MS;
            weather.datagram_bytes_max = Some(1_250);
        }
    });
    record_many(&county, room, 200);
    let took = arrives_honestly(&county, room, &[(top, "county")], 201);
    println!("200 cases in {took:?}; {:?}", relay.tallies());
    assert!(relay.tallies().0.too_long > 0, "nothing was too long for the path");
    assert_eq!(numbers(&county, top).len(), 201);
    verify(&county, &[top, room]);
}
