//! Everything that the ward does not have for certain, for the day a phone will not connect, or its
//! store cannot be read whole any more. Only reads: nothing is taken off the phone, and should it connect after
//! all, the ward knows what it has already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ed25519_dalek::SigningKey;
use rusqlite::Connection;

use super::{Core, Failure, RecordError, Replica, kept_key};
use crate::edit::EncodedEdit;
use crate::environment::Environment;
use crate::protocol::bundle;
use crate::protocol::credential::Enrolment;
use crate::rescue::{BadRescueKey, Sealer};
use crate::store::connection::Reopen;
use crate::store::device::outbox::End;
use crate::store::device::{edits, files, outbox, rejected, settings};
use crate::store::{OpenError, StoreError, attachments, connection};

impl Replica {
    /// Everything unsent or refused, attachments included, sealed to the ward's rescue key. A store
    /// that turns out to be damaged is an error here; opening it again writes the file, see
    /// [`crate::store::OpenError::Damaged`].
    ///
    /// # Errors
    /// The store's, [`RecordError::NotEnrolled`] or [`RecordError::RescueKey`].
    pub fn rescue_file(&self) -> Result<Vec<u8>, RecordError> {
        self.sealed(&self.core())
    }

    pub(super) fn sealed(&self, core: &Core) -> Result<Vec<u8>, RecordError> {
        let enrolment = core.enrolment.as_ref().ok_or(RecordError::NotEnrolled)?;
        let environment = &*self.inner.environment;
        let rescue = Rescue {
            source: Source::Sound(&core.store.connection),
            device_key: &core.device_key,
            enrolment,
            environment,
            sealer: Sealer::new(enrolment, random(environment))?,
        };
        rescue.file().map_err(|error| {
            self.note_damage(Failure::is_damage(&error));
            error.into()
        })
    }
}

/// Writes what can still be read of a damaged store beside it, before it is set aside. Best effort:
/// the store itself is kept in any case.
pub(super) fn salvage(reopen: &Reopen<'_>, environment: &dyn Environment, to: &Path) {
    let file = || -> Result<Option<Vec<u8>>, SalvageError> {
        let connection = reopen()?;
        let Some(enrolment) = settings::enrolment(&connection).map_err(StoreError::from)? else {
            return Ok(None);
        };
        let device_key = kept_key(&connection, settings::DEVICE_SEED);
        let Some(device_key) = device_key.map_err(StoreError::from)? else {
            return Ok(None);
        };
        let rescue = Rescue {
            source: Source::Damaged { connection, reopen },
            device_key: &device_key,
            enrolment: &enrolment,
            environment,
            sealer: Sealer::new(&enrolment, random(environment))?,
        };
        Ok(Some(rescue.file()?))
    };
    let written = match file() {
        Ok(Some(bytes)) => std::fs::write(to, bytes).is_ok(),
        Ok(None) | Err(_) => false,
    };
    tracing::warn!(written, "a damaged store is set aside");
}

/// Why nothing could be salvaged.
#[derive(Debug, thiserror::Error)]
enum SalvageError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] BadRescueKey),
}

fn random(environment: &dyn Environment) -> [u8; 32] {
    let mut random = [0; 32];
    environment.fill_random(&mut random);
    random
}

/// Where a rescue file's content is read from.
enum Source<'a> {
    /// Damage ends the reading.
    Sound(&'a Connection),
    /// What lies on a damaged page is left out.
    Damaged {
        connection: Connection,
        reopen: &'a Reopen<'a>,
    },
}

impl Source<'_> {
    /// `None` for what lies on a damaged page.
    fn read<T>(
        &mut self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sound(connection) => Ok(Some(read(connection)?)),
            Self::Damaged { connection, .. } => match read(connection) {
                Ok(value) => Ok(Some(value)),
                Err(error) if connection::is_damage(&error) => {
                    self.renew()?;
                    Ok(None)
                }
                Err(error) => Err(error.into()),
            },
        }
    }

    /// A connection that has met a damaged page gives nothing more.
    fn renew(&mut self) -> Result<(), StoreError> {
        if let Self::Damaged { connection, reopen } = self {
            *connection = reopen().map_err(|error| match error {
                OpenError::Database(error) => StoreError::from(error),
                OpenError::Full => StoreError::Full,
                _ => StoreError::Busy,
            })?;
        }
        Ok(())
    }
}

/// One rescue file in the making.
struct Rescue<'a> {
    source: Source<'a>,
    device_key: &'a SigningKey,
    enrolment: &'a Enrolment,
    environment: &'a dyn Environment,
    sealer: Sealer,
}

impl Rescue<'_> {
    fn file(mut self) -> Result<Vec<u8>, StoreError> {
        let loose = self.put_bundles()?;
        self.put_edits(&loose);
        let refused = self.source.read(rejected::all)?.unwrap_or_default();
        let refused: Vec<EncodedEdit> = refused.into_iter().map(|stored| stored.edit).collect();
        self.put_edits(&refused);
        let unconfirmed = self.source.read(files::unconfirmed)?.unwrap_or_default();
        let hashes: BTreeSet<_> = unconfirmed.into_iter().map(|file| file.hash).collect();
        for hash in hashes {
            let found = self.source.read(|from| attachments::read(from, hash))?;
            if let Some((bytes, _)) = found.flatten() {
                self.sealer.attachment(&bytes);
            }
        }
        Ok(self.sealer.finish())
    }

    /// The bundles under way, as they are; gives the edits that are in none that can be read.
    fn put_bundles(&mut self) -> Result<Vec<EncodedEdit>, StoreError> {
        let mut put = BTreeSet::new();
        let mut loose = Vec::new();
        for (position, bundle) in self.outbox()? {
            if bundle.is_some_and(|number| put.contains(&number)) {
                continue;
            }
            let found = match bundle {
                Some(number) => self
                    .source
                    .read(|from| outbox::bundle(from, number))?
                    .flatten(),
                None => None,
            };
            if let Some(bundle) = found {
                self.sealer.bundle(&bundle.sealed);
                put.insert(bundle.number);
                continue;
            }
            let edit = self.source.read(|from| edits::at(from, position))?;
            loose.extend(edit.flatten().map(|stored| stored.edit));
        }
        Ok(loose)
    }

    /// Every row `(position, bundle)` that can be read, in order.
    fn outbox(&mut self) -> Result<BTreeMap<i64, Option<i64>>, StoreError> {
        let mut rows = BTreeMap::new();
        for end in [End::Oldest, End::Newest] {
            let found = self
                .source
                .read(|from| outbox::as_far_as_readable(from, end))?;
            rows.extend(found.into_iter().flatten());
            // It may have ended at a damaged page.
            self.source.renew()?;
        }
        Ok(rows)
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
