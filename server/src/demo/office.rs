//! What the ward's office does that day, through the same verbs as the console.

use gandan_core::document::schema::{self, field};
use gandan_core::model::{
    DocumentId, NoteVisibility, Person, ReportedKind, Source, Status, Urgency,
};
use gandan_core::store::rows::{self, CaseOrder, CaseQuery, CaseRow};
use uuid::Uuid;

use super::play::Cases;
use super::stage::Stage;
use super::{DemoError, Voice};
use crate::app::{self, DeskCase};

/// So many accepted cases wait for a division, for whoever tries the console.
const UNASSIGNED: usize = 5;

/// Which division works on a category, and who of it.
/// Who does the work; they sign in to nothing in the demo.
pub(super) const COLLEAGUES: [&str; 4] = [
    "Đinh Thị Bảo Ngân",
    "Hà Tuấn Anh",
    "Trung úy Lương Gia Huy",
    "Phạm Đức Long",
];

fn division(category: &str) -> (&'static str, &'static str) {
    match category {
        "social_policy" | "education" | "religion" | "health" => {
            ("culture_society", "Đinh Thị Bảo Ngân")
        }
        "administration" | "permit" | "business" => ("service_centre", "Hà Tuấn Anh"),
        "noise" | "security" | "dispute" | "animal" => ("police", "Trung úy Lương Gia Huy"),
        _ => ("economy", "Phạm Đức Long"),
    }
}

/// Answers that will be brought to the door.
const ANSWERS: &[(&str, &str)] = &[
    (
        "manhole",
        "Phường đã phối hợp đơn vị thoát nước thay nắp hố ga bằng gang, gia cố miệng hố xong lúc 9 giờ sáng nay. Cảm ơn chị Lựu và bà con đã báo sớm và cắm dấu cảnh báo.",
    ),
    (
        "lamp",
        "Đơn vị chiếu sáng đã thay hai bóng đèn hẻm 51. Đèn thêm ở khúc cua được đưa vào đợt lắp trong tháng; nhánh vú sữa che đèn sẽ được tỉa cùng ngày.",
    ),
    (
        "stairs",
        "Phòng Kinh tế, Hạ tầng và Đô thị đã xem hiện trường, cấm lối thang từ tầng ba lên tầng bốn và mở lối đi qua lô C. Đơn vị kiểm định sẽ làm việc trong tuần sau; kết quả gửi từng hộ.",
    ),
    (
        "waste",
        "Đơn vị thu gom cam kết lấy rác chợ trước 14 giờ mỗi ngày, kể cả chủ nhật. Bảng giờ đã dán ở đầu hẻm 15; nếu trễ, bà con gọi số trực của phường ghi trên bảng.",
    ),
    (
        "elder",
        "Cán bộ chính sách sẽ xuống nhà cụ Nhàn sáng thứ Tư làm thủ tục tại chỗ; ba tháng trợ cấp chưa lãnh được chi trả bằng tiền mặt trong kỳ này.",
    ),
    (
        "karaoke",
        "Công an phường đã lập biên bản và đo tiếng ồn; chủ quán cam kết không dùng loa kéo sau 22 giờ. Vi phạm lần nữa sẽ bị xử phạt.",
    ),
    (
        "dengue",
        "Trạm y tế đã phun toàn hẻm 45, thả cá và phủ lưới hồ nước; chủ đất nhận văn bản yêu cầu lấp hồ trong mười ngày.",
    ),
];

/// The same matter, reported on two phones.
const REPEATS: &[(&str, &str)] = &[("flood_khanh", "flood_huong"), ("karaoke_khanh", "karaoke")];

