//! A report as the office gives it, with what pages and workbooks need of it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::pick::UnitChoice;
use crate::console::texts::reports as t;

#[derive(Clone, Deserialize)]
pub(crate) struct Given {
    pub(super) period: String,
    pub(super) label: String,
    pub(super) over: bool,
    pub(super) unit: String,
    pub(super) unit_name: String,
    pub(super) frame: String,
    pub(super) frame_label: String,
    pub(super) watermark: Watermark,
    pub(super) year_on_year: String,
    pub(super) figures: Vec<Figure>,
    pub(super) children: Vec<Child>,
    pub(super) matters: Vec<Matter>,
    pub(super) coverage: Vec<Coverage>,
    pub(super) units: Vec<UnitCount>,
    #[serde(default)]
    pub(super) choices: Vec<UnitChoice>,
    #[serde(default)]
    pub(super) trend: Vec<Step>,
    #[serde(default)]
    pub(super) frozen: Vec<FrozenLine>,
    #[serde(default)]
    pub(super) kept: Option<FrozenLine>,
    #[serde(default)]
    pub(super) late: Option<Late>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Watermark {
    pub(super) text: String,
    pub(super) made_at: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct Figure {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) definition: String,
    pub(super) kind: String,
    pub(super) value: Option<i64>,
    pub(super) shown: String,
    pub(super) last: String,
    pub(super) change: String,
    /// Of a frozen report: what it would be today.
    #[serde(default)]
    pub(super) now: Option<String>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Child {
    pub(super) unit: String,
    pub(super) name: String,
    pub(super) figures: std::collections::BTreeMap<String, Cell>,
    pub(super) change: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct Cell {
    pub(super) value: Option<i64>,
    pub(super) shown: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct Matter {
    pub(super) matter: String,
    pub(super) name: Option<String>,
    pub(super) group: Option<String>,
    pub(super) received: u64,
    pub(super) accepted: u64,
    pub(super) closed: u64,
    pub(super) open: u64,
    pub(super) change: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct Coverage {
    pub(super) key: String,
    pub(super) group: String,
    pub(super) used: u64,
    pub(super) all: u64,
    pub(super) unused: Vec<Unused>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Unused {
    pub(super) matter: String,
    pub(super) name: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct UnitCount {
    pub(super) name: String,
    pub(super) centres: u64,
    pub(super) sub_centres: u64,
    pub(super) rooms: u64,
    pub(super) agent_points: u64,
    pub(super) staff: u64,
}

#[derive(Clone, Deserialize)]
pub(super) struct Step {
    pub(super) label: String,
    pub(super) period: String,
    pub(super) received: u64,
    pub(super) closed: u64,
}

#[derive(Clone, Deserialize)]
pub(super) struct FrozenLine {
    pub(super) id: String,
    pub(super) label: Option<String>,
    pub(super) unit_name: String,
    pub(super) frame_label: String,
    pub(super) version: u64,
    pub(super) at: String,
    pub(super) by: Option<String>,
    pub(super) by_unit: String,
    pub(super) watermark: String,
    pub(super) received: u64,
    pub(super) closed: u64,
}

#[derive(Clone, Deserialize)]
pub(super) struct Late {
    pub(super) all: u64,
    pub(super) cases: Vec<Case>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Cases {
    pub(super) period: String,
    pub(super) label: String,
    pub(super) unit: String,
    pub(super) unit_name: String,
    pub(super) frame: String,
    pub(super) figure: String,
    pub(super) figure_label: String,
    pub(super) definition: String,
    pub(super) share: bool,
    pub(super) rest: bool,
    pub(super) matter: Option<String>,
    pub(super) matter_name: Option<String>,
    pub(super) child: Option<String>,
    pub(super) child_name: Option<String>,
    pub(super) window: Option<String>,
    pub(super) window_name: Option<String>,
    pub(super) last: bool,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) kept: Option<FrozenLine>,
    pub(super) fresh: bool,
    /// What the frozen report says.
    pub(super) frozen: Option<u64>,
    pub(super) all: u64,
    /// What the figure counts: of a coverage its matters.
    pub(super) count: u64,
    pub(super) page: u64,
    pub(super) pages: u64,
    pub(super) cases: Vec<Case>,
    pub(super) half_days: Option<Vec<HalfDay>>,
    pub(super) matters: Option<Vec<UsedMatter>>,
}

/// A half-day on which a post was empty, or somebody stood in.
#[derive(Clone, Deserialize)]
pub(super) struct HalfDay {
    pub(super) on: String,
    pub(super) half: String,
    pub(super) unit_name: String,
    pub(super) of: Vec<String>,
    pub(super) by: Vec<String>,
    pub(super) noted: bool,
    pub(super) cases: Vec<String>,
}

/// A matter that a coverage counts.
#[derive(Clone, Deserialize)]
pub(super) struct UsedMatter {
    pub(super) matter: String,
    pub(super) name: String,
    pub(super) group: String,
    pub(super) received: u64,
}

#[derive(Clone, Deserialize)]
pub(super) struct Case {
    pub(super) project_no: String,
    pub(super) unit_name: String,
    pub(super) matter: String,
    pub(super) matter_name: Option<String>,
    pub(super) name: Option<String>,
    pub(super) state_label: String,
    pub(super) on: Option<String>,
    pub(super) due_on: Option<String>,
    pub(super) closed_on: Option<String>,
    pub(super) rating: Option<i64>,
    /// Figures that a late case adds to, and those that it takes from.
    #[serde(default)]
    pub(super) gained: Vec<String>,
    #[serde(default)]
    pub(super) lost: Vec<String>,
}

impl Cases {
    /// Period, unit and frame, as an address carries them.
    pub(super) fn place(&self) -> String {
        format!("period={}&unit={}&frame={}", self.period, self.unit, self.frame)
    }

    /// The address of this list without its page and its side.
    pub(super) fn at(&self) -> String {
        let mut more = String::new();
        for (key, value) in [
            ("child", &self.child),
            ("matter", &self.matter),
            ("window", &self.window),
        ] {
            if let Some(value) = value {
                more.push_str(&format!("&{key}={value}"));
            }
        }
        for (key, holds) in [("last", self.last), ("fresh", self.fresh)] {
            if holds {
                more.push_str(&format!("&{key}=1"));
            }
        }
        let place = match &self.kept {
            Some(kept) => format!("kept={}", kept.id),
            None => self.place(),
        };
        behind(&place, &self.figure, &more)
    }

    /// The same of one matter, as it was received.
    pub(super) fn of_matter(&self, matter: &str) -> String {
        let at = Self {
            figure: "received".to_owned(),
            matter: Some(matter.to_owned()),
            ..self.clone()
        };
        at.at()
    }

    pub(super) fn back(&self) -> String {
        match (&self.kept, &self.window) {
            (Some(kept), _) => format!("/reports/kept?id={}", kept.id),
            (None, Some(_)) => format!("/assess?period={}&unit={}", self.period, self.unit),
            (None, None) => format!("/reports?{}", self.place()),
        }
    }

    /// Whose, of when and of what, before the figure.
    pub(super) fn of(&self) -> String {
        let whose = self.child_name.as_ref().or(self.window_name.as_ref());
        let mut words = vec![whose.unwrap_or(&self.unit_name).clone(), self.label.clone()];
        words.extend(self.last.then(|| t::last_year(&self.from, &self.until)));
        words.extend(self.matter_name.clone().or(self.matter.clone()));
        words.join(" ")
    }

    pub(super) fn heading(&self) -> String {
        let unit = match (&self.half_days, &self.matters) {
            (Some(_), _) => t::HALF_DAY_UNIT,
            (None, Some(_)) => t::MATTER_UNIT,
            (None, None) => t::CASE_UNIT,
        };
        match self.rest {
            true => t::rest(&self.figure_label, self.count, unit),
            false => t::behind(&self.figure_label, self.count, unit),
        }
    }

    /// What is to be said of a list behind a frozen figure.
    pub(super) fn about_frozen(&self) -> Option<String> {
        let kept = self.kept.as_ref()?;
        Some(match (self.fresh, self.frozen) {
            (true, _) => t::AS_IT_IS_NOW.to_owned(),
            (false, Some(said)) if said != self.count => t::frozen_otherwise(&kept.at, said, self.count),
            (false, _) => t::frozen_same(&kept.at),
        })
    }

    pub(super) fn differs(&self) -> bool {
        !self.fresh && self.frozen.is_some_and(|said| said != self.count)
    }
}

/// The address of what stands behind a figure.
pub(super) fn behind(place: &str, figure: &str, more: &str) -> String {
    format!("/reports/cases?{place}&figure={figure}{more}")
}

impl Child {
    pub(super) fn of(&self, key: &str) -> &str {
        self.figures.get(key).map_or("", |cell| cell.shown.as_str())
    }

    fn count(&self, key: &str) -> i64 {
        self.figures.get(key).and_then(|cell| cell.value).unwrap_or(0)
    }

    /// Hundredths of a percent as a number of percent.
    fn rate(&self, key: &str) -> Option<f64> {
        let value = self.figures.get(key)?.value?;
        Some(value as f64 / 100.0)
    }
}

impl Given {
    pub(super) fn place(&self) -> String {
        format!("period={}&unit={}&frame={}", self.period, self.unit, self.frame)
    }

    /// The same report of a unit below.
    pub(super) fn place_of(&self, unit: &str) -> String {
        format!("period={}&unit={unit}&frame={}", self.period, self.frame)
    }

    pub(super) fn is_empty(&self) -> bool {
        let nothing = |figure: &&Figure| matches!(figure.key.as_str(), "received" | "closed" | "open");
        self.figures
            .iter()
            .filter(nothing)
            .all(|figure| figure.value == Some(0))
    }

    pub(super) fn title(&self) -> String {
        match &self.kept {
            Some(kept) => t::frozen_title(&self.unit_name, &self.label, kept.version),
            None => t::title(&self.unit_name, &self.label),
        }
    }

    pub(super) fn trend_chart(&self) -> String {
        let names: Vec<&str> = self.trend.iter().map(|s| s.label.as_str()).collect();
        let numbers = |of: fn(&Step) -> u64| self.trend.iter().map(of).collect::<Vec<u64>>();
        let series = json!([
            {"name": t::RECEIVED, "data": numbers(|s| s.received)},
            {"name": t::CLOSED, "data": numbers(|s| s.closed)},
        ]);
        json!({"kind": "lines", "names": names, "series": series}).to_string()
    }

    pub(super) fn units_chart(&self) -> String {
        let numbers = |key: &str| self.children.iter().map(|c| c.count(key)).collect::<Vec<i64>>();
        let series = json!([
            {"name": t::RECEIVED, "data": numbers("received")},
            {"name": t::CLOSED, "data": numbers("closed")},
        ]);
        self.bars(series, false)
    }

    pub(super) fn rates_chart(&self) -> String {
        let rates = |key: &str| self.children.iter().map(|c| c.rate(key)).collect::<Vec<Option<f64>>>();
        let series = json!([
            {"name": t::ON_TIME, "data": rates("on_time")},
            {"name": t::SATISFIED, "data": rates("satisfied")},
        ]);
        self.bars(series, true)
    }

    fn bars(&self, series: Value, percent: bool) -> String {
        let names: Vec<&str> = self.children.iter().map(|c| c.name.as_str()).collect();
        json!({"kind": "bars", "names": names, "series": series, "percent": percent}).to_string()
    }

    pub(super) fn matters_chart(&self, most: usize) -> String {
        let shown = || self.matters.iter().take(most);
        let names: Vec<&str> = shown().map(|m| m.name.as_deref().unwrap_or(&m.matter)).collect();
        let names: Vec<String> = names.iter().map(|n| n.chars().take(14).collect()).collect();
        let series = json!([{"name": t::RECEIVED, "data": shown().map(|m| m.received).collect::<Vec<_>>()}]);
        json!({"kind": "bars", "names": names, "series": series}).to_string()
    }

    pub(super) fn coverage_chart(&self) -> String {
        let names: Vec<&str> = self.coverage.iter().map(|c| c.group.as_str()).collect();
        let numbers = |of: fn(&Coverage) -> u64| self.coverage.iter().map(of).collect::<Vec<u64>>();
        let series = json!([
            {"name": t::USED, "data": numbers(|c| c.used)},
            {"name": t::UNUSED, "data": numbers(|c| c.all - c.used.min(c.all))},
        ]);
        json!({"kind": "bars", "names": names, "series": series, "stack": true}).to_string()
    }
}
