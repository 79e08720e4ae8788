//! This program once more, as a hub in a process of its own: so that its memory and its CPU can be told from the load's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};
use net::Keeper;

use crate::machine::Clock;

const WORD: &str = "--child-hub";

/// Runs as a child if the arguments say so; `None` otherwise.
pub(crate) fn run(args: &[String]) -> Option<Result<()>> {
    match args {
        [word, dir] if word == WORD => Some(hub(Path::new(dir))),
        _ => None,
    }
}

/// Serves the hub in `dir` until standard input ends.
fn hub(dir: &Path) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let dir = dir.to_owned();
        let open = move || crate::county::open_real(&dir, Clock::start());
        let (keeper, identity, running) = Keeper::start(net::Clock::start(), open).await??;
        let server = net::serve(keeper.clone(), &identity, SocketAddr::from(([127, 0, 0, 1], 0)))?;
        println!("{}", server.addr());
        std::io::stdout().flush()?;
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        keeper.stop().await;
        server.stop().await;
        let ended = tokio::task::spawn_blocking(move || running.join()).await?;
        ended.map_err(|_| anyhow::anyhow!("the keeper ended unexpectedly"))??;
        Ok(())
    })
}

/// A running hub. It ends when this is dropped.
pub(crate) struct Hub {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) addr: SocketAddr,
}

impl Hub {
    /// Starts a hub on a real folder.
    pub(crate) fn start(dir: &Path) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(WORD)
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let addr = line.trim().parse().context("the hub did not start")?;
        Ok(Self { child, stdin, addr })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It stops by itself; if it cannot, the run is over in any case.
        let _ = self.child.wait();
    }
}
