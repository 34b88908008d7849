use std::fs;
use std::io::{Seek, SeekFrom, Write};

use super::*;

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        sql: "CREATE TABLE notes (number INTEGER PRIMARY KEY, words TEXT NOT NULL) STRICT;",
    },
    Migration {
        version: 2,
        sql: "ALTER TABLE notes ADD COLUMN at INTEGER NOT NULL DEFAULT 0;",
    },
];

fn key(byte: u8) -> StoreKey {
    StoreKey::new([byte; 32])
}

fn write_notes(connection: &Connection, count: usize) {
    for number in 0..count {
        connection
            .execute(
                "INSERT INTO notes (words) VALUES (?1)",
                [format!("{number} {}", "lời dân nói ".repeat(40))],
            )
            .unwrap();
    }
}

fn note_count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(words) FROM notes", [], |row| row.get(0))
}

fn damage(path: &Path, at: u64) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[0x55; 64]).unwrap();
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_written_is_read_again_with_the_key_and_is_encrypted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    let connection = open(&path, &key(7), MIGRATIONS).unwrap();
    write_notes(&connection, 3);
    drop(connection);
    assert_eq!(
        note_count(&open(&path, &key(7), MIGRATIONS).unwrap()),
        Ok(3)
    );
    for name in names(directory.path()) {
        let bytes = fs::read(directory.path().join(name)).unwrap();
        for plain in ["SQLite format", "CREATE TABLE", "lời dân nói"] {
            assert!(
                !bytes
                    .windows(plain.len())
                    .any(|window| window == plain.as_bytes())
            );
        }
    }
}

#[test]
fn the_file_is_kept_safe_in_every_way_we_promise() {
    let directory = tempfile::tempdir().unwrap();
    let connection = open(&directory.path().join("phone.db"), &key(7), MIGRATIONS).unwrap();
    let number = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(number("synchronous"), 2);
    assert_eq!(number("foreign_keys"), 1);
    assert_eq!(number("secure_delete"), 1);
    assert_eq!(number("temp_store"), 2);
    assert_eq!(number("user_version"), 2);
    assert_eq!(number("application_id"), i64::from(APPLICATION_ID));
}

#[test]
fn a_wrong_key_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    let connection = open(&path, &key(7), MIGRATIONS).unwrap();
    write_notes(&connection, 3);
    drop(connection);
    let before = (names(directory.path()), fs::read(&path).unwrap());
    let refusal = open(&path, &key(8), MIGRATIONS);
    assert!(matches!(refusal, Err(OpenError::WrongKey)), "{refusal:?}");
    assert_eq!((names(directory.path()), fs::read(&path).unwrap()), before);
    assert_eq!(
        note_count(&open(&path, &key(7), MIGRATIONS).unwrap()),
        Ok(3)
    );
}

#[test]
fn a_store_whose_key_check_is_lost_or_damaged_still_opens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    write_notes(&open(&path, &key(7), MIGRATIONS).unwrap(), 3);
    let check = directory.path().join("phone.db-key-check");
    fs::remove_file(&check).unwrap();
    assert!(matches!(
        open(&path, &key(8), MIGRATIONS),
        Err(OpenError::WrongKey)
    ));
    open(&path, &key(7), MIGRATIONS).unwrap();
    fs::write(&check, b"?").unwrap();
    assert_eq!(
        note_count(&open(&path, &key(7), MIGRATIONS).unwrap()),
        Ok(3)
    );
    assert_eq!(fs::read(&check).unwrap().len(), 32);
}

#[test]
fn a_file_of_a_newer_app_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    write_notes(&open(&path, &key(7), MIGRATIONS).unwrap(), 3);
    let before = fs::read(&path).unwrap();
    let refusal = open(&path, &key(7), &MIGRATIONS[..1]);
    assert!(
        matches!(refusal, Err(OpenError::Newer { found: 2, known: 1 })),
        "{refusal:?}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn an_older_file_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    write_notes(&open(&path, &key(7), &MIGRATIONS[..1]).unwrap(), 3);
    let connection = open(&path, &key(7), MIGRATIONS).unwrap();
    let at: i64 = connection
        .query_row("SELECT sum(at) FROM notes", [], |row| row.get(0))
        .unwrap();
    assert_eq!((note_count(&connection), at), (Ok(3), 0));
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    write_notes(&open(&path, &key(7), &MIGRATIONS[..1]).unwrap(), 3);
    let broken = [
        MIGRATIONS[0],
        Migration {
            version: 2,
            sql: "CREATE TABLE more (number INTEGER) STRICT; DELETE FROM notes; DROP TABLE nothing;",
        },
    ];
    assert!(matches!(
        open(&path, &key(7), &broken),
        Err(OpenError::Database(_))
    ));
    assert_eq!(
        note_count(&open(&path, &key(7), MIGRATIONS).unwrap()),
        Ok(3)
    );
}

#[test]
fn a_store_of_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    let connection = Connection::open(&path).unwrap();
    give_key(&connection, &key(7)).unwrap();
    connection
        .execute_batch("PRAGMA application_id = 77; CREATE TABLE theirs (a)")
        .unwrap();
    drop(connection);
    assert!(matches!(
        open(&path, &key(7), MIGRATIONS),
        Err(OpenError::Foreign)
    ));
}

