//! What rows speak of and the disk has lost.

use replica::entry::{LogId, Tip};
use store::{Position, Store, StoreError};

use crate::views::Views;
use crate::views::counts::visit;
use crate::views::fold::is_stray;
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// An entry that a row speaks of and that lies in a damaged place, or, of another device, behind one.
pub(crate) struct LostEntry {
    pub(crate) of: RecordRef,
    pub(crate) log: LogId,
    pub(crate) tip: Tip,
    pub(crate) body: Option<Vec<u8>>,
}

impl Views {
    /// Entries that rows speak of and that lie in damaged places, each with its body where the row's checksum still proves it: a frame
    /// is damaged by one bit anywhere in it. And those of other devices behind such places, which their logs reach no more.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn lost(&self, store: &Store) -> Result<Vec<LostEntry>, StoreError> {
        let mut lost = Vec::new();
        visit(store.kv(), name::RECORD, &mut |key, value| {
            let Some((of, row)) = name::tail(key).zip(RecordRow::decode(value)) else {
                return;
            };
            for entry in &row.entries {
                let at = entry.at();
                let (segment, offset) = (at.segment, at.offset);
                if !store.is_hole(Position { segment, offset }) && !is_stray(store, self.me, of, &row, entry) {
                    continue;
                }
                let body = store.body(at).ok();
                lost.extend(
                    row.place(of.scope, entry)
                        .map(|(log, tip)| LostEntry { of, log, tip, body }),
                );
            }
        })?;
        Ok(lost)
    }
}
