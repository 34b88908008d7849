//! Photos on their way to the ward, with either process killed in the middle.

use gandan_core::store::attachments;
use gandan_tests::programs::{Link, Phone};

use crate::fixture::{Town, attach_large_photo, cases};

/// A chunk, and all that a connection costs beside it.
const PER_KILL_BYTES_MAX: u64 = 64 * 1024 + 24 * 1024;

/// What packets, acknowledgements and hashes add to a file.
const OVERHEAD_PERCENT: u64 = 8;

#[test]
fn a_photo_goes_on_where_it_was_whichever_process_is_killed() {
    let mut town = Town::new();
    let link = Link::to(town.server.address());
    let invite = town.server.invite_through("a", "leader", link.address());
    let phone = Phone::enrolled(&town.path("a"), &invite);
    let ids = phone.record(&cases(0..1));
    let photo = attach_large_photo(&town, &phone, &ids[0]);

    let size = photo.len() as u64;
    let before = link.bytes().0;
    let mut kills = 0;
    for step in 1..=6 {
        let mut synchronising = phone.begin_sync();
        while link.bytes().0 - before < size * step / 8 {
            assert!(
                synchronising.try_wait().unwrap().is_none(),
                "the photo went up before anybody was killed"
            );
            std::thread::yield_now();
        }
        kills += 1;
        if step % 2 == 0 {
            synchronising.kill().unwrap();
            synchronising.wait().unwrap();
        } else {
            town.server.kill();
            synchronising.kill().unwrap();
            synchronising.wait().unwrap();
            town.server.serve();
        }
    }
    let _ = phone.sync();
    let sent = link.bytes().0 - before;
    let allowed = size * (100 + OVERHEAD_PERCENT) / 100 + (kills + 1) * PER_KILL_BYTES_MAX;
    assert!(sent <= allowed, "{sent} bytes of {allowed} for {size}");
    assert!(phone.pending().is_empty());
    let file = &phone.show(&ids[0])["attachments"]["photo.jpg"];
    assert_eq!(file["on_server"], true);
    let stored = town.server.open().attachment(attachments::hash(&photo));
    assert_eq!(stored.unwrap().map(|(bytes, _)| bytes), Some(photo));
}

#[test]
fn a_photo_that_was_freed_and_a_colleagues_photo_come_when_they_are_wanted() {
    let town = Town::new();
    let (a, b) = (town.phone("a"), town.phone("b"));
    let ids = a.record(&cases(0..1));
    let _ = attach_large_photo(&town, &a, &ids[0]);
    assert_eq!(a.run(&["free"]).expect(0).objects()[0]["files"], 0);
    for phone in [&a, &b] {
        let _ = phone.sync();
    }
    let freed = a.run(&["free"]).expect(0).objects();
    assert_eq!(freed[0]["bytes"], 3_000_000);
    let file = |phone: &Phone| phone.show(&ids[0])["attachments"]["photo.jpg"].clone();
    assert_eq!(file(&a)["state"], "on_ward");
    assert_eq!(file(&b)["state"], "elsewhere");
    for phone in [&a, &b] {
        assert_eq!(file(phone)["on_phone"], false);
        let _ = phone.run(&["fetch", &ids[0]]).expect(0);
        let _ = phone.sync();
        assert_eq!(file(phone)["on_phone"], true);
        assert_eq!(file(phone)["state"], "on_ward");
    }
}
