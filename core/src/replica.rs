//! The façade that an app uses: record, read, and hold a conversation with the ward. Each part of it
//! is in a module of its own; here are the store's opening and the one way into it.

mod agreement;
mod area;
mod cache;
mod check;
mod contact;
mod conversation;
mod files;
mod forgetting;
mod handing_over;
mod input;
mod looking;
mod observers;
mod page;
mod purging;
mod reading;
mod records;
mod rejection;
mod renewal;
mod rescue;
mod standing;
mod verdicts;
mod witness;
mod work;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ed25519_dalek::SigningKey;
use rusqlite::{Connection, TransactionBehavior};
use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::model::{ActorId, Directory};
use crate::policy::Author;
use crate::protocol::credential::Enrolment;
use crate::protocol::directory;
use crate::store::device::{self, OpenStore, malformed, settings};
use crate::store::{OpenError, StoreError, StoreKey, connection};
use cache::DocumentCache;
use conversation::ConversationMemory;
use observers::Observers;
use work::Work;

pub use crate::document::describe::FieldChange;
pub use agreement::Agreement;
pub use files::{AttachmentState, AttachmentStatus, FetchPolicy, FreedSpace};
pub use handing_over::Unsent;
pub use looking::Look;
pub use observers::{Change, Observer};
pub use reading::{CaseDetail, CaseSummary, HistoryEntry, PendingItem, RejectedItem, SyncState};
pub use records::{CaseChange, NewCase, NewVisit, RecordError, Recorded};
pub use standing::{Standing, WipeError};

/// One device's records. Cheap to clone; all clones are the same replica.
#[derive(Clone)]
pub struct Replica {
    inner: Arc<Inner>,
}

struct Inner {
    environment: Arc<dyn Environment>,
    path: PathBuf,
    core: Mutex<Core>,
    observers: Observers,
}

/// What one thread at a time works on.
struct Core {
    store: OpenStore,
    /// One opening of the store: never written down, so that no copy of the store can use it again.
    actor: ActorId,
    device_key: SigningKey,
    enrolment: Option<Enrolment>,
    directory: Option<Arc<Directory>>,
    cache: DocumentCache,
    conversation: ConversationMemory,
}

