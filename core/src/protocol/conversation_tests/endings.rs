//! Conversations that end before everything was said. Nothing is lost by any.

use super::*;

#[test]
fn a_refusal_ends_the_conversation_and_everything_stays_on_the_device() {
    for refusal in [
        Refusal::Revoked,
        Refusal::UnknownDevice,
        Refusal::Unavailable,
    ] {
        let (mut device, mut ward) = acquainted();
        device.record(&cases(10..15));
        let before = device.clone();
        ward.refusal_at_greeting = Some(refusal);
        let outcome = meet(&mut device, &mut ward);
        assert_eq!(outcome.device, Err(ConversationError::Refused(refusal)));
        assert_eq!(outcome.ward, Ok(()));
        assert_eq!(ward.log, ["greet"]);
        assert_eq!(device.edits, before.edits);
        assert!(!device.has_final_words());
        ward.refusal_at_greeting = None;
        meet(&mut device, &mut ward).assert_caught_up();
        assert!(device.has_final_words());
    }
}

#[test]
fn a_device_revoked_in_the_middle_is_refused_there() {
    let (mut device, mut ward) = acquainted();
    device.record(&cases(10..15));
    ward.refusal = Some(Refusal::Revoked);
    let outcome = meet(&mut device, &mut ward);
    let refused = Err(ConversationError::Refused(Refusal::Revoked));
    assert_eq!(outcome.device, refused);
    assert_eq!(ward.log, ["greet", "admit"]);
}

#[test]
fn too_old_and_too_new_are_told_apart_and_nothing_is_asked_of_the_ward() {
    let versions = |oldest, newest| Some(MinorVersions { oldest, newest });
    let ours = MinorVersions::OURS;
    let too_old = versions(ours.newest + 1, ours.newest + 2);
    let (mut device, mut ward) = acquainted();
    device.record(&cases(10..15));
    let link = Link {
        ward_versions: too_old,
        ..Link::default()
    };
    let outcome = talk(&mut device, &mut ward, &link);
    let refused = Err(ConversationError::Refused(Refusal::DeviceTooOld));
    assert_eq!(outcome.device, refused);
    assert!(ward.log.is_empty());
    assert!(!device.has_final_words());
}

#[test]
fn a_lost_acknowledgement_costs_a_repetition_and_no_double() {
    let (device, ward) = acquainted();
    let whole = {
        let (mut device, mut ward) = (device.clone(), ward.clone());
        device.record(&cases(10..15));
        meet(&mut device, &mut ward).down.len()
    };
    for ward_bytes_max in 0..whole {
        let (mut device, mut ward) = (device.clone(), ward.clone());
        device.record(&cases(10..15));
        let link = Link {
            portions: vec![1],
            ward_bytes_max: Some(ward_bytes_max),
            ..Link::default()
        };
        let outcome = talk(&mut device, &mut ward, &link);
        assert_eq!(outcome.device, Err(ConversationError::Interrupted));
        meet(&mut device, &mut ward).assert_caught_up();
        assert!(device.has_final_words());
        assert_eq!(ward.edits().len(), 3 + 5);
    }
}
