//! A phone that was lost: locked at once, wiped when it is met, and what it had unsent is not gone.

use gandan_tests::programs::Phone;
use serde_json::Value;

use crate::fixture::{Town, cases};

fn status(phone: &Phone) -> Value {
    let said = phone.run(&["status", "--json"]);
    said.objects().remove(0)
}

/// The id of the only device, as the administrator would copy it.
fn only_device(town: &Town) -> (String, String) {
    let list = town.server.run(&["device", "list"]).expect(0).stdout;
    let fields: Vec<&str> = list.trim().split('\t').collect();
    (fields[0].to_owned(), fields[6].to_owned())
}

#[test]
fn a_phone_says_where_it_stands() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..2));
    let before = status(&phone);
    assert_eq!(before["enrolled"], true);
    assert_eq!(before["revoked"], false);
    assert_eq!(before["wiped"], false);
    assert!(before["pending"].as_u64() > Some(0));
    let _ = phone.sync();
    let after = status(&phone);
    assert_eq!(after["pending"], 0);
    assert!(after["last_contact"].is_string());

    let (device, _) = only_device(&town);
    let _ = town.server.run(&["device", "revoke", &device]).expect(0);
    assert_eq!(only_device(&town).1, "revoked");
    let _ = phone.run(&["sync"]).expect(4);
    assert_eq!(status(&phone)["revoked"], true);
    assert_eq!(phone.list().len(), 2, "what is here stays readable");
}

#[test]
fn a_phone_that_is_to_be_wiped_destroys_what_it_holds_and_seals_what_the_ward_lacks() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..2));
    let _ = phone.sync();
    let _ = phone.record(&cases(2..3));
    let (device, _) = only_device(&town);
    let _ = town
        .server
        .run(&["device", "revoke", &device, "--wipe"])
        .expect(0);
    assert_eq!(only_device(&town).1, "to_be_wiped");

    let told = phone.run(&["sync"]).expect(4);
    assert!(
        told.stderr.contains("được xóa theo lệnh của phường"),
        "{}",
        told.stderr
    );
    assert_eq!(only_device(&town).1, "told_to_wipe");
    let left: Vec<String> = std::fs::read_dir(phone.store())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("phone.db"))
        .collect();
    assert_eq!(left, ["phone.db-wiped-rescue"]);
    let wiped = status(&phone);
    assert_eq!(wiped["wiped"], true);
    assert_eq!(wiped["enrolled"], false);
    let _ = phone.run(&["list"]).expect(3);

    // Whoever holds the phone cannot read the file; the office takes it once it has looked into it.
    let file = wiped["rescue_file"].as_str().unwrap();
    let _ = town.server.run(&["import-rescue", file]).expect(1);
    assert_eq!(town.phone("b").list().len(), 2);
    let _ = town
        .server
        .run(&["import-rescue", file, "--from-revoked"])
        .expect(0);
    let colleague = town.phone("c");
    let _ = colleague.sync();
    assert_eq!(colleague.list().len(), 3);
}

#[test]
fn a_wipe_that_was_cut_off_is_ended_at_the_next_opening() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..1));
    let _ = phone.sync();
    // The mark is written first; power fails before anything is overwritten.
    std::fs::write(phone.store().join("phone.wiped"), "1").unwrap();
    let _ = phone.run(&["list"]).expect(3);
    assert!(!phone.store().join("phone.db").exists());
    assert_eq!(status(&phone)["wiped"], true);
}
