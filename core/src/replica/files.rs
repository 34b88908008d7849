//! Files as an app sees them: where each stands, which to fetch, and what may go when the phone is full.

use super::observers::Change;
use super::work::Work;
use super::{RecordError, Replica};
use crate::model::AttachmentHash;
use crate::store::attachments::{self, parts};
use crate::store::device::{files, settings};
use crate::store::{StoreError, rows};

/// Where a file stands on its way to the ward. Never better than what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentState {
    /// Here only.
    Waiting,
    /// The ward keeps the beginning of it.
    Sending,
    /// The ward has it.
    OnWard,
    /// Another phone attached it; whether the ward has it shows when it is fetched.
    Elsewhere,
}

impl AttachmentState {
    /// The English word for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::OnWard => "on_ward",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// One file of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachmentStatus {
    /// Which.
    pub hash: AttachmentHash,
    /// Where it stands.
    pub state: AttachmentState,
    /// How many bytes the ward keeps of one that is being sent, in steps of 64 KiB.
    pub bytes_done: u64,
    /// Whether its bytes are on this phone.
    pub is_here: bool,
    /// Whether it is a small picture of another file.
    pub is_thumbnail: bool,
}

/// What [`Replica::free_space`] made room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FreedSpace {
    /// How many files went.
    pub files: u64,
    /// How many bytes they had.
    pub bytes: u64,
}

/// Which files come without being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchPolicy {
    /// None.
    OnDemand,
    /// The small pictures of every case that this phone sees.
    Thumbnails,
}

impl Replica {
    /// The next conversation fetches a file of a case that is not on this phone.
    ///
    /// # Errors
    /// [`RecordError::NotFound`] if no case here shows it; the store's.
    pub fn request_attachment(&self, hash: AttachmentHash) -> Result<(), RecordError> {
        self.transact(|work| {
            let connection = work.connection;
            if attachments::is_here(connection, hash).map_err(StoreError::from)? {
                return Ok(());
            }
            if !rows::is_attachment_referenced(connection, hash).map_err(StoreError::from)? {
                return Err(RecordError::NotFound);
            }
            Ok(files::want(connection, hash).map_err(StoreError::from)?)
        })
    }

    /// Which files come without being asked for; [`FetchPolicy::OnDemand`] at first.
    ///
    /// # Errors
    /// The store's.
    pub fn set_fetch_policy(&self, policy: FetchPolicy) -> Result<(), StoreError> {
        let word: &[u8] = match policy {
            FetchPolicy::OnDemand => b"on_demand",
            FetchPolicy::Thumbnails => b"thumbnails",
        };
        self.transact(|work| {
            Ok(settings::write(
                work.connection,
                settings::FETCH_POLICY,
                word,
            )?)
        })
    }

    /// Removes the bytes of every original that the ward has confirmed. Records and thumbnails stay, and
    /// [`Replica::request_attachment`] brings a file back.
    ///
    /// # Errors
    /// The store's.
    pub fn free_space(&self) -> Result<FreedSpace, StoreError> {
        let freed = self.transact(|work| {
            let mut freed = FreedSpace::default();
            for (hash, bytes) in files::freeable(work.connection)? {
                attachments::remove(work.connection, hash)?;
                freed.files += 1;
                freed.bytes += bytes;
                let records = files::records_of(work.connection, hash)?;
                work.changes.extend(records.into_iter().map(Change::Case));
            }
            Ok::<_, StoreError>(freed)
        })?;
        if freed.files > 0 {
            // Gives the pages back to the phone. On one that is too full for it the store uses them
            // itself before it grows again.
            let _ = self.core().store.connection.execute_batch("VACUUM");
        }
        Ok(freed)
    }

    /// The next file to fetch and how much of it is here.
    pub(super) fn next_fetch(&self) -> Result<Option<(AttachmentHash, usize)>, StoreError> {
        let mut core = self.core();
        let connection = &core.store.connection;
        let find = || -> rusqlite::Result<_> {
            let policy = settings::read(connection, settings::FETCH_POLICY)?;
            let with_thumbnails = policy.as_deref() == Some(b"thumbnails");
            let wanted = files::wanted(connection, with_thumbnails)?;
            let given = &core.conversation.fetches;
            let Some(hash) = wanted.into_iter().find(|hash| !given.contains(hash)) else {
                return Ok(None);
            };
            Ok(Some((hash, parts::kept(connection, hash)?)))
        };
        let next = find().map_err(|error| self.store_error(error))?;
        core.conversation.fetches.extend(next.map(|(hash, _)| hash));
        Ok(next)
    }
}

impl Work<'_> {
    /// Keeps a part that came; with the last one the file is here.
    pub(super) fn keep_fetched(
        &mut self,
        hash: AttachmentHash,
        size: usize,
        offset: usize,
        bytes: &[u8],
    ) -> rusqlite::Result<()> {
        let connection = self.connection;
        if offset == 0 {
            parts::remove(connection, hash)?;
        }
        if parts::keep(connection, hash, offset, bytes)? < size {
            return Ok(());
        }
        let whole = parts::take(connection, hash)?;
        // What the ward took is an image; anything else is kept from the screen.
        if let Ok(mime) = attachments::media_type(&whole) {
            attachments::write(connection, &whole, mime)?;
            let records = files::fetched(connection, hash)?;
            self.changes.extend(records.into_iter().map(Change::Case));
        }
        Ok(())
    }
}
