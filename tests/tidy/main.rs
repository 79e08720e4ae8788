//! House rules that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

/// Every Rust file of the workspace with its text.
fn sources() -> Vec<(String, String)> {
    fn visit(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a folder").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
                visit(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                found.push(path);
            }
        }
    }
    let (root, mut found) = (root(), Vec::new());
    visit(&root, &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(&root).expect("inside").display().to_string();
    found
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).expect("UTF-8")))
        .collect()
}

fn offenders(rule: impl Fn(&str, &str) -> Vec<String>) {
    let told: Vec<String> = sources().iter().flat_map(|(name, text)| rule(name, text)).collect();
    assert!(told.is_empty(), "\n{}\n", told.join("\n"));
}

/// Files that are tests and nothing else: of the tests package, in a `tests` folder, or declared under `#[cfg(test)]`.
fn is_test(name: &str) -> bool {
    if name.starts_with("tests/")
        || name.contains("/tests/")
        || name.ends_with("/tests.rs")
        || name.contains("/benches/")
    {
        return true;
    }
    let stem = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".rs");
    let declared = format!("mod {stem};");
    sources().iter().any(|(other, text)| {
        let near = other
            .rsplit_once('/')
            .map(|(dir, _)| dir)
            .is_some_and(|dir| name.starts_with(dir));
        let mut lines = text.lines().zip(text.lines().skip(1));
        near && lines.any(|(before, line)| before.trim() == "#[cfg(test)]" && line.trim().ends_with(&declared))
    })
}

/// Lines up to the file's own tests.
fn product(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
}

#[test]
fn files_stay_short() {
    offenders(|name, text| {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            vec![format!("{name}: {lines} lines")]
        } else {
            Vec::new()
        }
    });
}

#[test]
fn functions_stay_short() {
    offenders(|name, text| {
        let mut told = Vec::new();
        let mut open: Option<(usize, usize, String)> = None;
        for (at, line) in product(text) {
            let indent = line.len() - line.trim_start().len();
            let words = line
                .trim_start()
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub(super) ");
            let words = words
                .trim_start_matches("pub ")
                .trim_start_matches("async ")
                .trim_start_matches("const ");
            if open.is_none() && words.starts_with("fn ") && !line.trim_end().ends_with(';') {
                open = Some((at, indent, words.chars().take(40).collect()));
            }
            let closes = line.trim_start() == "}" || line.trim_end().ends_with(" }");
            if let Some((from, depth, head)) = open.clone()
                && closes
                && indent == depth
            {
                if at - from > FUNCTION_LINES_MAX {
                    told.push(format!("{name}:{}: {head}… has {} lines", from + 1, at - from));
                }
                open = None;
            }
        }
        told
    });
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[ig", "nore"),
    ];
    offenders(|name, text| {
        let lines = text.lines().enumerate();
        lines
            .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)))
            .map(|(at, line)| format!("{name}:{}: {}", at + 1, line.trim()))
            .collect()
    });
}

#[test]
fn modules_bear_their_own_names() {
    offenders(|name, _| {
        let file = name.rsplit('/').next().unwrap_or(name);
        if matches!(file, "mod.rs" | "utils.rs" | "util.rs" | "helpers.rs") {
            vec![name.to_owned()]
        } else {
            Vec::new()
        }
    });
}

#[test]
fn every_file_says_what_it_is_for() {
    offenders(|name, text| {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let says = first.starts_with("//!") || first.starts_with("#!");
        if says || is_test(name) {
            Vec::new()
        } else {
            vec![name.to_owned()]
        }
    });
}

#[test]
fn the_product_never_unwraps() {
    offenders(|name, text| {
        let unwraps = |line: &str| {
            let code = line.trim_start();
            !code.starts_with("//") && (code.contains(".unwrap()") || code.contains(".expect("))
        };
        let found: Vec<_> = product(text).filter(|(_, line)| unwraps(line)).collect();
        let lines = found.into_iter().filter(|_| !is_test(name));
        lines
            .map(|(at, line)| format!("{name}:{}: {}", at + 1, line.trim()))
            .collect()
    });
}

#[test]
fn imports_go_one_way() {
    let order = ["ledger", "replica", "store", "office", "net", "daemon", "console"];
    // The simulator drives the office through its doors, without a socket: it is no part of the product.
    let simulator = [("sim", ["net", "daemon", "console"].as_slice())];
    let laters = order.iter().enumerate().map(|(at, name)| (*name, &order[at + 1..]));
    for (name, laters) in laters.chain(simulator) {
        let manifest = root().join("crates").join(name).join("Cargo.toml");
        let Ok(text) = fs::read_to_string(manifest) else {
            continue;
        };
        let wanted = text.split("[dev-dependencies]").next().unwrap_or_default();
        for later in laters {
            let imports = wanted
                .lines()
                .any(|line| line.starts_with(&format!("{later}.")) || line.starts_with(&format!("{later} ")));
            assert!(!imports, "{name} imports {later}");
        }
        let automerge = wanted.lines().any(|line| line.starts_with("automerge"));
        assert!(!automerge || name == "ledger", "{name} imports automerge");
        assert!(!wanted.contains("sim."), "{name} imports the simulator");
    }
}

#[test]
fn planted_bugs_fit_the_code_as_it_stands() {
    let bugs = cunlian_tests::planted::bugs(&root()).expect("the lists");
    let told = cunlian_tests::planted::faults(&root(), &bugs);
    assert!(told.is_empty(), "\n{}\n", told.join("\n"));
}

#[test]
fn every_threat_and_fault_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("crates/sim/THREATS.md")).expect("the page");
    let all: Vec<(String, String)> = sources();
    let is_test_name = |word: &str| {
        word.matches('_').count() >= 3
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let exists = |name: &str| {
        let head = format!("fn {name}(");
        all.iter().any(|(_, text)| text.contains(&head))
    };
    let mut told = Vec::new();
    for line in page.lines() {
        let names: Vec<&str> = line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| is_test_name(word))
            .collect();
        told.extend(
            names
                .iter()
                .filter(|name| !exists(name))
                .map(|name| format!("no test {name}")),
        );
        let cells = line.matches(" | ").count();
        if line.starts_with("| ")
            && cells == 2
            && names.is_empty()
            && !line.contains("---")
            && !line.contains("| test |")
        {
            told.push(format!("no test is named: {line}"));
        }
    }
    assert!(told.is_empty(), "\n{}\n", told.join("\n"));
}
