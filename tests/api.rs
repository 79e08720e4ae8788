//! A client of a daemon's local API: one connection, one request at a time, as a web face on the same PC would ask.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// An answer takes no longer than this, whatever the machine is busy with.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to the daemon of a folder.
pub struct Api {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// The daemon refused, with the code and the words for the person.
    Refused(String, String),
    /// The daemon is gone: nobody knows what became of the request.
    Gone,
}

impl Api {
    /// Connects to the daemon that works on the folder.
    ///
    /// # Errors
    /// When none is there.
    pub fn connect(data: &Path) -> Result<Self> {
        let text = fs::read_to_string(data.join("api")).context("the api file")?;
        let mut told = text.lines();
        let (addr, token) = (told.next().context("an address")?, told.next().context("a token")?);
        let mut stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{token}\n").as_bytes())?;
        let lines = BufReader::new(stream.try_clone()?);
        let mut api = Self { stream, lines };
        match api.line() {
            Some(greeting) if greeting["ready"] == true => Ok(api),
            other => bail!("no greeting: {other:?}"),
        }
    }

    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The daemon's refusal, or that it is gone.
    pub fn ask(&mut self, request: &Value) -> Result<Value, NoAnswer> {
        let sent = self.stream.write_all(format!("{request}\n").as_bytes());
        sent.map_err(|_| NoAnswer::Gone)?;
        loop {
            let Some(mut line) = self.line() else {
                return Err(NoAnswer::Gone);
            };
            if let Some(error) = line.get("error") {
                let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
                return Err(NoAnswer::Refused(text("code"), text("message")));
            }
            if let Some(done) = line.get_mut("ok") {
                return Ok(done.take());
            }
        }
    }
}
