//! Backups of real wards in folders: written, damaged, cut short, opened, restored.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gandan_core::environment::SystemEnvironment;
use gandan_core::model::Role;
use gandan_core::recovery::RecoveryKey;
use tempfile::TempDir;

use super::{BackupError, Summary, Wishes, restore, verify, write};
use crate::ward::{STORE_FILE, STORE_KEY_FILE, Ward};

const INTO_FOLDER: Wishes = Wishes {
    full: false,
    keep: 30,
    keep_days: 30,
};

struct World {
    root: TempDir,
    ward: Ward,
    key: RecoveryKey,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let (ward, key) = Ward::make(
            &root.path().join("ward"),
            "26995".parse().unwrap(),
            Arc::new(SystemEnvironment),
        )
        .unwrap();
        let world = Self { root, ward, key };
        world.work("Trước");
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Something that a backup has to bring back.
    fn work(&self, name: &str) {
        self.ward.officer(name, Role::Officer, &[]).unwrap();
    }

    fn back_up(&self, to: &Path) -> Summary {
        write(&self.ward, &self.path("ward"), to, INTO_FOLDER).unwrap()
    }

    fn restore(&self, from: &Path, number: Option<u64>, name: &str) -> Ward {
        let (ward, _) = restore(
            from,
            number,
            &self.path(name),
            &self.key,
            Arc::new(SystemEnvironment),
        )
        .unwrap();
        ward
    }
}

fn officers(ward: &Ward) -> Vec<String> {
    let directory = ward.directory().unwrap();
    directory
        .officers
        .into_iter()
        .map(|officer| officer.name)
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some())
        .collect();
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

fn is_damaged(result: Result<Summary, BackupError>) -> bool {
    matches!(
        result,
        Err(BackupError::Damaged(_) | BackupError::NotABackup | BackupError::Newer)
    )
}

#[test]
fn a_ward_comes_back_whole_from_a_folder_and_from_a_file() {
    let world = World::new();
    for name in ["folder", "file.gandan"] {
        let to = world.path(name);
        let written = world.back_up(&to);
        assert_eq!(to.is_dir(), name == "folder");
        assert_eq!(
            verify(&to, None, None).unwrap(),
            Summary {
                added: 0,
                ..written
            }
        );
        verify(&to, None, Some(&world.key)).unwrap();
        let restored = world.restore(&to, None, &format!("{name} restored"));
        assert_eq!(restored.key(), world.ward.key());
        assert_eq!(officers(&restored), ["Trước"]);
        restored.assert_sound();
        // Phones are asked for what came after, and numbers wait for it.
        assert!(restored.is_numbering_paused().unwrap());
    }
}

#[test]
fn a_later_backup_writes_what_is_new_and_each_restores_what_was_there_then() {
    let world = World::new();
    let folder = world.path("backups");
    let first = world.back_up(&folder);
    world.work("Sau");
    let second = world.back_up(&folder);
    assert_eq!((first.number, second.number), (1, 2));
    assert!(
        second.added < first.added / 2,
        "{} after {}",
        second.added,
        first.added
    );
    // Without a change only the list of blocks is written, but for what noting the backup changed.
    assert_eq!(
        officers(&world.restore(&folder, Some(1), "then")),
        ["Trước"]
    );
    let mut now = officers(&world.restore(&folder, None, "now"));
    now.sort();
    assert_eq!(now, ["Sau", "Trước"]);
}

#[test]
fn a_backup_is_of_one_moment_while_others_write() {
    let world = World::new();
    let is_over = AtomicBool::new(false);
    let folder = world.path("backups");
    let elsewhere = Ward::open(&world.path("ward"), Arc::new(SystemEnvironment)).unwrap();
    /// Ends the writing, also when the test fails.
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    std::thread::scope(|scope| {
        let _over = Over(&is_over);
        scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Ordering::SeqCst) {
                number += 1;
                elsewhere
                    .officer(&format!("Cán bộ {number}"), Role::Officer, &[])
                    .unwrap();
                // A ward does not write without a pause.
                elsewhere.directory().unwrap();
                elsewhere.verify_audit().unwrap();
            }
        });
        for _ in 0..5 {
            world.back_up(&folder);
        }
    });
    for number in 1..=5 {
        verify(&folder, Some(number), Some(&world.key)).unwrap();
        let restored = world.restore(&folder, Some(number), &format!("restored {number}"));
        let checked = restored.check().unwrap();
        assert!(checked.is_sound(), "{number}: {:?}", checked.problems);
    }
}

