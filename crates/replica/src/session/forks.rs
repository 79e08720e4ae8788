//! Forks: finding the last entry that both sides have on the way to a tip of the peer's which is not held here.
//!
//! Only the side with a tip at or above the peer's unknown one has to ask: if it had the peer's entries, it would hold that tip. The
//! other waits: it will get the entries and then see for itself. Hashes are asked for at falling, doubling steps, then in between.

use super::open::{Open, turn};
use super::{Context, PeerError};
use crate::entry::{LogId, Tip};
use crate::frame::{HashAsk, Hashes, Outbound};

/// Fewer entries than this between the last one shared and the first one not shared are sent again rather than asked about.
const CLOSE_ENOUGH: u64 = 8;
/// Places asked for in between.
const STEPS: u64 = 16;
/// Searches under way at once; others follow when these are done.
const SEARCHES_MAX: usize = 256;

/// A search below one of the peer's tips.
#[derive(Debug)]
pub(super) struct Search {
    /// The highest place known to be held on both sides.
    low: Tip,
    /// The lowest number known not to be.
    high: u64,
    asked: Vec<u64>,
}

impl Open {
    pub(super) fn is_searching(&self, log: &LogId) -> bool {
        self.searches.keys().any(|(searched, _)| searched == log)
    }

    /// Begins to search below `tips` of the peer.
    pub(super) fn search(&mut self, log: &LogId, tips: &[Tip], cx: &mut Context<'_>) {
        let ours = cx
            .local
            .vector(log.scope)
            .tips(log)
            .iter()
            .map(|tip| tip.seq)
            .max()
            .unwrap_or(0);
        for tip in tips {
            if self.searches.len() >= SEARCHES_MAX || self.searches.contains_key(&(*log, *tip)) {
                continue;
            }
            let high = tip.seq.min(ours + 1);
            let seqs: Vec<u64> = (0..63)
                .map(|step| 1u64 << step)
                .take_while(|back| *back < high)
                .map(|back| high - back)
                .collect();
            let search = Search {
                low: Tip::START,
                high,
                asked: seqs,
            };
            self.ask_or_end(*log, *tip, search, cx);
        }
    }

    /// Asks for the places of a search; without any it has ended.
    fn ask_or_end(&mut self, log: LogId, tip: Tip, search: Search, cx: &mut Context<'_>) {
        if search.asked.is_empty() {
            if let Some(theirs) = self
                .scopes
                .get_mut(&log.scope)
                .and_then(|shared| shared.theirs.as_mut())
            {
                let theirs = theirs.entry((log.device, log.epoch)).or_default();
                if !theirs.common.contains(&search.low) {
                    theirs.common.push(search.low);
                }
                self.dirty.insert(turn(log));
            }
            return;
        }
        let bytes = cx.send(&Outbound::HashAsk(HashAsk {
            log,
            tip,
            seqs: search.asked.clone(),
        }));
        self.sent(bytes, cx);
        self.searches.insert((log, tip), search);
    }

    pub(super) fn hash_ask(&mut self, ask: &HashAsk, cx: &mut Context<'_>) -> Result<(), PeerError> {
        if !self.is_named(&ask.log.scope)? {
            return Ok(());
        }
        let places = ask
            .seqs
            .iter()
            .filter(|seq| (1..ask.tip.seq).contains(*seq))
            .filter_map(|seq| cx.local.ancestor_at(&ask.log, ask.tip, *seq))
            .collect();
        let bytes = cx.send(&Outbound::Hashes(Hashes {
            log: ask.log,
            tip: ask.tip,
            places,
        }));
        self.sent(bytes, cx);
        Ok(())
    }

    pub(super) fn hashes(&mut self, hashes: &Hashes, cx: &mut Context<'_>) -> Result<(), PeerError> {
        if !self.is_named(&hashes.log.scope)? {
            return Ok(());
        }
        let (log, tip) = (hashes.log, hashes.tip);
        // Nothing was asked, or the scope has been compared anew since: no longer of interest.
        let Some(mut search) = self.searches.remove(&(log, tip)) else {
            return Ok(());
        };
        // The peer does not hold that tip any more: plan without it.
        if hashes.places.is_empty() {
            if let Some(theirs) = self
                .scopes
                .get_mut(&log.scope)
                .and_then(|shared| shared.theirs.as_mut())
            {
                theirs
                    .entry((log.device, log.epoch))
                    .or_default()
                    .held
                    .retain(|held| *held != tip);
                self.dirty.insert(turn(log));
            }
            return Ok(());
        }
        for seq in &search.asked {
            let place = hashes.places.iter().find(|place| place.seq == *seq);
            match place.filter(|place| cx.local.holds(&log, **place)) {
                Some(place) if place.seq > search.low.seq => search.low = *place,
                Some(_) => {}
                None => search.high = search.high.min(*seq),
            }
        }
        // A peer that answers nonsense gets everything from the last place that was sure.
        let gap = search.high.saturating_sub(search.low.seq);
        search.asked = if gap <= CLOSE_ENOUGH {
            Vec::new()
        } else {
            (1..STEPS)
                .map(|step| search.low.seq + gap * step / STEPS)
                .filter(|seq| *seq > search.low.seq && *seq < search.high)
                .rev()
                .collect()
        };
        search.asked.dedup();
        self.ask_or_end(log, tip, search, cx);
        Ok(())
    }
}
