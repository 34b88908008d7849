//! Purging: everything of a document goes, a signed word stays. The feed keeps the places of its entries
//! and their digests, so that the chain still holds, and gets one place more, for the tombstone. Whoever
//! reads the feed past that place has heard of it.

use std::collections::BTreeSet;

use gandan_core::document::schema;
use gandan_core::edit::EncodedEdit;
use gandan_core::model::{
    ChainHash, DeviceId, DocumentId, DocumentKind, EditId, OfficerId, Timestamp,
};
use gandan_core::protocol::feed::{FeedEntry, PurgeReason, Salt, Tombstone};
use gandan_core::store::attachments::{self, parts};
use gandan_core::store::rows;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::attachments::TABLES_BY_DEVICE;
use super::audit::{Entry, Kind};
use super::connections::{Work, from_sql, to_sql};
use super::{WardError, documents, feed};

/// Most tombstones that one page tells: half of what a page holds, so that the longest edit still has its place
/// beside them and every page moves on.
pub(super) const TOMBSTONES_PER_PAGE_MAX: usize = 2_048;

/// What may be known of a case that was found to be a denunciation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCase {
    /// Place in the register.
    pub number: u64,
    /// The case that there was.
    pub case: Uuid,
    /// When it was recorded, by the device's clock.
    pub recorded_at: Timestamp,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// Who recorded it.
    pub officer: OfficerId,
    /// Where.
    pub area: Option<String>,
    /// Reference of the paper form.
    pub paper_reference: Option<String>,
    /// The number that it bore; it stays issued.
    pub official_number: Option<String>,
}

/// Whether a document was purged.
pub(super) fn is_purged(connection: &Connection, document: DocumentId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM tombstones WHERE kind = ?1 AND uuid = ?2")?
        .exists(params![document.kind.code(), document.uuid.as_bytes()])
}

/// Tombstones that a page tells.
pub(super) struct Told {
    /// Oldest first.
    pub(super) tombstones: Vec<Tombstone>,
    /// The place of the last of them, if there are more: the page may not read past it.
    pub(super) up_to: Option<u64>,
}

/// Tombstones behind a place of the feed.
pub(super) fn told_after(connection: &Connection, sequence: u64) -> Result<Told, WardError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, uuid, reason, at, signature, sequence FROM tombstones WHERE sequence > ?1
         ORDER BY sequence LIMIT ?2",
    )?;
    let mut rows = statement.query(params![to_sql(sequence), TOMBSTONES_PER_PAGE_MAX as i64])?;
    let mut tombstones = Vec::new();
    let mut last = sequence;
    while let Some(row) = rows.next()? {
        last = from_sql(row.get(5)?);
        tombstones.push(Tombstone {
            document: DocumentId {
                kind: DocumentKind::from_code(row.get(0)?).ok_or(WardError::Damaged)?,
                uuid: Uuid::from_bytes(row.get(1)?),
            },
            reason: PurgeReason::from_code(row.get(2)?).ok_or(WardError::Damaged)?,
            at: Timestamp(row.get(3)?),
            signature: row.get(4)?,
        });
    }
    let is_full = tombstones.len() == TOMBSTONES_PER_PAGE_MAX;
    Ok(Told {
        tombstones,
        up_to: is_full.then_some(last),
    })
}

/// The sealed register.
pub(super) fn sealed(connection: &Connection) -> rusqlite::Result<Vec<SealedCase>> {
    connection
        .prepare(
            "SELECT number, uuid, recorded_at, sealed_at, officer, area, paper_reference, official_number
             FROM sealed_register ORDER BY number",
        )?
        .query_map([], |row| {
            Ok(SealedCase {
                number: from_sql(row.get(0)?),
                case: Uuid::from_bytes(row.get(1)?),
                recorded_at: Timestamp(row.get(2)?),
                sealed_at: Timestamp(row.get(3)?),
                officer: OfficerId(Uuid::from_bytes(row.get(4)?)),
                area: row.get(5)?,
                paper_reference: row.get(6)?,
                official_number: row.get(7)?,
            })
        })?
        .collect()
}

