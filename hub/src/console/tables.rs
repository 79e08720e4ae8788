//! 机构、事项、日历: the county's tables. A file is looked at first; what was looked at, and nothing else, is published.

use std::io::Cursor;
use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use calamine::{Data, Reader, Xlsx};
use console::page::go;
use console::session::secret;
use console::{Problem, Visit};
use ledger::id::Hash;
use office::command::{Command, Table, TableShow, TableText, Tables};
use serde::{Deserialize, Serialize};

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
/// A table of ours has a dozen columns; a sheet with more is another's.
const COLUMNS_MAX: usize = 64;

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Publish, "/tables", start)
        .look(Right::Publish, "/tables/{table}", page)
        .act(Right::Publish, "/tables/{table}/look", look)
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

#[derive(Deserialize)]
struct Version {
    version: u32,
    hash: String,
}

#[derive(Deserialize)]
struct Shown {
    version: u32,
    hash: String,
    may_publish: bool,
    rows: Vec<Row>,
    versions: Vec<Version>,
}

#[derive(Template)]
#[template(path = "tables.html")]
struct Part<'a> {
    word: &'a str,
    find: &'a str,
    shown: Shown,
    columns: Vec<&'static str>,
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
    shown.versions.sort_by_key(|v| std::cmp::Reverse(v.version));
    let find = finding.find.trim();
    shown
        .rows
        .retain(|row| row.key.contains(find) || row.label.contains(find));
    let left = shown.rows.len().saturating_sub(ROWS_MAX);
    shown.rows.truncate(ROWS_MAX);
    let part = Part {
        word: &word,
        find,
        columns: columns(table),
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
        Table::Organisation => vec!["级别", "上级", "起", "止"],
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
}

#[derive(Template)]
#[template(path = "tables_look.html")]
struct LookPart<'a> {
    csrf: &'a str,
    word: &'a str,
    look: &'a str,
    today: String,
    dated: bool,
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
}

async fn look(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(word): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let table = table_of(&word)?;
    console.door.gate.sessions.hold(&visit.cookie, LOOKED, None);
    let looked = async {
        let text = text_of(&body)?;
        let asked = TableText {
            table,
            text: text.clone(),
            on: None,
            over: None,
        };
        let told = console.ask(Command::Tables(Tables::Preview(asked))).await?;
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
    };
    let held = serde_json::to_vec(&looked).map_err(|_| broken())?;
    console.door.gate.sessions.hold(&visit.cookie, LOOKED, Some(held));
    let part = LookPart {
        csrf: &visit.csrf,
        word: &word,
        look: &looked.look,
        today: ledger::day::Day::of_wall_ms(wall_ms()).to_string(),
        dated: table == Table::Organisation,
        difference,
    };
    Ok(Html(console::page::part(&part)).into_response())
}

#[derive(Deserialize)]
struct Publishing {
    look: String,
    #[serde(default)]
    on: String,
}

async fn publish(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(word): Path<String>,
    Form(form): Form<Publishing>,
) -> Result<Response, Problem> {
    let table = table_of(&word)?;
    let held = console.door.gate.sessions.held(&visit.cookie, LOOKED);
    let looked = held.and_then(|bytes| serde_json::from_slice::<Looked>(&bytes).ok());
    let back = format!("/tables/{word}");
    let Some(looked) = looked.filter(|l| l.look == form.look && l.table == table) else {
        console.say(&visit, t::LOOK_AGAIN);
        return Ok(go(&visit, &back));
    };
    let on = match form.on.trim() {
        "" => None,
        typed => match ledger::day::Day::parse(typed) {
            Some(day) => Some(day),
            None => {
                console.say(&visit, t::BAD_DAY);
                return Ok(go(&visit, &back));
            }
        },
    };
    let asked = TableText {
        table,
        text: looked.text,
        on,
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

/// A file's text: tab- or comma-separated as it is, or the first sheet of a workbook.
pub(super) fn text_of(bytes: &[u8]) -> Result<String, Problem> {
    let refused = |text: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, text);
    if bytes.starts_with(b"PK\x03\x04") {
        return sheet(bytes).ok_or_else(|| refused(t::NO_SHEET));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused(t::NOT_UTF8))?;
    // A table exported as CSV has no tab in its header; ours has no comma in it.
    let header = text.lines().next().unwrap_or_default();
    match header.contains('\t') || !header.contains(',') {
        true => Ok(text.to_owned()),
        false => from_csv(text).ok_or_else(|| refused(t::BAD_CSV)),
    }
}

/// Lines under a header with tabs between.
fn from_csv(text: &str) -> Option<String> {
    let mut out = String::new();
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    for record in reader.records() {
        let record = record.ok()?;
        let cells: Vec<String> = record.iter().map(one_line).collect();
        out.push_str(&cells.join("\t"));
        out.push('\n');
    }
    Some(out)
}

fn sheet(bytes: &[u8]) -> Option<String> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).ok()?;
    let range = book.worksheet_range_at(0)?.ok()?;
    if range.width() > COLUMNS_MAX || range.height() > ledger::table::TABLE_ROWS_MAX {
        return None;
    }
    let mut out = String::new();
    for row in range.rows() {
        let cells: Vec<String> = row.iter().map(cell).collect();
        out.push_str(cells.join("\t").trim_end());
        out.push('\n');
    }
    Some(out)
}

/// A cell as text. Codes that a spreadsheet has turned into numbers are written out whole.
fn cell(cell: &Data) -> String {
    match cell {
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Data::DateTime(at) => {
            let days = at.as_f64().floor();
            // Day 1 of the spreadsheet's calendar is 1900-01-01, and it believes in a 29th of February of that year.
            let epoch = ledger::day::Day::from_ymd(1899, 12, 30);
            epoch.map(|day| day.plus(days as i32).to_string()).unwrap_or_default()
        }
        other => one_line(&other.to_string()),
    }
}

fn one_line(text: &str) -> String {
    text.split(['\n', '\r', '\t'])
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_as_tabs_as_commas_or_as_a_workbook_and_says_the_same() {
        let tabs = "date\tkind\n2027-01-01\toff\n";
        assert_eq!(text_of(tabs.as_bytes()).unwrap(), tabs);
        assert_eq!(
            text_of("\u{FEFF}date,kind\r\n\"2027-01-01\",off\r\n".as_bytes()).unwrap(),
            tabs
        );
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, cells) in [["date", "kind"], ["2027-01-01", "off"]].iter().enumerate() {
            for (column, text) in cells.iter().enumerate() {
                sheet.write(row as u32, column as u16, *text).unwrap();
            }
        }
        // A code that the spreadsheet took for a number is whole again.
        sheet.write(2, 0, 511_603_102_201.0).unwrap();
        let bytes = book.save_to_buffer().unwrap();
        assert_eq!(text_of(&bytes).unwrap(), format!("{tabs}511603102201\n"));
        for wrong in [&b"PK\x03\x04 not a book"[..], &[0xb0, 0xa1, 0xff]] {
            assert!(text_of(wrong).is_err());
        }
    }
}
