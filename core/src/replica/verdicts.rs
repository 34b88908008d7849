//! The ward's word on a bundle.

use std::collections::BTreeSet;

use super::conversation::ConversationMemory;
use super::rejection;
use super::work::Work;
use crate::model::{BundleId, EditId};
use crate::protocol::bundle;
use crate::protocol::verdict::Verdict;
use crate::store::device::outbox::{self, OutboxState, StoredBundle};
use crate::store::device::{edits, malformed, rejected};

/// What the rest of the conversation must know of a word.
#[derive(Debug, Default)]
pub(super) struct Word {
    bundle: i64,
    accepted: Vec<EditId>,
    awaited: BTreeSet<EditId>,
    is_unreadable: bool,
}

impl Word {
    pub(super) fn remember(self, conversation: &mut ConversationMemory) {
        if self.is_unreadable {
            conversation.is_sealing_over = true;
        }
        if !self.awaited.is_empty() {
            conversation.waiting.insert(self.bundle, self.awaited);
        }
        for edit in self.accepted {
            conversation.note_accepted(edit);
        }
    }
}

/// Records the verdicts. A bundle that is not here had its last word before.
pub(super) fn record(
    work: &mut Work<'_>,
    id: BundleId,
    verdicts: &[Verdict],
) -> rusqlite::Result<Word> {
    let connection = work.connection;
    let Some(StoredBundle { number, sealed, .. }) = outbox::bundle_by_id(connection, id)? else {
        return Ok(Word::default());
    };
    let mut word = Word {
        bundle: number,
        ..Word::default()
    };
    if verdicts.is_empty() {
        outbox::unseal(connection, number)?;
        word.is_unreadable = true;
        return Ok(word);
    }
    let opened = bundle::open(&sealed).map_err(|_| malformed("sealed"))?;
    for (edit, verdict) in opened.proof.edits.iter().zip(verdicts) {
        match *verdict {
            Verdict::Accepted { sequence } => {
                accept(work, *edit, sequence)?;
                word.accepted.push(*edit);
            }
            Verdict::Duplicate { sequence } => {
                accept(work, *edit, sequence)?;
                word.accepted.push(*edit);
                settle_stranded(work, *edit)?;
                rejection::supersede_if_applied(work, *edit)?;
            }
            Verdict::Waiting { dependency } => {
                word.awaited.insert(dependency);
            }
            Verdict::Rejected { code } => match edits::read(connection, *edit)? {
                Some(stored) => rejection::reject(work, &stored, code)?,
                // It fell with what it depends on; the ward's own reason is the better one.
                None => rejected::set_reason(connection, *edit, code)?,
            },
        }
    }
    Ok(word)
}

fn accept(work: &mut Work<'_>, edit: EditId, sequence: u64) -> rusqlite::Result<()> {
    let Some(located) = edits::locate(work.connection, edit)? else {
        return Ok(());
    };
    // An edit that a page has named is off the outbox; that was the better word.
    if let Some(state) = outbox::state(work.connection, located.position)? {
        outbox::accept(work.connection, located.position, sequence)?;
        if state != OutboxState::Accepted {
            work.note_change(located.document);
        }
    }
    Ok(())
}

/// The feed may have gone by the place of an edit whose document has left the scope, and will not
/// name it: the ward has it, and that was the last word. It is kept a while, for a ward that loses it.
fn settle_stranded(work: &mut Work<'_>, edit: EditId) -> rusqlite::Result<()> {
    let connection = work.connection;
    match edits::locate(connection, edit)?.filter(|located| located.is_stranded) {
        Some(located) => {
            outbox::retain(connection, located.position)?;
            edits::retain(connection, &mut work.held, located.position)
        }
        None => Ok(()),
    }
}
