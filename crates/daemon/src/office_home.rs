//! Opening the office of a data folder on a keeper's thread.

use std::io;
use std::time::{Duration, Instant};

use net::{Clock, Identity, Keeper, Running};
use office::{Home, Office, OfficeError};
use store::{Progress, RealDisk, SledPlace};

use crate::failure::Failure;
use crate::folder::Folder;

/// How often a folder in use is tried again while waiting for it.
const LOCK_EVERY: Duration = Duration::from_millis(50);

/// An office opened from a folder, with its thread.
pub(crate) struct Opened {
    pub(crate) keeper: Keeper,
    pub(crate) identity: Identity,
    pub(crate) running: Running,
}

/// Who opens an office, and for how long it may stay unlocked.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) clock: Clock,
    pub(crate) software: String,
    pub(crate) lock_after: Option<Duration>,
}

/// Why a folder was not opened.
pub(crate) enum NotOpened {
    /// Another process works on it.
    InUse,
    Failed(Failure),
}

/// Opens the folder's office; tells `progress` of long work.
pub(crate) async fn open(
    folder: &Folder,
    opening: Opening,
    mut progress: impl FnMut(Progress) + Send + 'static,
) -> Result<Opened, NotOpened> {
    let Opening {
        clock,
        software,
        lock_after,
    } = opening;
    let shown = folder.path().display().to_string();
    let failed = |e: &dyn std::fmt::Display| {
        NotOpened::Failed(Failure::failed(format!(
            "打不开数据文件夹 {shown}：{e}。请检查磁盘和权限后再试。"
        )))
    };
    let disk = match RealDisk::open(folder.path()) {
        Ok(disk) => disk,
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(NotOpened::InUse),
        Err(e) => return Err(failed(&e)),
    };
    let home = Home {
        disk: Box::new(disk),
        place: Box::new(SledPlace::new(folder.index())),
        software,
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| failed(&e))?;
    let start = move || {
        let mut office = Office::open(home, seed, clock.now(), &mut progress)?;
        let ms = lock_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        office.lock_after(clock.now(), ms);
        Ok(office)
    };
    match Keeper::start(clock, start).await {
        Ok(Ok((keeper, identity, running))) => Ok(Opened {
            keeper,
            identity,
            running,
        }),
        Ok(Err(error)) => Err(not_opened(&shown, &error)),
        Err(error) => Err(failed(&error)),
    }
}

fn not_opened(shown: &str, error: &OfficeError) -> NotOpened {
    NotOpened::Failed(Failure::failed(format!(
        "打不开数据文件夹 {shown}：{error}。请保留整个文件夹并联系管理员。"
    )))
}

/// As [`open`], but waits up to `patience` for another process to leave.
pub(crate) async fn open_patiently(
    folder: &Folder,
    opening: &Opening,
    patience: Duration,
    progress: impl FnMut(Progress) + Clone + Send + 'static,
) -> Result<Opened, NotOpened> {
    let began = Instant::now();
    loop {
        match open(folder, opening.clone(), progress.clone()).await {
            Err(NotOpened::InUse) if began.elapsed() < patience => tokio::time::sleep(LOCK_EVERY).await,
            done => return done,
        }
    }
}
