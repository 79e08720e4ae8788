//! What a disk may hold after the power went: all that was synced, and of the rest whatever the drawn [`Weather`] let through.
//!
//! The unit is a sector of 512 bytes, as a disk writes one whole or not at all. A sector holds some version of its bytes since the last
//! sync: the page cache may have written it out at any time. A file's length is some length of its since then, with or without
//! the bytes that made it so; what was never written out reads as zeros. A name is as of the last sync of its folder, with some of
//! the later changes: in order on a journalling file system, any of them in the wildest weather.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use ledger::seed::Seeds;

use super::trace::{Node, Op, Trace, What};

pub const SECTOR: u64 = 512;
type Sector = [u8; SECTOR as usize];

/// How the disk and its file system took the power cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weather {
    /// Nothing that was not synced is there.
    AllLost,
    /// Everything is there, as after the death of the process alone.
    AllKept,
    /// All up to some call, in order; that call in part.
    Prefix,
    /// Every file and folder stopped at a time of its own.
    PerFile,
    /// Every sector at a time of its own; lengths, too.
    PerSector,
    /// Few sectors were lost.
    FewLost,
    /// Few sectors came through.
    FewKept,
    /// Lengths are the newest, the bytes are not there.
    LengthsOnly,
}

impl Weather {
    pub const ALL: [Weather; 8] = [
        Weather::AllLost,
        Weather::AllKept,
        Weather::Prefix,
        Weather::PerFile,
        Weather::PerSector,
        Weather::FewLost,
        Weather::FewKept,
        Weather::LengthsOnly,
    ];
}

/// A file's bytes; sectors that are missing are zeros.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Bytes {
    pub len: u64,
    pub sectors: BTreeMap<u64, Sector>,
}

impl Bytes {
    fn write(&mut self, at: u64, bytes: &[u8], touched: &mut dyn FnMut(u64, &Sector)) {
        let mut done = 0;
        while done < bytes.len() {
            let offset = at + done as u64;
            let (number, within) = (offset / SECTOR, (offset % SECTOR) as usize);
            let take = (SECTOR as usize - within).min(bytes.len() - done);
            let sector = self.sectors.entry(number).or_insert([0; SECTOR as usize]);
            sector[within..within + take].copy_from_slice(&bytes[done..done + take]);
            touched(number, sector);
            done += take;
        }
        self.len = self.len.max(at + bytes.len() as u64);
    }

    fn set_len(&mut self, len: u64, touched: &mut dyn FnMut(u64, &Sector)) {
        if len < self.len {
            let first = len / SECTOR;
            let gone: Vec<u64> = self.sectors.range(first..).map(|(number, _)| *number).collect();
            for number in gone {
                let keep = if number == first { (len % SECTOR) as usize } else { 0 };
                if let Some(sector) = self.sectors.get_mut(&number) {
                    sector[keep..].fill(0);
                    touched(number, sector);
                }
            }
        }
        self.len = len;
    }

    fn apply(&mut self, what: &What, touched: &mut dyn FnMut(u64, &Sector)) {
        match what {
            What::Write { at, bytes, .. } => self.write(*at, bytes, touched),
            What::SetLen { len, .. } => self.set_len(*len, touched),
            What::Allocate { len, .. } => self.len = self.len.max(*len),
            _ => {}
        }
    }

    /// All bytes, for files that are small.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len as usize];
        for (number, sector) in &self.sectors {
            let at = (number * SECTOR) as usize;
            let end = (at + sector.len()).min(bytes.len());
            if at < end {
                bytes[at..end].copy_from_slice(&sector[..end - at]);
            }
        }
        bytes
    }
}

/// A folder or a file as found after the cut.
#[derive(Clone, Debug)]
pub enum Found {
    Folder(BTreeMap<String, Found>),
    File(Bytes),
}

impl Found {
    /// What lies under a name.
    pub fn under(&self, name: &str) -> Option<&Found> {
        match self {
            Found::Folder(names) => names.get(name),
            Found::File(_) => None,
        }
    }

    /// Lays it out as real files.
    ///
    /// # Errors
    /// From the file system.
    pub fn lay_out(&self, at: &Path) -> io::Result<()> {
        match self {
            Found::Folder(names) => {
                fs::create_dir_all(at)?;
                names.iter().try_for_each(|(name, found)| found.lay_out(&at.join(name)))
            }
            Found::File(bytes) => {
                let file = File::create(at)?;
                file.set_len(bytes.len)?;
                for (number, sector) in &bytes.sectors {
                    let end = bytes.len.saturating_sub(number * SECTOR).min(SECTOR) as usize;
                    file.write_all_at(&sector[..end], number * SECTOR)?;
                }
                Ok(())
            }
        }
    }

