//! The processes that the driver starts. Each says one line when its work is done and stays, so that
//! it can be measured, until it is told to go.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use gandan_core::client::{self, SyncReport};
use gandan_core::environment::{Environment, SystemEnvironment};
use gandan_core::model::{Status, Timestamp};
use gandan_core::protocol::invite::Invite;
use gandan_core::replica::{CaseChange, NewVisit, Replica};
use gandan_core::store::StoreKey;
use gandan_core::store::rows::CaseQuery;
use gandan_server::sync::Listener;
use gandan_server::ward::Ward;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::arguments::{Of, Role, Who};
use super::{canonical, photos, workload};

/// Any key: the store is encrypted as a phone's is.
const STORE_KEY: [u8; 32] = [7; 32];

/// How often a phone asks for what is not there yet, as long as the driver asks the server.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How many rows a screen of a list asks for.
const SCREEN: u32 = 50;

/// Plays a role to its end.
pub(super) fn play(role: &Role) -> Result<(), String> {
    let began = Stamp::now();
    match role {
        Role::Serve { data, quic } => serve(data, *quic),
        Role::Enrol { store, invite } => enrol(store, invite),
        Role::Record { store, cases } => record(store, cases),
        Role::Attach {
            store,
            cases,
            count,
        } => {
            photos::attach(&open(store)?, &workload::read(cases)?, *count)?;
            say(&json!({}))?;
            stay(|_| None)
        }
        Role::Sync { store } => sync(store, began),
        Role::Edit { store, cases, who } => edit(store, cases, *who),
        Role::Follow { store, edits } => follow(store, *edits, began),
        Role::Dump { of, store } => {
            let digest = match of {
                Of::Phone => canonical::of_phone(&open(store)?)?,
                Of::Ward => canonical::of_ward(store)?,
            };
            say(&json!(digest))?;
            stay(|_| None)
        }
    }
}

/// A moment that another process can compare with its own.
struct Stamp {
    since_1970_ms: f64,
}

impl Stamp {
    #[expect(clippy::disallowed_methods, reason = "measures across processes")]
    fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            since_1970_ms: since.unwrap_or_default().as_secs_f64() * 1_000.0,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "measures a duration")]
fn stopwatch() -> Instant {
    Instant::now()
}

/// The system's chance, and a clock that stands where it is put: a case is recorded when the input
/// says that it was.
#[derive(Default)]
struct SetClock(AtomicI64);

impl SetClock {
    fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Environment for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        SystemEnvironment.fill_random(bytes);
    }
}

fn open(store: &Path) -> Result<Replica, String> {
    open_with(store, Arc::new(SystemEnvironment))
}

fn open_with(store: &Path, environment: Arc<dyn Environment>) -> Result<Replica, String> {
    let key = StoreKey::new(STORE_KEY);
    Replica::open(store, &key, environment).map_err(|error| error.to_string())
}

fn runtime() -> Result<Runtime, String> {
    Runtime::new().map_err(|error| error.to_string())
}

fn say(answer: &Value) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{answer}")
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())
}

/// Answers lines until `exit`, or until the driver is gone.
fn stay(mut answer: impl FnMut(&str) -> Option<Value>) -> Result<(), String> {
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        if line == "exit" {
            break;
        }
        say(&answer(&line).unwrap_or(Value::Null))?;
    }
    Ok(())
}

fn serve(data: &Path, quic: std::net::SocketAddr) -> Result<(), String> {
    let words = |error: &dyn std::fmt::Display| format!("the ward: {error}");
    let ward = Ward::open(data, Arc::new(SystemEnvironment)).map_err(|error| words(&error))?;
    let runtime = runtime()?;
    let listener = {
        let _inside = runtime.enter();
        Listener::bind(ward.clone(), quic).map_err(|error| words(&error))?
    };
    runtime.spawn(listener.serve(std::future::pending()));
    say(&json!({ "ready": true }))?;
    // What is in the feed is durable: the driver asks from outside of any transaction.
    stay(|_| {
        let held = ward.read(|connection| {
            connection.query_row(
                "SELECT (SELECT COALESCE(max(sequence), 0) FROM feed),
                        (SELECT count(*) FROM attachments)",
                [],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )
        });
        let (sequence, files) = held.ok()?;
        Some(json!({ "sequence": sequence, "files": files }))
    })
}

fn enrol(store: &Path, invite: &str) -> Result<(), String> {
    let replica = open(store)?;
    let invite: Invite = invite.parse().map_err(|_| "not an invite")?;
    runtime()?
        .block_on(client::enrol(&replica, &invite, "ward-day"))
        .map_err(|error| error.to_string())?;
    say(&json!({}))?;
    stay(|_| None)
}

