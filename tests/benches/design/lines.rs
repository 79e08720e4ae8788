//! Rooms on real QUIC lines: their disks in memory, everything else as in the daemon.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use net::{DialOptions, Dialling, Identity, Keeper, Running};
use office::command::Command;

use crate::county::Room;
use crate::machine::{Clock, cpu};

/// No measurement here takes longer; what does has stopped moving.
const PATIENCE: Duration = Duration::from_secs(180);

/// A room with its keeper, not dialling yet.
pub(crate) struct Line {
    keeper: Keeper,
    identity: Identity,
    running: Running,
    dialling: Vec<Dialling>,
}

impl Line {
    /// Opens a room's office on a thread of its own; its rows are brought up to its journal first.
    pub(crate) async fn open(room: &Room) -> Result<Self> {
        let folder = room.folder.handle();
        let open = move || {
            let clock = Clock::start();
            let mut office = folder.open(6, clock)?;
            while office.apply(clock.now(), 8_192)? > 0 {}
            anyhow::Ok(office)
        };
        let (keeper, identity, running) = Keeper::start(net::Clock::start(), open).await??;
        Ok(Self {
            keeper,
            identity,
            running,
            dialling: Vec::new(),
        })
    }

    /// Sees that so many entries wait to be sent, or nothing would be measured.
    pub(crate) async fn holds(&self, entries: usize) -> Result<()> {
        let pending = self.pending().await?;
        ensure!(pending >= entries as u64, "only {pending} of {entries} entries wait");
        Ok(())
    }

    /// Records one case.
    pub(crate) async fn record(&self, n: usize) -> Result<()> {
        let new = Command::CaseNew(crate::latency::case(n));
        self.keeper.command(new, Box::new(|_| {})).await?;
        Ok(())
    }

    /// Begins to dial; once more means one more connection.
    pub(crate) fn dial(&mut self, addr: SocketAddr) {
        let seed = [self.dialling.len() as u8; 32];
        let options = DialOptions::new(vec![addr.to_string()], Duration::from_secs(1), seed);
        self.dialling
            .push(net::dial(self.keeper.clone(), self.identity.clone(), options));
    }

    /// Entries that no county holds yet.
    async fn pending(&self) -> Result<u64> {
        let status = self.keeper.command(Command::Status, Box::new(|_| {})).await?;
        Ok(status["pending"]["county"].as_u64().unwrap_or(u64::MAX))
    }

    /// Waits for the receipt of the last entry.
    pub(crate) async fn receipted(&self) -> Result<()> {
        let began = Instant::now();
        while self.pending().await? > 0 {
            if began.elapsed() > PATIENCE {
                bail!("{} entries without a receipt after {PATIENCE:?}", self.pending().await?);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    pub(crate) async fn close(self) {
        for dialling in self.dialling {
            dialling.stop();
        }
        self.keeper.stop().await;
        // Its disk is in memory: there is nothing that could fail to be written.
        let _ = tokio::task::spawn_blocking(move || self.running.join()).await;
    }
}

/// CPU time of this process, the load, against that of a hub.
pub(crate) struct Shares {
    hub: u32,
    hub_before: Duration,
    own_before: Duration,
}

impl Shares {
    pub(crate) fn begin(hub: u32) -> Self {
        Self {
            hub,
            hub_before: cpu(hub),
            own_before: cpu(std::process::id()),
        }
    }

    /// Seconds of the hub, and the load's share.
    pub(crate) fn end(&self) -> (f64, f64) {
        let hub = (cpu(self.hub) - self.hub_before).as_secs_f64();
        let own = (cpu(std::process::id()) - self.own_before).as_secs_f64();
        (hub, own / (own + hub).max(0.001))
    }
}
