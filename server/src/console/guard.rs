//! What holds for every request and every answer, whichever page it is: no state changes on the
//! word of another site, nothing runs or loads that we did not embed, nothing stays in a cache.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Transport;
use super::problem::Problem;

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Puts the protective headers on every answer.
pub(super) async fn headers(
    State(transport): State<Transport>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // With `no-referrer` browsers send `Origin: null` on our own forms, and we need it.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if transport == Transport::Tls {
        // A year: whoever came by TLS once is not led back to clear text.
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses a request that could change something unless it comes from a page of this server.
pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_safe || is_from_here(request.headers(), host(&request)) {
        next.run(request).await
    } else {
        Problem::AnotherSite.into_response()
    }
}

/// How browsers name this server: HTTP/1 says it in a header, HTTP/2 in the address.
fn host(request: &Request) -> Option<&str> {
    let header = request.headers().get(header::HOST);
    let said = header.and_then(|host| host.to_str().ok());
    said.or_else(|| request.uri().authority().map(Authority::as_str))
}

/// Browsers say where a form was sent from, by `Sec-Fetch-Site`, by `Origin` or by both; whichever is
/// said must be us, and silence is no browser of ours.
fn is_from_here(headers: &HeaderMap, host: Option<&str>) -> bool {
    let site = headers.get("sec-fetch-site");
    let origin = headers.get(header::ORIGIN);
    let is_site_ours = site.is_none_or(|site| site == "same-origin");
    let is_origin_ours = origin.is_none_or(|origin| is_our_origin(origin, host));
    (site.is_some() || origin.is_some()) && is_site_ours && is_origin_ours
}

fn is_our_origin(origin: &HeaderValue, host: Option<&str>) -> bool {
    let authority = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, authority)| authority);
    // The scheme is the proxy's matter: behind it we always see clear text.
    matches!((host, authority), (Some(host), Some(authority)) if host.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn a_form_of_ours_is_told_from_one_of_another_site() {
        let host = ("host", "ward.example:8080");
        for (pairs, expected) in [
            (vec![host, ("origin", "http://ward.example:8080")], true),
            (vec![host, ("origin", "https://WARD.example:8080")], true),
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (
                vec![
                    host,
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "http://ward.example:8080"),
                ],
                true,
            ),
            (vec![host], false),
            (vec![host, ("origin", "null")], false),
            (vec![host, ("origin", "http://ward.example")], false),
            (vec![host, ("origin", "http://evil.example:8080")], false),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (vec![host, ("sec-fetch-site", "none")], false),
            (
                vec![
                    host,
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://ward.example:8080"),
                ],
                false,
            ),
            (vec![("origin", "http://ward.example:8080")], false),
        ] {
            let headers = headers(&pairs);
            let host = headers.get("host").map(|host| host.to_str().unwrap());
            assert_eq!(is_from_here(&headers, host), expected, "{pairs:?}");
        }
    }
}
