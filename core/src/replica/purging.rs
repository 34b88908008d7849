//! What the ward purged goes from this device, whoever wrote it: edits, what waits to be sent, what was
//! refused or set aside, rows, words and files. The ward's word for it stays.

use std::collections::BTreeSet;

use rusqlite::params;

use super::work::Work;
use crate::document::schema;
use crate::model::{ActorId, DocumentId, WardKey};
use crate::protocol::feed::Tombstone;
use crate::store::attachments::{self, parts};
use crate::store::device::{
    borrowed, edits, files, outbox, proofs, rejected, set_aside, tombstones,
};
use crate::store::rows;

/// Purges what the ward signed for; anything else is passed over.
pub(super) fn purge_all(
    work: &mut Work<'_>,
    ward_key: WardKey,
    told: &[Tombstone],
) -> rusqlite::Result<()> {
    for tombstone in told {
        if !tombstone.verify(ward_key) {
            tracing::warn!("a tombstone without the ward's signature");
        } else if !tombstones::is_purged(work.connection, tombstone.document)? {
            purge(work, tombstone.document)?;
            tombstones::put(work.connection, tombstone)?;
        }
    }
    Ok(())
}

fn purge(work: &mut Work<'_>, document: DocumentId) -> rusqlite::Result<()> {
    let connection = work.connection;
    borrowed::remove(connection, document)?;
    let mut hashes = BTreeSet::new();
    hashes.extend(rows::attachments_of_case(connection, document.uuid)?.into_keys());
    for file in files::of_record(connection, document.uuid)? {
        hashes.insert(file.hash);
    }
    let (mut unused, dependencies) =
        set_aside::remove_document(connection, &mut work.held, document)?;
    for dependency in dependencies {
        proofs::want_no_more(connection, dependency)?;
    }
    for stored in edits::all_of_document(connection, document)? {
        hashes.extend(schema::attached_by(stored.edit.edit()));
        let located = edits::locate(connection, stored.edit.id())?;
        // What else is in a sealed bundle is sealed anew: the bundle holds what is to be purged.
        outbox::unseal_around(connection, stored.position)?;
        outbox::remove(connection, stored.position)?;
        unused.extend(located.and_then(|located| located.proof));
        edits::remove(connection, &mut work.held, stored.position)?;
    }
    for refused in rejected::of_document(connection, document)? {
        hashes.extend(schema::attached_by(refused.edit.edit()));
        rejected::remove(connection, refused.edit.id())?;
    }
    for proof in unused {
        proofs::drop_unused(connection, proof)?;
    }
    connection
        .prepare_cached("DELETE FROM doubtful WHERE document = ?1")?
        .execute(params![document.to_bytes()])?;
    work.actor = ActorId(work.random());
    work.rebuild(document)?;
    if document.kind != crate::model::DocumentKind::Case {
        return Ok(());
    }
    for hash in hashes {
        files::remove(connection, hash, document.uuid)?;
        if !files::is_under_way(connection, hash)?
            && !rows::is_attachment_of_another(connection, hash, document.uuid)?
        {
            attachments::remove(connection, hash)?;
            parts::remove(connection, hash)?;
            files::want_no_more(connection, hash)?;
        }
    }
    Ok(())
}
