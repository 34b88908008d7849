//! Networks that change or vanish under a conversation.

use std::time::Duration;

use gandan_core::model::DocumentId;
use gandan_core::store::attachments;
use gandan_tests::programs::{Link, Phone, Weather};

use crate::fixture::{Town, attach_large_photo, cases};

/// What packets, acknowledgements and hashes add to what is said.
const OVERHEAD_PERCENT: u64 = 8;

/// What was under way to the old port and may be lost there, and the checks of the new one.
const PER_CHANGE_BYTES_MAX: u64 = 64 * 1024 + 8 * 1024;

/// A phone behind a link, with records and a photo to send; gives both too.
fn laden(town: &Town, link: &Link) -> (Phone, Vec<String>, Vec<u8>) {
    let invite = town.server.invite_through("a", "leader", link.address());
    let phone = Phone::enrolled(&town.path("a"), &invite);
    let ids = phone.record(&cases(0..400));
    let photo = attach_large_photo(town, &phone, &ids[0]);
    (phone, ids, photo)
}

/// The ward has every record, each change once.
fn assert_whole(town: &Town, ids: &[String]) {
    let ward = town.server.open();
    for (number, id) in ids.iter().enumerate() {
        let changes = ward.history(DocumentId::case(id.parse().unwrap())).unwrap();
        // The first has the photo.
        assert_eq!(changes.len(), 1 + usize::from(number == 0), "{id}");
    }
}

#[test]
fn a_conversation_goes_on_when_the_router_gives_the_phone_another_port() {
    const CHANGES: u64 = 6;
    let town = Town::new();
    let link = Link::to(town.server.address());
    let (phone, ids, photo) = laden(&town, &link);
    let (size, before) = (photo.len() as u64, link.bytes().0);
    let ports = link.ports();
    let mut synchronising = phone.begin_sync();
    let mut handshake = 0;
    for change in 0..CHANGES {
        // The first one falls into the records, which go before the photo.
        let place = if change == 0 {
            8_000
        } else {
            size * change / 8
        };
        while link.bytes().0 - before < place {
            assert!(
                synchronising.try_wait().unwrap().is_none(),
                "it was over before the port changed {change} times"
            );
            std::thread::yield_now();
        }
        if change == 0 {
            handshake = link.handshake_datagrams();
        }
        link.change_port();
    }
    let report = phone.end_sync(synchronising);
    assert_eq!(report["pending"], 0);
    assert_eq!(link.ports() - ports, CHANGES + 1);
    assert_eq!(link.handshake_datagrams(), handshake, "no second handshake");
    let sent = link.bytes().0 - before;
    let allowed = size * (100 + OVERHEAD_PERCENT) / 100 + CHANGES * PER_CHANGE_BYTES_MAX;
    assert!(sent <= allowed, "{sent} bytes of {allowed} for {size}");
    let stored = town.server.open().attachment(attachments::hash(&photo));
    assert_eq!(stored.unwrap().map(|(bytes, _)| bytes), Some(photo));
    assert_whole(&town, &ids);
}

#[test]
fn a_ward_that_vanishes_without_a_word_is_noticed_and_nothing_is_lost() {
    let town = Town::new();
    let link = Link::to(town.server.address());
    let (phone, ids, photo) = laden(&town, &link);
    let before = link.bytes().0;
    let mut synchronising = phone.begin_sync();
    while link.bytes().0 - before < photo.len() as u64 / 3 {
        assert!(synchronising.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    link.set_weather(Weather::Dark);
    #[expect(clippy::disallowed_methods, reason = "measures how long it took")]
    let dark = std::time::Instant::now();
    let ended = phone.wait(synchronising).expect(4);
    assert!(ended.stderr.contains("đứt giữa chừng"), "{}", ended.stderr);
    assert!(
        dark.elapsed() < Duration::from_secs(50),
        "{:?}",
        dark.elapsed()
    );

    link.set_weather(Weather::Clear);
    assert_eq!(phone.sync()["pending"], 0);
    let stored = town.server.open().attachment(attachments::hash(&photo));
    assert_eq!(stored.unwrap().map(|(bytes, _)| bytes), Some(photo));
    assert_whole(&town, &ids);
}