impl Work<'_> {
    /// A case is a denunciation: what was said and by whom goes, a reference is sealed.
    pub(super) fn reclassify(&mut self, case: Uuid) -> Result<(), WardError> {
        let row = rows::case(self.connection, case)?.ok_or(WardError::NotFound("case"))?;
        let head = row.case;
        self.connection.execute(
            "INSERT OR IGNORE INTO sealed_register
               (uuid, recorded_at, sealed_at, officer, area, paper_reference, official_number)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                case.as_bytes(),
                head.recorded_at.0,
                self.now.0,
                head.recorded_by.0.as_bytes(),
                head.area,
                head.paper_reference,
                head.official_number
            ],
        )?;
        let reason = PurgeReason::Denunciation;
        self.purge_now(DocumentId::case(case), reason)?;
        self.purge_now(DocumentId::person_of(case), reason)?;
        self.forget_in_audit(DocumentId::case(case).into())?;
        self.forget_in_audit(DocumentId::person_of(case).into())?;
        self.audit(Entry::of(Kind::Reclassified).about(DocumentId::case(case)))
    }

    /// What is known of a person goes; the case stays.
    pub(super) fn erase(&mut self, person: Uuid) -> Result<(), WardError> {
        let document = DocumentId::person_of(person);
        if documents::heads(self.connection, document)?.is_none() {
            return Err(WardError::NotFound("person"));
        }
        self.purge_now(document, PurgeReason::Erasure)?;
        self.forget_in_audit(document.into())?;
        self.audit(Entry::of(Kind::PersonErased).about(document))
    }

    fn purge_now(&mut self, document: DocumentId, reason: PurgeReason) -> Result<(), WardError> {
        let key = &self.shared.keys.signing;
        let tombstone = Tombstone::sign(key, document, reason, self.now);
        self.purge(&tombstone)
    }

    /// A phone brings what this ward once signed, and a backup did not know yet.
    pub(super) fn take_back_tombstone(&mut self, told: &Tombstone) -> Result<(), WardError> {
        if told.verify(self.shared.keys.public()) {
            self.purge(told)
        } else {
            tracing::warn!("a tombstone given back does not carry the ward's signature");
            Ok(())
        }
    }

    fn purge(&mut self, tombstone: &Tombstone) -> Result<(), WardError> {
        let document = tombstone.document;
        if is_purged(self.connection, document)? {
            return Ok(());
        }
        self.documents.take(document);
        let files = self.files_of(document)?;
        self.purge_entries(document)?;
        let key = params![document.kind.code(), document.uuid.as_bytes()];
        for table in ["moves", "feed", "edits", "documents", "returned_edits"] {
            self.connection.execute(
                &format!("DELETE FROM {table} WHERE kind = ?1 AND uuid = ?2"),
                key,
            )?;
        }
        rows::remove(self.connection, document)?;
        if document.kind == DocumentKind::Person {
            self.forget_askers(document.uuid)?;
            // The words of a case hold its person's.
            if let Some(case) = documents::read(self.connection, DocumentId::case(document.uuid))? {
                rows::write_unindexed(self.connection, &case.state)?;
            }
        }
        rows::forget_words(self.connection)?;
        for hash in files {
            if rows::is_attachment_referenced(self.connection, hash)? {
                continue;
            }
            attachments::remove(self.connection, hash)?;
            parts::remove(self.connection, hash)?;
            for table in TABLES_BY_DEVICE {
                self.connection.execute(
                    &format!("DELETE FROM {table} WHERE hash = ?1"),
                    [hash.as_bytes()],
                )?;
            }
        }
        self.group_again()?;
        let (last, chain) = feed::head(self.connection)?;
        self.put_purged(last + 1, &tombstone.digest(), tombstone.extend(chain))?;
        self.connection.execute(
            "INSERT INTO tombstones (sequence, kind, uuid, reason, at, signature)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                to_sql(last + 1),
                document.kind.code(),
                document.uuid.as_bytes(),
                tombstone.reason.code(),
                tombstone.at.0,
                tombstone.signature
            ],
        )?;
        self.happened.has_changed_rights = true;
        self.happened.has_purged = true;
        Ok(())
    }

    fn files_of(
        &self,
        document: DocumentId,
    ) -> Result<BTreeSet<gandan_core::model::AttachmentHash>, WardError> {
        let mut files = BTreeSet::new();
        if document.kind == DocumentKind::Case {
            files.extend(rows::attachments_of_case(self.connection, document.uuid)?.into_keys());
        }
        let mut statement = self.connection.prepare(
            "SELECT bytes FROM edits WHERE kind = ?1 AND uuid = ?2
             UNION ALL SELECT bytes FROM returned_edits WHERE kind = ?1 AND uuid = ?2",
        )?;
        let key = params![document.kind.code(), document.uuid.as_bytes()];
        let mut rows = statement.query(key)?;
        while let Some(row) = rows.next()? {
            let bytes: Vec<u8> = row.get(0)?;
            let edit = EncodedEdit::decode(&bytes).map_err(|_| WardError::Damaged)?;
            files.extend(schema::attached_by(edit.edit()));
        }
        Ok(files)
    }

    /// Keeps the digests of a document's entries. A salt that was shared would tell theirs, so the others
    /// get what was derived from it.
    fn purge_entries(&self, document: DocumentId) -> Result<(), WardError> {
        let mut shared: BTreeSet<[u8; 17]> = BTreeSet::new();
        let mut statement = self.connection.prepare(
            "SELECT sequence, edit, author, device, received_at, salt, chain FROM feed
             WHERE kind = ?1 AND uuid = ?2",
        )?;
        let key = params![document.kind.code(), document.uuid.as_bytes()];
        let mut rows = statement.query(key)?;
        while let Some(row) = rows.next()? {
            let salt: [u8; 17] = row.get(5)?;
            let entry = FeedEntry {
                sequence: from_sql(row.get(0)?),
                edit: EditId(row.get(1)?),
                author: OfficerId(Uuid::from_bytes(row.get(2)?)),
                device: DeviceId(row.get(3)?),
                received_at: Timestamp(row.get(4)?),
                salt: Salt::from_bytes(salt).ok_or(WardError::Damaged)?,
            };
            self.put_purged(entry.sequence, &entry.digest(), ChainHash(row.get(6)?))?;
            if matches!(entry.salt, Salt::Shared(_)) {
                shared.insert(salt);
            }
        }
        for bytes in shared {
            let root = Salt::from_bytes(bytes).ok_or(WardError::Damaged)?;
            let sequences: Vec<i64> = self
                .connection
                .prepare("SELECT sequence FROM feed WHERE salt = ?1")?
                .query_map([bytes], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for sequence in sequences {
                let own = Salt::Own(root.of(from_sql(sequence)));
                self.connection
                    .prepare_cached("UPDATE feed SET salt = ?2 WHERE sequence = ?1")?
                    .execute(params![sequence, own.to_bytes()])?;
            }
        }
        Ok(())
    }

    fn put_purged(
        &self,
        sequence: u64,
        digest: &[u8; 32],
        chain: ChainHash,
    ) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO purged_entries (sequence, digest, chain) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![to_sql(sequence), digest, chain.as_bytes()])
            .map(drop)
    }
}
