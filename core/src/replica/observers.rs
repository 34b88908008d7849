//! Who wants to know when something changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::Replica;

/// Something changed that a screen may show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A case's row, document or sync state.
    Case(Uuid),
    /// A visit.
    Visit(Uuid),
    /// The reference data.
    Directory,
}

/// Called after a change is durable, on the thread that made it.
pub type Observer = Box<dyn Fn(&Change) + Send + Sync>;

/// The observers of one replica.
#[derive(Default)]
pub(super) struct Observers(Mutex<Vec<Arc<Observer>>>);

impl Observers {
    /// Called with no lock held, so that an observer may ask the replica.
    pub(super) fn tell(&self, changes: &BTreeSet<Change>) {
        if changes.is_empty() {
            return;
        }
        let observers = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for observer in &observers {
            for change in changes {
                observer(change);
            }
        }
    }

    fn add(&self, observer: Observer) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::new(observer));
    }
}

impl Replica {
    /// Calls `observer` after every change.
    pub fn observe(&self, observer: Observer) {
        self.inner.observers.add(observer);
    }
}
