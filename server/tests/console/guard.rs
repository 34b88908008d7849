//! What holds for every answer.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};

use super::browser::{Office, call};

#[tokio::test]
async fn every_answer_forbids_what_we_did_not_embed() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut browser = office.signed_in("dung").await;
    for path in [
        "/cases".to_owned(),
        format!("/cases/{case}"),
        "/desk".to_owned(),
        "/nowhere".to_owned(),
        "/healthz".to_owned(),
        "/assets/console.css".to_owned(),
    ] {
        let page = browser.get(&path).await;
        let policy = page.header(header::CONTENT_SECURITY_POLICY);
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(page.header(header::REFERRER_POLICY), "same-origin");
        if !path.starts_with("/assets") {
            assert_eq!(page.header(header::CACHE_CONTROL), "no-store", "{path}");
        }
    }
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut browser = office.signed_in("dung").await;
    let seen = browser.get(&format!("/cases/{case}")).await.hidden("seen");
    let path = format!("/cases/{case}/accept");
    for site in [Some("cross-site"), Some("same-site"), Some("none"), None] {
        let page = browser.post_from(site, &path, format!("seen={seen}")).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{site:?}");
        assert!(page.body.contains("another_site"));
    }
    for origin in ["https://evil.example", "null", "http://127.0.0.1:8081"] {
        let request = Request::post(&path)
            .header(header::HOST, "127.0.0.1:8080")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("seen={seen}")))
            .unwrap();
        assert_eq!(
            browser.send(request).await.status,
            StatusCode::FORBIDDEN,
            "{origin}"
        );
    }
    // Over HTTP/2 the host is in the address.
    let request = Request::post(format!("http://127.0.0.1:8080{path}"))
        .header(header::ORIGIN, "http://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("seen={seen}")))
        .unwrap();
    assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN);
    let sign_out = browser
        .post_from(Some("cross-site"), "/logout", String::new())
        .await;
    assert_eq!(sign_out.status, StatusCode::FORBIDDEN);
    assert_eq!(office.edits(case), 1);
    assert_eq!(
        browser.get("/cases").await.status,
        StatusCode::OK,
        "still signed in"
    );
    // The same request from our own page is done.
    let page = browser
        .post_from(Some("same-origin"), &path, format!("seen={seen}"))
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn reading_changes_nothing() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut browser = office.signed_in("dung").await;
    for verb in ["accept", "assign", "answer", "close", "note"] {
        let page = browser
            .get(&format!("/cases/{case}/{verb}?text=a&seen=b"))
            .await;
        assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED, "{verb}");
        assert!(page.body.contains("no_method"));
    }
    assert_eq!(
        browser.get("/logout").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    for path in ["/cases", "/desk", "/desk?text=a&category=road", "/nowhere"] {
        browser.get(path).await;
    }
    assert_eq!(
        browser.get("/cases").await.status,
        StatusCode::OK,
        "still signed in"
    );
    assert_eq!(office.edits(case), 1);
    assert!(browser.get("/cases").await.body.contains("1 vụ việc"));
}

#[tokio::test]
async fn bodies_and_media_types_that_no_form_of_ours_has_are_refused() {
    let office = Office::open();
    let mut browser = office.signed_in("dung").await;
    let large = format!("text={}", "a".repeat(700 * 1024));
    let page = browser.post_from(Some("same-origin"), "/desk", large).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.body.contains("form_too_large"));
    let json = Request::post("/desk")
        .header(header::HOST, "127.0.0.1:8080")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(browser.send(json).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_not_there_is_said_with_a_code() {
    let office = Office::open();
    let mut browser = office.signed_in("dung").await;
    for (path, code) in [
        ("/nowhere", "no_page"),
        ("/assets/secret.txt", "no_page"),
        ("/assets/..%2Fconsole.css", "no_page"),
        ("/cases/not-an-id", "no_case"),
        ("/cases/01900000-0000-7000-8000-000000000000", "no_case"),
        ("/attachments/abc", "no_photo"),
        (
            "/attachments/0000000000000000000000000000000000000000000000000000000000000000",
            "no_photo",
        ),
        (
            "/desk?recorded=01900000-0000-7000-8000-000000000000",
            "no_case",
        ),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.body.contains(code), "{path}");
        assert!(page.body.contains("lang=\"vi\""), "{path}");
    }
}

#[tokio::test]
async fn assets_are_embedded_and_kept_only_under_their_version() {
    let office = Office::open();
    let mut browser = office.browser();
    let page = browser.get("/login").await;
    let from = page.body.find("/assets/console.css?v=").unwrap();
    let url: String = page.body[from..]
        .chars()
        .take_while(|letter| *letter != '"')
        .collect();
    let style = browser.get(&url).await;
    assert_eq!(style.status, StatusCode::OK);
    assert_eq!(
        style.header(header::CONTENT_TYPE),
        "text/css; charset=utf-8"
    );
    assert!(style.header(header::CACHE_CONTROL).contains("immutable"));
    assert!(!style.body.contains("url(") && !style.body.contains("@import"));
    let other = browser.get("/assets/console.css?v=000000000000").await;
    assert_eq!(other.header(header::CACHE_CONTROL), "no-cache");
    for path in ["/assets/console.js", "/assets/mark.svg"] {
        assert_eq!(browser.get(path).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn health_needs_no_session_and_says_nothing_of_the_ward() {
    let office = Office::open();
    let mut browser = office.browser();
    let page = browser.get("/healthz").await;
    assert_eq!((page.status, page.body.as_str()), (StatusCode::OK, "ok\n"));
    let head = Request::builder()
        .method(Method::HEAD)
        .uri("/healthz")
        .body(Body::empty())
        .unwrap();
    assert_eq!(browser.send(head).await.status, StatusCode::OK);
}
