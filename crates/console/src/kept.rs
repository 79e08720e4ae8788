//! What was typed and not sent, or sent to a page that had been locked: sealed on the disk, and back in its form when the person is.
//!
//! ```text
//!   typing pauses ──POST /kept──▶ sealed, by person, page and form ──▶ the page's next showing puts it back
//!   a form that was refused, or came behind the lock ──────┘   a form that was taken ──▶ its own is let go
//! ```
//!
//! Why here and not in the page: a page laid over instead of left would hold personal values behind a screen that says "locked", and
//! the browser's storage is a file that nobody seals. Here they lie under the unit's key, as the draft of a new case does, and outlive
//! the plug too. PINs, passphrases and codes are never kept: pages do not send them along, and `SECRETS` are dropped again here.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Form, FromRequest, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ledger::id::UserId;
use office::command::{Command, DraftKeep, DraftKind, DraftOf};
use serde::{Deserialize, Serialize};

use crate::face::{CaseFace, person};
use crate::page::{Kept, go, is_local};
use crate::texts as t;
use crate::{Problem, Visit};

/// Pages kept for one person: whoever has typed into more has finished none.
const PAGES_MAX: usize = 16;
/// One draft is sealed as one text.
const TEXT_BYTES_MAX: usize = 15 * 1024;
/// As the guard lets forms through.
const FORM_BYTES_MAX: usize = 128 * 1024;
/// Fields that are no words of the person's, or must not outlive the form.
const SECRETS: [&str; 14] = [
    "csrf",
    "once",
    "seen",
    "token",
    "back",
    "pin",
    "password",
    "passphrase",
    "root_key",
    "old",
    "new",
    "again",
    "code",
    "file",
];

type Pairs = Vec<(String, String)>;

/// A page with what was typed into its forms.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
struct Page {
    page: String,
    forms: BTreeMap<String, Pairs>,
    /// Sent, and not taken because the desk was locked.
    late: bool,
}

/// An address as the page that it belongs to: itself where it is one, with what it asks for; the start where it is nobody's.
pub fn back_to(at: &str, page: String) -> String {
    let path = at.split('?').next().unwrap_or_default();
    match is_local(at) && page == path {
        true => at.to_owned(),
        false if is_local(&page) => page,
        false => "/".to_owned(),
    }
}

/// The name of a form on its page, as the page's own script makes it.
fn key_of(path: &str, pairs: &Pairs) -> String {
    let of = |wanted: &&str| pairs.iter().find(|(name, _)| name == wanted);
    let which = ["event", "field", "id", "number", "device"].iter().find_map(of);
    format!("{path}|{}", which.map_or("", |(_, value)| value))
}

fn words_of(pairs: Pairs) -> Pairs {
    let own = |(name, value): &(String, String)| !SECRETS.contains(&name.as_str()) && !value.trim().is_empty();
    pairs.into_iter().filter(own).collect()
}

/// The newest last; what goes beyond the bounds goes, the oldest first.
fn text_of(mut pages: Vec<Page>) -> Option<String> {
    pages.retain(|page| page.late || !page.forms.is_empty());
    loop {
        if pages.is_empty() {
            return None;
        }
        let text = serde_json::to_string(&pages).unwrap_or_default();
        if pages.len() <= PAGES_MAX && text.len() <= TEXT_BYTES_MAX {
            return Some(text);
        }
        pages.remove(0);
    }
}

async fn pages<F: CaseFace>(face: &F, visit: &Visit, user: UserId) -> Result<Vec<Page>, Problem> {
    let shown = face.ask(visit, Command::DraftShow(DraftOf::forms(user))).await?;
    let text = shown["text"].as_str().unwrap_or("[]");
    Ok(serde_json::from_str(text).unwrap_or_default())
}

