//! Admission: the one way by which an edit enters the feed, whoever wrote it. Asks, in this order:
//! is it here already, was it refused, was its intent applied, is what it depends on here, is the
//! actor the device's own, does the scope cover the document, does the policy allow it, does it fit.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gandan_core::document::{DocumentState, schema};
use gandan_core::edit::{Edit, EncodedEdit, Operation};
use gandan_core::model::{
    DeviceId, DocumentId, DocumentKind, EditId, OfficerId, Status, Timestamp,
};
use gandan_core::policy::{self, Author, RejectionCode};
use gandan_core::protocol::agreement::EditSum;
use gandan_core::protocol::bundle::{self, OpenedBundle};
use gandan_core::protocol::feed::FeedEntry;
use gandan_core::protocol::responder::WardAnswer;
use gandan_core::protocol::verdict::Verdict;
use gandan_core::store::rows;
use rusqlite::{OptionalExtension, params};

use super::audit::{Entry, Kind};
use super::connections::{Work, from_sql, to_sql};
use super::documents::{self, Loaded};
use super::scope::{Placement, Scope};
use super::{WardError, devices, feed, floor, placements, purge, sums};

/// From whom an edit comes.
pub(super) struct Origin {
    pub(super) device: DeviceId,
    pub(super) author: Author,
    /// `None` for the ward's own console, whose people see the whole ward.
    pub(super) scope: Option<Scope>,
}