#[test]
fn a_backup_that_ended_early_leaves_those_before_it_and_the_next_one_is_whole() {
    let world = World::new();
    let one = world.path("one");
    world.back_up(&one);
    world.work("Sau");
    let two = world.path("two");
    copy(&one, &two);
    world.back_up(&two);
    let [manifest, pack] = ["0000000002.manifest", "0000000002.pack"]
        .map(|name| (name, fs::read(two.join(name)).unwrap()));
    // Every state in which the second backup can have ended: the pack cut at some byte, the pack whole,
    // the manifest cut at some byte.
    let mut states: Vec<(usize, Option<usize>)> = Vec::new();
    for cut in 0..20 {
        states.push((pack.1.len() * cut / 20, None));
        states.push((pack.1.len(), Some(manifest.1.len() * cut / 20)));
    }
    for (number, (packed, listed)) in states.into_iter().enumerate() {
        let folder = world.path(&format!("cut {number}"));
        copy(&one, &folder);
        let is_packed = packed == pack.1.len();
        let ending = if is_packed { "" } else { ".unfinished" };
        fs::write(
            folder.join(format!("{}{ending}", pack.0)),
            &pack.1[..packed],
        )
        .unwrap();
        if let Some(listed) = listed {
            let name = format!("{}.unfinished", manifest.0);
            fs::write(folder.join(name), &manifest.1[..listed]).unwrap();
        }
        assert_eq!(verify(&folder, None, Some(&world.key)).unwrap().number, 1);
        if number % 10 == 0 {
            let restored = world.restore(&folder, None, &format!("restored {number}"));
            assert_eq!(officers(&restored), ["Trước"]);
        }
        let next = world.back_up(&folder);
        assert_eq!(
            verify(&folder, None, Some(&world.key)).unwrap().number,
            next.number
        );
        let left = files(&folder);
        assert!(
            !left.iter().any(|file| file.ends_with("unfinished")),
            "{left:?}"
        );
    }
}

#[test]
fn every_change_of_a_backup_is_found_without_the_recovery_key() {
    let world = World::new();
    for name in ["folder", "file.gandan"] {
        let to = world.path(name);
        world.back_up(&to);
        let parts = if to.is_dir() {
            files(&to)
        } else {
            vec![to.clone()]
        };
        for part in parts {
            let whole = fs::read(&part).unwrap();
            let step = (whole.len() / 60).max(1);
            for place in (0..whole.len()).step_by(step).chain([whole.len() - 1]) {
                let mut changed = whole.clone();
                changed[place] ^= 0x10;
                fs::write(&part, &changed).unwrap();
                assert!(is_damaged(verify(&to, None, None)), "{part:?} {place}");
                fs::write(&part, &whole[..place]).unwrap();
                assert!(is_damaged(verify(&to, None, None)), "{part:?} cut {place}");
            }
            fs::remove_file(&part).unwrap();
            assert!(is_damaged(verify(&to, None, None)), "{part:?} removed");
            fs::write(&part, &whole).unwrap();
            verify(&to, None, None).unwrap();
        }
    }
}

#[test]
fn nothing_opens_a_backup_but_the_recovery_key_of_its_ward() {
    let world = World::new();
    let other = World::new();
    let folder = world.path("backups");
    world.back_up(&folder);
    let open = |key: &RecoveryKey| verify(&folder, None, Some(key));
    assert!(matches!(open(&other.key), Err(BackupError::WrongKey)));
    let into = restore(
        &folder,
        None,
        &world.path("nothing"),
        &other.key,
        Arc::new(SystemEnvironment),
    );
    assert!(matches!(into, Err(BackupError::WrongKey)));
    assert!(!world.path("nothing").join(STORE_FILE).exists());
    // Neither the store's key nor its pages lie in it as they are.
    let key = fs::read(world.path("ward").join(STORE_KEY_FILE)).unwrap();
    let page = fs::read(world.path("ward").join(STORE_FILE)).unwrap()[64..128].to_vec();
    for file in files(&folder) {
        let bytes = fs::read(file).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!holds(key.trim_ascii()) && !holds(&page));
    }
}

#[test]
fn whoever_lost_the_paper_gets_another_key_for_later_backups_and_earlier_ones_need_the_old() {
    let world = World::new();
    let folder = world.path("backups");
    world.back_up(&folder);
    let new = world.ward.new_recovery_key().unwrap();
    let later = world.back_up(&folder);
    assert!(later.added > 50_000, "nothing of an earlier pack is used");
    let open = |number, key: &RecoveryKey| verify(&folder, Some(number), Some(key));
    open(1, &world.key).unwrap();
    open(2, &new).unwrap();
    for (number, key) in [(1, &new), (2, &world.key)] {
        assert!(matches!(open(number, key), Err(BackupError::WrongKey)));
    }
}

