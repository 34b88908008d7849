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

/// A phone with one case that the ward lacks, revoked and to be wiped.
fn to_be_wiped(town: &Town, more: &[&str]) -> Phone {
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..2));
    let _ = phone.sync();
    let _ = phone.record(&cases(2..3));
    let (device, _) = only_device(town);
    let mut revoke = vec!["device", "revoke", &device, "--wipe"];
    revoke.extend(more);
    let _ = town.server.run(&revoke).expect(0);
    assert_eq!(only_device(town).1, "to_be_wiped");
    phone
}

/// What is left of the phone's store.
fn left(phone: &Phone) -> Vec<String> {
    std::fs::read_dir(phone.store())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("phone.db"))
        .collect()
}

#[test]
fn a_phone_that_is_to_be_wiped_hands_over_what_the_ward_lacks_and_destroys_what_it_holds() {
    let town = Town::new();
    let phone = to_be_wiped(&town, &[]);
    let told = phone.run(&["sync"]).expect(4);
    assert!(
        told.stderr.contains("được xóa theo lệnh của phường"),
        "{}",
        told.stderr
    );
    assert_eq!(only_device(&town).1, "told_to_wipe");
    assert!(left(&phone).is_empty());
    let wiped = status(&phone);
    assert_eq!(wiped["wiped"], true);
    assert_eq!(wiped["enrolled"], false);
    assert_eq!(wiped["rescue_file"], Value::Null);
    let _ = phone.run(&["list"]).expect(3);

    // The ward keeps it apart until somebody has looked into it.
    assert_eq!(town.phone("b").list().len(), 2);
    let list = town.server.run(&["quarantine", "list"]).expect(0).stdout;
    assert!(
        list.starts_with("1\t") && list.ends_with("\twhole\n"),
        "{list}"
    );
    let shown = town.server.run(&["quarantine", "show", "1"]).expect(0);
    assert!(shown.stdout.contains("\tset\ttext\t"), "{}", shown.stdout);
    let taken = town.server.run(&["quarantine", "take", "1"]).expect(0);
    assert!(taken.stdout.starts_with("accepted="), "{}", taken.stdout);
    let colleague = town.phone("c");
    let _ = colleague.sync();
    assert_eq!(colleague.list().len(), 3);
    assert_eq!(
        town.server.run(&["quarantine", "list"]).expect(0).stdout,
        ""
    );
    let _ = town.server.run(&["quarantine", "take", "1"]).expect(2);
}

#[test]
fn what_is_not_taken_by_the_network_stays_on_a_wiped_phone_sealed() {
    let town = Town::new();
    let phone = to_be_wiped(&town, &["--refuse-unsent"]);
    let _ = phone.run(&["sync"]).expect(4);
    assert_eq!(left(&phone), ["phone.db-wiped-rescue"]);
    assert_eq!(
        town.server.run(&["quarantine", "list"]).expect(0).stdout,
        ""
    );

    // Whoever holds the phone cannot read the file; the office takes it once it has looked into it.
    let wiped = status(&phone);
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

#[test]
fn a_phone_that_was_in_other_hands_gets_another_key_without_a_visit_to_the_office() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..2));
    let _ = phone.sync();
    let copied = town.path("copied");
    gandan_tests::folders::copy(phone.store(), &copied);
    let _ = phone.record(&cases(2..3));
    let _ = phone.run(&["renew-key"]).expect(0);
    assert!(phone.pending().is_empty());
    assert_eq!(phone.list().len(), 3);
    let list = town.server.run(&["device", "list"]).expect(0).stdout;
    let states: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split('\t').nth(6))
        .collect();
    assert_eq!(states, ["active", "revoked"]);
    let _ = town.server.run(&["check"]).expect(0);
    // Whoever copied it has a key that nobody knows any more.
    std::fs::remove_dir_all(phone.store()).unwrap();
    gandan_tests::folders::copy(&copied, phone.store());
    let _ = phone.run(&["sync"]).expect(4);
    assert_eq!(status(&phone)["revoked"], true);
}
