//! How often the trail notes what changed nothing: strangers at the door, a device that sends the same or
//! nonsense again and again. What is over is only counted, so that nobody fills the disk.

use std::collections::BTreeMap;
use std::sync::Mutex;

use gandan_core::model::DeviceId;

use crate::ward::connections::lock;

/// So many entries are made of one device, and of all strangers together, in so much time.
const NOTED_MAX: u32 = 100;
const WINDOW_MS: i64 = 10 * 60 * 1000;

/// Who knocked how often: an enrolled device, or anybody else.
#[derive(Debug, Default)]
pub(in crate::ward) struct Knocks(Mutex<BTreeMap<Option<DeviceId>, Window>>);

#[derive(Debug, Default)]
struct Window {
    since: i64,
    noted: u32,
    /// Since the last entry.
    unnoted: u64,
}

impl Knocks {
    /// How many knocks were not noted before this one; `None`: nor is this one.
    pub(super) fn note(&self, who: Option<DeviceId>, now: i64) -> Option<u64> {
        let mut windows = lock(&self.0);
        let window = windows.entry(who).or_default();
        if !(0..WINDOW_MS).contains(&now.saturating_sub(window.since)) {
            window.since = now;
            window.noted = 0;
        }
        if window.noted < NOTED_MAX {
            window.noted += 1;
            Some(std::mem::take(&mut window.unnoted))
        } else {
            window.unnoted += 1;
            None
        }
    }
}
