//! Somebody who listens on the way and says again what a phone said in its first packets.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use gandan_core::client::{self, Client};
use gandan_core::environment::SystemEnvironment;
use gandan_core::protocol::invite::Invite;
use gandan_core::replica::{CaseChange, NewCase, Replica};
use gandan_core::store::StoreKey;
use gandan_tests::programs::Link;

use crate::fixture::Town;

/// How long the ward may take to answer a datagram on loopback.
const ANSWER: Duration = Duration::from_millis(300);
/// While the first connection drains, the ward knows its packets and is silent.
const ATTEMPTS: usize = 100;
/// How often everything is said again.
const REPLAYS: usize = 3;

#[test]
fn first_packets_that_are_said_again_change_nothing() {
    let town = Town::new();
    let reader = town.phone("reader");
    let link = Link::overheard(town.server.address());
    let invite: Invite = town
        .server
        .invite_through("officer", "leader", link.address())
        .parse()
        .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let phone = Replica::open(
        &town.path("phone"),
        &StoreKey::new([1; 32]),
        Arc::new(SystemEnvironment),
    )
    .unwrap();
    runtime
        .block_on(client::enrol(&phone, &invite, "phone"))
        .unwrap();
    let client = Client::new(phone.clone());
    runtime.block_on(client.sync(&mut |_| {})).unwrap();

    let before = link.copies().len();
    let case = NewCase {
        text: "Nước ngập hẻm".to_owned(),
        ..NewCase::default()
    };
    let recorded = phone.record_case(case).unwrap();
    phone.add_note(recorded.id, "Đã xem tại chỗ").unwrap();
    let more_households = CaseChange {
        households_by: Some(4),
        ..CaseChange::default()
    };
    phone.edit_case(recorded.id, more_households).unwrap();
    let report = runtime.block_on(client.sync(&mut |_| {})).unwrap();
    assert_eq!((report.accepted, report.pending), (3, 0));
    assert_eq!(report.round_trips, 1, "all of it was early data");
    let said = link.copies().split_off(before);

    let _ = reader.sync();
    let shown = reader.show(&recorded.id.to_string());
    assert_eq!(shown["notes"].as_array().unwrap().len(), 1);
    for replay in 0..REPLAYS {
        let answered = say_until_answered(&said, town.server.address());
        println!("replay {replay}: the ward answers {answered} bytes");
        let report = reader.sync();
        assert_eq!(report["received"], 0, "nothing new is in the feed");
        assert_eq!(reader.show(&recorded.id.to_string()), shown);
    }
    let report = runtime.block_on(client.sync(&mut |_| {})).unwrap();
    assert_eq!((report.received, report.pending), (0, 0));
}

/// Says it again as if for the first time; gives the length of the first answer.
fn say_until_answered(said: &[Vec<u8>], ward: SocketAddr) -> usize {
    for _ in 0..ATTEMPTS {
        let listener = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        listener.set_read_timeout(Some(ANSWER)).unwrap();
        for datagram in said {
            listener.send_to(datagram, ward).unwrap();
        }
        if let Ok((length, _)) = listener.recv_from(&mut [0; 2_048]) {
            return length;
        }
    }
    panic!("the ward never answers what was said again");
}
