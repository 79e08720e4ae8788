//! A report while it is counted, slice by slice, so that a save waits for one slice at most.
//!
//! It is one consistent cut: the cases as their rows are when counting begins. What is written over meanwhile is read as it was
//! ([`crate::views::cut`]); statements, calendar, absences, open pairs and the tips that a frozen report keeps are taken at the same
//! moment.

use ledger::id::UserId;
use replica::time::Now;
use serde_json::Value as Json;

use super::assess::Windows;
use super::cases::List;
use super::freeze::{Frozen, KeptNamed, Late};
use super::place::Frame;
use super::shown::Watermark;
use super::{Ground, Question, Survey};
use crate::command::{Command, CommandError, Report, ReportKept};
use crate::office::Office;
use crate::texts;
use crate::texts::report as t;
use crate::views::cut::Seen;
use crate::views::measure::{self, Measure};
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// A whole row is read this many times as slowly as a short one.
const ROW_COST: usize = 8;
/// So does folding a record as it was.
const FOLD_COST: usize = 100;

/// What is counted, and the watermark that it will bear.
pub(crate) struct Counted {
    pub(crate) q: Question,
    pub(crate) mark: Watermark,
}

/// A report that is being counted. To be carried on with [`Office::count_on`] until that answers.
pub struct Job {
    acting: Option<UserId>,
    owed: Option<crate::acts::Owed>,
    /// Of the rows.
    cut: u64,
    ground: Ground,
    at: Counted,
    stage: Stage,
}

enum Stage {
    Show(Box<Survey>),
    Freeze(Box<Survey>, Box<Frozen>),
    List(Box<List>),
    /// A list as it was when a report was frozen.
    Past(Box<List>),
    /// What has entries since is folded without them.
    Fold(Box<List>),
    Assess(Box<Windows>),
    Kept(Box<Survey>, Box<KeptNamed>),
    /// The figures of today are there; what came late is looked for.
    Late(Box<Survey>, Box<KeptNamed>, Box<Late>),
    /// All that may be late is there; each is held against what it was.
    Weigh(Box<Survey>, Box<KeptNamed>, Box<Late>),
    Told,
}

impl Office {
    /// Begins a report; [`Command::counts_all`] says which commands are meant. The rows have to be up to the journal.
    ///
    /// # Errors
    /// What is asked for makes no sense here.
    pub fn begin_report(&mut self, now: Now, command: Command) -> Result<Job, CommandError> {
        match command {
            Command::By(by) => {
                self.works_here(by.user)?;
                self.acting = Some(by.user);
                let owed = crate::acts::owed(&by.asks);
                let begun = self.begin_report(now, *by.asks);
                self.acting = None;
                Ok(Job { owed, ..begun? })
            }
            Command::Report(report) => {
                self.before_command(now, &Command::Report(report.clone()))?;
                self.begin_counting(now, report)
            }
            _ => Err(CommandError::usage("unknown_command", "没有这个命令。")),
        }
    }

    pub(crate) fn begin_counting(&mut self, now: Now, report: Report) -> Result<Job, CommandError> {
        let (at, kept) = match &report {
            Report::Show(of) => (
                self.counted(now, of.period.as_deref(), of.unit.as_deref(), of.frame)?,
                None,
            ),
            Report::Freeze(of) => (self.counted(now, Some(&of.period), of.unit.as_deref(), of.frame)?, None),
            Report::Cases(of) if of.kept.is_none() => (
                self.counted(now, of.period.as_deref(), of.unit.as_deref(), of.frame)?,
                None,
            ),
            Report::Assess(of) => {
                let frame = Frame::Then;
                (
                    self.counted(now, of.period.as_deref(), of.unit.as_deref(), frame)?,
                    None,
                )
            }
            Report::Kept(ReportKept { id }) => self.kept_asked(now, id)?,
            Report::Cases(of) => self.kept_asked(now, of.kept.as_deref().unwrap_or_default())?,
            Report::List | Report::Absence(_) => return Err(CommandError::usage("unknown_command", "没有这个命令。")),
        };
        let ground = self.ground()?;
        let survey = || Box::new(Survey::new(&at.q, &ground));
        let stage = match (report, kept) {
            (Report::Freeze(of), _) => Stage::Freeze(survey(), Box::new(self.to_freeze(now, &of, &at)?)),
            (Report::Cases(of), kept) => {
                let mut list = Box::new(List::new(at.q.clone(), &ground, &of, kept.as_ref())?);
                if let Some(kept) = kept.filter(|_| !of.fresh) {
                    self.note_frozen(&mut list, &kept.frozen);
                }
                match list.is_of_the_past() {
                    true => Stage::Past(list),
                    false => Stage::List(list),
                }
            }
            (Report::Assess(_), _) => Stage::Assess(Box::new(Windows::new(at.q.clone(), &ground))),
            (_, Some(kept)) => Stage::Kept(survey(), Box::new(kept)),
            _ => Stage::Show(survey()),
        };
        Ok(Job {
            acting: self.acting,
            owed: None,
            cut: self.views.cuts.open(),
            ground,
            at,
            stage,
        })
    }

