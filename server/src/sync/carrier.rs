//! What carries a connection: QUIC, or TLS over TCP for phones behind a network that lets no UDP pass.
//! Both give one stream each way, and can be closed from outside.

use std::sync::Arc;

use gandan_core::client::tls;
use gandan_core::model::DeviceId;
use quinn::{Connection, Incoming};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is said to the device.
pub(super) type Sender = Box<dyn AsyncWrite + Send + Unpin>;
/// What the device says.
pub(super) type Receiver = Box<dyn AsyncRead + Send + Unpin>;

/// A connection that a device has proven to be its own.
pub(super) struct Proven {
    pub(super) device: DeviceId,
    /// What both sides agreed to speak.
    pub(super) protocol: Option<Vec<u8>>,
    pub(super) handle: Handle,
    stream: Option<Box<TlsStream<TcpStream>>>,
}

/// Closes a connection from wherever it is known.
#[derive(Debug, Clone)]
pub(super) enum Handle {
    Quic(Connection),
    /// Over TCP nothing can be told; the stream ends.
    Tcp(Arc<Notify>),
}

impl Handle {
    /// Closes it, with a code if it has one to tell.
    pub(super) fn close(&self, code: u32) {
        match self {
            Self::Quic(connection) => connection.close(code.into(), b""),
            Self::Tcp(closing) => closing.notify_one(),
        }
    }

    /// Whether the connection ends by itself soon after nobody is behind it any more.
    pub(super) fn notices_silence(&self) -> bool {
        matches!(self, Self::Quic(_))
    }

    /// Done when the device has gone after the last word; over TCP the end of the stream was that.
    pub(super) async fn left(&self) {
        if let Self::Quic(connection) = self {
            connection.closed().await;
        }
    }

    /// Done when it is closed, by whichever side; over TCP by ours.
    pub(super) async fn closed(&self) {
        match self {
            Self::Quic(connection) => drop(connection.closed().await),
            Self::Tcp(closing) => closing.notified().await,
        }
    }
}

impl Proven {
    /// The connection as soon as it is known whose it is: from the first packet if the device resumes,
    /// since only who was given the ticket can have written it, else at the end of the handshake.
    pub(super) async fn by_quic(incoming: Incoming) -> Option<Self> {
        let device = |connection: &Connection| tls::peer_device(connection.peer_identity());
        let (connection, handshake) = incoming.accept().ok()?.into_0rtt().ok()?;
        if device(&connection).is_none() {
            // Its value means nothing here; a handshake that failed has proven no device.
            handshake.await;
        }
        Some(Self {
            device: device(&connection)?,
            protocol: tls::agreed_protocol(connection.handshake_data()),
            handle: Handle::Quic(connection),
            stream: None,
        })
    }

    /// The connection at the end of the handshake.
    pub(super) async fn by_tcp(stream: TcpStream, acceptor: TlsAcceptor) -> Option<Self> {
        stream.set_nodelay(true).ok()?;
        let stream = acceptor.accept(stream).await.ok()?;
        let (_, session) = stream.get_ref();
        Some(Self {
            device: tls::shown_device(session.peer_certificates()?)?,
            protocol: session.alpn_protocol().map(<[u8]>::to_vec),
            handle: Handle::Tcp(Arc::default()),
            stream: Some(Box::new(stream)),
        })
    }

    /// The stream that the device opens; `None` if it goes without. Over TCP there is one only.
    pub(super) async fn stream(&mut self) -> Option<(Sender, Receiver)> {
        match &self.handle {
            Handle::Quic(connection) => {
                let (send, receive) = connection.accept_bi().await.ok()?;
                Some((Box::new(send), Box::new(receive)))
            }
            Handle::Tcp(_) => {
                let (receive, send) = tokio::io::split(self.stream.take()?);
                Some((Box::new(send), Box::new(receive)))
            }
        }
    }
}
