//! Invites, keys and clocks that are not what they should be.

use std::sync::Arc;

use gandan_core::client;
use gandan_core::environment::{Environment, SystemEnvironment};
use gandan_core::model::{Role, Timestamp};
use gandan_core::protocol::invite::Invite;
use gandan_core::replica::{NewCase, Replica};
use gandan_core::store::StoreKey;
use gandan_tests::programs::{Link, Phone};

use crate::fixture::{Town, cases, texts};

#[test]
fn an_invite_that_is_used_expired_or_unknown_is_refused_with_what_to_do() {
    let town = Town::new();
    let used = town.server.invite("a", "leader");
    let first = Phone::enrolled(&town.path("a"), &used);

    let ward = town.server.open();
    let officer = ward.officer("b", Role::Leader, &[]).unwrap();
    let addresses = [town.server.address().to_string()];
    let expired = ward.invite(officer, &addresses, 1).unwrap();
    let unknown = Invite {
        token: [7; 16],
        ..expired.clone()
    };
    for (name, invite, words) in [
        ("used", used, "đã được dùng"),
        ("expired", expired.to_string(), "hết hạn"),
        ("unknown", unknown.to_string(), "không đúng"),
    ] {
        let phone = Phone::new(&town.path(name));
        let refused = phone.run(&["enrol", "--invite", &invite]).expect(4);
        assert!(refused.stderr.contains(words), "{refused:?}");
        assert!(refused.stderr.contains("hãy xin văn phòng"), "{refused:?}");
        // The same phone takes a good invite afterwards.
        let good = town.server.invite(name, "leader");
        let _ = phone.run(&["enrol", "--invite", &good]).expect(0);
    }
    let _ = first.record(&cases(0..1));
    let _ = first.sync();
    let again = first
        .run(&["enrol", "--invite", &town.server.invite("c", "leader")])
        .expect(2);
    assert!(again.stderr.contains("đã được đăng ký"), "{again:?}");
}

#[test]
fn a_server_with_another_key_gets_nothing_and_the_phone_says_so() {
    let mut town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..3));

    // Somebody else's server at the ward's address.
    let mut impostor = Town::new();
    let link = Link::to(impostor.server.address());
    let invite = town.server.invite_through("b", "leader", link.address());
    let victim = Phone::new(&town.path("b"));
    let refused = victim.run(&["enrol", "--invite", &invite]).expect(4);
    assert!(
        refused.stderr.contains("không phải khoá của phường"),
        "{refused:?}"
    );
    assert!(impostor.server.open().devices().unwrap().is_empty());

    // The same after enrolment: the ward's port is taken over while it is away.
    let address = town.server.address();
    town.server.kill();
    impostor.server.kill();
    impostor.server.serve_at(address);
    let refused = phone.run(&["sync", "--json"]).expect(4);
    assert!(
        refused.stderr.contains("không phải khoá của phường"),
        "{refused:?}"
    );
    assert!(phone.list().iter().all(|case| case["sync"] != "on_server"));

    impostor.server.kill();
    town.server.serve();
    assert_eq!(phone.sync()["rejected"], 0);
}

/// A clock that stands where it was put.
struct Clock(Timestamp);

impl Environment for Clock {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        SystemEnvironment.fill_random(bytes);
    }
}

#[test]
fn a_clock_that_is_years_off_keeps_no_phone_out_and_is_seen_by_the_ward() {
    let town = Town::new();
    let reader = town.phone("reader");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (number, time) in [
        "1970-01-01T00:00:05Z",
        "2001-09-09T01:46:40Z",
        "2090-01-01T00:00:00Z",
    ]
    .into_iter()
    .enumerate()
    {
        let clock = Clock(Timestamp::parse_rfc3339(time).unwrap());
        let folder = town.path(&format!("clock {number}"));
        let phone = Replica::open(&folder, &StoreKey::new([1; 32]), Arc::new(clock)).unwrap();
        let invite: Invite = town.server.invite(time, "leader").parse().unwrap();
        runtime
            .block_on(client::enrol(&phone, &invite, "clock"))
            .unwrap();
        let recorded = phone
            .record_case(NewCase {
                text: format!("Ghi lúc {time}"),
                ..NewCase::default()
            })
            .unwrap();
        let report = runtime.block_on(client::sync(&phone, &mut |_| {})).unwrap();
        assert_eq!((report.rejected, report.pending), (0, 0), "{report:?}");

        let _ = reader.sync();
        let shown = reader.show(&recorded.id.to_string());
        let recorded_at = shown["recorded_at"].as_str().unwrap();
        assert_eq!(
            &recorded_at[..19],
            &time[..19],
            "a claim is kept as it was made"
        );
        let received_at = shown["history"][0]["received_at"].as_str().unwrap();
        let received = Timestamp::parse_rfc3339(received_at).unwrap();
        let off = SystemEnvironment.now().0 - received.0;
        assert!(
            (0..600_000).contains(&off),
            "the ward's own clock is beside it"
        );
    }
    let _ = reader.record(&cases(0..1));
    let _ = reader.sync();
    assert_eq!(texts(&reader.list()).len(), 4);
}
