//! The county, from outside: real processes of our binaries, told as stories.

mod alone;
mod apart;
mod disk;
mod forks;
mod hostile;
mod membership;
mod privacy;
mod restores;
mod rig;
mod surface;
mod three_tiers;
