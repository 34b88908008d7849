//! Taking a rescue file.

use gandan_core::protocol::verdict::Verdict;

use super::WardError;
use super::connections::Shared;

pub(super) fn import(_shared: &Shared, _file: &[u8]) -> Result<Vec<Verdict>, WardError> {
    todo!()
}
