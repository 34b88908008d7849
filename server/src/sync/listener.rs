//! The bound sockets, UDP and TCP of one number: who may come in, and how everything ends.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use gandan_core::client::{tls, transport};
use quinn::{Endpoint, Incoming, TokioRuntime};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::carrier::Proven;
use super::connection;
use super::devices::Devices;
use super::strangers::{Place, Strangers};
use super::writer::Writer;
use crate::rounds::ask_every;
use crate::ward::Ward;

/// From this many strangers on, a new one must first show that its address is its own. A ward's
/// phones come in dozens at the end of a working day; more than that at once is a flood.
const STRANGERS_BEFORE_RETRY: usize = 64;
/// Conversations of devices that the ward knows. Each may hold about 3 MiB, so all of them 1 GiB.
const CONVERSATIONS_MAX: usize = 300;
/// Devices that stay at once. One that rests holds some tens of KiB.
const STAYING_MAX: usize = 8_192;
/// Devices that stay and are being told something. Each may hold two pages, its transport's buffer and
/// what it says itself, so all of them 512 MiB; the others wait for their turn.
const TOLD_MAX: usize = 256;
/// How often it is looked whether another process, an admin command, has changed anything.
const LOOK_MS: u64 = 2_000;
/// Reads of the store at once. More would only queue at the same disk, each holding a page.
const READS_MAX: usize = 4;
/// How long nobody is let in after a connection could not be had.
const ACCEPT_PAUSE_MS: u64 = 50;
/// How often another free port is tried.
const FREE_PORT_ATTEMPTS: usize = 16;
/// How long the last packets may take to leave.
const FAREWELL_MS_MAX: u64 = 2_000;

/// Bound sockets for both ALPNs: a QUIC endpoint, and TLS over TCP at the same address for phones whose
/// network lets no UDP pass.
pub struct Listener {
    endpoint: Endpoint,
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    address: SocketAddr,
    ward: Ward,
}

/// What every connection of one listener shares.
pub(super) struct Shared {
    pub(super) ward: Ward,
    pub(super) writer: Writer,
    pub(super) devices: Devices,
    pub(super) conversations: Arc<Semaphore>,
    pub(super) staying: Arc<Semaphore>,
    pub(super) told: Arc<Semaphore>,
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
        let tcp_config = tls::server_config_tcp(&key).map_err(io::Error::other)?;
        let (udp, tcp) = bind_both(address)?;
        let endpoint = Endpoint::new(
            transport::endpoint(key.as_bytes()),
            Some(config),
            udp,
            Arc::new(TokioRuntime),
        )?;
        tcp.set_nonblocking(true)?;
        Ok(Self {
            address: endpoint.local_addr()?,
            endpoint,
            tcp: TcpListener::from_std(tcp)?,
            acceptor: TlsAcceptor::from(Arc::new(tcp_config)),
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
            staying: Arc::new(Semaphore::new(STAYING_MAX)),
            told: Arc::new(Semaphore::new(TOLD_MAX)),
            reads: Semaphore::new(READS_MAX),
        });
        let strangers = Strangers::default();
        let (stop, stopping) = watch::channel(false);
        let mut connections = JoinSet::new();
        // Whoever stays hears what an admin command did a moment later.
        let looking = ask_every(
            Duration::from_millis(LOOK_MS),
            shared.ward.clone(),
            Ward::look_for_others,
            "it is not known what another process did",
        );
        tokio::pin!(shutdown, looking);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = &mut looking => {}
                incoming = self.endpoint.accept() => {
                    let Some(incoming) = incoming else { break };
                    if let Some((incoming, place)) = welcome(incoming, &strangers) {
                        let handshake = Proven::by_quic(incoming);
                        connections.spawn(connection::serve(Arc::clone(&shared), handshake, place));
                    }
                }
                accepted = self.tcp.accept() => {
                    let Ok((stream, _)) = accepted else {
                        // Of one connection, or of too many open files: the next may do.
                        tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                        continue;
                    };
                    let handshake = Proven::by_tcp(stream, self.acceptor.clone());
                    let serving =
                        connection::serve(Arc::clone(&shared), handshake, strangers.enter());
                    let mut stopping = stopping.clone();
                    connections.spawn(async move {
                        tokio::select! {
                            () = serving => {}
                            _ = stopping.changed() => {}
                        }
                    });
                }
                Some(ended) = connections.join_next() => report(ended),
            }
        }

        self.endpoint.close(transport::CLOSE_GOING_AWAY.into(), b"");
        drop(stop);
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

/// UDP and TCP of one number. If any will do, one is looked for that is free for both.
fn bind_both(address: SocketAddr) -> io::Result<(UdpSocket, std::net::TcpListener)> {
    let mut attempts = if address.port() == 0 {
        FREE_PORT_ATTEMPTS
    } else {
        1
    };
    loop {
        let udp = UdpSocket::bind(address)?;
        attempts -= 1;
        match std::net::TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if attempts == 0 => return Err(error),
            Err(_) => {}
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
