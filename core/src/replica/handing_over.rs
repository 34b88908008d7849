//! What a revoked phone hands over: everything that the ward lacks, once. The ward keeps it apart until
//! somebody has looked into it, so nothing here counts as sent.

use rusqlite::Connection;

use super::{RecordError, Replica};
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::device::settings::{self, HandedOver};
use crate::store::device::{files, outbox, rejected};

/// How often a wipe waits because the handing over was cut off. A thief who cuts it every time gains two
/// connections; an officer on a village mast gets two more tries.
const TRIES_MAX: u32 = 3;

/// What the ward lacks of this phone.
pub struct Unsent {
    /// As [`Replica::rescue_file`] gives it.
    pub sealed: Vec<u8>,
    digest: [u8; 32],
}

impl Replica {
    /// What is to be handed over; `None` if the ward lacks nothing, or has all of it in its keeping.
    ///
    /// # Errors
    /// As [`Replica::rescue_file`].
    pub fn unsent(&self) -> Result<Option<Unsent>, RecordError> {
        let core = self.core();
        let lacked = not_handed_over(&core.store.connection).map_err(StoreError::from)?;
        let Some(digest) = lacked else {
            return Ok(None);
        };
        let sealed = self.sealed(&core)?;
        Ok(Some(Unsent { sealed, digest }))
    }

    /// The ward has it in its keeping.
    ///
    /// # Errors
    /// The store's; it is handed over again.
    pub fn note_handed_over(&self, unsent: &Unsent) -> Result<(), StoreError> {
        let at = self.inner.environment.now();
        self.transact(|work| {
            let digest = unsent.digest;
            settings::write_handed_over(work.connection, HandedOver { digest, at })?;
            Ok::<_, StoreError>(())
        })
    }

    /// Notes that the handing over was cut off; whether it is to be tried again at the next contact, before this phone
    /// does what the ward wants of it.
    ///
    /// # Errors
    /// The store's.
    pub fn note_hand_over_cut(&self) -> Result<bool, StoreError> {
        self.transact(|work| {
            let tries = settings::hand_over_tries(work.connection)?.saturating_add(1);
            settings::write_hand_over_tries(work.connection, tries)?;
            Ok(tries < TRIES_MAX)
        })
    }
}

/// When everything that the ward lacks was last handed over.
pub(super) fn handed_over_at(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    Ok(settings::handed_over(connection)?.map(|handed_over| handed_over.at))
}

/// The digest of what the ward lacks; `None` if that is nothing, or if it was handed over.
pub(super) fn not_handed_over(connection: &Connection) -> rusqlite::Result<Option<[u8; 32]>> {
    let kept = settings::handed_over(connection)?.map(|handed_over| handed_over.digest);
    Ok(digest_of_lacked(connection)?.filter(|digest| kept != Some(*digest)))
}

/// Tells one set of edits and files that the ward lacks from another; `None` for the empty one.
fn digest_of_lacked(connection: &Connection) -> rusqlite::Result<Option<[u8; 32]>> {
    let doubtful = outbox::doubtful(connection)?;
    let refused = rejected::all(connection)?;
    let lacked = files::unconfirmed(connection)?;
    if doubtful.is_empty() && refused.is_empty() && lacked.is_empty() {
        return Ok(None);
    }
    let mut names: Vec<[u8; 32]> = doubtful.iter().map(|edit| edit.0).collect();
    names.extend(refused.iter().map(|refused| refused.edit.id().0));
    names.extend(lacked.iter().map(|file| file.hash.0));
    names.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for name in names {
        hasher.update(&name);
    }
    Ok(Some(hasher.finalize().into()))
}
