//! Folds one record anew and says which index rows follow from it.

use std::collections::{BTreeMap, BTreeSet};

use ledger::form::Forms;
use ledger::id::{DeviceId, Hash, Tier, UnitId, UserId};
use ledger::record::{Author, Context, Envelope, Folded, RecordEntry, Standing, Status, Value, fold};
use ledger::seal::{self, RecordKey};
use ledger::{catalogue::Catalogue, mask};
use replica::authority::{self, Authority};
use replica::entry::{LogId, RecordBody, Tip};
use replica::logs::Held;
use sha2::{Digest, Sha256};
use store::{Position, Store, StoreError};

use crate::keys::Keys;
use crate::views::measure::{Extra, measured};
use crate::views::name::{self, Flag};
use crate::views::open::OpenCase;
use crate::views::row::{
    RECORD_DEVICE_ENTRIES_MAX, RecordRef, RecordRow, RowConflict, RowDoc, RowEntry, RowLog, RowResolution, RowStatus,
    Summary,
};

/// Everything that a fold reads beside the entries themselves.
pub(crate) struct Under<'a> {
    pub(crate) me: DeviceId,
    pub(crate) store: &'a Store,
    pub(crate) authority: &'a Authority,
    pub(crate) keys: &'a Keys,
    pub(crate) forms: &'a Forms,
    pub(crate) catalogues: &'a BTreeMap<Hash, Catalogue>,
    pub(crate) patience: Patience,
}

/// Whether a read that fails is waited for, or passed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Patience {
    #[default]
    Kept,
    /// It has failed again and again, and nothing was found damaged: the other records must not wait for ever.
    Lost,
}

/// An entry that has not been in the row yet, with its body at hand.
pub(crate) struct Fresh {
    pub(crate) log: RowLog,
    pub(crate) entry: RowEntry,
    pub(crate) body: Vec<u8>,
}

/// A record read whole: its row's entries, and what they fold to.
pub(crate) struct Read {
    pub(crate) row: RecordRow,
    pub(crate) folded: Folded,
    pub(crate) key: Option<RecordKey>,
    /// Entries that the record takes no more: see [`RECORD_DEVICE_ENTRIES_MAX`].
    pub(crate) excess: Vec<(RowLog, Tip)>,
    /// The bodies that were folded, with their envelopes.
    pub(crate) entries: Vec<(Envelope, Vec<u8>)>,
}

impl Read {
    /// The entries as the ledger takes them, for checks and edits.
    pub(crate) fn record_entries(&self) -> Vec<RecordEntry<'_>> {
        borrow(&self.entries)
    }
}

fn borrow(entries: &[(Envelope, Vec<u8>)]) -> Vec<RecordEntry<'_>> {
    entries
        .iter()
        .map(|(envelope, change)| RecordEntry {
            envelope: envelope.clone(),
            change,
        })
        .collect()
}

/// Whether another device wrote an entry that lies behind a damaged place, or in one and can be read all the same, so that its log does
/// not hold it any more. What is ours is said again, and stays until then.
pub(crate) fn is_stray(store: &Store, me: DeviceId, of: RecordRef, row: &RecordRow, entry: &RowEntry) -> bool {
    let (segment, offset) = (entry.at().segment, entry.at().offset);
    let at = Position { segment, offset };
    let is_held = |(log, tip): (LogId, Tip)| log.device == me || store.logs().holds(&log, tip, store);
    (store.is_dead(at) || store.is_hole(at)) && !row.place(of.scope, entry).is_none_or(is_held)
}

