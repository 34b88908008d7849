//! The day from outside: starts the processes one after the other, counts what passes between them,
//! kills the server in the middle, and compares in the end what everybody holds.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gandan_core::environment::SystemEnvironment;
use gandan_core::model::Role;
use gandan_server::ward::Ward;
use serde_json::{Map, Value, json};

use super::arguments::Day;
use super::canonical::{self, Digest};
use super::photos::Photos;
use super::process::{Process, disk_use, round};
use super::{invented, workload};
use crate::programs::Link;

/// Phường Tân Hòa.
const WARD: &str = "26995";

/// An hour.
const INVITE_MS: i64 = 3_600_000;

/// How often the server is asked.
const LOOK: Duration = Duration::from_millis(20);

/// How many cases are invented unless somebody says so.
const CASES: usize = 2_000;

/// Plays the day; gives what is to be printed.
pub(super) fn run(arguments: &Day) -> Result<String, String> {
    let temporary;
    let root = match &arguments.keep {
        Some(folder) => {
            fs::create_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            folder.as_path()
        }
        None => {
            temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
            temporary.path()
        }
    };
    let cases = prepare(arguments, root)?;
    let mut stage = Stage::set(arguments, root, cases)?;
    let played = match arguments.photos {
        Some(count) => stage.play_photos(Photos {
            count,
            kills: arguments.kills,
        }),
        None => stage.play(),
    };
    if let Err(error) = &played {
        stage.note("failed", json!(error));
    }
    if arguments.json {
        return Ok(Value::Object(stage.results).to_string());
    }
    played?;
    let width = stage.results.keys().map(String::len).max().unwrap_or(0);
    let lines = stage.results.iter();
    Ok(lines
        .map(|(key, value)| format!("{key:width$}  {value}"))
        .collect::<Vec<_>>()
        .join("\n"))
}

/// Writes the cases of this day into its folder.
fn prepare(arguments: &Day, root: &Path) -> Result<PathBuf, String> {
    let mut cases = match &arguments.input {
        Some(input) => workload::read(input)?,
        None => invented::cases(arguments.cases.unwrap_or(CASES), arguments.seed),
    };
    cases.truncate(arguments.cases.unwrap_or(usize::MAX));
    let lines: String = cases
        .iter()
        .map(|case| serde_json::to_string(case).map(|line| line + "\n"))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let path = root.join("cases.jsonl");
    fs::write(&path, lines).map_err(|error| error.to_string())?;
    Ok(path)
}

pub(super) struct Stage {
    root: PathBuf,
    cases: PathBuf,
    count: usize,
    server_at: SocketAddr,
    /// `None` while nobody serves.
    server: Option<Process>,
    server_peak_mb: f64,
    server_cpu_s: f64,
    /// Every phone has its own.
    pub(super) link_a: Link,
    link_b: Link,
    /// Edits in the feed once A has sent everything.
    pub(super) recorded: u64,
    results: Map<String, Value>,
}

impl Stage {
    /// A ward, two invites, and links that nobody uses yet.
    fn set(arguments: &Day, root: &Path, cases: PathBuf) -> Result<Self, String> {
        // The ward must be found at one address all day, though it is started twice.
        let server_at = UdpSocket::bind(("127.0.0.1", 0))
            .and_then(|socket| socket.local_addr())
            .map_err(|error| error.to_string())?;
        let link = |seed| match arguments.link {
            None => Link::to(server_at),
            Some(badness) => Link::bad(server_at, badness, seed),
        };
        let input = fs::read(&cases).map_err(|error| error.to_string())?;
        let packed = zstd::bulk::compress(&input, 19).map_err(|error| error.to_string())?;
        let count = workload::read(&cases)?.len();
        let mut stage = Self {
            root: root.to_owned(),
            cases,
            count,
            server_at,
            server: None,
            server_peak_mb: 0.0,
            server_cpu_s: 0.0,
            link_a: link(arguments.seed.wrapping_mul(2)),
            link_b: link(arguments.seed.wrapping_mul(2).wrapping_add(1)),
            recorded: 0,
            results: Map::new(),
        };
        stage.note("peer", json!("gandan"));
        stage.note("version", json!(env!("CARGO_PKG_VERSION")));
        stage.note("n", json!(count));
        stage.note("input_bytes", json!(input.len()));
        stage.note("zstd19_bytes", json!(packed.len()));
        if arguments.link.is_some() {
            stage.note("seed", json!(arguments.seed));
        }
        Ok(stage)
    }

