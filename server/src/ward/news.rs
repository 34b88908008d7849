//! What happened lately, for connections of devices that stay. They are woken once for each transaction,
//! and ask memory, not the store, whether it is any of their business: of five thousand devices a case
//! concerns a dozen. What memory does not know is looked up in the feed, which alone decides.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use gandan_core::model::{DeviceId, DocumentKind};
use rusqlite::Connection;
use tokio::sync::watch;

use super::connections::{Shared, lock};
use super::scope::{Placement, Scope};
use super::{WardError, devices};

/// How many entries of the feed memory holds: a morning of a large ward, in some hundred bytes each.
const ENTRIES_KEPT: usize = 4_096;

/// How far the ward is. What a device has heard of is one of these too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Stand {
    /// The last entry of the feed that this process knows of.
    sequence: u64,
    /// Counts changes that may concern every device: scopes, devices, a restore, another process's.
    rights: u64,
    /// Counts changes of the reference data.
    directory: u64,
}

/// What a device that stays is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interest {
    /// The feed may hold something for it, or it may not hear anything any more.
    pub feed: bool,
    /// The reference data may have changed.
    pub directory: bool,
}

/// What one transaction did that others may want to hear.
#[derive(Debug, Default)]
pub(super) struct Happened {
    entries: Vec<Placed>,
    /// Another process wrote meanwhile, and may have done anything.
    pub(super) have_others_written: bool,
    pub(super) has_changed_rights: bool,
    pub(super) has_changed_directory: bool,
    /// The log is to be emptied, so that nothing of it stays there.
    pub(super) has_purged: bool,
}

/// An entry of the feed, as far as it matters to whom it concerns.
#[derive(Debug)]
struct Placed {
    sequence: u64,
    kind: DocumentKind,
    placement: Placement,
    /// Where its document was before, if the entry moved it.
    before: Option<Placement>,
}

impl Happened {
    /// Only that another process has written, or nothing.
    pub(super) fn by_others(have_others_written: bool) -> Self {
        Self {
            have_others_written,
            ..Self::default()
        }
    }

    pub(super) fn note_entry(
        &mut self,
        sequence: u64,
        kind: DocumentKind,
        placement: Placement,
        before: Option<Placement>,
    ) {
        // Of an edit that was undone after all, another one takes the place.
        self.keep_up_to(sequence - 1);
        self.entries.push(Placed {
            sequence,
            kind,
            placement,
            before,
        });
    }

    /// Whether anything entered the feed.
    pub(super) fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    /// What was undone did not happen: `sequence` is the feed's last entry.
    pub(super) fn keep_up_to(&mut self, sequence: u64) {
        let is_kept = |entry: &Placed| entry.sequence <= sequence;
        while self.entries.pop_if(|last| !is_kept(last)).is_some() {}
    }
}

impl Placed {
    /// Whether a device of this scope may have to hear of it; too often rather than too seldom.
    fn concerns(&self, scope: &Scope) -> bool {
        let kinds = match self.kind {
            DocumentKind::Visit => &[DocumentKind::Visit][..],
            // A case takes its person with it, and a person wakes its case.
            DocumentKind::Case | DocumentKind::Person => {
                &[DocumentKind::Case, DocumentKind::Person]
            }
        };
        let placements = self.before.iter().chain([&self.placement]);
        placements.into_iter().any(|placement| {
            // Also what is not held: it may have been fetched, and has to go if it is not seen any more.
            kinds.iter().any(|kind| scope.may_see(*kind, placement))
        })
    }
}

/// The newest entries and who is to be woken.
#[derive(Debug)]
pub(super) struct News {
    /// Ascending without a gap, the last one at the stand's sequence.
    entries: Mutex<VecDeque<Placed>>,
    stand: watch::Sender<Stand>,
}

impl Default for News {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            stand: watch::Sender::new(Stand::default()),
        }
    }
}

impl News {
    /// Hears what a transaction did that is durable now; called in the order of transactions.
    pub(super) fn tell(&self, happened: Happened) {
        let Happened {
            entries,
            have_others_written,
            has_changed_rights,
            has_changed_directory,
            has_purged: _,
        } = happened;
        let has_changed_rights = has_changed_rights || have_others_written;
        let has_changed_directory = has_changed_directory || have_others_written;
        if entries.is_empty() && !has_changed_rights && !has_changed_directory {
            return;
        }
        let last = entries.last().map(|entry| entry.sequence);
        let mut kept = lock(&self.entries);
        if have_others_written {
            kept.clear();
        }
        for entry in entries {
            let is_next = kept
                .back()
                .is_none_or(|last| last.sequence + 1 == entry.sequence);
            if !is_next {
                // Somebody else wrote in between: of that the feed knows more than we.
                kept.clear();
            }
            if kept.len() == ENTRIES_KEPT {
                kept.pop_front();
            }
            kept.push_back(entry);
        }
        drop(kept);
        self.stand.send_modify(|stand| {
            stand.sequence = last.unwrap_or(stand.sequence);
            stand.rights += u64::from(has_changed_rights);
            stand.directory += u64::from(has_changed_directory);
        });
    }

