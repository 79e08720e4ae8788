//! Half-days behind B岗出勤率: on which an A-post was empty, on which somebody stood in, and for which cases.

use std::collections::{BTreeMap, BTreeSet};

use ledger::day::Day;
use ledger::id::{UnitId, UserId};
use replica::authority::Authority;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::Away;
use super::period::Span;
use crate::texts::report as t;
use crate::views::measure::{Covered, Half, Measure};

/// Of a digest so many bytes name a window.
const HANDLE_BYTES: usize = 8;

/// A room, or a person of a room, without a name: an address bears it.
pub(crate) fn handle(unit: UnitId, name: Option<&str>) -> String {
    let digest = Sha256::new()
        .chain_update(unit.0)
        .chain_update([u8::from(name.is_some())])
        .chain_update(name.unwrap_or_default())
        .finalize();
    digest[..HANDLE_BYTES].iter().map(|b| format!("{b:02x}")).collect()
}

/// The name of a person as the unit knows it.
pub(crate) fn person_at(authority: &Authority, user: Option<UserId>, unit: UnitId) -> Option<String> {
    let user = user.filter(|user| *user != UserId::ZERO)?;
    let known = authority.user_at(&user, unit).or_else(|| authority.user(&user));
    known.map(|user| user.name.clone())
}

/// The room whose window an act was at: a former life counts as the room that it became.
pub(crate) fn window_of(authority: &Authority, unit: UnitId) -> UnitId {
    authority.unit(unit).map_or(unit, |unit| unit.id)
}

/// Which half-days are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Which {
    /// The post was empty.
    Away,
    /// It was empty, and somebody stood in.
    Covered,
    /// It was empty, and nobody did.
    Uncovered,
    /// Somebody stood in, by who it was.
    StoodIn,
}

/// Where, when, and of whom: whose post it is, or who stood in.
type Key = (UnitId, Day, Half, String);

#[derive(Default)]
struct Post {
    /// Whose post, and who stood in.
    of: BTreeSet<String>,
    by: BTreeSet<String>,
    noted: bool,
    cases: BTreeSet<String>,
}

/// The half-days of a list, while they are gathered.
pub(crate) struct Posts {
    which: Which,
    span: Span,
    /// Of one window alone.
    window: Option<String>,
    all: BTreeMap<(Key, Option<UserId>), Post>,
}

impl Posts {
    pub(crate) fn new(which: Which, span: Span, window: Option<String>) -> Self {
        Self {
            which,
            span,
            window,
            all: BTreeMap::new(),
        }
    }

    fn is_of_window(&self, authority: &Authority, unit: UnitId, name: &str) -> bool {
        let unit = window_of(authority, unit);
        let is = |window: &String| *window == handle(unit, None) || *window == handle(unit, Some(name));
        self.window.as_ref().is_none_or(is)
    }

    pub(crate) fn add(&mut self, authority: &Authority, m: &Measure, here: &mut dyn FnMut(Day) -> bool) {
        let span = self.span;
        for cover in m.extra.covers.iter().filter(|c| span.has(Some(c.on)) && here(c.on)) {
            self.add_cover(authority, cover, &m.no);
        }
    }

    fn add_cover(&mut self, authority: &Authority, c: &Covered, no: &str) {
        let who = person_at(authority, Some(c.by), c.unit);
        let (name, user) = match (self.which, &who) {
            (Which::StoodIn, None) => return,
            (Which::StoodIn, Some(who)) => (who, Some(c.by)),
            _ => (&c.of, None),
        };
        if !self.is_of_window(authority, c.unit, name) {
            return;
        }
        let key = (c.unit, c.on, c.half, name.clone());
        let post = self.all.entry((key, user)).or_default();
        post.of.insert(c.of.clone());
        post.by.insert(who.unwrap_or_else(|| t::DASH.to_owned()));
        post.cases.insert(no.to_owned());
    }

    /// Puts in what was noted, and leaves what is asked for.
    pub(crate) fn settle(&mut self, authority: &Authority, noted: &Away, here: &mut dyn FnMut(UnitId, Day) -> bool) {
        if self.which == Which::StoodIn {
            return;
        }
        for key in noted {
            let (unit, on, _, name) = key;
            if self.span.has(Some(*on)) && here(*unit, *on) && self.is_of_window(authority, *unit, name) {
                let post = self.all.entry((key.clone(), None)).or_default();
                post.of.insert(name.clone());
                post.noted = true;
            }
        }
        match self.which {
            Which::Covered => self.all.retain(|_, post| !post.by.is_empty()),
            Which::Uncovered => self.all.retain(|_, post| post.by.is_empty()),
            Which::Away | Which::StoodIn => {}
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The latest first.
    pub(crate) fn json(&self, shown: impl Fn(UnitId) -> (String, String), skip: usize, take: usize) -> Vec<Json> {
        let mut rows: Vec<_> = self.all.iter().collect();
        rows.sort_by_key(|(((unit, on, half, name), _), _)| (std::cmp::Reverse((*on, *half)), *unit, name.clone()));
        let row = |(((unit, on, half, _), _), post): (&(Key, Option<UserId>), &Post)| {
            let (code, unit_name) = shown(*unit);
            json!({
                "on": on,
                "half": match half { Half::Forenoon => t::FORENOON, Half::Afternoon => t::AFTERNOON },
                "unit": code,
                "unit_name": unit_name,
                "of": post.of,
                "by": post.by,
                "noted": post.noted,
                "cases": post.cases,
            })
        };
        rows.into_iter().skip(skip).take(take).map(row).collect()
    }
}
