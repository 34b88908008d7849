//! Words of the screen that depend on what a case says; words that do not are in the templates, and
//! those of the closed vocabularies are the model's own labels.

use gandan_core::document::schema::field;
use gandan_core::model::{
    Case, Confidentiality, LegalBasis, LegalKind, Person, ReportedKind, Satisfaction, Source,
    Status, Timestamp, Urgency, phone_number,
};
use uuid::Uuid;

use super::action::RECLASSIFIED;
use super::names::Names;

/// The address of a case, with the list to go back to.
pub(super) fn case_url(id: Uuid, back: &str) -> String {
    if back.is_empty() {
        format!("/cases/{id}")
    } else {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("back", back);
        format!("/cases/{id}?{}", query.finish())
    }
}

/// What a submission is: in law where staff said so, otherwise as it was understood.
pub(super) fn kind(case: &Case) -> &'static str {
    case.legal_kind
        .map_or_else(|| case.reported_kind.label(), LegalKind::label)
}

/// Whether somebody waits for an answer longer than promised.
pub(super) fn is_overdue(case: &Case, now: Timestamp) -> bool {
    use Status::{Accepted, InProgress, Recorded, Reopened, Transferred, WaitingCitizen};
    let is_open = matches!(
        case.status,
        Recorded | Accepted | InProgress | WaitingCitizen | Transferred | Reopened
    );
    is_open && case.due_at.is_some_and(|due| due < now)
}

/// `dd/mm/yyyy`
pub(super) fn day(moment: Timestamp) -> String {
    let shown = moment.to_vietnamese();
    shown.split(' ').next().unwrap_or_default().to_owned()
}

/// A telephone number as people read it out: `0903 343 439`, `028 3865 3050`.
pub(super) fn phone(number: &str) -> String {
    match phone_number::parse(number) {
        Some(digits) if digits.len() == 10 => {
            format!("{} {} {}", &digits[..4], &digits[4..7], &digits[7..])
        }
        Some(digits) if digits.len() == 11 => {
            format!("{} {} {}", &digits[..3], &digits[3..7], &digits[7..])
        }
        // Not a number of this country: as it was typed.
        _ => number.to_owned(),
    }
}

/// What an empty list says: what it means, and what to do.
pub(super) fn empty_list(is_narrowed: bool, statuses: &[Status]) -> (&'static str, &'static str) {
    if is_narrowed {
        (
            "Không có vụ việc nào khớp",
            "Thử ít từ hơn, không cần dấu; hoặc bỏ bớt điều kiện lọc.",
        )
    } else if statuses == [Status::Recorded] {
        (
            "Không còn vụ việc nào chờ tiếp nhận",
            "Vụ việc mới từ điện thoại của cán bộ sẽ hiện ở đây khi máy đồng bộ.",
        )
    } else if statuses.is_empty() {
        (
            "Chưa có vụ việc nào",
            "Ghi tại bàn, hoặc chờ điện thoại của cán bộ đồng bộ.",
        )
    } else {
        ("Không có vụ việc nào ở trạng thái này", "")
    }
}

/// What is said after something was done; the code is in the address.
pub(super) fn done(code: &str, case: &Case) -> Option<String> {
    Some(match code {
        "accepted" => match &case.official_number {
            Some(number) => format!("Đã tiếp nhận. Số hồ sơ: {number}"),
            None => "Đã tiếp nhận.".to_owned(),
        },
        "assigned" => "Đã phân công. Cán bộ sẽ thấy khi điện thoại đồng bộ.".to_owned(),
        "answered" => "Đã ghi câu trả lời. Cán bộ sẽ mang đến người dân.".to_owned(),
        "closed" => "Đã đóng vụ việc.".to_owned(),
        "noted" => "Đã lưu ghi chú.".to_owned(),
        _ => return None,
    })
}

/// What is said after something was done with a case that is not there any more.
pub(super) fn done_away(code: &str) -> Option<&'static str> {
    (code == RECLASSIFIED).then_some(
        "Đã chuyển thành tố cáo. Nội dung đã xóa ở đây; mỗi điện thoại xóa ở lần kết nối sau. Hãy hủy các tệp đã xuất trước đó.",
    )
}

/// Why a person's data may be kept, and the words to which they said yes.
pub(super) fn legal_basis(person: &Person) -> Option<String> {
    let basis = person.legal_basis?.label();
    Some(match &person.consent_text {
        Some(version) => format!("{basis} (lời xin đồng ý bản {version})"),
        None => basis.to_owned(),
    })
}

