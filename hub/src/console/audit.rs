//! The audit trail: who did what on this hub, newest first; by person and by kind of act.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use console::{Problem, Visit};
use office::command::{AuditList, Command};
use office::{ACTS, ActWords};
use serde::Deserialize;

use super::rights::{Right, Routes};
use super::{Console, texts as t};

const ROWS: usize = 100;
/// Asked of the office at once, and how often for one page: a save waits for one of them at most.
const ASKED: usize = 500;
const ASKS_MAX: usize = 40;

pub(super) fn routes() -> Routes {
    Routes::new().look(Right::Audit, "/audit", page)
}

#[derive(Deserialize)]
struct Row {
    seq: u64,
    #[serde(default)]
    act: String,
    #[serde(default)]
    act_label: String,
    #[serde(default)]
    at: String,
    user: Option<String>,
    user_name: Option<String>,
    project_no: Option<String>,
    #[serde(default)]
    fields: Vec<String>,
    reason: Option<String>,
    about_label: Option<String>,
}

impl Row {
    /// A device by the beginning of its key, as everywhere on the pages.
    fn about(&self) -> &str {
        let about = self.about_label.as_deref().unwrap_or_default();
        let is_key = about.len() == 64 && about.bytes().all(|b| b.is_ascii_hexdigit());
        if is_key { about.get(..8).unwrap_or(about) } else { about }
    }
}

/// Whose acts, and of which kind; all when empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    before: Option<u64>,
    who: String,
    act: String,
}

impl Asked {
    fn wants(&self, row: &Row) -> bool {
        let who = match self.who.as_str() {
            "" => true,
            // Of nobody who is named: the command line, the machine itself.
            "device" => row.user.is_none(),
            who => row.user.as_deref() == Some(who),
        };
        who && (self.act.is_empty() || self.act == row.act)
    }
}

#[derive(Deserialize)]
struct Somebody {
    id: String,
    name: String,
    own: bool,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Part<'a> {
    rows: Vec<Row>,
    asked: &'a Asked,
    people: Vec<Somebody>,
    groups: Vec<(&'static str, Vec<&'static ActWords>)>,
    /// Further ones begin before this number.
    older: Option<u64>,
}

/// Kinds of acts under their headings.
fn groups() -> Vec<(&'static str, Vec<&'static ActWords>)> {
    let mut groups: Vec<(&'static str, Vec<&'static ActWords>)> = Vec::new();
    for words in ACTS {
        match groups.last_mut() {
            Some((group, acts)) if *group == words.group => acts.push(words),
            _ => groups.push((words.group, vec![words])),
        }
    }
    groups
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (rows, older) = console.trail(&asked).await?;
    let all = console.ask(Command::UserList).await?;
    let people = all.as_array().cloned().unwrap_or_default().into_iter();
    let people = people.filter_map(|row| serde_json::from_value::<Somebody>(row).ok());
    let body = console::page::part(&Part {
        rows,
        asked: &asked,
        people: people.filter(|somebody| somebody.own).collect(),
        groups: groups(),
        older,
    });
    Ok(console.page(&visit, t::AUDIT, "/audit", body).await)
}

impl Console {
    /// A page of what is asked for, and where the next begins.
    async fn trail(&self, asked: &Asked) -> Result<(Vec<Row>, Option<u64>), Problem> {
        let (mut rows, mut before) = (Vec::new(), asked.before);
        for _ in 0..ASKS_MAX {
            let list = AuditList {
                limit: Some(ASKED),
                before,
            };
            let found = self.ask(Command::AuditList(list)).await?;
            let found = found.as_array().cloned().unwrap_or_default().into_iter();
            let found: Vec<Row> = found.filter_map(|row| serde_json::from_value(row).ok()).collect();
            let Some(last) = found.last().map(|row| row.seq) else {
                return Ok((rows, None));
            };
            for row in found {
                before = Some(row.seq);
                if asked.wants(&row) {
                    rows.push(row);
                }
                if rows.len() == ROWS {
                    return Ok((rows, before.filter(|seq| *seq > 1)));
                }
            }
            if last <= 1 {
                return Ok((rows, None));
            }
        }
        Ok((rows, before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_gathered_under_each_heading_once() {
        let groups = groups();
        let mut seen = std::collections::BTreeSet::new();
        assert!(groups.iter().all(|(group, _)| seen.insert(*group)));
        assert_eq!(groups.iter().map(|(_, acts)| acts.len()).sum::<usize>(), ACTS.len());
    }
}
