//! B岗顶岗: for whom somebody stands in, and why; both stand on everything done from then on, until the own post is taken up again.

use askama::Template;
use serde::Deserialize;

use crate::texts::post as t;
use crate::{Cover, Gate, Person, Visit};

const NAME_CHARS_MAX: usize = 40;
const REASON_CHARS_MAX: usize = 100;

#[derive(Deserialize)]
pub struct Covering {
    #[serde(default)]
    pub of: String,
    #[serde(default)]
    pub reason: String,
}

#[derive(Template)]
#[template(path = "cover.html")]
struct CoverPart<'a> {
    csrf: &'a str,
    person: &'a Person,
    others: Vec<&'a str>,
    typed: &'a Covering,
}

/// Which post a person is on, with the form to change it. `others` are who could be covered.
pub fn part(visit: &Visit, person: &Person, others: Vec<&str>, typed: &Covering) -> String {
    crate::page::part(&CoverPart {
        csrf: &visit.csrf,
        person,
        others,
        typed,
    })
}

#[derive(Template)]
#[template(path = "post.html")]
struct PostPart<'a> {
    cover: String,
    wrong: Option<&'a str>,
}

/// A page of its own for it.
pub fn page(visit: &Visit, person: &Person, others: Vec<&str>, typed: &Covering, wrong: Option<&str>) -> String {
    let cover = part(visit, person, others, typed);
    crate::page::part(&PostPart { cover, wrong })
}

impl Covering {
    /// Nothing typed yet.
    pub fn empty() -> Self {
        Self {
            of: String::new(),
            reason: String::new(),
        }
    }

    /// Takes a post over, or goes back to the own one where nothing is typed.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn take(&self, gate: &Gate, visit: &Visit) -> Result<(), &'static str> {
        let (of, reason) = (self.of.trim(), self.reason.trim());
        let is_long = of.chars().count() > NAME_CHARS_MAX || reason.chars().count() > REASON_CHARS_MAX;
        match (of.is_empty(), reason.is_empty()) {
            (true, true) => gate.sessions.cover(&visit.cookie, None),
            (false, false) if !is_long => gate.sessions.cover(&visit.cookie, Some(Cover::new(of, reason))),
            _ => return Err(t::COVER_NEEDS),
        }
        Ok(())
    }
}
