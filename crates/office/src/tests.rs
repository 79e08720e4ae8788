//! Stories of whole counties, told over the rig.

mod compat;
mod county;
mod day;
mod desk;
mod erased;
mod errands;
mod figures;
mod find;
mod health;
mod honest;
mod life;
mod locked;
mod loss;
mod members;
mod merge;
mod month;
mod rot;
mod salvage;
mod settle;
mod storm;
mod tables;
mod tickets;
mod trail;
mod users;
mod window;
mod work;
