//! Files as people send them: tabs, commas, or the first sheet of a workbook, all read as one text.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use axum::body::Bytes;
use axum::http::StatusCode;
use calamine::{Data, DataRef, Reader, Xlsx};
use console::Problem;
use ledger::table::{TABLE_BYTES_MAX, TABLE_ROWS_MAX};
use zip::ZipArchive;

use super::t;

/// A table of ours has a dozen columns; a sheet with more is another's.
const COLUMNS_MAX: usize = 64;
/// A workbook of so many rows with all its decoration has some 20 MB unpacked; zeros pack a thousand to one.
const UNPACKED_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A file's text: tab- or comma-separated as it is, or the first sheet of a workbook. Read beside the pages, which go on meanwhile.
pub(in crate::console) async fn text_of(bytes: Bytes) -> Result<String, Problem> {
    let read = tokio::task::spawn_blocking(move || read(&bytes)).await;
    // The reader of workbooks gives up on some broken ones with a panic.
    read.unwrap_or_else(|_| Err(t::NO_SHEET.to_owned()))
        .map_err(|why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why))
}

/// The text, or why there is none.
fn read(bytes: &[u8]) -> Result<String, String> {
    if bytes.starts_with(b"PK\x03\x04") {
        return sheet(bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| t::NOT_UTF8)?;
    // A table exported as CSV has no tab in its header; ours has no comma in it.
    let header = text.lines().next().unwrap_or_default();
    match header.contains('\t') || !header.contains(',') {
        true => Ok(text.to_owned()),
        false => from_csv(text).ok_or_else(|| t::BAD_CSV.to_owned()),
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

fn sheet(bytes: &[u8]) -> Result<String, String> {
    if !unpacks_small(bytes) {
        return Err(t::NO_SHEET.to_owned());
    }
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| t::NO_SHEET)?;
    let rows = filled_cells(&mut book)?;
    let left = rows.values().filter_map(|row| row.keys().next()).min();
    let (Some(&left), Some((&top, _)), Some((&last, _))) = (left, rows.first_key_value(), rows.last_key_value()) else {
        return Ok(String::new());
    };
    let mut out = String::new();
    // The header says how many columns there are: below it an empty cell is a cell, and beyond it nothing is.
    let mut columns = 0;
    for row in (top..=last).map(|number| rows.get(&number)) {
        let end = row.and_then(|row| row.keys().next_back()).map_or(left, |last| last + 1);
        columns = if columns == 0 { end } else { columns };
        if let Some(row) = row {
            let cells = (left..end.max(columns)).map(|column| row.get(&column).map_or("", String::as_str));
            out.push_str(&cells.collect::<Vec<_>>().join("\t"));
        }
        out.push('\n');
    }
    Ok(out)
}

/// Whether all that is packed in it stays small, whatever it says of itself: its reader takes each part whole.
fn unpacks_small(bytes: &[u8]) -> bool {
    let Ok(mut packed) = ZipArchive::new(Cursor::new(bytes)) else {
        return false;
    };
    let mut left = UNPACKED_BYTES_MAX;
    for part in 0..packed.len() {
        let Ok(part) = packed.by_index(part) else {
            return false;
        };
        match std::io::copy(&mut part.take(left), &mut std::io::sink()) {
            Ok(read) if read < left => left -= read,
            _ => return false,
        }
    }
    true
}

type Rows = BTreeMap<u32, BTreeMap<u32, String>>;

/// What stands in the first sheet, by row and column. A table has one block: a single cell far away from it would make an area of
/// billions, so it is refused when it is met.
fn filled_cells(book: &mut Xlsx<Cursor<&[u8]>>) -> Result<Rows, String> {
    let name = book.sheet_names().into_iter().next().ok_or(t::NO_SHEET)?;
    let mut cells = book.worksheet_cells_reader(&name).map_err(|_| t::NO_SHEET)?;
    let mut rows = Rows::new();
    // One shared text may stand in every cell.
    let mut text_bytes = 0;
    while let Some(found) = cells.next_cell().map_err(|_| t::NO_SHEET)? {
        let (row, column) = found.get_position();
        let text = cell(found.get_value());
        if text.is_empty() {
            continue;
        }
        // The header is none of the rows.
        if row as usize > TABLE_ROWS_MAX || column as usize >= COLUMNS_MAX {
            return Err(t::stray_cell(&name_of(row, column), TABLE_ROWS_MAX, COLUMNS_MAX));
        }
        text_bytes += text.len();
        if text_bytes > TABLE_BYTES_MAX {
            return Err(t::NO_SHEET.to_owned());
        }
        rows.entry(row).or_default().insert(column, text);
    }
    Ok(rows)
}

/// A cell as a spreadsheet names it: AB12.
fn name_of(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(column) + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    let letters: String = letters.iter().rev().collect();
    format!("{letters}{}", u64::from(row) + 1)
}

/// A cell as text. Codes that a spreadsheet has turned into numbers are written out whole.
fn cell(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        DataRef::DateTime(at) => {
            let days = at.as_f64().floor();
            // Day 1 of the spreadsheet's calendar is 1900-01-01, and it believes in a 29th of February of that year.
            let epoch = ledger::day::Day::from_ymd(1899, 12, 30);
            epoch.map(|day| day.plus(days as i32).to_string()).unwrap_or_default()
        }
        DataRef::SharedString(text) => one_line(text),
        other => one_line(&Data::from(other.clone()).to_string()),
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
    use std::fmt::Write as _;
    use std::io::Write as _;

    use rust_xlsxwriter::Workbook;

    use super::*;

    fn saved(mut book: Workbook) -> Vec<u8> {
        book.save_to_buffer().expect("a workbook")
    }

    #[test]
    fn a_table_comes_as_tabs_as_commas_or_as_a_workbook_and_says_the_same() {
        let tabs = "date\tkind\n2027-01-01\toff\n";
        assert_eq!(read(tabs.as_bytes()).unwrap(), tabs);
        assert_eq!(
            read("\u{FEFF}date,kind\r\n\"2027-01-01\",off\r\n".as_bytes()).unwrap(),
            tabs
        );
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        // It does not begin in the corner, and has an empty row.
        for (row, cells) in [(1, ["date", "kind"]), (2, ["2027-01-01", "off"])] {
            for (column, text) in (1..).zip(cells) {
                sheet.write(row, column, text).unwrap();
            }
        }
        // A code that the spreadsheet took for a number is whole again.
        sheet.write(4, 1, 511_603_102_201.0).unwrap();
        assert_eq!(read(&saved(book)).unwrap(), format!("{tabs}\n511603102201\t\n"));
        for wrong in [&b"PK\x03\x04 not a book"[..], &[0xb0, 0xa1, 0xff]] {
            assert!(read(wrong).is_err());
        }
    }

    #[test]
    fn a_cell_far_beyond_the_table_is_named_and_refused_before_room_is_made_for_what_lies_between() {
        let last = (TABLE_ROWS_MAX as u32, COLUMNS_MAX as u16 - 1);
        for (row, column, named) in [
            (1_048_575, 16_383, "XFD1048576"),
            (1_048_575, 0, "A1048576"),
            (0, last.1 + 1, "BM1"),
            (last.0 + 1, 0, "A20002"),
        ] {
            let mut book = Workbook::new();
            let sheet = book.add_worksheet();
            sheet.write(0, 0, "code").unwrap();
            sheet.write(row, column, "x").unwrap();
            let refused = read(&saved(book)).unwrap_err();
            assert!(refused.contains(named) && refused.contains("请删掉"), "{refused}");
        }
        // What is only painted is nothing, and the last cell of the largest table is one of it.
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write(0, 0, "code").unwrap();
        sheet.write(last.0, last.1, "x").unwrap();
        let bold = rust_xlsxwriter::Format::new().set_bold();
        sheet.write_blank(1_048_575, 16_383, &bold).unwrap();
        let text = read(&saved(book)).unwrap();
        assert_eq!(text.lines().count(), TABLE_ROWS_MAX + 1);
        assert!(text.ends_with("\tx\n"));
    }

    /// A workbook's parts, packed.
    fn packed(sheet: &str, strings: &str) -> Vec<u8> {
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let rels = "http://schemas.openxmlformats.org/package/2006/relationships";
        let book = format!(
            r#"<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>"#
        );
        let book_rels = format!(
            r#"<Relationships xmlns="{rels}"><Relationship Id="r1" Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#
        );
        let sheet = format!(r#"<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>"#);
        let strings = format!(r#"<sst xmlns="{main}">{strings}</sst>"#);
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in [
            ("xl/workbook.xml", &book),
            ("xl/_rels/workbook.xml.rels", &book_rels),
            ("xl/worksheets/sheet1.xml", &sheet),
            ("xl/sharedStrings.xml", &strings),
        ] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn a_small_file_that_unpacks_to_much_is_refused() {
        let cells = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#;
        assert_eq!(read(&packed(cells, "<si><t>code</t></si>")).unwrap(), "code\n");
        // Zeros, and one text that a thousand cells share.
        let zeros = packed(cells, &format!("<si><t>{}</t></si>", "0".repeat(40 << 20)));
        let mut sheet = String::new();
        for row in 1..=1000 {
            let _ = write!(sheet, r#"<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>"#);
        }
        let shared = packed(&sheet, &format!("<si><t>{}</t></si>", "x".repeat(64 << 10)));
        for small in [zeros, shared] {
            assert!(small.len() < 128 << 10, "{} bytes", small.len());
            assert_eq!(read(&small).unwrap_err(), t::NO_SHEET);
        }
    }

    #[tokio::test]
    async fn a_workbook_that_its_reader_panics_at_is_refused_in_words() {
        // A text that is not in its list.
        let cells = r#"<row r="1"><c r="A1" t="s"><v>7</v></c></row>"#;
        let refused = text_of(packed(cells, "<si><t>code</t></si>").into()).await;
        assert_eq!(refused.unwrap_err().text, t::NO_SHEET);
    }
}
