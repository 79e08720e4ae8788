//! Cases (办件) as people handle them: recorded, moved on, listed, shown, forgotten.
//!
//! Every command that writes commits by itself: what it answers is durable. Reading commands first bring the rows up to the journal.

mod act;
mod desk;
mod docs;
mod erase;
mod errand;
mod find;
mod follow;
mod inbox;
pub(crate) mod intake;
mod list;
mod many;
mod matters;
mod next;
mod once;
mod print;
mod queue;
mod search;
mod show;
pub(crate) mod shown;
mod today;
mod work;

pub(crate) use desk::{Desk, Place};
pub(crate) use inbox::Inbox;
pub(crate) use intake::Intake;
pub(crate) use show::Sight;
pub(crate) use shown::{at_text, status_text, unit_shown};
