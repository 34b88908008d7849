//! Staying connected: how an app reaches a connection that stays (there is something to send, or it is time
//! to go), and what is done when it is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::back_off::{BackOff, Setback};
use super::{Client, SyncError};
use crate::protocol::initiator::Progress;
use crate::protocol::message::Refusal;

/// Held by the app and by the connection that stays. All clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Stay {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    recorded: Notify,
    /// Counts changes.
    network: watch::Sender<u64>,
    leaving: watch::Sender<bool>,
}

impl Stay {
    /// Something was recorded, attached or wished for. Costs nothing while nobody is connected, and
    /// may be called as often as one likes.
    pub fn recorded(&self) {
        self.inner.recorded.notify_one();
    }

    /// The phone has another network, or somebody wants to see news now: whoever waits tries again soon.
    pub fn network_changed(&self) {
        self.inner.network.send_modify(|count| *count += 1);
    }

    /// Says what there is to say, and goes. For good: whoever wants to come again takes a new one.
    pub fn leave(&self) {
        self.inner.leaving.send_replace(true);
    }

    /// Whether it is time to go.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        *self.inner.leaving.borrow()
    }

    /// Done when there is something to send that was not there the last time.
    pub(super) async fn is_recorded(&self) {
        self.inner.recorded.notified().await;
    }

    /// Done when it is time to go.
    pub(super) async fn left(&self) {
        let mut leaving = self.inner.leaving.subscribe();
        // The sender lives in ourselves.
        let _ = leaving.wait_for(|is_leaving| *is_leaving).await;
    }
}

/// What happens to a device that stays, for whoever looks at the screen.
#[derive(Debug)]
pub enum StayEvent {
    /// In the conversation.
    Progress(Progress),
    /// The connection was lost, or there is none. It is tried again.
    Waiting {
        /// Why.
        error: SyncError,
        /// After so many milliseconds, or as soon as the network changes.
        milliseconds: u64,
    },
}

impl Client {
    /// Stays connected, and comes again whenever the connection is lost, until `stay` says that it is time
    /// to go. Waits between attempts as [`BackOff`] says, and never gives up.
    ///
    /// # Errors
    /// Only what no further attempt can mend: the phone is not enrolled, or was refused for what it is.
    pub async fn stay(
        &self,
        stay: &Stay,
        tell: &mut (dyn FnMut(StayEvent) + Send),
    ) -> Result<(), SyncError> {
        let mut back_off = BackOff::default();
        while !stay.is_leaving() {
            let mut caught_up = None;
            let ended = self
                .follow(stay, &mut |progress| {
                    if *progress == Progress::CaughtUp {
                        caught_up = Some(now());
                    }
                    tell(StayEvent::Progress(progress.clone()));
                })
                .await;
            let error = match ended {
                Ok(_) => break,
                Err(error) if is_lasting(&error) => return Err(error),
                Err(error) => error,
            };
            let held = caught_up.map_or(Duration::ZERO, |since| since.elapsed());
            let held_ms = u64::try_from(held.as_millis()).unwrap_or(u64::MAX);
            let setback = match error {
                SyncError::Refused(_) => Setback::Unavailable,
                _ => Setback::Lost,
            };
            // Only what changes from now on: a failure to come is one of the network as it is.
            let mut network = stay.inner.network.subscribe();
            let mut milliseconds = back_off.wait(setback, held_ms, self.replica.random());
            tell(StayEvent::Waiting {
                error,
                milliseconds,
            });
            loop {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(milliseconds)) => break,
                    () = stay.left() => break,
                    Ok(()) = network.changed() => {
                        milliseconds = back_off.soon(self.replica.random());
                    }
                }
            }
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "measures how long it held")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Whether only a person can mend it. Whoever answered wrongly may have been another network's.
fn is_lasting(error: &SyncError) -> bool {
    match error {
        SyncError::NotEnrolled | SyncError::AlreadyEnrolled => true,
        SyncError::Refused(refusal) => *refusal != Refusal::Unavailable,
        SyncError::Offline
        | SyncError::WrongServerKey
        | SyncError::ForeignProtocol
        | SyncError::ClosedByWard { .. }
        | SyncError::Conversation(_)
        | SyncError::NotWiped(_)
        | SyncError::Store(_) => false,
    }
}
