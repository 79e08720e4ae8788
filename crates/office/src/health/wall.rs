//! The wall: every room a tile, grouped by the unit above it, and a few numbers for all of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, Scope, UnitId};
use replica::time::Now;
use serde_json::{Value, json};

use super::rules::{Rule, Rules};
use crate::command::{CommandError, Wall, WallSort};
use crate::office::Office;
use crate::rooms::{Known, RoomState};
use crate::texts::health as texts;

/// Tiles sent at once: all 462 of a county, and of ten thousand those that need somebody most.
const TILES_MAX: usize = 600;
/// States as shown, from the one that needs somebody most.
pub(crate) const STATES: [&str; 8] = [
    "attention",
    "silent",
    "behind",
    "unknown",
    "never_seen",
    "in_step",
    "held",
    "revoked",
];

/// A room as shown.
pub(crate) struct Tile<'a> {
    pub(crate) known: &'a Known,
    pub(crate) state: &'static str,
    pub(crate) rules: &'a [(Rule, i64)],
    /// Since when it is so (UTC ms).
    pub(crate) since_ms: Option<i64>,
    /// Seconds of opening hours since it was last heard.
    open_silent_s: i64,
}

impl Tile<'_> {
    fn rank(&self) -> usize {
        STATES
            .iter()
            .position(|state| *state == self.state)
            .unwrap_or(STATES.len())
    }

    /// Equal states: whoever has waited longest first.
    fn order(&self) -> impl Ord + use<> {
        (
            self.rank(),
            Reverse(self.open_silent_s),
            self.since_ms.unwrap_or(i64::MAX),
            self.known.code,
        )
    }

    /// Rules that hold as far as it is known now: of a room that nobody here can see, only what this hub knows by itself.
    pub(crate) fn told(&self) -> impl Iterator<Item = Rule> {
        let rules = self.rules.iter().map(|(rule, _)| *rule);
        rules.filter(|rule| self.state != RoomState::Unknown.as_str() || rule.is_own_knowledge())
    }

    fn row(&self, now: Now) -> Value {
        json!({
            "unit": self.known.code,
            "name": self.known.name,
            "state": self.state,
            "since_ms": self.since_ms,
            "since_s": self.since_ms.map(|at| now.wall_ms.saturating_sub(at).max(0) / 1000),
            "as_of_ms": self.known.as_of_ms,
            "open_silent_s": self.open_silent_s,
            "behind": self.known.pending(),
            "reasons": self.told().map(texts::rule).collect::<Vec<_>>(),
        })
    }
}

/// What is known of a room, as the wall says it. Of several devices the one that needs somebody most speaks for the room.
fn tile<'a>(office: &Office, now: Now, rules: &Rules, devices: &'a [Known], open: &'a [(Rule, i64)]) -> Tile<'a> {
    let one = |known: &'a Known| {
        let last_seen_ms = known.report.as_ref().and_then(|r| r.last_seen_ms);
        let troubled = !open.is_empty() && !open.iter().all(|(rule, _)| *rule == Rule::Silent);
        let state = match known.state {
            RoomState::InStep | RoomState::Behind if troubled => "attention",
            state => state.as_str(),
        };
        let since_ms = match known.state {
            RoomState::Silent => last_seen_ms,
            RoomState::Behind => known.oldest_pending_ms(),
            RoomState::Unknown => known.as_of_ms,
            _ => None,
        };
        let silent_from = last_seen_ms.filter(|_| known.state == RoomState::Silent);
        Tile {
            known,
            state,
            rules: open,
            since_ms,
            open_silent_s: silent_from.map_or(0, |at| office.open_seconds(rules, at, now.wall_ms)),
        }
    };
    let live = devices.iter().filter(|known| known.state != RoomState::Revoked);
    let worst = live.map(one).min_by_key(Tile::order);
    match worst {
        Some(tile) => tile,
        None => one(&devices[0]),
    }
}

/// The age at a share of a sorted list.
fn share(sorted: &[i64], percent: usize) -> Option<i64> {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied()
}

