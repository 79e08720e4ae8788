//! A table as a file: CSV and xlsx, where every cell is text and stays text, whatever a spreadsheet would like to make of it.

use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde::Deserialize;

use super::texts as t;

/// A cell of xlsx holds 32,767 characters.
const CELL_CHARS_MAX: usize = 32_000;
/// From so many digits on a spreadsheet rounds what it takes for a number.
const DIGITS_SAFE: usize = 11;

/// The month's cases as the office gives them.
#[derive(Deserialize)]
pub(super) struct Table {
    pub(super) month: String,
    unit_name: String,
    pub(super) masked: bool,
    as_of: String,
    behind: u64,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// CSV in UTF-8 with its mark, as Chinese spreadsheets expect it.
///
/// A cell that a spreadsheet would take for a formula, in half or full width, begins with an apostrophe; a long number with a tab, which spreadsheets show as
/// text and our own import trims.
pub(super) fn csv(table: &Table) -> Vec<u8> {
    let mut out = String::from('\u{FEFF}');
    for row in std::iter::once(&table.columns).chain(&table.rows) {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out.into_bytes()
}

fn quoted(cell: &str) -> String {
    let digits = cell.len() > DIGITS_SAFE && cell.bytes().all(|b| b.is_ascii_digit());
    let mark = match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r' | '\n') => "'",
        _ if digits => "\t",
        _ => "",
    };
    format!("\"{mark}{}\"", cell.replace('"', "\"\""))
}

/// One sheet with the table, one that says what it is and as of when.
pub(super) fn xlsx(table: &Table) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // "@": text, so that no later edit of the cell turns a number round either.
    let (text, head) = (
        Format::new().set_num_format("@"),
        Format::new().set_num_format("@").set_bold(),
    );
    let sheet = book.add_worksheet();
    sheet.set_name(t::ledger_sheet(&table.month))?;
    sheet.set_freeze_panes(1, 0)?;
    for (at, row) in std::iter::once(&table.columns).chain(&table.rows).enumerate() {
        let format = if at == 0 { &head } else { &text };
        let line = u32::try_from(at).unwrap_or(u32::MAX);
        for (column, cell) in (0_u16..).zip(row) {
            let cell: String = cell.chars().take(CELL_CHARS_MAX).collect();
            sheet.write_string_with_format(line, column, cell, format)?;
        }
    }
    for (column, name) in (0_u16..).zip(&table.columns) {
        let longest = table.rows.iter().filter_map(|row| row.get(usize::from(column)));
        let wide = |text: &String| text.chars().map(|c| if c.is_ascii() { 1.0 } else { 2.0 }).sum::<f64>();
        let width = longest.map(wide).fold(wide(name), f64::max);
        sheet.set_column_width(column, (width + 2.0).min(40.0))?;
    }
    let about = book.add_worksheet();
    about.set_name(t::LEDGER_ABOUT)?;
    about.set_column_width(0, 80)?;
    for (line, text) in (0_u32..).zip(said(table)) {
        about.write_string(line, 0, text)?;
    }
    book.save_to_buffer()
}

/// What the table is, and as of when.
fn said(table: &Table) -> Vec<String> {
    vec![
        t::ledger_title(&table.unit_name, &table.month),
        t::ledger_as_of(&table.as_of, table.rows.len(), table.behind),
        t::ledger_kind(table.masked).to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const COLUMNS: [&str; 12] = [
        "编号",
        "登记时间",
        "村室代码",
        "事项编码",
        "申请人",
        "证件号码",
        "手机",
        "住址",
        "办理",
        "办结时间",
        "评价",
        "备注",
    ];

    fn table(note: &str) -> Table {
        let row = [
            "51160300112628200011",
            "2026-10-09 08:40",
            "511603102201",
            "B23",
            "张三",
            "110101199003070038",
            "13800138000",
            "高河村3组",
            "收件",
            "",
            "",
            note,
        ];
        Table {
            month: "2026-10".to_owned(),
            unit_name: "高河村".to_owned(),
            masked: false,
            as_of: "2026-10-31 17:00:00".to_owned(),
            behind: 12,
            columns: COLUMNS.map(str::to_owned).to_vec(),
            rows: vec![row.map(str::to_owned).to_vec()],
        }
    }

    #[test]
    fn what_is_handed_out_as_csv_can_be_read_in_again() {
        let bytes = csv(&table("“引号”\"和,逗号"));
        let rows: Vec<_> = ledger::daybook::parse(&bytes).collect();
        let row = rows[0].as_ref().unwrap();
        assert_eq!(
            (rows.len(), row.cert_no.as_str(), row.name.as_str()),
            (1, "110101199003070038", "张三")
        );
        assert_eq!(row.mobile.as_deref(), Some("13800138000"));
        assert_eq!(row.note, "“引号”\"和,逗号");
    }

    #[test]
    fn no_cell_begins_as_a_formula_and_long_numbers_stay_text() {
        for note in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1+1",
            "＋1",
            "－1",
            "＠SUM(A1)",
            "=HYPERLINK(\"http://evil\")",
        ] {
            let text = String::from_utf8(csv(&table(note))).unwrap();
            assert!(text.contains(&format!("\"'{}\"", note.replace('"', "\"\""))), "{text}");
        }
        let text = String::from_utf8(csv(&table(""))).unwrap();
        assert!(
            text.starts_with('\u{FEFF}') && text.contains("\"\t110101199003070038\""),
            "{text}"
        );
        assert!(text.contains("\"13800138000\""), "{text}");
    }

    /// A file of a zip, inflated.
    fn unzipped(zip: &[u8], name: &str) -> String {
        let word = |at: usize, n: usize| {
            zip[at..at + n]
                .iter()
                .rev()
                .fold(0_usize, |all, b| all << 8 | usize::from(*b))
        };
        // The end record, then the directory: a local header need not know its own length.
        let end = (0..zip.len() - 4)
            .rfind(|at| zip[*at..].starts_with(b"PK\x05\x06"))
            .unwrap();
        let mut at = word(end + 16, 4);
        while zip[at..].starts_with(b"PK\x01\x02") {
            let (packed, names) = (word(at + 20, 4), word(at + 28, 2));
            if &zip[at + 46..at + 46 + names] == name.as_bytes() {
                let local = word(at + 42, 4);
                let data = local + 30 + word(local + 26, 2) + word(local + 28, 2);
                let mut text = String::new();
                flate2::read::DeflateDecoder::new(&zip[data..data + packed])
                    .read_to_string(&mut text)
                    .unwrap();
                return text;
            }
            at += 46 + names + word(at + 30, 2) + word(at + 32, 2);
        }
        panic!("no {name}");
    }

    #[test]
    fn a_workbook_holds_text_and_no_formula() {
        let bytes = xlsx(&table("=HYPERLINK(\"http://evil\")")).unwrap();
        let strings = unzipped(&bytes, "xl/sharedStrings.xml");
        assert!(
            strings.contains("110101199003070038") && strings.contains("=HYPERLINK"),
            "{strings}"
        );
        let sheet = unzipped(&bytes, "xl/worksheets/sheet1.xml");
        assert!(!sheet.contains("<f>"), "{sheet}");
        // Every cell with something in it refers to a string.
        let cells = sheet.matches("<v>").count();
        assert_eq!((cells, sheet.matches("t=\"s\"").count()), (cells, cells));
        assert!(cells > 20, "{sheet}");
        assert!(strings.contains("其中 12 件还没有到乡镇"), "{strings}");
    }
}
