//! Tables of figures: each heading with its definition, each number with the way to what it counts.

use super::given::{Child, FrozenLine, Given, Matter, behind};
use crate::console::texts::reports as t;

/// A heading, and how what stands under it is reckoned.
pub(super) struct Head {
    pub(super) key: &'static str,
    pub(super) label: String,
    pub(super) definition: String,
}

/// A number, and where it leads.
pub(super) struct Cell {
    pub(super) at: Option<String>,
    pub(super) shown: String,
    pub(super) grave: bool,
}

pub(super) struct Row {
    /// The words before the numbers, each with its way.
    pub(super) texts: Vec<(String, Option<String>)>,
    pub(super) cells: Vec<Cell>,
}

pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) texts: Vec<&'static str>,
    pub(super) heads: Vec<Head>,
    pub(super) rows: Vec<Row>,
}

/// Whether there is anything behind a number.
pub(super) fn leads(shown: &str) -> bool {
    !matches!(shown, "" | "0" | "—")
}

pub(super) fn cell(shown: impl Into<String>, at: impl FnOnce() -> String) -> Cell {
    let shown = shown.into();
    Cell {
        at: leads(&shown).then(at),
        shown,
        grave: false,
    }
}

/// A number with nothing but itself.
pub(super) fn plain(shown: impl Into<String>) -> Cell {
    Cell {
        at: None,
        shown: shown.into(),
        grave: false,
    }
}

/// 同比, of the figure that each table is about.
const CLOSED_CHANGE: &str = "closed_change";
const RECEIVED_CHANGE: &str = "received_change";
const OF_UNITS: [&str; 9] = [
    "received",
    "accepted",
    "closed",
    CLOSED_CHANGE,
    "open",
    "overdue",
    "on_time",
    "satisfied",
    "rated",
];
const OF_MATTERS: [&str; 5] = ["received", RECEIVED_CHANGE, "accepted", "closed", "open"];

impl Given {
    /// Period, unit and frame; of a frozen report its name.
    fn asked(&self) -> String {
        match &self.kept {
            Some(kept) => format!("kept={}", kept.id),
            None => self.place(),
        }
    }

    /// Where a figure leads; `None` where there is nothing.
    pub(super) fn to(&self, figure: &str, more: &str, shown: &str) -> Option<String> {
        leads(shown).then(|| behind(&self.asked(), figure, more))
    }

    pub(super) fn head(&self, key: &'static str) -> Head {
        let figure = self.figures.iter().find(|f| f.key == key);
        let (label, definition) = match (key, figure) {
            (CLOSED_CHANGE, _) => (t::CLOSED_CHANGE.to_owned(), self.year_on_year.clone()),
            (RECEIVED_CHANGE, _) => (t::RECEIVED_CHANGE.to_owned(), self.year_on_year.clone()),
            (_, Some(figure)) => (figure.label.clone(), figure.definition.clone()),
            (_, None) => {
                let (label, definition) = t::column(key);
                (label.to_owned(), definition.to_owned())
            }
        };
        Head { key, label, definition }
    }

    pub(super) fn by_unit(&self) -> Table {
        let row = |c: &Child| {
            let to = self
                .kept
                .is_none()
                .then(|| format!("/reports?{}", self.place_of(&c.unit)));
            let more = format!("&child={}", c.unit);
            let one = |key: &&str| match *key {
                CLOSED_CHANGE => plain(&c.change),
                key => cell(c.of(key), || behind(&self.asked(), key, &more)),
            };
            Row {
                texts: vec![(c.name.clone(), to)],
                cells: OF_UNITS.iter().map(one).collect(),
            }
        };
        Table {
            name: "unit",
            texts: vec![t::UNIT],
            heads: OF_UNITS.map(|key| self.head(key)).into(),
            rows: self.children.iter().map(row).collect(),
        }
    }

    pub(super) fn by_matter(&self) -> Table {
        let row = |m: &Matter| {
            let more = format!("&matter={}", m.matter);
            let one = |key: &&str| {
                let count = match *key {
                    "received" => m.received,
                    "accepted" => m.accepted,
                    "closed" => m.closed,
                    "open" => m.open,
                    _ => return plain(&m.change),
                };
                cell(count.to_string(), || behind(&self.asked(), key, &more))
            };
            let name = format!("{} {}", m.matter, m.name.as_deref().unwrap_or_default());
            Row {
                texts: vec![(name, None), (m.group.clone().unwrap_or_default(), None)],
                cells: OF_MATTERS.iter().map(one).collect(),
            }
        };
        Table {
            name: "matter",
            texts: vec![t::MATTER, t::GROUP],
            heads: OF_MATTERS.map(|key| self.head(key)).into(),
            rows: self.matters.iter().map(row).collect(),
        }
    }

    /// What the chart of the way through the period shows.
    pub(super) fn by_step(&self) -> Table {
        let row = |s: &super::given::Step| {
            let place = format!("period={}&unit={}&frame={}", s.period, self.unit, self.frame);
            let one = |key: &str, count: u64| cell(count.to_string(), || behind(&place, key, ""));
            Row {
                texts: vec![(s.label.clone(), None)],
                cells: vec![one("received", s.received), one("closed", s.closed)],
            }
        };
        Table {
            name: "step",
            texts: vec![t::PERIOD],
            heads: ["received", "closed"].map(|key| self.head(key)).into(),
            rows: self.trend.iter().map(row).collect(),
        }
    }

    /// Centres, rooms and people: no cases stand behind them.
    pub(super) fn by_kind(&self) -> Table {
        let row = |u: &super::given::UnitCount| {
            let counts = [u.centres, u.sub_centres, u.rooms, u.agent_points, u.staff];
            Row {
                texts: vec![(u.name.clone(), None)],
                cells: counts.map(|count| plain(count.to_string())).into(),
            }
        };
        Table {
            name: "kind",
            texts: vec![t::UNIT],
            heads: ["centres", "sub_centres", "rooms", "agent_points", "staff"]
                .map(|key| self.head(key))
                .into(),
            rows: self.units.iter().map(row).collect(),
        }
    }
}

impl FrozenLine {
    /// Where a figure of the list of frozen reports leads.
    pub(super) fn to(&self, figure: &str, count: &u64) -> Option<String> {
        (*count > 0).then(|| behind(&format!("kept={}", self.id), figure, ""))
    }
}
