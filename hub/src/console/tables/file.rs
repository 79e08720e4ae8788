//! Files as people send them: tabs, commas, or the first sheet of a workbook, all read as one text.

use std::io::Cursor;

use axum::http::StatusCode;
use calamine::{Data, Reader, Xlsx};
use console::Problem;

use super::t;

/// A table of ours has a dozen columns; a sheet with more is another's.
const COLUMNS_MAX: usize = 64;

/// A file's text: tab- or comma-separated as it is, or the first sheet of a workbook.
pub(in crate::console) fn text_of(bytes: &[u8]) -> Result<String, Problem> {
    let refused = |text: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, text);
    if bytes.starts_with(b"PK\x03\x04") {
        return sheet(bytes).ok_or_else(|| refused(t::NO_SHEET));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused(t::NOT_UTF8))?;
    // A table exported as CSV has no tab in its header; ours has no comma in it.
    let header = text.lines().next().unwrap_or_default();
    match header.contains('\t') || !header.contains(',') {
        true => Ok(text.to_owned()),
        false => from_csv(text).ok_or_else(|| refused(t::BAD_CSV)),
    }
}

/// Lines under a header with tabs between.
fn from_csv(text: &str) -> Option<String> {
    let mut out = String::new();
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    for record in reader.records() {
        let record = record.ok()?;
        let cells: Vec<String> = record.iter().map(one_line).collect();
        out.push_str(&cells.join("\t"));
        out.push('\n');
    }
    Some(out)
}

fn sheet(bytes: &[u8]) -> Option<String> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).ok()?;
    let range = book.worksheet_range_at(0)?.ok()?;
    if range.width() > COLUMNS_MAX || range.height() > ledger::table::TABLE_ROWS_MAX {
        return None;
    }
    let mut out = String::new();
    // The header says how many columns there are: below it an empty cell is a cell, and beyond it nothing is.
    let mut columns = 0;
    for row in range.rows() {
        let mut cells: Vec<String> = row.iter().map(cell).collect();
        let filled = cells
            .iter()
            .rposition(|cell| !cell.is_empty())
            .map_or(0, |last| last + 1);
        columns = if columns == 0 { filled } else { columns };
        cells.truncate(if filled == 0 { 0 } else { filled.max(columns) });
        out.push_str(&cells.join("\t"));
        out.push('\n');
    }
    Some(out)
}

/// A cell as text. Codes that a spreadsheet has turned into numbers are written out whole.
fn cell(cell: &Data) -> String {
    match cell {
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Data::DateTime(at) => {
            let days = at.as_f64().floor();
            // Day 1 of the spreadsheet's calendar is 1900-01-01, and it believes in a 29th of February of that year.
            let epoch = ledger::day::Day::from_ymd(1899, 12, 30);
            epoch.map(|day| day.plus(days as i32).to_string()).unwrap_or_default()
        }
        other => one_line(&other.to_string()),
    }
}

fn one_line(text: &str) -> String {
    text.split(['\n', '\r', '\t'])
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_as_tabs_as_commas_or_as_a_workbook_and_says_the_same() {
        let tabs = "date\tkind\n2027-01-01\toff\n";
        assert_eq!(text_of(tabs.as_bytes()).unwrap(), tabs);
        assert_eq!(
            text_of("\u{FEFF}date,kind\r\n\"2027-01-01\",off\r\n".as_bytes()).unwrap(),
            tabs
        );
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, cells) in [["date", "kind"], ["2027-01-01", "off"]].iter().enumerate() {
            for (column, text) in cells.iter().enumerate() {
                sheet.write(row as u32, column as u16, *text).unwrap();
            }
        }
        // A code that the spreadsheet took for a number is whole again.
        sheet.write(2, 0, 511_603_102_201.0).unwrap();
        let bytes = book.save_to_buffer().unwrap();
        assert_eq!(text_of(&bytes).unwrap(), format!("{tabs}511603102201\t\n"));
        for wrong in [&b"PK\x03\x04 not a book"[..], &[0xb0, 0xa1, 0xff]] {
            assert!(text_of(wrong).is_err());
        }
    }
}
