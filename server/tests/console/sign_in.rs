//! Coming in and going out.

use axum::http::{StatusCode, header};
use gandan_server::console::Transport;

use super::browser::{Office, PASSWORD, call};

#[tokio::test]
async fn nobody_sees_a_page_without_signing_in() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut browser = office.browser();
    for (path, next) in [
        ("/cases".to_owned(), "%2Fcases"),
        ("/cases?q=den".to_owned(), "%2Fcases%3Fq%3Dden"),
        (format!("/cases/{case}"), "%2Fcases%2F"),
        ("/desk".to_owned(), "%2Fdesk"),
        (format!("/attachments/{}", "0".repeat(64)), "%2Fattachments"),
    ] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert!(page.location().starts_with("/sign-in?next="), "{path}");
        assert!(page.location().contains(next), "{path}");
        assert!(!page.body.contains("Đèn"));
    }
    assert_eq!(browser.get("/").await.location(), "/cases");
}

#[tokio::test]
async fn a_clerk_signs_in_and_arrives_where_they_wanted_to_go() {
    let office = Office::open();
    let mut browser = office.browser();
    let form = browser.get("/sign-in?next=%2Fcases%3Fq%3Dden").await;
    assert_eq!(form.status, StatusCode::OK);
    let (path, body) = (form.hidden("resume_path"), form.hidden("resume_body"));
    let page = browser
        .post(
            "/sign-in",
            &[
                ("login", "dung"),
                ("password", PASSWORD),
                ("resume_path", &path),
                ("resume_body", &body),
            ],
        )
        .await;
    assert_eq!(
        (page.status, page.location()),
        (StatusCode::SEE_OTHER, "/cases?q=den")
    );
    let list = browser.get("/cases").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(list.body.contains("Nguyễn Thị Dung") && list.body.contains("Phường Tân H"));
    assert_eq!(browser.get("/sign-in").await.location(), "/cases");
}

#[tokio::test]
async fn another_site_cannot_be_the_place_to_go_to() {
    let office = Office::open();
    let mut browser = office.browser();
    let form = browser
        .get("/sign-in?next=%2F%2Fevil.example%2Fcases")
        .await;
    assert!(!form.body.contains("evil.example"));
    let page = browser
        .post(
            "/sign-in",
            &[
                ("login", "dung"),
                ("password", PASSWORD),
                ("resume_path", "//evil.example"),
                ("resume_body", ""),
            ],
        )
        .await;
    assert_eq!(page.location(), "/cases");
}

#[tokio::test]
async fn a_wrong_password_keeps_the_login_and_gives_no_session() {
    let office = Office::open();
    let mut browser = office.browser();
    for (login, password) in [
        ("dung", "sai mật khẩu"),
        ("khong_co", PASSWORD),
        ("dung", ""),
    ] {
        let page = browser.sign_in(login, password).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert!(page.body.contains("không đúng"));
        assert!(page.body.contains(&format!("value=\"{login}\"")));
        assert!(!page.body.contains(PASSWORD));
        assert!(browser.cookie.is_none());
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_with_a_sentence_that_says_so() {
    let office = Office::open();
    let mut browser = office.browser();
    let mut last = browser.sign_in("dung", "đoán bừa 0").await.status;
    for _ in 0..8 {
        last = browser.sign_in("dung", "đoán bừa").await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let page = browser.sign_in("dung", PASSWORD).await;
    assert!(page.body.contains("Chờ nửa phút"));
    office.clock.advance(31_000);
    assert_eq!(
        browser.sign_in("dung", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server_too() {
    let office = Office::open();
    let mut browser = office.signed_in("dung").await;
    let cookie = browser.cookie.clone();
    let page = browser.post("/sign-out", &[]).await;
    assert_eq!(page.location(), "/sign-in");
    assert!(browser.cookie.is_none());
    browser.cookie = cookie;
    assert_eq!(browser.get("/cases").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    let office = Office::open();
    let mut browser = office.signed_in("dung").await;
    let before = browser.cookie.clone();
    browser.sign_in("thinh", PASSWORD).await;
    assert_ne!(browser.cookie, before);
    let mut thief = office.browser();
    thief.cookie = before;
    assert_eq!(thief.get("/cases").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends() {
    let office = Office::open();
    let mut browser = office.signed_in("dung").await;
    assert_eq!(browser.get("/cases").await.status, StatusCode::OK);
    office.clock.advance(31 * 60 * 1000);
    assert_eq!(browser.get("/cases").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_it() {
    let office = Office::open_behind(Transport::Tls);
    let mut browser = office.browser();
    let page = browser.sign_in("dung", PASSWORD).await;
    let cookie = page.header(header::SET_COOKIE);
    assert!(cookie.starts_with("__Host-gandan="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"),
        "{cookie}"
    );
    let list = browser.get("/cases").await;
    assert_eq!(list.status, StatusCode::OK);
    let strict = list.header(header::STRICT_TRANSPORT_SECURITY);
    assert_eq!(strict, "max-age=31536000");
    let clear = Office::open().browser().get("/sign-in").await;
    assert_eq!(clear.header(header::STRICT_TRANSPORT_SECURITY), "");
}

#[tokio::test]
async fn administrators_see_no_case_and_can_sign_out() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut browser = office.signed_in("quantri").await;
    for path in [
        "/cases".to_owned(),
        format!("/cases/{case}"),
        "/desk".to_owned(),
    ] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.body.contains("role_without_cases") && !page.body.contains("Đèn"));
        assert!(page.body.contains("action=\"/sign-out\""));
    }
    let accept = browser.post(&format!("/cases/{case}/accept"), &[]).await;
    assert_eq!(accept.status, StatusCode::FORBIDDEN);
    assert_eq!(office.edits(case), 1);
}