pub(super) fn work(stage: &Stage, cases: &Cases, voice: &mut Voice) -> Result<(), DemoError> {
    let (ward, triage) = (&stage.ward, &stage.triage);
    for (repeat, first) in REPEATS {
        mark_repeat(stage, cases[*repeat], cases[*first])?;
    }
    desk(stage)?;

    let query = CaseQuery {
        statuses: vec![Status::Recorded],
        order: CaseOrder::Urgency,
        ..CaseQuery::default()
    };
    let queue = ward.read(|connection| rows::cases(connection, &query))?;
    let mut accepted: Vec<CaseRow> = Vec::new();
    for row in queue {
        let is_left = row.case.urgency == Urgency::Low
            || row.case.reported_kind == ReportedKind::Denunciation;
        if !is_left {
            let number = app::accept(ward, triage, row.case.id)?;
            voice.say(format_args!("    {}  →  {number}", row.case.code));
            accepted.push(row);
        }
    }
    let answered: Vec<Uuid> = ANSWERS.iter().map(|(name, _)| cases[*name]).collect();
    let assigned = accepted.len().saturating_sub(UNASSIGNED);
    for (position, row) in accepted.iter().enumerate() {
        if position < assigned || answered.contains(&row.case.id) {
            let (division, assignee) = division(&row.case.category);
            app::assign(ward, triage, row.case.id, division, Some(assignee))?;
        }
    }
    for (name, answer) in ANSWERS {
        app::answer(ward, triage, cases[*name], answer)?;
    }
    voice.say(format_args!(
        "    tiếp nhận {}, trả lời {}, trùng {} · accepted, answered, repeats",
        accepted.len(),
        ANSWERS.len(),
        REPEATS.len()
    ));
    Ok(())
}

/// The office looks at the weather too, and finds something else than the officer at the door.
pub(super) fn change_urgency(stage: &Stage, case: Uuid) -> Result<(), DemoError> {
    let normal = schema::text_value(Some(Urgency::Normal.code()));
    stage.ward.author(
        stage.triage.author,
        DocumentId::case(case),
        vec![schema::set(field::URGENCY, normal)],
    )?;
    Ok(())
}

pub(super) fn close(stage: &Stage, cases: &Cases, voice: &mut Voice) -> Result<(), DemoError> {
    app::close(&stage.ward, &stage.triage, cases["manhole"])?;
    voice.say(format_args!(
        "    {} đóng hồ sơ nắp hố ga · the office closes the satisfied case",
        stage.triage.name
    ));
    Ok(())
}

fn mark_repeat(stage: &Stage, repeat: Uuid, first: Uuid) -> Result<(), DemoError> {
    let (ward, triage) = (&stage.ward, &stage.triage);
    let code = ward.case(first)?.map_or_else(String::new, |case| case.code);
    let note = format!("Trùng với hồ sơ {code}; số hộ và ghi chú xem ở đó.");
    app::note(ward, triage, repeat, &note, NoteVisibility::Internal)?;
    let duplicate = schema::text_value(Some(Status::Duplicate.code()));
    ward.author(
        triage.author,
        DocumentId::case(repeat),
        vec![schema::set(field::STATUS, duplicate)],
    )?;
    Ok(())
}

/// A walk-in and a call, recorded at the desk the same day; they travel to the phones.
fn desk(stage: &Stage) -> Result<(), DemoError> {
    let cases = [
        DeskCase {
            source: Source::WalkIn,
            kind: ReportedKind::Petition,
            category: "permit".to_owned(),
            area: Some("26998-kp3".to_owned()),
            place: None,
            urgency: Urgency::Normal,
            text: "Cô Tám lên phường hỏi thủ tục tách hộ khẩu cho con trai lập gia đình, đã đi hai lần mà mỗi lần được hướng dẫn một kiểu. Kính đề nghị phường phát cho tờ ghi đủ giấy tờ cần nộp, chữ to một chút vì cô mắt kém.".to_owned(),
            citizen: Some(Person {
                name: Some("Lưu Thị Tám".to_owned()),
                phone: Some("0900 000 091".to_owned()),
                ..Person::default()
            }),
        },
        DeskCase {
            source: Source::Phone,
            kind: ReportedKind::Report,
            category: "traffic".to_owned(),
            area: None,
            place: Some("Vòng xoay, người gọi không rõ thuộc khu phố nào".to_owned()),
            urgency: Urgency::High,
            text: "Người gọi không nêu tên báo đèn tín hiệu ở vòng xoay chớp vàng từ sáng, giờ tan tầm xe dồn từ bốn phía, đã có hai vụ va quẹt.".to_owned(),
            citizen: None,
        },
    ];
    for case in cases {
        app::record(&stage.ward, &stage.triage, case)?;
    }
    Ok(())
}
