//! The real programs as processes of their own: found beside the test that runs them, started,
//! killed and asked, with a link between them that can fail on purpose.

mod link;
mod phone;
mod server;

pub use link::{Badness, Lane, Link, Weather};
pub use phone::Phone;
pub use server::WardServer;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

/// The program `name`, built by the same cargo as this test.
///
/// # Panics
/// If it is missing, or older than a source it is made of: the test would judge another program.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test is a file");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("cargo keeps tests in a folder of the build folder");
    let path = folder
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    const HOW: &str = "run `tests/run rust`, or first: cargo build --locked --workspace --all-targets --features gandan-ffi/bindgen";
    let built = fs::metadata(&path)
        .and_then(|metadata| metadata.modified())
        .unwrap_or_else(|_| panic!("{} is missing; {HOW}", path.display()));
    for source in sources(&folder.join(name).with_extension("d")) {
        let changed = fs::metadata(&source).and_then(|metadata| metadata.modified());
        assert!(
            changed.is_ok_and(|changed| changed <= built),
            "{} is older than {}; {HOW}",
            path.display(),
            source.display()
        );
    }
    path
}

/// What cargo says a program was made of: one rule of a makefile, spaces in names escaped.
fn sources(rule: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(rule).unwrap_or_default();
    let Some((_, sources)) = text.split_once(": ") else {
        return Vec::new();
    };
    sources
        .replace("\\ ", "\0")
        .split_whitespace()
        .map(|path| PathBuf::from(path.replace('\0', " ")))
        .collect()
}

/// A process that ended, and what it said.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; `None` if it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Finished {
    /// Goes on only if the process ended with `code`.
    ///
    /// # Panics
    /// With everything that the process said, if it did not.
    #[must_use]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Standard output as one JSON object a line.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn objects(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
            })
            .collect()
    }
}
