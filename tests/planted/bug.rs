//! The lists, read and looked over.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

/// One fault to plant. The fields are told in README.md.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// What the broken code does, as a sentence.
    pub name: String,
    /// What a clerk would suffer.
    pub why: String,
    pub class: String,
    pub file: String,
    /// Stands exactly once in the file.
    pub old: String,
    pub new: String,
    /// Further words of the same file, where one fault stands in two places.
    #[serde(default)]
    pub also: Vec<Edit>,
    pub check: Check,
    /// The check may also be caught by never ending.
    #[serde(default)]
    pub hangs: bool,
}

/// Words to exchange.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub old: String,
    pub new: String,
}

/// One test of one target.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub package: String,
    /// An integration test of the package; without it the package's own unit tests.
    pub binary: Option<String>,
    /// The whole path of the test.
    pub test: String,
}

impl Bug {
    fn edits(&self) -> impl Iterator<Item = (&str, &str)> {
        let first = (self.old.as_str(), self.new.as_str());
        let also = self.also.iter().map(|edit| (edit.old.as_str(), edit.new.as_str()));
        std::iter::once(first).chain(also)
    }
}

impl Check {
    /// What cargo builds for it.
    pub fn target(&self) -> (&str, Option<&str>) {
        (&self.package, self.binary.as_deref())
    }

    /// As `cargo nextest` would be asked for it.
    pub fn filter(&self) -> String {
        let (package, test) = (&self.package, &self.test);
        match &self.binary {
            Some(binary) => format!("package({package}) and binary({binary}) and test(={test})"),
            None => format!("package({package}) and kind(lib) and test(={test})"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    bug: Vec<Bug>,
}

/// All bugs of the lists in `tests/planted`, by the name of the list.
///
/// # Errors
/// When a list cannot be read or has a key that is not known.
pub fn bugs(root: &Path) -> anyhow::Result<Vec<Bug>> {
    let dir = root.join("tests/planted");
    let mut files: Vec<_> = fs::read_dir(&dir)
        .with_context(|| format!("reading {}", dir.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    files.sort();
    let mut bugs = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let list: List = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        bugs.extend(list.bug);
    }
    Ok(bugs)
}

/// Why the lists do not fit the code as it stands, one sentence each. Builds nothing.
pub fn faults(root: &Path, bugs: &[Bug]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for bug in bugs {
        let mut tell = |fault: String| faults.push(format!("“{}”: {fault}", bug.name));
        if !names.insert(&bug.name) {
            tell("another bug has this name".to_owned());
        }
        if let Err(why) = planted(root, bug) {
            tell(why.to_string());
        }
        for (what, text) in [("name", &bug.name), ("why", &bug.why), ("class", &bug.class)] {
            if text.trim().is_empty() {
                tell(format!("its {what} is empty"));
            }
        }
    }
    faults
}

/// The file of a bug, before and after.
pub(super) fn planted(root: &Path, bug: &Bug) -> anyhow::Result<(String, String)> {
    let clean = fs::read_to_string(root.join(&bug.file)).with_context(|| format!("reading {}", bug.file))?;
    let mut broken = clean.clone();
    for (old, new) in bug.edits() {
        // Counted in the sound text: one exchange must not hide another.
        let times = clean.matches(old).count();
        anyhow::ensure!(
            !old.is_empty() && times == 1,
            "its old text stands {times} times in {}: {old}",
            bug.file
        );
        anyhow::ensure!(old != new, "it changes nothing");
        broken = broken.replacen(old, new, 1);
    }
    Ok((clean, broken))
}

/// Some bugs of a day, going round through the whole list: all of them have had their turn after a while.
pub fn of_day(bugs: &[Bug], day: u64, count: usize) -> Vec<Bug> {
    if bugs.is_empty() {
        return Vec::new();
    }
    // Neighbours in the list share a build; a stride apart they lie in several crates.
    let stride = stride(bugs.len());
    let first = (day as usize).wrapping_mul(count);
    (0..count.min(bugs.len()))
        .map(|turn| bugs[first.wrapping_add(turn).wrapping_mul(stride) % bugs.len()].clone())
        .collect()
}

/// About a third of the length, and sharing no divisor with it, so that every bug is met.
fn stride(len: usize) -> usize {
    let shares = |a: usize| {
        let (mut a, mut b) = (a, len);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a > 1
    };
    (len / 3 + 1..=len.max(2)).find(|stride| !shares(*stride)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bug(name: usize) -> Bug {
        Bug {
            name: name.to_string(),
            why: "w".to_owned(),
            class: "c".to_owned(),
            file: "f".to_owned(),
            old: "o".to_owned(),
            new: "n".to_owned(),
            also: Vec::new(),
            check: Check {
                package: "p".to_owned(),
                binary: None,
                test: "t".to_owned(),
            },
            hangs: false,
        }
    }

    #[test]
    fn every_bug_has_its_day() {
        for len in 1..60 {
            let bugs: Vec<Bug> = (0..len).map(bug).collect();
            let met: BTreeSet<String> = (20_000..20_000 + len as u64)
                .flat_map(|day| of_day(&bugs, day, 3))
                .map(|bug| bug.name)
                .collect();
            assert_eq!(met.len(), len, "of {len}");
        }
    }
}
