//! The day book (登记簿) that rooms keep in a spreadsheet: CSV with a header line.
//!
//! Reading is syntax only. Whether the unit is this room and the matter is in the catalogue is for the caller to say.

use csv::{ReaderBuilder, StringRecord, Trim};
use sha2::{Digest, Sha256};

use crate::check;
use crate::day::Day;
use crate::id::{Hash, UnitCode};

/// Ten years of a busy room.
pub const DAYBOOK_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Rows of one file.
pub const DAYBOOK_ROWS_MAX: usize = 100_000;
/// Characters of one cell.
pub const CELL_CHARS_MAX: usize = 2_000;

/// The columns of a day book as its first line names them.
pub const COLUMNS: [&str; 11] = [
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

/// A day and the minute within it, as written on paper (UTC+8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DayMinute {
    pub day: Day,
    /// 0 to 1439.
    pub minute: u16,
}

/// How far the case had come when the row was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DayState {
    /// 收件
    Received,
    /// 办结
    Closed,
}

/// One row that can be recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct DayRow {
    /// Counts from 1; the header is line 1.
    pub line: u64,
    pub at: DayMinute,
    pub unit: UnitCode,
    pub matter: String,
    /// Empty when the row has none: the ID number says who it is, so the row is taken, with a remark.
    pub name: String,
    /// Eighteen half-width characters whose check character is right.
    pub cert_no: String,
    /// As typed when it is not a phone number; `remarks` says so then.
    pub mobile: Option<String>,
    /// Empty when the row has none.
    pub address: String,
    pub state: DayState,
    /// Set when `state` is closed.
    pub closed: Option<DayMinute>,
    /// 1 best … 5 worst.
    pub rating: Option<u8>,
    pub note: String,
    /// What was odd and taken all the same, in Chinese.
    pub remarks: Vec<String>,
    /// Hash of the row as it was understood: the same row has the same key in every file. It covers personal values of little
    /// entropy, so it is not to be stored as it is: pass it through the book's keyed token first.
    pub import_key: Hash,
}

impl std::fmt::Debug for DayRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "DayRow(line {}, {}, {}, {})",
            self.line, self.at.day, self.unit, self.matter
        )
    }
}

/// Why a row, or with line 1 the whole file, is not recorded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("第 {line} 行：{reason}")]
pub struct RowError {
    /// Counts from 1; the header is line 1.
    pub line: u64,
    pub reason: String,
}

impl RowError {
    fn new(line: u64, reason: impl Into<String>) -> Self {
        Self {
            line,
            reason: reason.into(),
        }
    }
}

/// Reads a day book row by row. A byte-order mark, CRLF, any order of columns and empty lines are tolerated. A file that cannot be
/// read at all (encoding, size, header) gives one error and ends.
pub fn parse(bytes: &[u8]) -> impl Iterator<Item = Result<DayRow, RowError>> + '_ {
    match open(bytes) {
        Ok(rows) => Rows::Open(Box::new(rows)),
        Err(error) => Rows::Refused(Some(error)),
    }
}

/// A piece of a day book which reads like a day book of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slice {
    /// The header and some rows.
    pub bytes: Vec<u8>,
    /// To be added to the line numbers of what is read out of it.
    pub lines_before: u64,
}

/// Cuts a day book into pieces of at most `rows` rows, so that nobody has to wait until the whole of it is read. One that cannot be
/// read at all, or is too long, comes in one piece: [`parse`] says why.
pub fn slices(bytes: &[u8], rows: usize) -> Vec<Slice> {
    let whole = || {
        vec![Slice {
            bytes: bytes.to_vec(),
            lines_before: 0,
        }]
    };
    let Ok(mut reader) = open(bytes) else { return whole() };
    let (csv, text) = (&mut reader.csv, reader.bytes);
    let place = |csv: &csv::Reader<&[u8]>| (csv.position().byte() as usize, csv.position().line());
    let (header, first_line) = place(csv);
    let (mut cut, mut cut_line, mut read) = (header, first_line, 0);
    let mut slices = Vec::new();
    let mut record = csv::ByteRecord::new();
    loop {
        let more = csv.read_byte_record(&mut record).unwrap_or(false);
        read += usize::from(more);
        let (at, line) = place(csv);
        if cut < at && (!more || read % rows.max(1) == 0) {
            slices.push(Slice {
                bytes: [&text[..header], &text[cut..at]].concat(),
                lines_before: cut_line - first_line,
            });
            (cut, cut_line) = (at, line);
        }
        if !more {
            break;
        }
    }
    if slices.is_empty() || read > DAYBOOK_ROWS_MAX {
        return whole();
    }
    slices
}

enum Rows<'a> {
    Refused(Option<RowError>),
    Open(Box<Reader<'a>>),
}

