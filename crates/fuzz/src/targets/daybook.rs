//! A day book out of somebody's spreadsheet, in whatever encoding.

use ledger::check::resident_id;
use ledger::daybook::{CELL_CHARS_MAX, COLUMNS, DayRow, DayState, RowError, parse, slices};

use super::{KIB, MIB};
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "daybook",
    promise: "each row is read or refused with its line and words; a row that was read is in order; cut into pieces or written anew \
              the book says the same",
    check,
    seeds,
    len_max: 2 * KIB,
    memory: (MIB, 256),
};

/// Pieces of so many rows.
const ROWS: usize = 2;
fn seeds() -> Vec<Vec<u8>> {
    let sample = include_str!("../../../ledger/data/daybook_sample.csv");
    let lines: Vec<&str> = sample.split_inclusive('\n').collect();
    let mut seeds: Vec<Vec<u8>> = lines[1..]
        .chunks(7)
        .step_by(9)
        .map(|rows| [&lines[..1], rows].concat().concat().into_bytes())
        .collect();
    let some = lines[..4].concat();
    seeds.push(["\u{FEFF}", &some.replace('\n', "\r\n")].concat().into_bytes());
    seeds.push(some.replace("\n", "\n\n").into_bytes());
    // "登记时间,村室" in GBK, as older spreadsheets save it.
    seeds.push(vec![
        0xB5, 0xC7, 0xBC, 0xC7, 0xCA, 0xB1, 0xBC, 0xE4, 0x2C, 0xB4, 0xE5, 0xCA, 0xD2,
    ]);
    seeds.push(
        [0xFF_u8, 0xFE]
            .into_iter()
            .chain(some.encode_utf16().flat_map(u16::to_le_bytes))
            .collect(),
    );
    let quoted = "\"2026-10-09 08:40\",511603102201,b23,\"张,三\",11010519491231002X,13800138000,\"一组\n二号\",办结,2026/10/9 9:7,5,\"说\"\"好\"\"\"\n";
    seeds.push([lines[0], quoted, quoted].concat().into_bytes());
    seeds
}

fn check(data: &[u8]) {
    let rows: Vec<Result<DayRow, RowError>> = parse(data).collect();
    let mut last = 0;
    for row in &rows {
        let line = match row {
            Ok(row) => {
                in_order(row);
                row.line
            }
            Err(error) => {
                assert!(!error.reason.is_empty(), "refused without words");
                error.line
            }
        };
        assert!(line >= last, "line {line} after line {last}");
        last = line;
    }
    if matches!(rows.as_slice(), [Err(RowError { line: 1, .. })]) {
        return;
    }
    in_pieces(data, &rows);
    written_anew(&rows);
}

fn in_order(row: &DayRow) {
    assert!(row.at.minute < 24 * 60, "a minute of no day");
    assert!(!row.matter.is_empty(), "no matter");
    assert_eq!(
        resident_id(&row.cert_no)
            .ok()
            .map(|id| id.number().to_owned())
            .as_deref(),
        Some(row.cert_no.as_str()),
        "an ID number"
    );
    assert_eq!(
        row.closed.is_some(),
        row.state == DayState::Closed,
        "closed without a time"
    );
    assert!(
        row.closed.is_none_or(|closed| closed >= row.at),
        "closed before it was opened"
    );
    assert!(
        row.rating.is_none_or(|rating| (1..=5).contains(&rating)),
        "a rating out of range"
    );
    for text in [&row.name, &row.address, &row.note] {
        assert!(text.chars().count() <= CELL_CHARS_MAX, "a cell too long");
    }
}

fn in_pieces(data: &[u8], rows: &[Result<DayRow, RowError>]) {
    let mut read = Vec::new();
    for piece in slices(data, ROWS) {
        for row in parse(&piece.bytes) {
            read.push(match row {
                Ok(row) => Ok(DayRow {
                    line: row.line + piece.lines_before,
                    ..row
                }),
                Err(error) => Err(RowError {
                    line: error.line + piece.lines_before,
                    ..error
                }),
            });
        }
    }
    assert!(read == rows, "in pieces it reads differently: {read:?} is not {rows:?}");
}

/// The rows that were read, written by the csv crate's own writer.
fn written_anew(rows: &[Result<DayRow, RowError>]) {
    let good: Vec<&DayRow> = rows.iter().flatten().collect();
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut written = csv.write_record(COLUMNS).is_ok();
    for row in &good {
        let time = |at: ledger::daybook::DayMinute| format!("{} {:02}:{:02}", at.day, at.minute / 60, at.minute % 60);
        let cells = [
            time(row.at),
            row.unit.to_string(),
            row.matter.clone(),
            row.name.clone(),
            row.cert_no.clone(),
            row.mobile.clone().unwrap_or_default(),
            row.address.clone(),
            if row.state == DayState::Closed {
                "办结"
            } else {
                "收件"
            }
            .to_owned(),
            row.closed.map(time).unwrap_or_default(),
            row.rating.map(|rating| rating.to_string()).unwrap_or_default(),
            row.note.clone(),
        ];
        written &= csv.write_record(&cells).is_ok();
    }
    assert!(written, "rows that were read cannot be written");
    let bytes = csv.into_inner().unwrap_or_default();
    let again: Vec<_> = parse(&bytes).collect();
    assert_eq!(again.len(), good.len(), "rows were lost");
    for (row, again) in good.iter().zip(&again) {
        let key = again.as_ref().ok().map(|again| again.import_key);
        assert_eq!(
            key,
            Some(row.import_key),
            "a row written anew is another row: {row:?}, {again:?}"
        );
    }
}
