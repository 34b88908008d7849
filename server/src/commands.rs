//! What each command does, apart from its words: opens the ward, calls it, says what came of it.
//! Owns exit codes and the sentences for people; decides nothing about the ward.

mod areas;
mod backup;
mod people;
mod purge;
mod quarantine;
mod records;
mod requests;
mod rules;
pub(crate) mod sentence;
mod serve;
mod trail;

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::{Environment, SystemEnvironment};
use thiserror::Error;

use crate::backup::BackupError;
use crate::cli::{Backup, BackupCommand, Cli, Command, InvitesCommand, RequestCommand};
use crate::config::{Config, ConfigError};
use crate::demo::{self, DemoError};
use crate::register::ParseAreasError;
use crate::serving::{CertificateError, ListenError};
use crate::telemetry;
use crate::ward::audit::Actor;
use crate::ward::{Ward, WardError};
use gandan_core::protocol::checkpoint::ParseCheckpointError;
use gandan_core::recovery::ParseRecoveryKeyError;
use gandan_core::rescue::OpenRescueError;

/// Log of a command that a person waits for: only what went wrong.
const LOG_OF_COMMANDS: &str = "warn";

/// What a command reads and writes.
pub struct Terminal<'a> {
    /// Standard input.
    pub input: &'a mut dyn BufRead,
    /// Results, for programs too.
    pub output: &'a mut (dyn Write + Send),
    /// What is said to a person meanwhile.
    pub messages: &'a mut (dyn Write + Send),
    /// A person types the input.
    pub is_input_typed: bool,
    /// A person looks at the output.
    pub is_output_watched: bool,
}

/// How a command ended that could be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is done.
    Done,
    /// Done, but something was refused or still waits; it was said.
    Incomplete,
}