impl Work<'_> {
    /// Admits a sealed bundle from a device that proved its key.
    pub(super) fn admit_bundle(
        &mut self,
        known: &devices::Known,
        sealed: &[u8],
    ) -> Result<WardAnswer, WardError> {
        let device = known.id;
        let Ok(opened) = bundle::open(sealed) else {
            // No edit in it has a name, so there is no verdict to give: the bundle stays on the device, and
            // its other bundles go on.
            tracing::warn!(%device, "a bundle that does not open");
            self.audit(
                Entry::of(Kind::Admission)
                    .by(known.actor())
                    .ending("unreadable")
                    .without_change(),
            )?;
            return Ok(WardAnswer::Verdicts(Vec::new()));
        };
        if opened.proof.device != device || opened.proof.ward != self.shared.code {
            tracing::warn!(%device, "a bundle of another device or ward");
            self.audit(
                Entry::of(Kind::Admission)
                    .by(known.actor())
                    .ending("foreign")
                    .without_change(),
            )?;
            let code = RejectionCode::ForeignActor;
            return Ok(WardAnswer::Verdicts(vec![
                Verdict::Rejected { code };
                opened.edits.len()
            ]));
        }
        self.admit_opened(known, &opened).map(WardAnswer::Verdicts)
    }

    /// Admits what `known` signed, whoever brought it.
    pub(super) fn admit_opened(
        &mut self,
        known: &devices::Known,
        opened: &OpenedBundle,
    ) -> Result<Vec<Verdict>, WardError> {
        let origin = Origin {
            device: known.id,
            author: known.author,
            scope: Some(known.scope(self.connection)?),
        };
        let mut verdicts = Vec::with_capacity(opened.edits.len());
        for (id, edit) in &opened.edits {
            verdicts.push(match edit {
                Ok(edit) => self.admit(&origin, edit)?,
                Err(_) => self.reject(&origin, *id, RejectionCode::Malformed)?,
            });
        }
        if verdicts
            .iter()
            .any(|verdict| matches!(verdict, Verdict::Accepted { .. }))
        {
            self.keep_proof(opened)?;
            self.place_what_waited(opened)?;
        }
        let entry = Entry::of(Kind::Admission).by(known.actor());
        self.audit(entry.verdicts(&verdicts))?;
        Ok(verdicts)
    }

    /// Admits one edit. Whatever goes wrong with it touches no other.
    pub(super) fn admit(
        &mut self,
        origin: &Origin,
        edit: &EncodedEdit,
    ) -> Result<Verdict, WardError> {
        self.run("SAVEPOINT edit")?;
        // Everything foreign was bounded by decoding; this is the last belt, against a mistake in the merge engine.
        let result = catch_unwind(AssertUnwindSafe(|| self.judge(origin, edit)));
        let verdict = match result {
            Ok(Ok(verdict)) => {
                self.run("RELEASE edit")?;
                return Ok(verdict);
            }
            Ok(Err(NotAdmitted::Rejected(code))) => Ok(code),
            Ok(Err(NotAdmitted::Failed(error))) => Err(error),
            Err(_) => {
                tracing::error!(edit = %edit.id(), "executing an edit panicked");
                Ok(RejectionCode::NotApplicable)
            }
        };
        self.run("ROLLBACK TO edit")?;
        self.run("RELEASE edit")?;
        self.reject(origin, edit.id(), verdict?)
    }

    fn judge(&mut self, origin: &Origin, edit: &EncodedEdit) -> Result<Verdict, NotAdmitted> {
        if purge::is_purged(self.connection, edit.edit().document)? {
            return Err(RejectionCode::Purged.into());
        }
        if let Some(sequence) = feed::sequence_of(self.connection, edit.id())? {
            return Ok(Verdict::Duplicate { sequence });
        }
        if let Some(code) = self.rejection_of(origin.device, edit.id())? {
            return Err(code.into());
        }
        if let Some(sequence) = self.intent_applied(origin.author.officer, edit.edit())? {
            return Ok(Verdict::Duplicate { sequence });
        }
        if let Some(dependency) = self.missing_dependency(edit.edit())? {
            return match self.rejection_of(origin.device, dependency)? {
                Some(_) => Err(RejectionCode::DependsOnRejected.into()),
                None => Ok(Verdict::Waiting { dependency }),
            };
        }
        self.check_actor(origin.device, edit.edit())?;
        let document = edit.edit().document;
        let loaded = self.load(document)?;
        let allowed = self
            .check_scope(origin, document, loaded.is_some())
            .and_then(|case| {
                let before = loaded.as_ref().map(|loaded| &loaded.state);
                Ok(policy::check(
                    origin.author,
                    edit.edit(),
                    before,
                    case.as_ref(),
                )?)
            });
        if let Err(refused) = allowed {
            // Nothing has changed it: the next edit need not read it from its history again.
            if let Some(loaded) = loaded {
                self.documents.keep(loaded);
            }
            return Err(refused);
        }
        let loaded = self.execute_edit(loaded, edit)?;
        let entry = self.append(origin.device, origin.author.officer, self.now, edit, loaded)?;
        if document.kind == DocumentKind::Case {
            self.follow(origin.author.officer, document)?;
        }
        Ok(Verdict::Accepted {
            sequence: entry.sequence,
        })
    }

    /// Executes an edit whose right was settled.
    pub(super) fn execute_edit(
        &mut self,
        loaded: Option<Loaded>,
        edit: &EncodedEdit,
    ) -> Result<Loaded, NotAdmitted> {
        let is_creation = matches!(edit.edit().operations[..], [Operation::Create { .. }]);
        let loaded = match loaded {
            None => Loaded::create(edit).map_err(|_| RejectionCode::NotApplicable)?,
            Some(_) if is_creation => return Err(RejectionCode::NotApplicable.into()),
            Some(mut loaded) => match loaded.execute(self.connection, edit)? {
                Ok(()) => loaded,
                Err(_) => {
                    self.documents.keep(loaded);
                    return Err(RejectionCode::NotApplicable.into());
                }
            },
        };
        Ok(loaded)
    }

    /// Writes an executed edit: edit, feed entry, document, row. The search index follows at the end
    /// of the transaction.
    pub(super) fn append(
        &mut self,
        device: DeviceId,
        author: OfficerId,
        received_at: Timestamp,
        edit: &EncodedEdit,
        loaded: Loaded,
    ) -> Result<FeedEntry, NotAdmitted> {
        let document = edit.edit().document;
        let mut placement = placement_of(&loaded.state).ok_or(RejectionCode::NotApplicable)?;
        let placed = placements::placed(document);
        let before = documents::placement(self.connection, placed)?;
        self.put_edit(author, edit)?;
        let entry = self.put_entry(document, device, author, received_at, edit.id())?;
        if let Some(quiet_since) = &mut placement.quiet_since {
            *quiet_since = entry.sequence;
        }
        let placed_before = before.clone().unwrap_or_default();
        let before = match before.filter(|_| placed == document) {
            Some(before) if floor::is_move(self.connection, &before, &placement)? => Some(before),
            _ => None,
        };
        if let Some(before) = &before {
            placements::put_move(self.connection, entry.sequence, document, before)?;
        }
        let shown = match document.kind {
            DocumentKind::Person => placements::now(self.connection, document)?,
            DocumentKind::Case | DocumentKind::Visit => placement.clone(),
        };
        self.happened
            .note_entry(entry.sequence, document.kind, shown, before);
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO actors (actor, device) VALUES (?1, ?2)")?
            .execute(params![edit.edit().actor.as_bytes(), device.as_bytes()])?;
        let mut sum = sums::of_document(self.connection, document)?;
        sum.add(edit.id());
        self.put_document(document, &loaded.heads, sum, &placement)?;
        if document.kind == DocumentKind::Person {
            self.wake_case(placed, entry.sequence)?;
            placement = documents::placement(self.connection, placed)?.unwrap_or_default();
        }
        self.count_edit(document, edit.id(), &placed_before, &placement)?;
        self.note_lacked(device, edit.edit())?;
        rows::write_unindexed(self.connection, &loaded.state)?;
        self.documents.keep(loaded);
        Ok(entry)
    }

    /// Edits given back after a restore may have waited for what this bundle brought.
    fn place_what_waited(&mut self, opened: &OpenedBundle) -> Result<(), WardError> {
        let edits = opened
            .edits
            .iter()
            .filter_map(|(_, edit)| edit.as_ref().ok());
        let documents: BTreeSet<DocumentId> = edits.map(|edit| edit.edit().document).collect();
        for document in documents {
            self.place_returned(document)?;
        }
        Ok(())
    }

    fn put_edit(&self, author: OfficerId, encoded: &EncodedEdit) -> Result<(), WardError> {
        let edit = encoded.edit();
        self.connection
            .prepare_cached(
                "INSERT INTO edits (id, kind, uuid, actor, actor_sequence, intent, author, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                encoded.id().as_bytes(),
                edit.document.kind.code(),
                edit.document.uuid.as_bytes(),
                edit.actor.as_bytes(),
                to_sql(edit.sequence),
                edit.intent.as_bytes(),
                author.0.as_bytes(),
                encoded.bytes(),
            ])?;
        Ok(())
    }

    fn put_document(
        &self,
        document: DocumentId,
        heads: &[EditId],
        sum: EditSum,
        placement: &Placement,
    ) -> Result<(), WardError> {
        let heads: Vec<u8> = heads.iter().flat_map(|head| head.0).collect();
        self.connection
            .prepare_cached(
                "INSERT INTO documents (kind, uuid, heads, edit_count, recorder, area, is_restricted, quiet_since, awaits_number, sum)
                 VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, 0, ?8)
                 ON CONFLICT (kind, uuid) DO UPDATE SET
                   heads = excluded.heads, edit_count = edit_count + 1, sum = excluded.sum, recorder = excluded.recorder,
                   area = excluded.area, is_restricted = excluded.is_restricted,
                   quiet_since = excluded.quiet_since",
            )?
            .execute(params![
                document.kind.code(),
                document.uuid.as_bytes(),
                heads,
                placement.recorder.as_ref().map(|officer| officer.0.as_bytes()),
                placement.area,
                placement.is_restricted,
                placement.quiet_since.map(to_sql),
                sum.to_bytes(),
            ])?;
        Ok(())
    }

    fn keep_proof(&self, opened: &OpenedBundle) -> Result<(), WardError> {
        let proof = &opened.proof;
        let edits: Vec<u8> = proof.edits.iter().flat_map(|edit| edit.0).collect();
        self.connection.execute(
            "INSERT OR IGNORE INTO bundle_proofs (bundle, device, sealed_at, edits, signature)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                opened.id.as_bytes(),
                proof.device.as_bytes(),
                proof.sealed_at.0,
                edits,
                proof.signature
            ],
        )?;
        Ok(())
    }

    fn reject(
        &mut self,
        origin: &Origin,
        edit: EditId,
        code: RejectionCode,
    ) -> Result<Verdict, WardError> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO rejected_edits (edit, device, code, at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                edit.as_bytes(),
                origin.device.as_bytes(),
                code.code(),
                self.now.0
            ])?;
        Ok(Verdict::Rejected { code })
    }

    fn rejection_of(
        &self,
        device: DeviceId,
        edit: EditId,
    ) -> Result<Option<RejectionCode>, WardError> {
        let code: Option<u16> = self
            .connection
            .prepare_cached("SELECT code FROM rejected_edits WHERE edit = ?1 AND device = ?2")?
            .query_row(params![edit.as_bytes(), device.as_bytes()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(code.map(|code| RejectionCode::from_code(code).unwrap_or(RejectionCode::Malformed)))
    }

    /// Where the same intent of the same officer was admitted from another actor: a device that lost
    /// the acknowledgement, was cloned or restored, and wrote it anew.
    fn intent_applied(&self, author: OfficerId, edit: &Edit) -> Result<Option<u64>, WardError> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT f.sequence FROM edits e JOIN feed f ON f.edit = e.id
                 WHERE e.kind = ?1 AND e.uuid = ?2 AND e.intent = ?3 AND e.author = ?4 AND e.actor <> ?5
                 ORDER BY f.sequence LIMIT 1",
            )?
            .query_row(
                params![
                    edit.document.kind.code(),
                    edit.document.uuid.as_bytes(),
                    edit.intent.as_bytes(),
                    author.0.as_bytes(),
                    edit.actor.as_bytes()
                ],
                |row| row.get(0).map(from_sql),
            )
            .optional()?)
    }

    pub(super) fn missing_dependency(&self, edit: &Edit) -> Result<Option<EditId>, NotAdmitted> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT kind = ?2 AND uuid = ?3 FROM edits WHERE id = ?1")?;
        for dependency in &edit.dependencies {
            let is_of_document: Option<bool> = statement
                .query_row(
                    params![
                        dependency.as_bytes(),
                        edit.document.kind.code(),
                        edit.document.uuid.as_bytes()
                    ],
                    |row| row.get(0),
                )
                .optional()?;
            match is_of_document {
                None => return Ok(Some(*dependency)),
                Some(false) => return Err(RejectionCode::NotApplicable.into()),
                Some(true) => {}
            }
        }
        Ok(None)
    }

    pub(super) fn check_actor(&self, device: DeviceId, edit: &Edit) -> Result<(), NotAdmitted> {
        let owner: Option<[u8; 32]> = self
            .connection
            .prepare_cached("SELECT device FROM actors WHERE actor = ?1")?
            .query_row([edit.actor.as_bytes()], |row| row.get(0))
            .optional()?;
        if let Some(owner) = owner.map(DeviceId)
            && !devices::is_or_was(self.connection, device, owner)?
        {
            return Err(RejectionCode::ForeignActor.into());
        }
        // One (actor, sequence) names one edit; another one was not written by the same opening of a store.
        let is_taken: bool = self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM edits
                 WHERE kind = ?1 AND uuid = ?2 AND actor = ?3 AND actor_sequence = ?4)",
            )?
            .query_row(
                params![
                    edit.document.kind.code(),
                    edit.document.uuid.as_bytes(),
                    edit.actor.as_bytes(),
                    to_sql(edit.sequence)
                ],
                |row| row.get(0),
            )?;
        if is_taken {
            return Err(RejectionCode::ForeignActor.into());
        }
        Ok(())
    }

    /// Whether the author may see the document. Gives the case of a person, which the policy asks for.
    fn check_scope(
        &mut self,
        origin: &Origin,
        document: DocumentId,
        is_here: bool,
    ) -> Result<Option<DocumentState>, NotAdmitted> {
        let is_covered = |placement: &Placement| {
            origin
                .scope
                .as_ref()
                .is_none_or(|scope| scope.may_see(document.kind, placement))
        };
        if document.kind == DocumentKind::Person {
            // A citizen without a case is one whose case was refused: cases are sent first.
            let case = self
                .load(DocumentId::case(document.uuid))?
                .ok_or(RejectionCode::DependsOnRejected)?;
            let placement = placement_of(&case.state).ok_or(RejectionCode::NotApplicable)?;
            let state = case.state.clone();
            self.documents.keep(case);
            return if is_covered(&placement) {
                Ok(Some(state))
            } else {
                Err(RejectionCode::OutOfScope.into())
            };
        }
        // Whoever creates a case or visit records it, and so has it in scope.
        if is_here {
            let placement = documents::placement(self.connection, document)?.unwrap_or_default();
            if !is_covered(&placement) {
                return Err(RejectionCode::OutOfScope.into());
            }
        }
        Ok(None)
    }

    /// What the ward does by itself, whoever changed the case: it gives it its number as soon as it is
    /// accepted, and purges it as soon as it is found to be a denunciation.
    fn follow(&mut self, officer: OfficerId, document: DocumentId) -> Result<(), NotAdmitted> {
        let Some(loaded) = self.load(document)? else {
            return Ok(());
        };
        let awaits = schema::case_head(&loaded.state)
            .is_some_and(|case| case.status == Status::Accepted && case.official_number.is_none());
        let is_denunciation = policy::is_found_denunciation(&loaded.state);
        self.documents.keep(loaded);
        if is_denunciation {
            self.reclassify(document.uuid)?;
        } else if awaits {
            self.number_or_wait(officer, document)?;
        }
        Ok(())
    }
}

