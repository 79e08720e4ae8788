//! What a simulation looks at from outside: read-only, and nothing that a command depends on.

use std::collections::BTreeSet;

use ledger::id::{DeviceId, Hash};
use ledger::record::{Folded, fold_without};
use replica::authority::Authority;
use replica::receipt::{Receipt, StoreId};
use store::kv::{Row, prefix_end};
use store::{Order, Scan, Store};

use crate::command::CommandError;
use crate::office::Office;
use crate::peers::Output;
use crate::texts;
use crate::tiers::Tiers;
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// How much an office holds for others at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    pub sessions: usize,
    /// Outputs that nobody has taken yet, and their bytes.
    pub outputs: usize,
    pub output_bytes: usize,
    /// The most bytes that one session has on their way to the network.
    pub unwritten_max: usize,
    /// Batches, newcomers, receipts and withdrawals that wait for the next commit.
    pub staged: usize,
    /// Reasons remembered for which peers did not take entries.
    pub refused: usize,
    pub catching_up: usize,
    /// Own receipts signed and not staged yet.
    pub receipts_unstaged: usize,
    /// Devices met, and rooms reported by others.
    pub seen: usize,
    pub heard: usize,
    /// Ticks in a row after which the next was due at once: a daemon that goes on so takes a whole core.
    pub restless: usize,
}

/// One record as this office has it.
pub struct Held {
    pub of: RecordRef,
    pub row: RecordRow,
    /// Folded now, from what the row names.
    pub folded: Folded,
    /// The same without the events that are void.
    pub without_void: Folded,
}

impl Office {
    /// The store: what is durable here.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the statements say that are durable here.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Names this life of the disk in receipts; 0 before there is one.
    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    /// The epoch of the logs that this process writes.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Own receipts that were signed and perhaps sent, and are not durable themselves yet.
    pub fn receipts_unstaged(&self) -> impl Iterator<Item = &Receipt> {
        self.unstaged.values()
    }

    /// Whether the rows are up to the journal.
    pub fn is_current(&self) -> bool {
        self.views.is_current(&self.store)
    }

    /// Tiers as screens show them.
    pub fn reach(&self) -> Tiers<'_> {
        self.tiers()
    }

    /// Devices with which a connection stands.
    pub fn connected(&self) -> BTreeSet<DeviceId> {
        self.peers.lines.values().map(|line| line.peer).collect()
    }

    /// How much is held for others.
    pub fn load(&self) -> Load {
        let sent = self.peers.waiting_outputs();
        let bytes = |output: &Output| match output {
            Output::Send(bytes) => bytes.len(),
            Output::Close(_) => 0,
        };
        let lines = self.peers.lines.values();
        Load {
            sessions: self.peers.lines.len(),
            outputs: sent.clone().count(),
            output_bytes: sent.map(bytes).sum(),
            unwritten_max: lines.map(|l| l.session.unwritten()).max().unwrap_or(0),
            staged: self.peers.staged_count(),
            refused: self.peers.refused.len(),
            catching_up: self.peers.catching_up_count(),
            receipts_unstaged: self.unstaged.len(),
            seen: self.reports.seen.len(),
            heard: self.reports.heard.len(),
            restless: self.due.restless,
        }
    }

    /// The rows of all records, by name. As far as they are applied.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn record_rows(&self) -> Result<Vec<(RecordRef, RecordRow)>, CommandError> {
        let mut rows = Vec::new();
        let kv = self.store.kv();
        kv.scan(
            name::RECORD,
            &prefix_end(name::RECORD),
            Order::Rising,
            &mut |key, value| {
                rows.extend(name::tail(key).zip(RecordRow::decode(value)));
                Scan::On
            },
        )
        .map_err(|e| texts::store_failed(&e))?;
        Ok(rows)
    }

    /// Every row between records (conflict items, groups) as bytes: one hash over them all.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn shared_rows(&self) -> Result<Vec<Row>, CommandError> {
        let mut rows = Vec::new();
        for family in [name::CONFLICT, name::GROUP] {
            let kv = self.store.kv();
            kv.scan(family, &prefix_end(family), Order::Rising, &mut |key, value| {
                rows.push((key.to_vec(), value.to_vec()));
                Scan::On
            })
            .map_err(|e| texts::store_failed(&e))?;
        }
        Ok(rows)
    }

    /// A record folded from its entries, with and without its void events.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn held(&self, of: RecordRef, row: RecordRow) -> Result<Held, CommandError> {
        let read = self.read(of, row)?;
        let void = read.folded.events.iter().filter(|e| e.void.is_some());
        let void: BTreeSet<String> = void.map(|e| e.id.clone()).collect();
        let under = self.views.under(&self.store, &self.authority, &self.keys);
        let without_void = fold_without(&of.record, &read.record_entries(), &under.context(), &void);
        Ok(Held {
            of,
            row: read.row,
            folded: read.folded,
            without_void,
        })
    }

    /// Hash of what a record folds to here.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn digest_of(&self, of: RecordRef, row: RecordRow) -> Result<Hash, CommandError> {
        Ok(self.read(of, row)?.folded.digest())
    }

    /// What a cheating program does: appends entries to this device's own log of any scope, well signed and chained, asking nobody
    /// whether it may.
    ///
    /// # Errors
    /// As those of a commit.
    #[cfg(any(test, feature = "rig"))]
    pub fn forge(
        &mut self,
        now: replica::time::Now,
        scope: ledger::id::Scope,
        entries: Vec<replica::entry::Entry>,
    ) -> Result<replica::entry::Tip, CommandError> {
        let tip = self
            .stage_entries(scope, entries)
            .map_err(|e| texts::store_failed(&e))?;
        self.keep(now)?;
        Ok(tip)
    }
}
