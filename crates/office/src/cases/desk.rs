//! The desk: what recording a case needs at hand so that it costs one sync and no search.

use std::collections::{BTreeMap, BTreeSet};

use ledger::catalogue::Catalogue;
use ledger::day::Day;
use ledger::id::{Hash, NodeCode, ProjectNo, RecordId, Scope, UnitCode, UnitId, UserId};
use ledger::record::{Entered, Who};
use ledger::seal::{RecordKey, ScopeKey};
use replica::authority::Write;
use replica::entry::{Entry, KIND_RECORD, RecordBody};
use replica::time::Now;
use store::kv::prefix_end;
use store::{Health, Order, Scan};

use crate::command::CommandError;
use crate::keys::{Closing, close_at_door};
use crate::office::Office;
use crate::passphrase::door_fact;
use crate::texts;
use crate::views::name;

/// Below this many spare keys new ones are made, in idle time.
const SPARES_LOW: usize = 32;
/// A market day has fifty cases.
const SPARES_FULL: usize = 128;
/// Rows brought up to the journal between two looks at the rest.
const APPLY_ENTRIES: usize = 8_192;

/// What one process has at hand.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// Last sequence given out, by node code and business date: rows follow a little later.
    given: BTreeMap<(NodeCode, Day), u32>,
    /// Records whose keys this process made ahead. Others in the vault are another life's: a copied folder would hand out the same
    /// record to two people.
    spares: BTreeSet<RecordId>,
}

/// Where a clerk stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) unit: UnitId,
    pub(crate) code: UnitCode,
    pub(crate) book: Scope,
    pub(crate) today: Day,
}

impl Office {
    /// Makes record keys ahead while nobody waits. Returns whether something was staged, which the next commit makes durable.
    pub(crate) fn top_up_spares(&mut self) -> Result<bool, CommandError> {
        let Some(unit) = self.unit() else { return Ok(false) };
        // A full disk takes none; making them again at every idle moment would keep an old PC warm all night.
        if self.store.health() != Health::Writable {
            return Ok(false);
        }
        let scope = Scope::book(unit);
        let Some(key) = self.keys.scope_key(&scope) else {
            return Ok(false);
        };
        // Another life's spares are taken out and left unused.
        while self.desk.spares.is_empty() && self.store.spare(scope).is_some() {}
        let left = self.store.spares(scope);
        if left >= SPARES_LOW {
            return Ok(false);
        }
        let made: Vec<(RecordId, [u8; 48])> = (left..SPARES_FULL)
            .map(|_| self.new_key(&key))
            .map(|(r, _, w)| (r, w))
            .collect();
        self.store
            .add_spares(scope, &made)
            .map_err(|e| texts::store_failed(&e))?;
        self.desk.spares.extend(made.iter().map(|(record, _)| *record));
        Ok(true)
    }

    fn new_key(&mut self, scope_key: &ScopeKey) -> (RecordId, RecordKey, [u8; 48]) {
        let record = RecordId(self.seeds.bytes());
        let key = RecordKey(self.seeds.bytes());
        let wrapped = scope_key.wrap(&key, &record);
        (record, key, wrapped)
    }

    /// A record with its key: made ahead if possible, else made now, which costs the vault's sync in the next commit.
    pub(crate) fn new_record(&mut self, book: Scope) -> Result<(RecordId, RecordKey), CommandError> {
        while let Some((record, wrapped)) = self.store.spare(book) {
            if !self.desk.spares.remove(&record) {
                continue;
            }
            if let Some(key) = self.keys.unwrap(&book, &record, &wrapped) {
                return Ok((record, key));
            }
        }
        let (record, key, wrapped) = match self.closing(&book)? {
            Closing::Key(scope_key) => self.new_key(&scope_key),
            Closing::Door(door) => {
                let record = RecordId(self.seeds.bytes());
                let (key, wrapped) =
                    close_at_door(&door, &book, &record, self.seeds.bytes()).ok_or_else(texts::no_book_key)?;
                (record, key, wrapped)
            }
        };
        self.store
            .stage_key(book, record, &wrapped)
            .map_err(|e| texts::store_failed(&e))?;
        Ok((record, key))
    }

    /// To what a new record's key of a book is closed now.
    fn closing(&self, book: &Scope) -> Result<Closing, CommandError> {
        if let Some(key) = self.keys.scope_key(book) {
            return Ok(Closing::Key(key));
        }
        if !self.keys.is_locked() {
            return Err(texts::no_book_key());
        }
        let kept = self.store.fact(&door_fact(book)).and_then(|door| door.try_into().ok());
        kept.map(Closing::Door).ok_or_else(|| match self.keys.is_granted(book) {
            true => texts::locked(),
            false => texts::no_book_key(),
        })
    }

    /// Today's business date in an office that has a life: all that reading needs, so that lists are shown even where the statements
    /// about this very room cannot be read.
    pub(crate) fn today(&self, now: Now) -> Result<Day, CommandError> {
        self.unit().ok_or_else(texts::unplaced)?;
        Ok(Day::of_wall_ms(now.wall_ms))
    }

    /// Where this office is, for recording.
    pub(crate) fn place(&self, now: Now) -> Result<Place, CommandError> {
        let unit = self.unit().ok_or_else(texts::unplaced)?;
        let code = self
            .authority
            .unit(unit)
            .map(|u| u.code)
            .ok_or_else(texts::not_member)?;
        Ok(Place {
            unit,
            code,
            book: Scope::book(unit),
            today: self.today(now)?,
        })
    }

