//! Whether everything that the ward holds agrees with everything else: chains, signatures, documents and
//! their rows, files, sums, official numbers, the audit trail, and SQLite's own structure. Reads all of it,
//! mends nothing, and tells in words what is wrong, by ids only.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use gandan_core::edit::EncodedEdit;
use gandan_core::model::{
    AttachmentHash, ChainHash, DeviceId, DocumentId, DocumentKind, EditId, OfficerId, Timestamp,
};
use gandan_core::protocol::bundle::{self, BundleProof};
use gandan_core::protocol::feed::{FeedEntry, Salt, extend_chain};
use gandan_core::store::{attachments, rows};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::connections::{Shared, from_sql};
use super::scope::Placement;
use super::{
    WardError, admission, audit, devices, documents, numbering, placements, settings, sums,
};

/// Most problems that are listed; what is over is counted.
const LISTED_MAX: usize = 100;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is wrong, in plain words, Vietnamese first; not more than a hundred.
    pub problems: Vec<String>,
    /// How many more there are.
    pub unlisted: u64,
    /// Edits read.
    pub edits: u64,
    /// Documents built.
    pub documents: u64,
    /// Files hashed.
    pub attachments: u64,
    /// Entries of the audit trail.
    pub audit: u64,
}

impl Checked {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn problem(&mut self, words: String) {
        if self.problems.len() < LISTED_MAX {
            self.problems.push(words);
        } else {
            self.unlisted += 1;
        }
    }

    fn misfit(&mut self, sequence: u64) {
        self.problem(format!(
            "mục {sequence} của dòng sự kiện không khớp chuỗi băm · entry {sequence} of the feed does not fit its chain"
        ));
    }
}

pub(super) fn check(connection: &Connection, shared: &Shared) -> Result<Checked, WardError> {
    let mut checked = Checked::default();
    check_file(connection, &mut checked)?;
    check_feed(connection, &mut checked)?;
    check_proofs(connection, shared, &mut checked)?;
    check_documents(connection, &mut checked)?;
    check_strays(connection, &mut checked)?;
    check_attachments(connection, &mut checked)?;
    if !sums::are_right(connection)? {
        checked.problem(
            "tổng của những gì điện thoại phải giữ không khớp với hồ sơ · the sums of what phones hold do not agree with the documents".to_owned(),
        );
    }
    check_numbers(connection, shared, &mut checked)?;
    let verified = audit::verify(connection)?;
    checked.audit = verified.entries;
    for finding in &verified.findings {
        checked.problem(format!("nhật ký kiểm tra · audit trail: {finding}"));
    }
    Ok(checked)
}

