//! Reading what strace wrote: every system call on the folders of one recorded run, with its bytes. Strict: a call that touches
//! such a folder and is not known here is an error, never passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::calls::{Call, calls, fd_of, number, path_of, strings};

/// What strace is asked for. `-y` names the file behind each descriptor, `-x` keeps bytes that are no text exact.
pub const STRACE_ARGS: [&str; 9] = [
    "-f",
    "-y",
    "-x",
    "--seccomp-bpf",
    "-qq",
    "-s",
    "16000000",
    "-e",
    "trace=%file,%desc,%process,io_uring_setup,sync",
];

/// A file or a folder of the run; folders keep their names in [`What`].
pub type Node = usize;

/// One call that changes or syncs something.
#[derive(Clone, Debug)]
pub struct Op {
    /// The line on which the call began and the one on which it returned; `usize::MAX` when it never did.
    pub begin: usize,
    pub end: usize,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Make {
        dir: Node,
        name: String,
        node: Node,
    },
    Remove {
        dir: Node,
        name: String,
    },
    Rename {
        dir: Node,
        from: String,
        to: String,
    },
    Write {
        file: Node,
        at: u64,
        bytes: Arc<[u8]>,
    },
    SetLen {
        file: Node,
        len: u64,
    },
    /// Room was made: the length may have grown, the bytes are zeros.
    Allocate {
        file: Node,
        len: u64,
    },
    Sync {
        node: Node,
    },
    /// The disk said no: what was written before may never reach it, though later syncs succeed.
    SyncFailed {
        node: Node,
    },
}

/// What the recording program said on its standard output, at which line.
#[derive(Clone, Debug)]
pub struct Said {
    pub line: usize,
    pub what: Value,
}

/// A recorded run.
#[derive(Clone)]
pub struct Trace {
    /// The folder above all data folders; what lies in it directly is not looked at.
    pub root: PathBuf,
    pub ops: Vec<Op>,
    pub said: Vec<Said>,
    pub lines: usize,
    /// Which nodes are folders. Node 0 is the root.
    pub folders: Vec<bool>,
}

/// Lines of the recording program that are meant for us begin with this.
pub const MARK: &str = "@ ";

struct Open {
    node: Node,
    at: u64,
    append: bool,
}

struct Reader {
    root: PathBuf,
    ops: Vec<Op>,
    said: Vec<Said>,
    folders: Vec<bool>,
    /// The names as they stand now, by folder.
    names: BTreeMap<Node, BTreeMap<String, Node>>,
    lens: BTreeMap<Node, u64>,
    open: BTreeMap<(u32, u32), Open>,
}

impl Trace {
    /// Reads the text of a whole trace.
    ///
    /// # Errors
    /// With its line, for every call on the run's folders that is not understood.
    pub fn parse(text: &str) -> Result<Self> {
        let calls = calls(text)?;
        let root = root(&calls)?;
        let mut reader = Reader {
            root,
            ops: Vec::new(),
            said: Vec::new(),
            folders: vec![true],
            names: BTreeMap::from([(0, BTreeMap::new())]),
            lens: BTreeMap::new(),
            open: BTreeMap::new(),
        };
        for call in &calls {
            reader
                .take(call)
                .with_context(|| format!("line {}: {}", call.begin + 1, call.shown()))?;
        }
        reader.ops.sort_by_key(|op| (op.end, op.begin));
        Ok(Self {
            root: reader.root,
            ops: reader.ops,
            said: reader.said,
            lines: text.lines().count(),
            folders: reader.folders,
        })
    }

