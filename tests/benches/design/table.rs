//! The one table that a run prints.

use std::fmt;

/// What a row is held against.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Only shown.
    None,
}

/// In what something is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    Micros,
    Seconds,
    Millis,
    PerSecond,
    Bytes,
    Mebibytes,
    Times,
    Trips,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Unit::Micros => format!("{value:.0} µs"),
            Unit::Millis => format!("{value:.0} ms"),
            Unit::Seconds => format!("{value:.2} s"),
            Unit::PerSecond => format!("{}/s", thousands(value)),
            Unit::Bytes => format!("{} B", thousands(value)),
            Unit::Mebibytes => format!("{value:.1} MB"),
            Unit::Times => format!("{value:.2} ×"),
            Unit::Trips => format!("{value:.1}"),
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    what: String,
    unit: Unit,
    measured: f64,
    floor: Option<f64>,
    target: Target,
    /// Of all the CPU used meanwhile, how much went to making the load.
    load: Option<f64>,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, unit: Unit, measured: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            measured,
            floor: None,
            target: Target::None,
            load: None,
        }
    }

    /// What the bare machine takes for the same bytes in the same run.
    pub(crate) fn floor(mut self, floor: f64) -> Self {
        self.floor = Some(floor);
        self
    }

    pub(crate) fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// The load generator's share of the time, from 0 to 1.
    pub(crate) fn load(mut self, share: f64) -> Self {
        self.load = Some(share);
        self
    }

    fn cells(&self) -> [String; 7] {
        let none = || "–".to_owned();
        let (target, met) = match self.target {
            Target::AtMost(most) => (format!("≤ {}", self.unit.show(most)), yes(self.measured <= most)),
            Target::AtLeast(least) => (format!("≥ {}", self.unit.show(least)), yes(self.measured >= least)),
            Target::None => (none(), none()),
        };
        let ratio = self
            .floor
            .filter(|f| *f > 0.0)
            .map(|f| format!("{:.2}", self.measured / f));
        [
            self.what.clone(),
            self.unit.show(self.measured),
            self.floor.map_or_else(none, |f| self.unit.show(f)),
            ratio.unwrap_or_else(none),
            target,
            met,
            self.load.map_or_else(none, |share| format!("{:.0} %", share * 100.0)),
        ]
    }
}

fn yes(met: bool) -> String {
    if met { "yes" } else { "NO" }.to_owned()
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Rows and remarks in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Table {
    pub(crate) fn push(&mut self, row: Row) {
        eprintln!("  {}", row.cells().join(" | "));
        self.rows.push(row);
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        eprintln!("  {note}");
        self.notes.push(note);
    }
}

const HEAD: [&str; 7] = [
    "what",
    "measured",
    "floor in the same run",
    "ratio",
    "target",
    "met",
    "load",
];

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 7]> = self.rows.iter().map(Row::cells).collect();
        let widths: Vec<usize> = (0..HEAD.len())
            .map(|at| {
                rows.iter()
                    .map(|r| r[at].chars().count())
                    .fold(HEAD[at].chars().count(), usize::max)
            })
            .collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[&str]| -> fmt::Result {
            for (cell, width) in cells.iter().zip(&widths) {
                write!(f, "| {cell:<width$} ")?;
            }
            writeln!(f, "|")
        };
        line(f, &HEAD)?;
        let rules: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
        line(f, &rules.iter().map(String::as_str).collect::<Vec<_>>())?;
        for row in &rows {
            line(f, &row.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        for note in &self.notes {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}
