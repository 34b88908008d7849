//! What must not grow: the work for an edit with the history of its document, the log with the day.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use gandan_core::edit::EncodedEdit;
use gandan_core::model::Role;
use gandan_core::protocol::verdict::Verdict;

use super::fixture::World;
use super::phone::Phone;
use crate::ward::STORE_FILE;

/// Admits so many notes, one bundle each; gives the last.
fn note(world: &World, phone: &mut Phone, on: EncodedEdit, count: usize) -> EncodedEdit {
    let mut last = on;
    for number in 0..count {
        last = phone.note(&last, &format!("đã nhắc lần {number}"));
        let verdicts = phone.send(&world.ward, std::slice::from_ref(&last));
        assert!(matches!(verdicts[..], [Verdict::Accepted { .. }]));
    }
    last
}

#[test]
fn an_edit_costs_the_store_as_much_work_after_ten_edits_as_after_hundreds() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", Some("26995"));
    phone.send(&world.ward, std::slice::from_ref(&case));
    let steps = Arc::new(AtomicU64::new(0));
    world.ward.shared.with_writer(|connection| {
        let steps = steps.clone();
        let count = move || {
            steps.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.progress_handler(1, Some(count)).unwrap();
    });
    let mut last = note(&world, &mut phone, case, 10);
    let mut measure = |last: EncodedEdit| {
        steps.store(0, Ordering::Relaxed);
        let last = note(&world, &mut phone, last, 20);
        (last, steps.load(Ordering::Relaxed))
    };
    let few;
    (last, few) = measure(last);
    for _ in 0..20 {
        (last, _) = measure(last);
    }
    let (_, many) = measure(last);
    assert!(few > 1_000, "it counts");
    assert!(many <= few + few / 10, "{few} steps early, {many} late");
}

/// How long the log may be: what it is cut back at, and the change that comes then.
const LOG_BYTES_MAX: u64 = 34 * 1024 * 1024;

/// Changes of a quarter of a megabyte each.
fn write(world: &World, changes: u8) {
    for number in 0..changes {
        let bytes = vec![number; 256 * 1024];
        let change = world.ward.write(|work| {
            crate::ward::settings::write(work.connection, "large", &bytes)?;
            Ok(())
        });
        change.unwrap();
    }
}

fn length_of_log(world: &World) -> u64 {
    let log = world
        .folder
        .path()
        .join(STORE_FILE)
        .with_extension("db-wal");
    std::fs::metadata(log).map_or(0, |log| log.len())
}

#[test]
fn the_log_is_cut_back_once_whoever_read_for_long_is_gone() {
    let world = World::new();
    world
        .ward
        .read(|connection| {
            connection.query_row("SELECT count(*) FROM devices", [], |_| Ok(()))?;
            write(&world, 150);
            Ok(())
        })
        .unwrap();
    let grown = length_of_log(&world);
    assert!(grown > LOG_BYTES_MAX, "{grown} bytes while somebody reads");
    write(&world, 1);
    assert!(length_of_log(&world) < LOG_BYTES_MAX);
}

#[test]
fn the_log_stays_short_though_there_is_no_moment_in_which_nobody_reads() {
    let world = World::new();
    let is_over = AtomicBool::new(false);
    let mut longest = 0;
    std::thread::scope(|scope| {
        // Each begins to read before the other one ends, and ends when the other one has begun.
        let (to_first, from_second) = mpsc::sync_channel::<()>(1);
        let (to_second, from_first) = mpsc::sync_channel::<()>(1);
        let read = |tell: mpsc::SyncSender<()>, hear: mpsc::Receiver<()>| {
            let (ward, is_over) = (&world.ward, &is_over);
            move || {
                while !is_over.load(Ordering::Relaxed) {
                    let relieved = ward.read(|connection| {
                        connection.query_row("SELECT count(*) FROM devices", [], |_| Ok(()))?;
                        Ok(tell.send(()).is_ok() && hear.recv().is_ok())
                    });
                    if !relieved.unwrap() {
                        break;
                    }
                }
            }
        };
        scope.spawn(read(to_second, from_second));
        let second = read(to_first, from_first);
        scope.spawn(second);
        for _ in 0..400 {
            write(&world, 1);
            longest = longest.max(length_of_log(&world));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(longest < LOG_BYTES_MAX, "{longest} bytes");
}