    /// What is asked of a frozen report.
    fn kept_asked(&mut self, now: Now, id: &str) -> Result<(Counted, Option<KeptNamed>), CommandError> {
        self.hub_life().map_err(|_| t::no_hub_reports())?;
        self.today(now)?;
        self.catch_up(now)?;
        let (at, kept) = self.kept_named(id)?;
        Ok((at, Some(kept)))
    }

    fn counted(
        &mut self,
        now: Now,
        period: Option<&str>,
        unit: Option<&str>,
        frame: Frame,
    ) -> Result<Counted, CommandError> {
        let q = self.question(now, period, unit, frame)?;
        let mark = self.watermark(now, &q)?;
        Ok(Counted { q, mark })
    }

    /// Goes on with a report for about the time that so many short rows take. The answer, once there is one.
    pub fn count_on(&mut self, now: Now, job: &mut Job, rows: usize) -> Option<Result<Json, CommandError>> {
        let done = self.slice(now, job, rows);
        match done {
            Ok(None) => None,
            Ok(Some(done)) => {
                self.views.cuts.close(job.cut);
                Some(Ok(done))
            }
            Err(error) => {
                self.views.cuts.close(job.cut);
                Some(Err(error))
            }
        }
    }

    fn slice(&mut self, now: Now, job: &mut Job, rows: usize) -> Result<Option<Json>, CommandError> {
        let more = match &mut job.stage {
            Stage::Late(_, _, late) => {
                let ground = &job.ground;
                self.read_rows(job.cut, rows / ROW_COST, &mut |of, row| late.add(ground, of, row))?
            }
            Stage::Past(list) => {
                let ground = &job.ground;
                self.read_rows(job.cut, rows / ROW_COST, &mut |of, row| list.add_row(ground, of, row))?
            }
            Stage::Fold(list) => self.fold_past(list, &job.ground, rows / FOLD_COST)?,
            Stage::Weigh(_, _, late) => {
                let today = self.today(now)?;
                self.weigh_late(late, &job.ground, rows / FOLD_COST, today)?
            }
            stage => {
                let ground = &job.ground;
                self.read_measures(job.cut, rows, &mut |of, m| match stage {
                    Stage::Show(survey) | Stage::Freeze(survey, _) | Stage::Kept(survey, _) => {
                        survey.add(ground, of, m);
                    }
                    Stage::List(list) => list.add(ground, of, m),
                    Stage::Assess(windows) => windows.add(ground, of, m),
                    Stage::Late(..) | Stage::Weigh(..) | Stage::Past(_) | Stage::Fold(_) | Stage::Told => {}
                })?
            }
        };
        if more {
            return Ok(None);
        }
        self.next_stage(now, job)
    }

    /// After all rows of a stage: the next one, or the answer.
    fn next_stage(&mut self, now: Now, job: &mut Job) -> Result<Option<Json>, CommandError> {
        // Names are those of the same moment as the sums.
        std::mem::swap(&mut self.authority, &mut job.ground.authority);
        let told = self.told_by(job);
        std::mem::swap(&mut self.authority, &mut job.ground.authority);
        let stage = match told? {
            Told::Answer(answer) => return Ok(Some(answer)),
            Told::Freeze(frozen) => {
                self.acting = job.acting;
                if job.owed.is_some() {
                    self.owe(job.owed.take());
                }
                let frozen = self.freeze(now, *frozen, &job.at.q);
                let frozen = self.settle_act(now, frozen);
                self.acting = None;
                return frozen.map(Some);
            }
            Told::Next(stage) => stage,
        };
        job.stage = stage;
        Ok(None)
    }

