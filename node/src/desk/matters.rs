//! Finding one of 128 matters as a clerk types: by 拼音 initials, by whole 拼音, by a piece of the name, by code.

use pinyin::{ToPinyin, ToPinyinMulti};
use serde::Deserialize;

/// Offered at once: what fits on an old screen without scrolling.
const OFFERED: usize = 8;

/// A matter as the office lists it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Matter {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) group: String,
    pub(super) village_role: String,
    pub(super) handling: String,
    pub(super) on_the_spot: bool,
    pub(super) opens_errand: bool,
    pub(super) promised_workdays: u32,
    pub(super) materials: Vec<String>,
    pub(super) used: u64,
}

/// The catalogue with what it is searched by.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Matters {
    pub(super) matters: Vec<Matter>,
}

/// Of each character of a name, the first letters with which it may be read: 重 is z or c.
fn letters(name: &str) -> Vec<Vec<u8>> {
    let one = |c: char| {
        let mut letters: Vec<u8> = match c.to_pinyin_multi() {
            Some(readings) => readings
                .into_iter()
                .filter_map(|p| p.first_letter().bytes().next())
                .collect(),
            None => c
                .to_ascii_lowercase()
                .to_string()
                .bytes()
                .take(1)
                .filter(u8::is_ascii_alphanumeric)
                .collect(),
        };
        letters.sort_unstable();
        letters.dedup();
        letters
    };
    // Brackets and dots are never typed.
    name.chars().map(one).filter(|l| !l.is_empty()).collect()
}

/// The name in whole 拼音 without tones, by its most usual reading.
fn spelled(name: &str) -> String {
    let plain = name.chars().map(|c| {
        c.to_pinyin()
            .map_or_else(|| c.to_ascii_lowercase().to_string(), |p| p.plain().to_owned())
    });
    plain.collect()
}

/// Where `typed` stands in the initials of a name.
fn at_initials(name: &str, typed: &[u8]) -> Option<usize> {
    let letters = letters(name);
    let fits = |window: &[Vec<u8>]| window.iter().zip(typed).all(|(may, is)| may.contains(is));
    letters.windows(typed.len().max(1)).position(fits)
}

/// How well a matter answers what was typed, the smallest best; `None`: not at all.
fn rank(matter: &Matter, typed: &str) -> Option<usize> {
    if typed == matter.code.to_ascii_lowercase() {
        return Some(0);
    }
    if let Some(at) = matter.name.find(typed) {
        return Some(if at == 0 { 1 } else { 3 });
    }
    if typed.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        match at_initials(&matter.name, typed.as_bytes()) {
            Some(0) => return Some(2),
            Some(_) => return Some(4),
            None if typed.len() > 2 && spelled(&matter.name).contains(typed) => return Some(5),
            None => {}
        }
    }
    matter.code.to_ascii_lowercase().starts_with(typed).then_some(6)
}

impl Matters {
    /// The best answers; with nothing typed, those that this room uses most.
    pub(super) fn find(&self, typed: &str) -> Vec<&Matter> {
        let typed = ledger::check::fold_width(typed).to_lowercase();
        let typed: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
        let mut found: Vec<(usize, &Matter)> = match typed.is_empty() {
            true => self.matters.iter().filter(|m| m.used > 0).map(|m| (0, m)).collect(),
            false => self
                .matters
                .iter()
                .filter_map(|m| Some((rank(m, &typed)?, m)))
                .collect(),
        };
        found.sort_by_key(|(rank, m)| (*rank, std::cmp::Reverse(m.used)));
        found.into_iter().take(OFFERED).map(|(_, m)| m).collect()
    }

    /// The matter of a code.
    pub(super) fn of(&self, code: &str) -> Option<&Matter> {
        self.matters.iter().find(|m| m.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Matters {
        let text = include_str!("../../../crates/ledger/data/matters.tsv");
        let all = ledger::catalogue::Catalogue::from_tsv(text).unwrap();
        let matter = |m: ledger::catalogue::Matter| Matter {
            on_the_spot: m.is_on_the_spot(),
            opens_errand: m.opens_errand(),
            handling: m.handling_type.label().to_owned(),
            used: u64::from(m.code == "A06") * 3,
            code: m.code,
            name: m.name,
            group: m.group,
            village_role: m.village_role,
            promised_workdays: m.promised_workdays,
            materials: m.materials,
        };
        Matters {
            matters: all.matters.into_iter().map(matter).collect(),
        }
    }

    #[test]
    fn a_matter_is_found_as_clerks_type_it() {
        let matters = catalogue();
        assert_eq!(matters.matters.len(), 128);
        for (typed, code) in [
            ("A01", "A01"),
            ("a01", "A01"),
            ("宅基地", "A01"),
            ("nccmzzyd", "A01"),
            ("gtgs", "A06"),
            ("ＧＴＧＳ", "A06"),
            ("gt gs", "A06"),
            ("linmucaifa", "A03"),
            ("林木采伐", "A03"),
        ] {
            let found = matters.find(typed);
            assert!(
                found.iter().any(|m| m.code == code),
                "{typed}: {:?}",
                found.iter().map(|m| &m.name).collect::<Vec<_>>()
            );
        }
        // What a room has done before stands first among equals, and alone while nothing is typed.
        assert_eq!(matters.find("gtgs")[0].code, "A06");
        assert_eq!(
            matters.find("").iter().map(|m| m.code.as_str()).collect::<Vec<_>>(),
            ["A06"]
        );
        assert!(matters.find("zzzzzz").is_empty());
    }

    #[test]
    fn every_matter_is_found_by_all_its_initials() {
        let matters = catalogue();
        for matter in &matters.matters {
            let typed: Vec<u8> = letters(&matter.name).iter().map(|l| l[0]).collect();
            let typed = String::from_utf8(typed).unwrap();
            assert!(
                matters.find(&typed).iter().any(|m| m.code == matter.code),
                "{typed} {}",
                matter.name
            );
        }
    }
}
