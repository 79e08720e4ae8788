//! The will of clerks, township staff and citizens: what somebody does at a device when something is to be done.

use office::command::{CaseNew, Command};

use crate::county::County;
use crate::dice::Dice;
use crate::world::{Seat, World};

/// What the people of a county remember between deeds.
#[derive(Default)]
pub struct Will {
    cases: u64,
}

impl Will {
    /// Somebody does something at a device. All choices come from `dice`, so that a deed can be dropped from a story without changing
    /// those that follow. Returns what was done, for the story.
    pub fn act(&mut self, world: &mut World, county: &County, seat: Seat, dice: &mut Dice) -> String {
        let _ = county;
        self.cases += 1;
        let new = CaseNew {
            matter: "B23".to_owned(),
            name: "张三".to_owned(),
            cert_no: cert_no(dice.below(1_000)),
            mobile: Some("13800138000".to_owned()),
            ..CaseNew::default()
        };
        match world.command(seat, &Command::CaseNew(new)) {
            Ok(made) => format!("records case {}", made["project_no"].as_str().unwrap_or("?")),
            Err(error) => format!("cannot record a case: {}", error.code),
        }
    }
}

/// A resident number that proves itself.
pub fn cert_no(person: u64) -> String {
    let body = format!("51160319800101{:03}", person % 1_000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: usize = body.bytes().zip(weights).map(|(b, w)| usize::from(b - b'0') * w).sum();
    let check = "10X98765432".as_bytes()[sum % 11];
    format!("{body}{}", char::from(check))
}
