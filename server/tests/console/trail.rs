//! The page of the audit trail: who may read it, what it finds, and that it tells nothing of a case.

use axum::http::StatusCode;
use gandan_core::document::schema::{self, field};
use gandan_core::model::{Confidentiality, DocumentId};

use super::browser::{Office, call};

const SECRET: &str = "Hàng xóm đánh con mỗi tối";

#[tokio::test]
async fn those_who_oversee_find_who_did_what_and_read_nothing_of_a_case() {
    let office = Office::open();
    let case = office.record(call(SECRET));
    let mut clerk = office.signed_in("dung").await;
    clerk.get(&format!("/cases/{case}")).await;
    let chair = office.ward.session(&office.token("thinh"));
    let chair = chair.unwrap().unwrap();
    let restricted = schema::text_value(Some(Confidentiality::Restricted.code()));
    office
        .ward
        .author(
            chair.author,
            DocumentId::case(case),
            vec![schema::set(field::CONFIDENTIALITY, restricted)],
        )
        .unwrap();
    let mut reader = office.signed_in("thinh").await;
    // A list does not say what a restricted case says: to read it is to open it, and that is told.
    let list = reader.get("/cases").await;
    assert!(!list.body.contains("Hàng xóm") && list.body.contains("Hồ sơ hạn chế"));
    reader.get(&format!("/cases/{case}")).await;

    let mut admin = office.signed_in("quantri").await;
    let page = admin.get("/audit").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for words in [
        "Xử lý hồ sơ tại bàn",
        "Xem hồ sơ hạn chế",
        "Nguyễn Thị Dung",
        "Lê Văn Thịnh",
        &case.to_string(),
    ] {
        assert!(page.body.contains(words), "{words}");
    }
    assert!(!page.body.contains(SECRET) && !page.body.contains("Hàng xóm"));
    // Only the reading after it was restricted is one of a restricted case.
    let found = admin.get("/audit?kind=restricted_read").await;
    assert_eq!(found.body.matches("<article").count(), 1);
    assert!(found.body.contains("Lê Văn Thịnh"));
    let found = admin.get("/audit?officer=dung&kind=console_edit").await;
    assert_eq!(found.body.matches("<article").count(), 1);
    let found = admin.get(&format!("/audit?about={case}")).await;
    assert_eq!(found.body.matches("<article").count(), 3);
    let found = admin.get("/audit?from=2026-03-03").await;
    assert!(found.body.contains("Không có mục nào khớp"));
    let found = admin.get("/audit?from=2026-03-02&to=2026-03-02").await;
    assert!(found.body.matches("<article").count() > 5);
    let found = admin.get("/audit?from=h%C3%B4m%20qua").await;
    assert_eq!(found.status, StatusCode::OK);
    assert!(found.body.contains("Ngày chưa đúng"));
}

#[tokio::test]
async fn for_everybody_else_there_is_no_such_page() {
    let office = Office::open();
    let mut clerk = office.signed_in("dung").await;
    assert_eq!(clerk.get("/audit").await.status, StatusCode::NOT_FOUND);
    assert!(!clerk.get("/cases").await.body.contains("/audit"));
    let nobody = office.browser().get("/audit").await;
    assert_eq!(nobody.status, StatusCode::SEE_OTHER);
    assert_eq!(nobody.location(), "/login?next=%2Faudit");
    let mut chair = office.signed_in("thinh").await;
    assert!(chair.get("/cases").await.body.contains("href=\"/audit\""));
}

#[tokio::test]
async fn a_long_trail_comes_page_by_page_without_a_gap() {
    let office = Office::open();
    for number in 0..70 {
        office.record(call(&format!("Vụ việc {number}")));
    }
    let mut admin = office.signed_in("quantri").await;
    let (mut path, mut seen) = ("/audit".to_owned(), 0);
    loop {
        let page = admin.get(&path).await;
        seen += page.body.matches("<article").count();
        let Some(at) = page.body.find("rel=\"next\" href=\"") else {
            break;
        };
        let rest = &page.body[at + "rel=\"next\" href=\"".len()..];
        path = rest[..rest.find('"').unwrap()].replace("&#38;", "&");
    }
    let entries = office.ward.verify_audit().unwrap().entries;
    assert_eq!(seen as u64, entries);
    assert!(seen > 140, "{seen}");
}
