//! The drawing library and our own few lines over it, compiled in and served packed. Their addresses carry a hash of what they hold.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::console::rights::Routes;

/// Apache ECharts 5.6.0, the build with bars, lines and pies; see `assets/echarts.LICENSE`.
const ECHARTS_GZ: &[u8] = include_bytes!("../../../assets/echarts.simple.min.js.gz");
const CHARTS: &str = include_str!("../../../assets/charts.js");

struct File {
    path: String,
    bytes: &'static [u8],
    packed: bool,
}

static FILES: LazyLock<[File; 2]> = LazyLock::new(|| {
    [
        file("echarts.js", ECHARTS_GZ, true),
        file("charts.js", CHARTS.as_bytes(), false),
    ]
});

fn file(name: &str, bytes: &'static [u8], packed: bool) -> File {
    let hash: String = Sha256::digest(bytes)[..8].iter().map(|b| format!("{b:02x}")).collect();
    let path = format!("/charts/{hash}/{name}");
    File { path, bytes, packed }
}

/// Where a page that draws finds them, in the order in which they are needed.
pub(super) fn scripts() -> [&'static str; 2] {
    [FILES[0].path.as_str(), FILES[1].path.as_str()]
}

pub(super) fn routes() -> Routes {
    Routes::new().everybody("/charts/{hash}/{name}", get(serve))
}

async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let wanted = format!("/charts/{hash}/{name}");
    let Some(file) = FILES.iter().find(|f| f.path == wanted) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let head = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    let mut response = (head, file.bytes).into_response();
    if file.packed {
        // Every browser of the last fifteen years unpacks it.
        let packed = axum::http::HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, packed);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_draws_is_in_the_house_and_packed() {
        assert!(ECHARTS_GZ.starts_with(&[0x1f, 0x8b]) && ECHARTS_GZ.len() < 200_000);
        assert!(!CHARTS.contains("http") && !CHARTS.contains("eval"));
        assert!(scripts().iter().all(|path| path.starts_with("/charts/")));
    }
}
