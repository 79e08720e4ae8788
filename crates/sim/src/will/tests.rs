//! People act, are understood or refused, and what they do covers the table.

use std::collections::{BTreeMap, BTreeSet};

use ledger::form::Form;

use super::*;

/// Words of the program's own trouble: no clerk's act may ever be answered with them.
const TROUBLE: [&str; 3] = ["disk", "identity", "unknown_command"];

#[test]
fn people_use_the_whole_table_and_every_refusal_says_why_in_chinese() {
    let mut world = World::new(7);
    let county = County::found(&mut world, 1, 2).unwrap();
    let rates = Rates {
        against_table_pm: 200,
        erase_pm: 20,
        import_pm: 20,
        care_pm: 4,
        desk_pm: 250,
        persons: 40,
        ..Rates::default()
    };
    let people = People::new(40, &Catalogue::from_tsv(MATTERS).unwrap());
    let mut dice = Dice::new(11);
    let persons = county.members.iter();
    let mut persons: Vec<(Seat, Person)> = persons
        .map(|m| (m.seat, Person::new(tier_of(&m.unit), &m.unit, rates)))
        .collect();
    let mut events: BTreeMap<String, u32> = BTreeMap::new();
    let mut refused: BTreeSet<&'static str> = BTreeSet::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for n in 0..3_000 {
        let at = n % persons.len();
        let (seat, person) = &mut persons[at];
        let command = person.act(&people, Day::of_wall_ms(DAY_0_MS), &mut dice);
        let answer = world.command(*seat, &command);
        person.heard(&command, &answer);
        world.pass(200);
        match &answer {
            Ok(value) => {
                done.extend(at_desk(&command));
                // The applicant's press is a command of its own.
                let pressed = matches!(command, Command::Evaluate(_)).then_some("evaluate");
                if let Some(event) = pressed.or(value["event"].as_str()) {
                    *events.entry(event.to_owned()).or_default() += 1;
                }
            }
            Err(error) => {
                refused.insert(error.code);
                assert!(!TROUBLE.contains(&error.code), "{command:?}: {error}");
                let chinese = error.message.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert!(chinese, "{command:?}: {}", error.message);
            }
        }
    }
    let kinds = Form::case().events.keys();
    let missing: Vec<_> = kinds
        .filter(|e| !["resolve", "receive"].contains(&e.as_str()) && !events.contains_key(*e))
        .collect();
    assert!(missing.is_empty(), "nobody ever did {missing:?}: {events:?}");
    assert!(refused.contains("refused"), "{refused:?}");
    let errands = ["claim", "progress", "return"];
    assert!(errands.iter().all(|event| events.contains_key(*event)), "{events:?}");
    let wanted = BTreeSet::from(AT_DESK);
    assert_eq!(done, wanted, "{:?}", wanted.difference(&done));
}

/// Work at the desk that somebody does sooner or later.
const AT_DESK: [&str; 11] = [
    "errand", "tick", "print", "close", "keep", "drop", "many", "number", "hold", "lift", "rename",
];

fn at_desk(command: &Command) -> Option<&'static str> {
    Some(match command {
        Command::ErrandNew(_) => "errand",
        Command::CaseTick(_) => "tick",
        Command::CasePrint(_) => "print",
        Command::DayClose(_) => "close",
        Command::DraftKeep(_) => "keep",
        Command::DraftDrop(_) => "drop",
        Command::Work(Work::CaseDoMany(_)) => "many",
        Command::Work(Work::DocGive(_)) => "number",
        Command::Members(Members::Hold(_)) => "hold",
        Command::Members(Members::Lift(_)) => "lift",
        Command::Members(Members::Rename(_)) => "rename",
        _ => return None,
    })
}

#[test]
fn the_same_person_comes_again_and_every_number_proves_itself() {
    let people = People::new(30, &Catalogue::from_tsv(MATTERS).unwrap());
    let mut dice = Dice::new(1);
    let mut seen: BTreeMap<(String, String), u32> = BTreeMap::new();
    for _ in 0..300 {
        let case = people.applicant(&mut dice);
        assert!(ledger::check::resident_id(&case.cert_no).is_ok(), "{}", case.cert_no);
        *seen.entry((case.cert_no, case.matter)).or_default() += 1;
    }
    assert!(seen.values().filter(|n| **n > 1).count() > 20, "{seen:?}");
}

#[test]
fn a_tier_is_read_off_the_code() {
    assert_eq!(tier_of("511603000000"), Tier::County);
    assert_eq!(tier_of("511603104000"), Tier::Township);
    assert_eq!(tier_of("511603104201"), Tier::Room);
}
