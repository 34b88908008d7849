//! Somebody comes to the desk.

use axum::http::StatusCode;
use gandan_core::model::{ReportedKind, Source, Status, Urgency};
use uuid::Uuid;

use super::browser::Office;

#[tokio::test]
async fn a_walk_in_becomes_a_case_with_a_code_to_read_out() {
    let office = Office::open();
    let mut browser = office.signed_in("dung").await;
    let area = office.ward.directory().unwrap().areas[0].code.clone();
    let page = browser
        .post(
            "/desk",
            &[
                ("source", "letter"),
                ("kind", "petition"),
                (
                    "text",
                    "Xin thêm đèn ở hẻm 12.\r\nKính đề nghị phường xem xét.",
                ),
                ("category", "lighting"),
                ("urgency", "high"),
                ("area", &area),
                ("place", "hẻm 12 Bắc Hải"),
                ("name", "Trần Thị Thịnh"),
                ("phone", "+84 903 343 439"),
            ],
        )
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    let id: Uuid = page
        .location()
        .strip_prefix("/desk?recorded=")
        .unwrap()
        .parse()
        .unwrap();
    let case = office.ward.case(id).unwrap().unwrap();
    assert_eq!(case.source, Source::Letter);
    assert_eq!(case.reported_kind, ReportedKind::Petition);
    assert_eq!(case.urgency, Urgency::High);
    assert_eq!(case.status, Status::Recorded);
    assert_eq!(case.area, Some(area));
    assert_eq!(
        case.text,
        "Xin thêm đèn ở hẻm 12.\nKính đề nghị phường xem xét."
    );
    let done = browser.get(page.location()).await;
    assert!(
        done.body
            .contains(&format!("id=\"short-code\">{}<", case.code))
    );
    let shown = browser.get(&format!("/cases/{id}")).await;
    assert!(shown.body.contains("Trần Thị Thịnh") && shown.body.contains("0903 343 439"));
}

#[tokio::test]
async fn a_mistake_at_the_desk_loses_nothing_that_was_typed() {
    let office = Office::open();
    let mut browser = office.signed_in("dung").await;
    let page = browser
        .post(
            "/desk",
            &[
                ("source", "phone"),
                ("kind", "complaint"),
                ("text", "Không đồng ý quyết định số 12 <về đất>"),
                ("category", ""),
                ("urgency", "urgent"),
                ("place", "hẻm \"12\""),
                ("name", "Trần Thị Thịnh"),
                ("phone", "0903 34"),
                ("address", "12/3 Bắc Hải"),
                ("contact_name", "Anh Nam"),
                ("contact_phone", "0903343440"),
            ],
        )
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in [
        "value=\"phone\" checked",
        "value=\"complaint\" checked",
        "Không đồng ý quyết định số 12 &#60;về đất&#62;",
        "value=\"urgent\" selected",
        "value=\"hẻm &#34;12&#34;\"",
        "value=\"Trần Thị Thịnh\"",
        "value=\"0903 34\"",
        "value=\"12/3 Bắc Hải\"",
        "value=\"Anh Nam\"",
        "value=\"0903343440\"",
        "Chọn lĩnh vực.",
        "Không phải số điện thoại",
    ] {
        assert!(page.body.contains(kept), "{kept}");
    }
    assert!(
        browser
            .get("/cases")
            .await
            .body
            .contains("Chưa có vụ việc nào")
    );
}

#[tokio::test]
async fn a_form_typed_before_the_session_ended_is_there_after_signing_in_again() {
    let office = Office::open();
    let mut browser = office.browser();
    let page = browser
        .post(
            "/desk",
            &[
                ("text", "Đèn đường tắt"),
                ("category", "lighting"),
                ("name", "Bà Thịnh"),
            ],
        )
        .await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    let fields = [
        ("login", "dung".to_owned()),
        ("password", super::browser::PASSWORD.to_owned()),
        ("resume_path", page.hidden("resume_path")),
        ("resume_body", page.hidden("resume_body")),
    ];
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let page = browser.post("/login", &fields).await;
    assert!(page.body.contains("Đèn đường tắt") && page.body.contains("Bà Thịnh"));
    assert!(page.body.contains("chưa được ghi"));
    assert!(
        browser
            .get("/cases")
            .await
            .body
            .contains("Chưa có vụ việc nào")
    );
}
