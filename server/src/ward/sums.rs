//! What every device should hold, as sums of edits: one for each document, and one for each group of
//! documents that every scope covers alike. So a digest of a scope costs as many steps as there are groups,
//! whatever there is of documents. Knows nothing of pages.

use std::collections::BTreeMap;

use gandan_core::model::{DocumentId, DocumentKind, EditId};
use gandan_core::protocol::agreement::{EditSum, HeldDigest};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::connections::Work;
use super::documents::placement_at;
use super::scope::{Placement, Scope};
use super::{WardError, floor, placements};

/// What decides whether a scope covers a document, as far as scopes tell documents apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    kind: i64,
    /// Empty for none.
    recorder: Vec<u8>,
    /// Empty for 'unplaced'.
    area: String,
    is_restricted: bool,
    /// Whether the floor has passed it.
    is_past: bool,
}

impl Group {
    fn of(kind: DocumentKind, placement: &Placement, floor: u64) -> Self {
        let recorder = placement.recorder.as_ref();
        Self {
            kind: i64::from(kind.code()),
            recorder: recorder.map_or_else(Vec::new, |officer| officer.0.as_bytes().to_vec()),
            area: placement.area.clone().unwrap_or_default(),
            is_restricted: placement.is_restricted,
            is_past: placement.is_quiet_at(floor),
        }
    }
}

/// What a device with this scope holds when it has read everything.
pub(super) fn held(connection: &Connection, scope: &Scope) -> Result<HeldDigest, WardError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, NULLIF(recorder, x''), NULLIF(area, ''), is_restricted,
                CASE is_past WHEN 1 THEN 0 END, sum FROM sums",
    )?;
    let mut rows = statement.query([])?;
    let mut held = EditSum::default();
    while let Some(row) = rows.next()? {
        let kind = DocumentKind::from_code(row.get(0)?).ok_or(WardError::Damaged)?;
        if scope.covers(kind, &placement_at(row, 1)?) {
            held = held.plus(EditSum::from_bytes(&row.get(5)?));
        }
    }
    Ok(held.digest())
}

/// The sum of a document's edits; of nothing if it is not here.
pub(super) fn of_document(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<EditSum> {
    let sum = connection
        .prepare_cached("SELECT sum FROM documents WHERE kind = ?1 AND uuid = ?2")?
        .query_row(
            params![document.kind.code(), document.uuid.as_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(sum
        .as_ref()
        .map_or_else(EditSum::default, EditSum::from_bytes))
}

impl Work<'_> {
    /// A document has one edit more, and with that a case (a person's, too), or a visit, may be placed
    /// otherwise than before. The document's own sum is written already.
    pub(super) fn count_edit(
        &self,
        document: DocumentId,
        edit: EditId,
        before: &Placement,
        after: &Placement,
    ) -> Result<(), WardError> {
        let floor = match (before.quiet_since, after.quiet_since) {
            (None, None) => 0,
            _ => floor::current(self.connection)?,
        };
        let added: EditSum = [edit].into_iter().collect();
        for counted in placements::placed_together(document) {
            let from = Group::of(counted.kind, before, floor);
            let to = Group::of(counted.kind, after, floor);
            let is_document = counted == document;
            if from == to {
                if is_document {
                    self.add_to_group(&to, added)?;
                }
                continue;
            }
            let now = of_document(self.connection, counted)?;
            let then = if is_document { now.minus(added) } else { now };
            if then != EditSum::default() {
                self.add_to_group(&from, EditSum::default().minus(then))?;
            }
            if now != EditSum::default() {
                self.add_to_group(&to, now)?;
            }
        }
        Ok(())
    }

    fn add_to_group(&self, group: &Group, sum: EditSum) -> rusqlite::Result<()> {
        let key = params![
            group.kind,
            group.recorder,
            group.area,
            group.is_restricted,
            group.is_past
        ];
        let before = self
            .connection
            .prepare_cached(
                "SELECT sum FROM sums WHERE kind = ?1 AND recorder = ?2 AND area = ?3
                 AND is_restricted = ?4 AND is_past = ?5",
            )?
            .query_row(key, |row| row.get(0))
            .optional()?;
        let before = before
            .as_ref()
            .map_or_else(EditSum::default, EditSum::from_bytes);
        self.put_group(group, before.plus(sum))
    }

    fn put_group(&self, group: &Group, sum: EditSum) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO sums (kind, recorder, area, is_restricted, is_past, sum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                group.kind,
                group.recorder,
                group.area,
                group.is_restricted,
                group.is_past,
                sum.to_bytes()
            ])
            .map(drop)
    }

    /// Puts every document into its group again, because the floor has moved.
    pub(super) fn group_again(&self) -> Result<(), WardError> {
        let groups = groups(self.connection)?;
        self.connection.execute("DELETE FROM sums", [])?;
        for (group, sum) in groups {
            self.put_group(&group, sum)?;
        }
        Ok(())
    }
}

/// The groups as the documents say.
fn groups(connection: &Connection) -> Result<BTreeMap<Group, EditSum>, WardError> {
    let floor = floor::current(connection)?;
    let mut statement = connection.prepare(
        "SELECT d.kind, p.recorder, p.area, COALESCE(p.is_restricted, 0), p.quiet_since, d.sum
         FROM documents d
         LEFT JOIN documents p ON p.uuid = d.uuid AND p.kind = CASE d.kind WHEN 3 THEN 2 ELSE d.kind END",
    )?;
    let mut rows = statement.query([])?;
    let mut groups: BTreeMap<Group, EditSum> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let kind = DocumentKind::from_code(row.get(0)?).ok_or(WardError::Damaged)?;
        let group = groups
            .entry(Group::of(kind, &placement_at(row, 1)?, floor))
            .or_default();
        *group = group.plus(EditSum::from_bytes(&row.get(5)?));
    }
    Ok(groups)
}

/// Whether the sums are what edits and documents say; for tests.
pub(super) fn are_right(connection: &Connection) -> Result<bool, WardError> {
    let mut of_documents: BTreeMap<DocumentId, EditSum> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT kind, uuid, edit FROM feed")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let document = DocumentId {
            kind: DocumentKind::from_code(row.get(0)?).ok_or(WardError::Damaged)?,
            uuid: Uuid::from_bytes(row.get(1)?),
        };
        let sum = of_documents.entry(document).or_default();
        sum.add(EditId(row.get(2)?));
    }
    for (document, sum) in &of_documents {
        if of_document(connection, *document)? != *sum {
            return Ok(false);
        }
    }
    let mut kept =
        connection.prepare("SELECT kind, recorder, area, is_restricted, is_past, sum FROM sums")?;
    let kept = kept.query_map([], |row| {
        let group = Group {
            kind: row.get(0)?,
            recorder: row.get(1)?,
            area: row.get(2)?,
            is_restricted: row.get(3)?,
            is_past: row.get(4)?,
        };
        Ok((group, EditSum::from_bytes(&row.get(5)?)))
    })?;
    let kept: BTreeMap<Group, EditSum> = kept.collect::<rusqlite::Result<_>>()?;
    let is_any = |(_, sum): &(Group, EditSum)| *sum != EditSum::default();
    let kept: BTreeMap<Group, EditSum> = kept.into_iter().filter(is_any).collect();
    Ok(kept == groups(connection)?)
}