impl Under<'_> {
    /// The versions that records pin.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            forms: self.forms,
            catalogues: self.catalogues,
        }
    }

    /// Joins `fresh` to the row and folds. Entries whose place in the journal is known to be damaged leave the row, and those of other
    /// devices that nothing leads to any more: they come again.
    ///
    /// # Errors
    /// `Damaged` where the disk could not read just now: nothing may be concluded from that. [`Store::repair`] finds out what it is.
    pub(crate) fn read(&self, of: RecordRef, row: RecordRow, fresh: Vec<Fresh>) -> Result<Read, StoreError> {
        let doubts = self.store.doubts();
        let read = self.read_as_it_is(of, row, fresh)?;
        match self.store.doubts() == doubts || self.patience == Patience::Lost {
            true => Ok(read),
            false => Err(StoreError::Damaged { at: self.store.head() }),
        }
    }

    fn read_as_it_is(&self, of: RecordRef, mut row: RecordRow, fresh: Vec<Fresh>) -> Result<Read, StoreError> {
        let mut bodies: BTreeMap<(u16, u64, Hash), Vec<u8>> = BTreeMap::new();
        for Fresh { log, entry, body } in fresh {
            let (seq, hash) = (entry.seq, entry.hash);
            row.add(log, entry);
            if let Some(index) = row
                .logs
                .iter()
                .position(|l| *l == log)
                .and_then(|i| u16::try_from(i).ok())
            {
                bodies.insert((index, seq, hash), body);
            }
        }
        let excess = row.trim(RECORD_DEVICE_ENTRIES_MAX);
        let mut loaded = Vec::with_capacity(row.entries.len());
        for entry in std::mem::take(&mut row.entries) {
            let body = match bodies.remove(&(entry.log, entry.seq, entry.hash)) {
                Some(body) => body,
                None => match self.store.body(entry.at()) {
                    Ok(body) => body,
                    Err(StoreError::Damaged { .. }) => continue,
                    Err(error) => return Err(error),
                },
            };
            if !is_stray(self.store, self.me, of, &row, &entry) {
                loaded.push((entry, body));
            }
        }
        self.leave_stranded(of, &row, &mut loaded);
        let mut entries = Vec::with_capacity(loaded.len());
        let mut kept = Vec::with_capacity(loaded.len());
        for (entry, body) in loaded {
            if let (Some(log), Ok(body)) = (row.logs.get(usize::from(entry.log)), RecordBody::decode(&body)) {
                let log = LogId {
                    scope: of.scope,
                    device: log.device,
                    epoch: log.epoch,
                };
                let tip = Tip {
                    seq: entry.seq,
                    hash: entry.hash,
                };
                entries.push((self.envelope(&log, tip, &body), body.change));
            }
            kept.push(entry);
        }
        row.entries = kept;
        let folded = fold(&of.record, &borrow(&entries), &self.context());
        let erased = self.authority.erased(&of.scope, &of.record);
        let key = if erased {
            None
        } else {
            self.keys.record_key(self.store, &of.scope, &of.record)?
        };
        let before = std::mem::take(&mut row.summary);
        row.summary = self.summary(of, &folded, key.as_ref(), erased, before);
        Ok(Read {
            row,
            folded,
            key,
            excess,
            entries,
        })
    }

    /// Leaves out what its author has said again because it was stranded behind a damaged place: of equal bodies of one device, those
    /// that its logs hold no more. Until it is said again it stays, so that no clerk misses a case meanwhile.
    fn leave_stranded(&self, of: RecordRef, row: &RecordRow, loaded: &mut Vec<(RowEntry, Vec<u8>)>) {
        let said = |(entry, body): &(RowEntry, Vec<u8>)| {
            let device = row.logs.get(usize::from(entry.log)).map(|log| log.device);
            (device, Hash(Sha256::digest(body).into()))
        };
        let mut times: BTreeMap<_, usize> = BTreeMap::new();
        for entry in loaded.iter() {
            *times.entry(said(entry)).or_default() += 1;
        }
        if times.len() == loaded.len() {
            return;
        }
        times.retain(|_, times| *times > 1);
        let is_held = |entry: &RowEntry| {
            let place = row.place(of.scope, entry);
            place.is_some_and(|(log, tip)| self.store.logs().holds(&log, tip, self.store))
        };
        let several = loaded.iter().filter(|entry| times.contains_key(&said(entry)));
        let (held, stranded): (Vec<_>, Vec<_>) = several.partition(|(entry, _)| is_held(entry));
        let held: BTreeSet<_> = held.into_iter().map(said).collect();
        let gone = stranded.into_iter().filter(|entry| held.contains(&said(entry)));
        let gone: BTreeSet<_> = gone.map(|(entry, _)| (entry.log, entry.seq, entry.hash)).collect();
        loaded.retain(|(entry, _)| !gone.contains(&(entry.log, entry.seq, entry.hash)));
    }

    /// Who wrote an entry, and whether it counts: from the log and the statements, never from the document.
    fn envelope(&self, log: &LogId, tip: Tip, body: &RecordBody) -> Envelope {
        let (unit, tier) = self.author(&log.device, log.scope.unit);
        Envelope {
            standing: self.standing(log, tip),
            author: if tier.is_some() { Author::Known } else { Author::Unknown },
            wall_ms: body.wall_ms,
            skew_ms: body.skew_ms,
            device: log.device,
            unit,
            tier: tier.unwrap_or(Tier::Room),
            user: body.user,
        }
    }

    /// A device that has moved wrote in its former unit's book as that unit.
    fn author(&self, device: &DeviceId, book: UnitId) -> (UnitId, Option<Tier>) {
        let Some(member) = self.authority.member(device) else {
            return (book, None);
        };
        if member.unit != book
            && member.units.contains(&book)
            && let Some(unit) = self.authority.unit(book)
        {
            return (book, Some(unit.kind.tier()));
        }
        (member.unit, member.tier)
    }

    fn standing(&self, log: &LogId, tip: Tip) -> Standing {
        // The usual case, without looking for ancestors.
        if self.authority.stands_whole(log) {
            return Standing::Valid;
        }
        let held = Held {
            logs: self.store.logs(),
            hashes: self.store,
        };
        match self.authority.standing(log, tip, &held) {
            authority::Standing::Valid => Standing::Valid,
            authority::Standing::Waiting => Standing::Waiting,
        }
    }

    fn summary(
        &self,
        of: RecordRef,
        folded: &Folded,
        key: Option<&RecordKey>,
        erased: bool,
        before: Summary,
    ) -> Summary {
        let form = folded.head.as_ref().and_then(|h| self.forms.of(&h.form));
        let open = |field: &str| match (folded.field(field)?, key) {
            (Value::Sealed(bytes), Some(key)) => seal::open(key, &of.record, field, bytes).ok(),
            _ => None,
        };
        let head = folded.head.as_ref();
        let matter = head.and_then(|h| self.catalogues.get(&h.catalogue)?.matter(&h.matter));
        let has_book_key = !self.keys.scope_keys(&of.scope).is_empty();
        let locked = self.keys.is_locked() && self.keys.is_granted(&of.scope) && !erased;
        // Behind the lock nothing is opened, but what lists show already need not vanish from them.
        let (masked_name, token) = match locked {
            true => (before.masked_name, before.token),
            false => (
                open("name").map(|n| mask::name(&n)),
                open("cert_no").and_then(|no| self.keys.person_token(&of.scope, &no)),
            ),
        };
        Summary {
            status: match folded.status {
                Status::Ready => RowStatus::Ready,
                Status::AwaitingForm(_) => RowStatus::AwaitingForm,
                Status::AwaitingCatalogue(_) => RowStatus::AwaitingCatalogue,
                Status::AwaitingEntries(_) => RowStatus::AwaitingEntries,
                Status::SetAside => RowStatus::SetAside,
            },
            no: head.map(|h| h.no.clone()).unwrap_or_default(),
            matter: head.map(|h| h.matter.clone()).unwrap_or_default(),
            catalogue: head.map(|h| h.catalogue),
            on: head.map(|h| h.on),
            import_key: head.and_then(|h| h.import_key),
            state: folded.state.clone(),
            ended: form.is_some_and(|f| f.is_end(&folded.state)),
            accepted_on: folded.accepted_on,
            suspensions: folded.suspensions.iter().map(|s| (s.from, s.until)).collect(),
            closed_on: folded.closure.as_ref().filter(|c| c.counts).map(|c| c.on),
            result: folded.closure.as_ref().filter(|c| c.counts).map(|c| c.result),
            rating: folded.evaluation.as_ref().map(|e| e.rating),
            masked_name,
            token,
            conflicts: conflicts(folded),
            resolutions: resolutions(folded),
            set_aside: count(folded.set_aside.len()),
            waiting: count(folded.waiting),
            unrecognised: count(folded.unrecognised),
            erased,
            received_on: folded.received_on,
            noticed_on: folded.notices.iter().map(|n| n.on).min(),
            keyless: match locked {
                true => self.store.key(of.scope, &of.record).is_none(),
                false => has_book_key && key.is_none() && !erased,
            },
            locked,
            form: head.map(|h| h.form),
            errand: form.is_some_and(|f| f.name == "errand"),
            case_no: case_no(folded),
            ended_on: form.and_then(|form| ended_on(form, folded)),
            handled_by: handled_by(folded),
            decided_by: folded.decided_by,
            docs: docs(folded),
            bad_review: bad_review(folded),
            extra: Extra::of(folded, matter),
        }
    }
}

