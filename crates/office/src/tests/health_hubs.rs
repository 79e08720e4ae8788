//! A township's hub is a computer like a room's: its clock, its disk and its software are told of at the county.

use serde_json::{Value, json};
use store::disk::Fault;

use super::county::{County, TOWNSHIPS};
use crate::command::{AlertList, AlertRulesSet, Command, Wall};
use crate::health::Rules;

const MINUTE_MS: u64 = 60_000;

/// What is told at the county after a look: rule, unit and text, and whether the unit is a room.
fn told(county: &mut County) -> Vec<(String, String, String, bool)> {
    let hub = county.hub;
    county.world.pass(MINUTE_MS);
    county.world.run(hub, Command::HealthWatch);
    let list = county.world.run(hub, Command::AlertList(AlertList::default()));
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let open = list["open"].as_array().unwrap().iter();
    open.map(|a| (text(&a["rule"]), text(&a["unit"]), text(&a["text"]), a["room"] == true))
        .collect()
}

fn alert(rule: &str, text: &str) -> (String, String, String, bool) {
    (rule.to_owned(), TOWNSHIPS[0].to_owned(), text.to_owned(), false)
}

/// The wall's line about the township's hub.
fn on_the_wall(county: &mut County) -> Value {
    let hub = county.hub;
    let wall = county.world.run(hub, Command::Wall(Wall::default()));
    let towns = wall["towns"].as_array().unwrap().iter();
    let mut of = towns.filter(|town| town["unit"] == TOWNSHIPS[0]);
    of.next().unwrap()["hub"].clone()
}

/// The line goes and comes: whoever meets says anew how its clock and its software are.
fn meets_again(county: &mut County) {
    county.world.cut(county.township_lines[0]);
    county.world.pass(5_000);
    county.world.heal(county.township_lines[0]);
    county.world.pass(10_000);
}

#[test]
fn a_hub_whose_clock_is_off_is_told_of_and_its_rooms_are_not_blamed_for_it() {
    let mut county = County::new(397, 1, 1);
    let (town, room_code) = (county.townships[0], county.room_codes[0].clone());
    assert_eq!(told(&mut county), []);
    county.world.cut(county.room_lines[0]);
    county.world.set_skew(town, -10 * 60_000);
    county.world.heal(county.room_lines[0]);
    meets_again(&mut county);
    assert_eq!(
        told(&mut county),
        [alert("skew", "电脑时钟慢了 10 分钟。")],
        "{room_code} is right"
    );
    assert_eq!(on_the_wall(&mut county)["reasons"], json!(["时钟不准"]));
    // As long as it does not answer, what was known of it stands.
    county.world.cut(county.township_lines[0]);
    assert_eq!(told(&mut county), [alert("skew", "电脑时钟慢了 10 分钟。")]);
    assert_eq!(on_the_wall(&mut county)["up"], false);
    // Rules hold for it as they are set; then somebody puts the clock right.
    let set = |county: &mut County, skew_minutes: u32| {
        let rules = Rules {
            skew_minutes,
            ..Rules::default()
        };
        let hub = county.hub;
        county
            .world
            .run(hub, Command::AlertRulesSet(AlertRulesSet { rules, user: None }));
    };
    set(&mut county, 15);
    assert_eq!(told(&mut county), []);
    set(&mut county, 5);
    county.world.cut(county.room_lines[0]);
    county.world.set_skew(town, 0);
    county.world.heal(county.room_lines[0]);
    county.world.heal(county.township_lines[0]);
    county.world.pass(10_000);
    assert_eq!(told(&mut county), []);
    assert_eq!(on_the_wall(&mut county)["reasons"], json!([]));
}

#[test]
fn a_hub_with_old_software_is_told_of_until_it_is_new() {
    let mut county = County::new(398, 1, 1);
    let (hub, town) = (county.hub, county.townships[0]);
    county.world.office(hub).software = "cunlian-hub/1.5.0".to_owned();
    let runs = |county: &mut County, version: &str| {
        county.world.office(town).peers.health.software = version.to_owned();
        meets_again(county);
        told(county)
    };
    assert_eq!(
        runs(&mut county, "cunlian-hub/1.2.9"),
        [alert("version", "软件版本 1.2 太旧。")]
    );
    assert_eq!(on_the_wall(&mut county)["reasons"], json!(["版本太旧"]));
    assert_eq!(runs(&mut county, "cunlian-hub/1.3.0"), []);
}

#[test]
fn a_hub_says_itself_that_its_disk_fills() {
    let mut county = County::new(399, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    assert_eq!(told(&mut county), []);
    let disk = county.world.disk(town).clone();
    disk.fault(Fault::Capacity(disk.used() + (4 << 20)));
    county.new_case(room, 1);
    county.world.pass(10_000);
    let seen = told(&mut county);
    assert_eq!(
        (seen.len(), seen[0].0.as_str(), seen[0].1.as_str()),
        (1, "disk", TOWNSHIPS[0]),
        "{seen:?}"
    );
    assert!(seen[0].2.starts_with("磁盘只剩 "), "{seen:?}");
    assert_eq!(on_the_wall(&mut county)["reasons"], json!(["磁盘将满"]));
    disk.fault(Fault::Roomy);
    county.new_case(room, 2);
    county.world.pass(10_000);
    assert_eq!(told(&mut county), []);
}
