//! Every door of the console and whom it opens to. A route that is not in the table fails the test.

use axum::http::StatusCode;

use super::browser::{Browser, Office, Page, call};

/// What the page says to nobody, to triage, to the chair and to an administrator.
const DOORS: &[(&str, &str, [u16; 4])] = &[
    ("GET", "/", [303, 303, 303, 303]),
    ("GET", "/login", [200, 303, 303, 303]),
    ("POST", "/login", [401, 401, 401, 401]),
    ("POST", "/login/code", [401, 401, 401, 401]),
    ("POST", "/logout", [303, 303, 303, 303]),
    ("GET", "/cases", [303, 200, 200, 403]),
    ("GET", "/cases/{id}", [303, 200, 200, 403]),
    ("POST", "/cases/{id}/accept", [401, 303, 303, 403]),
    ("POST", "/cases/{id}/assign", [401, 422, 422, 403]),
    ("POST", "/cases/{id}/answer", [401, 422, 422, 403]),
    ("POST", "/cases/{id}/close", [401, 409, 409, 403]),
    ("POST", "/cases/{id}/note", [401, 422, 422, 403]),
    ("POST", "/cases/{id}/denunciation", [401, 422, 422, 403]),
    ("GET", "/desk", [303, 200, 200, 403]),
    ("POST", "/desk", [401, 422, 422, 403]),
    ("GET", "/devices", [303, 404, 200, 200]),
    ("POST", "/devices/{id}/revoke", [303, 404, 404, 404]),
    ("GET", "/quarantine", [303, 200, 200, 403]),
    ("GET", "/quarantine/{number}", [303, 404, 404, 403]),
    ("POST", "/quarantine/{number}/take", [401, 404, 404, 403]),
    ("POST", "/quarantine/{number}/discard", [401, 404, 404, 403]),
    ("GET", "/requests", [303, 200, 200, 403]),
    ("POST", "/requests", [401, 422, 422, 403]),
    ("POST", "/requests/{number}/answer", [401, 404, 404, 403]),
    ("POST", "/requests/{number}/close", [401, 404, 404, 403]),
    ("POST", "/requests/{number}/access", [401, 404, 404, 403]),
    ("GET", "/account", [303, 200, 200, 200]),
    ("POST", "/account/sessions", [303, 200, 200, 200]),
    ("POST", "/account/password", [303, 422, 422, 422]),
    ("POST", "/account/second-factor", [303, 303, 303, 303]),
    (
        "POST",
        "/account/second-factor/confirm",
        [303, 422, 422, 422],
    ),
    (
        "POST",
        "/account/second-factor/remove",
        [303, 422, 422, 422],
    ),
    ("POST", "/account/recovery-codes", [303, 422, 422, 422]),
    ("GET", "/audit", [303, 404, 200, 200]),
    ("GET", "/attachments/{hash}", [303, 404, 404, 403]),
    ("GET", "/assets/{name}", [404, 404, 404, 404]),
    ("GET", "/healthz", [200, 200, 200, 200]),
];

fn filled(path: &str, case: &str) -> String {
    path.replace("{id}", case)
        .replace("{number}", "7")
        .replace("{hash}", &"0".repeat(64))
        .replace("{name}", "nothing.css")
}

async fn ask(browser: &mut Browser, method: &str, path: &str) -> Page {
    match method {
        "GET" => browser.get(path).await,
        _ => browser.post(path, &[]).await,
    }
}

#[tokio::test]
async fn every_door_opens_to_those_for_whom_it_is_and_to_nobody_else() {
    let office = Office::open();
    for (method, path, expected) in DOORS {
        for (login, expected) in [None, Some("dung"), Some("thinh"), Some("quantri")]
            .into_iter()
            .zip(expected)
        {
            // A session and a case for each, since some doors end the one and change the other.
            let case = office.record(call("Đèn đường tắt")).to_string();
            let mut browser = match login {
                Some(login) => office.signed_in(login).await,
                None => office.browser(),
            };
            let page = ask(&mut browser, method, &filled(path, &case)).await;
            assert_eq!(
                page.status.as_u16(),
                *expected,
                "{method} {path} to {login:?}"
            );
        }
    }
}

#[tokio::test]
async fn no_form_is_taken_from_another_site() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt")).to_string();
    let mut chair = office.signed_in("thinh").await;
    for (method, path, _) in DOORS {
        if *method == "POST" {
            let path = filled(path, &case);
            for site in [Some("cross-site"), Some("same-site"), None] {
                let page = chair.post_from(site, &path, String::new()).await;
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} from {site:?}");
            }
        }
    }
}

#[test]
fn no_door_is_missing_in_the_table() {
    let source = include_str!("../../src/console.rs");
    let routes = source.split(".route(").skip(1).map(|rest| {
        let path = rest.split('"').nth(1).expect("a path");
        let handlers = rest.split(")\n").next().expect("handlers");
        (path, handlers)
    });
    let mut count = 0;
    for (path, handlers) in routes {
        for (method, word) in [("GET", "get("), ("POST", "post(")] {
            if handlers.contains(word) {
                count += 1;
                let is_known = DOORS.iter().any(|door| (door.0, door.1) == (method, path));
                assert!(
                    is_known,
                    "{method} {path} is in no table: whom does it open to?"
                );
            }
        }
    }
    assert_eq!(count, DOORS.len());
}
