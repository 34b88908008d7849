//! What was done to a case, told in sentences: who, on which device, when by their clock and when the
//! ward got it.

use gandan_core::document::schema::field::{self, ValueShape};
use gandan_core::document::schema::{self, shown_as};
use gandan_core::edit::{FieldName, InitialField, Item, Operation, Value};
use gandan_core::model::{DocumentKind, NoteVisibility, Status, Timestamp};

use super::catalogue;
use super::names::Names;
use crate::ward::HistoryEntry;

/// A phone's clock and the ward's differ by more than this: both are shown.
const SAME_TIME_MS_MAX: i64 = 60_000;

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) did: String,
    pub(super) who: String,
    pub(super) device: String,
    pub(super) device_time: String,
    /// When the ward got it, where that is another time.
    pub(super) received: Option<String>,
}

/// The edits of a case and of its person, newest first.
pub(super) fn tell(case: &[HistoryEntry], person: &[HistoryEntry], names: &Names) -> Vec<Told> {
    let mut entries: Vec<(DocumentKind, &HistoryEntry)> = case
        .iter()
        .map(|entry| (DocumentKind::Case, entry))
        .chain(person.iter().map(|entry| (DocumentKind::Person, entry)))
        .collect();
    entries.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.sequence));
    entries
        .into_iter()
        .map(|(kind, entry)| {
            let did = match kind {
                DocumentKind::Person => person_sentence(entry).to_owned(),
                _ => case_sentence(entry, names),
            };
            let apart = entry.received_at.0.saturating_sub(entry.device_time.0);
            Told {
                did,
                who: entry.author_name.clone(),
                device: entry
                    .device_name
                    .clone()
                    .unwrap_or_else(|| "bàn làm việc của phường".to_owned()),
                device_time: entry.device_time.to_vietnamese(),
                received: (apart.unsigned_abs() > SAME_TIME_MS_MAX.unsigned_abs())
                    .then(|| entry.received_at.to_vietnamese()),
            }
        })
        .collect()
}

/// When the case was last taken to a state, by the clock of whoever did it.
pub(super) fn taken_at(case: &[HistoryEntry], status: Status) -> Option<Timestamp> {
    case.iter()
        .rev()
        .find(|entry| {
            entry.operations.iter().any(|operation| {
                matches!(operation, Operation::SetRegister { field, value: Value::Text(code) }
                    if field.as_str() == field::STATUS && code == status.code())
            })
        })
        .map(|entry| entry.device_time)
}

/// Who set a field to a value, and when: for values that stand side by side.
pub(super) fn set_by(case: &[HistoryEntry], name: &str, value: &str) -> Option<String> {
    let entry = case.iter().rev().find(|entry| {
        let is_it =
            |field: &FieldName, set: &Value| field.as_str() == name && shown(name, set) == value;
        entry.operations.iter().any(|operation| {
            match operation {
            Operation::SetRegister { field, value: set } => is_it(field, set),
            Operation::Create { fields } => fields.iter().any(|(field, initial)| {
                matches!(initial, InitialField::Register(set) if is_it(field, set))
            }),
            _ => false,
        }
        })
    })?;
    Some(format!(
        "{}, {}",
        entry.author_name,
        entry.device_time.to_vietnamese()
    ))
}

/// Identifying data is not repeated here: it is beside, for those who may see it.
fn person_sentence(entry: &HistoryEntry) -> &'static str {
    let creates = |operation: &Operation| matches!(operation, Operation::Create { .. });
    if entry.operations.iter().any(creates) {
        "Ghi thông tin người dân"
    } else {
        "Sửa thông tin người dân"
    }
}

fn case_sentence(entry: &HistoryEntry, names: &Names) -> String {
    let mut parts: Vec<String> = entry
        .operations
        .iter()
        .filter(|operation| !names_nobody(operation))
        .map(|operation| operation_phrase(operation, names))
        .collect();
    parts.dedup();
    parts.join("; ")
}

/// Work given to a division alone says so by naming no person.
fn names_nobody(operation: &Operation) -> bool {
    matches!(operation, Operation::SetRegister { field, value: Value::Null }
        if field.as_str() == field::ASSIGNEE)
}

fn operation_phrase(operation: &Operation, names: &Names) -> String {
    match operation {
        Operation::Create { .. } => "Ghi nhận vụ việc".to_owned(),
        Operation::SetRegister { field, value } => {
            let name = field.as_str();
            let value = catalogue::field_value(name, &shown(name, value), names);
            match (name, catalogue::field_label(name)) {
                (field::STATUS, _) => format!("Chuyển sang “{value}”"),
                (field::OFFICIAL_NUMBER, _) => format!("Cấp số {value}"),
                (field::DIVISION, _) => format!("Giao {value}"),
                (field::ANSWER, _) => "Ghi câu trả lời".to_owned(),
                (field::DELIVERED_AT, _) => format!("Báo cho người dân lúc {value}"),
                (_, Some(label)) => format!("{label}: {value}"),
                (_, None) => format!("Đổi mục “{name}” (của ứng dụng mới hơn)"),
            }
        }
        Operation::SpliceText { field, .. } => {
            let label = catalogue::field_label(field.as_str()).unwrap_or(field.as_str());
            format!("Sửa {}", label.to_lowercase())
        }
        Operation::AppendItem { field, item } => match field.as_str() {
            field::NOTES => note_phrase(item).to_owned(),
            field::ATTACHMENTS => "Thêm ảnh".to_owned(),
            name => format!("Thêm vào mục “{name}”"),
        },
        Operation::Increment { field, by } if field.as_str() == field::HOUSEHOLDS => {
            if *by < 0 {
                format!("Bớt {} hộ", by.unsigned_abs())
            } else {
                format!("Thêm {by} hộ cùng phản ánh")
            }
        }
        Operation::Increment { field, .. } => format!("Đổi mục “{}”", field.as_str()),
    }
}

