//! 设备: who is in, tickets for newcomers (one or a list), devices that wait to be approved, taking out, replacing a lost PC.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Extension, Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use console::page::go;
use console::{Problem, Visit};
use office::command::{
    Approve, Command, Hold, InviteMany, Lift, MemberExtend, MemberRevoke, Members, Rename, Replace, TicketCancel,
};
use serde::Deserialize;
use serde_json::Value;

use super::rights::{Right, Routes, may_act};
use super::{Console, texts as t};

/// Where a list of units is sent to; the guard lets more through there.
pub(super) const LOOK: &str = "/members/look";
/// Rows on one page.
const ROWS_MAX: usize = 300;
/// Choices for how long a ticket is good, hours.
const HOURS: [u64; 4] = [1, 24, 72, 168];

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Members, "/members", page)
        .look(Right::Members, "/members/list", piece)
        .act(Right::Members, "/members/invite", invite)
        .act(Right::Members, LOOK, look)
        .act(Right::Members, "/members/cancel", cancel)
        .act(Right::Members, "/members/approve", approve)
        .act(Right::Members, "/members/revoke", revoke)
        .act(Right::Members, "/members/extend", extend)
        .act(Right::Members, "/members/replace", replace)
        .act(Right::Members, "/members/hold", hold)
        .act(Right::Members, "/members/lift", lift)
        .act(Right::Members, "/members/rename", rename)
}

#[derive(Deserialize)]
struct Row {
    device: String,
    #[serde(default)]
    unit: Option<String>,
    unit_name: Option<String>,
    name: String,
    role: String,
    state: String,
    reason: Option<String>,
    node_code: String,
    admitted_by_name: Option<String>,
    invited_by: Option<String>,
    this_device: bool,
    held: Option<Held>,
    #[serde(default)]
    named: Vec<Named>,
}

#[derive(Deserialize)]
struct Held {
    by: String,
    at: String,
}

/// A name that somebody gave it.
#[derive(Deserialize)]
struct Named {
    name: String,
    from: Option<String>,
    by: String,
    at: String,
    reason: String,
}

impl Row {
    fn short(&self) -> &str {
        self.device.get(..8).unwrap_or(&self.device)
    }

    /// Held ones are in.
    fn is_in(&self) -> bool {
        self.state != "revoked"
    }

    fn state(&self) -> (&'static str, &'static str) {
        match self.state.as_str() {
            "in" => ("green", t::IN),
            "held" => ("amber", t::HELD),
            _ => ("red", t::OUT),
        }
    }

    fn holds(&self, words: &str) -> bool {
        let texts = [
            self.unit.as_deref(),
            self.unit_name.as_deref(),
            Some(&self.name),
            Some(&self.device),
        ];
        texts.into_iter().flatten().any(|text| text.contains(words))
    }
}

#[derive(Deserialize)]
struct Open {
    id: String,
    unit: String,
    unit_name: String,
    expires_ms: i64,
    made_by: Option<String>,
    approve: bool,
}

impl Open {
    fn until(&self) -> String {
        day_and_clock(self.expires_ms)
    }
}

#[derive(Deserialize)]
// Its fingerprint is not shown: it has to come from the device's own screen.
struct Waiting {
    name: String,
    unit: String,
    unit_name: String,
    waits_s: u64,
}

#[derive(Deserialize)]
struct Tickets {
    open: Vec<Open>,
    waiting: Vec<Waiting>,
    addrs: Vec<String>,
}

#[derive(Template)]
#[template(path = "members.html")]
struct Part<'a> {
    may_act: bool,
    find: &'a str,
    list: String,
    form: String,
    said: Option<String>,
    wrong: Option<String>,
}

/// What renews itself: devices that wait, open tickets, members.
#[derive(Template)]
#[template(path = "members_list.html")]
struct ListPart<'a> {
    csrf: &'a str,
    may_act: bool,
    find: &'a str,
    tickets: Tickets,
    rows: Vec<Row>,
    left: usize,
}

