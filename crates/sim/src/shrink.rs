//! A failing story is made as short as it can be while it still fails: actions are dropped in ever smaller pieces.

use crate::story::{Story, Verdict};

/// A story that fails, and nothing in it without need.
pub struct Shrunk {
    pub story: Story,
    pub verdict: Verdict,
    /// How often it was told on the way.
    pub tried: u32,
}

/// Shortens a failing story; `going_on` may end it early, with what was reached by then. `None`: the story does not fail.
pub fn shrink(story: &Story, tries_max: u32, going_on: &dyn Fn(u32, usize) -> bool) -> Option<Shrunk> {
    shrink_by(&|story| story.run(None), story, tries_max, going_on)
}

/// As [`shrink`], the stories told by `tell`.
fn shrink_by(
    tell: &dyn Fn(&Story) -> Verdict,
    story: &Story,
    tries_max: u32,
    going_on: &dyn Fn(u32, usize) -> bool,
) -> Option<Shrunk> {
    let verdict = tell(story);
    let kind = kind_of(verdict.failure.as_deref()?);
    let mut best = Shrunk {
        story: story.clone(),
        verdict,
        tried: 1,
    };
    let mut piece = best.story.actions.len().div_ceil(2).max(1);
    loop {
        let mut any = false;
        let mut at = 0;
        while at < best.story.actions.len() {
            if best.tried >= tries_max || !going_on(best.tried, best.story.actions.len()) {
                return Some(best);
            }
            best.tried += 1;
            let mut shorter = best.story.clone();
            let end = (at + piece).min(shorter.actions.len());
            shorter.actions.drain(at..end);
            let verdict = tell(&shorter);
            // Another failure is another story.
            if verdict.failure.as_deref().map(kind_of) == Some(kind.clone()) {
                best.story = shorter;
                best.verdict = verdict;
                any = true;
            } else {
                at = end;
            }
        }
        if piece == 1 && !any {
            return Some(best);
        }
        if !any {
            piece = (piece / 2).max(1);
        } else {
            piece = piece.min(best.story.actions.len().div_ceil(2)).max(1);
        }
    }
}

/// The words of a failure without its figures, names and times.
fn kind_of(failure: &str) -> String {
    let first = failure.lines().next().unwrap_or_default();
    let words = first
        .split_whitespace()
        .filter(|w| w.chars().all(|c| c.is_alphabetic() || ",:'".contains(c)));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Shape;

    fn story() -> Story {
        let shape = Shape {
            townships: 1,
            rooms: 3,
            days: 5,
            fixed: true,
        };
        Story::draw(31, &shape)
    }

    /// A lie is planted: a story fails if these actions are all in it, and in another way if it has none at all.
    fn lying(story: &Story, seeds: &[u64]) -> Verdict {
        let has = |seed: &u64| story.actions.iter().any(|action| action.seed == *seed);
        let failure = match story.actions.len() {
            0 => Some("nothing happened".to_owned()),
            len => seeds.iter().all(has).then(|| format!("case {len} is lost")),
        };
        Verdict {
            seed: story.seed,
            failure,
            faults: crate::fault::Faults::default(),
            node_seconds: 0,
            trace: 0,
            events: 0,
            deeds: 0,
            healed_ms: None,
            checks: std::collections::BTreeMap::new(),
            excused: 0,
        }
    }

    #[test]
    fn of_many_actions_those_that_suffice_are_left() {
        let story = story();
        let all: Vec<u64> = story.actions.iter().map(|action| action.seed).collect();
        let len = all.len();
        assert!(len > 50, "{len}");
        for lie in [vec![all[len * 2 / 3]], vec![all[0], all[len / 2], all[len - 1]]] {
            let shrunk = shrink_by(&|s| lying(s, &lie), &story, 600, &|_, _| true).unwrap();
            let left: Vec<u64> = shrunk.story.actions.iter().map(|action| action.seed).collect();
            assert_eq!(left, lie);
            assert_eq!(shrunk.verdict.failure, Some(format!("case {} is lost", lie.len())));
        }
        let one = [all[7]];
        let stopped = shrink_by(&|s| lying(s, &one), &story, 3, &|_, _| true).unwrap();
        assert!(stopped.tried == 3 && stopped.story.actions.len() < len);
        assert!(shrink_by(&|s| lying(s, &[0]), &story, 600, &|_, _| true).is_none());
    }

    #[test]
    fn the_kind_of_a_failure_is_what_it_says_without_figures() {
        assert_eq!(
            kind_of("at 12345 ms: case 511603-1 is lost\nmore"),
            kind_of("at 9 ms: case 77 is lost")
        );
        assert_ne!(kind_of("case 7 is lost"), kind_of("frames were sent"));
    }
}
