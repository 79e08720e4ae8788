//! What machines that watch read of a real hub: every figure by its name while a room's entries are on a thin line, and never a person.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cunlian_tests::county::{County, PlaceId};
use serde_json::Value;

use crate::bad_lines::record_many;
use crate::rig::{Line, PATIENCE, ROOM, ask, cert_no, numbers};

/// What must have a sample while a room waits with something: the names of the console's design, word for word.
const DEMANDED: &[&str] = &[
    "cunlian_build_info",
    "cunlian_conflicts_open",
    "cunlian_ingest_entries_total",
    "cunlian_journal_bytes",
    "cunlian_node_clock_skew_seconds",
    "cunlian_node_disk_free_bytes",
    "cunlian_node_last_seen_timestamp_seconds",
    "cunlian_node_oldest_pending_seconds",
    "cunlian_node_pending_entries",
    "cunlian_quarantined_records",
    "cunlian_sync_duration_seconds_bucket",
    "cunlian_sync_duration_seconds_count",
    "cunlian_sync_duration_seconds_sum",
    "cunlian_sync_failures_total",
];
const CASES: u32 = 150;

/// One line of a scrape.
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

fn samples(text: &str) -> Vec<Sample> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(sample).collect()
}

fn sample(line: &str) -> Sample {
    let (what, value) = line.rsplit_once(' ').expect("a value");
    let (name, labels) = what.split_once('{').unwrap_or((what, "}"));
    Sample {
        name: name.to_owned(),
        labels: labelled(labels.trim_end_matches('}')),
        value: value.parse().expect("a number"),
    }
}

/// `a="1", b=~"2"` as pairs.
fn labelled(text: &str) -> BTreeMap<String, String> {
    let mut parts = text.split('"');
    let mut pairs = BTreeMap::new();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        let name = name.trim_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        pairs.insert(name.to_owned(), value.to_owned());
    }
    pairs
}

fn get(county: &County, at: PlaceId, path: &str) -> (u16, String) {
    let addr = fs::read_to_string(county[at].data().join("metrics")).expect("where metrics are");
    let mut stream = TcpStream::connect(addr.trim()).expect("the listener");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    (status, body.to_owned())
}

