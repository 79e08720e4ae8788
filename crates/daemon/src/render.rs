//! Results as short Chinese tables, columns aligned by what characters take on a screen.

mod case;

use ledger::day::Day;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use crate::words;

/// A cell longer than this is cut: a table must stay a table.
const CELL_WIDTH_MAX: usize = 40;
/// Milliseconds that UTC+8 is ahead of UTC.
const CHINA_AHEAD_MS: i64 = 8 * 3_600_000;

/// Rejected rows shown on the screen; `--json` has them all.
const REJECTED_SHOWN: usize = 40;
/// Labels take this much: seven characters.
const LABEL_WIDTH: usize = 14;

/// How the result of one command is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    /// Keys and values, tables for what is listed.
    Plain,
    /// A list, these columns first and alone.
    Table(&'static [&'static str]),
    /// The number that a clerk writes on the paper.
    CaseNew,
    /// What was done to a case.
    CaseDone,
    /// One case in full.
    CaseShow,
    /// Counts, then the rejected rows.
    Import,
    /// The ticket alone, to be copied.
    Ticket,
    /// Whether everything is sound; exit 1 if not.
    Verify,
}

impl View {
    /// How the process ends after this result.
    pub fn exit(self, value: &Value) -> u8 {
        match self {
            View::Verify => u8::from(value.get("clean") != Some(&Value::Bool(true))),
            _ => 0,
        }
    }
}

/// The result as text.
pub fn text(view: View, value: &Value) -> String {
    match view {
        View::Plain => plain(value),
        View::Table(columns) => match value.as_array() {
            Some(rows) if rows.is_empty() => "（没有）\n".to_owned(),
            Some(rows) => table(rows, &columns.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>()),
            None => plain(value),
        },
        View::CaseNew | View::CaseDone => case::done(view, value),
        View::CaseShow => case::show(value),
        View::Import => import(value),
        View::Ticket => value
            .get("ticket")
            .and_then(Value::as_str)
            .map_or_else(|| plain(value), |t| format!("{t}\n")),
        View::Verify => {
            let verdict = match view.exit(value) {
                0 => "核验通过，没有发现问题。",
                _ => "核验发现问题，见下；请保留整个数据文件夹并联系管理员。",
            };
            format!("{verdict}\n{}", plain(value))
        }
    }
}

fn import(value: &Value) -> String {
    let count = |key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
    let rejected = value
        .get("rejected")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let mut out = format!(
        "新登记 {} 件，已有 {} 件，未收 {} 行。\n",
        count("imported"),
        count("unchanged"),
        rejected.len()
    );
    if !rejected.is_empty() {
        for row in rejected.iter().take(REJECTED_SHOWN) {
            let shown = |key: &str| cell(key, row.get(key).unwrap_or(&Value::Null));
            out.push_str(&format!("第 {} 行：{}\n", shown("line"), shown("reason")));
        }
        if rejected.len() > REJECTED_SHOWN {
            out.push_str(&format!(
                "……另有 {} 行，加 --json 可看全部。\n",
                rejected.len() - REJECTED_SHOWN
            ));
        }
        out.push_str("改正这些行后，把整个文件再导入一次即可，已登记的不会重复。\n");
    }
    out
}

fn plain(value: &Value) -> String {
    match value {
        Value::Object(map) => object(map),
        Value::Array(rows) if rows.is_empty() => "（没有）\n".to_owned(),
        Value::Array(rows) => list("", rows),
        other => format!("{}\n", cell("", other)),
    }
}

