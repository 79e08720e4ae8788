//! Verifying everything: frames, chains, signatures, and the index against them.

use std::collections::{BTreeMap, BTreeSet};

use replica::entry::{LogId, Tip};
use replica::run::Run;

use super::rows::Hole;
use super::{Store, rows};
use crate::journal::{self, FrameAt, Item, Walker, next_chain};
use crate::kv::{Order, Scan};
use crate::types::{Damage, Position, Progress, StoreError, Task, Verified};

/// Faults told at most: a disk that is falling apart would tell millions.
const FAULTS_MAX: usize = 1_000;

/// What a walk over all frames met.
#[derive(Default)]
struct Walked {
    damaged: BTreeMap<Position, u64>,
    runs: BTreeSet<Position>,
}

impl Store {
    /// Proves the whole journal (checksums, the chain of frames, the chain and signatures of every log) and that the index's rows
    /// point to it. Changes nothing but what is known of damage, and a segment's header that has rotted since it was read; new damage is
    /// taken in as [`Store::scrub`] does.
    pub fn verify(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<Verified, StoreError> {
        self.check_poison()?;
        let segments: Vec<u32> = self.journal.segments.keys().copied().collect();
        self.mend_headers(&segments);
        let mut verified = Verified {
            bytes: self.journal.bytes(),
            ..Verified::default()
        };
        let Walked { damaged, runs } = self.verify_frames(&mut verified, progress)?;
        verified.met = self.met_by_verify(damaged)?;
        let mut reached = BTreeSet::new();
        let logs: Vec<LogId> = self.logs.scopes().flat_map(|scope| self.logs.logs(scope)).collect();
        for log in logs {
            self.verify_log(&log, &mut verified, &mut reached)?;
        }
        for at in runs.difference(&reached) {
            if !self.dead.contains_key(at) {
                fault(&mut verified, format!("the run at {at:?} is in no log"));
            }
        }
        (verified.damaged, verified.healed) = self.damage();
        Ok(verified)
    }

    /// The known places that cannot be read: those where something is still missing, and those where everything that lay there is
    /// held again.
    pub fn damage(&self) -> (Vec<Damage>, Vec<Damage>) {
        let (mut open, mut healed) = (Vec::new(), Vec::new());
        let waits = !self.holes.is_empty() && self.any_waits();
        for (at, hole) in &self.holes {
            let of = if !waits && self.is_reached(hole) {
                &mut healed
            } else {
                &mut open
            };
            of.push(hole.damage(*at));
        }
        (open, healed)
    }

    /// Every place that was ever found damaged and is still there, whether or not what lay in it is held again, with the logs that had
    /// entries there.
    pub fn holes(&self) -> impl Iterator<Item = Damage> + '_ {
        self.holes.iter().map(|(at, hole)| hole.damage(*at))
    }

    fn met_by_verify(&mut self, found: BTreeMap<Position, u64>) -> Result<Vec<Damage>, StoreError> {
        if self.has_staged() {
            // Logs are laid anew between commits only; the next scrub or opening finds it again.
            return Ok(Vec::new());
        }
        self.met_anew(found)
    }

    fn verify_frames(&self, verified: &mut Verified, progress: &mut dyn FnMut(Progress)) -> Result<Walked, StoreError> {
        let mut walked = Walked::default();
        let total = verified.bytes;
        let (mut done, mut last) = (0, None);
        for (number, segment) in &self.journal.segments {
            if last.is_some_and(|(before, chain)| before + 1 == *number && chain != segment.previous) {
                fault(
                    verified,
                    format!("segment {number} does not continue the one before it"),
                );
            }
            let mut chain = Some(segment.first_chain());
            let mut walker = Walker::new(&*self.disk, segment, 0);
            while let Some(item) = walker.next()? {
                match item {
                    Item::Damage { at, bytes } => {
                        walked.damaged.insert(at, bytes);
                        chain = None;
                    }
                    Item::Frame {
                        place,
                        marked,
                        kind,
                        body,
                        chain: held,
                    } => {
                        verified.frames += 1;
                        if chain.is_some_and(|chain| next_chain(&chain, marked, body) != held) {
                            fault(verified, format!("the frame at {:?} breaks the chain", place.at));
                        }
                        chain = Some(held);
                        if kind == journal::RUN {
                            walked.runs.insert(place.at);
                        }
                    }
                }
            }
            done += segment.len;
            // After damage at its end nobody knows how the segment ended.
            last = chain.map(|chain| (*number, chain));
            progress(Progress {
                task: Task::Verifying,
                done,
                total,
            });
        }
        Ok(walked)
    }

    fn verify_log(
        &self,
        log: &LogId,
        verified: &mut Verified,
        reached: &mut BTreeSet<Position>,
    ) -> Result<(), StoreError> {
        let Some(&number) = self.numbers.get(log) else {
            fault(verified, format!("log {log:?} has no row"));
            return Ok(());
        };
        for (branch, after, last) in self.logs.branches(log) {
            let mut places: Vec<FrameAt> = Vec::new();
            let from = rows::span_key(number, branch, after.seq + 1);
            let until = rows::span_key(number, branch, u64::MAX);
            self.kv.scan(&from, &until, Order::Rising, &mut |key, value| {
                places.extend(rows::span(key, value).map(|span| span.place));
                Scan::On
            })?;
            let mut at = after;
            for place in places {
                reached.insert(place.at);
                match self.verify_run(log, place, at) {
                    Ok((tip, entries)) => {
                        at = tip;
                        verified.entries += entries;
                    }
                    Err(why) => fault(verified, format!("{why} at {:?}", place.at)),
                }
            }
            if at != last {
                fault(
                    verified,
                    format!("branch {branch} of {log:?} ends at {} instead of {}", at.seq, last.seq),
                );
            }
        }
        Ok(())
    }

    fn verify_run(&self, log: &LogId, place: FrameAt, at: Tip) -> Result<(Tip, u64), String> {
        let (_, body) = self
            .journal
            .frame(&*self.disk, place)
            .map_err(|_| "a run that cannot be read")?;
        let run = Run::decode(&body).map_err(|error| error.to_string())?;
        if run.log != *log || run.prev != at {
            return Err("a run that does not continue its log".to_owned());
        }
        let run = run.verify().map_err(|error| error.to_string())?;
        Ok((run.tip(), run.hashes().len() as u64))
    }

    /// Whether the logs that had entries there reach as far as before. If no run waits either, all that could have lain there is held.
    fn is_reached(&self, hole: &Hole) -> bool {
        let reach = |log: &LogId| self.logs.tips(log).iter().map(|tip| tip.seq).max().unwrap_or(0);
        hole.reached.iter().all(|(log, seq)| reach(log) >= *seq)
    }
}

fn fault(verified: &mut Verified, fault: String) {
    if verified.faults.len() < FAULTS_MAX {
        verified.faults.push(fault);
    }
}
