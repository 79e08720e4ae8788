//! The cases behind a figure: the same marks that were summed, so the list is as long as the figure says.

use ledger::day::Day;
use replica::time::Now;
use serde_json::{Value as Json, json};

use super::marks::{Mark, Marks};
use super::place::Places;
use super::shown::{Kind, figure_named};
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

impl Office {
    /// One page of the cases that a figure counts, the newest first, masked.
    ///
    /// # Errors
    /// As [`Office::report`]; a figure that is none.
    pub(crate) fn report_cases(&mut self, now: Now, args: &ReportCases) -> Result<Json, CommandError> {
        let q = self.question(now, args.period.as_deref(), args.unit.as_deref(), args.frame)?;
        let (kind, label, definition) = figure_named(&args.figure)?;
        let mut found: Vec<(Option<Day>, String, RecordRef)> = Vec::new();
        {
            let ground = self.ground()?;
            let law = ground.law(q.today);
            let mut places = Places::new(&self.authority, ground.organisation, q.unit.id, q.frame);
            let of_group = |m: &Measure| match kind {
                Kind::Coverage(Some(group)) => {
                    let matter = self.authority.catalogue().and_then(|c| c.matter(&m.matter));
                    matter.is_some_and(|matter| matter.group == group)
                }
                _ => true,
            };
            self.each_measure(&mut |of, m| {
                if args.matter.as_ref().is_some_and(|matter| *matter != m.matter)
                    || places.child(of.scope.unit, m.on).is_none()
                {
                    return;
                }
                let counts = match kind {
                    Kind::Cover => !args.rest && m.extra.covers.iter().any(|c| q.span.has(Some(c.on))),
                    _ => {
                        let has_errand = !m.errand && ground.with_errand.contains(&m.no);
                        let marks = law.judge(m, q.span, has_errand).marks;
                        stands(kind, marks, args.rest) && !ground.follows(of, m) && of_group(m)
                    }
                };
                if counts {
                    found.push((m.on, m.no.clone(), of));
                }
            })?;
        }
        found.sort_by(|a, b| b.cmp(a));
        let limit = args.limit.unwrap_or(LINES).clamp(1, LINES_MAX);
        let mut lines = Vec::new();
        for (_, _, of) in found.iter().skip(args.page.saturating_mul(limit)).take(limit) {
            if let Some(row) = self.row(*of)? {
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
            "figure_label": label,
            "definition": definition,
            "share": matches!(kind, Kind::Share(..)),
            "rest": args.rest,
            "matter": args.matter,
            "all": found.len(),
            "page": args.page,
            "pages": found.len().div_ceil(limit),
            "cases": lines,
        }))
    }
}