/// Simple values first as `label value`, then each list and nested object under its label.
fn object(map: &Map<String, Value>) -> String {
    let simple: Vec<_> = map.iter().filter(|(_, v)| !v.is_object() && !v.is_array()).collect();
    let width = simple.iter().map(|(k, _)| words::label(k).width()).max().unwrap_or(0);
    let mut out = String::new();
    for (key, value) in simple {
        if !value.is_null() {
            out.push_str(&format!("{}  {}\n", pad(words::label(key), width), cell(key, value)));
        }
    }
    for (key, value) in map {
        match value {
            Value::Array(rows) if rows.is_empty() => {}
            Value::Array(rows) => out.push_str(&format!("\n{}\n{}", words::label(key), list(key, rows))),
            Value::Object(inner) if inner.values().all(|v| !v.is_object() && !v.is_array()) => {
                let parts: Vec<String> = inner
                    .iter()
                    .filter(|(_, v)| !v.is_null())
                    .map(|(k, v)| format!("{} {}", words::label(k), cell(k, v)))
                    .collect();
                if !parts.is_empty() {
                    out.push_str(&format!("{}  {}\n", pad(words::label(key), width), parts.join("，")));
                }
            }
            Value::Object(inner) => out.push_str(&format!("\n{}\n{}", words::label(key), indent(&object(inner)))),
            _ => {}
        }
    }
    out
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn list(key: &str, rows: &[Value]) -> String {
    if rows.iter().all(Value::is_object) {
        table(rows, &columns(rows))
    } else {
        rows.iter().map(|row| format!("{}\n", cell(key, row))).collect()
    }
}

/// Every key that has something to show in some row, in the order of appearance.
fn columns(rows: &[Value]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for (key, value) in rows.iter().filter_map(Value::as_object).flatten() {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !empty && !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    columns
}

fn table(rows: &[Value], columns: &[String]) -> String {
    let head: Vec<String> = columns.iter().map(|c| words::label(c).to_owned()).collect();
    let body: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            columns
                .iter()
                .map(|c| cut(&cell(c, row.get(c).unwrap_or(&Value::Null))))
                .collect()
        })
        .collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|i| {
            body.iter()
                .map(|row| row[i].width())
                .chain([head[i].width()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in std::iter::once(&head).chain(&body) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(text, width)| pad(text, *width)).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

fn pad_label(text: &str) -> String {
    pad(text, LABEL_WIDTH)
}

fn cut(text: &str) -> String {
    if text.width() <= CELL_WIDTH_MAX {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + 2 > CELL_WIDTH_MAX {
            break;
        }
        out.push(c);
    }
    out + "…"
}

/// One value on one line.
fn cell(key: &str, value: &Value) -> String {
    match value {
        Value::Null => "—".to_owned(),
        Value::Bool(true) => "是".to_owned(),
        Value::Bool(false) => "否".to_owned(),
        Value::Number(n) => number(key, n),
        Value::String(text) if is_id(key, text) => text[..12].to_owned(),
        Value::String(text) => words::value(key, text).map_or_else(|| text.clone(), str::to_owned),
        Value::Array(all) => all.iter().map(|v| cell(key, v)).collect::<Vec<_>>().join("，"),
        Value::Object(map) => map
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| format!("{} {}", words::label(k), cell(k, v)))
            .collect::<Vec<_>>()
            .join("，"),
    }
}

/// Long hexadecimal ids are told apart by their beginning; `--json` has them whole.
fn is_id(key: &str, text: &str) -> bool {
    !matches!(key, "ticket") && text.len() >= 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn number(key: &str, n: &serde_json::Number) -> String {
    let Some(value) = n.as_i64() else { return n.to_string() };
    match key {
        "as_of" | "at_ms" | "wall_ms" | "expires_ms" | "since_ms" | "as_of_ms" => moment(value),
        "bytes" | "disk_free_bytes" => bytes(value),
        _ if key.ends_with("_s") => span(value),
        _ => value.to_string(),
    }
}

/// UTC milliseconds as a clock on the wall shows them.
fn moment(wall_ms: i64) -> String {
    let day = Day::of_wall_ms(wall_ms);
    let minute = (wall_ms + CHINA_AHEAD_MS).rem_euclid(86_400_000) / 60_000;
    format!("{day} {:02}:{:02}", minute / 60, minute % 60)
}

fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} 秒"),
        60..3_600 => format!("{} 分钟", seconds / 60),
        3_600..172_800 => format!("{} 小时", seconds / 3_600),
        _ => format!("{} 天", seconds / 86_400),
    }
}

fn bytes(n: i64) -> String {
    match n {
        ..10_240 => format!("{n} B"),
        10_240..10_485_760 => format!("{} KB", n >> 10),
        10_485_760..10_737_418_240 => format!("{} MB", n >> 20),
        _ => format!("{} GB", n >> 30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_stand_under_each_other_in_chinese_too() {
        let rows = json!([
            {"project_no": "51160300112628200127", "matter": "B23", "state": "received", "receipt": "county"},
            {"project_no": "1", "matter": "社会保险", "state": "processing", "receipt": "room"},
        ]);
        let shown = text(View::Table(&["project_no", "matter", "state", "receipt"]), &rows);
        let expected = "\
办件编号              事项      状态    层级
51160300112628200127  B23       已收件  县
1                     社会保险  办理中  村室
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_import_says_what_was_not_taken_and_what_to_do() {
        let value = json!({"imported": 2, "unchanged": 1, "rejected": [{"line": 7, "reason": "身份证号校验不对"}]});
        let shown = text(View::Import, &value);
        assert!(shown.starts_with("新登记 2 件，已有 1 件，未收 1 行。\n"), "{shown}");
        assert!(shown.contains("第 7 行：身份证号校验不对"), "{shown}");
    }

    #[test]
    fn a_folder_that_is_not_sound_ends_with_one() {
        assert_eq!(View::Verify.exit(&json!({"clean": false})), 1);
        assert_eq!(View::Verify.exit(&json!({})), 1);
        assert_eq!(View::Verify.exit(&json!({"clean": true})), 0);
    }

    #[test]
    fn spans_and_moments_are_said_as_people_say_them() {
        assert_eq!(span(5), "5 秒");
        assert_eq!(span(7_200), "2 小时");
        assert_eq!(moment(0), "1970-01-01 08:00");
    }
}
