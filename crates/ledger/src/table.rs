//! Tables that a county is set up from: tab-separated text with a header line, found by column name.

use std::collections::BTreeMap;

/// A county's table is some tens of kilobytes; a hundred times that is a mistake.
pub const TABLE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Rows of one table: a province's villages would still fit.
pub const TABLE_ROWS_MAX: usize = 20_000;
/// Characters of one cell.
pub const CELL_CHARS_MAX: usize = 2_000;

/// What is wrong with a table, and where. `line` counts from 1; 0 stands for the file as a whole.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("第 {line} 行：{reason}")]
pub struct TableError {
    pub line: u64,
    pub reason: String,
}

impl TableError {
    pub(crate) fn new(line: u64, reason: impl Into<String>) -> Self {
        Self {
            line,
            reason: reason.into(),
        }
    }
}

/// One row: its line and its cells in the order of the columns asked for.
pub(crate) struct Row<'a, const N: usize> {
    pub(crate) line: u64,
    pub(crate) cells: [&'a str; N],
}

/// Reads the named columns. Other columns are passed over; a byte-order mark, CRLF and empty lines are tolerated.
pub(crate) fn rows<'a, const N: usize>(text: &'a str, columns: [&str; N]) -> Result<Vec<Row<'a, N>>, TableError> {
    if text.len() > TABLE_BYTES_MAX {
        return Err(TableError::new(
            0,
            format!("文件超过 {} MB，请核对是否选错了文件", TABLE_BYTES_MAX >> 20),
        ));
    }
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut lines = (1u64..).zip(text.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)));
    let header = lines.next().map_or("", |(_, header)| header);
    let at = header_positions(header, columns)?;
    let width = at.iter().max().map_or(0, |last| last + 1);

    let mut rows = Vec::new();
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        let cells: Vec<&str> = text.split('\t').map(str::trim).collect();
        if cells.len() < width {
            let reason = format!(
                "只有 {} 列，应有 {width} 列：请补齐后重试（列之间用制表符分隔）",
                cells.len()
            );
            return Err(TableError::new(line, reason));
        }
        if cells.iter().any(|c| c.chars().count() > CELL_CHARS_MAX) {
            return Err(TableError::new(line, format!("单元格超过 {CELL_CHARS_MAX} 字，请缩短")));
        }
        if rows.len() == TABLE_ROWS_MAX {
            return Err(TableError::new(
                line,
                format!("超过 {TABLE_ROWS_MAX} 行，请核对是否选错了文件"),
            ));
        }
        rows.push(Row {
            line,
            cells: at.map(|i| cells[i]),
        });
    }
    if rows.is_empty() {
        return Err(TableError::new(0, "表里没有数据行，请核对文件"));
    }
    Ok(rows)
}

fn header_positions<const N: usize>(header: &str, columns: [&str; N]) -> Result<[usize; N], TableError> {
    let mut names = BTreeMap::new();
    for (at, name) in header.split('\t').enumerate() {
        if names.insert(name.trim(), at).is_some() {
            return Err(TableError::new(1, format!("表头里“{}”出现了两次，请改名", name.trim())));
        }
    }
    let mut at = [0; N];
    for (position, column) in at.iter_mut().zip(columns) {
        *position = *names
            .get(column)
            .ok_or_else(|| TableError::new(1, format!("表头缺少“{column}”这一列，请核对文件")))?;
    }
    Ok(at)
}