fn note_phrase(item: &Item) -> &'static str {
    match schema::note(item).map(|note| note.visibility) {
        Some(NoteVisibility::Reply) => "Thêm lời trả lời người dân",
        _ => "Thêm ghi chú nội bộ",
    }
}

/// The text of a value, as conflicts have it too.
fn shown(name: &str, value: &Value) -> String {
    let shape = match field::definition(DocumentKind::Case, name).map(|known| known.shape) {
        Some(field::FieldShape::Register(shape)) => shape,
        _ => ValueShape::Words,
    };
    shown_as(value, shape)
}

#[cfg(test)]
mod tests {
    use super::super::names::tests::sample;
    use super::*;
    use gandan_core::document::schema::{append, increment, note_item, set, time_value};
    use gandan_core::model::{EditId, Note, OfficerId};
    use uuid::Uuid;

    fn entry(sequence: u64, device_time: i64, operations: Vec<Operation>) -> HistoryEntry {
        HistoryEntry {
            sequence,
            edit: EditId([0; 32]),
            device_time: Timestamp(device_time),
            received_at: Timestamp(1_772_413_200_000),
            author: OfficerId(Uuid::from_u128(2)),
            author_name: "Nguyễn Thị Dung".to_owned(),
            device_name: None,
            operations,
        }
    }

    fn text(words: &str) -> Value {
        Value::Text(words.to_owned())
    }

    #[test]
    fn history_is_told_newest_first_with_both_clocks_where_they_differ() {
        let case = [
            entry(
                1,
                1_772_380_800_000,
                vec![Operation::Create { fields: vec![] }],
            ),
            entry(
                3,
                1_772_413_200_000,
                vec![
                    set(field::STATUS, text("in_progress")),
                    set(field::DIVISION, text("police")),
                    set(field::ASSIGNEE, text("Trần Văn Đạt")),
                ],
            ),
            entry(
                4,
                1_772_413_200_000,
                vec![
                    set(field::DIVISION, text("police")),
                    set(field::ASSIGNEE, Value::Null),
                ],
            ),
        ];
        let person = [entry(
            2,
            1_772_380_800_000,
            vec![Operation::Create { fields: vec![] }],
        )];
        let told = tell(&case, &person, &sample());
        let did: Vec<_> = told.iter().map(|told| told.did.as_str()).collect();
        assert_eq!(
            did,
            [
                "Giao Công an phường",
                "Chuyển sang “Đang xử lý”; Giao Công an phường; Người phụ trách: Trần Văn Đạt",
                "Ghi thông tin người dân",
                "Ghi nhận vụ việc",
            ]
        );
        assert_eq!(told[0].received, None);
        assert_eq!(told[0].device_time, "02/03/2026 08:00");
        assert_eq!(told[3].device_time, "01/03/2026 23:00");
        assert_eq!(told[3].received.as_deref(), Some("02/03/2026 08:00"));
    }

    #[test]
    fn every_kind_of_change_has_its_words() {
        let note = Note {
            id: Uuid::nil(),
            text: "x".to_owned(),
            author: OfficerId(Uuid::nil()),
            at: Timestamp(0),
            visibility: NoteVisibility::Reply,
        };
        let newer = FieldName::new("of_a_newer_app").unwrap();
        for (operation, expected) in [
            (
                append(field::NOTES, note_item(&note)),
                "Thêm lời trả lời người dân",
            ),
            (increment(field::HOUSEHOLDS, 3), "Thêm 3 hộ cùng phản ánh"),
            (
                set(
                    field::DELIVERED_AT,
                    time_value(Some(Timestamp(1_772_413_200_000))),
                ),
                "Báo cho người dân lúc 02/03/2026 08:00",
            ),
            (
                Operation::SetRegister {
                    field: newer,
                    value: Value::Null,
                },
                "Đổi mục “of_a_newer_app” (của ứng dụng mới hơn)",
            ),
            (
                schema::splice(field::TEXT, "a", "b").unwrap(),
                "Sửa nội dung",
            ),
        ] {
            assert_eq!(operation_phrase(&operation, &sample()), expected);
        }
    }

    #[test]
    fn whoever_set_one_of_several_values_is_found_again() {
        let case = [
            entry(1, 0, vec![set(field::DIVISION, text("police"))]),
            entry(2, 60_000, vec![set(field::DIVISION, text("office"))]),
        ];
        assert_eq!(
            set_by(&case, field::DIVISION, "police").as_deref(),
            Some("Nguyễn Thị Dung, 01/01/1970 07:00")
        );
        assert_eq!(set_by(&case, field::DIVISION, "economy"), None);
        assert_eq!(taken_at(&case, Status::Accepted), None);
    }
}
