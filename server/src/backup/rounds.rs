//! Backups that a serving process writes by itself, hour by hour.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::{Wishes, write};
use crate::ward::Ward;

/// What is written at the office since the last backup is lost with the disk; phones give back theirs.
const PERIOD: Duration = Duration::from_secs(60 * 60);

/// Writes a backup of `ward`, whose folder is `data`, into `to` at once and every hour. Never ends; what
/// fails is said and tried again.
pub(crate) async fn every_hour(ward: Ward, data: PathBuf, to: PathBuf) {
    let mut interval = tokio::time::interval(PERIOD);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let (ward, data, to) = (ward.clone(), data.clone(), to.clone());
        let written =
            tokio::task::spawn_blocking(move || write(&ward, &data, &to, Wishes::default())).await;
        match written {
            Ok(Ok(summary)) => {
                tracing::info!(number = summary.number, added = summary.added, "backed up");
            }
            Ok(Err(error)) => tracing::error!(%error, "no backup was written"),
            Err(error) => tracing::error!(%error, "no backup was written"),
        }
    }
}
