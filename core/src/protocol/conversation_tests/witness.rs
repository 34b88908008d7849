//! A device that witnesses the ward's audit trail.

use super::super::initiator::{Initiator, Opening};
use super::super::message::WardMessage;
use super::super::responder::{WardAnswer, WardCommand};
use super::super::violation::Violation;
use super::*;
use crate::model::{Timestamp, WardKey};

#[test]
fn a_witness_asks_in_the_first_flight_and_waits_no_longer_for_it() {
    let (mut device, mut ward) = acquainted();
    let before = meet(&mut device, &mut ward).round_trips;
    device.witness = Some(3);
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(outcome.round_trips, before);
    let [testimony] = &device.witnessed[..] else {
        panic!("one answer")
    };
    assert_eq!(testimony.then, Some([3; 32]));
    assert!(testimony.checkpoint.verify(ward.ward_key()));
}

#[test]
fn a_witness_is_not_answered_twice_nor_by_another_ward() {
    let (mut device, mut ward) = acquainted();
    device.witness = Some(0);
    let WardAnswer::Witnessed(testimony) = ward.execute(WardCommand::Witness(0)) else {
        panic!("a testimony")
    };
    let mut opening = device.opening();
    let said = WardMessage::Witnessed(*testimony).encode();
    let welcome = WardMessage::Welcome {
        minor: 0,
        ward_time: Timestamp(1),
        is_cursor_known: true,
        lacked: Vec::new(),
    };
    let hear = |opening: &Opening, said: &[&[u8]]| {
        let mut initiator = Initiator::new(opening.clone());
        initiator.handle_bytes(&welcome.encode()).unwrap();
        initiator.handle_bytes(&said.concat())
    };
    assert_eq!(hear(&opening, &[&said]), Ok(()));
    let twice = hear(&opening, &[&said, &said]);
    assert_eq!(twice, Err(Violation::Unexpected.into()));
    let other = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    opening.ward_key = WardKey(other.verifying_key().to_bytes());
    assert_eq!(hear(&opening, &[&said]), Err(Violation::Signature.into()));
    opening.witness = None;
    let unasked = hear(&opening, &[&said]);
    assert_eq!(unasked, Err(Violation::Unexpected.into()));
}