/// Changes what is kept of one page.
async fn change<F: CaseFace>(
    face: &F,
    visit: &Visit,
    page: &str,
    change: impl FnOnce(&mut Page) + Send,
) -> Result<(), Problem> {
    let user = person(visit)?.id;
    let _one_at_a_time = face.keeping().lock().await;
    let mut pages = pages(face, visit, user).await?;
    let had = pages.iter().position(|p| p.page == page).map(|at| pages.remove(at));
    let nothing_before = had.is_none();
    let mut one = had.unwrap_or_default();
    one.page = page.to_owned();
    change(&mut one);
    let nothing_now = !one.late && one.forms.is_empty();
    if nothing_before && nothing_now {
        return Ok(());
    }
    pages.push(one);
    let command = match text_of(pages) {
        Some(text) => Command::DraftKeep(DraftKeep {
            user,
            kind: DraftKind::Forms,
            text,
        }),
        None => Command::DraftDrop(DraftOf::forms(user)),
    };
    face.ask(visit, command).await.map(|_| ())
}

/// What was typed on the page that is about to be shown. That something came too late is said once.
pub async fn kept<F: CaseFace>(face: &F, visit: &Visit, page: &str) -> Option<Kept> {
    let user = visit.person.as_ref()?.id;
    let path = page.split('?').next().unwrap_or_default();
    // Behind the passphrase nothing can be opened; the page says so itself.
    let found = pages(face, visit, user).await.ok()?;
    let found = found.into_iter().find(|p| p.page == path)?;
    if found.late {
        let said = change(face, visit, path, |page| page.late = false).await;
        said.unwrap_or_else(|problem| tracing::warn!(error = problem.text, "a late form is told of again"));
    }
    Some(Kept {
        forms: serde_json::to_string(&found.forms).unwrap_or_default(),
        late: found.late,
    })
}

/// The fields of a form, and the request as it was. Files and pieces of pages are no forms.
async fn read(visit: &Visit, request: Request) -> (Request, Option<Pairs>) {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_form = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if request.method() != Method::POST || !is_form || visit.piece && !is_typing(request.uri().path()) {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, FORM_BYTES_MAX).await.unwrap_or_default();
    let copy = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let pairs = Form::<Pairs>::from_request(copy, &())
        .await
        .ok()
        .map(|Form(pairs)| pairs);
    (Request::from_parts(parts, Body::from(bytes)), pairs)
}

/// Sent by a page by itself while somebody types.
fn is_typing(path: &str) -> bool {
    matches!(path, "/kept" | "/new/draft")
}

/// Lets a request through to its page: what is refused there is kept, what is taken is let go.
pub async fn watch<F: CaseFace>(face: &F, visit: &Visit, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with("/kept") || is_typing(&path) {
        return next.run(request).await;
    }
    let (request, pairs) = read(visit, request).await;
    let response = next.run(request).await;
    let Some(pairs) = pairs else { return response };
    let (page, key) = (path_of::<F>(&path), key_of(&path, &pairs));
    let refused = response.status().is_client_error() || response.status().is_server_error();
    let words = words_of(pairs);
    let kept = change(face, visit, &page, |page| match refused {
        // A new case has a draft of its own.
        true if path == "/new" => {}
        true => drop(page.forms.insert(key, words)),
        false => {
            page.late = false;
            page.forms.remove(&key);
        }
    })
    .await;
    // Behind the passphrase nothing is kept; the form itself has been answered.
    if let Err(problem) = kept {
        tracing::debug!(error = problem.text, "a form is not kept");
    }
    response
}

/// The page that a form stands on, without what was asked of it.
fn path_of<F: CaseFace>(at: &str) -> String {
    let page = F::page_of(at);
    page.split('?').next().unwrap_or_default().to_owned()
}

/// What became of a form that was sent to a locked page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Late {
    /// It is there again after the log-in.
    Kept,
    Lost,
}

