//! The ward's word on its audit trail, for phones that witness it, and what is made of theirs.

use std::collections::BTreeSet;

use gandan_core::model::ChainHash;
use gandan_core::protocol::checkpoint::{Checkpoint, Testimony};
use rusqlite::{Connection, OptionalExtension};

use super::{Finding, Kind, Verified, from_sql, head, to_sql};
use crate::ward::connections::Shared;
use crate::ward::{WardError, feed, restore};

/// Where the trail is now, in the ward's own word.
pub(in crate::ward) fn checkpoint(
    connection: &Connection,
    shared: &Shared,
) -> Result<Checkpoint, WardError> {
    let (number, chain) = head(connection)?;
    let (feed_sequence, feed_chain) = feed::head(connection)?;
    Ok(Checkpoint::sign(
        &shared.keys.signing,
        Checkpoint {
            ward: shared.code,
            epoch: restore::current_epoch(connection)?,
            number,
            chain,
            feed_sequence,
            feed_chain,
            at: shared.environment.now(),
            signature: [0; 64],
        },
    ))
}

/// The same, and what the trail was after the entry that a witness holds.
pub(in crate::ward) fn testify(
    connection: &Connection,
    shared: &Shared,
    number: u64,
) -> Result<Testimony, WardError> {
    Ok(Testimony {
        checkpoint: checkpoint(connection, shared)?,
        then: chain_at(connection, number)?,
    })
}

fn chain_at(connection: &Connection, number: u64) -> rusqlite::Result<Option<[u8; 32]>> {
    if number == 0 {
        return Ok(Some([0; 32]));
    }
    connection
        .prepare_cached("SELECT chain FROM audit WHERE number = ?1")?
        .query_row([to_sql(number)], |row| row.get(0))
        .optional()
}

/// Holds the trail against what phones witnessed.
pub(in crate::ward) fn compare(
    connection: &Connection,
    shared: &Shared,
    checkpoints: &[Checkpoint],
    verified: &mut Verified,
) -> Result<(), WardError> {
    let epoch = restore::current_epoch(connection)?;
    let restores: BTreeSet<u64> = connection
        .prepare("SELECT number FROM audit WHERE kind = ?1")?
        .query_map([Kind::EpochBegan.code()], |row| row.get(0).map(from_sql))?
        .collect::<rusqlite::Result<_>>()?;
    for witnessed in checkpoints {
        let number = witnessed.number;
        if witnessed.ward != shared.code || !witnessed.verify(shared.keys.public()) {
            verified.find(Finding::ForgedCheckpoint(number));
            continue;
        }
        let found = chain_at(connection, number)?;
        let is_feed_same = feed::chain_at(connection, witnessed.feed_sequence)?
            .is_some_and(|ChainHash(chain)| chain == witnessed.feed_chain.0);
        if found == Some(witnessed.chain) && is_feed_same {
            verified.witnessed += 1;
            continue;
        }
        // What was witnessed after a backup from which the ward was restored is gone, and the trail says that
        // it was restored at an entry that the witness had passed.
        let is_restored = restores.first().is_some_and(|began| *began <= number);
        if witnessed.epoch != epoch && is_restored {
            verified.lost_in_restore += 1;
            continue;
        }
        verified.find(match found {
            None => Finding::EndsBefore(number),
            Some(_) => Finding::NotAsWitnessed(number),
        });
    }
    Ok(())
}
