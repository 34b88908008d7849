//! What cases cost on the disk of the ward and of a phone, table by table, fresh and finished; and what
//! an operation costs on a document with a long history. One process, no network.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::{Environment, SystemEnvironment};
use gandan_core::model::{Role, Status, Timestamp};
use gandan_core::protocol::packing::{self, Effort};
use gandan_core::replica::{CaseChange, Replica};
use gandan_core::store::{StoreKey, connection, device};
use gandan_server::ward::Ward;
use uuid::Uuid;

use super::invented;
use super::parts::Meter;
use super::steps::{self, Phone};
use super::words;
use crate::folders;

/// Lengths of history at which operations are measured.
const HISTORIES: [(usize, &str); 4] = [
    (1, "1 edits"),
    (10, "10 edits"),
    (100, "100 edits"),
    (960, "960 edits"),
];

/// How often each operation is measured.
const TIMES: usize = 20;

/// Measures with `count` cases under `root`; gives tables.
///
/// # Errors
/// In words.
pub fn run(root: &Path, count: usize) -> Result<String, String> {
    let ward = steps::ward(root)?;
    let officer = Phone::enrol(root, "officer", &ward, Role::Leader)?;
    let desk = Phone::enrol(root, "desk", &ward, Role::Triage)?;
    let mut tables = String::new();

    let mut cases = Vec::new();
    for case in invented::cases(count, 1) {
        let form = case.to_form()?;
        cases.push(officer.replica.record_case(form).map_err(words)?.id);
    }
    exchange(&ward, &[&officer, &desk])?;
    tables.push_str(&disk("fresh", root, &ward, count)?);

    for status in [Status::Accepted, Status::InProgress, Status::Answered] {
        for case in &cases {
            let change = CaseChange {
                status: Some(status),
                answer: (status == Status::Answered).then(|| "Đã cử người đến làm.".to_owned()),
                ..CaseChange::default()
            };
            desk.replica.edit_case(*case, change).map_err(words)?;
        }
        exchange(&ward, &[&desk, &officer])?;
    }
    for case in &cases {
        let told = "Bà con xác nhận đã xong.";
        officer.replica.add_note(*case, told).map_err(words)?;
        let closed = CaseChange {
            status: Some(Status::Closed),
            ..CaseChange::default()
        };
        desk.replica.edit_case(*case, closed).map_err(words)?;
    }
    exchange(&ward, &[&officer, &desk])?;
    tables.push_str(&disk("finished", root, &ward, count)?);
    tables.push_str(&packed(&ward, count)?);
    tables.push_str(&years_later(root, &desk)?);
    tables.push_str(&histories(root, &ward, officer, desk)?);
    Ok(tables)
}

/// The machine's clock, two years from now.
struct Later;

impl Environment for Later {
    fn now(&self) -> Timestamp {
        Timestamp(SystemEnvironment.now().0 + 2 * 365 * 24 * 60 * 60 * 1000)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        SystemEnvironment.fill_random(bytes);
    }
}

/// Nothing of what is there is held by phones any more: what a new phone reads, and what one that held it
/// all forgets. On a copy of the ward.
fn years_later(root: &Path, desk: &Phone) -> Result<String, String> {
    let later = root.join("later");
    folders::copy(&root.join("ward"), &later);
    let ward = Ward::open(&later, Arc::new(Later)).map_err(words)?;
    let mut meter = Meter::default();
    meter
        .time("later", "the floor moves", 1, || ward.move_floor())
        .map_err(words)?;
    let new = Phone::enrol(root, "new", &ward, Role::Triage)?;
    meter.time("later", "first sync", 1, || {
        new.pull("new phone", &ward, &mut Meter::default())
    })?;
    let started = size_of(&root.join("desk").join(device::FILE_NAME))?;
    meter.time("later", "all is forgotten", 1, || {
        desk.pull("", &ward, &mut Meter::default())
    })?;
    let left = size_of(&root.join("desk").join(device::FILE_NAME))?;
    Ok(format!(
        "{}phone's file: {started} bytes, then {left}\n",
        meter.table()
    ))
}

fn size_of(path: &Path) -> Result<u64, String> {
    Ok(std::fs::metadata(path).map_err(words)?.len())
}

/// Everybody sends, then everybody hears.
fn exchange(ward: &Ward, phones: &[&Phone]) -> Result<(), String> {
    let mut meter = Meter::default();
    for phone in phones {
        phone.push("up", ward, &mut meter)?;
    }
    for phone in phones {
        phone.pull("down", ward, &mut meter)?;
    }
    Ok(())
}