/// A form that was sent to a locked page: kept for whoever comes back with the secret. Nothing for what a page sends by itself.
pub async fn too_late<F: CaseFace>(face: &F, visit: &Visit, request: Request) -> Option<Late> {
    visit.person.as_ref()?;
    let path = request.uri().path().to_owned();
    let (_, pairs) = read(visit, request).await;
    let pairs = pairs?;
    let kept = match path.as_str() {
        // The page that is being left sends its last letters.
        "/kept" => keep_page(face, visit, pairs).await,
        "/kept/drop" => return None,
        _ => match face.keep_draft(visit, &path, &pairs).await {
            Some(kept) if is_typing(&path) => kept,
            Some(kept) => change(face, visit, &path_of::<F>(&path), |page| page.late = true)
                .await
                .and(kept),
            None => {
                let (page, key) = (path_of::<F>(&path), key_of(&path, &pairs));
                let insert = |page: &mut Page| {
                    page.late = true;
                    page.forms.insert(key, words_of(pairs));
                };
                change(face, visit, &page, insert).await
            }
        },
    };
    match (is_typing(&path), kept) {
        (true, _) => None,
        (false, Ok(())) => Some(Late::Kept),
        (false, Err(_)) => Some(Late::Lost),
    }
}

async fn keep_page<F: CaseFace>(face: &F, visit: &Visit, pairs: Pairs) -> Result<(), Problem> {
    let field = |name: &str| {
        let found = pairs.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let wrong = || Problem::new(StatusCode::UNPROCESSABLE_ENTITY, t::UNREADABLE);
    let forms: BTreeMap<String, Pairs> = serde_json::from_str(field("forms")).map_err(|_| wrong())?;
    let page = field("page").to_owned();
    if F::page_of(&page) != page {
        return Err(wrong());
    }
    // Only of the forms that it names: what another form of the page was refused for stays.
    let named = |page: &mut Page| {
        for (key, pairs) in forms {
            match words_of(pairs) {
                words if words.is_empty() => drop(page.forms.remove(&key)),
                words => drop(page.forms.insert(key, words)),
            }
        }
    };
    change(face, visit, &page, named).await
}

/// What is typed so far on one page.
pub async fn keep<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<StatusCode, Problem> {
    person(&visit)?;
    if let Err(problem) = keep_page(&*face, &visit, pairs).await {
        tracing::debug!(error = problem.text, "what is typed is not kept");
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub struct Dropped {
    #[serde(default)]
    page: String,
}

/// The person does not want it any more.
pub async fn let_go<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Form(dropped): Form<Dropped>,
) -> Result<Response, Problem> {
    let page = F::page_of(&dropped.page);
    let path = page.split('?').next().unwrap_or_default();
    change(&*face, &visit, path, |page| page.forms.clear()).await?;
    Ok(go(&visit, &page))
}

/// Somebody types: the guard has already noted that the page is not alone.
pub async fn awake() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// An address that only forms are sent to, opened anew: its page.
pub async fn back_to_page<F: CaseFace>(Extension(visit): Extension<Visit>) -> Response {
    go(&visit, &F::page_of(&visit.at)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_bounds_and_the_newest_stays() {
        let page = |n: usize, len: usize| Page {
            page: format!("/case/{n}"),
            forms: BTreeMap::from([("f|".to_owned(), vec![("note".to_owned(), "字".repeat(len))])]),
            late: false,
        };
        let kept = |pages: Vec<Page>| -> Vec<Page> { serde_json::from_str(&text_of(pages).unwrap()).unwrap() };
        let many = kept((0..100).map(|n| page(n, 1)).collect());
        assert_eq!((many.len(), many[PAGES_MAX - 1].page.as_str()), (PAGES_MAX, "/case/99"));
        let long = kept((0..10).map(|n| page(n, 1_000)).collect());
        assert!(long.len() < 10 && long.last().unwrap().page == "/case/9");
        assert!(text_of(vec![page(1, 9_000)]).is_none());
        assert!(text_of(vec![Page::default()]).is_none());
        let pairs = |name: &str| vec![(name.to_owned(), "274951".to_owned())];
        assert!(SECRETS.iter().all(|name| words_of(pairs(name)).is_empty()));
        assert_eq!(words_of(pairs("note")).len(), 1);
    }
}
