//! A real ward behind a real listener on loopback, with real phones and with strangers.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use gandan_core::client::{self, Client, SyncError, tls, transport};
use gandan_core::environment::{Environment as _, SystemEnvironment};
use gandan_core::model::Role;
use gandan_core::protocol::ALPN_SYNC;
use gandan_core::protocol::initiator::ConversationError;
use gandan_core::protocol::invite::Invite;
use gandan_core::protocol::message::Refusal;
use gandan_core::replica::{NewCase, Replica};
use gandan_core::store::StoreKey;
use quinn::{Connection, ConnectionError, Endpoint};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Listener;
use crate::ward::Ward;

mod handing_over;
mod renewal;
mod staying;

const HOUR_MS: i64 = 3_600_000;

/// A ward that serves until it is told to stop.
struct Serving {
    ward: Ward,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Serving {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let code = "26995".parse().unwrap();
        let ward = Ward::init(
            &folder.path().join("ward"),
            code,
            Arc::new(SystemEnvironment),
        )
        .unwrap();
        Self::listen(ward, folder, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    fn listen(ward: Ward, folder: tempfile::TempDir, address: SocketAddr) -> Self {
        let listener = Listener::bind(ward.clone(), address).unwrap();
        let address = listener.local_address();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(listener.serve(async {
            let _ = stopped.await;
        }));
        Self {
            ward,
            address,
            stop,
            serving,
            folder,
        }
    }

    /// The same ward at the same address, without what only the memory knew.
    async fn restart(self) -> Self {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
        Self::listen(self.ward, self.folder, self.address)
    }

    fn invite(&self) -> Invite {
        let officer = self.ward.officer("Lê Thị Hoa", Role::Leader, &[]).unwrap();
        self.ward
            .invite(officer, &[self.address.to_string()], HOUR_MS)
            .unwrap()
    }

    fn store(&self, name: &str) -> Replica {
        Replica::open(
            &self.folder.path().join(name),
            &StoreKey::new([7; 32]),
            Arc::new(SystemEnvironment),
        )
        .unwrap()
    }

    async fn phone(&self, name: &str) -> Replica {
        let replica = self.store(name);
        client::enrol(&replica, &self.invite(), name).await.unwrap();
        replica
    }

    /// A connection that completes its handshake and says nothing.
    async fn stranger(&self, endpoint: &Endpoint, seed: u64) -> Connection {
        let config = tls::client_config(&key(seed), self.ward.key(), ALPN_SYNC).unwrap();
        let connecting = endpoint.connect_with(config, self.address, "ward").unwrap();
        connecting.await.unwrap()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

fn key(seed: u64) -> SigningKey {
    SigningKey::from_bytes(blake3::hash(&seed.to_le_bytes()).as_bytes())
}

fn endpoint() -> Endpoint {
    Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
}

fn case(text: &str) -> NewCase {
    NewCase {
        text: text.to_owned(),
        category: "flooding".to_owned(),
        ..NewCase::default()
    }
}

async fn refused(phone: &Replica) -> Refusal {
    match client::sync(phone, &mut |_| {}).await {
        Err(SyncError::Refused(refusal)) => refusal,
        other => panic!("the ward refuses: {other:?}"),
    }
}

async fn close_code(connection: &Connection) -> Option<u64> {
    match connection.closed().await {
        ConnectionError::ApplicationClosed(closed) => Some(closed.error_code.into()),
        _ => None,
    }
}

#[tokio::test]
async fn an_enrolled_phone_has_the_reference_data_and_nothing_more_to_say() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    assert_eq!(phone.directory().unwrap().ward_name, "Phường Tân Hòa");
    let report = client::sync(&phone, &mut |_| {}).await.unwrap();
    assert_eq!((report.sent, report.received, report.pending), (0, 0, 0));
    assert_eq!(report.round_trips, 2, "the handshake, and one wait");
    assert!(report.payload_up + report.payload_down < 500, "{report:?}");
    serving.stop().await;
}

#[tokio::test]
async fn a_phone_that_returns_is_heard_in_its_first_packet() {
    let serving = Serving::start();
    let client = Client::new(serving.phone("a").await);
    let first = client.sync(&mut |_| {}).await.unwrap();
    assert_eq!(first.round_trips, 2, "the handshake, and one wait");
    for return_number in 1..=4 {
        let report = client.sync(&mut |_| {}).await.unwrap();
        assert_eq!(report.round_trips, 1, "return {return_number}");
        assert!(report.bytes_up + report.bytes_down < 10_000, "{report:?}");
    }
    serving.stop().await;
}

#[tokio::test]
async fn a_phone_that_returns_to_a_ward_started_anew_begins_anew() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let client = Client::new(phone.clone());
    client.sync(&mut |_| {}).await.unwrap();
    let serving = serving.restart().await;
    let case = NewCase {
        text: "Cống tắc".to_owned(),
        ..NewCase::default()
    };
    phone.record_case(case).unwrap();
    let report = client.sync(&mut |_| {}).await.unwrap();
    assert_eq!((report.accepted, report.pending), (1, 0));
    assert_eq!(report.round_trips, 2, "the handshake could not be spared");
    serving.stop().await;
}

#[tokio::test]
async fn a_ticket_gives_no_more_rights_than_the_table_of_devices() {
    let serving = Serving::start();
    let client = Client::new(serving.phone("a").await);
    client.sync(&mut |_| {}).await.unwrap();
    let device = serving.ward.devices().unwrap()[0].id;
    serving.ward.revoke(device).unwrap();
    let refused = client.sync(&mut |_| {}).await;
    assert!(
        matches!(refused, Err(SyncError::Refused(Refusal::Revoked))),
        "{refused:?}"
    );
    serving.stop().await;
}

/// An address at which UDP vanishes and TCP reaches the ward.
async fn without_udp(ward: SocketAddr) -> (UdpSocket, SocketAddr) {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap();
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut phone, _)) = listener.accept().await {
            let mut ward = TcpStream::connect(ward).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut phone, &mut ward).await });
        }
    });
    (silent, address)
}

