//! One ward's durable state and the only code that changes it: edits, feed, rows, devices, staff.
//! Every change is one SQLite transaction, also when another process (an admin command) makes one.
//! This file is the façade; each noun has its own module.

mod access;
mod admission;
mod attachments;
pub mod audit;
mod authoring;
mod check;
mod connections;
mod conversation;
mod devices;
mod directory;
mod documents;
mod enrolment;
mod error;
mod feed;
mod floor;
pub(crate) mod frozen;
mod history;
mod invites;
mod keys;
mod news;
mod numbering;
mod placements;
mod purge;
mod quarantine;
mod records;
mod requests;
mod rescue;
mod restore;
mod retention;
mod scope;
mod scopes;
mod second_factor;
mod sessions;
mod settings;
mod sign_in;
mod staff;
mod sums;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gandan_core::document::{Document, DocumentState, schema};
use gandan_core::edit::Operation;
use gandan_core::environment::Environment;
use gandan_core::model::{
    Area, AttachmentHash, Case, DeviceId, Directory, DocumentId, EditId, OfficerId, Role,
    Timestamp, WardCode, WardKey,
};
use gandan_core::policy::Author;
use gandan_core::protocol::checkpoint::Checkpoint;
use gandan_core::protocol::enrolment::{EnrolmentRequest, EnrolmentResponse, RenewalRequest};
use gandan_core::protocol::invite::Invite;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;
use gandan_core::recovery::RecoveryKey;
use gandan_core::store::{StoreKey, connection};
use uuid::Uuid;

use crate::register;
pub use access::SubjectAccess;
pub use check::Checked;
pub use error::WardError;
pub use invites::{InviteRecord, InviteState};
pub use news::{Interest, Watching};
pub use purge::SealedCase;
pub use quarantine::{Quarantined, QuarantinedEdit, QuarantinedFile};
pub use records::{Device, DeviceState, HistoryEntry, Staff};
pub use requests::{CitizenRequest, RequestKind, RequestOutcome};
pub use retention::{RetainedClass, RetentionRule};
pub use second_factor::{Factor, FactorSecret};
pub use sessions::Session;
pub use sign_in::{Origin, SignedIn};
pub use staff::StaffRecord;

use audit::{Actor, Entry, Kind};
use connections::{Shared, Work};
use keys::Keys;

/// The ward's encrypted store, in its data directory.
pub const STORE_FILE: &str = "ward.db";

/// The key of the store, beside it; both belong into the backup.
pub const STORE_KEY_FILE: &str = "store.key";

/// One ward. Cheap to clone; all clones are the same ward. Methods block on SQLite: call them from
/// a blocking context.
#[derive(Clone)]
pub struct Ward {
    shared: Arc<Shared>,
    /// For whom this handle changes things, as the audit trail tells it.
    by: Actor,
}

/// Makes the ward's folder, for its own user alone; one that is there keeps its rights.
fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(directory)
}

