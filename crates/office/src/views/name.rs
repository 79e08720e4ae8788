//! The keys of the index rows. All begin with `v`, so that they are told apart from the store's and can be compared as a whole.

use ledger::day::Day;
use ledger::id::{DeviceId, Hash, RecordId, Scope, UnitId};
use replica::entry::{LogId, Tip};

use crate::views::row::{RecordRef, RowDoc};

/// Everything of ours begins with this.
pub(crate) const ALL: &[u8] = b"v";
/// Of which format the rows are; one row.
pub(crate) const FORMAT: &[u8] = b"vF";
/// How far the rows are; one row.
pub(crate) const APPLIED: &[u8] = b"va";
/// Record rows, by scope and record.
pub(crate) const RECORD: &[u8] = b"vR";
/// Records by number.
pub(crate) const NUMBER: &[u8] = b"vN";
/// Records by import key.
pub(crate) const IMPORT: &[u8] = b"vI";
/// Records of a unit, newest first.
pub(crate) const LIST: &[u8] = b"vL";
/// Cases of a unit by the days on which something was counted of them, the latest day first.
pub(crate) const DAY: &[u8] = b"vK";
/// Errands of a unit, newest first.
pub(crate) const ERRAND: &[u8] = b"vE";
/// Errands by the number of their case.
pub(crate) const ERRAND_OF: &[u8] = b"vD";
/// Open records by person and matter.
pub(crate) const TWIN: &[u8] = b"vT";
/// Cases by person, newest first.
pub(crate) const PERSON: &[u8] = b"vP";
/// Conflict items inside records and between them.
pub(crate) const CONFLICT: &[u8] = b"vC";
/// Which conflict items a group of records gave rise to.
pub(crate) const GROUP: &[u8] = b"vG";
/// Entries of books that are no readable change of a record, by place.
pub(crate) const ODD: &[u8] = b"vB";
/// Where devices' audit trails stood, by the place of the entry that says so.
pub(crate) const WITNESS: &[u8] = b"vW";
/// Closings of days (日结), by unit and day.
pub(crate) const CLOSING: &[u8] = b"vY";
/// Cases that are not over, for inboxes.
pub(crate) const OPEN: &[u8] = b"vQ";
/// Document numbers (受理文书号), by year, series and number.
pub(crate) const DOC: &[u8] = b"vZ";
/// What reports count of each record.
pub(crate) const MEASURE: &[u8] = b"vM";
/// Reports that were frozen (定稿) and absences that were noted, by the unit that did and place.
pub(crate) const KEPT: &[u8] = b"vO";
/// Records that need attention, by flag.
pub(crate) const FLAG: &[u8] = b"vX";
/// What the rows were folded under: members, forms, catalogues, keys.
pub(crate) const UNDER: &[u8] = b"vU";

/// Why a record stands on a list of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Flag {
    /// Something of it is set aside.
    SetAside = b's' as isize,
    /// 等待模板: a form or catalogue that has not come.
    Versions = b'v' as isize,
    /// Entries whose predecessors have not come.
    Entries = b'e' as isize,
    /// 待认
    Unrecognised = b'u' as isize,
    /// The book's key is here, the record's is not.
    Keyless = b'k' as isize,
    /// Folded while the keys were locked: to be folded again once they are not.
    Locked = b'l' as isize,
    /// A bad evaluation that nobody has followed up to its end.
    FollowUp = b'f' as isize,
    /// One that somebody has.
    FollowedUp = b'g' as isize,
}

impl Flag {
    pub(crate) const EACH: [Flag; 8] = [
        Flag::SetAside,
        Flag::Versions,
        Flag::Entries,
        Flag::Unrecognised,
        Flag::Keyless,
        Flag::Locked,
        Flag::FollowUp,
        Flag::FollowedUp,
    ];
}

/// A number is what another device wrote: whatever is longer than a number can be is named by its beginning, which at worst lists
/// strangers together.
const NUMBER_BYTES_MAX: usize = 40;

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(crate) fn record(of: RecordRef) -> Vec<u8> {
    joined(&[RECORD, &of.to_bytes()])
}

/// All records with this number.
pub(crate) fn numbered(no: &str) -> Vec<u8> {
    let bytes = no.as_bytes();
    let cut = &bytes[..bytes.len().min(NUMBER_BYTES_MAX)];
    let len = cut.len() as u8;
    joined(&[NUMBER, cut, &[0, len]])
}