    /// Whether anything after `seen` concerns the scope. Yes, if memory does not reach back so far.
    fn concerns(&self, seen: u64, stand: u64, scope: &Scope) -> bool {
        let kept = lock(&self.entries);
        let reaches_back = kept.front().is_some_and(|first| first.sequence <= seen + 1);
        stand > seen
            && (!reaches_back
                || kept
                    .iter()
                    .rev()
                    .take_while(|entry| entry.sequence > seen)
                    .any(|entry| entry.concerns(scope)))
    }
}

/// What one device that stays has heard of.
pub struct Watching {
    shared: Arc<Shared>,
    device: DeviceId,
    stand: watch::Receiver<Stand>,
    seen: Stand,
    /// What the device may see, since it was looked up.
    scope: Option<Scope>,
}

impl Watching {
    pub(super) fn new(shared: Arc<Shared>, device: DeviceId) -> Self {
        let mut stand = shared.news.stand.subscribe();
        let seen = *stand.borrow_and_update();
        Self {
            shared,
            device,
            stand,
            seen,
            scope: None,
        }
    }

    /// Done when something happened since it was last asked. Nothing is lost if it is not waited for.
    pub async fn happened(&mut self) {
        if self.stand.changed().await.is_err() {
            // The ward is its own sender.
            std::future::pending::<()>().await;
        }
    }

    /// What of that the device is to hear. Blocks on the store only if the device's scope is not known yet.
    ///
    /// # Errors
    /// The store's.
    pub fn interest(&mut self) -> Result<Interest, WardError> {
        let now = *self.stand.borrow_and_update();
        let seen = std::mem::replace(&mut self.seen, now);
        if now.rights != seen.rights {
            self.scope = None;
        }
        let directory = now.directory != seen.directory;
        if self.scope.is_none() {
            self.scope = self
                .shared
                .read(|connection| scope(connection, self.device))?;
        }
        let feed = match &self.scope {
            _ if now.rights != seen.rights => true,
            // It has no rights any more, and hears so when it asks.
            None => true,
            Some(scope) => self
                .shared
                .news
                .concerns(seen.sequence, now.sequence, scope),
        };
        Ok(Interest { feed, directory })
    }

    /// Whether [`Watching::interest`] has to ask the store.
    #[must_use]
    pub fn is_blocking(&self) -> bool {
        self.scope.is_none() || self.stand.borrow().rights != self.seen.rights
    }
}

fn scope(connection: &Connection, device: DeviceId) -> Result<Option<Scope>, WardError> {
    match devices::find(connection, device)? {
        Ok(known) => Ok(Some(known.scope(connection)?)),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use gandan_core::model::{OfficerId, Role};
    use uuid::Uuid;

    use super::*;

    fn placed(area: &str) -> Placement {
        Placement {
            recorder: Some(OfficerId(Uuid::from_u128(9))),
            area: Some(area.to_owned()),
            is_restricted: false,
            quiet_since: None,
        }
    }

    fn of_area(area: &str) -> Scope {
        let officer = OfficerId(Uuid::from_u128(1));
        Scope::new(officer, Role::Officer, &[area.to_owned()], &[], 0)
    }

    fn case(news: &News, sequence: u64, area: &str, before: Option<&str>) {
        let mut happened = Happened::default();
        let before = before.map(placed);
        happened.note_entry(sequence, DocumentKind::Case, placed(area), before);
        news.tell(happened);
    }

    #[test]
    fn only_what_the_scope_covers_or_covered_is_of_interest() {
        let news = News::default();
        case(&news, 1, "a", None);
        case(&news, 2, "b", None);
        let concerns = |seen, now, area| news.concerns(seen, now, &of_area(area));
        assert!(concerns(0, 2, "a"));
        assert!(!concerns(1, 2, "a"));
        assert!(!concerns(0, 2, "c"));
        assert!(!concerns(2, 2, "b"));
        case(&news, 3, "b", Some("c"));
        assert!(concerns(2, 3, "c"), "it leaves");
        assert!(concerns(2, 3, "b"), "it comes");
        assert!(!concerns(2, 3, "a"));
    }

    #[test]
    fn what_memory_does_not_reach_back_to_may_be_of_interest_to_anybody() {
        let news = News::default();
        case(&news, 7, "a", None);
        assert!(news.concerns(5, 7, &of_area("c")));
        assert!(!news.concerns(6, 7, &of_area("c")));
        case(&news, 9, "a", None);
        assert!(
            news.concerns(7, 9, &of_area("c")),
            "somebody else wrote the eighth"
        );
        for sequence in 10..10 + ENTRIES_KEPT as u64 {
            case(&news, sequence, "a", None);
        }
        let last = 9 + ENTRIES_KEPT as u64;
        assert!(!news.concerns(9, last, &of_area("c")));
        assert!(news.concerns(8, last, &of_area("c")));
        assert_eq!(lock(&news.entries).len(), ENTRIES_KEPT);
    }

    #[test]
    fn what_concerns_nobody_wakes_nobody() {
        let news = News::default();
        let waiting = news.stand.subscribe();
        news.tell(Happened::default());
        assert!(!waiting.has_changed().unwrap());
        case(&news, 1, "a", None);
        assert!(waiting.has_changed().unwrap());
    }
}
