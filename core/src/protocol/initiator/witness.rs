//! The device as a witness of the ward's audit trail: one question in the first flight, now and then. What
//! the answer means is the store's to say, which holds what was witnessed before.

use super::super::checkpoint::Testimony;
use super::*;

impl Initiator {
    pub(super) fn receive_witnessed(&mut self, testimony: Testimony) -> Result<(), Violation> {
        if !std::mem::take(&mut self.is_witness_asked) {
            return Err(Violation::Unexpected);
        }
        if !testimony.checkpoint.verify(self.ward_key) {
            return Err(Violation::Signature);
        }
        self.due.push_back(Due::Witnessed(Box::new(testimony)));
        Ok(())
    }
}
