//! What a store holds, as records that can be compared whatever made them: read from documents, not
//! from rows, sorted, and named by a hash.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use gandan_core::document::schema;
use gandan_core::environment::SystemEnvironment;
use gandan_core::model::{Case, DocumentId, Person, Status, Visit, phone_number, text};
use gandan_core::replica::Replica;
use gandan_core::store::rows::{self, CaseQuery};
use gandan_server::ward::Ward;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::workload::{Citizen, InputCase, InputNote, Place};

/// What is compared of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Digest {
    pub(super) count: usize,
    /// Of the records, as the input has them.
    pub(super) records: String,
    /// Of every field that the ward added as well: ids, codes, official numbers.
    pub(super) whole: String,
}

/// What should be there.
pub(super) fn of_input(cases: Vec<InputCase>) -> String {
    let records = cases.into_iter().map(|mut case| {
        for words in [
            &mut case.id,
            &mut case.visit,
            &mut case.area,
            &mut case.category,
            &mut case.text,
            &mut case.citizen.name,
            &mut case.citizen.address,
        ] {
            *words = text::normalize(words);
        }
        if let Some(number) = phone_number::parse(&case.citizen.phone) {
            case.citizen.phone = number;
        }
        if let Ok(at) = case.recorded_at() {
            case.recorded_at = at.to_rfc3339();
        }
        case
    });
    hash(records.map(|case| line(&case)).collect())
}

/// What a phone holds.
pub(super) fn of_phone(replica: &Replica) -> Result<Digest, String> {
    let words = |error| format!("the phone's store: {error}");
    let visits = references(replica.visits(u32::MAX).map_err(words)?);
    let mut sum = Sum::default();
    for summary in replica.cases(&CaseQuery::default()).map_err(words)? {
        let found = replica.case(summary.row.case.id).map_err(words)?;
        let found = found.ok_or("a row without a case")?;
        sum.add(&found.case, found.citizen, &visits);
    }
    Ok(sum.finish())
}

/// What the ward in `data` holds.
pub(super) fn of_ward(data: &Path) -> Result<Digest, String> {
    let words = |error| format!("the ward's store: {error}");
    let ward = Ward::open(data, Arc::new(SystemEnvironment)).map_err(words)?;
    let visits = ward.read(|connection| rows::visits(connection, u32::MAX));
    let visits = references(visits.map_err(words)?);
    let cases = ward.read(|connection| rows::cases(connection, &CaseQuery::default()));
    let mut sum = Sum::default();
    for row in cases.map_err(words)? {
        let id = row.case.id;
        let case = ward.case(id).map_err(words)?;
        let person = ward.document(DocumentId::person_of(id)).map_err(words)?;
        let person = person.as_ref().and_then(schema::person);
        sum.add(&case.ok_or("a row without a case")?, person, &visits);
    }
    Ok(sum.finish())
}

fn references(visits: Vec<Visit>) -> HashMap<Uuid, String> {
    visits
        .into_iter()
        .map(|visit| (visit.id, visit.external_ref.unwrap_or_default()))
        .collect()
}

#[derive(Default)]
struct Sum {
    records: Vec<String>,
    whole: Vec<String>,
}

impl Sum {
    fn add(&mut self, case: &Case, person: Option<Person>, visits: &HashMap<Uuid, String>) {
        let visit = case.visit.and_then(|visit| visits.get(&visit));
        let visit = visit.cloned().unwrap_or_default();
        self.whole.push(format!("{case:?} {person:?} {visit:?}"));
        self.records.push(line(&record(case, person, visit)));
    }

    fn finish(self) -> Digest {
        Digest {
            count: self.records.len(),
            records: hash(self.records),
            whole: hash(self.whole),
        }
    }
}

fn record(case: &Case, person: Option<Person>, visit: String) -> InputCase {
    let person = person.unwrap_or_default();
    let degrees = |millionths: i32| f64::from(millionths) / 1e6;
    let status = match case.status {
        Status::Recorded => "new",
        Status::Accepted => "assigned",
        other => other.code(),
    };
    let note = |note: &gandan_core::model::Note| InputNote {
        by: if note.author == case.recorded_by {
            "A".to_owned()
        } else {
            note.author.0.to_string()
        },
        at: note.at.to_rfc3339(),
        text: note.text.clone(),
    };
    InputCase {
        id: case.external_ref.clone().unwrap_or_default(),
        visit,
        area: case.area.clone().or(case.place.clone()).unwrap_or_default(),
        kind: case.reported_kind.code().to_owned(),
        category: case.category.clone(),
        urgency: case.urgency.code().to_owned(),
        status: status.to_owned(),
        recorded_at: case.recorded_at.to_rfc3339(),
        text: case.text.clone(),
        citizen: Citizen {
            name: person.name.unwrap_or_default(),
            phone: person.phone.unwrap_or_default(),
            address: person.address.unwrap_or_default(),
        },
        location: Place {
            lat: case.location.map_or(0.0, |it| degrees(it.latitude_e6)),
            lon: case.location.map_or(0.0, |it| degrees(it.longitude_e6)),
        },
        attachments: serde_json::Map::new(),
        notes: case.notes.iter().map(note).collect(),
        assignee: case.assignee.clone(),
    }
}

fn line(case: &InputCase) -> String {
    serde_json::to_string(case).expect("texts and numbers are JSON")
}

fn hash(mut lines: Vec<String>) -> String {
    lines.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for line in lines {
        hasher.update(line.as_bytes()).update(b"\n");
    }
    hasher.finalize().to_hex().to_string()
}
