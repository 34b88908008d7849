//! Processes that are killed and answers that get lost in the middle of a synchronisation.

use gandan_tests::programs::{Link, Phone, Weather};
use serde_json::Value;

use crate::fixture::{Town, cases, texts};

/// A phone that reaches the ward through a link.
fn linked(town: &Town, name: &str) -> (Link, Phone) {
    let link = Link::to(town.server.address());
    let invite = town.server.invite_through(name, "leader", link.address());
    let phone = Phone::enrolled(&town.path(name), &invite);
    (link, phone)
}

/// Waits until `other` sees `count` cases: the ward has made them durable.
fn wait_until_admitted(other: &Phone, count: usize) {
    for _ in 0..200 {
        let _ = other.sync();
        if other.list().len() == count {
            return;
        }
    }
    panic!("the ward never admitted the cases");
}

#[test]
fn a_ward_that_is_away_loses_nothing_and_the_phone_says_so() {
    let mut town = Town::new();
    let phone = town.phone("a");
    town.server.kill();
    let _ = phone.record(&cases(0..3));
    let failed = phone.run(&["sync", "--json"]).expect(4);
    assert!(failed.stderr.contains("không trả lời"), "{failed:?}");
    let report = failed.objects().remove(0);
    assert_eq!(report["sent"], 0);
    assert_eq!(report["pending"], phone.pending().len());
    assert_eq!(phone.list().len(), 3);
    town.server.serve();
    assert_eq!(phone.sync()["rejected"], 0);
}

#[test]
fn what_was_acknowledged_survives_a_killed_ward() {
    let mut town = Town::new();
    let (a, b) = (town.phone("a"), town.phone("b"));
    let _ = a.record(&cases(0..5));
    let _ = a.sync();
    town.server.kill();
    town.server.serve();
    assert_eq!(a.sync()["sent"], 0, "it was acknowledged");
    let _ = b.sync();
    assert_eq!(texts(&b.list()), texts(&cases(0..5)));
}

#[test]
fn a_lost_acknowledgement_doubles_nothing() {
    let town = Town::new();
    let (link, a) = linked(&town, "a");
    let b = town.phone("b");
    let ids = a.record(&cases(0..3));
    let _ = a
        .run(&["edit", &ids[0], "--note", "một lần", "--households", "4"])
        .expect(0);
    link.set_weather(Weather::NoAnswers);
    let mut synchronising = a.begin_sync();
    wait_until_admitted(&b, 3);
    assert!(link.answers_lost() > 0);
    // The officer closes the app.
    synchronising.kill().unwrap();
    synchronising.wait().unwrap();
    assert!(a.list().iter().all(|case| case["sync"] == "sending"));

    link.set_weather(Weather::Clear);
    let report = a.sync();
    assert_eq!(report["sent"], report["accepted"], "{report}");
    assert!(report["sent"].as_u64() > Some(0));
    assert!(a.rejected().is_empty());
    let _ = b.sync();
    assert_eq!(texts(&b.list()), texts(&cases(0..3)));
    for phone in [&a, &b] {
        let case = phone.show(&ids[0]);
        assert_eq!(case["notes"].as_array().unwrap().len(), 1);
        assert_eq!(case["households"], 5);
    }
}

#[test]
fn a_ward_that_is_killed_before_its_acknowledgement_arrives_is_asked_again() {
    let mut town = Town::new();
    let (link, a) = linked(&town, "a");
    let b = town.phone("b");
    let _ = a.record(&cases(0..3));
    link.set_weather(Weather::NoAnswers);
    let synchronising = a.begin_sync();
    wait_until_admitted(&b, 3);
    town.server.kill();
    town.server.serve();
    // The new process knows nothing of the connection and says so.
    link.set_weather(Weather::Clear);
    let ended = synchronising.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(4), "{ended:?}");

    let report = a.sync();
    assert_eq!(report["sent"], report["accepted"], "{report}");
    let _ = b.sync();
    assert_eq!(texts(&b.list()), texts(&cases(0..3)));
}

#[test]
fn a_ward_that_is_asked_to_stop_ends_at_once_and_well_although_a_phone_is_connected() {
    let mut town = Town::new();
    let (link, a) = linked(&town, "a");
    let _ = a.record(&cases(0..3));
    link.set_weather(Weather::NoAnswers);
    let synchronising = a.begin_sync();
    while link.answers_lost() == 0 {
        std::thread::yield_now();
    }
    link.set_weather(Weather::Clear);
    let _ = town.server.stop();
    let ended = synchronising.wait_with_output().unwrap();
    assert!(matches!(ended.status.code(), Some(0 | 4)), "{ended:?}");
    town.server.serve();
    let _ = a.sync();
    assert_eq!(a.pending(), Vec::<Value>::new());
}

#[test]
fn many_phones_at_five_in_the_afternoon_all_get_through() {
    let town = Town::new();
    let phones: Vec<_> = (0..12)
        .map(|number| {
            let phone = town.phone(&format!("phone {number}"));
            let _ = phone.record(&cases(number * 10..number * 10 + 5));
            phone
        })
        .collect();
    let running: Vec<_> = phones.iter().map(Phone::begin_sync).collect();
    for child in running {
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    }
    let _ = phones[0].sync();
    assert_eq!(phones[0].list().len(), 60);
}
