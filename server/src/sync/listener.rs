//! The bound endpoint: who may come in, and how everything ends.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use gandan_core::client::{tls, transport};
use quinn::{Endpoint, Incoming, TokioRuntime};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use super::connection;
use super::devices::Devices;
use super::strangers::{Place, Strangers};
use super::writer::Writer;
use crate::ward::Ward;

/// From this many strangers on, a new one must first show that its address is its own. A ward's
/// phones come in dozens at the end of a working day; more than that at once is a flood.
const STRANGERS_BEFORE_RETRY: usize = 64;
/// Conversations of devices that the ward knows. Each may hold about 3 MiB, so all of them 1 GiB.
const CONVERSATIONS_MAX: usize = 300;
/// Reads of the store at once. More would only queue at the same disk, each holding a page.
const READS_MAX: usize = 4;
/// How long the last packets may take to leave.
const FAREWELL_MS_MAX: u64 = 2_000;

/// A bound QUIC endpoint for both ALPNs.
pub struct Listener {
    endpoint: Endpoint,
    address: SocketAddr,
    ward: Ward,
}

/// What every connection of one listener shares.
pub(super) struct Shared {
    pub(super) ward: Ward,
    pub(super) writer: Writer,
    pub(super) devices: Devices,
    pub(super) conversations: Arc<Semaphore>,
    pub(super) reads: Semaphore,
}

impl Listener {
    /// Binds `address`; to be called within a tokio runtime.
    ///
    /// # Errors
    /// The operating system's, or a TLS configuration that is a bug of ours.
    pub fn bind(ward: Ward, address: SocketAddr) -> io::Result<Self> {
        let key = ward.signing_key();
        let config = tls::server_config(&key).map_err(io::Error::other)?;
        let endpoint = Endpoint::new(
            transport::endpoint(key.as_bytes()),
            Some(config),
            UdpSocket::bind(address)?,
            Arc::new(TokioRuntime),
        )?;
        Ok(Self {
            address: endpoint.local_addr()?,
            endpoint,
            ward,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is done, then closes every connection and waits for the writer: what
    /// was handed to it is durable, and what was not acknowledged is sent again.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let (writer, writing) = Writer::start(self.ward.clone());
        let shared = Arc::new(Shared {
            ward: self.ward,
            writer,
            devices: Devices::default(),
            conversations: Arc::new(Semaphore::new(CONVERSATIONS_MAX)),
            reads: Semaphore::new(READS_MAX),
        });
        let strangers = Strangers::default();
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                incoming = self.endpoint.accept() => {
                    let Some(incoming) = incoming else { break };
                    if let Some((incoming, place)) = welcome(incoming, &strangers) {
                        connections.spawn(connection::serve(Arc::clone(&shared), incoming, place));
                    }
                }
                Some(ended) = connections.join_next() => report(ended),
            }
        }

        self.endpoint.close(transport::CLOSE_GOING_AWAY.into(), b"");
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
        drop(shared);
        report(writing.await);
        let farewell = Duration::from_millis(FAREWELL_MS_MAX);
        if timeout(farewell, self.endpoint.wait_idle()).await.is_err() {
            tracing::debug!("some phones did not hear that the server stops");
        }
    }
}

/// Lets a connection in, with its place among the strangers; `None` if it was asked to show its
/// address first.
fn welcome(incoming: Incoming, strangers: &Strangers) -> Option<(Incoming, Place)> {
    if strangers.count() >= STRANGERS_BEFORE_RETRY && !incoming.remote_address_validated() {
        // An error means that the address was shown already, which was just excluded.
        let _ = incoming.retry();
        return None;
    }
    Some((incoming, strangers.enter()))
}

/// A task that panicked took down one connection and nothing else; it is a bug all the same.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
