//! The worst that happens to a machine: the power goes, a process is killed, the disk is full or fails.

mod full;
mod kill;
mod power;