#[derive(Template)]
#[template(path = "members_invite.html")]
struct InvitePart<'a> {
    csrf: &'a str,
    units: &'a str,
    addrs: &'a str,
    hours: u64,
    approve: bool,
    /// What was found in a file.
    found: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    #[serde(default)]
    find: String,
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(finding): Query<Finding>,
) -> Result<Response, Problem> {
    show(&console, &visit, finding.find.trim(), None, &Inviting::default()).await
}

async fn piece(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(finding): Query<Finding>,
) -> Result<Response, Problem> {
    let tickets = console.tickets().await?;
    Ok(Html(console.members_list(&visit, finding.find.trim(), tickets).await?).into_response())
}

async fn show(
    console: &Console,
    visit: &Visit,
    find: &str,
    wrong: Option<String>,
    typed: &Inviting,
) -> Result<Response, Problem> {
    let tickets = console.tickets().await?;
    let addrs = match typed.addrs.trim() {
        "" => tickets.addrs.join(" "),
        typed => typed.to_owned(),
    };
    let form = InvitePart {
        csrf: &visit.csrf,
        units: &typed.units,
        addrs: &addrs,
        hours: typed.hours.unwrap_or(24),
        approve: !typed.approve.is_empty(),
        found: None,
    };
    let form = console::page::part(&form);
    let is_wrong = wrong.is_some();
    let part = Part {
        may_act: may_act(visit.person.as_ref(), Right::Members),
        find,
        list: console.members_list(visit, find, tickets).await?,
        form,
        said: console.said(visit),
        wrong,
    };
    let mut response = console
        .page(visit, t::MEMBERS, "/members", console::page::part(&part))
        .await;
    if is_wrong {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

impl Console {
    async fn tickets(&self) -> Result<Tickets, Problem> {
        let told = self.ask(Command::Members(Members::Tickets)).await?;
        serde_json::from_value(told).map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, t::UNREADABLE))
    }

    async fn members_list(&self, visit: &Visit, find: &str, tickets: Tickets) -> Result<String, Problem> {
        let all = self.ask(Command::MemberList).await?;
        let rows = all.as_array().cloned().unwrap_or_default().into_iter();
        let mut rows: Vec<Row> = rows
            .filter_map(|row| serde_json::from_value::<Row>(row).ok())
            .filter(|row| row.holds(find))
            .collect();
        let left = rows.len().saturating_sub(ROWS_MAX);
        rows.truncate(ROWS_MAX);
        Ok(console::page::part(&ListPart {
            csrf: &visit.csrf,
            may_act: may_act(visit.person.as_ref(), Right::Members),
            find,
            tickets,
            rows,
            left,
        }))
    }
}

#[derive(Default, Deserialize)]
struct Inviting {
    #[serde(default)]
    units: String,
    #[serde(default)]
    addrs: String,
    #[serde(default)]
    hours: Option<u64>,
    #[serde(default)]
    approve: String,
}

/// Codes out of what was typed, pasted from a table, or read from a file: the first cell of each line that is a code.
fn units_in(text: &str) -> Vec<String> {
    let cell = |line: &str| {
        let first = line.split([',', '\t', ';', '，']).next().unwrap_or_default();
        first.trim().trim_matches('"').trim_start_matches('\u{FEFF}').to_owned()
    };
    let cells = text.lines().map(cell);
    // A header and empty lines name no unit.
    cells
        .filter(|c| c.bytes().next().is_some_and(|b| b.is_ascii_digit()))
        .collect()
}

