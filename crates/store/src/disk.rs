//! The small door to a disk: flat names in one folder. [`RealDisk`] is the operating system's; [`MemDisk`] is a disk in memory
//! that loses, tears and flips what a real one may lose, tear and flip.

mod mem;
mod real;

use std::io;

pub use mem::{Fault, Losses, MemDisk, Struck};
pub use real::RealDisk;
pub(crate) use real::sync_folder;

/// A folder of files. Names are flat (no separators). Errors are those of the operating system; `StorageFull` means a full disk.
///
/// What was written counts as durable only after [`Disk::sync_data`] of the file and, for a new or renamed or removed name,
/// [`Disk::sync_dir`]; until then a power cut may lose or tear it.
pub trait Disk: Send {
    /// Makes an empty file; fails with `AlreadyExists` when there is one.
    fn create(&mut self, name: &str) -> io::Result<()>;
    /// Adds bytes at the end of a file.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Writes over existing bytes, or past the end (only the vault puts other bytes in place of old ones).
    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Reads exactly `len` bytes; `UnexpectedEof` when the file ends before.
    fn read_at(&self, name: &str, offset: u64, len: usize) -> io::Result<Vec<u8>>;
    /// The file's length in bytes, `None` when there is no such file.
    fn len(&self, name: &str) -> io::Result<Option<u64>>;
    /// Cuts a file to `len` bytes.
    fn truncate(&mut self, name: &str, len: u64) -> io::Result<()>;
    /// Makes the file's bytes and length durable (`fdatasync`).
    fn sync_data(&mut self, name: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_dir(&mut self) -> io::Result<()>;
    /// Gives a file another name, replacing what was there.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; it is no error when there is none.
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// All names in the folder, sorted.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes a file that really occupies `bytes` of the disk.
    fn reserve(&mut self, name: &str, bytes: u64) -> io::Result<()>;
    /// How many bytes are free for us.
    fn free_bytes(&self) -> io::Result<u64>;
    /// How many bytes the disk holds in all; an error where nobody can tell.
    fn total_bytes(&self) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// A new segment of the journal or the trail is begun when one would grow past this.
    fn segment_bytes(&self) -> u64 {
        SEGMENT_BYTES
    }
    /// Sixteen bytes that nobody else can guess; they only salt checksums.
    fn nonce(&mut self) -> io::Result<[u8; 16]>;
}

/// Bytes that are written again at once.
const AGAIN_BYTES: u64 = 1 << 20;

/// Small enough to copy and to scan, large enough to have few.
#[cfg(not(test))]
const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Small, so that short stories cross from one segment to the next.
#[cfg(test)]
const SEGMENT_BYTES: u64 = 8 * 1024;

/// Whether an error says that there is no more room: a full disk, a used-up quota, a file system that takes no larger file.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// Reads a whole file, `None` when there is no such file. For small files: keys, tickets.
pub fn read_all(disk: &dyn Disk, name: &str) -> io::Result<Option<Vec<u8>>> {
    let Some(len) = disk.len(name)? else {
        return Ok(None);
    };
    disk.read_at(name, 0, usize::try_from(len).unwrap_or(usize::MAX))
        .map(Some)
}

/// Syncs a file whose bytes may have been written by a process that is no more. When that fails, the kernel may call them clean from then
/// on though they never reached the disk, and the next sync succeeds without them: so all of them are written once more, as they read.
pub(crate) fn sync_or_write_again(disk: &mut dyn Disk, name: &str) -> io::Result<()> {
    let synced = disk.sync_data(name);
    if synced.is_err() {
        // Best effort, as the disk is failing; the error is told in any case.
        let _ = write_again(disk, name);
    }
    synced
}

fn write_again(disk: &mut dyn Disk, name: &str) -> io::Result<()> {
    let end = disk.len(name)?.unwrap_or(0);
    let mut at = 0;
    while at < end {
        let len = (end - at).min(AGAIN_BYTES);
        let bytes = disk.read_at(name, at, usize::try_from(len).map_err(io::Error::other)?)?;
        disk.write_at(name, at, &bytes)?;
        at += len;
    }
    Ok(())
}

/// Writes a small file so that after a power cut it is either whole or as before: a new file, synced, renamed over the old one.
pub fn replace(disk: &mut dyn Disk, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = format!("{name}.new");
    disk.remove(&draft)?;
    disk.create(&draft)?;
    disk.append(&draft, bytes)?;
    disk.sync_data(&draft)?;
    disk.rename(&draft, name)?;
    disk.sync_dir()
}
