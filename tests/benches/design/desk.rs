//! The clerk's page of a room after five years: how long each page takes with 15,000 cases in the book, and what the process holds.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cunlian_tests::api::Api;
use ledger::day::Day;
use serde_json::{Value, json};

use crate::Length;
use crate::county::{County, open_real};
use crate::machine::{Clock, percentile, rss_bytes};
use crate::made::{Shape, fill_with, working};
use crate::node::{CASES, Node, target_dir};
use crate::table::{Row, Table, Target, Unit};
use crate::visitor::{TOKEN, Visitor, address, between, timed, took};

const PIN: &str = "274951";
/// Requests of each page.
const ASKED: usize = 200;
/// Cases of the last days: market days of fifty; a hundred of them are open.
const RECENT: usize = 250;
const RECENT_DAYS: usize = 5;

pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    let clock = Clock::start();
    let county = County::found(1, clock)?;
    let dir = five_years(&county, clock)?;
    let data = dir.path().join("room");

    let began = Instant::now();
    let (node, _) = Node::start_with(&data, "127.0.0.1:0")?;
    let addr = address(&data)?;
    let (_, first) = timed(addr, "GET", "/login", "", "")?;
    let first_page = began.elapsed();
    ensure!(first.contains("PIN") || first.contains("/enrol"), "no page to sign in");
    let mut api = Api::connect(&data)?;
    let ask = |api: &mut Api, what: Value| api.ask(&what).map_err(|e| anyhow::anyhow!("{what}: {e:?}"));
    let people = ask(&mut api, json!({"command": "user_list"}))?;
    let id = people[0]["id"].as_str().context("nobody works here")?.to_owned();
    let visitor = sign_in(addr, &id, &county.code)?;
    let listed = ask(&mut api, json!({"command": "case_list", "limit": ASKED}))?;
    let numbers: Vec<String> = listed
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|c| c["project_no"].as_str().map(str::to_owned))
        .collect();
    ensure!(!numbers.is_empty(), "no cases");

    let mut push = |what: &str, mut took: Vec<Duration>| {
        let (p50, p95) = (percentile(&mut took, 0.5), percentile(&mut took, 0.95));
        let ms = p95.as_secs_f64() * 1e3;
        let row = Row::new(format!("desk with 15,000 cases: {what}, p95"), Unit::Millis, ms);
        table.push(row.floor(p50.as_secs_f64() * 1e3).target(Target::AtMost(50.0)));
    };
    let case = |at: usize| format!("/case/{}", numbers[at % numbers.len()]);
    push("Today", visitor.pages(ASKED, |_| "/".to_owned())?);
    push("case page", visitor.pages(ASKED, case)?);
    push("日结", visitor.pages(ASKED, |_| "/day".to_owned())?);
    // Of cases that have a receipt to print: all of them.
    push("a paper", visitor.papers(|at| numbers[at % numbers.len()].as_str())?);
    // The first search opens every name once; it is timed with the others.
    let words = ["%E5%BC%A0", "%E6%9D%8E", "B23", &numbers[0], &numbers[0][10..]];
    push("search", visitor.searches(&words)?);

    let mb = rss_bytes(node.id())? as f64 / 1e6;
    table.push(Row::new("desk with 15,000 cases: RSS", Unit::Mebibytes, mb).target(Target::AtMost(60.0)));
    let row = Row::new(
        "desk with 15,000 cases: first page after",
        Unit::Millis,
        first_page.as_secs_f64() * 1e3,
    );
    table.push(row.target(Target::AtMost(1_000.0)));
    table.note(
        "desk: whole requests over loopback, a connection each; the floor column is the median of the same requests.",
    );
    node.stop(&data)
}

/// A folder with the journal and the index of five years.
fn five_years(county: &County, clock: Clock) -> Result<tempfile::TempDir> {
    let room = county.rooms.first().context("no room")?.copy();
    let book = working(CASES, RECENT, RECENT_DAYS, Day::of_wall_ms(clock.now().wall_ms))?;
    fill_with(&room, county.catalogue, &book, Shape::Typed)?;
    let dir = tempfile::tempdir_in(target_dir())?;
    let data = dir.path().join("room");
    room.folder.put(&data)?;
    let mut office = open_real(&data, clock)?;
    while office.apply(clock.now(), net::limits::APPLY_IDLE)? > 0 {}
    office.rest(clock.now())?;
    Ok(dir)
}

fn sign_in(addr: SocketAddr, id: &str, code: &str) -> Result<Visitor> {
    let (_, page) = timed(addr, "GET", "/login", "", "")?;
    let mut visitor = Visitor {
        addr,
        cookie: between(&page, "set-cookie: ", ';')?.to_owned(),
        token: between(&page, TOKEN, '&')?.to_owned(),
    };
    let form = format!("who={id}&code={code}&pin={PIN}&again={PIN}");
    let (_, answer) = visitor.post("/enrol", &form)?;
    visitor.cookie = between(&answer, "set-cookie: ", ';')?.to_owned();
    let (_, page) = visitor.get("/")?;
    visitor.token = between(&page, TOKEN, '&')?.to_owned();
    Ok(visitor)
}

/// What a desk is asked for besides.
impl Visitor {
    /// Receipts, as they are looked at before they are printed.
    fn papers<'n>(&self, number: impl Fn(usize) -> &'n str) -> Result<Vec<Duration>> {
        let one = |at: usize| {
            let case = format!("/case/{}", number(at));
            let (asked, answer) = self.post(&format!("{case}/print"), "paper=receipt&width=a4")?;
            ensure!(answer.starts_with("HTTP/1.1 303"), "the paper was not made");
            Ok(asked + took(self.get(&format!("{case}/paper"))?)?)
        };
        (0..ASKED).map(one).collect()
    }

    /// What is typed, and the page with what was found.
    fn searches(&self, words: &[&str]) -> Result<Vec<Duration>> {
        let one = |at: usize| {
            let (asked, answer) = self.post("/search", &format!("text={}", words[at % words.len()]))?;
            ensure!(answer.starts_with("HTTP/1.1 303"), "the search was not taken");
            Ok(asked + took(self.get("/search")?)?)
        };
        (0..ASKED).map(one).collect()
    }
}
