//! What stands behind a figure: the same marks that were summed, so the list is as long as the figure says.

use std::collections::{BTreeMap, VecDeque};

use ledger::day::Day;
use ledger::id::{UnitId, UserId};
use serde_json::{Value as Json, json};

use super::freeze::{Frozen, KeptNamed, Reached};
use super::marks::{Mark, Marks};
use super::period::{Span, year_before};
use super::place::Places;
use super::posts::{Posts, Which, handle, person_at, window_of};
use super::shown::{Kind, figure_named, of_tally};
use super::tally::{Sums, Tally};
use super::{Ground, Question};
use crate::command::{CommandError, ReportCases};
use crate::office::Office;
use crate::texts;
use crate::views::measure::{Measure, of_row};
use crate::views::row::{RecordRef, RecordRow};

const LINES: usize = 60;
const LINES_MAX: usize = 2_000;

/// Whether a case stands in the list of a figure; with `rest`, whether it is missing from a share.
fn stands(kind: Kind, marks: Marks, rest: bool) -> bool {
    match (kind, rest) {
        (Kind::Count(mark), false) => marks.has(mark),
        (Kind::Share(part, whole), false) => marks.has(part) && (marks.has(whole) || !part_of_whole(part)),
        (Kind::Share(part, whole), true) => marks.has(whole) && !marks.has(part),
        (Kind::Mean, false) => marks.has(Mark::Timed),
        (Kind::Coverage(_), false) => marks.has(Mark::Received),
        _ => false,
    }
}

/// What was returned may have been received before the period: it counts all the same.
fn part_of_whole(part: Mark) -> bool {
    part != Mark::Returned
}

/// Cases as they were when a report was frozen: what has entries since is folded without them.
struct Past {
    reached: Reached,
    due: VecDeque<(RecordRef, RecordRow)>,
}

/// The list of a figure, while it is gathered.
pub(crate) struct List {
    q: Question,
    span: Span,
    args: ReportCases,
    kind: Kind,
    label: &'static str,
    definition: &'static str,
    places: Places,
    /// Codes of the units directly below.
    codes: BTreeMap<UnitId, String>,
    /// Whether somebody's closings at a unit are the window's that is asked for.
    windows: BTreeMap<(UnitId, Option<UserId>), bool>,
    /// Room and person of that window.
    window: Option<(UnitId, Option<String>)>,
    found: Vec<(Option<Day>, String, RecordRef)>,
    /// Of coverage: cases by matter.
    used: BTreeMap<String, u64>,
    posts: Option<Posts>,
    /// Of a frozen report: its line, and what it says.
    kept: Option<(Json, Option<u64>)>,
    past: Option<Past>,
}

impl List {
    /// # Errors
    /// A figure that is none.
    pub(crate) fn new(
        q: Question,
        ground: &Ground,
        args: &ReportCases,
        kept: Option<&KeptNamed>,
    ) -> Result<Self, CommandError> {
        let (kind, label, definition) = figure_named(&args.figure)?;
        let span = if args.last { year_before(q.span) } else { Some(q.span) };
        let span = span.ok_or_else(|| texts::report::bad_period(&q.period.text()))?;
        let which = match kind {
            Kind::Cover if args.rest => Some(Which::Uncovered),
            Kind::Cover => Some(Which::Covered),
            Kind::Away => Some(Which::Away),
            Kind::StoodIn => Some(Which::StoodIn),
            _ => None,
        };
        let past = kept.filter(|_| !args.fresh).map(|kept| Past {
            reached: Reached::of(&kept.frozen),
            due: VecDeque::new(),
        });
        Ok(Self {
            places: Places::new(&ground.authority, &q),
            codes: BTreeMap::new(),
            windows: BTreeMap::new(),
            window: None,
            found: Vec::new(),
            used: BTreeMap::new(),
            posts: which.map(|which| Posts::new(which, span, args.window.clone())),
            kept: kept.map(|kept| (kept.line.clone(), None)),
            past,
            args: args.clone(),
            kind,
            label,
            definition,
            span,
            q,
        })
    }

    /// Whether it is of rows as they were, which takes whole rows to say.
    pub(crate) fn is_of_the_past(&self) -> bool {
        self.past.is_some()
    }

    /// A case of a list as things were: what has entries since is folded later.
    pub(crate) fn add_row(&mut self, ground: &Ground, of: RecordRef, row: &RecordRow) {
        let Some(past) = &mut self.past else { return };
        match past.reached.before(of, row) {
            Some(then) if then.entries.is_empty() => {}
            Some(then) => past.due.push_back((of, then)),
            None => of_row(&of.record, row).iter().for_each(|m| self.add(ground, of, m)),
        }
    }

