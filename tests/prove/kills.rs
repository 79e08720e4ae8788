//! SIGKILLs of real processes, a small county at a time.

use std::path::Path;

use anyhow::Result;
use cunlian_tests::kill::besiege;

use crate::log::Log;
use crate::{Running, Until, is_stopping};

/// Kills of one county: more make it large, fewer spend the time on founding.
const KILLS: u64 = 40;

pub(crate) fn prove(log: &Log, until: Until) -> Result<u64> {
    let mut running = Running::begin(log, "kill")?;
    let exe = std::env::current_exe()?;
    for seed in running.row.from.. {
        if until.is_over() {
            break;
        }
        let row = &mut running.row;
        match besiege(&exe, seed, KILLS) {
            Ok(tally) => {
                row.to = seed;
                row.count += tally.kills;
                row.faults += tally.kills;
                row.add("SIGKILL", tally.kills);
                row.add("line cut or healed", tally.lines);
                row.add("cases acknowledged", tally.recorded);
            }
            // Ctrl-C reaches the daemons, too.
            Err(_) if is_stopping() => break,
            Err(error) => {
                row.to = seed;
                row.count += 1;
                row.failures += 1;
                let again = format!("cunlian-prove besiege --seed {seed}");
                println!("kill FAILED, county {seed}: {error:#}\n  again: {again}");
                running.failed(&again, &format!("{error:#}"))?;
            }
        }
        running.tick()?;
    }
    running.end()
}

/// The same county, victims and pauses; the moments of the kills are the machine's.
pub(crate) fn again(exe: &Path, seed: u64) -> Result<u64> {
    match besiege(exe, seed, KILLS) {
        Ok(tally) => {
            println!("all is well: {tally:?}");
            Ok(0)
        }
        Err(error) => {
            println!("{error:#}");
            Ok(1)
        }
    }
}
