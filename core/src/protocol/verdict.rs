//! What the ward says of each edit that a device sent.

use crate::model::EditId;
use crate::policy::RejectionCode;

/// The ward's word on one edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Durable in the ward's feed under this sequence. Final.
    Accepted {
        /// Place in the feed.
        sequence: u64,
    },
    /// The edit or its intent was there already. Final.
    Duplicate {
        /// Place in the feed of what was there.
        sequence: u64,
    },
    /// Something it depends on is not here yet; send it again after that.
    Waiting {
        /// What is missing.
        dependency: EditId,
    },
    /// Refused. Final; the content stays on the device, with the reason.
    Rejected {
        /// Why.
        code: RejectionCode,
    },
}