#[test]
fn a_damaged_file_is_set_aside_with_its_log_and_the_next_opening_begins_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    write_notes(&open(&path, &key(7), MIGRATIONS).unwrap(), 300);
    damage(&path, 100);
    let damaged = fs::read(&path).unwrap();
    let Err(OpenError::Damaged { set_aside }) = open(&path, &key(7), MIGRATIONS) else {
        panic!("a damaged first page opened");
    };
    assert!(set_aside.starts_with("phone.db.damaged-2"), "{set_aside}");
    assert_eq!(
        fs::read(directory.path().join(&set_aside)).unwrap(),
        damaged
    );
    assert!(
        directory
            .path()
            .join(format!("{set_aside}-key-check"))
            .exists()
    );
    assert_eq!(
        note_count(&open(&path, &key(7), MIGRATIONS).unwrap()),
        Ok(0)
    );

    // A second one within the same second does not take the first one's place.
    damage(&path, 100);
    let Err(OpenError::Damaged { set_aside: second }) = open(&path, &key(7), MIGRATIONS) else {
        panic!("a damaged first page opened");
    };
    assert_ne!(set_aside, second);
    assert_eq!(
        fs::read(directory.path().join(&set_aside)).unwrap(),
        damaged
    );
}

#[test]
fn an_emptied_file_is_not_taken_for_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    let copy = directory.path().join("copy.db");
    let connection = open(&path, &key(7), MIGRATIONS).unwrap();
    write_notes(&connection, 3);
    // As a phone leaves it that dies now: with the log not yet folded into the file.
    fs::copy(
        directory.path().join("phone.db-wal"),
        directory.path().join("copy.db-wal"),
    )
    .unwrap();
    drop(connection);
    let log = fs::read(directory.path().join("copy.db-wal")).unwrap();
    let Err(OpenError::Damaged { set_aside }) = open(&copy, &key(7), MIGRATIONS) else {
        panic!("a log without a file was passed over");
    };
    assert_eq!(
        fs::read(directory.path().join(format!("{set_aside}-wal"))).unwrap(),
        log
    );

    fs::write(&path, b"").unwrap();
    assert!(matches!(
        open(&path, &key(7), MIGRATIONS),
        Err(OpenError::Damaged { .. })
    ));
    assert_eq!(
        note_count(&open(&path, &key(7), MIGRATIONS).unwrap()),
        Ok(0)
    );
}

#[test]
fn damage_deep_in_the_file_is_noticed_in_use_and_set_aside_at_the_next_opening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    write_notes(&open(&path, &key(7), MIGRATIONS).unwrap(), 300);
    assert!(check_whole(&open(&path, &key(7), MIGRATIONS).unwrap()).unwrap());
    damage(&path, 20 * 4096 + 700);
    let connection = open(&path, &key(7), MIGRATIONS).unwrap();
    let error = note_count(&connection).unwrap_err();
    assert!(is_damage(&error), "{error:?}");
    assert!(matches!(
        crate::store::StoreError::from(error),
        crate::store::StoreError::Damaged(_)
    ));
    assert!(!check_whole(&connection).unwrap());
    drop(connection);
    suspect(&path).unwrap();
    assert!(matches!(
        open(&path, &key(7), MIGRATIONS),
        Err(OpenError::Damaged { .. })
    ));
    assert_eq!(
        note_count(&open(&path, &key(7), MIGRATIONS).unwrap()),
        Ok(0)
    );
}

#[test]
fn a_false_suspicion_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    write_notes(&open(&path, &key(7), MIGRATIONS).unwrap(), 3);
    suspect(&path).unwrap();
    assert_eq!(
        note_count(&open(&path, &key(7), MIGRATIONS).unwrap()),
        Ok(3)
    );
    assert!(!is_suspect(&path));
}

#[test]
fn a_page_that_was_torn_while_the_log_has_it_is_no_damage() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    let connection = open(&path, &key(7), MIGRATIONS).unwrap();
    write_notes(&connection, 200);
    let fold = |connection: &Connection| {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    };
    fold(&connection).unwrap();
    connection.execute("UPDATE notes SET at = 1", []).unwrap();
    // The power goes while the log is folded into the file.
    let after = tempfile::tempdir().unwrap();
    for name in names(directory.path()) {
        fs::copy(directory.path().join(&name), after.path().join(&name)).unwrap();
    }
    let torn = after.path().join("phone.db");
    damage(&torn, fs::metadata(&torn).unwrap().len() / 2);
    suspect(&torn).unwrap();
    let opened = open(&torn, &key(7), MIGRATIONS).unwrap();
    assert_eq!(note_count(&opened), Ok(200));
    assert!(check_whole(&opened).unwrap());
}

#[test]
fn a_store_that_cannot_grow_says_full_and_keeps_what_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phone.db");
    let connection = open(&path, &key(7), MIGRATIONS).unwrap();
    write_notes(&connection, 3);
    connection
        .execute_batch("PRAGMA max_page_count = 8")
        .unwrap();
    let error = connection
        .execute(
            "INSERT INTO notes (words) VALUES (?1)",
            ["x".repeat(100_000)],
        )
        .unwrap_err();
    assert!(matches!(
        crate::store::StoreError::from(error),
        crate::store::StoreError::Full
    ));
    assert_eq!(note_count(&connection), Ok(3));
}

#[test]
fn a_folder_that_is_not_there_is_said_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nowhere").join("phone.db");
    assert!(matches!(
        open(&path, &key(7), MIGRATIONS),
        Err(OpenError::Unusable(_))
    ));
}
