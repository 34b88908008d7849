//! Files of cases, kept in the ward's encrypted store. A file is taken only if an admitted case refers
//! to it and only as far as a device's quota goes; its hash was checked part by part when it came,
//! its type by content is looked at here again, whatever the device says.

use gandan_core::document::schema;
use gandan_core::edit::Edit;
use gandan_core::model::{AttachmentHash, DeviceId, DocumentKind};
use gandan_core::protocol::file_tree::FileTree;
use gandan_core::protocol::limits::{ATTACHMENT_BYTES_MAX, LACKED_ATTACHMENTS_MAX};
use gandan_core::protocol::message::FileWord;
use gandan_core::protocol::responder::WardAnswer;
use gandan_core::store::attachments::{self, parts};
use gandan_core::store::rows;
use rusqlite::{Connection, OptionalExtension, params};

use super::WardError;
use super::connections::Work;
use super::devices::Known;
use super::documents::placement_at;

/// How much one device may bring in a day: 50 cases with five photos of 8 MiB. One that wants to fill
/// the disk needs months, and is seen meanwhile.
const DEVICE_BYTES_PER_DAY_MAX: i64 = 2 * 1024 * 1024 * 1024;

/// The time over which that is counted.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How much of one device may lie here unfinished: two files travel at once, two more may have been
/// interrupted. The oldest goes first.
const UNFINISHED_BYTES_MAX: i64 = 4 * ATTACHMENT_BYTES_MAX as i64;

/// Tables that say of a file which device brings it, is to bring it, or brought it.
pub(super) const TABLES_BY_DEVICE: [&str; 3] = [
    "unfinished_attachments",
    "lacked_attachments",
    "attachment_receipts",
];

/// What the ward says of a file that is offered.
pub(super) fn find(
    connection: &Connection,
    device: DeviceId,
    hash: AttachmentHash,
    size: usize,
    now: i64,
) -> rusqlite::Result<WardAnswer> {
    if attachments::is_here(connection, hash)? {
        return Ok(WardAnswer::AttachmentWord(FileWord::Stored));
    }
    if !rows::is_attachment_referenced(connection, hash)? {
        return Ok(WardAnswer::AttachmentWord(FileWord::Unreferenced));
    }
    let brought: i64 = connection
        .prepare_cached(
            "SELECT coalesce(sum(bytes), 0) FROM attachment_receipts
             WHERE device = ?1 AND received_at > ?2",
        )?
        .query_row(params![device.as_bytes(), now - DAY_MS], |row| row.get(0))?;
    if brought.saturating_add(size as i64) > DEVICE_BYTES_PER_DAY_MAX {
        return Ok(WardAnswer::AttachmentWord(FileWord::OverQuota));
    }
    let kept = parts::kept(connection, hash)?;
    // Another size than before: one of the two is a lie, and the parts do not say which.
    Ok(WardAnswer::AttachmentKept(if kept < size {
        kept
    } else {
        0
    }))
}

/// Files to which edits of a device refer and that are not here.
pub(super) fn lacked(
    connection: &Connection,
    device: DeviceId,
) -> rusqlite::Result<Vec<AttachmentHash>> {
    connection
        .prepare_cached("SELECT hash FROM lacked_attachments WHERE device = ?1 LIMIT ?2")?
        .query_map(
            params![device.as_bytes(), LACKED_ATTACHMENTS_MAX as i64],
            |row| row.get(0).map(AttachmentHash),
        )?
        .collect()
}

/// By which the parts of a file are checked; `None` if it is not here or not for this device.
pub(super) fn tree(
    connection: &Connection,
    device: &Known,
    hash: AttachmentHash,
) -> rusqlite::Result<Option<FileTree>> {
    if !is_in_scope(connection, device, hash)? {
        return Ok(None);
    }
    let found = attachments::read(connection, hash)?;
    Ok(found.map(|(bytes, _)| FileTree::of(&bytes)))
}

/// The part of a file that begins at `offset`; `None` as [`tree`], or if none begins there.
pub(super) fn part(
    connection: &Connection,
    device: &Known,
    hash: AttachmentHash,
    offset: usize,
) -> rusqlite::Result<Option<Vec<u8>>> {
    if !is_in_scope(connection, device, hash)? {
        return Ok(None);
    }
    attachments::read_part(connection, hash, offset)
}

