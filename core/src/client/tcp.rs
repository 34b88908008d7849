//! TLS over TCP, for networks that let no UDP pass. The same keys, the same protocol, one stream.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::socket::Traffic;

/// A connection whose peer proved to be the ward.
pub(super) type TcpStream = TlsStream<Counted>;

/// Connects and completes the handshake.
pub(super) async fn connect(
    address: &str,
    config: Arc<rustls::ClientConfig>,
    name: &'static str,
    traffic: &Arc<Traffic>,
) -> io::Result<TcpStream> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    // A conversation is a few large writes; the last part of each must not wait for more.
    stream.set_nodelay(true)?;
    let counted = Counted {
        stream,
        traffic: Arc::clone(traffic),
    };
    let name = ServerName::try_from(name).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, counted).await
}

/// A TCP stream whose bytes are counted.
pub(super) struct Counted {
    stream: tokio::net::TcpStream,
    traffic: Arc<Traffic>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.traffic.received(buffer.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = polled {
            self.traffic.gave(count);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