struct Reader<'a> {
    bytes: &'a [u8],
    csv: csv::Reader<&'a [u8]>,
    /// Where each of [`COLUMNS`] is.
    at: [usize; 11],
    read: usize,
    done: bool,
}

impl Iterator for Rows<'_> {
    type Item = Result<DayRow, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Rows::Refused(error) => error.take().map(Err),
            Rows::Open(reader) => reader.next_row(),
        }
    }
}

impl Reader<'_> {
    /// Line ends before the first cell: the csv reader begins a record at the empty lines before it.
    fn blank_lines_at(&self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX).min(self.bytes.len());
        let blank = self.bytes[from..].iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        blank.filter(|b| **b == b'\n').count() as u64
    }

    fn next_row(&mut self) -> Option<Result<DayRow, RowError>> {
        let mut record = StringRecord::new();
        while !self.done {
            let before = self.csv.position().line();
            match self.csv.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.done = error.is_io_error();
                    return Some(Err(RowError::new(before, "这一行读不出来，请检查引号是否成对")));
                }
            }
            let line = record
                .position()
                .map_or(before, |at| at.line() + self.blank_lines_at(at.byte()));
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            self.read += 1;
            if self.read > DAYBOOK_ROWS_MAX {
                self.done = true;
                return Some(Err(RowError::new(
                    line,
                    format!("超过 {DAYBOOK_ROWS_MAX} 行，请分成几个文件导入"),
                )));
            }
            return Some(row_of(line, &record, &self.at));
        }
        None
    }
}

fn open(bytes: &[u8]) -> Result<Reader<'_>, RowError> {
    if bytes.len() > DAYBOOK_BYTES_MAX {
        let reason = format!("文件超过 {} MB，请分成几个文件导入", DAYBOOK_BYTES_MAX >> 20);
        return Err(RowError::new(1, reason));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) || std::str::from_utf8(bytes).is_err() {
        let reason = "文件不是 UTF-8 编码（多半是 GB18030）：请在表格软件里另存为“CSV UTF-8（逗号分隔）”再导入";
        return Err(RowError::new(1, reason));
    }
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let mut csv = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(bytes);
    let mut header = StringRecord::new();
    if !matches!(csv.read_record(&mut header), Ok(true)) {
        return Err(RowError::new(1, "文件是空的，请核对是否选错了文件"));
    }
    let mut at = [0; 11];
    for (place, column) in at.iter_mut().zip(COLUMNS) {
        *place = header
            .iter()
            .position(|cell| cell == column)
            .ok_or_else(|| RowError::new(1, format!("表头缺少“{column}”这一列，请用登记簿模板导出后再导入")))?;
    }
    Ok(Reader {
        bytes,
        csv,
        at,
        read: 0,
        done: false,
    })
}

fn row_of(line: u64, record: &StringRecord, at: &[usize; 11]) -> Result<DayRow, RowError> {
    let fault = |reason: String| RowError::new(line, reason);
    let wanted = at.iter().max().map_or(0, |last| last + 1);
    if record.len() < wanted {
        return Err(fault(format!(
            "只有 {} 列，应有 {wanted} 列，请补齐这一行",
            record.len()
        )));
    }
    if record.len() > wanted && record.iter().skip(wanted).any(|cell| !cell.is_empty()) {
        return Err(fault(format!(
            "多出 {} 列，请检查内容里的逗号是否加了引号",
            record.len() - wanted
        )));
    }
    if record.iter().any(|cell| cell.chars().count() > CELL_CHARS_MAX) {
        return Err(fault(format!("单元格超过 {CELL_CHARS_MAX} 字，请缩短")));
    }
    let [
        at,
        unit,
        matter,
        name,
        cert_no,
        mobile,
        address,
        state,
        closed,
        rating,
        note,
    ] = at.map(|i| &record[i]);
    let mut remarks = Vec::new();
    let at = day_minute(at).ok_or_else(|| fault(format!("登记时间“{at}”有误，应写成 2026-10-09 08:40 的样子")))?;
    let unit = UnitCode::parse(&check::fold_width(unit))
        .ok_or_else(|| fault(format!("村室代码“{unit}”有误，应是 12 位数字")))?;
    let matter = check::fold_width(matter).trim().to_ascii_uppercase();
    if matter.is_empty() {
        return Err(fault("没有事项编码，请补上".to_owned()));
    }
    let cert_no = check::resident_id(cert_no)
        .map_err(|error| fault(error.to_string()))?
        .number()
        .to_owned();
    let name = name_of(name, &mut remarks);
    let mobile = mobile_of(mobile, &mut remarks);
    let (state, closed) = closing(at, state, closed, &mut remarks).map_err(fault)?;
    let rating = rating_of(rating, state, &mut remarks);
    let mut row = DayRow {
        line,
        at,
        unit,
        matter,
        name,
        cert_no,
        mobile,
        address: address.to_owned(),
        state,
        closed,
        rating,
        note: note.to_owned(),
        remarks,
        import_key: Hash::ZERO,
    };
    row.import_key = import_key(&row);
    Ok(row)
}

