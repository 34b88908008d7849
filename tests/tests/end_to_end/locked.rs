//! The app lock with the real programs: what a phone tells without its PIN, and that nothing is lost by it.

use gandan_tests::programs::Phone;
use serde_json::Value;

use crate::fixture::{Town, cases};

fn status(phone: &Phone) -> Value {
    phone.run(&["status", "--json"]).objects().remove(0)
}

#[test]
fn a_locked_phone_shows_nothing_until_it_is_unlocked_and_loses_nothing_to_wrong_pins() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..2));
    assert_eq!(status(&phone)["locked"], false);
    let _ = phone.run_with(&["lock"], "12\n").expect(3);
    let _ = phone.run_with(&["lock"], "2580\n").expect(0);
    assert_eq!(status(&phone)["locked"], true);
    // The key of the environment does not lead round the PIN.
    for command in ["list", "sync", "pending"] {
        let refused = phone.run(&[command]).expect(3);
        assert!(refused.stderr.contains("đang khoá"), "{}", refused.stderr);
    }

    for _ in 0..4 {
        let _ = phone.run_with(&["unlock"], "0000\n").expect(3);
    }
    let early = phone.run_with(&["unlock"], "2580\n").expect(3);
    assert!(early.stderr.contains("hãy chờ"), "{}", early.stderr);
    // Half a minute later, without waiting for it.
    std::fs::write(phone.store().join("phone.db-attempts"), "4 0").unwrap();
    let _ = phone.run_with(&["unlock"], "2580\n").expect(0);
    assert_eq!(status(&phone)["locked"], false);
    let _ = phone.sync();
    assert_eq!(phone.list().len(), 2);

    let _ = phone.run(&["lock"]).expect(0);
    let _ = phone.run(&["list"]).expect(3);
}

#[test]
fn a_phone_whose_key_store_is_gone_stops_and_keeps_its_files() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..1));
    let _ = phone.run_with(&["lock"], "2580\n").expect(0);
    let (secret, aside) = (phone.store().join("phone.db-keystore"), town.path("aside"));
    std::fs::rename(&secret, &aside).unwrap();
    let stopped = phone.run_with(&["unlock"], "2580\n").expect(3);
    assert!(
        stopped.stderr.contains("được giữ nguyên"),
        "{}",
        stopped.stderr
    );
    assert!(!secret.exists(), "a new one would open nothing");
    std::fs::rename(&aside, &secret).unwrap();
    let _ = phone.run_with(&["unlock"], "2580\n").expect(0);
    assert_eq!(phone.list().len(), 1);
}

#[test]
fn a_phone_that_is_wiped_keeps_nothing_of_its_lock() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.run_with(&["lock"], "2580\n").expect(0);
    let _ = phone.run_with(&["unlock"], "2580\n").expect(0);
    let list = town.server.run(&["device", "list"]).expect(0).stdout;
    let device = list.split('\t').next().unwrap().to_owned();
    let _ = town
        .server
        .run(&["device", "revoke", &device, "--wipe"])
        .expect(0);
    let _ = phone.run(&["sync"]).expect(4);
    assert_eq!(status(&phone)["wiped"], true);
    let left: Vec<String> = std::fs::read_dir(phone.store())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("phone.db"))
        .collect();
    assert_eq!(left, [] as [String; 0], "neither store nor key");
}
