//! Where the inputs lie: those of the tree, which every test run tries, and those that long runs found, which stay on the machine.

use std::path::{Path, PathBuf};
use std::{fs, io};

use sha2::{Digest, Sha256};

use crate::Target;

/// Of this crate.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Inputs of the tree that together reach all that is known to be reachable; machine-made, replaced by `cunlian-fuzz keep`.
pub fn corpus(target: &Target) -> PathBuf {
    root().join("corpus").join(target.name)
}

/// Inputs that once broke a promise, named by what they broke. Nothing is ever removed here.
pub fn regressions(target: &Target) -> PathBuf {
    root().join("regressions").join(target.name)
}

/// What building and long runs leave: never committed.
pub fn work() -> PathBuf {
    root().join("../../target/fuzz")
}

/// The inputs that long runs of a target found on this machine.
pub fn found(target: &Target) -> PathBuf {
    work().join("found").join(target.name)
}

/// Where the engine leaves an input that broke a promise.
pub fn broken(target: &Target) -> PathBuf {
    work().join("broken").join(target.name)
}

/// All files of a folder with their names, sorted; none when there is no such folder.
///
/// # Errors
/// The system's.
pub fn inputs(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            found.push((
                entry.file_name().to_string_lossy().into_owned(),
                fs::read(entry.path())?,
            ));
        }
    }
    found.sort();
    Ok(found)
}

/// What an input is called: by what it holds, so that the same input is one file wherever it was found.
pub fn name_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