/// What a field is called.
pub(super) fn field_label(name: &str) -> Option<&'static str> {
    Some(match name {
        field::ADDRESS => "Địa chỉ",
        field::ANSWER => "Câu trả lời",
        field::AREA => "Địa bàn",
        field::ASSIGNEE => "Người phụ trách",
        field::ATTACHMENTS => "Ảnh",
        field::CATEGORY => "Lĩnh vực",
        field::CODE => "Mã",
        field::CONFIDENTIALITY => "Mức bảo mật",
        field::CONSENT_TEXT => "Lời xin đồng ý, bản",
        field::CONTACT_NAME => "Người liên hệ",
        field::CONTACT_PHONE => "Điện thoại liên hệ",
        field::DELIVERED_AT => "Báo cho người dân",
        field::DIVISION => "Bộ phận",
        field::DUE_AT => "Hạn trả lời",
        field::EXTERNAL_REF => "Mã ở nơi khác",
        field::HOUSEHOLDS => "Số hộ",
        field::LEGAL_BASIS => "Cơ sở xử lý",
        field::LEGAL_KIND => "Loại theo luật",
        field::LOCATION => "Tọa độ",
        field::NAME => "Họ và tên",
        field::NOTES => "Ghi chú",
        field::OFFICIAL_NUMBER => "Số hồ sơ",
        field::PAPER_REFERENCE => "Số phiếu giấy",
        field::PHONE => "Điện thoại",
        field::PLACE => "Chỗ cụ thể",
        field::RECORDED_AT => "Lúc ghi nhận",
        field::RECORDED_BY => "Người ghi nhận",
        field::REPORTED_KIND => "Loại",
        field::SATISFACTION => "Người dân đánh giá",
        field::SOURCE => "Nguồn",
        field::STATUS => "Trạng thái",
        field::TEXT => "Nội dung",
        field::URGENCY => "Mức khẩn",
        field::VISIT => "Chuyến đi",
        field::VOID_REASON => "Lý do ghi nhầm",
        _ => return None,
    })
}

/// A value as people read it, from the text that documents give for it.
pub(super) fn field_value(name: &str, value: &str, names: &Names) -> String {
    if value.is_empty() {
        return "(để trống)".to_owned();
    }
    let label = match name {
        field::STATUS => Status::from_code(value).map(Status::label),
        field::URGENCY => Urgency::from_code(value).map(Urgency::label),
        field::SOURCE => Source::from_code(value).map(Source::label),
        field::REPORTED_KIND => ReportedKind::from_code(value).map(ReportedKind::label),
        field::LEGAL_BASIS => LegalBasis::from_code(value).map(LegalBasis::label),
        field::LEGAL_KIND => LegalKind::from_code(value).map(LegalKind::label),
        field::SATISFACTION => Satisfaction::from_code(value).map(Satisfaction::label),
        field::CONFIDENTIALITY => Confidentiality::from_code(value).map(Confidentiality::label),
        _ => None,
    };
    if let Some(label) = label {
        return label.to_owned();
    }
    match name {
        field::AREA => names.area(Some(value)).short(),
        field::CATEGORY => names.category(value),
        field::DIVISION => names.division(value),
        field::PHONE | field::CONTACT_PHONE => phone(value),
        field::DUE_AT | field::DELIVERED_AT | field::RECORDED_AT => Timestamp::parse_rfc3339(value)
            .map_or_else(|_| value.to_owned(), Timestamp::to_vietnamese),
        _ => value.to_owned(),
    }
}

/// How a symbol of a short code is said aloud, so that the citizen writes the right one.
pub(super) fn spell(symbol: char) -> Option<&'static str> {
    Some(match symbol {
        '2' => "hai",
        '3' => "ba",
        '4' => "bốn",
        '5' => "năm",
        '6' => "sáu",
        '7' => "bảy",
        '8' => "tám",
        '9' => "chín",
        'A' => "a",
        'B' => "bê",
        'C' => "xê",
        'D' => "đê",
        'E' => "e",
        'F' => "ép",
        'G' => "giê",
        'H' => "hát",
        'J' => "gi",
        'K' => "ca",
        'L' => "lờ",
        'M' => "mờ",
        'N' => "nờ",
        'P' => "pê",
        'Q' => "quy",
        'R' => "rờ",
        'S' => "sờ",
        'T' => "tê",
        'U' => "u",
        'V' => "vê",
        'W' => "vê kép",
        'X' => "ích",
        'Y' => "i dài",
        'Z' => "dét",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::names::tests::sample;
    use super::*;
    use gandan_core::document::schema::field::{CASE, PERSON};
    use gandan_core::model::ShortCode;

    #[test]
    fn every_field_of_a_case_and_a_person_has_a_vietnamese_name() {
        for definition in CASE.iter().chain(PERSON) {
            assert!(
                field_label(definition.name).is_some(),
                "{}",
                definition.name
            );
        }
        assert_eq!(field_label("of_a_newer_app"), None);
    }

    #[test]
    fn values_are_shown_in_words() {
        let names = sample();
        for (field, value, expected) in [
            ("status", "in_progress", "Đang xử lý"),
            ("urgency", "urgent", "Khẩn"),
            ("area", "6-9", "Khu phố 9 · Phường 6 cũ"),
            ("division", "police", "Công an phường"),
            ("phone", "0903343439", "0903 343 439"),
            ("due_at", "2026-03-02T01:00:00.000Z", "02/03/2026 08:00"),
            ("status", "of_a_newer_app", "of_a_newer_app"),
            ("assignee", "", "(để trống)"),
        ] {
            assert_eq!(field_value(field, value, &names), expected);
        }
    }

    #[test]
    fn telephone_numbers_are_shown_in_groups() {
        assert_eq!(phone("0903343439"), "0903 343 439");
        assert_eq!(phone("02838653050"), "028 3865 3050");
        assert_eq!(phone("+1 202 555 0100"), "+1 202 555 0100");
    }

    #[test]
    fn every_symbol_of_a_short_code_can_be_said() {
        for seed in 0..=255u8 {
            let code = ShortCode::from_random([seed; 8]);
            for symbol in code.as_str().chars().filter(|symbol| *symbol != '-') {
                assert!(spell(symbol).is_some(), "{symbol}");
            }
        }
    }
}