/// Every page, the structure above it, and references between tables.
fn check_file(connection: &Connection, checked: &mut Checked) -> rusqlite::Result<()> {
    for pragma in ["cipher_integrity_check", "integrity_check(20)"] {
        let mut statement = connection.prepare(&format!("PRAGMA {pragma}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let words: String = row.get(0)?;
            if words != "ok" {
                checked.problem(format!("tệp dữ liệu hỏng · the file is damaged: {words}"));
            }
        }
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut dangling: BTreeMap<(String, String), u64> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        *dangling.entry((row.get(0)?, row.get(2)?)).or_default() += 1;
    }
    for ((table, parent), count) in dangling {
        checked.problem(format!(
            "{count} dòng của bảng {table} chỉ đến dòng không có trong {parent} · {count} rows of {table} name rows of {parent} that are not there"
        ));
    }
    Ok(())
}

/// Sequence, chain, and that each entry's edit is the one that it names.
fn check_feed(connection: &Connection, checked: &mut Checked) -> Result<(), WardError> {
    let mut statement = connection.prepare(
        "SELECT f.sequence, f.edit, f.author, f.device, f.received_at, f.salt, f.chain, f.kind, f.uuid,
           e.bytes, e.kind, e.uuid, e.actor, e.actor_sequence, e.intent, e.author
         FROM feed f LEFT JOIN edits e ON e.id = f.edit ORDER BY f.sequence",
    )?;
    let mut rows = statement.query([])?;
    let mut chain = ChainHash([0; 32]);
    let mut sequence = 0;
    let mut purged = purged_entries(connection)?;
    while let Some(row) = rows.next()? {
        let found = from_sql(row.get(0)?);
        pass_purged(&mut purged, &mut sequence, &mut chain, checked);
        if found != sequence + 1 {
            checked.problem(format!(
                "dòng sự kiện thiếu mục {} · the feed lacks entry {}",
                sequence + 1,
                sequence + 1
            ));
        }
        sequence = found;
        let salt = Salt::from_bytes(row.get(5)?);
        let entry = FeedEntry {
            sequence,
            edit: EditId(row.get(1)?),
            author: OfficerId(Uuid::from_bytes(row.get(2)?)),
            device: DeviceId(row.get(3)?),
            received_at: Timestamp(row.get(4)?),
            salt: salt.unwrap_or(Salt::Own([0; 16])),
        };
        let kept = ChainHash(row.get(6)?);
        if salt.is_none() || entry.extend(chain) != kept {
            checked.misfit(sequence);
        }
        chain = kept;
        let bytes: Option<Vec<u8>> = row.get(9)?;
        let Some(decoded) = bytes.and_then(|bytes| EncodedEdit::decode(&bytes).ok()) else {
            checked.problem(format!(
                "nội dung của mục {sequence} bị mất hoặc không đọc được · the edit of entry {sequence} is gone or does not read"
            ));
            continue;
        };
        checked.edits += 1;
        let edit = decoded.edit();
        let document: (i64, [u8; 16]) = (
            edit.document.kind.code().into(),
            *edit.document.uuid.as_bytes(),
        );
        let in_feed: (i64, [u8; 16]) = (row.get(7)?, row.get(8)?);
        let in_edits: (i64, [u8; 16]) = (row.get(10)?, row.get(11)?);
        let is_as_named = decoded.id() == entry.edit
            && document == in_feed
            && document == in_edits
            && row.get::<_, [u8; 16]>(12)? == *edit.actor.as_bytes()
            && from_sql(row.get(13)?) == edit.sequence
            && row.get::<_, [u8; 16]>(14)? == *edit.intent.as_bytes()
            && row.get::<_, [u8; 16]>(15)? == *entry.author.0.as_bytes();
        if !is_as_named {
            checked.problem(format!(
                "nội dung của mục {sequence} không phải nội dung đã nhận · the edit of entry {sequence} is not the one that was admitted"
            ));
        }
    }
    pass_purged(&mut purged, &mut sequence, &mut chain, checked);
    let unnamed: i64 = connection.query_row(
        "SELECT COUNT(*) FROM edits WHERE id NOT IN (SELECT edit FROM feed)",
        [],
        |row| row.get(0),
    )?;
    if unnamed > 0 {
        checked.problem(format!(
            "{unnamed} thay đổi không có trong dòng sự kiện · {unnamed} edits are not in the feed"
        ));
    }
    Ok(())
}

/// Places of the feed of which only the digest is left, with the chain after each.
type Purged = BTreeMap<u64, ([u8; 32], ChainHash)>;

fn purged_entries(connection: &Connection) -> rusqlite::Result<Purged> {
    connection
        .prepare("SELECT sequence, digest, chain FROM purged_entries")?
        .query_map([], |row| {
            let after = (row.get(1)?, ChainHash(row.get(2)?));
            Ok((from_sql(row.get(0)?), after))
        })?
        .collect()
}

/// Passes over the places that follow and of which only the digest is left.
fn pass_purged(
    purged: &mut Purged,
    sequence: &mut u64,
    chain: &mut ChainHash,
    checked: &mut Checked,
) {
    while let Some((digest, kept)) = purged.remove(&(*sequence + 1)) {
        *sequence += 1;
        if extend_chain(*chain, &digest) != kept {
            checked.misfit(*sequence);
        }
        *chain = kept;
    }
}

/// That devices signed for what they wrote.
fn check_proofs(
    connection: &Connection,
    shared: &Shared,
    checked: &mut Checked,
) -> Result<(), WardError> {
    let mut statement = connection
        .prepare("SELECT bundle, device, sealed_at, edits, signature FROM bundle_proofs")?;
    let mut proven: HashSet<(DeviceId, EditId)> = HashSet::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let bundle: [u8; 32] = row.get(0)?;
        let edits: Vec<u8> = row.get(3)?;
        let proof = BundleProof {
            ward: shared.code,
            device: DeviceId(row.get(1)?),
            sealed_at: Timestamp(row.get(2)?),
            edits: edits
                .chunks_exact(32)
                .filter_map(EditId::from_slice)
                .collect(),
            signature: row.get(4)?,
        };
        if !bundle::verify_proof(&proof) {
            let bundle = data_encoding::HEXLOWER.encode(&bundle[..8]);
            checked.problem(format!(
                "chữ ký của gói {bundle}… không đúng · the device's signature on bundle {bundle}… does not hold"
            ));
        }
        proven.extend(proof.edits.iter().map(|edit| (proof.device, *edit)));
    }
    // What phones gave back after a restore carries the ward's own word instead, and the phones keep it.
    let was_restored: bool =
        connection.query_row("SELECT COUNT(*) > 1 FROM epochs", [], |row| row.get(0))?;
    let own = DeviceId(shared.keys.public().0);
    let mut statement = connection.prepare(
        "SELECT f.sequence, f.device, f.edit, a.device FROM feed f
         JOIN edits e ON e.id = f.edit LEFT JOIN actors a ON a.actor = e.actor",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let sequence = from_sql(row.get(0)?);
        let (device, edit) = (DeviceId(row.get(1)?), EditId(row.get(2)?));
        let is_signed = was_restored || device == own || proven.contains(&(device, edit));
        let owner: Option<[u8; 32]> = row.get(3)?;
        let is_owner = match owner.map(DeviceId) {
            Some(owner) => devices::is_or_was(connection, device, owner)?,
            None => false,
        };
        if !is_signed || !is_owner {
            checked.problem(format!(
                "mục {sequence} của dòng sự kiện không do máy được ghi tên ký · no signature of the device named says that it wrote entry {sequence} of the feed"
            ));
        }
    }
    Ok(())
}

