//! The frame around every page, and pages that say what went wrong and what to do next.

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use daemon::Failure;

use crate::assets;
use crate::guard::{BY_ITSELF, TOKEN_FIELD, TOKEN_HEADER, Visit};
use crate::texts as t;

/// An entry of the main menu.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub path: &'static str,
    pub label: &'static str,
    /// The key that opens it together with Alt (and Shift in some browsers).
    pub key: &'static str,
}

/// What stands around a page's own part.
#[derive(Clone, Default, Debug)]
pub struct Shell {
    pub title: String,
    /// Whose desk this is.
    pub unit: String,
    pub menu: Vec<Link>,
    /// The menu's entry that is open.
    pub here: &'static str,
    /// The status bar, as HTML.
    pub bar: String,
    /// The page's own part, as HTML.
    pub body: String,
    pub person: Option<crate::Person>,
    pub csrf: String,
    /// A page that asks for changes and refreshes itself.
    pub live: bool,
    /// Where one comes back to this page, also where it is the answer to a form.
    pub page: String,
    /// Seconds between two words of the page that somebody types.
    pub awake_s: f32,
    /// What was typed here and not sent, for the page's script to put back.
    pub kept: Option<Kept>,
}

/// What somebody typed into forms of a page and has not sent, or sent too late.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Kept {
    /// By form, as JSON.
    pub forms: String,
    /// It was sent, and came behind the lock.
    pub late: bool,
}

#[derive(Template)]
#[template(path = "shell.html")]
struct ShellPage<'a> {
    shell: &'a Shell,
    headers: String,
}

impl Shell {
    /// A frame for whoever visits.
    pub fn of(visit: &Visit, title: &str) -> Self {
        Self {
            title: title.to_owned(),
            person: visit.person.clone(),
            csrf: visit.csrf.clone(),
            ..Self::default()
        }
    }

    /// The whole page.
    pub fn page(&self) -> Response {
        let headers = format!(r#"{{"{TOKEN_HEADER}": "{}"}}"#, self.csrf);
        render(&ShellPage { shell: self, headers })
    }
}

/// A template as an answer.
pub fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A template as a part of another.
pub fn part(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a part of a page could not be made");
        String::new()
    })
}

/// Whether this is a page of ours to go on to; nothing that a crafted link could point elsewhere.
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'?' | b'='))
}

/// A span as people say it: what is past an hour needs no minutes.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => "不到 1 分钟".to_owned(),
        60..3_600 => format!("{} 分钟", seconds / 60),
        3_600..172_800 => format!("{} 小时", seconds / 3_600),
        _ => format!("{} 天", seconds / 86_400),
    }
}

/// A digest as people read it out over the phone: four groups of four.
pub fn spoken(digest: &str) -> String {
    let head: Vec<char> = digest.to_uppercase().chars().take(16).collect();
    let groups: Vec<String> = head.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// A time of day as a clock on a wall in China shows it; `wall_ms` is UTC.
pub fn clock(wall_ms: i64) -> String {
    let minutes = wall_ms.div_euclid(60_000) + 8 * 60;
    let (hour, minute) = (minutes.div_euclid(60).rem_euclid(24), minutes.rem_euclid(60));
    format!("{hour:02}:{minute:02}")
}

/// Now, UTC milliseconds.
pub fn wall_ms() -> i64 {
    net::Clock::start().now().wall_ms
}

/// Goes on to another page: by htmx's own header where it asked, else as a browser expects.
pub fn go(visit: &Visit, path: &str) -> Response {
    match HeaderValue::from_str(path) {
        Ok(value) if visit.piece => {
            let mut headers = HeaderMap::new();
            headers.insert("hx-redirect", value);
            (headers, StatusCode::OK).into_response()
        }
        _ => Redirect::to(path).into_response(),
    }
}

/// Something that did not work, said to the person with what to do next.
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub text: String,
    /// Where to go on; the start when nothing better is known.
    pub next: Option<String>,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPart<'a> {
    text: &'a str,
    next: Option<&'a str>,
}

impl Problem {
    /// With these words.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        let text = text.into();
        let next = None;
        Self { status, text, next }
    }

    /// Not from our own page.
    pub fn foreign() -> Self {
        Self::new(StatusCode::FORBIDDEN, t::FOREIGN)
    }

    /// The session or its token is gone; `from` is the page that the form stood on.
    pub fn stale_form(from: Option<String>) -> Self {
        Self {
            next: Some(from.unwrap_or_else(|| "/".to_owned())),
            ..Self::new(StatusCode::FORBIDDEN, t::STALE_FORM)
        }
    }

    /// Nobody answered in time.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, t::BUSY)
    }

    /// No such page.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, t::NOT_FOUND)
    }

    /// Not with this role.
    pub fn not_allowed() -> Self {
        Self::new(StatusCode::FORBIDDEN, t::NOT_ALLOWED)
    }

    /// As a part within a page.
    pub fn part(&self) -> String {
        part(&ProblemPart {
            text: &self.text,
            next: self.next.as_deref(),
        })
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let status = match failure.code.as_str() {
            "unknown_number" | "wrong_number" => StatusCode::NOT_FOUND,
            "internal" | "store" | "disk" | "stopping" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, failure.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let shell = Shell {
            title: t::WENT_WRONG.to_owned(),
            body: self.part(),
            ..Shell::default()
        };
        let mut response = shell.page();
        *response.status_mut() = self.status;
        // Nothing of it is worth keeping.
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_led_back_to_pages_of_ours_and_nowhere_else() {
        for ours in [
            "/",
            "/case/51160300112628200011-2",
            "/day?day=2026-10-09",
            "/errands/new",
        ] {
            assert!(is_local(ours), "{ours}");
        }
        for theirs in [
            "",
            "case/1",
            "//evil.example",
            "/\\evil.example",
            "/\\\\evil",
            "http://evil.example/",
            "/%2f/evil",
            "/a:b",
            "/@evil.example",
            "/day?day=1&next=x",
            "/x\r\nLocation: y",
            "/张三",
            "javascript:alert",
        ] {
            assert!(!is_local(theirs), "{theirs}");
        }
    }
}