    fn play(&mut self) -> Result<(), String> {
        self.enrol()?;
        self.create()?;
        self.push()?;
        self.restart()?;
        self.pull()?;
        self.edits()?;
        self.idle()?;
        self.leave();
        self.verify()
    }

    fn play_photos(&mut self, photos: Photos) -> Result<(), String> {
        self.enrol()?;
        self.create()?;
        let (store, count) = (text(&self.folder("a")), photos.count.to_string());
        let mut attaching = self.start(&["attach", &store, &text(&self.cases), &count])?;
        attaching.answer()?;
        attaching.end()?;
        self.recorded += photos.count as u64;
        self.send(photos)?;
        self.leave();
        Ok(())
    }

    fn enrol(&mut self) -> Result<(), String> {
        let words = |error| format!("the ward: {error}");
        let code = WARD.parse().expect("a ward code");
        let environment = Arc::new(SystemEnvironment);
        let ward = Ward::init(&self.folder("ward"), code, environment).map_err(words)?;
        let invite = |name: &str, role, address: SocketAddr| {
            let officer = ward.officer(name, role, &[]).map_err(words)?;
            let addresses = [address.to_string()];
            let invite = ward.invite(officer, &addresses, INVITE_MS).map_err(words)?;
            Ok::<_, String>(invite.to_string())
        };
        let invites = [
            (
                "a",
                invite("Nguyễn Thị Hoa", Role::Leader, self.link_a.address())?,
            ),
            (
                "b",
                invite("Trần Văn Minh", Role::Triage, self.link_b.address())?,
            ),
        ];
        drop(ward);
        let seconds = self.serve()?;
        self.note("start_empty_s", json!(seconds));
        for (phone, invite) in invites {
            let store = self.folder(phone);
            let mut enrolling = self.start(&["enrol", &text(&store), &invite])?;
            enrolling.answer()?;
            enrolling.end()?;
        }
        Ok(())
    }

    fn create(&mut self) -> Result<(), String> {
        let store = self.folder("a");
        let mut recorder = self.start(&["record", &text(&store), &text(&self.cases)])?;
        let done = recorder.answer()?;
        self.recorded = number(&done, "edits") as u64;
        self.note("create_us", json!(round(number(&done, "us"), 1)));
        self.note("create_edits", json!(self.recorded));
        self.note("create_rss_mb", json!(recorder.peak_mb()));
        self.note("create_cpu_s", json!(recorder.cpu_s()));
        recorder.end()?;
        let disk = disk_use(&store);
        self.note("create_disk", json!(disk.allocated));
        self.note("create_files", json!(disk.files));
        self.note("create_bytes", json!(disk.bytes));
        Ok(())
    }

    fn push(&mut self) -> Result<(), String> {
        let before = self.link_a.bytes();
        let mut phone = self.start(&["sync", &text(&self.folder("a"))])?;
        let durable_at = self.wait_for(self.recorded)?;
        let done = phone.answer()?;
        let seconds = (durable_at - number(&done, "t0")) / 1_000.0;
        self.note("push_s", json!(round(seconds.max(0.0), 3)));
        self.note("push_client_s", json!(seconds_of(&done)));
        self.note_bytes("push", before, self.link_a.bytes(), &done);
        self.note_ratio("push_up");
        self.note("push_rss_mb", json!(phone.peak_mb()));
        self.note("push_cpu_s", json!(phone.cpu_s()));
        self.note("load_ms", json!(round(number(&done, "load_ms"), 0)));
        let changes = self.recorded as f64 / seconds_of(&done).max(0.001);
        self.note("admission_per_s", json!(changes.round()));
        phone.end()
    }

    fn restart(&mut self) -> Result<(), String> {
        self.kill();
        let cpu = self.server_cpu_s;
        self.note("server_push_cpu_s", json!(round(cpu, 2)));
        let seconds = self.serve()?;
        self.note("server_restart_s", json!(seconds));
        Ok(())
    }

