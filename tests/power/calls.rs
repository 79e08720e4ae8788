//! The lines of a trace as calls: those that were interrupted by others are put together, arguments are taken apart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// One system call.
pub(super) struct Call {
    /// The process, whatever thread of it called.
    pub(super) group: u32,
    pub(super) begin: usize,
    /// `usize::MAX`: the process was killed before it returned.
    pub(super) end: usize,
    pub(super) name: String,
    pub(super) args: Vec<String>,
    /// The returned value as text.
    pub(super) result: String,
}

impl Call {
    pub(super) fn failed(&self) -> bool {
        self.result.starts_with("-1")
    }

    /// For messages: without the bytes.
    pub(super) fn shown(&self) -> String {
        let args: Vec<String> = self.args.iter().map(|arg| arg.chars().take(80).collect()).collect();
        format!("{}({}) = {}", self.name, args.join(", "), self.result)
    }

    /// The path that a folder's descriptor and a name make.
    pub(super) fn path_at(&self, dir: usize, name: usize) -> Result<PathBuf> {
        let name = PathBuf::from(String::from_utf8(strings(&self.args[name])?).context("a name")?);
        if name.is_absolute() {
            return Ok(name);
        }
        let dir = path_of(&self.args[dir])?.context("a folder without a name")?;
        Ok(dir.join(name))
    }
}

/// All calls in the order in which they returned (closing: in which they began, as the number may be given out again at once).
pub(super) fn calls(text: &str) -> Result<Vec<Call>> {
    let groups = groups(text)?;
    let mut open: BTreeMap<u32, (usize, &str)> = BTreeMap::new();
    let mut calls = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let (thread, rest) = thread(line).with_context(|| format!("line {}", at + 1))?;
        let group = groups.get(&thread).copied().unwrap_or(thread);
        if rest.starts_with("---") || rest.starts_with("+++") {
            continue;
        }
        let mut push = |begin: usize, text: &str| -> Result<()> {
            let call = parse(text, group, begin, at).with_context(|| format!("line {}", at + 1))?;
            calls.push(call);
            Ok(())
        };
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            open.insert(thread, (at, begun.trim_end()));
        } else if rest.starts_with("<... ") {
            let (begin, begun) = open.remove(&thread).context("resumed what was not begun")?;
            let (_, ended) = rest.split_once(" resumed>").context("resumed")?;
            push(begin, &format!("{begun}{ended}"))?;
        } else {
            push(at, rest)?;
        }
    }
    // What was under way when its process was killed may have happened in part.
    for (thread, (begin, begun)) in open {
        let group = groups.get(&thread).copied().unwrap_or(thread);
        let whole = if begun.ends_with(')') {
            format!("{begun} = ?")
        } else {
            format!("{begun}) = ?")
        };
        if let Ok(call) = parse(&whole, group, begin, usize::MAX) {
            calls.push(call);
        }
    }
    calls.sort_by_key(|call| {
        if call.name == "close" {
            (call.begin, call.begin)
        } else {
            (call.end, call.begin)
        }
    });
    Ok(calls)
}

/// The process of every thread.
fn groups(text: &str) -> Result<BTreeMap<u32, u32>> {
    let mut groups = BTreeMap::new();
    let mut threaded: BTreeMap<u32, bool> = BTreeMap::new();
    for line in text.lines() {
        let (thread, rest) = thread(line)?;
        if !rest.starts_with("clone") && !rest.starts_with("<... clone") {
            continue;
        }
        let is_thread = match rest.starts_with("<...") {
            true => threaded.remove(&thread).unwrap_or(false) || rest.contains("CLONE_THREAD"),
            false => rest.contains("CLONE_THREAD"),
        };
        if rest.ends_with("<unfinished ...>") {
            threaded.insert(thread, is_thread);
            continue;
        }
        let made = rest
            .rsplit_once(" = ")
            .and_then(|(_, made)| made.trim().parse::<u32>().ok());
        if let Some(made) = made.filter(|_| is_thread) {
            groups.insert(made, thread);
        }
    }
    // Threads are made by threads.
    let roots = groups.keys().map(|thread| {
        let mut at = *thread;
        while let Some(above) = groups.get(&at) {
            at = *above;
        }
        (*thread, at)
    });
    Ok(roots.collect())
}

