//! QR codes as a path of unit squares, for pages and papers.

use qrcodegen::{QrCode, QrCodeEcc};

/// Modules left white around a code, as the standard asks (ISO/IEC 18004, 6.3.8).
pub const QUIET: i32 = 4;

/// A code as SVG path data, and the width of the picture in modules; `None` for what is too long for a code.
pub fn path(text: &str) -> Option<(String, i32)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in 0..code.size() {
            if code.get_module(x, y) {
                path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
            }
        }
    }
    Some((path, code.size() + 2 * QUIET))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_as_the_number_that_it_was_made_of() {
        let number = "51160300112628200011";
        let (path, width) = path(number).unwrap();
        let mut dark = std::collections::BTreeSet::new();
        for square in path.split_terminator("h1v1h-1z") {
            let (x, y) = square.strip_prefix('M').unwrap().split_once(' ').unwrap();
            dark.insert((x.parse::<usize>().unwrap(), y.parse::<usize>().unwrap()));
        }
        // As a camera sees it: the quiet zone is white, the code inside reads as the number.
        let (quiet, side) = (QUIET as usize, (width - 2 * QUIET) as usize);
        assert!(
            dark.iter()
                .all(|(x, y)| (quiet..quiet + side).contains(x) && (quiet..quiet + side).contains(y))
        );
        let grid = rqrr::SimpleGrid::from_func(side, |x, y| dark.contains(&(x + quiet, y + quiet)));
        let (_, text) = rqrr::Grid::new(grid).decode().unwrap();
        assert_eq!(text, number);
    }
}
