//! Pages that a failed sync left behind. The kernel tells of them once; then they read as written and count as clean, so that no later sync
//! writes them. Only who writes to such a page again makes it try once more. (`fsync(2)`, and what PostgreSQL learnt of it in 2018.)

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Losses, Write};

/// The unit in which the kernel remembers what is still to be written.
const PAGE: usize = 4096;

/// What reads as written, and is not there after a power cut.
#[derive(Clone, Default)]
pub(super) struct Forgotten(Vec<Write>);

impl Forgotten {
    /// A sync of these writes has failed. `is_lost` decides of each page whether it reached the disk all the same.
    pub(super) fn take(&mut self, writes: &[Write], mut is_lost: impl FnMut() -> bool) {
        let parts: Vec<Write> = writes.iter().flat_map(by_page).collect();
        let pages: BTreeSet<usize> = parts.iter().map(page).collect();
        let lost: BTreeSet<usize> = pages.into_iter().filter(|_| is_lost()).collect();
        self.0
            .extend(parts.into_iter().filter(|part| lost.contains(&page(part))));
    }

    /// Somebody writes here again: what was forgotten of these pages is due with the next sync.
    pub(super) fn touch(&mut self, bytes: Range<usize>) -> Vec<Write> {
        let pages = bytes.start / PAGE..bytes.end.div_ceil(PAGE);
        self.0.extract_if(.., |part| pages.contains(&page(part))).collect()
    }

    /// The file ends here now.
    pub(super) fn truncate(&mut self, len: usize) {
        self.0.retain_mut(|part| part.truncate(len));
    }

    /// The power goes: what lay there before lies there again.
    pub(super) fn lose(&mut self, bytes: &mut [u8], losses: &mut Losses) {
        for part in std::mem::take(&mut self.0).iter().rev() {
            let end = (part.offset + part.after.len()).min(bytes.len());
            if part.offset < end {
                losses.lost += 1;
                bytes[part.offset..end].copy_from_slice(&part.before[..end - part.offset]);
            }
        }
    }
}

fn page(part: &Write) -> usize {
    part.offset / PAGE
}

/// The parts of a write, each within one page. Where nothing was before, zeros were; the length of the file is another matter.
fn by_page(write: &Write) -> impl Iterator<Item = Write> {
    let end = write.offset + write.after.len();
    let pages = write.offset / PAGE..end.div_ceil(PAGE);
    pages.map(move |page| {
        let (from, to) = ((page * PAGE).max(write.offset), ((page + 1) * PAGE).min(end));
        let within = from - write.offset..to - write.offset;
        let was = |at: usize| write.before.get(at).copied().unwrap_or(0);
        Write {
            offset: from,
            before: within.clone().map(was).collect(),
            len_before: None,
            after: write.after[within].to_vec(),
        }
    })
}
