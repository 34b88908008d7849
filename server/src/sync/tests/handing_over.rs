//! A revoked phone gives what it has unsent; nobody else can by this door.

use gandan_core::protocol::ALPN_HAND_OVER;
use gandan_core::protocol::hand_over::{HandOverWord, WORD_BYTES, encode_offer};
use gandan_core::protocol::limits::HAND_OVER_BYTES_MAX;
use gandan_core::protocol::message::WardMessage;
use gandan_core::store::device::wipe;
use quinn::{RecvStream, SendStream};

use super::*;

/// The stream of a device that speaks by hand, and what the ward said to its offer.
async fn offer(
    serving: &Serving,
    phone: &Replica,
    bytes: usize,
) -> (Connection, SendStream, RecvStream, HandOverWord) {
    let endpoint = endpoint();
    let device_key = phone.device_key();
    let config = tls::client_config(&device_key, serving.ward.key(), ALPN_HAND_OVER).unwrap();
    let connecting = endpoint.connect_with(config, serving.address, "ward");
    let connection = connecting.unwrap().await.unwrap();
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write_all(&encode_offer(bytes)).await.unwrap();
    let word = word(&mut receive).await;
    (connection, send, receive, word)
}

async fn word(receive: &mut RecvStream) -> HandOverWord {
    let mut word = [0; WORD_BYTES];
    receive.read_exact(&mut word).await.unwrap();
    HandOverWord::decode(word).unwrap()
}

#[tokio::test]
async fn a_revoked_phone_hands_over_what_is_unsent_and_each_thing_once() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let device = serving.ward.devices().unwrap()[0].id;
    let first = phone.record_case(case("Ngập hẻm 12")).unwrap().id;
    serving.ward.revoke(device).unwrap();
    for _ in 0..2 {
        assert_eq!(refused(&phone).await, Refusal::Revoked);
    }
    let kept = serving.ward.quarantine().unwrap();
    let [file] = &kept[..] else {
        panic!("one file: {kept:?}");
    };
    assert!(file.is_whole);
    assert_eq!(file.device, device);
    assert!(phone.standing().unwrap().handed_over_at.is_some());
    assert!(serving.ward.case(first).unwrap().is_none(), "nobody looked");
    let content = serving.ward.look_into_quarantine(file.number).unwrap();
    let shown = format!("{content:?}");
    assert!(shown.contains("Ngập hẻm 12"), "{shown}");

    let second = phone.record_case(case("Ngập hẻm 14")).unwrap().id;
    assert_eq!(refused(&phone).await, Refusal::Revoked);
    let kept = serving.ward.quarantine().unwrap();
    assert_eq!(kept.len(), 2);
    for file in kept {
        serving.ward.take_from_quarantine(file.number).unwrap();
    }
    assert!(serving.ward.quarantine().unwrap().is_empty());
    for id in [first, second] {
        assert!(serving.ward.case(id).unwrap().is_some());
    }
    serving.stop().await;
}

#[tokio::test]
async fn a_phone_is_wiped_once_it_has_handed_over() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let device = serving.ward.devices().unwrap()[0].id;
    let id = phone.record_case(case("Ngập hẻm 12")).unwrap().id;
    serving.ward.revoke_and_wipe(device).unwrap();
    assert_eq!(refused(&phone).await, Refusal::Wipe);
    let folder = serving.folder.path().join("a");
    assert!(wipe::wiped_at(&folder).unwrap().is_some());
    assert!(!wipe::rescued(&folder).exists(), "the ward has it");
    let number = serving.ward.quarantine().unwrap()[0].number;
    serving.ward.take_from_quarantine(number).unwrap();
    assert!(serving.ward.case(id).unwrap().is_some());
    serving.stop().await;
}

#[tokio::test]
async fn what_the_administrator_does_not_want_stays_sealed_on_the_phone() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let device = serving.ward.devices().unwrap()[0].id;
    let id = phone.record_case(case("Ngập hẻm 12")).unwrap().id;
    serving.ward.refuse_unsent(device).unwrap();
    serving.ward.revoke_and_wipe(device).unwrap();
    assert_eq!(refused(&phone).await, Refusal::Wipe);
    assert!(serving.ward.quarantine().unwrap().is_empty());
    let folder = serving.folder.path().join("a");
    assert!(wipe::wiped_at(&folder).unwrap().is_some());
    let sealed = std::fs::read(wipe::rescued(&folder)).unwrap();
    serving.ward.import_rescue_of_revoked(&sealed).unwrap();
    assert!(serving.ward.case(id).unwrap().is_some());
    serving.stop().await;
}

