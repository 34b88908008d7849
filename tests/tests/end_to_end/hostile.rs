//! Peers that mean harm, with and without a stolen phone. Each is answered as the wire's rules say,
//! and an honest phone works on all the while.

use gandan_core::document::schema;
use gandan_core::edit::{Edit, EncodedEdit, FieldName, Operation};
use gandan_core::model::{DocumentKind, IntentId, Timestamp};
use gandan_core::policy::RejectionCode;
use gandan_core::protocol::feed::Page;
use gandan_core::protocol::message::{DeviceMessage, Refusal, WardMessage};
use gandan_core::protocol::verdict::Verdict;
use gandan_core::protocol::{ALPN_ENROLMENT, ALPN_SYNC, bundle};

use crate::fixture::Town;
use crate::hostile_peer::{HonestPhone, HostilePeer, hello};

/// Bytes that decode to nothing, different for every seed.
fn noise(seed: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&[seed])
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

#[test]
fn garbage_is_answered_with_its_code_and_disturbs_nobody() {
    let mut town = Town::new();
    let honest = HonestPhone::begin(&town);
    let stranger = HostilePeer::stranger(&town, 200);
    for seed in 0..30 {
        println!("seed {seed}");
        for length in [0, 1, 20, 1_199, 1_200, 1_500, 60_000] {
            stranger.throw(&noise(seed, length));
        }
        let ended = stranger.say(ALPN_SYNC, &noise(seed, 2_000));
        let code = ended.code.expect("the ward closes with a code");
        // 0: what may be skipped, and then the end.
        assert!(code == 0 || (16..32).contains(&code), "{code}");
        assert!(ended.received.is_empty());
        let _ = stranger.say(ALPN_ENROLMENT, &noise(seed, 200));
    }
    let _ = honest.end();
    assert!(town.server.is_serving());
    assert!(!town.server.log_text().contains("panicked"));
}

#[test]
fn a_frame_over_its_limit_is_refused_by_its_header() {
    let town = Town::new();
    let honest = HonestPhone::begin(&town);
    for peer in [
        HostilePeer::stranger(&town, 200),
        HostilePeer::enrolled(&town, 201),
    ] {
        let mut said = hello().encode();
        // A bundle of nearly 2 MiB: only its header is sent.
        said.extend([0x02, 1, 0xff, 0xff, 0x7f]);
        assert_eq!(peer.say(ALPN_SYNC, &said).code, Some(0x11));
        // A length that does not even end.
        let said = [0x01, 1, 0xff, 0xff, 0xff, 0xff, 0x7f];
        let code = peer.say(ALPN_SYNC, &said).code.unwrap();
        assert!((16..32).contains(&code), "{code}");
        // An enrolment that does not end either.
        assert_eq!(peer.say(ALPN_ENROLMENT, &[1; 10_000]).code, Some(0x11));
    }
    let _ = honest.end();
}

#[test]
fn messages_out_of_order_are_refused() {
    let town = Town::new();
    let honest = HonestPhone::begin(&town);
    let peer = HostilePeer::enrolled(&town, 200);
    let before_greeting = DeviceMessage::Bundle(vec![0; 10]).encode();
    assert_eq!(peer.say(ALPN_SYNC, &before_greeting).code, Some(0x12));
    let twice = [hello().encode(), hello().encode()].concat();
    assert_eq!(peer.say(ALPN_SYNC, &twice).code, Some(0x12));
    let after_the_end = [
        hello().encode(),
        DeviceMessage::Done.encode(),
        DeviceMessage::Pull { window: 1 }.encode(),
    ]
    .concat();
    let ended = peer.say(ALPN_SYNC, &after_the_end);
    assert!(matches!(ended.code, None | Some(0x12)), "{ended:?}");
    let _ = honest.end();
}

#[test]
fn who_was_not_invited_is_told_so_and_guesses_no_token() {
    let town = Town::new();
    let honest = HonestPhone::begin(&town);
    let stranger = HostilePeer::stranger(&town, 200);
    for guess in 0..20 {
        let refused = stranger.enrol_with([guess; 16]);
        assert_eq!(refused, Err(Refusal::InviteUnknown));
    }
    let mut said = hello().encode();
    said.extend(DeviceMessage::Pull { window: 4 }.encode());
    let ended = stranger.say(ALPN_SYNC, &said);
    let refusal = WardMessage::Refuse(Refusal::UnknownDevice).encode();
    assert_eq!(
        ended.received, refusal,
        "and not a byte of anybody's records"
    );
    let _ = honest.end();
}

#[test]
fn a_bundle_that_does_not_decode_is_answered_without_verdicts_and_the_conversation_goes_on() {
    let town = Town::new();
    let honest = HonestPhone::begin(&town);
    let peer = HostilePeer::enrolled(&town, 200);
    let said = peer.converse(&[
        DeviceMessage::Bundle(noise(1, 1_000)),
        DeviceMessage::Bundle(Vec::new()),
        DeviceMessage::Bundle(noise(2, 200_000)),
        DeviceMessage::Pull { window: 4 },
    ]);
    let verdicts: Vec<_> = said
        .iter()
        .filter_map(|message| match message {
            WardMessage::Verdicts { verdicts, .. } => Some(verdicts.len()),
            _ => None,
        })
        .collect();
    assert_eq!(verdicts, [0, 0, 0]);
    assert!(matches!(said.last(), Some(WardMessage::CaughtUp { .. })));
    let _ = honest.end();
}

