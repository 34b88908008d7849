//! Another key for this device. The next one is kept before the ward is asked, so that a power cut on the way
//! leaves a key that the ward knows; those before are kept after, because a ward that is put back from an older
//! copy knows only one of them.

use ed25519_dalek::SigningKey;
use rusqlite::Connection;
use zeroize::Zeroizing;

use super::{ConversationMemory, Replica, kept_or_made};
use crate::protocol::credential::Enrolment;
use crate::store::StoreError;
use crate::store::device::{outbox, settings};

/// Earlier keys that are kept: more than a phone gets between a backup and its use.
const EARLIER_KEYS_MAX: usize = 8;

impl Replica {
    /// The key that is to take the present one's place; the same until it does.
    ///
    /// # Errors
    /// The store's.
    pub fn next_device_key(&self) -> Result<SigningKey, StoreError> {
        let environment = &*self.inner.environment;
        self.read(|connection| kept_or_made(connection, environment, settings::NEXT_SEED))
    }

    /// The keys before the present one, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub fn earlier_device_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let seeds = self.read(earlier_seeds)?;
        let (seeds, _) = seeds.as_chunks::<32>();
        Ok(seeds.iter().map(SigningKey::from_bytes).collect())
    }

    /// The ward knows the next key: from here on this device is that one. What was sealed by the old one is
    /// sealed anew. `enrolment` was checked to be for the next key.
    ///
    /// # Errors
    /// The store's; then the old key stays, and asking again gives the same.
    pub fn renew_device_key(&self, enrolment: &Enrolment) -> Result<(), StoreError> {
        let mut core = self.core();
        let present = Zeroizing::new(core.device_key.to_bytes());
        let (next, _) = self.transact_on(&mut core, |work| {
            let connection = work.connection;
            let next = kept_or_made(connection, &*self.inner.environment, settings::NEXT_SEED)?;
            settings::write(connection, settings::DEVICE_SEED, next.as_bytes())?;
            let mut earlier = earlier_seeds(connection)?;
            earlier.splice(0..0, present.iter().copied());
            earlier.truncate(EARLIER_KEYS_MAX * 32);
            settings::write(connection, settings::EARLIER_SEEDS, &earlier)?;
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

fn earlier_seeds(connection: &Connection) -> rusqlite::Result<Zeroizing<Vec<u8>>> {
    let seeds = settings::read(connection, settings::EARLIER_SEEDS)?;
    Ok(Zeroizing::new(seeds.unwrap_or_default()))
}
