//! Places for connections whose device the ward has not greeted yet. A stranger costs a place for
//! seconds; when all are taken it is the oldest that goes. Somebody who only holds places would have
//! to take all of them anew within the two round trips that a real phone needs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Strangers at once.
pub(super) const STRANGERS_MAX: usize = 256;

/// All places.
#[derive(Clone, Default)]
pub(super) struct Strangers {
    places: Arc<Mutex<VecDeque<Arc<Notify>>>>,
}

/// One place; free again when it is dropped.
pub(super) struct Place {
    strangers: Strangers,
    gone: Arc<Notify>,
}

impl Strangers {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Takes a place, the oldest stranger's if there is none free.
    pub(super) fn enter(&self) -> Place {
        let gone = Arc::new(Notify::new());
        let mut places = self.lock();
        if places.len() >= STRANGERS_MAX
            && let Some(oldest) = places.pop_front()
        {
            oldest.notify_one();
        }
        places.push_back(Arc::clone(&gone));
        drop(places);
        Place {
            strangers: self.clone(),
            gone,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Notify>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Done when another stranger has taken the place.
    pub(super) async fn lost(&self) {
        self.gone.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.strangers
            .lock()
            .retain(|place| !Arc::ptr_eq(place, &self.gone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_stranger_goes_and_a_place_that_was_left_is_free() {
        let strangers = Strangers::default();
        let mut places: VecDeque<_> = (0..STRANGERS_MAX).map(|_| strangers.enter()).collect();
        drop(places.pop_back());
        assert_eq!(strangers.count(), STRANGERS_MAX - 1);
        places.push_back(strangers.enter());
        let newest = strangers.enter();
        assert_eq!(strangers.count(), STRANGERS_MAX);
        places.pop_front().expect("the oldest").lost().await;
        drop(places);
        assert_eq!(strangers.count(), 1, "whoever lost a place frees no other");
        drop(newest);
        assert_eq!(strangers.count(), 0);
    }
}
