//! A whole check: each kind of damage, made once on the store as an administrator could open it, is found.

use gandan_core::model::Role;

use super::fixture::World;
use super::phone::Phone;
use super::restore::restored;

/// A ward with cases, a visit's worth of history, a person, a file and numbers.
fn lived_in() -> World {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let image = {
        let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
        image.resize(100_000, 7);
        image
    };
    let clerk = world.clerk("Lê Thị Minh Thư", Role::Triage);
    for _ in 0..3 {
        let case = phone.case("Ngập trước nhà", Some("26998"));
        let person = phone.person(case.edit().document.uuid);
        let note = phone.note(&case, "thêm");
        let shown = phone.attach(&note, &image);
        phone.send(&world.ward, &[case.clone(), person, note, shown]);
        world
            .ward
            .accept(clerk.author, case.edit().document.uuid)
            .unwrap();
    }
    phone.upload(&world.ward, &image);
    world
}

#[test]
fn a_page_that_was_torn_while_the_log_has_it_is_no_damage() {
    let world = lived_in();
    let fold = |connection: &mut rusqlite::Connection| {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    };
    world.ward.shared.with_writer(fold).unwrap();
    let note = "UPDATE officers SET name = name || '.'";
    world
        .ward
        .shared
        .with_writer(|connection| connection.execute(note, []))
        .unwrap();
    let size = std::fs::metadata(world.folder.path().join("ward.db"))
        .unwrap()
        .len();
    let after = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), after.path().join(entry.file_name())).unwrap();
    }
    // The power goes while the log is folded into the file: its end is torn.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(after.path().join("ward.db"));
    file.unwrap().set_len(size + 3_584).unwrap();
    restored(after.path()).assert_sound();
}

#[test]
fn every_kind_of_damage_is_found_and_a_sound_ward_is_sound() {
    let world = lived_in();
    let checked = world.ward.assert_sound();
    assert_eq!((checked.documents, checked.attachments), (6, 1));
    let damages = [
        // The feed: an entry changed, moved, gone.
        "UPDATE feed SET received_at = received_at + 1 WHERE sequence = 3",
        "UPDATE feed SET author = zeroblob(16) WHERE sequence = 3",
        "UPDATE feed SET chain = randomblob(32) WHERE sequence = 3",
        "UPDATE feed SET sequence = 1000 WHERE sequence = 3",
        "DELETE FROM feed WHERE sequence = 3",
        "DELETE FROM feed WHERE sequence = (SELECT MAX(sequence) FROM feed)",
        // Edits: content, and what is kept beside it.
        "UPDATE edits SET bytes = zeroblob(length(bytes)) WHERE rowid = 2",
        "UPDATE edits SET bytes = (SELECT bytes FROM edits WHERE rowid = 3) WHERE rowid = 2",
        "UPDATE edits SET author = randomblob(16) WHERE rowid = 2",
        "UPDATE edits SET actor_sequence = 77 WHERE rowid = 2",
        "DELETE FROM edits WHERE rowid = 2",
        "INSERT INTO edits (id, kind, uuid, actor, actor_sequence, intent, author, bytes)
           SELECT randomblob(32), kind, uuid, randomblob(16), 1, intent, author, bytes FROM edits WHERE rowid = 1",
        // What is derived from them.
        "UPDATE case_rows SET households = households + 1 WHERE rowid = 1",
        "UPDATE case_rows SET text = 'khác' WHERE rowid = 1",
        "UPDATE person_rows SET name = 'khác'",
        "DELETE FROM case_rows WHERE rowid = 1",
        "UPDATE documents SET heads = randomblob(32) WHERE kind = (SELECT MIN(kind) FROM documents)",
        "UPDATE documents SET edit_count = edit_count + 1",
        "UPDATE documents SET area = NULL WHERE area IS NOT NULL",
        "UPDATE documents SET is_restricted = 1 WHERE area IS NOT NULL",
        "UPDATE documents SET sum = randomblob(length(sum))",
        "UPDATE sums SET sum = randomblob(length(sum))",
        "DELETE FROM documents",
        // Words of devices.
        "UPDATE bundle_proofs SET signature = randomblob(64)",
        "UPDATE bundle_proofs SET edits = randomblob(64)",
        "DELETE FROM bundle_proofs",
        "UPDATE actors SET device = randomblob(32)",
        // Files.
        "UPDATE attachment_chunks SET bytes = zeroblob(length(bytes)) WHERE position = 0",
        "DELETE FROM attachment_chunks WHERE position = 1",
        "UPDATE attachments SET hash = randomblob(32)",
        "DELETE FROM attachments",
        // The register.
        "DELETE FROM official_numbers WHERE number = 2",
        "UPDATE official_numbers SET number = 9 WHERE number = 3",
        "UPDATE official_numbers SET uuid = NULL, void_reason = 'khác' WHERE number = 2",
        // The audit trail.
        "UPDATE audit SET outcome = 'other' WHERE number = 4",
        "DELETE FROM audit WHERE number = 4",
        // References, and the life of the feed.
        "DELETE FROM officers",
        "UPDATE epochs SET is_current = 0",
    ];
    // Outside of the transaction that is undone, the reading of `check` is one of its own.
    for damage in damages {
        let problems = world.ward.shared.with_writer(|connection| {
            connection
                .pragma_update(None, "foreign_keys", false)
                .unwrap();
            let transaction = connection.transaction().unwrap();
            let changed = transaction
                .execute(damage, [])
                .unwrap_or_else(|error| panic!("{damage}: {error}"));
            assert!(changed > 0, "{damage}");
            match crate::ward::check::check(&transaction, &world.ward.shared) {
                Ok(checked) => checked.problems,
                Err(error) => vec![error.to_string()],
            }
        });
        assert!(!problems.is_empty(), "{damage}");
    }
    world.ward.assert_sound();
}

#[test]
fn a_page_that_was_changed_on_the_disk_is_found() {
    let world = lived_in();
    let restored = tempfile::tempdir().unwrap();
    let path = restored.path().join(crate::ward::STORE_FILE);
    world.ward.shared.with_writer(|connection| {
        let emptied: bool = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .unwrap();
        assert!(!emptied);
    });
    let mut bytes = std::fs::read(world.folder.path().join(crate::ward::STORE_FILE)).unwrap();
    // A page in the middle, far from the schema.
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    std::fs::copy(
        world.folder.path().join(crate::ward::STORE_KEY_FILE),
        restored.path().join(crate::ward::STORE_KEY_FILE),
    )
    .unwrap();
    let ward = crate::ward::Ward::open(restored.path(), super::fixture::TestEnvironment::new(5));
    // Either it does not open, or the check says what is wrong.
    if let Ok(ward) = ward {
        assert!(!ward.check().is_ok_and(|checked| checked.is_sound()));
    }
}

#[test]
fn a_check_is_not_misled_by_who_searched_before_the_last_change() {
    use gandan_core::store::rows::{self, CaseQuery};
    let world = lived_in();
    let search = CaseQuery {
        search: Some("ngap".to_owned()),
        ..CaseQuery::default()
    };
    let found = |world: &World| {
        world
            .ward
            .read(|connection| rows::cases(connection, &search))
            .unwrap()
            .len()
    };
    assert_eq!(found(&world), 3);
    let mut phone = Phone::enrol(&world, 2, Role::Officer, &["26998"]);
    let case = phone.case("Ngập nữa", Some("26998"));
    phone.send(&world.ward, &[case]);
    world.ward.assert_sound();
    assert_eq!(found(&world), 4);
}
