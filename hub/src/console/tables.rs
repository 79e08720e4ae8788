//! 机构、事项、日历: the county's tables. A file is looked at first; what was looked at, and nothing else, is published.

mod file;

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use console::page::go;
use console::session::secret;
use console::{Problem, Visit};
use ledger::id::Hash;
use office::command::{Command, Table, TableShow, TableText, Tables};
use serde::{Deserialize, Serialize};

pub(super) use file::text_of;

use super::rights::{Right, Routes, may_act};
use super::{Console, texts as t, wall_ms};

/// Where a table's file is sent to; the guard lets more through there.
pub(super) const LOOKS: [&str; 3] = [
    "/tables/organisation/look",
    "/tables/catalogue/look",
    "/tables/calendar/look",
];
/// Rows on one page.
const ROWS_MAX: usize = 300;
/// What somebody looks at, behind the name of this look; the lock lets go of it.
const LOOKED: &str = "table";

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Publish, "/tables", start)
        .look(Right::Publish, "/tables/{table}", page)
        .act(Right::Publish, "/tables/{table}/look", look)
        .act(Right::Publish, "/tables/{table}/again", again)
        .act(Right::Publish, "/tables/{table}/publish", publish)
}

async fn start(Extension(visit): Extension<Visit>) -> Response {
    go(&visit, "/tables/organisation")
}

fn table_of(word: &str) -> Result<Table, Problem> {
    match word {
        "organisation" => Ok(Table::Organisation),
        "catalogue" => Ok(Table::Catalogue),
        "calendar" => Ok(Table::Calendar),
        _ => Err(Problem::not_found()),
    }
}

#[derive(Deserialize)]
struct Row {
    key: String,
    label: String,
    fields: serde_json::Map<String, serde_json::Value>,
}

impl Row {
    fn field(&self, name: &str) -> &str {
        self.fields
            .get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }
}

/// One of the versions that there were, and what it changed.
#[derive(Deserialize)]
struct Version {
    version: u32,
    hash: String,
    leads: bool,
    by: Option<String>,
    computer: Option<String>,
    at: Option<String>,
    on: Option<String>,
    /// None of the first.
    counts: Option<Counts>,
    #[serde(default)]
    added: Vec<Told>,
    #[serde(default)]
    removed: Vec<Told>,
    #[serde(default)]
    changed: Vec<Change>,
}

impl Version {
    fn what(&self) -> String {
        match &self.counts {
            Some(c) => t::difference(c.added, c.removed, c.changed, c.same),
            None => t::FIRST_VERSION.to_owned(),
        }
    }

    fn by(&self) -> &str {
        self.by.as_deref().unwrap_or(t::BY_DEVICE)
    }
}

/// A unit in the tree.
#[derive(Deserialize)]
struct Node {
    depth: usize,
    code: String,
    name: String,
    level: String,
    from: Option<String>,
    until: Option<String>,
    into: Option<String>,
    state: String,
}

impl Node {
    fn tag(&self) -> (&'static str, &'static str) {
        match self.state.as_str() {
            "ended" => ("grey", t::UNIT_ENDED),
            "to_come" => ("amber", t::UNIT_TO_COME),
            "to_end" => ("amber", t::UNIT_TO_END),
            _ => ("green", t::UNIT_STANDS),
        }
    }

    fn from(&self) -> &str {
        self.from.as_deref().unwrap_or("—")
    }

    fn until(&self) -> &str {
        self.until.as_deref().unwrap_or("—")
    }

    fn holds(&self, words: &str) -> bool {
        self.code.contains(words) || self.name.contains(words)
    }

    /// Below a unit that is itself below a township.
    fn indent(&self) -> String {
        "　".repeat(self.depth.saturating_sub(2))
    }
}

/// A township and what is below it.
struct Branch {
    node: Node,
    below: Vec<Node>,
}

/// The tree cut at the second level; of a search, the branches that hold something that was looked for.
fn branches(nodes: Vec<Node>, find: &str) -> (Vec<Node>, Vec<Branch>) {
    let (mut tops, mut branches) = (Vec::new(), Vec::<Branch>::new());
    for node in nodes {
        match node.depth {
            0 => tops.push(node),
            1 => branches.push(Branch {
                node,
                below: Vec::new(),
            }),
            _ => {
                if let Some(branch) = branches.last_mut() {
                    branch.below.push(node);
                }
            }
        }
    }
    if !find.is_empty() {
        for branch in branches.iter_mut().filter(|b| !b.node.holds(find)) {
            branch.below.retain(|node| node.holds(find));
        }
        branches.retain(|b| b.node.holds(find) || !b.below.is_empty());
    }
    (tops, branches)
}