    fn told_by(&mut self, job: &mut Job) -> Result<Told, CommandError> {
        // The ground's authority is in our place just now.
        let stage = std::mem::replace(&mut job.stage, Stage::Told);
        let (cut, at) = (job.cut, &job.at);
        Ok(match stage {
            Stage::Show(mut survey) => {
                survey.settle(&self.authority, &job.ground.noted);
                let mut shown = self.report_json(&at.q, &survey.sums, &survey.last, &at.mark);
                shown["trend"] = survey.trend.json();
                shown["frozen"] = self.frozen_of(&at.q)?;
                Told::Answer(shown)
            }
            Stage::Freeze(mut survey, mut frozen) => {
                survey.settle(&self.authority, &job.ground.noted);
                (frozen.sums, frozen.last) = (survey.sums, survey.last);
                Told::Freeze(frozen)
            }
            Stage::Past(list) => Told::Next(Stage::Fold(list)),
            Stage::List(list) | Stage::Fold(list) => self.listed(job, list)?,
            Stage::Assess(mut windows) => {
                windows.settle(&self.authority, &job.ground.noted);
                Told::Answer(self.assess_json(&windows, &at.mark))
            }
            Stage::Kept(mut survey, kept) => {
                survey.settle(&self.authority, &job.ground.noted);
                self.cut_at(cut)?.rewind();
                let late = Late::new(&at.q, &kept, &self.authority);
                Told::Next(Stage::Late(survey, kept, Box::new(late)))
            }
            Stage::Late(survey, kept, late) => Told::Next(Stage::Weigh(survey, kept, late)),
            Stage::Weigh(survey, kept, late) => {
                let (found, count) = (late.found, late.count);
                Told::Answer(self.kept_json(at, &kept, &survey, found, count))
            }
            Stage::Told => return Err(texts::rows_made_anew()),
        })
    }

    fn listed(&mut self, job: &mut Job, mut list: Box<List>) -> Result<Told, CommandError> {
        // The ground's authority is in our place: for what looks things up there it is lent back.
        std::mem::swap(&mut self.authority, &mut job.ground.authority);
        list.settle(&job.ground);
        std::mem::swap(&mut self.authority, &mut job.ground.authority);
        Ok(Told::Answer(self.list_json(job.cut, &mut list)?))
    }

    fn cut_at(&mut self, cut: u64) -> Result<&mut crate::views::cut::Cut, CommandError> {
        self.views.cuts.at(cut).ok_or_else(texts::rows_made_anew)
    }

    fn read_measures(
        &mut self,
        cut: u64,
        rows: usize,
        each: &mut dyn FnMut(RecordRef, &Measure),
    ) -> Result<bool, CommandError> {
        let mirror = self.views.mirror.whole();
        let open = self.views.cuts.at(cut).ok_or_else(texts::rows_made_anew)?;
        let read = open.read(self.store.kv(), name::MEASURE, mirror, rows, &mut |of, seen| {
            let m = match seen {
                Seen::Row(bytes) => Measure::decode(bytes),
                Seen::Was(row) => measure::of_row(&of.record, row),
            };
            if let Some(m) = m {
                each(of, &m);
            }
        });
        read.map_err(|e| texts::store_failed(&e))
    }

    fn read_rows(
        &mut self,
        cut: u64,
        rows: usize,
        each: &mut dyn FnMut(RecordRef, &RecordRow),
    ) -> Result<bool, CommandError> {
        let open = self.views.cuts.at(cut).ok_or_else(texts::rows_made_anew)?;
        let read = open.read(self.store.kv(), name::RECORD, None, rows, &mut |of, seen| match seen {
            Seen::Row(bytes) => RecordRow::decode(bytes).iter().for_each(|row| each(of, row)),
            Seen::Was(row) => each(of, row),
        });
        read.map_err(|e| texts::store_failed(&e))
    }

    /// A record as it was at the cut.
    pub(crate) fn row_at(&mut self, cut: u64, of: RecordRef) -> Result<Option<RecordRow>, CommandError> {
        match self.cut_at(cut)?.was(of) {
            Some(was) => Ok(was.cloned()),
            None => self.row(of),
        }
    }
}

enum Told {
    Answer(Json),
    Freeze(Box<Frozen>),
    Next(Stage),
}
