//! Whether this device holds what the ward says that it holds. Nobody may call anything synchronised
//! on another ground.

use rusqlite::Connection;

use super::Replica;
use super::work::Work;
use crate::model::Timestamp;
use crate::protocol::agreement::{EditSum, HeldDigest};
use crate::store::StoreError;
use crate::store::device::{edits, files, outbox, settings};

/// Where this device and the ward stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// The ward has not said yet what this device should hold.
    Unknown,
    /// They did not hold the same when the ward said it last, or a conversation that changed something
    /// broke off. The next whole conversation finds out.
    Differs {
        /// When the ward said it, by its clock.
        at: Timestamp,
    },
    /// Both hold the same, but something of this device has no final word of the ward.
    Unsent,
    /// Both hold the same: it may be called synchronised as of then.
    Synced {
        /// By the ward's clock.
        at: Timestamp,
    },
}

impl Agreement {
    /// The English word for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Unsent => "unsent",
            Self::Synced { .. } => "synced",
            Self::Differs { .. } => "differs",
        }
    }
}

impl Replica {
    /// Whether both sides hold the same.
    ///
    /// # Errors
    /// The store's.
    pub fn agreement(&self) -> Result<Agreement, StoreError> {
        self.read(|connection| {
            let Some((said, at)) = settings::agreement(connection)? else {
                return Ok(Agreement::Unknown);
            };
            if said != held(connection)?.digest() {
                return Ok(Agreement::Differs { at });
            }
            let is_unsent = !outbox::pending(connection)?.is_empty()
                || !files::unconfirmed(connection)?.is_empty();
            Ok(if is_unsent {
                Agreement::Unsent
            } else {
                Agreement::Synced { at }
            })
        })
    }
}

/// Keeps what the ward said; whether it is what this device holds.
pub(super) fn note(
    work: &Work<'_>,
    said: HeldDigest,
    ward_time: Timestamp,
) -> rusqlite::Result<bool> {
    settings::write_agreement(work.connection, said, ward_time)?;
    Ok(held(work.connection)?.plus(work.held).digest() == said)
}

/// What this device holds as far as the ward knows, without what it has on loan.
fn held(connection: &Connection) -> rusqlite::Result<EditSum> {
    let lent = edits::lent(connection)?.into_iter().collect();
    Ok(settings::held(connection)?.minus(lent))
}

/// Counts again; whether the sum that was kept is the right one. It is afterwards.
pub(super) fn recount(work: &Work<'_>) -> rusqlite::Result<bool> {
    let counted: EditSum = edits::held(work.connection)?.into_iter().collect();
    let is_right = settings::held(work.connection)?.plus(work.held) == counted;
    if !is_right {
        let kept = counted.minus(work.held);
        settings::write(work.connection, settings::HELD, &kept.to_bytes())?;
    }
    Ok(is_right)
}
