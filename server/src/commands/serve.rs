//! `serve`: opens both doors, says so, and stops in order when the system asks.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::{CommandError, Outcome, Terminal, say};
use crate::backup::rounds;
use crate::cli;
use crate::config::Config;
use crate::serving::{Doors, stop_signal};
use crate::ward::Ward;

/// Locked by the process that serves, so that phones and console see one writer's order of things.
const LOCK_NAME: &str = "serve.lock";

/// The lock of the folder, as long as it is held.
fn claim(directory: &Path) -> Result<File, CommandError> {
    let lock = File::create(directory.join(LOCK_NAME)).map_err(CommandError::System)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(CommandError::Serving),
        Err(TryLockError::Error(error)) => Err(CommandError::System(error)),
    }
}

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
    let entrance = config.entrance();
    let _only_one = claim(&arguments.data.directory)?;
    let runtime = tokio::runtime::Runtime::new().map_err(CommandError::System)?;
    runtime.block_on(async {
        let mut doors = Doors::open(ward, quic, http).await?;
        if let Some(files) = config.certificate {
            doors = doors.with_certificate(files)?;
        }
        let (quic, http) = (doors.phones.local_address(), doors.console_address);
        ward.remember_addresses(&quic.to_string(), &http.to_string())?;
        let stop = stop_signal().map_err(CommandError::System)?;
        say(
            terminal.output,
            format_args!("ready quic={quic} http={http} ward={}", ward.code()),
        )?;
        tracing::info!(%quic, %http, ward = %ward.code(), "serving");
        if let Some(to) = config.backup_to {
            let data = arguments.data.directory.clone();
            tokio::spawn(rounds::every_hour(ward.clone(), data, to));
        }
        doors.serve(ward, entrance, stop).await;
        tracing::info!("stopped");
        Ok(Outcome::Done)
    })
}
