//! A configuration file as an operator left it.

use std::net::SocketAddr;
use std::time::Duration;

use daemon::config::{Config, Kind};

use super::{KIB, MIB};
use crate::Target;
use crate::bytes::choice;

pub(super) const TARGET: Target = Target {
    name: "config",
    promise: "a file is a configuration or refused with words; a room's pages are for its own machine, a hub's go beyond it encrypted \
              alone, a room never listens, nobody dials without a pause; an unknown key is refused",
    check,
    seeds,
    len_max: 4 * KIB,
    memory: (MIB, 512),
};

fn seeds() -> Vec<Vec<u8>> {
    let node = "data = \"room\"\nconsole = \"127.0.0.1:8801\"\nhubs = [\"127.0.0.1:7701\"]\nretry_ms_max = 700\nlock_after_minutes = 10\n";
    let hub = "listen = \"0.0.0.0:7701\"\nlog = \"debug\"\nlog_format = \"json\"\nlock_after_minutes = 0\n";
    let open = "console = \"0.0.0.0:8802\"\n";
    [
        (0, node),
        (1, hub),
        (0, open),
        (1, open),
        (0, "console = 'off'\n"),
        (0, ""),
    ]
    .map(|(kind, text)| [&[kind], text.as_bytes()].concat())
    .to_vec()
}

fn check(data: &[u8]) {
    let (kind, text) = choice(data);
    let kind = if kind.is_multiple_of(2) { Kind::Node } else { Kind::Hub };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match Config::of_text(kind, text) {
        Ok(config) => {
            assert!(config.retry_max >= Duration::from_millis(100), "dials without a pause");
            let safe = |addr: SocketAddr| addr.ip().is_loopback() || (kind == Kind::Hub && config.is_encrypted(addr));
            assert!(config.console.is_none_or(safe), "pages for everybody");
            assert_eq!(config.listen.is_some(), kind == Kind::Hub, "listens, or does not");
            let more = format!("no_such_key = 1\n{text}");
            assert!(Config::of_text(kind, &more).is_err(), "an unknown key is taken");
        }
        Err(failure) => assert!(!failure.message.is_empty(), "refused without words"),
    }
}
