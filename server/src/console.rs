//! The triage console: server-rendered HTML over axum, Vietnamese first.

use crate::ward::Ward;

/// Every route of the console, `/healthz` included.
pub fn router(_ward: Ward) -> axum::Router {
    todo!()
}
