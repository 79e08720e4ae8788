//! What hubs have set aside, told to those in whose books it is: a reason that only the hub's version knows reaches the room, and goes when
//! a retry there succeeds.
//!
//! ```text
//!   hub: rows flagged ──▶ list per peer below, when it has changed ──frame 18──▶ kept by who said it ──▶ beside the record's tick
//! ```
//!
//! A hub tells everything at once instead of what it told before, and passes on what the hub above told it. Nothing of it decides
//! anything: it is a word for people, and believed only of hubs above.

use std::collections::BTreeMap;

use ledger::id::{DeviceId, UnitId};
use minicbor::{Decode, Encode};
use replica::frame::Aside;
use replica::session::Input;
use replica::statement::Role;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::{Batch, Store, StoreError};

use crate::cases::shown::at_text;
use crate::command::CommandError;
use crate::office::Office;
use crate::peers::SessionId;
use crate::views::fold::Read;
use crate::views::name::Flag;
use crate::views::row::RecordRef;

/// Rows of what was told, by who told it.
const ROWS: &[u8] = b"pW";
/// Looked at again at most this often.
const EVERY_MS: u64 = 2_000;

/// What one hub has told.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
struct Told {
    #[n(0)]
    list: Vec<Aside>,
    /// When it came in here, by our clock.
    #[n(1)]
    heard_ms: i64,
}

/// What is known of records set aside elsewhere, and what was told of those set aside here.
#[derive(Default, Debug)]
pub(crate) struct Asides {
    told: BTreeMap<DeviceId, Told>,
    /// What each peer below was told last in this process's life, and in which session.
    said: BTreeMap<DeviceId, (SessionId, Vec<Aside>)>,
    /// How often something was told here, or somebody was met: with the rows' changes, whether there is anything to look at.
    pub(crate) news: u64,
    looked: (u64, u64),
    looked_ms: u64,
}

impl Asides {
    /// Reads what an earlier process kept. Rows that cannot be read are passed over.
    pub(crate) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut asides = Self::default();
        for (key, value) in store.kv().prefix(ROWS)? {
            let device = key.get(ROWS.len()..).and_then(DeviceId::from_slice);
            if let (Some(device), Ok(told)) = (device, minicbor::decode(&value)) {
                asides.told.insert(device, told);
            }
        }
        Ok(asides)
    }

    fn keep(&self, store: &Store, via: DeviceId) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        let told = self.told.get(&via).map(minicbor::to_vec);
        batch.put([ROWS, &via.0].concat(), told.and_then(Result::ok).unwrap_or_default());
        Ok(store.kv().write(batch)?)
    }
}

impl Office {
    /// Takes in what a hub above has set aside of our books, instead of what it told before.
    pub(crate) fn take_asides(&mut self, now: Now, via: DeviceId, list: Vec<Aside>) {
        let (Some(own), Some(from)) = (self.unit(), self.authority.member(&via).map(|m| m.unit)) else {
            return;
        };
        if from == own || !self.authority.is_within(own, from) {
            return;
        }
        let ours = |a: &Aside| self.authority.is_within(a.unit, own) && self.authority.is_within(own, a.by);
        let list: Vec<Aside> = list.into_iter().filter(|a| a.by != own && ours(a)).collect();
        if self.asides.told.get(&via).map_or(&[][..], |told| &told.list) == list {
            return;
        }
        let heard_ms = now.wall_ms;
        self.asides.told.insert(via, Told { list, heard_ms });
        self.asides.news = self.asides.news.wrapping_add(1);
        // A row that cannot be written is known in RAM, and told again by the next session.
        let _ = self.asides.keep(&self.store, via);
    }

    /// What others have said of one record: each reason once, with the unit that says so and when.
    fn told_of(&self, of: RecordRef) -> Vec<(&Aside, i64)> {
        let mut found: Vec<(&Aside, i64)> = Vec::new();
        for (via, told) in &self.asides.told {
            // A hub that was taken out has no word any more.
            if !self
                .authority
                .member(via)
                .is_some_and(replica::authority::Member::is_live)
            {
                continue;
            }
            for aside in &told.list {
                let same = |(known, _): &(&Aside, i64)| known.reason == aside.reason && known.by == aside.by;
                if aside.unit == of.scope.unit && aside.record == of.record && !found.iter().any(same) {
                    found.push((aside, told.heard_ms));
                }
            }
        }
        found
    }

