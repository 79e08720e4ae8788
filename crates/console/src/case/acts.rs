//! What is done on a case page: each only on what was seen, and with what was typed given back where it is refused.

use std::sync::Arc;

use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use ledger::day::Day;
use office::command::{CaseDo, CaseEdit, CaseTick, Command, DocGive, ErrandNew, Reveal, Work};
use serde::Deserialize;

use super::page::{DOC, EDIT, ENTRUST, Pairs, TICK, Typed, UNDOES, is_current, load, refuse};
use crate::face::{CaseFace, cover, person};
use crate::page::go;
use crate::texts::case_page as t;
use crate::{Problem, Visit};

/// A field of a form, if something stands in it.
pub fn one(pairs: &Pairs, name: &str) -> Option<String> {
    let found = pairs.iter().find(|(n, v)| n == name && !v.trim().is_empty());
    found.map(|(_, v)| v.trim().to_owned())
}

fn ticked(pairs: &Pairs) -> Vec<String> {
    let ticked = pairs.iter().filter(|(n, _)| n == "items");
    ticked.map(|(_, v)| v.clone()).collect()
}

/// Carries out what a page asked for; refused, the page is shown again with what was typed.
pub async fn done<F: CaseFace>(
    face: &F,
    visit: &Visit,
    number: &str,
    command: Result<Command, Problem>,
    typed: Typed,
    said: impl FnOnce(&serde_json::Value) -> String + Send,
) -> Result<Response, Problem> {
    let case = load(face, visit, number, None).await?;
    let command = command.and_then(|command| is_current(&case, &typed.pairs).map(|()| command));
    let asked = match command {
        Ok(command) => face.ask(visit, command).await,
        Err(problem) => Err(problem),
    };
    match asked {
        Ok(answer) => {
            face.gate().sessions.say(&visit.cookie, said(&answer));
            Ok(go(visit, &format!("/case/{}", case.line.project_no)))
        }
        Err(problem) => refuse(face, visit, number, problem, typed).await,
    }
}

fn wrong(text: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, text)
}

/// One step, as the form's table allows this tier, and as the role allows this person.
pub async fn act<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let person = person(&visit)?;
    let event = one(&pairs, "event").unwrap_or_default();
    // Only the citizen's own page writes what the citizen says; decisions on conflicts have a page of their own.
    let elsewhere = matches!(event.as_str(), "evaluate" | "resolve");
    if elsewhere || UNDOES.contains(&event.as_str()) && !face.may(&visit).undo {
        return Err(Problem::not_allowed());
    }
    let mut items = ticked(&pairs);
    let more = one(&pairs, "more_items").unwrap_or_default();
    let typed = more.split(['、', '，', ',', ';', '；']).map(str::trim);
    items.extend(typed.filter(|t| !t.is_empty()).map(str::to_owned));
    let command = CaseDo {
        number: number.clone(),
        event: event.clone(),
        note: one(&pairs, "note"),
        reason: one(&pairs, "reason"),
        result: one(&pairs, "result"),
        to: one(&pairs, "to"),
        items,
        user: Some(person.id),
        cover: cover(person),
        ..CaseDo::default()
    };
    let typed = Typed::of(&event, pairs);
    done(&*face, &visit, &number, Ok(Command::CaseDo(command)), typed, |answer| {
        let state = answer["state_label"].as_str().unwrap_or_default();
        t::done(F::PLACE, state, answer["doc_no"].as_str())
    })
    .await
}

/// 更正日期: the day on which one of our own steps was really taken.
pub async fn correct<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let person = person(&visit)?;
    let on = one(&pairs, "on").and_then(|text| Day::parse(&text));
    let today = Day::of_wall_ms(crate::page::wall_ms());
    let command = match (one(&pairs, "target"), on) {
        (None, _) => Err(wrong(t::CHOOSE_STEP)),
        (_, None) => Err(wrong(t::WRONG_DAY)),
        (_, Some(on)) if on > today => Err(wrong(t::DAY_TO_COME)),
        (Some(target), Some(on)) => Ok(Command::CaseDo(CaseDo {
            number: number.clone(),
            event: "correct_date".to_owned(),
            items: vec![target],
            on: Some(on),
            reason: one(&pairs, "reason"),
            user: Some(person.id),
            cover: cover(person),
            ..CaseDo::default()
        })),
    };
    let typed = Typed::of("correct_date", pairs);
    done(&*face, &visit, &number, command, typed, |_| {
        t::saved(F::PLACE, t::CORRECTED)
    })
    .await
}

