//! Five workdays without an answer.

use super::*;

fn application_form() -> Value {
    Value::List(vec!["申请表".to_owned()])
}

/// As of which day the case counts as accepted, and whether that is because nobody said a word.
fn accepted(room: &Held, ended_on: Option<Day>, today: u32) -> Option<(Day, bool)> {
    let folded = room.fold();
    let replies = Replies {
        received_on: folded.received_on,
        noticed_on: folded.notices.iter().map(|n| n.on).min(),
        accepted_on: folded.accepted_on,
        ended_on,
        waits: Replies::waits_in(&folded.state),
    };
    let today = Day::from_ymd(2026, 10, today).unwrap();
    let found = replies.acceptance(&crate::calendar::Calendar::default(), today);
    found.map(|a| (a.on, a.deemed))
}

#[test]
fn not_told_within_five_workdays_counts_as_accepted() {
    let mut room = Held::open(ROOM, "AGENT");
    let day = |d: u32| Day::from_ymd(2026, 10, d).unwrap();
    assert_eq!(accepted(&room, None, 16), None, "the fifth workday itself");
    assert_eq!(accepted(&room, None, 19), Some((day(9), true)));
    room.event(ROOM, NewEvent::new("ask", day(12)).with("items", application_form()));
    assert_eq!(accepted(&room, None, 30), None, "told in time");
}

#[test]
fn what_comes_after_five_workdays_of_silence_takes_the_day_of_receipt_from_nobody() {
    let day = |d: u32| Day::from_ymd(2026, 10, d).unwrap();
    let room = Held::open(ROOM, "AGENT");
    let then = |kind: &str, on: u32| {
        let mut later = room.clone();
        let mut event = NewEvent::new(kind, day(on));
        if kind == "ask" {
            event = event.with("items", application_form());
        }
        later.event(TOWN, event);
        later
    };
    assert_eq!(
        accepted(&then("accept", 16), None, 30),
        Some((day(16), false)),
        "in time"
    );
    assert_eq!(accepted(&then("accept", 19), None, 30), Some((day(9), true)));
    assert_eq!(accepted(&then("ask", 19), None, 30), Some((day(9), true)));
    assert_eq!(accepted(&then("return", 19), Some(day(19)), 30), Some((day(9), true)));
    assert_eq!(
        accepted(&then("return", 13), Some(day(13)), 30),
        None,
        "answered in time"
    );
}
