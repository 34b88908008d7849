//! How an app reaches a connection that stays: there is something to send, or it is time to go.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

/// Held by the app and by the connection that stays. All clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Stay {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    recorded: Notify,
    leaving: watch::Sender<bool>,
}

impl Stay {
    /// Something was recorded, attached or wished for. Costs nothing while nobody is connected, and
    /// may be called as often as one likes.
    pub fn recorded(&self) {
        self.inner.recorded.notify_one();
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