    fn pull(&mut self) -> Result<(), String> {
        let before = self.link_b.bytes();
        let mut phone = self.start(&["sync", &text(&self.folder("b"))])?;
        let done = phone.answer()?;
        if number(&done, "received") as u64 != self.recorded {
            return Err(format!("pull: {done} is not {} edits", self.recorded));
        }
        self.note("pull_s", json!(seconds_of(&done)));
        self.note_bytes("pull", before, self.link_b.bytes(), &done);
        self.note_ratio("pull_down");
        self.note("pull_rss_mb", json!(phone.peak_mb()));
        self.note("pull_cpu_s", json!(phone.cpu_s()));
        if let Value::Object(times) = phone.ask("list")? {
            for (key, value) in times {
                let value = round(value.as_f64().unwrap_or_default(), 2);
                self.note(&key, json!(value));
            }
        }
        phone.end()
    }

    fn edits(&mut self) -> Result<(), String> {
        for phone in ["a", "b"] {
            let store = text(&self.folder(phone));
            let mut editor = self.start(&["edit", &store, &text(&self.cases), phone])?;
            editor.answer()?;
            editor.end()?;
        }
        let notes = workload::noted(self.count).len() as u64;
        let assigned = workload::assigned(self.count).len() as u64;
        let before = (self.link_a.bytes(), self.link_b.bytes());
        // Every accepted case gets its number from the ward, which is one more edit for both.
        let for_a = (2 * assigned).to_string();
        let for_b = (notes + assigned).to_string();
        let mut a = self.start(&["follow", &text(&self.folder("a")), &for_a])?;
        let mut b = self.start(&["follow", &text(&self.folder("b")), &for_b])?;
        let (done_a, done_b) = (a.answer()?, b.answer()?);
        let durable_at = self.wait_for(self.recorded + notes + 2 * assigned)?;
        let begin = number(&done_a, "t0").min(number(&done_b, "t0"));
        let clients = number(&done_a, "t1").max(number(&done_b, "t1"));
        // The server is asked last; if it had everything then, the slower phone decides.
        let end = if durable_at - clients < 100.0 {
            clients
        } else {
            durable_at
        };
        self.note("edit_s", json!(round((end - begin) / 1_000.0, 3)));
        let sum = |(up, down): (u64, u64)| up + down;
        let bytes =
            sum(self.link_a.bytes()) + sum(self.link_b.bytes()) - sum(before.0) - sum(before.1);
        self.note("edit_bytes", json!(bytes));
        let payload = |done: &Value| number(done, "payload_up") + number(done, "payload_down");
        self.note("edit_payload", json!(payload(&done_a) + payload(&done_b)));
        self.note("edit_rss_mb", json!(a.peak_mb().max(b.peak_mb())));
        self.note("edit_cpu_s", json!(round(a.cpu_s() + b.cpu_s(), 2)));
        a.end()?;
        b.end()
    }

