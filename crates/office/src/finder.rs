//! What cases are found by when a clerk knows the person and not the number: names, ID numbers and phones, in memory only.
//!
//! ```text
//!   first search ─▶ todo: every record ─▶ a few at every idle moment ─▶ opened values, by record
//!   a row changes ─▶ what was known of it goes at once ─▶ todo
//!   lock, unlock ─▶ everything goes, overwritten
//! ```
//!
//! Why memory: a search by a piece of a name or the last digits of a number needs the text itself, and the text may not lie in the
//! index. Opening 15,000 cases takes about a second once; they take about two megabytes.

use std::collections::{BTreeMap, BTreeSet};

use ledger::mask;
use ledger::record::Value;
use ledger::seal;
use replica::statement::Role;
use store::kv::prefix_end;
use store::{Order, Scan};
use zeroize::Zeroizing;

use crate::command::CommandError;
use crate::office::Office;
use crate::texts;
use crate::views::fold::Read;
use crate::views::name;
use crate::views::row::RecordRef;

/// Records opened at one idle moment: some milliseconds, so that nobody waits.
const FILL_IDLE: usize = 32;
/// The fields of a person, in the order in which they are kept.
const FIELDS: [&str; 3] = ["name", "cert_no", "mobile"];
/// Between two values: none of them holds it.
const GAP: char = '\u{1f}';

/// The persons of the cases held here, as far as they are opened.
#[derive(Default)]
pub(crate) struct Finder {
    /// Somebody has searched since the keys were opened or locked last.
    wanted: bool,
    known: BTreeMap<RecordRef, Known>,
    todo: BTreeSet<RecordRef>,
}

/// What a case is found by beside its place in the list.
struct Known {
    matter: Box<str>,
    /// [`FIELDS`] one after the other; none where they cannot be opened.
    person: Option<Zeroizing<Box<str>>>,
}

// Written by hand: what is known is for no log.
impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Finder({} known, {} to do)", self.known.len(), self.todo.len())
    }
}

impl Finder {
    /// Overwrites and lets go of all.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// These records have changed: what was known of them is no longer so.
    pub(crate) fn note(&mut self, changed: Vec<RecordRef>) {
        if self.wanted {
            for of in changed {
                self.known.remove(&of);
                self.todo.insert(of);
            }
        }
    }

    /// Whether something is left to be opened.
    pub(crate) fn is_behind(&self) -> bool {
        !self.todo.is_empty()
    }

    /// Whether any person's values are in memory.
    #[cfg(test)]
    pub(crate) fn holds_persons(&self) -> bool {
        self.known.values().any(|known| known.person.is_some())
    }

    /// The code of a record's matter.
    pub(crate) fn matter(&self, of: &RecordRef) -> Option<&str> {
        Some(&self.known.get(of)?.matter)
    }

    /// Whether a record's person answers to a word; `None` where nothing is known of the person.
    pub(crate) fn fits(&self, of: &RecordRef, word: &Word) -> Option<bool> {
        let known = self.known.get(of)?.person.as_ref()?;
        let mut values = known.split(GAP);
        let [name, cert_no, mobile] = [(); 3].map(|()| values.next().unwrap_or_default());
        Some(word.fits(name, cert_no, mobile))
    }
}

/// One word of what a clerk typed, as persons are held against it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// Digits (and a last X): a piece of a number.
    Digits(String),
    /// With stars: a number or a name as lists show it.
    Masked(String),
    Text(String),
}

/// Fewer digits than these are in half of all numbers.
pub(crate) const DIGITS_MIN: usize = 4;

impl Word {
    /// Half-width and upper-case already.
    pub(crate) fn read(text: &str) -> Self {
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit() || b == b'X');
        if text.contains('*') {
            Self::Masked(text.to_owned())
        } else if digits(text) {
            Self::Digits(text.to_owned())
        } else {
            Self::Text(text.to_owned())
        }
    }

    fn fits(&self, name: &str, cert_no: &str, mobile: &str) -> bool {
        match self {
            Self::Digits(digits) => digits.len() >= DIGITS_MIN && (cert_no.contains(digits) || mobile.contains(digits)),
            Self::Masked(masked) => *masked == mask::name(name) || like(masked, cert_no) || like(masked, mobile),
            Self::Text(text) => name.to_uppercase().contains(text),
        }
    }
}

