//! Absences are noted, and taken back.

use serde_json::json;

use super::super::county::County;
use super::stories::{absent, figure};
use super::{LATER_MS, ROOMS, autumn, report};
use crate::command::{AbsenceNote, Command, Report};

#[test]
fn an_absence_that_was_noted_by_mistake_is_taken_back_and_may_be_noted_again() {
    let mut county = autumn(344);
    let hub = county.hub;
    let say = |county: &mut County, half: &str, undo: bool| {
        let note = AbsenceNote {
            undo,
            ..absent(ROOMS[2].1, half, "2026-11-18")
        };
        county.world.command(hub, Command::Report(Report::Absence(note)))
    };
    let away = |county: &mut County| {
        let told = report(county, hub, "2026-11", "");
        figure(&told, "cover")["whole"].clone()
    };
    assert_eq!(say(&mut county, "day", true).unwrap_err().code, "not_noted");
    say(&mut county, "day", false).unwrap();
    assert_eq!(away(&mut county), json!(2));
    let undone = say(&mut county, "pm", true).unwrap();
    assert_eq!((&undone["half_days"], &undone["undone"]), (&json!(1), &json!(true)));
    assert_eq!(away(&mut county), json!(1));
    assert_eq!(say(&mut county, "pm", true).unwrap_err().code, "not_noted");
    assert_eq!(
        say(&mut county, "day", true).unwrap()["half_days"],
        json!(1),
        "what is left of the day"
    );
    assert_eq!(away(&mut county), json!(0));
    // The clock is set back, and the word that was said last is the last all the same.
    county.world.set_skew(hub, LATER_MS - 3_600_000);
    say(&mut county, "am", false).unwrap();
    assert_eq!(away(&mut county), json!(1));
    county.world.run(hub, Command::Reindex);
    assert_eq!(away(&mut county), json!(1));
    assert_eq!(county.world.run(hub, Command::Verify)["clean"], true);
}