/// The smallest key of numbers that begin with `start`.
pub(crate) fn numbers_from(start: &str) -> Vec<u8> {
    joined(&[NUMBER, start.as_bytes()])
}

/// The number in a key that [`number`] made.
pub(crate) fn number_of(key: &[u8]) -> Option<&str> {
    let end = key.len().checked_sub(2 + RecordId::LEN + 17)?;
    std::str::from_utf8(key.get(NUMBER.len()..end)?).ok()
}

/// Sorted by record first: of equal numbers the larger record id is shown with `-2`, wherever its book lies.
pub(crate) fn number(no: &str, of: RecordRef) -> Vec<u8> {
    joined(&[&numbered(no), &of.record.0, &of.scope.to_bytes()])
}

pub(crate) fn imported(key: &Hash) -> Vec<u8> {
    joined(&[IMPORT, &key.0])
}

pub(crate) fn import(key: &Hash, of: RecordRef) -> Vec<u8> {
    joined(&[&imported(key), &of.to_bytes()])
}

pub(crate) fn measure(of: RecordRef) -> Vec<u8> {
    joined(&[MEASURE, &of.to_bytes()])
}

/// The number of the case in a key made by [`errand_of`].
pub(crate) fn errand_case_no(key: &[u8]) -> Option<&str> {
    let end = key.len().checked_sub(2 + 33)?;
    std::str::from_utf8(key.get(ERRAND_OF.len()..end)?).ok()
}

pub(crate) fn kept(log: &LogId, tip: Tip) -> Vec<u8> {
    placed(KEPT, log, tip)
}

/// The place that a key made by [`kept`] names.
pub(crate) fn kept_place(key: &[u8]) -> Option<(LogId, Tip)> {
    place(key.strip_prefix(KEPT)?)
}

pub(crate) fn listed(unit: UnitId) -> Vec<u8> {
    joined(&[LIST, &unit.0])
}

/// A day as four bytes that sort later days first.
fn falling(on: Option<Day>) -> [u8; 4] {
    let day = on.map_or(i32::MIN, Day::number);
    // Flipping the sign bit sorts signed numbers; inverting turns the order round.
    (!((day as u32) ^ 0x8000_0000)).to_be_bytes()
}

/// The day in a key made by [`list`] or [`day_case`].
pub(crate) fn listed_on(key: &[u8]) -> Option<Day> {
    let at = LIST.len() + UnitId::LEN;
    let falling = u32::from_be_bytes(key.get(at..at + 4)?.try_into().ok()?);
    match (!falling ^ 0x8000_0000) as i32 {
        i32::MIN => None,
        number => Some(Day::from_number(number)),
    }
}

/// The bytes of a number in a key made by [`list`].
pub(crate) const LISTED_NO_BYTES: usize = 20;
/// Where a case stands in its unit's list: its date and number, the newest smallest.
pub(crate) type ListPlace = [u8; 4 + LISTED_NO_BYTES];

/// The place in a key made by [`list`].
pub(crate) fn listed_place(key: &[u8]) -> Option<ListPlace> {
    let at = LIST.len() + UnitId::LEN;
    key.get(at..at + 4 + LISTED_NO_BYTES)?.try_into().ok()
}

/// The number in a place, as far as it goes in there; written into `to`, because a search asks for thousands.
pub(crate) fn place_no<'t>(place: &ListPlace, to: &'t mut [u8; LISTED_NO_BYTES]) -> &'t str {
    for (to, from) in to.iter_mut().zip(&place[4..]) {
        *to = !from;
    }
    let end = to.iter().position(|b| *b == 0).unwrap_or(LISTED_NO_BYTES);
    std::str::from_utf8(&to[..end]).unwrap_or_default()
}

/// All cases of one person.
pub(crate) fn person(token: &[u8; 16]) -> Vec<u8> {
    joined(&[PERSON, token])
}

pub(crate) fn person_case(token: &[u8; 16], on: Option<Day>, of: RecordRef) -> Vec<u8> {
    joined(&[PERSON, token, &falling(on), &of.to_bytes()])
}