    /// The run of a program that never syncs what lies under such a name in a data folder, whatever it was renamed from; an empty
    /// name is the data folder itself. Answers it with the count of syncs left out.
    #[must_use]
    pub fn without_syncs(&self, of: impl Fn(&str) -> bool) -> (Self, usize) {
        let (mut folders, mut names, mut left_out) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        for op in &self.ops {
            match &op.what {
                What::Make { dir: 0, node, .. } => {
                    folders.insert(*node);
                    left_out.extend(of("").then_some(*node));
                }
                What::Make { dir, name, node } if folders.contains(dir) => {
                    names.insert((*dir, name), *node);
                    left_out.extend(of(name).then_some(*node));
                }
                What::Rename { dir, from, to } => {
                    if let Some(node) = names.remove(&(*dir, from)) {
                        names.insert((*dir, to), node);
                        left_out.extend(of(to).then_some(node));
                    }
                }
                _ => {}
            }
        }
        let mut never_synced = self.clone();
        never_synced
            .ops
            .retain(|op| !matches!(op.what, What::Sync { node } if left_out.contains(&node)));
        let left_out = self.ops.len() - never_synced.ops.len();
        (never_synced, left_out)
    }
}

/// The folder that the recording program names first.
fn root(calls: &[Call]) -> Result<PathBuf> {
    for call in calls {
        if let Some(said) = said(call)?
            && let Some(root) = said["root"].as_str()
        {
            return Ok(PathBuf::from(root));
        }
    }
    bail!("the recording program did not say where its folders lie")
}

fn said(call: &Call) -> Result<Option<Value>> {
    if call.name != "write" || fd_of(&call.args[0])?.0 != 1 {
        return Ok(None);
    }
    let bytes = strings(&call.args[1])?;
    let Some(text) = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_prefix(MARK))
    else {
        return Ok(None);
    };
    Ok(Some(
        serde_json::from_str(text).context("what the recording program said")?,
    ))
}

