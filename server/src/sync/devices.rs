//! Which connections each device has. A phone that changed its network leaves a dead connection
//! behind and opens another, so it is the oldest that must go, never the newest that is refused.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use gandan_core::client::transport::CLOSE_REPLACED;
use gandan_core::model::DeviceId;

use super::carrier::Handle;

/// A conversation, an enrolment and one that died on the way.
const CONNECTIONS_PER_DEVICE_MAX: usize = 3;

/// The connections of all devices.
#[derive(Default)]
pub(super) struct Devices {
    open: Mutex<HashMap<DeviceId, VecDeque<(u64, Handle)>>>,
    registered: AtomicU64,
}

/// Takes the connection out again when it is dropped.
pub(super) struct Registration<'a> {
    devices: &'a Devices,
    device: DeviceId,
    id: u64,
}

impl Devices {
    /// Adds a connection, and closes the device's oldest if it has too many.
    pub(super) fn register(&self, device: DeviceId, connection: &Handle) -> Registration<'_> {
        let id = self.registered.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.entry(device).or_default();
        own.push_back((id, connection.clone()));
        if own.len() > CONNECTIONS_PER_DEVICE_MAX
            && let Some((_, oldest)) = own.pop_front()
        {
            oldest.close(CLOSE_REPLACED);
        }
        Registration {
            devices: self,
            device,
            id,
        }
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let mut open = self
            .devices
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.device) {
            own.retain(|(id, _)| *id != self.id);
            if own.is_empty() {
                open.remove(&self.device);
            }
        }
    }
}
