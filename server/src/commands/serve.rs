//! `serve`: binds both ports, says so, and stops in order when the system asks.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{CommandError, Outcome, Terminal, say};
use crate::cli;
use crate::config::Config;
use crate::console::{self, Transport};
use crate::sync::Listener;
use crate::ward::Ward;

/// How long a browser may take to read its last page once the server stops.
const HTTP_FAREWELL: Duration = Duration::from_secs(5);

pub(super) fn run(
    arguments: &cli::Serve,
    mut config: Config,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let quic = arguments.quic.unwrap_or(config.quic);
    let http = arguments.http.unwrap_or(config.http);
    config.is_cleartext_http_allowed |= arguments.allow_cleartext_http;
    config.check_http(http)?;
    let transport = if config.is_behind_tls_proxy {
        Transport::Tls
    } else {
        Transport::ClearText
    };
    let runtime = tokio::runtime::Runtime::new().map_err(CommandError::System)?;
    runtime.block_on(async {
        let doors = Doors::open(ward, quic, http).await?;
        let (quic, http) = (doors.phones.local_address(), doors.console_address);
        ward.remember_addresses(&quic.to_string(), &http.to_string())?;
        let stop = stop_signal().map_err(CommandError::System)?;
        say(
            terminal.output,
            format_args!("ready quic={quic} http={http} ward={}", ward.code()),
        )?;
        tracing::info!(%quic, %http, ward = %ward.code(), "serving");
        doors.serve(ward, transport, stop).await;
        tracing::info!("stopped");
        Ok(Outcome::Done)
    })
}

/// Both bound ports of a ward, before anybody is let in.
pub(crate) struct Doors {
    pub(crate) phones: Listener,
    pub(crate) console: TcpListener,
    pub(crate) console_address: SocketAddr,
}

impl Doors {
    pub(crate) async fn open(
        ward: &Ward,
        quic: SocketAddr,
        http: SocketAddr,
    ) -> Result<Self, CommandError> {
        let refused = |address| move |source| CommandError::Listen { address, source };
        let console = TcpListener::bind(http).await.map_err(refused(http))?;
        let console_address = console.local_addr().map_err(refused(http))?;
        let phones = Listener::bind(ward.clone(), quic).map_err(refused(quic))?;
        Ok(Self {
            phones,
            console,
            console_address,
        })
    }

    /// Serves both until `stop` says so; then nothing new is begun, and what was begun is finished.
    pub(crate) async fn serve(
        self,
        ward: &Ward,
        transport: Transport,
        stop: watch::Receiver<bool>,
    ) {
        let console = serve_console(self.console, ward, transport, stop.clone());
        tokio::join!(self.phones.serve(stopped(stop)), console);
    }
}

pub(crate) async fn serve_console(
    listener: TcpListener,
    ward: &Ward,
    transport: Transport,
    stop: watch::Receiver<bool>,
) {
    let router = console::router(ward.clone(), transport)
        .into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, router)
        .with_graceful_shutdown(stopped(stop.clone()))
        .into_future();
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

pub(crate) async fn stopped(mut stop: watch::Receiver<bool>) {
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
