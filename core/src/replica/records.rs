//! Recording: what an officer does becomes edits, durable when the call returns.

mod change;
mod forms;

use uuid::Uuid;

use super::work::{self, Refused, Work};
use super::{Replica, area, input};
use crate::document::Materialized;
use crate::document::schema::{self, field};
use crate::edit::{Edit, EncodedEdit, Operation};
use crate::model::{
    Attachment, Case, Confidentiality, Directory, DocumentId, DocumentKind, IntentId, Note,
    NoteVisibility, Person, ReportedKind, Satisfaction, ShortCode, Source, Status, Timestamp,
    Urgency, Visit,
};
use crate::picture;
use crate::policy::{self, Author, RejectionCode};
use crate::store::device::files::{self, FileKind};
use crate::store::{StoreError, attachments};

pub use forms::{CaseChange, NewCase, NewVisit, RecordError, Recorded};

/// Media type of every thumbnail.
const THUMBNAIL_TYPE: &str = "image/jpeg";

impl Replica {
    /// Starts a visit.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn start_visit(&self, visit: NewVisit) -> Result<Uuid, RecordError> {
        self.author(|work, author, directory| {
            let (area, place) = placed(directory, visit.area.as_deref(), visit.place.as_deref())?;
            let visit = Visit {
                id: work.new_uuid(),
                external_ref: input::optional_words("external_ref", visit.external_ref.as_deref())?,
                area,
                place,
                started_at: visit.started_at.unwrap_or_else(|| work.environment.now()),
                ended_at: None,
                officer: author.officer,
                summary: input::text("summary", &visit.summary)?,
                conflicts: Vec::new(),
            };
            let fields = schema::visit_fields(&visit);
            work.author(
                author,
                DocumentId::visit(visit.id),
                vec![Operation::Create { fields }],
            )?;
            Ok(visit.id)
        })
    }

    /// Ends a visit, with what came of it.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn end_visit(&self, visit: Uuid, summary: Option<String>) -> Result<(), RecordError> {
        self.author(|work, author, _| {
            let document = DocumentId::visit(visit);
            let state = &work.existing(document)?.state;
            let old = schema::raw_text(state, field::SUMMARY).unwrap_or_default();
            let mut operations = Vec::new();
            if let Some(summary) = summary {
                let new = input::text("summary", &summary)?;
                operations.extend(schema::splice(field::SUMMARY, old, &new));
            }
            let now = work.environment.now();
            operations.insert(
                0,
                schema::set(field::ENDED_AT, schema::time_value(Some(now))),
            );
            work.author(author, document, operations)
        })
    }

    /// Records a case, and its person if there is one, in one transaction.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn record_case(&self, case: NewCase) -> Result<Recorded, RecordError> {
        self.author(|work, author, directory| {
            let citizen = match &case.citizen {
                Some(typed) => input::person(typed)?,
                None => None,
            };
            let case = new_case(work, author, directory, case)?;
            let document = DocumentId::case(case.id);
            let fields = schema::case_fields(&case);
            work.author(author, document, vec![Operation::Create { fields }])?;
            if let Some(citizen) = citizen {
                if case.reported_kind == ReportedKind::Denunciation {
                    // Not stored anywhere, not even for the ward to refuse it.
                    return Err(RecordError::NotAllowed(RejectionCode::DenunciationContent));
                }
                let citizen = Person {
                    id: case.id,
                    ..citizen
                };
                let fields = schema::person_fields(&citizen);
                let document = DocumentId::person_of(case.id);
                work.author(author, document, vec![Operation::Create { fields }])?;
            }
            Ok(Recorded {
                id: case.id,
                code: case.code,
            })
        })
    }

    /// Corrects a case. A change that says what the case says already records nothing.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn edit_case(&self, case: Uuid, change: CaseChange) -> Result<(), RecordError> {
        self.author(|work, author, directory| {
            let document = DocumentId::case(case);
            let state = &work.existing(document)?.state;
            let operations = change::operations(state, directory, &change)?;
            if operations.is_empty() {
                return Ok(());
            }
            work.author(author, document, operations)
        })
    }

    /// Voids a case recorded in error; it stays readable, with the reason.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn void_case(&self, case: Uuid, reason: &str) -> Result<(), RecordError> {
        self.author(|work, author, _| {
            let reason = input::words("void_reason", reason)?;
            if reason.is_empty() {
                return Err(RecordError::Invalid {
                    field: "void_reason",
                    rule: "phải nói lý do ghi nhầm (say why the case was recorded in error)",
                });
            }
            let set = |field, words: &str| schema::set(field, schema::text_value(Some(words)));
            let operations = vec![
                set(field::VOID_REASON, &reason),
                set(field::STATUS, Status::Voided.code()),
            ];
            work.author(author, DocumentId::case(case), operations)
        })
    }

    /// Adds a note.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn add_note(&self, case: Uuid, text: &str) -> Result<Uuid, RecordError> {
        self.author(|work, author, _| {
            let note = Note {
                id: work.new_uuid(),
                text: input::required_text("text", text)?,
                author: author.officer,
                at: work.environment.now(),
                visibility: NoteVisibility::Internal,
            };
            let append = schema::append(field::NOTES, schema::note_item(&note));
            work.author(author, DocumentId::case(case), vec![append])?;
            Ok(note.id)
        })
    }

    /// Attaches an image; type and size are checked by content. What it tells of where and when it was
    /// taken is cut out before it is kept.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn attach(&self, case: Uuid, name: &str, bytes: &[u8]) -> Result<Attachment, RecordError> {
        let picture = picture::take(bytes)?;
        self.author(|work, author, _| {
            let attachment = Attachment {
                hash: attachments::hash(&picture.bytes),
                name: input::words("name", name)?,
                bytes: picture.bytes.len() as u64,
                mime: picture.mime.to_owned(),
                at: work.environment.now(),
                thumbnail: picture.thumbnail.as_deref().map(attachments::hash),
            };
            let item = schema::attachment_item(&attachment);
            let append = schema::append(field::ATTACHMENTS, item);
            work.author(author, DocumentId::case(case), vec![append])?;
            if let Some(thumbnail) = &picture.thumbnail {
                let hash = attachments::write(work.connection, thumbnail, THUMBNAIL_TYPE)
                    .map_err(StoreError::from)?;
                files::insert(work.connection, hash, case, FileKind::Thumbnail)
                    .map_err(StoreError::from)?;
            }
            attachments::write(work.connection, &picture.bytes, picture.mime)
                .map_err(StoreError::from)?;
            files::insert(work.connection, attachment.hash, case, FileKind::Original)
                .map_err(StoreError::from)?;
            Ok(attachment)
        })
    }

    /// Marks the answer brought, and what the citizen said of it.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn mark_delivered(
        &self,
        case: Uuid,
        satisfaction: Satisfaction,
    ) -> Result<(), RecordError> {
        self.author(|work, author, _| {
            let now = work.environment.now();
            let said = schema::text_value(Some(satisfaction.code()));
            let operations = vec![
                schema::set(field::DELIVERED_AT, schema::time_value(Some(now))),
                schema::set(field::SATISFACTION, said),
            ];
            work.author(author, DocumentId::case(case), operations)
        })
    }

    /// Does something in the officer's name, in one transaction.
    fn author<T>(
        &self,
        record: impl FnOnce(&mut Work<'_>, Author, Option<&Directory>) -> Result<T, RecordError>,
    ) -> Result<T, RecordError> {
        let mut core = self.core();
        let author = core.author().ok_or(RecordError::NotEnrolled)?;
        let directory = core.directory.clone();
        let result = self.transact_on(&mut core, |work| record(work, author, directory.as_deref()));
        drop(core);
        let (value, changes) = result?;
        self.inner.observers.tell(&changes);
        Ok(value)
    }
}

