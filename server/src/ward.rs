//! One ward's durable state and the only code that changes it: edits, feed, rows, devices, staff.
//! Every change is one SQLite transaction, also when another process (an admin command) makes one.

use std::path::Path;
use std::sync::Arc;

use gandan_core::edit::Operation;
use gandan_core::environment::Environment;
use gandan_core::model::{
    AttachmentHash, DeviceId, Directory, DocumentId, EditId, OfficerId, Role, Timestamp, WardCode,
    WardKey,
};
use gandan_core::policy::{Author, RejectionCode};
use gandan_core::protocol::credential::Enrolment;
use gandan_core::protocol::enrolment::{EnrolmentRequest, EnrolmentResponse};
use gandan_core::protocol::invite::Invite;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;
use gandan_core::store::OpenError;
use thiserror::Error;
use uuid::Uuid;

/// Why the ward could not do what it was asked. Nothing was changed.
#[derive(Debug, Error)]
pub enum WardError {
    /// The data directory holds no ward.
    #[error("no ward in this folder; make one with: gandan-server init --data DIR --ward CODE")]
    NotInitialised,
    /// The data directory holds a ward already.
    #[error("this folder holds a ward already; choose another --data")]
    AlreadyInitialised,
    /// The register has no such ward.
    #[error("the register has no ward with this code; codes have five digits, such as 26995")]
    UnknownWard,
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A login or a name is taken.
    #[error("this {0} is taken")]
    Taken(&'static str),
    /// A value breaks a rule.
    #[error("{0}")]
    Invalid(&'static str),
    /// The policy stands against it.
    #[error("{}", .0.label())]
    NotAllowed(RejectionCode),
    /// Numbering waits until phones have reported after a restore.
    #[error(
        "numbering is paused after a restore; wait for the phones or run: gandan-server resume-numbering"
    )]
    NumberingPaused,
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The disk is full.
    #[error("the disk is full; free space, nothing acknowledged is lost")]
    Full,
    /// SQLite says something else.
    #[error("the store failed")]
    Database(#[source] rusqlite::Error),
    /// A file cannot be read or written.
    #[error("a file cannot be read or written")]
    File(#[from] std::io::Error),
}

/// A member of the ward's staff, as the console knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// In whose name they write.
    pub author: Author,
    /// What they type to sign in.
    pub login: String,
    /// Shown to others.
    pub name: String,
}

/// One admitted edit, as history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Place in the feed.
    pub sequence: u64,
    /// The edit.
    pub edit: EditId,
    /// By the writer's clock.
    pub device_time: Timestamp,
    /// By the ward's clock.
    pub received_at: Timestamp,
    /// Who.
    pub author: OfficerId,
    /// Their name.
    pub author_name: String,
    /// Name of the device; `None` for the console.
    pub device_name: Option<String>,
    /// What it does.
    pub operations: Vec<Operation>,
}

/// A device, as the administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its key.
    pub id: DeviceId,
    /// Whose.
    pub officer: OfficerId,
    /// Their name.
    pub officer_name: String,
    /// As it called itself.
    pub name: String,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// Last conversation.
    pub seen_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// One ward. Cheap to clone; all clones are the same ward. Methods block on SQLite: call them from
/// a blocking context.
#[derive(Clone)]
pub struct Ward {
    // filled by the server work
}

