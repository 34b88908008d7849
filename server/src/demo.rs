//! One afternoon in a sample ward, for whoever wants to see what this is: real stores, real phones
//! of the core, real QUIC on loopback, the same verbs as the console. Only the people are invented.

mod afternoon;
mod office;
mod photos;
mod play;
mod stage;
mod summary;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gandan_core::client::SyncError;
use gandan_core::environment::Environment;
use gandan_core::replica::RecordError;
use gandan_core::store::{OpenError, StoreError};
use thiserror::Error;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::cli;
use crate::commands::{self, Outcome, Terminal, sentence};
use crate::console::Transport;
use crate::serving::{Doors, ListenError, stop_signal};
use crate::ward::WardError;
use stage::Stage;
use summary::Summary;

/// Where a demo that goes on serving keeps its ward.
const DEFAULT_FOLDER: &str = "gandan-demo";

/// Why the afternoon could not be played to its end.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The folder holds a ward that no demo made.
    #[error("{0} holds a ward that is no demo; nothing was changed. Choose another --data")]
    NotADemo(PathBuf),
    /// A port cannot be had.
    #[error("{0}. Choose others with --http and --quic, 127.0.0.1:0 is any free port")]
    Listen(#[from] ListenError),
    /// The ward stands against it.
    #[error(transparent)]
    Ward(#[from] WardError),
    /// A phone's store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A phone did not record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A phone's store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A phone did not reach the ward.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The folder cannot be used, or the system gives no threads.
    #[error("the demo's folder cannot be used: {0}")]
    File(#[from] std::io::Error),
}

impl DemoError {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NotADemo(_) => 2,
            Self::Ward(error) => commands::ward_exit_code(error),
            Self::Record(RecordError::Store(_)) => 3,
            Self::Record(_) => 1,
            Self::Open(_) | Self::Store(_) | Self::File(_) => 3,
            Self::Listen(_) | Self::Sync(_) => 4,
        }
    }

    pub(crate) fn vietnamese(&self) -> String {
        match self {
            Self::NotADemo(_) => {
                "Thư mục này có một phường không phải bản chơi thử; chọn thư mục khác cho --data."
                    .to_owned()
            }
            Self::Listen(error) => sentence::listening(error),
            Self::Ward(error) => sentence::ward(error),
            Self::Open(error) => error.to_string(),
            Self::Record(_) => "Điện thoại không ghi được.".to_owned(),
            Self::Store(_) => "Kho dữ liệu trên điện thoại gặp lỗi.".to_owned(),
            Self::Sync(_) => "Điện thoại không đồng bộ được với phường.".to_owned(),
            Self::File(_) => "Không dùng được thư mục của bản chơi thử.".to_owned(),
        }
    }
}

/// Tells the story while it happens; if nobody listens, it happens all the same.
struct Voice<'a>(&'a mut (dyn Write + Send));

impl Voice<'_> {
    fn say(&mut self, words: std::fmt::Arguments) {
        let _ = self.0.write_fmt(words);
        let _ = self.0.write_all(b"\n");
        let _ = self.0.flush();
    }
}

/// Plays the afternoon, tells what came of it, and serves the console unless it is to end at once.
pub(crate) fn run(
    arguments: cli::Demo,
    environment: Arc<dyn Environment>,
    terminal: &mut Terminal,
) -> Result<Outcome, DemoError> {
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let http = arguments
        .http
        .unwrap_or(local(if arguments.once { 0 } else { 8080 }));
    let quic = arguments.quic.unwrap_or(local(0));
    // A demo that still runs has the port, and its folder must not be cleared under it.
    drop(
        std::net::TcpListener::bind(http).map_err(|source| ListenError {
            address: http,
            source,
        })?,
    );
    let folder = Folder::choose(&arguments, environment.as_ref());
    stage::clear(folder.path())?;
    let runtime = Runtime::new()?;
    let stage = Stage::set(folder.path(), &environment)?;
    let (stop, stopping) = watch::channel(false);
    let doors = runtime.block_on(Doors::open(&stage.ward, quic, http))?;
    let address = doors.phones.local_address().to_string();
    let console = doors.console_address;
    stage
        .ward
        .remember_addresses(&address, &console.to_string())?;
    let ward = stage.ward.clone();
    let serving = runtime.spawn(async move {
        doors
            .serve(&ward, Transport::ClearText.into(), stopping)
            .await
    });

    let mut voice = Voice(if arguments.json {
        &mut *terminal.messages
    } else {
        &mut *terminal.output
    });
    let syncs = play::play(&stage, &runtime, &address, &mut voice)?;
    let summary = Summary::of(&stage, &syncs)?;
    summary.tell(&mut voice);
    if !arguments.once {
        say_what_to_try(&stage, folder.path(), console, &mut voice);
    }
    if arguments.json {
        Voice(&mut *terminal.output).say(format_args!("{}", summary.to_json()));
    }
    // Whoever tries the phones now opens their stores; one program at a time may.
    drop(stage);
    if !arguments.once {
        runtime.block_on(async {
            let mut asked = stop_signal()?;
            let _ = asked.wait_for(|is_asked| *is_asked).await;
            std::io::Result::Ok(())
        })?;
    }
    let _ = stop.send(true);
    let _ = runtime.block_on(serving);
    Ok(if summary.is_whole() {
        Outcome::Done
    } else {
        Outcome::Incomplete
    })
}

fn say_what_to_try(stage: &Stage, folder: &Path, console: SocketAddr, voice: &mut Voice) {
    let folder = folder.display();
    let phone = &stage.phones[0];
    voice.say(format_args!(
        "\n\
         Trang tiếp nhận · The console:  http://{console}\n\
         Đăng nhập · Sign in:            {login} / {password}\n\
         \n\
         Thử tiếp · Try next\n  \
         - mở một hồ sơ mới, bấm Tiếp nhận rồi Giao việc · open a new case, accept it, assign it\n  \
         - tìm 'ngap dong ho' không dấu · search without diacritics: 'ngap dong ho'\n  \
         - xem hồ sơ có hai giá trị khác nhau cùng lúc · look at the case with two values at once\n  \
         - hỏi điện thoại của {officer} · ask the phone what it knows now:\n      \
         export GANDAN_STORE_KEY=$(cat {key})\n      \
         cargo run -p gandan-core --bin gandan-phone -- sync --store {store}\n      \
         cargo run -p gandan-core --bin gandan-phone -- list --store {store} --json --search 'nap ho ga'\n  \
         - ghi danh điện thoại của bạn · enrol a phone of your own:\n      \
         cargo run -p gandan-server -- invite --data {folder} --officer 'Tên bạn' --role leader\n\
         \n\
         Dừng bằng Ctrl-C · Ctrl-C stops it",
        login = stage.triage.login,
        password = stage.password,
        officer = phone.officer.name,
        key = phone.key_file.display(),
        store = phone.folder.display(),
    ));
}

/// Where the demo's ward and phones lie.
enum Folder {
    Kept(PathBuf),
    /// Gone with the value.
    Temporary(PathBuf),
}

impl Folder {
    fn choose(arguments: &cli::Demo, environment: &dyn Environment) -> Self {
        match (&arguments.directory, arguments.once) {
            (Some(folder), _) => Self::Kept(folder.clone()),
            (None, false) => Self::Kept(PathBuf::from(DEFAULT_FOLDER)),
            (None, true) => {
                let mut random = [0; 8];
                environment.fill_random(&mut random);
                let name = format!("gandan-demo-{}", data_encoding::HEXLOWER.encode(&random));
                Self::Temporary(std::env::temp_dir().join(name))
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Temporary(path) => path,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}
