//! Rows as JSON, under the names that programs outside rely on, and standard output.

use std::collections::BTreeMap;
use std::io::{self, StdoutLock, Write};

use gandan_core::client::SyncReport;
use gandan_core::model::{Attachment, Case, LegalBasis, Location, Person, Timestamp};
use gandan_core::protocol::message::Refusal;
use gandan_core::replica::{
    AttachmentState, AttachmentStatus, CaseDetail, CaseSummary, FieldChange, FreedSpace,
    HistoryEntry, PendingItem, Recorded, RejectedItem, Standing,
};
use serde::Serialize;
use uuid::Uuid;

use crate::failure::Failure;

/// Standard output, locked once: a line at a time would lock it for each.
pub(crate) struct Output {
    stream: io::BufWriter<StdoutLock<'static>>,
}

impl Output {
    /// Takes standard output.
    pub(crate) fn new() -> Self {
        Self {
            stream: io::BufWriter::new(io::stdout().lock()),
        }
    }

    /// One JSON object and the end of the line.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.stream, object)
            .map_err(|error| Failure::Stream(error.into()))?;
        self.line("")
    }

    /// The rest of a line.
    pub(crate) fn line(&mut self, words: &str) -> Result<(), Failure> {
        writeln!(self.stream, "{words}").map_err(Failure::Stream)
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(bytes).map_err(Failure::Stream)
    }

    /// Gives everything to whoever reads.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.stream.flush().map_err(Failure::Stream)
    }
}

/// A case as `record` answers it.
#[derive(Serialize)]
pub(crate) struct RecordedLine {
    id: Uuid,
    code: String,
}

impl From<Recorded> for RecordedLine {
    fn from(recorded: Recorded) -> Self {
        Self {
            id: recorded.id,
            code: recorded.code,
        }
    }
}

/// An id alone.
#[derive(Serialize)]
pub(crate) struct IdLine {
    pub(crate) id: Uuid,
}

/// A synchronisation.
#[derive(Serialize)]
pub(crate) struct SyncLine {
    sent: u64,
    received: u64,
    accepted: u64,
    rejected: u64,
    pending: u64,
    agreed: bool,
    bytes_up: u64,
    bytes_down: u64,
    payload_up: u64,
    payload_down: u64,
    round_trips: u32,
    ms: u64,
}

impl From<&SyncReport> for SyncLine {
    fn from(report: &SyncReport) -> Self {
        Self {
            sent: report.sent,
            received: report.received,
            accepted: report.accepted,
            rejected: report.rejected,
            pending: report.pending,
            agreed: report.is_agreed,
            bytes_up: report.bytes_up,
            bytes_down: report.bytes_down,
            payload_up: report.payload_up,
            payload_down: report.payload_down,
            round_trips: report.round_trips,
            ms: report.milliseconds,
        }
    }
}

/// A case in a list.
#[derive(Serialize)]
pub(crate) struct CaseLine<'a> {
    id: Uuid,
    code: &'a str,
    official_number: Option<&'a str>,
    kind: &'a str,
    category: &'a str,
    /// Code of the area, or the words of an unplaced one.
    area: Option<&'a str>,
    is_placed: bool,
    status: &'a str,
    assignee: Option<&'a str>,
    urgency: &'a str,
    recorded_at: String,
    text: &'a str,
    sync: &'a str,
    external_ref: Option<&'a str>,
}

impl<'a> From<&'a CaseSummary> for CaseLine<'a> {
    fn from(summary: &'a CaseSummary) -> Self {
        Self::new(&summary.row.case, summary.sync.code())
    }
}

impl<'a> CaseLine<'a> {
    fn new(case: &'a Case, sync: &'a str) -> Self {
        Self {
            id: case.id,
            code: &case.code,
            official_number: case.official_number.as_deref(),
            kind: case
                .legal_kind
                .map_or(case.reported_kind.code(), |kind| kind.code()),
            category: &case.category,
            area: case.area.as_deref().or(case.place.as_deref()),
            is_placed: case.area.is_some(),
            status: case.status.code(),
            assignee: case.assignee.as_deref(),
            urgency: case.urgency.code(),
            recorded_at: case.recorded_at.to_rfc3339(),
            text: &case.text,
            sync,
            external_ref: case.external_ref.as_deref(),
        }
    }
}