impl Ward {
    /// As [`Ward::make`], for wards of which nobody keeps backups.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn init(
        directory: &Path,
        code: WardCode,
        environment: Arc<dyn Environment>,
    ) -> Result<Self, WardError> {
        Self::make(directory, code, environment).map(|(ward, _)| ward)
    }

    /// Makes a ward in `directory`: keys, store, and the directory of the register's ward `code`. If it
    /// is interrupted, it can be called again. Gives the recovery key, which is nowhere else: without it
    /// no backup can be opened.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn make(
        directory: &Path,
        code: WardCode,
        environment: Arc<dyn Environment>,
    ) -> Result<(Self, RecoveryKey), WardError> {
        let registered = register::ward(code).ok_or(WardError::UnknownWard)?;
        make_private(directory)?;
        let key_path = directory.join(STORE_KEY_FILE);
        if !key_path.exists() {
            if directory.join(STORE_FILE).exists() {
                return Err(WardError::AlreadyInitialised);
            }
            let mut key = zeroize::Zeroizing::new([0; 32]);
            environment.fill_random(&mut *key);
            keys::write_store_key(&key_path, &key)?;
        }
        let store_key = keys::read_store_key(directory)?;
        let mut connection = connections::open(&directory.join(STORE_FILE), &store_key)?;
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if settings::read_text(&transaction, settings::CODE)?.is_some() {
            return Err(WardError::AlreadyInitialised);
        }
        let mut random = zeroize::Zeroizing::new([0; 80]);
        environment.fill_random(&mut *random);
        settings::write(&transaction, settings::WARD_SEED, &random[..32])?;
        settings::write(&transaction, settings::RESCUE_SEED, &random[32..64])?;
        settings::write(&transaction, settings::NAME, registered.name.as_bytes())?;
        settings::write(
            &transaction,
            settings::PROVINCE,
            registered.province.as_bytes(),
        )?;
        let recovery_key = keys::put_recovery_key(&transaction, &*environment)?;
        directory::seed(&transaction, &registered)?;
        let mut epoch = [0; 16];
        epoch.copy_from_slice(&random[64..]);
        restore::begin_first_epoch(&transaction, epoch, environment.now())?;
        settings::write(&transaction, settings::CODE, code.as_str().as_bytes())?;
        transaction.commit()?;
        let ward = Self::with(directory, store_key, connection, environment)?;
        ward.note(Entry::of(Kind::WardMade).by(Actor::CommandLine))?;
        Ok((ward, recovery_key))
    }

    /// Opens the ward in `directory`.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn open(directory: &Path, environment: Arc<dyn Environment>) -> Result<Self, WardError> {
        let path = directory.join(STORE_FILE);
        if !path.exists() {
            return Err(WardError::NotInitialised);
        }
        let store_key = keys::read_store_key(directory)?;
        let connection = connections::open(&path, &store_key)?;
        Self::with(directory, store_key, connection, environment)
    }

    fn with(
        directory: &Path,
        store_key: StoreKey,
        connection: rusqlite::Connection,
        environment: Arc<dyn Environment>,
    ) -> Result<Self, WardError> {
        let code = settings::read_text(&connection, settings::CODE)?
            .ok_or(WardError::NotInitialised)?
            .parse()
            .map_err(|_| WardError::Damaged)?;
        let keys = Keys::read(&connection)?;
        let path = directory.join(STORE_FILE);
        let shared = Shared::new(path, store_key, connection, environment, keys, code);
        Ok(Self {
            shared: Arc::new(shared),
            by: Actor::Ward,
        })
    }

    /// The same ward, for somebody else: the audit trail tells what is done with it of them.
    #[must_use]
    pub fn acting_for(&self, by: Actor) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            by,
        }
    }

    fn write<T>(
        &self,
        change: impl FnOnce(&mut Work<'_>) -> Result<T, WardError>,
    ) -> Result<T, WardError> {
        self.shared.write(self.by, change)
    }

    /// The ward's public key.
    #[must_use]
    pub fn key(&self) -> WardKey {
        self.shared.keys.public()
    }

    /// The ward's signing key, for TLS.
    #[must_use]
    pub fn signing_key(&self) -> ed25519_dalek::SigningKey {
        self.shared.keys.signing.clone()
    }

    /// The ward's code.
    #[must_use]
    pub fn code(&self) -> WardCode {
        self.shared.code
    }

    /// The reference data that devices get.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn directory(&self) -> Result<Directory, WardError> {
        self.shared
            .read(|connection| directory::read(connection, self.shared.code))
    }

    /// Adds an area to the tree, or changes name, type, old names and dates of one that is there.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn add_area(&self, area: &Area) -> Result<(), WardError> {
        self.add_areas(std::slice::from_ref(area))
    }

    /// Adds areas, parents before children, all or none; see [`register::parse_areas`] for a file.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn add_areas(&self, areas: &[Area]) -> Result<(), WardError> {
        self.write(|work| work.put_areas(areas))
    }

    /// Adds an officer, or gives the one of that name and role. Areas are codes, or names that only one
    /// area has; they replace the officer's, none leave them as they are. An officer who never had areas
    /// works in the whole ward.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn officer(
        &self,
        name: &str,
        role: Role,
        areas: &[String],
    ) -> Result<OfficerId, WardError> {
        self.write(|work| work.officer(name, role, areas))
    }

    /// Gives an officer who is there other areas; none: the whole ward. Their phones are told at their
    /// next conversation.
    ///
    /// # Errors
    /// See [`WardError`]; [`WardError::NotFound`] if nobody has this name, or several have.
    pub fn set_areas(&self, name: &str, areas: &[String]) -> Result<OfficerId, WardError> {
        self.write(|work| work.set_areas(name, areas))
    }

    /// Makes a one-time invite for an officer.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn invite(
        &self,
        officer: OfficerId,
        addresses: &[String],
        lifetime_ms: i64,
    ) -> Result<Invite, WardError> {
        self.write(|work| work.invite(officer, addresses, lifetime_ms))
    }

    /// The invites that were given out, the newest first.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn invites(&self) -> Result<Vec<InviteRecord>, WardError> {
        let now = self.shared.environment.now();
        self.shared
            .read(|connection| Ok(invites::list(connection, now)?))
    }

    /// Takes back an invite that nobody has used, such as one that was lost.
    ///
    /// # Errors
    /// [`WardError::NotFound`] if no open invite has this id.
    pub fn revoke_invite(&self, id: &str) -> Result<(), WardError> {
        self.write(|work| work.revoke_invite(id))
    }

    /// Enrols a device that proved its key. Asked again by the same device, it gives the same answer.
    ///
    /// # Errors
    /// Only the store's; a refusal is a response.
    pub fn enrol(
        &self,
        device: DeviceId,
        request: &EnrolmentRequest,
    ) -> Result<EnrolmentResponse, WardError> {
        self.write(|work| work.enrol(device, request))
    }

    /// Takes another key for a device, asked for under the present one.
    ///
    /// # Errors
    /// See [`WardError`]; a refusal is an answer.
    pub fn renew(
        &self,
        present: DeviceId,
        request: &RenewalRequest,
    ) -> Result<EnrolmentResponse, WardError> {
        self.write(|work| work.renew(present, request))
    }

    /// Every device, newest first.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn devices(&self) -> Result<Vec<Device>, WardError> {
        self.shared
            .read(|connection| Ok(devices::list(connection)?))
    }

    /// Revokes a device: its next message is refused.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn revoke(&self, device: DeviceId) -> Result<(), WardError> {
        self.write(|work| work.revoke(device, false))
    }

    /// Revokes a device, and has it told at its next word to destroy what it holds.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn revoke_and_wipe(&self, device: DeviceId) -> Result<(), WardError> {
        self.write(|work| work.revoke(device, true))
    }

    /// From now on nothing is taken that this device has unsent when it is revoked.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn refuse_unsent(&self, device: DeviceId) -> Result<(), WardError> {
        self.write(|work| work.refuse_unsent(device))
    }

    /// Does what the conversation of `device` asks; a batch of one for [`Ward::execute_all`].
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn execute(&self, device: DeviceId, command: WardCommand) -> Result<WardAnswer, WardError> {
        let mut answers = self.execute_all(vec![(device, command)])?;
        Ok(answers.swap_remove(0))
    }

    /// Does what several conversations ask, their admissions in one transaction (group commit). The
    /// answers come in the order of the commands; a command that fails is refused and harms no other.
    ///
    /// # Errors
    /// See [`WardError`]; then none was done.
    pub fn execute_all(
        &self,
        commands: Vec<(DeviceId, WardCommand)>,
    ) -> Result<Vec<WardAnswer>, WardError> {
        conversation::execute_all(&self.shared, commands)
    }

    /// From now on, what happens that a device that stays may want to hear.
    #[must_use]
    pub fn watch(&self, device: DeviceId) -> Watching {
        Watching::new(Arc::clone(&self.shared), device)
    }

    /// Looks whether another process has changed anything; whoever watches is told. To be called now and
    /// then by a process that serves.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn look_for_others(&self) -> Result<(), WardError> {
        self.shared.look_for_others()
    }

    /// Writes an edit in the name of a member of staff, through the same admission as a phone's. All of
    /// `operations` become one edit on the document's present heads (or a creation).
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn author(
        &self,
        author: Author,
        document: DocumentId,
        operations: Vec<Operation>,
    ) -> Result<EditId, WardError> {
        let mut edits = self.author_all(author, vec![(document, operations)])?;
        Ok(edits.swap_remove(0))
    }

    /// Writes several edits, all or none, one for each document named, in order.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn author_all(
        &self,
        author: Author,
        edits: Vec<(DocumentId, Vec<Operation>)>,
    ) -> Result<Vec<EditId>, WardError> {
        let documents: Vec<DocumentId> = edits.iter().map(|(document, _)| *document).collect();
        let written = self.write(|work| {
            let written = edits
                .into_iter()
                .map(|(document, operations)| work.author(author, document, operations))
                .collect::<Result<Vec<_>, _>>()?;
            work.audit(console_edit(author, &documents))?;
            Ok(written)
        });
        self.note_if_refused(author, &documents, written)
    }

    /// Gives the case its official number and the state `accepted`, in the admission's transaction. A
    /// case that has its number keeps it.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn accept(&self, author: Author, case: Uuid) -> Result<String, WardError> {
        let documents = [DocumentId::case(case)];
        let accepted = self.write(|work| {
            let number = work.accept(author, documents[0])?;
            work.audit(console_edit(author, &documents))?;
            Ok(number)
        });
        self.note_if_refused(author, &documents, accepted)
    }

    /// A refused change is undone with its entry, so that one is made here.
    fn note_if_refused<T>(
        &self,
        author: Author,
        documents: &[DocumentId],
        result: Result<T, WardError>,
    ) -> Result<T, WardError> {
        if let Err(WardError::NotAllowed(code)) = &result {
            let entry = console_edit(author, documents).ending("refused");
            self.note(entry.counting("code", code.code().into()))?;
        }
        result
    }

    fn note(&self, entry: Entry) -> Result<(), WardError> {
        audit::note(&self.shared, self.by, entry)
    }

    /// Another recovery key, for whoever has lost the paper: backups from now on are sealed to it, those before
    /// open with the old one only.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn new_recovery_key(&self) -> Result<RecoveryKey, WardError> {
        self.write(|work| {
            let key = keys::put_recovery_key(work.connection, &*work.shared.environment)?;
            work.audit(Entry::of(Kind::RecoveryKeyMade))?;
            Ok(key)
        })
    }

    pub(crate) fn note_backup(&self, bytes: u64) -> Result<(), WardError> {
        self.note(Entry::of(Kind::BackupMade).counting("bytes", bytes))
    }

    /// The ward has just been put back from a backup: a new life of its feed begins, before any phone
    /// tells, and numbering waits for what phones give back.
    pub(crate) fn begin_after_restore(&self) -> Result<(), WardError> {
        self.write(|work| {
            work.audit(Entry::of(Kind::Restored).by(Actor::CommandLine))?;
            work.begin_epoch(None)
        })
    }

    /// Purges a case that is a denunciation, and its person, everywhere; a reference stays in the sealed
    /// register.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn reclassify(&self, case: Uuid) -> Result<(), WardError> {
        self.write(|work| work.reclassify(case))
    }

    /// Purges what is known of a case's person, everywhere; the case stays.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn erase(&self, person: Uuid) -> Result<(), WardError> {
        self.write(|work| work.erase(person))
    }

    /// Reads the sealed register; that it was read is noted first.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn sealed_register(&self) -> Result<Vec<SealedCase>, WardError> {
        self.note(Entry::of(Kind::SealedRegister).ending("read"))?;
        self.shared
            .read(|connection| Ok(purge::sealed(connection)?))
    }

    /// A member of staff opened a restricted case.
    ///
    /// # Errors
    /// See [`WardError`]; then the case should not be shown.
    pub fn note_restricted_read(
        &self,
        staff: OfficerId,
        document: DocumentId,
    ) -> Result<(), WardError> {
        let entry = Entry::of(Kind::RestrictedRead).about(document);
        self.note(entry.by(Actor::Staff(staff)))
    }

    /// Reads rows on a connection of its own.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn read<T>(
        &self,
        query: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, WardError> {
        self.shared.read(|connection| Ok(query(connection)?))
    }

    /// What a document says now, fields of a newer app included.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn document(&self, id: DocumentId) -> Result<Option<DocumentState>, WardError> {
        let found = self
            .shared
            .read(|connection| documents::read(connection, id))?;
        Ok(found.map(|materialized| materialized.state))
    }

    /// A case, whole: notes, attachments and conflicts included.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn case(&self, id: Uuid) -> Result<Option<Case>, WardError> {
        let state = self.document(DocumentId::case(id))?;
        Ok(state.and_then(|state| schema::case(&state)))
    }

    /// Who did what to a document, oldest first.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn history(&self, document: DocumentId) -> Result<Vec<HistoryEntry>, WardError> {
        self.shared
            .read(|connection| history::read(connection, document))
    }

    /// The bytes of an attachment and its media type.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn attachment(&self, hash: AttachmentHash) -> Result<Option<(Vec<u8>, String)>, WardError> {
        self.shared
            .read(|connection| Ok(gandan_core::store::attachments::read(connection, hash)?))
    }

    /// A standard automerge file of a document.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn export(&self, document: DocumentId) -> Result<Option<Vec<u8>>, WardError> {
        let edits = self
            .shared
            .read(|connection| documents::edits_of(connection, document))?;
        if edits.is_empty() {
            return Ok(None);
        }
        let replayed = Document::replay(&edits).map_err(|_| WardError::Damaged)?;
        self.note(Entry::of(Kind::Export).about(document))?;
        Ok(Some(replayed.save()))
    }

    /// Takes a rescue file: opens it, admits its bundles under the devices that signed them, stores its
    /// attachments. Taking it twice does nothing more.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn import_rescue(&self, file: &[u8]) -> Result<Vec<Verdict>, WardError> {
        rescue::import(&self.shared, self.by, file, rescue::Revoked::Refused)
    }

    /// As [`Ward::import_rescue`], also of a device that was revoked: whoever calls it has looked into how the
    /// file came about. The rules that held for the device hold still.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn import_rescue_of_revoked(&self, file: &[u8]) -> Result<Vec<Verdict>, WardError> {
        rescue::import(&self.shared, self.by, file, rescue::Revoked::Taken)
    }

    /// Whether official numbers wait for phones to report after a restore.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn is_numbering_paused(&self) -> Result<bool, WardError> {
        self.shared.read(|connection| {
            let since: Option<Vec<u8>> = settings::read(connection, settings::NUMBERING_PAUSED_AT)?;
            Ok(since.is_some())
        })
    }

    /// Whether what devices should hold is kept as edits and documents say. Reads everything.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn are_sums_right(&self) -> Result<bool, WardError> {
        self.shared.read(sums::are_right)
    }

    /// Whether the audit trail is as it was written. Reads all of it.
    ///
    /// # Errors
    /// See [`WardError`]; what is wrong with the trail is no error but what was asked.
    pub fn verify_audit(&self) -> Result<audit::Verified, WardError> {
        self.verify_audit_against(&[])
    }

    /// The same, and held against what phones witnessed.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn verify_audit_against(
        &self,
        checkpoints: &[Checkpoint],
    ) -> Result<audit::Verified, WardError> {
        self.shared.read(|connection| {
            let mut verified = audit::verify(connection)?;
            audit::compare(connection, &self.shared, checkpoints, &mut verified)?;
            Ok(verified)
        })
    }

    /// Where the audit trail is now, in the ward's own word, to be kept elsewhere.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn checkpoint(&self) -> Result<Checkpoint, WardError> {
        self.shared
            .read(|connection| audit::checkpoint(connection, &self.shared))
    }

    /// Whether everything that the ward holds agrees with everything else. Reads all of it, mends nothing.
    ///
    /// # Errors
    /// See [`WardError`]; what is wrong with the records is no error but what was asked.
    pub fn check(&self) -> Result<Checked, WardError> {
        // On a connection of its own: one that has searched before may hold the search index as it was
        // then, and SQLite's own check then finds it damaged.
        let mut connection = self.shared.connect()?;
        connection::fold_log(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        let transaction = connection.transaction()?;
        check::check(&transaction, &self.shared)
    }

    /// Entries of the audit trail, newest first.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn audit_records(&self, filter: &audit::Filter) -> Result<Vec<audit::Record>, WardError> {
        self.shared
            .read(|connection| audit::list(connection, filter))
    }

    /// Numbering goes on although not every phone has reported after a restore. Numbers that nobody
    /// gave back are void, with a reason.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn resume_numbering(&self) -> Result<(), WardError> {
        self.write(|work| work.resume_numbering())
    }

    /// How many months phones hold of what is finished; `None`: everything.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn months_held(&self) -> Result<Option<u16>, WardError> {
        self.shared
            .read(|connection| Ok(floor::months(connection)?))
    }

    /// Lets phones hold so many months, `None` for everything. They follow at their next conversation.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn set_months_held(&self, months: Option<u16>) -> Result<(), WardError> {
        self.write(|work| work.set_months_held(months))
    }

    /// Lets phones forget what has become old by the ward's clock; to be called now and then. Whether
    /// anything has changed.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn move_floor(&self) -> Result<bool, WardError> {
        let now = self.shared.environment.now();
        if self
            .shared
            .read(|connection| Ok(floor::is_current(connection, now)?))?
        {
            return Ok(false);
        }
        self.write(|work| work.move_floor())
    }

    /// Remembers where `serve` listens, for invites that are made while it runs.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn remember_addresses(&self, quic: &str, http: &str) -> Result<(), WardError> {
        self.write(|work| {
            settings::write(work.connection, settings::QUIC_ADDRESS, quic.as_bytes())?;
            settings::write(work.connection, settings::HTTP_ADDRESS, http.as_bytes())?;
            Ok(())
        })
    }

    /// Where `serve` listened last: for phones, and for the console.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn last_addresses(&self) -> Result<Option<(String, String)>, WardError> {
        self.shared.read(|connection| {
            let quic = settings::read_text(connection, settings::QUIC_ADDRESS)?;
            let http = settings::read_text(connection, settings::HTTP_ADDRESS)?;
            Ok(quic.zip(http))
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.environment.now()
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        self.shared.random()
    }

    pub(crate) fn new_uuid(&self) -> Uuid {
        self.shared.uuid(self.now())
    }
}

fn console_edit(author: Author, documents: &[DocumentId]) -> Entry {
    let entry = Entry::of(Kind::ConsoleEdit).by(Actor::Staff(author.officer));
    documents
        .iter()
        .fold(entry, |entry, document| entry.about(*document))
}
