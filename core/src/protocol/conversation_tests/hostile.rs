//! Any bytes, in any portions: the conversation goes on as if nothing had been, or ends cleanly.

use proptest::prelude::*;

use super::super::initiator::Initiator;
use super::super::responder::Responder;
use super::super::violation::Violation;
use super::*;

/// A conversation in which every kind of message is said: bundles, a rejection, a dependency that
/// waits, pages, edits by name, a directory, files; after a restore also pages given back.
fn rich(is_restored: bool) -> (FakeDevice, FakeWard) {
    let (mut device, mut ward) = acquainted();
    ward.page_entries = 2;
    device.record(&cases(10..14));
    meet(&mut device, &mut ward).assert_caught_up();
    if is_restored {
        ward.restore(4);
    }
    let first = FakeEdit::new("first");
    device.record(&[
        FakeEdit::new("forbidden"),
        FakeEdit::after("second", &first),
    ]);
    device.record(&[first]);
    for edit in cases(20..24) {
        ward.admit_from_colleague(&edit);
    }
    ward.left_out = vec![cases(21..22)[0].id()];
    ward.directory.province = "Cần Thơ".to_owned();
    device.attach(vec![7; 1_000]);
    let known = device.attach(vec![8; 1_000]);
    ward.files.insert(known, vec![8; 1_000]);
    (device, ward)
}

#[test]
fn the_rich_conversation_says_every_kind_of_message() {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for is_restored in [false, true] {
        let (mut device, mut ward) = rich(is_restored);
        let outcome = meet(&mut device, &mut ward);
        outcome.assert_caught_up();
        up.extend(kinds(
            &outcome.up,
            super::super::message::DeviceMessage::payload_limit,
        ));
        down.extend(kinds(
            &outcome.down,
            super::super::message::WardMessage::payload_limit,
        ));
    }
    for kind in 0x01..=0x0a {
        assert!(up.contains(&kind), "the device never says {kind:#x}");
    }
    for kind in (0x41..=0x4a).filter(|kind| *kind != 0x42) {
        assert!(down.contains(&kind), "the ward never says {kind:#x}");
    }
}

fn kinds(mut stream: &[u8], limit: fn(u8) -> Option<usize>) -> Vec<u8> {
    let mut decoder = super::super::frame::FrameDecoder::new(limit);
    let mut kinds = Vec::new();
    while let Some(frame) = decoder.next(&mut stream).unwrap() {
        kinds.push(frame.kind);
    }
    kinds
}

/// What no link may do, whatever it does to the bytes.
fn assert_nothing_is_lost(device: &mut FakeDevice, ward: &mut FakeWard) {
    let outcome = meet(device, ward);
    outcome.assert_caught_up();
    for bundle in &device.bundles {
        for (edit, verdict) in bundle.edits.iter().zip(&bundle.verdicts) {
            let is_refused = matches!(verdict, Verdict::Rejected { .. });
            assert!(ward.has(edit.id()) != is_refused, "{verdict:?}");
        }
    }
    assert!(device.has_final_words());
    assert_eq!(device.confirmed.len(), device.files.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_portions_give_the_same_result(
        portions in prop::collection::vec(1usize..400, 1..20),
        is_restored in any::<bool>(),
    ) {
        let (mut device, mut ward) = rich(is_restored);
        let (mut other_device, mut other_ward) = (device.clone(), ward.clone());
        let whole = meet(&mut device, &mut ward);
        let cut = talk(&mut other_device, &mut other_ward, &Link { portions, ..Link::default() });
        cut.assert_caught_up();
        // Where an edit that was asked for by name comes among the pages depends on the portions;
        // what both sides have in the end does not. (No `assert_eq`: it would print photos.)
        prop_assert!(device.edits == other_device.edits);
        prop_assert!(device.cursor == other_device.cursor);
        prop_assert!(device.directory == other_device.directory);
        prop_assert!(device.bundles == other_device.bundles);
        prop_assert!(device.confirmed == other_device.confirmed);
        prop_assert!(ward.edits() == other_ward.edits());
        prop_assert!(ward.files == other_ward.files);
        // Where several edits are asked for by name, one question or two may be needed.
        if !is_restored {
            prop_assert_eq!(whole.round_trips, cut.round_trips);
        }
    }

    #[test]
    fn a_connection_cut_anywhere_loses_nothing(
        ward_bytes_max in 0usize..3_000,
        portion in 1usize..200,
        is_restored in any::<bool>(),
    ) {
        let (mut device, mut ward) = rich(is_restored);
        let link = Link {
            portions: vec![portion],
            ward_bytes_max: Some(ward_bytes_max),
            ..Link::default()
        };
        talk(&mut device, &mut ward, &link);
        assert_nothing_is_lost(&mut device, &mut ward);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_changed_byte_of_the_wards_ends_cleanly(
        place in 0usize..3_000,
        value in 1u8..=255,
        portion in 1usize..500,
        is_restored in any::<bool>(),
    ) {
        let (mut device, mut ward) = rich(is_restored);
        let link = Link {
            portions: vec![portion],
            ward_mutation: Some((place, value)),
            ..Link::default()
        };
        // A changed word of the ward's may make the device answer what the ward did not ask.
        let outcome = talk(&mut device, &mut ward, &link);
        prop_assert!(matches!(outcome.ward, Ok(()) | Err(Violation::Unexpected)));
    }

    #[test]
    fn a_changed_byte_of_the_devices_ends_cleanly(
        place in 0usize..4_000,
        value in 1u8..=255,
        portion in 1usize..500,
        is_restored in any::<bool>(),
    ) {
        let (mut device, mut ward) = rich(is_restored);
        let link = Link {
            portions: vec![portion],
            device_mutation: Some((place, value)),
            ..Link::default()
        };
        // Whatever the ward made of it, the device hears of a violation only from the transport.
        let outcome = talk(&mut device, &mut ward, &link);
        let is_clean = match outcome.device {
            Ok(()) | Err(ConversationError::Interrupted) => true,
            Err(ConversationError::Refused(refusal)) =>
                matches!(refusal, Refusal::DeviceTooOld | Refusal::DeviceTooNew),
            // The name of a changed bundle or file is none that the device knows.
            Err(ConversationError::Violation(violation)) => violation == Violation::Unexpected,
        };
        prop_assert!(is_clean, "{:?}", outcome.device);
    }

    #[test]
    fn garbage_instead_of_a_ward_ends_cleanly(
        garbage in prop::collection::vec(any::<u8>(), 1..600),
    ) {
        let (mut device, _) = acquainted();
        let mut initiator = Initiator::new(device.opening());
        while let Some(command) = initiator.poll_command() {
            initiator.handle_answer(device.execute(command));
        }
        let _ = initiator.handle_bytes(&garbage);
        prop_assert!(initiator.handle_end().is_err());
    }

    #[test]
    fn garbage_instead_of_a_device_ends_cleanly(
        garbage in prop::collection::vec(any::<u8>(), 1..600),
        after_hello in any::<bool>(),
    ) {
        let (mut device, mut ward) = acquainted();
        let mut responder = Responder::new();
        if after_hello {
            let hello = Initiator::new(device.opening()).poll_transmit().unwrap();
            responder.handle_bytes(&hello).unwrap();
        }
        let _ = responder.handle_bytes(&garbage);
        while let Some(command) = responder.poll_command() {
            responder.handle_answer(ward.execute(command));
        }
        while responder.poll_transmit().is_some() {}
    }
}
