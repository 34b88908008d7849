//! A peer written on quinn that says whatever a test wants it to say, and a phone that keeps working
//! meanwhile.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use gandan_core::client::tls;
use gandan_core::model::{DeviceId, Timestamp, WardCode, WardKey};
use gandan_core::protocol::enrolment::{self, EnrolmentRequest, EnrolmentResponse};
use gandan_core::protocol::feed::Cursor;
use gandan_core::protocol::frame::FrameDecoder;
use gandan_core::protocol::invite::Invite;
use gandan_core::protocol::message::{DeviceMessage, Hello, MinorVersions, WardMessage};
use gandan_core::protocol::{ALPN_ENROLMENT, ALPN_SYNC};
use gandan_tests::programs::Phone;
use quinn::{Connection, ConnectionError, Endpoint};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::fixture::{Town, case};

/// Far beyond what the ward takes to answer on loopback; a test that waits so long fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A peer with a key of its own.
pub(crate) struct HostilePeer {
    runtime: Runtime,
    pub(crate) key: SigningKey,
    pub(crate) ward: WardCode,
    pub(crate) ward_key: WardKey,
    pub(crate) address: SocketAddr,
    endpoint: Endpoint,
}

impl HostilePeer {
    /// Knows the ward's address and key, and was never invited.
    pub(crate) fn stranger(town: &Town, seed: u8) -> Self {
        let invite: Invite = town.server.invite("x", "leader").parse().unwrap();
        let runtime = Runtime::new().unwrap();
        let endpoint = {
            let _entered = runtime.enter();
            Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
        };
        Self {
            runtime,
            key: SigningKey::from_bytes(&[seed; 32]),
            ward: invite.ward,
            ward_key: invite.ward_key,
            address: town.server.address(),
            endpoint,
        }
    }

    /// Has a leader's invite: the most that a stolen phone can be.
    pub(crate) fn enrolled(town: &Town, seed: u8) -> Self {
        let peer = Self::stranger(town, seed);
        let invite: Invite = town.server.invite("Kẻ gian", "leader").parse().unwrap();
        let response = peer.enrol_with(invite.token);
        assert!(response.is_ok(), "{response:?}");
        peer
    }

    pub(crate) fn device(&self) -> DeviceId {
        DeviceId::of(&self.key)
    }

    /// What the ward says to a token.
    pub(crate) fn enrol_with(&self, token: [u8; 16]) -> EnrolmentResponse {
        let request = enrolment::encode_request(&EnrolmentRequest {
            token,
            device_name: "x".to_owned(),
        });
        let ended = self.say(ALPN_ENROLMENT, &request);
        enrolment::decode_response(&ended.received).unwrap()
    }

    /// Connects, says `bytes` on one stream, ends its half and reads until the ward ends.
    pub(crate) fn say(&self, alpn: &[u8], bytes: &[u8]) -> Ended {
        self.runtime.block_on(async {
            let connection = self.connect(alpn).await;
            let (mut send, mut receive) = connection.open_bi().await.unwrap();
            // The ward may have closed before all was said: that is what tests look at.
            let _ = send.write_all(bytes).await;
            let _ = send.finish();
            let mut received = Vec::new();
            loop {
                match timeout(PATIENCE, receive.read_chunk(usize::MAX, true))
                    .await
                    .unwrap()
                {
                    Ok(Some(chunk)) => received.extend_from_slice(&chunk.bytes),
                    Ok(None) => {
                        return Ended {
                            received,
                            code: None,
                        };
                    }
                    Err(_) => break,
                }
            }
            let closed = timeout(PATIENCE, connection.closed()).await.unwrap();
            let code = match closed {
                ConnectionError::ApplicationClosed(closed) => Some(closed.error_code.into()),
                _ => None,
            };
            Ended { received, code }
        })
    }