/// Whether any case that the device may see shows the file.
fn is_in_scope(
    connection: &Connection,
    device: &Known,
    hash: AttachmentHash,
) -> rusqlite::Result<bool> {
    let scope = device.scope(connection)?;
    let placements = connection
        .prepare_cached(
            "SELECT d.recorder, d.area, d.is_restricted, d.quiet_since
             FROM case_attachments a JOIN documents d ON d.uuid = a.record AND d.kind = ?2
             WHERE a.hash = ?1",
        )?
        .query_map(params![hash.as_bytes(), DocumentKind::Case.code()], |row| {
            placement_at(row, 0)
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(placements
        .iter()
        .any(|placement| scope.may_see(DocumentKind::Case, placement)))
}

impl Work<'_> {
    /// Keeps a part; with the last one the file is looked at and is here whole.
    pub(super) fn keep_part(
        &mut self,
        device: DeviceId,
        hash: AttachmentHash,
        size: usize,
        offset: usize,
        bytes: &[u8],
    ) -> Result<WardAnswer, WardError> {
        // Another device may have brought it meanwhile.
        if attachments::is_here(self.connection, hash)? {
            return Ok(if offset + bytes.len() == size {
                WardAnswer::AttachmentWord(FileWord::Stored)
            } else {
                WardAnswer::AttachmentKept(offset + bytes.len())
            });
        }
        if offset == 0 {
            self.make_room(device, hash, size)?;
        }
        let kept = parts::keep(self.connection, hash, offset, bytes)?;
        self.connection
            .prepare_cached(
                "INSERT INTO unfinished_attachments (hash, device, at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (hash) DO UPDATE SET at = excluded.at",
            )?
            .execute(params![hash.as_bytes(), device.as_bytes(), self.now.0])?;
        if kept < size {
            return Ok(WardAnswer::AttachmentKept(kept.min(offset + bytes.len())));
        }
        let whole = parts::take(self.connection, hash)?;
        self.connection
            .prepare_cached("DELETE FROM unfinished_attachments WHERE hash = ?1")?
            .execute([hash.as_bytes()])?;
        let word = self.store_attachment(device, hash, &whole)?;
        Ok(WardAnswer::AttachmentWord(word))
    }

    /// Stores a whole file, if it is what it is called and a case refers to it.
    pub(super) fn store_attachment(
        &mut self,
        device: DeviceId,
        hash: AttachmentHash,
        bytes: &[u8],
    ) -> Result<FileWord, WardError> {
        let Ok(mime) = attachments::media_type(bytes) else {
            return Ok(FileWord::Refused);
        };
        if attachments::hash(bytes) != hash {
            return Ok(FileWord::Refused);
        }
        if !rows::is_attachment_referenced(self.connection, hash)? {
            return Ok(FileWord::Unreferenced);
        }
        attachments::write(self.connection, bytes, mime)?;
        self.connection
            .prepare_cached("DELETE FROM lacked_attachments WHERE hash = ?1")?
            .execute([hash.as_bytes()])?;
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO attachment_receipts (hash, device, bytes, received_at)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                hash.as_bytes(),
                device.as_bytes(),
                bytes.len() as i64,
                self.now.0
            ])?;
        Ok(FileWord::Stored)
    }

    /// Notes which files an admitted edit refers to that are not here, so that the device can be asked
    /// for them if it does not offer them by itself: a restore may have lost them.
    pub(super) fn note_lacked(&mut self, device: DeviceId, edit: &Edit) -> rusqlite::Result<()> {
        for hash in schema::attached_by(edit) {
            if !attachments::is_here(self.connection, hash)? {
                self.connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO lacked_attachments (hash, device) VALUES (?1, ?2)",
                    )?
                    .execute(params![hash.as_bytes(), device.as_bytes()])?;
            }
        }
        Ok(())
    }

    /// Drops what the device left unfinished longest, until a file of `size` fits beside the rest.
    fn make_room(
        &mut self,
        device: DeviceId,
        hash: AttachmentHash,
        size: usize,
    ) -> rusqlite::Result<()> {
        loop {
            let unfinished: i64 = self
                .connection
                .prepare_cached(
                    "SELECT coalesce(sum(length(bytes)), 0) FROM attachment_parts
                     WHERE hash IN (SELECT hash FROM unfinished_attachments WHERE device = ?1)
                     AND hash <> ?2",
                )?
                .query_row(params![device.as_bytes(), hash.as_bytes()], |row| {
                    row.get(0)
                })?;
            if unfinished.saturating_add(size as i64) <= UNFINISHED_BYTES_MAX {
                return Ok(());
            }
            let oldest = self
                .connection
                .prepare_cached(
                    "DELETE FROM unfinished_attachments WHERE hash = (
                         SELECT hash FROM unfinished_attachments
                         WHERE device = ?1 AND hash <> ?2 ORDER BY at, hash LIMIT 1)
                     RETURNING hash",
                )?
                .query_row(params![device.as_bytes(), hash.as_bytes()], |row| {
                    row.get(0).map(AttachmentHash)
                })
                .optional()?;
            match oldest {
                Some(oldest) => parts::remove(self.connection, oldest)?,
                None => return Ok(()),
            }
        }
    }
}
