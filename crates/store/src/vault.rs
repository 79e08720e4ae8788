//! The vault (密钥库): wrapped record keys in fixed slots that are rewritten in place, so that an erased key is in no byte of any file.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use ledger::id::{RecordId, Scope};

use crate::disk::{Disk, is_full, sync_or_write_again};
use crate::journal::failed;
use crate::types::{KeyStaged, StoreError};

const NAME: &str = "vault";
const MAGIC: &[u8; 8] = b"CLVAULT\n";
const VERSION: u32 = 1;
/// Header and slots have one length, so that slot `n` lies at `n` times it; slot 0 is the header.
const SLOT: usize = 96;
/// Slots read at once at opening.
const CHUNK_SLOTS: usize = 4096;

const FREE: u8 = 0;
const KEY: u8 = 1;
const ERASED: u8 = 2;

/// A key as its scope's key wrapped it.
pub(crate) type Wrapped = [u8; 48];

#[derive(Clone, Copy)]
struct Place {
    slot: u32,
    erased: Erased,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Erased {
    Yes,
    No,
}

/// All slots of the file, and what is to be written at the next commit.
pub(crate) struct Vault {
    /// Scopes are few and long: slots name them by their number here.
    scopes: Vec<Scope>,
    places: BTreeMap<(u32, RecordId), Place>,
    free: Vec<u32>,
    slots: u32,
    staged: BTreeMap<(Scope, RecordId), Option<Wrapped>>,
    /// Known only to this process: after a restart (or in a copy of the folder) nobody gives them out a second time.
    spares: BTreeMap<Scope, VecDeque<(RecordId, Wrapped)>>,
    spares_staged: Vec<(Scope, RecordId)>,
}

/// What opening the vault found.
pub(crate) struct VaultOpened {
    pub(crate) vault: Vault,
    /// Slots that did not prove themselves; they were wiped, and their keys are to be asked of a peer.
    pub(crate) damaged: u64,
}

/// What the vault has of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Key {
    Held(Wrapped),
    /// Never held, or erased.
    None,
    /// Its slot has rotted: a peer may send it again.
    Damaged,
}

impl Vault {
    pub(crate) fn open(disk: &mut dyn Disk) -> Result<VaultOpened, StoreError> {
        let mut vault = Vault {
            scopes: Vec::new(),
            places: BTreeMap::new(),
            free: Vec::new(),
            slots: 1,
            staged: BTreeMap::new(),
            spares: BTreeMap::new(),
            spares_staged: Vec::new(),
        };
        let Some(len) = disk.len(NAME).map_err(failed("opening the vault"))? else {
            begin(disk).map_err(failed("making the vault"))?;
            return Ok(VaultOpened { vault, damaged: 0 });
        };
        let slots = u32::try_from(len / SLOT as u64).unwrap_or(u32::MAX);
        check_header(disk, slots)?;
        vault.slots = slots.max(1);
        let mut bad = Vec::new();
        let mut at = 1;
        while at < slots {
            let count = CHUNK_SLOTS.min((slots - at) as usize);
            let bytes = disk
                .read_at(NAME, u64::from(at) * SLOT as u64, count * SLOT)
                .map_err(failed("reading the vault"))?;
            for (slot, bytes) in (at..).zip(bytes.chunks_exact(SLOT)) {
                bad.extend(vault.take_in(slot, bytes));
            }
            at += count as u32;
        }
        for slot in &bad {
            // A half-erased key must not stay readable.
            disk.write_at(NAME, u64::from(*slot) * SLOT as u64, &[0; SLOT])
                .map_err(failed("wiping a slot of the vault"))?;
            vault.free.push(*slot);
        }
        if !bad.is_empty() {
            sync_or_write_again(disk, NAME).map_err(failed("syncing the vault"))?;
        }
        Ok(VaultOpened {
            vault,
            damaged: bad.len() as u64,
        })
    }

    /// Takes in a slot as found; answers the slot to be wiped, if any.
    fn take_in(&mut self, slot: u32, bytes: &[u8]) -> Option<u32> {
        if bytes.iter().all(|b| *b == 0) {
            self.free.push(slot);
            return None;
        }
        let Some((state, scope, record, _)) = decode(bytes) else {
            return Some(slot);
        };
        let erased = if state == ERASED { Erased::Yes } else { Erased::No };
        let key = (self.number(scope), record);
        match self.places.get(&key) {
            // Erasing wins over a key that a crash left in another slot.
            Some(held) if held.erased == Erased::Yes || erased == Erased::No => Some(slot),
            held => {
                let wiped = held.map(|place| place.slot);
                self.places.insert(key, Place { slot, erased });
                wiped
            }
        }
    }

    fn number(&mut self, scope: Scope) -> u32 {
        if let Some(number) = self.known(scope) {
            return number;
        }
        self.scopes.push(scope);
        (self.scopes.len() - 1) as u32
    }