/// A case, whole.
#[derive(Serialize)]
pub(crate) struct CaseObject<'a> {
    #[serde(flatten)]
    line: CaseLine<'a>,
    place: Option<&'a str>,
    visit: Option<Uuid>,
    source: &'a str,
    households: i64,
    division: Option<&'a str>,
    due_at: Option<String>,
    answer: Option<&'a str>,
    delivered_at: Option<String>,
    satisfaction: Option<&'a str>,
    void_reason: Option<&'a str>,
    paper_reference: Option<&'a str>,
    confidentiality: &'a str,
    citizen: Option<CitizenObject<'a>>,
    location: Option<LocationObject>,
    notes: Vec<NoteObject<'a>>,
    attachments: BTreeMap<String, AttachmentObject<'a>>,
    conflicts: Vec<ConflictObject<'a>>,
    history: Vec<HistoryObject<'a>>,
}

/// Gives people their names.
pub(crate) type NameOf<'a> = &'a dyn Fn(gandan_core::model::OfficerId) -> Option<&'a str>;

impl<'a> CaseObject<'a> {
    /// Names of officers come from the ward's reference data; one that it does not know keeps its id.
    pub(crate) fn new(detail: &'a CaseDetail, name_of: NameOf<'a>) -> Self {
        let case = &detail.case;
        let person = |officer: gandan_core::model::OfficerId| {
            name_of(officer).map_or_else(|| officer.to_string(), str::to_owned)
        };
        Self {
            line: CaseLine::new(case, detail.sync.code()),
            place: case.place.as_deref(),
            visit: case.visit,
            source: case.source.code(),
            households: case.households,
            division: case.division.as_deref(),
            due_at: case.due_at.map(|at| at.to_rfc3339()),
            answer: case.answer.as_deref(),
            delivered_at: case.delivered_at.map(|at| at.to_rfc3339()),
            satisfaction: case.satisfaction.map(|said| said.code()),
            void_reason: case.void_reason.as_deref(),
            paper_reference: case.paper_reference.as_deref(),
            confidentiality: case.confidentiality.code(),
            citizen: detail.citizen.as_ref().map(CitizenObject::from),
            location: case.location.map(LocationObject::from),
            notes: case
                .notes
                .iter()
                .map(|note| NoteObject {
                    text: &note.text,
                    author: person(note.author),
                    at: note.at.to_rfc3339(),
                    visibility: note.visibility.code(),
                })
                .collect(),
            attachments: attachments(&case.attachments, &detail.attachments),
            conflicts: case
                .conflicts
                .iter()
                .map(|conflict| ConflictObject {
                    field: &conflict.field,
                    values: conflict
                        .values
                        .iter()
                        .map(|value| value.value.as_str())
                        .collect(),
                })
                .collect(),
            history: detail
                .history
                .iter()
                .map(|entry| HistoryObject::new(entry, entry.author.map(person)))
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct CitizenObject<'a> {
    name: Option<&'a str>,
    phone: Option<&'a str>,
    address: Option<&'a str>,
    contact_name: Option<&'a str>,
    contact_phone: Option<&'a str>,
    legal_basis: Option<&'static str>,
    consent_text: Option<&'a str>,
}

impl<'a> From<&'a Person> for CitizenObject<'a> {
    fn from(person: &'a Person) -> Self {
        Self {
            name: person.name.as_deref(),
            phone: person.phone.as_deref(),
            address: person.address.as_deref(),
            contact_name: person.contact_name.as_deref(),
            contact_phone: person.contact_phone.as_deref(),
            legal_basis: person.legal_basis.map(LegalBasis::code),
            consent_text: person.consent_text.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct LocationObject {
    lat: f64,
    lon: f64,
}

impl From<Location> for LocationObject {
    fn from(location: Location) -> Self {
        Self {
            lat: f64::from(location.latitude_e6) / 1e6,
            lon: f64::from(location.longitude_e6) / 1e6,
        }
    }
}

#[derive(Serialize)]
struct NoteObject<'a> {
    text: &'a str,
    author: String,
    at: String,
    visibility: &'a str,
}

#[derive(Serialize)]
struct ConflictObject<'a> {
    field: &'a str,
    /// The first is the one shown everywhere.
    values: Vec<&'a str>,
}

/// A file as a line of `cases.jsonl` names it, and whether the ward has it.
#[derive(Serialize)]
struct AttachmentObject<'a> {
    hash: String,
    bytes: u64,
    mime: &'a str,
    on_server: bool,
    state: &'static str,
    bytes_done: u64,
    on_phone: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
}

/// By name, as in a line of `cases.jsonl`; a second file of the same name gets a number.
fn attachments<'a>(
    attachments: &'a [Attachment],
    statuses: &[AttachmentStatus],
) -> BTreeMap<String, AttachmentObject<'a>> {
    let mut objects = BTreeMap::new();
    for attachment in attachments {
        let mut name = attachment.name.clone();
        let mut number = 1;
        while objects.contains_key(&name) {
            number += 1;
            name = format!("{} ({number})", attachment.name);
        }
        let status = statuses
            .iter()
            .find(|status| status.hash == attachment.hash);
        let state = status.map_or(AttachmentState::Elsewhere, |status| status.state);
        let object = AttachmentObject {
            hash: attachment.hash.to_string(),
            bytes: attachment.bytes,
            mime: &attachment.mime,
            on_server: state == AttachmentState::OnWard,
            state: state.code(),
            bytes_done: status.map_or(0, |status| status.bytes_done),
            on_phone: status.is_some_and(|status| status.is_here),
            thumbnail: attachment.thumbnail.map(|hash| hash.to_string()),
        };
        objects.insert(name, object);
    }
    objects
}