impl Office {
    /// The rooms below as tiles, and numbers for all of them.
    ///
    /// # Errors
    /// At a room; a state or township that is not known.
    pub(crate) fn wall(&mut self, now: Now, args: &Wall) -> Result<Value, CommandError> {
        let life = self.hub_life()?;
        self.read_alerts()?;
        let town = args.town.as_deref().filter(|t| !t.is_empty());
        let town = town
            .map(|code| self.unit_by_code(code))
            .transpose()?
            .map(|unit| unit.id);
        let state = args.state.as_deref().filter(|state| !state.is_empty());
        if let Some(wrong) = state.filter(|state| !STATES.contains(state)) {
            return Err(texts::unknown_state(wrong));
        }
        let known = self.known_rooms(now)?;
        let check = self.day_check(now, &known);
        let (open, muted) = self.open_rules(now);
        let rules = self.rules();
        let tiles = self.tiles(now, &rules, &known, &open);
        let search = args.search.as_deref().map(str::trim).unwrap_or_default();
        let towns: BTreeSet<UnitId> = known.iter().map(|one| one.town).collect();
        let is_named = |town: &UnitId| self.unit_shown(*town).1.contains(search);
        let named: BTreeSet<UnitId> = towns.into_iter().filter(is_named).collect();
        let wanted = |tile: &&Tile<'_>| {
            state.is_none_or(|state| tile.state == state)
                && town.is_none_or(|town| tile.known.town == town)
                && (search.is_empty()
                    || tile.known.name.contains(search)
                    || tile.known.code.to_string().starts_with(search)
                    || named.contains(&tile.known.town))
        };
        let shown: Vec<&Tile<'_>> = tiles.iter().filter(wanted).collect();
        let (unit, name) = self.unit_shown(life.unit);
        Ok(json!({
            "now_ms": now.wall_ms,
            "unit": unit,
            "name": name,
            "tier": self.tier(),
            "open": self.is_open(&rules, now),
            "rooms": tiles.len(),
            "counts": counts(tiles.iter()),
            "alerts": open.values().map(Vec::len).sum::<usize>(),
            "muted": muted,
            "newest": self.newest_receipted(now, &tiles),
            "oldest": oldest(now, &tiles),
            "check": check,
            "matching": shown.len(),
            "towns": self.towns(now, &shown, &tiles, &open, args.sort),
        }))
    }

    fn tiles<'a>(
        &self,
        now: Now,
        rules: &Rules,
        known: &'a [Known],
        open: &'a BTreeMap<UnitId, Vec<(Rule, i64)>>,
    ) -> Vec<Tile<'a>> {
        let rooms = known.chunk_by(|a, b| a.unit == b.unit);
        let each = rooms.map(|devices| {
            let open = open.get(&devices[0].unit).map_or(&[][..], Vec::as_slice);
            tile(self, now, rules, devices, open)
        });
        each.collect()
    }

    /// How many rooms are in each state. Alerts have to be read.
    pub(crate) fn states(&self, now: Now, known: &[Known]) -> Value {
        let (open, _) = self.open_rules(now);
        counts(self.tiles(now, &self.rules(), known, &open).iter())
    }

    fn is_open(&self, rules: &Rules, now: Now) -> bool {
        let calendar = self.authority.calendar().cloned().unwrap_or_default();
        rules.open_hours().is_open(&calendar, now.wall_ms)
    }

    /// The tile of one room, and the rule that somebody should look at first.
    pub(crate) fn tile_of(&self, now: Now, devices: &[Known], open: &[(Rule, i64)]) -> (Value, Option<Rule>) {
        let rules = self.rules();
        let tile = tile(self, now, &rules, devices, open);
        (tile.row(now), tile.told().min())
    }

    /// How long ago the newest entry of each room came here and was receipted: half of the rooms are better than the first figure,
    /// nineteen of twenty better than the second.
    fn newest_receipted(&self, now: Now, tiles: &[Tile<'_>]) -> Value {
        let at_ms = |unit: UnitId| {
            let book = Scope::book(unit);
            let kept = self.store.receipts().of(&self.me.device, self.store_id, book);
            let said = kept.into_iter().chain(self.unstaged.get(&book)).map(|r| r.at_ms).max();
            said.filter(|_| self.store.logs().entries(book) > 0)
        };
        let ages = tiles.iter().filter_map(|tile| at_ms(tile.known.unit));
        let mut ages: Vec<i64> = ages.map(|at| now.wall_ms.saturating_sub(at).max(0) / 1000).collect();
        ages.sort_unstable();
        json!({"rooms": ages.len(), "p50_s": share(&ages, 50), "p95_s": share(&ages, 95)})
    }

    fn towns(
        &self,
        now: Now,
        shown: &[&Tile<'_>],
        all: &[Tile<'_>],
        open: &BTreeMap<UnitId, Vec<(Rule, i64)>>,
        sort: WallSort,
    ) -> Value {
        // Of too many, those stay that need somebody most.
        let mut worst: Vec<&&Tile<'_>> = shown.iter().collect();
        worst.sort_by_cached_key(|tile| tile.order());
        worst.truncate(TILES_MAX);
        let mut groups: BTreeMap<UnitId, Vec<&Tile<'_>>> = BTreeMap::new();
        for tile in worst {
            groups.entry(tile.known.town).or_default().push(tile);
        }
        let mut matching: BTreeMap<UnitId, usize> = BTreeMap::new();
        shown
            .iter()
            .for_each(|tile| *matching.entry(tile.known.town).or_default() += 1);
        let mut whole: BTreeMap<UnitId, Vec<&Tile<'_>>> = BTreeMap::new();
        all.iter()
            .for_each(|tile| whole.entry(tile.known.town).or_default().push(tile));
        let hubs = self.hubs_below();
        let mut rows: Vec<_> = Vec::new();
        for (town, many) in matching {
            let mut tiles = groups.remove(&town).unwrap_or_default();
            match sort {
                WallSort::Worst => {}
                WallSort::Code => tiles.sort_by_key(|tile| tile.known.code),
                WallSort::Name => tiles.sort_by_key(|tile| &tile.known.name),
            }
            let first = tiles.iter().map(|tile| tile.rank()).min().unwrap_or(STATES.len());
            let (code, name) = self.unit_shown(town);
            let rank = match sort {
                WallSort::Worst => (first, String::new()),
                WallSort::Code => (0, code.clone()),
                WallSort::Name => (0, name.clone()),
            };
            let row = json!({
                "unit": code,
                "name": name,
                "hub": self.hub_row(town, &hubs, open),
                "counts": counts(whole.remove(&town).unwrap_or_default().into_iter()),
                "tiles": tiles.iter().map(|tile| tile.row(now)).collect::<Vec<_>>(),
                "more": many - tiles.len(),
            });
            rows.push((rank, code, row));
        }
        rows.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        rows.into_iter().map(|(.., row)| row).collect()
    }

    /// Whether a unit's hub answers, and the rules that hold for its computer; null where it has none below us. That it does not answer
    /// is said at once, before there is an alert of it.
    fn hub_row(&self, town: UnitId, hubs: &[(DeviceId, UnitId)], open: &BTreeMap<UnitId, Vec<(Rule, i64)>>) -> Value {
        let own: Vec<_> = hubs
            .iter()
            .filter(|(_, unit)| *unit == town)
            .map(|(device, _)| device)
            .collect();
        if own.is_empty() {
            return Value::Null;
        }
        let up = own.iter().any(|device| self.peers.is_connected(device));
        let seen = own.iter().filter_map(|device| self.reports.seen.get(device));
        let rules = open.get(&town).into_iter().flatten().map(|(rule, _)| *rule);
        let reasons: Vec<&str> = rules.filter(|rule| *rule != Rule::Hub).map(texts::rule).collect();
        json!({"up": up, "last_seen_ms": seen.map(|s| s.last_seen_ms).max(), "reasons": reasons})
    }
}

fn counts<'a, 'b: 'a>(tiles: impl Iterator<Item = &'a Tile<'b>>) -> Value {
    let mut counts: BTreeMap<&str, u64> = STATES.into_iter().map(|state| (state, 0)).collect();
    tiles.for_each(|tile| *counts.entry(tile.state).or_default() += 1);
    json!(counts)
}

/// The oldest entry anywhere that has not come up, as far as rooms have said.
fn oldest(now: Now, tiles: &[Tile<'_>]) -> Value {
    let at_ms = |tile: &&Tile<'_>| tile.known.oldest_pending_ms();
    let waiting = tiles.iter().filter(|tile| at_ms(tile).is_some());
    match waiting.min_by_key(at_ms) {
        Some(tile) => json!({
            "unit": tile.known.code,
            "name": tile.known.name,
            "at_ms": at_ms(&tile),
            "s": at_ms(&tile).map(|at| now.wall_ms.saturating_sub(at).max(0) / 1000),
        }),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn the_middle_and_the_slowest_of_twenty() {
        let ages: Vec<i64> = (1..=20).collect();
        assert_eq!((share(&ages, 50), share(&ages, 95)), (Some(10), Some(19)));
        assert_eq!(
            (share(&[7], 50), share(&[7], 95), share(&[], 50)),
            (Some(7), Some(7), None)
        );
    }
}
