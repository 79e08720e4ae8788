//! A simulated county: the real `ledger`, `replica`, `store` and `office` of every device in one thread, with virtual time, one seed.
//!
//! ```text
//!   seed ──story: actions──▶ will, blow, malice: deeds, faults──▶ World ──frames, ticks, commits──▶ Office … Office
//!                                                                   │ every command, commit, opening
//!                                                                   ▼
//!                                              trace (hash of all seen)   oracle (what must always hold)
//! ```
//!
//! A failing seed is a story that anybody can be told again: `cargo run --release -p cunlian-sim -- --seed N`.

pub mod blow;
pub mod clock;
pub mod county;
pub mod dice;
pub mod fault;
pub mod line;
pub mod malice;
pub mod month;
pub mod oracle;
pub mod shrink;
pub mod story;
pub mod trace;
pub mod under_way;
pub mod will;
pub mod world;

pub use story::{Shape, Verdict, run_seed};
