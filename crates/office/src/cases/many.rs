//! One step on many cases: what can be done is done, each row says what became of it, and pressing twice does nothing twice.

use std::collections::BTreeSet;

use replica::time::Now;
use serde_json::{Value as Json, json};

use crate::acts::Owed;
use crate::command::{CaseDo, CaseDoMany, CommandError};
use crate::office::Office;
use crate::texts;

/// Steps that say nothing of a single case and can be gone back on: whatever needs words, a result or a look is done one by one. So 决定 and
/// 办结 (each case has its own result, and the applicant is asked about it), and 转报上级, which nobody can take back.
const SAFE: [&str; 3] = ["accept", "process", "resume"];
/// A page of an inbox and more.
const MANY_MAX: usize = 500;

impl Office {
    /// Each case by itself, durable before the next: a power cut leaves whole steps.
    ///
    /// # Errors
    /// An event that is not safe for many; no case, or too many.
    pub(crate) fn case_do_many(&mut self, now: Now, args: &CaseDoMany) -> Result<Json, CommandError> {
        let event = args.event.trim().to_ascii_lowercase();
        if !SAFE.contains(&event.as_str()) {
            return Err(texts::not_for_many());
        }
        let numbers: BTreeSet<&str> = args
            .numbers
            .iter()
            .map(|n| n.trim())
            .filter(|n| !n.is_empty())
            .collect();
        if numbers.is_empty() || numbers.len() > MANY_MAX {
            return Err(texts::how_many(MANY_MAX));
        }
        let (mut done, mut already, mut refused) = (0_u64, 0_u64, 0_u64);
        let mut rows = Vec::with_capacity(numbers.len());
        for number in numbers {
            let mut row = json!({"project_no": number});
            if self.is_done(now, number, &event)? {
                already += 1;
                row["outcome"] = json!("already");
                row["message"] = json!(texts::DONE_ALREADY);
                rows.push(row);
                continue;
            }
            let one = CaseDo {
                number: number.to_owned(),
                event: event.clone(),
                note: args.note.clone(),
                user: args.user,
                cover: args.cover.clone(),
                ..CaseDo::default()
            };
            self.owe(Owed::step(number, &event));
            match self.case_do(now, one) {
                Ok(after) => {
                    done += 1;
                    row["outcome"] = json!("done");
                    row["state_label"] = after["state_label"].clone();
                    row["doc_no"] = after["doc_no"].clone();
                }
                // A disk that takes nothing more takes nothing of the rest either.
                Err(error) if matches!(error.code, "disk" | "disk_full") => return Err(error),
                Err(error) => {
                    refused += 1;
                    row["outcome"] = json!("refused");
                    row["code"] = json!(error.code);
                    row["message"] = json!(error.message);
                }
            }
            rows.push(row);
        }
        self.owe(None);
        Ok(json!({"event": event, "done": done, "already": already, "refused": refused, "cases": rows}))
    }

    /// Whether the case stands where this step leads, and we took it there.
    fn is_done(&mut self, now: Now, number: &str, event: &str) -> Result<bool, CommandError> {
        self.catch_up(now)?;
        let Ok((of, row)) = self.find(number) else {
            return Ok(false);
        };
        let read = self.read(of, row)?;
        let last = read
            .folded
            .events
            .iter()
            .rev()
            .find(|e| e.void.is_none() && e.kind != "note");
        Ok(last.is_some_and(|last| last.kind == event && Some(last.unit) == self.unit()))
    }
}
