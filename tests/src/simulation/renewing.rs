//! Phones get other keys, with every disk failing on the way, and wards are put back from before they had.

use gandan_core::model::DeviceId;
use gandan_core::protocol::credential::Enrolment;
use gandan_core::protocol::enrolment::RenewalRequest;
use gandan_core::protocol::message::Refusal;

use super::fleet::{Fleet, Phone};

impl Phone {
    /// The devices that its earlier keys named, the newest first.
    ///
    /// # Panics
    /// If the store does not answer.
    #[must_use]
    pub fn earlier_devices(&self) -> Vec<DeviceId> {
        let keys = self.replica().earlier_device_keys();
        let keys = keys.expect("the store answers").into_iter();
        keys.map(|key| DeviceId::of(&key)).collect()
    }
}

impl Fleet {
    /// A phone asks for another key. One that was copied does not: its copies would be locked out.
    pub fn renew_key(&mut self, phone: usize) {
        let device = self.phones[phone].device();
        let is_copied = |other: &&Phone| other.device() == device;
        if self.phones.iter().filter(is_copied).count() > 1 {
            return;
        }
        let replica = self.phones[phone].replica().clone();
        let next = match replica.next_device_key() {
            Ok(next) => next,
            Err(error) => return self.excuse(phone, &error),
        };
        let request = RenewalRequest::sign(&next, self.ward().code(), device);
        match self.ward().renew(device, &request) {
            Ok(Ok(given)) => {
                let enrolment = self.with_own_addresses(phone, given);
                match replica.renew_device_key(&enrolment) {
                    Ok(()) => self.tally.renewals += 1,
                    Err(error) => self.excuse(phone, &error),
                }
            }
            Ok(Err(refusal)) => assert!(
                self.phones[phone].is_revoked || self.was_ward_restored,
                "seed {}: a phone in hand gets no other key: {refusal:?}",
                self.plan.seed
            ),
            Err(error) => self.excuse_ward(&error),
        }
    }

    /// A ward that was put back from before a phone had this key is told by one that it knows.
    pub(super) fn reclaim(&mut self, phone: usize, refusal: Refusal) {
        if refusal != Refusal::UnknownDevice {
            return;
        }
        let replica = self.phones[phone].replica().clone();
        let mut keys = vec![replica.device_key()];
        keys.extend(replica.earlier_device_keys().expect("the store answers"));
        let mut given = None;
        // From the newest that it knows, key by key to the present one.
        for older in (1..keys.len()).rev() {
            let present = DeviceId::of(&keys[older]);
            let request = RenewalRequest::sign(&keys[older - 1], self.ward().code(), present);
            match self.ward().renew(present, &request) {
                Ok(answer) => given = answer.ok(),
                Err(error) => return self.excuse_ward(&error),
            }
        }
        if let Some(given) = given {
            let enrolment = self.with_own_addresses(phone, given);
            if let Err(error) = replica.set_enrolment(&enrolment) {
                self.excuse(phone, &error);
            }
        }
    }

    fn with_own_addresses(&self, phone: usize, given: Enrolment) -> Enrolment {
        let own = self.phones[phone].replica().enrolment();
        let own = own.expect("a phone of the fleet is enrolled");
        Enrolment {
            addresses: own.addresses,
            ..given
        }
    }
}
