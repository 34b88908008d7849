//! Whether this device holds what the ward says that it holds, and what is in the way. Nobody may call
//! anything synchronised on another ground.

use rusqlite::Connection;

use super::Replica;
use super::conversation::ConversationMemory;
use super::work::Work;
use crate::model::{EditId, Timestamp};
use crate::protocol::agreement::{EditSum, HeldDigest};
use crate::protocol::initiator::ComparisonStep;
use crate::protocol::reconciliation::{Answer, Comparison, Difference};
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

    /// Begins to compare with the ward.
    pub(super) fn begin_comparison(&self, is_restored: bool) -> Result<ComparisonStep, StoreError> {
        let mut core = self.core();
        let own = own(&core.store.connection, is_restored);
        let own = own.map_err(|error| self.store_error(error))?;
        core.conversation.comparison = Some(Comparison::new(own));
        Ok(next_step(&mut core.conversation))
    }

    /// Goes on with what the ward answered. Should that be nonsense, everything is given back.
    pub(super) fn compare(&self, answers: Vec<Answer>) -> Result<ComparisonStep, StoreError> {
        let mut core = self.core();
        let is_right = match &mut core.conversation.comparison {
            Some(comparison) => comparison.hear(answers),
            None => false,
        };
        if is_right {
            return Ok(next_step(&mut core.conversation));
        }
        tracing::warn!("the ward's answers to a comparison are none");
        let own = own(&core.store.connection, true).map_err(|error| self.store_error(error))?;
        core.conversation.comparison = None;
        core.conversation.lacked_there = own.into_iter().collect();
        Ok(found(&core.conversation, Vec::new()))
    }
}

fn own(connection: &Connection, is_restored: bool) -> rusqlite::Result<Vec<EditId>> {
    if is_restored {
        return edits::proven(connection);
    }
    let lent = edits::lent(connection)?;
    let mut held = edits::held(connection)?;
    held.retain(|edit| !lent.contains(edit));
    Ok(held)
}

fn next_step(conversation: &mut ConversationMemory) -> ComparisonStep {
    let questions = conversation.comparison.as_mut().map(Comparison::ask);
    match questions {
        Some(questions) if !questions.is_empty() => ComparisonStep::Ask(questions),
        _ => {
            let difference = conversation.comparison.take().map(Comparison::finish);
            let Difference {
                lacked_here,
                lacked_there,
            } = difference.unwrap_or_default();
            conversation.lacked_there = lacked_there.into_iter().collect();
            found(conversation, lacked_here)
        }
    }
}

fn found(conversation: &ConversationMemory, missing: Vec<EditId>) -> ComparisonStep {
    tracing::info!(
        missing = missing.len(),
        lacked_there = conversation.lacked_there.len(),
        "compared with the ward"
    );
    ComparisonStep::Found {
        missing,
        is_anything_lacked_there: !conversation.lacked_there.is_empty(),
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
