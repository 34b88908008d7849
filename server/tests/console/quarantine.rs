//! What a revoked phone handed over, in the hands of those who decide about it.

use axum::http::StatusCode;
use gandan_core::model::DeviceId;
use gandan_core::replica::NewCase;
use gandan_server::ward::audit::Filter;
use uuid::Uuid;

use super::browser::Office;

/// A revoked phone has handed over one case.
fn handed_over(office: &Office, words: &str) -> Uuid {
    let (_folder, phone) = office.phone("Trần Văn Đạt");
    let case = NewCase {
        text: words.to_owned(),
        category: "flooding".to_owned(),
        ..NewCase::default()
    };
    let id = phone.record_case(case).unwrap().id;
    let device = DeviceId::of(&phone.device_key());
    let sealed = phone.rescue_file().unwrap();
    office.ward.revoke(device).unwrap();
    let begun = office.ward.begin_hand_over(device, Some(sealed.len()));
    let number = begun.unwrap().unwrap();
    office.ward.keep_handed_over(number, 0, &sealed).unwrap();
    office.ward.end_hand_over(number).unwrap();
    id
}

#[tokio::test]
async fn what_was_handed_over_is_read_and_let_in() {
    let office = Office::open();
    let case = handed_over(&office, "Ngập <b>sâu</b> ở hẻm 12");
    let mut clerk = office.signed_in("dung").await;
    let list = clerk.get("/quarantine").await;
    assert!(list.body.contains("Trần Văn Đạt"), "{}", list.body);
    assert!(!list.body.contains("hẻm 12"), "a list tells no content");
    let file = clerk.get("/quarantine/1").await;
    assert!(
        file.body
            .contains("Nội dung: Ngập &#60;b&#62;sâu&#60;/b&#62; ở hẻm 12"),
        "{}",
        file.body
    );
    assert_eq!(office.ward.case(case).unwrap(), None);
    let taken = clerk.post("/quarantine/1/take", &[]).await;
    assert!(taken.body.contains("Đã nhận 1 mục"), "{}", taken.body);
    assert!(office.ward.case(case).unwrap().is_some());
    let again = clerk.post("/quarantine/1/take", &[]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_thrown_away_is_gone_and_the_trail_tells_who_did_what() {
    let office = Office::open();
    let case = handed_over(&office, "Ngập ở hẻm 12");
    let mut chair = office.signed_in("thinh").await;
    chair.get("/quarantine/1").await;
    let gone = chair.post("/quarantine/1/discard", &[]).await;
    assert!(gone.body.contains("Không có gì chờ"), "{}", gone.body);
    assert_eq!(office.ward.case(case).unwrap(), None);
    let trail = office
        .ward
        .audit_records(&Filter {
            limit: 100,
            ..Filter::default()
        })
        .unwrap();
    let told: Vec<_> = trail
        .iter()
        .filter(|entry| entry.kind == "quarantine")
        .map(|entry| (entry.outcome.as_str(), entry.actor.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("discarded", "staff"),
            ("read", "staff"),
            ("received", "device")
        ]
    );
}
