//! `cunlian-sim`: tells the stories of seeds.

use sim::{Shape, run_seed};

fn main() {
    let verdict = run_seed(7, &Shape::default());
    println!("{verdict:?}");
}