    /// A conversation that begins as it should and goes on with `messages`, which are at most four
    /// bundles and a request for the feed; gives what the ward said until it had answered them.
    pub(crate) fn converse(&self, messages: &[DeviceMessage]) -> Vec<WardMessage> {
        let mut bundles = 0;
        let mut is_pulling = false;
        let mut bytes = hello().encode();
        for message in messages {
            match message {
                DeviceMessage::Bundle(_) => bundles += 1,
                DeviceMessage::Pull { .. } => is_pulling = true,
                _ => {}
            }
            bytes.extend(message.encode());
        }
        let mut said = Vec::new();
        self.runtime.block_on(async {
            let connection = self.connect(ALPN_SYNC).await;
            let (mut send, mut receive) = connection.open_bi().await.unwrap();
            send.write_all(&bytes).await.unwrap();
            let mut decoder = FrameDecoder::new(WardMessage::payload_limit);
            while bundles > 0 || is_pulling {
                let chunk = timeout(PATIENCE, receive.read_chunk(usize::MAX, true));
                let Some(chunk) = chunk.await.unwrap().unwrap() else {
                    break;
                };
                let mut input = &chunk.bytes[..];
                while let Some(frame) = decoder.next(&mut input).unwrap() {
                    let message = WardMessage::decode(&frame).unwrap();
                    match &message {
                        WardMessage::Verdicts { .. } => bundles -= 1,
                        WardMessage::CaughtUp { .. } => is_pulling = false,
                        WardMessage::Page(_) => {
                            send.write_all(&DeviceMessage::Taken.encode())
                                .await
                                .unwrap();
                        }
                        _ => {}
                    }
                    said.push(message);
                }
            }
            // The ward that refused listens no more.
            let _ = send.write_all(&DeviceMessage::Done.encode()).await;
        });
        said
    }

    /// Throws a datagram at the ward's port that is no packet of any connection.
    pub(crate) fn throw(&self, datagram: &[u8]) {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.send_to(datagram, self.address).unwrap();
    }

    async fn connect(&self, alpn: &[u8]) -> Connection {
        let config = tls::client_config(&self.key, self.ward_key, alpn).unwrap();
        let connecting = self.endpoint.connect_with(config, self.address, "ward");
        timeout(PATIENCE, connecting.unwrap())
            .await
            .unwrap()
            .unwrap()
    }
}

/// How a stream ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) received: Vec<u8>,
    /// With which application error code the ward closed; `None` if it ended the stream in good order.
    pub(crate) code: Option<u64>,
}

/// A greeting as every device says it.
pub(crate) fn hello() -> DeviceMessage {
    DeviceMessage::Hello(Hello {
        minor: MinorVersions::OURS,
        device_time: Timestamp(0),
        app_version: "hostile".to_owned(),
        cursor: Cursor::default(),
        directory_version: None,
    })
}

/// A phone that records and synchronises again and again until it is asked how it went.
pub(crate) struct HonestPhone {
    is_over: Arc<AtomicBool>,
    working: JoinHandle<(Phone, usize)>,
}

impl HonestPhone {
    pub(crate) fn begin(town: &Town) -> Self {
        let phone = town.phone("honest");
        let is_over = Arc::new(AtomicBool::new(false));
        let working = {
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || {
                let mut rounds = 0;
                while rounds == 0 || !is_over.load(Ordering::SeqCst) {
                    let _ = phone.record(&[case(rounds)]);
                    let report = phone.sync();
                    assert_eq!(report["rejected"], 0, "{report}");
                    rounds += 1;
                }
                (phone, rounds)
            })
        };
        Self { is_over, working }
    }

    /// Stops, and goes on only if every round went well and everything is at the ward.
    pub(crate) fn end(self) -> Phone {
        self.is_over.store(true, Ordering::SeqCst);
        let (phone, rounds) = self.working.join().expect("every round went well");
        let _ = phone.record(&[case(rounds)]);
        let _ = phone.sync();
        let list = phone.list();
        assert!(list.len() > rounds, "others' cases may be among them");
        assert!(list.iter().all(|case| case["sync"] == "on_server"));
        phone
    }
}