/// Scrapes until it is so.
fn scraped(county: &County, at: PlaceId, is_so: impl Fn(&[Sample]) -> bool) -> String {
    let began = Instant::now();
    loop {
        let (status, text) = get(county, at, "/metrics");
        assert_eq!(status, 200, "{text}");
        if is_so(&samples(&text)) {
            return text;
        }
        assert!(began.elapsed() < PATIENCE, "{text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The figure of the one room.
fn of_room(samples: &[Sample], name: &str) -> Option<f64> {
    let of = |s: &&Sample| s.name == name && s.labels.get("unit").is_some_and(|unit| unit.starts_with(ROOM));
    samples.iter().find(of).map(|s| s.value)
}

fn checked_by_promtool(text: &str) {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is missing: tests/run installs Debian's package `prometheus`");
    let mut input = child.stdin.take().expect("an input");
    input.write_all(text.as_bytes()).expect("written");
    drop(input);
    let done = child.wait_with_output().expect("it ends");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success(), "{said}\n{text}");
}

fn ops() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../hub/ops")
}

fn names_no_person(line: &Line, samples: &[Sample]) {
    let mut private: BTreeSet<String> = (0..CASES).map(cert_no).collect();
    private.extend(numbers(&line.county, line.room));
    private.extend(["王小明", "13800138000", "三组"].map(str::to_owned));
    assert!(private.len() > 2 * CASES as usize);
    let known = ["unit", "device", "state", "rule", "reason", "le", "version", "tier"];
    for Sample { name, labels, .. } in samples {
        for (label, value) in labels {
            assert!(known.contains(&label.as_str()), "{name} has a label {label}");
            assert!(
                value.is_ascii() && !private.iter().any(|word| value.contains(word.as_str())),
                "{name}: {label}={value}"
            );
        }
    }
}

/// What a scrape tells: each name with its labels, and those that Prometheus adds.
fn told(samples: &[Sample]) -> BTreeMap<String, BTreeSet<String>> {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sample in samples {
        let labels = told.entry(sample.name.clone()).or_default();
        labels.extend(sample.labels.keys().cloned());
        labels.extend(["job", "instance"].map(str::to_owned));
    }
    told
}

/// Series that an expression speaks of: name and what stands in its braces.
fn series(expr: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut found = Vec::new();
    for (at, _) in expr.match_indices("cunlian_") {
        let rest = &expr[at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        let inner = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        found.push((name.to_owned(), labelled(inner.map_or("", |(inner, _)| inner))));
    }
    found
}

/// Every series and label of an expression and of the words beside it is told.
fn speaks_of_what_is_told(expr: &str, words: &str, told: &BTreeMap<String, BTreeSet<String>>) -> usize {
    let series = series(expr);
    let mut labels: BTreeSet<&str> = BTreeSet::new();
    for (mark, end) in [("by (", ')'), ("on(", ')')] {
        let groups = expr.split(mark).skip(1).filter_map(|rest| rest.split(end).next());
        labels.extend(groups.flat_map(|group| group.split(',').map(str::trim)));
    }
    for (mark, end) in [("$labels.", ' '), ("{{", '}')] {
        let used = words.split(mark).skip(1).filter_map(|rest| rest.split(end).next());
        labels.extend(used.map(str::trim).filter(|word| !word.starts_with('$')));
    }
    for (name, within) in &series {
        let known = told.get(name).unwrap_or_else(|| panic!("{name} is not told: {expr}"));
        let named = labels.iter().copied().chain(within.keys().map(String::as_str));
        named.for_each(|label| assert!(known.contains(label), "{name} has no label {label}: {expr} {words}"));
    }
    series.len()
}

fn rules_and_dashboard_speak_of_what_is_told(told: &BTreeMap<String, BTreeSet<String>>) {
    let rules = fs::read_to_string(ops().join("alerts.rules.yml")).expect("rules");
    let mut spoken = 0;
    for rule in rules.split("- alert:").skip(1) {
        let expr = rule.lines().find_map(|line| line.trim().strip_prefix("expr: "));
        spoken += speaks_of_what_is_told(expr.expect("an expression"), rule, told);
    }
    let dashboard = fs::read_to_string(ops().join("dashboard.json")).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = |key: &str| target[key].as_str().unwrap_or_default().to_owned();
            spoken += speaks_of_what_is_told(&text("expr"), &text("legendFormat"), told);
        }
    }
    let tests = fs::read_to_string(ops().join("alerts.test.yml")).expect("tests of rules");
    for line in tests.lines().filter_map(|line| line.trim().strip_prefix("- series: ")) {
        spoken += speaks_of_what_is_told(line, "", told);
    }
    assert!(spoken > 30, "only {spoken} series were found");
}

/// Every rule is seen quiet, firing, and quiet again.
fn every_rule_is_seen_firing_and_clearing() {
    let rules = fs::read_to_string(ops().join("alerts.rules.yml")).expect("rules");
    let tests = fs::read_to_string(ops().join("alerts.test.yml")).expect("tests of rules");
    for rule in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let mark = format!("alertname: {rule}\n");
        let seen = tests.split(mark.as_str()).skip(1);
        let fires: Vec<bool> = seen
            .map(|rest| !rest.trim_start().starts_with("exp_alerts: []"))
            .collect();
        assert!(
            fires.first() == Some(&false) && fires.last() == Some(&false) && fires.contains(&true),
            "{rule}: {fires:?}"
        );
    }
}

