//! From a list of addresses to one proven connection. Knows no conversation.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use quinn::{Connection, ConnectionError, TransportErrorCode, ZeroRttAccepted};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::SyncError;
use super::link::Link;
use super::socket::{self, Traffic};
use super::{tcp, tls};
use crate::model::{DeviceId, WardKey};
use crate::protocol::message::Refusal;

/// How long one address may take to answer: a bad mobile link loses the first packets and needs
/// seconds for a round trip.
const ADDRESS_MS_MAX: u64 = 10_000;
/// How long an address is waited for before the next one is tried beside it. An invite holds the
/// office's own network first, which from outside does not even refuse.
const NEXT_ADDRESS_MS: u64 = 1_500;
/// The name is not sent: quinn wants one for certificates, and tickets are kept under it.
const TLS_NAME: &str = "ward";
/// How long UDP is given before TCP is tried beside it. QUIC is better on a bad link, but some offices
/// let no UDP pass and do not say so.
const TCP_AFTER_MS: u64 = 2_000;

/// How a device shows itself and whom it takes, and how the ward was reached the last time.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) ward_key: WardKey,
    pub(super) device: DeviceId,
    /// Holds the ward's tickets.
    quic: quinn::ClientConfig,
    tcp: Arc<rustls::ClientConfig>,
    /// Who answered by QUIC.
    peer: Option<SocketAddr>,
    /// Only TCP passed.
    is_udp_blocked: bool,
}

impl Route {
    /// Nobody was reached yet.
    pub(super) fn new(device_key: &SigningKey, ward_key: WardKey, alpn: &[u8]) -> Self {
        const FITS: &str = "our own Ed25519 key fits our own TLS configuration";
        Self {
            ward_key,
            device: DeviceId::of(device_key),
            quic: tls::client_config(device_key, ward_key, alpn).expect(FITS),
            tcp: Arc::new(tls::client_config_tcp(device_key, ward_key, alpn).expect(FITS)),
            peer: None,
            is_udp_blocked: false,
        }
    }

    /// What was learned from the link that it led to.
    pub(super) fn after(self, link: &Link) -> Self {
        let peer = link.peer_by_quic();
        Self {
            peer,
            is_udp_blocked: peer.is_none(),
            ..self
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

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if tls::is_wrong_ward_tcp(&error) {
            Self::WrongKey
        } else if tls::is_foreign_protocol_tcp(&error) {
            Self::ForeignProtocol
        } else {
            Self::Silent
        }
    }
}

/// A connection on which the device speaks before the ward has answered, if it has a ticket of the
/// ward. The ward has proven to be itself when the last value says so.
pub(super) fn resume(
    route: &Route,
    traffic: &Arc<Traffic>,
) -> Option<(Link, Connection, ZeroRttAccepted)> {
    let peer = route.peer?;
    let endpoint = socket::endpoint(peer, traffic).ok()?;
    let connecting = endpoint
        .connect_with(route.quic.clone(), peer, TLS_NAME)
        .ok()?;
    let (connection, accepted) = connecting.into_0rtt().ok()?;
    let link = Link::quic(endpoint, connection.clone(), Arc::clone(traffic));
    Some((link, connection, accepted))
}

/// Tries the addresses in order, each beside those before it that have not answered yet, and takes
/// the first connection that proves to be the ward's.
pub(super) async fn dial(
    addresses: &[String],
    route: &Route,
    traffic: &Arc<Traffic>,
) -> Result<Link, SyncError> {
    let mut waiting = addresses.iter();
    let mut attempts = JoinSet::new();
    let mut worst = Failure::Silent;
    loop {
        let next = waiting.next();
        let is_last = next.is_none();
        if let Some(address) = next {
            attempts.spawn(attempt(address.clone(), route.clone(), Arc::clone(traffic)));
        }
        let patience = Duration::from_millis(if is_last {
            ADDRESS_MS_MAX
        } else {
            NEXT_ADDRESS_MS
        });
        match timeout(patience, attempts.join_next()).await {
            Ok(Some(Ok(Ok(link)))) => return Ok(link),
            Ok(Some(Ok(Err(failure)))) => worst = worst.max(failure),
            Ok(Some(Err(ended))) => std::panic::resume_unwind(ended.into_panic()),
            Ok(None) if is_last => return Err(worst.into()),
            Ok(None) | Err(_) => {}
        }
    }
}

async fn attempt(address: String, route: Route, traffic: Arc<Traffic>) -> Result<Link, Failure> {
    let patience = Duration::from_millis(ADDRESS_MS_MAX);
    let connecting = connect(&address, &route, &traffic);
    let result = timeout(patience, connecting).await;
    let result = result.unwrap_or(Err(Failure::Silent));
    if let Err(failure) = &result {
        tracing::debug!(%address, ?failure, "address of the ward");
    }
    result
}

/// By QUIC, and by TCP if nobody answers. Whoever answers by either has answered for the address.
async fn connect(address: &str, route: &Route, traffic: &Arc<Traffic>) -> Result<Link, Failure> {
    let quic = by_quic(address, route, traffic);
    let tcp = by_tcp(address, route, traffic);
    tokio::pin!(quic, tcp);
    if !route.is_udp_blocked {
        let patience = Duration::from_millis(TCP_AFTER_MS);
        match timeout(patience, &mut quic).await {
            Ok(Err(Failure::Silent)) => return tcp.await,
            Ok(answered) => return answered,
            Err(_) => {}
        }
    }
    tokio::select! {
        answered = &mut quic => match answered {
            Err(Failure::Silent) => tcp.await,
            answered => answered,
        },
        answered = &mut tcp => match answered {
            Err(Failure::Silent) => quic.await,
            answered => answered,
        },
    }
}

async fn by_tcp(address: &str, route: &Route, traffic: &Arc<Traffic>) -> Result<Link, Failure> {
    let config = Arc::clone(&route.tcp);
    let stream = tcp::connect(address, config, TLS_NAME, traffic).await?;
    Ok(Link::tcp(stream, Arc::clone(traffic)))
}

async fn by_quic(address: &str, route: &Route, traffic: &Arc<Traffic>) -> Result<Link, Failure> {
    let mut worst = Failure::Silent;
    let peers = tokio::net::lookup_host(address)
        .await
        .map_err(|_| Failure::Silent)?;
    for peer in peers {
        let Ok(endpoint) = socket::endpoint(peer, traffic) else {
            continue;
        };
        let Ok(connecting) = endpoint.connect_with(route.quic.clone(), peer, TLS_NAME) else {
            continue;
        };
        match connecting.await {
            Ok(connection) => return Ok(Link::quic(endpoint, connection, Arc::clone(traffic))),
            Err(error) => worst = worst.max(error.into()),
        }
    }
    Err(worst)
}

#[cfg(test)]
mod tests;
