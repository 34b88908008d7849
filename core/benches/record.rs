//! How long one durable `record_case` takes in a store of 10,000 cases, against a bare `SQLCipher`
//! commit of the same bytes, one after the other in the same run on the same disk. Prints medians, and
//! what stands between the two: which pages a record writes, and what a bare commit of as many costs.
//!
//! `cargo bench -p gandan-core --bench record [-- CASES [RECORDS]]`; `cargo test` only tries it with a few.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gandan_core::environment::{Environment, SystemEnvironment};
use gandan_core::model::{DeviceId, Location, OfficerId, Person, Role, Timestamp, WardKey};
use gandan_core::protocol::credential::{DeviceCredential, Enrolment};
use gandan_core::replica::{NewCase, Replica};
use gandan_core::store::connection::{self, Migration};
use gandan_core::store::{StoreKey, device};
use rusqlite::Connection;

const BARE: &[Migration] = &[Migration {
    version: 1,
    sql: "CREATE TABLE bare (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
          CREATE TABLE wide (number INTEGER PRIMARY KEY, times INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
          WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT 64)
          INSERT INTO wide SELECT number, 0, zeroblob(3900) FROM numbers;",
}];

/// Words of real reports, so that the search index has the terms that it will have.
const WORDS: &str = "đường ngập nước sau mưa lớn xe chết máy người dân phải lội bộ cống tắc rác \
    trôi vào nhà mùi hôi kéo dài ba tuần đã báo tổ trưởng chưa ai xuống đèn chiếu sáng hư từ tết \
    đêm tối trẻ em đi học về nguy hiểm hàng quán lấn chiếm vỉa hè loa kẹo kéo ồn ào tới khuya \
    người già mất ngủ kính đề nghị phường kiểm tra xử lý sớm giúp bà con cây xanh nghiêng sắp đổ \
    dây điện chùng thấp nắp hố ga bể chó thả rông xây dựng không phép bụi bặm cả hẻm";

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let usual = if is_measured { [10_000, 500] } else { [20, 5] };
    let cases = numbers.first().copied().unwrap_or(usual[0]);
    let records = numbers.get(1).copied().unwrap_or(usual[1]);
    let folder = tempfile::tempdir().expect("a folder for the stores");
    let replica = phone(&folder.path().join("phone"));
    let log = Log(folder.path().join("phone").join(device::FILE_NAME));
    let bare = bare(&folder.path().join("bare.db"));
    let mut story = Story::default();

    // Filling is measured too, by nobody: the stores only have to be full.
    for _ in 0..cases {
        let bytes = record(&replica, &mut story).1;
        commit(&bare, bytes);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut bytes_sum = 0;
    let mut written = Vec::new();
    for _ in 0..records {
        let before = log.frames();
        let (duration, bytes) = record(&replica, &mut story);
        written.extend(log.pages(before..log.frames()));
        ours.push(duration);
        theirs.push(commit(&bare, bytes));
        bytes_sum += bytes;
    }
    let pages = written.len().div_ceil(records.max(1));
    let mut as_many: Vec<_> = (0..records).map(|_| commit_pages(&bare, pages)).collect();
    for times in [&mut ours, &mut theirs, &mut as_many] {
        times.sort();
    }
    println!(
        "{cases} cases in the store, {records} records of {} bytes on average",
        bytes_sum / records.max(1)
    );
    println!("                         median        p95");
    for (name, sorted) in [
        ("record_case, durable", &ours),
        ("bare SQLCipher commit", &theirs),
        ("bare, as many pages", &as_many),
    ] {
        println!(
            "{name:<22} {:>6.0} µs {:>7.0} µs",
            at(sorted, 50),
            at(sorted, 95)
        );
    }
    let ratio = at(&ours, 50) / at(&theirs, 50);
    println!("ratio of the medians   {ratio:>6.2}");
    println!("pages written by a record, on average, by table and index:");
    for (name, count) in log.by_name(&written) {
        println!("{name:<34} {:>6.2}", count as f64 / records as f64);
    }
}

/// Records a case; gives how long it took, and how many bytes the case has as a line of JSON.
fn record(replica: &Replica, story: &mut Story) -> (Duration, usize) {
    let case = story.next();
    let bytes = json_bytes(&case);
    let begin = Instant::now();
    replica.record_case(case).expect("the case is recorded");
    (begin.elapsed(), bytes)
}

fn json_bytes(case: &NewCase) -> usize {
    let citizen = case.citizen.as_ref().map(|citizen| {
        serde_json::json!({
            "name": citizen.name, "phone": citizen.phone, "address": citizen.address,
        })
    });
    let location = case.location.map(
        |location| serde_json::json!({ "lat": location.latitude_e6, "lon": location.longitude_e6 }),
    );
    let line = serde_json::json!({
        "id": case.external_ref, "place": case.place, "kind": "report", "status": "recorded",
        "urgency": "normal", "category": case.category, "text": case.text,
        "recorded_at": "2026-03-02T08:00:00.000Z", "citizen": citizen, "location": location,
    });
    line.to_string().len()
}

