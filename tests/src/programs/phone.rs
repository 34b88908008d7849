//! `gandan-phone` as a process: each command opens the store anew, as an app that was closed does.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{Finished, program};

/// A phone's store and how to ask it.
#[derive(Debug, Clone)]
pub struct Phone {
    store: PathBuf,
}

impl Phone {
    /// The key of its store: any 64 digits.
    pub const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// A phone whose store is, or will be, in `store`.
    #[must_use]
    pub fn new(store: &Path) -> Self {
        Self {
            store: store.to_owned(),
        }
    }

    /// A phone that was enrolled with `invite`.
    ///
    /// # Panics
    /// If it cannot be.
    #[must_use]
    pub fn enrolled(store: &Path, invite: &str) -> Self {
        let phone = Self::new(store);
        let _ = phone.run(&["enrol", "--invite", invite]).expect(0);
        phone
    }

    /// Its store's folder.
    #[must_use]
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// A command of this phone, not started yet.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("gandan-phone"));
        command
            .args(arguments)
            .arg("--store")
            .arg(&self.store)
            .env("GANDAN_STORE_KEY", Self::KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// If the program does not start.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let output = self.command(arguments).output();
        output.expect("the program starts").into()
    }

    /// Runs a command that reads `input`.
    ///
    /// # Panics
    /// If the program does not start.
    #[must_use]
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Finished {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("it was piped");
        let input = input.to_owned();
        // Beside reading: a long input and a long output would wait for each other.
        let writing = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("a child can be waited for");
        // A program that ended early did not read all; what it said is for the test to judge.
        let _ = writing.join().expect("writing does not panic");
        output.into()
    }

    /// Records cases; gives their ids.
    ///
    /// # Panics
    /// If one is refused.
    #[must_use]
    pub fn record(&self, cases: &[Value]) -> Vec<String> {
        let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
        let recorded = self.run_with(&["record"], &lines).expect(0).objects();
        recorded
            .iter()
            .map(|line| line["id"].as_str().expect("an id").to_owned())
            .collect()
    }

    /// Synchronises, with nothing left pending; gives the report.
    ///
    /// # Panics
    /// If it fails or something is left.
    #[must_use]
    pub fn sync(&self) -> Value {
        self.run(&["sync", "--json"]).expect(0).objects().remove(0)
    }

    /// Begins to synchronise.
    ///
    /// # Panics
    /// If the program does not start.
    #[must_use]
    pub fn begin_sync(&self) -> Child {
        self.command(&["sync", "--json"])
            .spawn()
            .expect("the program starts")
    }

    /// Waits for a synchronisation that was begun.
    ///
    /// # Panics
    /// If it cannot be waited for.
    #[must_use]
    pub fn wait(&self, begun: Child) -> Finished {
        let output = begun.wait_with_output();
        output.expect("a child can be waited for").into()
    }

    /// The report of a synchronisation that was begun.
    ///
    /// # Panics
    /// If it failed or left something.
    #[must_use]
    pub fn end_sync(&self, begun: Child) -> Value {
        self.wait(begun).expect(0).objects().remove(0)
    }

    /// Every case that it knows.
    ///
    /// # Panics
    /// If the list fails.
    #[must_use]
    pub fn list(&self) -> Vec<Value> {
        self.run(&["list", "--json"]).expect(0).objects()
    }

    /// One case, whole.
    ///
    /// # Panics
    /// If it is not there.
    #[must_use]
    pub fn show(&self, id: &str) -> Value {
        self.run(&["show", "--json", id])
            .expect(0)
            .objects()
            .remove(0)
    }

    /// What has no final word.
    ///
    /// # Panics
    /// If the list fails.
    #[must_use]
    pub fn pending(&self) -> Vec<Value> {
        self.run(&["pending"]).expect(0).objects()
    }

    /// What the ward refused.
    ///
    /// # Panics
    /// If the list fails.
    #[must_use]
    pub fn rejected(&self) -> Vec<Value> {
        self.run(&["rejected"]).expect(0).objects()
    }
}