    /// All files with their bytes.
    pub fn files<'a>(&'a self, each: &mut dyn FnMut(&'a Bytes)) {
        match self {
            Found::Folder(names) => names.values().for_each(|found| found.files(each)),
            Found::File(bytes) => each(bytes),
        }
    }
}

/// The folders of a trace as the power left them: before the line `cut`, in this weather.
pub fn after_cut(trace: &Trace, cut: usize, weather: Weather, seeds: &mut Seeds) -> Found {
    let mut cutting = Cutting {
        trace,
        weather,
        pending: BTreeMap::new(),
        durable: BTreeMap::new(),
    };
    cutting.sort(cut, seeds);
    if weather == Weather::Prefix {
        cutting.keep_prefix(seeds);
    }
    cutting.found(0, seeds)
}

struct Cutting<'a> {
    trace: &'a Trace,
    weather: Weather,
    /// By node: what is durable, in order, and what is not.
    durable: BTreeMap<Node, Vec<&'a Op>>,
    pending: BTreeMap<Node, Vec<&'a Op>>,
}

/// The node whose sync makes an operation durable.
fn node_of(what: &What) -> Node {
    match what {
        What::Make { dir, .. } | What::Remove { dir, .. } | What::Rename { dir, .. } => *dir,
        What::Write { file, .. } | What::SetLen { file, .. } | What::Allocate { file, .. } => *file,
        What::Sync { node } | What::SyncFailed { node } => *node,
    }
}

impl<'a> Cutting<'a> {
    /// A sync that has returned makes durable what had returned when it was called. What was under way may have happened.
    fn sort(&mut self, cut: usize, seeds: &mut Seeds) {
        for op in &self.trace.ops {
            if op.begin >= cut {
                continue;
            }
            let node = node_of(&op.what);
            let returned = op.end < cut;
            if let What::SyncFailed { .. } = op.what {
                self.lose_some(node, op.begin, seeds);
            } else if let What::Sync { .. } = op.what {
                if returned {
                    let pending = self.pending.entry(node).or_default();
                    let (synced, later): (Vec<_>, Vec<_>) = pending.drain(..).partition(|before| before.end < op.begin);
                    self.durable.entry(node).or_default().extend(synced);
                    *pending = later;
                }
            } else if returned || seeds.below(2) == 0 {
                self.pending.entry(node).or_default().push(op);
            }
        }
    }

    /// A failed sync: the kernel may have called bytes clean that the disk never took.
    fn lose_some(&mut self, node: Node, begin: usize, seeds: &mut Seeds) {
        let weather = self.weather;
        let Some(pending) = self.pending.get_mut(&node) else {
            return;
        };
        pending.retain(|op| {
            let in_doubt = matches!(op.what, What::Write { .. }) && op.end < begin;
            !in_doubt
                || match weather {
                    Weather::AllLost | Weather::LengthsOnly => false,
                    Weather::AllKept => true,
                    _ => seeds.below(2) == 0,
                }
        });
    }

    /// Drops all unsynced calls behind a drawn one.
    fn keep_prefix(&mut self, seeds: &mut Seeds) {
        let mut ends: Vec<usize> = self.pending.values().flatten().map(|op| op.end).collect();
        ends.sort_unstable();
        if ends.is_empty() {
            return;
        }
        let last = ends[seeds.below(ends.len() as u64) as usize];
        for pending in self.pending.values_mut() {
            pending.retain(|op| op.end <= last);
        }
    }

    fn found(&self, node: Node, seeds: &mut Seeds) -> Found {
        if !self.trace.folders[node] {
            return Found::File(self.bytes(node, seeds));
        }
        let names = self.names(node, seeds);
        let found = names.into_iter().map(|(name, node)| (name, self.found(node, seeds)));
        Found::Folder(found.collect())
    }

