//! Devices that stay, as small as they can be: they keep the protocol and store nothing.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use gandan_core::client::tls;
use gandan_core::model::{Area, DeviceId, Role, Timestamp, WardKey};
use gandan_core::protocol::ALPN_SYNC;
use gandan_core::protocol::enrolment::EnrolmentRequest;
use gandan_core::protocol::feed::Cursor;
use gandan_core::protocol::frame::FrameDecoder;
use gandan_core::protocol::message::{DeviceMessage, Hello, MinorVersions, WardMessage};
use gandan_server::ward::Ward;
use quinn::{Connection, Endpoint, RecvStream, SendStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::now;
use super::server::Server;

/// How long an invite lasts.
pub(super) const HOUR_MS: i64 = 3_600_000;

/// Devices behind one socket; the ward counts connections, not addresses.
const SOCKETS: usize = 8;

/// Handshakes at once, as after an outage with waits.
const HANDSHAKES: usize = 48;

/// Far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A device that is enrolled.
pub(super) struct Enrolled {
    key: SigningKey,
    is_concerned: bool,
}

/// Enrols devices of leaders, who see the whole ward, and the last ones of officers of an area without cases.
pub(super) fn enrol(
    ward: &Ward,
    count: usize,
    out_of_scope: usize,
) -> Result<Vec<Enrolled>, Box<dyn Error>> {
    ward.add_area(&Area {
        code: "kp1".to_owned(),
        name: "Khu phố 1".to_owned(),
        type_label: "khu phố".to_owned(),
        parent: None,
        old_names: Vec::new(),
        valid_from: "2025-07-01".to_owned(),
        valid_to: None,
    })?;
    let leader = ward.officer("Trần Văn An", Role::Leader, &[])?;
    let officer = ward.officer("Phạm Văn Hùng", Role::Officer, &["kp1".to_owned()])?;
    let mut enrolled = Vec::with_capacity(count);
    for number in 0..count {
        let is_concerned = number + out_of_scope < count;
        let key = SigningKey::from_bytes(blake3::hash(&number.to_le_bytes()).as_bytes());
        let whose = if is_concerned { leader } else { officer };
        let invite = ward.invite(whose, &["127.0.0.1:1".to_owned()], HOUR_MS)?;
        let request = EnrolmentRequest {
            token: invite.token,
            device_name: format!("device {number}"),
        };
        let device = DeviceId::of(&key);
        ward.enrol(device, &request)?
            .map_err(|refusal| refusal.to_string())?;
        enrolled.push(Enrolled { key, is_concerned });
    }
    Ok(enrolled)
}

/// When whose page came: whether the device was concerned, and the time.
type Page = (bool, Instant);

/// All devices, connected.
pub(super) struct Devices {
    staying: JoinSet<Result<(), String>>,
    pages: mpsc::UnboundedReceiver<Page>,
    _sockets: Vec<Endpoint>,
    wrongly_told: usize,
}

impl Devices {
    pub(super) async fn connect(
        server: &Server,
        ward_key: WardKey,
        enrolled: Vec<Enrolled>,
    ) -> Result<Self, Box<dyn Error>> {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sockets = (0..SOCKETS)
            .map(|_| Endpoint::client(local))
            .collect::<Result<Vec<_>, _>>()?;
        let (told, pages) = mpsc::unbounded_channel();
        let (arrived, mut arrivals) = mpsc::unbounded_channel();
        let turns = Arc::new(Semaphore::new(HANDSHAKES));
        let mut staying = JoinSet::new();
        let count = enrolled.len();
        for (number, enrolled) in enrolled.into_iter().enumerate() {
            let (endpoint, address) = (sockets[number % SOCKETS].clone(), server.address);
            let (told, arrived, turns) = (told.clone(), arrived.clone(), Arc::clone(&turns));
            staying.spawn(async move {
                let turn = turns
                    .acquire_owned()
                    .await
                    .map_err(|error| error.to_string())?;
                let config = tls::client_config(&enrolled.key, ward_key, ALPN_SYNC)
                    .map_err(|error| error.to_string())?;
                let connection = endpoint
                    .connect_with(config, address, "ward")
                    .map_err(|error| error.to_string())?
                    .await
                    .map_err(|error| error.to_string())?;
                let mut device = Device::follow(connection).await?;
                drop(turn);
                let _ = arrived.send(());
                loop {
                    if let WardMessage::Page(_) = device.hear().await? {
                        let _ = told.send((enrolled.is_concerned, now()));
                        device.say(&DeviceMessage::Taken).await?;
                    }
                }
            });
        }
        for _ in 0..count {
            tokio::select! {
                _ = timeout(PATIENCE, arrivals.recv()) => {}
                Some(ended) = staying.join_next() => {
                    ended??;
                }
            }
        }
        Ok(Self {
            staying,
            pages,
            _sockets: sockets,
            wrongly_told: 0,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.staying.len()
    }

    /// Waits until so many devices have heard, and gives how long each took, ascending.
    pub(super) async fn all_hear(
        &mut self,
        count: usize,
        began: Instant,
    ) -> Result<Vec<Duration>, Box<dyn Error>> {
        let mut heard = Vec::with_capacity(count);
        while heard.len() < count {
            let (is_concerned, at) = timeout(PATIENCE, self.pages.recv())
                .await?
                .ok_or("every device has gone")?;
            if is_concerned {
                heard.push(at.duration_since(began));
            } else {
                self.wrongly_told += 1;
            }
        }
        heard.sort();
        Ok(heard)
    }

    /// How many pages came to devices that no change concerned.
    pub(super) fn wrongly_told(&mut self) -> usize {
        while let Ok((is_concerned, _)) = self.pages.try_recv() {
            self.wrongly_told += usize::from(!is_concerned);
        }
        self.wrongly_told
    }
}

struct Device {
    send: SendStream,
    receive: RecvStream,
    decoder: FrameDecoder,
    /// Read and not decoded.
    rest: Vec<u8>,
    _connection: Connection,
}

impl Device {
    /// Reads the feed to its end and stays.
    async fn follow(connection: Connection) -> Result<Self, String> {
        let opened = connection.open_bi().await;
        let (send, receive) = opened.map_err(|error| error.to_string())?;
        let mut device = Self {
            send,
            receive,
            decoder: FrameDecoder::new(WardMessage::payload_limit),
            rest: Vec::new(),
            _connection: connection,
        };
        device
            .say(&DeviceMessage::Hello(Hello {
                minor: MinorVersions::OURS,
                device_time: Timestamp(0),
                app_version: "staying".to_owned(),
                cursor: Cursor::default(),
                directory_version: None,
            }))
            .await?;
        device.say(&DeviceMessage::Pull { window: 4 }).await?;
        device.hear_caught_up().await?;
        device.say(&DeviceMessage::Follow { window: 2 }).await?;
        device.hear_caught_up().await?;
        Ok(device)
    }

    async fn hear_caught_up(&mut self) -> Result<(), String> {
        loop {
            match self.hear().await? {
                WardMessage::CaughtUp { .. } => return Ok(()),
                WardMessage::Page(_) => self.say(&DeviceMessage::Taken).await?,
                WardMessage::Refuse(refusal) => return Err(refusal.to_string()),
                _ => {}
            }
        }
    }

    async fn say(&mut self, message: &DeviceMessage) -> Result<(), String> {
        let bytes = message.encode();
        let written = self.send.write_all(&bytes).await;
        written.map_err(|error| error.to_string())
    }

    async fn hear(&mut self) -> Result<WardMessage, String> {
        loop {
            let mut rest = &self.rest[..];
            let frame = self.decoder.next(&mut rest);
            self.rest = rest.to_vec();
            if let Some(frame) = frame.map_err(|violation| violation.to_string())? {
                return WardMessage::decode(&frame).map_err(|error| error.to_string());
            }
            let chunk = self.receive.read_chunk(16_384, true).await;
            let chunk = chunk.map_err(|error| error.to_string())?;
            self.rest = chunk.ok_or("the ward ended it")?.bytes.to_vec();
        }
    }
}
