//! The live table: one row per room, redrawn in place on a terminal, printed when it changes elsewhere.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use unicode_width::UnicodeWidthStr;

/// What is known of one room; `None` where a place could not be asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Row {
    pub(crate) number: usize,
    pub(crate) name: String,
    /// What lies between the room and the county just now: 通, 断, 乡镇停机.
    pub(crate) line: &'static str,
    pub(crate) recorded: Option<u64>,
    pub(crate) at_township: Option<u64>,
    pub(crate) at_county: Option<u64>,
    pub(crate) conflicts: Option<u64>,
    /// Whether all three tiers hold the same book, by digest.
    pub(crate) in_step: bool,
}

/// Draws rows under a title.
pub(crate) struct Board {
    live: bool,
    /// Lines drawn last, which the next drawing replaces.
    drawn: usize,
    last: Vec<Row>,
    /// Lines typed since the last drawing: each moved everything up by one.
    typed: Arc<AtomicUsize>,
}

impl Board {
    /// Redraws in place when standard output is a terminal.
    pub(crate) fn new() -> Self {
        Self {
            live: io::stdout().is_terminal(),
            drawn: 0,
            last: Vec::new(),
            typed: Arc::default(),
        }
    }

    /// A line of the story; the table is drawn anew below it.
    pub(crate) fn say(&mut self, text: &str) {
        println!("{text}");
        self.drawn = 0;
    }

    /// Shows the rows. Elsewhere than on a terminal only when something changed.
    pub(crate) fn draw(&mut self, title: &str, rows: &[Row]) {
        if !self.live && rows == self.last {
            return;
        }
        let lines = table(title, rows);
        let typed = self.typed.swap(0, Ordering::Relaxed);
        if self.drawn > 0 {
            self.drawn += typed;
        }
        let mut out = io::stdout().lock();
        let mut text = String::new();
        if self.live && self.drawn > 0 {
            // Save the cursor, go up over the old table and wipe as we go: what is typed below stays as it is.
            text.push_str(&format!("\x1b7\x1b[{}A\r", self.drawn));
        }
        for line in &lines {
            text.push_str(line);
            text.push_str(if self.live { "\x1b[K\n" } else { "\n" });
        }
        if self.live && self.drawn > 0 {
            text.push_str("\x1b8");
        }
        // A closed terminal is no reason to fail: the county goes on.
        drop(out.write_all(text.as_bytes()));
        drop(out.flush());
        self.drawn = lines.len();
        self.last = rows.to_vec();
    }

    /// Where the keyboard counts the lines that it heard.
    pub(crate) fn typed(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.typed)
    }

    /// The next drawing begins a new table below what is on the screen.
    pub(crate) fn leave(&mut self) {
        self.drawn = 0;
        self.last.clear();
    }
}

/// Widths of the columns, in cells of the terminal.
const COLUMNS: [(&str, usize); 7] = [
    ("", 3),
    ("村室", 22),
    ("线路", 10),
    ("已记录", 8),
    ("到乡镇", 8),
    ("到县", 8),
    ("冲突", 6),
];

fn table(title: &str, rows: &[Row]) -> Vec<String> {
    let mut lines = vec![title.to_owned()];
    let header: Vec<String> = COLUMNS.iter().map(|(name, width)| pad(name, *width)).collect();
    lines.push(header.join(""));
    let number = |value: Option<u64>| value.map_or("—".to_owned(), |n| n.to_string());
    for row in rows {
        let cells = [
            row.number.to_string(),
            row.name.clone(),
            row.line.to_owned(),
            number(row.recorded),
            number(row.at_township),
            number(row.at_county),
            number(row.conflicts),
        ];
        let padded: Vec<String> = cells
            .iter()
            .zip(COLUMNS)
            .map(|(cell, (_, width))| pad(cell, width))
            .collect();
        lines.push(format!("{}{}", padded.join(""), if row.in_step { "一致" } else { "…" }));
    }
    lines
}

/// Fills up with spaces, or cuts, to a width in terminal cells: a Chinese character takes two.
fn pad(text: &str, width: usize) -> String {
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if kept.width() >= width {
            kept.pop();
            break;
        }
    }
    let filled = width.saturating_sub(kept.width());
    kept.extend(std::iter::repeat_n(' ', filled));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_equally_wide() {
        let row = Row {
            number: 3,
            name: "观音阁社区居委会便民服务室".to_owned(),
            line: "通",
            recorded: Some(109),
            in_step: true,
            ..Row::default()
        };
        let lines = table(
            "标题",
            &[
                row.clone(),
                Row {
                    name: "村".to_owned(),
                    ..row
                },
            ],
        );
        let width = |line: &str| line.trim_end_matches("一致").width();
        assert_eq!(width(&lines[2]), width(&lines[3]));
        assert_eq!(width(&lines[1]), width(&lines[2]));
    }
}