impl Ward {
    /// Makes a ward in `directory`: keys, store, and the directory of the register's ward `code`.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn init(
        _directory: &Path,
        _code: WardCode,
        _environment: Arc<dyn Environment>,
    ) -> Result<Self, WardError> {
        todo!()
    }

    /// Opens the ward in `directory`.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn open(_directory: &Path, _environment: Arc<dyn Environment>) -> Result<Self, WardError> {
        todo!()
    }

    /// The ward's public key.
    #[must_use]
    pub fn key(&self) -> WardKey {
        todo!()
    }

    /// The ward's signing key, for TLS.
    #[must_use]
    pub fn signing_key(&self) -> ed25519_dalek::SigningKey {
        todo!()
    }

    /// The ward's code.
    #[must_use]
    pub fn code(&self) -> WardCode {
        todo!()
    }

    /// The reference data that devices get.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn directory(&self) -> Result<Directory, WardError> {
        todo!()
    }

    /// Adds an officer, or gives the one of that name and role.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn officer(
        &self,
        _name: &str,
        _role: Role,
        _areas: &[String],
    ) -> Result<OfficerId, WardError> {
        todo!()
    }

    /// Makes a one-time invite for an officer.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn invite(
        &self,
        _officer: OfficerId,
        _addresses: &[String],
        _lifetime_ms: i64,
    ) -> Result<Invite, WardError> {
        todo!()
    }

    /// Enrols a device that proved its key.
    ///
    /// # Errors
    /// Only the store's; a refusal is a response.
    pub fn enrol(
        &self,
        _device: DeviceId,
        _request: &EnrolmentRequest,
    ) -> Result<EnrolmentResponse, WardError> {
        todo!()
    }

    /// Every device, newest first.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn devices(&self) -> Result<Vec<Device>, WardError> {
        todo!()
    }

    /// Revokes a device: its next message is refused.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn revoke(&self, _device: DeviceId) -> Result<(), WardError> {
        todo!()
    }

    /// Does what the conversation of `device` asks; a batch of one for [`Ward::execute_all`].
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn execute(
        &self,
        _device: DeviceId,
        _command: WardCommand,
    ) -> Result<WardAnswer, WardError> {
        todo!()
    }

    /// Does what several conversations ask, their admissions in one transaction (group commit).
    ///
    /// # Errors
    /// See [`WardError`]; then none was done.
    pub fn execute_all(
        &self,
        _commands: Vec<(DeviceId, WardCommand)>,
    ) -> Result<Vec<WardAnswer>, WardError> {
        todo!()
    }

    /// Writes an edit in the name of a member of staff, through the same admission as a phone's. All of
    /// `operations` become one edit on the document's present heads (or a creation).
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn author(
        &self,
        _author: Author,
        _document: DocumentId,
        _operations: Vec<Operation>,
    ) -> Result<EditId, WardError> {
        todo!()
    }

    /// Gives the case its official number and the state `accepted`, in the admission's transaction.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn accept(&self, _author: Author, _case: Uuid) -> Result<String, WardError> {
        todo!()
    }

    /// Reads rows on a connection of its own.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn read<T>(
        &self,
        _query: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, WardError> {
        todo!()
    }

    /// A case, whole: notes, attachments and conflicts included.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn case(&self, _id: Uuid) -> Result<Option<gandan_core::model::Case>, WardError> {
        todo!()
    }

    /// Who did what to a document, oldest first.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn history(&self, _document: DocumentId) -> Result<Vec<HistoryEntry>, WardError> {
        todo!()
    }

    /// The bytes of an attachment and its media type.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn attachment(
        &self,
        _hash: AttachmentHash,
    ) -> Result<Option<(Vec<u8>, String)>, WardError> {
        todo!()
    }

    /// A standard automerge file of a document.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn export(&self, _document: DocumentId) -> Result<Option<Vec<u8>>, WardError> {
        todo!()
    }

    /// Takes a rescue file: opens it, admits its bundles, stores its attachments.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn import_rescue(&self, _file: &[u8]) -> Result<Vec<Verdict>, WardError> {
        todo!()
    }

    /// Numbering goes on although not every phone has reported after a restore.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn resume_numbering(&self) -> Result<(), WardError> {
        todo!()
    }

    /// Adds a member of staff with an argon2id hash of the password.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn add_staff(
        &self,
        _login: &str,
        _name: &str,
        _role: Role,
        _password: &str,
    ) -> Result<OfficerId, WardError> {
        todo!()
    }

    /// Signs in: checks the password, gives the token of a new session (256 bits; only its hash is stored).
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn sign_in(&self, _login: &str, _password: &str) -> Result<Option<String>, WardError> {
        todo!()
    }

    /// Whose session a token is, if it is valid still.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn session(&self, _token: &str) -> Result<Option<Staff>, WardError> {
        todo!()
    }

    /// Ends a session.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn sign_out(&self, _token: &str) -> Result<(), WardError> {
        todo!()
    }
}

/// What [`Ward::enrol`] signs.
pub type WardEnrolment = Enrolment;
