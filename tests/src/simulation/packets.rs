//! A conversation's bytes over QUIC's own state machines, in virtual time and on a path that loses,
//! delays, repeats and swaps datagrams, gives the phone another port in the middle, and is cut in one
//! direction or both. TLS and the limits are those of phone and ward.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use gandan_core::client::{tls, transport};
use gandan_core::model::{Timestamp, WardKey};
use gandan_core::protocol::ALPN_SYNC;
use quinn_proto::{
    Connection, ConnectionHandle, DatagramEvent, Dir, Endpoint, Event, Side, StreamId, Transmit,
};

use super::world::Dice;

/// Virtual time without a byte for anybody after which a connection counts as broken.
const PATIENCE: Duration = Duration::from_secs(90);
/// The ward's key of this layer; who is who is asked above it.
const WARD_SEED: [u8; 32] = [9; 32];

/// What the path does to datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    loss_percent: usize,
    repeat_percent: usize,
    delay_ms: usize,
    jitter_ms: usize,
    /// The phone has another port from that datagram on.
    rebinds_at: Option<usize>,
    /// From that datagram on nothing arrives, at the ward or at both, for so long.
    outage: Option<Outage>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outage {
    at: usize,
    for_ms: usize,
    is_one_way: bool,
}

impl Path {
    /// Some path.
    #[must_use]
    pub fn draw(dice: &mut Dice) -> Self {
        let outage = dice.percent(30).then(|| Outage {
            at: dice.below(200),
            for_ms: *dice.pick(&[500, 5_000, 200_000]),
            is_one_way: dice.percent(50),
        });
        Self {
            loss_percent: *dice.pick(&[0, 1, 5, 15, 30]),
            repeat_percent: *dice.pick(&[0, 0, 5]),
            delay_ms: *dice.pick(&[1, 30, 150]),
            jitter_ms: *dice.pick(&[0, 10, 200]),
            rebinds_at: dice.percent(40).then(|| dice.below(100)),
            outage,
        }
    }
}

/// A datagram on its way; by the time of its arrival, and then in the order of sending.
struct Datagram {
    to: Side,
    from: SocketAddr,
    bytes: Vec<u8>,
}

/// One end of the connection.
struct End {
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    stream: Option<StreamId>,
    /// Not taken by the stream yet.
    unsent: Vec<u8>,
    heard: Vec<u8>,
    /// Bytes in all.
    said_bytes: usize,
    heard_bytes: usize,
    is_lost: bool,
}

impl End {
    fn say(&mut self, bytes: &[u8]) {
        self.said_bytes += bytes.len();
        self.unsent.extend_from_slice(bytes);
    }
}

/// One connection over a path.
pub(super) struct Packets {
    path: Path,
    dice: Dice,
    now: Instant,
    phone: End,
    ward: End,
    phone_port: u16,
    sent: usize,
    outage_until: Option<Instant>,
    on_the_way: BTreeMap<(Instant, usize), Datagram>,
    rebindings: usize,
}

impl Packets {
    /// A phone dials.
    ///
    /// # Panics
    /// If our own keys cannot be used.
    #[must_use]
    pub(super) fn new(device_key: &SigningKey, path: Path, dice: Dice) -> Self {
        let ward_key = SigningKey::from_bytes(&WARD_SEED);
        let server = tls::server_config(&ward_key, Timestamp(0)).expect("our own key");
        let pinned = WardKey(ward_key.verifying_key().to_bytes());
        let client = tls::client_config(device_key, pinned, ALPN_SYNC).expect("our own key");
        let end = |server: Option<_>, seed: u8| End {
            endpoint: Endpoint::new(
                Arc::new(transport::endpoint(&[seed; 32], Timestamp(0))),
                server,
                false,
                Some([seed; 32]),
            ),
            connection: None,
            stream: None,
            unsent: Vec::new(),
            heard: Vec::new(),
            said_bytes: 0,
            heard_bytes: 0,
            is_lost: false,
        };
        let now = beginning();
        let mut phone = end(None, 1);
        let (handle, mut connection) = phone
            .endpoint
            .connect(now, client, address(Side::Server, 0), "ward")
            .expect("the configuration is whole");
        phone.stream = connection.streams().open(Dir::Bi);
        phone.connection = Some((handle, connection));
        Self {
            path,
            dice,
            now,
            phone,
            ward: end(Some(Arc::new(server)), 2),
            phone_port: 1_000,
            sent: 0,
            outage_until: None,
            on_the_way: BTreeMap::new(),
            rebindings: 0,
        }
    }

    /// Gives bytes to the phone's end.
    pub(super) fn say_up(&mut self, bytes: &[u8]) {
        self.phone.say(bytes);
    }

    /// Gives bytes to the ward's end.
    pub(super) fn say_down(&mut self, bytes: &[u8]) {
        self.ward.say(bytes);
    }

