//! What a serving process asks of its ward now and then, beside its conversations.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::ward::{Ward, WardError};

/// Asks at once and after each `period`, on a thread that may block. Never ends; what fails is said with
/// `what` it means, and asked again the next time.
pub(crate) async fn ask_every(
    period: Duration,
    ward: Ward,
    ask: fn(&Ward) -> Result<(), WardError>,
    what: &'static str,
) {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let ward = ward.clone();
        match tokio::task::spawn_blocking(move || ask(&ward)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "{what}"),
            Err(error) => tracing::error!(%error, "{what}"),
        }
    }
}
