//! A device that stays: told what happens, and given a turn when it is to hear something, so that what
//! all of them hold at once is bounded. Decides nothing about what it may hear.

use std::sync::Arc;

use gandan_core::model::DeviceId;
use tokio::sync::OwnedSemaphorePermit;

use super::connection::Ending;
use super::listener::Shared;
use crate::ward::{Interest, Watching};

/// What a device that stays has heard of.
pub(super) struct Staying {
    watching: Watching,
}

/// Whoever was told, what it is to hear, and its turn if it is anything.
pub(super) type Heard = (Staying, Interest, Option<OwnedSemaphorePermit>);

/// A place among those that stay.
///
/// # Errors
/// None is left.
pub(super) fn seat_of_staying(shared: &Shared) -> Result<OwnedSemaphorePermit, Ending> {
    Arc::clone(&shared.staying)
        .try_acquire_owned()
        .map_err(|_| Ending::Full)
}

/// Done when something happened; never for a device that does not stay, or is hearing already.
pub(super) async fn happened(staying: &mut Option<Staying>) {
    match staying {
        Some(staying) => staying.watching.happened().await,
        None => std::future::pending().await,
    }
}

impl Staying {
    pub(super) fn new(shared: &Shared, device: DeviceId) -> Self {
        Self {
            watching: shared.ward.watch(device),
        }
    }

    /// Looks whether it is the device's business, and waits for a turn if so.
    pub(super) async fn hear(mut self, shared: &Shared) -> Heard {
        let interest = if self.watching.is_blocking() {
            let _reading = shared.reads.acquire().await;
            let asked = tokio::task::spawn_blocking(move || {
                let interest = self.watching.interest();
                (self, interest)
            });
            let (asker, interest) = match asked.await {
                Ok(answered) => answered,
                Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
            };
            self = asker;
            interest
        } else {
            self.watching.interest()
        };
        let interest = interest.unwrap_or_else(|error| {
            tracing::warn!(%error, "it is not known what a device may see; the feed is asked");
            Interest {
                feed: true,
                directory: true,
            }
        });
        let turn = if interest == Interest::default() {
            None
        } else {
            // Never closed; without a turn only the bound is missed.
            Arc::clone(&shared.told).acquire_owned().await.ok()
        };
        (self, interest, turn)
    }
}
