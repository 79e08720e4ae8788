//! Refusals of the office in the words of a page: what happened, and what to do next here. The command line has its own.

/// Words of the command line: what a clerk reads holds none of them.
const COMMANDS: [&str; 19] = [
    "--",
    "unlock",
    "passphrase",
    "reindex",
    "case ",
    "conflict ",
    "member ",
    "user ",
    "day ",
    "errand ",
    "invite",
    "join",
    "init",
    "audit ",
    "status",
    "quarantine",
    "verify",
    "cunlian-",
    ".toml",
];

/// Whether a text sends its reader to a command.
pub(crate) fn names_a_command(text: &str) -> bool {
    COMMANDS.iter().any(|word| text.contains(word))
}

/// A refusal as the desk says it.
pub(crate) fn refusal(code: &str, text: String) -> String {
    match said_here(code) {
        Some(here) => here.to_owned(),
        None if names_a_command(&text) => not_here(code),
        None => text,
    }
}

/// What no page asks for: should it come all the same, the township can tell by the code what it was.
fn not_here(code: &str) -> String {
    format!(
        "这一步没有办成（{code}）。请刷新本页再试一次；还是不行时，请到“有问题？”存检查文件，交给乡镇便民服务中心。"
    )
}

/// Where the office's own words name a command, its options, or the names of its programs.
fn said_here(code: &str) -> Option<&'static str> {
    Some(match code {
        "locked" => {
            "本室口令还没有输入，看不到也改不了个人信息。请点“锁屏”，重新登录时输入本室口令；收件和同步照常进行。"
        }
        "no_passphrase" => "本机还没有设口令。请由负责人在“岗位”页设置本室口令。",
        "future_date" => "日期不能晚于今天，请改正；若电脑日期不对，请先在电脑的“日期和时间”里校准。",
        "unplaced" | "not_set_up" => "这台电脑还没有加入村室，请联系乡镇便民服务中心开入网票，由技术人员加入后再用。",
        "erased" => "这一件的个人信息已按规定销毁，看不到也填不了。确需再办，请按新件登记。",
        "store" => {
            "没有保存成功，磁盘可能出了问题。请到“有问题？”看“磁盘空间”，重新启动程序后再试；显示过“已存本机”的都在。"
        }
        "unknown_number" => "没有这个编号的办件。请核对编号，或点“查找”按姓名、证件号码、电话找。",
        "unknown_event" | "wrong_event" => "这一步现在不能在本页办。请刷新本页，看“现在可以办”里有哪些。",
        "unknown_field" => "这一栏不能改。请刷新本页，在“修改登记内容”里选。",
        "unknown_state" => "没有这个状态。请在“状态”里另选一个再查找。",
        "hand_over" => "还没有选移交给哪个单位。请选好再按“移交”。",
        "correct_date" => "还没有写全：请选更正哪一步，填正确的日期和理由，再按一次。",
        "reason_needed" => "请写明理由，再按一次。理由会留在记录里，不要写姓名、证件号码。",
        "unknown_user" | "ambiguous_user" | "users_from_above" => {
            "人员由乡镇便民服务中心登记。请联系乡镇核对姓名，连上线路后再试。"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    /// Codes of commands that no page sends: founding, joining, members, people, decisions on conflicts.
    const NOT_AT_THE_DESK: [&str; 18] = [
        "bad_addr",
        "bad_conflict",
        "bad_device",
        "bad_divisions",
        "bad_expiry",
        "bad_name",
        "bad_reason",
        "bad_role",
        "bad_root_key",
        "bad_table",
        "needs_root_key",
        "not_below",
        "same_name",
        "unknown_conflict",
        "unknown_device",
        "unreachable",
        "wrong_root_key",
        "wrong_unit",
    ];

    fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                sources(&path, found);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                found.push(path);
            }
        }
    }

    /// The string literals of a piece of source, without what is put into them.
    fn literals(source: &str) -> Vec<String> {
        let bare = |text: &str| {
            let parts: Vec<&str> = text.split('{').map(|t| t.rsplit('}').next().unwrap_or(t)).collect();
            parts.join("_")
        };
        source.split('"').skip(1).step_by(2).map(bare).collect()
    }

    /// Every refusal that the office is written with: code and words.
    fn refusals() -> Vec<(String, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        sources(&root.join("crates/office/src"), &mut files);
        let mut all = Vec::new();
        for file in files {
            let source = std::fs::read_to_string(file).unwrap();
            for made in source.split("CommandError::").skip(1) {
                let call = made.strip_prefix("failed(").or(made.strip_prefix("usage("));
                // A call ends with its line's bracket; what comes after is somebody else's.
                let Some(call) = call.map(|c| c.split_once("\n}\n").map_or(c, |(call, _)| call)) else {
                    continue;
                };
                let call = call.split_once(");\n").map_or(call, |(call, _)| call);
                if let [code, words @ ..] = literals(call).as_slice() {
                    all.push((code.clone(), words.join("")));
                }
            }
        }
        all
    }

    #[test]
    fn no_refusal_that_a_page_may_meet_sends_the_clerk_to_a_command() {
        let all = refusals();
        assert!(all.len() > 80, "only {} refusals were found", all.len());
        let mut commands = 0;
        for (code, words) in &all {
            let said = refusal(code, words.clone());
            assert!(!names_a_command(&said), "{code}: {said}");
            if names_a_command(words) && !NOT_AT_THE_DESK.contains(&code.as_str()) {
                commands += 1;
                // Words of its own, not those of last resort.
                assert!(said_here(code).is_some(), "{code}: {words}");
            }
            if let Some(here) = said_here(code) {
                assert!(here.contains('请'), "{code} does not say what to do: {here}");
            }
        }
        assert!(commands >= 8, "the office's own words were not read: {commands}");
    }

    #[test]
    fn what_names_no_command_is_said_as_it_is() {
        let words = "手机：应是 11 位".to_owned();
        assert_eq!(refusal("bad_input", words.clone()), words);
        let strange = refusal("bad_reason", "请用 --reason 写明停用原因".to_owned());
        assert!(
            strange.contains("（bad_reason）") && !strange.contains("--"),
            "{strange}"
        );
    }

    #[test]
    fn the_desks_own_words_name_no_command_either() {
        let mut files = Vec::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        sources(&root.join("src/desk/texts"), &mut files);
        files.push(root.join("src/desk/texts.rs"));
        for file in files.iter().filter(|f| !f.ends_with("refusals.rs")) {
            let source = std::fs::read_to_string(file).unwrap();
            for words in literals(&source) {
                let chinese = words.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert!(!chinese || !names_a_command(&words), "{}: {words}", file.display());
            }
        }
    }
}