#[test]
fn a_restore_that_ended_early_leaves_no_ward_and_is_done_again() {
    let world = World::new();
    let folder = world.path("backups");
    world.back_up(&folder);
    let data = world.path("back");
    let unfinished = data.join("restoring");
    fs::create_dir_all(&unfinished).unwrap();
    fs::write(unfinished.join(STORE_FILE), b"the beginning of it").unwrap();
    fs::write(unfinished.join(STORE_KEY_FILE), b"").unwrap();
    fs::write(data.join(STORE_KEY_FILE), b"").unwrap();
    let ward = Ward::open(&data, Arc::new(SystemEnvironment));
    assert!(matches!(ward, Err(crate::ward::WardError::NotInitialised)));
    let restored = world.restore(&folder, None, "back");
    restored.assert_sound();
    assert!(!unfinished.exists());
    // A log without its store is somebody's: it is not taken for the log of the restored one.
    let other = world.path("other");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join(format!("{STORE_FILE}-wal")), b"log").unwrap();
    let refused = restore(
        &folder,
        None,
        &other,
        &world.key,
        Arc::new(SystemEnvironment),
    );
    assert!(matches!(refused, Err(BackupError::WardIsThere)));
}

#[test]
fn nothing_of_another_is_overwritten() {
    let world = World::new();
    let other = World::new();
    let refused = |to: &Path| write(&other.ward, &other.path("ward"), to, INTO_FOLDER);
    let folder = world.path("backups");
    world.back_up(&folder);
    let second = Ward::init(
        &world.path("second"),
        "00008".parse().unwrap(),
        Arc::new(SystemEnvironment),
    )
    .unwrap();
    let of_second = write(&second, &world.path("second"), &folder, INTO_FOLDER);
    assert!(matches!(of_second, Err(BackupError::OtherWard(_))));
    // Of the same code, but another ward.
    assert!(matches!(refused(&folder), Err(BackupError::OtherWard(_))));
    assert!(matches!(
        refused(&world.path("ward")),
        Err(BackupError::Occupied)
    ));
    let text = world.path("notes.txt");
    fs::write(&text, "không phải bản sao lưu").unwrap();
    assert!(matches!(refused(&text), Err(BackupError::Occupied)));
    assert_eq!(fs::read_to_string(&text).unwrap(), "không phải bản sao lưu");
    let into_ward = restore(
        &folder,
        None,
        &world.path("ward"),
        &world.key,
        Arc::new(SystemEnvironment),
    );
    assert!(matches!(into_ward, Err(BackupError::WardIsThere)));
}

#[test]
fn a_folder_keeps_as_many_backups_as_it_is_told_and_a_full_one_needs_no_other() {
    let world = World::new();
    let folder = world.path("backups");
    for _ in 0..3 {
        world.work("Thêm");
        world.back_up(&folder);
    }
    assert_eq!(files(&folder).len(), 6);
    let wishes = Wishes {
        full: true,
        keep: 1,
        keep_days: 0,
    };
    write(&world.ward, &world.path("ward"), &folder, wishes).unwrap();
    let left: Vec<String> = files(&folder)
        .iter()
        .map(|file| file.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, ["0000000004.manifest", "0000000004.pack"]);
    verify(&folder, None, Some(&world.key)).unwrap();
}

#[test]
fn the_last_backup_of_each_day_stays_for_a_month() {
    let world = World::new();
    let folder = world.path("backups");
    let locked = super::place::LockedFolder::open(&folder).unwrap();
    let made = world.back_up(&world.path("one.gandan"));
    let signing = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    let day = 24 * 60 * 60 * 1000;
    // Four a day for forty days.
    for number in 1..=160_u64 {
        let place = super::place::Place::of(&world.path("one.gandan")).unwrap();
        let mut manifest = place.manifest(None).unwrap();
        manifest.signer = signing.verifying_key().to_bytes();
        manifest.number = number;
        manifest.made_at.0 = (number as i64 - 1) * day / 4;
        locked
            .put_manifest(number, &manifest.encode(&signing))
            .unwrap();
    }
    let now = gandan_core::model::Timestamp(159 * day / 4);
    locked.keep_newest(6, 30, now).unwrap();
    let left = locked.manifests().unwrap();
    // The newest six, and of the days before the last of each.
    let mut expected: Vec<u64> = (155..=160).collect();
    expected.extend((11..=38).map(|day| day * 4));
    expected.sort_unstable();
    assert_eq!(left, expected);
    assert_eq!(made.number, 1);
}

#[test]
fn nothing_is_built_on_a_pack_that_was_damaged() {
    let world = World::new();
    let folder = world.path("backups");
    world.back_up(&folder);
    let pack = folder.join("0000000001.pack");
    let mut bytes = fs::read(&pack).unwrap();
    bytes[1000] ^= 1;
    fs::write(&pack, bytes).unwrap();
    world.back_up(&folder);
    verify(&folder, None, Some(&world.key)).unwrap();
    assert!(is_damaged(verify(&folder, Some(1), None)));
}
