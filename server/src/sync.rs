//! Phones over QUIC: the listener, one task per connection, and the one writer that groups what
//! they ask into transactions.

use std::net::SocketAddr;

use crate::ward::Ward;

/// A bound QUIC endpoint for both ALPNs.
pub struct Listener {
    // filled by the server work
}

impl Listener {
    /// Binds `address`.
    ///
    /// # Errors
    /// The operating system's, or a TLS configuration that is a bug of ours.
    pub fn bind(_ward: Ward, _address: SocketAddr) -> std::io::Result<Self> {
        todo!()
    }

    /// Where it listens.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        todo!()
    }

    /// Serves until `shutdown` is done, then closes every connection and waits for the writer.
    pub async fn serve(self, _shutdown: impl Future<Output = ()>) {
        todo!()
    }
}