fn record(store: &Path, cases: &Path) -> Result<(), String> {
    let cases = workload::read(cases)?;
    let clock = Arc::new(SetClock::default());
    let replica = open_with(store, clock.clone())?;
    let mut edits = 0;
    let watch = stopwatch();
    for case in &cases {
        clock.set(case.recorded_at()?);
        let mut form = case.to_form()?;
        let known = replica.visit_by_external_ref(&case.visit);
        form.visit = match known.map_err(|error| error.to_string())? {
            Some(known) => Some(known),
            None => {
                let visit = NewVisit {
                    external_ref: Some(case.visit.clone()),
                    area: form.area.clone(),
                    started_at: form.recorded_at,
                    ..NewVisit::default()
                };
                edits += 1;
                Some(
                    replica
                        .start_visit(visit)
                        .map_err(|error| error.to_string())?,
                )
            }
        };
        edits += 1 + u64::from(form.citizen.is_some());
        replica
            .record_case(form)
            .map_err(|error| error.to_string())?;
    }
    let us = watch.elapsed().as_secs_f64() * 1e6 / cases.len().max(1) as f64;
    say(&json!({ "us": us, "edits": edits }))?;
    stay(|_| None)
}

fn edit(store: &Path, cases: &Path, who: Who) -> Result<(), String> {
    let cases = workload::read(cases)?;
    let clock = Arc::new(SetClock::default());
    let replica = open_with(store, clock.clone())?;
    // Looked up before anything is changed: a search indexes what was changed before it.
    let changed = match who {
        Who::A => workload::noted(cases.len()),
        Who::B => workload::assigned(cases.len()),
    };
    let ids = changed
        .map(|index| {
            let found = replica.find_case(&cases[index].id);
            let found = found.map_err(|error| error.to_string())?;
            let id = found.ok_or_else(|| format!("{} is not here", cases[index].id))?;
            Ok::<_, String>((index, id))
        })
        .collect::<Result<Vec<_>, _>>()?;
    match who {
        Who::A => {
            for (index, id) in ids {
                let (at, text) = workload::note(index);
                clock.set(at);
                let noted = replica.add_note(id, &text);
                noted.map_err(|error| error.to_string())?;
            }
        }
        Who::B => {
            for (index, id) in ids {
                clock.set(workload::note(index).0);
                let change = CaseChange {
                    status: Some(Status::Accepted),
                    assignee: Some(workload::assignee(index)),
                    ..CaseChange::default()
                };
                let assigned = replica.edit_case(id, change);
                assigned.map_err(|error| error.to_string())?;
            }
        }
    }
    say(&json!({}))?;
    stay(|_| None)
}

fn sync(store: &Path, began: Stamp) -> Result<(), String> {
    let replica = open(store)?;
    let opened = Stamp::now();
    let report = runtime()?.block_on(client::sync(&replica, &mut |_| {}));
    let report = report.map_err(|error| error.to_string())?;
    if report.pending > 0 || report.rejected > 0 {
        return Err(format!("not everything is at the ward: {report:?}"));
    }
    say_synchronised(&began, &opened, &report)?;
    stay(|asked| match asked {
        "list" => {
            let list = timed(&replica, CaseQuery::default())?;
            // The first search indexes what came last.
            let search = || CaseQuery {
                search: Some("lê lợi".to_owned()),
                ..CaseQuery::default()
            };
            let first = timed(&replica, search())?;
            Some(json!({
                "list_ms": list,
                "first_search_ms": first,
                "search_ms": timed(&replica, search())?,
            }))
        }
        _ => None,
    })
}

/// How long a screen of a list takes, milliseconds.
fn timed(replica: &Replica, query: CaseQuery) -> Option<f64> {
    let watch = stopwatch();
    let query = CaseQuery {
        limit: SCREEN,
        ..query
    };
    replica.cases(&query).ok()?;
    Some(watch.elapsed().as_secs_f64() * 1_000.0)
}

fn follow(store: &Path, edits: u64, began: Stamp) -> Result<(), String> {
    let replica = open(store)?;
    let opened = Stamp::now();
    let runtime = runtime()?;
    let mut sum = SyncReport::default();
    while sum.received < edits || sum.pending > 0 {
        let report = runtime.block_on(client::sync(&replica, &mut |_| {}));
        let report = report.map_err(|error| error.to_string())?;
        sum.received += report.received;
        sum.pending = report.pending;
        sum.round_trips += report.round_trips;
        sum.payload_up += report.payload_up;
        sum.payload_down += report.payload_down;
        // The other phone is not ready yet; asking without a pause would only hold it up.
        if report.received == 0 {
            pause();
        }
    }
    say_synchronised(&began, &opened, &sum)?;
    stay(|_| None)
}

#[expect(clippy::disallowed_methods, reason = "asks again at a fixed rate")]
fn pause() {
    std::thread::sleep(LOOK_AGAIN);
}

fn say_synchronised(began: &Stamp, opened: &Stamp, report: &SyncReport) -> Result<(), String> {
    say(&json!({
        "t0": began.since_1970_ms,
        "t1": Stamp::now().since_1970_ms,
        "load_ms": opened.since_1970_ms - began.since_1970_ms,
        "payload_up": report.payload_up,
        "payload_down": report.payload_down,
        "round_trips": report.round_trips,
        "received": report.received,
    }))
}
