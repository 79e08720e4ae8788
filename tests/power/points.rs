//! Cut points of a recorded run: drawn by seed, rebuilt, checked.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::check::{Case, Erasing, Met, Promises, check};
use super::media::{SECTOR, Weather, after_cut};
use super::trace::{Trace, What};

/// A recorded run with what is needed to cut it anywhere.
pub struct Points {
    trace: Trace,
    /// Lines at which something begins or has returned: the cut is before them.
    lines: Vec<usize>,
    /// The data folders by name.
    places: Vec<String>,
    /// Wrapped keys as they lay in vaults, by record, all that ever did.
    keys: BTreeMap<String, Vec<u8>>,
}

/// One cut: which line, in which weather.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub seed: u64,
    pub line: usize,
    pub weather: Weather,
}

/// The vault's slots (JOURNAL.md, "Vault").
const SLOT: usize = 96;

impl Points {
    /// # Errors
    /// When nothing was promised in the trace: then it proves nothing.
    pub fn new(trace: Trace) -> Result<Self> {
        ensure!(
            trace.said.iter().any(|said| said.what["ack"] == "case"),
            "a run without any acknowledgement"
        );
        let mut lines: Vec<usize> = Vec::new();
        for op in &trace.ops {
            lines.extend([op.begin, op.begin + 1]);
            lines.extend(op.end.checked_add(1));
        }
        let done = trace.said.iter().find(|said| said.what["done"] == true);
        let done = done.context("the run did not come to its end")?.line;
        lines.retain(|line| *line < done);
        lines.extend(trace.said.iter().map(|said| said.line + 1));
        lines.sort_unstable();
        lines.dedup();
        let places = trace.ops.iter().filter_map(|op| match &op.what {
            What::Make { dir: 0, name, .. } => Some(name.clone()),
            _ => None,
        });
        let places = places.collect();
        let keys = keys(&trace);
        Ok(Self {
            trace,
            lines,
            places,
            keys,
        })
    }

    /// How many different lines can be cut at.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The point of a seed.
    pub fn point(&self, seed: u64) -> Point {
        let mut seeds = super::seeds(seed);
        let line = self.lines[seeds.below(self.lines.len() as u64) as usize];
        let weather = Weather::ALL[seeds.below(Weather::ALL.len() as u64) as usize];
        Point { seed, line, weather }
    }

    /// Cuts there, lays out each folder below `dir`, and checks it.
    ///
    /// # Errors
    /// With the promise that was broken.
    pub fn try_out(&self, point: Point, dir: &Path) -> Result<Vec<Met>> {
        let mut seeds = super::seeds(point.seed ^ 0x5eed_0000_0000_0000);
        let root = after_cut(&self.trace, point.line, point.weather, &mut seeds);
        let mut met = Vec::new();
        for place in &self.places {
            let promises = self.promises(place, point.line)?;
            let at = dir.join(place);
            let done = check(root.under(place), &promises, &at, &mut seeds);
            met.push(done.with_context(|| format!("{place} after {point:?}"))?);
        }
        Ok(met)
    }

    /// What had been acknowledged of a folder before a line.
    fn promises(&self, place: &str, line: usize) -> Result<Promises> {
        let mut promises = Promises::default();
        let mut cases: BTreeMap<String, Case> = BTreeMap::new();
        for said in self.trace.said.iter().filter(|said| said.line < line) {
            let text = |key: &str| said.what[key].as_str().unwrap_or_default().to_owned();
            if said.what["place"] != place {
                continue;
            }
            let number = text("number");
            match (text("ack").as_str(), text("try").as_str()) {
                ("placed", _) => promises.placed = true,
                ("case" | "listed", _) => {
                    let case = cases.entry(number.clone()).or_insert(Case {
                        number,
                        name: text("name"),
                        entries: 1,
                        erasing: Erasing::No,
                        key: self.keys.get(&text("record")).cloned().unwrap_or_default(),
                    });
                    case.entries = case.entries.max(said.what["entries"].as_u64().unwrap_or(1));
                }
                (_, "erase") => set(&mut cases, &number, Erasing::Begun)?,
                ("erased", _) => set(&mut cases, &number, Erasing::Done)?,
                _ => {}
            }
        }
        promises.cases = cases.into_values().collect();
        Ok(promises)
    }
}

fn set(cases: &mut BTreeMap<String, Case>, number: &str, erasing: Erasing) -> Result<()> {
    cases.get_mut(number).context("an unknown case")?.erasing = erasing;
    Ok(())
}

/// Reads the keys out of what was written into vaults.
fn keys(trace: &Trace) -> BTreeMap<String, Vec<u8>> {
    let mut keys = BTreeMap::new();
    for op in &trace.ops {
        let What::Write { at, bytes, .. } = &op.what else {
            continue;
        };
        if at % SLOT as u64 != 0 || bytes.len() % SLOT != 0 || *at == 0 {
            continue;
        }
        for slot in bytes.chunks_exact(SLOT).filter(|slot| slot[0] == 1) {
            let record: String = slot[18..34].iter().map(|byte| format!("{byte:02x}")).collect();
            keys.insert(record, slot[34..82].to_vec());
        }
    }
    debug_assert!(SECTOR > SLOT as u64);
    keys
}
