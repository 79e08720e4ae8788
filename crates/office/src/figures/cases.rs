//! The cases behind a figure: the same marks that were summed, so the list is as long as the figure says.

use ledger::day::Day;
use serde_json::{Value as Json, json};

use super::marks::{Mark, Marks};
use super::place::Places;
use super::shown::{Kind, figure_named};
use super::{Ground, Question};
use crate::command::{CommandError, ReportCases};
use crate::office::Office;
use crate::views::measure::Measure;
use crate::views::row::RecordRef;

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

/// The list of a figure, while it is gathered.
pub(crate) struct List {
    q: Question,
    args: ReportCases,
    kind: Kind,
    label: &'static str,
    definition: &'static str,
    places: Places,
    found: Vec<(Option<Day>, String, RecordRef)>,
}

impl List {
    /// # Errors
    /// A figure that is none.
    pub(crate) fn new(q: Question, ground: &Ground, args: &ReportCases) -> Result<Self, CommandError> {
        let (kind, label, definition) = figure_named(&args.figure)?;
        Ok(Self {
            places: Places::new(&ground.authority, q.unit.id, q.frame),
            args: args.clone(),
            kind,
            label,
            definition,
            found: Vec::new(),
            q,
        })
    }

    pub(crate) fn add(&mut self, ground: &Ground, of: RecordRef, m: &Measure) {
        let args = &self.args;
        if args.matter.as_ref().is_some_and(|matter| *matter != m.matter)
            || self.places.child(&ground.authority, of.scope.unit, m.on).is_none()
        {
            return;
        }
        let span = self.q.span;
        let counts = match self.kind {
            Kind::Cover => !args.rest && m.extra.covers.iter().any(|c| span.has(Some(c.on))),
            _ => {
                let has_errand = !m.errand && ground.with_errand.contains(&m.no);
                let marks = ground.law(self.q.today).judge(m, span, has_errand).marks;
                stands(self.kind, marks, args.rest) && !ground.follows(of, m) && self.is_of_group(ground, m)
            }
        };
        if counts {
            self.found.push((m.on, m.no.clone(), of));
        }
    }

    fn is_of_group(&self, ground: &Ground, m: &Measure) -> bool {
        match self.kind {
            Kind::Coverage(Some(group)) => {
                let matter = ground.authority.catalogue().and_then(|c| c.matter(&m.matter));
                matter.is_some_and(|matter| matter.group == group)
            }
            _ => true,
        }
    }
}

impl Office {
    /// One page of the cases that a figure counts, the newest first, masked; each as it was at the cut.
    pub(crate) fn list_json(&mut self, cut: u64, list: &mut List) -> Result<Json, CommandError> {
        let List { q, args, found, .. } = list;
        found.sort_by(|a, b| b.cmp(a));
        let limit = args.limit.unwrap_or(LINES).clamp(1, LINES_MAX);
        let mut lines = Vec::new();
        for (_, _, of) in found.iter().skip(args.page.saturating_mul(limit)).take(limit) {
            if let Some(row) = self.row_at(cut, *of)? {
                lines.push(self.line(*of, &row, q.today));
            }
        }
        Ok(json!({
            "period": q.period.text(),
            "label": q.period.label(),
            "unit": q.unit.code,
            "unit_name": q.unit.name,
            "frame": q.frame,
            "figure": args.figure,
            "figure_label": list.label,
            "definition": list.definition,
            "share": matches!(list.kind, Kind::Share(..)),
            "rest": args.rest,
            "matter": args.matter,
            "all": found.len(),
            "page": args.page,
            "pages": found.len().div_ceil(limit),
            "cases": lines,
        }))
    }
}
