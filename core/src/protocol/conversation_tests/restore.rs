//! The ward came back from last night's backup.

use super::*;

/// A device that has read everything, and a ward that has lost its last `lost` entries. The feed
/// holds 3 cases of a colleague, 5 of the device, 4 more of the colleague.
fn ward_that_lost(lost: usize) -> (FakeDevice, FakeWard) {
    let (mut device, mut ward) = acquainted();
    device.record(&cases(10..15));
    meet(&mut device, &mut ward).assert_caught_up();
    for edit in cases(20..24) {
        ward.admit_from_colleague(&edit);
    }
    meet(&mut device, &mut ward).assert_caught_up();
    ward.restore(12 - lost);
    (device, ward)
}

#[test]
fn a_restored_ward_gets_back_what_it_lost() {
    for lost in 1..=12 {
        let (mut device, mut ward) = ward_that_lost(lost);
        let outcome = meet(&mut device, &mut ward);
        outcome.assert_caught_up();
        for edit in cases(0..3)
            .into_iter()
            .chain(cases(10..15))
            .chain(cases(20..24))
        {
            assert!(ward.has(edit.id()), "{lost}");
        }
        assert_eq!(ward.edits().len(), 12, "{lost}");
        // Afterwards they know each other again.
        meet(&mut device, &mut ward).assert_caught_up();
        assert_eq!(ward.log, ["greet", "read feed"]);
    }
}

#[test]
fn what_is_given_back_comes_before_bundles_and_bundles_before_the_feed() {
    let (mut device, mut ward) = ward_that_lost(4);
    // The new record builds on one that the ward has lost and gets back.
    let lost = cases(20..21).remove(0);
    device.record(&[FakeEdit::after("new", &lost)]);
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(
        ward.log[..5],
        ["greet", "compare", "take back", "admit", "read feed"],
        "of three pages one names what the ward lacks"
    );
    assert_eq!(
        device.log[..6],
        [
            "next bundle",
            "next bundle",
            "begin return",
            "compare",
            "next return",
            "next return"
        ]
    );
    assert!(device.has_final_words());
    // The greeting, the comparison, and all the rest.
    assert_eq!(outcome.round_trips, 3);
}

#[test]
fn a_bundle_handed_over_while_the_ward_said_it_was_restored_is_not_lost() {
    let (mut device, mut ward) = ward_that_lost(4);
    device.record(&[FakeEdit::new("new")]);
    let mut initiator = super::super::initiator::Initiator::new(device.opening());
    let mut responder = super::super::responder::Responder::new();
    // The store is slow: it is asked for a bundle, and answers after the welcome came.
    let command = initiator.poll_command().unwrap();
    let answer = device.execute(command);
    while let Some(bytes) = initiator.poll_transmit() {
        responder.handle_bytes(&bytes).unwrap();
    }
    let greet = responder.poll_command().unwrap();
    responder.handle_answer(ward.execute(greet));
    while let Some(bytes) = responder.poll_transmit() {
        initiator.handle_bytes(&bytes).unwrap();
    }
    initiator.handle_answer(answer);
    assert_eq!(
        initiator.poll_transmit(),
        None,
        "the bundle waits for the return"
    );
    drop((initiator, responder));
    meet(&mut device, &mut ward).assert_caught_up();
    assert!(device.has_final_words());
}

#[test]
fn a_return_that_is_interrupted_begins_again() {
    let (device, ward) = ward_that_lost(9);
    let whole = {
        let (mut device, mut ward) = (device.clone(), ward.clone());
        meet(&mut device, &mut ward).down.len()
    };
    for ward_bytes_max in 0..whole {
        let (mut device, mut ward) = (device.clone(), ward.clone());
        let link = Link {
            portions: vec![1],
            ward_bytes_max: Some(ward_bytes_max),
            ..Link::default()
        };
        let outcome = talk(&mut device, &mut ward, &link);
        assert_eq!(outcome.device, Err(ConversationError::Interrupted));
        meet(&mut device, &mut ward).assert_caught_up();
        assert_eq!(ward.edits().len(), 12, "cut after {ward_bytes_max}");
    }
}

#[test]
fn an_accepted_edit_whose_place_went_by_without_it_is_sent_again() {
    let (mut device, mut ward) = acquainted();
    device.record(&[FakeEdit::new("accepted, then lost")]);
    // The verdict arrives, the page does not; then the ward is restored to before both, and other
    // records take the place. The device's cursor is known: nothing tells of the restore but this.
    let whole = {
        let (mut device, mut ward) = (device.clone(), ward.clone());
        meet(&mut device, &mut ward)
    };
    let caught_up_bytes = 3;
    let link = Link {
        portions: vec![1],
        ward_bytes_max: Some(whole.down.len() - caught_up_bytes - 1),
        ..Link::default()
    };
    talk(&mut device, &mut ward, &link);
    assert!(device.has_final_words());
    let lost = device.bundles[0].edits[0].id();
    ward.restore(3);
    assert!(!ward.has(lost));
    ward.admit_from_colleague(&FakeEdit::new("in its place"));
    meet(&mut device, &mut ward).assert_caught_up();
    assert!(ward.has(lost));
}

#[test]
fn what_both_sides_do_not_hold_alike_is_found_and_mended_in_the_same_conversation() {
    let (mut device, mut ward) = acquainted();
    device.record(&cases(10..15));
    meet(&mut device, &mut ward).assert_caught_up();
    // The ward has lost an entry and the device another, and neither notices by the cursor.
    let lost = ward.edits()[1];
    ward.lose(lost);
    let forgotten = ward.edits()[0];
    device.edits.remove(&forgotten);
    device.is_differing = true;
    meet(&mut device, &mut ward).assert_caught_up();
    assert!(device.edits.contains_key(&forgotten));
    assert!(ward.has(lost));
    assert_eq!(
        ward.log,
        [
            "greet",
            "read feed",
            "compare",
            "read edits",
            "take back",
            "read feed"
        ]
    );
    // Found once; a store that goes on saying so does not begin again in the same conversation.
    device.is_differing = true;
    meet(&mut device, &mut ward).assert_caught_up();
    assert_eq!(ward.log, ["greet", "read feed", "compare"]);
}
