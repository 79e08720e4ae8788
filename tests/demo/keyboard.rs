//! What is typed while the demo runs.

use std::io::{self, BufRead};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// One line that was typed. Rooms and townships are counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Cut(usize),
    Heal(usize),
    KillTownship(usize),
    New(usize),
    Quit,
    Unknown,
}

/// A thread of its own reads standard input; the channel closes when the input does. Each line is counted the moment it comes,
/// because the terminal has moved by then, whenever the order is obeyed.
pub(crate) fn listen(lines: Arc<AtomicUsize>) -> Receiver<Order> {
    let (typed, orders) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            lines.fetch_add(1, Ordering::Relaxed);
            if typed.send(parse(&line)).is_err() {
                break;
            }
        }
    });
    orders
}

fn parse(line: &str) -> Order {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &str| word.parse().ok().filter(|n| *n > 0);
    let order = match words.as_slice() {
        ["cut", n] => number(n).map(Order::Cut),
        ["heal", n] => number(n).map(Order::Heal),
        ["kill", "township", n] => number(n).map(Order::KillTownship),
        ["new", n] => number(n).map(Order::New),
        ["quit" | "exit" | "q"] => Some(Order::Quit),
        _ => None,
    };
    order.unwrap_or(Order::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_the_help_gives_them() {
        assert_eq!(parse("cut 3"), Order::Cut(3));
        assert_eq!(parse(" heal  3 "), Order::Heal(3));
        assert_eq!(parse("kill township 1"), Order::KillTownship(1));
        assert_eq!(parse("new 2"), Order::New(2));
        assert_eq!(parse("quit"), Order::Quit);
        for odd in ["", "cut", "cut 0", "cut x", "kill 1", "new -1"] {
            assert_eq!(parse(odd), Order::Unknown, "{odd}");
        }
    }
}
