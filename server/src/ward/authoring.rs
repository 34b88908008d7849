//! What the ward's own people write, through the same admission as a phone's edits.

use gandan_core::document::schema::{self, field};
use gandan_core::edit::{Edit, EncodedEdit, Operation};
use gandan_core::model::{DeviceId, DocumentId, EditId, IntentId, Status};
use gandan_core::policy::{Author, RejectionCode};
use gandan_core::protocol::verdict::Verdict;

use super::WardError;
use super::admission::Origin;
use super::connections::Work;
use super::numbering::TOO_LONG;

impl Work<'_> {
    /// Writes one edit on the present heads, or a creation.
    pub(super) fn author(
        &mut self,
        author: Author,
        document: DocumentId,
        operations: Vec<Operation>,
    ) -> Result<EditId, WardError> {
        let is_creation = matches!(operations[..], [Operation::Create { .. }]);
        let edit = match self.load(document)? {
            None if !is_creation => return Err(WardError::NotFound("document")),
            Some(_) if is_creation => return Err(WardError::Taken("document id")),
            None => self.creation(document, operations)?,
            Some(loaded) => {
                let edit = self.ward_edit(document, &loaded.state, &loaded.heads, operations);
                self.documents.keep(loaded);
                edit?
            }
        };
        let origin = Origin {
            device: DeviceId(self.shared.keys.public().0),
            author,
            scope: None,
        };
        match self.admit(&origin, &edit)? {
            Verdict::Accepted { .. } | Verdict::Duplicate { .. } => Ok(edit.id()),
            Verdict::Rejected { code } => Err(WardError::NotAllowed(code)),
            // The edit depends on heads that are here.
            Verdict::Waiting { .. } => Err(WardError::NotAllowed(RejectionCode::NotApplicable)),
        }
    }

    fn creation(
        &self,
        document: DocumentId,
        operations: Vec<Operation>,
    ) -> Result<EncodedEdit, WardError> {
        let edit = Edit {
            document,
            intent: IntentId(*document.uuid.as_bytes()),
            actor: self.shared.actor,
            sequence: 1,
            dependencies: Vec::new(),
            device_time: self.now,
            operations,
        };
        EncodedEdit::encode(edit).map_err(|_| WardError::Invalid(TOO_LONG))
    }

    /// Accepts a case; the admission gives it its number.
    pub(super) fn accept(&mut self, author: Author, case: DocumentId) -> Result<String, WardError> {
        let loaded = self.load(case)?.ok_or(WardError::NotFound("case"))?;
        let before = schema::case_head(&loaded.state).ok_or(WardError::Damaged)?;
        self.documents.keep(loaded);
        if let Some(number) = before.official_number {
            return Ok(number);
        }
        if self.is_numbering_paused()? {
            return Err(WardError::NumberingPaused);
        }
        let accepted = schema::text_value(Some(Status::Accepted.code()));
        self.author(author, case, vec![schema::set(field::STATUS, accepted)])?;
        let loaded = self.load(case)?.ok_or(WardError::NotFound("case"))?;
        let number = schema::case_head(&loaded.state).and_then(|case| case.official_number);
        self.documents.keep(loaded);
        number.ok_or(WardError::NotAllowed(RejectionCode::TransitionNotAllowed))
    }
}
