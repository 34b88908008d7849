//! What the ward purged goes from this device, whoever wrote it: edits, what waits to be sent, what was
//! refused or set aside, rows, words and files. The ward's word for it stays.

use super::forgetting;
use super::work::Work;
use crate::document::schema;
use crate::model::{ActorId, DocumentId, WardKey};
use crate::protocol::feed::Tombstone;
use crate::store::device::{doubtful, edits, files, outbox, proofs, rejected, tombstones};

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
    let mut unused = forgetting::remove_what_came(work, document)?;
    let mut hashes = forgetting::files_of(connection, document)?;
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
    doubtful::remove(connection, document)?;
    work.actor = ActorId(work.random());
    work.rebuild(document)?;
    // Only cases have any.
    for hash in hashes {
        files::remove(connection, hash, document.uuid)?;
        forgetting::remove_if_unneeded(connection, document.uuid, hash)?;
    }
    Ok(())
}