impl Outcome {
    /// The exit code of the process.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Incomplete => 1,
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The ward stands against it.
    #[error(transparent)]
    Ward(#[from] WardError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file of areas cannot be read.
    #[error("the file of areas was not taken: {0}")]
    Areas(#[from] ParseAreasError),
    /// A file that the command line names.
    #[error("the file cannot be read: {0}")]
    Input(#[source] std::io::Error),
    /// No password came.
    #[error("no password came; give it as one line on standard input")]
    NoPassword,
    /// No device, or several, have an id that begins so.
    #[error(
        "no device, or more than one, has an id that begins so; see: gandan-server device list"
    )]
    AmbiguousDevice,
    /// An address of an invite is none.
    #[error("an address for phones is written host:port, such as phuong.example.vn:4433")]
    Address,
    /// Another process serves the same folder.
    #[error("another gandan-server serves this folder; stop it first, or choose another --data")]
    Serving,
    /// A port cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The console's certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The operating system gives no threads or signals.
    #[error("the operating system refuses: {0}")]
    System(#[source] std::io::Error),
    /// Standard output was closed.
    #[error("standard output cannot be written: {0}")]
    Output(#[source] std::io::Error),
    /// A file that is to be made is there, or its folder cannot be written.
    #[error("the new file cannot be written: {0}")]
    NewFile(#[source] std::io::Error),
    /// An invite with so many addresses is longer than a QR code.
    #[error("an invite with so many addresses is too long for a QR code; give fewer")]
    NoQrCode,
    /// There is no backup, or nothing was made of one.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// What was typed is no recovery key.
    #[error(transparent)]
    RecoveryKey(#[from] ParseRecoveryKeyError),
    /// A line of a file of checkpoints is none.
    #[error(transparent)]
    Checkpoint(#[from] ParseCheckpointError),
    /// The demo could not be played.
    #[error(transparent)]
    Demo(#[from] DemoError),
}

impl CommandError {
    /// The exit code of the process: 1 refused, 2 wrong usage, 3 store or key, 4 network.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Ward(error) => ward_exit_code(error),
            Self::Config(_)
            | Self::Areas(_)
            | Self::Input(_)
            | Self::NoPassword
            | Self::AmbiguousDevice
            | Self::Address
            | Self::Certificate(_)
            | Self::RecoveryKey(_)
            | Self::Checkpoint(_) => 2,
            Self::Backup(error) => backup_exit_code(error),
            Self::NoQrCode => 2,
            Self::Serving | Self::System(_) | Self::Output(_) | Self::NewFile(_) => 3,
            Self::Listen(_) => 4,
            Self::Demo(error) => error.exit_code(),
        }
    }

    /// What happened and what to do: Vietnamese first, English second.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence::of(self)
    }
}

/// The exit code for a word of the ward.
pub(crate) fn ward_exit_code(error: &WardError) -> u8 {
    match error {
        WardError::NotAllowed(_) | WardError::NumberingPaused | WardError::TooManyAttempts => 1,
        WardError::AlreadyInitialised
        | WardError::UnknownWard
        | WardError::NotFound(_)
        | WardError::Taken(_)
        | WardError::Invalid(_)
        | WardError::Rescue(
            OpenRescueError::NotARescueFile
            | OpenRescueError::Newer
            | OpenRescueError::OtherWard(_),
        ) => 2,
        WardError::Rescue(OpenRescueError::Damaged) => 1,
        WardError::NotInitialised
        | WardError::NoStoreKey
        | WardError::StoreKeyOpenToOthers
        | WardError::Damaged
        | WardError::Rescue(OpenRescueError::Sealed)
        | WardError::Open(_)
        | WardError::Full
        | WardError::Database(_)
        | WardError::File(_) => 3,
    }
}

fn backup_exit_code(error: &BackupError) -> u8 {
    match error {
        BackupError::NotABackup
        | BackupError::Newer
        | BackupError::Occupied
        | BackupError::OtherWard(_)
        | BackupError::NoSuchNumber(_)
        | BackupError::WardIsThere => 2,
        BackupError::Busy
        | BackupError::Damaged(_)
        | BackupError::WrongKey
        | BackupError::File(_) => 3,
        BackupError::Ward(error) => ward_exit_code(error),
    }
}

/// Carries a command out.
///
/// # Errors
/// See [`CommandError`].
pub fn run(cli: Cli, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    let environment: Arc<dyn Environment> = Arc::new(SystemEnvironment);
    match cli.command {
        Command::Demo(arguments) => {
            let config = Config::load(Path::new(""))?;
            log_for_a_person(&config);
            Ok(demo::run(arguments, environment, terminal)?)
        }
        Command::Init(arguments) => {
            open_log(&arguments.data.directory)?;
            areas::init(&arguments, environment, terminal)
        }
        Command::Serve(arguments) => {
            let config = Config::load(&arguments.data.directory)?;
            telemetry::install(&config.log, config.log_format);
            let ward = Ward::open(&arguments.data.directory, environment)?;
            serve::run(&arguments, config, &ward, terminal)
        }
        Command::Staff(crate::cli::StaffCommand::Add(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            people::add_staff(&arguments, &ward, terminal)
        }
        Command::Staff(crate::cli::StaffCommand::List(data)) => {
            let (ward, _) = open(&data.directory, environment)?;
            people::list_staff(&ward, terminal)
        }
        Command::Staff(crate::cli::StaffCommand::Remove(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            people::remove_staff(&arguments.login, &ward, terminal)
        }
        Command::Staff(crate::cli::StaffCommand::Password(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            people::set_password(&arguments.login, &ward, terminal)
        }
        Command::Staff(crate::cli::StaffCommand::SignOut(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            people::sign_out(&arguments.login, &ward, terminal)
        }
        Command::Staff(crate::cli::StaffCommand::ResetSecondFactor(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            people::reset_second_factor(&arguments.login, &ward, terminal)
        }
        Command::Invite(arguments) => {
            let (ward, config) = open(&arguments.data.directory, environment)?;
            people::invite(&arguments, &config, &ward, terminal)
        }
        Command::Invites(InvitesCommand::List(data)) => {
            let (ward, _) = open(&data.directory, environment)?;
            people::list_invites(&ward, terminal)
        }
        Command::Invites(InvitesCommand::Revoke(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            people::revoke_invite(&arguments.invite, &ward, terminal)
        }
        Command::Device(crate::cli::DeviceCommand::List(data)) => {
            let (ward, _) = open(&data.directory, environment)?;
            people::list_devices(&ward, terminal)
        }
        Command::Device(crate::cli::DeviceCommand::Revoke(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            people::revoke_device(&arguments, &ward, terminal)
        }
        Command::Officer(crate::cli::OfficerCommand::Areas(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            people::give_areas(&arguments, &ward, terminal)
        }
        Command::Area(crate::cli::AreaCommand::List(data)) => {
            let (ward, _) = open(&data.directory, environment)?;
            areas::list(&ward, terminal)
        }
        Command::Area(crate::cli::AreaCommand::Add(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            areas::add(&arguments, &ward, terminal)
        }
        Command::Area(crate::cli::AreaCommand::Import(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            areas::import(&arguments.file, &ward, terminal)
        }
        Command::ImportRescue(arguments) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            records::import_rescue(&arguments, &ward, terminal)
        }
        Command::Export(arguments) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            records::export(&arguments.case, &ward, terminal)
        }
        Command::Hold(arguments) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            people::hold(&arguments, &ward, terminal)
        }
        Command::ResumeNumbering(data) => {
            let (ward, _) = open(&data.directory, environment)?;
            records::resume_numbering(&ward, terminal)
        }
        Command::Audit(crate::cli::AuditCommand::Verify(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            trail::verify(&arguments.checkpoints, &ward, terminal)
        }
        Command::Audit(crate::cli::AuditCommand::Checkpoint(data)) => {
            let (ward, _) = open(&data.directory, environment)?;
            trail::checkpoint(&ward, terminal)
        }
        Command::Audit(crate::cli::AuditCommand::List(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            trail::list(&arguments, &ward, terminal)
        }
        Command::Backup(arguments) => match &arguments {
            Backup {
                command: Some(BackupCommand::Verify(verify)),
                ..
            } => backup::verify(verify, terminal),
            Backup {
                command: Some(BackupCommand::NewKey(data)),
                ..
            } => {
                let (ward, _) = open(&data.directory, environment)?;
                backup::new_key(&ward, terminal)
            }
            Backup {
                directory: Some(data),
                to: Some(to),
                ..
            } => {
                let (ward, _) = open(data, environment)?;
                backup::write(&arguments, &ward, data, to, terminal)
            }
            Backup { .. } => unreachable!("the command line asks for both"),
        },
        Command::Check(arguments) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            trail::check(&ward, terminal)
        }
        Command::Restore(arguments) => backup::restore(&arguments, environment, terminal),
        Command::Reclassify(arguments) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            purge::reclassify(&arguments.case, &ward, terminal)
        }
        Command::Erase(arguments) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            purge::erase(&arguments.person, &ward, terminal)
        }
        Command::Request(RequestCommand::Add(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            requests::add(&arguments, &ward, terminal)
        }
        Command::Request(RequestCommand::List(data)) => {
            let (ward, _) = open(&data.directory, environment)?;
            requests::list(&ward, terminal)
        }
        Command::Request(RequestCommand::Answer(request)) => {
            let (ward, _) = open(&request.data.directory, environment)?;
            requests::answer(request.number, &ward, terminal)
        }
        Command::Request(RequestCommand::Close(arguments)) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            requests::close(&arguments, &ward, terminal)
        }
        Command::Retention(arguments) => {
            let (ward, config) = open(&arguments.data.directory, environment)?;
            requests::retention(arguments.apply, &config.retention, &ward, terminal)
        }
        Command::Access(arguments) => {
            let (ward, _) = open(&arguments.data.directory, environment)?;
            requests::access(&arguments, &ward, terminal)
        }
        Command::Sealed(crate::cli::SealedCommand::List(data)) => {
            let (ward, _) = open(&data.directory, environment)?;
            purge::sealed(&ward, terminal)
        }
        Command::Quarantine(crate::cli::QuarantineCommand::List(data)) => {
            let (ward, _) = open(&data.directory, environment)?;
            quarantine::list(&ward, terminal)
        }
        Command::Quarantine(crate::cli::QuarantineCommand::Show(file)) => {
            let (ward, _) = open(&file.data.directory, environment)?;
            quarantine::show(file.number, &ward, terminal)
        }
        Command::Quarantine(crate::cli::QuarantineCommand::Take(file)) => {
            let (ward, _) = open(&file.data.directory, environment)?;
            quarantine::take(file.number, &ward, terminal)
        }
        Command::Quarantine(crate::cli::QuarantineCommand::Discard(file)) => {
            let (ward, _) = open(&file.data.directory, environment)?;
            quarantine::discard(file.number, &ward, terminal)
        }
        Command::Policy(options) => rules::print(terminal, options.json),
    }
}

fn open(
    directory: &Path,
    environment: Arc<dyn Environment>,
) -> Result<(Ward, Config), CommandError> {
    let config = open_log(directory)?;
    let ward = Ward::open(directory, environment)?;
    Ok((ward.acting_for(Actor::CommandLine), config))
}

fn open_log(directory: &Path) -> Result<Config, CommandError> {
    let config = Config::load(directory)?;
    log_for_a_person(&config);
    Ok(config)
}

/// Quiet, unless the configuration asks for more than the default.
fn log_for_a_person(config: &Config) {
    let is_asked = config.log != Config::default().log;
    let filter = if is_asked {
        &config.log
    } else {
        LOG_OF_COMMANDS
    };
    telemetry::install(filter, config.log_format);
}

/// Writes results; nobody to read them is an error like any other.
fn say(output: &mut dyn Write, words: std::fmt::Arguments) -> Result<(), CommandError> {
    output
        .write_fmt(words)
        .and_then(|()| output.write_all(b"\n"))
        .and_then(|()| output.flush())
        .map_err(CommandError::Output)
}

/// Says something to a person; if nobody listens, the work goes on.
fn tell(messages: &mut dyn Write, words: std::fmt::Arguments) {
    let _ = messages.write_fmt(words);
    let _ = messages.write_all(b"\n");
    let _ = messages.flush();
}

/// Writes a new file that its user alone may read.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(CommandError::NewFile)
}
