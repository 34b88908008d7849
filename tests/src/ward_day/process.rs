//! A process of the day as the driver sees it: one line of JSON for each answer, its memory and
//! processor time from the operating system, and what a folder takes on the disk.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A child that answers one line for each line it is told; its first answer comes by itself.
pub(super) struct Process {
    name: String,
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program in a role; `log` takes what it says on standard error.
    pub(super) fn start(arguments: &[&str], log: &Path) -> Result<Self, String> {
        let name = arguments[0].to_owned();
        let start = || -> std::io::Result<Child> {
            let log = fs::File::options().create(true).append(true).open(log)?;
            Command::new(std::env::current_exe()?)
                .arg("role")
                .args(arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(log)
                .spawn()
        };
        let mut child = start().map_err(|error| format!("{name}: {error}"))?;
        let stdin = child.stdin.take().expect("it was piped");
        let stdout = BufReader::new(child.stdout.take().expect("it was piped"));
        Ok(Self {
            name,
            child,
            stdin,
            stdout,
        })
    }

    /// The next answer.
    pub(super) fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        let failed = |why: String| format!("{}: {why}", self.name);
        match self.stdout.read_line(&mut line) {
            Ok(0) => Err(failed(
                "ended early; see log.txt (--keep DIR keeps it)".to_owned(),
            )),
            Ok(_) => serde_json::from_str(&line).map_err(|error| failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Tells it a line and waits for the answer.
    pub(super) fn ask(&mut self, line: &str) -> Result<Value, String> {
        let told = writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush());
        told.map_err(|error| format!("{}: {error}", self.name))?;
        self.answer()
    }

    /// Most memory it had so far, in MB of the operating system (1,024 KiB).
    pub(super) fn peak_mb(&self) -> f64 {
        let status = self.proc("status");
        let kib = status.lines().find_map(|line| {
            let kib = line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?;
            kib.trim().parse::<f64>().ok()
        });
        round(kib.unwrap_or_default() / 1_024.0, 1)
    }

    /// Processor seconds so far, its own and the system's for it.
    pub(super) fn cpu_s(&self) -> f64 {
        // Fields 14 and 15 in hundredths; the second may hold spaces and ends with a parenthesis.
        let stat = self.proc("stat");
        let fields: Vec<f64> = stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .split(' ')
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        let field = |index: usize| fields.get(index).copied().unwrap_or_default();
        round((field(11) + field(12)) / 100.0, 2)
    }

    /// Kills it without warning.
    pub(super) fn kill(mut self) {
        self.stop();
    }

    /// Lets it end by itself.
    pub(super) fn end(mut self) -> Result<(), String> {
        let told = writeln!(self.stdin, "exit").and_then(|()| self.stdin.flush());
        told.map_err(|error| format!("{}: {error}", self.name))?;
        let ended = self.child.wait();
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{}: {status}", self.name)),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }

    fn stop(&mut self) {
        // One that ended already cannot be killed, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn proc(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(path).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a folder takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DiskUse {
    /// Blocks.
    pub(super) allocated: u64,
    /// Lengths of files.
    pub(super) bytes: u64,
    pub(super) files: u64,
}

/// What `folder` takes with everything in it.
pub(super) fn disk_use(folder: &Path) -> DiskUse {
    let mut sum = DiskUse::default();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        sum.allocated += allocated(&metadata);
        if metadata.is_dir() {
            let inner = disk_use(&entry.path());
            sum.allocated += inner.allocated;
            sum.bytes += inner.bytes;
            sum.files += inner.files;
        } else {
            sum.bytes += metadata.len();
            sum.files += 1;
        }
    }
    sum
}

#[cfg(unix)]
fn allocated(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}

#[cfg(not(unix))]
fn allocated(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

/// So many digits behind the point.
pub(super) fn round(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}
