//! The inbox of a county with 300,000 cases, one in ten of them open: what the office takes, and the whole page.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use office::command::{Command, Inbox, UserAdd, Work};

use crate::Length;
use crate::county::{COUNTY, command};
use crate::machine::{percentile, rss_bytes};
use crate::node::Node;
use crate::report::Full;
use crate::table::{Row, Table, Target, Unit};
use crate::visitor::{Visitor, address};

const ASKED: usize = 40;
const ADMIN: &str = "qianmin";
/// A page that a person waits for.
const PAGE_MS: f64 = 500.0;

pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    let mut full = Full::county()?;
    let cases = full.cases;
    let all = || {
        Command::Work(Work::Inbox(Inbox {
            all: true,
            ..Inbox::default()
        }))
    };
    let mut took = Vec::new();
    let mut first = Duration::ZERO;
    for at in 0..=ASKED {
        let began = Instant::now();
        let told = command(&mut full.hub, full.clock, all())?;
        match at {
            0 => first = began.elapsed(),
            _ => took.push(began.elapsed()),
        }
        let open = told["counts"]["total"].as_u64().unwrap_or(0);
        ensure!(open > cases as u64 / 20, "{open} open cases of {cases}");
    }
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    let what = format!("inbox after a change, {cases} cases, office");
    table.push(Row::new(what, Unit::Millis, ms(first)).target(Target::AtMost(PAGE_MS)));
    push(table, &format!("inbox, {cases} cases, office"), took);
    let admin = UserAdd {
        unit: COUNTY.to_string(),
        name: ADMIN.to_owned(),
        role: "admin".to_owned(),
    };
    let code = command(&mut full.hub, full.clock, Command::UserAdd(admin))?;
    let code = code["code"].as_str().context("a code")?.to_owned();
    let (dir, data) = full.rest()?;
    let (hub, _) = Node::start_as("hub", &data, "127.0.0.1:0")?;
    let visitor = Visitor::at_console(address(&data)?, ADMIN, &code)?;
    push(
        table,
        &format!("inbox, {cases} cases, page"),
        visitor.pages(ASKED, |_| "/inbox?all=1".to_owned())?,
    );
    let mb = rss_bytes(hub.id())? as f64 / 1e6;
    let row = Row::new(format!("hub RSS after the inbox, {cases} cases"), Unit::Mebibytes, mb);
    table.push(row.target(Target::AtMost(600.0)));
    hub.stop(&data)?;
    drop(dir);
    Ok(())
}

fn push(table: &mut Table, what: &str, mut took: Vec<Duration>) {
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    let (p50, p95) = (percentile(&mut took, 0.5), percentile(&mut took, 0.95));
    let row = Row::new(format!("{what}, p95"), Unit::Millis, ms(p95));
    table.push(row.floor(ms(p50)).target(Target::AtMost(PAGE_MS)));
}
