//! From a list of addresses to one proven connection. Knows no conversation.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, ConnectionError, Endpoint, TransportErrorCode, VarInt, ZeroRttAccepted};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::SyncError;
use super::socket::{self, Traffic};
use super::tls;
use super::transport::CLOSE_DONE;
use crate::protocol::message::Refusal;

/// How long one address may take to answer: a bad mobile link loses the first packets and needs
/// seconds for a round trip.
const ADDRESS_MS_MAX: u64 = 10_000;
/// How long an address is waited for before the next one is tried beside it. An invite holds the
/// office's own network first, which from outside does not even refuse.
const NEXT_ADDRESS_MS: u64 = 1_500;
/// The name is not sent: quinn wants one for certificates, and tickets are kept under it.
const TLS_NAME: &str = "ward";
/// How long the goodbye may take to leave this device; it is lost if the radio is off by then.
const GOODBYE_MS_MAX: u64 = 200;

/// A connection whose peer proved to be the ward, and what it cost.
pub(super) struct Link {
    pub(super) connection: Connection,
    pub(super) traffic: Arc<Traffic>,
    /// Keeps the socket open for the goodbye.
    _endpoint: Endpoint,
}

impl Link {
    /// Says goodbye and waits until it left, so that the ward need not wait for its idle timeout.
    pub(super) async fn close(&self) {
        let left = self.traffic.sent().notified();
        self.connection.close(VarInt::from_u32(CLOSE_DONE), b"");
        if timeout(Duration::from_millis(GOODBYE_MS_MAX), left)
            .await
            .is_err()
        {
            tracing::debug!("the goodbye did not leave in time");
        }
    }
}

/// Why one address did not lead to the ward; ordered by how much it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Failure {
    Silent,
    Busy,
    ForeignProtocol,
    WrongKey,
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        if tls::is_wrong_ward(&error) {
            return Self::WrongKey;
        }
        if tls::is_foreign_protocol(&error) {
            return Self::ForeignProtocol;
        }
        match error {
            ConnectionError::ConnectionClosed(closed)
                if closed.error_code == TransportErrorCode::CONNECTION_REFUSED =>
            {
                Self::Busy
            }
            _ => Self::Silent,
        }
    }
}

impl From<Failure> for SyncError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Silent => Self::Offline,
            Failure::Busy => Self::Refused(Refusal::Unavailable),
            Failure::ForeignProtocol => Self::ForeignProtocol,
            Failure::WrongKey => Self::WrongServerKey,
        }
    }
}

/// A connection on which the device speaks before the ward has answered, if it has a ticket of the
/// ward. The ward has proven to be itself when the second value says so.
pub(super) fn resume(
    peer: SocketAddr,
    config: &quinn::ClientConfig,
    traffic: &Arc<Traffic>,
) -> Option<(Link, ZeroRttAccepted)> {
    let endpoint = socket::endpoint(peer, traffic).ok()?;
    let connecting = endpoint.connect_with(config.clone(), peer, TLS_NAME).ok()?;
    let (connection, accepted) = connecting.into_0rtt().ok()?;
    let link = Link {
        connection,
        traffic: Arc::clone(traffic),
        _endpoint: endpoint,
    };
    Some((link, accepted))
}

/// Tries the addresses in order, each beside those before it that have not answered yet, and takes
/// the first that proves to be the ward.
pub(super) async fn dial(
    addresses: &[String],
    config: &quinn::ClientConfig,
    traffic: &Arc<Traffic>,
) -> Result<Link, SyncError> {
    let mut waiting = addresses.iter();
    let mut attempts = JoinSet::new();
    let mut worst = Failure::Silent;
    loop {
        let next = waiting.next();
        let is_last = next.is_none();
        if let Some(address) = next {
            attempts.spawn(attempt(
                address.clone(),
                config.clone(),
                Arc::clone(traffic),
            ));
        }
        let patience = Duration::from_millis(if is_last {
            ADDRESS_MS_MAX
        } else {
            NEXT_ADDRESS_MS
        });
        match timeout(patience, attempts.join_next()).await {
            Ok(Some(Ok(Ok((endpoint, connection))))) => {
                return Ok(Link {
                    connection,
                    traffic: Arc::clone(traffic),
                    _endpoint: endpoint,
                });
            }
            Ok(Some(Ok(Err(failure)))) => worst = worst.max(failure),
            Ok(Some(Err(ended))) => std::panic::resume_unwind(ended.into_panic()),
            Ok(None) if is_last => return Err(worst.into()),
            Ok(None) | Err(_) => {}
        }
    }
}

async fn attempt(
    address: String,
    config: quinn::ClientConfig,
    traffic: Arc<Traffic>,
) -> Result<(Endpoint, Connection), Failure> {
    let patience = Duration::from_millis(ADDRESS_MS_MAX);
    let tried = timeout(patience, connect(&address, &config, &traffic)).await;
    let result = tried.unwrap_or(Err(Failure::Silent));
    if let Err(failure) = result {
        tracing::debug!(%address, ?failure, "address of the ward");
    }
    result
}

async fn connect(
    address: &str,
    config: &quinn::ClientConfig,
    traffic: &Arc<Traffic>,
) -> Result<(Endpoint, Connection), Failure> {
    let mut worst = Failure::Silent;
    let peers = tokio::net::lookup_host(address)
        .await
        .map_err(|_| Failure::Silent)?;
    for peer in peers {
        let Ok(endpoint) = socket::endpoint(peer, traffic) else {
            continue;
        };
        let Ok(connecting) = endpoint.connect_with(config.clone(), peer, TLS_NAME) else {
            continue;
        };
        match connecting.await {
            Ok(connection) => return Ok((endpoint, connection)),
            Err(error) => worst = worst.max(error.into()),
        }
    }
    Err(worst)
}

#[cfg(test)]
mod tests;
