//! What reports count of a record: one short row each, so that a county's month is one pass over the index and no record is folded for it.

use ledger::catalogue::{HandlingType, Matter};
use ledger::day::Day;
use ledger::id::{RecordId, Tier, UnitId, UserId};
use ledger::record::{Flag, Folded, FoldedEvent, Value};
use minicbor::{Decode, Encode};

use crate::views::row::{RecordRow, Summary};

/// China's clock, and noon on it.
const ZONE_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// Covers of one record that are kept: more half-days than a case lasts.
const COVERS_MAX: usize = 200;

/// Half a working day, as attendance is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Half {
    #[n(0)]
    Forenoon,
    #[n(1)]
    Afternoon,
}

/// B岗顶岗 on half a day: somebody acted in somebody else's place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Covered {
    #[n(0)]
    pub on: Day,
    #[n(1)]
    pub half: Half,
    /// For whom, by name.
    #[n(2)]
    pub of: String,
    #[n(3)]
    pub by: UserId,
    #[n(4)]
    pub unit: UnitId,
}

/// What a fold tells reports beyond what lists show.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Extra {
    /// Workdays promised by the matter's pinned version; none while that version is not here.
    #[n(0)]
    pub promised: Option<u32>,
    /// 即办件
    #[n(1)]
    pub spot: bool,
    /// 一次性告知: how often it was said that something is missing.
    #[n(2)]
    pub notices: u32,
    #[n(3)]
    pub closed_by: Option<UserId>,
    #[n(4)]
    pub closed_at: Option<UnitId>,
    #[n(5)]
    pub covers: Vec<Covered>,
    /// 恶意评价: a head found the evaluation that counts malicious.
    #[n(6)]
    pub malicious: bool,
}

impl Extra {
    pub(crate) fn of(folded: &Folded, matter: Option<&Matter>) -> Self {
        let closure = folded.closure.as_ref().filter(|c| c.counts);
        let mut covers: Vec<Covered> = folded.events.iter().filter_map(covered).collect();
        covers.sort();
        covers.dedup();
        covers.truncate(COVERS_MAX);
        Self {
            promised: matter.map(|m| m.promised_workdays),
            spot: matter.is_some_and(|m| m.handling_type == HandlingType::OnTheSpot),
            notices: folded.notices.len().try_into().unwrap_or(u32::MAX),
            closed_by: closure.and_then(|c| c.by.first().copied()),
            closed_at: closure.and_then(|c| c.units.first().copied()),
            covers,
            malicious: malicious(folded).is_some(),
        }
    }
}

/// The datum of a note that calls an evaluation malicious, or takes that back: the evaluation's event, by its id. Every version of the form
/// takes it, as any version of the program reads notes.
pub(crate) const MALICIOUS: &str = "malicious";
pub(crate) const MALICIOUS_UNDONE: &str = "malicious_undone";

/// The step that calls the effective evaluation malicious, where the last word about it does. Only those above the room are heard, and a new
/// evaluation is a new one.
pub(crate) fn malicious(folded: &Folded) -> Option<&FoldedEvent> {
    let evaluation = folded.evaluation.as_ref()?;
    let about = |event: &FoldedEvent, datum: &str| matches!(event.data.get(datum), Some(Value::Text(id)) if *id == evaluation.event);
    let mut stands = folded
        .events
        .iter()
        .rev()
        .filter(|e| e.void.is_none() && e.tier > Tier::Room);
    let last = stands.find(|e| about(e, MALICIOUS) || about(e, MALICIOUS_UNDONE))?;
    about(last, MALICIOUS).then_some(last)
}

/// A cover typed on its day; what was typed afterwards tells no half-day.
fn covered(event: &FoldedEvent) -> Option<Covered> {
    let Some(Value::Text(of)) = event.data.get("cover") else {
        return None;
    };
    let stands = event.void.is_none() && !event.flags.contains(&Flag::Late);
    let on = Day::of_wall_ms(event.wall_ms);
    if !stands || on != event.on || of.is_empty() {
        return None;
    }
    Some(Covered {
        on,
        half: half_of(event.wall_ms),
        of: of.clone(),
        by: event.user,
        unit: event.unit,
    })
}

/// The half of the day in China in which a moment lies.
pub(crate) fn half_of(wall_ms: i64) -> Half {
    match wall_ms.saturating_add(ZONE_MS).rem_euclid(DAY_MS) < DAY_MS / 2 {
        true => Half::Forenoon,
        false => Half::Afternoon,
    }
}

/// One record as reports see it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Measure {
    #[n(0)]
    pub(crate) no: String,
    #[n(1)]
    pub(crate) matter: String,
    #[n(2)]
    pub(crate) state: String,
    #[n(3)]
    pub(crate) ended: bool,
    #[n(4)]
    pub(crate) errand: bool,
    #[n(5)]
    pub(crate) on: Option<Day>,
    #[n(6)]
    pub(crate) received_on: Option<Day>,
    #[n(7)]
    pub(crate) accepted_on: Option<Day>,
    #[n(8)]
    pub(crate) closed_on: Option<Day>,
    #[n(9)]
    pub(crate) ended_on: Option<Day>,
    #[n(10)]
    pub(crate) noticed_on: Option<Day>,
    #[n(11)]
    pub(crate) result: Option<i64>,
    #[n(12)]
    pub(crate) rating: Option<i64>,
    #[n(13)]
    pub(crate) suspensions: Vec<(Day, Option<Day>)>,
    #[n(14)]
    pub(crate) extra: Extra,
    /// 并案: the record that was decided to lead, where it is another.
    #[n(15)]
    pub(crate) leads: Option<RecordId>,
}

impl Measure {
    pub(crate) fn of(record: &RecordId, s: &Summary) -> Self {
        Self {
            no: s.no.clone(),
            matter: s.matter.clone(),
            state: s.state.clone(),
            ended: s.ended,
            errand: s.errand,
            on: s.on,
            received_on: s.received_on,
            accepted_on: s.accepted_on,
            closed_on: s.closed_on,
            ended_on: s.ended_on,
            noticed_on: s.noticed_on,
            result: s.result,
            rating: s.rating,
            suspensions: s.suspensions.clone(),
            extra: s.extra.clone(),
            leads: decided_leader(record, s),
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

/// The other record that a standing decision lets lead this one.
pub(crate) fn decided_leader(record: &RecordId, s: &Summary) -> Option<RecordId> {
    let mut chosen = s.resolutions.iter().filter_map(|r| RecordId::parse(&r.choice));
    chosen.find(|leader| leader != record)
}

/// What a record is to reports; nothing before its head has come.
pub(crate) fn of_row(record: &RecordId, row: &RecordRow) -> Option<Measure> {
    (!row.summary.no.is_empty()).then(|| Measure::of(record, &row.summary))
}

/// The row that a record gives rise to.
pub(crate) fn measured(record: &RecordId, row: &RecordRow) -> Option<Vec<u8>> {
    of_row(record, row).map(|measure| measure.encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noon_in_china_divides_the_day() {
        let noon = 4 * 3_600_000;
        assert_eq!((half_of(noon - 1), half_of(noon)), (Half::Forenoon, Half::Afternoon));
        assert_eq!(half_of(noon + DAY_MS / 2), Half::Forenoon);
    }
}