fn addrs_in(text: &str) -> Vec<String> {
    let parts = text.split([' ', ',', '，', '\n', '\t', '、']).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[derive(Deserialize)]
struct Made {
    unit: String,
    name: String,
    ticket: String,
    expires_ms: i64,
}

struct Paper {
    made: Made,
    qr: Option<(String, i32)>,
}

impl Paper {
    /// In groups, so that an eye finds its place again.
    fn lines(&self) -> Vec<String> {
        let signs: Vec<char> = self.made.ticket.chars().collect();
        signs.chunks(40).map(|line| line.iter().collect()).collect()
    }

    fn until(&self) -> String {
        day_and_clock(self.made.expires_ms)
    }
}

#[derive(Deserialize)]
struct Refused {
    unit: String,
    message: String,
}

#[derive(Template)]
#[template(path = "tickets.html")]
struct TicketsPart {
    papers: Vec<Paper>,
    refused: Vec<Refused>,
    approve: bool,
}

async fn invite(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Inviting>,
) -> Result<Response, Problem> {
    let units = units_in(&form.units);
    if units.is_empty() {
        return show(&console, &visit, "", Some(t::NO_UNITS.to_owned()), &form).await;
    }
    let many = InviteMany {
        units,
        addrs: addrs_in(&form.addrs),
        expires_s: form.hours.map(|hours| hours.saturating_mul(3600)),
        approve: !form.approve.is_empty(),
    };
    match console
        .ask_as(&visit, Command::Members(Members::InviteMany(many)))
        .await
    {
        Ok(made) => Ok(console
            .papers(&visit, &made["tickets"], &made["refused"], !form.approve.is_empty())
            .await),
        Err(problem) => show(&console, &visit, "", Some(problem.text), &form).await,
    }
}

impl Console {
    /// Tickets, each on a sheet of its own: shown now and never again.
    async fn papers(&self, visit: &Visit, made: &Value, refused: &Value, approve: bool) -> Response {
        let made: Vec<Made> = serde_json::from_value(made.clone()).unwrap_or_default();
        let papers = made.into_iter().map(|made| Paper {
            qr: console::qr::path(&made.ticket),
            made,
        });
        let part = TicketsPart {
            papers: papers.collect(),
            refused: serde_json::from_value(refused.clone()).unwrap_or_default(),
            approve,
        };
        self.page(visit, t::TICKETS, "/members", console::page::part(&part))
            .await
    }
}

/// A file of units: what is in it is shown in the form, and nothing is made yet.
async fn look(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Problem> {
    let text = super::tables::text_of(body).await?;
    let units = units_in(&text);
    let addrs = console.tickets().await?.addrs.join(" ");
    let form = InvitePart {
        csrf: &visit.csrf,
        units: &units.join("\n"),
        addrs: &addrs,
        hours: 24,
        approve: false,
        found: Some(t::units_found(units.len())),
    };
    Ok(Html(console::page::part(&form)).into_response())
}

#[derive(Deserialize)]
struct Acting {
    #[serde(default)]
    id: String,
    #[serde(default)]
    device: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    addrs: String,
    #[serde(default)]
    name: String,
}

impl Console {
    /// Does it and says so on the list, or says why not.
    async fn do_member(&self, visit: &Visit, command: Command, done: &'static str) -> Result<Response, Problem> {
        match self.ask_as(visit, command).await {
            Ok(_) => {
                self.say(visit, done);
                Ok(go(visit, "/members"))
            }
            Err(problem) => show(self, visit, "", Some(problem.text), &Inviting::default()).await,
        }
    }
}

async fn cancel(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Acting>,
) -> Result<Response, Problem> {
    let command = Command::Members(Members::TicketCancel(TicketCancel { id: form.id }));
    console.do_member(&visit, command, t::CANCELLED).await
}

async fn approve(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Acting>,
) -> Result<Response, Problem> {
    let device = ledger::check::fold_width(form.device.trim());
    let command = Command::Members(Members::Approve(Approve { device }));
    console.do_member(&visit, command, t::APPROVED).await
}

async fn revoke(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Acting>,
) -> Result<Response, Problem> {
    let command = Command::MemberRevoke(MemberRevoke {
        device: form.device,
        reason: form.reason,
        root_key: None,
    });
    console.do_member(&visit, command, t::REVOKED).await
}

async fn extend(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Acting>,
) -> Result<Response, Problem> {
    let command = Command::MemberExtend(MemberExtend {
        device: form.device,
        root_key: None,
    });
    console.do_member(&visit, command, t::EXTENDED).await
}

async fn hold(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Acting>,
) -> Result<Response, Problem> {
    let hold = Hold {
        device: form.device,
        reason: form.reason,
        root_key: None,
    };
    let command = Command::Members(Members::Hold(hold));
    console.do_member(&visit, command, t::HELD_NOW).await
}

async fn lift(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Acting>,
) -> Result<Response, Problem> {
    let lift = Lift {
        device: form.device,
        reason: form.reason,
        root_key: None,
    };
    let command = Command::Members(Members::Lift(lift));
    console.do_member(&visit, command, t::LIFTED_NOW).await
}

async fn rename(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Acting>,
) -> Result<Response, Problem> {
    let rename = Rename {
        device: form.device,
        name: form.name,
        reason: form.reason,
        root_key: None,
    };
    let command = Command::Members(Members::Rename(rename));
    console.do_member(&visit, command, t::RENAMED_NOW).await
}

/// The lost PC out, a ticket for the new one on paper: one press.
async fn replace(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Acting>,
) -> Result<Response, Problem> {
    let replace = Replace {
        device: form.device,
        reason: form.reason,
        addrs: addrs_in(&form.addrs),
        expires_s: Some(72 * 3600),
    };
    match console
        .ask_as(&visit, Command::Members(Members::Replace(replace)))
        .await
    {
        Ok(ticket) => Ok(console
            .papers(&visit, &Value::Array(vec![ticket]), &Value::Null, false)
            .await),
        Err(problem) => show(&console, &visit, "", Some(problem.text), &Inviting::default()).await,
    }
}

/// A moment as people in China read it.
fn day_and_clock(wall_ms: i64) -> String {
    format!(
        "{} {}",
        ledger::day::Day::of_wall_ms(wall_ms),
        console::page::clock(wall_ms)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(state: &str) -> String {
        let row = json!({
            "device": "k5xw2l7qaaaa", "unit": ROOM, "unit_name": "明月村", "name": "窗口机", "role": "node", "state": state,
            "reason": null, "node_code": "28", "admitted_by_name": null, "invited_by": null, "this_device": false, "held": null,
        });
        let list = ListPart {
            csrf: "c",
            may_act: true,
            find: "",
            tickets: serde_json::from_value(json!({"open": [], "waiting": [], "addrs": []})).unwrap(),
            rows: vec![serde_json::from_value(row).unwrap()],
            left: 0,
        };
        console::page::part(&list)
    }

    const ROOM: &str = "511603102201";

    #[test]
    fn what_cannot_be_taken_back_is_unfolded_first_and_says_so_as_on_the_page_of_what_waits() {
        let out = listed("revoked");
        let (_, folded) = out.split_once("<details><summary>采纳待认记录</summary>").unwrap();
        let (folded, _) = folded.split_once("</details>").unwrap();
        assert!(folded.contains("采纳以后不能撤回，请先向村里核实"), "{folded}");
        assert!(folded.contains("action=\"/members/extend\""), "{folded}");
        assert_eq!(out.matches("/members/extend").count(), 1, "nowhere by one press: {out}");
        assert!(!listed("in").contains("/members/extend"));
    }

    #[test]
    fn units_are_found_in_what_people_paste() {
        let pasted = "\u{FEFF}code12,name\n511603102201,明月村\r\n\"511603102202\",\n\n511603102203\t某村\n合计,3\n";
        assert_eq!(units_in(pasted), ["511603102201", "511603102202", "511603102203"]);
        assert_eq!(
            addrs_in("10.0.0.1:7701， hub.example:7701\n"),
            ["10.0.0.1:7701", "hub.example:7701"]
        );
        assert!(units_in("").is_empty() && addrs_in(" ").is_empty());
    }
}
