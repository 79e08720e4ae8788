//! The people of a county: who comes to the window, with what. The same persons come again, so duplicates arise by themselves.

use ledger::catalogue::Catalogue;
use ledger::day::Day;
use office::command::CaseNew;

use crate::dice::Dice;

/// Matters that make up most of a room's work.
const USUAL: [&str; 6] = ["B23", "B01", "A02", "B05", "C01", "A01"];
const FAMILY: [&str; 12] = ["张", "李", "王", "陈", "杨", "赵", "欧阳", "𠮷", "邓", "谢", "唐", "罗"];
const GIVEN: [&str; 10] = [
    "三", "秀英", "建国", "桂兰", "小龙", "德·华", "玉梅", "㛃", "天赐", "明",
];

/// Applicants and matters.
#[derive(Clone, Debug)]
pub struct People {
    persons: u64,
    matters: Vec<(String, Vec<String>)>,
}

impl People {
    /// So many persons who come to windows with the matters of a catalogue.
    pub fn new(persons: u64, catalogue: &Catalogue) -> Self {
        let of = |m: &ledger::catalogue::Matter| (m.code.clone(), m.materials.clone());
        Self {
            persons: persons.max(1),
            matters: catalogue.matters.iter().map(of).collect(),
        }
    }

    /// A new case as it is typed.
    pub(crate) fn applicant(&self, dice: &mut Dice) -> CaseNew {
        let person = self.person(dice);
        let mut case = CaseNew {
            matter: self.matter(dice),
            name: name(person),
            cert_no: cert_no(person),
            ..CaseNew::default()
        };
        if dice.per_mille(700) {
            case.mobile = Some(mobile(person, dice.below(3)));
        }
        if dice.per_mille(400) {
            case.address = Some(format!("石莲镇第{}村民小组", person % 9 + 1));
        }
        if dice.per_mille(100) {
            case.note = Some("家中有老人，需上门".to_owned());
        }
        case
    }

    fn person(&self, dice: &mut Dice) -> u64 {
        // A few come very often.
        match dice.below(4) {
            0 => dice.below(self.persons.div_ceil(12)),
            _ => dice.below(self.persons),
        }
    }

    fn matter(&self, dice: &mut Dice) -> String {
        let any = dice.index(self.matters.len());
        let usual = dice.pick(&USUAL).copied().unwrap_or("B23");
        let is_known = self.matters.iter().any(|(code, _)| code == usual);
        match self.matters.get(any) {
            Some((code, _)) if !is_known || dice.per_mille(200) => code.clone(),
            _ => usual.to_owned(),
        }
    }

    /// Materials of a matter, or what somebody calls them.
    pub(crate) fn materials(&self, matter: &str, dice: &mut Dice) -> Vec<String> {
        let names = self
            .matters
            .iter()
            .find(|(code, _)| code == matter)
            .map(|(_, m)| m.as_slice());
        let chosen = names.unwrap_or_default().iter().filter(|_| dice.per_mille(500));
        let mut items: Vec<String> = chosen.cloned().collect();
        if items.is_empty() {
            items.push("身份证".to_owned());
        }
        items
    }

    /// Another value for a field.
    pub(crate) fn value(&self, field: &str, dice: &mut Dice) -> String {
        let person = self.person(dice);
        match field {
            "name" => name(person),
            "cert_no" => cert_no(person),
            "mobile" => mobile(person, dice.below(9)),
            "address" => format!("{}号", dice.below(200)),
            _ => format!("备注 {}", dice.below(1_000)),
        }
    }

    /// A piece of a room's day book. Some rows come a second time, some are wrong.
    pub(crate) fn day_book(&self, dice: &mut Dice, unit: &str, today: Day) -> Vec<u8> {
        let mut text = String::from("登记时间,村室代码,事项编码,申请人,证件号码,手机,住址,办理,办结时间,评价,备注\n");
        for _ in 0..dice.between(1, 7) {
            let person = self.person(dice);
            let on = today.plus(-(dice.below(20) as i32));
            let cert = match dice.per_mille(80) {
                true => "110105194912310021".to_owned(),
                false => cert_no(person),
            };
            let matter = self.matter(dice);
            let (how, closed, rating) = match dice.per_mille(600) {
                true => ("办结", format!("{on} 16:30"), (dice.below(5) + 1).to_string()),
                false => ("收件", String::new(), String::new()),
            };
            text.push_str(&format!(
                "{on} 09:{:02},{unit},{matter},{},{cert},{},,{how},{closed},{rating},\n",
                dice.below(60),
                name(person),
                mobile(person, 0),
            ));
        }
        text.into_bytes()
    }
}

fn name(person: u64) -> String {
    let of = |list: &[&'static str], at: u64| list[at as usize % list.len()];
    format!("{}{}", of(&FAMILY, person), of(&GIVEN, person / 12))
}

fn mobile(person: u64, which: u64) -> String {
    format!("138{which}{:07}", person % 10_000_000)
}

/// A resident number that proves itself, one for every person.
pub(crate) fn cert_no(person: u64) -> String {
    let body = format!("511603{}0101{:03}", 1950 + person / 1000 % 60, person % 1000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: usize = body.bytes().zip(weights).map(|(b, w)| usize::from(b - b'0') * w).sum();
    format!("{body}{}", &"10X98765432"[sum % 11..=sum % 11])
}