    fn known(&self, scope: Scope) -> Option<u32> {
        self.scopes.iter().position(|held| *held == scope).map(|at| at as u32)
    }

    fn place(&self, scope: Scope, record: &RecordId) -> Option<Place> {
        self.places.get(&(self.known(scope)?, *record)).copied()
    }

    pub(crate) fn keys(&self) -> u64 {
        self.places.len() as u64
    }

    /// The records whose keys lie here, as far as is known without reading their slots again.
    pub(crate) fn held(&self) -> impl Iterator<Item = (Scope, RecordId)> + '_ {
        let held = self.places.iter().filter(|(_, place)| place.erased == Erased::No);
        held.map(|((scope, record), _)| (self.scopes[*scope as usize], *record))
    }

    pub(crate) fn is_erased(&self, scope: Scope, record: &RecordId) -> bool {
        match self.staged.get(&(scope, *record)) {
            Some(staged) => staged.is_none(),
            None => self
                .place(scope, record)
                .is_some_and(|place| place.erased == Erased::Yes),
        }
    }

    /// The key, staged ones included: an edit may follow a creation before both are committed. A disk that cannot read just now says
    /// so: that is no missing key.
    pub(crate) fn key(&self, disk: &dyn Disk, scope: Scope, record: &RecordId) -> Result<Key, StoreError> {
        if let Some(staged) = self.staged.get(&(scope, *record)) {
            return Ok(staged.map_or(Key::None, Key::Held));
        }
        let Some(place) = self.place(scope, record).filter(|place| place.erased == Erased::No) else {
            return Ok(Key::None);
        };
        let bytes = disk
            .read_at(NAME, u64::from(place.slot) * SLOT as u64, SLOT)
            .map_err(failed("reading the vault"))?;
        Ok(match decode(&bytes) {
            Some((KEY, held_scope, held, wrapped)) if held_scope == scope && held == *record => Key::Held(wrapped),
            _ => Key::Damaged,
        })
    }

    pub(crate) fn stage(&mut self, disk: &dyn Disk, scope: Scope, record: RecordId, wrapped: &Wrapped) -> KeyStaged {
        if self.is_erased(scope, &record) {
            return KeyStaged::Erased;
        }
        match self.key(disk, scope, &record) {
            Ok(Key::Held(held)) if held == *wrapped => KeyStaged::Held,
            Ok(Key::Held(_)) => KeyStaged::Differs,
            Ok(Key::None | Key::Damaged) | Err(_) => {
                self.staged.insert((scope, record), Some(*wrapped));
                KeyStaged::New
            }
        }
    }

    pub(crate) fn replace(&mut self, disk: &dyn Disk, scope: Scope, record: RecordId, wrapped: &Wrapped) -> KeyStaged {
        let staged = self.stage(disk, scope, record, wrapped);
        if staged != KeyStaged::Differs {
            return staged;
        }
        self.staged.insert((scope, record), Some(*wrapped));
        KeyStaged::New
    }

    pub(crate) fn erase(&mut self, scope: Scope, record: RecordId) {
        if let Some(spares) = self.spares.get_mut(&scope) {
            spares.retain(|(spare, _)| *spare != record);
        }
        if !self.is_erased(scope, &record) {
            self.staged.insert((scope, record), None);
        }
    }

    pub(crate) fn add_spares(&mut self, scope: Scope, spares: &[(RecordId, Wrapped)]) {
        for (record, wrapped) in spares {
            self.staged.insert((scope, *record), Some(*wrapped));
            self.spares_staged.push((scope, *record));
        }
    }

    /// A spare key. Where its slot has rotted since it was written, it is staged once more: so far it is known, later it would not be.
    pub(crate) fn spare(&mut self, disk: &dyn Disk, scope: Scope) -> Option<(RecordId, Wrapped)> {
        let (record, wrapped) = self.spares.get_mut(&scope)?.pop_front()?;
        let lies = matches!(self.key(disk, scope, &record), Ok(Key::Held(held)) if held == wrapped);
        if !lies {
            self.staged.insert((scope, record), Some(wrapped));
        }
        Some((record, wrapped))
    }

    pub(crate) fn spares(&self, scope: Scope) -> usize {
        self.spares.get(&scope).map_or(0, VecDeque::len)
    }

    pub(crate) fn has_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// Nothing but erasures is staged: that needs no space.
    pub(crate) fn only_erasures(&self) -> bool {
        self.staged.values().all(Option::is_none)
    }

    pub(crate) fn abandon(&mut self) {
        self.staged.clear();
        self.spares_staged.clear();
    }

    /// Writes what is staged and syncs. On a full disk nothing has been taken; erasures may have been made all the same.
    pub(crate) fn commit(&mut self, disk: &mut dyn Disk) -> io::Result<Written> {
        if self.staged.is_empty() {
            return Ok(Written::All);
        }
        let (slots_before, free_before) = (self.slots, self.free.clone());
        let planned = self.plan();
        for (offset, bytes) in joined(&planned) {
            match disk.write_at(NAME, offset, &bytes) {
                Ok(()) => {}
                Err(error) if is_full(&error) => {
                    // Only growing meets a full disk, and growing comes last: cut it off again.
                    disk.truncate(NAME, u64::from(slots_before) * SLOT as u64)?;
                    self.slots = slots_before;
                    self.free = free_before;
                    return Ok(Written::Full);
                }
                Err(error) => return Err(error),
            }
        }
        sync_or_write_again(disk, NAME)?;
        for (slot, _, scope, record, erased) in planned {
            let key = (self.number(scope), record);
            self.places.insert(key, Place { slot, erased });
        }
        for (scope, record) in std::mem::take(&mut self.spares_staged) {
            if let Some(Some(wrapped)) = self.staged.get(&(scope, record)) {
                let spare = (record, *wrapped);
                self.spares.entry(scope).or_default().push_back(spare);
            }
        }
        self.staged.clear();
        Ok(Written::All)
    }

    /// The slots to write, in rising order.
    fn plan(&mut self) -> Vec<(u32, [u8; SLOT], Scope, RecordId, Erased)> {
        let staged: Vec<_> = self.staged.iter().map(|(key, value)| (*key, *value)).collect();
        let mut planned = Vec::with_capacity(staged.len());
        for ((scope, record), wrapped) in staged {
            let slot = match self.place(scope, &record) {
                Some(place) => place.slot,
                None => self.free.pop().unwrap_or_else(|| {
                    self.slots += 1;
                    self.slots - 1
                }),
            };
            let (state, wrapped, erased) = match wrapped {
                Some(wrapped) => (KEY, wrapped, Erased::No),
                None => (ERASED, [0; 48], Erased::Yes),
            };
            planned.push((slot, encode(state, scope, &record, &wrapped), scope, record, erased));
        }
        planned.sort_by_key(|(slot, ..)| *slot);
        planned
    }
}

