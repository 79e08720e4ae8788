//! A copy of the working tree to break: bugs are planted there, never in the tree itself.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::bug::{Bug, planted};

/// The copy, kept from run to run so that only what changed is built again.
pub(super) struct Tree {
    dir: PathBuf,
    target: PathBuf,
    /// A file with a bug in it, and its sound text.
    planted: Option<(PathBuf, String)>,
    /// Two runs in one scratch folder would judge each other's bugs.
    _lock: File,
}

impl Tree {
    /// Copies what git knows of (new files included, ignored ones not) into the scratch folder under `target`.
    pub(super) fn copy(root: &Path) -> anyhow::Result<Tree> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let target = root.join(target);
        let scratch = target.join("planted");
        let dir = scratch.join("tree");
        fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        let lock = File::create(scratch.join("lock")).context("making the lock file")?;
        if lock.try_lock().is_err() {
            anyhow::bail!("another run works in {}", scratch.display());
        }
        let wanted: BTreeSet<PathBuf> = listed(root)?.into_iter().collect();
        for path in existing(&dir)? {
            if !wanted.contains(&path) && path != Path::new("Cargo.lock") {
                fs::remove_file(dir.join(&path)).with_context(|| format!("removing {}", path.display()))?;
            }
        }
        for path in &wanted {
            let mut bytes = fs::read(root.join(path)).with_context(|| format!("reading {}", path.display()))?;
            if path == Path::new("Cargo.toml") {
                bytes = marked(bytes)?;
            }
            let copy = dir.join(path);
            // Untouched when equal: cargo goes by the time of change.
            if fs::read(&copy).is_ok_and(|held| held == bytes) {
                continue;
            }
            if let Some(parent) = copy.parent() {
                fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
            }
            fs::write(&copy, bytes).with_context(|| format!("writing {}", copy.display()))?;
        }
        Ok(Tree {
            dir,
            target,
            planted: None,
            _lock: lock,
        })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of what was built, shared with the working tree: what comes from registries is not built twice.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    pub(super) fn plant(&mut self, bug: &Bug) -> anyhow::Result<()> {
        let (clean, broken) = planted(&self.dir, bug)?;
        let path = self.dir.join(&bug.file);
        fs::write(&path, broken).with_context(|| format!("writing {}", path.display()))?;
        self.planted = Some((path, clean));
        Ok(())
    }

    pub(super) fn heal(&mut self) -> anyhow::Result<()> {
        if let Some((path, clean)) = self.planted.take() {
            fs::write(&path, clean).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }
}

/// The copy's crates get a version of their own. Cargo names what it builds by versions and by paths inside the workspace: without it
/// broken crates would pass for the sound ones in the folder that both share.
fn marked(manifest: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let text = String::from_utf8(manifest).context("the manifest is no text")?;
    let (head, package) = text
        .split_once("[workspace.package]\nversion = \"")
        .context("the manifest gives no version to all crates")?;
    let (version, rest) = package.split_once('"').context("the manifest's version has no end")?;
    let marked = format!("{head}[workspace.package]\nversion = \"{version}+planted\"{rest}");
    Ok(marked.into_bytes())
}

fn listed(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("asking git for its files")?;
    anyhow::ensure!(
        output.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let paths = names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()));
    // A file removed but not yet from git's list is not there.
    Ok(paths.filter(|path| root.join(path).is_file()).collect())
}

fn existing(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(inside) = path.strip_prefix(dir) {
                found.push(inside.to_owned());
            }
        }
    }
    Ok(found)
}