    pub(crate) fn add(&mut self, ground: &Ground, of: RecordRef, m: &Measure) {
        let authority = &ground.authority;
        if let Some(posts) = &mut self.posts {
            let places = &mut self.places;
            posts.add(authority, m, &mut |on| places.covers(authority, of.scope.unit, on));
            return;
        }
        let Some(child) = self.places.child(authority, of.scope.unit, m.on) else {
            return;
        };
        if self.args.matter.as_ref().is_some_and(|matter| *matter != m.matter) || !self.is_of_child(ground, child) {
            return;
        }
        let has_errand = !m.errand && ground.with_errand.contains(&m.no);
        let marks = ground.law(self.q.today).judge(m, self.span, has_errand).marks;
        // Of a coverage the rest are matters without a case.
        let by_matter = matches!(self.kind, Kind::Coverage(_));
        let counts = stands(self.kind, marks, self.args.rest && !by_matter) && !ground.follows(of, m);
        if !counts || !self.is_of_group(ground, m) || !self.is_of_window(ground, marks, of, m) {
            return;
        }
        if by_matter {
            *self.used.entry(m.matter.clone()).or_default() += 1;
        }
        if !by_matter || !self.args.rest {
            self.found.push((m.on, m.no.clone(), of));
        }
    }

    fn is_of_child(&mut self, ground: &Ground, child: UnitId) -> bool {
        let Some(asked) = &self.args.child else { return true };
        let code = || crate::cases::unit_shown(&ground.authority, child).0;
        self.codes.entry(child).or_insert_with(code) == asked
    }

    fn is_of_group(&self, ground: &Ground, m: &Measure) -> bool {
        match self.kind {
            Kind::Coverage(group) => {
                let matter = ground.authority.catalogue().and_then(|c| c.matter(&m.matter));
                matter.is_some_and(|matter| group.is_none_or(|group| matter.group == group))
            }
            _ => true,
        }
    }

    /// A window's figures are all of what was closed there.
    fn is_of_window(&mut self, ground: &Ground, marks: Marks, of: RecordRef, m: &Measure) -> bool {
        let Some(asked) = &self.args.window else { return true };
        if !marks.has(Mark::Closed) {
            return false;
        }
        let at = m.extra.closed_at.unwrap_or(of.scope.unit);
        if let Some(known) = self.windows.get(&(at, m.extra.closed_by)) {
            return *known;
        }
        let unit = window_of(&ground.authority, at);
        let person = person_at(&ground.authority, m.extra.closed_by, at);
        let window = if *asked == handle(unit, None) {
            Some((unit, None))
        } else {
            person
                .filter(|name| *asked == handle(unit, Some(name)))
                .map(|name| (unit, Some(name)))
        };
        let is = window.is_some();
        self.window = window.or(self.window.take());
        self.windows.insert((at, m.extra.closed_by), is);
        is
    }

    /// Puts in what no case tells.
    pub(crate) fn settle(&mut self, ground: &Ground) {
        if let Some(posts) = &mut self.posts {
            let (authority, places) = (&ground.authority, &mut self.places);
            posts.settle(authority, &ground.noted, &mut |unit, on| {
                places.covers(authority, unit, on)
            });
        }
    }
}

impl Office {
    /// Folds some of the cases that have entries since a report was frozen, without these. `true` when more are left.
    pub(crate) fn fold_past(&self, list: &mut List, ground: &Ground, most: usize) -> Result<bool, CommandError> {
        for _ in 0..most.max(1) {
            let due = list.past.as_mut().and_then(|past| past.due.pop_front());
            let Some((of, then)) = due else { return Ok(false) };
            let then = self.read(of, then)?.row;
            of_row(&of.record, &then).iter().for_each(|m| list.add(ground, of, m));
        }
        Ok(list.past.as_ref().is_some_and(|past| !past.due.is_empty()))
    }

    /// What the frozen report says where this list counts again.
    pub(crate) fn note_frozen(&self, list: &mut List, frozen: &Frozen) {
        let sums = if list.args.last { &frozen.last } else { &frozen.sums };
        let says = self.said_by(sums, list);
        if let Some((_, said)) = &mut list.kept {
            *said = says;
        }
    }