/// Newest first: later business dates first, of one date the larger number first.
pub(crate) fn list(of: RecordRef, on: Option<Day>, no: &str) -> Vec<u8> {
    let mut place = [0xff_u8; LISTED_NO_BYTES];
    for (to, from) in place.iter_mut().zip(no.bytes()) {
        *to = !from;
    }
    joined(&[&listed(of.scope.unit), &falling(on), &place, &of.to_bytes()])
}

/// All cases of a unit by day, the latest day first.
pub(crate) fn days(unit: UnitId) -> Vec<u8> {
    joined(&[DAY, &unit.0])
}

/// The cases of one day.
pub(crate) fn day(unit: UnitId, on: Day) -> Vec<u8> {
    joined(&[&days(unit), &falling(Some(on))])
}

pub(crate) fn day_case(of: RecordRef, on: Day) -> Vec<u8> {
    joined(&[&day(of.scope.unit, on), &of.to_bytes()])
}

pub(crate) fn errands(unit: UnitId) -> Vec<u8> {
    joined(&[ERRAND, &unit.0])
}

/// As [`list`], for errands.
pub(crate) fn errand(of: RecordRef, on: Option<Day>, no: &str) -> Vec<u8> {
    joined(&[ERRAND, &list(of, on, no)[LIST.len()..]])
}

/// The errands of the case with this number.
pub(crate) fn errands_of(no: &str) -> Vec<u8> {
    joined(&[ERRAND_OF, &numbered(no)[NUMBER.len()..]])
}

pub(crate) fn errand_of(no: &str, of: RecordRef) -> Vec<u8> {
    joined(&[&errands_of(no), &of.to_bytes()])
}

/// The part of a list key that orders rows of several units among each other.
pub(crate) fn list_order(key: &[u8]) -> &[u8] {
    key.get(LIST.len() + UnitId::LEN..).unwrap_or(&[])
}

/// The row of one open case.
pub(crate) fn open(of: RecordRef) -> Vec<u8> {
    joined(&[OPEN, &of.to_bytes()])
}

/// All document numbers of a unit's hubs that begin so.
pub(crate) fn docs(unit: UnitId, start: &str) -> Vec<u8> {
    joined(&[DOC, &unit.0, start.as_bytes()])
}

pub(crate) fn doc(doc: &RowDoc, of: RecordRef) -> Vec<u8> {
    joined(&[&docs(doc.unit, &doc.no), &[0], &of.to_bytes()])
}

/// The number in a key made by [`doc`].
pub(crate) fn doc_no(key: &[u8]) -> Option<&str> {
    let end = key.len().checked_sub(34)?;
    std::str::from_utf8(key.get(DOC.len() + UnitId::LEN..end)?).ok()
}

pub(crate) fn twins(token: &[u8; 16], matter: &str) -> Vec<u8> {
    let bytes = matter.as_bytes();
    let cut = &bytes[..bytes.len().min(NUMBER_BYTES_MAX)];
    joined(&[TWIN, token, cut, &[0, cut.len() as u8]])
}

pub(crate) fn twin(token: &[u8; 16], matter: &str, of: RecordRef) -> Vec<u8> {
    joined(&[&twins(token, matter), &of.to_bytes()])
}

/// A conflict item has one row per record it was found in, or one named by its smallest subject.
pub(crate) fn conflict(id: &Hash, of: RecordRef) -> Vec<u8> {
    joined(&[CONFLICT, &id.0, &of.to_bytes()])
}

/// The items whose ids begin so.
pub(crate) fn conflicts_from(id: &[u8]) -> Vec<u8> {
    joined(&[CONFLICT, id])
}

/// The id in a key made by [`conflict`].
pub(crate) fn conflict_id(key: &[u8]) -> Option<Hash> {
    Hash::from_slice(key.get(CONFLICT.len()..CONFLICT.len() + Hash::LEN)?)
}

/// The row that lists a group's items; `group` is made by [`numbered`] or [`twins`].
pub(crate) fn group(group: &[u8]) -> Vec<u8> {
    joined(&[GROUP, group])
}

pub(crate) fn flagged(flag: Flag) -> Vec<u8> {
    joined(&[FLAG, &[flag as u8]])
}

pub(crate) fn flag(flag: Flag, of: RecordRef) -> Vec<u8> {
    joined(&[&flagged(flag), &of.to_bytes()])
}

