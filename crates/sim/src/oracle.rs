//! What must always hold, looked at after every command, commit, opening and end of a process.

use office::command::{Command, CommandError};
use serde_json::Value;

use crate::world::{Seat, World};

/// When the oracle looks.
#[derive(Debug)]
pub enum Moment<'a> {
    /// A person asked for something and was answered.
    Commanded {
        seat: Seat,
        command: &'a Command,
        answer: &'a Result<Value, CommandError>,
    },
    /// A round has committed; nothing that follows from it has left yet.
    Committed { seat: Seat },
    /// An office was opened.
    Opened { seat: Seat },
    /// A process is gone, by whatever cause; its office can no longer be asked.
    Ended { seat: Seat },
}

/// What it remembers, and what it found.
#[derive(Default)]
pub struct Oracle {
    violations: Vec<String>,
}

impl Oracle {
    /// Looks. Called by the world; must not change anything.
    pub fn watch(&mut self, world: &World, moment: &Moment<'_>) {
        let _ = (world, moment);
    }

    /// After healing and a long quiet: whether all is as it should be.
    pub fn end(&mut self, world: &mut World) {
        let _ = world;
    }

    /// Something did not hold; said in words that a reader of the story understands.
    pub fn violated(&mut self, world: &World, what: String) {
        self.violations.push(format!("at {} ms: {what}", world.now_ms()));
    }

    /// What did not hold, in order.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }
}
