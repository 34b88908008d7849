//! Another key for this device. The next one is kept before the ward is asked, so that a power cut on the way
//! leaves a key that the ward knows; the one before is kept after, because a ward that is put back from an
//! older copy knows only that.

use ed25519_dalek::SigningKey;

use super::{ConversationMemory, Replica, kept_key, kept_or_made};
use crate::protocol::credential::Enrolment;
use crate::store::StoreError;
use crate::store::device::{outbox, settings};

impl Replica {
    /// The key that is to take the present one's place; the same until it does.
    ///
    /// # Errors
    /// The store's.
    pub fn next_device_key(&self) -> Result<SigningKey, StoreError> {
        let environment = &*self.inner.environment;
        self.read(|connection| kept_or_made(connection, environment, settings::NEXT_SEED))
    }

    /// The key before the present one, if there was one.
    ///
    /// # Errors
    /// The store's.
    pub fn previous_device_key(&self) -> Result<Option<SigningKey>, StoreError> {
        self.read(|connection| kept_key(connection, settings::PREVIOUS_SEED))
    }

    /// The ward knows the next key: from here on this device is that one. What was sealed by the old one is
    /// sealed anew. `enrolment` was checked to be for the next key.
    ///
    /// # Errors
    /// The store's; then the old key stays, and asking again gives the same.
    pub fn renew_device_key(&self, enrolment: &Enrolment) -> Result<(), StoreError> {
        let mut core = self.core();
        let previous = core.device_key.to_bytes();
        let (next, _) = self.transact_on(&mut core, |work| {
            let connection = work.connection;
            let next = kept_or_made(connection, &*self.inner.environment, settings::NEXT_SEED)?;
            settings::write(connection, settings::DEVICE_SEED, next.as_bytes())?;
            settings::write(connection, settings::PREVIOUS_SEED, &previous)?;
            settings::remove(connection, settings::NEXT_SEED)?;
            settings::write_enrolment(connection, enrolment)?;
            outbox::unseal_all(connection)?;
            Ok::<_, StoreError>(next)
        })?;
        core.device_key = next;
        core.enrolment = Some(enrolment.clone());
        core.conversation = ConversationMemory::default();
        Ok(())
    }
}