/// Whether everything staged is durable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    All,
    Full,
}

/// Neighbouring slots become one write.
fn joined(planned: &[(u32, [u8; SLOT], Scope, RecordId, Erased)]) -> Vec<(u64, Vec<u8>)> {
    let mut writes: Vec<(u64, Vec<u8>)> = Vec::new();
    for (slot, bytes, ..) in planned {
        let offset = u64::from(*slot) * SLOT as u64;
        match writes.last_mut() {
            Some((start, joined)) if *start + joined.len() as u64 == offset => joined.extend_from_slice(bytes),
            _ => writes.push((offset, bytes.to_vec())),
        }
    }
    writes
}

fn header() -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..SLOT - 4]);
    bytes[SLOT - 4..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Syncs what is there, whoever wrote it.
pub(crate) fn make_durable(disk: &mut dyn Disk) -> io::Result<()> {
    sync_or_write_again(disk, NAME)
}

fn begin(disk: &mut dyn Disk) -> io::Result<()> {
    let draft = format!("{NAME}.new");
    disk.remove(&draft)?;
    disk.create(&draft)?;
    disk.append(&draft, &header())?;
    disk.sync_data(&draft)?;
    disk.rename(&draft, NAME)?;
    disk.sync_dir()
}

/// A damaged header is mended, as there is nothing in it but the version; a sound one of another version is refused.
fn check_header(disk: &mut dyn Disk, slots: u32) -> Result<(), StoreError> {
    if slots > 0 {
        let bytes = disk.read_at(NAME, 0, SLOT).map_err(failed("reading the vault"))?;
        let sound = crc32c::crc32c(&bytes[..SLOT - 4]).to_le_bytes() == bytes[SLOT - 4..];
        let version = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        if sound && bytes[..8] == *MAGIC && version == VERSION {
            return Ok(());
        }
        if sound && bytes[..8] == *MAGIC {
            return Err(StoreError::Version {
                file: NAME.to_owned(),
                version,
            });
        }
    }
    disk.write_at(NAME, 0, &header())
        .and_then(|()| sync_or_write_again(disk, NAME))
        .map_err(failed("mending the vault's header"))
}

fn encode(state: u8, scope: Scope, record: &RecordId, wrapped: &Wrapped) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[0] = state;
    bytes[1..18].copy_from_slice(&scope.to_bytes());
    bytes[18..34].copy_from_slice(&record.0);
    bytes[34..82].copy_from_slice(wrapped);
    let crc = crc32c::crc32c(&bytes[..SLOT - 4]);
    bytes[SLOT - 4..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<(u8, Scope, RecordId, Wrapped)> {
    let crc = crc32c::crc32c(bytes.get(..SLOT - 4)?).to_le_bytes();
    if bytes[SLOT - 4..] != crc || bytes[0] == FREE || bytes[0] > ERASED {
        return None;
    }
    let scope = Scope::from_bytes(&bytes[1..18])?;
    let record = RecordId::from_slice(&bytes[18..34])?;
    Some((bytes[0], scope, record, bytes[34..82].try_into().ok()?))
}