/// Whether a number is one that `masked` may stand for: what is before the first star and behind the last is as it is, between them
/// anything.
fn like(masked: &str, number: &str) -> bool {
    let (Some(first), Some(last)) = (masked.find('*'), masked.rfind('*')) else {
        return false;
    };
    let (head, tail) = (&masked[..first], &masked[last + 1..]);
    head.len() + tail.len() >= DIGITS_MIN
        && number.len() > head.len() + tail.len()
        && number.starts_with(head)
        && number.ends_with(tail)
}

impl Office {
    /// Somebody is about to search: cases are looked at, and their persons opened, whenever there is nothing else
    /// to do. A hub, which holds a whole county's persons, opens none of them for this.
    pub(crate) fn want_finder(&mut self) -> Result<(), CommandError> {
        if self.finder.wanted {
            return Ok(());
        }
        self.views.watch();
        let mut todo = BTreeSet::new();
        let scanned = self
            .store
            .kv()
            .scan(name::RECORD, &prefix_end(name::RECORD), Order::Rising, &mut |key, _| {
                todo.extend(name::tail(key));
                Scan::On
            });
        scanned.map_err(|e| texts::store_failed(&e))?;
        self.finder = Finder {
            wanted: true,
            known: BTreeMap::new(),
            todo,
        };
        Ok(())
    }

    /// Takes over what has changed, and opens a few. Returns whether more is left.
    pub(crate) fn fill_finder_idle(&mut self) -> bool {
        self.finder.note(self.views.take_changed());
        // What cannot be read now is read, and told, when somebody searches.
        let _ = self.fill_finder(FILL_IDLE);
        self.finder.is_behind()
    }

    /// Opens at most so many.
    pub(crate) fn fill_finder(&mut self, max: usize) -> Result<(), CommandError> {
        self.finder.note(self.views.take_changed());
        for _ in 0..max {
            let Some(of) = self.finder.todo.pop_first() else { break };
            let Some(row) = self.row(of)? else { continue };
            let matter = Box::from(row.summary.matter.as_str());
            let opens = !self.keys.is_locked() && self.role() == Role::Node;
            let person = match opens {
                true => person(of, &self.read(of, row)?),
                false => None,
            };
            self.finder.known.insert(of, Known { matter, person });
        }
        Ok(())
    }
}

/// The person's values, where the record's key is here.
fn person(of: RecordRef, read: &Read) -> Option<Zeroizing<Box<str>>> {
    let key = read.key.as_ref()?;
    // Long enough for all of them, so that nothing is left behind by a string that grew.
    let mut all = Zeroizing::new(String::with_capacity(1_024));
    for (at, field) in FIELDS.into_iter().enumerate() {
        if at > 0 {
            all.push(GAP);
        }
        if let Some(Value::Sealed(bytes)) = read.folded.field(field)
            && let Ok(plain) = seal::open(key, &of.record, field, bytes).map(Zeroizing::new)
        {
            all.push_str(&plain);
        }
    }
    Some(Zeroizing::new(Box::from(all.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_fits_a_person_as_clerks_know_people() {
        let fits = |word: &str| Word::read(word).fits("欧阳娜娜", "51160319900307451X", "13800138000");
        for word in [
            "娜娜",
            "欧阳娜娜",
            "51160319900307451X",
            "451X",
            "8000",
            "13800138000",
            "欧*",
            "511603********451X",
            "5116*451X",
            "138****8000",
        ] {
            assert!(fits(word), "{word}");
        }
        for word in [
            "娜姐",
            "451",
            "80",
            "*",
            "**",
            "王*",
            "511603********4519",
            "139****8000",
            "5116031990030745*451X",
        ] {
            assert!(!fits(word), "{word}");
        }
    }
}
