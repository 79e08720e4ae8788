//! Small on the line, quick in the hub.

use super::*;

#[test]
fn a_case_of_three_changes_is_small() {
    let mut held = Held::open(ROOM, "SPOT");
    held.act(ROOM, "accept");
    held.close(ROOM, 6);
    let sizes: Vec<usize> = held.0.iter().map(|(_, change)| change.len()).collect();
    println!("{sizes:?}");
    assert!(sizes[0] <= 420, "creation {} bytes", sizes[0]);
    assert!(sizes[1] <= 130 && sizes[2] <= 140, "{sizes:?}");
}