/// When the record came to its end: an end may be followed by another (办结, then 送达), and 重开 leads out of it again.
fn ended_on(form: &ledger::form::Form, folded: &Folded) -> Option<ledger::day::Day> {
    let mut on = None;
    for event in folded.events.iter().filter(|e| e.void.is_none()) {
        on = form.is_end(&event.state).then(|| on.unwrap_or(event.on));
    }
    on
}

/// The case that an errand belongs to.
fn case_no(folded: &Folded) -> Option<String> {
    match folded.field("case_no") {
        Some(Value::Text(no)) => Some(no.clone()),
        _ => None,
    }
}

/// Who took the last step that moved it, above the room.
fn handled_by(folded: &Folded) -> Option<UserId> {
    let mut steps = folded.events.iter().rev().filter(|e| e.void.is_none());
    let step = steps.find(|e| e.tier > Tier::Room && !matches!(e.kind.as_str(), "note" | "evaluate" | "resolve"))?;
    Some(step.user).filter(|user| *user != UserId::ZERO)
}

/// The document numbers of a record: what a room writes is none.
fn docs(folded: &Folded) -> Vec<RowDoc> {
    let mut docs: Vec<RowDoc> = Vec::new();
    for event in folded.events.iter().filter(|e| e.tier > Tier::Room) {
        let Some(Value::Text(no)) = event.data.get("doc_no") else {
            continue;
        };
        if no.is_empty() || no.len() > DOC_NO_BYTES_MAX {
            continue;
        }
        let stands = event.void.is_none() && folded.state != "void";
        if stands {
            docs.iter_mut().for_each(|doc| doc.stands = false);
        }
        docs.push(RowDoc {
            no: no.clone(),
            unit: event.unit,
            on: event.on,
            stands,
        });
    }
    docs
}

