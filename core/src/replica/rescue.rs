//! Everything that the ward does not have for certain, for the day a phone will not connect, or can
//! not be read whole any more. Only reads: nothing is taken off the phone, and should it connect after
//! all, the ward knows what it has already.

use std::collections::BTreeSet;
use std::path::Path;

use ed25519_dalek::SigningKey;
use rusqlite::Connection;

use super::{RecordError, Replica, device_key};
use crate::edit::EncodedEdit;
use crate::environment::Environment;
use crate::protocol::bundle;
use crate::protocol::credential::Enrolment;
use crate::rescue::Sealer;
use crate::store::device::{edits, outbox, rejected, settings};
use crate::store::{StoreError, attachments, connection};

impl Replica {
    /// Everything unsent or refused, attachments included, sealed to the ward's rescue key. What a
    /// damaged page makes unreadable is left out.
    ///
    /// # Errors
    /// The store's, [`RecordError::NotEnrolled`] or [`RecordError::RescueKey`].
    pub fn rescue_file(&self) -> Result<Vec<u8>, RecordError> {
        let core = self.core();
        let enrolment = core.enrolment.as_ref().ok_or(RecordError::NotEnrolled)?;
        let sealer = Sealer::new(enrolment, random(&*self.inner.environment))?;
        let rescue = Rescue {
            connection: &core.store.connection,
            device_key: &self.inner.device_key,
            enrolment,
            environment: &*self.inner.environment,
            sealer,
        };
        rescue
            .file()
            .map_err(|error| self.store_error(error).into())
    }
}

/// Writes what can still be read of a damaged store beside it, before it is set aside. Best effort:
/// the store itself is kept in any case.
pub(super) fn salvage(connection: &Connection, environment: &dyn Environment, to: &Path) {
    let file = || -> Result<Option<Vec<u8>>, RecordError> {
        let Some(enrolment) = settings::enrolment(connection).map_err(StoreError::from)? else {
            return Ok(None);
        };
        let device_key = device_key(connection).map_err(StoreError::from)?;
        let Some(device_key) = device_key else {
            return Ok(None);
        };
        let sealer = Sealer::new(&enrolment, random(environment))?;
        let rescue = Rescue {
            connection,
            device_key: &device_key,
            enrolment: &enrolment,
            environment,
            sealer,
        };
        Ok(Some(rescue.file().map_err(StoreError::from)?))
    };
    let written = match file() {
        Ok(Some(bytes)) => std::fs::write(to, bytes).is_ok(),
        Ok(None) | Err(_) => false,
    };
    tracing::warn!(written, "a damaged store is set aside");
}

fn random(environment: &dyn Environment) -> [u8; 32] {
    let mut random = [0; 32];
    environment.fill_random(&mut random);
    random
}

/// One rescue file in the making.
struct Rescue<'a> {
    connection: &'a Connection,
    device_key: &'a SigningKey,
    enrolment: &'a Enrolment,
    environment: &'a dyn Environment,
    sealer: Sealer,
}

impl Rescue<'_> {
    fn file(mut self) -> rusqlite::Result<Vec<u8>> {
        let loose = self.put_bundles()?;
        self.put_edits(&loose);
        let refused = readable(rejected::all(self.connection))?.unwrap_or_default();
        let refused: Vec<EncodedEdit> = refused.into_iter().map(|stored| stored.edit).collect();
        self.put_edits(&refused);
        let files = readable(outbox::pending_attachments(self.connection))?.unwrap_or_default();
        let hashes: BTreeSet<_> = files.into_iter().map(|(_, hash)| hash).collect();
        for hash in hashes {
            let found = readable(attachments::read(self.connection, hash))?.flatten();
            if let Some((bytes, _)) = found {
                self.sealer.attachment(&bytes);
            }
        }
        Ok(self.sealer.finish())
    }

    /// The bundles under way, as they are; gives the edits that are in none that can be read.
    fn put_bundles(&mut self) -> rusqlite::Result<Vec<EncodedEdit>> {
        let mut put = BTreeSet::new();
        let mut loose = Vec::new();
        for (position, bundle) in outbox::as_far_as_readable(self.connection)? {
            if bundle.is_some_and(|number| put.contains(&number)) {
                continue;
            }
            let found = match bundle {
                Some(number) => readable(outbox::bundle(self.connection, number))?.flatten(),
                None => None,
            };
            if let Some(bundle) = found {
                self.sealer.bundle(&bundle.sealed);
                put.insert(bundle.number);
                continue;
            }
            let edit = readable(edits::at(self.connection, position))?.flatten();
            loose.extend(edit.map(|stored| stored.edit));
        }
        Ok(loose)
    }

    /// Edits in bundles of their own, which the phone does not keep: it will send them again.
    fn put_edits(&mut self, edits: &[EncodedEdit]) {
        let mut rest = edits;
        while !rest.is_empty() {
            let now = self.environment.now();
            let ward = self.enrolment.credential.ward;
            let (_, sealed, count) = bundle::seal(self.device_key, ward, now, rest);
            self.sealer.bundle(&sealed);
            rest = &rest[count..];
        }
    }
}

/// `None` for what lies on a damaged page.
fn readable<T>(result: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if connection::is_damage(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