    fn said_by(&self, sums: &Sums, list: &List) -> Option<u64> {
        let rest = list.args.rest;
        let none = Tally::default();
        let tally = match (&list.args.child, &list.args.matter) {
            (None, None) => &sums.all,
            (Some(child), None) => sums.children.get(child).unwrap_or(&none),
            (None, Some(matter)) => sums.matters.get(matter).unwrap_or(&none),
            (Some(_), Some(_)) => return None,
        };
        match list.kind {
            Kind::Cover | Kind::Coverage(_) => self.number(list.kind, sums).listed(rest),
            Kind::Share(Mark::Returned, _) if rest => None,
            kind => of_tally(kind, tally).listed(rest),
        }
    }

    /// One page of what a figure counts, the newest first, masked; each case as it was at the cut.
    pub(crate) fn list_json(&mut self, cut: u64, list: &mut List) -> Result<Json, CommandError> {
        list.found.sort_by(|a, b| b.cmp(a));
        let List { q, args, found, .. } = &*list;
        let limit = args.limit.unwrap_or(LINES).clamp(1, LINES_MAX);
        let skip = args.page.saturating_mul(limit);
        let mut lines = Vec::new();
        for (_, _, of) in found.iter().skip(skip).take(limit) {
            if let Some(row) = self.row_at(cut, *of)? {
                lines.push(self.line(*of, &row, q.today));
            }
        }
        let posts = list.posts.as_ref();
        let matters = matches!(list.kind, Kind::Coverage(_)).then(|| self.matters_listed(list));
        let all = posts.map_or(found.len(), Posts::len);
        let window = list.window.clone().or_else(|| self.window_asked(args));
        Ok(json!({
            "period": q.period.text(),
            "label": q.period.label(),
            "from": list.span.from,
            "until": list.span.last(),
            "unit": q.unit.code,
            "unit_name": q.unit.name,
            "frame": q.frame,
            "figure": args.figure,
            "figure_label": list.label,
            "definition": list.definition,
            "share": matches!(list.kind, Kind::Share(..) | Kind::Cover | Kind::Coverage(_)),
            "rest": args.rest,
            "matter": args.matter,
            "matter_name": args.matter.as_ref().and_then(|code| Some(self.authority.catalogue()?.matter(code)?.name.clone())),
            "child": args.child,
            "child_name": args.child.as_ref().map(|code| self.unit_by_code(code).map_or_else(|_| code.clone(), |unit| unit.name)),
            "window": args.window,
            "window_name": window.map(|(unit, name)| format!("{} {}", self.unit_shown(unit).1, name.unwrap_or_default()).trim().to_owned()),
            "last": args.last,
            "kept": list.kept.as_ref().map(|(line, _)| line),
            "fresh": args.fresh,
            "frozen": list.kept.as_ref().and_then(|(_, said)| *said),
            "all": all,
            "count": matters.as_ref().map_or(all, Vec::len),
            "page": args.page,
            "pages": all.div_ceil(limit),
            "cases": lines,
            "half_days": posts.map(|posts| posts.json(|unit| self.unit_shown(unit), skip, limit)),
            "matters": matters,
        }))
    }

    /// The matters that a coverage counts with their cases; with `rest` those that nobody asked for.
    fn matters_listed(&self, list: &List) -> Vec<Json> {
        let Kind::Coverage(group) = list.kind else {
            return Vec::new();
        };
        let matters = self.authority.catalogue().map_or(&[][..], |c| c.matters.as_slice());
        let of_group = matters.iter().filter(|m| group.is_none_or(|group| m.group == group));
        let rows = of_group.filter_map(|m| {
            let received = list.used.get(&m.code).copied().unwrap_or(0);
            let row = json!({"matter": m.code, "name": m.name, "group": m.group, "received": received});
            ((received > 0) != list.args.rest).then_some(row)
        });
        rows.collect()
    }

    /// The window of a list that found no case of it.
    fn window_asked(&self, args: &ReportCases) -> Option<(UnitId, Option<String>)> {
        let asked = args.window.as_deref()?;
        let units = self.authority.organisation().map_or(&[][..], |o| o.units.as_slice());
        let room = units.iter().find(|unit| asked == handle(unit.id, None));
        let person = || {
            let mut users = self.authority.users();
            users.find_map(|user| {
                let unit = window_of(&self.authority, user.unit);
                (asked == handle(unit, Some(&user.name))).then(|| (unit, Some(user.name.clone())))
            })
        };
        room.map(|unit| (unit.id, None)).or_else(person)
    }
}