/// A file as `attach` answers it.
#[derive(Serialize)]
pub(crate) struct AttachedLine {
    hash: String,
    bytes: u64,
    mime: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
}

impl From<Attachment> for AttachedLine {
    fn from(attachment: Attachment) -> Self {
        Self {
            hash: attachment.hash.to_string(),
            bytes: attachment.bytes,
            mime: attachment.mime,
            name: attachment.name,
            thumbnail: attachment.thumbnail.map(|hash| hash.to_string()),
        }
    }
}

/// What `free` made room for.
#[derive(Serialize)]
pub(crate) struct FreedLine {
    files: u64,
    bytes: u64,
}

impl From<FreedSpace> for FreedLine {
    fn from(freed: FreedSpace) -> Self {
        Self {
            files: freed.files,
            bytes: freed.bytes,
        }
    }
}

#[derive(Serialize)]
struct HistoryObject<'a> {
    edit: String,
    at: String,
    received_at: Option<String>,
    author: Option<String>,
    changes: Vec<ChangeObject<'a>>,
    sync: &'a str,
}

impl<'a> HistoryObject<'a> {
    fn new(entry: &'a HistoryEntry, author: Option<String>) -> Self {
        Self {
            edit: entry.edit.to_string(),
            at: entry.at.to_rfc3339(),
            received_at: entry.received_at.map(|at| at.to_rfc3339()),
            author,
            changes: entry.changes.iter().map(ChangeObject::from).collect(),
            sync: entry.sync.code(),
        }
    }
}

#[derive(Serialize)]
struct ChangeObject<'a> {
    operation: &'a str,
    field: &'a str,
    value: Option<&'a str>,
}

impl<'a> From<&'a FieldChange> for ChangeObject<'a> {
    fn from(change: &'a FieldChange) -> Self {
        Self {
            operation: &change.operation,
            field: &change.field,
            value: change.value.as_deref(),
        }
    }
}

/// Something without a final word.
#[derive(Serialize)]
pub(crate) struct PendingLine {
    record: Uuid,
    edit: Option<String>,
    attachment: Option<String>,
    sync: &'static str,
}

impl From<&PendingItem> for PendingLine {
    fn from(item: &PendingItem) -> Self {
        Self {
            record: item.record,
            edit: item.edit.map(|edit| edit.to_string()),
            attachment: item.attachment.map(|hash| hash.to_string()),
            sync: item.sync.code(),
        }
    }
}