/// The edits that a peer in scope can read in the feed.
pub(crate) fn read_feed(peer: &HostilePeer) -> Vec<EncodedEdit> {
    let said = peer.converse(&[DeviceMessage::Pull { window: 4 }]);
    said.iter()
        .filter_map(|message| match message {
            WardMessage::Page(sealed) => Some(Page::open(peer.ward_key, sealed).unwrap()),
            _ => None,
        })
        .flat_map(|page| page.bodies)
        .map(|body| EncodedEdit::decode(&body.unwrap()).unwrap())
        .collect()
}

fn verdicts_on(peer: &HostilePeer, edits: &[EncodedEdit]) -> Vec<Verdict> {
    let (_, sealed, count) = bundle::seal(&peer.key, peer.ward, Timestamp(0), edits);
    assert_eq!(count, edits.len());
    let said = peer.converse(&[DeviceMessage::Bundle(sealed)]);
    let verdicts = said.into_iter().find_map(|message| match message {
        WardMessage::Verdicts { verdicts, .. } => Some(verdicts),
        _ => None,
    });
    verdicts.expect("the ward gives its word on every bundle")
}

#[test]
fn nobody_writes_under_the_actor_of_another_phone() {
    let town = Town::new();
    let victim = town.phone("victim");
    let _ = victim.record(&[crate::fixture::case(90)]);
    let _ = victim.sync();
    let honest = HonestPhone::begin(&town);
    let thief = HostilePeer::enrolled(&town, 200);
    let theirs = read_feed(&thief);
    let created = theirs
        .iter()
        .find(|edit| edit.edit().document.kind == DocumentKind::Case)
        .expect("a leader reads every case");

    let field = FieldName::new(schema::field::HOUSEHOLDS).unwrap();
    let forged = |sequence| {
        EncodedEdit::encode(Edit {
            document: created.edit().document,
            intent: IntentId([9; 16]),
            actor: created.edit().actor,
            sequence,
            dependencies: vec![created.id()],
            device_time: Timestamp(0),
            operations: vec![Operation::Increment {
                field: field.clone(),
                by: 100,
            }],
        })
        .unwrap()
    };
    let refused = Verdict::Rejected {
        code: RejectionCode::ForeignActor,
    };
    assert_eq!(verdicts_on(&thief, &[forged(2)]), [refused]);
    assert_eq!(verdicts_on(&thief, &[forged(1)]).len(), 1);
    // To say again what another said is no crime and changes nothing.
    assert!(matches!(
        verdicts_on(&thief, std::slice::from_ref(created))[..],
        [Verdict::Duplicate { .. }]
    ));

    // The victim was not locked out of their own record, and it says what they said.
    let id = created.edit().document.uuid.to_string();
    let _ = victim.run(&["edit", &id, "--households", "1"]).expect(0);
    assert_eq!(victim.sync()["rejected"], 0);
    assert_eq!(victim.show(&id)["households"], 2);
    let _ = honest.end();
}

#[test]
fn a_bundle_sealed_by_another_device_is_not_opened() {
    let town = Town::new();
    let honest = HonestPhone::begin(&town);
    let (thief, other) = (
        HostilePeer::enrolled(&town, 200),
        HostilePeer::enrolled(&town, 201),
    );
    let victim = town.phone("victim");
    let _ = victim.record(&[crate::fixture::case(90)]);
    let _ = victim.sync();
    let theirs = read_feed(&thief);
    let (_, sealed, _) = bundle::seal(&other.key, other.ward, Timestamp(0), &theirs[..1]);
    let said = thief.converse(&[DeviceMessage::Bundle(sealed)]);
    let verdicts = said.iter().find_map(|message| match message {
        WardMessage::Verdicts { verdicts, .. } => Some(verdicts.clone()),
        _ => None,
    });
    println!(
        "{:?} sealed for {:?}: {verdicts:?}",
        thief.device(),
        other.device()
    );
    // Whoever brings it: what is proven by its own signature may be taken, what is not may not.
    assert!(
        verdicts.is_some_and(|verdicts| verdicts
            .iter()
            .all(|verdict| !matches!(verdict, Verdict::Accepted { .. }))),
        "nothing new is accepted in another's name"
    );
    let _ = honest.end();
}

#[test]
fn a_revoked_phone_is_refused_at_its_next_word() {
    let town = Town::new();
    let honest = HonestPhone::begin(&town);
    let peer = HostilePeer::enrolled(&town, 200);
    assert!(
        !peer
            .converse(&[DeviceMessage::Pull { window: 1 }])
            .is_empty()
    );
    let revoked = town
        .server
        .run(&["device", "revoke", &peer.device().to_string()]);
    let _ = revoked.expect(0);
    let said = peer.converse(&[DeviceMessage::Pull { window: 1 }]);
    assert_eq!(said, [WardMessage::Refuse(Refusal::Revoked)]);
    let _ = honest.end();
}