    fn of(&self, which: &'a BTreeMap<Node, Vec<&'a Op>>, node: Node) -> &'a [&'a Op] {
        which.get(&node).map_or(&[], Vec::as_slice)
    }

    fn names(&self, dir: Node, seeds: &mut Seeds) -> BTreeMap<String, Node> {
        let mut names = BTreeMap::new();
        let mut nodes = BTreeMap::new();
        for op in self.of(&self.durable, dir) {
            change(&mut names, &mut nodes, &op.what, true);
        }
        let pending = self.of(&self.pending, dir);
        let until = match self.weather {
            Weather::AllLost => 0,
            Weather::PerFile => seeds.below(pending.len() as u64 + 1) as usize,
            _ => pending.len(),
        };
        // In half of the wild weathers names keep their order, as journals of file systems see to.
        let wild = match self.weather {
            Weather::PerSector | Weather::FewLost | Weather::FewKept => seeds.below(2) == 0,
            _ => false,
        };
        let until = match self.weather {
            Weather::PerSector | Weather::FewKept | Weather::FewLost if !wild => {
                seeds.below(pending.len() as u64 + 1) as usize
            }
            _ => until,
        };
        for (at, op) in pending.iter().enumerate() {
            let kept = if wild { self.is_kept(seeds) } else { at < until };
            change(&mut names, &mut nodes, &op.what, kept);
        }
        names
    }

    fn is_kept(&self, seeds: &mut Seeds) -> bool {
        match self.weather {
            Weather::FewLost => seeds.below(16) != 0,
            Weather::FewKept => seeds.below(16) == 0,
            _ => seeds.below(2) == 0,
        }
    }

    fn bytes(&self, file: Node, seeds: &mut Seeds) -> Bytes {
        let mut bytes = Bytes::default();
        for op in self.of(&self.durable, file) {
            bytes.apply(&op.what, &mut |_, _| {});
        }
        let pending = self.of(&self.pending, file);
        match self.weather {
            Weather::AllLost => bytes,
            Weather::AllKept => {
                pending.iter().for_each(|op| bytes.apply(&op.what, &mut |_, _| {}));
                bytes
            }
            Weather::Prefix | Weather::PerFile => {
                let whole = match self.weather {
                    Weather::PerFile => seeds.below(pending.len() as u64 + 1) as usize,
                    _ => pending.len(),
                };
                let torn = whole.checked_sub(1).map_or(0, |torn| torn);
                pending[..torn]
                    .iter()
                    .for_each(|op| bytes.apply(&op.what, &mut |_, _| {}));
                mix(bytes, &pending[torn..whole], &mut |versions| {
                    seeds.below(versions) as usize
                })
            }
            Weather::LengthsOnly => {
                let mut newest = bytes.clone();
                pending.iter().for_each(|op| newest.apply(&op.what, &mut |_, _| {}));
                bytes.sectors.retain(|number, _| number * SECTOR < newest.len);
                bytes.set_len(newest.len, &mut |_, _| {});
                bytes
            }
            Weather::PerSector => mix(bytes, pending, &mut |versions| seeds.below(versions) as usize),
            Weather::FewLost | Weather::FewKept => mix(bytes, pending, &mut |versions| match self.is_kept(seeds) {
                true => versions as usize - 1,
                false => 0,
            }),
        }
    }
}

/// Changes names. `kept`: whether the change came through; a file whose making was lost may still come by a kept rename.
fn change(names: &mut BTreeMap<String, Node>, nodes: &mut BTreeMap<String, Node>, what: &What, kept: bool) {
    match what {
        What::Make { name, node, .. } => {
            nodes.insert(name.clone(), *node);
            if kept {
                names.insert(name.clone(), *node);
            }
        }
        What::Remove { name, .. } => {
            nodes.remove(name);
            if kept {
                names.remove(name);
            }
        }
        What::Rename { from, to, .. } => {
            let Some(node) = nodes.remove(from) else { return };
            nodes.insert(to.clone(), node);
            if kept {
                names.remove(from);
                names.insert(to.clone(), node);
            }
        }
        _ => {}
    }
}

/// Every sector and the length in one of their versions: `pick` draws one of so many, the first being the durable one.
fn mix(mut bytes: Bytes, pending: &[&Op], pick: &mut dyn FnMut(u64) -> usize) -> Bytes {
    let durable = bytes.clone();
    let mut versions: BTreeMap<u64, Vec<Sector>> = BTreeMap::new();
    let mut lens = vec![bytes.len];
    for op in pending {
        bytes.apply(&op.what, &mut |number, sector| {
            versions.entry(number).or_default().push(*sector)
        });
        lens.push(bytes.len);
    }
    let mut found = durable;
    for (number, later) in versions {
        // The first version is what is durable; where nothing is, zeros.
        match pick(later.len() as u64 + 1) {
            0 => {}
            version => {
                found.sectors.insert(number, later[version - 1]);
            }
        }
    }
    let len = lens[pick(lens.len() as u64).min(lens.len() - 1)];
    found.len = len.max(found.len);
    found.set_len(len, &mut |_, _| {});
    found.sectors.retain(|number, _| number * SECTOR < len);
    found
}
