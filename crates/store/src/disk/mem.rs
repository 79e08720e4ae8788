//! A disk in memory for simulations: it keeps apart what was synced and what was only written.

mod faults;
mod forgotten;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Disk;
pub use faults::{Fault, Losses, Struck};
use forgotten::Forgotten;

/// The unit in which a disk loses or keeps unsynced bytes.
const SECTOR: usize = 512;

/// A disk in memory. Clones are handles on the same disk; [`MemDisk::copy`] is another disk with the same content.
#[derive(Clone)]
pub struct MemDisk {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Clone, Default)]
struct Inner {
    seed: u64,
    names: BTreeMap<String, u64>,
    files: BTreeMap<u64, Content>,
    next_file: u64,
    /// The names as the last `sync_dir` left them, and as each unsynced change made them.
    durable_names: BTreeMap<String, u64>,
    unsynced_names: Vec<BTreeMap<String, u64>>,
    sync_fails: bool,
    operations: u64,
    operations_max: Option<u64>,
    power_goes_at_name: bool,
    /// The process is killed at this operation.
    dies_at: Option<u64>,
    capacity: Option<u64>,
    /// Reads and writes left until one fails.
    reads_left: Cell<Option<u64>>,
    writes_left: Option<u64>,
    segment_bytes: Option<u64>,
    struck: Cell<Struck>,
    /// Somebody looks from outside: reads neither count nor fail.
    watched: bool,
}

#[derive(Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    /// Occupied without being content (the reserve).
    allocated: u64,
    unsynced: Vec<Write>,
    forgotten: Forgotten,
}

/// What one unsynced write replaced.
#[derive(Clone)]
struct Write {
    offset: usize,
    before: Vec<u8>,
    /// How long the file was; `None` when that is not for this write to say.
    len_before: Option<usize>,
    after: Vec<u8>,
}

