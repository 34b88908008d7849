//! The list, a case and what is done with it.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use gandan_core::document::schema::{self, field};
use gandan_core::model::{
    Attachment, DocumentId, NoteVisibility, Person, Status, Timestamp, Urgency,
};
use gandan_core::store::attachments;
use gandan_server::app::DeskCase;

use super::browser::{HOST, Office, PASSWORD, call};

#[tokio::test]
async fn a_case_goes_from_the_door_to_closed_and_every_step_is_in_its_history() {
    let office = Office::open();
    let case = office.record(DeskCase {
        citizen: Some(Person {
            name: Some("Trần Thị Thịnh".to_owned()),
            phone: Some("0903343439".to_owned()),
            ..Person::default()
        }),
        ..call("Nắp hố ga hẻm 12 bị vỡ")
    });
    let mut browser = office.signed_in("dung").await;
    let path = format!("/cases/{case}");

    let page = browser.get(&path).await;
    assert!(page.body.contains("Chưa có số hồ sơ") && page.body.contains("0903 343 439"));
    let accepted = browser
        .post(&format!("{path}/accept"), &[("seen", &page.hidden("seen"))])
        .await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.body);
    let page = browser.get(accepted.location()).await;
    assert!(page.body.contains("PA-2026-000001/P26995"));
    assert!(
        page.body
            .contains("Đã tiếp nhận. Số hồ sơ: PA-2026-000001/P26995")
    );

    let assigned = browser
        .post(
            &format!("{path}/assign"),
            &[
                ("seen", &page.hidden("seen")),
                ("division", "economy"),
                ("assignee", "Lê Văn Thịnh"),
            ],
        )
        .await;
    assert_eq!(assigned.status, StatusCode::SEE_OTHER, "{}", assigned.body);
    let page = browser.get(assigned.location()).await;
    assert!(page.body.contains("Nội dung trả lời ông/bà Thịnh"));

    let answer = "Đã thay nắp mới ngày 02/03.";
    let answered = browser
        .post(
            &format!("{path}/answer"),
            &[("seen", &page.hidden("seen")), ("answer", answer)],
        )
        .await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.body);
    let page = browser.get(answered.location()).await;
    assert!(page.body.contains(answer) && page.body.contains("Chưa báo cho người dân"));

    // A program has no fields to send, and need not say in which form.
    let request = Request::post(format!("{path}/close"))
        .header(header::HOST, HOST)
        .header("sec-fetch-site", "same-origin");
    let closed = browser.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.body);
    let page = browser.get(closed.location()).await;
    for told in [
        "Ghi nhận vụ việc",
        "Ghi thông tin người dân",
        "Chuyển sang “Đã tiếp nhận”",
        "Cấp số PA-2026-000001/P26995",
        "Người phụ trách: Lê Văn Thịnh",
        "Ghi câu trả lời",
        "Chuyển sang “Đóng”",
    ] {
        assert!(page.body.contains(told), "{told}");
    }
    assert!(
        !page.body.contains("class=\"block card actions\""),
        "nothing left to do"
    );
    let stored = office.ward.case(case).unwrap().unwrap();
    assert_eq!(stored.status, Status::Closed);
    assert_eq!(stored.answer.as_deref(), Some(answer));
}

#[tokio::test]
async fn the_list_is_searched_without_marks_and_keeps_its_state_in_the_address() {
    let office = Office::open();
    let hole = office.record(call("Nắp hố ga trước chùa bị vỡ"));
    office.record(DeskCase {
        urgency: Urgency::Urgent,
        category: "noise".to_owned(),
        ..call("Quán nhậu mở nhạc khuya")
    });
    let mut browser = office.signed_in("dung").await;

    let all = browser.get("/cases").await;
    assert!(all.body.contains("2 vụ việc"));
    let found = browser
        .get("/cases?q=nap+ho+ga&status=recorded&order=urgency")
        .await;
    assert!(found.body.contains("trước chùa") && !found.body.contains("Quán nhậu"));
    assert!(found.body.contains("1 vụ việc"));
    assert!(found.body.contains(&format!(
        "/cases/{hole}?back=status%3Drecorded%26q%3Dnap%2Bho%2Bga%26order%3Durgency"
    )));
    let case = browser
        .get(&format!("/cases/{hole}?back=status%3Drecorded%26q%3Dnap"))
        .await;
    assert!(
        case.body
            .contains("href=\"/cases?status=recorded&#38;q=nap\"")
    );
    let urgent = browser.get("/cases?urgency=urgent").await;
    assert!(urgent.body.contains("Quán nhậu") && !urgent.body.contains("trước chùa"));
    let none = browser.get("/cases?q=khong+co+gi+nhu+vay").await;
    assert!(none.body.contains("Không có vụ việc nào khớp"));
    let sent = browser
        .get("/cases?q=nap&kind=&category=&order=urgency&area=")
        .await;
    assert_eq!(sent.location(), "/cases?q=nap&order=urgency");
    let far = browser.get("/cases?page=9").await;
    assert_eq!(far.location(), "/cases");
}