    /// How many reasons stand beside a record that are not seen here.
    pub(crate) fn asides_elsewhere(&self, of: RecordRef) -> usize {
        self.told_of(of).len()
    }

    /// What is set aside of a record: as seen here, and as others have told with another reason.
    pub(crate) fn asides_of(&self, of: RecordRef, read: &Read) -> Json {
        let here = read.folded.set_aside.iter().map(|s| {
            json!({"change": s.change, "device": s.device.short(), "reason": s.reason.to_string(), "unit_name": null, "told_at": null})
        });
        let mut all: Vec<Json> = here.collect();
        let known: Vec<String> = read.folded.set_aside.iter().map(|s| s.reason.to_string()).collect();
        for (aside, heard_ms) in self.told_of(of) {
            if !known.contains(&aside.reason) {
                let (unit, unit_name) = self.unit_shown(aside.by);
                all.push(
                    json!({"reason": aside.reason, "unit": unit, "unit_name": unit_name, "told_at": at_text(heard_ms)}),
                );
            }
        }
        Json::Array(all)
    }

    /// Tells those below what is set aside of their books, when it has changed.
    pub(crate) fn send_asides(&mut self, now: Now) {
        let Some(own) = self.unit() else { return };
        let state = (self.views.writes(), self.asides.news);
        let is_soon = now.mono_ms.saturating_sub(self.asides.looked_ms) < EVERY_MS;
        if self.role() != Role::Hub || state == self.asides.looked || is_soon {
            return;
        }
        (self.asides.looked, self.asides.looked_ms) = (state, now.mono_ms);
        let met = self.peers.lines.iter().filter(|(_, line)| line.meter.met);
        let peers: Vec<(SessionId, DeviceId)> = met.map(|(id, line)| (*id, line.peer)).collect();
        let below: Vec<(SessionId, DeviceId, UnitId)> = peers
            .into_iter()
            .filter_map(|(id, peer)| Some((id, peer, self.authority.member(&peer)?.unit)))
            .filter(|(_, _, unit)| *unit != own && self.authority.is_within(*unit, own))
            .collect();
        if below.is_empty() {
            return;
        }
        let Ok(all) = self.asides_here(own) else { return };
        for (id, peer, unit) in below {
            let theirs = all.iter().filter(|a| self.authority.is_within(a.unit, unit));
            let list: Vec<Aside> = theirs.take(Aside::MAX).cloned().collect();
            let said = self.asides.said.get(&peer);
            // In a new session once more, as long as there is something: the peer's rows may be gone.
            let known = said.is_some_and(|(session, said)| *said == list && (list.is_empty() || *session == id));
            if !known {
                self.asides.said.insert(peer, (id, list.clone()));
                let _ = self.input(now, id, Input::AsidesOut(list));
            }
        }
    }

    /// What is set aside here, and what the hubs above have told of the books below.
    fn asides_here(&self, own: UnitId) -> Result<Vec<Aside>, CommandError> {
        let mut all = Vec::new();
        for flag in [Flag::SetAside, Flag::Versions] {
            for of in self.flagged(flag)?.into_iter().take(Aside::MAX) {
                let read = self.read(of, self.row(of)?.unwrap_or_default())?;
                let mut say = |reason: String| {
                    let aside = Aside {
                        unit: of.scope.unit,
                        record: of.record,
                        reason,
                        by: own,
                    };
                    all.push(aside.bounded());
                };
                match flag {
                    Flag::SetAside => read.folded.set_aside.iter().for_each(|s| say(s.reason.to_string())),
                    _ => say(crate::cases::status_text(&read.row.summary).to_owned()),
                }
            }
        }
        for told in self.asides.told.values() {
            all.extend(told.list.iter().cloned());
        }
        all.dedup();
        Ok(all)
    }

    pub(crate) fn next_aside_ms(&self) -> Option<u64> {
        let due = (self.views.writes(), self.asides.news) != self.asides.looked;
        let is_hub = self.life.is_some() && self.role() == Role::Hub;
        (due && is_hub && !self.peers.lines.is_empty()).then_some(self.asides.looked_ms + EVERY_MS)
    }
}