/// What decides who may see a document; `None` if it says nothing that this ward can read. Since when
/// it is quiet only its place in the feed says: 0 stands for it. Nothing of a visit is ever open, its
/// cases say for themselves.
pub(super) fn placement_of(state: &DocumentState) -> Option<Placement> {
    use gandan_core::model::Confidentiality;
    match state.document.kind {
        DocumentKind::Case => schema::case_head(state).map(|case| Placement {
            recorder: Some(case.recorded_by),
            area: case.area,
            is_restricted: case.confidentiality == Confidentiality::Restricted,
            quiet_since: case.status.is_finished().then_some(0),
        }),
        DocumentKind::Visit => schema::visit(state).map(|visit| Placement {
            recorder: Some(visit.officer),
            area: visit.area,
            is_restricted: false,
            quiet_since: Some(0),
        }),
        DocumentKind::Person => schema::person(state).map(|_| Placement::default()),
    }
}

/// Why an edit did not enter the feed.
pub(super) enum NotAdmitted {
    /// The edit's own fault.
    Rejected(RejectionCode),
    /// The store's.
    Failed(WardError),
}

impl From<RejectionCode> for NotAdmitted {
    fn from(code: RejectionCode) -> Self {
        Self::Rejected(code)
    }
}

impl From<WardError> for NotAdmitted {
    fn from(error: WardError) -> Self {
        Self::Failed(error)
    }
}

impl From<rusqlite::Error> for NotAdmitted {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<NotAdmitted> for WardError {
    fn from(not_admitted: NotAdmitted) -> Self {
        match not_admitted {
            NotAdmitted::Rejected(code) => Self::NotAllowed(code),
            NotAdmitted::Failed(error) => error,
        }
    }
}
