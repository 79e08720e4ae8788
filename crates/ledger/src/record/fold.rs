//! Folding.
use super::{Context, Folded, RecordEntry};
use crate::id::RecordId;
/// Folds a record.
pub fn fold(record: &RecordId, entries: &[RecordEntry], ctx: &Context) -> Folded {
    let _ = (record, entries, ctx);
    todo!()
}