impl Work<'_> {
    /// The document that is to be changed.
    fn existing(&mut self, document: DocumentId) -> Result<&Materialized, RecordError> {
        if self.document(document).map_err(StoreError::from)?.is_none() {
            return Err(self.absent(document)?);
        }
        let found = self.document(document).map_err(StoreError::from)?;
        found.ok_or(RecordError::NotFound)
    }

    /// Why a document cannot be changed that has no edits: it never was, or the ward refused it.
    fn absent(&self, document: DocumentId) -> Result<RecordError, RecordError> {
        let refused = work::read_refused(self.connection, document).map_err(StoreError::from)?;
        Ok(match refused {
            Some(_) => RecordError::NotAllowed(RejectionCode::DependsOnRejected),
            None => RecordError::NotFound,
        })
    }

    /// Makes one edit on the document as it stands (or its creation), if the policy lets it.
    fn author(
        &mut self,
        author: Author,
        document: DocumentId,
        operations: Vec<Operation>,
    ) -> Result<(), RecordError> {
        let is_creation = matches!(operations.as_slice(), [Operation::Create { .. }]);
        let intent = if is_creation {
            IntentId(*document.uuid.as_bytes())
        } else {
            self.existing(document)?;
            IntentId(self.random())
        };
        let now = self.environment.now();
        self.make(author, document, intent, now, operations)
            .map_err(RecordError::from)
    }

    /// Makes an edit anew on the document as it stands, with the same intent: what it was built on is
    /// not there any more. Whether it could be; if not, nothing has changed.
    pub(super) fn author_anew(&mut self, author: Author, edit: &Edit) -> rusqlite::Result<bool> {
        if self.document(edit.document)?.is_none() {
            return Ok(false);
        }
        let operations = edit.operations.clone();
        match self.make(
            author,
            edit.document,
            edit.intent,
            edit.device_time,
            operations,
        ) {
            Ok(()) => Ok(true),
            Err(NotMade::Store(error)) => Err(error),
            Err(NotMade::NotAllowed(_) | NotMade::TooLarge(_)) => Ok(false),
        }
    }

    fn make(
        &mut self,
        author: Author,
        document: DocumentId,
        intent: IntentId,
        device_time: Timestamp,
        operations: Vec<Operation>,
    ) -> Result<(), NotMade> {
        let actor = self.actor;
        let (sequence, dependencies) = match self.document(document)? {
            Some(existing) => (existing.state.next_sequence(actor), existing.heads.clone()),
            None => (1, Vec::new()),
        };
        let edit = Edit {
            document,
            intent,
            actor,
            sequence,
            dependencies,
            device_time,
            operations,
        };
        self.ask_policy(author, &edit)?;
        let edit = EncodedEdit::encode(edit).map_err(|error| NotMade::TooLarge(error.rule))?;
        match self.execute(&edit, author.officer, None) {
            Ok(()) => Ok(()),
            Err(Refused::Execute(_)) => Err(NotMade::NotAllowed(RejectionCode::NotApplicable)),
            Err(Refused::Store(error)) => Err(error.into()),
        }
    }

    fn ask_policy(&mut self, author: Author, edit: &Edit) -> Result<(), NotMade> {
        let case = if edit.document.kind == DocumentKind::Person {
            let case = self.document(DocumentId::case(edit.document.uuid))?;
            case.map(|case| case.state.clone())
        } else {
            None
        };
        let before = self.document(edit.document)?.map(|before| &before.state);
        policy::check(author, edit, before, case.as_ref()).map_err(NotMade::NotAllowed)
    }
}

