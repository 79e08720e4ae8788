//! How this machine is: travelled or not, whom it meets, what waits for somebody. And whether all is sound.

use serde_json::Value;

use super::layout::{Table, bytes, line, moment, pad, span};
use super::read::{all, count, is, number, short, text, texts};
use super::{Screen, rooms};
use crate::config::Kind;
use crate::words;

/// Peers named one by one; a hub with more says how many.
const PEERS_SHOWN: usize = 6;
/// Lines about one kind of trouble.
const TOLD_MAX: usize = 5;
/// Labels of the lines; further lines stand under the first.
const LABEL_WIDTH: usize = 10;

pub(super) fn status(value: &Value, screen: Screen) -> String {
    let mut first = vec![line(&format!("{}（{}）", text(value, "name"), text(value, "unit")))];
    first.push(words::tier(text(value, "tier")).to_owned());
    first.push(words::device(short(value, "device")));
    if !text(value, "node_code").is_empty() {
        first.push(words::code_range(&line(text(value, "node_code"))));
    }
    let mut out = format!("{}\n", first.join("  "));
    for (holds, said) in [
        (is_revoked(value), words::REVOKED_HERE),
        (!is(value, "member") && !is_revoked(value), words::NOT_A_MEMBER),
        (!is(value, "settled") && is(value, "member"), words::NOT_SETTLED),
    ] {
        if holds {
            out.push_str(&format!("※ {said}\n"));
        }
    }
    if let Some(held) = value.get("held").and_then(Value::as_str) {
        out.push_str(&format!("※ {}\n", line(held)));
    }
    if let Some(passphrase) = value
        .get("passphrase")
        .map(|p| text(p, "message"))
        .filter(|m| !m.is_empty())
    {
        out.push_str(&format!("※ {}\n", line(passphrase)));
    }
    out.push('\n');
    block(&mut out, words::LABEL_TRAVEL, &[travel(value)]);
    block(&mut out, words::LABEL_LINE, &peers(value, screen));
    block(&mut out, words::LABEL_CASES, &[books(value)]);
    block(&mut out, words::LABEL_DISK, &[disk(value)]);
    block(&mut out, words::LABEL_CLOCK, &clock(value));
    block(&mut out, words::LABEL_SOFTWARE, &[line(text(value, "version"))]);
    block(&mut out, words::LABEL_TO_SEE_TO, &to_see_to(value));
    out
}

/// The statement itself may never come here: a revoked device is told nothing more than that it is one.
fn is_revoked(value: &Value) -> bool {
    let mut away = all(value, "turned_away").iter();
    is(value, "revoked") || away.any(|one| text(one, "reason") == "revoked")
}

/// Lines under one label.
fn block(out: &mut String, label: &str, lines: &[String]) {
    for (at, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
        let label = if at == 0 { label } else { "" };
        out.push_str(&format!("{}{line}\n", pad(label, LABEL_WIDTH)));
    }
}

fn travel(value: &Value) -> String {
    let pending = value.get("pending").unwrap_or(&Value::Null);
    // What the township has may still have to reach the county: both are said, each for itself.
    let (township, county) = match text(value, "tier") {
        "county" => (0, 0),
        "township" => (0, count(pending, "county")),
        _ => (count(pending, "township"), count(pending, "county")),
    };
    if township == 0 && county == 0 {
        return if text(value, "tier") == "county" {
            String::new()
        } else {
            words::ALL_SENT.to_owned()
        };
    }
    let oldest = number(value, "oldest_pending_s")
        .filter(|s| *s > 0)
        .map_or_else(String::new, span);
    words::pending(township, county, &oldest)
}

fn peers(value: &Value, screen: Screen) -> Vec<String> {
    let peers = all(value, "peers");
    if peers.is_empty() {
        let said = match (screen.kind, text(value, "tier")) {
            (Kind::Hub, "county") => words::NONE_ONLINE,
            _ => words::NO_LINE,
        };
        return vec![said.to_owned()];
    }
    let connected = peers.iter().filter(|peer| is(peer, "connected")).count();
    let mut shown: Vec<&Value> = peers.iter().collect();
    let mut lines = Vec::new();
    if peers.len() > PEERS_SHOWN {
        lines.push(words::peers_total(connected, peers.len() - connected));
        // The way up is what everything else depends on.
        shown.retain(|peer| is(peer, "dialled"));
        shown.truncate(PEERS_SHOWN);
    }
    let mut table = Table::new(&["", "", "", "", "", ""]);
    for peer in shown {
        let connected = is(peer, "connected");
        let state = match (connected, text(peer, "session")) {
            (true, "") => words::CONNECTED.to_owned(),
            (true, session) => line(words::session(session)),
            (false, _) => words::CUT_OFF.to_owned(),
        };
        let how = if connected {
            number(peer, "rtt_ms").map_or_else(String::new, words::round_trip)
        } else {
            number(peer, "last_seen_s").map_or_else(String::new, |s| words::last_seen(&span(s)))
        };
        table.row([
            if connected { words::TICK } else { words::CROSS }.to_owned(),
            line(&format!("{} {}", text(peer, "unit_name"), text(peer, "unit"))),
            words::device(short(peer, "device")),
            state,
            how,
            clock_of(peer),
        ]);
    }
    lines.extend(table.text(screen.ink).lines().map(str::to_owned));
    lines
}