fn commit(connection: &Connection, bytes: usize) -> Duration {
    let mut content = vec![0; bytes];
    SystemEnvironment.fill_random(&mut content);
    let begin = Instant::now();
    connection
        .prepare_cached("INSERT INTO bare (bytes) VALUES (?1)")
        .and_then(|mut insert| insert.execute([content]))
        .expect("the bytes are committed");
    begin.elapsed()
}

/// Rewrites so many pages in one commit.
fn commit_pages(connection: &Connection, pages: usize) -> Duration {
    let begin = Instant::now();
    connection
        .prepare_cached("UPDATE wide SET times = times + 1 WHERE number <= ?1")
        .and_then(|mut update| update.execute([pages as i64]))
        .expect("the pages are committed");
    begin.elapsed()
}

/// The write-ahead log beside a store, as anybody may read it: only pages' contents are encrypted.
struct Log(PathBuf);

impl Log {
    const HEADER_BYTES: usize = 32;
    const FRAME_HEADER_BYTES: usize = 24;
    const PAGE_BYTES: usize = 4_096;
    /// Where the log's index says how many frames are valid, in this machine's order of bytes.
    const FRAMES_AT: Range<usize> = 16..20;

    fn beside(&self, ending: &str) -> Vec<u8> {
        let mut path = self.0.clone().into_os_string();
        path.push(ending);
        std::fs::read(path).unwrap_or_default()
    }

    fn frames(&self) -> usize {
        let index = self.beside("-shm");
        let frames = index
            .get(Self::FRAMES_AT)
            .and_then(|bytes| bytes.try_into().ok());
        frames.map_or(0, |bytes| u32::from_ne_bytes(bytes) as usize)
    }

    /// The pages that these frames hold; none if the log began anew meanwhile.
    fn pages(&self, frames: Range<usize>) -> Vec<u32> {
        let log = self.beside("-wal");
        let frame_bytes = Self::FRAME_HEADER_BYTES + Self::PAGE_BYTES;
        frames
            .filter_map(|frame| {
                let at = Self::HEADER_BYTES + frame * frame_bytes;
                let number = log.get(at..at + 4)?.try_into().ok()?;
                Some(u32::from_be_bytes(number))
            })
            .collect()
    }

    fn by_name(&self, pages: &[u32]) -> BTreeMap<String, usize> {
        let connection = connection::open(&self.0, &StoreKey::new([7; 32]), device::MIGRATIONS);
        let connection = connection.expect("the store opens once more");
        let names: HashMap<u32, String> = connection
            .prepare("SELECT pageno, name FROM dbstat")
            .and_then(|mut names| {
                names
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect()
            })
            .expect("the store knows its pages");
        let mut counts = BTreeMap::new();
        for page in pages {
            let name = names
                .get(page)
                .cloned()
                .unwrap_or_else(|| "free".to_owned());
            *counts.entry(name).or_default() += 1;
        }
        counts
    }
}

/// The duration below which so many percent are, in microseconds.
fn at(sorted: &[Duration], percent: usize) -> f64 {
    let found = sorted.get(sorted.len() * percent / 100);
    found.copied().unwrap_or_default().as_secs_f64() * 1e6
}

fn phone(folder: &Path) -> Replica {
    let replica = Replica::open(folder, &StoreKey::new([7; 32]), Arc::new(SystemEnvironment))
        .expect("the store opens");
    let enrolment = Enrolment {
        ward_key: WardKey([1; 32]),
        rescue_key: [2; 32],
        addresses: Vec::new(),
        credential: DeviceCredential {
            ward: "26995".parse().expect("five digits"),
            device: DeviceId::of(&replica.device_key()),
            officer: OfficerId(uuid::Uuid::from_bytes([3; 16])),
            role: Role::Leader,
            issued_at: Timestamp(0),
            signature: [0; 64],
        },
    };
    replica
        .set_enrolment(&enrolment)
        .expect("the store answers");
    replica
}

fn bare(path: &Path) -> Connection {
    connection::open(path, &StoreKey::new([7; 32]), BARE).expect("the store opens")
}

/// The same cases in every run.
#[derive(Default)]
struct Story {
    number: u64,
    state: u64,
}

impl Story {
    fn next(&mut self) -> NewCase {
        self.number += 1;
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let length = 40 + self.below(80);
        let text: Vec<&str> = (0..length)
            .map(|_| words[self.below(words.len())])
            .collect();
        NewCase {
            external_ref: Some(format!("ban-ghi-{}", self.number)),
            place: Some(format!("hẻm {} đường Âu Cơ", self.below(400))),
            category: "drainage".to_owned(),
            text: text.join(" "),
            location: Some(Location {
                latitude_e6: 10_776_000 + self.below(9_000) as i32,
                longitude_e6: 106_640_000 + self.below(9_000) as i32,
            }),
            citizen: (!self.number.is_multiple_of(4)).then(|| Person {
                name: Some(format!("Nguyễn Thị {}", words[self.below(words.len())])),
                phone: Some(format!("09{:08}", self.below(100_000_000))),
                address: Some(format!("{} Lạc Long Quân", self.below(900))),
                ..Person::default()
            }),
            ..NewCase::default()
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % bound
    }
}