#[tokio::test]
async fn a_device_that_was_not_revoked_and_one_that_offers_too_much_are_sent_away() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let unknown = serving.store("b");
    let device = serving.ward.devices().unwrap()[0].id;
    for sent_away in [&phone, &unknown] {
        let (_connection, _send, _receive, word) = offer(&serving, sent_away, 10).await;
        assert_eq!(word, HandOverWord::NotWanted);
    }
    serving.ward.revoke(device).unwrap();
    let (_connection, _send, _receive, word) =
        offer(&serving, &phone, HAND_OVER_BYTES_MAX + 1).await;
    assert_eq!(word, HandOverWord::TooMuch);
    assert!(serving.ward.quarantine().unwrap().is_empty());
    serving.stop().await;
}

#[tokio::test]
async fn what_came_before_a_cut_is_kept_until_all_of_it_comes() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let device = serving.ward.devices().unwrap()[0].id;
    phone.record_case(case("Ngập hẻm 12")).unwrap();
    serving.ward.revoke(device).unwrap();
    let (connection, mut send, _receive, word) = offer(&serving, &phone, 600_000).await;
    assert_eq!(word, HandOverWord::Wanted);
    send.write_all(&[7; 300_000]).await.unwrap();
    send.finish().unwrap();
    connection.closed().await;
    // Once it has stopped, the ward has kept whatever it was told.
    let serving = serving.restart().await;
    let cut = serving.ward.quarantine().unwrap();
    assert_eq!(cut.len(), 1);
    assert_eq!((cut[0].bytes, cut[0].is_whole), (300_000, false));
    assert!(
        serving
            .ward
            .look_into_quarantine(cut[0].number)
            .unwrap()
            .is_damaged
    );

    assert_eq!(refused(&phone).await, Refusal::Revoked);
    let whole = serving.ward.quarantine().unwrap();
    assert_eq!(whole.len(), 1);
    assert!(whole[0].is_whole);
    assert_ne!(
        whole[0].number, cut[0].number,
        "nobody takes what he did not see"
    );
    serving.stop().await;
}

#[tokio::test]
async fn a_stolen_phone_fills_no_more_than_its_share() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let device = serving.ward.devices().unwrap()[0].id;
    serving.ward.revoke(device).unwrap();
    let mut taken = 0;
    loop {
        let (_connection, mut send, mut receive, said) = offer(&serving, &phone, 5_000).await;
        if said == HandOverWord::TooMuch {
            break;
        }
        send.write_all(&[7; 5_000]).await.unwrap();
        assert_eq!(word(&mut receive).await, HandOverWord::Kept);
        taken += 1;
    }
    assert_eq!(taken, 8);
    serving.stop().await;
}

/// A ward that orders a wipe and breaks off whoever hands over.
fn cutting_ward(key: &SigningKey) -> SocketAddr {
    let config = tls::server_config(key, SystemEnvironment.now()).unwrap();
    let endpoint = Endpoint::server(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = endpoint.local_addr().unwrap();
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            let connection = incoming.await.unwrap();
            let (mut send, mut receive) = connection.accept_bi().await.unwrap();
            let mut heard = [0; 1];
            receive.read_exact(&mut heard).await.unwrap();
            let protocol = tls::agreed_protocol(connection.handshake_data());
            if protocol.as_deref() == Some(ALPN_SYNC) {
                let refusal = WardMessage::Refuse(Refusal::Wipe).encode();
                send.write_all(&refusal).await.unwrap();
                connection.closed().await;
            } else {
                connection.close(transport::CLOSE_GOING_AWAY.into(), b"");
            }
        }
    });
    address
}

#[tokio::test]
async fn a_wipe_waits_for_a_handing_over_that_was_cut_and_not_for_ever() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let device = serving.ward.devices().unwrap()[0].id;
    let id = phone.record_case(case("Ngập hẻm 12")).unwrap().id;
    let folder = serving.folder.path().join("a");
    serving.ward.revoke_and_wipe(device).unwrap();
    let mut enrolment = phone.enrolment().unwrap();
    enrolment.addresses = vec![cutting_ward(&serving.ward.signing_key()).to_string()];
    phone.set_enrolment(&enrolment).unwrap();
    for _ in 0..2 {
        assert_eq!(refused(&phone).await, Refusal::Wipe);
        assert_eq!(wipe::wiped_at(&folder).unwrap(), None);
        assert_eq!(phone.pending().unwrap().len(), 1);
    }
    assert_eq!(refused(&phone).await, Refusal::Wipe);
    assert!(wipe::wiped_at(&folder).unwrap().is_some());
    let sealed = std::fs::read(wipe::rescued(&folder)).unwrap();
    serving.ward.import_rescue_of_revoked(&sealed).unwrap();
    assert!(serving.ward.case(id).unwrap().is_some());
    serving.stop().await;
}
