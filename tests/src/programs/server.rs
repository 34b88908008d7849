//! `gandan-server` as a process: made, started, killed without warning, started again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use gandan_core::environment::SystemEnvironment;
use gandan_server::ward::Ward;

use super::{Finished, program};

/// Phường Tân Hòa.
const WARD: &str = "26995";

/// A ward's data folder and, while it serves, its process.
#[derive(Debug)]
pub struct WardServer {
    data: PathBuf,
    quic: SocketAddr,
    http: SocketAddr,
    process: Option<Child>,
    recovery_key: String,
}

impl WardServer {
    /// Makes a ward in a new folder and serves it on free ports.
    ///
    /// # Panics
    /// If any of it fails.
    #[must_use]
    pub fn start(data: &Path) -> Self {
        let mut server = Self {
            data: data.to_owned(),
            quic: SocketAddr::from(([127, 0, 0, 1], 0)),
            http: SocketAddr::from(([127, 0, 0, 1], 0)),
            process: None,
            recovery_key: String::new(),
        };
        let made = server.run(&["init", "--ward", WARD]).expect(0);
        server.recovery_key = made
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("recovery-key "))
            .expect("init prints the recovery key")
            .to_owned();
        server.serve();
        server
    }

    /// Serves, on the port that it had before if it had one.
    ///
    /// # Panics
    /// If it serves already or cannot.
    pub fn serve(&mut self) {
        assert!(self.process.is_none(), "it serves already");
        let mut process = self
            .command(&["serve", "--http", "127.0.0.1:0"])
            .args(["--quic", &self.quic.to_string()])
            .stdout(Stdio::piped())
            .stderr(self.log())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it was piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the server says when it is ready");
        let address = |name| {
            line.split(' ')
                .find_map(|word| word.strip_prefix(name))
                .and_then(|address| address.parse().ok())
                .unwrap_or_else(|| panic!("not a ready line: {line:?}"))
        };
        self.quic = address("quic=");
        self.http = address("http=");
        self.process = Some(process);
    }

    /// Serves where somebody else served.
    ///
    /// # Panics
    /// As [`WardServer::serve`].
    pub fn serve_at(&mut self, quic: SocketAddr) {
        self.quic = quic;
        self.serve();
    }

    /// Where phones reach it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.quic
    }

    /// Where browsers reach it.
    #[must_use]
    pub fn console(&self) -> SocketAddr {
        self.http
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Kills it without warning, as a power cut of the program does.
    ///
    /// # Panics
    /// If it does not serve.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it serves");
        process.kill().expect("an own child can be killed");
        process.wait().expect("a killed child ends");
    }

    /// Asks it to stop, as a system that shuts down does, and waits for it.
    ///
    /// # Panics
    /// If it does not serve.
    pub fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("it serves");
        let asked = Command::new("kill")
            .arg(process.id().to_string())
            .status()
            .expect("kill is part of every system that runs this");
        assert!(asked.success());
        process.wait().expect("a child can be waited for")
    }

    /// Whether the process still runs.
    ///
    /// # Panics
    /// If it was never started.
    pub fn is_serving(&mut self) -> bool {
        let process = self.process.as_mut().expect("it was started");
        process.try_wait().expect("a child can be asked").is_none()
    }

    /// The most MiB that the process has held since its start, or since [`WardServer::forget_peak`].
    ///
    /// # Panics
    /// If it does not serve, or the system is not Linux.
    #[must_use]
    pub fn peak_mib(&self) -> f64 {
        self.status_mib("VmHWM:")
    }

    /// Begins to measure [`WardServer::peak_mib`] anew; gives what the process holds now.
    ///
    /// # Panics
    /// As [`WardServer::peak_mib`].
    #[must_use]
    pub fn forget_peak(&self) -> f64 {
        fs::write(self.process_file("clear_refs"), "5").expect("the process is our own");
        self.status_mib("VmRSS:")
    }

    /// How long the process has kept processors busy.
    ///
    /// # Panics
    /// As [`WardServer::peak_mib`].
    #[must_use]
    pub fn cpu_ms(&self) -> u64 {
        /// Hundredths of a second on every Linux.
        const TICK_MS: u64 = 10;
        let stat = fs::read_to_string(self.process_file("stat")).expect("the process runs");
        // The name, in brackets, may hold anything; user and system time are the 12th and 13th after it.
        let (_, numbers) = stat.rsplit_once(')').expect("the name is in brackets");
        let ticks = numbers.split_whitespace().skip(11).take(2);
        ticks
            .map(|ticks| ticks.parse::<u64>().expect("a number"))
            .sum::<u64>()
            * TICK_MS
    }

    fn status_mib(&self, key: &str) -> f64 {
        let status = fs::read_to_string(self.process_file("status")).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<f64>().ok())
            .expect("Linux says it in kB")
            / 1024.0
    }

    fn process_file(&self, name: &str) -> PathBuf {
        let process = self.process.as_ref().expect("it serves");
        PathBuf::from(format!("/proc/{}/{name}", process.id()))
    }

    /// Runs an admin command to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.command(arguments)
            .output()
            .expect("the program starts")
            .into()
    }

    /// The key of its backups, as `init` printed it.
    #[must_use]
    pub fn recovery_key(&self) -> &str {
        &self.recovery_key
    }

    /// Runs an admin command that reads `input`.
    ///
    /// # Panics
    /// If the program does not start.
    #[must_use]
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Finished {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("it was piped");
        // A program that ended early did not read all; what it said is for the test to judge.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output();
        output.expect("a child can be waited for").into()
    }

    /// An invite for an officer, as one line.
    ///
    /// # Panics
    /// If the ward gives none.
    #[must_use]
    pub fn invite(&self, officer: &str, role: &str) -> String {
        self.invite_through(officer, role, self.quic)
    }

    /// An invite whose phone reaches the ward through `address`.
    ///
    /// # Panics
    /// If the ward gives none.
    #[must_use]
    pub fn invite_through(&self, officer: &str, role: &str, address: SocketAddr) -> String {
        let address = address.to_string();
        let made = self.run(&[
            "invite",
            "--officer",
            officer,
            "--role",
            role,
            "--address",
            &address,
        ]);
        made.expect(0).stdout.trim().to_owned()
    }

    /// The same ward, opened by this process as an admin command would.
    ///
    /// # Panics
    /// If it cannot be opened.
    #[must_use]
    pub fn open(&self) -> Ward {
        Ward::open(&self.data, Arc::new(SystemEnvironment)).expect("the ward can be opened")
    }

    /// What the server says goes into a file, so that the test's own words can be read.
    fn log(&self) -> File {
        File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .expect("the ward's folder can be written")
    }

    fn log_path(&self) -> PathBuf {
        self.data.join("server.log")
    }

    /// Everything that the server said so far.
    ///
    /// # Panics
    /// If it never served.
    #[must_use]
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.log_path()).expect("it has served")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("gandan-server"));
        command
            .args(arguments)
            .arg("--data")
            .arg(&self.data)
            .stdin(Stdio::null());
        command
    }
}

impl Drop for WardServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_text());
        }
        if let Some(mut process) = self.process.take() {
            // A failing test must not leave a server behind; if it is gone already, all the better.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