/// A bad evaluation is answered and closed by those above the room. That a head closes it is asked where it is typed: posts change,
/// and what was closed stays so.
fn bad_review(folded: &Folded) -> Option<(ledger::day::Day, bool)> {
    let evaluation = folded.evaluation.as_ref().filter(|e| e.rating >= BAD_RATING)?;
    let at = folded.events.iter().position(|e| e.id == evaluation.event)?;
    let closes = |e: &ledger::record::FoldedEvent| {
        let said = matches!(e.data.get(FOLLOW_UP), Some(Value::Text(said)) if said == FOLLOW_UP_CLOSED);
        said && e.void.is_none() && e.tier > Tier::Room
    };
    // What is malicious wants no answer.
    let is_over = crate::views::measure::malicious(folded).is_some() || folded.events[at..].iter().any(closes);
    Some((evaluation.on, is_over))
}

/// Ratings from here on want following up: 4 dissatisfied, 5 very dissatisfied.
pub(crate) const BAD_RATING: i64 = 4;
/// The datum of a note that answers a bad evaluation. Every version of the form takes it, as any version of the program reads notes.
pub(crate) const FOLLOW_UP: &str = "follow_up";
pub(crate) const FOLLOW_UP_STEP: &str = "step";
pub(crate) const FOLLOW_UP_CLOSED: &str = "closed";
/// A number is some thirty bytes; what is longer was written by no hub of ours.
const DOC_NO_BYTES_MAX: usize = 96;

