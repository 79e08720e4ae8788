//! B岗顶岗 at a centre: whoever stands in for somebody says so once, and it stands on every step until the own post is taken up again.

use std::sync::Arc;

use axum::extract::{Extension, Form, State};
use axum::response::Response;
use console::page::go;
use console::post::Covering;
use console::texts::post as t;
use console::{Problem, Visit};
use office::command::FaceAct;

use super::{Console, person};

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let body = part(&console, &visit, &Covering::empty(), None).await?;
    Ok(console.page(&visit, t::POST, "/me", body).await)
}

async fn part(console: &Console, visit: &Visit, typed: &Covering, wrong: Option<&str>) -> Result<String, Problem> {
    let person = person(visit)?;
    let staff = console.door.staff().await?;
    let others = staff.iter().filter(|s| s.id != person.id).map(|s| s.name.as_str());
    Ok(console::post::page(visit, person, others.collect(), typed, wrong))
}

pub(super) async fn take(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Covering>,
) -> Result<Response, Problem> {
    match form.take(&console.door.gate, &visit) {
        Ok(()) => {
            let (act, reason) = match form.of.trim() {
                "" => (FaceAct::PostBack, None),
                of => (FaceAct::Post, Some(format!("{of}：{}", form.reason.trim()))),
            };
            console.door.audit_for(act, person(&visit)?.id, reason).await;
            Ok(go(&visit, "/"))
        }
        Err(words) => {
            let body = part(&console, &visit, &form, Some(words)).await?;
            Ok(console.wrong(&visit, t::POST, "/me", body).await)
        }
    }
}
