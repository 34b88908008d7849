//! A phone that stays connected, as a process of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use gandan_core::model::Role;
use gandan_core::policy::Author;
use gandan_tests::programs::Phone;
use serde_json::Value;

use crate::fixture::{Town, case};

/// `gandan-phone sync --stay`.
struct Staying {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Staying {
    fn begin(phone: &Phone) -> Self {
        let mut process = phone
            .command(&["sync", "--stay", "--json"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let mut staying = Self { process, said };
        staying.hear(|line| line["event"] == "caught_up");
        staying
    }

    /// Waits for the first line of this kind.
    fn hear(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut line = String::new();
        while self.said.read_line(&mut line).unwrap() > 0 {
            let object: Value = serde_json::from_str(&line).unwrap();
            if is_it(&object) {
                return object;
            }
            line.clear();
        }
        panic!("it ended");
    }

    fn leave(mut self) -> Option<i32> {
        let asked = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        assert!(asked.unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        // A failing test must not leave it behind.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn two_phones_that_stay_hear_a_case_and_its_acceptance_and_say_what_is_recorded_beside() {
    let town = Town::new();
    let (a, b) = (town.phone("a"), town.phone("b"));
    let mut hears_a = Staying::begin(&a);
    let mut hears_b = Staying::begin(&b);

    let mut types = hears_a.process.stdin.take().unwrap();
    writeln!(types, "{}", case(0)).unwrap();
    let recorded = hears_a.hear(|line| line["event"] == "recorded");
    let id = recorded["id"].as_str().unwrap();
    let is_case = |line: &Value| line["event"] == "case" && line["id"] == id;
    hears_b.hear(is_case);
    let ward = town.server.open();
    let triage = Author {
        officer: ward.officer("Phạm Thu", Role::Triage, &[]).unwrap(),
        role: Role::Triage,
    };
    let number = ward.accept(triage, id.parse().unwrap()).unwrap();
    for staying in [&mut hears_a, &mut hears_b] {
        staying.hear(|line| is_case(line) && line["official_number"] == number.as_str());
    }
    assert_eq!(hears_a.leave(), Some(0));
    assert_eq!(hears_b.leave(), Some(0));
    assert_eq!(b.list()[0]["official_number"], number.as_str());
}