/// Bytes a case in each table and its indexes, and of the whole file.
fn disk(state: &str, root: &Path, ward: &Ward, count: usize) -> Result<String, String> {
    let mut of_ward = ward.read(sizes).map_err(words)?;
    let key = StoreKey::new([7; 32]);
    let path = root.join("desk").join(device::FILE_NAME);
    let store = connection::open(&path, &key, device::MIGRATIONS).map_err(words)?;
    let mut of_phone = sizes(&store).map_err(words)?;
    let mut table = format!("{state}: bytes a case\n");
    for (name, sizes) in [("ward", &mut of_ward), ("phone", &mut of_phone)] {
        let sum: i64 = sizes.values().sum();
        table.push_str(&format!("  {name:<6} {:>8}\n", sum / count as i64));
        let mut lines: Vec<_> = std::mem::take(sizes).into_iter().collect();
        lines.sort_by_key(|(_, bytes)| -bytes);
        for (what, bytes) in lines.iter().take(14) {
            let each = bytes / count as i64;
            table.push_str(&format!("    {each:>8} {what}\n"));
        }
    }
    Ok(table)
}

/// What the edits would be packed as they travel: by document, and many documents together.
fn packed(ward: &Ward, count: usize) -> Result<String, String> {
    let edits = ward.read(|connection| {
        connection
            .prepare("SELECT uuid, bytes FROM edits ORDER BY uuid, rowid")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<([u8; 16], Vec<u8>)>>>()
    });
    let edits = edits.map_err(words)?;
    let each = |bytes: usize| bytes / count;
    let raw = each(edits.iter().map(|(_, bytes)| bytes.len()).sum());
    let mut table = format!("edits of a case: {raw} bytes as they are\n");
    for together in [1, 8, 64] {
        let mut by_case: Vec<Vec<&[u8]>> = Vec::new();
        let mut last = None;
        for (uuid, bytes) in &edits {
            if last != Some(uuid) {
                by_case.push(Vec::new());
                last = Some(uuid);
            }
            by_case
                .last_mut()
                .into_iter()
                .for_each(|case| case.push(bytes));
        }
        let packs = by_case
            .chunks(together)
            .map(|cases| packing::pack(Effort::EachTime, cases.iter().flatten().copied()).len());
        let packed = each(packs.sum());
        table.push_str(&format!(
            "  {packed:>6} with {together} cases packed together\n"
        ));
    }
    Ok(table)
}

fn sizes(connection: &rusqlite::Connection) -> rusqlite::Result<BTreeMap<String, i64>> {
    connection
        .prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Operations on documents that have become long.
fn histories(root: &Path, ward: &Ward, officer: Phone, desk: Phone) -> Result<String, String> {
    let mut meter = Meter::default();
    for (length, name) in HISTORIES {
        let form = invented::cases(1, 7)[0].to_form()?;
        let case = officer.replica.record_case(form).map_err(words)?.id;
        for number in 1..length {
            let text = format!("Ghi chú {number}: đã nhắc tổ trưởng.");
            officer.replica.add_note(case, &text).map_err(words)?;
        }
        exchange(ward, &[&officer, &desk])?;
        measure(name, root, ward, &officer, case, &mut meter)?;
        exchange(ward, &[&desk])?;
    }
    Ok(meter.table())
}

fn measure(
    name: &'static str,
    root: &Path,
    ward: &Ward,
    officer: &Phone,
    case: Uuid,
    meter: &mut Meter,
) -> Result<(), String> {
    let note = |replica: &Replica| replica.add_note(case, "Một dòng nữa.").map_err(words);
    for _ in 0..TIMES {
        meter.time(name, "phone appends, warm", 1, || note(&officer.replica))?;
    }
    for _ in 0..TIMES {
        meter.time(name, "phone shows", 1, || {
            officer.replica.case(case).map_err(words)
        })?;
    }
    // A copy of the store stands for a phone that was just started.
    for attempt in 0..TIMES / 4 {
        let copy = root.join(format!("copy-{name}-{attempt}"));
        folders::copy(&root.join("officer"), &copy);
        let key = StoreKey::new([7; 32]);
        let replica = Replica::open(&copy, &key, Arc::new(SystemEnvironment)).map_err(words)?;
        meter.time(name, "phone appends, cold", 1, || note(&replica))?;
    }
    officer.push(name, ward, meter)?;
    officer.pull(name, ward, meter)?;
    for _ in 0..TIMES / 4 {
        note(&officer.replica)?;
        let cold = Ward::open(&root.join("ward"), Arc::new(SystemEnvironment)).map_err(words)?;
        let mut apart = Meter::default();
        meter.time(name, "one note to a cold ward", 1, || {
            officer.push(name, &cold, &mut apart)
        })?;
        officer.pull(name, ward, &mut apart)?;
    }
    Ok(())
}