#[tokio::test]
async fn where_udp_is_blocked_a_phone_finds_tcp_by_itself() {
    let serving = Serving::start();
    let (_silent, address) = without_udp(serving.address).await;
    let officer = serving
        .ward
        .officer("Lê Thị Hoa", Role::Leader, &[])
        .unwrap();
    let invite = serving
        .ward
        .invite(officer, &[address.to_string()], HOUR_MS)
        .unwrap();
    let phone = serving.store("a");
    client::enrol(&phone, &invite, "a").await.unwrap();
    assert_eq!(phone.directory().unwrap().ward_name, "Phường Tân Hòa");

    let client = Client::new(phone.clone());
    for number in 1..=2 {
        for part in 0..40 {
            let case = NewCase {
                text: format!("Cống tắc {number} {part}").repeat(50),
                ..NewCase::default()
            };
            phone.record_case(case).unwrap();
        }
        let report = client.sync(&mut |_| {}).await.unwrap();
        assert_eq!((report.accepted, report.pending), (40, 0));
        assert_eq!(report.round_trips, 3, "two handshakes, and one wait");
        assert!(report.bytes_up > report.payload_up);
    }
    serving.stop().await;
}

#[tokio::test]
async fn an_impostor_behind_tcp_is_refused_and_named() {
    let serving = Serving::start();
    let impostor = Serving::start();
    let (_silent, address) = without_udp(impostor.address).await;
    let mut invite = serving.invite();
    invite.addresses = vec![address.to_string()];
    let refused = client::enrol(&serving.store("a"), &invite, "a").await;
    assert!(
        matches!(refused, Err(SyncError::WrongServerKey)),
        "{refused:?}"
    );
    serving.stop().await;
    impostor.stop().await;
}

#[tokio::test]
async fn a_stopping_ward_does_not_wait_for_whoever_is_silent_on_tcp() {
    let serving = Serving::start();
    let silent = TcpStream::connect(serving.address).await.unwrap();
    serving.stop().await;
    drop(silent);
}