    fn idle(&mut self) -> Result<(), String> {
        // A has heard everything by now, or hears the rest here; the second return is idle.
        for is_measured in [false, true] {
            let before = self.link_a.bytes();
            let mut phone = self.start(&["sync", &text(&self.folder("a"))])?;
            let done = phone.answer()?;
            if is_measured {
                let after = self.link_a.bytes();
                self.note("idle_s", json!(seconds_of(&done)));
                self.note("idle_bytes", json!(after.0 + after.1 - before.0 - before.1));
                let payload = number(&done, "payload_up") + number(&done, "payload_down");
                self.note("idle_payload", json!(payload));
                self.note("idle_round_trips", json!(number(&done, "round_trips")));
                self.note("idle_load_ms", json!(round(number(&done, "load_ms"), 0)));
                self.note("idle_rss_mb", json!(phone.peak_mb()));
            }
            phone.end()?;
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.kill();
        let (cpu, peak) = (self.server_cpu_s, self.server_peak_mb);
        self.note("server_cpu_s", json!(round(cpu, 2)));
        self.note("server_rss_mb", json!(peak));
        for (name, folder) in [("server", "ward"), ("client", "a")] {
            let disk = disk_use(&self.folder(folder));
            self.note(&format!("{name}_disk"), json!(disk.allocated));
            self.note(&format!("{name}_bytes"), json!(disk.bytes));
            self.note(&format!("{name}_files"), json!(disk.files));
        }
    }

    /// Three stores, opened by processes that had no part in the day, hold what they should.
    fn verify(&mut self) -> Result<(), String> {
        let expected = canonical::of_input(workload::expected(workload::read(&self.cases)?));
        let mut digests = Vec::new();
        for (of, folder) in [("phone", "a"), ("phone", "b"), ("ward", "ward")] {
            let mut reader = self.start(&["dump", of, &text(&self.folder(folder))])?;
            let digest: Digest =
                serde_json::from_value(reader.answer()?).map_err(|error| error.to_string())?;
            digests.push((folder, digest));
            reader.end()?;
        }
        let mut wrong: Vec<String> = digests
            .iter()
            .filter(|(_, digest)| digest.count != self.count || digest.records != expected)
            .map(|(name, digest)| {
                format!("{name}: {} records, not the expected ones", digest.count)
            })
            .collect();
        if digests
            .windows(2)
            .any(|two| two[0].1.whole != two[1].1.whole)
        {
            wrong.push("they differ in what the ward added".to_owned());
        }
        self.note("verified", json!(wrong.is_empty()));
        self.note("notes", json!(wrong.join("; ")));
        Ok(())
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn start(&self, arguments: &[&str]) -> Result<Process, String> {
        Process::start(arguments, &self.folder("log.txt"))
    }

    /// Starts the server; gives the seconds until it says that it serves.
    fn serve(&mut self) -> Result<f64, String> {
        let began_ms = now_ms();
        let (data, address) = (text(&self.folder("ward")), self.server_at.to_string());
        let mut server = self.start(&["serve", &data, &address])?;
        server.answer()?;
        self.server = Some(server);
        Ok(round((now_ms() - began_ms) / 1_000.0, 3))
    }

    fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            self.server_peak_mb = self.server_peak_mb.max(server.peak_mb());
            self.server_cpu_s += server.cpu_s();
            server.kill();
        }
    }

    /// Asks the server until so many edits are durable; gives the moment.
    fn wait_for(&mut self, sequence: u64) -> Result<f64, String> {
        loop {
            let answer = self.ask_server()?;
            if number(&answer, "sequence") as u64 >= sequence {
                return Ok(now_ms());
            }
            look_again_later();
        }
    }

    /// What the ward has on its disk.
    pub(super) fn ask_server(&mut self) -> Result<Value, String> {
        self.server.as_mut().ok_or("nobody serves")?.ask("held")
    }

    pub(super) fn note(&mut self, key: &str, value: Value) {
        self.results.insert(key.to_owned(), value);
    }

    fn note_bytes(&mut self, phase: &str, before: (u64, u64), after: (u64, u64), done: &Value) {
        self.note(&format!("{phase}_up"), json!(after.0 - before.0));
        self.note(&format!("{phase}_down"), json!(after.1 - before.1));
        for way in ["payload_up", "payload_down", "round_trips"] {
            self.note(&format!("{phase}_{way}"), done[way].clone());
        }
    }

    /// Bytes of a way against the compressed input.
    fn note_ratio(&mut self, key: &str) {
        let of = |key: &str| self.results.get(key).and_then(Value::as_f64);
        if let (Some(bytes), Some(packed)) = (of(key), of("zstd19_bytes")) {
            self.note(&format!("{key}_ratio"), json!(round(bytes / packed, 2)));
        }
    }
}

pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(super) fn number(answer: &Value, key: &str) -> f64 {
    answer[key].as_f64().unwrap_or_default()
}

fn seconds_of(done: &Value) -> f64 {
    round((number(done, "t1") - number(done, "t0")) / 1_000.0, 3)
}

#[expect(clippy::disallowed_methods, reason = "compares moments of processes")]
pub(super) fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64() * 1_000.0
}

#[expect(
    clippy::disallowed_methods,
    reason = "to ask without a pause would take the processor from whom it asks"
)]
pub(super) fn look_again_later() {
    std::thread::sleep(LOOK);
}
