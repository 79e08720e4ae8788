//! Folders that earlier versions wrote (`tests/fixtures`), as disks in memory. How they were made stands in the `make.sh` beside them.

use std::path::PathBuf;
use std::{fs, io};

use store::{Disk, MemDisk};

/// The versions whose folders are kept.
pub const VERSIONS: [&str; 1] = ["v0.1"];
/// The places of each: one of every tier.
pub const PLACES: [&str; 3] = ["county", "town", "room"];

/// The disk of a place as that version left it; no index, as after a rebuild.
///
/// # Errors
/// The system's, in reading the files.
pub fn disk(version: &str, place: &str, seed: u64) -> io::Result<MemDisk> {
    let folder = folder(version).join(place);
    let mut names: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    names.sort_by_key(fs::DirEntry::file_name);
    let mut disk = MemDisk::new(seed);
    for entry in names {
        let name = entry.file_name().to_string_lossy().into_owned();
        disk.create(&name)?;
        disk.append(&name, &fs::read(entry.path())?)?;
        disk.sync_data(&name)?;
    }
    disk.sync_dir()?;
    Ok(disk)
}

/// What that version itself said: `cases.json` (the county's list), `county.json`, `town.json`, `room.json` (their status).
///
/// # Errors
/// The system's, in reading the file.
pub fn said(version: &str, name: &str) -> io::Result<String> {
    fs::read_to_string(folder(version).join(name))
}

fn folder(version: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("../../tests/fixtures").join(version)
}
