//! Text on a screen: columns by what characters take there, moments, spans and sizes as people say them.

use ledger::day::Day;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Milliseconds that UTC+8 is ahead of UTC.
const CHINA_AHEAD_MS: i64 = 8 * 3_600_000;
/// Labels take this much: four characters and a gap.
const LABEL_WIDTH: usize = 10;

/// Whether standard output is a terminal, where a line may be greyed and a hint may follow what is to be copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    Terminal,
    Plain,
}

impl Ink {
    /// A line that does not count, faint where that can be shown; its words say so too.
    pub(super) fn faint(self, line: &str) -> String {
        match self {
            Self::Terminal => format!("\x1b[2m{line}\x1b[0m"),
            Self::Plain => line.to_owned(),
        }
    }
}

/// Rows under a head, each column as wide as its widest cell.
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<(Vec<String>, bool)>,
    indent: usize,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self {
            head: head.iter().map(|text| (*text).to_owned()).collect(),
            rows: Vec::new(),
            indent: 0,
        }
    }

    pub(super) fn indented(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    pub(super) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push((cells.into_iter().map(Into::into).collect(), false));
    }

    /// A row that does not count.
    pub(super) fn faint_row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push((cells.into_iter().map(Into::into).collect(), true));
    }

    /// Lines, each with its end. A column in which no row has anything is left out.
    pub(super) fn text(&self, ink: Ink) -> String {
        let columns = self.head.len();
        let cell = |row: &[String], i: usize| row.get(i).map_or("", String::as_str).to_owned();
        let used: Vec<usize> = (0..columns)
            .filter(|i| self.rows.iter().any(|(row, _)| !cell(row, *i).is_empty()))
            .collect();
        let width = |i: usize| {
            let cells = self.rows.iter().map(|(row, _)| cell(row, i).width());
            cells.chain([self.head[i].width()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = used.iter().map(|i| width(*i)).collect();
        let mut out = String::new();
        let mut put = |row: &[String], faint: bool| {
            let cells: Vec<String> = used.iter().zip(&widths).map(|(i, w)| pad(&cell(row, *i), *w)).collect();
            let line = format!("{}{}", " ".repeat(self.indent), cells.join("  "));
            let line = line.trim_end();
            out.push_str(&if faint { ink.faint(line) } else { line.to_owned() });
            out.push('\n');
        };
        if self.head.iter().any(|text| !text.is_empty()) {
            put(&self.head, false);
        }
        for (row, faint) in &self.rows {
            put(row, *faint);
        }
        out
    }
}

/// Fills up with blanks to a width on the screen.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// `标签      内容` on a line of its own; nothing at all without content.
pub(super) fn labelled(out: &mut String, label: &str, content: &str) {
    if !content.is_empty() {
        out.push_str(&format!("{}{content}\n", pad(label, LABEL_WIDTH)));
    }
}

/// Cuts what is wider than a cell may be.
pub(super) fn cut(text: &str, width_max: usize) -> String {
    let text = line(text);
    if text.width() <= width_max {
        return text;
    }
    let mut out = String::new();
    let mut width = 0;
    for c in text.chars() {
        width += c.width().unwrap_or(0);
        // The mark that something is missing may take two places.
        if width + 2 > width_max {
            break;
        }
        out.push(c);
    }
    out + "…"
}

/// On one line and without anything that would steer a terminal: what others wrote is only shown.
pub(crate) fn line(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    // Marks that turn the direction of reading could make a line say something else.
    let shown =
        shown.filter(|c| !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    shown.collect::<String>().trim().to_owned()
}

/// UTC milliseconds as a clock on the wall in China shows them, to the minute.
pub(super) fn moment(wall_ms: i64) -> String {
    let day = Day::of_wall_ms(wall_ms);
    let minute = (wall_ms.saturating_add(CHINA_AHEAD_MS)).rem_euclid(86_400_000) / 60_000;
    format!("{day} {:02}:{:02}", minute / 60, minute % 60)
}

/// `2026-10-09 08:40:05` to the minute.
pub(super) fn to_minute(at: &str) -> String {
    line(at.get(..16).unwrap_or(at))
}

/// A moment without the day when that is the business date already said.
pub(super) fn clock(at: &str, on: &str) -> String {
    let at = to_minute(at);
    match at.strip_prefix(on) {
        Some(rest) if !on.is_empty() => rest.trim().to_owned(),
        _ => at,
    }
}

pub(super) fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} 秒"),
        60..3_600 => format!("{} 分钟", seconds / 60),
        3_600..172_800 => format!("{} 小时", seconds / 3_600),
        _ => format!("{} 天", seconds / 86_400),
    }
}

pub(super) fn bytes(n: i64) -> String {
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

    #[test]
    fn columns_stand_under_each_other_in_chinese_too() {
        let mut table = Table::new(&["办件编号", "事项", "空", "状态"]);
        table.row(["51160300112628200127", "B23", "", "已收件"]);
        table.row(["1", "社会保险", "", "办理中"]);
        let expected = "\
办件编号              事项      状态
51160300112628200127  B23       已收件
1                     社会保险  办理中
";
        assert_eq!(table.text(Ink::Plain), expected);
    }

    #[test]
    fn what_does_not_count_is_faint_on_a_terminal_only() {
        let mut table = Table::new(&["a"]);
        table.faint_row(["x"]);
        assert_eq!(table.text(Ink::Plain), "a\nx\n");
        assert_eq!(table.text(Ink::Terminal), "a\n\x1b[2mx\x1b[0m\n");
    }

    #[test]
    fn spans_moments_and_sizes_are_said_as_people_say_them() {
        assert_eq!(
            (span(5), span(7_200), span(200_000)),
            ("5 秒".into(), "2 小时".into(), "2 天".into())
        );
        assert_eq!(moment(0), "1970-01-01 08:00");
        assert_eq!((bytes(5), bytes(20 << 20)), ("5 B".into(), "20 MB".into()));
        assert_eq!(clock("2026-10-09 08:40:05", "2026-10-09"), "08:40");
        assert_eq!(clock("2026-10-10 08:40:05", "2026-10-09"), "2026-10-10 08:40");
        assert_eq!(clock("", ""), "");
    }

    #[test]
    fn a_cell_is_cut_where_the_screen_ends_and_steers_no_terminal() {
        assert_eq!(cut("城乡居民参保登记", 10), "城乡居民…");
        assert_eq!(cut("城乡居民", 8), "城乡居民");
        assert_eq!(cut("a\x1b[31m\nb\u{202e}c", 40), "a [31m bc");
    }
}
