//! What the stories share: a county under test, words to ask it with, and waiting that is never blind.

use std::path::Path;
use std::time::Duration;

pub(crate) use cunlian_tests::county::cert_no;
use cunlian_tests::county::{County, PlaceId, eventually};
use cunlian_tests::place::Said;
use serde_json::Value;

/// For what takes a second on an idle machine; tests share two cores with each other.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) const TOWNSHIP: &str = "511603102";
pub(crate) const ROOM: &str = "511603102201";
pub(crate) const NEIGHBOUR: &str = "511603102203";
/// Decided by the room itself, while the applicant waits.
pub(crate) const ON_THE_SPOT: &str = "C06";
/// Accepted and decided by the township, promised in ten workdays.
pub(crate) const PROMISED: &str = "A01";

pub(crate) fn empty() -> County {
    County::new(Path::new(env!("CARGO_BIN_EXE_cunlian-demo"))).expect("a folder for the county")
}

/// A county, one township and one room, in step.
pub(crate) struct Line {
    pub(crate) county: County,
    pub(crate) top: PlaceId,
    pub(crate) township: PlaceId,
    pub(crate) room: PlaceId,
}

impl Line {
    pub(crate) fn found() -> Self {
        let mut county = empty();
        let top = county.found().expect("a county");
        let township = county.township(TOWNSHIP, top).expect("a township");
        let room = county.room(ROOM, &[township]).expect("a room");
        Self {
            county,
            top,
            township,
            room,
        }
    }

    pub(crate) fn all(&self) -> [PlaceId; 3] {
        [self.top, self.township, self.room]
    }

    pub(crate) fn settle(&self) {
        settle(&self.county, &self.all());
    }
}

/// A room straight under a county.
pub(crate) fn two_tiers() -> (County, PlaceId, PlaceId) {
    let mut county = empty();
    let top = county.found().expect("a county");
    let room = county.room(ROOM, &[top]).expect("a room");
    (county, top, room)
}

pub(crate) fn ask(county: &County, id: PlaceId, args: &[&str]) -> Value {
    county[id]
        .json(args)
        .unwrap_or_else(|error| panic!("{error:#}\n{}", county[id].log_tail()))
}

/// Asks for what must be refused, with words for the person.
pub(crate) fn refused(county: &County, id: PlaceId, args: &[&str]) -> Said {
    let said = county[id].say(args).expect("it runs");
    assert_eq!(said.code(), Some(1), "{args:?}: {}{}", said.stdout, said.stderr);
    let told = format!("{}{}", said.stdout, said.stderr);
    assert!(
        told.chars().any(|c| c > '\u{4E00}'),
        "{args:?} is refused without a word in Chinese: {told}"
    );
    said
}

/// Records a case and gives its number.
pub(crate) fn new_case(county: &County, id: PlaceId, matter: &str, name: &str, cert_no: &str) -> String {
    let args = [
        "case",
        "new",
        "--matter",
        matter,
        "--name",
        name,
        "--cert-no",
        cert_no,
        "--mobile",
        "13800138000",
    ];
    text(&ask(county, id, &args), "project_no")
}

/// One more case of somebody, where it does not matter of whom.
pub(crate) fn any_case(county: &County, id: PlaceId, n: u32) -> String {
    new_case(county, id, PROMISED, "王小明", &cert_no(n))
}

pub(crate) fn act(county: &County, id: PlaceId, number: &str, event: &[&str]) -> Value {
    let mut args = vec!["case", "do", number];
    args.extend(event);
    ask(county, id, &args)
}

pub(crate) fn show(county: &County, id: PlaceId, number: &str) -> Value {
    ask(county, id, &["case", "show", number])
}

/// The same with personal values in the clear.
pub(crate) fn reveal(county: &County, id: PlaceId, number: &str) -> Value {
    ask(county, id, &["case", "show", number, "--reveal", "--reason", "核对"])
}

pub(crate) fn state(county: &County, id: PlaceId, number: &str) -> String {
    text(&show(county, id, number), "state")
}

pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {value}"))
        .to_owned()
}

/// Waits until these places hold the same entries of every scope they share.
pub(crate) fn settle(county: &County, ids: &[PlaceId]) {
    let outcome = eventually(PATIENCE, "all digests are equal", || county.in_step(ids));
    if let Err(error) = outcome {
        let mut told = format!("{error:#}");
        for id in ids {
            told += &format!(
                "\n--- {}\n{:#?}\n{}",
                county[*id].name(),
                county.digests(*id),
                county[*id].log_tail()
            );
        }
        panic!("{told}");
    }
}

/// Waits until something holds.
pub(crate) fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    eventually(PATIENCE, what, || Ok(is_so())).unwrap_or_else(|error| panic!("{error:#}"));
}

/// Waits until all cases in the list of a place say that the county has them.
pub(crate) fn wait_for_county(county: &County, id: PlaceId) {
    wait("every case is receipted by the county", || {
        county
            .cases(id)
            .is_ok_and(|cases| !cases.is_empty() && cases.iter().all(|case| case["receipt"] == "county"))
    });
}

/// The numbers that a place lists, sorted.
pub(crate) fn numbers(county: &County, id: PlaceId) -> Vec<String> {
    let cases = county.cases(id).unwrap_or_else(|error| panic!("{error:#}"));
    let mut numbers: Vec<String> = cases.iter().map(|case| text(case, "project_no")).collect();
    numbers.sort();
    numbers
}

/// Nothing is off in any folder.
pub(crate) fn verify(county: &County, ids: &[PlaceId]) {
    for id in ids {
        let said = county[*id].say(&["verify"]).expect("it runs");
        assert_eq!(
            said.code(),
            Some(0),
            "{}: {}{}",
            county[*id].name(),
            said.stdout,
            said.stderr
        );
    }
}

/// The open conflict items of one kind.
pub(crate) fn conflicts(county: &County, id: PlaceId, kind: &str) -> Vec<Value> {
    let listed = ask(county, id, &["conflict", "list"]);
    let items = listed.as_array().unwrap_or_else(|| panic!("no list: {listed}"));
    items
        .iter()
        .filter(|item| item["kind"] == kind && item["state"] == "open")
        .cloned()
        .collect()
}

pub(crate) fn device(county: &County, id: PlaceId) -> String {
    text(&ask(county, id, &["status"]), "device")
}