/// A year of the calendar.
struct Year {
    year: String,
    off: usize,
    makeup: usize,
    rows: Vec<Row>,
}

fn years(rows: Vec<Row>) -> Vec<Year> {
    let mut years: Vec<Year> = Vec::new();
    for row in rows {
        let year: String = row.key.chars().take(4).collect();
        if years.last().is_none_or(|last| last.year != year) {
            years.push(Year {
                year,
                off: 0,
                makeup: 0,
                rows: Vec::new(),
            });
        }
        if let Some(last) = years.last_mut() {
            match row.field("安排") {
                "放假" => last.off += 1,
                _ => last.makeup += 1,
            }
            last.rows.push(row);
        }
    }
    years.reverse();
    years
}

#[derive(Deserialize)]
struct Shown {
    version: u32,
    hash: String,
    may_publish: bool,
    rows: Vec<Row>,
    tree: Vec<Node>,
    versions: Vec<Version>,
}

#[derive(Template)]
#[template(path = "tables.html")]
struct Part<'a> {
    word: &'a str,
    find: &'a str,
    shown: Shown,
    columns: Vec<&'static str>,
    tops: Vec<Node>,
    branches: Vec<Branch>,
    years: Vec<Year>,
    this_year: String,
    today: String,
    left: usize,
    may_act: bool,
    said: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    #[serde(default)]
    find: String,
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(word): Path<String>,
    Query(finding): Query<Finding>,
) -> Result<Response, Problem> {
    let table = table_of(&word)?;
    let told = console.ask(Command::Tables(Tables::Show(TableShow { table }))).await?;
    let mut shown: Shown = serde_json::from_value(told).map_err(|_| broken())?;
    let find = finding.find.trim();
    shown
        .rows
        .retain(|row| row.key.contains(find) || row.label.contains(find));
    let (tops, branches) = branches(std::mem::take(&mut shown.tree), find);
    let years = match table {
        Table::Calendar => years(std::mem::take(&mut shown.rows)),
        _ => Vec::new(),
    };
    if table == Table::Organisation {
        shown.rows.clear();
    }
    let left = shown.rows.len().saturating_sub(ROWS_MAX);
    shown.rows.truncate(ROWS_MAX);
    let today = ledger::day::Day::of_wall_ms(wall_ms()).to_string();
    let part = Part {
        word: &word,
        find,
        columns: columns(table),
        tops,
        branches,
        years,
        this_year: today.chars().take(4).collect(),
        today,
        left,
        may_act: shown.may_publish && may_act(visit.person.as_ref(), Right::Publish),
        shown,
        said: console.said(&visit),
    };
    Ok(console
        .page(&visit, t::TABLES, "/tables", console::page::part(&part))
        .await)
}

/// The fields that a list of a table shows.
fn columns(table: Table) -> Vec<&'static str> {
    match table {
        Table::Organisation => Vec::new(),
        Table::Catalogue => vec!["分组", "办件类型", "承诺工作日", "村级职责"],
        Table::Calendar => vec!["安排"],
    }
}

fn broken() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, t::UNREADABLE)
}

#[derive(Deserialize)]
struct Told {
    key: String,
    label: String,
    what: String,
}

#[derive(Deserialize)]
struct FieldChange {
    name: String,
    before: String,
    after: String,
}

#[derive(Deserialize)]
struct Change {
    key: String,
    label: String,
    fields: Vec<FieldChange>,
}

#[derive(Deserialize)]
struct Counts {
    added: usize,
    removed: usize,
    changed: usize,
    same: usize,
}

#[derive(Deserialize)]
struct Difference {
    version: u32,
    over: Hash,
    changes: usize,
    counts: Counts,
    added: Vec<Told>,
    removed: Vec<Told>,
    changed: Vec<Change>,
    /// What should be known besides.
    notes: Vec<String>,
    /// The first day on which it would hold.
    on: Option<String>,
}

#[derive(Template)]
#[template(path = "tables_look.html")]
struct LookPart<'a> {
    csrf: &'a str,
    word: &'a str,
    look: &'a str,
    difference: Difference,
}

