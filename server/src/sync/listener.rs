//! The bound sockets, UDP and TCP of one number: who may come in, and how everything ends.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use gandan_core::client::{tls, transport};
use gandan_core::model::Timestamp;
use quinn::{Endpoint, Incoming, TokioRuntime};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::arrivals::{Address, Arrivals, Reception};
use super::carrier::Proven;
use super::connection;
use super::devices::Devices;
use super::strangers::{Place, Source, Strangers};
use super::writer::Writer;
use crate::rounds::ask_every;
use crate::ward::Ward;

/// Conversations of devices that the ward knows. Each may hold about 3 MiB, so all of them 1 GiB.
const CONVERSATIONS_MAX: usize = 300;
/// Devices that stay at once. One that rests holds some tens of KiB.
const STAYING_MAX: usize = 8_192;
/// Devices that stay and are being told something. Each may hold two pages, its transport's buffer and
/// what it says itself, so all of them 512 MiB; the others wait for their turn.
const TOLD_MAX: usize = 256;
/// How often it is looked whether another process, an admin command, has changed anything.
const LOOK_MS: u64 = 400;
/// Reads of the store at once. More would only queue at the same disk, each holding a page.
const READS_MAX: usize = 4;
/// How long nobody is let in after a connection could not be had.
const ACCEPT_PAUSE_MS: u64 = 50;
/// How often it is looked whether a week has passed.
const ROTATION_LOOK_MS: u64 = 10 * 60 * 1_000;
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
    /// For which the endpoint's keys were made.
    week: i64,
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
        let now = ward.now();
        let config = tls::server_config(&key, now).map_err(io::Error::other)?;
        let tcp_config = tls::server_config_tcp(&key).map_err(io::Error::other)?;
        let (udp, tcp) = bind_both(address)?;
        let endpoint = Endpoint::new(
            transport::endpoint(key.as_bytes(), now),
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
            week: transport::week(now),
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
        let mut arrivals = Arrivals::new(shared.ward.now());
        let rotating = rotate(shared.ward.clone(), self.endpoint.clone(), self.week);
        let (stop, stopping) = watch::channel(false);
        let mut connections = JoinSet::new();
        // Whoever stays hears what an admin command did a moment later.
        let looking = ask_every(
            Duration::from_millis(LOOK_MS),
            shared.ward.clone(),
            Ward::look_for_others,
            "it is not known what another process did",
        );
        tokio::pin!(shutdown, looking, rotating);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = &mut looking => {}
                () = &mut rotating => {}
                incoming = self.endpoint.accept() => {
                    let Some(incoming) = incoming else { break };
                    if let Some((incoming, place)) = welcome(incoming, shared.ward.now(), &mut arrivals, &strangers) {
                        let handshake = Proven::by_quic(incoming);
                        connections.spawn(connection::serve(Arc::clone(&shared), handshake, place));
                    }
                }
                accepted = self.tcp.accept() => {
                    let Ok((stream, peer)) = accepted else {
                        // Of one connection, or of too many open files: the next may do.
                        tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                        continue;
                    };
                    let source = Source::from(peer.ip());
                    // TCP itself has shown the address.
                    let now = shared.ward.now();
                    let reception =
                        arrivals.receive(now, source, Address::Shown, strangers.count());
                    if reception != Reception::Welcome {
                        continue;
                    }
                    let handshake = Proven::by_tcp(stream, self.acceptor.clone());
                    let serving =
                        connection::serve(Arc::clone(&shared), handshake, strangers.enter(source));
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
/// address first, or sent away.
fn welcome(
    incoming: Incoming,
    now: Timestamp,
    arrivals: &mut Arrivals,
    strangers: &Strangers,
) -> Option<(Incoming, Place)> {
    let source = Source::from(incoming.remote_address().ip());
    let address = if incoming.remote_address_validated() {
        Address::Shown
    } else {
        Address::Claimed
    };
    match arrivals.receive(now, source, address, strangers.count()) {
        Reception::Welcome => Some((incoming, strangers.enter(source))),
        Reception::ShowAddress => {
            // An error means that the address was shown already, which was just excluded.
            let _ = incoming.retry();
            None
        }
        Reception::Refused => {
            incoming.refuse();
            None
        }
    }
}

/// Gives the endpoint new keys whenever a week has passed, and forgets the tickets of the old one. Never
/// ends.
async fn rotate(ward: Ward, endpoint: Endpoint, mut week: i64) {
    loop {
        tokio::time::sleep(Duration::from_millis(ROTATION_LOOK_MS)).await;
        let now = ward.now();
        if transport::week(now) == week {
            continue;
        }
        match tls::server_config(&ward.signing_key(), now) {
            Ok(config) => {
                endpoint.set_server_config(Some(config));
                week = transport::week(now);
                tracing::info!("the keys of Retry tokens were changed, session tickets forgotten");
            }
            Err(error) => tracing::error!(%error, "the week's keys could not be made"),
        }
    }
}

/// A task that panicked took down one connection and nothing else; it is a bug all the same.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
