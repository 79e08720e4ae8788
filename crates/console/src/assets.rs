//! Style, script and htmx, compiled in. Their addresses carry a hash of what they hold, so a browser keeps them for ever and never
//! shows an old one after an update.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

/// One file of the page.
pub struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    /// Where pages point to.
    pub path: String,
}

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
const ICON: &str = include_str!("../assets/icon.svg");
const HTMX: &str = include_str!("../assets/htmx.min.js");

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        asset("console.css", "text/css; charset=utf-8", STYLE),
        asset("console.js", "text/javascript; charset=utf-8", SCRIPT),
        asset("icon.svg", "image/svg+xml", ICON),
        asset("htmx.js", "text/javascript; charset=utf-8", HTMX),
    ]
});

fn asset(name: &'static str, kind: &'static str, text: &'static str) -> Asset {
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes())[..8]);
    let path = format!("/assets/{hash}/{name}");
    Asset { name, kind, text, path }
}

/// Where a page finds the file of this name.
pub fn path(name: &str) -> &'static str {
    let found = ASSETS.iter().find(|a| a.name == name);
    found.map_or("/assets/missing", |a| a.path.as_str())
}

/// Serves them.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{hash}/{name}", get(serve))
}

async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let wanted = format!("/assets/{hash}/{name}");
    match ASSETS.iter().find(|a| a.path == wanted) {
        Some(asset) => {
            let head = [
                (header::CONTENT_TYPE, asset.kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (head, asset.text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_points_out_of_the_house() {
        for asset in ASSETS.iter().filter(|a| !["htmx.js", "icon.svg"].contains(&a.name)) {
            assert!(
                !asset.text.contains("http://") && !asset.text.contains("https://"),
                "{}",
                asset.name
            );
            assert!(path(asset.name).ends_with(asset.name));
        }
        assert!(!STYLE.contains("@import") && !STYLE.contains("url("));
    }

    /// The relative luminance of WCAG 2.2.
    fn luminance(hex: &str) -> f64 {
        let part = |at: usize| {
            let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    }

    /// Every rule that names both its ink and its paper, held against 7:1; and no letter smaller than 18 px.
    #[test]
    fn every_letter_can_be_read_by_tired_eyes() {
        let mut pairs = 0;
        for rule in STYLE.split('}') {
            let colour = |key: &str| {
                rule.split(['{', ';']).find_map(|part| {
                    let (name, value) = part.split_once(':')?;
                    (name.trim() == key)
                        .then(|| value.trim().strip_prefix('#'))
                        .flatten()
                        .map(str::to_owned)
                })
            };
            if let (Some(ink), Some(paper)) = (colour("color"), colour("background")) {
                let (a, b) = (luminance(&ink), luminance(&paper));
                let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(ratio >= 7.0, "{ratio:.1} in {rule}");
                pairs += 1;
            }
            for size in rule.split("font-size:").skip(1) {
                let px = size.split_once("px").and_then(|(n, _)| n.trim().parse::<f64>().ok());
                // Paper is measured in points, and held nearer to the eye.
                let points = size.split_once("pt").and_then(|(n, _)| n.trim().parse::<f64>().ok());
                let on_paper = points.is_some_and(|pt| pt >= 9.0);
                assert!(on_paper || px.is_some_and(|px| px >= 18.0), "{rule}");
            }
        }
        assert!(pairs >= 8, "only {pairs} rules name both");
        // A rule with an ink of its own and no paper would not be measured.
        for rule in STYLE.split('}') {
            let names = |key: &str| rule.split(['{', ';']).any(|p| p.trim().starts_with(key));
            assert!(!names("color:") || names("background:"), "ink without paper: {rule}");
        }
    }
}
