//! A link between phones and a ward that counts what passes and can fail on purpose. It forwards
//! datagrams on loopback and understands none but for QUIC's one public bit.

mod courier;
mod lane;

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use courier::{Courier, Direction};
pub use lane::{Badness, Lane};

/// How often a thread looks whether the link is taken down.
const LOOK: Duration = Duration::from_millis(20);

/// Largest UDP payload.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// New connection ids, the end of the handshake and its acknowledgement go before the first answer
/// that had to wait for the ward's disk.
const CONFIRMING_DATAGRAMS: usize = 3;

/// Long headers are those of the handshake (RFC 9000, section 17).
const LONG_HEADER_BIT: u8 = 0x80;

/// What the link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Weather {
    /// Everything passes.
    Clear = 0,
    /// The handshake passes with the datagrams that confirm it, and all that the phone says; nothing
    /// that the ward says after it.
    NoAnswers = 1,
    /// Nothing passes.
    Dark = 2,
}

#[derive(Debug)]
struct Shared {
    ward: SocketAddr,
    weather: AtomicU8,
    up: AtomicU64,
    down: AtomicU64,
    answers_lost: AtomicU64,
    /// Datagrams of handshakes that phones sent.
    handshakes: AtomicU64,
    /// How often every phone was given another port.
    changes: AtomicU64,
    /// How many ports the ward has seen.
    ports: AtomicU64,
    is_over: AtomicBool,
    /// `None` on a good link: what comes is sent on at once.
    courier: Option<Courier>,
    /// What phones sent, as whoever listens on the way would keep it.
    copies: Option<Mutex<Vec<Vec<u8>>>>,
}

impl Shared {
    fn send(&self, direction: Direction, datagram: &[u8], socket: &Arc<UdpSocket>, to: SocketAddr) {
        match &self.courier {
            Some(courier) => courier.take(direction, datagram, socket, to),
            // Whoever is not there loses datagrams, as on any network.
            None => drop(socket.send_to(datagram, to)),
        }
    }

    fn is(&self, weather: Weather) -> bool {
        self.weather.load(Ordering::SeqCst) == weather as u8
    }
}

/// A link that is up until it is dropped.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
    forwarding: Option<JoinHandle<()>>,
}

impl Link {
    /// Puts a link before `ward`.
    ///
    /// # Panics
    /// If loopback has no port left.
    #[must_use]
    pub fn to(ward: SocketAddr) -> Self {
        Self::over(ward, None, None)
    }

    /// Puts somebody who keeps all that phones say before `ward`.
    ///
    /// # Panics
    /// If loopback has no port left.
    #[must_use]
    pub fn overheard(ward: SocketAddr) -> Self {
        Self::over(ward, None, Some(Mutex::default()))
    }

    /// Puts a bad link before `ward`; the same datagrams at the same times have the same fate for
    /// the same seed.
    ///
    /// # Panics
    /// If loopback has no port left.
    #[must_use]
    pub fn bad(ward: SocketAddr, badness: Badness, seed: u64) -> Self {
        Self::over(ward, Some(Courier::new(badness, seed)), None)
    }

    fn over(
        ward: SocketAddr,
        courier: Option<Courier>,
        copies: Option<Mutex<Vec<Vec<u8>>>>,
    ) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            ward,
            weather: AtomicU8::new(Weather::Clear as u8),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
            answers_lost: AtomicU64::new(0),
            handshakes: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            ports: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            courier,
            copies,
        });
        let forwarding = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || forward(&Arc::new(socket), &shared))
        };
        Self {
            address,
            shared,
            forwarding: Some(forwarding),
        }
    }

    /// Where phones reach the ward through this link.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what the link does from now on.
    pub fn set_weather(&self, weather: Weather) {
        self.shared.weather.store(weather as u8, Ordering::SeqCst);
    }

    /// UDP payload bytes that phones sent and that the ward sent so far.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (
            self.shared.up.load(Ordering::SeqCst),
            self.shared.down.load(Ordering::SeqCst),
        )
    }

    /// The datagrams that phones sent so far; none if nobody keeps them.
    ///
    /// # Panics
    /// If the link failed.
    #[must_use]
    pub fn copies(&self) -> Vec<Vec<u8>> {
        let copies = self.shared.copies.as_ref();
        copies.map_or_else(Vec::new, |copies| {
            copies.lock().expect("no thread panics with it").clone()
        })
    }

    /// From now on every phone reaches the ward from another port, as when a router forgets; what the
    /// ward still sends to the old one is lost.
    pub fn change_port(&self) {
        self.shared.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// From how many ports phones have reached the ward so far.
    #[must_use]
    pub fn ports(&self) -> u64 {
        self.shared.ports.load(Ordering::SeqCst)
    }

    /// How many datagrams of handshakes phones sent so far.
    #[must_use]
    pub fn handshake_datagrams(&self) -> u64 {
        self.shared.handshakes.load(Ordering::SeqCst)
    }

    /// How many datagrams of the ward were lost so far.
    #[must_use]
    pub fn answers_lost(&self) -> u64 {
        self.shared.answers_lost.load(Ordering::SeqCst)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        if let Some(courier) = &self.shared.courier {
            courier.end();
        }
        if let Some(forwarding) = self.forwarding.take() {
            // The thread ends by itself; a panic in it has failed the test already.
            let _ = forwarding.join();
        }
    }
}

