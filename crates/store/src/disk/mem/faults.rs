//! What can be made to go wrong on a disk in memory, and what came of it.

/// What may go wrong from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The next `sync_data` or `sync_dir` fails once; of what it should have made durable, some pages are forgotten.
    SyncFails,
    /// After so many further operations that change the disk, the power goes: everything fails until [`super::MemDisk::cut_power`].
    PowerGoesAfter(u64),
    /// The power goes right after the next file that is created, renamed or removed: everything fails until [`super::MemDisk::cut_power`].
    PowerGoesAtName,
    /// After so many further operations that change the disk, the process is killed: everything fails until [`super::MemDisk::revive`], and
    /// nothing is lost but what was not written.
    DiesAfter(u64),
    /// No more than so many bytes fit on the disk.
    Capacity(u64),
    /// The disk is as large as anybody wants again.
    Roomy,
    /// After so many further reads one fails with an error of the device.
    ReadFails(u64),
    /// After so many further writes one fails with an error of the device, half done.
    WriteFails(u64),
}

/// How often each armed fault has struck.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Struck {
    pub syncs: u64,
    pub reads: u64,
    pub writes: u64,
    /// Writes that met a full disk.
    pub full: u64,
}

/// What a power cut did.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Losses {
    /// Unsynced writes that are gone as a whole.
    pub lost: u64,
    /// Unsynced writes of which pieces are gone, cut or garbled.
    pub torn: u64,
    /// Unsynced changes of names that are gone.
    pub names: u64,
}
