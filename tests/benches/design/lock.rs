//! What the passphrase (口令) costs whoever types it, and whoever guesses: argon2id at the cost that new passphrases get.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use office::Office;
use office::command::{Command, InitAlone, Passphrase, PassphraseSet, Unlock};
use office::lock::COST;

use crate::Length;
use crate::county::{HOLIDAYS, MATTERS, command, open_real};
use crate::machine::{Clock, percentile};
use crate::table::{Row, Table, Unit};

const TIMES: usize = 10;
const WORDS: [&str; 2] = ["石板桥头有三棵黄葛树", "黄葛树下有一座石板桥"];

pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    let clock = Clock::start();
    let dir = tempfile::tempdir_in(crate::node::target_dir())?;
    let mut office = open_real(&dir.path().join("room"), clock)?;
    let init = InitAlone {
        unit: "511603001001".to_owned(),
        name: "便民服务室".to_owned(),
        matters: MATTERS.to_owned(),
        holidays: HOLIDAYS.to_owned(),
    };
    command(&mut office, clock, Command::InitAlone(init))?;
    set(&mut office, clock, None, WORDS[0])?;
    let (mut unlocking, mut changing) = (Vec::new(), Vec::new());
    for at in 0..TIMES {
        command(&mut office, clock, Command::Lock)?;
        ensure!(office.is_locked(), "it does not lock");
        let unlock = Unlock {
            passphrase: Passphrase::new(WORDS[at % 2]),
            user: None,
        };
        let began = Instant::now();
        command(&mut office, clock, Command::Unlock(unlock))?;
        unlocking.push(began.elapsed());
        let began = Instant::now();
        set(&mut office, clock, Some(WORDS[at % 2]), WORDS[(at + 1) % 2])?;
        changing.push(began.elapsed());
    }
    let cost = format!("argon2id {} MiB × {} passes", COST.memory_kib / 1024, COST.passes);
    let mut row = |what: &str, times: &mut [Duration]| {
        let p50 = percentile(times, 0.5).as_secs_f64();
        let what = format!("{what}, {cost}, p50 of {TIMES}");
        table.push(Row::new(what, Unit::Millis, p50 * 1e3));
        p50
    };
    let tried = row("unlocking with the passphrase", &mut unlocking);
    row("changing the passphrase: opened once, sealed once", &mut changing);
    table.note(format!(
        "lock: whole commands on a real disk, their audit records included; whoever guesses tries {:.1} passphrases a second on such a core.",
        1.0 / tried
    ));
    Ok(())
}

fn set(office: &mut Office, clock: Clock, old: Option<&str>, new: &str) -> Result<()> {
    let set = PassphraseSet {
        passphrase: Passphrase::new(new),
        old: old.map(Passphrase::new),
        user: None,
    };
    command(office, clock, Command::PassphraseSet(set)).map(drop)
}