#[tokio::test]
async fn a_code_read_out_on_the_telephone_opens_its_case() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let code = office.ward.case(case).unwrap().unwrap().code;
    let typed = code.replace('-', "").to_lowercase();
    let mut browser = office.signed_in("dung").await;
    let page = browser.get(&format!("/cases?q={typed}")).await;
    assert_eq!(page.location(), format!("/cases/{case}"));
}

#[tokio::test]
async fn what_people_say_is_shown_and_never_run() {
    let office = Office::open();
    let attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let case = office.record(DeskCase {
        place: Some(attack.to_owned()),
        category: "road".to_owned(),
        citizen: Some(Person {
            name: Some(attack.to_owned()),
            address: Some(attack.to_owned()),
            ..Person::default()
        }),
        ..call(attack)
    });
    let mut browser = office.signed_in("dung").await;
    browser
        .post(
            &format!("/cases/{case}/note"),
            &[("text", attack), ("visibility", "internal")],
        )
        .await;
    let query = form_urlencoded::byte_serialize(attack.as_bytes()).collect::<String>();
    for path in [
        "/cases".to_owned(),
        format!("/cases/{case}"),
        format!("/cases?q={query}&kind={query}&area={query}&assignee={query}"),
        format!("/cases/{case}?back={query}&done={query}"),
        format!("/login?next={query}"),
        format!("/nowhere/{query}"),
    ] {
        let page = browser.get(&path).await;
        assert!(
            !page.body.contains("<script>") && !page.body.contains("<img src=x"),
            "{path}"
        );
        assert!(!page.body.contains("onerror=alert(2)>"), "{path}");
    }
    let wrong = browser.sign_in(attack, attack).await;
    assert!(!wrong.body.contains("<script>") && wrong.body.contains("&#60;script"));
}

#[tokio::test]
async fn a_colleagues_decision_is_shown_before_it_is_overwritten() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut dung = office.signed_in("dung").await;
    let mut thinh = office.signed_in("thinh").await;
    let path = format!("/cases/{case}");
    let seen = dung.get(&path).await.hidden("seen");
    dung.post(&format!("{path}/accept"), &[("seen", &seen)])
        .await;
    let old = dung.get(&path).await.hidden("seen");
    thinh
        .post(
            &format!("{path}/answer"),
            &[("seen", &old), ("answer", "Đã sửa đèn.")],
        )
        .await;
    let edits = office.edits(case);
    let page = dung
        .post(
            &format!("{path}/answer"),
            &[("seen", &old), ("answer", "Mai sẽ sửa <đèn>.")],
        )
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.body.contains("vừa được người khác xử lý"));
    assert!(
        page.body.contains("Đã sửa đèn."),
        "what the colleague wrote"
    );
    assert!(
        page.body.contains("Mai sẽ sửa &#60;đèn&#62;."),
        "what was typed"
    );
    assert_eq!(office.edits(case), edits);
    // Having seen it, she may go on.
    let page = dung
        .post(
            &format!("{path}/answer"),
            &[
                ("seen", &page.hidden("seen")),
                ("answer", "Mai sẽ sửa đèn."),
            ],
        )
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_program_may_decide_without_saying_what_it_saw() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut browser = office.signed_in("dung").await;
    let page = browser.post(&format!("/cases/{case}/accept"), &[]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_cannot_be_done_comes_back_with_everything_that_was_typed() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut browser = office.signed_in("dung").await;
    let path = format!("/cases/{case}");
    let seen = browser.get(&path).await.hidden("seen");
    // Not accepted yet: the policy does not let it be answered.
    let page = browser
        .post(
            &format!("{path}/answer"),
            &[("seen", &seen), ("answer", "Trả lời sớm")],
        )
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.body.contains("transition_not_allowed") && page.body.contains("Hãy "));
    let page = browser
        .post(
            &format!("{path}/note"),
            &[("text", "  \r\n "), ("visibility", "reply")],
        )
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("Chưa có nội dung"));
    assert!(page.body.contains("value=\"reply\" checked"));
    browser
        .post(&format!("{path}/accept"), &[("seen", &seen)])
        .await;
    let seen = browser.get(&path).await.hidden("seen");
    let page = browser
        .post(
            &format!("{path}/assign"),
            &[
                ("seen", &seen),
                ("division", "nonsense"),
                ("assignee", "Lê Văn Thịnh"),
            ],
        )
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("Chọn bộ phận xử lý."));
    assert!(page.body.contains("value=\"Lê Văn Thịnh\" selected"));
}

