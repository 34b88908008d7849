//! Stores that do not open: what is said, with which exit code, and that nothing is changed.

use std::fs;
use std::process::Command;

use gandan_tests::programs::{Finished, Phone, program};

use crate::fixture::{Town, cases};

#[test]
fn a_key_that_is_missing_or_wrong_changes_nothing_and_is_named() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..1));
    let with_key = |key: Option<&str>| {
        let mut command = phone.command(&["list", "--json"]);
        match key {
            Some(key) => command.env("GANDAN_STORE_KEY", key),
            None => command.env_remove("GANDAN_STORE_KEY"),
        };
        Finished::from(command.output().unwrap())
    };
    for key in [
        None,
        Some(""),
        Some("abc"),
        Some(&"x".repeat(64)),
        Some(&"f".repeat(64)),
    ] {
        let refused = with_key(key).expect(3);
        assert!(
            refused.stderr.to_lowercase().contains("khoá"),
            "{refused:?}"
        );
        assert!(refused.stdout.is_empty());
    }
    assert_eq!(phone.list().len(), 1);
}

#[test]
fn a_damaged_store_is_set_aside_and_named() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..1));
    let path = phone.store().join("phone.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..] {
        *byte ^= 0x55;
    }
    fs::write(&path, &bytes).unwrap();
    // The damage is met when something reads there, at the latest when the store is checked.
    let mut said = String::new();
    for command in ["check", "list", "check"] {
        let ended = phone.run(&[command]);
        said.push_str(&ended.stderr);
        if ended.code == Some(3) && ended.stderr.contains("cất riêng") {
            break;
        }
    }
    assert!(said.contains("phone.db"), "{said}");
    let kept: Vec<_> = fs::read_dir(phone.store())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("phone.db") && said.contains(name.as_str()))
        .collect();
    assert!(!kept.is_empty(), "{said}");
}

#[test]
fn a_store_of_a_newer_app_is_refused_and_left_as_it_is() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..1));
    let set_version = |change: &str| {
        let connection = rusqlite::Connection::open(phone.store().join("phone.db")).unwrap();
        connection
            .pragma_update(None, "key", format!("x'{}'", Phone::KEY))
            .unwrap();
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        let changed = if change == "newer" {
            version + 1
        } else {
            version - 1
        };
        connection
            .pragma_update(None, "user_version", changed)
            .unwrap();
    };
    set_version("newer");
    for command in ["list", "sync"] {
        let refused = phone.run(&[command]).expect(3);
        assert!(refused.stderr.contains("cập nhật ứng dụng"), "{refused:?}");
    }
    set_version("back");
    assert_eq!(phone.list().len(), 1);
    let _ = phone.sync();
}

/// A file system of its own that holds 1 MiB, where the system lets an ordinary user make one.
#[test]
fn a_full_disk_loses_nothing_and_says_what_to_do() {
    let can_mount = Command::new("unshare")
        .args([
            "--map-root-user",
            "--mount",
            "mount",
            "-t",
            "tmpfs",
            "none",
            "/mnt",
        ])
        .output()
        .is_ok_and(|output| output.status.success());
    if !can_mount {
        println!("not tried: this system lets no ordinary user make a small disk");
        return;
    }
    let town = Town::new();
    let phone = town.phone("a");
    let lines = town.path("lines");
    let all: String = cases(0..2_000)
        .iter()
        .map(|case| format!("{case}\n"))
        .collect();
    fs::write(&lines, all).unwrap();
    // The small disk is seen by this shell only; what is on it is brought home before it vanishes.
    let script = r#"
        set -u
        mount -t tmpfs -o size=1m none "$SMALL"
        cp "$STORE"/* "$SMALL"/
        "$PHONE" record --store "$SMALL" < "$LINES" > "$OUT/recorded"; echo "record $?"
        "$PHONE" list --json --store "$SMALL" > "$OUT/listed"; echo "list $?"
        cp "$SMALL"/* "$STORE"/
    "#;
    let small = town.path("small");
    fs::create_dir(&small).unwrap();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .env("SMALL", &small)
        .env("STORE", phone.store())
        .env("LINES", &lines)
        .env("OUT", town.path(""))
        .env("PHONE", program("gandan-phone"))
        .env("GANDAN_STORE_KEY", Phone::KEY)
        .output()
        .unwrap();
    let ended = Finished::from(output);
    assert!(ended.stdout.contains("record 3"), "{ended:?}");
    assert!(ended.stderr.contains("hết chỗ trống"), "{ended:?}");
    assert!(ended.stdout.contains("list 0"), "{ended:?}");

    let count = |name: &str| fs::read_to_string(town.path(name)).unwrap().lines().count();
    let recorded = count("recorded");
    println!("{recorded} cases fit");
    assert!(recorded > 0);
    assert_eq!(
        count("listed"),
        recorded,
        "every case that was answered is there"
    );
    // With room again, the phone goes on where it was.
    let _ = phone.record(&cases(5_000..5_001));
    assert_eq!(phone.sync()["rejected"], 0);
    assert_eq!(phone.list().len(), recorded + 1);
}

#[test]
fn a_folder_without_a_store_is_not_made_into_one() {
    let town = Town::new();
    let phone = Phone::new(&town.path("nowhere"));
    let refused = phone.run(&["list", "--json"]).expect(3);
    assert!(refused.stderr.contains("enrol"), "{refused:?}");
    assert!(!phone.store().exists());
}

#[test]
fn wrong_usage_is_told_from_everything_else() {
    let town = Town::new();
    let phone = town.phone("a");
    for arguments in [
        &["edit", "x"][..],
        &["show", "--json", "x"],
        &["edit", "x", "--status", "assigned"],
        &["enrol", "--invite", "gandan:abc"],
        &["frobnicate"],
    ] {
        let refused = phone.run(arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {refused:?}");
    }
    let output = Command::new(program("gandan-phone"))
        .arg("--version")
        .output()
        .unwrap();
    assert!(output.status.success());
}

#[test]
fn a_rescue_file_carries_what_is_unsent_to_the_ward() {
    let mut town = Town::new();
    let (a, b) = (town.phone("a"), town.phone("b"));
    let _ = a.record(&cases(0..3));
    let file = town.path("rescue");
    let _ = a
        .run(&["rescue", "--out", file.to_str().unwrap()])
        .expect(0);
    let again = a.run(&["rescue", "--out", file.to_str().unwrap()]);
    assert_eq!(again.code, Some(2), "a file is never replaced: {again:?}");
    let _ = town
        .server
        .run(&["import-rescue", file.to_str().unwrap()])
        .expect(0);
    let _ = b.sync();
    assert_eq!(b.list().len(), 3);
    // The phone works again after all: nothing doubles.
    let report = a.sync();
    assert_eq!(report["rejected"], 0);
    let _ = b.sync();
    assert_eq!(b.list().len(), 3);
    assert!(town.server.is_serving());
}