    /// What has arrived at the ward.
    pub(super) fn take_up(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ward.heard)
    }

    /// What has arrived at the phone.
    pub(super) fn take_down(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.phone.heard)
    }

    /// How often the phone's port changed.
    #[must_use]
    pub(super) fn rebindings(&self) -> usize {
        self.rebindings
    }

    /// Lets time pass until something arrived at one of the ends, or nothing said is under way. `false`
    /// if the connection is lost.
    pub(super) fn run(&mut self) -> bool {
        let deadline = self.now + PATIENCE;
        loop {
            self.exchange(Side::Client);
            self.exchange(Side::Server);
            if self.phone.is_lost || self.ward.is_lost {
                return false;
            }
            if !self.phone.heard.is_empty() || !self.ward.heard.is_empty() || self.is_settled() {
                return true;
            }
            let Some(next) = self.next_event() else {
                return true;
            };
            if next > deadline {
                return false;
            }
            self.now = self.now.max(next);
            self.deliver();
            self.wake();
        }
    }

    /// Whether everything that was said has arrived.
    fn is_settled(&self) -> bool {
        self.phone.said_bytes == self.ward.heard_bytes
            && self.ward.said_bytes == self.phone.heard_bytes
    }

    fn next_event(&mut self) -> Option<Instant> {
        let timers = [&mut self.phone, &mut self.ward]
            .into_iter()
            .filter_map(|end| end.connection.as_mut()?.1.poll_timeout());
        let arrival = self.on_the_way.first_key_value().map(|((at, _), _)| *at);
        timers.chain(arrival).min()
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.on_the_way.first_entry()
            && entry.key().0 <= self.now
        {
            let Datagram { to, from, bytes } = entry.remove();
            let now = self.now;
            let end = match to {
                Side::Client => &mut self.phone,
                Side::Server => &mut self.ward,
            };
            let mut answer = Vec::new();
            let event =
                end.endpoint
                    .handle(now, from, None, None, bytes.as_slice().into(), &mut answer);
            match event {
                Some(DatagramEvent::ConnectionEvent(_, event)) => {
                    if let Some((_, connection)) = &mut end.connection {
                        connection.handle_event(event);
                    }
                }
                Some(DatagramEvent::NewConnection(incoming)) => {
                    match end.endpoint.accept(incoming, now, &mut answer, None) {
                        Ok(connection) => end.connection = Some(connection),
                        Err(_) => end.is_lost = true,
                    }
                }
                Some(DatagramEvent::Response(transmit)) => self.send(to, &transmit, &answer),
                None => {}
            }
        }
    }

    fn wake(&mut self) {
        for end in [&mut self.phone, &mut self.ward] {
            if let Some((_, connection)) = &mut end.connection
                && connection.poll_timeout().is_some_and(|at| at <= self.now)
            {
                connection.handle_timeout(self.now);
            }
        }
    }

    /// What one end has to say to its stream, its endpoint and the path.
    fn exchange(&mut self, side: Side) {
        let now = self.now;
        let end = match side {
            Side::Client => &mut self.phone,
            Side::Server => &mut self.ward,
        };
        let Some((handle, connection)) = &mut end.connection else {
            return;
        };
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(event) = end.endpoint.handle_event(*handle, event) {
                connection.handle_event(event);
            }
        }
        while let Some(event) = connection.poll() {
            if matches!(event, Event::ConnectionLost { .. }) {
                end.is_lost = true;
            }
        }
        if end.stream.is_none() {
            end.stream = connection.streams().accept(Dir::Bi);
        }
        if let Some(stream) = end.stream {
            if let Ok(written) = connection.send_stream(stream).write(&end.unsent) {
                end.unsent.drain(..written);
            }
            let mut receiving = connection.recv_stream(stream);
            if let Ok(mut chunks) = receiving.read(true) {
                while let Ok(Some(chunk)) = chunks.next(usize::MAX) {
                    end.heard_bytes += chunk.bytes.len();
                    end.heard.extend_from_slice(&chunk.bytes);
                }
                let _ = chunks.finalize();
            }
        }
        let mut datagrams = Vec::new();
        loop {
            let mut bytes = Vec::new();
            let Some(transmit) = connection.poll_transmit(now, 1, &mut bytes) else {
                break;
            };
            datagrams.push((transmit, bytes));
        }
        for (transmit, bytes) in datagrams {
            self.send(side, &transmit, &bytes);
        }
    }

    /// Puts a datagram on the path, or not.
    fn send(&mut self, side: Side, transmit: &Transmit, bytes: &[u8]) {
        self.sent += 1;
        if self.path.rebinds_at == Some(self.sent) {
            self.phone_port += 1;
            self.rebindings += 1;
        }
        if let Some(outage) = self.path.outage.filter(|outage| outage.at == self.sent) {
            let for_ms = u64::try_from(outage.for_ms).expect("minutes");
            self.outage_until = Some(self.now + Duration::from_millis(for_ms));
        }
        let to = match side {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        };
        let is_out = self.outage_until.is_some_and(|until| self.now < until)
            && self
                .path
                .outage
                .is_some_and(|outage| !outage.is_one_way || to == Side::Server);
        // The router has forgotten the old port.
        let is_astray =
            to == Side::Client && transmit.destination != address(Side::Client, self.phone_port);
        if is_out || is_astray || self.dice.percent(self.path.loss_percent) {
            return;
        }
        let copies = 1 + usize::from(self.dice.percent(self.path.repeat_percent));
        for copy in 0..copies {
            let delay_ms = self.path.delay_ms + self.dice.below(self.path.jitter_ms + 1);
            let arrival = self.now + Duration::from_millis(u64::try_from(delay_ms).expect("small"));
            let datagram = Datagram {
                to,
                from: address(side, self.phone_port),
                bytes: bytes[..transmit.size].to_vec(),
            };
            self.on_the_way
                .insert((arrival, 2 * self.sent + copy), datagram);
        }
    }
}

fn address(side: Side, phone_port: u16) -> SocketAddr {
    match side {
        Side::Client => SocketAddr::from(([10, 0, 0, 1], phone_port)),
        Side::Server => SocketAddr::from(([10, 0, 0, 2], 4_433)),
    }
}

/// An instant cannot be made from nothing; every conversation begins at the same one.
fn beginning() -> Instant {
    static BEGINNING: OnceLock<Instant> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "only differences to it are ever looked at"
    )]
    *BEGINNING.get_or_init(Instant::now)
}
