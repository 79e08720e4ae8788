//! The county, from outside: real processes of our binaries, told as stories.

mod alone;
mod apart;
mod bad_lines;
mod clocks;
mod cut_off;
mod disk;
mod flood;
mod foe;
mod forks;
mod hostile;
mod hostile_member;
mod hostile_record;
#[cfg(target_os = "linux")]
mod hosts;
mod membership;
mod memory;
mod privacy;
mod recount;
mod restores;
mod rig;
mod siege;
mod stolen;
mod surface;
mod three_tiers;
mod watched;
