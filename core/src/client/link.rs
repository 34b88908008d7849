//! One proven connection to the ward, whatever carries it: a QUIC connection, or TLS over TCP where
//! UDP is blocked. Both give one stream of bytes each way.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, ConnectionError, Endpoint, ReadError, VarInt, WriteError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::socket::Traffic;
use super::tcp::TcpStream;
use super::transport::CLOSE_DONE;

/// How long the goodbye may take to leave this device; it is lost if the radio is off by then.
pub(super) const GOODBYE_MS_MAX: u64 = 200;

/// What is said to the ward.
pub(super) type Sender = Box<dyn AsyncWrite + Send + Unpin>;
/// What the ward says.
pub(super) type Receiver = Box<dyn AsyncRead + Send + Unpin>;

/// A connection whose peer proved to be the ward, and what it cost.
pub(super) struct Link {
    pub(super) traffic: Arc<Traffic>,
    carrier: Carrier,
}

enum Carrier {
    Quic {
        connection: Connection,
        /// Keeps the socket open for the goodbye.
        _endpoint: Endpoint,
    },
    /// Taken out by the one conversation that it carries.
    Tcp(Option<Box<TcpStream>>),
}

impl Link {
    pub(super) fn quic(endpoint: Endpoint, connection: Connection, traffic: Arc<Traffic>) -> Self {
        let carrier = Carrier::Quic {
            connection,
            _endpoint: endpoint,
        };
        Self { traffic, carrier }
    }

    pub(super) fn tcp(stream: TcpStream, traffic: Arc<Traffic>) -> Self {
        let carrier = Carrier::Tcp(Some(Box::new(stream)));
        Self { traffic, carrier }
    }

    /// Where the ward answered by QUIC; `None` if only TCP passed.
    pub(super) fn peer_by_quic(&self) -> Option<SocketAddr> {
        match &self.carrier {
            Carrier::Quic { connection, .. } => Some(connection.remote_address()),
            Carrier::Tcp(_) => None,
        }
    }

    /// How often the device waited until it could speak: TCP has a handshake of its own.
    pub(super) fn handshake_round_trips(&self) -> u32 {
        match &self.carrier {
            Carrier::Quic { .. } => 1,
            Carrier::Tcp(_) => 2,
        }
    }

    /// Whether the connection ends by itself soon after nobody is behind it any more. TCP sends into the
    /// void for a quarter of an hour.
    pub(super) fn notices_silence(&self) -> bool {
        matches!(self.carrier, Carrier::Quic { .. })
    }

    /// A stream for one conversation. Over TCP there is one only.
    ///
    /// # Errors
    /// The connection is lost, or its one stream was taken.
    pub(super) async fn open(&mut self) -> io::Result<(Sender, Receiver)> {
        match &mut self.carrier {
            Carrier::Quic { connection, .. } => {
                let (send, receive) = connection.open_bi().await.map_err(io::Error::other)?;
                Ok((Box::new(send), Box::new(receive)))
            }
            Carrier::Tcp(stream) => {
                let stream = stream.take().ok_or(io::ErrorKind::NotConnected)?;
                let (receive, send) = tokio::io::split(stream);
                Ok((Box::new(send), Box::new(receive)))
            }
        }
    }

    /// Breaks off for what the ward did. TCP has no code to tell it.
    pub(super) fn break_off(&self, code: u32) {
        if let Carrier::Quic { connection, .. } = &self.carrier {
            connection.close(code.into(), b"");
        }
    }

    /// Says goodbye and waits until it left, so that the ward need not wait for its idle timeout. Over
    /// TCP the end of the stream has said it.
    pub(super) async fn close(&self) {
        let Carrier::Quic { connection, .. } = &self.carrier else {
            return;
        };
        let left = self.traffic.sent().notified();
        connection.close(VarInt::from_u32(CLOSE_DONE), b"");
        if timeout(Duration::from_millis(GOODBYE_MS_MAX), left)
            .await
            .is_err()
        {
            tracing::debug!("the goodbye did not leave in time");
        }
    }
}

/// How the connection ended below a stream that failed; `None` over TCP, or if only the stream did.
pub(super) fn connection_error(error: &io::Error) -> Option<&ConnectionError> {
    let inner = error.get_ref()?;
    if let Some(ReadError::ConnectionLost(error)) = inner.downcast_ref() {
        return Some(error);
    }
    if let Some(WriteError::ConnectionLost(error)) = inner.downcast_ref() {
        return Some(error);
    }
    inner.downcast_ref()
}

/// Whether the ward reads no further, though it may still say something.
pub(super) fn is_stopped(error: &io::Error) -> bool {
    let inner = error.get_ref();
    matches!(
        inner.and_then(|inner| inner.downcast_ref()),
        Some(WriteError::Stopped(_))
    )
}