impl MemDisk {
    /// An empty disk; `seed` decides what a power cut loses.
    pub fn new(seed: u64) -> Self {
        let inner = Inner {
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed,
            ..Inner::default()
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// The same disk with shorter segments, so that a story of some days goes through many.
    #[must_use]
    pub fn with_segments(self, bytes: u64) -> Self {
        self.lock().segment_bytes = Some(bytes);
        self
    }

    /// Another disk with the same content: a backup, or a cloned PC.
    pub fn copy(&self) -> MemDisk {
        let inner = self.lock().clone();
        // Another disk has its own mishaps.
        inner.struck.set(Struck::default());
        let inner = Inner {
            watched: false,
            ..inner
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// Makes something go wrong from now on.
    pub fn fault(&self, fault: Fault) {
        let mut inner = self.lock();
        match fault {
            Fault::SyncFails => inner.sync_fails = true,
            Fault::PowerGoesAfter(operations) => inner.operations_max = Some(inner.operations + operations),
            Fault::PowerGoesAtName => inner.power_goes_at_name = true,
            Fault::DiesAfter(operations) => inner.dies_at = Some(inner.operations + operations),
            Fault::Capacity(bytes) => inner.capacity = Some(bytes),
            Fault::Roomy => inner.capacity = None,
            Fault::ReadFails(reads) => inner.reads_left.set(Some(reads)),
            Fault::WriteFails(writes) => inner.writes_left = Some(writes),
        }
    }

    /// Takes away what was armed and has not struck yet; a power cut under way stays.
    pub fn mend(&self) {
        let mut inner = self.lock();
        inner.sync_fails = false;
        inner.power_goes_at_name = false;
        inner.reads_left.set(None);
        inner.writes_left = None;
        inner.capacity = None;
        if inner.has_power() {
            inner.operations_max = None;
        }
        if !inner.is_dead() {
            inner.dies_at = None;
        }
    }

    /// Bytes that the files occupy.
    pub fn used(&self) -> u64 {
        self.lock().used()
    }

    /// While somebody looks from outside, reads neither count nor fail: looking must not change what happens.
    pub fn watch(&self, watched: bool) {
        self.lock().watched = watched;
    }

    /// How often armed faults have struck since this was last asked.
    pub fn take_struck(&self) -> Struck {
        self.lock().struck.take()
    }

    /// How many operations have changed the disk so far.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Whether the disk has power; it has not once [`Fault::PowerGoesAfter`] or [`Fault::PowerGoesAtName`] has struck.
    pub fn is_powered(&self) -> bool {
        self.lock().has_power()
    }

    /// Whether the process that uses the disk lives; it does not once [`Fault::DiesAfter`] has struck.
    pub fn is_alive(&self) -> bool {
        !self.lock().is_dead()
    }

    /// Another process begins: it sees whatever the killed one has written, synced or not.
    pub fn revive(&self) {
        self.lock().dies_at = None;
    }

    /// The power goes and comes back: of what was not synced some is lost, some torn, some kept, as the seed says. Returns how much.
    pub fn cut_power(&self) -> Losses {
        let mut inner = self.lock();
        let mut losses = Losses::default();
        inner.operations_max = None;
        inner.dies_at = None;
        inner.sync_fails = false;
        inner.power_goes_at_name = false;
        inner.reads_left.set(None);
        inner.writes_left = None;
        let unsynced = std::mem::take(&mut inner.unsynced_names);
        let kept = inner.random(unsynced.len() as u64 + 1) as usize;
        losses.names = (unsynced.len() - kept) as u64;
        let names = match kept.checked_sub(1) {
            None => inner.durable_names.clone(),
            Some(last) => unsynced[last].clone(),
        };
        inner.durable_names.clone_from(&names);
        inner.names = names;
        let ids: Vec<u64> = inner.files.keys().copied().collect();
        for id in ids {
            if !inner.names.values().any(|held| *held == id) {
                inner.files.remove(&id);
                continue;
            }
            let Some(mut content) = inner.files.remove(&id) else {
                continue;
            };
            content.lose_unsynced(&mut inner, &mut losses);
            inner.files.insert(id, content);
        }
        losses
    }

    /// Flips one bit of a file, as ageing disks do.
    pub fn flip(&self, name: &str, offset: u64, bit: u8) {
        let mut inner = self.lock();
        if let Ok(content) = inner.content_mut(name)
            && let Some(byte) = usize::try_from(offset).ok().and_then(|at| content.bytes.get_mut(at))
        {
            *byte ^= 1 << (bit % 8);
        }
    }

    /// Cuts a file short behind everybody's back.
    pub fn cut(&self, name: &str, len: u64) {
        let mut inner = self.lock();
        if let Ok(content) = inner.content_mut(name) {
            content.unsynced.clear();
            content.bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// A number below `bound` (SplitMix64); `bound` is not zero.
    fn random(&mut self, bound: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn powered(&self) -> io::Result<()> {
        if !self.has_power() {
            return Err(io::Error::other("the power is gone"));
        }
        if self.is_dead() {
            return Err(io::Error::other("the process was killed"));
        }
        Ok(())
    }

    fn has_power(&self) -> bool {
        self.operations_max.is_none_or(|max| self.operations < max)
    }

    fn is_dead(&self) -> bool {
        self.dies_at.is_some_and(|at| self.operations >= at)
    }

    /// Counts an operation that changes the disk; from the last one on it is only half done, which is the caller's business.
    fn operate(&mut self) -> io::Result<()> {
        self.powered()?;
        self.operations += 1;
        Ok(())
    }

    fn strike(&self, what: impl FnOnce(&mut Struck)) {
        let mut struck = self.struck.get();
        what(&mut struck);
        self.struck.set(struck);
    }

    /// Counts a read; the one that is to fail does.
    fn read(&self) -> io::Result<()> {
        self.powered()?;
        if self.watched {
            return Ok(());
        }
        match self.reads_left.get() {
            Some(0) => {
                self.reads_left.set(None);
                self.strike(|s| s.reads += 1);
                Err(io::Error::other("the disk could not read"))
            }
            left => {
                self.reads_left.set(left.map(|n| n - 1));
                Ok(())
            }
        }
    }

    /// Counts a write; of the one that is to fail only a part is done. Returns how many bytes.
    fn write_limit(&mut self, len: usize) -> Option<usize> {
        match self.writes_left {
            Some(0) => {
                self.writes_left = None;
                self.strike(|s| s.writes += 1);
                Some(self.random(len as u64 + 1) as usize)
            }
            left => {
                self.writes_left = left.map(|n| n - 1);
                None
            }
        }
    }

    /// A sync fails if it is to.
    fn sync(&mut self) -> io::Result<()> {
        self.operate()?;
        if std::mem::take(&mut self.sync_fails) {
            self.strike(|s| s.syncs += 1);
            return Err(io::Error::other("the disk could not sync"));
        }
        Ok(())
    }

    fn forget_some(&mut self, name: &str, writes: &[Write]) -> io::Result<()> {
        let mut forgotten = std::mem::take(&mut self.content_mut(name)?.forgotten);
        forgotten.take(writes, || self.random(2) == 0);
        self.content_mut(name)?.forgotten = forgotten;
        Ok(())
    }

    fn content(&self, name: &str) -> io::Result<&Content> {
        let id = self.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        self.files.get(id).ok_or(io::ErrorKind::NotFound.into())
    }

    fn content_mut(&mut self, name: &str) -> io::Result<&mut Content> {
        let id = self.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        self.files.get_mut(id).ok_or(io::ErrorKind::NotFound.into())
    }

    fn used(&self) -> u64 {
        self.names
            .values()
            .filter_map(|id| self.files.get(id))
            .map(|content| content.allocated.max(content.bytes.len() as u64))
            .sum()
    }

    fn write(&mut self, name: &str, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.operate()?;
        let len = self.content(name)?.bytes.len();
        let failing = self.write_limit(bytes.len());
        let bytes = &bytes[..failing.unwrap_or(bytes.len())];
        let growth = (offset + bytes.len()).saturating_sub(len) as u64;
        let room = self.capacity.map_or(u64::MAX, |max| max.saturating_sub(self.used()));
        // A full disk takes what fits, and then says so.
        let bytes = if growth > room {
            &bytes[..bytes.len().saturating_sub((growth - room) as usize)]
        } else {
            bytes
        };
        let content = self.content_mut(name)?;
        let end = offset + bytes.len();
        let again = content.forgotten.touch(offset..end);
        content.unsynced.splice(0..0, again);
        let before = content.bytes[offset.min(len)..end.min(len)].to_vec();
        if content.bytes.len() < end {
            content.bytes.resize(end, 0);
        }
        content.bytes[offset..end].copy_from_slice(bytes);
        content.unsynced.push(Write {
            offset,
            before,
            len_before: Some(len),
            after: bytes.to_vec(),
        });
        if failing.is_some() {
            return Err(io::Error::other("the disk could not write"));
        }
        if growth > room {
            self.strike(|s| s.full += 1);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn renamed(&mut self) {
        let names = self.names.clone();
        self.unsynced_names.push(names);
        if std::mem::take(&mut self.power_goes_at_name) {
            self.operations_max = Some(self.operations);
        }
    }
}

impl Write {
    /// The file ends here now; says whether anything of the write is left.
    fn truncate(&mut self, len: usize) -> bool {
        self.len_before = self.len_before.map(|before| before.min(len));
        self.after.truncate(len.saturating_sub(self.offset));
        !self.after.is_empty()
    }
}

impl Content {
    fn lose_unsynced(&mut self, inner: &mut Inner, losses: &mut Losses) {
        self.forgotten.lose(&mut self.bytes, losses);
        let writes = std::mem::take(&mut self.unsynced);
        for write in writes.iter().rev() {
            self.bytes.truncate(write.len_before.unwrap_or(usize::MAX));
            let end = (write.offset + write.before.len()).min(self.bytes.len());
            if write.offset < end {
                self.bytes[write.offset..end].copy_from_slice(&write.before[..end - write.offset]);
            }
        }
        for write in &writes {
            match inner.random(3) {
                0 => losses.lost += 1,
                1 => self.put(write.offset, &write.after),
                _ => {
                    losses.torn += 1;
                    self.tear(write, inner);
                }
            }
        }
    }

    /// Keeps some of the write's sectors, and a cut last one.
    fn tear(&mut self, write: &Write, inner: &mut Inner) {
        let mut at = 0;
        while at < write.after.len() {
            let to_boundary = SECTOR - (write.offset + at) % SECTOR;
            let end = (at + to_boundary).min(write.after.len());
            match inner.random(8) {
                0..4 => self.put(write.offset + at, &write.after[at..end]),
                4 => {
                    let cut = at + inner.random((end - at) as u64) as usize;
                    self.put(write.offset + at, &write.after[at..cut]);
                }
                5 => {
                    let garbage: Vec<u8> = (at..end).map(|_| inner.random(256) as u8).collect();
                    self.put(write.offset + at, &garbage);
                }
                _ => {}
            }
            at = end;
        }
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[offset..end].copy_from_slice(bytes);
    }
}

impl Disk for MemDisk {
    fn create(&mut self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.operate()?;
        if inner.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = inner.next_file;
        inner.next_file += 1;
        inner.files.insert(id, Content::default());
        inner.names.insert(name.to_owned(), id);
        inner.renamed();
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.lock();
        let end = inner.content(name)?.bytes.len();
        inner.write(name, end, bytes)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.lock().write(name, offset, bytes)
    }

    fn read_at(&self, name: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let inner = self.lock();
        inner.read()?;
        let content = inner.content(name)?;
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(len).ok_or(io::ErrorKind::UnexpectedEof)?;
        match content.bytes.get(start..end) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        let inner = self.lock();
        inner.powered()?;
        Ok(inner
            .content(name)
            .ok()
            .map(|content| content.allocated.max(content.bytes.len() as u64)))
    }

    fn truncate(&mut self, name: &str, len: u64) -> io::Result<()> {
        let mut inner = self.lock();
        inner.operate()?;
        let content = inner.content_mut(name)?;
        content.bytes.truncate(usize::try_from(len).map_err(io::Error::other)?);
        // A cut is taken as durable at once: nobody relies on bytes that were cut off.
        let len = content.bytes.len();
        content.unsynced.retain_mut(|write| write.truncate(len));
        content.forgotten.truncate(len);
        Ok(())
    }

    fn sync_data(&mut self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let was_to_fail = inner.sync_fails;
        let synced = inner.sync();
        let has_failed = was_to_fail && !inner.sync_fails;
        if synced.is_ok() || has_failed {
            let writes = std::mem::take(&mut inner.content_mut(name)?.unsynced);
            if has_failed {
                inner.forget_some(name, &writes)?;
            }
        }
        synced
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        let mut inner = self.lock();
        inner.sync()?;
        inner.durable_names = inner.names.clone();
        inner.unsynced_names.clear();
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.operate()?;
        let id = inner.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        inner.names.insert(to.to_owned(), id);
        inner.renamed();
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        if !inner.names.contains_key(name) {
            return inner.powered();
        }
        inner.operate()?;
        inner.names.remove(name);
        inner.renamed();
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let inner = self.lock();
        inner.powered()?;
        Ok(inner.names.keys().cloned().collect())
    }

    fn reserve(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        let mut inner = self.lock();
        inner.operate()?;
        let room = inner.capacity.map_or(u64::MAX, |max| max.saturating_sub(inner.used()));
        if bytes > room {
            inner.strike(|s| s.full += 1);
            return Err(io::ErrorKind::StorageFull.into());
        }
        let id = inner.next_file;
        inner.next_file += 1;
        let content = Content {
            allocated: bytes,
            ..Content::default()
        };
        inner.files.insert(id, content);
        inner.names.insert(name.to_owned(), id);
        inner.durable_names.insert(name.to_owned(), id);
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let inner = self.lock();
        inner.powered()?;
        Ok(inner.capacity.map_or(1 << 40, |max| max.saturating_sub(inner.used())))
    }

    fn total_bytes(&self) -> io::Result<u64> {
        Ok(self.lock().capacity.unwrap_or(1 << 40))
    }

    fn segment_bytes(&self) -> u64 {
        self.lock().segment_bytes.unwrap_or(super::SEGMENT_BYTES)
    }

    fn nonce(&mut self) -> io::Result<[u8; 16]> {
        let mut inner = self.lock();
        Ok(std::array::from_fn(|_| inner.random(256) as u8))
    }
}
