//! What an inbox needs of a case that is not over, small enough to be read whole: the row of the open cases.
//!
//! No deadline is kept: it follows from the calendar, and a calendar that is published anew changes no record.

use ledger::day::Day;
use ledger::id::{Hash, UnitId, UserId};
use minicbor::{Decode, Encode};

use crate::views::row::{RowStatus, Summary};

/// One open case.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct OpenCase {
    #[n(0)]
    pub(crate) no: String,
    #[n(1)]
    pub(crate) matter: String,
    #[n(2)]
    pub(crate) catalogue: Option<Hash>,
    #[n(3)]
    pub(crate) state: String,
    #[n(4)]
    pub(crate) accepted_on: Option<Day>,
    #[n(5)]
    pub(crate) received_on: Option<Day>,
    #[n(6)]
    pub(crate) noticed_on: Option<Day>,
    #[n(7)]
    pub(crate) suspensions: Vec<(Day, Option<Day>)>,
    #[n(8)]
    pub(crate) handled_by: Option<UserId>,
    #[n(9)]
    pub(crate) decided_by: Option<UnitId>,
}

impl OpenCase {
    /// The row of a case that is not over; nothing for one that is, or that cannot be folded yet.
    pub(crate) fn of(s: &Summary) -> Option<Self> {
        let is_open = s.status == RowStatus::Ready && !s.ended && !s.errand && !s.no.is_empty();
        is_open.then(|| Self {
            no: s.no.clone(),
            matter: s.matter.clone(),
            catalogue: s.catalogue,
            state: s.state.clone(),
            accepted_on: s.accepted_on,
            received_on: s.received_on,
            noticed_on: s.noticed_on,
            suspensions: s.suspensions.clone(),
            handled_by: s.handled_by,
            decided_by: s.decided_by,
        })
    }

    /// What a deadline is counted from.
    pub(crate) fn summary(self) -> Summary {
        Summary {
            matter: self.matter,
            catalogue: self.catalogue,
            state: self.state,
            accepted_on: self.accepted_on,
            received_on: self.received_on,
            noticed_on: self.noticed_on,
            suspensions: self.suspensions,
            handled_by: self.handled_by,
            decided_by: self.decided_by,
            no: self.no,
            ..Summary::default()
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        if minicbor::encode(self, &mut out).is_err() {
            unreachable!("a Vec takes every byte");
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }
}