/// Why an entry is odd: a record's entry that cannot be read, or a kind that this version does not know.
pub(crate) const ODD_UNREADABLE: u8 = 1;
pub(crate) const ODD_UNKNOWN: u8 = 2;
/// Its device has written its record too often.
pub(crate) const ODD_EXCESS: u8 = 3;

pub(crate) fn odd(log: &LogId, tip: Tip) -> Vec<u8> {
    placed(ODD, log, tip)
}

/// The place that a key made by [`odd`] names.
pub(crate) fn odd_place(key: &[u8]) -> Option<(LogId, Tip)> {
    place(key.strip_prefix(ODD)?)
}

pub(crate) fn witness(log: &LogId, tip: Tip) -> Vec<u8> {
    placed(WITNESS, log, tip)
}

/// The place that a key made by [`witness`] names.
pub(crate) fn witness_place(key: &[u8]) -> Option<(LogId, Tip)> {
    place(key.strip_prefix(WITNESS)?)
}

/// All closings of one day of a unit.
pub(crate) fn closings(unit: UnitId, day: Day) -> Vec<u8> {
    joined(&[CLOSING, &unit.0, &falling(Some(day))])
}

pub(crate) fn closing(unit: UnitId, day: Day, log: &LogId, tip: Tip) -> Vec<u8> {
    placed(&closings(unit, day), log, tip)
}

/// The place that a key made by [`closing`] names.
pub(crate) fn closing_place(key: &[u8]) -> Option<(LogId, Tip)> {
    place(key.get(CLOSING.len() + UnitId::LEN + 4..)?)
}

fn placed(family: &[u8], log: &LogId, tip: Tip) -> Vec<u8> {
    let (epoch, seq) = (log.epoch.to_be_bytes(), tip.seq.to_be_bytes());
    joined(&[family, &log.scope.to_bytes(), &log.device.0, &epoch, &seq, &tip.hash.0])
}

fn place(key: &[u8]) -> Option<(LogId, Tip)> {
    let word = |at: usize| key.get(at..at + 8)?.try_into().ok().map(u64::from_be_bytes);
    let log = LogId {
        scope: Scope::from_bytes(key.get(..17)?)?,
        device: DeviceId::from_slice(key.get(17..49)?)?,
        epoch: word(49)?,
    };
    let tip = Tip {
        seq: word(57)?,
        hash: Hash::from_slice(key.get(65..)?)?,
    };
    Some((log, tip))
}

pub(crate) fn under(kind: u8, what: &[u8]) -> Vec<u8> {
    joined(&[UNDER, &[kind], what])
}

/// The record that a key ends with, for the keys that end with one.
pub(crate) fn tail(key: &[u8]) -> Option<RecordRef> {
    RecordRef::from_bytes(key.get(key.len().checked_sub(33)?..)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n: u8) -> RecordRef {
        RecordRef {
            scope: Scope::book(UnitId([1; 16])),
            record: RecordId([n; 16]),
        }
    }

    #[test]
    fn the_newest_case_stands_first_and_equal_numbers_stand_together() {
        let day = |d| Day::from_ymd(2026, 10, d);
        let mut keys = [
            list(of(1), day(9), "51160300112628200011"),
            list(of(2), day(9), "51160300112628200029"),
            list(of(3), day(10), "51160300112628300011"),
            list(of(4), None, ""),
        ];
        keys.sort();
        let order: Vec<u8> = keys.iter().filter_map(|k| tail(k)).map(|r| r.record.0[0]).collect();
        assert_eq!(order, [3, 2, 1, 4]);
        assert_eq!(
            keys.iter().map(|k| listed_on(k)).collect::<Vec<_>>(),
            [day(10), day(9), day(9), None]
        );
        let no = "51160300112628200011";
        let written = |no: &str| {
            let mut to = [0; LISTED_NO_BYTES];
            place_no(&listed_place(&list(of(1), day(9), no)).unwrap(), &mut to).to_owned()
        };
        assert_eq!((written(no).as_str(), written("").as_str()), (no, ""));
        assert!(number(no, of(1)).starts_with(&numbered(no)));
        assert_eq!(number_of(&number(no, of(1))), Some(no));
        assert!(!number("511603001126282000119", of(1)).starts_with(&numbered(no)));
    }
}
