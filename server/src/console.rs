//! The triage console: server-rendered HTML over axum, Vietnamese first.

use crate::ward::Ward;

/// How browsers reach the console; decides whether the session cookie is bound to TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In clear text: loopback, or an office network that the configuration allows explicitly.
    ClearText,
    /// Through a proxy that ends TLS and passes the `Host` header on.
    Tls,
}

/// Every route of the console, `/healthz` included.
pub fn router(_ward: Ward, _transport: Transport) -> axum::Router {
    todo!()
}
