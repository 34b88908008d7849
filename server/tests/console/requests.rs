//! What people ask about their own data: kept with its days, and done.

use axum::http::{StatusCode, header};
use gandan_core::model::DocumentId;
use gandan_server::app::DeskCase;
use gandan_server::ward::RequestKind;
use uuid::Uuid;

use super::browser::{Browser, Office, PASSWORD, Page, call};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A case with a person of whom the ward knows the name.
fn known(office: &Office) -> Uuid {
    office.record(DeskCase {
        citizen: Some(gandan_core::model::Person {
            name: Some("Trần <b>Thị</b> Thịnh".to_owned()),
            phone: Some("0903343439".to_owned()),
            ..Default::default()
        }),
        ..call("Ngập ở hẻm 12")
    })
}

async fn ask(browser: &mut Browser, kind: &str, case: &str) -> Page {
    let fields = [
        ("kind", kind),
        ("asker", "Bà Thịnh, 0903 343 439"),
        ("case", case),
    ];
    browser.post("/requests", &fields).await
}

fn is_named(office: &Office, case: Uuid) -> bool {
    let person = office.ward.document(DocumentId::person_of(case)).unwrap();
    person.is_some()
}

#[tokio::test]
async fn a_request_has_its_days_and_is_said_to_be_late() {
    let office = Office::open();
    let mut clerk = office.signed_in("dung").await;
    // Monday 2 March 2026.
    let noted = ask(&mut clerk, "withdrawal", "").await;
    assert!(
        noted.body.contains("Trả lời trước hết ngày 04/03/2026"),
        "{}",
        noted.body
    );
    assert!(
        !noted.body.contains("Xóa và đóng"),
        "without a case nobody is erased"
    );
    office.clock.advance(2 * DAY_MS);
    let mut clerk = office.signed_in("dung").await;
    let page = clerk.get("/requests").await;
    assert!(page.body.contains("Trả lời trước hết ngày 04/03/2026"));
    office.clock.advance(DAY_MS);
    let mut clerk = office.signed_in("dung").await;
    let page = clerk.get("/requests").await;
    assert!(page.body.contains("Quá hạn trả lời từ ngày 04/03/2026"));
    let page = clerk.post("/requests/1/answer", &[]).await;
    assert!(
        page.body.contains("Thực hiện trước hết ngày 17/03/2026"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn whoever_wants_to_be_forgotten_is_and_the_case_stays() {
    let office = Office::open();
    let case = known(&office);
    let mut clerk = office.signed_in("dung").await;
    ask(&mut clerk, "erasure", &case.to_string()).await;
    let refused = clerk
        .post("/requests/1/close", &[("outcome", "refused")])
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "why not?");
    assert!(is_named(&office, case));
    let closed = clerk
        .post("/requests/1/close", &[("outcome", "done")])
        .await;
    assert_eq!(closed.status, StatusCode::OK);
    assert!(!closed.body.contains("Bà Thịnh"), "nor who asked");
    assert!(!is_named(&office, case));
    assert!(office.ward.case(case).unwrap().is_some());
    let again = clerk
        .post("/requests/1/close", &[("outcome", "done")])
        .await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_person_is_given_what_is_theirs_and_no_internal_note() {
    let office = Office::open();
    let case = known(&office);
    let mut clerk = office.signed_in("dung").await;
    for (text, visibility) in [("Nghi hàng xóm", "internal"), ("Mai có thợ", "reply")] {
        let note = [("text", text), ("visibility", visibility)];
        clerk.post(&format!("/cases/{case}/note"), &note).await;
    }
    ask(&mut clerk, "access", &case.to_string()).await;
    let copy = clerk.post("/requests/1/access", &[]).await;
    assert_eq!(
        copy.header(header::CONTENT_DISPOSITION),
        "attachment; filename=\"thong-tin-1.html\""
    );
    assert!(
        copy.body.contains("Trần &#60;b&#62;Thị&#60;/b&#62; Thịnh"),
        "{}",
        copy.body
    );
    assert!(copy.body.contains("Mai có thợ"));
    assert!(!copy.body.contains("Nghi hàng xóm"));
    let told = office
        .ward
        .audit_records(&gandan_server::ward::audit::Filter {
            kind: gandan_server::ward::audit::Kind::from_code("subject_access"),
            limit: 10,
            ..Default::default()
        })
        .unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].actor, "staff");
}

#[tokio::test]
async fn what_cannot_be_taken_comes_back_as_it_was_typed() {
    let office = Office::open();
    let mut clerk = office.signed_in("dung").await;
    for (kind, case) in [("", ""), ("access", "PA-9999"), ("nothing", "")] {
        let page = ask(&mut clerk, kind, case).await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{kind} {case}"
        );
        assert!(page.body.contains("Bà Thịnh, 0903 343 439"));
    }
    assert!(office.ward.requests().unwrap().is_empty());
    assert_eq!(RequestKind::from_code("nothing"), None);
}

#[tokio::test]
async fn a_request_typed_before_the_session_ended_is_there_after_signing_in_again() {
    let office = Office::open();
    let mut browser = office.browser();
    let typed = [("kind", "access"), ("asker", "Bà Thịnh, 0903 343 439")];
    let page = browser.post("/requests", &typed).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    let page = signed_in_again(&mut browser, &page).await;
    assert!(page.body.contains("Bà Thịnh, 0903 343 439"));
    assert!(page.body.contains("chưa được ghi"));
    assert!(page.body.contains("Chưa có yêu cầu nào"));
}

#[tokio::test]
async fn whoever_signs_in_again_is_led_back_to_the_list_and_nothing_was_done() {
    for (path, list) in [
        ("/requests", "/requests"),
        ("/requests/1/close", "/requests"),
        ("/quarantine/1", "/quarantine/1"),
        ("/quarantine/1/take", "/quarantine"),
    ] {
        let office = Office::open();
        let mut browser = office.browser();
        let page = match path.matches('/').count() {
            3 => browser.post(path, &[]).await,
            _ => {
                let login = browser.get(path).await;
                browser.get(login.location()).await
            }
        };
        let page = signed_in_again(&mut browser, &page).await;
        assert_eq!(
            (page.status, page.location()),
            (StatusCode::SEE_OTHER, list),
            "{path}"
        );
    }
}

async fn signed_in_again(browser: &mut Browser, form: &Page) -> Page {
    let (path, body) = (form.hidden("resume_path"), form.hidden("resume_body"));
    let fields = [
        ("login", "dung"),
        ("password", PASSWORD),
        ("resume_path", &*path),
        ("resume_body", &*body),
    ];
    browser.post("/login", &fields).await
}