/// Something that the ward refused.
#[derive(Serialize)]
pub(crate) struct RejectedLine<'a> {
    record: Uuid,
    edit: String,
    code: u16,
    reason: &'static str,
    content: Vec<ChangeObject<'a>>,
}

impl<'a> From<&'a RejectedItem> for RejectedLine<'a> {
    fn from(item: &'a RejectedItem) -> Self {
        Self {
            record: item.record,
            edit: item.edit.to_string(),
            code: item.reason.code(),
            reason: item.reason.label(),
            content: item.content.iter().map(ChangeObject::from).collect(),
        }
    }
}

/// Where the phone stands with its ward.
#[derive(Serialize)]
pub(crate) struct StatusObject<'a> {
    /// `None`, here and below: not known while the app is locked.
    enrolled: Option<bool>,
    revoked: Option<bool>,
    wiped: bool,
    locked: bool,
    wiped_at: Option<String>,
    /// By the ward's clock.
    last_contact: Option<String>,
    pending: Option<usize>,
    /// `None` too while the phone shows nothing because it has not met its ward for long.
    rejected: Option<Vec<RejectedLine<'a>>>,
    /// Whole days since it met its ward, if nothing is shown until it does.
    days_out_of_touch: Option<u32>,
    /// When this phone, revoked, gave the ward what was unsent; somebody looks into it there.
    handed_over_at: Option<String>,
    /// What a wiped phone had unsent and did not hand over, sealed to the ward.
    rescue_file: Option<String>,
}

impl<'a> StatusObject<'a> {
    pub(crate) fn new(
        standing: &Standing,
        pending: usize,
        rejected: Option<&'a [RejectedItem]>,
    ) -> Self {
        Self {
            enrolled: Some(standing.is_enrolled),
            revoked: Some(standing.refused == Some(Refusal::Revoked)),
            wiped: false,
            locked: false,
            wiped_at: None,
            last_contact: standing.last_contact.map(Timestamp::to_rfc3339),
            pending: Some(pending),
            rejected: rejected.map(|all| all.iter().map(RejectedLine::from).collect()),
            days_out_of_touch: standing.days_out_of_touch,
            handed_over_at: standing.handed_over_at.map(Timestamp::to_rfc3339),
            rescue_file: None,
        }
    }

    pub(crate) fn locked() -> Self {
        Self {
            enrolled: None,
            revoked: None,
            wiped: false,
            locked: true,
            wiped_at: None,
            last_contact: None,
            pending: None,
            rejected: None,
            days_out_of_touch: None,
            handed_over_at: None,
            rescue_file: None,
        }
    }

    pub(crate) fn wiped(at: Timestamp, rescue_file: Option<String>) -> Self {
        Self {
            enrolled: Some(false),
            revoked: Some(true),
            wiped: true,
            locked: false,
            wiped_at: Some(at.to_rfc3339()),
            last_contact: None,
            pending: Some(0),
            rejected: Some(Vec::new()),
            days_out_of_touch: None,
            handed_over_at: None,
            rescue_file,
        }
    }
}

#[cfg(test)]
mod tests {
    use gandan_core::model::AttachmentHash;

    use super::*;

    #[test]
    fn a_second_file_of_the_same_name_is_not_hidden() {
        let photo = |byte| Attachment {
            hash: AttachmentHash([byte; 32]),
            name: "photo.jpg".to_owned(),
            bytes: 1,
            mime: "image/jpeg".to_owned(),
            at: Timestamp(0),
            thumbnail: None,
        };
        let files = [photo(1), photo(2)];
        let on_ward = AttachmentStatus {
            hash: AttachmentHash([2; 32]),
            state: AttachmentState::OnWard,
            bytes_done: 0,
            is_here: false,
            is_thumbnail: false,
        };
        let objects = attachments(&files, &[on_ward]);
        let named: Vec<_> = objects
            .iter()
            .map(|(name, object)| (name.as_str(), object.on_server))
            .collect();
        assert_eq!(named, [("photo.jpg", false), ("photo.jpg (2)", true)]);
    }
}
