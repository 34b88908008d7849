//! The two doors of a ward: QUIC for phones, HTTP for the console. Owns opening, serving and the
//! order of closing; knows nothing of what is said inside.

mod tls;

use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::console::{self, Entrance};
use crate::rounds::ask_every;
use crate::sync::Listener;
use crate::ward::Ward;
use tls::TlsListener;
pub use tls::{CertificateError, CertificateFiles};

/// How long a browser may take to read its last page once the server stops.
const HTTP_FAREWELL: Duration = Duration::from_secs(5);

/// How often it is asked whether another month has begun; the answer costs two reads.
const MONTH_LOOK: Duration = Duration::from_secs(60 * 60);

/// A port cannot be had.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenError {
    /// Where.
    pub address: SocketAddr,
    /// Why.
    pub source: std::io::Error,
}

/// Where browsers come in.
enum Console {
    ClearText(TcpListener),
    Tls(TlsListener),
}

/// Both bound ports of a ward, before anybody is let in.
pub(crate) struct Doors {
    pub(crate) phones: Listener,
    console: Console,
    pub(crate) console_address: SocketAddr,
}

impl Doors {
    pub(crate) async fn open(
        ward: &Ward,
        quic: SocketAddr,
        http: SocketAddr,
    ) -> Result<Self, ListenError> {
        let refused = |address| move |source| ListenError { address, source };
        let console = TcpListener::bind(http).await.map_err(refused(http))?;
        let console_address = console.local_addr().map_err(refused(http))?;
        let phones = Listener::bind(ward.clone(), quic).map_err(refused(quic))?;
        Ok(Self {
            phones,
            console: Console::ClearText(console),
            console_address,
        })
    }

    /// Puts TLS before the console.
    pub(crate) fn with_certificate(
        self,
        files: CertificateFiles,
    ) -> Result<Self, CertificateError> {
        let console = match self.console {
            Console::ClearText(listener) => Console::Tls(TlsListener::new(listener, files)?),
            tls @ Console::Tls(_) => tls,
        };
        Ok(Self { console, ..self })
    }

    /// Serves both until `stop` says so; then nothing new is begun, and what was begun is finished.
    pub(crate) async fn serve(self, ward: &Ward, entrance: Entrance, stop: watch::Receiver<bool>) {
        let router = console::router(ward.clone(), entrance);
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let stopping = stop.clone();
        let console = async move {
            match self.console {
                Console::ClearText(listener) => {
                    let serving = axum::serve(listener, router);
                    let serving = serving.with_graceful_shutdown(stopped(stopping.clone()));
                    serve_console(serving.into_future(), stopping.clone()).await;
                }
                Console::Tls(listener) => {
                    // Tapped, since only so axum tells a handler the address of a browser behind it.
                    let serving = axum::serve(listener.tap_io(|_| {}), router);
                    let serving = serving.with_graceful_shutdown(stopped(stopping.clone()));
                    serve_console(serving.into_future(), stopping.clone()).await;
                }
            }
        };
        let months = watch_months(ward.clone(), stop.clone());
        tokio::join!(self.phones.serve(stopped(stop)), console, months);
    }
}

async fn serve_console(
    serving: impl Future<Output = std::io::Result<()>>,
    stop: watch::Receiver<bool>,
) {
    let too_late = async {
        stopped(stop).await;
        tokio::time::sleep(HTTP_FAREWELL).await;
    };
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::error!(%error, "the console stopped");
            }
        }
        () = too_late => tracing::info!("a browser took too long to leave"),
    }
}

/// Lets phones forget what has become old, soon after the month began.
async fn watch_months(ward: Ward, stop: watch::Receiver<bool>) {
    let move_floor = |ward: &Ward| ward.move_floor().map(drop);
    tokio::select! {
        () = ask_every(MONTH_LOOK, ward, move_floor, "what phones hold was not looked at") => {}
        () = stopped(stop) => {}
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // A sender that is gone will never say stop, and nobody is left who could.
    let _ = stop.wait_for(|is_stopping| *is_stopping).await;
}

/// Becomes `true` when the system asks the process to end; asked again, the process ends at once.
/// To be called within a tokio runtime.
pub(crate) fn stop_signal() -> std::io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut asked = Asked::listen()?;
    tokio::spawn(async move {
        asked.wait().await;
        let _ = sender.send(true);
        asked.wait().await;
        // What was acknowledged is on the disk; the rest is sent again.
        std::process::exit(130);
    });
    Ok(receiver)
}

#[cfg(unix)]
struct Asked {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Asked {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Asked;

#[cfg(not(unix))]
impl Asked {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
