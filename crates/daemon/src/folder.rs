//! The data folder: made for its owner's eyes only, and the two small files by which a running daemon is found.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use store::RealDisk;

use crate::failure::Failure;

/// Where the local API listens and the word that opens it: line 1 the address, line 2 the token.
const API_FILE: &str = "api";
/// Where QUIC listens: one line.
const LISTEN_FILE: &str = "listen";
/// Where the pages are served: one line.
const CONSOLE_FILE: &str = "console";
const METRICS_FILE: &str = "metrics";
/// The index lies apart, so that it can be deleted whole.
const INDEX_DIR: &str = "index";

/// A data folder by its path.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// How to reach the daemon that runs on a folder.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiDoor {
    pub addr: SocketAddr,
    pub token: String,
}

// Written by hand: the token must not get into a log with something else.
impl fmt::Debug for ApiDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiDoor")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

impl Folder {
    /// The folder at `path`, made if it is missing; only its owner may enter.
    ///
    /// # Errors
    /// When it can be neither found nor made.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |e: io::Error| {
            Failure::failed(format!(
                "数据文件夹 {} 不能建立（{e}），请检查 --data 的位置和权限。",
                path.display()
            ))
        };
        if !path.is_dir() {
            // Durable under its name, too: a power cut right after `init` would take the whole folder.
            RealDisk::make(path).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned() })
    }

    /// The folder at `path`, which must exist.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn existing(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() {
            let folder = Self { path: path.to_owned() };
            // A wrong folder stays as it is: only init and join lay something into an empty one.
            return match folder.is_begun() {
                true => Ok(folder),
                false => Err(Failure::failed(format!(
                    "数据文件夹 {} 还没有启用，请检查 --data，或先执行 init 或 join。",
                    path.display()
                ))
                .coded("not_set_up")),
            };
        }
        Err(Failure::failed(format!(
            "找不到数据文件夹 {}，请检查 --data，或先执行 init 或 join。",
            path.display()
        ))
        .coded("no_folder"))
    }

    /// Whether something of ours lies there: a key, or what is left of a life.
    fn is_begun(&self) -> bool {
        let ours = |name: &str| name == "device.key" || name.starts_with("journal-");
        let names = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut names = names.map(|entry| entry.file_name());
        // A folder that cannot be read is for the opening to complain about.
        fs::read_dir(&self.path).is_err() || names.any(|name| name.to_str().is_some_and(ours))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the index lies.
    pub fn index(&self) -> PathBuf {
        self.path.join(INDEX_DIR)
    }

    /// Tells commands where the local API is. Only the owner can read the token.
    ///
    /// # Errors
    /// The system's.
    pub fn write_api(&self, door: &ApiDoor) -> io::Result<()> {
        self.write_private(API_FILE, &format!("{}\n{}\n", door.addr, door.token))
    }

    /// Where the local API was said to be; `None` when no daemon has said so.
    pub fn read_api(&self) -> Option<ApiDoor> {
        let text = fs::read_to_string(self.path.join(API_FILE)).ok()?;
        let mut lines = text.lines();
        let addr: SocketAddr = lines.next()?.parse().ok()?;
        let token = lines.next()?.to_owned();
        // The token is for this machine only, whatever the file says.
        addr.ip().is_loopback().then_some(ApiDoor { addr, token })
    }

    /// Tells people and tests where QUIC listens.
    ///
    /// # Errors
    /// The system's.
    pub fn write_listen(&self, addr: SocketAddr) -> io::Result<()> {
        self.write_private(LISTEN_FILE, &format!("{addr}\n"))
    }

    /// Tells people and tests where the pages are served.
    ///
    /// # Errors
    /// The system's.
    pub fn write_console(&self, addr: SocketAddr) -> io::Result<()> {
        self.write_private(CONSOLE_FILE, &format!("{addr}\n"))
    }

    /// Where the pages were served last.
    pub fn read_console(&self) -> Option<SocketAddr> {
        std::fs::read_to_string(self.path.join(CONSOLE_FILE))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Tells people and tests where metrics are read.
    ///
    /// # Errors
    /// The system's.
    pub fn write_metrics(&self, addr: SocketAddr) -> io::Result<()> {
        self.write_private(METRICS_FILE, &format!("{addr}\n"))
    }

    /// Keeps a small file of a face: whole or as before, and on the disk when this returns.
    ///
    /// # Errors
    /// The system's.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let beside = self.path.join(format!("{name}.new"));
        match fs::remove_file(&beside) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = private_file(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&beside, self.path.join(name))?;
        // Without this the name may still mean the old file after a power cut.
        match fs::File::open(&self.path) {
            Ok(folder) if cfg!(unix) => folder.sync_all(),
            _ => Ok(()),
        }
    }

    /// What [`Folder::keep`] kept; `None` when nothing was.
    ///
    /// # Errors
    /// The system's.
    pub fn kept(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The daemon is gone: nobody shall look for it.
    pub fn forget_daemon(&self) {
        for name in [API_FILE, LISTEN_FILE, CONSOLE_FILE, METRICS_FILE] {
            // A file that stays is no harm: the folder's lock tells whether a daemon runs.
            let _ = fs::remove_file(self.path.join(name));
        }
    }

    /// Written whole or not at all: beside, then renamed.
    fn write_private(&self, name: &str, text: &str) -> io::Result<()> {
        let beside = self.path.join(format!("{name}.new"));
        match fs::remove_file(&beside) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = private_file(&beside)?;
        file.write_all(text.as_bytes())?;
        drop(file);
        fs::rename(&beside, self.path.join(name))
    }
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

// Windows has no modes: a folder inherits who may enter from the one it is made in, which for a
// user's own folders is the user and the administrators.
#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_file_is_its_owners_alone_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(&dir.path().join("a/b")).unwrap();
        let door = ApiDoor {
            addr: "127.0.0.1:4711".parse().unwrap(),
            token: "00ff".to_owned(),
        };
        folder.write_api(&door).unwrap();
        folder.write_api(&door).unwrap();
        assert!(!format!("{door:?}").contains("00ff"), "the token is not for logs");
        assert_eq!(folder.read_api(), Some(door));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |p: PathBuf| fs::metadata(p).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(dir.path().join("a/b")), 0o700);
            assert_eq!(mode(dir.path().join("a/b/api")), 0o600);
        }
        folder.forget_daemon();
        assert_eq!(folder.read_api(), None);
    }

    #[test]
    fn what_a_face_keeps_is_whole_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(&dir.path().join("a")).unwrap();
        assert_eq!(folder.kept("clerks").unwrap(), None);
        folder.keep("clerks", b"one").unwrap();
        // What a power cut left of a later try changes nothing, and is in nobody's way.
        fs::write(dir.path().join("a/clerks.new"), b"ha").unwrap();
        assert_eq!(folder.kept("clerks").unwrap().as_deref(), Some(&b"one"[..]));
        folder.keep("clerks", b"two").unwrap();
        assert_eq!(folder.kept("clerks").unwrap().as_deref(), Some(&b"two"[..]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.path().join("a/clerks")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_folder_without_a_life_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("family.jpg"), "x").unwrap();
        assert_eq!(Folder::existing(dir.path()).unwrap_err().code, "not_set_up");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        fs::write(dir.path().join("journal-00000001"), "").unwrap();
        assert!(Folder::existing(dir.path()).is_ok());
    }

    #[test]
    fn a_token_is_never_sent_off_this_machine() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(dir.path()).unwrap();
        fs::write(dir.path().join("api"), "192.0.2.1:80\nsecret\n").unwrap();
        assert_eq!(folder.read_api(), None);
    }
}
