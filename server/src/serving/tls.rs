//! TLS before the console: the handshakes, and a certificate that may be replaced while it is served. Knows
//! nothing of HTTP.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a browser may take for its handshake, and how many take theirs at once.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HANDSHAKES_AT_ONCE: usize = 256;

/// Wait before accepting again where the system has no more files to give.
const PAUSE: Duration = Duration::from_millis(100);

/// Where the console's certificate and its key lie, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The certificate cannot be used.
#[derive(Debug, Error)]
#[error("the console's certificate cannot be used ({}): {cause}", .path.display())]
pub struct CertificateError {
    /// Which file.
    path: PathBuf,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl CertificateFiles {
    fn load(&self) -> Result<CertifiedKey, CertificateError> {
        let failed =
            |path: &Path, cause: Box<dyn std::error::Error + Send + Sync>| CertificateError {
                path: path.to_owned(),
                cause,
            };
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(&self.certificate, error.into()))?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| failed(&self.key, error.into()))?;
        // Refuses a key that is not the certificate's.
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map_err(|error| failed(&self.certificate, error.into()))
    }

    /// When either file was written last.
    fn written_at(&self) -> io::Result<SystemTime> {
        let written = |path| std::fs::metadata(path)?.modified();
        Ok(written(&self.certificate)?.max(written(&self.key)?))
    }
}

/// The certificate as it lies on the disk now: whoever renews it need not start the server anew.
#[derive(Debug)]
struct Certificate {
    files: CertificateFiles,
    loaded: Mutex<(SystemTime, Arc<CertifiedKey>)>,
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(written_at) = self.files.written_at()
            && written_at != loaded.0
        {
            // Half of a pair may be written yet: the old one serves until both are there.
            match self.files.load() {
                Ok(key) => *loaded = (written_at, Arc::new(key)),
                Err(error) => tracing::warn!(%error, "the old certificate is served on"),
            }
        }
        Some(Arc::clone(&loaded.1))
    }
}

/// Takes browsers in once their handshake is done. One that dawdles holds up nobody.
pub(super) struct TlsListener {
    address: SocketAddr,
    shaken: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// To be called within a tokio runtime.
    pub(super) fn new(
        listener: TcpListener,
        files: CertificateFiles,
    ) -> Result<Self, CertificateError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| CertificateError {
                path,
                cause: error.into(),
            }
        };
        let address = listener
            .local_addr()
            .map_err(unreadable(&files.certificate))?;
        let written_at = files.written_at().map_err(unreadable(&files.certificate))?;
        let key = Arc::new(files.load()?);
        let certificate = Certificate {
            files,
            loaded: Mutex::new((written_at, key)),
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("ring speaks TLS 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificate));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (sender, shaken) = mpsc::channel(1);
        tokio::spawn(shake_hands(listener, Arc::new(config).into(), sender));
        Ok(Self { address, shaken })
    }
}

async fn shake_hands(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shaken: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_AT_ONCE));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shaken.closed() => return,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (acceptor, shaken) = (acceptor.clone(), shaken.clone());
        tokio::spawn(async move {
            let _place = place;
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => drop(shaken.send((stream, peer)).await),
                Ok(Err(error)) => tracing::debug!(%error, "no handshake"),
                Err(_) => tracing::debug!("a handshake took too long"),
            }
        });
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.shaken.recv().await {
            Some(taken) => taken,
            // The task that shakes hands lives as long as this receiver.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