fn clock_of(peer: &Value) -> String {
    match rooms::clock_off(number(peer, "skew_ms")) {
        off if off.is_empty() => off,
        off => format!("{}{off}", words::LABEL_CLOCK),
    }
}

/// Said when every peer, and more than one or the only one, disagrees with our clock.
fn clock(value: &Value) -> Vec<String> {
    let skews: Vec<i64> = all(value, "peers")
        .iter()
        .filter_map(|peer| number(peer, "skew_ms"))
        .collect();
    let off = !skews.is_empty() && skews.iter().all(|ms| !rooms::clock_off(Some(*ms)).is_empty());
    if off {
        vec![words::CLOCK_CHECK.to_owned()]
    } else {
        Vec::new()
    }
}

fn books(value: &Value) -> String {
    let books: Vec<&Value> = all(value, "scopes")
        .iter()
        .filter(|scope| text(scope, "kind") == "book")
        .collect();
    let cases = books.iter().map(|book| count(book, "records")).sum();
    let size = value
        .get("journal")
        .and_then(|journal| number(journal, "bytes"))
        .unwrap_or(0);
    words::books(cases, books.len(), &bytes(size))
}

fn disk(value: &Value) -> String {
    let disk = value.get("disk").unwrap_or(&Value::Null);
    match (text(disk, "state"), text(disk, "message")) {
        ("writable", _) => words::DISK_FINE.to_owned(),
        (_, "") => words::DISK_BAD.to_owned(),
        (_, message) => line(message),
    }
}

/// What waits for somebody; nothing at all when nothing does.
fn to_see_to(value: &Value) -> Vec<String> {
    let opened = value.get("opened").unwrap_or(&Value::Null);
    let mut lines = Vec::new();
    for (many, said) in [
        (count(value, "conflicts"), words::see_to_conflicts as fn(u64) -> String),
        (count(value, "quarantined"), words::see_to_quarantine),
        (count(value, "waiting"), words::see_to_waiting),
        (count(opened, "damaged"), words::see_to_damaged),
        (count(value, "upgrade_needed"), words::see_to_upgrade),
    ] {
        if many > 0 {
            lines.push(said(many));
        }
    }
    let forked: Vec<&str> = all(value, "forked").iter().map(|fork| short(fork, "device")).collect();
    if !forked.is_empty() {
        lines.push(words::see_to_forks(&forked[..forked.len().min(TOLD_MAX)].join("、")));
    }
    for unit in all(value, "too_long").iter().filter_map(Value::as_str).take(TOLD_MAX) {
        lines.push(words::see_to_too_long(&line(unit)));
    }
    for away in all(value, "turned_away").iter().take(TOLD_MAX) {
        let at = number(away, "at_ms").map_or_else(String::new, moment);
        lines.push(words::turned_away(
            &line(text(away, "unit")),
            words::bye(text(away, "reason")),
            &at,
        ));
    }
    for log in not_taken(value).take(TOLD_MAX) {
        lines.push(words::not_taken_line(
            short(log, "device"),
            words::not_taken(text(log, "reason")),
        ));
    }
    for back in all(value, "withdrawn").iter().take(TOLD_MAX) {
        let at = number(back, "at_ms").map_or_else(String::new, moment);
        lines.push(words::withdrawn_line(&line(text(back, "unit")), &at));
    }
    if count(opened, "torn") > 0 {
        lines.push(words::DISK_TORN.to_owned());
    }
    if !text(opened, "rebuilt").is_empty() || is(opened, "rebuilt") {
        lines.push(words::rebuilt(&line(text(opened, "rebuilt"))));
    }
    lines
}

/// What peers did not take and will not take by themselves: an author unknown to a newcomer is known a moment later.
fn not_taken(value: &Value) -> impl Iterator<Item = &Value> {
    all(value, "refused")
        .iter()
        .filter(|log| text(log, "reason") != "AuthorUnknown")
}

pub(super) fn verified(value: &Value) -> String {
    let sound = is(value, "clean");
    let mut out = format!("{}\n", if sound { words::SOUND } else { words::UNSOUND });
    for fault in texts(value, "faults") {
        out.push_str(&format!("  {}\n", line(fault)));
    }
    for remark in texts(value, "remarks") {
        out.push_str(&format!("  {}\n", line(remark)));
    }
    let size = bytes(number(value, "bytes").unwrap_or(0));
    let read = words::verified(count(value, "entries"), count(value, "records"), &size);
    out.push_str(&format!("{read}\n"));
    if count(value, "healed") > 0 {
        out.push_str(&format!("{}\n", words::healed(count(value, "healed"))));
    }
    if !sound {
        out.push_str(&format!("{}\n", words::UNSOUND_NEXT));
    }
    out
}

pub(super) fn reindexed(value: &Value) -> String {
    format!("{}\n", words::reindexed(count(value, "entries")))
}