fn what_is_told_is_written_down(line: &Line, text: &str) {
    let written = fs::read_to_string(ops().join("README.md")).expect("hub/ops/README.md");
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = name.split(' ').next().unwrap_or_default();
        assert!(written.contains(&format!("`{name}`")), "{name} is not written down");
    }
    let (status, body) = get(&line.county, line.township, "/api/v1/status");
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let told: BTreeSet<&str> = body
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let (_, table) = written.split_once("## Status").expect("the table of the status");
    let keys = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let keys: BTreeSet<&str> = keys.filter_map(|line| line.split('`').next()).collect();
    assert_eq!(told, keys);
}

#[test]
fn a_hub_tells_every_figure_while_a_room_waits_and_rules_speak_of_nothing_else() {
    let mut line = Line::found();
    let at = line.township;
    line.county[at].stop().expect("it stops");
    let config = line.county[at].data().join("config.toml");
    fs::write(config, "metrics = \"127.0.0.1:0\"\n").expect("a setting");
    line.county.start(at).expect("it starts");
    line.settle();
    // A day's work while the line is down; then a line on which it takes its time. The room begins anew, or a short cut would be
    // outlived by the connection, and what waits would be told behind the entries that wait.
    line.county.cut(line.room);
    record_many(&line.county, line.room, CASES);
    line.county[line.room].stop().expect("it stops");
    let relay = line.county.relay(line.room, at).expect("a line");
    relay.change(|up, _| up.bytes_per_s = Some(3_000));
    line.county.heal(line.room);
    line.county.start(line.room).expect("it starts");
    let waits = |samples: &[Sample]| {
        let figure = |name: &str| of_room(samples, name).unwrap_or(0.0);
        figure("cunlian_node_pending_entries") > 0.0 && figure("cunlian_node_oldest_pending_seconds") > 0.0
    };
    let text = scraped(&line.county, at, waits);
    checked_by_promtool(&text);
    let read = samples(&text);
    let told = told(&read);
    for name in DEMANDED {
        assert!(told.contains_key(*name), "{name} has no sample in\n{text}");
    }
    names_no_person(&line, &read);
    // The line is a good one again: nothing waits, and that is told too.
    line.county
        .relay(line.room, at)
        .expect("a line")
        .change(|up, _| up.bytes_per_s = None);
    let none_waits = |samples: &[Sample]| {
        let none = |name: &str| of_room(samples, name) == Some(0.0);
        // The size of its disk comes with the room's own next report.
        none("cunlian_node_pending_entries")
            && none("cunlian_node_oldest_pending_seconds")
            && of_room(samples, "cunlian_node_disk_size_bytes").is_some()
    };
    let text = scraped(&line.county, at, none_waits);
    checked_by_promtool(&text);
    let read = samples(&text);
    names_no_person(&line, &read);
    rules_and_dashboard_speak_of_what_is_told(&self::told(&read));
    every_rule_is_seen_firing_and_clearing();
    what_is_told_is_written_down(&line, &text);
    a_pc_that_was_taken_out_is_told_no_more(&line);
}

/// 换电脑: or the rule for silent rooms would fire for the old PC for ever.
fn a_pc_that_was_taken_out_is_told_no_more(line: &Line) {
    let rooms = ask(&line.county, line.township, &["rooms"]);
    let rooms = rooms.as_array().expect("a list").iter();
    let device = rooms.filter_map(|room| room["device"].as_str()).next().expect("a PC");
    let revoke = ["member", "revoke", device, "--reason", "电脑丢失"];
    ask(&line.county, line.township, &revoke);
    let is_gone = |samples: &[Sample]| {
        let of_it = |s: &Sample| s.labels.get("device").is_some_and(|of| device.starts_with(of.as_str()));
        let is_counted = |s: &Sample| s.name == "cunlian_rooms" && s.labels["state"] == "revoked" && s.value == 1.0;
        !samples.iter().any(of_it) && samples.iter().any(is_counted)
    };
    checked_by_promtool(&scraped(&line.county, line.township, is_gone));
}
