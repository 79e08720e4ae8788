//! From what a person types to one record.

use ledger::id::{ProjectNo, RecordId};
use store::kv::prefix_end;
use store::{Kv, KvError, Order, StoreError};

use crate::command::CommandError;
use crate::office::Office;
use crate::texts;
use crate::views::Views;
use crate::views::fold::Read;
use crate::views::groups::number_ref;
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// More records than this with one number are not told apart on screens.
const SAME_NUMBER_MAX: usize = 64;

impl Office {
    /// The one record that `text` names: a number, a number with `-1`, `-2`… where several have it, or a record id.
    ///
    /// # Errors
    /// Unknown, mistyped, or ambiguous; the last names each of them as it has to be typed.
    pub(crate) fn find(&self, text: &str) -> Result<(RecordRef, RecordRow), CommandError> {
        let typed = ledger::check::fold_width(text.trim()).to_ascii_uppercase();
        if let Some(record) = RecordId::parse(&typed) {
            return self.find_by_id(record).ok_or_else(|| texts::unknown_number(text));
        }
        let (no, which) = match typed.rsplit_once('-') {
            Some((no, which)) => (no, which.parse::<usize>().ok()),
            None => (typed.as_str(), None),
        };
        let all = same_number(self.store.kv(), no).map_err(|e| texts::store_failed(&e))?;
        let one = match (all.as_slice(), which) {
            ([], _) if ProjectNo::parse(no).is_none() => return Err(texts::wrong_number(&typed)),
            ([], _) => return Err(texts::unknown_number(&typed)),
            ([one], None) => *one,
            (several, Some(which)) => match which.checked_sub(1).and_then(|at| several.get(at)) {
                Some(one) => *one,
                None => return Err(texts::unknown_number(&typed)),
            },
            (several, None) => return Err(texts::ambiguous_number(&typed, &self.describe(no, several))),
        };
        let row = self.row(one)?.ok_or_else(|| texts::unknown_number(&typed))?;
        Ok((one, row))
    }

    pub(crate) fn find_by_id(&self, record: RecordId) -> Option<(RecordRef, RecordRow)> {
        let scopes: Vec<_> = self.store.logs().scopes().collect();
        scopes.into_iter().find_map(|scope| {
            let of = RecordRef { scope, record };
            Some((of, self.row(of).ok()??))
        })
    }

    fn describe(&self, no: &str, several: &[RecordRef]) -> Vec<String> {
        let one = |(at, of): (usize, &RecordRef)| {
            let summary = self.row(*of).ok().flatten().map(|r| r.summary).unwrap_or_default();
            let unit = self.authority.unit(of.scope.unit).map_or("", |u| u.name.as_str());
            let name = summary.masked_name.unwrap_or_default();
            format!("{no}-{}  {unit}  {}  {name}", at + 1, summary.matter)
        };
        several.iter().enumerate().map(one).collect()
    }

    /// The row of a record.
    pub(crate) fn row(&self, of: RecordRef) -> Result<Option<RecordRow>, CommandError> {
        Views::row(self.store.kv(), of).map_err(|e| texts::store_failed(&e))
    }

    /// A record folded from its entries, for whatever needs more than its row. A read that fails is tried once more; damage that is
    /// met here for the first time is taken in by the next [`Office::repair`].
    pub(crate) fn read(&self, of: RecordRef, row: RecordRow) -> Result<Read, CommandError> {
        let under = self.views.under(&self.store, &self.authority, &self.keys);
        let read = under.read(of, row.clone(), Vec::new());
        let read = match read {
            Err(StoreError::Damaged { .. }) => under.read(of, row, Vec::new()),
            read => read,
        };
        read.map_err(|e| match e {
            StoreError::Damaged { .. } => texts::unreadable_just_now(),
            other => texts::store_failed(&other),
        })
    }

    /// The number as screens show it: the larger record id of two equal numbers carries `-2`.
    pub(crate) fn shown_number(&self, of: RecordRef, no: &str) -> String {
        let all = same_number(self.store.kv(), no).unwrap_or_default();
        match all.iter().position(|r| *r == of) {
            Some(at) if at > 0 => format!("{no}-{}", at + 1),
            _ => no.to_owned(),
        }
    }
}

/// All records with one number, the smallest record id first.
pub(crate) fn same_number(kv: &dyn Kv, no: &str) -> Result<Vec<RecordRef>, KvError> {
    let group = name::numbered(no);
    let rows = kv.range(&group, &prefix_end(&group), Order::Rising, SAME_NUMBER_MAX)?;
    Ok(rows.iter().filter_map(|(key, _)| number_ref(key)).collect())
}