fn name_of(typed: &str, remarks: &mut Vec<String>) -> String {
    kept(typed, 100, check::name, remarks)
}

fn mobile_of(typed: &str, remarks: &mut Vec<String>) -> Option<String> {
    (!typed.is_empty()).then(|| kept(typed, 40, check::phone, remarks))
}

/// What a cell says in the form of its field; what has no such form is kept as it stands, with a remark. Read once more, the outcome
/// is the same: a row that is exported and imported again is known again.
fn kept(
    typed: &str,
    chars_max: usize,
    check: impl Fn(&str) -> Result<String, check::CheckError>,
    remarks: &mut Vec<String>,
) -> String {
    let clean: String = typed.chars().filter(|c| !c.is_control()).collect();
    check(&clean).unwrap_or_else(|error| {
        remarks.push(error.to_string());
        let cut: String = clean.trim().chars().take(chars_max).collect();
        let cut = cut.trim_end().to_owned();
        check(&cut).unwrap_or(cut)
    })
}

fn closing(
    at: DayMinute,
    state: &str,
    closed: &str,
    remarks: &mut Vec<String>,
) -> Result<(DayState, Option<DayMinute>), String> {
    match state {
        "收件" => {
            if !closed.is_empty() {
                remarks.push(format!("办理栏是“收件”，办结时间“{closed}”没有采用，请核对"));
            }
            Ok((DayState::Received, None))
        }
        "办结" if closed.is_empty() => {
            remarks.push("没有办结时间，按登记时间记，请核对".to_owned());
            Ok((DayState::Closed, Some(at)))
        }
        "办结" => {
            let end =
                day_minute(closed).ok_or_else(|| format!("办结时间“{closed}”有误，应写成 2026-10-09 09:07 的样子"))?;
            if end < at {
                return Err("办结时间早于登记时间，请核对".to_owned());
            }
            Ok((DayState::Closed, Some(end)))
        }
        _ => Err(format!("办理栏“{state}”有误，只能填收件或办结")),
    }
}

fn rating_of(typed: &str, state: DayState, remarks: &mut Vec<String>) -> Option<u8> {
    if typed.is_empty() {
        return None;
    }
    let rating = check::fold_width(typed)
        .trim()
        .parse()
        .ok()
        .filter(|rating| (1..=5).contains(rating));
    match (rating, state) {
        (Some(rating), DayState::Closed) => Some(rating),
        (Some(_), DayState::Received) => {
            remarks.push("还没办结就有评价，评价没有采用，请核对".to_owned());
            None
        }
        (None, _) => {
            remarks.push(format!("评价“{typed}”没有采用，应是 1（最好）到 5"));
            None
        }
    }
}

/// `2026-10-09 08:40`, also as spreadsheets rewrite it: slashes, one digit, seconds.
fn day_minute(text: &str) -> Option<DayMinute> {
    let text = check::fold_width(text).replace(['/', '.'], "-").replace('T', " ");
    let (date, time) = text.trim().split_once(' ')?;
    let mut parts = time.trim().split(':');
    let (hour, minute) = (two_digits(parts.next()?)?, two_digits(parts.next()?)?);
    let second = parts.next().map_or(Some(0), two_digits)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(DayMinute {
        day: Day::parse(date)?,
        minute: hour * 60 + minute,
    })
}

fn two_digits(text: &str) -> Option<u16> {
    if !(1..=2).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn import_key(row: &DayRow) -> Hash {
    let mut hash = Sha256::new_with_prefix(b"cunlian/daybook/1");
    let time = |at: &DayMinute| format!("{} {}", at.day, at.minute);
    let closed = row.closed.as_ref().map(time).unwrap_or_default();
    let rating = row.rating.map(|r| r.to_string()).unwrap_or_default();
    let state = if row.state == DayState::Closed {
        "closed"
    } else {
        "received"
    };
    let (at, unit) = (time(&row.at), row.unit.to_string());
    let mobile = row.mobile.as_deref().unwrap_or_default();
    let cells: [&str; 11] = [
        &at,
        &unit,
        &row.matter,
        &row.name,
        &row.cert_no,
        mobile,
        &row.address,
        state,
        &closed,
        &rating,
        &row.note,
    ];
    for cell in cells {
        // The length goes first, so that no two rows run together to the same bytes.
        hash.update((cell.len() as u64).to_be_bytes());
        hash.update(cell.as_bytes());
    }
    Hash(hash.finalize().into())
}