fn forward(socket: &Arc<UdpSocket>, shared: &Arc<Shared>) {
    // One socket towards the ward for each phone, as a router has.
    let upstream: Mutex<HashMap<(SocketAddr, u64), Arc<UdpSocket>>> = Mutex::default();
    thread::scope(|scope| {
        if let Some(courier) = &shared.courier {
            scope.spawn(|| courier.run());
        }
        receive(socket, shared, |datagram, phone| {
            shared.up.fetch_add(datagram.len() as u64, Ordering::SeqCst);
            if let Some(copies) = &shared.copies {
                let mut copies = copies.lock().expect("no thread panics with it");
                copies.push(datagram.to_vec());
            }
            shared
                .handshakes
                .fetch_add(is_handshake(datagram).into(), Ordering::SeqCst);
            if shared.is(Weather::Dark) {
                return;
            }
            let change = shared.changes.load(Ordering::SeqCst);
            let mut upstream = upstream.lock().expect("no thread panics with it");
            let towards_ward = upstream.entry((phone, change)).or_insert_with(|| {
                shared.ports.fetch_add(1, Ordering::SeqCst);
                let own = UdpSocket::bind(("127.0.0.1", 0)).expect("loopback has a free port");
                let own = Arc::new(own);
                let (own_again, socket) = (Arc::clone(&own), Arc::clone(socket));
                scope.spawn(move || {
                    let mut confirming = 0;
                    receive(&own_again, shared, |datagram, _| {
                        let is_answer =
                            confirming >= CONFIRMING_DATAGRAMS && !is_handshake(datagram);
                        confirming += usize::from(!is_handshake(datagram));
                        if shared.changes.load(Ordering::SeqCst) == change {
                            bring_back(datagram, is_answer, phone, &socket, shared);
                        }
                    });
                });
                own
            });
            shared.send(Direction::Up, datagram, towards_ward, shared.ward);
        });
    });
}

fn is_handshake(datagram: &[u8]) -> bool {
    datagram
        .first()
        .is_some_and(|first| first & LONG_HEADER_BIT != 0)
}

fn bring_back(
    datagram: &[u8],
    is_answer: bool,
    phone: SocketAddr,
    socket: &Arc<UdpSocket>,
    shared: &Shared,
) {
    let is_lost = shared.is(Weather::Dark) || (shared.is(Weather::NoAnswers) && is_answer);
    if is_lost {
        shared.answers_lost.fetch_add(1, Ordering::SeqCst);
        return;
    }
    shared
        .down
        .fetch_add(datagram.len() as u64, Ordering::SeqCst);
    shared.send(Direction::Down, datagram, socket, phone);
}

/// Hands every datagram to `take` until the link is over.
fn receive(socket: &UdpSocket, shared: &Shared, mut take: impl FnMut(&[u8], SocketAddr)) {
    socket
        .set_read_timeout(Some(LOOK))
        .expect("the time is not zero");
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    while !shared.is_over.load(Ordering::SeqCst) {
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => take(&buffer[..length], from),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::Interrupted
                        // Somebody is not there yet, or not any more.
                        | io::ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => panic!("loopback fails: {error}"),
        }
    }
}