#[tokio::test]
async fn an_invite_serves_one_phone_and_says_so_to_the_next() {
    let serving = Serving::start();
    let invite = serving.invite();
    let first = serving.store("a");
    client::enrol(&first, &invite, "a").await.unwrap();
    let refused = client::enrol(&serving.store("b"), &invite, "b").await;
    assert!(
        matches!(refused, Err(SyncError::Refused(Refusal::InviteUsed))),
        "{refused:?}"
    );
    let again = client::enrol(&first, &invite, "a").await;
    assert!(
        matches!(again, Err(SyncError::AlreadyEnrolled)),
        "{again:?}"
    );
    serving.stop().await;
}

#[tokio::test]
async fn a_revoked_phone_is_refused_by_the_next_conversation() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let device = serving.ward.devices().unwrap()[0].id;
    serving.ward.revoke(device).unwrap();
    assert_eq!(refused(&phone).await, Refusal::Revoked);
    serving.stop().await;
}

#[tokio::test]
async fn a_device_that_the_ward_does_not_know_is_refused() {
    let serving = Serving::start();
    let other = Serving::start();
    let phone = serving.phone("a").await;
    let mut enrolment = phone.enrolment().unwrap();
    // Enrolled elsewhere: the credential is another ward's, and the key was never invited here.
    enrolment.ward_key = other.ward.key();
    enrolment.addresses = vec![other.address.to_string()];
    phone.set_enrolment(&enrolment).unwrap();
    assert_eq!(refused(&phone).await, Refusal::UnknownDevice);
    serving.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn silent_strangers_do_not_keep_a_phone_out() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let endpoint = endpoint();
    let mut strangers = Vec::new();
    for seed in 0..super::strangers::STRANGERS_MAX as u64 + 20 {
        strangers.push(serving.stranger(&endpoint, seed).await);
    }
    let report = client::sync(&phone, &mut |_| {}).await.unwrap();
    assert_eq!(report.pending, 0);
    assert_eq!(
        close_code(&strangers[0]).await,
        Some(transport::CLOSE_BUSY.into()),
        "the oldest went"
    );
    serving.stop().await;
}

#[tokio::test]
async fn of_one_device_the_oldest_connection_goes() {
    let serving = Serving::start();
    let endpoint = endpoint();
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(serving.stranger(&endpoint, 1).await);
    }
    assert_eq!(
        close_code(&connections[0]).await,
        Some(transport::CLOSE_REPLACED.into())
    );
    assert!(connections[3].close_reason().is_none());
    serving.stop().await;
}

#[tokio::test]
async fn a_ward_that_stops_says_so_to_whoever_is_connected() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let endpoint = endpoint();
    let connection = serving.stranger(&endpoint, 1).await;
    serving.stop().await;
    assert_eq!(
        close_code(&connection).await,
        Some(transport::CLOSE_GOING_AWAY.into())
    );
    drop(phone);
}

#[tokio::test]
async fn a_conversation_that_the_ward_leaves_is_interrupted_not_lost() {
    // A ward that accepts, takes the greeting and stops.
    let secret = key(1);
    let endpoint = Endpoint::server(
        tls::server_config(&secret, SystemEnvironment.now()).unwrap(),
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    )
    .unwrap();
    let address = endpoint.local_addr().unwrap();
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let mut enrolment = phone.enrolment().unwrap();
    enrolment.ward_key = gandan_core::model::WardKey(secret.verifying_key().to_bytes());
    enrolment.addresses = vec![address.to_string()];
    phone.set_enrolment(&enrolment).unwrap();
    tokio::spawn(async move {
        let connection = endpoint.accept().await.unwrap().await.unwrap();
        connection.accept_bi().await.unwrap();
        connection.close(transport::CLOSE_GOING_AWAY.into(), b"");
        endpoint.wait_idle().await;
    });
    let ended = client::sync(&phone, &mut |_| {}).await;
    assert!(
        matches!(
            ended,
            Err(SyncError::Conversation(ConversationError::Interrupted))
        ),
        "{ended:?}"
    );
    serving.stop().await;
}
