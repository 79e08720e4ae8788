//! What became of a bug, and how it is told.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::bug::Bug;

/// What building and running a check showed.
pub(super) enum Seen {
    Green,
    /// An assertion failed: where, and its words.
    Red(String),
    Hangs,
    Crashed(String),
    DoesNotBuild(String),
    NoSuchTest,
}

/// What became of a planted bug.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The check went red: where, and its words.
    Caught(String),
    /// The check stayed green: the suite has a hole.
    Survived,
    /// The entry in the list proves nothing as it stands.
    Broken(String),
}

/// A bug and what became of it.
pub struct Told {
    pub name: String,
    pub class: String,
    pub check: String,
    pub outcome: Outcome,
    pub took: Duration,
}

/// A whole run.
#[derive(Default)]
pub struct Tally {
    pub told: Vec<Told>,
}

impl Seen {
    pub(super) fn must_be_green(&self) -> Result<(), String> {
        let why = match self {
            Seen::Green => return Ok(()),
            Seen::Red(words) => format!("the check is red without the bug: {words}"),
            Seen::Hangs => "the check does not end even without the bug".to_owned(),
            Seen::Crashed(how) => format!("the check crashes without the bug: {how}"),
            Seen::DoesNotBuild(error) => format!("the check does not build without the bug: {error}"),
            Seen::NoSuchTest => "there is no such check".to_owned(),
        };
        Err(why)
    }

    pub(super) fn with_bug(self, bug: &Bug) -> Outcome {
        match self {
            Seen::Green => Outcome::Survived,
            Seen::Red(words) => Outcome::Caught(words),
            Seen::Hangs if bug.hangs => Outcome::Caught("it does not end".to_owned()),
            Seen::Hangs => Outcome::Broken("the check does not end, and the list does not say so".to_owned()),
            Seen::Crashed(how) => Outcome::Broken(format!("the check crashes: {how}")),
            Seen::DoesNotBuild(error) => Outcome::Broken(format!("it does not build: {error}")),
            Seen::NoSuchTest => Outcome::Broken("there is no such check".to_owned()),
        }
    }
}

impl Told {
    pub(super) fn new(bug: &Bug, outcome: Outcome, took: Duration) -> Self {
        Self {
            name: bug.name.clone(),
            class: bug.class.clone(),
            check: format!("{} {}", bug.check.package, bug.check.test),
            outcome,
            took,
        }
    }

    /// Two lines: the bug, and how it was caught or not.
    pub fn line(&self) -> String {
        let (mark, words) = match &self.outcome {
            Outcome::Caught(words) => ("caught  ", words.as_str()),
            Outcome::Survived => ("SURVIVED", "the check stayed green"),
            Outcome::Broken(why) => ("BROKEN  ", why.as_str()),
        };
        let (took, name, check) = (self.took.as_secs_f64(), &self.name, &self.check);
        format!("{mark} {took:5.1} s  {name}\n                  {check}\n                  {words}")
    }
}

impl Tally {
    pub fn caught(&self) -> usize {
        let caught = |told: &&Told| matches!(told.outcome, Outcome::Caught(_));
        self.told.iter().filter(caught).count()
    }

    /// Every one was caught.
    pub fn is_whole(&self) -> bool {
        self.caught() == self.told.len()
    }

    /// One sentence, and the names of those not caught.
    pub fn sum(&self, chosen: usize) -> String {
        let seconds: f64 = self.told.iter().map(|told| told.took.as_secs_f64()).sum();
        let mut sum = format!("{} of {chosen} planted bugs caught, {seconds:.0} s", self.caught());
        if self.told.len() < chosen {
            let _ = write!(sum, ", ended after {}", self.told.len());
        }
        let loose = self
            .told
            .iter()
            .filter(|told| !matches!(told.outcome, Outcome::Caught(_)));
        for told in loose {
            let _ = write!(sum, "\n  not caught: {}", told.name);
        }
        sum
    }

    pub fn json(&self) -> Value {
        let rows = self.told.iter().map(|told| {
            let (outcome, words) = match &told.outcome {
                Outcome::Caught(words) => ("caught", words.as_str()),
                Outcome::Survived => ("survived", ""),
                Outcome::Broken(why) => ("broken", why.as_str()),
            };
            json!({
                "name": told.name, "class": told.class, "check": told.check,
                "outcome": outcome, "words": words, "seconds": told.took.as_secs_f64(),
            })
        });
        json!({ "caught": self.caught(), "bugs": rows.collect::<Vec<_>>() })
    }
}