    /// Who acts.
    pub(crate) fn who(&self, user: Option<UserId>) -> Result<Who, CommandError> {
        Ok(Who {
            unit: self.unit().ok_or_else(texts::unplaced)?,
            tier: self.tier(),
            device: self.me.device,
            user: user.or(self.acting).unwrap_or(UserId::ZERO),
        })
    }

    /// The catalogue that new cases pin, with its hash.
    pub(crate) fn leading_catalogue(&self) -> Option<(Hash, &Catalogue)> {
        let leading = self.authority.catalogue()?;
        let mut all = self.authority.catalogues().iter();
        let (hash, catalogue) = all.find(|(_, c)| std::ptr::eq(*c, leading) || *c == leading)?;
        Some((*hash, catalogue))
    }

    /// The next number of a business date. What other devices wrote under our code (a copied disk) is stepped over as far as known.
    pub(crate) fn next_number(&mut self, now: Now, place: Place, on: Day) -> Result<ProjectNo, CommandError> {
        let me = self.authority.member(&self.me.device).ok_or_else(texts::not_member)?;
        let node = me.node_code(self.epoch);
        if !self.desk.given.contains_key(&(node, on)) {
            self.catch_up(now)?;
        }
        let county = place.code.county();
        let first = ProjectNo::new(county, node, on, 1).ok_or_else(|| texts::no_number_left(on))?;
        // County, node, year and day: everything before the sequence.
        let start = name::numbers_from(&first.as_str()[..15]);
        let last = self
            .store
            .kv()
            .range(&start, &prefix_end(&start), Order::Falling, 1)
            .map_err(|e| texts::store_failed(&e))?;
        let known = last.first().and_then(|(key, _)| sequence(key)).unwrap_or(0);
        let given = self.desk.given.get(&(node, on)).copied().unwrap_or(0);
        let mut next = known.max(given) + 1;
        if next > ProjectNo::SEQUENCE_MAX {
            // Somebody wrote the last number of the day under our code: go on in the gap below it.
            next = self.first_gap(&start, given)?;
        }
        let no = ProjectNo::new(county, node, on, next).ok_or_else(|| texts::no_number_left(on))?;
        self.desk.given.insert((node, on), next);
        Ok(no)
    }

    fn first_gap(&self, start: &[u8], given: u32) -> Result<u32, CommandError> {
        let mut next = given + 1;
        let scanned = self
            .store
            .kv()
            .scan(start, &prefix_end(start), Order::Rising, &mut |key, _| {
                match sequence(key) {
                    Some(taken) if taken == next => next += 1,
                    Some(taken) if taken > next => return Scan::Stop,
                    _ => {}
                }
                Scan::On
            });
        scanned.map_err(|e| texts::store_failed(&e))?;
        Ok(next)
    }

    /// The entry that carries one change of a record.
    pub(crate) fn record_entry(&self, now: Now, record: RecordId, user: Option<UserId>, change: Vec<u8>) -> Entry {
        let body = RecordBody {
            record,
            user: user.or(self.acting).unwrap_or(UserId::ZERO),
            wall_ms: now.wall_ms,
            skew_ms: self.own_skew_ms(),
            change,
        };
        Entry {
            kind: KIND_RECORD,
            body: body.encode(),
        }
    }

    /// Appends to our own log of a book that we may write to.
    pub(crate) fn stage_in_book(&mut self, book: Scope, entries: Vec<Entry>) -> Result<(), CommandError> {
        if self.authority.may_write(&self.me.device, &book) != Write::Yes {
            return Err(texts::may_not_write());
        }
        // The hub of the unit that stood over it before may have written there, and still may; but nobody would fetch it any more.
        if !self.unit().is_some_and(|own| self.authority.may_hold(own, &book)) {
            return Err(texts::moved_away());
        }
        self.stage_entries(book, entries)
            .map(|_| ())
            .map_err(|e| texts::store_failed(&e))
    }

    /// Makes what a command staged durable. Nothing was said to anybody before this returns.
    pub(crate) fn keep(&mut self, now: Now) -> Result<(), CommandError> {
        self.pay(now).map_err(|e| texts::store_failed(&e))?;
        self.commit_or_fail(now).map_err(|e| texts::store_failed(&e))
    }

    /// Brings the rows up to the journal. Keys of records that turn out to be erased are destroyed on the way.
    pub(crate) fn catch_up(&mut self, now: Now) -> Result<(), CommandError> {
        while !self.views.is_current(&self.store) {
            if self.store.is_in_doubt() {
                self.repair(now).map_err(|e| texts::store_failed(&e))?;
            }
            let applied = self
                .views
                .apply(&mut self.store, &self.authority, &self.keys, APPLY_ENTRIES)
                .map_err(|e| texts::store_failed(&e))?;
            if applied.erased > 0 {
                // Not the act in hand: its row is still owed.
                self.commit_or_fail(now).map_err(|e| texts::store_failed(&e))?;
            }
            if applied.left == 0 && self.views.is_current(&self.store) {
                break;
            }
        }
        Ok(())
    }
}

/// The business date typed, or today; never in the future, and in the past entered late.
pub(crate) fn business_date(today: Day, typed: Option<Day>) -> Result<(Day, Entered), CommandError> {
    match typed {
        Some(on) if on > today => Err(texts::future_date(today)),
        Some(on) if on < today => Ok((on, Entered::Late)),
        _ => Ok((today, Entered::InTime)),
    }
}

/// The daily sequence in the key of a number.
fn sequence(key: &[u8]) -> Option<u32> {
    name::number_of(key)?.get(15..19)?.parse().ok()
}
