//! Everything that the ward does not have for certain, for the day a phone will not connect.

use super::{Core, RecordError, Replica};
use crate::model::AttachmentHash;
use crate::protocol::bundle;
use crate::protocol::credential::Enrolment;
use crate::rescue::Sealer;
use crate::store::device::{outbox, rejected};
use crate::store::{StoreError, attachments};

impl Replica {
    /// Everything unsent or refused, attachments included, sealed to the ward's rescue key. Nothing is
    /// taken off the phone: should it connect after all, the ward knows what it has already.
    ///
    /// # Errors
    /// The store's, [`RecordError::NotEnrolled`] or [`RecordError::RescueKey`].
    pub fn rescue_file(&self) -> Result<Vec<u8>, RecordError> {
        let mut random = [0; 32];
        self.inner.environment.fill_random(&mut random);
        let mut core = self.core();
        let enrolment = core.enrolment.clone().ok_or(RecordError::NotEnrolled)?;
        let mut sealer = Sealer::new(&enrolment, random)?;
        let changes = self.seal_everything(&mut core)?;
        self.put_bundles(&core, &enrolment, &mut sealer)?;
        for hash in self.pending_attachments(&core)? {
            let found = attachments::read(&core.store.connection, hash)
                .map_err(|error| self.store_error(error))?;
            if let Some((bytes, _)) = found {
                sealer.attachment(&bytes);
            }
        }
        drop(core);
        self.inner.observers.tell(&changes);
        Ok(sealer.finish())
    }

    fn put_bundles(
        &self,
        core: &Core,
        enrolment: &Enrolment,
        sealer: &mut Sealer,
    ) -> Result<(), StoreError> {
        let connection = &core.store.connection;
        let failed = |error| self.store_error(error);
        for number in outbox::open_bundles(connection, true).map_err(failed)? {
            if let Some(bundle) = outbox::bundle(connection, number).map_err(failed)? {
                sealer.bundle(&bundle.sealed);
            }
        }
        // What was refused is signed anew: its old bundle may be gone.
        let refused = rejected::all(connection).map_err(failed)?;
        let refused: Vec<_> = refused.into_iter().map(|stored| stored.edit).collect();
        let mut rest = refused.as_slice();
        while !rest.is_empty() {
            let now = self.inner.environment.now();
            let ward = enrolment.credential.ward;
            let (_, sealed, count) = bundle::seal(&self.inner.device_key, ward, now, rest);
            sealer.bundle(&sealed);
            rest = &rest[count..];
        }
        Ok(())
    }

    fn pending_attachments(&self, core: &Core) -> Result<Vec<AttachmentHash>, StoreError> {
        let pending = outbox::pending_attachments(&core.store.connection)
            .map_err(|error| self.store_error(error))?;
        let mut hashes: Vec<AttachmentHash> = pending.into_iter().map(|(_, hash)| hash).collect();
        hashes.sort();
        hashes.dedup();
        Ok(hashes)
    }
}
