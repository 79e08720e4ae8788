//! The index in sled: one tree. Derived from the journal, so any doubt about it ends in a wipe.

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::{Batch, Kv, KvError, KvPlace, Order, Scan};
use crate::disk::sync_folder;

/// A room's PC has little memory, and the operating system caches the files anyway.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// A folder that holds nothing but sled's files.
pub struct SledPlace {
    dir: PathBuf,
}

impl SledPlace {
    /// The folder is made when it is opened, and removed whole when it is wiped.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }
}

impl KvPlace for SledPlace {
    fn open(&mut self) -> Result<Box<dyn Kv>, KvError> {
        let config = ::sled::Config::new()
            .path(&self.dir)
            .cache_capacity(CACHE_BYTES)
            // Durability comes from `sync`; a background flush would only cost the disk.
            .flush_every_ms(None);
        // sled asserts on some damaged files instead of returning an error.
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        match opened {
            Ok(Ok(db)) => Ok(Box::new(SledKv {
                db,
                dir: self.dir.clone(),
            })),
            Ok(Err(error)) => Err(KvError(error.to_string())),
            Err(_) => Err(KvError("the files are damaged".to_owned())),
        }
    }

    fn wipe(&mut self) -> Result<(), KvError> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&error)),
            _ => Ok(()),
        }
    }
}

struct SledKv {
    db: ::sled::Db,
    dir: PathBuf,
}

/// sled panics where it meets pages that it wrote wrongly; for us that is an error like others.
fn guarded<T>(work: impl FnOnce() -> Result<T, ::sled::Error>) -> Result<T, KvError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => Err(KvError("a page is damaged".to_owned())),
    }
}

fn failed(error: &dyn std::fmt::Display) -> KvError {
    KvError(error.to_string())
}

impl Kv for SledKv {
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        guarded(|| self.db.get(key)).map(|value| value.map(|v| v.to_vec()))
    }

    fn scan(
        &self,
        from: &[u8],
        until: &[u8],
        order: Order,
        each: &mut dyn FnMut(&[u8], &[u8]) -> Scan,
    ) -> Result<(), KvError> {
        if from >= until {
            return Ok(());
        }
        let mut rows = self.db.range(from..until);
        loop {
            let row = guarded(|| {
                match order {
                    Order::Rising => rows.next(),
                    Order::Falling => rows.next_back(),
                }
                .transpose()
            })?;
            let Some((key, value)) = row else { return Ok(()) };
            if each(&key, &value) == Scan::Stop {
                return Ok(());
            }
        }
    }

    fn write(&self, batch: Batch) -> Result<(), KvError> {
        let mut rows = ::sled::Batch::default();
        for (key, value) in batch.rows {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(key),
            }
        }
        guarded(|| self.db.apply_batch(rows))
    }

    fn clear(&self) -> Result<(), KvError> {
        guarded(|| self.db.clear())
    }

    fn sync(&self) -> Result<(), KvError> {
        guarded(|| self.db.flush())?;
        // sled's own flush ends in `sync_file_range`, which leaves the disk's cache and the file's length to luck.
        sync_tree(&self.dir).map_err(|error| failed(&error))
    }
}

fn sync_tree(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            sync_tree(&path)?;
            continue;
        }
        // Opened for writing, as Windows wants it for a flush; a file that sled removed meanwhile needs none.
        match File::options().write(true).open(&path) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    sync_folder(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory_mb() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    #[test]
    fn rows_that_are_written_again_and_again_by_the_thousand_take_no_more_memory_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let kv = SledPlace::new(folder.path()).open().unwrap();
        let write = |days: std::ops::Range<u32>| {
            for day in days {
                for part in 0..2_u32 {
                    let mut batch = Batch::default();
                    for row in part * 2_000..(part + 1) * 2_000 {
                        // Spread over the whole index, as units are.
                        let unit = row.wrapping_mul(2_654_435_761).to_be_bytes();
                        batch.put([unit, day.to_be_bytes()].concat(), vec![day as u8; 290]);
                    }
                    kv.write(batch).unwrap();
                    kv.free_after(2_000).unwrap();
                }
                kv.sync().unwrap();
            }
        };
        // More than the cache holds, so that each page has to be fetched.
        write(0..16);
        let before = memory_mb();
        write(16..32);
        let grown = memory_mb() - before;
        assert!(grown < 60, "{before} MB have grown by {grown} MB");
    }
}