fn thread(line: &str) -> Result<(u32, &str)> {
    let (thread, rest) = line.split_once(' ').context("no process")?;
    Ok((thread.parse().context("a process")?, rest.trim_start()))
}

fn parse(text: &str, group: u32, begin: usize, end: usize) -> Result<Call> {
    let (name, rest) = text.split_once('(').context("no call")?;
    let (args, rest) = arguments(rest)?;
    let result = rest
        .trim_start()
        .strip_prefix('=')
        .context("no result")?
        .trim()
        .to_owned();
    let end = if result == "?" { usize::MAX } else { end };
    Ok(Call {
        group,
        begin,
        end,
        name: name.to_owned(),
        args,
        result,
    })
}

/// Splits at the commas between arguments; answers what follows the closing bracket, too.
fn arguments(text: &str) -> Result<(Vec<String>, &str)> {
    let bytes = text.as_bytes();
    let (mut args, mut depth, mut from, mut at) = (Vec::new(), 0usize, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while *bytes.get(at).context("an open string")? != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            // The file behind a descriptor.
            b'<' if at > 0 && (bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b'D') => {
                at += text[at..].find('>').context("an open name")?;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' if depth == 0 => {
                args.push(text[from..at].trim().to_owned());
                return Ok((args, &text[at + 1..]));
            }
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                args.push(text[from..at].trim().to_owned());
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    bail!("an open call")
}

/// A descriptor and the file that strace names behind it.
pub(super) fn fd_of(arg: &str) -> Result<(u32, Option<String>)> {
    let (fd, name) = match arg.split_once('<') {
        Some((fd, name)) => (fd, Some(name.trim_end_matches('>').to_owned())),
        None => (arg, None),
    };
    let fd = fd.parse().unwrap_or(u32::MAX);
    Ok((fd, name.map(|name| name.trim_end_matches(" (deleted)").to_owned())))
}

/// The path behind a descriptor or a folder's descriptor.
pub(super) fn path_of(arg: &str) -> Result<Option<PathBuf>> {
    let is_fd = arg.starts_with(|c: char| c.is_ascii_digit()) || arg.starts_with("AT_FDCWD");
    if !is_fd {
        return Ok(None);
    }
    let path = arg.split_once('<').map(|(_, path)| path.trim_end_matches('>'));
    Ok(path.map(|path| Path::new(path.trim_end_matches("(deleted)").trim_end()).to_owned()))
}

/// A decimal or hexadecimal number, before whatever strace explains of it.
pub(super) fn number(text: &str) -> Result<u64> {
    let text = text.split(['<', ' ']).next().unwrap_or_default();
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    }
    .with_context(|| format!("{text:?} is no number"))
}

/// The bytes of a string as strace writes them.
pub(super) fn strings(arg: &str) -> Result<Vec<u8>> {
    ensure!(!arg.ends_with("..."), "a string was cut short");
    let text = arg.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let text = text.context("no string")?.as_bytes();
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        at += 1;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let escaped = *text.get(at).context("an open escape")?;
        at += 1;
        bytes.push(match escaped {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'v' => 0x0b,
            b'f' => 0x0c,
            b'"' | b'\\' => escaped,
            b'x' => {
                let hex = text.get(at..at + 2).context("an open escape")?;
                at += 2;
                u8::from_str_radix(std::str::from_utf8(hex)?, 16)?
            }
            b'0'..=b'7' => {
                let len = text[at - 1..]
                    .iter()
                    .take(3)
                    .take_while(|b| (b'0'..=b'7').contains(*b))
                    .count();
                let digits = &text[at - 1..at - 1 + len];
                at += len - 1;
                u8::from_str_radix(std::str::from_utf8(digits)?, 8)?
            }
            other => bail!("an unknown escape {other}"),
        });
    }
    Ok(bytes)
}
