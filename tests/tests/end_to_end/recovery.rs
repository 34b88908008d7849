//! Files put back from a copy, with real programs and nobody told: the server's folder, a phone's store.

use std::path::Path;

use gandan_tests::folders;
use gandan_tests::programs::Phone;

use crate::fixture::{Town, cases, texts};

/// Puts a copy in the place of a folder; what was there is kept aside.
fn swap(folder: &Path, copied: &Path, aside: &Path) {
    std::fs::rename(folder, aside).unwrap();
    folders::copy(copied, folder);
}

fn assert_agreed(phone: &Phone) {
    let report = phone.sync();
    assert_eq!(report["agreed"], true, "{report}");
    assert_eq!(report["rejected"], 0, "{report}");
}

#[test]
fn a_server_whose_folder_is_an_older_copy_gets_back_what_its_phones_hold() {
    let mut town = Town::new();
    let (a, b) = (town.phone("a"), town.phone("b"));
    let _ = a.record(&cases(0..40));
    for phone in [&a, &b] {
        assert_agreed(phone);
    }
    town.server.stop();
    let (data, old) = (town.server.data().to_owned(), town.path("old"));
    folders::copy(&data, &old);
    town.server.serve();
    let _ = a.record(&cases(40..43));
    for phone in [&a, &b] {
        assert_agreed(phone);
    }
    town.server.stop();
    swap(&data, &old, &town.path("lost"));
    town.server.serve();

    // Another phone than the one that wrote them brings them, and no more than them.
    let report = b.sync();
    assert_eq!(report["agreed"], true, "{report}");
    let up = report["payload_up"].as_u64().unwrap();
    println!("{up} bytes up for three cases of 43");
    assert!(up < 4_000, "{report}");
    assert_agreed(&a);
    let fresh = town.phone("c");
    assert_agreed(&fresh);
    for phone in [&a, &b, &fresh] {
        assert_eq!(texts(&phone.list()), texts(&cases(0..43)));
        assert_agreed(phone);
    }
}

#[test]
fn a_phone_that_was_copied_onto_a_second_one_goes_on_on_both() {
    let town = Town::new();
    let a = town.phone("a");
    let _ = a.record(&cases(0..2));
    assert_agreed(&a);
    // What is unsent is on both, too.
    let _ = a.record(&cases(2..3));
    folders::copy(a.store(), &town.path("copy"));
    let twin = Phone::new(&town.path("copy"));
    let _ = a.record(&cases(3..4));
    let _ = twin.record(&cases(4..5));
    for phone in [&a, &twin, &a, &twin] {
        assert_agreed(phone);
    }
    for phone in [&a, &twin] {
        assert_eq!(texts(&phone.list()), texts(&cases(0..5)));
    }
}

#[test]
fn a_phone_that_is_put_back_from_an_old_copy_has_everything_again() {
    let town = Town::new();
    let a = town.phone("a");
    let _ = a.record(&cases(0..2));
    assert_agreed(&a);
    folders::copy(a.store(), &town.path("old"));
    let _ = a.record(&cases(2..4));
    assert_agreed(&a);
    swap(a.store(), &town.path("old"), &town.path("lost"));
    assert_eq!(a.list().len(), 2);
    let _ = a.record(&cases(4..5));
    for _ in 0..2 {
        assert_agreed(&a);
    }
    assert_eq!(texts(&a.list()), texts(&cases(0..5)));
}