/// That each document is what its edits say: heads, count, who may see it, and its row.
fn check_documents(connection: &Connection, checked: &mut Checked) -> Result<(), WardError> {
    let mut statement = connection.prepare(
        "SELECT k.kind, k.uuid, d.heads, d.edit_count, k.entries FROM
           (SELECT kind, uuid, COUNT(*) AS entries FROM feed GROUP BY kind, uuid) k
         LEFT JOIN documents d ON d.kind = k.kind AND d.uuid = k.uuid",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let document = DocumentId {
            kind: DocumentKind::from_code(row.get(0)?).ok_or(WardError::Damaged)?,
            uuid: Uuid::from_bytes(row.get(1)?),
        };
        let shown = audit::Subject::from(document);
        checked.documents += 1;
        let materialized = match documents::read(connection, document) {
            Ok(Some(materialized)) => materialized,
            Ok(None) | Err(WardError::Damaged) => {
                checked.problem(format!(
                    "không dựng lại được {shown} từ các thay đổi của nó · {shown} cannot be built from its edits"
                ));
                continue;
            }
            Err(error) => return Err(error),
        };
        let heads: Vec<u8> = materialized.heads.iter().flat_map(|head| head.0).collect();
        let kept: Option<Vec<u8>> = row.get(2)?;
        let count: Option<i64> = row.get(3)?;
        let is_counted = count == Some(row.get(4)?);
        if kept != Some(heads) || !is_counted {
            checked.problem(format!(
                "trạng thái cuối của {shown} không khớp các thay đổi · the heads of {shown} are not what its edits say"
            ));
        }
        if !rows::is_current(connection, &materialized.state)? {
            checked.problem(format!(
                "dòng hiển thị của {shown} không khớp hồ sơ · the row of {shown} is not what its document says"
            ));
        }
        if document.kind != DocumentKind::Person {
            let quiet_aside = |placement: Placement| Placement {
                quiet_since: placement.quiet_since.map(|_| 0),
                ..placement
            };
            let said = admission::placement_of(&materialized.state).map(quiet_aside);
            let kept = documents::placement(connection, placements::placed(document))?;
            if said != kept.map(quiet_aside) {
                checked.problem(format!(
                    "quyền xem của {shown} không khớp hồ sơ · who may see {shown} is not what its document says"
                ));
            }
        }
    }
    Ok(())
}

/// That there is nothing of which no edit tells.
fn check_strays(connection: &Connection, checked: &mut Checked) -> Result<(), WardError> {
    for (table, kind, id) in [
        ("case_rows", DocumentKind::Case, "id"),
        ("visit_rows", DocumentKind::Visit, "id"),
        ("person_rows", DocumentKind::Person, "id"),
    ] {
        let strays: i64 = connection.query_row(
            &format!(
                "SELECT COUNT(*) FROM {table} WHERE {id} NOT IN (SELECT uuid FROM feed WHERE kind = ?1)"
            ),
            [kind.code()],
            |row| row.get(0),
        )?;
        if strays > 0 {
            checked.problem(format!(
                "{strays} dòng của {table} không có hồ sơ · {strays} rows of {table} have no document"
            ));
        }
    }
    let strays: i64 = connection.query_row(
        "SELECT COUNT(*) FROM documents d WHERE NOT EXISTS
           (SELECT 1 FROM feed f WHERE f.kind = d.kind AND f.uuid = d.uuid)",
        [],
        |row| row.get(0),
    )?;
    if strays > 0 {
        checked.problem(format!(
            "{strays} hồ sơ không có thay đổi nào · {strays} documents have no edit"
        ));
    }
    Ok(())
}

