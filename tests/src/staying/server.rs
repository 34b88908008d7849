//! The ward: its folder, and the process that serves it.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use gandan_core::environment::SystemEnvironment;
use gandan_server::sync::Listener;
use gandan_server::ward::Ward;

/// Makes a ward.
pub(super) fn make(folder: &Path) -> Result<Ward, Box<dyn Error>> {
    let code = "26995".parse().map_err(|_| "the code of a ward")?;
    Ok(Ward::init(folder, code, Arc::new(SystemEnvironment))?)
}

/// Serves a ward and says where, until standard input ends.
pub(super) async fn serve(folder: &Path) -> Result<(), Box<dyn Error>> {
    let ward = Ward::open(folder, Arc::new(SystemEnvironment))?;
    let listener = Listener::bind(ward, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", listener.local_address())?;
    stdout.flush()?;
    let over = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    listener.serve(async { drop(over.await) }).await;
    Ok(())
}

/// A process that serves until it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    process: Child,
}

impl Server {
    pub(super) fn start(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().ok_or("it was piped")?;
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(Self {
            address: line.trim().parse()?,
            process,
        })
    }

    /// What the process holds in memory.
    pub(super) fn resident_kib(&self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("this system does not say what a process holds")?;
        let kib = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The numbers are printed; nothing of the folder is kept.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
