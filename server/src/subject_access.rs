//! The copy of their data that a person is given: a page to read, in Vietnamese, and the same for a machine.

use askama::Template;
use gandan_core::model::{Case, Directory, LegalBasis, Person, Timestamp, consent};
use serde_json::{Value, json};

use crate::ward::SubjectAccess;

struct Line {
    label: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "subject_access.html")]
struct Copy {
    ward: String,
    made: String,
    person: Vec<Line>,
    case: Vec<Line>,
    replies: Vec<Dated>,
    files: Vec<Dated>,
}

/// Something with its day.
struct Dated {
    at: String,
    words: String,
}

/// The page to read; whole, without anything from elsewhere.
///
/// # Errors
/// askama's; our values are plain texts, which it can write.
pub fn html(
    held: &SubjectAccess,
    directory: &Directory,
    now: Timestamp,
) -> Result<String, askama::Error> {
    let case = &held.case;
    let copy = Copy {
        ward: directory.ward_name.clone(),
        made: now.to_vietnamese(),
        person: held.person.as_ref().map(person_lines).unwrap_or_default(),
        case: case_lines(case, directory),
        replies: case
            .notes
            .iter()
            .map(|note| Dated {
                at: note.at.to_vietnamese(),
                words: note.text.clone(),
            })
            .collect(),
        files: case
            .attachments
            .iter()
            .map(|file| Dated {
                at: file.at.to_vietnamese(),
                words: format!("{} ({} byte)", file.name, file.bytes),
            })
            .collect(),
    };
    copy.render()
}

fn person_lines(person: &Person) -> Vec<Line> {
    lines([
        ("Họ và tên", person.name.clone()),
        ("Số điện thoại", person.phone.clone()),
        ("Địa chỉ", person.address.clone()),
        ("Người liên hệ", person.contact_name.clone()),
        ("Điện thoại liên hệ", person.contact_phone.clone()),
        (
            "Vì sao được giữ",
            person.legal_basis.map(|basis| basis.label().to_owned()),
        ),
        (
            "Lời mà bạn đã đồng ý",
            person.consent_text.as_deref().map(|version| {
                consent::find(version)
                    .map_or_else(|| version.to_owned(), |text| text.vietnamese.to_owned())
            }),
        ),
    ])
}

fn case_lines(case: &Case, directory: &Directory) -> Vec<Line> {
    lines([
        ("Mã", Some(case.code.to_string())),
        ("Số hồ sơ", case.official_number.clone()),
        ("Ghi nhận lúc", Some(case.recorded_at.to_vietnamese())),
        ("Nội dung", Some(case.text.clone())),
        ("Lĩnh vực", Some(category(case, directory))),
        (
            "Địa bàn",
            case.area.as_deref().map(|code| area(code, directory)),
        ),
        ("Chỗ cụ thể", case.place.clone()),
        (
            "Vị trí",
            case.location.map(|location| {
                format!(
                    "{:.6}, {:.6}",
                    f64::from(location.latitude_e6) / 1e6,
                    f64::from(location.longitude_e6) / 1e6
                )
            }),
        ),
        ("Tình trạng", Some(case.status.label().to_owned())),
        ("Trả lời", case.answer.clone()),
        (
            "Báo cho người dân lúc",
            case.delivered_at.map(Timestamp::to_vietnamese),
        ),
    ])
}

fn lines<const N: usize>(all: [(&'static str, Option<String>); N]) -> Vec<Line> {
    all.into_iter()
        .filter_map(|(label, value)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some(Line { label, value })
        })
        .collect()
}

fn category(case: &Case, directory: &Directory) -> String {
    let known = directory.categories.iter();
    let found = known.clone().find(|known| known.code == case.category);
    found.map_or_else(|| case.category.clone(), |known| known.name.clone())
}

fn area(code: &str, directory: &Directory) -> String {
    let found = directory.areas.iter().find(|area| area.code == code);
    found.map_or_else(|| code.to_owned(), |area| area.name.clone())
}

/// The same for a machine: codes, and times in RFC 3339.
#[must_use]
pub fn json(held: &SubjectAccess, now: Timestamp) -> Value {
    let case = &held.case;
    json!({
        "made_at": now.to_rfc3339(),
        "person": held.person.as_ref().map(|person| json!({
            "name": person.name,
            "phone": person.phone,
            "address": person.address,
            "contact_name": person.contact_name,
            "contact_phone": person.contact_phone,
            "legal_basis": person.legal_basis.map(LegalBasis::code),
            "consent_text": person.consent_text,
        })),
        "case": {
            "code": case.code.to_string(),
            "official_number": case.official_number,
            "recorded_at": case.recorded_at.to_rfc3339(),
            "text": case.text,
            "category": case.category,
            "area": case.area,
            "place": case.place,
            "location": case.location.map(|location| json!({
                "latitude_e6": location.latitude_e6,
                "longitude_e6": location.longitude_e6,
            })),
            "status": case.status.code(),
            "answer": case.answer,
            "delivered_at": case.delivered_at.map(Timestamp::to_rfc3339),
            "replies": case.notes.iter().map(|note| json!({
                "at": note.at.to_rfc3339(),
                "text": note.text,
            })).collect::<Vec<_>>(),
            "files": case.attachments.iter().map(|file| json!({
                "name": file.name,
                "bytes": file.bytes,
                "at": file.at.to_rfc3339(),
                "blake3": file.hash.to_string(),
            })).collect::<Vec<_>>(),
        },
    })
}