/// That each file is what its name says, and that what cases show is here or known to be lacking.
fn check_attachments(connection: &Connection, checked: &mut Checked) -> Result<(), WardError> {
    let mut statement = connection.prepare("SELECT hash FROM attachments")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let hash = AttachmentHash(row.get(0)?);
        let read = attachments::read(connection, hash);
        let is_right = matches!(&read, Ok(Some((bytes, _))) if attachments::hash(bytes) == hash);
        checked.attachments += 1;
        if !is_right {
            checked.problem(format!(
                "tệp đính kèm {hash} hỏng hoặc thiếu một phần · the file {hash} is damaged or not whole"
            ));
        }
    }
    let mut statement = connection.prepare(
        "SELECT DISTINCT a.hash FROM case_attachments a
         WHERE a.hash NOT IN (SELECT hash FROM attachments)
           AND a.hash NOT IN (SELECT hash FROM lacked_attachments)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let hash = AttachmentHash(row.get(0)?);
        checked.problem(format!(
            "tệp đính kèm {hash} mà một hồ sơ nhắc đến đã mất · the file {hash}, which a case shows, is gone"
        ));
    }
    Ok(())
}

/// That each register of a year is 1, 2, 3, … each with its case or a reason, and that cases show theirs.
fn check_numbers(
    connection: &Connection,
    shared: &Shared,
    checked: &mut Checked,
) -> Result<(), WardError> {
    let paused: Option<Vec<u8>> = settings::read(connection, settings::NUMBERING_PAUSED_AT)?;
    let mut held = BTreeSet::new();
    let mut statement = connection.prepare(
        "SELECT n.register, n.year, n.number, n.uuid, r.official_number, COALESCE(d.awaits_number, 0)
           OR EXISTS (SELECT 1 FROM tombstones t WHERE t.kind = ?1 AND t.uuid = n.uuid)
         FROM official_numbers n
         LEFT JOIN case_rows r ON r.id = n.uuid
         LEFT JOIN documents d ON d.uuid = n.uuid AND d.kind = ?1
         ORDER BY n.register, n.year, n.number",
    )?;
    let mut rows = statement.query([DocumentKind::Case.code()])?;
    let mut last: Option<(String, i64, i64)> = None;
    while let Some(row) = rows.next()? {
        let place: (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let expected = match &last {
            Some((register, year, number)) if (register, *year) == (&place.0, place.1) => {
                number + 1
            }
            _ => 1,
        };
        let words = numbering::format_number(shared.code, place.1, place.2);
        // While numbering waits after a restore, gaps are to be filled yet.
        if place.2 != expected && paused.is_none() {
            checked.problem(format!(
                "sổ {} năm {} thiếu số {expected} · the register {} of {} lacks number {expected}",
                place.0, place.1, place.0, place.1
            ));
        }
        let uuid: Option<[u8; 16]> = row.get(3)?;
        let (shown, awaits): (Option<String>, bool) = (row.get(4)?, row.get(5)?);
        if let Some(uuid) = uuid {
            held.insert(uuid);
            if shown.as_deref() != Some(words.as_str()) && !awaits {
                let uuid = Uuid::from_bytes(uuid);
                checked.problem(format!(
                    "hồ sơ {uuid} không mang số {words} đã cấp · case {uuid} does not show its number {words}"
                ));
            }
        }
        last = Some(place);
    }
    let mut statement = connection.prepare(
        "SELECT r.id FROM case_rows r JOIN documents d ON d.uuid = r.id AND d.kind = ?1
         WHERE r.official_number IS NOT NULL AND d.awaits_number = 0",
    )?;
    let mut rows = statement.query(params![DocumentKind::Case.code()])?;
    while let Some(row) = rows.next()? {
        let uuid: [u8; 16] = row.get(0)?;
        if !held.contains(&uuid) && paused.is_none() {
            let uuid = Uuid::from_bytes(uuid);
            checked.problem(format!(
                "hồ sơ {uuid} mang số không có trong sổ · case {uuid} shows a number that is not in the register"
            ));
        }
    }
    let is_current: Option<i64> = connection
        .query_row("SELECT 1 FROM epochs WHERE is_current = 1", [], |row| {
            row.get(0)
        })
        .optional()?;
    if is_current.is_none() {
        checked.problem(
            "không có kỳ hiện tại của dòng sự kiện · the feed has no current epoch".to_owned(),
        );
    }
    Ok(())
}
