//! Coming in and going out.

use axum::http::{StatusCode, header};
use gandan_server::console::{Entrance, Transport};

use super::browser::{Browser, Office, PASSWORD, call};

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
        assert!(page.location().starts_with("/login?next="), "{path}");
        assert!(page.location().contains(next), "{path}");
        assert!(!page.body.contains("Đèn"));
    }
    assert_eq!(browser.get("/").await.location(), "/cases");
}

#[tokio::test]
async fn a_clerk_signs_in_and_arrives_where_they_wanted_to_go() {
    let office = Office::open();
    let mut browser = office.browser();
    let form = browser.get("/login?next=%2Fcases%3Fq%3Dden").await;
    assert_eq!(form.status, StatusCode::OK);
    let (path, body) = (form.hidden("resume_path"), form.hidden("resume_body"));
    let page = browser
        .post(
            "/login",
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
    assert_eq!(browser.get("/login").await.location(), "/cases");
}

#[tokio::test]
async fn another_site_cannot_be_the_place_to_go_to() {
    let office = Office::open();
    let mut browser = office.browser();
    let form = browser.get("/login?next=%2F%2Fevil.example%2Fcases").await;
    assert!(!form.body.contains("evil.example"));
    let page = browser
        .post(
            "/login",
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
    let page = browser.post("/logout", &[]).await;
    assert_eq!(page.location(), "/login");
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
    assert_eq!(strict, "max-age=31536000; includeSubDomains");
    let clear = Office::open().browser().get("/login").await;
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
        assert!(page.body.contains("action=\"/logout\""));
    }
    let accept = browser.post(&format!("/cases/{case}/accept"), &[]).await;
    assert_eq!(accept.status, StatusCode::FORBIDDEN);
    assert_eq!(office.edits(case), 1);
}

#[tokio::test]
async fn a_clerk_turns_on_the_second_factor_and_is_asked_for_it() {
    let office = Office::open();
    let mut browser = office.signed_in("dung").await;
    let page = browser.get("/account").await;
    assert!(page.body.contains("phiên này") && page.body.contains("Chưa bật"));
    let begun = browser.post("/account/second-factor", &[]).await;
    assert_eq!(begun.location(), "/account");
    let confirm = "/account/second-factor/confirm";
    let refused = browser.post(confirm, &[("code", "000000")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let secret = turn_on(&office, &mut browser).await;
    assert!(!browser.get("/account").await.body.contains(&secret));

    // The password leads to the code, the code to where they wanted to go.
    office.clock.advance(30_000);
    let mut browser = office.browser();
    let asked = browser
        .post(
            "/login",
            &[
                ("login", "dung"),
                ("password", PASSWORD),
                ("resume_path", "/cases?q=den"),
                ("resume_body", ""),
            ],
        )
        .await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.body.contains("Mã xác thực"));
    for path in ["/cases", "/account", "/audit"] {
        let page = browser.get(path).await;
        assert_eq!(
            page.status,
            StatusCode::SEE_OTHER,
            "{path} opens before the code"
        );
    }
    assert!(browser.get("/login").await.body.contains("Mã xác thực"));
    let resume = [("resume_path", "/cases?q=den"), ("resume_body", "")];
    let wrong = [&[("code", "000000")][..], &resume].concat();
    let refused = browser.post("/login/code", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let code = office.code(&secret);
    let right = [&[("code", code.as_str())][..], &resume].concat();
    let before = browser.cookie.clone();
    let arrived = browser.post("/login/code", &right).await;
    assert_ne!(browser.cookie, before, "the session has another token");
    assert_eq!(
        (arrived.status, arrived.location()),
        (StatusCode::SEE_OTHER, "/cases?q=den")
    );
    assert_eq!(browser.get("/cases").await.status, StatusCode::OK);
}

#[tokio::test]
async fn whoever_lacks_a_required_second_factor_can_only_turn_it_on() {
    let office = Office::open_behind(Entrance {
        transport: Transport::ClearText,
        requires_second_factor: true,
    });
    for login in ["dung", "thinh", "quantri"] {
        let mut browser = office.signed_in(login).await;
        for path in ["/cases", "/desk", "/requests", "/devices", "/audit"] {
            let page = browser.get(path).await;
            assert_ne!(page.status, StatusCode::OK, "{path} to {login}");
        }
        let page = browser.post("/desk", &[("text", "Đèn tắt")]).await;
        assert_eq!(page.location(), "/account", "{login}");
        let page = browser.get("/account").await;
        assert!(page.body.contains("Phường yêu cầu xác thực hai bước"));
    }
    let mut browser = office.signed_in("dung").await;
    turn_on(&office, &mut browser).await;
    assert_eq!(browser.get("/cases").await.status, StatusCode::OK);
}

/// Turns the second factor on; gives its secret.
async fn turn_on(office: &Office, browser: &mut Browser) -> String {
    browser.post("/account/second-factor", &[]).await;
    let page = browser.get("/account").await;
    assert!(page.body.contains("<svg"));
    let mark = "id=\"factor-secret\">";
    let from = page.body.find(mark).unwrap() + mark.len();
    let secret = page.body[from..].split('<').next().unwrap().to_owned();
    let code = office.code(&secret);
    let on = browser
        .post("/account/second-factor/confirm", &[("code", &code)])
        .await;
    assert!(on.body.contains("Còn 10 mã dự phòng"), "{}", on.body);
    secret
}

#[tokio::test]
async fn a_session_left_open_elsewhere_is_seen_and_closed() {
    let office = Office::open();
    let mut left = office.signed_in("thinh").await;
    let mut here = office.signed_in("thinh").await;
    let page = here.get("/account").await;
    let closed = here
        .post("/account/sessions", &[("session", &page.hidden("session"))])
        .await;
    assert_eq!(closed.status, StatusCode::OK);
    assert_eq!(left.get("/cases").await.status, StatusCode::SEE_OTHER);
    assert_eq!(here.get("/cases").await.status, StatusCode::OK);
    assert_eq!(
        office.browser().get("/account").await.location(),
        "/login?next=%2Faccount"
    );
}
