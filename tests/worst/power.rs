//! The power goes at any moment of a real run: what was acknowledged is there, and work goes on.

use std::path::Path;

use cunlian_tests::power::points::Points;
use cunlian_tests::power::trace::Trace;
use cunlian_tests::power::{record, scratch};

/// Cut points of each recorded run.
const POINTS: u64 = 225;

fn survives(run: &str) {
    let seed = 1;
    let exe = Path::new(env!("CARGO_BIN_EXE_cunlian-prove"));
    let (text, trace) = record::record(exe, run, seed).unwrap_or_else(|error| panic!("{error:#}"));
    let points = Points::new(trace).expect("a run that promises something");
    println!(
        "run {run}, seed {seed}: {} lines to cut at, seeds 0..{POINTS}",
        points.lines()
    );
    let broken = broken(&points);
    if !broken.is_empty() {
        let kept = std::env::temp_dir().join(format!("cunlian-{run}.trace"));
        std::fs::write(&kept, text).expect("the trace is kept");
        panic!(
            "{} of {POINTS}; the trace is {}\n{}",
            broken.len(),
            kept.display(),
            broken.join("\n")
        );
    }
}

fn broken(points: &Points) -> Vec<String> {
    let cut = |seed| {
        let dir = tempfile::tempdir_in(scratch()).expect("a folder");
        let done = points.try_out(points.point(seed), dir.path());
        done.err().map(|error| format!("seed {seed}: {error:#}"))
    };
    (0..POINTS).filter_map(cut).collect()
}

/// The same cuts through a run whose disk was never told to sync must lose something: else they would find nothing in ours either.
#[test]
fn a_disk_that_was_never_told_to_sync_loses_what_was_said() {
    let exe = Path::new(env!("CARGO_BIN_EXE_cunlian-prove"));
    let (_, trace) = record::record(exe, "alone", 1).unwrap_or_else(|error| panic!("{error:#}"));
    loses(&trace, "the journal", |name| name.starts_with("journal-"));
    loses(&trace, "the folder", str::is_empty);
}

fn loses(trace: &Trace, what: &str, of: impl Fn(&str) -> bool) {
    let (never_synced, left_out) = trace.without_syncs(of);
    assert!(left_out > 0, "{what} was never synced in this run");
    let broken = broken(&Points::new(never_synced).expect("a run that promises something"));
    let is_lost = |told: &&String| told.contains("is not listed") || told.contains("has forgotten it");
    let lost = broken.iter().filter(is_lost).count();
    println!(
        "{left_out} syncs of {what} left out: {} of {POINTS} are red, {lost} of them for what is gone",
        broken.len()
    );
    assert!(
        lost > 0,
        "{what} is never synced, and nothing is lost:\n{}",
        broken.join("\n")
    );
}

#[test]
fn a_room_on_its_own_survives_a_power_cut_at_any_moment() {
    survives("alone");
}

#[test]
fn what_the_county_receipted_survives_a_power_cut_there() {
    survives("county");
}

#[test]
fn an_imported_day_book_survives_a_power_cut() {
    survives("import");
}

#[test]
fn a_power_cut_while_the_index_is_made_anew_loses_nothing() {
    survives("reindex");
}

#[test]
fn an_erased_key_does_not_come_back_by_a_power_cut() {
    survives("erase");
}

#[test]
fn a_power_cut_while_a_torn_end_is_mended_loses_nothing() {
    survives("torn");
}

#[test]
fn a_power_cut_after_a_failed_sync_loses_nothing_that_was_acknowledged() {
    survives("failing");
}

#[test]
fn a_power_cut_on_a_full_disk_loses_nothing_that_was_acknowledged() {
    survives("full");
}

#[test]
fn what_a_killed_process_left_in_the_page_cache_is_made_durable_before_it_is_built_on() {
    survives("killed");
}