#[derive(Template)]
#[template(path = "tables_refused.html")]
struct RefusedPart {
    text: String,
}

/// What is being looked at.
#[derive(Serialize, Deserialize)]
struct Looked {
    look: String,
    table: Table,
    text: String,
    over: Hash,
    /// The day for which the difference was shown: published is that and nothing else.
    on: Option<ledger::day::Day>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OnDay {
    on: String,
}

impl OnDay {
    fn day(&self) -> Result<Option<ledger::day::Day>, Problem> {
        match self.on.trim() {
            "" => Ok(None),
            typed => match ledger::day::Day::parse(typed) {
                Some(day) => Ok(Some(day)),
                None => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, t::BAD_DAY)),
            },
        }
    }
}

async fn look(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(word): Path<String>,
    Query(asked): Query<OnDay>,
    body: Bytes,
) -> Result<Response, Problem> {
    let table = table_of(&word)?;
    console.door.gate.sessions.hold(&visit.cookie, LOOKED, None);
    let text = text_of(body).await.and_then(|text| Ok((text, asked.day()?)));
    console.look_at(&visit, &word, table, text).await
}

#[derive(Deserialize)]
struct Again {
    look: String,
    #[serde(default)]
    on: String,
}

/// The same text for another day.
async fn again(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(word): Path<String>,
    Form(form): Form<Again>,
) -> Result<Response, Problem> {
    let table = table_of(&word)?;
    let text = match console.looked(&visit, table, &form.look) {
        Some(looked) => OnDay { on: form.on }.day().map(|on| (looked.text, on)),
        None => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, t::LOOK_AGAIN)),
    };
    console.look_at(&visit, &word, table, text).await
}

impl Console {
    /// What somebody looks at now, if it is that.
    fn looked(&self, visit: &Visit, table: Table, look: &str) -> Option<Looked> {
        let held = self.door.gate.sessions.held(&visit.cookie, LOOKED)?;
        let looked: Looked = serde_json::from_slice(&held).ok()?;
        (looked.look == look && looked.table == table).then_some(looked)
    }

    /// Shows what a text would change from a day on, and holds it for publishing.
    async fn look_at(
        &self,
        visit: &Visit,
        word: &str,
        table: Table,
        text: Result<(String, Option<ledger::day::Day>), Problem>,
    ) -> Result<Response, Problem> {
        let looked = async {
            let (text, on) = text?;
            let asked = TableText {
                table,
                text: text.clone(),
                on,
                over: None,
            };
            let told = self.ask(Command::Tables(Tables::Preview(asked))).await?;
            let difference: Difference = serde_json::from_value(told).map_err(|_| broken())?;
            Ok::<_, Problem>((text, difference))
        };
        let (text, difference) = match looked.await {
            Ok(looked) => looked,
            // Within the page, beside the file: nothing is lost by it.
            Err(problem) => {
                let part = RefusedPart { text: problem.text };
                return Ok(Html(console::page::part(&part)).into_response());
            }
        };
        let looked = Looked {
            look: secret(),
            table,
            text,
            over: difference.over,
            on: difference.on.as_deref().and_then(ledger::day::Day::parse),
        };
        let held = serde_json::to_vec(&looked).map_err(|_| broken())?;
        self.door.gate.sessions.hold(&visit.cookie, LOOKED, Some(held));
        let part = LookPart {
            csrf: &visit.csrf,
            word,
            look: &looked.look,
            difference,
        };
        Ok(Html(console::page::part(&part)).into_response())
    }
}

#[derive(Deserialize)]
struct Publishing {
    look: String,
}

async fn publish(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(word): Path<String>,
    Form(form): Form<Publishing>,
) -> Result<Response, Problem> {
    let table = table_of(&word)?;
    let back = format!("/tables/{word}");
    let Some(looked) = console.looked(&visit, table, &form.look) else {
        console.say(&visit, t::LOOK_AGAIN);
        return Ok(go(&visit, &back));
    };
    let asked = TableText {
        table,
        text: looked.text,
        on: looked.on,
        over: Some(looked.over),
    };
    match console.ask_as(&visit, Command::Tables(Tables::Publish(asked))).await {
        Ok(done) => {
            console.door.gate.sessions.hold(&visit.cookie, LOOKED, None);
            console.say(&visit, t::published(done["version"].as_u64().unwrap_or_default()));
        }
        Err(problem) => console.say(&visit, problem.text),
    }
    Ok(go(&visit, &back))
}
