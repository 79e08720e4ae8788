//! A data folder in memory that holds the files of an input.

use std::collections::BTreeMap;

use store::{Disk, MemDisk, MemPlace, Store, StoreError};

/// A folder with these bytes, durable, under `name`.
pub(crate) fn folder(name: &str, bytes: &[u8]) -> Option<MemDisk> {
    laid_out([(name, bytes)])
}

/// A folder with these files, durable.
pub(crate) fn folder_of(files: &BTreeMap<String, Vec<u8>>) -> Option<MemDisk> {
    laid_out(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

fn laid_out<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Option<MemDisk> {
    let mut disk = MemDisk::new(1);
    for (name, bytes) in files {
        disk.create(name).ok()?;
        disk.append(name, bytes).ok()?;
        disk.sync_data(name).ok()?;
    }
    disk.sync_dir().ok()?;
    Some(disk)
}

/// Opens it; `None` when a later version wrote it. Whatever else it holds, it must open.
pub(crate) fn open(disk: &MemDisk) -> Option<Store> {
    match Store::open(Box::new(disk.clone()), Box::new(MemPlace::default()), &mut |_| {}) {
        Ok((store, _)) => Some(store),
        Err(StoreError::Version { .. }) => None,
        Err(error) => panic!("the folder does not open: {error}"),
    }
}