impl Reader {
    /// The part of a path below the root; `None` for what is not ours. Files beside the data folders are not ours either.
    fn below<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let below = path.strip_prefix(&self.root).ok()?;
        let mut parts = below.components();
        let first = parts.next()?;
        let is_folder = Path::new(first.as_os_str()).extension().is_none();
        (parts.next().is_some() || is_folder).then_some(below)
    }

    fn touches(&self, call: &Call) -> bool {
        let root = self.root.to_string_lossy();
        call.args.iter().any(|arg| {
            let path = path_of(arg).ok().flatten();
            let named = arg.starts_with('"') && arg.contains(&*root);
            let is_ours = path.as_deref().is_some_and(|path| self.below(path).is_some());
            is_ours
                || (named
                    && strings(arg)
                        .is_ok_and(|bytes| self.below(Path::new(&*String::from_utf8_lossy(&bytes))).is_some()))
        })
    }

    fn push(&mut self, call: &Call, what: What) {
        self.ops.push(Op {
            begin: call.begin,
            end: call.end,
            what,
        });
    }

    fn take(&mut self, call: &Call) -> Result<()> {
        if let Some(what) = said(call)? {
            self.said.push(Said { line: call.begin, what });
            return Ok(());
        }
        if call.failed() {
            let is_sync = call.name == "fsync" || call.name == "fdatasync";
            if let Some(node) = is_sync.then(|| self.node_of_fd(call)).transpose()?.flatten() {
                self.push(call, What::SyncFailed { node });
            }
            return Ok(());
        }
        match call.name.as_str() {
            "open" | "creat" => {
                ensure!(!self.touches(call), "an old way to open");
                Ok(())
            }
            "openat" => self.openat(call),
            "close" => {
                let (fd, _) = fd_of(&call.args[0])?;
                self.open.remove(&(call.group, fd));
                Ok(())
            }
            "read" | "lseek" => self.moved(call),
            "write" | "pwrite64" | "writev" => self.write(call),
            "fsync" | "fdatasync" => match self.node_of_fd(call)? {
                Some(node) => {
                    self.push(call, What::Sync { node });
                    Ok(())
                }
                None => Ok(()),
            },
            "ftruncate" | "fallocate" => self.resize(call),
            "mkdir" | "unlink" | "rmdir" | "rename" => self.plain_name(call),
            "unlinkat" => self.unlinkat(call),
            _ => self.harmless(call),
        }
    }

    /// What neither changes nor syncs anything.
    fn harmless(&self, call: &Call) -> Result<()> {
        const KNOWN: [&str; 22] = [
            // `sync_file_range` promises nothing that outlives a power cut: the disk's cache and the length are left out.
            "sync_file_range",
            "pread64",
            "newfstatat",
            "fstat",
            "stat",
            "lstat",
            "statx",
            "access",
            "faccessat",
            "faccessat2",
            "readlink",
            "readlinkat",
            "getdents64",
            "flock",
            "statfs",
            "fstatfs",
            "fadvise64",
            "epoll_ctl",
            "execve",
            "poll",
            "chdir",
            "ioctl",
        ];
        if !self.touches(call) || KNOWN.contains(&call.name.as_str()) {
            return Ok(());
        }
        let args = &call.args;
        let fine = match call.name.as_str() {
            "fcntl" => ["F_GETFD", "F_SETFD", "F_GETFL"].contains(&args[1].as_str()),
            "mmap" => args[3].contains("MAP_PRIVATE") || !args[2].contains("PROT_WRITE"),
            _ => false,
        };
        ensure!(fine, "a call on the folder that is not understood");
        Ok(())
    }

    fn openat(&mut self, call: &Call) -> Result<()> {
        let path = call.path_at(0, 1)?;
        let Some(below) = self.below(&path).map(Path::to_owned) else {
            return Ok(());
        };
        let flags = &call.args[2];
        for odd in ["O_SYNC", "O_DSYNC", "O_DIRECT|", "O_TMPFILE", "O_PATH"] {
            ensure!(!flags.contains(odd), "opened with {odd}");
        }
        if flags.contains("O_DIRECTORY") && !flags.contains("O_CREAT") {
            ensure!(self.find(&below).is_some(), "a folder that nobody made");
        }
        let node = match self.find(&below) {
            Some(node) => node,
            None => {
                ensure!(flags.contains("O_CREAT"), "opened what nobody made");
                self.make(call, &below, false)?
            }
        };
        if flags.contains("O_TRUNC") && self.lens.get(&node).is_some_and(|len| *len > 0) {
            self.lens.insert(node, 0);
            self.push(call, What::SetLen { file: node, len: 0 });
        }
        let fd = number(&call.result)? as u32;
        let append = flags.contains("O_APPEND");
        self.open.insert((call.group, fd), Open { node, at: 0, append });
        Ok(())
    }

    fn moved(&mut self, call: &Call) -> Result<()> {
        let (fd, _) = fd_of(&call.args[0])?;
        if let Some(open) = self.open.get_mut(&(call.group, fd)) {
            ensure!(call.end != usize::MAX, "cut off while moving");
            let result = number(&call.result)?;
            open.at = if call.name == "lseek" { result } else { open.at + result };
        }
        Ok(())
    }

    /// The node behind the first argument, when it is ours.
    fn node_of_fd(&self, call: &Call) -> Result<Option<Node>> {
        let (fd, path) = fd_of(&call.args[0])?;
        let held = self.open.get(&(call.group, fd)).map(|open| open.node);
        let ours = path
            .as_deref()
            .is_some_and(|path| self.below(Path::new(path)).is_some());
        if !ours {
            // The root itself: its names are the data folders.
            return Ok(path.filter(|path| Path::new(path) == self.root).map(|_| 0));
        }
        let node = held.context("a descriptor that nobody opened")?;
        let is_gone = call.args[0].contains("(deleted)");
        let shown = path
            .filter(|_| !is_gone)
            .and_then(|path| self.find(self.below(Path::new(&path))?));
        ensure!(shown.is_none_or(|shown| shown == node), "a descriptor of another file");
        Ok(Some(node))
    }

    fn write(&mut self, call: &Call) -> Result<()> {
        let Some(file) = self.node_of_fd(call)? else {
            return Ok(());
        };
        ensure!(call.name != "writev", "a gathered write");
        let mut bytes = strings(&call.args[1])?;
        ensure!(
            bytes.len() as u64 == number(&call.args[2])?,
            "not all bytes were recorded"
        );
        if call.end != usize::MAX {
            bytes.truncate(number(&call.result)? as usize);
        }
        let (fd, _) = fd_of(&call.args[0])?;
        let len = self.lens.get(&file).copied().unwrap_or(0);
        let at = if call.name == "pwrite64" {
            number(&call.args[3])?
        } else {
            let open = self.open.get_mut(&(call.group, fd)).context("not open")?;
            let at = if open.append { len } else { open.at };
            open.at = at + bytes.len() as u64;
            at
        };
        self.lens.insert(file, len.max(at + bytes.len() as u64));
        let bytes = bytes.into();
        self.push(call, What::Write { file, at, bytes });
        Ok(())
    }

    fn resize(&mut self, call: &Call) -> Result<()> {
        let Some(file) = self.node_of_fd(call)? else {
            return Ok(());
        };
        if call.name == "ftruncate" {
            let len = number(&call.args[1])?;
            self.lens.insert(file, len);
            self.push(call, What::SetLen { file, len });
            return Ok(());
        }
        ensure!(call.args[1] == "0", "an unknown way to allocate");
        let len = number(&call.args[2])? + number(&call.args[3])?;
        let len = len.max(self.lens.get(&file).copied().unwrap_or(0));
        self.lens.insert(file, len);
        self.push(call, What::Allocate { file, len });
        Ok(())
    }

    fn plain_name(&mut self, call: &Call) -> Result<()> {
        let path = PathBuf::from(String::from_utf8(strings(&call.args[0])?)?);
        // Relative names would need the working folder of each process.
        ensure!(
            path.is_absolute() || call.name == "unlink" || !self.touches(call),
            "a relative name"
        );
        let Some(below) = self.below(&path).map(Path::to_owned) else {
            return Ok(());
        };
        match call.name.as_str() {
            "mkdir" => self.make(call, &below, true).map(drop),
            "unlink" | "rmdir" => self.remove(call, &below),
            _ => {
                let to = PathBuf::from(String::from_utf8(strings(&call.args[1])?)?);
                let to = self.below(&to).context("renamed out of the folder")?.to_owned();
                self.rename(call, &below, &to)
            }
        }
    }

    fn unlinkat(&mut self, call: &Call) -> Result<()> {
        let path = call.path_at(0, 1)?;
        match self.below(&path).map(Path::to_owned) {
            Some(below) => self.remove(call, &below),
            None => Ok(()),
        }
    }

    fn make(&mut self, call: &Call, below: &Path, folder: bool) -> Result<Node> {
        let (dir, name) = self.split(below)?;
        let node = self.folders.len();
        self.folders.push(folder);
        if folder {
            self.names.insert(node, BTreeMap::new());
        }
        self.names.entry(dir).or_default().insert(name.clone(), node);
        self.push(call, What::Make { dir, name, node });
        Ok(node)
    }

    fn remove(&mut self, call: &Call, below: &Path) -> Result<()> {
        let (dir, name) = self.split(below)?;
        let gone = self.names.get_mut(&dir).and_then(|names| names.remove(&name));
        ensure!(gone.is_some(), "removed what nobody made");
        self.push(call, What::Remove { dir, name });
        Ok(())
    }

    fn rename(&mut self, call: &Call, from: &Path, to: &Path) -> Result<()> {
        let ((dir, from), (other, to)) = (self.split(from)?, self.split(to)?);
        ensure!(dir == other, "renamed into another folder");
        let names = self.names.entry(dir).or_default();
        let node = names.remove(&from).context("renamed what nobody made")?;
        names.insert(to.clone(), node);
        self.push(call, What::Rename { dir, from, to });
        Ok(())
    }

    fn find(&self, below: &Path) -> Option<Node> {
        below.components().try_fold(0, |node, part| {
            self.names.get(&node)?.get(part.as_os_str().to_str()?).copied()
        })
    }

    fn split(&self, below: &Path) -> Result<(Node, String)> {
        let above = below.parent().context("no folder")?;
        let dir = self.find(above).context("a folder that nobody made")?;
        let name = below.file_name().and_then(|name| name.to_str()).context("no name")?;
        Ok((dir, name.to_owned()))
    }
}