#[tokio::test]
async fn notes_say_who_may_read_them() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut browser = office.signed_in("dung").await;
    let path = format!("/cases/{case}");
    for (text, visibility) in [("Đã gọi điện lực", "internal"), ("Mai có thợ", "reply")]
    {
        let page = browser
            .post(
                &format!("{path}/note"),
                &[("text", text), ("visibility", visibility)],
            )
            .await;
        assert_eq!(page.status, StatusCode::SEE_OTHER);
    }
    let notes = office.ward.case(case).unwrap().unwrap().notes;
    let visibilities: Vec<_> = notes.iter().map(|note| note.visibility).collect();
    assert_eq!(
        visibilities,
        [NoteVisibility::Internal, NoteVisibility::Reply]
    );
    let page = browser.get(&path).await;
    assert!(
        page.body.contains("class=\"note internal\"") && page.body.contains("class=\"note reply\"")
    );
}

#[tokio::test]
async fn words_typed_before_the_session_ended_are_there_after_signing_in_again() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut browser = office.signed_in("dung").await;
    let path = format!("/cases/{case}/note");
    browser.cookie = None;
    let typed = "Đã hẹn \"ông\" Thịnh & gia đình";
    let page = browser
        .post(&path, &[("text", typed), ("visibility", "reply")])
        .await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.body.contains("nội dung vừa nhập vẫn còn"));
    assert_eq!(office.edits(case), 1, "nothing is done without a session");
    let (resume_path, resume_body) = (page.hidden("resume_path"), page.hidden("resume_body"));
    // A slip of the finger at the password loses nothing either.
    let page = browser
        .post(
            "/login",
            &[
                ("login", "dung"),
                ("password", "sai"),
                ("resume_path", &resume_path),
                ("resume_body", &resume_body),
            ],
        )
        .await;
    let (resume_path, resume_body) = (page.hidden("resume_path"), page.hidden("resume_body"));
    let page = browser
        .post(
            "/login",
            &[
                ("login", "dung"),
                ("password", PASSWORD),
                ("resume_path", &resume_path),
                ("resume_body", &resume_body),
            ],
        )
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body
            .contains("Đã hẹn &#34;ông&#34; Thịnh &#38; gia đình")
    );
    assert!(page.body.contains("chưa được gửi"));
    assert_eq!(office.edits(case), 1, "signing in sends nothing");
}

#[tokio::test]
async fn photos_are_served_as_new_pictures_to_those_who_are_signed_in() {
    let office = Office::open();
    let case = office.record(call("Đèn đường tắt"));
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(900, 600)
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    let png = png.into_inner();
    let hash = attachments::hash(&png);
    office.attach(&png);
    let token = office.token("dung");
    let staff = office.ward.session(&token).unwrap().unwrap();
    let attachment = Attachment {
        hash,
        name: "den.png".to_owned(),
        bytes: png.len() as u64,
        mime: "image/png".to_owned(),
        at: Timestamp(0),
        thumbnail: None,
    };
    office
        .ward
        .author(
            staff.author,
            DocumentId::case(case),
            vec![schema::append(
                field::ATTACHMENTS,
                schema::attachment_item(&attachment),
            )],
        )
        .unwrap();
    let mut browser = office.signed_in("dung").await;
    let page = browser.get(&format!("/cases/{case}")).await;
    assert!(
        page.body
            .contains(&format!("src=\"/attachments/{hash}?size=small\""))
    );
    let small = browser
        .get(&format!("/attachments/{hash}?size=small"))
        .await;
    assert_eq!(small.header(header::CONTENT_TYPE), "image/jpeg");
    assert_eq!(small.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(image::load_from_memory(&small.bytes).unwrap().width(), 320);
    let whole = browser.get(&format!("/attachments/{hash}")).await;
    assert_eq!(image::load_from_memory(&whole.bytes).unwrap().width(), 900);
    let stranger = office.browser().get(&format!("/attachments/{hash}")).await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_case_found_to_be_a_denunciation_leaves_the_console_once_that_is_confirmed() {
    let office = Office::open();
    let case = office.record(call("DAUVET nhận tiền"));
    let other = office.record(call("Ngập hẻm"));
    let mut browser = office.signed_in("thinh").await;
    let path = format!("/cases/{case}");
    let page = browser.get(&path).await;
    assert!(page.body.contains("Đây là tố cáo"));
    let (deed, seen) = (format!("{path}/denunciation"), page.hidden("seen"));

    let refused = browser.post(&deed, &[("seen", &seen)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("Đánh dấu xác nhận trước khi chuyển"));
    assert!(refused.body.contains("DAUVET"));

    let confirmed = [("seen", seen.as_str()), ("confirmed", "yes")];
    let done = browser.post(&deed, &confirmed).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let list = browser.get(done.location()).await;
    assert!(list.body.contains("Đã chuyển thành tố cáo") && list.body.contains("Ngập hẻm"));
    assert!(!list.body.contains("DAUVET"));
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        browser.get(&format!("/cases/{other}")).await.status,
        StatusCode::OK
    );
    assert_eq!(office.ward.sealed_register().unwrap().len(), 1);
    assert!(office.ward.check().unwrap().is_sound());
}
