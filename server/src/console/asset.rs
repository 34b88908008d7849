//! The files of the page that are the same for everybody, embedded in the program.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// A file that browsers may keep, because its address changes with its content.
pub(super) struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
    version: String,
}

impl Asset {
    fn new(name: &'static str, media_type: &'static str, content: &'static str) -> Self {
        let version = blake3::hash(content.as_bytes()).to_hex()[..12].to_owned();
        Self {
            name,
            media_type,
            content,
            version,
        }
    }

    /// Its address, with the version of the content.
    pub(super) fn url(&self) -> String {
        format!("/assets/{}?v={}", self.name, self.version)
    }
}

/// The style sheet.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/console.css"),
    )
});

/// The script, which only adds comfort.
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/console.js"),
    )
});

/// The mark of Gần Dân.
pub(super) static MARK: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "mark.svg",
        "image/svg+xml",
        include_str!("../../assets/mark.svg"),
    )
});

/// `GET /assets/{name}`
pub(super) async fn show(Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let assets: [&Asset; 3] = [&STYLE, &SCRIPT, &MARK];
    let Some(asset) = assets.into_iter().find(|asset| asset.name == name) else {
        return Problem::NoPage.into_response();
    };
    // A page of another version may ask for what this program no longer has: not to be kept.
    let is_this_version =
        query.as_deref().and_then(|query| query.strip_prefix("v=")) == Some(asset.version.as_str());
    let keep = if is_this_version {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    (
        [
            (header::CONTENT_TYPE, asset.media_type),
            (header::CACHE_CONTROL, keep),
        ],
        asset.content,
    )
        .into_response()
}