fn conflicts(folded: &Folded) -> Vec<RowConflict> {
    let row = |c: &ledger::record::RecordConflict| RowConflict {
        id: c.id.0,
        kind: c.kind.as_str().to_owned(),
        open: c.resolved.is_none(),
    };
    folded.conflicts.iter().map(row).collect()
}

fn resolutions(folded: &Folded) -> Vec<RowResolution> {
    let row = |(id, r): (&ledger::conflict::ConflictId, &ledger::record::Resolution)| RowResolution {
        id: id.0,
        choice: r.choice.clone(),
    };
    folded.resolutions.iter().map(row).collect()
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A row of the index that follows from a record's row.
pub(crate) type Derived = BTreeMap<Vec<u8>, Vec<u8>>;

/// Every other row that a record gives rise to by itself; what it gives rise to together with others is in `groups`.
pub(crate) fn derived(of: RecordRef, row: &RecordRow) -> Derived {
    let mut rows = Derived::new();
    let s = &row.summary;
    if !s.no.is_empty() {
        rows.insert(name::number(&s.no, of), Vec::new());
        let list = if s.errand { name::errand } else { name::list };
        rows.insert(list(of, s.on, &s.no), s.state.clone().into_bytes());
    }
    if !s.no.is_empty() && !s.errand {
        for on in [s.on, s.closed_on, s.ended_on].into_iter().flatten() {
            rows.insert(name::day_case(of, on), Vec::new());
        }
    }
    if let Some(measure) = measured(&of.record, row) {
        rows.insert(name::measure(of), measure);
    }
    if let Some(no) = s.case_no.as_ref().filter(|_| s.errand) {
        rows.insert(name::errand_of(no, of), Vec::new());
    }
    if let Some(open) = OpenCase::of(s) {
        rows.insert(name::open(of), open.encode());
    }
    for doc in &s.docs {
        rows.insert(name::doc(doc, of), vec![u8::from(doc.stands)]);
    }
    if let Some(key) = &s.import_key {
        rows.insert(name::import(key, of), Vec::new());
    }
    if let Some(token) = s.token.as_ref().filter(|_| !s.errand) {
        rows.insert(name::person_case(token, s.on, of), Vec::new());
    }
    if let Some(key) = twin_key(of, s) {
        rows.insert(key, Vec::new());
    }
    for conflict in &s.conflicts {
        let item = crate::views::groups::Item {
            kind: conflict.kind.clone(),
            open: conflict.open,
            subjects: vec![of.to_bytes().to_vec().into()],
        };
        rows.insert(name::conflict(&conflict.id, of), item.encode());
    }
    for flag in flags(s) {
        rows.insert(name::flag(flag, of), Vec::new());
    }
    rows
}

/// Open cases of one person and matter stand together under this.
fn twin_key(of: RecordRef, s: &Summary) -> Option<Vec<u8>> {
    let token = s.token.as_ref().filter(|_| !s.errand)?;
    (s.status == RowStatus::Ready && !s.ended).then(|| name::twin(token, &s.matter, of))
}

fn flags(s: &Summary) -> impl Iterator<Item = Flag> + '_ {
    let stands = |flag: &Flag| match flag {
        Flag::SetAside => s.set_aside > 0 || s.status == RowStatus::SetAside,
        Flag::Versions => matches!(s.status, RowStatus::AwaitingForm | RowStatus::AwaitingCatalogue),
        Flag::Entries => s.waiting > 0 || s.status == RowStatus::AwaitingEntries,
        Flag::Unrecognised => s.unrecognised > 0,
        Flag::Keyless => s.keyless,
        Flag::Locked => s.locked,
        Flag::FollowUp => s.bad_review.is_some_and(|(_, closed)| !closed),
        Flag::FollowedUp => s.bad_review.is_some_and(|(_, closed)| closed),
    };
    Flag::EACH.into_iter().filter(stands)
}
