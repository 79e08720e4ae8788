//! Deadlines (限时办结) against the published calendar. `deadline_cases.tsv` was counted by another program from the same table.

use std::collections::BTreeSet;

use cunlian_ledger::calendar::Calendar;
use cunlian_ledger::day::Day;
use proptest::prelude::*;

const HOLIDAYS: &str = include_str!("../data/holidays.tsv");
const VECTORS: &str = include_str!("../data/deadline_vectors.tsv");
const CASES: &str = include_str!("../data/deadline_cases.tsv");

fn calendar() -> Calendar {
    Calendar::from_tsv(HOLIDAYS).expect("the published table reads")
}

fn day(text: &str) -> Day {
    Day::parse(text).expect("a date")
}

fn check(table: &str) -> usize {
    let calendar = calendar();
    let mut checked = 0;
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let due = calendar.due(day(cells[0]), cells[1].parse().expect("a number"), &[]);
        assert_eq!((due.on, due.provisional), (day(cells[2]), false), "{row}");
        checked += 1;
    }
    checked
}

#[test]
fn sixty_deadlines_fall_on_the_day_a_calendar_on_the_wall_gives() {
    assert_eq!(check(CASES), 60);
}

#[test]
fn every_vector_of_the_county_holds() {
    assert_eq!(check(VECTORS), 5);
}

#[test]
fn weekends_and_holidays_do_not_count_and_make_up_workdays_do() {
    let calendar = calendar();
    assert!(!calendar.is_workday(day("2026-10-01")), "a holiday on a Thursday");
    assert!(calendar.is_workday(day("2026-10-10")), "a Saturday worked in lieu");
    assert!(!calendar.is_workday(day("2026-10-17")) && calendar.is_workday(day("2026-10-16")));
    assert_eq!(calendar.due(day("2026-09-30"), 1, &[]).on, day("2026-10-08"));
    assert_eq!(
        calendar.due(day("2026-09-30"), 0, &[]).on,
        day("2026-09-30"),
        "done on the spot"
    );
}

#[test]
fn suspended_workdays_push_a_deadline_out() {
    let calendar = calendar();
    let accepted = day("2026-10-12");
    assert_eq!(calendar.due(accepted, 5, &[]).on, day("2026-10-19"));
    // The clock stops on Wednesday and goes on the Friday: two workdays are not counted.
    let week = [(day("2026-10-14"), Some(day("2026-10-16")))];
    assert_eq!(calendar.due(accepted, 5, &week).on, day("2026-10-21"));
    // A weekend inside costs nothing more, one resumed on the day it was suspended costs nothing.
    let weekend = [(day("2026-10-16"), Some(day("2026-10-19")))];
    assert_eq!(calendar.due(accepted, 5, &weekend).on, day("2026-10-20"));
    assert_eq!(
        calendar
            .due(accepted, 5, &[(day("2026-10-14"), Some(day("2026-10-14")))])
            .on,
        day("2026-10-19")
    );
    // Overlapping spans stop the same day once; two apart add up.
    let overlapping = [week[0], (day("2026-10-15"), Some(day("2026-10-16")))];
    assert_eq!(calendar.due(accepted, 5, &overlapping).on, day("2026-10-21"));
    let twice = [week[0], (day("2026-10-20"), Some(day("2026-10-21")))];
    assert_eq!(calendar.due(accepted, 5, &twice).on, day("2026-10-22"));
}

#[test]
fn a_clock_that_still_stands_gives_a_provisional_deadline() {
    let due = calendar().due(day("2026-10-12"), 5, &[(day("2026-10-14"), None)]);
    assert!(due.provisional);
    assert_eq!(due.on, day("2026-10-19"));
}

#[test]
fn a_deadline_beyond_the_published_calendar_is_provisional() {
    let calendar = calendar();
    assert!(calendar.covers(day("2026-12-31")) && !calendar.covers(day("2027-01-01")));
    assert!(!calendar.due(day("2026-12-30"), 1, &[]).provisional);
    let due = calendar.due(day("2026-12-30"), 3, &[]);
    assert_eq!(
        (due.on, due.provisional),
        (day("2027-01-04"), true),
        "weekends alone decide"
    );
    assert!(calendar.due(day("2023-12-28"), 1, &[]).provisional);
    assert!(Calendar::default().due(day("2026-10-12"), 1, &[]).provisional);
}

#[test]
fn a_suspension_without_end_in_sight_costs_no_endless_count() {
    let until = Day::from_ymd(2199, 12, 31);
    let due = calendar().due(day("2026-10-12"), 5, &[(day("2026-10-13"), until)]);
    assert!(due.provisional);
    assert!(calendar().due(day("2026-10-12"), u32::MAX, &[]).provisional);
}

#[test]
fn a_fault_in_the_calendar_is_told_with_its_line() {
    let fault = |rows: &str| Calendar::from_tsv(&format!("date\tkind\n{rows}")).expect_err("refused");
    assert_eq!(fault("2026-10-01\toff\n2026-13-01\toff\n").line, 3);
    assert_eq!(fault("2026-10-01\tholiday\n").line, 2);
    assert_eq!(fault("2026-10-01\toff\n2026-10-01\toff\n").line, 3);
    assert_eq!(fault("2026-10-12\tmakeup_work\n").line, 2);
    let gap = fault("2024-10-01\toff\n2026-10-01\toff\n");
    assert!(gap.to_string().contains("缺少 2025 年"), "{gap}");
}

proptest! {
    #[test]
    fn the_due_day_is_the_nth_workday_and_counting_back_agrees(start in 19_723i32..20_800, workdays in 0u32..300) {
        let calendar = calendar();
        let accepted = day("1970-01-01").plus(start);
        let due = calendar.due(accepted, workdays, &[]);
        prop_assert!(workdays == 0 || calendar.is_workday(due.on));
        prop_assert_eq!(calendar.workdays_between(accepted, due.on), workdays);
        prop_assert_eq!(calendar.workdays_between(due.on, accepted), 0);
    }

    #[test]
    fn workdays_between_two_days_are_those_one_counts_on_fingers(a in 19_700i32..21_000, length in 0i32..900) {
        let calendar = calendar();
        let from = day("1970-01-01").plus(a);
        let counted = (1..=length).filter(|n| calendar.is_workday(from.plus(*n))).count();
        prop_assert_eq!(calendar.workdays_between(from, from.plus(length)) as usize, counted);
    }

    #[test]
    fn a_suspension_never_brings_a_deadline_forward(start in 0i32..700, at in 0i32..60, length in 0i32..40, workdays in 0u32..60) {
        let calendar = calendar();
        let accepted = day("2024-01-02").plus(start);
        let span = (accepted.plus(at), Some(accepted.plus(at + length)));
        prop_assert!(calendar.due(accepted, workdays, &[span]).on >= calendar.due(accepted, workdays, &[]).on);
    }

    #[test]
    fn no_text_makes_the_table_reader_panic(text in "(date\tkind\n)?[0-9a-z\t\n\r-]{0,80}") {
        let days: BTreeSet<Day> = Calendar::from_tsv(&text).map(|c| c.off).unwrap_or_default();
        prop_assert!(days.len() < 80);
    }
}
