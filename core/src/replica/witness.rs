//! What this phone witnessed of the ward's audit trail. Whoever rewrites the trail at the ward cannot rewrite
//! what phones hold of it.

use super::Replica;
use crate::protocol::checkpoint::Testimony;
use crate::protocol::witness::Witnessed;
use crate::store::StoreError;
use crate::store::device::settings;

impl Replica {
    /// What this phone witnessed of the ward's audit trail.
    ///
    /// # Errors
    /// The store's.
    pub fn witnessed(&self) -> Result<Witnessed, StoreError> {
        self.read(settings::witnessed)
    }

    pub(super) fn keep_testimony(&self, testimony: Testimony) -> Result<(), StoreError> {
        let Some(enrolment) = self.enrolment() else {
            return Ok(());
        };
        self.transact(|work| {
            let mut witnessed = settings::witnessed(work.connection)?;
            if testimony.checkpoint.ward == enrolment.credential.ward {
                witnessed.hear(testimony);
            }
            settings::write_witnessed(work.connection, &witnessed)?;
            Ok(())
        })
    }
}