/// Another value for a field; the earlier ones stay in the history.
pub async fn edit<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let person = person(&visit)?;
    let edit = CaseEdit {
        number: number.clone(),
        field: one(&pairs, "field").unwrap_or_default(),
        value: one(&pairs, "value").unwrap_or_default(),
        reason: one(&pairs, "reason"),
        user: Some(person.id),
        cover: cover(person),
    };
    let command = match edit.value.is_empty() {
        true => Err(wrong(t::NOTHING_TYPED)),
        false => Ok(Command::CaseEdit(edit)),
    };
    let typed = Typed::of(EDIT, pairs);
    done(&*face, &visit, &number, command, typed, |_| {
        t::saved(F::PLACE, t::EDITED)
    })
    .await
}

/// Materials that have come.
pub async fn tick<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let person = person(&visit)?;
    let tick = CaseTick {
        number: number.clone(),
        items: ticked(&pairs),
        user: Some(person.id),
        cover: cover(person),
    };
    let typed = Typed::of(TICK, pairs);
    done(&*face, &visit, &number, Ok(Command::CaseTick(tick)), typed, |_| {
        t::saved(F::PLACE, t::TICKED)
    })
    .await
}

/// A document number for a case that a room has accepted, or another one instead of one that was spoilt.
pub async fn give_doc<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let give = DocGive {
        number: number.clone(),
        reason: one(&pairs, "reason"),
        user: Some(person(&visit)?.id),
    };
    let command = Command::Work(Work::DocGive(give));
    let typed = Typed::of(DOC, pairs);
    done(&*face, &visit, &number, Ok(command), typed, |answer| {
        t::doc_given(answer["doc_no"].as_str().unwrap_or_default())
    })
    .await
}

/// An errand out of this case.
pub async fn entrust<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let person = person(&visit)?;
    let errand = ErrandNew {
        case: Some(number.clone()),
        task: one(&pairs, "task").unwrap_or_default(),
        claim: one(&pairs, "claim").is_some(),
        user: Some(person.id),
        cover: cover(person),
        once: one(&pairs, "once"),
        ..ErrandNew::default()
    };
    // It changes nothing about the case itself, so what has happened there meanwhile is no matter.
    match face.ask(&visit, Command::ErrandNew(errand)).await {
        Ok(made) => {
            let number = made["project_no"].as_str().unwrap_or_default().to_owned();
            face.gate().sessions.say(&visit.cookie, t::saved(F::PLACE, ""));
            Ok(go(&visit, &format!("/case/{number}")))
        }
        Err(problem) => refuse(&*face, &visit, &number, problem, Typed::of(ENTRUST, pairs)).await,
    }
}

#[derive(Deserialize)]
pub struct Settling {
    field: String,
    at: usize,
    seen: u64,
}

/// Of two values that contradict each other, the one that is right.
pub async fn settle<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(form): Form<Settling>,
) -> Result<Response, Problem> {
    let person = person(&visit)?;
    let user = Some(person.id);
    let masked = load(&*face, &visit, &number, None).await?;
    let personal = masked.fields.iter().any(|f| f.name == form.field && f.personal);
    let reveal = personal.then(|| Reveal {
        reason: t::REVEAL_SETTLE.to_owned(),
        fields: vec![form.field.clone()],
        user,
    });
    let stale = || Problem::new(StatusCode::CONFLICT, t::CHANGED_MEANWHILE);
    if masked.entries != form.seen {
        return refuse(&*face, &visit, &number, stale(), Typed::default()).await;
    }
    let case = match load(&*face, &visit, &number, reveal).await {
        Ok(case) => case,
        Err(problem) => return refuse(&*face, &visit, &number, problem, Typed::default()).await,
    };
    let field = case.fields.iter().find(|f| f.name == form.field && f.contradicts);
    let Some(value) = field.and_then(|f| f.values.get(form.at)) else {
        return refuse(&*face, &visit, &number, stale(), Typed::default()).await;
    };
    let edit = CaseEdit {
        number: number.clone(),
        field: form.field,
        value: value.shown(),
        reason: None,
        user,
        cover: cover(person),
    };
    match face.ask(&visit, Command::CaseEdit(edit)).await {
        Ok(_) => {
            let said = t::saved(F::PLACE, t::SETTLED);
            face.gate().sessions.say(&visit.cookie, said);
            Ok(go(&visit, &format!("/case/{}", case.line.project_no)))
        }
        Err(problem) => refuse(&*face, &visit, &number, problem, Typed::default()).await,
    }
}
