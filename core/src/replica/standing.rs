//! Where this device stands with its ward, and what follows from a ward's refusal.

use std::io;

use rusqlite::Connection;
use thiserror::Error;

use super::{RecordError, Replica, handing_over};
use crate::model::Timestamp;
use crate::protocol::message::Refusal;
use crate::store::StoreError;
use crate::store::device::{settings, wipe};

/// Where this device stands with its ward, as far as it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether a ward has enrolled it.
    pub is_enrolled: bool,
    /// Why the ward ended the last conversation that it ended for good, such as that the device was
    /// revoked; `None` since a conversation went well.
    pub refused: Option<Refusal>,
    /// When a conversation was last whole, by the ward's clock.
    pub last_contact: Option<Timestamp>,
    /// When this device, revoked, gave the ward what was unsent, by its own clock. The ward keeps it apart
    /// until somebody has looked into it.
    pub handed_over_at: Option<Timestamp>,
    /// Whole days since the ward was met, if it is so long ago that nothing is shown until it is met again.
    pub days_out_of_touch: Option<u32>,
}

/// Why a store that the ward wants wiped was not. It is tried again at the next conversation.
#[derive(Debug, Error)]
pub enum WipeError {
    /// What the ward lacks could not be sealed for it.
    #[error(
        "Phường yêu cầu xóa dữ liệu trên máy nhưng phần chưa gửi chưa cất riêng được; chưa xóa gì, hãy giao máy cho văn phòng (the ward wants this phone wiped, but what is unsent could not be put aside for it; nothing was deleted, give the phone to the office: {0})"
    )]
    Rescue(#[from] RecordError),
    /// The folder cannot be written.
    #[error(
        "Phường yêu cầu xóa dữ liệu trên máy nhưng không ghi được vào thư mục; hãy giao máy cho văn phòng (the ward wants this phone wiped, but its folder cannot be written; give the phone to the office: {0})"
    )]
    Folder(#[from] io::Error),
}

impl From<StoreError> for WipeError {
    fn from(error: StoreError) -> Self {
        Self::Rescue(error.into())
    }
}

impl Replica {
    /// Where this device stands.
    ///
    /// # Errors
    /// The store's.
    pub fn standing(&self) -> Result<Standing, StoreError> {
        let core = self.core();
        let connection = &core.store.connection;
        let read = || -> rusqlite::Result<_> {
            Ok(Standing {
                is_enrolled: core.enrolment.is_some(),
                refused: settings::refused(connection)?,
                last_contact: settings::agreement(connection)?.map(|(_, at)| at),
                handed_over_at: handing_over::handed_over_at(connection)?,
                days_out_of_touch: self.days_out_of_touch(&core)?,
            })
        };
        read().map_err(|error| self.store_error(error))
    }

    /// Does what follows from a refusal: notes that the device was revoked, and wipes the store if the
    /// ward says so. Only a ward that has shown its key can have said it.
    ///
    /// After a wipe this replica answers nothing any more, and its folder opens no more
    /// ([`crate::store::OpenError::Wiped`]). What the ward did not have, and was not handed over, lies in the
    /// folder, sealed to it.
    ///
    /// # Errors
    /// See [`WipeError`].
    pub fn heed(&self, refusal: Refusal) -> Result<(), WipeError> {
        match refusal {
            Refusal::Wipe => self.wipe(),
            Refusal::Revoked | Refusal::UnknownDevice => {
                self.transact(|work| {
                    settings::write_refused(work.connection, refusal)?;
                    Ok::<_, StoreError>(())
                })?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn wipe(&self) -> Result<(), WipeError> {
        let directory = self.inner.path.parent().ok_or(io::ErrorKind::NotFound);
        let directory = directory.map_err(io::Error::from)?;
        // Held to the end: nothing may be recorded after what is unsent was put aside.
        let mut core = self.core();
        let lacked = handing_over::not_handed_over(&core.store.connection);
        if lacked.map_err(StoreError::from)?.is_some() {
            wipe::rescue(directory, &self.sealed(&core)?)?;
        }
        wipe::mark(directory, self.inner.environment.now())?;
        // What is open would keep the files' content; an empty store in memory takes its place.
        let nothing = Connection::open_in_memory().map_err(StoreError::from)?;
        drop(std::mem::replace(&mut core.store.connection, nothing));
        core.enrolment = None;
        core.directory = None;
        core.cache = super::DocumentCache::default();
        core.conversation = super::ConversationMemory::default();
        wipe::destroy(directory)?;
        tracing::warn!("this phone's store was wiped on its ward's order");
        Ok(())
    }
}
