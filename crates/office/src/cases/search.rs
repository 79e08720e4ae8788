//! `case find`: by whatever a clerk knows of a case or an errand. Masked lines come out, whatever went in.

use std::collections::BTreeSet;

use ledger::check::fold_width;
use ledger::day::Day;
use ledger::id::ScopeKind;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Order, Scan};

use crate::command::{CaseFind, CommandError};
use crate::finder::{DIGITS_MIN, Word};
use crate::office::Office;
use crate::texts;
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// Lines of one answer: more is no answer but another day book.
const LINES: usize = 60;
/// What a person types is a few words.
const TEXT_CHARS_MAX: usize = 100;

/// What is sought, made ready.
struct Sought {
    words: Vec<Asked>,
    matter: Option<String>,
    state: Option<String>,
    from: Option<Day>,
    until: Option<Day>,
}

/// A word, and the matters that it may mean.
struct Asked {
    word: Word,
    matters: BTreeSet<String>,
}

/// A case as its place in the list tells it, before its row is read.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    place: name::ListPlace,
    of: RecordRef,
}

impl Office {
    /// Masked lines of the cases that answer to all that was said, newest first, and how many there are.
    ///
    /// # Errors
    /// Too long a text, too few digits, an unknown state.
    pub(crate) fn case_find(&mut self, now: Now, args: &CaseFind) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let sought = self.sought(args)?;
        self.want_finder()?;
        if !sought.words.is_empty() || sought.matter.is_some() {
            // Whoever searches before all is opened waits for the rest, once.
            self.fill_finder(usize::MAX)?;
        }
        let mut candidates = self.candidates(&sought)?;
        candidates.sort_unstable();
        let limit = args.limit.unwrap_or(LINES).min(LINES);
        let (mut lines, mut found) = (Vec::new(), 0_u64);
        for candidate in candidates {
            let row = match self.answers(&sought, &candidate)? {
                Answer::No => continue,
                Answer::Yes(row) => row,
            };
            found += 1;
            if lines.len() < limit {
                let row = match row {
                    Some(row) => Some(*row),
                    None => self.row(candidate.of)?,
                };
                lines.extend(row.map(|row| self.line(candidate.of, &row, today)));
            }
        }
        Ok(json!({"found": found, "cases": lines, "locked": self.keys.is_locked()}))
    }

    fn sought(&self, args: &CaseFind) -> Result<Sought, CommandError> {
        let text = fold_width(&args.text).to_uppercase();
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(texts::find_too_long(TEXT_CHARS_MAX));
        }
        let words: Vec<Word> = text.split_whitespace().map(Word::read).collect();
        let short = |word: &Word| matches!(word, Word::Digits(digits) if digits.len() < DIGITS_MIN);
        if words.iter().any(short) {
            return Err(texts::find_too_few_digits(DIGITS_MIN));
        }
        if let (Some(from), Some(until)) = (args.from, args.until)
            && from > until
        {
            return Err(texts::find_dates_turned());
        }
        let asked = |word: Word| {
            let matters = match &word {
                Word::Text(text) => self.matters_named(text),
                Word::Digits(_) | Word::Masked(_) => BTreeSet::new(),
            };
            Asked { word, matters }
        };
        let filled = |text: &Option<String>| {
            text.as_deref()
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
        };
        Ok(Sought {
            words: words.into_iter().map(asked).collect(),
            matter: filled(&args.matter).map(|code| fold_width(&code).to_ascii_uppercase()),
            state: filled(&args.state).map(|s| self.state_named(&s)).transpose()?,
            from: args.from,
            until: args.until,
        })
    }

    /// Codes of the matters of every catalogue that a word names or is a piece of the name of.
    fn matters_named(&self, text: &str) -> BTreeSet<String> {
        let all = self.authority.catalogues().values().flat_map(|c| &c.matters);
        let named = all.filter(|m| m.code == text || m.name.to_uppercase().contains(text));
        named.map(|m| m.code.clone()).collect()
    }

    /// What the list's own keys can tell: dates and state.
    fn candidates(&self, sought: &Sought) -> Result<Vec<Candidate>, CommandError> {
        let books = self.store.logs().scopes().filter(|s| s.kind == ScopeKind::Book);
        let units: Vec<_> = books.map(|book| book.unit).collect();
        let mut found = Vec::new();
        // Errands stand in a list of their own, of the same shape; a clerk looks for either in one box.
        for from in units
            .into_iter()
            .flat_map(|unit| [name::listed(unit), name::errands(unit)])
        {
            let scan = &mut |key: &[u8], state: &[u8]| {
                let on = name::listed_on(key);
                // Newest first: what is older than asked for ends the way.
                if sought.from.is_some_and(|from| on.is_none_or(|on| on < from)) {
                    return Scan::Stop;
                }
                let late = sought.until.is_some_and(|until| on.is_none_or(|on| on > until));
                let other = sought.state.as_ref().is_some_and(|s| s.as_bytes() != state);
                if let Some((place, of)) = name::listed_place(key).zip(name::tail(key)).filter(|_| !late && !other) {
                    found.push(Candidate { place, of });
                }
                Scan::On
            };
            let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Rising, scan);
            scanned.map_err(|e| texts::store_failed(&e))?;
        }
        Ok(found)
    }

    /// Cheap things first: number, matter and person are in memory, a row lies on the disk.
    fn answers(&self, sought: &Sought, candidate: &Candidate) -> Result<Answer, CommandError> {
        let matter = self.finder.matter(&candidate.of).unwrap_or_default();
        if sought.matter.as_deref().is_some_and(|code| code != matter) {
            return Ok(Answer::No);
        }
        let mut masked = Vec::new();
        let mut digits = [0; name::LISTED_NO_BYTES];
        let no = name::place_no(&candidate.place, &mut digits);
        for Asked { word, matters } in &sought.words {
            let by_number = matches!(word, Word::Digits(d) | Word::Text(d) if no.contains(d.as_str()));
            if by_number || matters.contains(matter) {
                continue;
            }
            match self.finder.fits(&candidate.of, word) {
                Some(true) => {}
                None if !matches!(word, Word::Digits(_)) => masked.push(word),
                _ => return Ok(Answer::No),
            }
        }
        if masked.is_empty() {
            return Ok(Answer::Yes(None));
        }
        // Nobody's values are opened: what lists show of the name is all that can be told, and the page says so.
        let Some(row) = self.row(candidate.of)? else {
            return Ok(Answer::No);
        };
        let shown = row.summary.masked_name.as_deref().unwrap_or_default();
        let fits = |word: &&Word| match word {
            Word::Masked(text) => shown == text,
            Word::Text(text) => !shown.is_empty() && shown == ledger::mask::name(text),
            Word::Digits(_) => false,
        };
        Ok(match masked.iter().all(fits) {
            true => Answer::Yes(Some(Box::new(row))),
            false => Answer::No,
        })
    }
}

/// Whether a case answers; with its row where that had to be read.
enum Answer {
    Yes(Option<Box<RecordRow>>),
    No,
}
