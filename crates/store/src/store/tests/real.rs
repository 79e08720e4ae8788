//! On the operating system's disk, with sled.

use std::io;
use std::path::Path;

use super::*;
use crate::disk::RealDisk;
use crate::kv::SledPlace;

fn open(dir: &Path) -> (Store, Opened) {
    let disk = RealDisk::open(dir).unwrap();
    Store::open(Box::new(disk), Box::new(SledPlace::new(dir.join("index"))), &mut |_| {}).unwrap()
}

fn filled(dir: &Path) -> Tip {
    let (mut store, opened) = open(dir);
    assert!(opened.fresh && opened.rebuilt.is_none());
    let mut tip = Tip::START;
    for number in 0..50 {
        tip = store
            .stage_local(&key(1), book(), EPOCH, vec![entry(&format!("case {number}"))])
            .unwrap();
        store.commit().unwrap();
        if number == 30 {
            store.trust(store.head()).unwrap();
        }
    }
    tip
}

#[test]
fn a_real_folder_opens_again_with_everything() {
    let dir = tempfile::tempdir().unwrap();
    let tip = filled(dir.path());
    let (mut store, opened) = open(dir.path());
    assert_eq!((opened.rebuilt, opened.torn), (None, 0));
    assert!(opened.replayed < 25, "{}", opened.replayed);
    assert_eq!(store.logs().tips(&log_of(1)), [tip]);
    assert!(verify(&mut store).is_clean());
    assert!(store.free_bytes().unwrap() > 0);
}

#[test]
fn the_sled_folder_deleted_or_scribbled_over_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let tip = filled(dir.path());
    let index = dir.path().join("index");
    std::fs::remove_dir_all(&index).unwrap();
    let mut told = 0;
    let disk = RealDisk::open(dir.path()).unwrap();
    let (store, opened) = Store::open(Box::new(disk), Box::new(SledPlace::new(&index)), &mut |_| told += 1).unwrap();
    assert!(opened.rebuilt.is_some() && told > 0);
    assert_eq!(store.logs().tips(&log_of(1)), [tip]);
    drop(store);
    for scribble in [&b"not sled at all"[..], &[0; 4096], &[0xff; 100_000]] {
        for file in std::fs::read_dir(&index).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                std::fs::write(path, scribble).unwrap();
            }
        }
        let (mut store, _) = open(dir.path());
        assert_eq!(store.logs().tips(&log_of(1)), [tip]);
        assert!(verify(&mut store).is_clean());
    }
}

#[test]
fn a_second_process_is_refused_while_the_first_has_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let second = RealDisk::open(dir.path());
    assert_eq!(second.err().map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    drop(store);
    assert!(RealDisk::open(dir.path()).is_ok());
}

#[test]
fn an_erased_key_is_in_no_byte_of_any_file_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let record = RecordId([9; 16]);
    let secret: [u8; 48] = std::array::from_fn(|at| (at * 7 + 13) as u8);
    store.stage_key(book(), record, &secret).unwrap();
    store.stage_local(&key(1), book(), EPOCH, vec![entry("case")]).unwrap();
    store.commit().unwrap();
    store.trust(store.head()).unwrap();
    store.erase_key(book(), record).unwrap();
    store.commit().unwrap();
    store.trust(store.head()).unwrap();
    drop(store);
    let mut folders = vec![dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(8).any(|eight| eight == &secret[8..16]),
                "{}",
                path.display()
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    filled(&home);
    for file in std::fs::read_dir(&home).unwrap() {
        let meta = file.unwrap().metadata().unwrap();
        if meta.is_file() {
            assert_eq!(meta.permissions().mode() & 0o077, 0);
        }
    }
}