impl Replica {
    /// Opens the store in `directory`, making it if there is none, under a fresh actor.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        directory: &Path,
        key: &StoreKey,
        environment: Arc<dyn Environment>,
    ) -> Result<Self, OpenError> {
        device::wipe::refuse_wiped(directory)?;
        let store = device::open(directory, key, &|reopen, to| {
            rescue::salvage(reopen, &*environment, to);
        })?;
        let path = directory.join(device::FILE_NAME);
        let core = load(store, &*environment).map_err(|error| {
            if connection::is_damage(&error) {
                // Best effort: the damage will be noticed again.
                let _ = connection::suspect(&path);
            }
            connection::open_error(error)
        })?;
        Ok(Self {
            inner: Arc::new(Inner {
                environment,
                path,
                core: Mutex::new(core),
                observers: Observers::default(),
            }),
        })
    }

    /// Any number.
    #[cfg(feature = "quic")]
    pub(crate) fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.inner.environment.fill_random(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// The device's Ed25519 key, made with the store or renewed since.
    #[must_use]
    pub fn device_key(&self) -> SigningKey {
        self.core().device_key.clone()
    }

    /// What the ward gave at enrolment.
    #[must_use]
    pub fn enrolment(&self) -> Option<Enrolment> {
        self.core().enrolment.clone()
    }

    /// Keeps what the ward gave. The credential was checked against the invite's key.
    ///
    /// # Errors
    /// The store's.
    pub fn set_enrolment(&self, enrolment: &Enrolment) -> Result<(), StoreError> {
        let mut core = self.core();
        let connection = &core.store.connection;
        settings::write_enrolment(connection, enrolment)
            .and_then(|()| settings::write_contact(connection, self.contact_now(None)))
            .map_err(|error| self.store_error(error))?;
        core.enrolment = Some(enrolment.clone());
        Ok(())
    }

    /// The ward's reference data as of the last conversation.
    #[must_use]
    pub fn directory(&self) -> Option<Directory> {
        self.core().directory.as_deref().cloned()
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        // A panic rolled its transaction back, and what it had opened had left the cache.
        self.inner
            .core
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in one transaction, durable when this returns; then tells the observers.
    fn transact<T, E: Failure>(
        &self,
        work: impl FnOnce(&mut Work<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut core = self.core();
        let result = self.transact_on(&mut core, work);
        drop(core);
        let (value, changes) = result?;
        self.inner.observers.tell(&changes);
        Ok(value)
    }

    fn transact_on<T, E: Failure>(
        &self,
        core: &mut Core,
        work: impl FnOnce(&mut Work<'_>) -> Result<T, E>,
    ) -> Result<(T, BTreeSet<Change>), E> {
        let failed = |error: rusqlite::Error| E::from(self.store_error(error));
        let Core {
            store,
            actor,
            cache,
            ..
        } = core;
        let transaction = store
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mut at_work = Work::new(&transaction, &*self.inner.environment, *actor, cache);
        let value = work(&mut at_work).inspect_err(|error| self.note_damage(error.is_damage()))?;
        at_work.write_rows().map_err(failed)?;
        let finished = at_work.stop();
        transaction.commit().map_err(failed)?;
        *actor = finished.actor;
        cache.put_all(finished.documents);
        Ok((value, finished.changes))
    }

    /// Reads; SQLite sees one moment per statement, and nobody else writes while the lock is held.
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let core = self.core();
        read(&core.store.connection).map_err(|error| self.store_error(error))
    }

    /// Notes damage, so that the next opening looks at the whole file.
    fn store_error(&self, error: rusqlite::Error) -> StoreError {
        self.note_damage(connection::is_damage(&error));
        error.into()
    }

    fn note_damage(&self, is_damage: bool) {
        if is_damage {
            // Best effort: the damage will be noticed again.
            let _ = connection::suspect(&self.inner.path);
        }
    }
}

/// An error of something that is done in a transaction.
trait Failure: From<StoreError> {
    fn is_damage(&self) -> bool;
}

impl Failure for StoreError {
    fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}

impl Failure for RecordError {
    fn is_damage(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_damage())
    }
}

impl Core {
    /// In whose name this device writes.
    fn author(&self) -> Option<Author> {
        self.enrolment.as_ref().map(author_of)
    }
}

fn author_of(enrolment: &Enrolment) -> Author {
    Author {
        officer: enrolment.credential.officer,
        role: enrolment.credential.role,
    }
}

fn load(store: OpenStore, environment: &dyn Environment) -> rusqlite::Result<Core> {
    let connection = &store.connection;
    let device_key = kept_or_made(connection, environment, settings::DEVICE_SEED)?;
    let enrolment = settings::enrolment(connection)?;
    let directory = settings::read(connection, settings::DIRECTORY)?
        .map(|sealed| directory::open(&sealed).map_err(|_| malformed(settings::DIRECTORY)))
        .transpose()?
        .map(|(directory, _)| Arc::new(directory));
    let mut actor = ActorId([0; 16]);
    environment.fill_random(&mut actor.0);
    Ok(Core {
        store,
        actor,
        device_key,
        enrolment,
        directory,
        cache: DocumentCache::default(),
        conversation: ConversationMemory::default(),
    })
}

/// A key of this device; `None` if it was never made.
fn kept_key(connection: &Connection, name: &'static str) -> rusqlite::Result<Option<SigningKey>> {
    let Some(seed) = settings::read(connection, name)?.map(Zeroizing::new) else {
        return Ok(None);
    };
    let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| malformed(name))?;
    Ok(Some(SigningKey::from_bytes(seed)))
}

fn kept_or_made(
    connection: &Connection,
    environment: &dyn Environment,
    name: &'static str,
) -> rusqlite::Result<SigningKey> {
    if let Some(key) = kept_key(connection, name)? {
        return Ok(key);
    }
    let mut seed = Zeroizing::new([0; 32]);
    environment.fill_random(seed.as_mut_slice());
    settings::write(connection, name, seed.as_slice())?;
    Ok(SigningKey::from_bytes(&seed))
}

#[cfg(test)]
mod tests;