/// Why an edit was not made.
enum NotMade {
    NotAllowed(RejectionCode),
    /// It breaks this rule of the encoding.
    TooLarge(&'static str),
    Store(rusqlite::Error),
}

impl From<rusqlite::Error> for NotMade {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl From<NotMade> for RecordError {
    fn from(error: NotMade) -> Self {
        match error {
            NotMade::NotAllowed(code) => Self::NotAllowed(code),
            NotMade::TooLarge(rule) => Self::Invalid {
                field: "record",
                rule,
            },
            NotMade::Store(error) => StoreError::from(error).into(),
        }
    }
}

fn new_case(
    work: &Work<'_>,
    author: Author,
    directory: Option<&Directory>,
    case: NewCase,
) -> Result<Case, RecordError> {
    let (area, place) = placed(directory, case.area.as_deref(), case.place.as_deref())?;
    let households = i64::from(case.households.unwrap_or(1));
    if households == 0 {
        return Err(RecordError::Invalid {
            field: "households",
            rule: "ít nhất là một hộ (at least one household says so)",
        });
    }
    let words = |field, typed: &Option<String>| input::optional_words(field, typed.as_deref());
    // A visit tells the place, and a foreign reference leads to what was written elsewhere. Whoever
    // records a stop card on a visit did not write them, so they are left out rather than refused.
    let is_card = case.kind == Some(ReportedKind::Denunciation);
    Ok(Case {
        id: work.new_uuid(),
        code: ShortCode::from_random(work.random()).to_string(),
        external_ref: words("external_ref", &case.external_ref)?.filter(|_| !is_card),
        visit: case.visit.filter(|_| !is_card),
        area,
        place,
        reported_kind: case.kind.unwrap_or(ReportedKind::Report),
        legal_kind: None,
        category: area::category(directory, &input::words("category", &case.category)?),
        urgency: case.urgency.unwrap_or(Urgency::Normal),
        source: case.source.unwrap_or(Source::HeardFromPerson),
        status: Status::Recorded,
        recorded_at: case.recorded_at.unwrap_or_else(|| work.environment.now()),
        recorded_by: author.officer,
        text: input::text("text", &case.text)?,
        households,
        location: case.location,
        official_number: None,
        division: None,
        assignee: None,
        due_at: None,
        answer: None,
        delivered_at: None,
        satisfaction: None,
        void_reason: None,
        paper_reference: words("paper_reference", &case.paper_reference)?,
        confidentiality: Confidentiality::Normal,
        notes: Vec::new(),
        attachments: Vec::new(),
        conflicts: Vec::new(),
    })
}

/// Area and place of what was typed: an area that the ward's tree does not know stands before the
/// place, in words.
fn placed(
    directory: Option<&Directory>,
    area: Option<&str>,
    place: Option<&str>,
) -> Result<(Option<String>, Option<String>), RecordError> {
    let typed = input::optional_words("area", area)?;
    let place = input::optional_words("place", place)?;
    let Some(typed) = typed else {
        return Ok((None, place));
    };
    if let Some(code) = area::code(directory, &typed) {
        return Ok((Some(code), place));
    }
    let words = match place {
        Some(place) => format!("{typed}, {place}"),
        None => typed,
    };
    Ok((None, Some(words)))
}
