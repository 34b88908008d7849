//! A case that turns out to be a denunciation, and a person who is erased, with real programs.

use gandan_tests::folders;
use gandan_tests::programs::Phone;

use crate::fixture::{Town, cases, texts};

fn assert_agreed(phone: &Phone) {
    let report = phone.sync();
    assert_eq!(report["agreed"], true, "{report}");
}

#[test]
fn a_denunciation_leaves_every_phone_and_does_not_come_back_with_an_old_server() {
    let mut town = Town::new();
    let (a, b, away) = (town.phone("a"), town.phone("b"), town.phone("away"));
    let codes = a.record(&cases(0..4));
    for phone in [&a, &b, &away] {
        assert_agreed(phone);
    }
    town.server.stop();
    let (data, old) = (town.server.data().to_owned(), town.path("old"));
    folders::copy(&data, &old);
    town.server.serve();
    // Something of it is still unsent on a phone.
    let _ = away
        .run(&["edit", &codes[0], "--note", "chưa gửi"])
        .expect(0);

    let reclassify = ["reclassify", &codes[0], "--kind", "denunciation"];
    let _ = town.server.run(&reclassify).expect(0);
    let erase = ["erase", "--person", &codes[1]];
    let _ = town.server.run(&erase).expect(0);
    let sealed = town.server.run(&["sealed", "list"]);
    assert_eq!(sealed.expect(0).stdout.lines().count(), 1);
    let _ = town.server.run(&["check"]).expect(0);

    // Its unsent note is refused, and then not even kept as refused.
    let _ = away.run(&["sync", "--json"]).expect(1);
    for phone in [&a, &b, &away] {
        assert_agreed(phone);
        assert_eq!(texts(&phone.list()), texts(&cases(1..4)));
        assert!(phone.pending().is_empty() && phone.rejected().is_empty());
        let shown = phone.show(&codes[1]).to_string();
        assert!(!shown.contains("Nguyễn Thị Bình"), "{shown}");
        let shown = phone.show(&codes[2]).to_string();
        assert!(shown.contains("Nguyễn Thị Bình"), "{shown}");
    }

    // The server is put back from before: the phones bring the word, and nothing else of it.
    town.server.stop();
    std::fs::rename(&data, town.path("lost")).unwrap();
    folders::copy(&old, &data);
    town.server.serve();
    let fresh = town.phone("fresh");
    for phone in [&b, &a, &away, &fresh] {
        assert_agreed(phone);
        assert_eq!(texts(&phone.list()), texts(&cases(1..4)));
        let shown = phone.show(&codes[1]).to_string();
        assert!(!shown.contains("Nguyễn Thị Bình"), "{shown}");
    }
    let _ = town.server.run(&["check"]).expect(0);
}
