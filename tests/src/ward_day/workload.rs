//! The rules of the day: what a line of input is, which cases are changed and how. The same cases
//! and the same changes as other engines are measured with, in this ward's words.

use std::fs;
use std::ops::Range;
use std::path::Path;

use gandan_core::model::{Location, Person, ReportedKind, Timestamp, Urgency};
use gandan_core::replica::NewCase;
use serde::{Deserialize, Serialize};

/// 3 March 2026, when the changes begin; one a second.
const CHANGES_BEGIN_MS: i64 = 1_772_496_000_000;

/// A case as the input has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputCase {
    pub(super) id: String,
    pub(super) visit: String,
    pub(super) area: String,
    pub(super) kind: String,
    pub(super) category: String,
    pub(super) urgency: String,
    pub(super) status: String,
    pub(super) recorded_at: String,
    pub(super) text: String,
    pub(super) citizen: Citizen,
    pub(super) location: Place,
    #[serde(default)]
    pub(super) attachments: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    pub(super) notes: Vec<InputNote>,
    /// Never in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) assignee: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Citizen {
    pub(super) name: String,
    pub(super) phone: String,
    pub(super) address: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) lat: f64,
    pub(super) lon: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputNote {
    pub(super) by: String,
    pub(super) at: String,
    pub(super) text: String,
}

/// Reads the input.
pub(super) fn read(path: &Path) -> Result<Vec<InputCase>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let cases: Vec<InputCase> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1))
        })
        .collect::<Result<_, _>>()?;
    let is_fresh = |case: &InputCase| {
        case.status == "new"
            && case.notes.is_empty()
            && case.attachments.is_empty()
            && case.assignee.is_none()
    };
    if !cases.iter().all(is_fresh) {
        return Err("the day begins with new cases, without notes and attachments".to_owned());
    }
    Ok(cases)
}

impl InputCase {
    /// When the officer recorded it.
    pub(super) fn recorded_at(&self) -> Result<Timestamp, String> {
        Timestamp::parse_rfc3339(&self.recorded_at)
            .map_err(|_| format!("{}: recorded_at is no time", self.id))
    }

    /// As an officer's form holds it, without its visit.
    pub(super) fn to_form(&self) -> Result<NewCase, String> {
        let wrong = |field: &str| format!("{}: {field} is not what a ward knows", self.id);
        let millionths = |degrees: f64| (degrees * 1e6).round() as i32;
        Ok(NewCase {
            external_ref: Some(self.id.clone()),
            area: Some(self.area.clone()),
            kind: Some(ReportedKind::from_code(&self.kind).ok_or_else(|| wrong("kind"))?),
            category: self.category.clone(),
            urgency: Some(Urgency::from_code(&self.urgency).ok_or_else(|| wrong("urgency"))?),
            recorded_at: Some(self.recorded_at()?),
            text: self.text.clone(),
            location: Some(Location {
                latitude_e6: millionths(self.location.lat),
                longitude_e6: millionths(self.location.lon),
            }),
            citizen: Some(Person {
                name: Some(self.citizen.name.clone()),
                phone: Some(self.citizen.phone.clone()),
                address: Some(self.citizen.address.clone()),
                ..Person::default()
            }),
            ..NewCase::default()
        })
    }
}

/// The cases to which A adds a note.
pub(super) fn noted(cases: usize) -> Range<usize> {
    0..cases / 10
}

/// The cases that B accepts and assigns; half of them are A's.
pub(super) fn assigned(cases: usize) -> Range<usize> {
    cases / 20..cases / 20 + cases / 10
}

/// What A adds.
pub(super) fn note(index: usize) -> (Timestamp, String) {
    let at = CHANGES_BEGIN_MS + i64::try_from(index).expect("a file has fewer lines") * 1_000;
    let text = format!(
        "Đã đến hiện trường, ghi nhận biên bản số {}, hẹn ngày {}",
        index * 7_919 % 99_991,
        1 + index % 28
    );
    (Timestamp(at), text)
}

/// To whom B gives it.
pub(super) fn assignee(index: usize) -> String {
    format!("can-bo-{}", index * 31 % 97)
}

/// What everybody holds in the end.
pub(super) fn expected(mut cases: Vec<InputCase>) -> Vec<InputCase> {
    let count = cases.len();
    for index in noted(count) {
        let (at, text) = note(index);
        cases[index].notes.push(InputNote {
            by: "A".to_owned(),
            at: at.to_rfc3339(),
            text,
        });
    }
    for index in assigned(count) {
        cases[index].status = "assigned".to_owned();
        cases[index].assignee = Some(assignee(index));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_one_changes_the_other_changes_too() {
        assert_eq!((noted(2_000), assigned(2_000)), (0..200, 100..300));
    }
}
